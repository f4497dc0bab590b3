# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a list page by page: where it ends, and what no server can do to it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.providers import paging
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.paging import Page, Pages, read_pages


class Server:
    """Serves pages of a list of ids.

    Arguments:
        total: what it says of the length of the list.
        cap: the most items that it puts on a page, whatever was requested.
    """

    def __init__(self, ids: t.Sequence[str], total: int | None = None, cap: int = 3, size: int = 3) -> None:
        self.ids, self.total, self.cap, self.size = list(ids), total, cap, size
        self.offsets: list[int] = []

    def fetch(self, offset: int) -> Page[str]:
        self.offsets.append(offset)
        return Page(self.ids[offset : offset + self.cap], self.size, self.total)

    def read(self, **options: t.Any) -> Pages[str]:
        return read_pages(self.fetch, str, **options)


def ids(count: int) -> list[str]:
    return [str(number) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("count", "total", "offsets"),
    [
        (0, None, [0]),
        (2, None, [0]),
        (3, None, [0, 3]),
        (3, 3, [0]),
        (7, None, [0, 3, 6]),
        (7, 7, [0, 3, 6]),
    ],
)
def test_reading_ends_with_the_list(count: int, total: int | None, offsets: list[int]) -> None:
    server = Server(ids(count), total)
    assert server.read() == Pages(dict(zip(ids(count), ids(count))), None)
    assert server.offsets == offsets


def test_a_server_with_smaller_pages_is_read_to_the_total() -> None:
    server = Server(ids(7), total=7, cap=2)
    assert list(server.read().items) == ids(7)
    assert server.offsets == [0, 2, 4, 6]


def test_a_server_that_knows_of_no_pages_is_asked_twice() -> None:
    server = Server(ids(3))
    server.fetch = lambda offset: (server.offsets.append(offset), Page(ids(3), 3))[1]  # type: ignore[method-assign,func-returns-value]
    found = server.read()
    assert list(found.items) == ids(3)
    assert server.offsets == [0, 3]
    assert found.truncated == "the list repeats itself, so that its end was not seen"


def test_a_total_that_is_too_high_is_reported() -> None:
    found = Server(ids(4), total=9).read()
    assert list(found.items) == ids(4)
    assert found.truncated == "the list has 9 orders, but 4 were reported; they may have moved while it was read"


def test_an_order_that_moves_to_a_later_page_counts_once_as_it_came_last() -> None:
    pages = [Page(["c1", "b1", "a1"], 3, 4), Page(["a2", "z1"], 3, 5)]
    found = read_pages(lambda offset: pages[offset // 3], lambda item: item[0])
    assert found == Pages({"c": "c1", "b": "b1", "a": "a2", "z": "z1"}, found.truncated)
    # One more was placed while the list was read, and another one may be missing.
    assert "5 orders, but 4" in (found.truncated or "")


def test_an_order_that_moves_to_an_earlier_page_is_missed_and_that_is_reported() -> None:
    pages = [Page(["a", "b", "c"], 3, 5), Page(["e"], 3, 5)]
    found = read_pages(lambda offset: pages[offset // 3] if offset < 4 else Page([], 3, 5), str)
    assert list(found.items) == ["a", "b", "c", "e"]
    assert "5 orders, but 4" in (found.truncated or "")


def test_endless_pages_end(monkeypatch: pytest.MonkeyPatch) -> None:
    offsets = []

    def endless(offset: int) -> Page[str]:
        offsets.append(offset)
        return Page([str(offset)], 1, 10**9)

    found = read_pages(endless, str)
    assert len(found.items) == len(offsets) == paging.MAX_PAGES
    assert found.truncated == "the list has more than 100 pages"
    monkeypatch.setattr(paging, "MAX_ORDERS", 7)
    found = read_pages(lambda offset: Page([str(offset + one) for one in range(3)], 3), str)
    assert list(found.items) == ["0", "1", "2", "3", "4", "5", "6"]
    assert found.truncated == "the list has more than 7 orders"


def test_items_without_an_id_are_left_out() -> None:
    assert list(Server(["", "1", ""]).read().items) == ["1"]


def test_reading_ends_when_it_is_enough() -> None:
    server = Server(ids(9), total=9)
    assert server.read(is_enough=lambda found: "4" in found).truncated is None
    assert server.offsets == [0, 3]
    assert Server(ids(9)).read(max_pages=2).truncated == "the list has more than 2 pages"
