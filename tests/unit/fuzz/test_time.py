# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks that jump, and servers that send absurd times: a wait keeps its deadline in all of them."""

from __future__ import annotations

import datetime
import email.utils
import os
import pathlib
import tempfile
import time
import typing as t
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Request, Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations import runtime as operations_runtime
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_wait import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)
from ansible_collections.certops.issuance.tests.unit.fuzz.world import (
    ORDER_IDS,
    PENDING,
    QUESTIONS,
    Answers,
    originals,
)

_moments = st.integers(-(10**10), 10**11).map(lambda seconds: _date(float(seconds)))
_RETRY_AFTER = st.one_of(
    st.sampled_from(["0", "1", "-5", "29", "31", "3600", "86401", "99999999999", "1e9", "nan", "in a while", "", "٣"]),
    st.integers(0, 10**12).map(str),
    _moments,
    st.sampled_from(
        ["Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 31 Dec 9999 23:59:59 -1200", "Sun, 29 Mar 2026 02:30:00 +0100"]
    ),
)


def _date(seconds: float) -> str:
    try:
        return email.utils.formatdate(seconds, usegmt=True)
    except (OverflowError, ValueError, OSError):
        return "Mon, 99 Foo 99999 99:99:99 GMT"


class JumpingClock:
    """Monotonic seconds. Each sleep lasts longer, by what comes next in ``jumps``, as after a suspend."""

    def __init__(self, jumps: t.Sequence[float]) -> None:
        self.now = 5000.0
        self.jumps = list(jumps)
        self.ends: list[float] = []

    def __call__(self) -> float:
        # Whoever looks at a clock all the time must come to an end as well.
        self.now += 0.001
        return self.now

    def sleep(self, seconds: float) -> None:
        """Sleep, and perhaps much longer."""
        assert seconds >= 0
        self.ends.append(self.now + seconds)
        self.now += seconds + (self.jumps.pop(0) if self.jumps else 0.0)


def _wait(
    provider: str, clock: JumpingClock, respond: t.Callable[[Answers, Request], Response], **options: t.Any
) -> t.Any:
    """The result of order_wait for an order that is never issued."""
    bodies = {name: originals(provider, pattern)[0] for name, _part, pattern in QUESTIONS[provider]}
    bodies.update({name: originals(provider, file)[0] for name, file in PENDING[provider].items()})
    answers = Answers(provider, bodies)
    params = {name: option.get("default") for name, option in ORDER_WAIT_OPTIONS.items()}
    params.update(provider=provider, api_url="http://localhost", order_ids=[ORDER_IDS[provider]], username="user")
    params.update(api_key="key-key-key", password="pass-pass-pass", validate_certs=False, **options)

    class Transport(operations_runtime.HttpClient):  # type: ignore[misc]
        def _send_once(self, request: Request, url: str, query: t.Mapping[str, str], last: float) -> Response:
            self.requests_sent += 1
            return respond(answers, request)

    runtime = operations_runtime.Runtime(environment={}, clock=clock, sleep=clock.sleep)
    with mock.patch.object(operations_runtime, "HttpClient", Transport):
        return operations_runtime.perform(order_wait, params, runtime)


@pytest.fixture(autouse=True)
def _own_budgets(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.mark.parametrize("provider", sorted(ORDER_IDS))
@given(
    timeout=st.sampled_from([1, 10, 45, 600, 5000]),
    interval=st.one_of(st.none(), st.integers(1, 900)),
    refusals=st.lists(st.tuples(st.sampled_from([429, 503, 200]), _RETRY_AFTER), max_size=8),
    jumps=st.lists(st.sampled_from([0.0, 0.5, 3600.0, 86400.0]), max_size=5),
    date=_moments,
)
def test_nothing_a_server_says_moves_the_deadline(
    provider: str,
    timeout: int,
    interval: int | None,
    refusals: list[tuple[int, str]],
    jumps: list[float],
    date: str,
) -> None:
    clock = JumpingClock(jumps)
    deadline = clock.now + timeout
    queue = list(refusals)

    def respond(answers: Answers, request: Request) -> Response:
        right = answers.to(request)
        status, retry_after = queue.pop(0) if queue else (200, "")
        headers = {"date": date, "retry-after": retry_after}
        return Response(status, right.body if status == 200 else b"", headers)

    # Budgets of one example are no business of the next, whose clock starts anew.
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, XDG_RUNTIME_DIR=folder):
        result = _wait(provider, clock, respond, timeout=timeout, poll_interval=interval)
    assert result["error_kind"] == "timed_out", result
    assert [order["outcome"] for order in result["orders"]] == ["timed_out"]
    late = [end - deadline for end in clock.ends if end > deadline + 1.0]
    assert not late, f"slept past the deadline by {late}"
    assert clock.now <= deadline + sum(jumps) + 1.0


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Pacific/Apia"])
@pytest.mark.parametrize(
    "start", ["2026-03-29T00:59:30", "2026-10-25T00:59:30", "2026-11-01T05:59:30", "2011-12-30T09:59:30"]
)
def test_daylight_saving_is_nothing_to_a_wait(zone: str, start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        clock = JumpingClock([])
        began = clock.now
        real = datetime.datetime.fromisoformat(start).replace(tzinfo=datetime.timezone.utc).timestamp()
        lines: list[str] = []
        runtime = operations_runtime.Runtime(
            environment={},
            clock=clock,
            sleep=clock.sleep,
            report=lines.append,
            wall=lambda: datetime.datetime.fromtimestamp(real + clock.now - began),
        )
        with mock.patch.object(operations_runtime, "Runtime", lambda **_ignored: runtime):
            result = _wait("digicert", clock, lambda answers, request: answers.to(request), timeout=7200)
        assert result["error_kind"] == "timed_out"
        # The last look is a little before the deadline, so that its answer still counts.
        assert 7190 <= result["elapsed"] <= 7200.5
        assert lines
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()


def test_the_real_clock() -> None:
    class Real(JumpingClock):
        def __call__(self) -> float:
            return time.monotonic()

        def sleep(self, seconds: float) -> None:
            assert 0 <= seconds <= 2
            time.sleep(seconds)

    clock = Real([])

    def respond(answers: Answers, request: Request) -> Response:
        return Response(429, b"", {"retry-after": "99999999999"})

    result = _wait("digicert", clock, respond, timeout=1, poll_interval=1)
    assert result["error_kind"] == "timed_out", result
