# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The published limits: many forks at once, a sandbox that enforces them, in real time. The figure is 429 answers."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import time

import harness
from sandbox.client import PROVIDERS, Sandbox

FORKS, ORDERS = 8, 15
#: Orders of each fork at a provider whose requests must not overlap, so that the forks wait for one another.
EXCLUSIVE_ORDERS = {"sectigo": 5}


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, Sandbox.start(folder=folder) as sandbox:
        for provider in PROVIDERS:
            sandbox.reset()
            count = EXCLUSIVE_ORDERS.get(provider, ORDERS)
            order_ids = sandbox.orders(provider, FORKS * count, scenario="stuck_dcv")
            play = [
                {
                    "hosts": "all",
                    "gather_facts": False,
                    "connection": "local",
                    "tasks": [
                        {
                            "name": "Every host asks for orders of its own",
                            "certops.issuance.order_info": dict(sandbox.options(provider), order_ids="{{ mine }}"),
                        }
                    ],
                }
            ]
            hosts = {f"host{fork}": {"mine": order_ids[fork::FORKS]} for fork in range(FORKS)}
            inventory = pathlib.Path(folder, "inventory.json")
            inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
            playbook = pathlib.Path(folder, "play.json")
            playbook.write_text(json.dumps(play), encoding="utf-8")
            started = time.monotonic()
            run = subprocess.run(
                ["ansible-playbook", "-f", str(FORKS), "-i", str(inventory), str(playbook)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if run.returncode:
                sys.exit(run.stdout + run.stderr)
            found = sandbox.summary()["providers"][provider]
            elapsed = time.monotonic() - started
            rows.append([provider, FORKS, FORKS * count, found["requests"], found["rate_limited"], f"{elapsed:.0f}"])
    harness.table(
        "Limits enforced (forks of one controller that ask at the same time)",
        ["provider", "forks", "orders", "requests", "429 answers", "seconds"],
        rows,
    )


if __name__ == "__main__":
    main()
