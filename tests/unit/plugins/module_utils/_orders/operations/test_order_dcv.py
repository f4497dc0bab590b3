# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""order_dcv: methods are changed where they differ, and the provider is asked to look, once and not too often."""

from __future__ import annotations

import datetime
import json
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import NameEvidence, OrderReference
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    InvalidRequest,
    OrderError,
    OrderNotFound,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_dcv import order_dcv
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import DcvPolicy, DcvReply
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import (
    FakeProvider,
    register_fake,
)

ALL_AT_ONCE = DcvPolicy(order_interval=60.0)
ONE_A_MINUTE = DcvPolicy(order_interval=60.0, name_interval=600.0, names_per_interval=1, names_per_request=1)
CHANGE_LOOKS = DcvPolicy(order_interval=600.0, names_per_request=1, change_is_look=True)
NOW = datetime.datetime(2026, 5, 1, 14, 0, 0, tzinfo=datetime.timezone.utc)


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    register_fake(monkeypatch, tmp_path)
    monkeypatch.setattr(FakeProvider, "info", replace(FakeProvider.info, dcv=ALL_AT_ONCE))


def policy(monkeypatch: pytest.MonkeyPatch, dcv: DcvPolicy | None) -> None:
    monkeypatch.setattr(FakeProvider, "info", replace(FakeProvider.info, dcv=dcv))


def run(*order_ids: str, check_mode: bool = False, after: float = 0.0, **params: t.Any) -> dict[str, t.Any]:
    filled = {"provider": "fake", "username": "somebody", "password": "hunter2-hunter2", "order_ids": list(order_ids)}
    wall = NOW + datetime.timedelta(seconds=after)
    runtime = Runtime(environment={}, check_mode=check_mode, wall=lambda: wall)
    result = perform(order_dcv, {**filled, "check": True, **params}, runtime)
    json.dumps(result, allow_nan=False)
    return result


def order(order_id: str = "1", **names: t.Any) -> None:
    """An order by name, with method and status; dots stand as underscores."""
    FakeProvider.evidence[order_id] = [
        NameEvidence(
            name.replace("star_", "*.").replace("_", "."),
            OrderReference("fake", order_id),
            method if isinstance(method, str) else method[0],
            "in_progress" if isinstance(method, str) else method[1],
            methods=("dns", "email") if name.startswith("star") else ("dns", "http", "email"),
        )
        for name, method in names.items()
    ]


def written() -> list[t.Any]:
    return [(kind, *what) for kind, what in FakeProvider.calls if kind in ("look", "change")]


def summary(result: dict[str, t.Any]) -> list[tuple[t.Any, ...]]:
    return [(one["name"], one["asked"], one["result"]) for one in result["names"]]


# -- look now -----------------------------------------------------------------


def test_the_provider_is_asked_once_for_all_open_names() -> None:
    order(a_example="dns", b_example=("dns", "completed"), c_example="http")
    FakeProvider.replies.append(DcvReply(frozenset(["a.example"]), "in its own words"))
    result = run("1")
    assert written() == [("look", "1", ("a.example", "c.example"))]
    assert summary(result) == [
        ("a.example", True, "approved"),
        ("b.example", False, "approved"),
        ("c.example", True, "pending"),
    ]
    assert result["changed"] is True
    assert [one["provider_message"] for one in result["names"]] == ["in its own words", None, "in its own words"]
    assert [one["next_allowed_at"] for one in result["names"]] == ["2026-05-01T14:01:00Z", None, "2026-05-01T14:01:00Z"]


def test_what_is_validated_already_is_nobodys_business() -> None:
    order(a_example=("dns", "completed"))
    result = run("1")
    assert (result["changed"], written(), summary(result)) == (False, [], [("a.example", False, "approved")])
    order("2", a_example="dns")
    assert run("2", check=False)["changed"] is False
    assert written() == []


def test_too_soon_is_decided_here_and_nothing_is_sent() -> None:
    order(a_example="dns")
    run("1")
    result = run("1", after=59.0)
    assert (result["failed"], result["error_kind"], result["retryable"]) == (True, "too_soon", True)
    assert "a.example; ask again at 2026-05-01T14:01:00Z" in result["msg"]
    assert (result["changed"], summary(result)) == (False, [("a.example", False, "pending")])
    assert len(written()) == 1
    assert run("1", after=60.0)["changed"] is True
    assert len(written()) == 2


def test_an_order_that_was_asked_for_does_not_hold_up_another() -> None:
    order(a_example="dns")
    order("2", b_example="dns")
    run("1")
    assert summary(run("1", "2", after=1.0)) == [("a.example", False, "pending"), ("b.example", True, "pending")]


def test_where_names_take_turns_one_is_asked_for_in_each_run(monkeypatch: pytest.MonkeyPatch) -> None:
    policy(monkeypatch, ONE_A_MINUTE)
    order(a_example="dns", b_example="dns")
    first, second = run("1"), run("1", after=60.0)
    assert written() == [("look", "1", ("a.example",)), ("look", "1", ("b.example",))]
    assert [one["asked"] for one in first["names"]] == [True, False]
    assert [one["next_allowed_at"] for one in second["names"]] == ["2026-05-01T14:10:00Z", "2026-05-01T14:11:00Z"]
    assert run("1", after=120.0)["error_kind"] == "too_soon"


@pytest.mark.parametrize("method", ["email", "EMAIL", "admin@example.org"])
def test_no_mail_is_sent_again(method: str) -> None:
    order(a_example=method)
    result = run("1")
    assert (result["changed"], written()) == (False, [])
    assert result["names"][0]["provider_message"] == "the mail has to be answered"


def test_a_method_that_a_name_cannot_have_is_not_asked_for() -> None:
    order(star_example="http", a_example="dns")
    result = run("1")
    assert written() == [("look", "1", ("a.example",))]
    assert result["names"][0]["provider_message"] == "the method http cannot be used for this name"


@pytest.mark.parametrize("error", [ProviderUnavailable("no answer"), UnexpectedResponse("half an answer")])
def test_doubt_is_a_result_and_nothing_is_sent_again(error: OrderError) -> None:
    order(a_example="dns")
    FakeProvider.replies.append(error)
    result = run("1")
    assert (result.get("failed"), result["changed"]) == (None, True)
    assert summary(result) == [("a.example", True, "unknown")]
    assert result["names"][0]["provider_message"] == error.message
    # It may have arrived, so it counts.
    assert run("1", after=59.0)["error_kind"] == "too_soon"
    assert len(written()) == 1


def test_what_was_certainly_not_sent_fails_and_does_not_count() -> None:
    order(a_example="dns")
    error = ProviderUnavailable("no connection")
    error.sent = False
    FakeProvider.replies.append(error)
    result = run("1")
    assert (result["error_kind"], result["order_id"], result["changed"]) == ("unavailable", "1", False)
    assert summary(run("1", after=1.0)) == [("a.example", True, "pending")]


@pytest.mark.parametrize("error", [InvalidRequest("no"), RateLimited("slow down")])
def test_a_refusal_is_a_failure_with_what_was_done_before_it(
    error: OrderError, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(a_example="dns")
    order("2", b_example="dns")
    order("3", c_example="dns", d_example=("dns", "completed"))
    FakeProvider.replies.extend([None, error])
    result = run("1", "2", "3")
    assert (result["error_kind"], result["order_id"], result["changed"]) == (error.kind, "2", True)
    assert summary(result)[0] == ("a.example", True, "pending")
    assert [one["asked"] for one in result["names"]] == [True, False, False, False]
    assert summary(result)[3] == ("d.example", False, "approved")
    assert len(written()) == 2


def test_check_mode_sends_nothing_and_uses_up_nothing() -> None:
    order(a_example="dns", b_example="http")
    result = run("1", check_mode=True, methods="dns")
    assert written() == []
    assert [(one["asked"], one["method_changed"], one["method"]) for one in result["names"]] == [
        (True, False, "dns"),
        (False, True, "dns"),
    ]
    assert result["changed"] is True
    assert run("1")["changed"] is True


def test_where_no_call_exists_nothing_is_read_either(monkeypatch: pytest.MonkeyPatch) -> None:
    policy(monkeypatch, None)
    result = run("1", methods="dns")
    assert (result["error_kind"], result["requests_sent"], FakeProvider.calls) == ("unsupported", 0, [])


def test_nothing_is_sent_while_an_order_cannot_be_read() -> None:
    order(a_example="dns")
    FakeProvider.evidence["2"] = OrderNotFound("gone")
    result = run("1", "2")
    assert (result["error_kind"], result["order_id"], written()) == ("not_found", "2", [])


# -- methods ------------------------------------------------------------------


def test_a_method_is_changed_where_it_differs() -> None:
    order(a_example="http", b_example="dns", c_example=("http", "completed"), d_example="http")
    result = run("1", methods="DNS", check=False)
    assert written() == [("change", "1", ("a.example", "d.example"), "dns")]
    assert [one["method_changed"] for one in result["names"]] == [True, False, False, True]
    assert [one["method"] for one in result["names"]] == ["dns", "dns", "http", "dns"]
    order(a_example="dns", b_example="dns")
    assert run("1", methods={"a.example": "dns"}, check=False)["changed"] is False


def test_a_method_may_be_given_in_our_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeProvider, "dcv_methods", {"dns-txt": "dns", "http": "http"})
    order(a_example="http", b_example="dns")
    run("1", methods="DNS-TXT", check=False)
    assert written() == [("change", "1", ("a.example",), "dns")]
    assert "'dns-cname' cannot be set" in run("1", methods="dns-cname")["msg"]


def test_the_provider_is_not_asked_to_look_for_what_was_just_changed() -> None:
    order(a_example="http", b_example="dns")
    run("1", methods={"A.example.": "dns"})
    assert written() == [("change", "1", ("a.example",), "dns"), ("look", "1", ("b.example",))]


def test_a_change_that_makes_the_provider_look_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    policy(monkeypatch, CHANGE_LOOKS)
    order(a_example="http", b_example="dns")
    result = run("1", methods="dns")
    assert written() == [("change", "1", ("a.example",), "dns"), ("look", "1", ("b.example",))]
    assert [one["asked"] for one in result["names"]] == [True, True]
    again = run("1", methods="http", after=599.0)
    assert (again["error_kind"], again["changed"], len(written())) == ("too_soon", False, 2)
    assert [one["method_changed"] for one in again["names"]] == [False, False]


def test_a_change_that_was_not_sent_leaves_the_gap_between_looks() -> None:
    order(a_example="dns", b_example="http")
    run("1", methods={"b.example": "http"})
    error = ProviderUnavailable("no connection")
    error.sent = False
    FakeProvider.replies.append(error)
    assert run("1", methods={"b.example": "dns"}, after=1.0)["error_kind"] == "unavailable"
    before = len(written())
    assert run("1", after=2.0)["error_kind"] == "too_soon"
    assert len(written()) == before


def test_a_change_of_which_nobody_knows_is_not_sent_again() -> None:
    order(a_example="http")
    FakeProvider.replies.append(ProviderUnavailable("no answer"))
    result = run("1", methods="dns")
    assert (result["changed"], len(written())) == (True, 1)
    (name,) = result["names"]
    assert (name["result"], name["method_changed"], name["provider_message"]) == ("unknown", True, "no answer")


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"c.example": "dns"}, "methods has names of other orders than 1: c.example"),
        ("persist", "methods: 'persist' cannot be set for a.example; it could be dns or http"),
        ({"*.example": "http"}, "methods: 'http' cannot be set for *.example; it could be dns"),
        ("email", "methods: 'email' cannot be set for a.example; it could be dns or http"),
        ("", "methods is neither one method nor a dictionary from names to methods"),
        (["dns"], "methods is neither one method nor a dictionary from names to methods"),
        ({"a.example": None}, "methods is neither one method nor a dictionary from names to methods"),
        ({}, "methods is neither one method nor a dictionary from names to methods"),
    ],
)
def test_methods_that_cannot_be_set_are_refused_before_anything_is_sent(methods: t.Any, message: str) -> None:
    order(a_example="dns", star_example="dns")
    result = run("1", methods=methods)
    assert (result["error_kind"], written()) == ("invalid_request", [])
    assert message in result["msg"]


@pytest.mark.parametrize("name", ["a,b.example", "a b.example", "a;b.example", "a&b=c.example"])
def test_a_name_that_would_be_two_is_not_sent(name: str) -> None:
    evidence = NameEvidence(name, OrderReference("fake", "1"), "http", "in_progress", methods=("dns", "http"))
    FakeProvider.evidence["1"] = [evidence]
    result = run("1", methods="dns")
    assert (result["error_kind"], written()) == ("invalid_request", [])
