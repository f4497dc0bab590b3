# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait: one loop for all orders of one account, however many they are.

Private to this collection. Provider, clock, sleep and the listener are handed in. Each poll makes the provider's bulk
or delta call, and fetches details where something changed; a slow refresh keeps the other orders true. Before the
deadline each order has been fetched once, as far as the provider's budgets allow.
"""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass

from ..http.rate_limit import Clock, Sleep
from ..providers.base import Provider
from .poll import Poller
from .refresh import catch_up_duration, look_once_allowance
from .state import OrderState, Outcome, WaitOptions

#: The last poll of a wait is at most so many seconds before the deadline, to leave it the time to be answered.
LAST_POLL = 5.0
#: The shortest pause between two polls, in seconds: after a poll that gave way, and before a last poll, which is left
#: out where it would come sooner.
_MIN_PAUSE = 1.0
#: How much a pause of the schedule varies, so that many controllers do not ask at the same moment.
_JITTER = 0.05
#: A provider that says "too often" is asked less often by a factor of two for each such poll, so many times.
_MAX_DOUBLINGS = 3


@dataclass(frozen=True)
class PollReport:
    """What a listener hears after each poll. Times in seconds.

    Arguments:
        orders: the state of every order of the wait.
        elapsed: since the wait began.
        timeout: of the whole wait.
        next_poll: until the next poll; None after the last one.
        notes: what else there is to say, each thing once in a wait.
    """

    orders: t.Sequence[OrderState]
    elapsed: float
    timeout: float
    next_poll: float | None
    notes: t.Sequence[str] = ()


@dataclass(frozen=True)
class WaitResult:
    """How a wait ended.

    Arguments:
        orders: the state of every order, in the order of the given ids, each with its outcome.
        polls: how often the provider was polled.
        elapsed: seconds.
        next_poll: seconds after which the next poll makes sense, for orders that timed out.
        notes: warnings of the wait as a whole.
    """

    orders: t.Sequence[OrderState]
    polls: int
    elapsed: float
    next_poll: float
    notes: t.Sequence[str]


Listener = t.Callable[[PollReport], None]


def wait_for_orders(
    provider: Provider,
    order_ids: t.Sequence[str],
    options: WaitOptions,
    clock: Clock,
    sleep: Sleep,
    listen: Listener = lambda report: None,
) -> WaitResult:
    """Wait until every order is where it was waited for, has ended otherwise, or the time is over.

    Arguments:
        clock: monotonic seconds.
        sleep: pauses for a number of seconds.
        listen: called after each poll.

    Never raises an OrderError: each order carries its own.
    """
    wait = _Wait(provider, options, Poller(provider, options, clock), started=clock())
    orders = [OrderState(order_id) for order_id in order_ids]
    polls = reported = 0
    while True:
        polls += 1
        pending = [state for state in orders if state.outcome is None]
        wait.poll(pending)
        now = clock()
        pending = [state for state in pending if state.outcome is None]
        pause = wait.pause(now)
        wake = wait.next_poll_at(pending, now, pause) if pending else None
        if wake is None:
            for state in pending:
                state.outcome = Outcome.TIMED_OUT
        notes = list(wait.poller.notes.values())
        elapsed = now - wait.started
        next_poll = None if wake is None else wake - now
        listen(PollReport(orders, elapsed, options.timeout, next_poll, notes[reported:]))
        reported = len(notes)
        if wake is None:
            return WaitResult(orders, polls, elapsed, pause, notes)
        for state in orders:
            state.changed = False
        # The listener may take its time as well.
        sleep(max(0.0, wake - clock()))


@dataclass
class _Wait:
    """When to poll.

    Arguments:
        started: in seconds of the clock.
        last_poll: the next poll, or the one before, is the last one.
        catching_up: orders that have never been fetched are fetched now.
    """

    provider: Provider
    options: WaitOptions
    poller: Poller
    started: float
    last_poll: bool = False
    catching_up: bool = False

    def poll(self, pending: t.Sequence[OrderState]) -> None:
        """Poll the provider once."""
        if self.options.timeout <= 0:
            self.poller.poll(pending, float("inf"), look_once_allowance(pending, self.provider.info.rate_limits))
        else:
            self.poller.poll(pending, self._deadline, len(pending) if self.catching_up else 0)

    def pause(self, now: float) -> float:
        """Seconds until the next poll, if there were no deadline."""
        if self.poller.gave_way:
            return _MIN_PAUSE
        if self.options.poll_interval is not None:
            pause = self.options.poll_interval
        else:
            schedule = self.provider.info.rate_limits.schedule
            pause = schedule.pause(now - self.started) * (1.0 + random.uniform(0.0, _JITTER))
        doublings = min(self.poller.limited_polls, _MAX_DOUBLINGS)
        return max(pause * float(2**doublings), self.poller.cool_down)

    def next_poll_at(self, pending: t.Sequence[OrderState], now: float, pause: float) -> float | None:
        """When to poll next, in seconds of the clock; None when this was the last poll."""
        wake = now + pause
        last = wake > self._deadline
        if last:
            if self.last_poll:
                return None
            last_at = self._last_poll_at(now, pause)
            if last_at is None:
                return None
            wake = last_at
        left = catch_up_duration(
            pending, self.provider.info.rate_limits, self.poller.seconds_per_order, self.options.timeout
        )
        catch_up_at = max(self._deadline - left, now + max(self.poller.cool_down, _MIN_PAUSE))
        if catch_up_at < wake and not self.catching_up:
            wake, last = catch_up_at, False
        self.last_poll = self.last_poll or last
        self.catching_up = last or wake >= self._deadline - left
        return wake

    @property
    def _deadline(self) -> float:
        return self.started + self.options.timeout

    def _last_poll_at(self, now: float, pause: float) -> float | None:
        """When to poll once more before the deadline, the pause being cut; None when that would be asking too often."""
        left = self._deadline - now
        last = self._deadline - min(LAST_POLL, left / 10)
        shortest = max(self.poller.cool_down, min(_MIN_PAUSE, pause / 2))
        return last if last - now >= shortest else None
