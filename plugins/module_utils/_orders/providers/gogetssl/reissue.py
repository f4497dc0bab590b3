# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GoGetSSL's reissues: what the status reply shows of one, and the form of the request; pure functions.

Private to this collection. Sections named here are those of docs/providers/orders/gogetssl-orders.md.
"""

from __future__ import annotations

import json
import re
import typing as t

from ...._common.csr_hash import csr_hashes
from ...certificates.chain import describe_certificate, host_names, key_of_certificate, key_of_csr
from ...errors import InvalidRequest
from ...model import Order, Status
from ...reissue.methods import choose_dcv_method
from ...reissue.model import Snapshot, Wish, names_in_order, names_to_pay
from ..coerce import certificate_text, flag, moment_from_text, number, text, word
from .mapping import Body

_LABEL = "GoGetSSL"
#: Our words for DCV methods to those of this call; section 2. By mail it needs addresses that nobody has given.
METHODS: t.Mapping[str, str] = {"dns-txt": "dns", "dns-cname": "dns", "http": "http", "https": "https"}
#: The name of a record or file that is made from a CSR: its MD5.
_CSR_HASH = re.compile(r"\b_[0-9a-f]{32}\.|/[0-9a-f]{32}\.txt")
_OPEN_WORDS = frozenset(["processing", "pending"])


def map_snapshot(body: Body, order: Order, wish: Wish) -> Snapshot:
    """What the status reply shows.

    Arguments:
        body: the body of the status reply.
        order: the same order in neutral words.
    """
    is_open = order.reissue.open is True or word(body.get("status")) in _OPEN_WORDS
    leaf = certificate_text(body.get("crt_code"))
    facts = describe_certificate(leaf) if leaf else None
    newest_key = key_of_certificate(leaf) if leaf else None
    open_key = _key(body.get("csr_code")) if is_open else None
    if open_key == newest_key:
        # During a reissue csr_code may be the former one; section 9.
        open_key = None
    listed = host_names(domain.name for domain in order.domains)
    begun = moment_from_text(facts.not_before) if facts else None
    return Snapshot(
        order=order,
        status=Status.VALIDATING if is_open and order.status == Status.ISSUED else order.status,
        open=is_open,
        open_key=open_key,
        open_ours=_shows_ours(body, wish) if is_open else None,
        newest_key=newest_key,
        newest_since=begun,
        serial_number=facts.serial_number if facts else None,
        names=frozenset(host_names(facts.names) if facts else listed),
        listed_names=frozenset(listed),
        # Of an order that was never reissued, the certificate is the first one.
        last_reissue=begun if flag(body.get("reissue")) is True and not is_open else None,
        paid_names=number(body.get("single_san_count")),
        paid_wildcards=number(body.get("wildcard_san_count")),
        live=(order.certificate,) if facts else (),
        dcv_method=text(body.get("dcv_method")),
    )


def make_form(snapshot: Snapshot, wish: Wish) -> dict[str, str]:
    """The form of the request for a reissue; section 2. Slots for names are never bought.

    Raises:
        InvalidRequest: when no DCV method is known.
    """
    method = choose_dcv_method(METHODS, wish.dcv_method, snapshot.dcv_method, _LABEL)
    form = {
        "csr": wish.csr.strip() + "\n",
        "dcv_method": method,
        "approver_email": "",
        "webserver_type": "-1",
        "signature_hash": "SHA2",
    }
    others = names_in_order(snapshot, wish)[1:]
    paid = (snapshot.paid_names or 0) + (snapshot.paid_wildcards or 0)
    if len(others) > paid:
        # The name that the CA adds by itself takes a place only where one is left.
        others = names_to_pay(snapshot, wish)
    if paid and others:
        # Only products with several names take this field, without the first name and with a method for each.
        form["dns_names"] = ",".join(others)
        form["approver_emails"] = ",".join([method] * len(others))
    return form


def _key(csr: t.Any) -> bytes | None:
    given = text(csr)
    if given is None:
        return None
    try:
        return key_of_csr(given)
    except InvalidRequest:
        return None


def _shows_ours(body: Body, wish: Wish) -> bool | None:
    """Whether what must be published for DCV is made from our CSR, whose MD5 begins the names; sections 2 and 8.

    None where it is not made from any CSR, or is not there.
    """
    shown = json.dumps([body.get("approver_method"), body.get("san")]).lower()
    try:
        digest = csr_hashes(wish.csr).md5.lower()
    except ValueError:
        digest = wish.reference
    if digest in shown or wish.reference in shown:
        return True
    return False if _CSR_HASH.search(shown) else None
