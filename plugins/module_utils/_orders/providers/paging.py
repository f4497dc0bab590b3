# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the list of an account's orders page by page, within bounds that no server can move.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..model import Order

#: A list is read so far at most, whatever a server says of its length.
MAX_PAGES = 100
MAX_ORDERS = 10_000

T = t.TypeVar("T")


@dataclass(frozen=True)
class OrderList:
    """The orders of an account, as far as its list reports them.

    Arguments:
        orders: in the order of the list, each once.
        truncated: why the list is not whole, in one sentence; None where it is.
        names_complete: whether the list reports every name of an order; else there may be more of them.
        renewed: ids of orders that a newer order has taken the place of.
    """

    orders: t.Sequence[Order]
    truncated: str | None = None
    names_complete: bool = False
    renewed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Page(t.Generic[T]):
    """One page of a list.

    Arguments:
        items: what is on it.
        size: how many items a full page has, as far as that is known.
        total: how many items all pages have together; None where that is not reported.
    """

    items: t.Sequence[T]
    size: int
    total: int | None = None


@dataclass(frozen=True)
class Pages(t.Generic[T]):
    """What all pages had: items by id, and why some are missing; None where none is."""

    items: t.Mapping[str, T]
    truncated: str | None = None


def read_pages(
    fetch: t.Callable[[int], Page[T]],
    identify: t.Callable[[T], str],
    is_enough: t.Callable[[t.Container[str]], bool] = lambda found: False,
    max_pages: int = MAX_PAGES,
) -> Pages[T]:
    """Read a list until it ends, repeats itself, or is longer than any list may be.

    An item that moved to a later page while the list was read comes twice, and counts once, as it came last. One that
    moved to an earlier page may be missed: then fewer items are found than the list has, which is reported.

    Arguments:
        fetch: returns the page that begins after so many items.
        identify: the id of an item; one with an empty id is left out.
        is_enough: given the ids that were found so far, whether reading can end.
        max_pages: read no more pages.
    """
    found: dict[str, T] = {}
    received, total = 0, None
    for _page in range(max_pages):
        page = fetch(received)
        received += len(page.items)
        total = page.total if page.total is not None else total
        known = len(found)
        found.update((identify(item), item) for item in page.items)
        found.pop("", None)
        if len(found) > MAX_ORDERS:
            left = {order_id: found[order_id] for order_id in list(found)[:MAX_ORDERS]}
            return Pages(left, f"the list has more than {MAX_ORDERS} orders")
        if is_enough(found):
            return Pages(found)
        if len(found) == known:
            # The end, or a server that does not know of pages and answers the first one for ever.
            return Pages(found, _missing(len(found), total, bool(page.items)))
        if len(page.items) < page.size and (total is None or received >= total):
            return Pages(found, _missing(len(found), total, False))
        if total is not None and received >= total and len(found) >= total:
            return Pages(found)
    return Pages(found, f"the list has more than {max_pages} pages")


def _missing(found: int, total: int | None, repeated: bool) -> str | None:
    if total is not None and found < total:
        return f"the list has {total} orders, but {found} were reported; they may have moved while it was read"
    if total is None and repeated:
        return "the list repeats itself, so that its end was not seen"
    return None
