# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One wait for many orders of one account, in a process of its own: requests per tick, CPU, peak memory.

Arguments: the ready file of a sandbox, provider, number of orders, virtual seconds, and ``all`` or nothing. Half of the
orders, or all of them, turn issued in five waves; the others never do. The clock is virtual, so that half an hour takes
seconds; the requests are real.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import harness

harness.load_collection()

from sandbox.client import Sandbox  # noqa: E402

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import (  # noqa: E402
    Runtime,
    open_session,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.loop import (  # noqa: E402
    PollReport,
    wait_for_orders,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.state import WaitOptions  # noqa: E402

WAVES = 5


def main() -> None:
    """Print the figures as JSON."""
    sandbox = Sandbox.attach(sys.argv[1])
    provider, count, seconds = sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    sandbox.reset()
    sandbox.set_rate(0)
    for limit in sandbox.control("GET", "limits")[provider]:
        if limit.startswith("per_"):
            sandbox.limits(provider, **{limit: 10**9})
    stuck = 0 if sys.argv[5:] == ["all"] else count // 2
    order_ids = sandbox.orders(provider, stuck, scenario="stuck_dcv") if stuck else []
    left = count - len(order_ids)
    for wave in range(WAVES):
        size = left // WAVES + (wave < left % WAVES)
        if size:
            after = {"validating": seconds * (wave + 0.5) / (WAVES + 1), "issuing": 1}
            order_ids += sandbox.orders(provider, size, scenario="dv", after=after)

    now = 0.0

    def sleep(pause: float) -> None:
        nonlocal now
        now += pause
        sandbox.advance(pause)

    runtime = Runtime(environment={}, clock=lambda: now, sleep=sleep)
    session = open_session(dict(sandbox.options(provider), request_timeout=600), runtime)
    ticks: list[tuple[int, float, bool]] = []
    sent, used = 0, time.process_time()

    def listen(report: PollReport) -> None:
        nonlocal sent, used
        changed = sum(state.changed for state in report.orders)
        spent = time.process_time()
        ticks.append((session.transport.requests_sent - sent, spent - used, changed > 1))
        sent, used = session.transport.requests_sent, time.process_time()

    wait = wait_for_orders(session.provider, order_ids, WaitOptions(timeout=seconds), lambda: now, sleep, listen)
    reached = sum(state.outcome == "reached" for state in wait.orders)
    assert reached == left, f"{reached} of {left} orders were seen issued"
    quiet = [tick for tick in ticks[1:] if not tick[2]]
    print(
        json.dumps(
            {
                "ticks": len(ticks),
                "first": ticks[0][0],
                "quiet": max((tick[0] for tick in quiet), default=0),
                "total": sent,
                "cpu_quiet": sum(tick[1] for tick in quiet) / max(1, len(quiet)),
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
