# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""dcv_diagnose in a play: a record is published at the doubled name, found there, mended by update, and seen."""

from __future__ import annotations

import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_runs import run_playbook
from sandbox.internet import DnsService, Web
from sandbox.internet import update as client
from sandbox.internet.scenes import HOST, SERVERS, TOKEN, ZONE, Scene
from sandbox.internet.zones import RESOLVER_ADDRESS

KEY, SECRET = "play.example.org.", "c2FuZGJveC1zZWNyZXQ="
FQDN = f"_dnsauth.{HOST}"


@pytest.fixture
def scene() -> t.Iterator[tuple[Scene, DnsService]]:
    """A served world in which nothing is published, but an SPF record at the same name."""
    with Web() as web:
        made = Scene(web, "digicert", "txt", signed=True, now=time.time())
        made.zone.set(FQDN, "TXT", "v=spf1 -all")
        with DnsService(made.internet, {KEY: SECRET}) as service:
            yield made, service


def _publish(service: DnsService, state: str, fqdn: str) -> dict[str, t.Any]:
    server = service.address_map()[f"{next(iter(SERVERS.values()))}:53"]
    command = [sys.executable, client.__file__, server, ZONE, f"{KEY}={SECRET}", state, "TXT", fqdn, TOKEN]
    return {"name": f"Let {fqdn} be {state}", "ansible.builtin.command": {"argv": command}, "changed_when": False}


def _diagnose(service: DnsService, name: str, **options: t.Any) -> dict[str, t.Any]:
    record = {"type": "TXT", "fqdn": FQDN, "values": [TOKEN], "names": [HOST]}
    given = {
        "record_sets": [record],
        "provider": "digicert",
        "resolvers": [RESOLVER_ADDRESS],
        "address_map": service.address_map(),
        **options,
    }
    return {"name": name, "certops.issuance.dcv_diagnose": given}


def test_record_at_the_doubled_name_is_found_and_mended(scene: tuple[Scene, DnsService], folder: Path) -> None:
    made, service = scene
    tasks = [
        _publish(service, "present", f"{FQDN}.{ZONE}"),
        _diagnose(service, "Look at the mistake"),
        {**_diagnose(service, "Fail because of the mistake", fail_on="fatal", wait=600), "ignore_errors": True},
        _publish(service, "absent", f"{FQDN}.{ZONE}"),
        _publish(service, "present", FQDN),
        {**_diagnose(service, "Look again", fail_on="warning"), "check_mode": True},
        _publish(service, "absent", FQDN),
    ]
    run = run_playbook([{"hosts": "all", "gather_facts": False, "tasks": tasks}], folder)
    assert run.code == 0, run.output
    (mistake,) = run.of_task("Look at the mistake")
    assert mistake.result["visible"] is False
    assert [item["code"] for item in mistake.result["findings"]] == ["record_wrong_name"]
    assert mistake.result["findings"][0]["seen"] == f"{FQDN}.{ZONE}"
    (failure,) = run.of_task("Fail because of the mistake", "failed")
    assert (failure.result["error_kind"], failure.result["retryable"]) == ("not_visible", False)
    (mended,) = run.of_task("Look again")
    assert (mended.result["visible"], mended.result["findings"], mended.result["changed"]) == (True, [], False)
    assert run.changed == []
    assert made.zone.get(FQDN, "TXT") == ["v=spf1 -all"]


def test_module_without_options_names_them(folder: Path) -> None:
    tasks = [{"name": "Ask for nothing", "certops.issuance.dcv_diagnose": {}, "ignore_errors": True}]
    run = run_playbook([{"hosts": "all", "gather_facts": False, "tasks": tasks}], folder)
    (event,) = run.of_task("Ask for nothing", "failed")
    assert event.msg == "one of the following is required: record_sets, files, names"
