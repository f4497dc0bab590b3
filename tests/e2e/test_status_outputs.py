# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook status and what it says of hosts: what they serve, in the files and in the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fleet import Fleet

STATUS = str(Path(__file__).resolve().parents[2] / "playbooks/status.yml")


@pytest.mark.slow
def test_what_hosts_have_in_service_stands_beside_their_orders(fleet: Fleet) -> None:
    orders = {
        name: fleet.order("digicert", f"{name}.example.org", "issued") for name in ("same", "old", "none", "away")
    }
    for name, order in orders.items():
        fleet.host(name, order)
    served = fleet.run("--limit", "same,old")
    assert served.failed == {}, served.output
    # The host goes on serving what it has, while its order is another one.
    newer = fleet.order("digicert", "old.example.org", "issued")
    fleet.hosts["old"]["certificate_order_id"] = newer["order_id"]
    fleet.hosts["away"].update(ansible_connection="ssh", ansible_host="127.0.0.1", ansible_port=1)
    files = {name: str(fleet.folder / name) for name in ("orders.json", "orders.html", "orders.prom")}
    outputs = {f"status_{kind}_file": files[f"orders.{end}"] for kind, end in (("json", "json"), ("html", "html"))}
    run = fleet.run(play=STATUS, status_deployed=True, status_prometheus_file=files["orders.prom"], **outputs)
    assert run.code == 0, run.output
    rows = json.loads(Path(files["orders.json"]).read_text(encoding="utf-8"))
    states = {row["host"]: row["in_service"] for row in rows}
    assert states == {"same": "this", "old": "another", "none": "none", "away": "unknown"}
    page = Path(files["orders.html"]).read_text(encoding="utf-8")
    assert "<bdi>same</bdi> serves this certificate" in page
    assert "<bdi>old</bdi> serves another certificate, which ends " in page
    assert "<bdi>none</bdi> serves no certificate" in page
    assert "<bdi>away</bdi> what it serves is not known: " in page
    metrics = Path(files["orders.prom"]).read_text(encoding="utf-8")
    assert metrics.count("certops_in_service_info{") == 4
    assert [path.name for path in fleet.folder.glob("ansible-tmp-*")] == []
    assert metrics.count("certops_in_service_not_after_timestamp_seconds{") == 2
    ending = fleet.run(play=STATUS, status_deployed=True, status_fail_within=60)
    assert ending.code == 2, ending.output
    assert "old serves another certificate: ends " in ending.output
    assert fleet.run(play=STATUS, status_fail_within=30).code == 0
