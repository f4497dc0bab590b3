# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module certificate_request from its options to its result: key and CSR for the next certificate.

They lie in the lineage's ``pending/`` beside ``request.json`` (``pending.py``), and are durable before anything is
returned: who sends the CSR can rely on the key. Source: the contract of the next certificate, sections 1, 4 and 10.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from .._common.names import iso_time, normalize_name
from .desired_state import absolute_path
from .errors import DeploymentError, InvalidKey, InvalidRequest, WriteFailed, write_failed
from .host import Host
from .info import read_leaf
from .lineage import Lineage
from .lock import Lock
from .openssl import (
    KEY_TYPES,
    PublicKey,
    make_csr,
    make_key,
    private_keys,
    public_key_of_certificate,
    public_key_of_csr,
    public_key_of_key,
    read_subject,
)
from .pending import Pending, PendingFolder, Request
from .records import FILE_NAMES, SWITCHING, sha256

LOCK_WAIT = 10.0  # seconds
PRESENT, ABSENT = "present", "absent"


@dataclass(frozen=True)
class Wish:
    """What the request shall be like.

    Arguments:
        names: normalized names, in their order.
        key_type: one of KEY_TYPES.
        subject: as openssl.read_subject() returns it.
        reuse_key: whether the key in service is taken where there is one.
        order_id: the order that the CSR is about to be sent for; None where nothing is sent yet.
    """

    names: tuple[str, ...]
    key_type: str
    subject: t.Mapping[str, str]
    reuse_key: bool
    order_id: str | None


@dataclass(frozen=True)
class InService:
    """The certificate in service.

    Arguments:
        serial_number: its serial number; None without a certificate.
        public_key_sha256: of its key; None without a certificate.
        placeholder: whether it is a placeholder.
        version: the version's name; None without one.
    """

    serial_number: str | None = None
    public_key_sha256: str | None = None
    placeholder: bool = False
    version: str | None = None


@dataclass(frozen=True)
class Found:
    """A request that is there and whole.

    Arguments:
        pending: as it was read.
        key_type: of its key; None where it is none of KEY_TYPES.
    """

    pending: Pending
    key_type: str | None

    @property
    def request(self) -> Request:
        """What is written down of it."""
        return self.pending.request


def request_certificate(parameters: t.Mapping[str, t.Any], host: Host, check_mode: bool = False) -> dict[str, t.Any]:
    """Make key and CSR for the next certificate, or find that they are there.

    Arguments:
        parameters: the options of the module ``certificate_request``.
        host: the target.
        check_mode: report only.

    Returns:
        The result of the module, ``diff`` included.

    Raises:
        DeploymentError: it was refused or it failed.
    """
    path = absolute_path(parameters["path"], "path")
    wish = _read_wish(parameters) if parameters["state"] == PRESENT else None
    run = _Run(path, wish, host)
    try:
        return run.run(check_mode)
    except OSError as exc:
        raise write_failed(exc) from exc
    finally:
        run.close()


def differences(wish: Wish, found: Found | None, in_service: InService) -> list[str]:
    """Why a new request is due; the words of the module's ``reasons``. Pure."""
    if found is None:
        return ["absent"]
    request = found.request
    in_use = request.public_key_sha256 == in_service.public_key_sha256
    reused = in_use and not in_service.placeholder
    if reused and in_service.serial_number != request.predecessor_serial_number:
        return ["spent"]
    reuses = wish.reuse_key and in_service.public_key_sha256 is not None
    differing = {
        "names_differ": set(wish.names) != set(request.names),
        "key_differs": not in_use if reuses else reused,
        "key_type_differs": not reuses and found.key_type != wish.key_type,
        "subject_differs": dict(wish.subject) != dict(request.subject),
    }
    return [reason for reason, differs in differing.items() if differs]


def keeps_key(reasons: t.Sequence[str], found: Found | None) -> bool:
    """Whether a new CSR is made of the key that is there: its old CSR has certainly never been sent. Pure."""
    return found is not None and list(reasons) == ["names_differ"] and found.request.order_id is None


def _read_wish(parameters: t.Mapping[str, t.Any]) -> Wish:
    names: dict[str, None] = {}
    for name in parameters["names"]:
        try:
            names[normalize_name(name)] = None
        except ValueError as exc:
            raise InvalidRequest(f"{name!r} in 'names' is no DNS name and no IP address") from exc
    if not names:
        raise InvalidRequest("A certificate request needs 'names'")
    if parameters["key_type"] not in KEY_TYPES:
        raise InvalidRequest(f"'key_type' is {parameters['key_type']!r}; known are {', '.join(KEY_TYPES)}")
    order_id = parameters["order_id"]
    if order_id is not None and not Request.is_order_id(order_id):
        raise InvalidRequest(f"'order_id' is {order_id!r}, which is no number or name of an order")
    subject = read_subject(parameters["subject"])
    return Wish(tuple(names), parameters["key_type"], subject, parameters["reuse_key"], order_id)


class _Run:
    """One run on one lineage.

    Arguments:
        path: the lineage directory.
        wish: what the request shall be like; None where there shall be none.
        host: the target.
    """

    def __init__(self, path: str, wish: Wish | None, host: Host) -> None:
        self._path = path
        self._wish = wish
        self._host = host
        self._lineage = Lineage(path)
        self._lock = Lock(self._lineage, LOCK_WAIT)

    def close(self) -> None:
        """Give lock and directories back."""
        self._lock.release()
        self._lineage.close()

    def run(self, check_mode: bool) -> dict[str, t.Any]:
        """See request_certificate()."""
        locked = self._lineage.exists() and self._lock.acquire(create=False)
        self._lineage.require_safe_surroundings(self._host.warn)
        folder = PendingFolder(self._lineage, self._host)
        if self._wish is None:
            return self._remove(folder, check_mode, locked)
        return self._provide(folder, self._wish, check_mode, locked)

    def _lock_it(self, locked: bool) -> None:
        """Hold the lock; make the lineage where it is missing."""
        if not self._lineage.take_back() and locked:
            return
        self._lock.release()  # what could be replaced may have been
        while not self._lock.acquire(create=True):  # there is no directory, or another run has removed its own
            self._lineage.create()
            self._lineage.take_back()

    # -- absent -------------------------------------------------------------------------------------------------------

    def _remove(self, folder: PendingFolder, check_mode: bool, locked: bool) -> dict[str, t.Any]:
        found = self._found(folder)
        changed = folder.has_anything()
        if changed and not check_mode:
            self._lock_it(locked)
            folder.remove()
        return self._result(None, found, [], changed)

    # -- present ------------------------------------------------------------------------------------------------------

    def _provide(self, folder: PendingFolder, wish: Wish, check_mode: bool, locked: bool) -> dict[str, t.Any]:
        found, in_service = self._found(folder), self._in_service()
        reasons = differences(wish, found, in_service)
        if check_mode and (reasons or self._to_complete(folder, wish, found)):
            self._lineage.require_writable()
            if not self._host.finds("openssl"):
                raise WriteFailed("A certificate request needs the command 'openssl' on the target")
            key_sha256 = found.request.public_key_sha256 if found and keeps_key(reasons, found) else None
            if reasons and wish.reuse_key:
                key_sha256 = in_service.public_key_sha256
            return self._result(self._foreseen(wish, found, reasons, key_sha256), found, reasons, True)
        if not reasons and not self._to_complete(folder, wish, found):
            return self._result(found, found, [], False)
        try:
            self._lock_it(locked)
            changed = folder.has_residue()
            folder.recover()
            found, in_service = self._found(folder), self._in_service()
            reasons = differences(wish, found, in_service)
            changed = changed or bool(reasons) or self._to_complete(folder, wish, found)
            made = self._complete(folder, wish, found, in_service, reasons)
        except (DeploymentError, OSError):
            self._lineage.remove_created()
            raise
        return self._result(made, found, reasons, changed)

    def _to_complete(self, folder: PendingFolder, wish: Wish, found: Found | None) -> bool:
        """Whether something is to be done for a request that is otherwise as it shall be."""
        marks = found is not None and wish.order_id not in (None, found.request.order_id)
        return marks or folder.has_residue() or folder.attributes_differ()

    def _complete(
        self, folder: PendingFolder, wish: Wish, found: Found | None, in_service: InService, reasons: t.Sequence[str]
    ) -> Found:
        if found is None or reasons:
            found = self._make(folder, wish, found, in_service, reasons)
        elif wish.order_id not in (None, found.request.order_id):
            request = replace(found.request, order_id=wish.order_id)
            folder.write_down(request)
            found = replace(found, pending=replace(found.pending, request=request))
        folder.set_attributes()
        return found

    def _make(
        self, folder: PendingFolder, wish: Wish, found: Found | None, in_service: InService, reasons: t.Sequence[str]
    ) -> Found:
        if found is None and folder.is_there():
            self._host.warn(f"The certificate request in {folder.path} was damaged; key and CSR are made anew")
        key, public_key = self._key(wish, found, in_service, reasons)
        csr = make_csr(self._host, key, wish.names, wish.subject)
        if public_key_of_csr(self._host, csr) != public_key:
            raise WriteFailed("openssl made a CSR of another key than it was given")
        request = Request(
            names=wish.names,
            subject=wish.subject,
            public_key_sha256=public_key.sha256,
            csr_sha256=sha256(csr),
            order_id=wish.order_id,
            predecessor_serial_number=in_service.serial_number,
            created_at=iso_time(datetime.now(timezone.utc)),
        )
        pending = Pending(request, key, csr)
        folder.write(pending)
        return Found(pending, public_key.key_type)

    def _key(
        self, wish: Wish, found: Found | None, in_service: InService, reasons: t.Sequence[str]
    ) -> tuple[bytes, PublicKey]:
        """The key of a new request."""
        if wish.reuse_key and in_service.version:
            key = self._key_in_service(in_service.version)
            public_key = public_key_of_key(self._host, key)
            if public_key.sha256 != in_service.public_key_sha256:
                raise InvalidKey("The key in service does not belong to the certificate in service")
            return key, public_key
        if found and keeps_key(reasons, found):
            key = found.pending.key
        else:
            key = make_key(self._host, wish.key_type)
        return key, public_key_of_key(self._host, key)

    def _key_in_service(self, version: str) -> bytes:
        for kind in ("privkey", "combined"):
            content = self._lineage.read_file(version, FILE_NAMES[kind])
            keys = private_keys(content.decode("ascii", "replace")) if content else []
            if len(keys) == 1:
                return keys[0]
        raise InvalidKey(f"{self._lineage.version_path(version)} holds no private key that 'reuse_key' could take")

    # -- looking ------------------------------------------------------------------------------------------------------

    def _found(self, folder: PendingFolder) -> Found | None:
        """The request that is there; None where there is none or it is damaged."""
        pending = folder.read()
        if pending is None:
            return None
        try:
            public_key = public_key_of_key(self._host, pending.key)
            whole = public_key == public_key_of_csr(self._host, pending.csr)
        except InvalidKey:
            return None
        whole = whole and public_key.sha256 == pending.request.public_key_sha256
        return Found(pending, public_key.key_type) if whole else None

    def _in_service(self) -> InService:
        """The certificate of the last deployment that came to its end: one that was interrupted may be undone."""
        journal = self._lineage.journal()
        version = journal.previous if journal and journal.state == SWITCHING else self._lineage.current()
        leaf = read_leaf(self._lineage, version)
        if version is None or leaf is None:
            return InService()
        record = self._lineage.read_record(version)
        public_key = public_key_of_certificate(self._host, leaf.pem)
        return InService(leaf.serial_number, public_key.sha256, bool(record and record["placeholder"]), version)

    # -- result -------------------------------------------------------------------------------------------------------

    @staticmethod
    def _foreseen(
        wish: Wish, found: Found | None, reasons: t.Sequence[str], key_sha256: str | None
    ) -> dict[str, t.Any]:
        """What check mode can say of a request that is not made."""
        if found and not reasons:
            return dict(_facts(found), order_id=wish.order_id or found.request.order_id)
        return {
            "csr": None,
            "public_key_sha256": key_sha256,
            "names": list(wish.names),
            "subject": dict(wish.subject),
            "created_at": None,
            "order_id": wish.order_id,
        }

    def _result(
        self, after: Found | dict[str, t.Any] | None, before: Found | None, reasons: t.Sequence[str], changed: bool
    ) -> dict[str, t.Any]:
        facts = after if isinstance(after, dict) else _facts(after)
        return {
            "changed": changed,
            "path": self._path,
            "csr": facts["csr"],
            "public_key_sha256": facts["public_key_sha256"],
            "names": facts["names"],
            "created_at": facts["created_at"],
            "order_id": facts["order_id"],
            "reasons": list(reasons),
            "diff": {
                "before": _for_diff(_facts(before)) if before else {},
                "after": {}
                if after is None
                else dict(_for_diff(facts), **({"reasons": list(reasons)} if reasons else {})),
            },
        }


def _facts(found: Found | None) -> dict[str, t.Any]:
    request = found.request if found else None
    return {
        "csr": found.pending.csr.decode("ascii") if found else None,
        "public_key_sha256": request.public_key_sha256 if request else None,
        "names": list(request.names) if request else [],
        "subject": dict(request.subject) if request else {},
        "created_at": request.created_at if request else None,
        "order_id": request.order_id if request else None,
    }


def _for_diff(facts: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in facts.items() if name != "csr"}
