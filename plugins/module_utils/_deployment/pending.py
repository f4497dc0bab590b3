# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate request on disk: the lineage's ``pending/``.

    pending/privkey.pem, request.csr, request.json    all three or none
    .pending.new/                                     being written
    .pending.old/                                     being replaced or removed

A request is written whole and fsynced before one rename gives it its name. A run that is killed between the two renames
of a replacement leaves the old one and the new one without ``pending/``; the next run finishes that. What is read is
not trusted: it counts only if nobody else could have written it, and if it is of the types and forms that are written.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import typing as t
from dataclasses import asdict, dataclass

from .._common.names import normalize_name
from .directory import Directory, read_bounded
from .errors import InvalidRequest, WriteFailed
from .host import DIRECTORY, FILE, KEY, RECORD_FILE, Host
from .lineage import PENDING, PENDING_FILES, PENDING_NEW, PENDING_OLD, Lineage
from .openssl import private_keys, read_subject
from .records import SHA256, TIME, dump_json, load_json, matches, sha256
from .x509 import pem_blocks

KEY_FILE, CSR_FILE, REQUEST_FILE = PENDING_FILES
_NEW_REQUEST_FILE = ".request.new"
_KINDS = {KEY_FILE: KEY, CSR_FILE: FILE, REQUEST_FILE: RECORD_FILE}
_FORMAT = 1
_SERIAL = re.compile(r"[0-9A-F]{1,50}")
_ORDER_ID = re.compile(r"[A-Za-z0-9._:/-]{1,100}")


@dataclass(frozen=True)
class Request:
    """What is written down of a request before it can be sent; the content of request.json.

    Arguments:
        names: normalized, in the order of the CSR.
        subject: as openssl.read_subject() returns it.
        public_key_sha256: names the key, as openssl.PublicKey.
        csr_sha256: of the file with the CSR.
        order_id: the order that the CSR may have been sent for; None where it has not been sent.
        predecessor_serial_number: of the certificate that was in service when the CSR was made; None without one.
        created_at: when the CSR was made, ISO 8601 UTC.
    """

    names: tuple[str, ...]
    subject: t.Mapping[str, str]
    public_key_sha256: str
    csr_sha256: str
    order_id: str | None
    predecessor_serial_number: str | None
    created_at: str

    @staticmethod
    def is_order_id(value: object) -> bool:
        """Whether it can be the name of an order."""
        return matches(value, _ORDER_ID)

    def dump(self) -> bytes:
        """The content of request.json."""
        return dump_json(dict(asdict(self), subject=dict(self.subject), format=_FORMAT))


@dataclass(frozen=True)
class Pending:
    """A request with its files.

    Arguments:
        request: what is written down of it.
        key: the private key as one PEM block; never shown.
        csr: the CSR in PEM.
    """

    request: Request
    key: bytes
    csr: bytes

    def __repr__(self) -> str:
        return f"Pending({self.request!r})"


def read_request(content: bytes | None) -> Request | None:
    """What request.json holds; None when it is missing or damaged."""
    found = load_json(content)
    names, subject, order_id = found.get("names"), found.get("subject"), found.get("order_id")
    predecessor = found.get("predecessor_serial_number")
    if found.get("format") != _FORMAT or not isinstance(names, list) or not isinstance(subject, dict):
        return None
    try:
        sound = bool(names) and all(isinstance(name, str) and normalize_name(name) == name for name in names)
        sound = sound and read_subject(subject) == subject
    except (ValueError, InvalidRequest):
        return None
    sound = (
        sound
        and matches(found.get("public_key_sha256"), SHA256)
        and matches(found.get("csr_sha256"), SHA256)
        and matches(found.get("created_at"), TIME)
        and (order_id is None or Request.is_order_id(order_id))
        and (predecessor is None or matches(predecessor, _SERIAL))
    )
    if not sound:
        return None
    return Request(
        names=tuple(names),
        subject=subject,
        public_key_sha256=found["public_key_sha256"],
        csr_sha256=found["csr_sha256"],
        order_id=order_id,
        predecessor_serial_number=predecessor,
        created_at=found["created_at"],
    )


class PendingReader:
    """``pending/`` of a lineage, to be read.

    Arguments:
        lineage: the lineage; it is open where it exists.
    """

    def __init__(self, lineage: Lineage) -> None:
        self._lineage = lineage
        self.path = os.path.join(lineage.path, PENDING)

    def is_there(self) -> bool:
        """Whether there is a request, damaged or not."""
        return self._name() is not None

    def has_anything(self) -> bool:
        """Whether there is a request, or what an interrupted run left of one."""
        return self._exists(PENDING) or self.has_residue()

    def has_residue(self) -> bool:
        """Whether an interrupted run has left something behind."""
        return self._exists(PENDING_NEW) or self._exists(PENDING_OLD)

    def _exists(self, name: str) -> bool:
        return self._lineage.folder is not None and self._lineage.folder.status(name) is not None

    def _name(self) -> str | None:
        """The entry that holds the request: another one where a run was killed between its two renames."""
        if self._exists(PENDING):
            return PENDING
        return PENDING_NEW if self._exists(PENDING_NEW) and self._exists(PENDING_OLD) else None

    def _open(self) -> Directory | None:
        """The directory of the request, open; None without one that nobody else can write to."""
        name = self._name()
        folder = self._lineage.folder.find(name) if self._lineage.folder and name else None
        if folder and not _is_ours(os.fstat(folder.descriptor)):
            folder.close()
            return None
        return folder

    def read(self) -> Pending | None:
        """The request; None where there is none, and where it is damaged."""
        found = self._read_files(PENDING_FILES)
        checked = _check(found[REQUEST_FILE], found[CSR_FILE]) if found else None
        key = found[KEY_FILE] if found else None
        if checked is None or key is None or private_keys(key.decode("ascii", "replace")) != [key]:
            return None
        return Pending(checked[0], key, checked[1])

    def read_without_key(self) -> tuple[Request, str] | None:
        """What is written down, and the CSR; None where there is none, and where that is damaged. No key is read."""
        found = self._read_files((CSR_FILE, REQUEST_FILE))
        checked = _check(found[REQUEST_FILE], found[CSR_FILE]) if found else None
        return (checked[0], checked[1].decode("ascii")) if checked else None

    def _read_files(self, names: t.Iterable[str]) -> dict[str, bytes | None]:
        """These files of the request by name; empty where there is no request that only we can have written."""
        folder = self._open()
        if folder is None:
            return {}
        with folder:
            if not set(folder.names()) <= {*PENDING_FILES, _NEW_REQUEST_FILE}:
                return {}
            return {name: self._read(folder, name) for name in names}

    @staticmethod
    def _read(folder: Directory, name: str) -> bytes | None:
        """A file that nobody but its owner can write, and that has no other name."""
        with folder.open_file(name) as descriptor:
            if descriptor is None:
                return None
            status = os.fstat(descriptor)
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or status.st_nlink != 1:
                return None
            return read_bounded(descriptor)


class PendingFolder(PendingReader):
    """``pending/`` of a lineage. Methods that write expect the caller to hold the lock.

    Arguments:
        lineage: the lineage; it is open where it exists.
        host: the target.
    """

    def __init__(self, lineage: Lineage, host: Host) -> None:
        super().__init__(lineage)
        self._host = host

    def attributes_differ(self) -> bool:
        """Whether owner, group or mode are not as requested."""
        folder = self._open()
        if folder is None:
            return False
        with folder:
            if self._host.differs(folder.descriptor, DIRECTORY):
                return True
            for name, kind in _KINDS.items():
                with folder.open_file(name) as descriptor:
                    if descriptor is not None and self._host.differs(descriptor, kind):
                        return True
        return False

    def recover(self) -> None:
        """Finish or undo what an interrupted run left."""
        folder = self._opened()
        if not self.has_residue():
            return
        if self._name() == PENDING_NEW:
            folder.rename(PENDING_NEW, PENDING)
            folder.sync()
        folder.remove(PENDING_NEW)
        folder.remove(PENDING_OLD)
        folder.sync()

    def write(self, pending: Pending) -> None:
        """Write a request, whole and durable, in the place of any other. There is no residue.

        Raises:
            WriteFailed: a file was not stored as it was written.
        """
        folder = self._opened()
        contents = {KEY_FILE: pending.key, CSR_FILE: pending.csr, REQUEST_FILE: pending.request.dump()}
        try:
            self._write_new(folder, contents)
        except (OSError, WriteFailed):
            folder.remove(PENDING_NEW)
            raise
        if folder.status(PENDING):
            folder.rename(PENDING, PENDING_OLD)
        folder.rename(PENDING_NEW, PENDING)
        folder.sync()
        folder.remove(PENDING_OLD)
        folder.sync()

    def _write_new(self, folder: Directory, contents: t.Mapping[str, bytes]) -> None:
        if not folder.make_directory(PENDING_NEW):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), folder.join(PENDING_NEW))
        with folder.enter(PENDING_NEW) as new:
            for name, content in contents.items():
                self._create(new, name, name, content)
            self._host.apply(new.descriptor, DIRECTORY, self.path, None)
            new.sync()
        folder.sync()

    def _create(self, folder: Directory, name: str, final_name: str, content: bytes) -> None:
        def finish(descriptor: int, _name: str | None) -> None:
            self._host.apply(descriptor, _KINDS[final_name], os.path.join(self.path, final_name), None)

        if not folder.create(name, content, finish):
            raise WriteFailed(f"{folder.join(name)} was not stored as it was written")

    def write_down(self, request: Request) -> None:
        """Replace request.json, durably: what it says holds from now on."""
        with self._required() as folder:
            folder.remove(_NEW_REQUEST_FILE)
            self._create(folder, _NEW_REQUEST_FILE, REQUEST_FILE, request.dump())
            folder.rename(_NEW_REQUEST_FILE, REQUEST_FILE)
            folder.sync()

    def set_attributes(self) -> None:
        """Set owner, group and mode where they differ."""
        with self._required() as folder:
            for name, kind in _KINDS.items():
                with folder.open_file(name) as descriptor:
                    if descriptor is not None and self._host.differs(descriptor, kind):
                        self._host.apply(descriptor, kind, os.path.join(self.path, name), descriptor)
            if self._host.differs(folder.descriptor, DIRECTORY):
                self._host.apply(folder.descriptor, DIRECTORY, self.path, folder.descriptor)

    def remove(self) -> None:
        """Remove the request and what interrupted runs left; a request that is half gone never bears its name."""
        folder = self._opened()
        folder.remove(PENDING_NEW)
        folder.remove(PENDING_OLD)
        folder.sync()
        if folder.status(PENDING):
            folder.rename(PENDING, PENDING_OLD)
            folder.sync()
            folder.remove(PENDING_OLD)
            folder.sync()

    def _required(self) -> Directory:
        folder = self._open()
        if folder is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        return folder

    def _opened(self) -> Directory:
        if self._lineage.folder is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._lineage.path)
        return self._lineage.folder


def _check(written: bytes | None, csr: bytes | None) -> tuple[Request, bytes] | None:
    """What is written down and the CSR, where they belong together; None where they are damaged."""
    request = read_request(written)
    if request is None or csr is None or sha256(csr) != request.csr_sha256:
        return None
    text = csr.decode("ascii", "replace")
    return (request, csr) if list(pem_blocks(text)) == [("CERTIFICATE REQUEST", text)] else None


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody but root and who runs can have written to the directory."""
    others_write = status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and status.st_gid != os.getegid())
    return status.st_uid in (0, os.geteuid()) and not others_write
