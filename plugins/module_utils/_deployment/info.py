# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lineage holds now, read only; also of one that a crash interrupted."""

from __future__ import annotations

import typing as t

from .desired_state import absolute_path, describe
from .errors import WriteFailed
from .lineage import PENDING, PENDING_NEW, Lineage
from .records import FILE_NAMES, SWITCHING, Journal
from .x509 import Certificate, Malformed, read_certificates

#: What is returned of the certificate that is verified.
_VERIFIED = ("serial_number", "not_before")


def read_lineage(path: str) -> dict[str, t.Any]:
    """The result of the module ``certificate_info``.

    Arguments:
        path: the lineage directory.

    Raises:
        InvalidRequest: the path is relative.
        NotALineage: the path holds something that this collection did not make.
        WriteFailed: it cannot be read.
    """
    try:
        with Lineage(absolute_path(path, "path")) as lineage:
            exists = lineage.exists()
            journal = lineage.journal()
            interrupted = journal is not None or bool(lineage.residue())
            certificates, placeholder = _read_current(lineage) if exists else ([], False)
            verified = _read_verified(lineage, journal, certificates)
            pending = _read_pending(lineage)
    except OSError as exc:
        raise WriteFailed(f"{exc.filename or path} cannot be read: {exc.strerror}") from exc
    leaf = certificates[0] if certificates else None
    return dict(
        describe(leaf),
        exists=leaf is not None,
        placeholder=placeholder,
        certificate=leaf.pem if leaf else None,
        chain="".join(item.pem for item in certificates[1:]) if leaf else None,
        interrupted=interrupted,
        verified={name: fact for name, fact in describe(verified[0]).items() if name in _VERIFIED}
        if verified
        else None,
        pending=pending,
    )


def _read_pending(lineage: Lineage) -> dict[str, t.Any] | None:
    """The certificate request in ``pending/``; its fields are None where it is damaged."""
    folder = lineage.folder
    if folder is None or all(folder.status(name) is None for name in (PENDING, PENDING_NEW)):
        return None
    from .pending import PendingReader  # few runs find a request

    found = PendingReader(lineage).read_without_key()
    request, csr = found if found else (None, None)
    return {
        "csr": csr,
        "names": list(request.names) if request else [],
        "public_key_sha256": request.public_key_sha256 if request else None,
        "order_id": request.order_id if request else None,
        "created_at": request.created_at if request else None,
        "predecessor_serial_number": request.predecessor_serial_number if request else None,
    }


def _read_current(lineage: Lineage) -> tuple[list[Certificate], bool]:
    """The certificates of the current version, leaf first, and whether it is a placeholder.

    A deployment beside this may switch, and prune what was current a moment ago: then the new one is read.
    """
    while True:
        name = lineage.current()
        certificates = _read_certificates(lineage, name) if name else []
        record = lineage.read_record(name) if name else None
        if name == lineage.current():
            return certificates, bool(record and record.get("placeholder"))


def read_leaf(lineage: Lineage, version: str | None) -> Certificate | None:
    """The leaf of a version; None without a version, and where no file of it holds the leaf."""
    certificates = _read_certificates(lineage, version) if version else []
    return certificates[0] if certificates else None


def _read_verified(lineage: Lineage, journal: Journal | None, current: list[Certificate]) -> list[Certificate]:
    """The certificates of the last deployment that came to its end: not those of one that was interrupted."""
    if journal is None or journal.state != SWITCHING:
        return current
    return _read_certificates(lineage, journal.previous) if journal.previous else []


def _read_certificates(lineage: Lineage, version: str) -> list[Certificate]:
    for kinds in (("cert", "chain"), ("fullchain",), ("combined",), ("cert",)):
        try:
            found = [_read_file(lineage, version, FILE_NAMES[kind]) for kind in kinds]
        except Malformed:
            continue
        if found[0]:  # else what follows a damaged leaf would pass for it
            return [certificate for certificates in found for certificate in certificates]
    return []


def _read_file(lineage: Lineage, version: str, file_name: str) -> list[Certificate]:
    content = lineage.read_file(version, file_name)
    if content is None:
        raise Malformed(f"there is no {file_name}")
    return read_certificates(content.decode("ascii", "replace"))
