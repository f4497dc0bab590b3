# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws docs/images/NAME.svg from docs/pictures/NAME.txt, for light and dark screens: ``draw.py``.

A picture is a text with one thing on each line. Lengths are in pixels; "|" separates lines of text.

    size WIDTH HEIGHT              of the picture; the first line
    title TEXT                     what is seen, for those who do not see it
    lane X Y WIDTH HEIGHT WHERE TEXT       a band behind what follows; WHERE its name stands: top, or side
    box ID X Y WIDTH HEIGHT KIND TEXT      lines that begin with "*" are bold; KIND: plain, us, open, good, bad
    arrow FROM.SIDE TO.SIDE KIND TEXT      SIDE: top, bottom, left, right, and how far along it in percent (50);
                                   it bends at right angles; KIND: plain, good, bad
    terminal TEXT                  the whole rest of the file is what a terminal shows
"""

from __future__ import annotations

import re
import sys
import typing as t
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent / "images"

_LINE = 17
#: Width and height of a character in a terminal, and the space around the text.
_CELL = (7.2, 18)
_MARGIN = 18

_STYLE = """
  svg { color-scheme: light dark; }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1f2933; }
  .paper { fill: #ffffff; } .lane { fill: #f3f5f8; }
  .b { font-weight: 600; } .small { font-size: 12px; fill: #5b6773; }
  rect.box { stroke-width: 1.5; rx: 8px; }
  .plain { fill: #ffffff; stroke: #8a96a3; } .us { fill: #e6f0ff; stroke: #2f6fd6; }
  .open { fill: #fff4d6; stroke: #b7791f; }
  .good { fill: #dff5e3; stroke: #23864a; } .bad { fill: #fde5e2; stroke: #c53b2c; }
  path { fill: none; stroke-width: 1.6; }
  .a-plain { stroke: #5b6773; } .a-good { stroke: #23864a; } .a-bad { stroke: #c53b2c; }
  .a-bad { stroke-dasharray: 6 4; } .h-plain { fill: #5b6773; } .h-good { fill: #23864a; } .h-bad { fill: #c53b2c; }
  .on-arrow { font-size: 12px; fill: #3d4853; paint-order: stroke; stroke: #ffffff; stroke-width: 5px; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e3e8ee; } .paper { fill: #12161b; } .lane { fill: #1b2129; } .small { fill: #9aa7b5; }
    .plain { fill: #12161b; stroke: #7b8794; } .us { fill: #14294a; stroke: #6aa3ff; }
    .open { fill: #3a2d0d; stroke: #e0b04a; }
    .good { fill: #10331e; stroke: #57c27d; } .bad { fill: #401a16; stroke: #f0877b; }
    .a-plain { stroke: #9aa7b5; } .a-good { stroke: #57c27d; } .a-bad { stroke: #f0877b; }
    .h-plain { fill: #9aa7b5; } .h-good { fill: #57c27d; } .h-bad { fill: #f0877b; }
    .on-arrow { fill: #c8d1db; stroke: #12161b; }
  }
"""
_TERMINAL_STYLE = """
  .screen { fill: #14181d; stroke: #2b323a; } .bar { fill: #242b33; }
  text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d5dce4; }
  .prompt { fill: #ffffff; font-weight: 700; } .heading { fill: #ffffff; font-weight: 700; }
  .wait { fill: #e6c067; } .done { fill: #6fd08c; } .changed { fill: #e6c067; } .name { fill: #7fb2ff; }
"""
#: How a line of a terminal is colored, the first that matches.
_COLORS = (
    ("prompt", r"\$ "),
    ("heading", r"(PLAY|TASK) |HOST "),
    ("done", r"order \d+ \(\w+\) issued"),
    ("wait", r"order \d+"),
    ("changed", r"changed: "),
)

Point = t.Tuple[float, float]


class PictureError(Exception):
    """A line of a picture cannot be drawn; the text says which."""


def draw(text: str) -> str:
    """The SVG of a picture."""
    if text.startswith("terminal"):
        title, _newline, rest = text.partition("\n")
        return _terminal(title.partition(" ")[2], rest.rstrip("\n").split("\n"))
    boxes: dict[str, tuple[float, float, float, float]] = {}
    behind, above = [], []
    width = height = "0"
    title = ""
    for line in filter(str.strip, text.splitlines()):
        word, _space, given = line.partition(" ")
        if word == "size":
            width, height = given.split()
        elif word == "title":
            title = given
        elif word == "lane":
            x, y, w, h, where, name = given.split(maxsplit=5)
            behind.append(f'<rect class="lane" x="{x}" y="{y}" width="{w}" height="{h}" rx="10"/>')
            above += _words(float(x) + 14, float(y) + (float(h) / 2 if where == "side" else 18), name, "start")
        elif word == "box":
            name, x, y, w, h, kind, words = given.split(maxsplit=6)
            boxes[name] = float(x), float(y), float(w), float(h)
            above += _box(boxes[name], kind, words)
        elif word == "arrow":
            start, end, kind, *label = given.split(maxsplit=3)
            behind += _arrow(_side(boxes, start), _side(boxes, end), kind, "".join(label))
        else:
            raise PictureError(f"no picture has a {word}: {line}")
    body = [f'<rect class="paper" width="{width}" height="{height}" rx="10"/>', *behind, *above]
    return _svg(width, height, title, _STYLE, body)


def _svg(width: object, height: object, title: str, style: str, body: t.Sequence[str]) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">',
        "<!-- SPDX-License-Identifier: GPL-3.0-or-later. Made by docs/pictures/draw.py: change the text there. -->",
        f'<title id="title">{escape(title)}</title>',
        f"<style>{style}</style>",
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _box(place: tuple[float, float, float, float], kind: str, words: str) -> list[str]:
    x, y, w, h = place
    drawn = [f'<rect class="box {kind}" x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}"/>']
    return drawn + _words(x + w / 2, y + h / 2, words, "middle")


def _words(x: float, middle: float, words: str, anchor: str) -> list[str]:
    """Lines of text whose middle is at a height."""
    lines = words.split("|")
    first = middle - (len(lines) - 1) * _LINE / 2 + 4.5
    return [
        _text(x, first + number * _LINE, line.lstrip("*"), "b" if line.startswith("*") else "small", anchor)
        for number, line in enumerate(lines)
    ]


def _side(boxes: t.Mapping[str, tuple[float, float, float, float]], name: str) -> tuple[Point, Point]:
    """A point on the edge of a box, and the direction that leads away from it."""
    found = re.fullmatch(r"(\w+)\.(top|bottom|left|right)(\d+)?", name)
    if found is None or found[1] not in boxes:
        raise PictureError(f"no box has the side {name}")
    x, y, w, h = boxes[found[1]]
    share = float(found[3] or 50) / 100
    return {
        "top": ((x + w * share, y), (0.0, -1.0)),
        "bottom": ((x + w * share, y + h), (0.0, 1.0)),
        "left": ((x, y + h * share), (-1.0, 0.0)),
        "right": ((x + w, y + h * share), (1.0, 0.0)),
    }[found[2]]


def _arrow(start: tuple[Point, Point], end: tuple[Point, Point], kind: str, words: str) -> list[str]:
    (x1, y1), (dx, dy) = start
    (x2, y2), (ex, ey) = end
    if dx and ex:  # leaves and arrives sideways
        middle = (x1 + x2) / 2 if dx != ex else max(x1, x2) + 24 if dx > 0 else min(x1, x2) - 24
        corners = [(middle, y1), (middle, y2)]
    elif dy and ey:
        middle = (y1 + y2) / 2 if dy != ey else max(y1, y2) + 24 if dy > 0 else min(y1, y2) - 24
        corners = [(x1, middle), (x2, middle)]
    else:
        corners = [(x2, y1)] if dx else [(x1, y2)]
    # The head is 8 long; the line ends inside of it.
    points = [(x1, y1), *corners, (x2 + ex * 6, y2 + ey * 6)]
    line = " ".join(f"{'L' if number else 'M'}{x:g},{y:g}" for number, (x, y) in enumerate(points))
    left = (x2 + ex * 9 - ey * 4.5, y2 + ey * 9 + ex * 4.5)
    right = (x2 + ex * 9 + ey * 4.5, y2 + ey * 9 - ex * 4.5)
    head = " ".join(f"{x:g},{y:g}" for x, y in ((x2, y2), left, right))
    drawn = [f'<path class="a-{kind}" d="{line}"/>', f'<polygon class="h-{kind}" points="{head}"/>']
    if words:
        # On the longest part of the line.
        parts = list(zip(points, points[1:], strict=False))
        (ax, ay), (bx, by) = max(parts, key=lambda part: abs(part[0][0] - part[1][0]) + abs(part[0][1] - part[1][1]))
        lines = words.split("|")
        for number, one in enumerate(lines):
            y = (ay + by) / 2 + 4 + (number - (len(lines) - 1) / 2) * 15 - (10 * len(lines) if ay == by else 0)
            drawn.append(_text((ax + bx) / 2, y, one, "on-arrow", "middle"))
    return drawn


def _terminal(title: str, lines: t.Sequence[str]) -> str:
    cell, line_height = _CELL
    width = round(max(map(len, lines)) * cell + 2 * _MARGIN)
    height = len(lines) * line_height + 2 * _MARGIN + 28
    body = [
        f'<rect class="screen" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="9"/>',
        f'<path class="bar" d="M1,28 V10 Q1,1 10,1 H{width - 10} Q{width - 1},1 {width - 1},10 V28 Z"/>',
    ]
    for number, color in enumerate(("#f0675c", "#e6b84d", "#5bbf6a")):
        body.append(f'<circle cx="{18 + number * 18}" cy="14.5" r="5.5" fill="{color}"/>')
    for number, line in enumerate(lines):
        if line.strip():
            kind = next((name for name, pattern in _COLORS if re.match(pattern, line)), "")
            bare = line.lstrip(" ")
            x, y = _MARGIN + (len(line) - len(bare)) * cell, 28 + _MARGIN + number * line_height + 12
            # The length is given, so that columns stand below each other in any font.
            length = len(bare) * cell
            body.append(
                f'<text x="{x:g}" y="{y:g}" class="{kind}" textLength="{length:g}" lengthAdjust="spacingAndGlyphs" '
                f'xml:space="preserve">{escape(bare)}</text>'
            )
    return _svg(width, height, title, _TERMINAL_STYLE, body)


def main() -> int:
    """Draw all pictures."""
    IMAGES.mkdir(exist_ok=True)
    for source in sorted(HERE.glob("*.txt")):
        (IMAGES / f"{source.stem}.svg").write_text(draw(source.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
