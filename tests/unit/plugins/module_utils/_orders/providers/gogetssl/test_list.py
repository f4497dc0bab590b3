# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GoGetSSL: the list of an account's orders. Section 5 of the sheet on orders."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.gogetssl.client import GogetsslProvider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.paging import OrderList
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

KEY = "0f1e2d3c"
AUTH = ({"method": "POST", "path": "/auth/"}, answer({"key": KEY, "success": True}))


def listing(offset: int) -> dict[str, t.Any]:
    query = {"auth_key": KEY, "limit": "1000", "offset": str(offset)}
    return {"method": "GET", "path": "/orders/ssl/all", "query": query, "form": None}


def batch(*order_ids: str) -> dict[str, t.Any]:
    return {"method": "POST", "path": "/orders/statuses/", "form": {"cids": ",".join(order_ids)}}


def page(*items: t.Any, **fields: t.Any) -> t.Any:
    return answer({"orders": list(items), "limit": 1000, "offset": 0, "count": len(items), "success": True, **fields})


def item(order_id: t.Any, status: str) -> dict[str, t.Any]:
    return {"order_id": order_id, "status": status}


def fetch(*exchanges: t.Any) -> OrderList:
    transport = ScriptedTransport(AUTH, *exchanges)
    account = Account("gogetssl", "https://my.gogetssl.com/api", username="somebody", password="hunter2")
    found = GogetsslProvider(account, transport).fetch_list()
    transport.assert_finished()
    return found


def test_the_list_has_words_and_the_batch_reply_ends() -> None:
    certificates = [
        {"order_id": "1501", "status": "active", "expires": "2026-12-16"},
        {"order_id": 1502, "status": "active", "expires": "0000-00-00"},
        {"order_id": "1503", "status": "reissue", "expires": "2026-12-16"},
        {"order_id": "9999", "status": "active", "expires": "2026-12-16"},
    ]
    found = fetch(
        (
            listing(0),
            page(
                item(1501, "active"),
                item("1502", "active"),
                item("1503", "active"),
                item("1504", "processing"),
                item("1505", "cancelled"),
                item("1506", "reissue"),
            ),
        ),
        (batch("1501", "1502", "1503"), answer({"certificates": certificates, "success": True})),
    )
    shown = [(one.order_id, one.status, one.issued, one.certificate.not_after) for one in found.orders]
    assert shown == [
        ("1501", Status.ISSUED, True, "2026-12-16T00:00:00Z"),
        # No end: the list does not tell whether there is a certificate. Another word meanwhile: it is the previous one.
        ("1502", Status.ISSUING, False, None),
        ("1503", Status.ISSUING, False, None),
        ("1504", Status.VALIDATING, False, None),
        ("1505", Status.CANCELED, False, None),
        ("1506", Status.VALIDATING, False, None),
    ]
    assert (found.truncated, found.names_complete) == (None, False)
    assert found.orders[0].raw == {"order_id": "1501", "status": "active", "expires": "2026-12-16"}


def test_pages_follow_one_another_and_count_is_no_total() -> None:
    first = [item(number, "processing") for number in range(1, 1001)]
    found = fetch((listing(0), page(*first, count=1000)), (listing(1000), page(item(1001, "processing"), count=1)))
    assert len(found.orders) == 1001
    assert found.truncated is None


def test_a_server_with_smaller_pages() -> None:
    first = [item(number, "processing") for number in (1, 2)]
    found = fetch((listing(0), page(*first, limit=2)), (listing(2), page(item(3, "processing"), limit="2")))
    assert [order.order_id for order in found.orders] == ["1", "2", "3"]


def test_a_server_that_does_not_know_of_pages() -> None:
    first = page(*(item(number, "processing") for number in range(1, 1001)))
    found = fetch((listing(0), first), (listing(1000), first))
    assert len(found.orders) == 1000
    assert found.truncated == "the list repeats itself, so that its end was not seen"


@pytest.mark.parametrize("limit", [0, -5, "many", None, 10**9])
def test_an_odd_limit(limit: t.Any) -> None:
    assert len(fetch((listing(0), page(item(1, "processing"), limit=limit))).orders) == 1


def test_a_refused_key_is_renewed_once() -> None:
    refused = answer({"error": True, "message": "Auth key is not valid"}, 403)
    found = fetch((listing(0), refused), AUTH, (listing(0), page(item(7, "expired"))))
    assert [order.status for order in found.orders] == [Status.EXPIRED]
    with pytest.raises(AuthenticationError):
        fetch((listing(0), refused), AUTH, (listing(0), refused))


@pytest.mark.parametrize("reply", [answer({"success": True}), answer("<html>"), answer([])])
def test_what_is_no_list_is_an_error(reply: t.Any) -> None:
    with pytest.raises(UnexpectedResponse):
        fetch((listing(0), reply))
