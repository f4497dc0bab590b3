# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sectigo: the list of an account's orders, !WebHostReport. Section 5 of the sheet on orders."""

from __future__ import annotations

import typing as t
from urllib.parse import urlencode

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    InvalidRequest,
    RateLimited,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.paging import OrderList
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo.client import SectigoProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

LOGIN = {"loginName": "reseller", "loginPassword": "hunter2"}


def report(first: int, last: int) -> dict[str, t.Any]:
    form = {**LOGIN, "firstResultNo": str(first), "lastResultNo": str(last)}
    return {"method": "POST", "path": "/products/!WebHostReport", "form": form}


def page(numbers: t.Iterable[int], total: t.Any, status: str = "Valid", **fields: str) -> t.Any:
    pairs = [("errorCode", "0"), ("noOfResults", str(total))]
    for row, number in enumerate(numbers, 1):
        pairs += [
            (f"{row}_orderNumber", str(number)),
            (f"{row}_dateTime", "1772360400"),
            (f"{row}_1_type", "PositiveSSL"),
            (f"{row}_1_domain", f"n{number}.example.org"),
            (f"{row}_1_status", status),
        ]
        pairs += [(f"{row}_1_{name}", value) for name, value in fields.items()]
    return answer(urlencode(pairs))


def fetch(*exchanges: t.Any, **options: str) -> OrderList:
    transport = ScriptedTransport(*exchanges)
    account = Account(
        "sectigo", "https://secure.trust-provider.com", username="reseller", password="hunter2", options=options
    )
    found = SectigoProvider(account, transport).fetch_list()
    transport.assert_finished()
    return found


def test_the_report_has_ends() -> None:
    fields = {"serialNumber": "00AB12CD34", "notBefore": "1772323200", "notAfter": "1789603199"}
    found = fetch((report(0, 500), page([830045512], 1, **fields)))
    (order,) = found.orders
    assert (order.order_id, order.status, order.issued) == ("830045512", Status.ISSUED, True)
    assert [domain.name for domain in order.domains] == ["n830045512.example.org"]
    assert order.certificate.serial_number == "AB12CD34"
    assert order.certificate.not_after == "2026-09-16T23:59:59Z"
    assert order.ordered_at == "2026-03-01T10:20:00Z"
    assert (found.truncated, found.names_complete) == (None, False)


def test_what_is_open_comes_without_checks() -> None:
    found = fetch((report(0, 500), page([7], 1, status="Awaiting Validation")))
    assert (found.orders[0].status, found.orders[0].final) == (Status.VALIDATING, False)


@pytest.mark.parametrize("base", [0, 1])
def test_pages_follow_one_another_wherever_counting_begins(base: int) -> None:
    """Results first to last, both included, as a server counts that begins at 0 or at 1."""
    orders = list(range(10001, 10001 + 1203))
    served: list[tuple[int, int]] = []

    class Server(ScriptedTransport):
        def send(self, request: t.Any, parse: t.Any) -> t.Any:
            first, last = int(request.form["firstResultNo"]), int(request.form["lastResultNo"])
            served.append((first, last))
            return parse(page(orders[max(first - base, 0) : last - base + 1], len(orders)))

    account = Account("sectigo", "https://secure.trust-provider.com", username="reseller", password="hunter2")
    found = SectigoProvider(account, Server()).fetch_list()
    assert [order.order_id for order in found.orders] == [str(number) for number in orders]
    assert found.truncated is None
    assert len(served) == 3


def test_a_server_that_refuses_to_count_from_0() -> None:
    refused = answer("errorCode=-4&errorMessage=The+value+of+the+%27firstResultNo%27+argument+is+invalid%21")
    found = fetch((report(0, 500), refused), (report(1, 500), page([7], 1)))
    assert [order.order_id for order in found.orders] == ["7"]
    with pytest.raises(InvalidRequest):
        fetch((report(0, 500), refused), (report(1, 500), refused))


def test_an_empty_account_and_another_spelling() -> None:
    assert fetch((report(0, 500), answer("error_code=0&noOfResults=0"))) == OrderList([])


def test_the_same_page_for_ever() -> None:
    same = page(range(1, 501), 5000)
    found = fetch((report(0, 500), same), (report(500, 1000), same))
    assert len(found.orders) == 500
    assert "5000 orders, but 500 were reported" in (found.truncated or "")


def test_certificate_ids_are_refused_before_a_request() -> None:
    with pytest.raises(InvalidRequest, match="knows no certificateID"):
        fetch(id_type="certificate")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("errorCode=-16&errorMessage=Permission+denied%21", AuthenticationError),
        ("errorCode=-42&errorMessage=Call+limit+reached", RateLimited),
    ],
)
def test_refusals_are_not_repeated(body: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        fetch((report(0, 500), answer(body)))
