# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sectigo's evidence for DCV, computed from the CSR: pure functions from an order to what must be published.

Private to this collection. Sections named here are those of the Sectigo sheet on DCV,
docs/providers/dcv/sectigo-dcv.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from ...._common.csr_hash import (
    CsrHashes,
    check_unique_value,
    cname_record,
    csr_hashes,
    file_evidence,
    record_owner,
)
from ...._common.evidence import NameEvidence, OrderReference, Problem, Source
from ...._common.names import is_ip_address
from ...model import Check, Domain, Order, Status

CNAME, HTTP, HTTPS, EMAIL = "CNAME_CSR_HASH", "HTTP_CSR_HASH", "HTTPS_CSR_HASH", "EMAIL"
#: Domain of the CA, at the end of targets and in files; section 2.
_CA_DOMAIN = "sectigo.com"
_SCHEMES = {HTTP: "http", HTTPS: "https"}
#: The words of all calls, without anything but letters, to those of the call that changes the method; section 1.
_METHODS: t.Mapping[str, str] = {
    **dict.fromkeys(("CNAME", "CNAMECSRHASH", "DNS", "DNSCNAME"), CNAME),
    **dict.fromkeys(("HTTP", "HTTPCSRHASH"), HTTP),
    **dict.fromkeys(("HTTPS", "HTTPSCSRHASH"), HTTPS),
    "EMAIL": EMAIL,
}


def map_evidence(order: Order, csr: str | None = None, unique_value: str | None = None) -> list[NameEvidence]:
    """What must be published for each name of the order; section 2.

    Arguments:
        order: with the method of each name, as far as it is reported.
        csr: the CSR of the order in PEM; None where it is not known.
        unique_value: the empty text where none was used; None where it is not known.

    Raises:
        ValueError: the CSR or the unique value is none.
    """
    hashes = csr_hashes(csr) if csr is not None else None
    if unique_value is not None:
        check_unique_value(unique_value)
    by_record = [domain.name for domain in order.domains if method_of(domain) == CNAME and _is_open(domain, order)]
    found = []
    for domain in order.domains:
        evidence = NameEvidence(
            name=domain.name,
            order=OrderReference("sectigo", order.order_id),
            method=method_of(domain) or domain.method,
            status=domain.status,
            methods=methods_for(domain.name),
        )
        if _is_open(domain, order):
            evidence = _with_token(evidence, record_owner(domain.name, by_record), hashes, unique_value)
        found.append(evidence)
    return found


def method_of(domain: Domain) -> str | None:
    """The method of a name in the words of !AutoUpdateDCV; None for a word that is not known, and where none came."""
    reported = domain.method or ""
    return EMAIL if "@" in reported else _METHODS.get(re.sub(r"[^A-Z]", "", reported.upper()))


def methods_for(name: str) -> tuple[str, ...]:
    """The methods that a name could use; section 1."""
    if is_ip_address(name):
        return HTTP, HTTPS
    return (CNAME, EMAIL) if name.startswith("*.") else (CNAME, HTTP, HTTPS, EMAIL)


def _is_open(domain: Domain, order: Order) -> bool:
    return domain.status not in Check.CLOSED and order.status not in Status.ENDED and not order.issued


def _with_token(evidence: NameEvidence, owner: str, hashes: CsrHashes | None, unique_value: str | None) -> NameEvidence:
    name, method = evidence.name, evidence.method
    if method == EMAIL or (method or "").count("@") == 1:
        return evidence
    if method is None:
        message = f"Sectigo did not report by which method {name} is validated; look it up in the Sectigo account"
        return replace(evidence, problem=Problem.TOKEN_UNKNOWN, message=message)
    if method not in (CNAME, HTTP, HTTPS):
        message = f"Sectigo reported the method {method[:40]!r} for {name}, which this collection does not know"
        return replace(evidence, problem=Problem.UNSUPPORTED, message=message)
    missing = [
        "csr" if hashes is None else "",
        "unique_values (an empty text where none was used)" if unique_value is None else "",
    ]
    if hashes is None or unique_value is None:
        message = f"Sectigo does not return what to publish for {name}; give {' and '.join(filter(None, missing))}"
        return replace(evidence, problem=Problem.TOKEN_UNKNOWN, message=message)
    if method == CNAME:
        record = cname_record(owner, hashes, unique_value, _CA_DOMAIN)
        return replace(evidence, source=Source.COMPUTED, record=record)
    file = file_evidence(_SCHEMES[method], name, hashes, unique_value, _CA_DOMAIN)
    return replace(evidence, source=Source.COMPUTED, file=file)
