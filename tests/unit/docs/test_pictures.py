# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures are what their text says, and what they say fits."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.certops.issuance.tests.unit.by_path import load

_DOCS = Path(__file__).resolve().parents[3] / "docs"
_PICTURES = sorted(_DOCS.glob("pictures/*.txt"))
_SVG = "{http://www.w3.org/2000/svg}"
#: The width of a letter on average, in pixels: what a line of text needs at least.
_LETTER = 5.6

_draw: t.Callable[[str], str] = load(_DOCS / "pictures/draw.py").draw


def test_each_picture_has_its_text() -> None:
    assert _PICTURES
    drawn = {path.stem for path in _DOCS.glob("images/*.svg")}
    assert drawn == {path.stem for path in _PICTURES}


@pytest.mark.parametrize("source", _PICTURES, ids=lambda path: path.stem)
def test_the_picture_is_up_to_date(source: Path) -> None:
    picture = _DOCS / "images" / f"{source.stem}.svg"
    assert picture.read_text(encoding="utf-8") == _draw(source.read_text(encoding="utf-8")), "run docs/pictures/draw.py"


@pytest.mark.parametrize("source", _PICTURES, ids=lambda path: path.stem)
def test_it_says_what_is_seen_and_stays_inside(source: Path) -> None:
    root = ElementTree.fromstring(_draw(source.read_text(encoding="utf-8")))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert len(root.findtext(f"{_SVG}title", "")) > 30
    for text in root.iter(f"{_SVG}text"):
        x, y, room = float(text.attrib["x"]), float(text.attrib["y"]), len(text.text or "") * _LETTER
        left = x - room / 2 if text.attrib.get("text-anchor") == "middle" else x
        assert left >= 0
        assert left + room <= width
        assert 0 < y < height


@pytest.mark.parametrize("source", _PICTURES, ids=lambda path: path.stem)
def test_the_text_of_a_box_fits(source: Path) -> None:
    for width, words in re.findall(r"^box \S+ \S+ \S+ (\S+) \S+ \S+ (.+)$", source.read_text(encoding="utf-8"), re.M):
        for line in words.split("|"):
            # Bold letters are wider.
            assert len(line.lstrip("*")) * (7.0 if line.startswith("*") else _LETTER) <= float(width) - 8, line


@pytest.mark.parametrize("line", ["circle 1 2 3", "arrow a.top b.left plain", "arrow a.middle a.top plain"])
def test_a_line_that_cannot_be_drawn(line: str) -> None:
    with pytest.raises(Exception, match="no (picture|box) has"):
        _draw(f"size 100 100\nbox a 1 1 50 50 us a\n{line}\n")
