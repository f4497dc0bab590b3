# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sectigo's replacements: what the status reply shows of one, and the form of the request; pure functions.

Private to this collection. Sections named here are those of docs/providers/orders/sectigo-orders.md. No answer has the
key of a replacement that is open: it counts as ours by its time, and the key decides when it is collected.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from ...._common.csr_hash import is_unique_value
from ...._common.names import normalize_serial
from ...certificates.chain import host_names
from ...model import Order, OrderCertificate, Status
from ...reissue.methods import choose_dcv_method
from ...reissue.model import ReissueReply, Snapshot, Wish, names_in_order, names_to_pay
from ..coerce import host_names as listed_names
from ..coerce import moment_from_text, squeezed, text, time_from_epoch
from .body import GONE, Entry, Fields, Reply
from .mapping import newest

_LABEL = "Sectigo"
#: Our words for DCV methods to those of this call; section 2. By mail it needs addresses that nobody has given.
METHODS: t.Mapping[str, str] = {
    "dns-cname": "CNAME_CSR_HASH",
    "http": "HTTP_CSR_HASH",
    "https": "HTTPS_CSR_HASH",
}


def map_snapshot(reply: Reply, order: Order) -> Snapshot:
    """What a status reply shows, a replacement within the order and one of its own alike.

    Arguments:
        reply: to !GetDetailedOrderStatus with queryType 2.
        order: the same order in neutral words.
    """
    entries = reply.entries
    if not entries:
        return Snapshot(order=order, status=order.status)
    entry = newest(entries)
    is_open = order.status in (Status.VALIDATING, Status.ISSUING)
    issued = [part for one in entries for part in one.certificates if text(part.get("serialnumber"))]
    current = _latest(issued)
    certificate_names = listed_names(current.get("fqdn"), single_labels=True)
    begun = moment_from_text(time_from_epoch(current.get("notbefore")))
    replaced = len(issued) > 1 or (bool(issued) and len(entries) > 1)
    serial = normalize_serial(text(current.get("serialnumber")))
    return Snapshot(
        order=order,
        status=order.status,
        open=is_open,
        open_since=_began(order, entries, entry) if is_open else None,
        newest_since=begun,
        serial_number=serial,
        names=frozenset(host_names(certificate_names)),
        listed_names=frozenset(host_names(domain.name for domain in order.domains)),
        last_reissue=begun if replaced and not is_open else None,
        live=(OrderCertificate(serial_number=serial),) if serial else (),
    )


def make_form(snapshot: Snapshot, wish: Wish, identity: t.Mapping[str, str]) -> dict[str, str]:
    """The form of the request for a replacement; section 2.

    Arguments:
        identity: the field that names the order.

    Raises:
        InvalidRequest: without a DCV method: the status call does not report that of the order.
    """
    form = {
        **identity,
        "csr": wish.csr.strip() + "\n",
        "serverSoftware": "-1",
        "dcvMethod": choose_dcv_method(METHODS, wish.dcv_method, None, _LABEL),
        "isCustomerValidated": "Y",
        "emailAddress": "none",
        # Part of the DCV evidence, which no call returns; the same in each run.
        "uniqueValue": wish.reference,
        "showCertificateID": "Y",
        "responseFormat": "1",
    }
    if names_to_pay(snapshot, wish):
        # Only products with several names take these; section 2.
        wanted = names_in_order(snapshot, wish)
        form["domainNames"] = ",".join(wanted)
        form["primaryDomainName"] = wanted[0]
    return form


def map_reissue(reply: Reply) -> ReissueReply:
    """What the reply to the request says. Where its unique value differs from ours, that of the reply counts."""
    unique_value = text(reply.fields.get("uniqueValue"))
    return ReissueReply(reference=unique_value if is_unique_value(unique_value) else None)


def _status(part: Fields) -> str:
    return text(part.get("certificatestatus")) or ""


def _latest(issued: t.Sequence[Fields]) -> Fields:
    """The newest of the certificates that were issued: of those in force, the last one that is listed."""
    live = [part for part in issued if squeezed(_status(part)) not in GONE]
    return (live or [*issued] or [{}])[-1]


def _began(order: Order, entries: t.Sequence[Entry], entry: Entry) -> datetime | None:
    """When what is open began; None for a replacement within the order, which has no time of its own."""
    own = len(entries) > 1 or len(entry.certificates) == 1
    return moment_from_text(order.ordered_at) if own else None
