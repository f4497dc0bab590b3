# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployment transaction: rehearse, stage, switch, validate, reload, prove; then commit or roll back.

Nothing is written before the rehearsal has passed. From then on the journal says how far a run got, so that the next
one finishes or undoes what a crash left. What only a change needs (TLS, sockets) is imported when a change is due.
"""

from __future__ import annotations

import os
import re
import stat
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from .._common.names import iso_time
from .desired_state import (
    Command,
    Wanted,
    absolute_path,
    describe,
    read_commands,
    read_probes,
    read_wanted,
    recorded_facts,
)
from .drift import CERTIFICATE_DIFFERS, NOT_SERVED, Facts, Survey, reasons
from .errors import (
    DeploymentError,
    InvalidKey,
    OlderThanDeployed,
    ProbeFailed,
    ReloadFailed,
    RollbackFailed,
    ValidateFailed,
    WriteFailed,
)
from .host import DIRECTORY, FILE, KEY, Host
from .lineage import (
    COMMITTING,
    CURRENT,
    FILE_NAMES,
    KEY_FILES,
    RECORD,
    STAGING,
    SWITCHING,
    Journal,
    Lineage,
    Lock,
    Version,
)
from .x509 import Certificate, Malformed, read_certificates

if t.TYPE_CHECKING:
    from .probe import Outcome, Target

LOCK_WAIT = 10.0  # seconds

_NO_FACTS = Facts("", "", "", {})
_LONGEST_OUTPUT = 2000
_HIDDEN_KEY = "(a private key)"
_SECRET_LINE = 16  # characters of a key's line that are worth hiding; the last one can be short
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


@dataclass(frozen=True)
class Settings:
    """How to deploy; the options of the module that do not say what shall be in service.

    Arguments:
        path: the lineage directory.
        trust: ``system``, ``ca_path`` or ``chain_only``.
        ca_path: CA certificates for ``ca_path``.
        validate_commands: run before the switch and after it.
        reload_commands: run after the switch.
        probes: mappings with ``host``, ``port``, ``server_name`` (normalised) and ``starttls``.
        probe_timeout: seconds until each probe's deadline.
        keep_versions: versions to keep, the current one included.
        allow_older: whether a certificate that was issued before the deployed one may replace it.
    """

    path: str
    trust: str
    ca_path: str | None
    validate_commands: t.Sequence[Command]
    reload_commands: t.Sequence[Command]
    probes: t.Sequence[t.Mapping[str, t.Any]]
    probe_timeout: float
    keep_versions: int
    allow_older: bool


@dataclass(frozen=True)
class _Plan:
    """What one look at the lineage led to.

    Arguments:
        current: name of the version that ``current`` names.
        version: that version; None when its record is damaged, too.
        journal: what an interrupted run left.
        recovers: whether an interrupted run left anything.
        reasons: why to deploy.
        wanted: what shall be in service.
        anchors: what verifying probes trust, as DER.
    """

    current: str | None
    version: Version | None
    journal: Journal | None
    recovers: bool
    reasons: t.Sequence[str]
    wanted: Wanted
    anchors: tuple[bytes, ...] = ()

    @property
    def unproven(self) -> bool:
        return self.current is not None and self.journal is not None and self.journal.state == SWITCHING

    @property
    def switches(self) -> bool:
        return bool(set(self.reasons) - {NOT_SERVED})

    @property
    def keeps_real(self) -> bool:
        """A placeholder never replaces a real certificate."""
        is_placeholder = self.version is not None and self.version.record.get("placeholder")
        return self.wanted.placeholder and self.current is not None and not is_placeholder

    @property
    def before(self) -> dict[str, t.Any] | None:
        if self.version is None:
            return None
        keys = ("version", "serial_number", "not_before", "not_after", "names", "placeholder")
        return {key: self.version.record.get(key) for key in keys}


def deploy(parameters: t.Mapping[str, t.Any], host: Host, check_mode: bool = False) -> dict[str, t.Any]:
    """Put a certificate into service, or find that it is.

    Arguments:
        parameters: the options of the module ``certificate_deploy``.
        host: the target.
        check_mode: rehearse and report only.

    Returns:
        The result of the module, ``diff`` included.

    Raises:
        DeploymentError: it was refused or it failed; ``details`` are further fields of the module's failure.
    """
    path = absolute_path(parameters["path"], "path")
    report: dict[str, t.Any] = {"path": path, "rolled_back": False, "recovered": False}
    try:
        return _deploy(parameters, host, check_mode, path, report)
    except DeploymentError as exc:
        exc.details = dict(report, **exc.details)
        raise


def _deploy(
    parameters: t.Mapping[str, t.Any], host: Host, check_mode: bool, path: str, report: dict[str, t.Any]
) -> dict[str, t.Any]:
    for option in ("private_key_path", "ca_path"):
        if parameters[option] is not None:
            absolute_path(parameters[option], option)
    wanted = read_wanted(
        certificate=parameters["certificate"],
        chain=parameters["chain"],
        private_key=parameters["private_key"],
        private_key_path=parameters["private_key_path"],
        names=parameters["names"],
        files=parameters["files"],
        placeholder=parameters["placeholder"],
        now=_now(),
    )
    _refuse_own_key(parameters["private_key_path"], path, wanted)
    settings = Settings(
        path=path,
        trust="ca_path" if parameters["ca_path"] else parameters["trust"],
        ca_path=parameters["ca_path"],
        validate_commands=read_commands(parameters["validate_commands"], "validate_commands"),
        reload_commands=read_commands(parameters["reload_commands"], "reload_commands"),
        probes=read_probes(parameters["probes"], parameters["probe_timeout"], wanted),
        probe_timeout=parameters["probe_timeout"],
        keep_versions=parameters["keep_versions"],
        allow_older=parameters["allow_older"],
    )
    return _Deployment(settings, wanted, host, report).run(check_mode)


def _refuse_own_key(key_path: str | None, path: str, wanted: Wanted) -> None:
    """A key file that lies in the lineage is removed with its version; only ``current`` leads to the next one."""
    if key_path is None or not os.path.realpath(key_path).startswith(os.path.realpath(path) + os.sep):
        return
    folder, name = os.path.split(os.path.abspath(key_path))
    if os.path.basename(folder) != CURRENT or name not in wanted.files():
        raise InvalidKey(
            f"The private key {key_path} lies in the lineage itself, and would be removed with its version; give a file "
            "elsewhere, or one below 'current' that 'files' names"
        )


def _now() -> datetime:
    return datetime.now(timezone.utc)


class _Deployment:
    """One run of the transaction on one lineage.

    Arguments:
        settings: how to deploy.
        wanted: what shall be in service.
        host: the target.
        report: what the result says, also when the run fails; filled in on the way.
    """

    def __init__(self, settings: Settings, wanted: Wanted, host: Host, report: dict[str, t.Any]) -> None:
        self._settings = settings
        self._asked = wanted
        self._host = host
        self._lineage = Lineage(settings.path)
        self._lock = Lock(self._lineage, LOCK_WAIT)
        self._outcomes: list[Outcome] = []
        self._shared: dict[str, os.stat_result] = {}  # directories that all versions share, as they were
        self._report = report
        self._recovers = False  # whether there is something to finish or undo

    def run(self, check_mode: bool) -> dict[str, t.Any]:
        """See deploy()."""
        try:
            locked = self._lineage.exists() and self._lock.acquire()
            plan = self._plan(locked)
            if plan.reasons or plan.recovers:
                if check_mode:
                    self._foresee(plan)
                else:
                    plan = self._deploy(plan, locked)
            return self._result(plan)
        except OSError as exc:
            raise _write_failed(exc) from exc
        finally:
            self._report["probes"] = [outcome.as_result() for outcome in self._outcomes]
            self._lock.release()

    # -- deciding -----------------------------------------------------------------------------------------------------

    def _plan(self, locked: bool) -> _Plan:
        """Look at the lineage, name the reasons, and rehearse if there are any. Writes nothing.

        Without the lock there was no lineage: whatever appears meanwhile belongs to another run that is at work.
        """
        lineage = self._lineage
        exists = locked and lineage.exists()
        current = lineage.current() if exists else None
        version = lineage.read_version(current) if current else None
        journal = lineage.journal() if exists else None
        interrupted = exists and (journal is not None or bool(lineage.residue()))
        plan = _Plan(current, version, journal, interrupted, (), self._fitting(version))
        self._report["previous"] = plan.before
        if plan.keeps_real:
            return replace(plan, recovers=False)
        self._recovers = plan.recovers
        plan = self._with_reasons(plan)
        self._report["reasons"] = list(plan.reasons)
        if CERTIFICATE_DIFFERS in plan.reasons:
            self._refuse_older(plan)
        return self._rehearsed(plan) if plan.reasons else plan

    def _fitting(self, version: Version | None) -> Wanted:
        """What is wanted, with the placeholder that is deployed already if it will do."""
        wanted = self._asked
        if not wanted.placeholder or version is None or not version.record.get("placeholder"):
            return wanted
        leaf = self._leaf(version.name)
        if leaf is None or set(leaf.names) != set(wanted.names) or leaf.not_after <= _now():
            return wanted
        return wanted.with_certificate(leaf)

    def _leaf(self, version: str | None) -> Certificate | None:
        """The leaf of a version; None when no file has it."""
        for kind in ("cert", "fullchain", "combined"):
            content = self._lineage.read_file(version, FILE_NAMES[kind]) if version else None
            try:
                found = read_certificates((content or b"").decode("ascii", "replace"))
            except Malformed:
                continue
            if found:
                return found[0]
        return None

    def _with_reasons(self, plan: _Plan) -> _Plan:
        survey = self._survey(plan.current, plan.version, plan.wanted, plan.unproven)
        found = reasons(survey)
        if not found and self._settings.probes:
            leaf = plan.wanted.certificate or self._leaf(plan.current)
            self._outcomes = self._probe(leaf, (), 0) if leaf else []
            found = reasons(replace(survey, served=all(outcome.served for outcome in self._outcomes)))
        return replace(plan, reasons=found)

    def _survey(self, current: str | None, version: Version | None, wanted: Wanted, unproven: bool) -> Survey:
        if version is None:  # with a current version all the same, its record is damaged: nothing in it counts
            return Survey(wanted.facts(), _NO_FACTS if current else None, unproven=unproven)
        folder = self._lineage.version_path(version.name)
        attributes_differ = any(
            self._host.differs(path, kind)
            for path, kind in self._attributed(folder, version.on_disk)
            if os.path.lexists(path)
        )
        return Survey(wanted.facts(), recorded_facts(version.record), version.on_disk, attributes_differ, unproven)

    def _attributed(self, folder: str, file_names: t.Iterable[str]) -> list[tuple[str, str]]:
        """What owner, group and modes apply to: the files of a version, then the directories that lead to them."""
        found = [(os.path.join(folder, name), KEY if name in KEY_FILES else FILE) for name in file_names]
        found.append((os.path.join(folder, RECORD), FILE))
        return found + [(path, DIRECTORY) for path in (folder, self._lineage.versions_path, self._lineage.path)]

    def _refuse_older(self, plan: _Plan) -> None:
        leaf = plan.wanted.certificate
        if leaf is None or plan.current is None or self._settings.allow_older:
            return
        record = plan.version.record if plan.version else self._made_up_record(plan.current)
        deployed = record.get("not_before")
        if deployed and not record.get("placeholder") and iso_time(leaf.not_before) < str(deployed):
            raise OlderThanDeployed(
                "The certificate with serial {0}, valid from {1}, is older than the deployed one with serial {2}, "
                "valid from {3}; set 'allow_older' to go back on purpose".format(
                    leaf.serial_number,
                    iso_time(leaf.not_before),
                    record.get("serial_number"),
                    deployed,
                )
            )

    def _made_up_record(self, version: str) -> dict[str, t.Any]:
        """What the damaged record of a version would say of its leaf."""
        leaf = self._leaf(version)
        return dict(describe(leaf), placeholder=leaf is not None and leaf.self_issued)

    def _rehearsed(self, plan: _Plan) -> _Plan:
        from .rehearsal import CHAIN_ONLY, rehearse

        wanted, trust = plan.wanted, self._settings.trust
        if wanted.placeholder:
            trust = CHAIN_ONLY
            if wanted.certificate is None or plan.switches:
                from .placeholder import make_placeholder

                wanted = wanted.with_certificate(make_placeholder(self._host, wanted.names, wanted.key))
        ca_path, source = self._settings.ca_path, wanted.key_source
        anchors = rehearse(wanted.leaf, wanted.chain, wanted.key, wanted.names, trust, ca_path, source)
        return replace(plan, wanted=wanted, anchors=anchors)

    def _foresee(self, plan: _Plan) -> None:
        """Fail in check mode where acting would fail before it has changed anything for good."""
        # Before a first deployment, a task that installs the service may have been left out as well.
        if plan.current is not None:
            self._find_programs(plan)
        if plan.switches or plan.recovers:
            self._lineage.require_writable()
        self._report["recovered"] = plan.recovers

    # -- acting -------------------------------------------------------------------------------------------------------

    def _deploy(self, plan: _Plan, locked: bool) -> _Plan:
        """Carry the plan out; returns the one that was carried out."""
        made: list[str] = []
        try:
            if not locked:
                while not self._lock.acquire():  # a failed first deployment beside this one removes its directory
                    made = self._lineage.create()
                plan = self._plan(True)  # another run may have been here before the lock
            self._find_programs(plan)
            self._recover(plan)
            if plan.switches:
                self._put_into_service(plan)
            elif plan.reasons:
                self._prove_current(plan)
            return plan
        except (DeploymentError, OSError):
            self._lineage.remove_empty(made)
            raise

    def _recover(self, plan: _Plan) -> None:
        """Remove what an interrupted run left; what it switched to stays, to be proven or replaced."""
        if not plan.recovers:
            return
        lineage, journal = self._lineage, plan.journal
        lineage.clean()
        if journal and journal.state == COMMITTING:
            lineage.prune(self._settings.keep_versions)
        elif journal and journal.next and journal.next != plan.current:
            lineage.discard(journal.next)
        if not plan.unproven:
            self._settle()

    def _settle(self) -> None:
        """Say that nothing is under way any more, neither of this run nor of one that was interrupted."""
        self._lineage.remove_journal()
        self._report["recovered"] = self._recovers

    def _previous(self, plan: _Plan) -> str | None:
        """The version to go back to: the last one that was proven."""
        name = plan.journal.previous if plan.unproven and plan.journal else plan.current
        return name if name in self._lineage.version_names() else None

    def _put_into_service(self, plan: _Plan) -> None:
        lineage = self._lineage
        previous = self._previous(plan)
        if plan.current and not plan.unproven:
            self._run(self._settings.validate_commands, ValidateFailed, "before the switch, nothing was changed")
        lineage.make_versions()
        name = lineage.next_name(plan.wanted.leaf.serial_number)
        before = self._served_before(previous)
        try:
            lineage.write_journal(Journal(SWITCHING if plan.unproven else STAGING, previous, name))
            self._stage(plan, name)
            lineage.prepare_rollback(previous)
            lineage.write_journal(Journal(SWITCHING, previous, name))
            lineage.switch(name)
            self._prove(replace(plan, current=name))
        except (DeploymentError, OSError) as exc:
            error = exc if isinstance(exc, DeploymentError) else _write_failed(exc)
            if lineage.current() == name:
                self._roll_back(error, name, previous, before)
            else:
                self._abandon(error, name, plan.journal if plan.unproven else None)
            raise error from exc
        self._commit(previous, name)

    def _prove_current(self, plan: _Plan) -> None:
        """The files are as wanted, the service is not known to use them."""
        previous, current = self._previous(plan), plan.current
        goes_back = plan.unproven and previous != current and current is not None
        if goes_back:
            self._lineage.prepare_rollback(previous)
        try:
            self._prove(plan)
        except (DeploymentError, OSError) as exc:
            error = exc if isinstance(exc, DeploymentError) else _write_failed(exc)
            if goes_back:
                self._roll_back(error, str(current), previous, {})
            raise error from exc
        if plan.unproven:
            self._commit(previous, str(current))

    def _stage(self, plan: _Plan, name: str) -> None:
        lineage, files = self._lineage, plan.wanted.files()
        like = lineage.version_path(plan.current) if plan.current else None

        def finish(staging: str) -> None:
            for path, kind in self._attributed(staging, files):
                relative = os.path.relpath(path, staging)
                if relative.startswith(os.pardir):  # a directory that all versions share
                    self._shared[path] = os.stat(path)
                    self._host.apply(path, kind, path, path)
                    continue
                final = os.path.normpath(os.path.join(lineage.version_path(name), relative))
                kept = os.path.normpath(os.path.join(like, relative)) if like else None
                self._host.apply(path, kind, final, kept)

        lineage.stage(name, files, plan.wanted.record(), finish)

    def _prove(self, plan: _Plan) -> None:
        """Prove the files, the service's configuration, and what the service serves."""
        version = self._lineage.read_version(plan.current) if plan.current else None
        left = reasons(self._survey(plan.current, version, plan.wanted, False))
        if left:
            raise WriteFailed("After the switch the lineage is still not as wanted: {0}".format(", ".join(left)))
        self._run(self._settings.validate_commands, ValidateFailed, "with the new files")
        self._run(self._settings.reload_commands, ReloadFailed, "with the new files")
        if self._settings.probes:
            self._outcomes = self._probe(plan.wanted.leaf, plan.anchors, self._settings.probe_timeout)
            _require_served(self._outcomes, plan.wanted.leaf, self._settings.probe_timeout)

    def _commit(self, previous: str | None, name: str) -> None:
        lineage = self._lineage
        try:
            lineage.write_journal(Journal(COMMITTING, previous, name))
            lineage.clean()
            lineage.prune(self._settings.keep_versions)
            self._settle()
        except OSError as exc:
            raise WriteFailed(
                f"The new certificate is in service, but old versions could not be removed ({_problem(exc)}); the next run will do "
                "that",
                changed=True,
            ) from exc

    # -- going back ---------------------------------------------------------------------------------------------------

    def _abandon(self, error: DeploymentError, name: str, journal: Journal | None) -> None:
        """Undo what was written before the switch."""
        try:
            self._restore_shared()
            self._lineage.clean()
            self._lineage.discard(name)
            if journal:
                self._lineage.write_journal(journal)
            else:
                self._lineage.remove_journal()
        except OSError as exc:
            error.message += f". What was written could not be removed ({_problem(exc)}); the next run will do that"
        else:
            error.message += ". Nothing was switched"

    def _roll_back(
        self, error: DeploymentError, name: str, previous: str | None, before: t.Mapping[Target, bool]
    ) -> None:
        """Put the previous version back into service, and prove it; the service is left alone where there was none.

        Raises:
            RollbackFailed: that failed, too.
        """
        lineage = self._lineage
        try:
            lineage.switch_back()
            self._restore_shared()
            if previous:
                self._run(self._settings.reload_commands, ReloadFailed, "with the previous files")
                self._prove_previous(previous, before)
            lineage.clean()
            lineage.discard(name)
            self._settle()
        except (DeploymentError, OSError) as exc:
            problem = exc.message if isinstance(exc, DeploymentError) else _problem(exc)
            failure = RollbackFailed(
                "{0}. Going back to {1} failed, too: {2}".format(error.message, previous or "no certificate", problem),
                **error.details,
            )
            failure.details["cause"] = {"error_kind": error.kind, "msg": error.message}
            raise failure from error
        error.details["rolled_back"] = True
        error.message += (
            f". Rolled back to version {previous}"
            if previous
            else ". Rolled back: there was no previous version, 'current' was removed and the service left alone"
        )

    def _prove_previous(self, previous: str, before: t.Mapping[Target, bool]) -> None:
        """Every service that served the previous certificate before has to serve it again."""
        leaf = self._leaf(previous)
        if leaf is None or not self._settings.probes:
            return
        outcomes = self._probe(leaf, (), self._settings.probe_timeout, lambda target: before.get(target, True))
        _require_served(outcomes, leaf, self._settings.probe_timeout)

    def _restore_shared(self) -> None:
        for path, was in self._shared.items():
            now = os.stat(path)
            if (now.st_uid, now.st_gid) != (was.st_uid, was.st_gid):
                os.chown(path, was.st_uid, was.st_gid)
            if now.st_mode != was.st_mode:
                os.chmod(path, stat.S_IMODE(was.st_mode))

    # -- the service --------------------------------------------------------------------------------------------------

    def _find_programs(self, plan: _Plan) -> None:
        """A command that is misspelt would be found out after the switch, and could not undo anything either."""
        if not plan.reasons:
            return
        asked = ((self._settings.validate_commands, ValidateFailed), (self._settings.reload_commands, ReloadFailed))
        for commands, error in asked:
            for command in commands:
                if not self._host.finds(command[0]):
                    raise error(
                        "The command {0!r} cannot be run: there is no program '{1}'. Nothing was changed".format(
                            " ".join(command), command[0]
                        ),
                        command=list(command),
                    )

    def _run(self, commands: t.Sequence[Command], error: type[DeploymentError], when: str) -> None:
        for command in commands:
            try:
                code, output, problem = self._host.run(command)
            except TimeoutError as exc:
                raise error(
                    "The command {0!r} did not end within 'command_timeout' and was ended ({1})".format(
                        " ".join(command), when
                    ),
                    command=list(command),
                ) from exc
            except OSError as exc:
                raise error(
                    "The command {0!r} cannot be run ({1}): {2}".format(" ".join(command), when, exc.strerror),
                    command=list(command),
                ) from exc
            if code:
                said = self._without_key(problem.strip() or output.strip())
                raise error(
                    "The command {0!r} failed with code {1} ({2}): {3}".format(
                        " ".join(command), code, when, said[-_LONGEST_OUTPUT:] or "it said nothing"
                    ),
                    command=list(command),
                    rc=code,
                )

    def _without_key(self, said: str) -> str:
        """What a command said, without private keys, also where it shows lines from the middle of the new one."""
        said = _PRIVATE_KEY.sub(_HIDDEN_KEY, said)
        for line in self._asked.key.decode("ascii", "replace").splitlines():
            if len(line) >= _SECRET_LINE:
                said = said.replace(line, _HIDDEN_KEY)
        return said

    def _probe(
        self,
        leaf: Certificate,
        anchors: t.Sequence[bytes],
        timeout: float,
        chosen: t.Callable[[Target], bool] = lambda target: True,
    ) -> list[Outcome]:
        from .probe import probe

        return [probe(target, leaf.der, anchors, timeout) for target in self._targets() if chosen(target)]

    def _targets(self) -> list[Target]:
        from .probe import Target

        return [
            Target(item["host"], item["port"], item["server_name"], item.get("starttls"))
            for item in self._settings.probes
        ]

    def _served_before(self, previous: str | None) -> dict[Target, bool]:
        """Which services serve the previous certificate before the switch."""
        leaf = self._leaf(previous)
        if leaf is None or not self._settings.probes:
            return {}
        return {outcome.target: outcome.served for outcome in self._probe(leaf, (), 0)}

    # -- reporting ----------------------------------------------------------------------------------------------------

    def _result(self, plan: _Plan) -> dict[str, t.Any]:
        if plan.keeps_real:
            after = dict(describe(self._leaf(plan.current)), placeholder=False)
        else:
            after = dict(describe(plan.wanted.certificate), placeholder=plan.wanted.placeholder)
        changed = bool(plan.reasons) or plan.recovers
        result = dict(self._report, **after)
        result.update(
            changed=changed,
            reasons=list(plan.reasons),
            current=self._lineage.current_path,
            probes=[outcome.as_result() for outcome in self._outcomes],
            diff={
                "before": _for_diff(plan.before),
                "after": dict(_for_diff(after), reasons=list(plan.reasons)) if changed else _for_diff(plan.before),
            },
        )
        return result


def _for_diff(facts: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    keys = ("serial_number", "not_before", "not_after", "names", "placeholder")
    return {key: facts[key] for key in keys} if facts else {}


def _require_served(outcomes: t.Sequence[Outcome], leaf: Certificate, timeout: float) -> None:
    problems = [f"{outcome.target}: {outcome.problem}" for outcome in outcomes if not outcome.served]
    if problems:
        raise ProbeFailed(
            "After {0:g} s the certificate with serial {1} is not served. {2}".format(
                timeout, leaf.serial_number, "; ".join(problems)
            )
        )


def _problem(exc: OSError) -> str:
    return f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc.strerror or exc)


def _write_failed(exc: OSError) -> WriteFailed:
    return WriteFailed(f"Writing or reading on the target failed: {_problem(exc)}")
