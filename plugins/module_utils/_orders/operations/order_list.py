# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The orders of a whole account, narrowed by what the caller looks for: order_info without order_ids.

Private to this collection. The list call reports every order in few words. What it leaves open, and what a filter needs
to know, is asked for order by order, for so many orders as the request budget allows without a long pause.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ..._common.names import covers, iso_time, normalize_name
from ..errors import AuthenticationError, InvalidRequest, PermissionDenied
from ..model import Order, Status
from .each_order import fetch_each
from .runtime import Params, Session, enumerate_ids

#: So many orders of a list are asked for in detail at most.
MAX_DETAILS = 100
#: The options that narrow the list.
LIST_FILTERS: dict[str, t.Any] = {
    "expires_within": {"type": "int"},
    "statuses": {"type": "list", "elements": "str", "choices": sorted(Status.ALL)},
    "names": {"type": "list", "elements": "str"},
}
_MAX_DAYS = 36_500


@dataclass(frozen=True)
class ListFilter:
    """What a caller looks for; None stands for any.

    Arguments:
        statuses: statuses of orders.
        names: normalized names; one that begins with ``*.`` stands for itself and for each name one label below.
        ends_before: a certificate ends before this time, or has ended; ISO 8601 UTC.
    """

    statuses: frozenset[str] | None = None
    names: frozenset[str] | None = None
    ends_before: str | None = None

    def accepts(self, order: Order, certain: bool = True, names_complete: bool = True) -> bool | None:
        """Whether an order is looked for; None where what is known of it does not show it.

        Arguments:
            certain: the order was asked for by itself; a list may lag behind, and report less.
            names_complete: the order has no other names than those that are known.
        """
        verdicts = (
            self._accepts_status(order, certain),
            self._accepts_end(order, certain),
            self._accepts_names(order, certain or names_complete),
        )
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def _accepts_status(self, order: Order, certain: bool) -> bool | None:
        if self.statuses is None or order.status in self.statuses:
            return True
        # A list seldom shows which of the open statuses an order has.
        return None if not certain and order.status in Status.OPEN and Status.OPEN & self.statuses else False

    def _accepts_end(self, order: Order, certain: bool) -> bool | None:
        if self.ends_before is None:
            return True
        if order.status in Status.ENDED - {Status.EXPIRED}:
            # Nobody waits for the end of what was canceled, revoked or replaced.
            return False
        end = order.certificate.not_after
        if end is not None:
            return end < self.ends_before
        reissued = any(blocker.check == "reissue" for blocker in order.blockers)
        may_end = reissued or order.status in (Status.ISSUED, Status.EXPIRED)
        return None if may_end and not certain else False

    def _accepts_names(self, order: Order, complete: bool) -> bool | None:
        if self.names is None:
            return True
        if any(covers(self.names, _normalized(domain.name)) for domain in order.domains):
            return True
        return False if complete else None


def read_filter(params: Params, now: datetime.datetime) -> ListFilter:
    """The filter that the options describe.

    Raises:
        InvalidRequest: for days that are none, a name that is none, and a list that is given but empty.
    """
    statuses, names, days = (params.get(name) for name in ("statuses", "names", "expires_within"))
    for option, given in (("statuses", statuses), ("names", names)):
        if given is not None and not given:
            raise InvalidRequest(f"{option} is empty; give at least one, or leave the option out")
    ends_before = None
    if days is not None:
        if not 0 <= days <= _MAX_DAYS:
            raise InvalidRequest(f"expires_within is {days}; give a number of days from 0 to {_MAX_DAYS}")
        ends_before = iso_time(now + datetime.timedelta(days=days))
    return ListFilter(
        statuses=None if statuses is None else frozenset(statuses),
        names=None if names is None else frozenset(map(_check_name, names)),
        ends_before=ends_before,
    )


def list_orders(session: Session, wanted: ListFilter) -> tuple[list[Order], list[str]]:
    """The orders of the account that are looked for, in the order of its list, and why some may be missing.

    Raises:
        OrderError: when the list cannot be had, or the account is refused.
    """
    listing = session.provider.fetch_list()
    verdicts: dict[int, bool | None] = {}
    for position, order in enumerate(listing.orders):
        # An installed certificate has no order id, and is known as a whole.
        verdict = wanted.accepts(order, not order.order_id, listing.names_complete)
        replaced = wanted.ends_before is not None and order.order_id in listing.renewed
        if verdict is not False and not replaced and _has_good_id(session, order):
            verdicts[position] = verdict
    # What the list leaves open, and the checks and blockers of an open order, which no list has.
    open_positions = [
        position
        for position, verdict in verdicts.items()
        if listing.orders[position].order_id and (verdict is None or listing.orders[position].status in Status.OPEN)
    ]
    asked = open_positions[:MAX_DETAILS]
    details = _fetch_details(session, [listing.orders[position].order_id for position in asked])

    orders: list[Order] = []
    unknown: list[str] = []
    for position, verdict in verdicts.items():
        order = listing.orders[position]
        if order.order_id in details:
            order = details[order.order_id]
            verdict = wanted.accepts(order)
        if verdict is None:
            unknown.append(order.order_id or order.certificate.id or "")
        elif verdict:
            orders.append(order)
    _warn_of_short_orders(session, len(open_positions) - len(asked))
    reasons = [listing.truncated] if listing.truncated else []
    if unknown:
        reasons.append(f"whether the filters fit is not known of {len(unknown)} orders: {enumerate_ids(unknown)}")
    return orders, reasons


def _fetch_details(session: Session, order_ids: t.Sequence[str]) -> dict[str, Order]:
    """The orders by id, as far as they can be had; what cannot is a warning, as the list reports it already.

    Raises:
        AuthenticationError: when the account is refused.
    """
    found, failures = fetch_each(session, order_ids, session.provider.fetch_order)
    for failure in failures:
        if isinstance(failure, AuthenticationError) and not isinstance(failure, PermissionDenied):
            raise failure
        session.warn(f"{failure} (what the list reports of it stands instead)")
    return {order.order_id: order for order in found}


def _has_good_id(session: Session, order: Order) -> bool:
    if not order.order_id:
        return True
    try:
        return session.provider.check_order_id(order.order_id) == order.order_id
    except InvalidRequest:
        session.warn(f"left out of the list, as it has no order id: {order.order_id[:40]!r}")
        return False


def _warn_of_short_orders(session: Session, count: int) -> None:
    if count:
        session.warn(
            f"{count} more open orders stand as the list reports them, without checks and blockers; narrow the list "
            f"to at most {MAX_DETAILS} open orders, or give order_ids"
        )


def _check_name(given: str) -> str:
    try:
        return normalize_name(given)
    except ValueError:
        raise InvalidRequest(f"names has {given[:80]!r}; give host names, exact or with one leading '*.'") from None


def _normalized(name: str) -> str:
    try:
        return normalize_name(name)
    except ValueError:
        return name.strip().lower()
