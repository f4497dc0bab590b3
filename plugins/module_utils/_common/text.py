# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of others, made safe to print: a provider or a server may steer neither a terminal nor a CI system.

Private to this collection. Every text that somebody else wrote passes one of these on its way to a result, a message
or a progress line. Uses the standard library alone, and takes linear time.
"""

from __future__ import annotations

import re
import typing as t

#: Stands for a character that was taken out.
REPLACEMENT = "\ufffd"
#: Ends a text that was cut off.
ELLIPSIS = "…"
#: Control characters (C0 but tab and line feed, DEL, C1), invisible and bidirectional ones, separators of lines,
#: halves of surrogate pairs, and tags.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
#: Where a line may be a command to a CI system: ##vso[…], ##[error], ##teamcity[…] anywhere in a line, and
#: ::error file=x::… where it begins a line. No IPv6 address looks like the last.
_CI_COMMAND = re.compile(r"#(?=#[\w.-]{0,60}\[)|(?<![0-9A-Za-z:]):(?=:[A-Za-z][\w-]{0,60}(?:::|[ \t]))", re.ASCII)


def clean_text(text: str) -> str:
    """The text without control characters and with commands to CI systems broken up. Lines and tabs stay."""
    if not text.isprintable():
        text = _CONTROL.sub(REPLACEMENT, text.replace("\r\n", "\n").replace("\r", "\n"))
    if "##" in text or "::" in text:
        text = _CI_COMMAND.sub(r"\g<0> ", text)
    return text


def clean_line(text: str, max_length: int | None = None) -> str:
    """The text on one line, without anything that cannot be printed, cut off after ``max_length`` characters."""
    if not text.isprintable():
        text = "".join([character if character.isprintable() else " " for character in text])
    line = clean_text(" ".join(text.split()))
    return line if max_length is None or len(line) <= max_length else line[:max_length] + ELLIPSIS


def clean_data(value: t.Any) -> t.Any:
    """Plain data (as JSON knows it) with each of its texts cleaned, names of fields included; all else as it is."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_data(key): clean_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean_data(item) for item in value]
    return value
