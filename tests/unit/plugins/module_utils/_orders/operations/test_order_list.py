# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""order_info without order_ids: what is listed, what is asked for in detail, and what is reported as missing."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    InvalidRequest,
    OrderNotFound,
    ProviderUnavailable,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Blocker,
    Domain,
    Order,
    OrderCertificate,
    Status,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations import order_list
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import order_info
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_list import (
    ListFilter,
    read_filter,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.paging import OrderList
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders import fakes
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import register_fake

NOW = datetime.datetime(2026, 11, 1, 12, 0, tzinfo=datetime.timezone.utc)


class FakeProvider(fakes.FakeProvider):
    """Has a list, and the details of its orders."""

    fetch: t.ClassVar[t.Callable[[], OrderList]] = staticmethod(lambda: OrderList([]))

    def fetch_list(self) -> OrderList:
        self.calls.append(("list", None))
        return type(self).fetch()


def order(order_id: str, status: str = Status.ISSUED, *names: str, end: str | None = None, **fields: t.Any) -> Order:
    certificate = OrderCertificate(not_after=end)
    domains = tuple(Domain(name) for name in names)
    issued = status == Status.ISSUED
    return Order("fake", order_id, status, issued=issued, domains=domains, certificate=certificate, **fields)


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    register_fake(monkeypatch, tmp_path, FakeProvider)


def ask(
    *orders: Order,
    details: t.Mapping[str, Order | Exception] | None = None,
    names_complete: bool = True,
    truncated: str | None = None,
    renewed: t.Iterable[str] = (),
    **params: t.Any,
) -> dict[str, t.Any]:
    """The result for a list; details are by order id, and by default what the list says."""
    known: dict[str, t.Any] = {one.order_id: one for one in orders if one.order_id}
    FakeProvider.scripts = {name: [one] for name, one in {**known, **(details or {})}.items()}  # type: ignore[misc]
    listing = OrderList(orders, truncated, names_complete, frozenset(renewed))
    FakeProvider.fetch = staticmethod(lambda: listing)  # type: ignore[misc]
    return perform_list(**params)


def perform_list(**params: t.Any) -> dict[str, t.Any]:
    given = {"provider": "fake", "username": "somebody", "password": "hunter2-hunter2", "order_ids": None, **params}
    result = perform(order_info, given, Runtime(environment={}))
    json.dumps(result, allow_nan=False)
    return result


def listed(result: t.Mapping[str, t.Any]) -> list[str]:
    assert "failed" not in result, result
    return [one["order_id"] for one in result["orders"]]


def fetched() -> list[str]:
    return [what for how, what in FakeProvider.calls if how == "fetch"]


# -- the list ---------------------------------------------------------------


def test_open_orders_are_asked_for_in_detail_and_no_others() -> None:
    detail = order("2", Status.VALIDATING, "b.example", blockers=(Blocker("dcv", "publish it"),))
    result = ask(order("1"), order("2", Status.VALIDATING), order("3", Status.CANCELED), details={"2": detail})
    assert listed(result) == ["1", "2", "3"]
    assert fetched() == ["2"]
    assert result["orders"][1]["blockers"][0]["message"] == "publish it"
    assert result["truncated"] is False
    assert "warnings" not in result


def test_an_account_without_orders_has_an_empty_list() -> None:
    assert ask()["orders"] == []


def test_an_empty_list_of_ids_is_still_an_error() -> None:
    result = ask(order("1"), order_ids=[])
    assert result["error_kind"] == "invalid_request"
    assert result["msg"] == "fake: order_ids is empty; give at least one order id"
    assert FakeProvider.calls == []


def test_filters_are_refused_beside_order_ids() -> None:
    result = ask(order("1"), order_ids=["1"], expires_within=0, names=["a.example"])
    assert result["error_kind"] == "invalid_request"
    assert "expires_within, names narrow the list of the account; leave order_ids out" in result["msg"]


def test_what_cut_the_list_is_reported() -> None:
    result = ask(order("1"), truncated="the list has more than 100 pages")
    assert result["truncated"] is True
    assert result["warnings"] == ["not all orders of the account are listed: the list has more than 100 pages"]


def test_details_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_list, "MAX_DETAILS", 2)
    result = ask(*(order(str(number), Status.VALIDATING) for number in range(1, 6)))
    assert listed(result) == ["1", "2", "3", "4", "5"]
    assert fetched() == ["1", "2"]
    assert result["truncated"] is False
    assert "3 more open orders stand as the list reports them, without checks and blockers" in result["warnings"][0]


def test_an_order_that_cannot_be_had_stands_as_it_is_listed() -> None:
    gone = {"1": OrderNotFound("it is not there"), "2": UnexpectedResponse("odd")}
    result = ask(order("1", Status.VALIDATING), order("2", Status.ISSUING), order("3", Status.VALIDATING), details=gone)
    assert listed(result) == ["1", "2", "3"]
    assert fetched() == ["1", "2", "3"]
    assert result["warnings"] == [
        "fake order 1: it is not there (what the list reports of it stands instead)",
        "fake order 2: odd (what the list reports of it stands instead)",
    ]


def test_refused_credentials_end_it() -> None:
    result = ask(order("1", Status.VALIDATING), order("2", Status.VALIDATING), details={"1": AuthenticationError("no")})
    assert result["error_kind"] == "authentication"
    assert fetched() == ["1"]


def refuse() -> OrderList:
    raise ProviderUnavailable("it is not well")


def test_a_list_that_cannot_be_had_is_a_failure() -> None:
    FakeProvider.fetch = staticmethod(refuse)  # type: ignore[misc]
    assert perform_list()["error_kind"] == "unavailable"


def test_hostile_order_ids_are_left_out() -> None:
    result = ask(order("../../x"), order("1"), order("9" * 30), order("{{ 7 }}"))
    assert listed(result) == ["1"]
    assert [warning.split(":")[0] for warning in result["warnings"]] == [
        "left out of the list, as it has no order id"
    ] * 3


def test_an_installed_certificate_has_no_order_id_and_is_not_asked_for() -> None:
    result = ask(order("", Status.ISSUED, "a.example"), names_complete=False, names=["b.example"])
    assert listed(result) == []
    assert result["truncated"] is False
    assert listed(ask(order("", Status.ISSUED, "a.example"), names_complete=False, names=["a.example"])) == [""]
    assert fetched() == []


# -- statuses ---------------------------------------------------------------


def test_the_status_of_an_open_order_is_that_of_its_details() -> None:
    details = {"1": order("1", Status.ISSUING), "2": order("2", Status.VALIDATING)}
    orders = (order("1", Status.VALIDATING), order("2", Status.VALIDATING), order("3"), order("4", Status.EXPIRED))
    assert listed(ask(*orders, details=details, statuses=["issuing", "expired"])) == ["1", "4"]


def test_open_orders_are_not_asked_for_where_no_open_status_is_looked_for() -> None:
    assert listed(ask(order("1", Status.VALIDATING), order("2"), statuses=["issued"])) == ["2"]
    assert fetched() == []


# -- names ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["www.example.org"], ["1"]),
        (["WWW.Example.ORG."], ["1"]),
        (["*.example.org"], ["1", "2"]),
        (["example.org"], []),
        (["*.www.example.org"], ["3"]),
        (["nowhere.example", "a.b.example.net"], ["4"]),
        (["xn--bcher-kva.example"], ["5"]),
        (["bücher.example"], ["5"]),
        (["192.0.2.1"], ["6"]),
    ],
)
def test_names_are_exact_or_with_one_wildcard(given: list[str], found: list[str]) -> None:
    named = ["www.example.org", "*.example.org", "a.www.example.org", "a.b.example.net", "BÜCHER.example", "192.0.2.1"]
    orders = [order(str(number), Status.ISSUED, name) for number, name in enumerate(named, 1)]
    assert listed(ask(*orders, names=given)) == found


def test_names_that_are_not_listed_are_asked_for() -> None:
    details = {"1": order("1", Status.ISSUED, "a.example", "b.example"), "2": order("2", Status.ISSUED, "c.example")}
    result = ask(order("1"), order("2"), details=details, names_complete=False, names=["b.example"])
    assert listed(result) == ["1"]
    assert fetched() == ["1", "2"]
    assert result["truncated"] is False


def test_names_that_are_not_known_make_the_list_truncated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_list, "MAX_DETAILS", 1)
    result = ask(order("1"), order("2"), order("3"), names_complete=False, names=["b.example"])
    assert listed(result) == []
    assert result["truncated"] is True
    assert "whether the filters fit is not known of 2 orders: 2, 3" in result["warnings"][-1]


@pytest.mark.parametrize("name", ["", "a.*.example", "*.*.example", "*", "a b", "-x.example", "{{ x }}", "a" * 300])
def test_what_is_no_name_is_refused(name: str) -> None:
    result = ask(order("1"), names=[name])
    assert result["error_kind"] == "invalid_request"
    assert "give host names, exact or with one leading '*.'" in result["msg"]
    assert FakeProvider.calls == []


# -- the end ----------------------------------------------------------------


def test_what_ends_within_some_days_and_what_has_ended() -> None:
    orders = [
        order("1", end="2026-11-01T12:00:00Z"),
        order("2", end="2026-11-08T11:59:59Z"),
        order("3", end="2026-11-08T12:00:00Z"),
        order("4", Status.EXPIRED, end="2025-01-01T00:00:00Z"),
        order("5", Status.REVOKED, end="2026-11-02T00:00:00Z"),
        order("6", Status.REPLACED, end="2026-11-02T00:00:00Z"),
        order("7", Status.VALIDATING),
        order("8"),
    ]
    wanted = read_filter({"expires_within": 7}, NOW)
    assert [one.order_id for one in orders if wanted.accepts(one)] == ["1", "2", "4"]
    # Of an issued order whose end the list does not have, only the details can tell.
    assert [one.order_id for one in orders if wanted.accepts(one, certain=False) is None] == ["8"]


def test_the_end_of_the_previous_certificate_counts_during_a_reissue() -> None:
    reissue = order("1", Status.VALIDATING, blockers=(Blocker("reissue", "not there yet"),))
    soon = ListFilter(ends_before="2026-11-08T12:00:00Z")
    assert soon.accepts(reissue, certain=False) is None
    assert soon.accepts(reissue) is False


def test_an_order_that_was_renewed_is_not_waited_for() -> None:
    past = "2020-01-01T00:00:00Z"
    assert listed(ask(order("1", end=past), order("2", end=past), renewed=["1"], expires_within=0)) == ["2"]
    assert listed(ask(order("1", end=past), renewed=["1"])) == ["1"]


@pytest.mark.parametrize("days", [-1, 36501, 10**30])
def test_days_have_bounds(days: int) -> None:
    with pytest.raises(InvalidRequest, match="give a number of days from 0 to 36500"):
        read_filter({"expires_within": days}, NOW)


def test_an_empty_filter_is_refused() -> None:
    for option in ("names", "statuses"):
        with pytest.raises(InvalidRequest, match=f"{option} is empty"):
            read_filter({option: []}, NOW)
