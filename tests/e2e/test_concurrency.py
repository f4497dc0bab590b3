# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many at once: forks that share an account's request budget, and runs for one order or one lineage."""

from __future__ import annotations

import concurrent.futures
import json
import time
import typing as t
from pathlib import Path

import pytest
from ansible_runs import LOCAL, MAX_RUN_SECONDS, Run, run_playbook, short_for_first
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from sandbox.client import PROVIDERS, Sandbox

FORKS = 50


def _inventory(count: int, **variables: t.Any) -> dict[str, t.Any]:
    """So many hosts, each of which is this machine."""
    return {"all": {"hosts": {f"host{number:02}": {} for number in range(count)}, "vars": {**LOCAL, **variables}}}


def _play(task: dict[str, t.Any], *more: dict[str, t.Any], **keywords: t.Any) -> list[dict[str, t.Any]]:
    return [{"hosts": "all", "gather_facts": False, "tasks": [task, *more], **keywords}]


def _side_by_side(*runs: t.Callable[[], Run]) -> list[Run]:
    with concurrent.futures.ThreadPoolExecutor(len(runs)) as pool:
        return [future.result() for future in [pool.submit(run) for run in runs]]


@pytest.mark.slow
def test_fifty_forks_ask_one_account(sandbox: Sandbox, folder: Path) -> None:
    # Three orders each, and two requests for an order: three times what DigiCert allows in five seconds.
    ids = sandbox.orders("digicert", 3 * FORKS, "issued")
    own = "{{ orders[groups.all.index(inventory_hostname)::groups.all | length] }}"
    options = {**sandbox.options("digicert"), "order_ids": own, "request_timeout": 60}
    play = _play({"certops.issuance.order_info": options})
    run = run_playbook(play, folder, "--forks", str(FORKS), inventory=_inventory(FORKS, orders=ids))
    assert run.code == 0, run.output[-3000:]
    assert sum(len(event.result["orders"]) for event in run.of("order_info", "ok")) == 3 * FORKS
    figures = sandbox.summary()
    print(f"{figures['requests']} requests, {figures['rate_limited']} of them too many")
    assert figures["rate_limited"] == 0, figures
    assert figures["requests"] == 6 * FORKS


def test_sectigo_is_never_asked_twice_at_once(sandbox: Sandbox, folder: Path) -> None:
    ids = sandbox.orders("sectigo", 8, "issued")
    own = "{{ orders[groups.all.index(inventory_hostname)] }}"
    options = {**sandbox.options("sectigo"), "order_id": own, "request_timeout": 60}
    play = _play({"certops.issuance.order_certificate": options})
    run = run_playbook(play, folder, "--forks", "8", inventory=_inventory(8, orders=ids))
    assert run.code == 0, run.output[-3000:]
    assert sandbox.summary()["accounts"]["sectigo"]["most_in_flight"] == 1


@pytest.mark.parametrize("provider", short_for_first(*PROVIDERS))
def test_two_waits_for_the_same_orders(sandbox: Sandbox, folder: Path, provider: str) -> None:
    ids = sandbox.orders(provider, 5, "dv")
    options = {"order_ids": ids, "timeout": 90, "poll_interval": 1, "request_timeout": 30}
    play = _play({"certops.issuance.order_wait": {**sandbox.options(provider), **options}})
    # Both runs share the locks and request budgets of one user.
    shared = {"TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder)}

    def issue() -> None:
        deadline = time.monotonic() + MAX_RUN_SECONDS
        while sandbox.summary()["requests"] < 4 and time.monotonic() < deadline:
            time.sleep(0.1)
        sandbox.advance(600)

    runs = _side_by_side(
        lambda: run_playbook(play, folder / "1", environment=shared, meanwhile=issue),
        lambda: run_playbook(play, folder / "2", environment=shared),
    )
    for run in runs:
        assert run.code == 0, run.output[-3000:]
        orders = run.of("order_wait", "ok")[0].result["orders"]
        assert {order["order_id"]: order["outcome"] for order in orders} == dict.fromkeys(ids, "reached")
    assert sandbox.summary()["rate_limited"] == 0


@pytest.mark.slow
def test_plays_that_deploy_one_lineage(sandbox: Sandbox, folder: Path) -> None:
    path = folder / "lineage"
    shared = {"TMPDIR": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    deployments: list[dict[str, str]] = []
    for number in range(2):
        order = sandbox.order("gogetssl", ["www.example.org"], "issued")
        key = folder / f"{number}.key"
        key.touch(mode=0o600)
        key.write_text(order["private_key"], encoding="utf-8")
        collect = {**sandbox.options("gogetssl"), "order_id": order["order_id"]}
        run = run_playbook(_play({"certops.issuance.order_certificate": collect}), folder, environment=shared)
        found = run.of("order_certificate", "ok")[0].result
        deployments.append({"certificate": found["certificate"], "chain": found["chain"], "private_key_path": str(key)})
    plays = []
    for deployment in deployments:
        options = {**deployment, "path": str(path), "allow_older": True, "ca_path": sandbox.ca_file}
        task = {"certops.issuance.certificate_deploy": options, "ignore_errors": True}
        plays.append(_play(*[task] * 6, strategy="free"))
    runs = _side_by_side(
        lambda: run_playbook(plays[0], folder / "1", inventory=_inventory(3), environment=shared),
        lambda: run_playbook(plays[1], folder / "2", inventory=_inventory(3), environment=shared),
    )
    events = [event for run in runs for event in run.of("certificate_deploy")]
    assert len(events) == 36, runs[0].output[-3000:]
    failures = [event.result.get("error_kind") or event.result["msg"] for event in events if event.kind == "failed"]
    print(f"{len(events)} deployments at once, {len(failures)} found the lineage locked")
    assert set(failures) <= {"locked"}, runs[0].output[-3000:]
    assert sum(event.kind == "ok" and event.result["changed"] for event in events) > 1
    _assert_whole(path, deployments, folder)


def _assert_whole(path: Path, deployments: t.Sequence[dict[str, str]], folder: Path) -> None:
    """What is in service is all of one deployment, and nothing half-done is left beside it."""
    current = path / "current"
    leaf = x509.load_pem_x509_certificate((current / "cert.pem").read_bytes())
    key = serialization.load_pem_private_key((current / "privkey.pem").read_bytes(), None)
    assert leaf.public_key() == key.public_key()
    certificate = (current / "cert.pem").read_text(encoding="ascii")
    chosen = next(one for one in deployments if one["certificate"] == certificate)
    assert (current / "chain.pem").read_text(encoding="ascii") == chosen["chain"]
    assert (current / "fullchain.pem").read_text(encoding="ascii") == certificate + chosen["chain"]
    run = run_playbook(_play({"certops.issuance.certificate_info": {"path": str(path)}}), folder)
    result = run.of("certificate_info", "ok")[0].result
    assert not result["interrupted"], json.dumps(result)
    assert result["certificate"] == certificate
