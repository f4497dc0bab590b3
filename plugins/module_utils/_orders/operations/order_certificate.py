# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate of an order: what the module order_certificate does.

Private to this collection.
"""

from __future__ import annotations

import datetime
import typing as t

from ..certificates import chain
from ..describe import no_certificate
from ..errors import InvalidRequest, NotIssued, OrderError, UnexpectedResponse
from ..model import IssuedBundle, without_superseded
from .runtime import PROVIDER_OPTIONS, Params, Result, Session, superseded_serials

ORDER_CERTIFICATE_OPTIONS: dict[str, t.Any] = dict(
    PROVIDER_OPTIONS,
    # A list, so that what order_ids is elsewhere fits here as well; it holds one order id.
    order_id={"type": "list", "elements": "str", "required": True, "aliases": ["order_ids"]},
    csr={"type": "str"},
    names={"type": "list", "elements": "str"},
    superseded_serial_number={"type": "str"},
)


def order_certificate(session: Session, params: Params) -> Result:
    """The certificate of an issued order with its chain in the right order, checked against what was ordered.

    Raises:
        NotIssued, OrderFailed, ActionRequired: when there is nothing to collect now.
        CertificateRefused: when what was collected is not what was ordered, or its chain is not complete.
    """
    if chain.CRYPTOGRAPHY_ERROR is not None:
        raise InvalidRequest(
            "the Python library cryptography is missing where this task runs; install it there with "
            "'python3 -m pip install cryptography'"
        )
    given = params["order_id"]
    order_ids = [given] if isinstance(given, str) else list(given)
    if len(order_ids) != 1:
        raise InvalidRequest(f"order_id names {len(order_ids)} orders; give one, and use a loop for several")
    order_id = session.provider.check_order_id(order_ids[0])
    serial = params.get("superseded_serial_number")
    superseded = superseded_serials([] if serial is None else [serial])
    # Before anything is collected: some providers let a certificate be collected only now and then.
    key = chain.key_of_csr(params["csr"]) if params.get("csr") else None
    names = [chain.ascii_name(name) for name in params.get("names") or ()]
    try:
        bundle = _collect(session, order_id, superseded, key, names)
    except OrderError as exc:
        exc.locate(session.provider.info.name, order_id)
        raise
    return describe_bundle(bundle)


def describe_bundle(bundle: chain.Bundle) -> Result:
    """A certificate with its chain as a result."""
    facts = bundle.facts
    return {
        "certificate": bundle.certificate,
        "chain": bundle.chain,
        "fullchain": bundle.fullchain,
        "serial_number": facts.serial_number,
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "names": list(facts.names),
        "issuer": facts.issuer,
        "fingerprint_sha256": facts.fingerprint_sha256,
    }


def _collect(
    session: Session,
    order_id: str,
    superseded: t.Sequence[str],
    key: bytes | None,
    names: t.Sequence[str],
) -> chain.Bundle:
    order = session.provider.fetch_order(order_id)
    for warning in order.warnings:
        session.warn(warning)
    if order.certificate.serial_number is not None:
        order = without_superseded(order, superseded)
    issued = session.provider.fetch_certificate(order)
    for warning in issued.warnings:
        session.warn(warning)
    if issued.leaf is not None and not issued.additional:
        raise no_certificate(order, "the provider delivered the certificate without its chain")
    bundle = chain.assemble(issued.leaf, issued.additional)
    serial = bundle.facts.serial_number
    if serial in superseded:
        raise NotIssued(
            f"the certificate with serial number {serial} is the previous one; the reissue is not there yet"
        )
    reported = order.certificate.serial_number
    if reported is not None and not chain.is_serial(bundle, reported):
        raise UnexpectedResponse(
            f"the provider delivered the certificate with serial number {serial}, but reports {reported} for the "
            "order; try again later"
        )
    key = key or _reported_key(session, issued)
    if key is not None:
        chain.check_key(bundle, key)
    # The names of the order were ordered as well, unless the task says otherwise.
    chain.check_names(bundle, names or chain.host_names(domain.name for domain in order.domains))
    chain.check_validity(bundle, session.runtime.wall().astimezone(datetime.timezone.utc))
    return bundle


def _reported_key(session: Session, issued: IssuedBundle) -> bytes | None:
    """The key in the CSR that the provider reports for the order; None where it reports none that can be read."""
    if not issued.csr:
        return None
    try:
        return chain.key_of_csr(issued.csr)
    except InvalidRequest:
        session.warn("the CSR that the provider reports cannot be read, so the key was not compared with it; give csr")
        return None
