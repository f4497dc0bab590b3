# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a provider wrote, a result that leaves has no secret, steers no terminal, and has few warnings."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import HIDDEN, Redactor
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Blocker,
    Domain,
    Order,
    Record,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.result import (
    MAX_WARNINGS,
    clean_result,
)

SECRET = "hunter2-hunter2"
#: What steers a terminal, turns a line around, or is a command to a CI system.
HOSTILE = "\x1b[2J\u202e\r##vso[task.complete]x\n::error::y \x9b\x00 ##[group]z " + SECRET
STEERS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|##[a-z.]*\\[|^\\s*::[a-z]+::", re.MULTILINE
)


def texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (str(key), *texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def hostile_order() -> dict[str, t.Any]:
    """An order with the hostile text wherever a provider's text may be."""
    order = Order(
        provider="digicert",
        order_id="1",
        status="rejected",
        provider_status=HOSTILE,
        domains=(Domain(name=HOSTILE, status="unknown", method=HOSTILE, record=Record("TXT", HOSTILE, HOSTILE)),),
        blockers=(Blocker(check="dcv", subject=HOSTILE, actor="you", message=HOSTILE, url=HOSTILE),),
        reason=HOSTILE,
        action_urls={"dcv": HOSTILE},
        warnings=(HOSTILE,),
    )
    raw = {HOSTILE: [HOSTILE, 5, 1.5, True, None, {"pem": "-----BEGIN X-----\r\nYWJj\x1b\r\n"}]}
    return dict(order.to_dict(), raw=raw)


def test_nothing_that_a_provider_wrote_steers_anything_or_has_a_secret_in_it() -> None:
    result = {"msg": HOSTILE, "failed": True, "orders": [hostile_order()], "errors": [{"msg": HOSTILE}]}
    result["warnings"] = [HOSTILE]
    cleaned = clean_result(result, Redactor([SECRET]))
    found = list(texts(cleaned))
    assert sum(HIDDEN in text for text in found) >= 14
    for text in found:
        assert STEERS.search(text) is None
        assert SECRET not in text
    assert "\n" not in cleaned["msg"] + cleaned["warnings"][0] + cleaned["orders"][0]["warnings"][0]
    (raw,) = cleaned["orders"][0]["raw"].values()
    assert raw[1:5] == [5, 1.5, True, None]
    assert raw[5] == {"pem": "-----BEGIN X-----\nYWJj\ufffd\n"}


def test_what_is_ours_is_left_as_it_is() -> None:
    result = {"certificate": "YWJj\n", "chain": "abc", "fullchain": "abcabc", "names": ["abc"], "changed": False}
    cleaned = clean_result(result, Redactor(["abc", "names"]))
    assert cleaned == {**result, "names": [HIDDEN]}
    order = hostile_order()
    before = json.dumps(order)
    clean_result({"orders": [order], "warnings": []}, Redactor([SECRET]))
    assert json.dumps(order) == before


@pytest.mark.parametrize("count", [1, MAX_WARNINGS, MAX_WARNINGS + 1, 150_000])
def test_many_warnings_are_counted_and_not_shown(count: int) -> None:
    many = [f"name {number} is not known" for number in range(count)]
    cleaned = clean_result({"warnings": many * 2, "orders": [{"warnings": many}]}, Redactor())
    for warnings in (cleaned["warnings"], cleaned["orders"][0]["warnings"]):
        assert warnings[:MAX_WARNINGS] == many[:MAX_WARNINGS]
        rest = [f"and {count - MAX_WARNINGS} more warnings"] if count > MAX_WARNINGS else []
        assert warnings[MAX_WARNINGS:] == rest


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_whatever_data_comes_it_can_be_written_and_steers_nothing(raw: t.Any) -> None:
    cleaned = clean_result({"orders": [{"raw": raw, "warnings": []}]}, Redactor([SECRET]))
    json.dumps(cleaned, ensure_ascii=False).encode("utf-8")
    assert not any(STEERS.search(text) for text in texts(cleaned))


def test_the_reason_of_an_order_is_cut_and_still_holds_no_part_of_a_secret() -> None:
    reason = "x" * 1995 + "hunter2-hunter2" + "y" * 3_000_000
    cleaned = clean_result({"orders": [{"reason": reason}]}, Redactor(["hunter2-hunter2"]))["orders"][0]["reason"]
    assert len(cleaned) < 2100
    assert "hunt" not in cleaned
