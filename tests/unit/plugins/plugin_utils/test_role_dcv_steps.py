# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the role for DCV, what it says of those that cannot be used, and its steps in check mode."""

from __future__ import annotations

import dataclasses
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.private_directory import lasting_directory
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_journal import Journal
from ansible_collections.certops.issuance.plugins.plugin_utils._role_dcv_steps import (
    EVIDENCE,
    INPUTS,
    OUTCOME,
    PLAN,
    WITHDRAWAL,
    DcvSteps,
    read_look_settings,
)

ORDER_ID = "1001"
ENTRY = {
    "kind": "record",
    "provider": "digicert",
    "order_id": ORDER_ID,
    "type": "TXT",
    "fqdn": "_dnsauth.example.org",
    "zone": "example.org",
    "value": "token",
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"visible_timeout": "soon"}, "certificate_dcv_visible_timeout is soon, which is no duration; give seconds"),
        ({"visible_timeout": ""}, "certificate_dcv_visible_timeout is empty; give seconds"),
        ({"resolvers": ["resolver.example"]}, "certificate_dcv_resolver"),
        ({"address_map": {"192.0.2.1": "127.0.0.1:53"}}, "certificate_dcv_address_map"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_look_settings(given, "digicert")
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


def test_a_duration_becomes_seconds() -> None:
    assert read_look_settings({"visible_timeout": "2m"}, "digicert")["visible_timeout"] == 120


def host_with_an_issued_order(folder: Path, check_mode: bool) -> DcvSteps:
    """The steps of a host whose order is issued, with the record of the order in the journal."""
    folder.chmod(0o700)
    environment = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    Journal(lasting_directory(environment)).add([ENTRY])
    request = {"host": "web0", "order_ids": [ORDER_ID], "dcv": {"tasks": "/tasks.yml", "webroot": None, "label": "a"}}
    variables = {
        "ansible_play_batch": ["web0"],
        INPUTS: {"provider": "digicert", "request": request},
        OUTCOME: {"orders": [{"order_id": ORDER_ID, "issued": True}]},
    }
    return DcvSteps(
        host="web0",
        variables=variables,
        operate=lambda *_asked: pytest.fail("the provider was asked"),
        published=lambda hosts, name: iter([variables[name]] if "web0" in hosts and name in variables else []),
        renewed=lambda request: request,
        checksum=lambda _path: None,
        show=lambda _line: None,
        sleep=lambda _seconds: None,
        environment=environment,
        check_mode=check_mode,
    )


def journal(steps: DcvSteps) -> list[dict[str, t.Any]]:
    """What is in the journal."""
    return Journal(lasting_directory(steps.environment)).read()


def test_what_was_published_is_withdrawn_after_issuance(tmp_path: Path) -> None:
    steps = host_with_an_issued_order(tmp_path, check_mode=False)
    withdrawal = steps.run("withdraw")
    assert withdrawal["any"] is True
    assert [(one["state"], one["record"]["values"]) for one in withdrawal["records"]] == [("absent", ["token"])]
    # What only began to be withdrawn stays in the journal.
    assert journal(steps) == [ENTRY]
    steps.variables = {**steps.variables, WITHDRAWAL: withdrawal}
    assert steps.run("close") == {"changed": False, "closed": True, "handled": [ORDER_ID]}
    assert journal(steps) == []


def test_check_mode_withdraws_nothing(tmp_path: Path) -> None:
    steps = host_with_an_issued_order(tmp_path, check_mode=True)
    withdrawal = steps.run("withdraw")
    assert (withdrawal["any"], withdrawal["records"], withdrawal["files"]) == (False, [], [])
    steps.variables = {**steps.variables, WITHDRAWAL: {**withdrawal, "ended": [ENTRY]}}
    assert steps.run("close")["closed"] is True
    assert journal(steps) == [ENTRY]


def test_check_mode_does_not_look_and_forgets_nothing(tmp_path: Path) -> None:
    steps = host_with_an_issued_order(tmp_path, check_mode=True)
    steps.variables = {**steps.variables, PLAN: {"leader": "web0", "ended": [ENTRY]}}
    assert steps.run("see") == {"skipped": True}
    assert journal(steps) == [ENTRY]


def test_another_host_publishes_where_the_first_has_no_evidence_of_its_own(tmp_path: Path) -> None:
    steps = host_with_an_issued_order(tmp_path, check_mode=False)
    requests = {
        host: {"host": host, "order_ids": [order_id], "dcv": {"tasks": "/t.yml", "webroot": None, "label": "a"}}
        for host, order_id in (("web0", ORDER_ID), ("web1", "1002"))
    }
    record_set = {"type": "TXT", "fqdn": "_dnsauth.example.com", "zone": "example.com", "values": ["mine"]}
    known = {"name": "example.com", "provider": "digicert", "order_id": "1002"}
    refused = {"order_id": ORDER_ID, "problem": "cname_conflict", "message": "orders 1001 and 9 are in conflict"}
    answer = {
        "leader": "web0", "asked": [ORDER_ID, "1002"], "errors": [], "unresolved": [refused], "ended": [],
        "names": [{**known, "record_set": record_set, "file": None}],
    }  # fmt: skip
    variables = {
        host: {
            "ansible_play_batch": ["web0", "web1"],
            INPUTS: {"provider": "digicert", "request": request},
            EVIDENCE: answer if host == "web0" else {"skipped": True, "leader": "web0"},
        }
        for host, request in requests.items()
    }
    steps.published = lambda hosts, name: iter([variables[host][name] for host in hosts])
    plans = {}
    for host in requests:
        steps = dataclasses.replace(steps, host=host, variables=variables[host])
        plans[host] = steps.run("publish")
    assert (plans["web0"]["failed"], plans["web0"]["msg"]) == (True, "orders 1001 and 9 are in conflict")
    assert plans["web1"]["leader"] == "web1"
    assert [one["record"]["values"] for one in plans["web1"]["records"]] == [["mine"]]
