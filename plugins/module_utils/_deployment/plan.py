# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment has to do, and whether it may: everything that is decided before anything is written."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from .._common.names import iso_time
from .desired_state import DesiredState, describe, recorded_hashes
from .drift import CERTIFICATE_DIFFERS, NOT_SERVED, ContentHashes, Observation, reasons
from .errors import OlderThanDeployed
from .host import DIRECTORY, FILE, KEY, RECORD_FILE, Host
from .info import read_leaf
from .lineage import Lineage
from .records import KEY_FILES, RECORD, SWITCHING, Journal, Version
from .service import Service

_NO_HASHES = ContentHashes("", "", "", {})


@dataclass(frozen=True)
class Plan:
    """What one look at the lineage led to.

    Arguments:
        current: name of the version that ``current`` names.
        version: that version; None when its record is damaged, too.
        journal: what an interrupted run left.
        recovers: whether an interrupted run left anything.
        reasons: why to deploy.
        desired: what shall be in service.
        anchors: what verifying probes trust, as DER.
    """

    current: str | None
    version: Version | None
    journal: Journal | None
    recovers: bool
    reasons: t.Sequence[str]
    desired: DesiredState
    anchors: tuple[bytes, ...] = ()

    @property
    def unverified(self) -> bool:
        """Whether a run was interrupted after its switch to the current version, before the service was verified."""
        return self.current is not None and self.journal is not None and self.journal.state == SWITCHING

    @property
    def damaged(self) -> bool:
        """Whether a file of the current version is missing or changed: a service cannot be expected to accept it."""
        if self.version is None:
            return self.current is not None
        return bool(self.version.on_disk != self.version.record["files"])

    @property
    def switches(self) -> bool:
        """Whether files have to change, not only the service."""
        return bool(set(self.reasons) - {NOT_SERVED})

    @property
    def keeps_existing(self) -> bool:
        """Whether a placeholder is requested where a real certificate is deployed, which it never replaces."""
        is_placeholder = self.version is not None and self.version.record.get("placeholder")
        return self.desired.placeholder and self.current is not None and not is_placeholder

    @property
    def before(self) -> dict[str, t.Any] | None:
        """The current version for the result; None when there is none."""
        if self.version is None:
            return None
        keys = ("version", "serial_number", "not_before", "not_after", "names", "placeholder")
        return {key: self.version.record.get(key) for key in keys}


@dataclass(frozen=True)
class PlanOptions:
    """What decides whether a certificate may be deployed.

    Arguments:
        trust: ``system``, ``ca_path`` or ``chain_only``.
        ca_path: CA certificates for ``ca_path``.
        allow_older: whether a certificate that was issued before the deployed one may replace it.
        check_mode: whether files may be missing that an earlier task may make.
    """

    trust: str
    ca_path: str | None
    allow_older: bool
    check_mode: bool = False


class Planner:
    """Decides what to do. Writes nothing.

    Arguments:
        options: what is allowed.
        requested: what shall be in service.
        lineage: where.
        host: the target.
        service: looks whether the certificate is served.
        report: what the module returns, also when the run fails; filled in on the way.
    """

    def __init__(
        self,
        options: PlanOptions,
        requested: DesiredState,
        lineage: Lineage,
        host: Host,
        service: Service,
        report: dict[str, t.Any],
    ) -> None:
        self._options = options
        self._requested = requested
        self._lineage = lineage
        self._host = host
        self._service = service
        self._report = report

    def plan(self) -> Plan:
        """Look at the lineage, name the reasons to deploy, and rehearse if there are any.

        Raises:
            DeploymentError: the certificate is refused.
        """
        plan = self._look()
        self._report["previous"] = plan.before
        if plan.keeps_existing:
            return replace(plan, recovers=False)
        plan = self._with_reasons(plan)
        self._report["reasons"] = list(plan.reasons)
        if CERTIFICATE_DIFFERS in plan.reasons:
            self._refuse_older(plan)
        return self._rehearse(plan) if plan.reasons else plan

    def confirm(self, plan: Plan) -> Plan:
        """The plan, once the lock is held; another one where another run has changed the lineage meanwhile."""
        now = self._look()
        if (now.current, now.version, now.journal, now.recovers) == (
            plan.current,
            plan.version,
            plan.journal,
            plan.recovers,
        ):
            return plan
        return self.plan()

    def _look(self) -> Plan:
        lineage = self._lineage
        current = lineage.current()
        version = lineage.read_version(current) if current else None
        journal = lineage.journal()
        interrupted = journal is not None or bool(lineage.residue())
        return Plan(current, version, journal, interrupted, (), self._reuse_placeholder(version))

    def _reuse_placeholder(self, version: Version | None) -> DesiredState:
        """What is requested, with the placeholder that is deployed already if it will do."""
        requested = self._requested
        if not requested.placeholder or version is None or not version.record.get("placeholder"):
            return requested
        leaf = read_leaf(self._lineage, version.name)
        if leaf is None or set(leaf.names) != set(requested.names) or leaf.not_after <= datetime.now(timezone.utc):
            return requested
        return requested.with_certificate(leaf)

    def _with_reasons(self, plan: Plan) -> Plan:
        observation = observe(self._lineage, self._host, plan, plan.unverified)
        found = reasons(observation)
        if not found and self._service.has_probes:
            leaf = plan.desired.certificate or read_leaf(self._lineage, plan.current)
            served = self._service.is_served(leaf) if leaf else True
            found = reasons(replace(observation, served=served))
        return replace(plan, reasons=found)

    def _refuse_older(self, plan: Plan) -> None:
        leaf = plan.desired.certificate
        if leaf is None or plan.current is None or self._options.allow_older:
            return
        record = self._trusted_record(plan.version, plan.current)
        deployed = record.get("not_before")
        if deployed and not record.get("placeholder") and iso_time(leaf.not_before) < str(deployed):
            raise OlderThanDeployed(
                f"The certificate with serial {leaf.serial_number}, valid from {iso_time(leaf.not_before)}, is older "
                f"than the deployed one with serial {record.get('serial_number')}, valid from {deployed}; set "
                "'allow_older' to go back on purpose"
            )

    def _trusted_record(self, version: Version | None, name: str) -> t.Mapping[str, t.Any]:
        """The record of a version, with the facts of its leaf, which a damaged or forged record does not hold."""
        leaf = read_leaf(self._lineage, name)
        if version is None:
            return dict(describe(leaf), placeholder=leaf is not None and leaf.self_issued)
        return dict(version.record, **describe(leaf)) if leaf else version.record

    def _rehearse(self, plan: Plan) -> Plan:
        """The plan with its anchors, after handshakes in memory; makes the placeholder and the keystore where due."""
        from .rehearsal import CHAIN_ONLY, check_links, rehearse

        desired, trust, ca_path = plan.desired, self._options.trust, self._options.ca_path
        if self._options.check_mode and ca_path and not (desired.placeholder or os.path.lexists(ca_path)):
            self._warn_of_missing("file of CA certificates", ca_path)
            trust = CHAIN_ONLY
        if desired.missing_file:
            self._warn_of_missing("file", desired.missing_file)
            return plan
        if not desired.key:
            self._warn_of_missing("private key", desired.key_source)
            if desired.certificate:
                check_links(desired.leaf, desired.chain)
            return plan
        if desired.placeholder:
            trust = CHAIN_ONLY
            if desired.certificate is None or plan.switches:
                from .placeholder import make_placeholder

                desired = desired.with_certificate(make_placeholder(self._host, desired.names, desired.key))
        anchors = rehearse(desired.leaf, desired.chain, desired.key, desired.names, trust, ca_path, desired.key_source)
        if plan.switches and desired.password is not None:
            from .openssl import make_pkcs12

            keystore = make_pkcs12(self._host, desired.names[0], desired.fullchain, desired.key, desired.password)
            desired = desired.with_keystore(keystore)
        return replace(plan, desired=desired, anchors=anchors)

    def _warn_of_missing(self, what: str, path: str) -> None:
        self._host.warn(f"The {what} {path} is not there yet; the deployment would need it, and verify with it")

    def check_mode_checks(self, plan: Plan) -> None:
        """Fail in check mode where a real run would fail before it has changed anything for good.

        Raises:
            DeploymentError: a command's program is missing.
            OSError: a directory cannot be written.
        """
        # Before a first deployment, a task that installs the service may have been left out as well.
        if plan.reasons and plan.current is not None:
            self._service.require_programs()
        if plan.switches or plan.recovers:
            self._lineage.require_writable()
        self._report["recovered"] = plan.recovers


def observe(lineage: Lineage, host: Host, plan: Plan, unverified: bool) -> Observation:
    """A version as it lies on disk beside what shall be there.

    Arguments:
        lineage: where it lies.
        host: knows which owner, group and modes are requested.
        plan: names the version and what is desired.
        unverified: whether a run ended after its switch without verifying the service.
    """
    version, desired = plan.version, plan.desired.content_hashes()
    if version is None:  # with a current version all the same, its record is damaged: nothing in it counts
        return Observation(desired, _NO_HASHES if plan.current else None, unverified=unverified)
    differs = _attributes_differ(lineage, host, version)
    return Observation(desired, recorded_hashes(version.record), version.on_disk, differs, unverified)


def _attributes_differ(lineage: Lineage, host: Host, version: Version) -> bool:
    with lineage.open_version(version.name) as folder:
        if folder is None:
            return False
        for name in (*version.on_disk, RECORD):
            with folder.open_file(name) as descriptor:
                if descriptor is not None and host.differs(descriptor, kind_of(name)):
                    return True
        return any(host.differs(one.descriptor, DIRECTORY) for one in (folder, *lineage.shared_folders()))


def kind_of(file_name: str | None) -> str:
    """Which of the requested attributes apply to an entry of a version; None is the directory itself."""
    if file_name is None:
        return DIRECTORY
    if file_name == RECORD:
        return RECORD_FILE
    return KEY if file_name in KEY_FILES else FILE
