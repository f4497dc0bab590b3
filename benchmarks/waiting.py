# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting: requests per tick and in total, CPU and memory, for 10 to 10,000 orders at each provider."""

from __future__ import annotations

import json
import pathlib
import tempfile

import harness
from sandbox.client import PROVIDERS, Sandbox

COUNTS = (10, 100, 1000, 10000)
#: Virtual seconds at least: what the budgets leave of 10,000 orders takes so long.
SECONDS = 7200


def main() -> None:
    """Print the table."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, Sandbox.start(folder=folder) as sandbox:
        ready = pathlib.Path(folder, "bench.json")
        ready.write_text(json.dumps(sandbox.ready), encoding="utf-8")
        for provider in PROVIDERS:
            for count in COUNTS:
                seconds = harness.long_enough(provider, SECONDS)
                found = harness.apart("one_wait.py", str(ready), provider, str(count), str(seconds))
                issued = harness.apart("one_wait.py", str(ready), provider, str(count), str(seconds), "all")["total"]
                per_order = found["cpu_quiet"] / count * 1e6
                one_by_one = count * found["ticks"]
                rows.append(
                    [provider, count, found["ticks"], found["first"], found["quiet"], found["total"], one_by_one]
                    + [f"{issued / count:.2f}", f"{per_order:.1f}", f"{found['peak']:.0f}"]
                )
    harness.table(
        "Waiting (half of the orders turn issued in five waves; own schedules, virtual time)",
        ["provider", "orders", "ticks", "requests, first tick", "in a quiet tick", "in all", "uri+until, in all"]
        + ["an issued order, where all turn issued", "µs CPU per order and tick", "peak MiB"],
        rows,
    )


if __name__ == "__main__":
    main()
