# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DCV modules in a play, to the end: what to publish, published, seen, looked for, issued, withdrawn.

The sandbox computes for itself what its CA looks for, and nothing else lets an order go on.
"""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from ansible_runs import Run, run_playbook
from sandbox.client import Sandbox
from sandbox.internet import update as client

ZONE, NAME = "example.org", "www.example.org"
UNIQUE_VALUE = "t0827792001533920169"
#: Seconds until the CA looks for the second time by itself.
SECOND_LOOK = 600
#: The record that stands at the same name already; a CNAME has no neighbors.
FOREIGN = "v=spf1 -all"
#: The functions of cPanel that change nothing.
READING_CALLS = {"get_pending_ssl_certificates", "get_certificate_status_details", "get_ssl_certificate_if_available"}
METHODS = {"digicert": "dns-txt", "gogetssl": "dns-cname", "sectigo": "dns-cname", "cpanel": "dns-cname"}


def _place(sandbox: Sandbox, provider: str, method: str = "") -> dict[str, t.Any]:
    """An order of which the CA has looked once, in a zone of its own."""
    sandbox.zone(ZONE, [NAME], signed=True)
    unique = {"unique_value": UNIQUE_VALUE} if provider == "sectigo" else {}
    method = method or METHODS[provider]
    after = {"issuing": 0}
    order = sandbox.order(provider, [NAME], dcv="look", dcv_method=method, after=after, **unique)
    return {**order, "evidence": sandbox.get_order(provider, order["order_id"])["domains"][0]["evidence"][0]}


def _ask(provider: str, order: dict[str, t.Any], zone: str = ZONE) -> dict[str, t.Any]:
    """What to publish; Sectigo does not return it."""
    options: dict[str, t.Any] = {"order_id": order["order_id"], "zones": [zone]}
    if provider == "sectigo":
        options |= {"csr": [order["csr"]], "unique_values": {order["order_id"]: UNIQUE_VALUE}}
    return {"name": "Ask", "certops.issuance.order_dcv_info": options, "register": "dcv"}


def _update(sandbox: Sandbox, state: str) -> dict[str, t.Any]:
    """Publish or withdraw each value of each record set by dynamic update."""
    world = sandbox.internet()
    key = "{name}={secret}".format(**world["update_key"])
    words = ["{{ item.0.zone }}", key, state, "{{ item.0.type }}", "{{ item.0.fqdn }}", "{{ item.1 }}"]
    return {
        "name": f"Let it be {state}",
        "ansible.builtin.command": {"argv": [sys.executable, client.__file__, world["update_server"], *words]},
        "loop": "{{ dcv.record_sets | subelements('values') }}",
    }


def _diagnose(sandbox: Sandbox) -> dict[str, t.Any]:
    world = sandbox.internet()
    options = {name: world[name] for name in ("resolvers", "address_map")}
    evidence = {"record_sets": "{{ dcv.record_sets }}", "files": "{{ dcv.files }}"}
    return {"name": "Diagnose", "certops.issuance.dcv_diagnose": {**options, **evidence, "fail_on": "warning"}}


def _wait(order: dict[str, t.Any], name: str = "Wait") -> dict[str, t.Any]:
    options = {"order_id": order["order_id"], "timeout": 0, "on_timeout": "return"}
    return {"name": name, "certops.issuance.order_wait": options}


def _run(sandbox: Sandbox, folder: Path, provider: str, *tasks: dict[str, t.Any]) -> Run:
    play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks)}
    play["module_defaults"] = {"group/certops.issuance.providers": sandbox.options(provider)}
    run = run_playbook([play], folder)
    assert run.code == 0, run.output
    return run


def _outcome(run: Run, task: str = "Wait") -> str:
    return str(run.of_task(task)[0].result["orders"][0]["outcome"])


@pytest.mark.parametrize(
    "provider", ["digicert", *(pytest.param(name, marks=pytest.mark.slow) for name in ("gogetssl", "sectigo"))]
)
def test_order_is_issued_once_the_ca_was_asked_to_look(provider: str, sandbox: Sandbox, folder: Path) -> None:
    order = _place(sandbox, provider)
    evidence = order["evidence"]
    if evidence["kind"] == "TXT":
        sandbox.record(evidence["where"], "TXT", FOREIGN)
    look = {"name": "Look", "certops.issuance.order_dcv": {"order_id": order["order_id"]}}
    if provider == "sectigo":  # which counts the order itself as the first request
        sandbox.advance(SECOND_LOOK)
    tasks = [_ask(provider, order), _update(sandbox, "present"), _diagnose(sandbox), _wait(order, "Not yet"), look]
    run = _run(sandbox, folder, provider, *tasks, _wait(order), _update(sandbox, "absent"))
    (asked,) = run.of_task("Ask")
    (record_set,) = asked.result["record_sets"]
    published = (record_set["type"], record_set["fqdn"].lower(), *record_set["values"])
    assert published == (evidence["kind"], evidence["where"], evidence["value"])
    (diagnosis,) = run.of_task("Diagnose")
    assert (diagnosis.result["visible"], diagnosis.result["findings"]) == (True, [])
    assert _outcome(run, "Not yet") == "timed_out"
    assert [one["asked"] for one in run.of_task("Look")[0].result["names"]] == [True]
    assert _outcome(run) == "reached"
    assert sandbox.records(evidence["where"], evidence["kind"]) == [FOREIGN] * (evidence["kind"] == "TXT")


@pytest.mark.slow
def test_order_of_cpanel_is_issued_when_the_ca_has_looked_by_itself(sandbox: Sandbox, folder: Path) -> None:
    order = _place(sandbox, "cpanel")
    tasks = [_ask("cpanel", order), _update(sandbox, "present"), _diagnose(sandbox), _wait(order)]
    run = _run(sandbox, folder, "cpanel", *tasks)
    (record_set,) = run.of_task("Ask")[0].result["record_sets"]
    evidence = order["evidence"]
    assert (record_set["fqdn"], record_set["values"]) == (evidence["where"], [evidence["value"]])
    assert _outcome(run) == "timed_out"
    sandbox.advance(SECOND_LOOK)
    assert _outcome(_run(sandbox, folder, "cpanel", _wait(order))) == "reached"
    called = {one["path"].rpartition("/")[2] for one in sandbox.requests()}
    assert called <= READING_CALLS


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["cpanel", "sectigo"])
def test_file_made_from_the_csr_is_what_the_ca_looks_for(provider: str, sandbox: Sandbox, folder: Path) -> None:
    order = _place(sandbox, provider, "http")
    root = folder / "www"
    sandbox.webroot(NAME, root)
    parent, path = f"{root}{{{{ dcv.files[0].path | dirname }}}}", f"{root}{{{{ dcv.files[0].path }}}}"
    publish = [
        {"name": "Make the folder", "ansible.builtin.file": {"path": parent, "state": "directory"}},
        {"name": "Write", "ansible.builtin.copy": {"content": "{{ dcv.files[0].content }}", "dest": path}},
    ]
    run = _run(sandbox, folder, provider, _ask(provider, order), *publish, _diagnose(sandbox))
    (asked,) = run.of_task("Ask")
    assert (asked.result["record_sets"], asked.result["unresolved"]) == ([], [])
    assert asked.result["files"][0]["url"] == order["evidence"]["where"]
    assert asked.result["names"][0]["evidence"] == "computed"
    sandbox.advance(SECOND_LOOK)
    assert _outcome(_run(sandbox, folder, provider, _wait(order))) == "reached"


@pytest.mark.slow
def test_unique_value_that_nobody_knows_is_not_guessed(sandbox: Sandbox, folder: Path) -> None:
    order = _place(sandbox, "sectigo")
    ask = {"order_id": order["order_id"], "csr": [order["csr"]], "zones": [ZONE]}
    none = {**ask, "unique_values": {order["order_id"]: ""}}
    run = _run(
        sandbox,
        folder,
        "sectigo",
        {"name": "Ask", "certops.issuance.order_dcv_info": ask},
        {"name": "Say that none was used", "certops.issuance.order_dcv_info": none},
    )
    (asked,) = run.of_task("Ask")
    assert (asked.result["record_sets"], asked.result["names"][0]["problem"]) == ([], "token_unknown")
    (without,) = run.of_task("Say that none was used")
    value = order["evidence"]["value"].replace(f"{UNIQUE_VALUE}.", "")
    assert without.result["record_sets"][0]["values"] == [value]


@pytest.mark.slow
def test_findings_that_only_the_order_can_tell(sandbox: Sandbox, folder: Path) -> None:
    orders = {
        "ok_waiting": {},
        "polling_stopped": {"age": 11 * 86400},
        "method_sunset": {"dcv_method": "email"},
    }
    world = sandbox.internet()
    look = {"resolvers": world["resolvers"], "address_map": world["address_map"], "evidence": "{{ dcv.names }}"}
    look["record_sets"] = "{{ dcv.record_sets }}"
    tasks = []
    for number, (code, fields) in enumerate(orders.items()):
        # Each in a zone of its own, for the resolver remembers what the one before published.
        zone = f"d{number}.org"
        sandbox.zone(zone, [f"www.{zone}"])
        order = sandbox.order("digicert", [f"www.{zone}"], dcv="look", **fields)
        tasks += [_ask("digicert", order, zone), _update(sandbox, "present")]
        tasks.append({"name": code, "certops.issuance.dcv_diagnose": look})
    run = _run(sandbox, folder, "digicert", *tasks)
    found = {code: run.of_task(code)[0].result for code in orders}
    assert {code: [one["code"] for one in result["findings"]] for code, result in found.items()} == {
        code: [code] for code in orders
    }
    assert [result["visible"] for result in found.values()] == [True, True, True]
    order = _place(sandbox, "sectigo")
    ask = {"order_id": order["order_id"], "zones": [ZONE]}
    tasks = [
        {"name": "Ask", "certops.issuance.order_dcv_info": ask, "register": "dcv"},
        {"name": "token_unknown", "certops.issuance.dcv_diagnose": look},
    ]
    (unknown,) = _run(sandbox, folder, "sectigo", *tasks).of_task("token_unknown")
    assert [one["code"] for one in unknown.result["findings"]] == ["token_unknown"]
    assert unknown.result["visible"] is False
