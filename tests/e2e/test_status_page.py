# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the playbook status in a real browser: wide and narrow, without scripts, printed, with hostile texts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from browser import Browser, find_browser

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

WIDTHS = (1400, 400)
PAY = "https://store.example.com/checkout?order_id=8765309"

#: What a page has to show, from bottom to top.
FLEET = [
    order("830001111", "canceled", ["gone.example.org"], provider="sectigo", host="gone"),
    order("88120100", "issuing", ["pay.example.org"], blockers=[blocker("the CA is at work", "provider")], host="pay"),
    order("88120099", names=[f"{one}.api.example.org" for one in "abcdef"], start=-20, end=179, host="api"),
    order("2204418", names=["wiki.example.org"], start=-5, end=42, coverage={"ends": day(120)}, host="wiki"),
    order("2204500", names=["blog.example.org"], start=-33, end=14, host="blog"),
    *(order("88120034", names=["shop.example.org"], start=-43, end=4, host=host) for host in ("shop1", "shop2")),
    order("88119001", "expired", ["old.example.org"], start=-201, end=-2, host="old"),
    order("88120035", "action_required", ["news.example.org"], blockers=[blocker("pay it", url=PAY)], host="news"),
    order("830045512", "validating", ["m" * 63 + ".example.org"], blockers=[blocker("publish " + "x" * 300)], host="m"),
    unanswered("4711", "db"),
]
#: The orders from top to bottom.
ROWS = [
    "4711",
    "830045512",
    "88120035",
    "88119001",
    "88120034",
    "2204500",
    "2204418",
    "88120099",
    "88120100",
    "830001111",
]
ORDERS = "[...document.querySelectorAll('tbody tr')].map(row => row.textContent.match(/order (\\d+)/)[1])"
#: What stands out of its place: texts that are cut off or that run over the page, and bars beside their lane.
MISPLACED = """[...document.querySelectorAll('main *')].filter(one => {
  if (one.closest('.hide') || getComputedStyle(one).display === 'none') return false;
  const box = one.getBoundingClientRect();
  if (!box.width) return false;
  if (box.left < -0.5 || box.right > innerWidth + 0.5) return true;
  const lane = one.closest('td.c-time');
  if (!lane || one === lane) return false;
  const room = lane.getBoundingClientRect();
  return box.left < room.left - 6 || box.right > room.right + 6;
}).map(one => one.outerHTML.slice(0, 120))"""
#: The contrast between each text of a state and what is behind it, as WCAG counts it.
CONTRASTS = """(() => {
  const light = color => color.match(/[\\d.]+/g).slice(0, 3).map(one => {
    one /= 255; return one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = one => {
    const color = getComputedStyle(one).backgroundColor;
    return /, 0\\)$|transparent/.test(color) ? behind(one.parentElement) : color;
  };
  const texts = '.level, .sums li, small, .who, a, h1, .none, summary, thead button';
  return [...document.querySelectorAll(texts)].map(one => {
    const pair = [light(getComputedStyle(one).color), light(behind(one))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  });
})()"""


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    with Browser(program, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "certificates.html"
    path.write_text(make_page(FLEET, NOW), encoding="utf-8")
    return path


def click(heading: str) -> str:
    return f"[...document.querySelectorAll('thead button')].find(one => one.textContent === '{heading}').click()"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_everything_is_in_its_place(browser: Browser, page: Path, width: int, scripts: bool) -> None:
    browser.open(page, width, scripts)
    assert browser.evaluate(ORDERS) == ROWS
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(MISPLACED) == []
    assert browser.evaluate("document.querySelectorAll('thead button').length") == (4 if scripts else 0)
    # Nothing was loaded, and nothing complained.
    assert browser.requests == [page.as_uri()]
    assert browser.messages == []
    text = " ".join(browser.text().split())
    for words in (
        "? no answer",
        "→ needs you",
        "✕ ended",
        "! ends soon",
        "↻ renewal due",
        "✓ good",
        "… in progress",
        "– closed",
        "on shop1, shop2",
        "2026-12-02 in 4 days",
        "You: pay it open the page",
        "Provider: the CA is at work",
    ):
        assert words in text
    assert browser.evaluate("[...document.links].map(one => one.href)") == [PAY]


@pytest.mark.parametrize("width", WIDTHS)
def test_bars_stand_on_one_axis(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width, scripts=False)
    edges = """[...document.querySelectorAll('tbody tr')].map(row => {
      const bar = row.querySelector('.bar'), today = row.querySelector('i.today');
      if (!bar) return null;
      const box = bar.getBoundingClientRect(), now = today.getBoundingClientRect().left;
      return [box.left < now, box.right > now, Math.round(box.right)];
    })"""
    old, shop, blog, wiki, api = [edge for edge in browser.evaluate(edges) if edge]
    assert old[:2] == [True, False]
    assert shop[:2] == blog[:2] == wiki[:2] == api[:2] == [True, True]
    assert old[2] < shop[2] < blog[2] < wiki[2] < api[2]
    today = "[...new Set([...document.querySelectorAll('i.today')].map(one => one.getBoundingClientRect().left))]"
    places = [place for place in browser.evaluate(today) if place]
    assert len(places) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_a_click_on_a_heading_sorts(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width)
    browser.evaluate(click("End"))
    assert browser.evaluate(ORDERS)[:3] == ["88119001", "88120034", "2204500"]
    browser.evaluate(click("End"))
    assert browser.evaluate(ORDERS)[-3:] == ["2204500", "88120034", "88119001"]
    assert browser.evaluate("document.querySelector('[aria-sort]').textContent") == "End"
    browser.evaluate(click("Certificate"))
    assert browser.evaluate(ORDERS)[:2] == ["88120099", "2204500"]
    browser.evaluate(click("State"))
    assert browser.evaluate(ORDERS)[:2] == ["4711", "88119001"]
    assert browser.messages == []


def test_names_are_behind_a_click_without_scripts(browser: Browser, page: Path) -> None:
    browser.open(page, 400, scripts=False)
    assert "f.api.example.org" not in browser.text()
    browser.evaluate("document.querySelector('summary').click()")
    assert "f.api.example.org" in browser.text()


def test_the_printed_page_has_it_all(browser: Browser, page: Path) -> None:
    browser.open(page, 1000, print_=True)
    assert browser.evaluate("matchMedia('print').matches")
    assert browser.evaluate("document.documentElement.scrollWidth") <= 1000
    assert browser.evaluate(MISPLACED) == []
    # No paper can be clicked.
    height = "document.querySelector('details').offsetHeight / document.querySelector('summary').offsetHeight"
    assert browser.evaluate(height) > 4
    assert browser.evaluate("getComputedStyle(document.links[0], '::after').content") == f'" ({PAY})"'
    assert "rgba(0, 0, 0, 0)" in browser.evaluate("getComputedStyle(document.querySelector('.level')).backgroundColor")
    printed = browser.pdf()
    assert printed.startswith(b"%PDF-")
    assert 1 <= printed.count(b"/Type /Page\n") <= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read_in_light_and_in_the_dark(browser: Browser, page: Path, scheme: str) -> None:
    browser.open(page, 1400, prefers_color_scheme=scheme)
    found = browser.evaluate(CONTRASTS)
    assert len(found) > 40
    assert min(found) >= 4.5
    shade = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shade == "rgb(246, 247, 249)") is (scheme == "light")


@pytest.mark.parametrize("width", WIDTHS)
def test_no_text_of_others_becomes_part_of_the_page(browser: Browser, tmp_path: Path, width: int) -> None:
    orders = []
    for number, text in enumerate([*HOSTILE, *map(str, NO_LINKS)]):
        served = {"state": text, "not_after": day(2), "msg": text}
        blockers = [blocker(text, url=text), blocker(text, text, text)]
        fields: dict[str, t.Any] = {"reason": text, "action_urls": {text: text}, "in_service": served}
        orders += [
            order(str(number), "validating", [text] * 4, host=text, provider=text, blockers=blockers, **fields),
            order(text, text, [text], end=number, blockers=blockers),
            unanswered(text, text, text, text),
        ]
    path = tmp_path / "hostile.html"
    path.write_text(make_page(orders, NOW, HOSTILE[0]), encoding="utf-8")
    browser.open(path, width)
    assert browser.evaluate("document.title").startswith(HOSTILE[0])
    assert browser.requests == [path.as_uri()]
    assert browser.messages == []
    count = "[...document.querySelectorAll({0})].length"
    assert browser.evaluate(count.format("'img, svg, iframe, object, b:not(.bar b), [onerror], [onload]'")) == 0
    assert browser.evaluate(count.format("'script'")) == browser.evaluate(count.format("'style'")) == 1
    assert browser.evaluate("document.links.length") == 0
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(MISPLACED) == []


def test_the_policy_of_the_page_holds_what_escaping_might_miss(browser: Browser, page: Path) -> None:
    browser.open(page, 1400)
    browser.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"https://elsewhere.example/x.png\" "
        'onerror="document.title=1"><a onclick="document.title=2" id="link">x</a>\')'
    )
    browser.evaluate("document.getElementById('link').click()")
    assert browser.evaluate("document.title").startswith("Certificates")
    assert any("Content Security Policy" in message for message in browser.messages)
