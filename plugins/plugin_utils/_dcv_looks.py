# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks of the role for DCV evidence: until it is visible, and again while the CA is waited for."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.certops.issuance.plugins.module_utils._dcv.diagnose import LOOK_INTERVAL, diagnose
from ansible_collections.certops.issuance.plugins.module_utils._dcv.operation import read_request
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_dcv as rules

Data = dict[str, t.Any]

#: After so many seconds a wait is longer than expected: CAs look within minutes after they are asked.
AGAIN_AFTER = 900.0
#: Looks that are made side by side.
MAX_LOOKS = 4


def look_at(names: t.Sequence[Data], settings: Data, orders_too: bool = False) -> Data:
    """Look once for the evidence of some names; as dcv_diagnose returns it.

    Arguments:
        names: as order_dcv_info returns them.
        settings: of the role.
        orders_too: whether to report findings that follow from the provider's answer alone.

    Raises:
        ValueError: for evidence that nobody can look for.
    """
    request = read_request(
        {
            "record_sets": _unique(name["record_set"] for name in names),
            "files": _unique(name["file"] for name in names),
            "names": [], "provider": None, "evidence": list(names) if orders_too else [],
            "resolvers": settings["resolvers"], "address_map": settings["address_map"], "caa_issuers": [],
            "wait": 0, "timeout": 60,
        }
    )  # fmt: skip
    return diagnose(request).to_dict()


def look_apart(names: t.Sequence[Data], settings: Data, orders_too: bool = False) -> list[tuple[set[str], Data]]:
    """As look_at, but orders that share a name are looked at by themselves, so that each is judged by its own evidence.

    Returns:
        The ids of some orders, and what came of the look at them.
    """
    groups = rules.orders_apart(names)

    def look(members: set[str]) -> tuple[set[str], Data]:
        return members, look_at([name for name in names if name["order_id"] in members], settings, orders_too)

    with ThreadPoolExecutor(max(1, min(MAX_LOOKS, len(groups)))) as pool:
        return list(pool.map(look, groups))


@dataclasses.dataclass
class Watch:
    """Looks for the evidence of some orders.

    Arguments:
        names: as order_dcv_info returns them; those with evidence count.
        settings: of the role.
    """

    names: t.Sequence[Data]
    settings: Data
    show: t.Callable[[str], None]
    sleep: t.Callable[[float], None]
    clock: t.Callable[[], float] = time.monotonic
    shown: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def look(self, order_ids: t.Container[str]) -> list[tuple[set[str], Data]]:
        """One look for some orders; shows what has changed since the last one. As look_apart returns it."""
        looks = look_apart([name for name in self.names if name["order_id"] in order_ids], self.settings)
        codes, lines = rules.changes(self.shown, *(diagnosis for _members, diagnosis in looks))
        self.shown.update(codes)
        for line in lines:
            self.show(line)
        return looks

    def until_visible(self) -> dict[str, Data]:
        """Look until each order is visible, or cannot become so, or the time is over; what came of each."""
        end = self.clock() + self.settings["visible_timeout"]
        expected = rules.expected_names(self.names)
        found: dict[str, Data] = {}
        while expected:
            looks = self.look(expected)
            left = end - self.clock()
            for members, diagnosis in looks:
                own = {order_id: expected[order_id] for order_id in members}
                found.update(rules.seen_by_order(own, diagnosis, last=left <= 0))
            expected = {order_id: names for order_id, names in expected.items() if found[order_id]["state"] == "open"}
            if expected:
                self.sleep(min(LOOK_INTERVAL, max(0.0, left)))
        return found

    @contextlib.contextmanager
    def again(self, after: float = AGAIN_AFTER) -> t.Iterator[None]:
        """While the block runs, look again in a thread, each so many seconds, and show what has changed."""
        ended = threading.Event()
        if self.names:
            quiet = dataclasses.replace(self, show=lambda line: None if ended.is_set() else self.show(line))
            # Nobody waits for a look that has begun.
            threading.Thread(target=quiet.repeat, args=(lambda: ended.wait(after),), daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def repeat(self, pause: t.Callable[[], bool]) -> None:
        """Look after each pause, until a pause returns that it was the last. All was visible before."""
        self.shown.update({name["name"]: [] for name in self.names})
        order_ids = {name["order_id"] for name in self.names}
        while not pause():
            try:
                self.look(order_ids)
            except (OSError, ValueError) as exc:
                self.show(f"the DCV evidence could not be looked for again: {exc}")


def _unique(items: t.Iterable[Data | None]) -> list[Data]:
    found: list[Data] = []
    for item in items:
        if item and item not in found:
            found.append(item)
    return found
