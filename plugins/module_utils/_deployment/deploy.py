# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module certificate_deploy from its options to its result: lock, plan, carry out.

``plan.py`` decides, ``apply.py`` stages, switches, commits and rolls back, ``service.py`` runs commands and probes.
Nothing is written before the rehearsal has passed. What only a change needs (TLS, sockets) is imported when a change
is due.
"""

from __future__ import annotations

import os
import sys
import typing as t
from dataclasses import dataclass
from datetime import datetime, timezone

from .._common.names import iso_time
from .._common.text import clean_data, clean_line, clean_text
from .apply import Transaction
from .desired_state import (
    DesiredState,
    Source,
    absolute_path,
    describe,
    read_commands,
    read_desired_state,
    read_probes,
)
from .drift import CERTIFICATE_DIFFERS, CHAIN_DIFFERS, KEY_DIFFERS
from .errors import DeploymentError, InvalidKey, InvalidRequest, MissingLibrary, write_failed
from .host import Host
from .info import read_leaf
from .lineage import CURRENT, PENDING, Lineage
from .lock import Lock
from .plan import Plan, Planner, PlanOptions
from .service import Service, ServiceOptions

_SHOWN_IN_DIFF = ("serial_number", "not_before", "not_after", "names", "placeholder")


@dataclass(frozen=True)
class Settings:
    """How to deploy; the options of the module that do not say what shall be in service.

    Arguments:
        path: the lineage directory.
        plan: what is allowed.
        service: how to validate, reload and probe.
        keep_versions: versions to keep, the current one included.
        lock_timeout: seconds to wait for another run.
        remove_request: whether the certificate request is removed whose key is in service afterwards.
    """

    path: str
    plan: PlanOptions
    service: ServiceOptions
    keep_versions: int
    lock_timeout: float
    remove_request: bool


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
        settings, requested = _read_options(parameters, path, check_mode)
        try:
            result = _Deployment(settings, requested, host, report).run(check_mode)
        except ModuleNotFoundError as exc:
            raise MissingLibrary(
                f"The Python of this target, {sys.executable}, has no module '{exc.name}', which verifying needs; "
                "install it, or name another Python with 'ansible_python_interpreter'"
            ) from exc
        return dict(result, probes=clean_data(result["probes"]))
    except DeploymentError as exc:  # its texts may be those of commands, services and certificates
        exc.message = clean_text(exc.message)
        exc.details = clean_data(dict(report, **exc.details))
        raise


def _read_options(parameters: t.Mapping[str, t.Any], path: str, check_mode: bool) -> tuple[Settings, DesiredState]:
    for option in ("certificate_path", "chain_path", "private_key_path", "ca_path"):
        if parameters[option] is not None:
            absolute_path(parameters[option], option)
    requested = read_desired_state(
        certificate=Source("certificate", parameters["certificate"], parameters["certificate_path"]),
        chain=Source("chain", parameters["chain"], parameters["chain_path"]),
        private_key=parameters["private_key"],
        private_key_path=parameters["private_key_path"],
        names=parameters["names"],
        files=parameters["files"],
        placeholder=parameters["placeholder"],
        now=datetime.now(timezone.utc),
        check_mode=check_mode,
        key_format=parameters["key_format"],
        pkcs12_password=parameters["pkcs12_password"],
    )
    lock_timeout = parameters["lock_timeout"]
    if not 0 <= lock_timeout < float("inf"):
        raise InvalidRequest(f"'lock_timeout' is {lock_timeout}, and has to be a number of seconds")
    _refuse_own_key(parameters["private_key_path"], path, requested)
    for option in ("certificate_path", "chain_path"):
        if parameters[option] and _vanishes(parameters[option], path, requested):
            raise InvalidRequest(
                f"'{option}' {parameters[option]} lies in the lineage itself, and would be removed with its version; "
                "give a file elsewhere, or one below 'current' that 'files' names"
            )
    settings = Settings(
        path=path,
        plan=PlanOptions(
            trust="ca_path" if parameters["ca_path"] else parameters["trust"],
            ca_path=parameters["ca_path"],
            allow_older=parameters["allow_older"],
            check_mode=check_mode,
        ),
        service=ServiceOptions(
            validate_commands=read_commands(parameters["validate_commands"], "validate_commands"),
            reload_commands=read_commands(parameters["reload_commands"], "reload_commands"),
            probes=read_probes(parameters["probes"], parameters["probe_timeout"], requested),
            probe_timeout=parameters["probe_timeout"],
        ),
        keep_versions=parameters["keep_versions"],
        lock_timeout=lock_timeout,
        remove_request=parameters["remove_request"],
    )
    if settings.remove_request and not _is_pending(parameters["private_key_path"], path):
        raise InvalidRequest(
            f"'remove_request' is for a key that a certificate request holds; give {os.path.join(path, PENDING)}"
            "/privkey.pem as 'private_key_path', or leave 'remove_request' out"
        )
    return settings, requested


def _is_pending(key_path: str | None, path: str) -> bool:
    """Whether a key file is that of the certificate request of this lineage."""
    pending = os.path.join(os.path.realpath(path), PENDING, "")
    return key_path is not None and os.path.realpath(key_path).startswith(pending)


def _refuse_own_key(key_path: str | None, path: str, requested: DesiredState) -> None:
    """A key file that lies in the lineage is removed with its version; only ``current`` leads to the next one."""
    if key_path is not None and not _is_pending(key_path, path) and _vanishes(key_path, path, requested):
        raise InvalidKey(
            f"The private key {key_path} lies in the lineage itself, and would be removed with its version; give a "
            "file elsewhere, or one below 'current' that 'files' names, or one below 'pending'"
        )


def _vanishes(file_path: str, path: str, requested: DesiredState) -> bool:
    """Whether a file lies in the lineage, and not below the link that leads to the same file of each version."""
    if not os.path.realpath(file_path).startswith(os.path.realpath(path) + os.sep):
        return False
    folder, name = os.path.split(os.path.abspath(file_path))
    return os.path.basename(folder) != CURRENT or name not in requested.files()


class _Deployment:
    """One run on one lineage.

    Arguments:
        settings: how to deploy.
        requested: what shall be in service.
        host: the target.
        report: what the module returns, also when the run fails; filled in on the way.
    """

    def __init__(self, settings: Settings, requested: DesiredState, host: Host, report: dict[str, t.Any]) -> None:
        self._keep_versions = settings.keep_versions
        self._remove_request = settings.remove_request
        self._host = host
        self._report = report
        self._lineage = Lineage(settings.path)
        self._lock = Lock(self._lineage, settings.lock_timeout)
        self._service = Service(settings.service, host, requested.key)
        self._planner = Planner(settings.plan, requested, self._lineage, host, self._service, report)

    def run(self, check_mode: bool) -> dict[str, t.Any]:
        """See deploy()."""
        try:
            # Where there is no file to lock yet, none is made before there is something to do.
            locked = self._lineage.exists() and self._lock.acquire(create=False)
            self._lineage.require_safe_surroundings(self._host.warn)
            plan = self._planner.plan()
            self._warn(plan)
            if plan.reasons or plan.recovers:
                if check_mode:
                    self._planner.check_mode_checks(plan)
                else:
                    plan = self._carry_out(plan, locked)
                    locked = True
            if self._remove_request and not check_mode:
                self._remove_answered_request(locked)
            return self._result(plan)
        except OSError as exc:
            raise write_failed(exc) from exc
        finally:
            self._report["probes"] = [result.as_result() for result in self._service.results]
            self._lock.release()
            self._lineage.close()

    def _warn(self, plan: Plan) -> None:
        """Name what will not stop the deployment, and may stop the service's clients."""
        leaf, now = plan.desired.certificate, datetime.now(timezone.utc)
        for issuer in plan.desired.chain if leaf and not plan.keeps_existing else ():
            if issuer.not_after <= now:
                when = "has ended"
            elif leaf and issuer.not_after < leaf.not_after:
                when = f"ends before the certificate itself ({iso_time(leaf.not_after)})"
            else:
                continue
            self._host.warn(
                clean_line(
                    f"The certificate of '{issuer.subject}' in the chain {when}: it is valid until "
                    f"{iso_time(issuer.not_after)}. Clients that need it will refuse the certificate from then on; ask "
                    "the authority for its current chain"
                )
            )
        renews = {CERTIFICATE_DIFFERS, CHAIN_DIFFERS, KEY_DIFFERS} & set(plan.reasons)  # a first one serves nobody yet
        if renews and not (plan.desired.placeholder or self._service.is_known):
            self._host.warn(
                "The files change, and neither 'reload_commands' nor 'probes' say which service uses them: one that is "
                "running serves the old certificate until it is reloaded"
            )

    def _carry_out(self, plan: Plan, locked: bool) -> Plan:
        """Carry the plan out; returns the one that was carried out."""
        try:
            if self._lock_it(locked):
                plan = self._planner.confirm(plan)
            if plan.reasons:
                self._service.require_programs()
            Transaction(plan, self._lineage, self._host, self._service, self._keep_versions, self._report).run()
            return plan
        except (DeploymentError, OSError):
            self._lineage.remove_created()
            raise

    def _lock_it(self, locked: bool) -> bool:
        """Hold the lock; make the lineage where it is missing. Returns whether another run may have come between."""
        if not self._lineage.take_back() and locked:
            return False
        self._lock.release()  # what could be replaced may have been
        while not self._lock.acquire(create=True):  # there is no directory, or another run has removed its own
            self._lineage.create()
            self._lineage.take_back()
        return True

    def _remove_answered_request(self, locked: bool) -> None:
        """Remove the certificate request whose key is in service now."""
        from .pending import PendingFolder  # few runs have one

        folder = PendingFolder(self._lineage, self._host)
        self._lock_it(locked)
        folder.remove()

    def _result(self, plan: Plan) -> dict[str, t.Any]:
        if plan.keeps_existing:
            after = dict(describe(read_leaf(self._lineage, plan.current)), placeholder=False)
        else:
            after = dict(describe(plan.desired.certificate), placeholder=plan.desired.placeholder)
        changed = bool(plan.reasons) or plan.recovers or self._remove_request
        result = dict(self._report, **after)
        result.update(
            changed=changed,
            reasons=list(plan.reasons),
            current=self._lineage.current_path,
            probes=[found.as_result() for found in self._service.results],
            diff={
                "before": _for_diff(plan.before),
                "after": dict(_for_diff(after), reasons=list(plan.reasons)) if changed else _for_diff(plan.before),
            },
        )
        return result


def _for_diff(facts: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    return {key: facts[key] for key in _SHOWN_IN_DIFF} if facts else {}
