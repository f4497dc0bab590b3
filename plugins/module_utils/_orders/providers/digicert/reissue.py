# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DigiCert's reissues: what the answers show of one, and the body of the request; pure functions.

Private to this collection. Sections named here are those of docs/providers/orders/digicert-orders.md.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import timedelta

from ...certificates.chain import host_names, key_of_csr
from ...errors import InvalidRequest
from ...model import Order, OrderCertificate, Status
from ...reissue.methods import choose_dcv_method
from ...reissue.model import Snapshot, Wish, names_in_order
from ..coerce import identifier, mapping, moment_from_text, names, objects, text, time_from_text, word
from .mapping import OPEN_REISSUE, STATUSES, Body, awaits_first, map_reissue, reissue_requests

_LABEL = "DigiCert"
#: Our words for DCV methods to those of this API; section 2.
METHODS: t.Mapping[str, str] = {
    "dns-txt": "dns-txt-token",
    "dns-cname": "dns-cname-token",
    "http": "http-token",
    "email": "email",
}
#: After a reissue with fewer names all earlier certificates of the order are revoked within this time; section 2.
_REVOKED_WITHIN = timedelta(hours=72)


def map_snapshot(info: Body, listed: t.Sequence[Body], order: Order) -> Snapshot:
    """What order info and the list of reissues show.

    Arguments:
        info: the body of order info.
        listed: the reissues, the newest first.
        order: the same order in neutral words.
    """
    status_word = word(info.get("status"))
    facts = mapping(info.get("certificate"))
    waiting = [entry for entry in listed if word(entry.get("status")) in OPEN_REISSUE]
    first_pending = awaits_first(info)
    order = replace(order, reissue=map_reissue(info, listed))
    is_open = first_pending or order.reissue.open is True
    open_csr = facts.get("csr") if first_pending else waiting[0].get("csr") if waiting else None
    issued = [entry for entry in listed if word(entry.get("status")) == "issued"]
    made = [moment_from_text(entry.get(name)) for entry in issued for name in ("date_created", "valid_from")]
    status = STATUSES.get(status_word, Status.UNKNOWN)
    if order.status == Status.ACTION_REQUIRED or (reissue_requests(info) and not waiting):
        # A request that is not approved has no certificate yet.
        status = Status.ACTION_REQUIRED
    certificate_names = [*names(facts.get("common_name")), *names(facts.get("dns_names"))]
    return Snapshot(
        order=order,
        status=Status.VALIDATING if is_open and status == Status.ISSUED else status,
        open=is_open,
        open_key=_key(open_csr),
        open_since=moment_from_text(order.ordered_at if first_pending else order.reissue.requested_at),
        newest_key=None if first_pending else _key(facts.get("csr")),
        newest_since=moment_from_text(facts.get("valid_from")),
        serial_number=order.certificate.serial_number,
        names=frozenset(host_names(certificate_names)),
        listed_names=frozenset(host_names(domain.name for domain in order.domains)),
        last_reissue=max((moment for moment in made if moment is not None), default=None),
        live=_live(order, issued),
        revokes_within=_REVOKED_WITHIN,
        dcv_method=text(info.get("dcv_method")),
    )


def make_body(snapshot: Snapshot, wish: Wish) -> dict[str, t.Any]:
    """The body of the request for a reissue; section 2. All names are in it: one that is left out is removed.

    Raises:
        InvalidRequest: when no DCV method is known.
    """
    wanted = names_in_order(snapshot, wish)
    body: dict[str, t.Any] = {
        "certificate": {
            "common_name": wanted[0],
            "dns_names": list(wanted),
            "csr": wish.csr.strip(),
            "signature_hash": "sha256",
        },
        "comments": wish.reference,
        "dcv_method": choose_dcv_method(METHODS, wish.dcv_method, snapshot.dcv_method, _LABEL),
    }
    if wish.skip_approval:
        body["skip_approval"] = True
    return body


def needs_approval(reply: Body) -> bool:
    """Whether a person must approve the request that was answered so: it is pending, and has no certificate yet."""
    pending = any(word(request.get("status")) == "pending" for request in objects(reply.get("requests")))
    return pending and identifier(reply.get("certificate_id")) is None


def _key(csr: t.Any) -> bytes | None:
    """The key of a CSR that the provider sent; None where there is none that can be read."""
    given = text(csr)
    if given is None:
        return None
    try:
        return key_of_csr(given)
    except InvalidRequest:
        return None


def _live(order: Order, issued: t.Sequence[Body]) -> tuple[OrderCertificate, ...]:
    found = {}
    if order.certificate.serial_number is not None:
        found[order.certificate.id] = order.certificate
    for entry in issued:
        found.setdefault(
            identifier(entry.get("id")),
            OrderCertificate(
                id=identifier(entry.get("id")),
                serial_number=text(entry.get("serial_number")),
                not_before=time_from_text(entry.get("valid_from")),
                not_after=time_from_text(entry.get("valid_till")),
            ),
        )
    return tuple(found.values())
