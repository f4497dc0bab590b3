# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds in a command what only a shell would understand: without one, it would silently be a word like any other.

Source: POSIX.1-2017, Shell Command Language, sections 2.2 (quoting), 2.3 (tokens) and 2.6 (word expansions).
"""

from __future__ import annotations

import re

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
#: What stands between quotes, or behind a backslash, and is taken as it is.
_QUOTED = re.compile(r"'[^']*'|\\[^\n]")
#: What a shell expands, also between double quotes.
_EXPANSION = re.compile(r"`|\$[A-Za-z0-9_{(@*#?$!-]")
_OPERATOR = re.compile(r"[0-9]*[<>][<>&|]*[0-9-]*|[&|;]+|[()]|\\?\n")
#: At the beginning of a word: a home directory, a comment.
_BEGINNING = re.compile(r"~(?:[A-Za-z_][\w.-]*)?(?=/|\s|\Z)|#")
_ASSIGNMENT = re.compile(rf"{_NAME}=")
#: A pattern of names of files, where the word is a path, or a list in braces.
_GLOB = re.compile(r"(?!\S*://)(?=\S*/)[^\s'\"\\]*(?:[*?]|\[[^\s\]]+\])|[^\s'\"\\]*\{[^\s{}]*(?:,|\.\.)[^\s{}]*\}")


def shell_syntax(command: str) -> str | None:
    """The first part of a command, a string, that only a shell would understand; None where there is none."""
    text = command.strip()
    found = _ASSIGNMENT.match(text)
    if found:
        return found.group(0)
    position, in_quotes, at_beginning = 0, False, True
    while position < len(text):
        quoted = None if in_quotes and text[position] == "'" else _QUOTED.match(text, position)
        if quoted:
            position, at_beginning = quoted.end(), False
            continue
        found = _EXPANSION.match(text, position)
        if not (found or in_quotes):
            found = _OPERATOR.match(text, position)
            if not found and at_beginning:
                found = _BEGINNING.match(text, position) or _GLOB.match(text, position)
        if found:
            return found.group(0)
        if text[position] == '"':
            in_quotes = not in_quotes
        at_beginning = not in_quotes and text[position].isspace()
        position += 1
    return None
