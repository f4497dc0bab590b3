# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries a plan out as one transaction: recover, stage, switch, verify; then commit or roll back.

The journal says how far a run got, so that the next one finishes or undoes what a crash left.
"""

from __future__ import annotations

import errno
import os
import stat
import typing as t
from contextlib import nullcontext
from dataclasses import replace

from .directory import Directory
from .drift import reasons
from .errors import DeploymentError, RollbackFailed, WriteFailed, describe_os_error, write_failed
from .host import DIRECTORY, Host
from .info import read_leaf
from .lineage import Lineage
from .plan import Plan, kind_of, observe
from .records import COMMITTING, STAGING, SWITCHING, Journal
from .service import Service

if t.TYPE_CHECKING:
    from .probe import Endpoint


#: Why something cannot be removed however often it is tried: immutable, in use, of an image's layer, too deep.
_LASTING = frozenset((errno.EPERM, errno.EACCES, errno.EBUSY, errno.EXDEV, errno.ENAMETOOLONG))


class Transaction:
    """One plan, carried out. The caller holds the lock.

    Arguments:
        plan: what to do.
        lineage: where.
        host: the target.
        service: what uses the certificate.
        keep_versions: versions to keep, the current one included.
        report: what the module returns, also when the run fails; filled in on the way.
    """

    def __init__(
        self,
        plan: Plan,
        lineage: Lineage,
        host: Host,
        service: Service,
        keep_versions: int,
        report: dict[str, t.Any],
    ) -> None:
        self._plan = plan
        self._lineage = lineage
        self._host = host
        self._service = service
        self._keep_versions = keep_versions
        self._report = report
        #: The directories that all versions share, as they were.
        self._shared: list[tuple[Directory, os.stat_result]] = []

    def run(self) -> None:
        """Carry the plan out.

        Raises:
            DeploymentError: it failed; ``details`` say whether it was rolled back.
            OSError: it failed before anything was staged.
        """
        self._recover()
        if self._plan.switches:
            self._put_into_service()
        elif self._plan.reasons:
            self._verify_current()

    def _recover(self) -> None:
        """Remove what an interrupted run left; what it switched to stays, to be verified or replaced."""
        plan, lineage, journal = self._plan, self._lineage, self._plan.journal
        if not plan.recovers:
            return
        problems = lineage.clean()
        if journal and journal.state == COMMITTING:
            problems += lineage.prune(self._keep_versions)
        elif journal and journal.next and journal.next != plan.current:
            problems += lineage.discard(journal.next)
        self._warn_of_remains(problems)
        if not plan.unverified:
            self._clear_journal()

    def _clear_journal(self) -> None:
        """Nothing is under way any more, neither of this run nor of one that was interrupted."""
        self._lineage.remove_journal()
        self._report["recovered"] = self._plan.recovers

    def _warn_of_remains(self, problems: t.Sequence[OSError]) -> bool:
        """Name what could not be removed; returns whether another run should try again at once."""
        for exc in problems:
            self._host.warn(
                f"What is left of another version in {self._lineage.path} could not be removed "
                f"({describe_os_error(exc)}); it may hold a private key. It is in nobody's way, and later deployments "
                "try again"
            )
        return any(exc.errno not in _LASTING for exc in problems)

    def _previous(self) -> str | None:
        """The version to go back to: the last one that was verified."""
        plan = self._plan
        name = plan.journal.previous if plan.unverified and plan.journal else plan.current
        return name if name in self._lineage.version_names() else None

    # -- stage, switch, verify ----------------------------------------------------------------------------------------

    def _put_into_service(self) -> None:
        plan, lineage = self._plan, self._lineage
        previous = self._previous()
        if plan.current and not (plan.unverified or plan.damaged):
            self._service.validate("before the switch, nothing was changed")
        lineage.make_versions()
        name = lineage.next_name(plan.desired.leaf.serial_number)
        leaf = read_leaf(lineage, previous)
        before = self._service.endpoints_serving(leaf) if leaf and self._service.has_probes else {}
        try:
            lineage.write_journal(Journal(SWITCHING if plan.unverified else STAGING, previous, name))
            self._stage(name)
            lineage.prepare_rollback(previous)
            lineage.write_journal(Journal(SWITCHING, previous, name))
            lineage.switch(name)
            self._verify(name)
        except (DeploymentError, OSError) as exc:
            error = exc if isinstance(exc, DeploymentError) else write_failed(exc)
            if lineage.current() == name:
                self._roll_back(error, name, previous, before)
            else:
                self._discard_staged(error, name)
            raise error from exc
        self._commit(previous, name)

    def _verify_current(self) -> None:
        """The files are as desired; the service is not known to use them."""
        plan = self._plan
        previous, current = self._previous(), plan.current
        can_roll_back = plan.unverified and previous != current and current is not None
        if can_roll_back:
            self._lineage.prepare_rollback(previous)
        try:
            self._verify(current)
        except (DeploymentError, OSError) as exc:
            error = exc if isinstance(exc, DeploymentError) else write_failed(exc)
            if can_roll_back:
                self._roll_back(error, str(current), previous, {})
            raise error from exc
        if plan.unverified:
            self._commit(previous, str(current))

    def _stage(self, name: str) -> None:
        plan, lineage, host = self._plan, self._lineage, self._host
        with lineage.open_version(plan.current) as like:

            def finish(descriptor: int, file_name: str | None) -> None:
                path = os.path.join(lineage.version_path(name), file_name or "")
                folder = like.descriptor if like else None
                with like.open_file(file_name) if like and file_name else nullcontext(folder) as kept:
                    host.apply(descriptor, kind_of(file_name), path, kept)

            lineage.stage(name, plan.desired.files(), plan.desired.record(), finish)
        for folder in lineage.shared_folders():
            self._shared.append((folder, os.fstat(folder.descriptor)))
            host.apply(folder.descriptor, DIRECTORY, folder.path, folder.descriptor)

    def _verify(self, name: str | None) -> None:
        """Verify the files, the service's configuration, and what the service serves."""
        version = self._lineage.read_version(name) if name else None
        left = reasons(observe(self._lineage, self._host, replace(self._plan, current=name, version=version), False))
        if left:
            raise WriteFailed(f"After the switch the lineage is still not as requested: {', '.join(left)}")
        self._service.validate("with the new files")
        self._service.reload("with the new files")
        if self._service.has_probes:
            self._service.require_served(self._plan.desired.leaf, self._plan.anchors)

    # -- commit -------------------------------------------------------------------------------------------------------

    def _commit(self, previous: str | None, name: str) -> None:
        lineage = self._lineage
        try:
            lineage.write_journal(Journal(COMMITTING, previous, name))
            if not self._warn_of_remains(lineage.clean() + lineage.prune(self._keep_versions)):
                self._clear_journal()
        except OSError as exc:
            raise WriteFailed(
                f"The new certificate is in service, but the journal could not be written ({describe_os_error(exc)}); "
                "the next run will finish this one",
                changed=True,
            ) from exc

    # -- roll back ----------------------------------------------------------------------------------------------------

    def _roll_back(
        self, error: DeploymentError, name: str, previous: str | None, before: t.Mapping[Endpoint, bool]
    ) -> None:
        """Put the previous version back into service and verify it; the service is left alone where there was none.

        Arguments:
            error: why; it is completed.
            name: the version to go back from.
            previous: the version to go back to.
            before: which endpoints served the previous certificate before the switch.

        Raises:
            RollbackFailed: that failed, too.
        """
        lineage = self._lineage
        try:
            lineage.switch_back()
            self._restore_shared()
            if previous:
                self._service.reload("with the previous files")
                leaf = read_leaf(lineage, previous)
                if leaf and self._service.has_probes:
                    self._service.require_served_again(leaf, before)
            if not self._warn_of_remains(lineage.clean() + lineage.discard(name)):
                self._clear_journal()
        except (DeploymentError, OSError) as exc:
            problem = exc.message if isinstance(exc, DeploymentError) else describe_os_error(exc)
            failure = RollbackFailed(
                f"{error.message}. Going back to {previous or 'no certificate'} failed, too: {problem}", **error.details
            )
            failure.details["cause"] = {"error_kind": error.kind, "msg": error.message}
            raise failure from error
        error.details["rolled_back"] = True
        error.message += (
            f". Rolled back to version {previous}"
            if previous
            else ". Rolled back: there was no previous version, 'current' was removed and the service left alone"
        )

    def _discard_staged(self, error: DeploymentError, name: str) -> None:
        """Undo what was written before the switch; completes the error."""
        lineage, plan = self._lineage, self._plan
        try:
            self._restore_shared()
            for problem in lineage.clean() + lineage.discard(name):
                raise problem
            if plan.unverified and plan.journal:
                lineage.write_journal(plan.journal)
            else:
                lineage.remove_journal()
        except OSError as exc:
            error.message += (
                f". What was written could not be removed ({describe_os_error(exc)}); the next run will do that"
            )
        else:
            error.message += ". Nothing was switched"

    def _restore_shared(self) -> None:
        for folder, was in self._shared:
            now = os.fstat(folder.descriptor)
            if (now.st_uid, now.st_gid) != (was.st_uid, was.st_gid):
                os.fchown(folder.descriptor, was.st_uid, was.st_gid)
            if now.st_mode != was.st_mode:
                os.fchmod(folder.descriptor, stat.S_IMODE(was.st_mode))
