# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Request budgets and poll schedules: how often a provider may be asked, as data, and what keeps to it.

Private to this collection. A budget belongs to an account, not to a process: many forks of one controller, lookups and
modules all draw on it. The mechanism is one small file per account, locked while a slot is reserved: each caller writes
the time of its own request and sleeps until then. The window is rolling, as the providers count it, and a crashed
process leaves nothing worse than a slot that nobody uses.
"""

from __future__ import annotations

import array
import contextlib
import errno
import os
import random
import typing as t
from dataclasses import dataclass, field

from ..._common.private_directory import private_directory
from ..errors import RateLimited

try:
    import fcntl
except ImportError:  # pragma: no cover - the controller of Ansible is always POSIX
    fcntl = None  # type: ignore[assignment]

Clock = t.Callable[[], float]
Sleep = t.Callable[[float], None]

#: How long to sleep between two tries of a lock, in seconds.
_LOCK_PAUSE = 0.05
#: The most that a caller waits for its turn, in seconds.
_MAX_TURN_WAIT = 600.0
#: The most that all who use an account keep away because of a Retry-After, and the most of it that a caller sleeps
#: through instead of failing, in seconds.
_MAX_COOL_DOWN = 3600.0
_MAX_COOL_DOWN_SLEPT = 30.0


@dataclass(frozen=True)
class RequestBudget:
    """At most ``requests`` in any ``seconds``, counted in a rolling window."""

    requests: int
    seconds: float


@dataclass(frozen=True)
class PollSchedule:
    """How long to pause between polls, growing with the age of the wait.

    Arguments:
        steps: pairs of (until this age of the wait in seconds, pause in seconds), in rising order of age.
        afterwards: pause in seconds once the last step is over.
    """

    steps: tuple[tuple[float, float], ...]
    afterwards: float

    def pause(self, age: float) -> float:
        """Seconds until the next poll of a wait that is ``age`` seconds old."""
        return next((pause for until, pause in self.steps if age < until), self.afterwards)


@dataclass(frozen=True)
class RateLimits:
    """How a provider wants to be asked.

    Arguments:
        budgets: all hold at once.
        schedule: pauses between polls of a wait.
    """

    schedule: PollSchedule
    budgets: tuple[RequestBudget, ...] = ()


def next_slot(history: t.Sequence[float], budgets: t.Sequence[RequestBudget], now: float) -> float:
    """The first time, not before now, at which one more request keeps to every budget.

    Arguments:
        history: times of earlier and reserved requests in rising order, in seconds of the same clock as now.
    """
    slot = now
    for budget in budgets:
        if len(history) >= budget.requests:
            slot = max(slot, history[-budget.requests] + budget.seconds)
    return slot


@dataclass
class RateLimiter:
    """Reserves request slots for one account, across all processes of one user on this machine.

    Arguments:
        fingerprint: names the account; see Account.fingerprint.
        rate_limits: what the provider asks for.
        clock: monotonic seconds, the same for all processes since the machine started.
        sleep: pauses for a number of seconds.
        directory: where the shared files are; None for the private directory of this user.
        warn: called once when budgets cannot be shared; each process keeps to them by itself then.
    """

    fingerprint: str
    rate_limits: RateLimits
    clock: Clock
    sleep: Sleep
    directory: str | None = None
    warn: t.Callable[[str], None] = lambda message: None
    _own_times: list[float] = field(default_factory=list)
    _own_resume_at: float = 0.0
    _alone: bool = False

    def acquire(self, deadline: float | None = None) -> None:
        """Wait until one more request may be sent.

        Raises:
            RateLimited: when the budget has no slot before the deadline (in seconds of the clock), or for ten minutes.
        """
        with self._history(deadline) as history:
            now = self.clock()
            if history.resume_at - now > _MAX_COOL_DOWN_SLEPT:
                raise RateLimited(
                    "the provider asked a while ago for a pause, which lasts another "
                    f"{history.resume_at - now:.0f} s; try again then",
                    retry_after=history.resume_at - now,
                )
            slot = max(next_slot(history.times, self.rate_limits.budgets, now), history.resume_at)
            if slot > self._limit(deadline):
                raise RateLimited(
                    f"the request budget has no room for another {slot - now:.0f} s; "
                    "ask for less at once, or wait longer",
                    retry_after=slot - now,
                )
            history.times.append(slot)
        if slot > now:
            self.sleep(slot - now)

    def cool_down(self, seconds: float) -> None:
        """Keep all who use this account away for so many seconds, at most an hour: the provider asked for it."""
        with self._history(None) as history:
            history.resume_at = max(history.resume_at, self.clock() + min(seconds, _MAX_COOL_DOWN))

    @contextlib.contextmanager
    def exclusive(self, deadline: float | None = None) -> t.Iterator[None]:
        """Lock the account while one request is under way, where requests must not overlap.

        Raises:
            RateLimited: when another process does not finish before the deadline.
        """
        descriptor = self._lock("busy", deadline)
        try:
            yield
        finally:
            if descriptor is not None:
                os.close(descriptor)

    @contextlib.contextmanager
    def _history(self, deadline: float | None) -> t.Iterator[_History]:
        budgets = self.rate_limits.budgets
        descriptor = self._lock("budget", deadline)
        try:
            history = _History(list(self._own_times), self._own_resume_at)
            if descriptor is not None:
                history = _History.read(descriptor, self.clock())
            yield history
            self._own_times, self._own_resume_at = history.kept(budgets, self.clock()), history.resume_at
            if descriptor is not None:
                try:
                    history.write(descriptor, budgets, self.clock())
                except OSError as exc:
                    self._stop_sharing(exc)
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _lock(self, purpose: str, deadline: float | None) -> int | None:
        """Open and lock a shared file of this account, to be closed by the caller; None where that cannot be done."""
        if self._alone or fcntl is None:
            return None
        try:
            with contextlib.ExitStack() as opened:
                path = os.path.join(self.directory or private_directory(), f"{self.fingerprint}.{purpose}")
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o600)
                opened.callback(os.close, descriptor)
                self._wait_for_lock(descriptor, self._limit(deadline))
                opened.pop_all()
                return descriptor
        except OSError as exc:
            self._stop_sharing(exc)
        return None

    def _wait_for_lock(self, descriptor: int, limit: float) -> None:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as exc:
                if exc.errno not in (errno.EACCES, errno.EAGAIN):
                    raise
            left = limit - self.clock()
            if left <= 0:
                raise RateLimited("another process was using this account all the time; try again later")
            # Jitter, so that many forks do not try at the same moment.
            self.sleep(min(_LOCK_PAUSE * (0.5 + random.random()), left))

    def _limit(self, deadline: float | None) -> float:
        limit = self.clock() + _MAX_TURN_WAIT
        return limit if deadline is None else min(deadline, limit)

    def _stop_sharing(self, error: OSError) -> None:
        self._alone = True
        self.warn(f"request budgets are kept by this process alone: {error}")


class _History:
    """Times of requests, and the end of a pause that the provider asked for, in seconds of the monotonic clock."""

    def __init__(self, times: list[float], resume_at: float) -> None:
        self.times = times
        self.resume_at = resume_at

    @classmethod
    def read(cls, descriptor: int, now: float) -> _History:
        numbers = array.array("d")
        content = os.read(descriptor, os.fstat(descriptor).st_size)
        numbers.frombytes(content[: len(content) - len(content) % numbers.itemsize])
        # Nobody reserves so far ahead: the machine has been started again since, and its clock with it.
        resume_at, times = (numbers[0], numbers[1:]) if numbers else (0.0, numbers)
        resume_at = resume_at if resume_at <= now + _MAX_COOL_DOWN else 0.0
        return cls(sorted(time for time in times if time <= now + _MAX_TURN_WAIT), resume_at)

    def kept(self, budgets: t.Sequence[RequestBudget], now: float) -> list[float]:
        window = max([budget.seconds for budget in budgets] or [0.0])
        return [time for time in self.times if time > now - window]

    def write(self, descriptor: int, budgets: t.Sequence[RequestBudget], now: float) -> None:
        content = array.array("d", [self.resume_at] + self.kept(budgets, now)).tobytes()
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, content)
        os.ftruncate(descriptor, len(content))
