# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the open names of a fleet are not validated: from reports and looks to the lines of the table."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.filter.finding_table import finding_table
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_dcv import make_findings, open_names, open_orders


def make_name(name: str, status: str = "in_progress", **fields: t.Any) -> dict[str, t.Any]:
    return {"name": name, "order_id": "1", "method": "dns-txt-token", "status": status, "problem": None, **fields}


def test_orders_whose_names_are_validated_are_left_alone() -> None:
    state = {"issued": False, "final": False, "dcv_completed": False}
    changes = {"open": {}, "unknown": {"dcv_completed": None}, "issued": {"issued": True}, "dead": {"final": True}}
    changes["validated"] = {"dcv_completed": True}
    assert open_orders({"order_id": name, **state, **change} for name, change in changes.items()) == ["open", "unknown"]


def test_names_that_are_validated_are_left_out() -> None:
    names = [make_name("a.example", "completed"), make_name("b.example", "not_applicable"), make_name("c.example")]
    assert [name["name"] for name in open_names(names)] == ["c.example"]


def test_each_name_has_its_first_finding_and_what_to_do() -> None:
    by_name = {
        "a.example": {"codes": ["dnssec_bogus", "caa_forbids"], "advice": "Sign it again.", "visible": False},
        "b.example": {"codes": [], "advice": None, "visible": True},
        "c.example": {"codes": [], "advice": None, "visible": False},
    }
    not_tested = [
        {"name": "c.example", "reason": "dns_blocked", "detail": "port 53 is closed"},
        {"name": "c.example", "reason": "deadline", "detail": "no time"},
    ]
    names = [make_name(name) for name in (*by_name, "d.example")]
    errors = [{"order_id": "2", "error_kind": "not_found", "msg": "no such order"}]
    found = make_findings(names, errors, {"by_name": by_name, "not_tested": not_tested})
    assert [(row["name"], row["finding"], row["advice"]) for row in found["1"]] == [
        ("a.example", "dnssec_bogus", "Sign it again."),
        ("b.example", "visible", "The CA can see it; wait until it has looked."),
        ("c.example", "dns_blocked", "port 53 is closed"),
        ("d.example", "not_tested", "nothing has to be published"),
    ]
    assert found["2"] == [{"name": None, "method": None, "finding": "not_found", "advice": "no such order"}]


def test_a_name_is_found_in_whatever_spelling_the_provider_reports_it() -> None:
    by_name = {"www.example.org": {"codes": ["record_missing"], "advice": "Publish it.", "visible": False}}
    found = make_findings([make_name("WWW.Example.org")], [], {"by_name": by_name, "not_tested": []})
    assert [row["finding"] for row in found["1"]] == ["record_missing"]


def test_a_name_whose_evidence_is_refused_has_the_reason() -> None:
    unresolved = [{"name": "a.example", "order_id": "1", "problem": "cname_conflict", "message": "orders 1 and 2"}]
    names = [make_name("a.example", problem="cname_conflict"), make_name("a.example", order_id="3")]
    found = make_findings(names, [], {"by_name": {}, "not_tested": []}, unresolved)
    assert [(row["finding"], row["advice"]) for row in found["1"]] == [("cname_conflict", "orders 1 and 2")]
    assert found["3"][0]["advice"] == "nothing has to be published"


def test_the_table_has_a_line_for_each_open_name_and_each_order_without_an_answer() -> None:
    finding = {"name": "a.example", "method": "http", "finding": "http_status", "advice": "Serve it.\x1b[31m"}
    orders = [
        {"host": "web0", "provider": "sectigo", "order_id": "1", "status": "validating", "dcv_findings": [finding]},
        {"host": "web1", "provider": "sectigo", "order_id": "2", "status": "issued", "dcv_findings": []},
        {"host": "web2", "provider": "sectigo", "order_id": "3", "error_kind": "not_found", "msg": "unknown"},
    ]
    lines = finding_table(orders)
    assert [line.split()[0] for line in lines] == ["HOST", "web0", "web2"]
    assert lines[1].split()[:6] == ["web0", "sectigo", "1", "a.example", "http", "http_status"]
    assert "\x1b" not in "".join(lines)
    assert "HOST" not in finding_table([{**order, "host": None} for order in orders])[0]
    assert finding_table(orders[1:2]) == []


@pytest.mark.parametrize("wrong", [None, "text", [1], [{}]])
def test_what_is_no_list_of_orders_is_refused(wrong: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="list of orders"):
        finding_table(wrong)
