# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role asks about DCV evidence: conflicts between the orders of a run, and with those of the journal."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    NameEvidence,
    OrderReference,
    RecordEvidence,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    OrderError,
    OrderNotFound,
    ProviderUnavailable,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_evidence import fetch_evidence
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import (
    FakeProvider,
    register_fake,
)

OWNER = "_dnsauth.example.org"


@pytest.fixture(autouse=True)
def _fake(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    register_fake(monkeypatch, tmp_path)


def wants(order_id: str, target: str, name: str = "example.org") -> None:
    """Have the provider want a CNAME for an order."""
    record = RecordEvidence("CNAME", f"_dnsauth.{name}", target)
    order = OrderReference("fake", order_id)
    FakeProvider.evidence[order_id] = [NameEvidence(name, order, "dns", "in_progress", record=record)]


def entry(order_id: str, target: str, provider: str = "fake") -> dict[str, t.Any]:
    """A record of the journal."""
    return {
        "kind": "record", "provider": provider, "order_id": order_id, "type": "CNAME", "fqdn": OWNER,
        "zone": "example.org", "value": target,
    }  # fmt: skip


def ask(*order_ids: str, published: t.Sequence[dict[str, t.Any]] = ()) -> dict[str, t.Any]:
    """Ask for the evidence of some orders."""
    listed = {one["order_id"] for one in published}
    params = {
        "provider": "fake", "username": "somebody", "password": "hunter2-hunter2", "zones": ["example.org"],
        "questions": [{"order_id": order_id, "evidence": True} for order_id in order_ids],
        "journaled": [order_id for order_id in order_ids if order_id in listed], "published": list(published),
        "resolvers": [], "address_map": {},
    }  # fmt: skip
    return perform(fetch_evidence, params, Runtime(environment={}))


def problems(answer: dict[str, t.Any]) -> dict[str, str | None]:
    """The problem of each order."""
    return {one["order_id"]: one["problem"] for one in answer["names"]}


def script(order_id: str, *answers: str | OrderError) -> None:
    """What reading an order comes to."""
    FakeProvider.scripts[order_id] = [
        Order("fake", order_id, one, issued=one == Status.ISSUED) if isinstance(one, str) else one for one in answers
    ]


def test_two_targets_at_one_owner_keep_both_orders_back_and_no_other() -> None:
    wants("1", "a.example.net")
    wants("2", "b.example.net")
    wants("3", "c.example.net", "www.example.org")
    answer = ask("1", "2", "3")
    assert problems(answer) == {"1": "cname_conflict", "2": "cname_conflict", "3": None}
    assert [one["record_set"] is None for one in answer["names"]] == [True, True, False]
    assert [one["order_id"] for one in answer["unresolved"]] == ["1", "2"]
    assert all("fake order 1 and fake order 2" in one["message"] for one in answer["unresolved"])


def test_one_target_of_two_orders_is_no_conflict() -> None:
    wants("1", "a.example.net")
    wants("2", "a.example.net")
    assert problems(ask("1", "2")) == {"1": None, "2": None}


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (Status.VALIDATING, "cname_conflict"),
        (Status.ISSUED, None),
        (Status.CANCELED, None),
        # It is not of this account: nobody could ever say that it is over.
        (OrderNotFound("unknown"), None),
        (ProviderUnavailable("no answer"), "cname_conflict"),
    ],
)
def test_an_order_of_the_journal_counts_until_it_is_over(state: str | OrderError, problem: str | None) -> None:
    wants("1", "a.example.net")
    script("9", state)
    answer = ask("1", published=[entry("9", "b.example.net")])
    assert problems(answer) == {"1": problem}
    assert answer["errors"] == []
    if problem:
        assert "fake order 1 and fake order 9" in answer["unresolved"][0]["message"]


def test_a_former_value_of_the_same_order_and_another_provider_are_not_in_the_way() -> None:
    wants("1", "a.example.net")
    script("1", Status.VALIDATING)
    published = [entry("1", "former.example.net"), entry("9", "b.example.net", provider="other")]
    assert problems(ask("1", published=published)) == {"1": None}


def test_an_order_whose_names_are_validated_keeps_its_record_until_it_is_over() -> None:
    wants("1", "a.example.net")
    FakeProvider.evidence["2"] = [NameEvidence("example.org", OrderReference("fake", "2"), "dns", "completed")]
    script("2", Status.VALIDATING)
    assert problems(ask("1", "2", published=[entry("2", "b.example.net")])) == {"1": "cname_conflict", "2": None}
    script("2", Status.ISSUED)
    assert problems(ask("1", "2", published=[entry("2", "b.example.net")])) == {"1": None, "2": None}
