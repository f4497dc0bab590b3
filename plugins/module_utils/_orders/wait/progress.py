# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of a wait as lines for people: one per change, a heartbeat, a summary when there are many orders.

Private to this collection. Every line reads by itself, in a terminal as in a CI log.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ..._common.text import clean_line
from ..describe import describe_order
from .loop import Outcome, Tick, Waiting

#: Up to so many orders have a line each; more are summed up.
FEW = 5
#: How many changes and how many of the slowest a summary names, at normal verbosity; each -v names ten times as many.
_NAMED_CHANGES = 8
_NAMED_SLOWEST = 3
#: What a provider says can be long; so much of a line is shown, in characters.
_LONGEST_LINE = 500


def duration(seconds: float) -> str:
    """Seconds as people read them: 45s, 2m10s, 30m, 3h05m, 2d04h."""
    whole = int(round(max(0.0, seconds)))
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}m" if minutes else f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h" if hours else f"{days}d"


def plain_line(text: str) -> str:
    """A text as one line for a terminal: a provider's words may neither steer it nor push the rest away."""
    return clean_line(text, _LONGEST_LINE)


@dataclass
class Progress:
    """Turns ticks into lines.

    Arguments:
        provider: name of the provider, for the lines.
        emit: takes one line; see plain_line.
        wall: the local time, for naming the next poll.
        verbosity: the more, the more orders are named.
    """

    provider: str
    emit: t.Callable[[str], None]
    wall: t.Callable[[], datetime.datetime]
    verbosity: int = 0

    def __call__(self, tick: Tick) -> None:
        for note in tick.notes:
            self.emit(f"{self.provider}: {note}")
        changed = [wait for wait in tick.waits if wait.changed or wait.outcome == Outcome.TIMED_OUT]
        if len(tick.waits) > FEW:
            self._sum_up(tick, changed)
            return
        # Without any change one heartbeat for each order that is still waited for.
        for wait in changed or [wait for wait in tick.waits if wait.outcome is None]:
            self.emit(self._line(wait) + self._when(tick, wait))

    def _sum_up(self, tick: Tick, changed: list[Waiting]) -> None:
        self.emit(self._summary(tick))
        more = 10 ** min(self.verbosity, 3)
        # What went wrong is news before what went well.
        rank = {Outcome.FAILED: 0, Outcome.ACTION_REQUIRED: 0, Outcome.REACHED: 2}
        changed.sort(key=lambda wait: rank.get(wait.outcome or "", 1))
        # A failure of the whole account is the same for each of its orders, and needs to be read but once.
        first = {id(wait.error or wait): wait for wait in reversed(changed)}
        telling = changed if self.verbosity else [wait for wait in changed if first[id(wait.error or wait)] is wait]
        named = telling[: _NAMED_CHANGES * more]
        for wait in named:
            self.emit(self._line(wait))
        if len(changed) > len(named):
            self.emit(f"… and {len(changed) - len(named)} more changes")
        if tick.next_poll is None:
            return
        told = {id(wait) for wait in named}
        # The oldest orders first; orders of an unknown age last.
        slowest = sorted(
            (wait.order.ordered_at or "9999", position)
            for position, wait in enumerate(tick.waits)
            if wait.outcome is None and wait.order is not None and id(wait) not in told
        )
        for _ordered_at, position in slowest[: _NAMED_SLOWEST * more]:
            self.emit("still waiting: " + self._line(tick.waits[position]))

    def _line(self, wait: Waiting) -> str:
        if wait.order is not None:
            text = f"order {wait.order_id} ({self.provider}) {describe_order(wait.order)}"
        else:
            text = f"order {wait.order_id} ({self.provider})"
            text += "" if wait.error else " not answered yet"
        if wait.error is not None:
            text += f" — {wait.error.message}"
        return text

    def _when(self, tick: Tick, wait: Waiting) -> str:
        if wait.outcome == Outcome.TIMED_OUT:
            return f"; timed out after {duration(tick.elapsed)}"
        if wait.outcome is not None or tick.next_poll is None:
            return f"; after {duration(tick.elapsed)}"
        return "; " + self._next(tick)

    def _next(self, tick: Tick) -> str:
        moment = self.wall() + datetime.timedelta(seconds=tick.next_poll or 0.0)
        return f"next poll {moment:%H:%M:%S}, {duration(tick.elapsed)} of {duration(tick.timeout)}"

    def _summary(self, tick: Tick) -> str:
        counts: dict[str, int] = {}
        for wait in tick.waits:
            state = wait.order.status if wait.order is not None else "not answered"
            if wait.error is not None and wait.outcome == Outcome.FAILED:
                state = wait.error.kind
            counts[state] = counts.get(state, 0) + 1
        most_first = sorted(counts.items(), key=lambda item: -item[1])
        states = ", ".join(f"{count} {state}" for state, count in most_first)
        when = self._next(tick) if tick.next_poll is not None else f"after {duration(tick.elapsed)}"
        late = sum(1 for wait in tick.waits if wait.outcome == Outcome.TIMED_OUT)
        if late:
            when = f"{late} timed out {when}"
        return f"{len(tick.waits)} orders ({self.provider}): {states}; {when}"
