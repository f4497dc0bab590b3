# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cPanel: the next item that the server opens by itself, and what it has installed."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel.follow_up import (
    find_installed,
    find_item,
)

NAMES = ["shop.example.org", "www.shop.example.org"]
AFTER = "2026-09-02T00:00:00Z"
BEGIN = 1788307200  # the same moment


def item(order_item_id: str, **fields: t.Any) -> dict[str, t.Any]:
    """An item of the queue for the same names, opened a day later."""
    return {
        "order_item_id": order_item_id, "provider": "cPStore", "status": "confirmed", "created_time": BEGIN + 86400,
        "domains": ["shop.example.org"], "certificate_id": None, "originating_certificate_id": None, **fields,
    }  # fmt: skip


def queue(*items: dict[str, t.Any]) -> dict[str | None, t.Any]:
    """The queue by order_item_id."""
    return {one["order_item_id"]: one for one in items}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], None),
        ([item("8")], "8"),
        ([item("8", domains=NAMES)], "8"),
        ([item("8", domains=["else.example.org"])], None),
        ([item("8", created_time=BEGIN)], None),  # the certificate in service came from it
        ([item("8", created_time=str(BEGIN + 1))], "8"),
        ([item("9", created_time=BEGIN + 2), item("8", created_time=BEGIN + 3)], "8"),
        ([item("9"), item("8", created_time=BEGIN + 90000, last_status_code="OrderCanceled")], "9"),
        (
            [item("7", certificate_id="9001", created_time=1), item("8", originating_certificate_id=9001, domains=[])],
            "8",
        ),
        ([item("7", created_time=1), item("8", originating_certificate_id="9001", domains=["a.example"])], None),
    ],
)
def test_the_item_for_the_next_certificate(items: list[dict[str, t.Any]], expected: str | None) -> None:
    assert find_item(queue(*items), "7", NAMES, AFTER) == expected


def host(pem: str, **fields: t.Any) -> dict[str, t.Any]:
    """An installed certificate for the same names, of a day later."""
    certificate = {"id": "1", "domains": NAMES, "not_before": BEGIN + 86400, "is_self_signed": 0, **fields}
    return {"servername": "shop.example.org", "certificate_text": pem, "certificate": certificate}


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        ([], None),
        ([host("new")], "new"),
        ([host("old", not_before=BEGIN)], None),
        ([host("new", domains=["else.example.org"])], None),
        ([host("new", is_self_signed=1)], None),
        ([host("new"), host("newer", not_before=BEGIN + 90000)], "newer"),
        ([{"certificate": None}], None),
    ],
)
def test_the_certificate_that_is_installed_already(hosts: list[dict[str, t.Any]], expected: str | None) -> None:
    assert find_installed(hosts, NAMES, AFTER) == expected
