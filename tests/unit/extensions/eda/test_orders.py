# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source orders, loaded by its path, against the sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import types
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml

from ansible_collections.certops.issuance.tests.unit.by_path import load

_TESTS = str(Path(__file__).resolve().parents[3])
if _TESTS not in sys.path:
    sys.path.append(_TESTS)

from sandbox.client import Sandbox

SOURCE = Path(__file__).resolve().parents[4] / "extensions/eda/plugins/event_source/orders.py"
#: What no test reaches unless the source hangs.
_HANGS = 30.0


@pytest.fixture(scope="module")
def running_sandbox() -> t.Iterator[Sandbox]:
    with Sandbox.start(rate=0.0) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sandbox:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture(scope="module")
def source() -> types.ModuleType:
    return load(SOURCE)


class Watching:
    """A source that runs, and what it puts into its queue."""

    def __init__(self, source: types.ModuleType, args: dict[str, t.Any], size: int = 0) -> None:
        self.queue: asyncio.Queue[dict[str, t.Any]] = asyncio.Queue(size)
        self.task = asyncio.create_task(source.main(self.queue, args))

    async def event(self) -> dict[str, t.Any]:
        """The next event. Raises what ends the source."""
        getting = asyncio.create_task(self.queue.get())
        done, _pending = await asyncio.wait({getting, self.task}, timeout=_HANGS, return_when=asyncio.FIRST_COMPLETED)
        if getting in done:
            return getting.result()
        getting.cancel()
        if self.task in done:
            self.task.result()
        raise AssertionError(f"no event comes; the task: {self.task}")

    async def until(self, **wanted: t.Any) -> list[dict[str, t.Any]]:
        """All events up to one with these fields."""
        events = [await self.event()]
        while any(events[-1].get(name) != value for name, value in wanted.items()):
            events.append(await self.event())
        return events

    async def end(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.task, _HANGS)


def watch(source: types.ModuleType, args: dict[str, t.Any], story: t.Callable[[Watching], t.Awaitable[t.Any]]) -> t.Any:
    """Run the source while ``story`` reads its events. asyncio.run returns when the thread of the source has ended."""

    async def run() -> t.Any:
        watching = Watching(source, args)
        try:
            return await story(watching)
        finally:
            await watching.end()

    return asyncio.run(asyncio.wait_for(run(), 2 * _HANGS))


def options(sandbox: Sandbox, *order_ids: str, **more: t.Any) -> dict[str, t.Any]:
    return {
        **sandbox.options("digicert"),
        "provider": "digicert",
        "order_ids": list(order_ids),
        "poll_interval": 1,
        **more,
    }


def test_each_change_of_an_order_is_an_event(sandbox: Sandbox, source: types.ModuleType) -> None:
    order_id = sandbox.order("digicert", ["www.example.com"])["order_id"]
    other = sandbox.order("digicert", ["shop.example.com"], scenario="stuck_dcv")["order_id"]

    async def story(watching: Watching) -> list[dict[str, t.Any]]:
        first = [await watching.event(), await watching.event()]
        await asyncio.to_thread(sandbox.advance, 200)
        return first + await watching.until(status="issued")

    args = options(sandbox, order_id, other)
    events = watch(source, args, story)
    assert [(event["kind"], event["order_id"], event["status"], event["previous_status"]) for event in events] == [
        ("changed", order_id, "validating", None),
        ("changed", other, "validating", None),
        ("changed", order_id, "issued", "validating"),
    ]
    assert events[0]["msg"].startswith(f"digicert order {order_id}: validating: 0 of 1 domains")
    assert events[0]["order"]["blockers"][0]["subject"] == "www.example.com"
    assert (
        events[-1]["order"]["certificate"]["serial_number"] == sandbox.get_order("digicert", order_id)["serial_number"]
    )
    assert {event["error_kind"] for event in events} == {None}
    assert args["api_key"] not in json.dumps(events)


def test_one_bulk_call_serves_a_poll(sandbox: Sandbox, source: types.ModuleType) -> None:
    order_ids = sandbox.orders("digicert", 200)

    async def story(watching: Watching) -> None:
        for _order in order_ids:
            await watching.event()

    watch(source, options(sandbox, *order_ids, poll_interval="1h"), story)
    # The wait of the collection, not a request for each order.
    assert sandbox.summary()["requests"] < len(order_ids) / 5


def test_orders_are_watched_after_they_are_issued(sandbox: Sandbox, source: types.ModuleType) -> None:
    order_id = sandbox.order("digicert", ["www.example.com"], scenario="issued")["order_id"]
    key = sandbox.options("digicert")["api_key"]

    async def story(watching: Watching) -> list[dict[str, t.Any]]:
        first = await watching.event()
        await asyncio.to_thread(sandbox.patch_order, "digicert", order_id, stage="revoked", reason=f"\x1b[31mno {key}")
        return [first, await watching.event()]

    events = watch(source, options(sandbox, order_id, refresh_interval="1s"), story)
    assert [event["status"] for event in events] == ["issued", "revoked"]
    # Whatever a provider writes is shown without secrets and without what steers a terminal.
    assert key not in json.dumps(events)
    assert "\\u001b" not in json.dumps(events)


def test_an_order_that_cannot_be_read(sandbox: Sandbox, source: types.ModuleType) -> None:
    event = watch(source, options(sandbox, "999999"), Watching.event)
    assert (event["kind"], event["status"], event["error_kind"]) == ("changed", "unknown", "not_found")
    assert event["order"] is None
    assert event["msg"].startswith("digicert order 999999: ")


def test_refused_credentials_are_an_event(sandbox: Sandbox, source: types.ModuleType) -> None:
    event = watch(source, options(sandbox, "12345", api_key="wrong-wrong-wrong"), Watching.event)
    assert event["error_kind"] == "authentication"
    assert "wrong-wrong-wrong" not in json.dumps(event)


def test_a_certificate_is_due_once(sandbox: Sandbox, source: types.ModuleType) -> None:
    now = datetime.now(timezone.utc)

    def order(days_past: int, days_left: int) -> str:
        dates = {"valid_from": now - timedelta(days_past), "valid_till": now + timedelta(days_left)}
        certificate = {name: f"{moment:%Y-%m-%d}" for name, moment in dates.items()}
        certificate.update(serial_number="0A1B2C", common_name="www.example.com")
        fields = {"certificate": certificate}
        placed = sandbox.order("digicert", ["www.example.com"], scenario="issued", fields=fields)
        return str(placed["order_id"])

    due, fresh = order(70, 20), order(20, 70)

    async def story(watching: Watching) -> list[dict[str, t.Any]]:
        events = [await watching.event() for _event in range(3)]
        # In the next round the provider reports something else about the order, and its certificate is the same.
        await asyncio.to_thread(sandbox.patch_order, "digicert", due, stage="revoked")
        return [*events, await watching.event()]

    events = watch(source, options(sandbox, due, fresh, refresh_interval=1), story)
    assert [(event["kind"], event["order_id"]) for event in events] == [
        ("changed", due),
        ("changed", fresh),
        ("due", due),
        ("changed", due),
    ]
    assert events[2]["due"]["reason"] == "remaining"
    assert events[2]["order"]["certificate"]["not_after"] in events[2]["msg"]


def test_a_reissue_with_the_same_end_is_due_again(sandbox: Sandbox, source: types.ModuleType) -> None:
    now = datetime.now(timezone.utc)

    def certificate(serial: str) -> dict[str, str]:
        dates = {"valid_from": now - timedelta(70), "valid_till": now + timedelta(20)}
        return {"serial_number": serial, **{name: f"{moment:%Y-%m-%d}" for name, moment in dates.items()}}

    fields = {"certificate": certificate("0A1B2C")}
    placed = sandbox.order("digicert", ["www.example.com"], scenario="issued", fields=fields)
    order_id = str(placed["order_id"])

    async def story(watching: Watching) -> list[dict[str, t.Any]]:
        events = await watching.until(kind="due")
        again = {"certificate": certificate("0A1B2D")}
        await asyncio.to_thread(sandbox.patch_order, "digicert", order_id, fields=again)
        return [*events, await watching.event(), await watching.event()]

    events = watch(source, options(sandbox, order_id, refresh_interval=1), story)
    assert [event["kind"] for event in events] == ["changed", "due", "changed", "due"]
    serials = [event["order"]["certificate"]["serial_number"] for event in events if event["kind"] == "due"]
    assert serials == ["A1B2C", "A1B2D"]


def test_nobody_reads_the_events(sandbox: Sandbox, source: types.ModuleType) -> None:
    order_ids = sandbox.orders("digicert", 3)

    async def run() -> None:
        watching = Watching(source, options(sandbox, *order_ids), size=1)
        while not watching.queue.full():
            await asyncio.sleep(0.01)
        await watching.end()

    # It returns: the thread does not wait for a place in the queue for ever.
    asyncio.run(asyncio.wait_for(run(), _HANGS))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"order_idss": ["1"]}, "did you mean order_ids"),
        ({"provider": "acme"}, "acme"),
        ({"refresh_interval": "soon"}, "^refresh_interval is soon, which is no duration; give seconds"),
        ({"refresh_interval": 0}, "at least 1 second"),
        ({"remaining": "much"}, "remaining is 'much'"),
        ({"order_ids": []}, "order_ids is empty"),
        ({"order_ids": ["no number"]}, "no number"),
        ({"api_key": "  "}, "api_key is empty"),
    ],
)
def test_wrong_options(sandbox: Sandbox, source: types.ModuleType, given: dict[str, t.Any], text: str) -> None:
    args = {**options(sandbox, "12345"), **given}
    with pytest.raises(Exception, match=text) as caught:
        watch(source, args, Watching.event)
    assert type(caught.value).__name__ == "SourceFailed"
    assert sandbox.options("digicert")["api_key"] not in str(caught.value)


def test_the_documentation_names_every_option(source: types.ModuleType) -> None:
    documented = yaml.safe_load(source.DOCUMENTATION)["options"]
    assert set(documented) == set(source.OPTIONS)
    for name, spec in source.OPTIONS.items():
        assert {key: documented[name].get(key) for key in ("type", "default", "choices", "aliases")} == {
            "type": spec["type"],
            "default": spec.get("default"),
            "choices": spec.get("choices"),
            "aliases": spec.get("aliases"),
        }
        assert documented[name].get("required", False) == spec.get("required", False)
