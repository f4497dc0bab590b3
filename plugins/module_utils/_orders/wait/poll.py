# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One poll of a wait: the bulk call, then the details of some orders.

Private to this collection. What each answer means is in state, which orders are asked for is in refresh.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..errors import AuthenticationError, OrderError, ProviderUnavailable, RateLimited
from ..http.rate_limit import Clock
from ..providers.base import Provider, RefreshPolicy
from .refresh import least_recently_fetched, orders_to_fetch, refuses_summaries, uses_summaries
from .state import OrderState, WaitOptions

#: Stands for a time to wait that a provider did not name, in seconds.
_UNNAMED = 0.001


@dataclass
class _Summaries:
    """The bulk calls so far.

    Arguments:
        last_at: when the last one was sent that left no gap, in seconds of the clock; None before the first.
        last_full_at: when all summaries were fetched last.
        refused: the bulk call is not available.
        failures: bulk calls in a row that failed.
    """

    last_at: float | None = None
    last_full_at: float = 0.0
    refused: bool = False
    failures: int = 0

    def changed_since(self, now: float, interval: float) -> float | None:
        """Seconds that the next delta call has to cover; None where all summaries are to be fetched."""
        if self.last_at is None or now - self.last_full_at >= interval:
            return None
        return now - self.last_at

    def answered(self, asked_at: float, full: bool, slow: bool) -> None:
        """Note a bulk call that was answered."""
        self.failures = 0
        if full:
            self.last_full_at = self.last_at = asked_at
        elif not slow:
            self.last_at = asked_at


@dataclass
class Poller:
    """Asks the provider, one poll after another.

    Arguments:
        notes: what there is to say, each thing once: text of the warning to the note.
        cool_down: seconds for which the provider asked to be left alone in this poll.
        limited_polls: polls in a row in which it answered "too often".
        gave_way: the last poll ended early, with urgent orders left.
        seconds_per_order: how long detail calls take, on a moving average.
    """

    provider: Provider
    options: WaitOptions
    clock: Clock
    notes: dict[str, str] = field(default_factory=dict)
    cool_down: float = 0.0
    limited_polls: int = 0
    gave_way: bool = False
    seconds_per_order: float = 0.0
    _summaries: _Summaries = field(default_factory=_Summaries)
    _answered: bool = False

    def poll(self, pending: t.Sequence[OrderState], deadline: float, catch_up: int) -> None:
        """Bring the states up to date, as far as the provider answers.

        Arguments:
            deadline: when to leave the rest for the next poll, in seconds of the clock.
            catch_up: how many orders that have never been fetched are fetched beside the others.
        """
        limited_polls, self.cool_down = self.limited_polls, 0.0
        continues, self.gave_way = self.gave_way, False
        policy = self.provider.refresh_policy(len(pending))
        deadline = min(deadline, self.clock() + policy.max_poll_duration)
        fatal: OrderError | None = None
        try:
            if not self._summaries.refused and uses_summaries(len(pending), self.provider.info):
                chosen = self._fetch_summaries(pending, policy, catch_up)
            elif continues:
                chosen = [state for state in pending if state.needs_detail]
            else:
                chosen = _all(pending)
            self._fetch_orders(chosen, policy, deadline, catch_up > 0)
        except OrderError as exc:
            fatal = exc
        for state in pending:
            # What was answered before the failure counts.
            state.judge(self.options, policy.max_serial_unknown)
            if fatal is not None and state.outcome is None:
                state.fail(fatal)
        if self.limited_polls == limited_polls:
            self.limited_polls = 0

    # -- the bulk call --------------------------------------------------------

    def _fetch_summaries(
        self, pending: t.Sequence[OrderState], policy: RefreshPolicy, catch_up: int
    ) -> list[OrderState]:
        """Make the bulk call. Returns the orders whose details are worth a call of their own, the most urgent first."""
        asked_at = self.clock()
        first = self._summaries.last_at is None
        changed_since = self._summaries.changed_since(asked_at, policy.full_summary_interval)
        try:
            found = self.provider.fetch_summaries([state.order_id for state in pending], changed_since)
        except OrderError as exc:
            return self._without_summaries(exc, pending, policy)
        self._answered = True
        slow = self.clock() - asked_at >= policy.slow_summary
        self._summaries.answered(asked_at, full=changed_since is None, slow=slow)
        for state in pending:
            state.apply_summary(found.get(state.order_id), first, self.options.superseded_serial_numbers)
            if first:
                self._note_warnings(state)
        return orders_to_fetch(pending, policy, first, self.options.until != "issued", catch_up)

    def _without_summaries(
        self, error: OrderError, pending: t.Sequence[OrderState], policy: RefreshPolicy
    ) -> list[OrderState]:
        """The orders to ask for after the bulk call failed.

        Raises:
            OrderError: when it concerns every call of the account.
        """
        if refuses_summaries(error):
            self._summaries.refused = True
            note = f"bulk call refused, asking for each order instead: {error}"
            self.notes.setdefault(note, note)
            return _all(pending)
        if self._concerns_all(error):
            raise error
        for state in pending:
            self._note_failure(state, error)
        self._summaries.failures += 1
        if self._summaries.failures < policy.max_failures or isinstance(error, RateLimited):
            return []
        # It may be the bulk call alone that fails. It is made again in the next poll.
        return least_recently_fetched(pending)[: policy.unsupported]

    # -- the details ----------------------------------------------------------

    def _fetch_orders(
        self, chosen: t.Sequence[OrderState], policy: RefreshPolicy, deadline: float, catching_up: bool
    ) -> None:
        """Fetch each of these orders, until the provider fails repeatedly or the deadline has passed."""
        failures = 0
        # Orders that were not answered last time go last, so that they cannot keep the others from being fetched.
        queue = sorted(chosen, key=lambda state: state.last_call_failed)
        for position, state in enumerate(queue):
            if position > 0 and self.clock() > deadline:
                left = queue[position:]
                self.gave_way = any(one.needs_detail or (catching_up and one.fetched_at is None) for one in left)
                return
            error = self._fetch_order(state, policy)
            failures = failures + 1 if error is not None else 0
            if error is not None and (failures >= policy.max_failures or isinstance(error, RateLimited)):
                for one in queue[position + 1 :]:
                    if one.needs_detail:
                        self._note_failure(one, error)
                return

    def _fetch_order(self, state: OrderState, policy: RefreshPolicy) -> OrderError | None:
        """Fetch one order. Returns what kept the provider from answering; bad news is an answer.

        Raises:
            OrderError: when it concerns every call of the account.
        """
        asked_at = self.clock()
        state.fetched_at, state.last_call_failed = asked_at, False
        try:
            if state.order is not None and not state.needs_detail:
                order = self.provider.refresh_order(state.order)
            else:
                order = self.provider.fetch_progress(state.order_id)
        except OrderError as exc:
            if self._concerns_all(exc):
                raise
            if exc.retryable or isinstance(exc, ProviderUnavailable):
                state.last_call_failed = True
                self._note_failure(state, exc)
                return exc
            self._answered = True
            state.fail(exc)
            # It may have been this order that made the bulk call impossible.
            self._summaries.refused = False
            return None
        self._answered = True
        self.seconds_per_order = (self.seconds_per_order + self.clock() - asked_at) / 2
        state.apply_order(order, self.options.superseded_serial_numbers, policy.max_detail_lag)
        self._note_warnings(state)
        return None

    # -- failures and notes ---------------------------------------------------

    def _concerns_all(self, error: OrderError) -> bool:
        """Whether no other order of the account can do better, now or later."""
        if isinstance(error, AuthenticationError):
            return True
        # A certificate that is not trusted, say. When it was trusted a moment ago, it may be again.
        return isinstance(error, ProviderUnavailable) and not error.retryable and not self._answered

    def _note_failure(self, state: OrderState, error: OrderError) -> None:
        state.error = error
        if isinstance(error, RateLimited):
            self.limited_polls += 1 if self.cool_down == 0.0 else 0
            self.cool_down = max(self.cool_down, error.retry_after or _UNNAMED)

    def _note_warnings(self, state: OrderState) -> None:
        for warning in state.order.warnings if state.order is not None else ():
            self.notes.setdefault(warning, f"order {state.order_id}: {warning}")


def _all(pending: t.Sequence[OrderState]) -> list[OrderState]:
    """Every order: without a bulk call to report changes, all details of each order are fetched."""
    for state in pending:
        state.needs_detail = True
    return list(pending)
