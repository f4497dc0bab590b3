# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GoGetSSL's evidence for DCV: pure functions from the status reply to what must be published.

Private to this collection. Sections named here are those of the GoGetSSL sheet on DCV, docs/providers/gogetssl-dcv.md.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ...._common.csr_hash import csr_hashes
from ...._common.evidence import (
    FILE_FOLDER,
    FileEvidence,
    NameEvidence,
    OrderReference,
    Problem,
    RecordEvidence,
    Source,
    base_name,
)
from ...model import Check, Domain, Record, Status
from ..coerce import mapping, text, word
from .mapping import Body, blocks, map_order, sans

#: Section 1; file methods are not for wildcards.
_METHODS = ("dns", "http", "https", "email")
_WILDCARD_METHODS = ("dns", "email")
#: What each method is done with, as types of a record.
_RECORD_TYPES = {"dns": ("CNAME", "TXT"), "http": ("http",), "https": ("http",), "email": ("email",)}
_PLAIN_FILE_NAME = re.compile(r"[A-Za-z0-9_.-]+")
#: The hash of a CSR that begins the names of records and files in the Sectigo family; section 2.
_CSR_HASH = re.compile(r"_?([0-9a-f]{32})(?:\.|\Z)", re.IGNORECASE)


def map_evidence(body: Body, order_id: str | None = None) -> list[NameEvidence]:
    """What must be published for each name of the order, as the status reply gives it; section 2.

    Arguments:
        body: the body of the status reply.
        order_id: the id that was requested; by default the one in the body.
    """
    order = map_order(body, order_id)
    reference = OrderReference("gogetssl", order.order_id)
    csr_hash = _csr_hash(text(body.get("csr_code")))
    found = []
    for domain in order.domains:
        evidence = NameEvidence(
            name=domain.name,
            order=reference,
            method=domain.method,
            status=domain.status,
            methods=_WILDCARD_METHODS if domain.name.startswith("*.") else _METHODS,
        )
        if domain.status != Check.COMPLETED and order.status not in Status.ENDED:
            evidence = _with_record(evidence, domain, csr_hash, _file_name(body, domain.name))
        found.append(evidence)
    return found


def _with_record(evidence: NameEvidence, domain: Domain, csr_hash: str | None, file_name: str | None) -> NameEvidence:
    record = domain.record
    fits = record is not None and record.type in _RECORD_TYPES.get(domain.method or "", ())
    if record is None or not record.name or not fits:
        if domain.method == "email":
            return evidence
        message = f"GoGetSSL has not given what to publish for {domain.name} yet; wait and read again"
        return replace(evidence, problem=Problem.TOKEN_UNKNOWN, message=message)
    if record.type == "email":
        return replace(evidence, source=Source.PROVIDER, emails=(record.name,))
    if not record.value:
        message = f"GoGetSSL has not given the content of the file for {domain.name} yet; wait and read again"
        return replace(evidence, problem=Problem.TOKEN_UNKNOWN, message=message)
    hashed = _CSR_HASH.match(record.name.rsplit("/", 1)[-1])
    if csr_hash is not None and hashed is not None and hashed.group(1).lower() != csr_hash:
        message = f"what GoGetSSL gives for {domain.name} belongs to a former CSR; wait and read again"
        return replace(evidence, problem=Problem.TOKEN_STALE, message=message)
    if record.type == "http":
        return replace(evidence, source=Source.PROVIDER, file=_file(domain, record, file_name))
    return replace(evidence, source=Source.PROVIDER, record=RecordEvidence(record.type, record.name, record.value))


def _file(domain: Domain, record: Record, file_name: str | None) -> FileEvidence:
    """The file at its link, or under its name alone. The scheme is the method's, whatever the link says; section 2."""
    link = record.name or ""
    scheme = "https" if domain.method == "https" else "http"
    is_link = re.match(r"https?:", link, re.IGNORECASE) is not None
    if is_link and (file_name is None or _PLAIN_FILE_NAME.fullmatch(file_name)):
        url = scheme + link[link.index(":") :]
    else:
        # A name that leaves the folder is refused with the URL that it would make.
        url = f"{scheme}://{base_name(domain.name)}{FILE_FOLDER}{file_name or link}"
    return FileEvidence(url, record.value or "")


def _file_name(body: Body, name: str) -> str | None:
    """The file name beside the link, in the block of a name."""
    shapes = [san.get("validation") for san in sans(body.get("san")) if word(san.get("san_name")) == name]
    found = blocks(shapes[0] if shapes else body.get("approver_method"))
    return next((text(mapping(found[method]).get("filename")) for method in ("http", "https") if method in found), None)


def _csr_hash(csr: str | None) -> str | None:
    try:
        return csr_hashes(csr or "").md5
    except ValueError:
        return None
