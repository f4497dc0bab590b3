# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigiCert: the list of an account's orders. Section 5 of the sheet on orders."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    PermissionDenied,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.client import DigicertProvider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.paging import OrderList
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

ISSUED = {
    "id": 88120034,
    "status": "issued",
    "certificate": {
        "id": 77300981,
        "common_name": "example.org",
        "dns_names": ["example.org", "www.example.org"],
        "valid_till": "2026-12-15",
        "days_remaining": 17,
    },
    "is_renewed": False,
    "date_created": "2026-06-01T10:00:00+00:00",
    "product": {"name_id": "ssl_basic", "type": "ssl_certificate"},
}
RENEWED = {**ISSUED, "id": "88120033", "is_renewed": "1"}
PENDING = {"id": 88120035, "status": "pending", "certificate": {"common_name": "example.net"}}


def listing(offset: int) -> dict[str, t.Any]:
    query = {"limit": "1000", "offset": str(offset)}
    return {"method": "GET", "path": "/order/certificate", "query": query, "form": None}


def fetch(*exchanges: t.Any) -> OrderList:
    transport = ScriptedTransport(*exchanges)
    account = Account(provider="digicert", api_url="https://www.digicert.com/services/v2", api_key="k3y")
    found = DigicertProvider(account, transport).fetch_list()
    transport.assert_finished()
    return found


def page(*items: t.Any, total: t.Any = None) -> t.Any:
    return answer({"orders": list(items), "page": {"total": total, "limit": 1000, "offset": 0}})


def test_the_list_has_names_and_ends() -> None:
    found = fetch((listing(0), page(ISSUED, RENEWED, PENDING, total=3)))
    issued, renewed, pending = found.orders
    assert (found.truncated, found.names_complete, found.renewed) == (None, True, {"88120033"})
    assert (issued.order_id, issued.status, issued.issued) == ("88120034", Status.ISSUED, True)
    assert [domain.name for domain in issued.domains] == ["example.org", "www.example.org"]
    assert issued.certificate.not_after == "2026-12-15T00:00:00Z"
    assert issued.ordered_at == "2026-06-01T10:00:00Z"
    assert issued.raw == ISSUED
    assert renewed.order_id == "88120033"
    assert (pending.status, pending.issued, pending.final) == (Status.VALIDATING, False, False)


def test_pages_follow_one_another() -> None:
    first = [{**PENDING, "id": number} for number in range(1, 1001)]
    # The last one of the first page has moved on, because another order was placed.
    second = [{**PENDING, "id": 1000, "status": "issued"}, {**PENDING, "id": 1001}]
    found = fetch((listing(0), page(*first, total="1001")), (listing(1000), page(*second, total=1001)))
    assert [order.order_id for order in found.orders] == [str(number) for number in range(1, 1002)]
    assert found.orders[999].status == Status.ISSUED
    assert found.truncated is None


@pytest.mark.parametrize("body", [{}, [], {"orders": []}, {"orders": None}])
def test_an_empty_account(body: t.Any) -> None:
    assert fetch((listing(0), answer(body))) == OrderList([], names_complete=True)


def test_odd_items() -> None:
    odd = [
        {"id": None, "status": "issued"},
        "text",
        7,
        {"id": "x"},
        {"id": 7, "status": ["issued"], "certificate": "no"},
    ]
    found = fetch((listing(0), page(*odd, total=True)))
    assert [(order.order_id, order.status) for order in found.orders] == [("7", Status.UNKNOWN)]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer({"errors": [{"code": "access_denied|access_denied_invalid_key"}]}, 403), AuthenticationError),
        (answer({"errors": [{"code": "access_denied|missing_permission"}]}, 403), PermissionDenied),
        (answer({"orders": "none"}), UnexpectedResponse),
        (answer("<html>Sign in</html>"), UnexpectedResponse),
        (answer({"id": 1, "status": "issued"}), UnexpectedResponse),
    ],
)
def test_what_is_no_list_is_an_error(reply: t.Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        fetch((listing(0), reply))
