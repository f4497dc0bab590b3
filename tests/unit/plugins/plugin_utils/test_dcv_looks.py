# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks of the role for DCV evidence, in the small Internet of the sandbox."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_looks import Watch
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._dcv.conftest import Lab, lab

__all__ = ["lab"]


@pytest.fixture
def shown() -> list[str]:
    return []


def make_watch(lab: Lab, scene: t.Any, shown: list[str]) -> Watch:
    options = scene.options()
    (record_set,) = options["record_sets"]
    settings = {"resolvers": options["resolvers"], "address_map": lab.dns.address_map(), "visible_timeout": 60.0}
    name = {"name": "www.example.org", "order_id": "1", "record_set": record_set, "file": None}

    def sleep(_seconds: float) -> None:
        scene.publish()

    return Watch([name], settings, shown.append, sleep, clock=lambda: 0.0)


def test_it_looks_until_the_evidence_is_visible(lab: Lab, shown: list[str]) -> None:
    scene = lab.scene(now=time.time())
    scene.withdraw()
    found = make_watch(lab, scene, shown).until_visible()
    assert found["1"]["state"] == "visible"
    assert [line.partition(".org: ")[2][:18] for line in shown] == ["record_missing. Pu", "the CA can see the"]


def test_each_order_is_judged_by_its_own_record(lab: Lab, shown: list[str]) -> None:
    watch = make_watch(lab, lab.scene(now=time.time()), shown)
    (right,) = watch.names
    # Another value at the same owner: what is there looks like it, and time will not mend that.
    value = right["record_set"]["values"][0].upper()
    wrong = dict(right, order_id="2", record_set=dict(right["record_set"], values=[value]))
    watch.names = [right, wrong]
    watch.sleep = lambda _seconds: pytest.fail("one look is enough")
    found = watch.until_visible()
    assert {order_id: one["state"] for order_id, one in found.items()} == {"1": "visible", "2": "failed"}
    assert found["1"]["findings"] == []
    assert [line[:35] for line in shown] == ["www.example.org: record_wrong_value"]


def test_looks_in_a_long_wait_show_what_has_changed(lab: Lab, shown: list[str]) -> None:
    scene = lab.scene(now=time.time())
    lines_before_each_pause = []
    acts = [scene.withdraw, lambda: None, scene.publish]

    def pause() -> bool:
        lines_before_each_pause.append(len(shown))
        if not acts:
            return True
        acts.pop(0)()
        return False

    make_watch(lab, scene, shown).repeat(pause)
    assert lines_before_each_pause == [0, 1, 1, 2]
    assert "record_missing" in shown[0] and "can see" in shown[1]


def test_it_looks_again_beside_the_wait_and_is_quiet_after_it(lab: Lab, shown: list[str]) -> None:
    scene = lab.scene(now=time.time())
    scene.withdraw()
    seen = threading.Event()
    watch = make_watch(lab, scene, shown)

    def show(line: str) -> None:
        shown.append(line)
        seen.set()

    watch.show = show
    with watch.again(after=0.01):
        assert seen.wait(60)
    scene.publish()
    watch.look({"1"})
    assert len(shown) == 1 + 1  # the second is of this look, not of the thread


def test_without_evidence_no_thread_is_started(shown: list[str]) -> None:
    before = threading.active_count()
    with Watch([], {}, shown.append, lambda _seconds: None).again(after=0.0):
        assert threading.active_count() == before
