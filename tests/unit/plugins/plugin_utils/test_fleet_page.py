# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a fleet, as its text; what a browser makes of it is tested with a real one."""

from __future__ import annotations

import base64
import datetime
import hashlib
import html.parser
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import is_web_link
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_page import make_page
from ansible_collections.certops.issuance.tests.unit.plugins.plugin_utils.fleet_orders import (
    HOSTILE,
    NO_LINKS,
    NOW,
    blocker,
    day,
    order,
    unanswered,
)

#: Elements that have no end.
VOID = {"meta", "br"}


class Reader(html.parser.HTMLParser):
    """Reads a page strictly: every element is closed in its turn.

    Arguments of the result: tags (how often each came), links, attributes (names of all), text, and styles (values).
    """

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: dict[str, int] = {}
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.styles: list[str] = []
        self.text = ""
        self.scripts: list[str] = []
        self.policy = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        given = dict(attrs)
        self.attributes.update(given)
        if tag == "a":
            self.links.append(given["href"] or "")
            assert given["rel"] == "noopener noreferrer nofollow"
        if "style" in given:
            self.styles.append(given["style"] or "")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.text += data + " "


def read(*orders: t.Any, **options: t.Any) -> Reader:
    return Reader(make_page(orders, NOW, **options))


def rows(page: str) -> list[str]:
    return re.findall(r"<tr>\n<th scope=\"row\".*?</tr>", page, re.DOTALL)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = read(order("1", names=["a.example"], end=9), order("2", "validating", blockers=[blocker("x")]))
    assert not {"img", "link", "iframe", "object", "embed", "form", "base", "audio", "video"} & page.tags.keys()
    assert not {"src", "srcset", "action", "background", "poster"} & page.attributes
    assert "url(" not in make_page([], NOW)
    assert "@import" not in make_page([], NOW)
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.policy == (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        f"script-src 'sha256-{digest}'"
    )
    assert not [name for name in page.attributes if name.startswith("on")]


def test_each_certificate_has_its_row_with_words() -> None:
    served = {"state": "another", "not_after": day(2), "msg": None}
    orders = [
        order("11", names=["a.example"], start=-40, end=7, host="web1"),
        order("11", names=["a.example"], start=-40, end=7, host="web2", in_service=served),
        order("12", "validating", ["b.example"], blockers=[blocker("publish <it>"), blocker("they look", "provider")]),
        unanswered("13", msg="no such order"),
        order("14", names=["d.example"], start=-1, end=90, coverage={"starts": None, "ends": day(95)}),
    ]
    page = make_page(orders, NOW, "The fleet & more")
    texts = [" ".join(Reader(f"<table>{row}</table>").text.split()) for row in rows(page)]
    assert len(texts) == 4
    assert texts[0].startswith("no names reported digicert , order 13 on www ? no answer not found")
    assert texts[0].endswith("You: no such order")
    assert texts[1].startswith("b.example digicert , order 12 on www → needs you validating, 0 of 1 names validated")
    assert texts[1].endswith("You: publish <it> Provider: they look")
    assert "on web1 , web2" in texts[2]
    assert "! ends soon" in texts[2]
    assert "2026-12-05 in 7 days" in texts[2]
    assert texts[2].endswith(
        "from 2026-10-19 to 2026-12-05 web2 serves another certificate, which ends 2026-11-30, in 2 days"
    )
    assert "✓ good" in texts[3]
    assert "due: new order by 2027-03-03" in texts[3]
    assert "from 2026-11-27 to 2027-02-26, paid for until 2027-03-03" in texts[3]
    whole = " ".join(Reader(page).text.split())
    assert "The fleet & more As of 2026-11-28 21:40 UTC" in whole
    assert "? 1 no answer ! 1 ends soon → 1 needs you ✓ 1 good" in whole


def test_a_page_without_orders() -> None:
    page = read()
    assert "There are no orders to show." in page.text
    assert "table" not in page.tags


def test_the_names_that_are_too_many_are_behind_a_click() -> None:
    page = make_page([order("1", names=[f"n{number}.example" for number in range(150)], end=9)], NOW)
    assert "<summary>148 more names</summary>" in page
    assert "n101.example" in page
    assert "n102.example" not in page
    assert "and 48 more" in page
    many = make_page([order("1", end=9, host=f"h{number}") for number in range(3)], NOW)
    assert "<summary>3 hosts</summary>" in many


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_the_page(text: str) -> None:
    def orders(word: str) -> list[dict[str, t.Any]]:
        served = {"state": word, "not_after": day(2), "msg": word}
        blockers = [blocker(word, url=word), blocker(word, word, word)]
        fields = {"reason": word, "action_urls": {word: word}, "in_service": served}
        return [
            order(word, "validating", [word, word, word], host=word, provider=word, blockers=blockers, **fields),
            order(word, word, [word], end=5, blockers=blockers),
            unanswered(word, word, word, word),
        ]

    hostile, plain = read(*orders(text), title=text), read(*orders("word"), title="word")
    assert hostile.tags == plain.tags
    assert hostile.attributes == plain.attributes
    assert hostile.links == plain.links == []
    assert hostile.scripts == plain.scripts
    assert hostile.styles == plain.styles


@pytest.mark.parametrize("url", NO_LINKS)
def test_what_is_no_link_of_the_web_is_no_link(url: str) -> None:
    assert not is_web_link(url)
    given = order("1", "validating", blockers=[blocker("x", url=url)], action_urls={"dcv": url})
    assert read(given).links == []


def test_links_of_providers_come_once() -> None:
    url = "https://store.example.com/pay?order=1&next=<x>\"'"
    given = order(
        "1",
        "action_required",
        blockers=[blocker("pay", url=url)],
        action_urls={"payment": url, "dcv": "http://a.example/"},
    )
    assert read(given).links == [url, "http://a.example/"]


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-40000, 40000)),
            st.one_of(st.none(), st.floats(-40000, 40000)),
            st.one_of(st.none(), st.floats(-9000, 9000)),
        ),
        max_size=4,
    )
)
def test_no_date_leaves_the_axis(dates: list[tuple[float | None, float | None, float | None]]) -> None:
    orders = [
        order(str(number), start=start, end=end, coverage={"ends": None if paid is None else day(paid)})
        for number, (start, end, paid) in enumerate(dates)
    ]
    for style in read(*orders).styles:
        for value in re.findall(r"(-?[0-9.]+)%", style):
            assert 0 <= float(value) <= 100
        left, width = re.search(r"left:([0-9.]+)%", style), re.search(r"width:([0-9.]+)%", style)
        if left and width:
            assert float(left.group(1)) + float(width.group(1)) <= 100.02


@pytest.mark.parametrize("ahead", [3, 20, 47, 90, 199, 398, 5000])
def test_the_axis_has_some_ticks_whatever_it_spans(ahead: float) -> None:
    page = make_page([order("1", start=-1, end=ahead)], NOW)
    axis = re.findall(r'<span style="left:([0-9.]+)%">([^<]+)</span>', page)
    assert 2 <= len(axis) <= 9
    assert [float(place) for place, _label in axis] == sorted(float(place) for place, _label in axis)
    assert len({label for _place, label in axis}) == len(axis)


def test_the_present_has_one_time() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=5))
    assert "As of <time" in make_page([], NOW.astimezone(zone))
    assert "2026-11-28 21:40 UTC" in make_page([], NOW.astimezone(zone))


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("start", [None, "0001-01-01T00:00:00Z"])
def test_ends_at_the_edges_of_the_calendar(start: str | None, end: str) -> None:
    certificate = {"not_before": start, "not_after": end}
    page = make_page([order("1", names=["a.example"], certificate=certificate)], NOW)
    assert "a.example" in Reader(page).text


def test_what_is_in_service_may_be_another_certificate() -> None:
    served = {"state": "unknown", "not_after": day(2), "msg": "there is no answer about order 1"}
    page = Reader(make_page([{**unanswered("1"), "in_service": served}], NOW))
    text = " ".join(page.text.split())
    assert "www may serve this certificate or another: there is no answer about order 1" in text
