# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders in words: where one stands, and why it has no certificate to collect.

Private to this collection.
"""

from __future__ import annotations

from .errors import ActionRequired, NotIssued, OrderError, OrderFailed
from .http.redaction import shortened
from .model import Check, Order, Status

#: So much of a provider's own words is quoted in a message, in characters.
MAX_QUOTED = 200
#: A record has a name and a value of up to 253 characters each.
_MAX_EVIDENCE = 600


def describe_order(order: Order) -> str:
    """Where an order stands, in a few words: what it waits for, or how it ended."""
    if order.issued or order.status in Status.ENDED or order.status == Status.ACTION_REQUIRED:
        more = order.reason or (order.blockers[0].message if order.blockers else None)
        return f"{order.status}: {quoted(more)}" if more and not order.issued else order.status
    if order.status == Status.UNKNOWN:
        return f"unknown: {order.provider} reported {quoted(order.provider_status or '')!r}"
    parts: list[str] = []
    if order.domains and order.dcv_completed is not True:
        done = sum(1 for domain in order.domains if domain.status == Check.COMPLETED)
        parts.append(f"{done} of {len(order.domains)} domains")
    blocker = order.blockers[0] if order.blockers else None
    if blocker is not None:
        methods = {domain.name: domain.method for domain in order.domains}
        if blocker.subject is not None:
            method = methods.get(blocker.subject) or blocker.check
            parts.append(f"{quoted(blocker.subject)} waits for {quoted(method)}")
        else:
            parts.append(quoted(blocker.message))
        if len(order.blockers) > 1:
            parts.append(f"{len(order.blockers) - 1} more open")
    if order.reason:
        parts.append(quoted(order.reason))
    return f"{order.status}: {', '.join(parts)}" if parts else order.status


def describe_evidence(order: Order) -> str | None:
    """What proves control of the first name that is open, in one sentence; None where no name is open.

    Not every provider reports it with the status of an order.
    """
    records = {domain.name: domain.record for domain in order.domains}
    for blocker in order.blockers:
        if blocker.subject is not None and blocker.check == "dcv":
            known = records.get(blocker.subject) is not None
            return shortened(blocker.message, _MAX_EVIDENCE) if known else "order_dcv_info says what to publish"
    return None


def no_certificate(order: Order, answer: str | None = None) -> OrderError:
    """Why there is no certificate to collect for an order.

    Arguments:
        order: as last seen.
        answer: what the provider answered instead of a certificate, in a few words.

    Returns:
        OrderFailed for an order that has ended, ActionRequired where a person must act, else NotIssued.
    """
    state = describe_order(order)
    half_issued = order.status == Status.ISSUED and not order.blockers
    if answer:
        state = f"{answer}; the order is {state}"
    elif half_issued:
        state = "issued, but its certificate or its chain is not there yet"
    error: OrderError
    if order.status in Status.ENDED:
        error = OrderFailed(f"the order has ended: {state}; place a new one")
    elif order.status == Status.ACTION_REQUIRED:
        error = ActionRequired(f"{state}; a person must act, then run this again")
    else:
        advice = "try again later" if half_issued else "wait for it with order_wait"
        error = NotIssued(f"there is no certificate to collect yet: {state}; {advice}")
    return error.locate(order.provider, order.order_id)


def quoted(text: str) -> str:
    """A provider's own words, cut to what a message shows of them."""
    return shortened(text, MAX_QUOTED)
