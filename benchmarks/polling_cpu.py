# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU of one poll of one order: ansible.builtin.uri with until, beside the wait, in the same run."""

from __future__ import annotations

import json
import pathlib
import tempfile

import harness
from sandbox.client import PROVIDERS, Sandbox

POLLS = (1, 11)
ORDERS = 1000
SECONDS = 3600


def _play(options: dict[str, str], order_id: str, retries: int) -> list[dict[str, object]]:
    return [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "Poll by hand",
                    "ansible.builtin.uri": {
                        "url": f"{options['api_url']}/order/certificate/{order_id}",
                        "headers": {"X-DC-DEVKEY": options["api_key"]},
                        "ca_path": options["ca_path"],
                    },
                    "register": "answer",
                    "until": "answer.json.status == 'issued'",
                    "retries": retries,
                    "delay": 0,
                    "failed_when": False,
                }
            ],
        }
    ]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, Sandbox.start(folder=folder) as sandbox:
        order_id = sandbox.order("digicert", scenario="stuck_dcv")["order_id"]
        used = []
        for retries in POLLS:
            playbook = pathlib.Path(folder, f"{retries}.json")
            playbook.write_text(json.dumps(_play(sandbox.options("digicert"), order_id, retries)), encoding="utf-8")
            used.append(harness.measure(["ansible-playbook", str(playbook)], runs=3).cpu)
        by_hand = (used[1] - used[0]) / (POLLS[1] - POLLS[0])
        ready = pathlib.Path(folder, "bench.json")
        ready.write_text(json.dumps(sandbox.ready), encoding="utf-8")
        rows = [["uri with until", "any", f"{by_hand * 1e6:.0f}", "1"]]
        for provider in PROVIDERS:
            seconds = harness.long_enough(provider, SECONDS)
            found = harness.apart("one_wait.py", str(ready), provider, str(ORDERS), str(seconds))
            ours = found["cpu_quiet"] / ORDERS
            rows.append(["order_wait", provider, f"{ours * 1e6:.1f}", f"1/{by_hand / ours:.0f}"])
    harness.table(f"CPU of one poll of one order, {ORDERS} orders", ["how", "provider", "µs CPU", "ratio"], rows)


if __name__ == "__main__":
    main()
