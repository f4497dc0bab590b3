# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the files and commands in guides, so that they can be checked and run.

``guide_pages.py FOLDER`` writes the files.

A guide is read from top to bottom as one story in one folder:

- A block of code with a caption (in Markdown: with a second word after the language) is a file of that name.
- A block of ``shell`` holds commands. What ``cat > NAME <<'EOF'`` writes there is a file as well. A block of ``text``
  after it shows what the last of them printed.
- A comment ``.. sandbox: WORDS`` or ``<!-- sandbox: WORDS -->``, which readers do not see, says what happens at the
  provider meanwhile. ``tests/e2e/test_guides.py`` knows the words.
"""

from __future__ import annotations

import pathlib
import re
import shutil
import sys
import textwrap
import typing as t

TREE = pathlib.Path(__file__).resolve().parents[2]

_RST_BLOCK = re.compile(
    r"^\.\. code-block:: *(?P<language>\S+)\n"
    r"(?P<options>(?: +:\S+:.*\n)*)\n"
    r"(?P<body>(?: +.*\n|\n(?= |\n+ ))+)",
    re.MULTILINE,
)
_RST_CAPTION = re.compile(r":caption: *(?P<caption>.+)")
_MARKDOWN_BLOCK = re.compile(r"^```(?P<language>\S+) *(?P<caption>\S*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_HERE_DOCUMENT = re.compile(r"^cat > (?P<name>\S+) <<'EOF'\n(?P<body>.*?)^EOF\n", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^(?:\.\. sandbox: (?P<rst>.+)|<!-- sandbox: (?P<markdown>.+) -->)$", re.MULTILINE)


class Piece(t.NamedTuple):
    """A part of a guide.

    Arguments:
        kind: file, commands, output, note (an excerpt that is neither run nor written) or sandbox.
        name: of a file; else the language.
        text: without the indentation; of sandbox the words.
        line: where it begins in the guide, for messages.
    """

    kind: str
    name: str
    text: str
    line: int


def guides() -> list[pathlib.Path]:
    """Everything with examples that are not plugin documentation."""
    named = ("README.md", "roles/certificate/README.md", "docs/start.rst")
    pages = [*(TREE / name for name in named), *TREE.glob("docs/docsite/rst/*.rst")]
    return sorted(page for page in pages if page.exists())


def read(guide: pathlib.Path) -> list[Piece]:
    """The pieces of a guide from top to bottom."""
    text = guide.read_text(encoding="utf-8")
    blocks = _RST_BLOCK if guide.suffix == ".rst" else _MARKDOWN_BLOCK
    found = [(match.start(), piece) for match in blocks.finditer(text) for piece in _pieces(match, text)]
    for match in _COMMENT.finditer(text):
        words = match["rst"] or match["markdown"]
        found.append((match.start(), Piece("sandbox", "", words, text.count("\n", 0, match.start()) + 1)))
    return [piece for _position, piece in sorted(found, key=lambda one: one[0])]


def _pieces(match: re.Match[str], text: str) -> list[Piece]:
    """A block, with the files that its commands write in pieces of their own."""
    block = _piece(match, text)
    if block.kind != "commands":
        return [block]
    found: list[Piece] = []
    end = 0
    for written in _HERE_DOCUMENT.finditer(block.text):
        found.append(block._replace(text=block.text[end : written.start()]))
        line = block.line + 1 + block.text.count("\n", 0, written.start())
        found.append(Piece("file", written["name"], written["body"], line))
        end = written.end()
    return [piece for piece in [*found, block._replace(text=block.text[end:])] if piece.text.strip()]


def _piece(match: re.Match[str], text: str) -> Piece:
    options = match.groupdict().get("options") or ""
    titled = _RST_CAPTION.search(options)
    caption = titled["caption"].strip() if titled else match.groupdict().get("caption") or ""
    language = match["language"]
    kind = "file" if caption else {"shell": "commands", "text": "output"}.get(language, "note")
    body = textwrap.dedent(match["body"]).strip("\n") + "\n"
    return Piece(kind, caption or language, body, text.count("\n", 0, match.start()) + 1)


def main() -> int:
    """Write the files of all guides below the folder that the command line names, for linters."""
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    for guide in guides():
        for piece in read(guide):
            if piece.kind == "file":
                # A file that is written anew further down is another file for a linter.
                path = folder / f"{guide.stem}-{piece.line}" / piece.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(piece.text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
