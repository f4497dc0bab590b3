# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""order_dcv_info and order_dcv in a play: what to publish, look now, and nothing that writes in check mode."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_runs import Run, run_playbook, short_for_first
from sandbox.client import Sandbox

NAMES = ["www.example.org", "example.org"]
#: The word for a file, by provider.
METHODS = {"digicert": "http-token", "gogetssl": "http", "sectigo": "HTTP_CSR_HASH"}


def _place(sandbox: Sandbox, provider: str) -> str:
    return str(sandbox.order(provider, NAMES, "stuck_dcv", dcv_method="dns-txt")["order_id"])


def _run(sandbox: Sandbox, folder: Path, provider: str, *tasks: dict[str, t.Any]) -> Run:
    play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks)}
    play["module_defaults"] = {"group/certops.issuance.providers": sandbox.options(provider)}
    return run_playbook([play], folder)


def _writes(sandbox: Sandbox) -> list[str]:
    """The calls that write, whatever their method."""
    words = ("check-dcv", "dcv-method", "revalidate", "change_", "AutoUpdateDCV")
    return [one["path"] for one in sandbox.requests() if any(word in one["path"] for word in words)]


def test_the_random_value_of_digicert_is_what_to_publish(sandbox: Sandbox, folder: Path) -> None:
    order_id = _place(sandbox, "digicert")
    ask = {"order_id": order_id, "zones": ["example.org"]}
    run = _run(
        sandbox,
        folder,
        "digicert",
        {"name": "Ask", "certops.issuance.order_dcv_info": ask},
        {"name": "Dry run", "certops.issuance.order_dcv_info": ask, "check_mode": True},
    )
    assert run.code == 0, run.output
    (found,) = run.of_task("Ask")
    (record_set,) = found.result["record_sets"]
    assert (record_set["fqdn"], record_set["zone"], record_set["label"]) == (
        "_dnsauth.example.org",
        "example.org",
        "_dnsauth",
    )
    assert (found.result["unresolved"], found.result["changed"]) == ([], False)
    assert all(one["record_set"] == record_set for one in found.result["names"] if one["status"] != "completed")
    puts = [one for one in sandbox.requests() if one["method"] == "PUT"]
    assert [one["path"].rpartition("/")[2] for one in puts] == ["dcv-random-value"]
    (dry,) = run.of_task("Dry run")
    assert dry.result["record_sets"] != []


@pytest.mark.parametrize("provider", short_for_first(*METHODS))
def test_look_now_changes_nothing_in_check_mode_and_is_not_asked_for_twice(
    provider: str, sandbox: Sandbox, folder: Path
) -> None:
    order_id = _place(sandbox, provider)
    dry = {"order_id": order_id, "methods": METHODS[provider]}
    run = _run(
        sandbox,
        folder,
        provider,
        {"name": "Dry run", "certops.issuance.order_dcv": dry, "check_mode": True},
    )
    assert run.code == 0, run.output
    (event,) = run.of_task("Dry run")
    assert event.result["changed"] is True
    assert any(one["method_changed"] for one in event.result["names"])
    assert _writes(sandbox) == []
    run = _run(
        sandbox,
        folder,
        provider,
        {"name": "Look", "certops.issuance.order_dcv": {"order_id": order_id}},
        {"name": "Look again", "certops.issuance.order_dcv": {"order_id": order_id}, "ignore_errors": True},
    )
    assert run.code == 0, run.output
    (look,) = run.of_task("Look")
    assert any(one["asked"] for one in look.result["names"])
    assert {one["result"] for one in look.result["names"]} <= {"pending", "approved"}
    (again,) = run.of_task("Look again", "failed")
    assert (again.result["error_kind"], again.result["changed"]) == ("too_soon", False)
    asked = [one["name"] for one in look.result["names"] if one["asked"]]
    # One request is about the whole order at DigiCert, and about one name elsewhere.
    assert len(_writes(sandbox)) == (1 if provider == "digicert" else len(asked))


def test_the_method_of_an_order_is_changed_once(sandbox: Sandbox, folder: Path) -> None:
    order_id = _place(sandbox, "digicert")
    change = {"order_id": order_id, "methods": "http-token", "check": False}
    run = _run(
        sandbox,
        folder,
        "digicert",
        {"name": "Change", "certops.issuance.order_dcv": change},
        {"name": "Change again", "certops.issuance.order_dcv": change},
        {"name": "Ask", "certops.issuance.order_dcv_info": {"order_id": order_id}},
    )
    assert run.code == 0, run.output
    assert [run.of_task(name)[0].result["changed"] for name in ("Change", "Change again")] == [True, False]
    assert [path.rpartition("/")[2] for path in _writes(sandbox)] == ["dcv-method"]
    (found,) = run.of_task("Ask")
    assert found.result["record_sets"] == []
    assert {file["path"] for file in found.result["files"]} == {"/.well-known/pki-validation/fileauth.txt"}


def test_cpanel_is_unsupported_without_a_request(sandbox: Sandbox, folder: Path) -> None:
    order_id = _place(sandbox, "cpanel")
    task = {"name": "Look", "certops.issuance.order_dcv": {"order_id": order_id}, "ignore_errors": True}
    run = _run(sandbox, folder, "cpanel", task)
    (event,) = run.of_task("Look", "failed")
    assert (event.result["error_kind"], event.result["requests_sent"]) == ("unsupported", 0)
    assert sandbox.requests() == []
