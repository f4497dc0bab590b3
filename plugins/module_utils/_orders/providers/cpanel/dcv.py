# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cPanel's evidence for DCV, computed from the CSR in the queue: what the server publishes by itself where it can.

Private to this collection. Sections named here are those of the cPanel sheet on DCV, docs/providers/dcv/cpanel-dcv.md.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ...._common.csr_hash import CsrHashes, cname_record, csr_hashes, file_evidence, record_owner
from ...._common.evidence import NameEvidence, OrderReference, Problem, Source
from ...certificates.chain import CRYPTOGRAPHY_ERROR, names_of_csr
from ...errors import InvalidRequest
from ...model import Check, Domain, Order, Record, Status
from ..coerce import is_host_name, mapping, text

#: The one Market provider whose CA is known; section 1.
MARKET_PROVIDER = "cPStore"
#: What the server itself writes at the end of targets and in files; section 2.
_CA_DOMAIN = "comodoca.com"
_DEFAULT_METHOD = "http"


def map_evidence(order: Order, item: t.Mapping[str, t.Any] | None, market_provider: str) -> list[NameEvidence]:
    """What must be published for each name of an order, where the server cannot do it; section 2.

    Arguments:
        item: the item of the queue; None where it has left the queue.
        market_provider: the Market provider of the item.
    """
    csr = text(mapping(item).get("csr"))
    hashes = _hashes(csr)
    domains = _domains(order, item, csr)
    by_record = [domain.name for domain in domains if domain.method == "dns" and _is_open(domain, order)]
    found = []
    for domain in domains:
        evidence = NameEvidence(
            name=domain.name,
            order=OrderReference("cpanel", order.order_id),
            method=domain.method,
            status=domain.status,
            methods=(domain.method,) if domain.method else (),
        )
        if _is_open(domain, order):
            owner = record_owner(domain.name, by_record)
            evidence = _with_token(evidence, owner, hashes, market_provider)
        found.append(evidence)
    return found


def with_records(order: Order, item: t.Mapping[str, t.Any] | None, market_provider: str) -> Order:
    """The order with what the server publishes for each name that it lists and that is open."""
    records: dict[str, Record] = {}
    for evidence in map_evidence(order, item, market_provider):
        if evidence.record is not None:
            records[evidence.name] = Record(evidence.record.type, evidence.record.fqdn, evidence.record.value)
        elif evidence.file is not None and not evidence.name.startswith("*."):
            records[evidence.name] = Record("http", evidence.file.url, evidence.file.content)
    domains = tuple(replace(domain, record=records.get(domain.name)) for domain in order.domains)
    return replace(order, domains=domains)


def _domains(order: Order, item: t.Mapping[str, t.Any] | None, csr: str | None) -> list[Domain]:
    """The names of the order and those of its CSR alone: the queue leaves out www.; section 6."""
    methods = {name.lower(): text(method) for name, method in mapping(mapping(item).get("domain_dcv_method")).items()}
    domains = {domain.name.lower(): domain for domain in order.domains}
    for name in _names(csr):
        domains.setdefault(name, Domain(name=name))
    if item is None:
        return list(domains.values())
    return [
        replace(domain, method=(domain.method or methods.get(name) or _DEFAULT_METHOD).lower())
        for name, domain in domains.items()
    ]


def _with_token(evidence: NameEvidence, owner: str, hashes: CsrHashes | None, market_provider: str) -> NameEvidence:
    name, method = evidence.name, evidence.method
    if market_provider != MARKET_PROVIDER:
        message = f"what the Market provider {market_provider[:40]!r} wants for {name} is not known"
        return replace(evidence, problem=Problem.UNSUPPORTED, message=message)
    if hashes is None:
        message = f"the queue of the cPanel account has no CSR for {name}, so that its token is not known"
        return replace(evidence, problem=Problem.TOKEN_UNKNOWN, message=message)
    if method == "dns":
        return replace(evidence, source=Source.COMPUTED, record=cname_record(owner, hashes, "", _CA_DOMAIN))
    if method == "http":
        return replace(evidence, source=Source.COMPUTED, file=file_evidence("http", name, hashes, "", _CA_DOMAIN))
    message = f"cPanel reported the method {(method or '')[:40]!r} for {name}, which this collection does not know"
    return replace(evidence, problem=Problem.UNSUPPORTED, message=message)


def _is_open(domain: Domain, order: Order) -> bool:
    return domain.status not in Check.CLOSED and order.status not in Status.ENDED and not order.issued


def _hashes(csr: str | None) -> CsrHashes | None:
    try:
        return csr_hashes(csr or "")
    except ValueError:
        return None


def _names(csr: str | None) -> list[str]:
    """The names in the CSR; none where it cannot be read, as it is the provider's."""
    if CRYPTOGRAPHY_ERROR is not None:
        return []
    try:
        return [name for name in names_of_csr(csr or "") if is_host_name(name)]
    except InvalidRequest:
        return []
