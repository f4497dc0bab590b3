# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever body comes, reading it gives data that can be written again, or one clear error."""

from __future__ import annotations

import contextlib
import json
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import UnexpectedResponse
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Response


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_whatever_json_comes_can_be_written_again(value: t.Any) -> None:
    read = Response(200, json.dumps(value).encode("ascii")).json()
    json.dumps(read, allow_nan=False).encode("utf-8")
    json.dumps(read, ensure_ascii=False, allow_nan=False).encode("utf-8")


@given(st.binary())
def test_no_body_breaks_the_reader(body: bytes) -> None:
    response = Response(200, body)
    assert isinstance(response.text(), str)
    with contextlib.suppress(UnexpectedResponse):
        json.dumps(response.json(), allow_nan=False)


@pytest.mark.parametrize("shape", ["[{0}]", '{{"a": {0}}}'])
def test_what_is_nested_deeper_than_anybody_can_print_is_refused(shape: str) -> None:
    def nested(levels: int) -> Response:
        body = "1"
        for _level in range(levels):
            body = shape.format(body)
        return Response(200, body.encode("ascii"))

    assert nested(100).json()
    for levels in (101, 400):
        with pytest.raises(UnexpectedResponse, match="nested too deeply"):
            nested(levels).json()


@pytest.mark.parametrize("piece", ["[],", "{},", "0,"])
def test_json_of_more_values_than_memory_should_hold_is_refused(piece: str) -> None:
    body = "[" + piece * 1_000_001 + "0]"
    with pytest.raises(UnexpectedResponse, match="more values") as caught:
        Response(200, body.encode("ascii")).json()
    assert not caught.value.retryable


def test_odd_values_in_json() -> None:
    body = b'{"big": 123456789012345678901234567890, "nan": NaN, "inf": 1e999, "lone": "\\ud800"}'
    assert Response(200, body).json() == {
        "big": "123456789012345678901234567890",
        "nan": None,
        "inf": "1e999",
        "lone": "\ufffd",
    }
    assert Response(200, b"\xef\xbb\xbf{}").json() == {}
    assert Response(200, b'{"name": "M\xfcller"}').json() == {"name": "M\u00fcller"}
