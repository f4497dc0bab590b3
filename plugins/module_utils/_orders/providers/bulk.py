# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Summaries of many orders by bulk calls that are given the orders to report.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from ..errors import InvalidRequest, OrderNotFound
from .base import OrderSummary

T = t.TypeVar("T")

#: A bulk call is made so many times at most for the same orders, while it leaves some of them out.
_MAX_REPEATS = 10


def fetch_summaries_in_batches(
    order_ids: t.Sequence[str],
    size: int | None,
    fetch: t.Callable[[t.Sequence[str]], t.Mapping[str, T]],
    summarize: t.Callable[[str, T], OrderSummary],
) -> dict[str, OrderSummary]:
    """The summaries by a bulk call that is given the orders to report, in however many calls.

    Arguments:
        size: how many orders one call can name; None for any number.
        fetch: makes one call for some orders; what it reports, by order id.
        summarize: makes the summary of that, for one order. One that is not reported has an OrderSummary without order.
    """
    found: dict[str, OrderSummary] = {}
    step = size or max(1, len(order_ids))
    for start in range(0, len(order_ids), step):
        batch = order_ids[start : start + step]
        reported = _fetch_until_reported(batch, fetch)
        for order_id in batch:
            found[order_id] = (
                summarize(order_id, reported[order_id])
                if order_id in reported
                else OrderSummary(change_token="missing")
            )
    return found


def _fetch_until_reported(
    order_ids: t.Sequence[str], fetch: t.Callable[[t.Sequence[str]], t.Mapping[str, T]]
) -> dict[str, T]:
    """What a bulk call reports of these orders; those that it leaves out are fetched again, by themselves.

    A server may report fewer orders at once than were requested.
    """
    left = list(order_ids)
    reported: dict[str, T] = {}
    for turn in range(_MAX_REPEATS):
        try:
            answer = fetch(left)
        except (InvalidRequest, OrderNotFound):
            if turn == 0:
                raise
            # None of those that were left out is known here: the detail call says what is wrong with each.
            break
        found = {order_id: answer[order_id] for order_id in left if order_id in answer}
        reported.update(found)
        left = [order_id for order_id in left if order_id not in found]
        if not (found and left):
            break
    return reported
