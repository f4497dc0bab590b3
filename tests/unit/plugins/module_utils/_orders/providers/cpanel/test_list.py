# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cPanel: the queue and the installed certificates. Section 6 of the sheet on orders."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    OrderError,
    PermissionDenied,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel.client import CpanelProvider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.paging import OrderList
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.cpanel.stored import body
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

QUEUE = {"method": "GET", "path": "/execute/Market/get_pending_ssl_certificates", "query": {"provider": "cPStore"}}
HOSTS = {"method": "GET", "path": "/execute/SSL/installed_hosts", "query": {}}


def fetch(queue: t.Any, *hosts: t.Any) -> OrderList:
    transport = ScriptedTransport((QUEUE, answer(queue)), *((HOSTS, answer(one)) for one in hosts))
    account = Account("cpanel", "https://host.example.com:2083", username="shop", api_key="t0ken")
    found = CpanelProvider(account, transport).fetch_list()
    transport.assert_finished()
    return found


def data(*items: t.Any) -> dict[str, t.Any]:
    return {"status": 1, "data": list(items), "errors": None}


def host(name: str, certificate_id: str, **fields: t.Any) -> dict[str, t.Any]:
    certificate = {
        "id": certificate_id,
        "domains": [name, "Www." + name],
        "not_before": 1788307200,
        "not_after": "1792000000",
        "serial": "00ab12",
        "is_self_signed": 0,
        **fields,
    }
    return {"servername": name, "fqdns": [name], "certificate": certificate, "certificate_text": "-----BEGIN"}


def test_the_queue_of_this_market_provider() -> None:
    found = fetch(body("queue"), data())
    stored = [item for item in body("queue")["data"] if item["provider"] == "cPStore"]
    assert [order.order_id for order in found.orders] == [str(item["order_item_id"]) for item in stored]
    assert len(stored) < len(body("queue")["data"])
    assert not any(order.issued for order in found.orders)
    assert [order.raw for order in found.orders] == stored
    assert (found.truncated, found.names_complete) == (None, False)


def test_installed_certificates_come_once_and_without_an_order_id() -> None:
    hosts = data(
        host("a.example.org", "a_1"),
        host("b.example.org", "a_1"),
        host("self.example.org", "c_1", is_self_signed="1"),
        {"servername": "none.example.org", "certificate": None},
        host("d.example.org", "d_1", not_after="soon", serial=None, domains="d.example.org"),
    )
    first, second = fetch(data(), hosts).orders
    assert (first.order_id, first.status, first.provider_status) == ("", Status.ISSUED, "installed")
    # It cannot be collected: nothing names the order.
    assert first.issued is False
    assert [domain.name for domain in first.domains] == ["b.example.org", "www.b.example.org"]
    assert first.certificate.id == "a_1"
    assert first.certificate.serial_number == "AB12"
    assert first.certificate.not_after == "2026-10-14T17:46:40Z"
    assert "so it has no order_id" in first.warnings[0]
    assert (second.certificate.id, second.certificate.not_after) == ("d_1", None)


def test_an_item_that_the_store_does_not_know_is_still_listed() -> None:
    item = dict(body("queue")["data"][1], last_status_code="Item::NotFound")
    (order,) = fetch(data(item), data()).orders
    assert order.order_id == str(item["order_item_id"])
    assert order.issued is False


def test_without_the_list_of_hosts_the_queue_is_reported_as_not_all() -> None:
    refused = {
        "status": 0,
        "data": None,
        "errors": ["The system could not find the function \u201cinstalled_hosts\u201d."],
    }
    found = fetch(body("queue"), refused)
    assert found.orders
    assert (found.truncated or "").startswith("the installed certificates are not known: SSL::installed_hosts failed")


@pytest.mark.parametrize(
    ("queue", "error"),
    [
        ({"status": 0, "data": None, "errors": ["You do not have the feature \u201cmarket\u201d."]}, PermissionDenied),
        (body("whm_failure"), OrderError),
    ],
)
def test_without_the_queue_there_is_no_list(queue: t.Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        fetch(queue)


def test_a_refused_token() -> None:
    transport = ScriptedTransport((QUEUE, answer({"cpanelresult": {"error": "Access denied"}}, 403)))
    account = Account("cpanel", "https://host.example.com:2083", username="shop", api_key="t0ken")
    with pytest.raises(AuthenticationError):
        CpanelProvider(account, transport).fetch_list()
