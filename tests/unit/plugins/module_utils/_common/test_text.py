# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of others steer neither a terminal nor a CI system."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._common.text import clean_data, clean_line, clean_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, 100 % of them: é ü 漢字 🙂", "plain words, 100 % of them: é ü 漢字 🙂"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("lines\r\nof another\rsystem", "lines\nof another\nsystem"),
        ("\x1b[31mred\x1b[0m \x9b2J \x07\x00\x7f", "\ufffd[31mred\ufffd[0m \ufffd2J \ufffd\ufffd\ufffd"),
        ("\u202egnp.exe \u2066\u200f\u061c\u200b\ufeff", "\ufffdgnp.exe \ufffd\ufffd\ufffd\ufffd\ufffd"),
        ("a\u2028b\ud800", "a\ufffdb\ufffd"),
        ("##vso[task.setvariable variable=x]y", "# #vso[task.setvariable variable=x]y"),
        ("x ##[error]y ##teamcity[z]", "x # #[error]y # #teamcity[z]"),
        ("::error::x", ": :error::x"),
        ("a\n  ::set-output name=x::y", "a\n  : :set-output name=x::y"),
        (":::error::x", ":::error::x"),
        ("## heading, C## and #1", "## heading, C## and #1"),
        ("2001:db8::beef ::1 ::ffff:192.0.2.1 fe80::a::", "2001:db8::beef ::1 ::ffff:192.0.2.1 fe80::a::"),
        ("std::string and Foo::Bar::baz", "std::string and Foo::Bar::baz"),
    ],
)
def test_what_is_made_of_a_text(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@given(st.text())
def test_no_control_character_and_no_command_is_left(text: str) -> None:
    for cleaned in (clean_text(text), clean_line(text)):
        assert not any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in cleaned if one not in "\n\t")
        assert not any(unicodedata.bidirectional(one) in BIDIRECTIONAL for one in cleaned)
        assert clean_text(cleaned) == cleaned


BIDIRECTIONAL = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@given(st.text(st.sampled_from("#:[]avso error\n\r\x1b")))
def test_no_command_to_a_ci_system_is_left(text: str) -> None:
    for cleaned in (clean_text(text), clean_line(text)):
        assert re.search(r"##[a-z.]*\[", cleaned) is None
        assert re.search(r"^\s*::[a-z]+(?: [^\n]*)?::", cleaned, re.MULTILINE) is None


@given(st.text())
def test_a_line_is_one_line_that_can_be_printed(text: str) -> None:
    assert clean_line(text).isprintable()
    assert len(clean_line(text, 10)) <= 11


def test_a_line_is_cut_off_where_it_is_too_long() -> None:
    assert clean_line("a\x1b b\r\nc", 5) == "a b c"
    assert clean_line("abcdef", 5) == "abcde…"


def test_data_keeps_its_types() -> None:
    data = {"a\x1b": ["\r", ("x",)], "n": 5, "f": 1.5, "t": True, "z": None}
    assert clean_data(data) == {"a\ufffd": ["\n", ["x"]], "n": 5, "f": 1.5, "t": True, "z": None}


@pytest.mark.parametrize("repeated", ["::a ", "::", ":", "##", "##a", "#", "\r", "\x1b", "::a", "::aa::", "::a-", " "])
def test_a_hostile_text_takes_linear_time(repeated: str) -> None:
    """Patterns that are not linear took 22 s for a third of it."""
    text = repeated * (200_000 // len(repeated))
    assert len(clean_text(text)) <= 2 * len(text)
    assert len(clean_line(text, 100)) <= 101
