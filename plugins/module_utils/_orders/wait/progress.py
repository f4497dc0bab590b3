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

from ..describe import describe_order
from .durations import format_duration
from .loop import PollReport
from .state import OrderState, Outcome

#: Up to so many orders have a line each; more are counted by status.
MAX_LISTED = 5
#: How many changes and how many of the slowest a summary names, at normal verbosity; each -v names ten times as many.
_MAX_CHANGES = 8
_MAX_SLOWEST = 3


@dataclass
class Progress:
    """Turns the reports of a wait into lines.

    Arguments:
        provider: name of the provider, for the lines.
        emit: takes one line, which may still hold words of a provider as they came.
        wall: the local time, for naming the next poll.
        verbosity: the more, the more orders are named.
    """

    provider: str
    emit: t.Callable[[str], None]
    wall: t.Callable[[], datetime.datetime]
    verbosity: int = 0

    def __call__(self, report: PollReport) -> None:
        for note in report.notes:
            self.emit(f"{self.provider}: {note}")
        changed = [state for state in report.orders if state.changed or state.outcome == Outcome.TIMED_OUT]
        if len(report.orders) > MAX_LISTED:
            self._summarize(report, changed)
            return
        # Without any change one heartbeat for each order that is still waited for.
        for state in changed or [state for state in report.orders if state.outcome is None]:
            self.emit(self._line(state) + self._when(report, state))

    def _summarize(self, report: PollReport, changed: list[OrderState]) -> None:
        self.emit(self._counts(report))
        if not self.verbosity and all(
            state.outcome == Outcome.REACHED and not state.was_pending for state in report.orders
        ):
            # Nothing had to be waited for, and the counts say so.
            return
        factor = 10 ** min(self.verbosity, 3)
        # What went wrong is news before what went well.
        rank = {Outcome.FAILED: 0, Outcome.ACTION_REQUIRED: 0, Outcome.REACHED: 2}
        changed.sort(key=lambda state: rank.get(state.outcome or "", 1))
        # A failure of the whole account is the same for each of its orders, and needs to be read but once.
        first = {id(state.error or state): state for state in reversed(changed)}
        distinct = changed if self.verbosity else [one for one in changed if first[id(one.error or one)] is one]
        named = distinct[: _MAX_CHANGES * factor]
        for state in named:
            self.emit(self._line(state))
        if len(changed) > len(named):
            self.emit(f"… and {len(changed) - len(named)} more changes")
        if report.next_poll is None:
            return
        listed = {id(state) for state in named}
        # The oldest orders first; orders of an unknown age last.
        slowest = sorted(
            (state.order.ordered_at or "9999", position)
            for position, state in enumerate(report.orders)
            if state.outcome is None and state.order is not None and id(state) not in listed
        )
        for _ordered_at, position in slowest[: _MAX_SLOWEST * factor]:
            self.emit("still waiting: " + self._line(report.orders[position]))

    def _line(self, state: OrderState) -> str:
        if state.order is not None:
            text = f"order {state.order_id} ({self.provider}) {describe_order(state.order)}"
        else:
            text = f"order {state.order_id} ({self.provider})"
            text += "" if state.error else " not answered yet"
        if state.error is not None:
            text += f" — {state.error.message}"
        return text

    def _when(self, report: PollReport, state: OrderState) -> str:
        if state.outcome == Outcome.TIMED_OUT:
            return f"; timed out after {format_duration(report.elapsed)}"
        if state.outcome is not None or report.next_poll is None:
            return f"; after {format_duration(report.elapsed)}"
        return "; " + self._next(report)

    def _next(self, report: PollReport) -> str:
        moment = self.wall() + datetime.timedelta(seconds=report.next_poll or 0.0)
        return f"next poll {moment:%H:%M:%S}, {format_duration(report.elapsed)} of {format_duration(report.timeout)}"

    def _counts(self, report: PollReport) -> str:
        counts: dict[str, int] = {}
        for state in report.orders:
            status = state.order.status if state.order is not None else "not answered"
            if state.error is not None and state.outcome == Outcome.FAILED:
                status = state.error.kind
            counts[status] = counts.get(status, 0) + 1
        most_first = sorted(counts.items(), key=lambda item: -item[1])
        listed = ", ".join(f"{count} {status}" for status, count in most_first)
        when = self._next(report) if report.next_poll is not None else f"after {format_duration(report.elapsed)}"
        late = sum(1 for state in report.orders if state.outcome == Outcome.TIMED_OUT)
        if late:
            when = f"{late} timed out {when}"
        return f"{len(report.orders)} orders ({self.provider}): {listed}; {when}"
