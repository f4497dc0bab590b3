# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait: one loop for all orders of one account, however many they are.

Private to this collection. Pure: provider, clock, sleep and the listener are handed in. Each tick asks the provider's
bulk or delta call, and for detail only where something changed; a slow refresh keeps the rest true.
"""

from __future__ import annotations

import random
import typing as t
from dataclasses import dataclass, field, replace

from ..errors import (
    AuthenticationError,
    OrderError,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ..http.rate_limit import Clock, Sleep
from ..model import Order, OrderCertificate, Status, without_superseded
from ..providers.base import OrderSummary, Provider

#: Orders asked for in detail in the first tick of a wait that uses the bulk call.
FIRST_LOOK = 20
#: Orders asked for in detail in each tick because the bulk call cannot tell when they move on.
MOST_UNTOLD = 20
#: The same while waiting for domain control validation, whose end no bulk call tells.
REFRESH_FOR_DCV = 20
#: Detail calls that may be behind the bulk call before its news is no longer urgent.
MOST_STALE = 2
#: Looks at an issued certificate whose serial number is not told, before it is clear that it will not be.
MOST_UNTELLABLE = 1
#: A delta call may forget an order or list it too late; every so many seconds the whole is asked for instead.
WHOLE_SURVEY = 900.0
#: A survey that took longer, in seconds, may have been sent so late that its window left a gap: the next one covers it.
SLOW_SURVEY = 60.0
#: The last look of a wait is at most so many seconds before the deadline, to leave it the time to be answered.
LAST_LOOK = 5.0
#: The shortest pause between two polls, in seconds: after a tick that gave way, and before a last look, which is left
#: out where it would come sooner.
_SHORTEST_PAUSE = 1.0
#: A tick that has lasted so long, in seconds, with news still to be asked for gives way to the next one: the listener
#: hears what is known, and the bulk call is not kept waiting until a slow provider, or its budget, has told the rest.
LONGEST_TICK = 30.0
#: After so many faults in a row the rest of a tick is left for the next one: the provider is not well.
MOST_FAULTS = 2
#: How much a pause of the schedule varies, so that many controllers do not ask at the same moment.
_JITTER = 0.05


class Outcome:
    """What became of an order in a wait."""

    REACHED = "reached"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True)
class WaitOptions:
    """What to wait for.

    Arguments:
        until: issued or dcv_completed.
        timeout: seconds for the whole wait; 0 looks once.
        poll_interval: seconds between polls, instead of the provider's schedule.
        stop_on_action_required: end the wait for an order for which a person must act.
        superseded_serial_numbers: certificates with these serials are the previous ones and never count.
    """

    until: str = "issued"
    timeout: float = 1800.0
    poll_interval: float | None = None
    stop_on_action_required: bool = True
    superseded_serial_numbers: t.Sequence[str] = ()


@dataclass(eq=False)
class Waiting:
    """One order that is waited for.

    Arguments:
        order: as last seen; None while no answer came.
        outcome: one of Outcome, None while the wait goes on.
        error: what kept the last answer from coming, or ended the wait for this order.
        changed: there is news since the last tick.
        mark: what the bulk call said last; see OrderSummary.
        due: there is something that only the detail call can tell: it has not been answered yet, or not since the
            bulk call had news.
        untold: the bulk call cannot tell where it stands, or leaves it out: only the detail call shows it move on.
        stale: detail calls since the bulk call had news that showed nothing of it.
        asked_at: when the detail call was made last, in seconds of the clock.
        unanswered: that call was not answered.
        seen_open: the order was seen before its certificate was there, so that the certificate is a new one.
        replaced: the certificate that the order had when its reissue was seen to be open.
        untellable: looks in a row at a certificate that cannot be told from the superseded one.
    """

    order_id: str
    order: Order | None = None
    outcome: str | None = None
    error: OrderError | None = None
    changed: bool = False
    mark: str | None = None
    due: bool = True
    untold: bool = False
    stale: int = 0
    asked_at: float | None = None
    unanswered: bool = False
    seen_open: bool = False
    replaced: OrderCertificate | None = None
    untellable: int = 0


@dataclass(frozen=True)
class Tick:
    """What a listener is told after each poll. Times in seconds.

    Arguments:
        waits: every order asked for.
        elapsed: since the wait began.
        timeout: of the whole wait.
        next_poll: until the next poll; None after the last one.
        notes: what else there is to say, each thing once per wait.
    """

    waits: t.Sequence[Waiting]
    elapsed: float
    timeout: float
    next_poll: float | None
    notes: t.Sequence[str] = ()


@dataclass(frozen=True)
class WaitResult:
    """How a wait ended.

    Arguments:
        waits: every order asked for, in the order asked for, each with its outcome.
        polls: how often the provider was looked at.
        elapsed: seconds.
        next_poll: seconds after which the next look makes sense, for orders that timed out.
        notes: warnings of the wait as a whole.
    """

    waits: t.Sequence[Waiting]
    polls: int
    elapsed: float
    next_poll: float
    notes: t.Sequence[str]


Listener = t.Callable[[Tick], None]


def wait_for_orders(
    provider: Provider,
    order_ids: t.Sequence[str],
    options: WaitOptions,
    clock: Clock,
    sleep: Sleep,
    listen: Listener = lambda tick: None,
) -> WaitResult:
    """Wait until every order has reached what was asked for, has ended otherwise, or the time is over.

    Arguments:
        clock: monotonic seconds.
        sleep: pauses for a number of seconds.
        listen: told after each poll.

    Never raises an OrderError: each order carries its own.
    """
    return _Wait(provider, order_ids, options, clock, sleep, listen).run()


@dataclass
class _Wait:
    provider: Provider
    order_ids: t.Sequence[str]
    options: WaitOptions
    clock: Clock
    sleep: Sleep
    listen: Listener
    polls: int = 0
    #: What there is to say, each thing once: text of the warning to the note.
    notes: dict[str, str] = field(default_factory=dict)
    _surveyed_at: float | None = None
    _surveyed_whole_at: float = 0.0
    _bulk_refused: bool = False
    _survey_faults: int = 0
    _answered: bool = False
    _limited: int = 0
    _hold: float = 0.0
    _gave_way: bool = False

    def run(self) -> WaitResult:
        started = self.clock()
        deadline = started + self.options.timeout
        waits = [Waiting(order_id) for order_id in self.order_ids]
        told = 0
        last_look = False
        while True:
            self.polls += 1
            self._look([wait for wait in waits if wait.outcome is None])
            now = self.clock()
            pause = self._pause(now - started)
            wake: float | None = now + pause
            if now + pause > deadline:
                wake = None if last_look else self._last_look(now, pause, deadline)
                last_look = True
            if all(wait.outcome is not None for wait in waits):
                wake = None
            if wake is None:
                for wait in waits:
                    wait.outcome = wait.outcome or Outcome.TIMED_OUT
            self.listen(
                Tick(
                    waits=waits,
                    elapsed=now - started,
                    timeout=self.options.timeout,
                    next_poll=None if wake is None else wake - now,
                    notes=list(self.notes.values())[told:],
                )
            )
            told = len(self.notes)
            if wake is None:
                return WaitResult(waits, self.polls, now - started, pause, list(self.notes.values()))
            for wait in waits:
                wait.changed = False
            # Telling may take its time as well.
            self.sleep(max(0.0, wake - self.clock()))

    # -- when -----------------------------------------------------------------

    def _pause(self, age: float) -> float:
        if self._gave_way:
            return _SHORTEST_PAUSE
        if self.options.poll_interval is not None:
            pause = self.options.poll_interval
        else:
            schedule = self.provider.info.rate_limits.schedule
            pause = schedule.pause(age) * (1.0 + random.uniform(0.0, _JITTER))
        # A provider that says "too often" is asked less and less often, until it answers again.
        return max(pause * float(2 ** min(self._limited, 3)), self._hold)

    def _last_look(self, now: float, pause: float, deadline: float) -> float | None:
        """When to look once more before the deadline, the pause being cut; None when that would be asking too often."""
        left = deadline - now
        last = deadline - min(LAST_LOOK, left / 10)
        return last if last - now >= max(self._hold, min(_SHORTEST_PAUSE, pause / 2)) else None

    # -- one tick ---------------------------------------------------------------

    def _look(self, pending: t.Sequence[Waiting]) -> None:
        """Bring the waits up to date, as far as the provider answers."""
        limited, self._hold = self._limited, 0.0
        goes_on, self._gave_way = self._gave_way, False
        until = self.clock() + LONGEST_TICK
        ended_by: OrderError | None = None
        try:
            if self._wants_bulk(len(pending)):
                chosen = self._survey(pending)
            elif goes_on:
                chosen = [wait for wait in pending if wait.due]
            else:
                chosen = self._all_due(pending)
            self._ask_details(chosen, until)
        except OrderError as exc:
            ended_by = exc
        for wait in pending:
            # What was answered before the failure counts.
            self._judge(wait)
            if ended_by is not None and wait.outcome is None:
                wait.error, wait.outcome, wait.changed = ended_by, Outcome.FAILED, True
        if self._limited == limited:
            self._limited = 0

    def _wants_bulk(self, pending: int) -> bool:
        bulk_from = self.provider.info.bulk_from
        return not self._bulk_refused and bulk_from is not None and pending >= bulk_from

    @staticmethod
    def _all_due(pending: t.Sequence[Waiting]) -> list[Waiting]:
        """Every wait: without a bulk call to tell of news, the whole of each order is asked for."""
        for wait in pending:
            wait.due = True
        return list(pending)

    def _survey(self, pending: t.Sequence[Waiting]) -> list[Waiting]:
        """Ask the bulk call. Returns the waits whose detail is worth a call of its own, the most urgent first."""
        asked_at = self.clock()
        changed_since: float | None = None
        if self._surveyed_at is not None and asked_at - self._surveyed_whole_at < WHOLE_SURVEY:
            changed_since = asked_at - self._surveyed_at
        try:
            sketches = self.provider.fetch_summaries([wait.order_id for wait in pending], changed_since)
        except OrderError as exc:
            if self._refuses_bulk(exc):
                self._bulk_refused = True
                self._note(f"bulk call refused, asking for each order instead: {exc}")
                return self._all_due(pending)
            if self._concerns_all(exc):
                raise
            for wait in pending:
                self._fault(wait, exc)
            self._survey_faults += 1
            if self._survey_faults < MOST_FAULTS or isinstance(exc, RateLimited):
                return []
            # It may be the bulk call alone that is not well. It is tried again in the next tick.
            return _longest_unseen(pending)[:MOST_UNTOLD]
        self._answered, self._survey_faults = True, 0
        first = self._surveyed_at is None
        if changed_since is None:
            self._surveyed_whole_at = self._surveyed_at = asked_at
        elif self.clock() - asked_at < SLOW_SURVEY:
            self._surveyed_at = asked_at
        for wait in pending:
            self._take_sketch(wait, sketches.get(wait.order_id), first)
        quiet = _longest_unseen(wait for wait in pending if not wait.due)
        # No bulk call tells when the chain of an issued certificate, or the certificate of a reissue, is there.
        untold = [wait for wait in quiet if wait.untold or _half_issued(wait.order)]
        told = [wait for wait in quiet if not (wait.untold or _half_issued(wait.order))]
        allowance = self._allowance(first, len(pending))
        return [wait for wait in pending if wait.due] + untold[:MOST_UNTOLD] + told[:allowance]

    def _allowance(self, first: bool, pending: int) -> int:
        """How many orders without news are asked for in detail."""
        if first:
            return FIRST_LOOK
        if self.options.until != "issued":
            return REFRESH_FOR_DCV
        return self.provider.refresh_policy(pending).each_poll

    @staticmethod
    def _refuses_bulk(error: OrderError) -> bool:
        """Whether the bulk call cannot be had though the provider can be: not with this key, or not in this version."""
        passing = (AuthenticationError, ProviderUnavailable, UnexpectedResponse)
        return isinstance(error, PermissionDenied) or not (error.retryable or isinstance(error, passing))

    def _take_sketch(self, wait: Waiting, sketch: OrderSummary | None, first: bool) -> None:
        """Note what the bulk call told of an order, and whether the detail call has more to say."""
        wait.error = None
        if sketch is None:
            return
        wait.untold = sketch.order is None
        if sketch.change_token == wait.mark:
            return
        wait.mark, wait.stale = sketch.change_token, 0
        wait.due = True
        if first and sketch.order is not None and sketch.order.status in (Status.VALIDATING, Status.ISSUING):
            # What the detail call has told already is more.
            wait.due = wait.order is not None and wait.order.status not in (Status.VALIDATING, Status.ISSUING)
            if wait.order is None:
                self._see(wait, sketch.order)

    def _ask_details(self, chosen: t.Sequence[Waiting], until: float) -> None:
        """Ask for each of these orders, until the provider turns out not to be well or the tick has lasted too long."""
        faults = 0
        # Orders that were not answered last time go last, so that they cannot keep the others from being asked.
        queue = sorted(chosen, key=lambda wait: wait.unanswered)
        for position, wait in enumerate(queue):
            if position > 0 and self.clock() > until:
                self._gave_way = any(left.due for left in queue[position:])
                return
            error = self._ask_detail(wait)
            faults = faults + 1 if error is not None else 0
            if error is not None and (faults >= MOST_FAULTS or isinstance(error, RateLimited)):
                for left in queue[position + 1 :]:
                    if left.due:
                        self._fault(left, error)
                return

    def _ask_detail(self, wait: Waiting) -> OrderError | None:
        """Ask for one order. Returns what kept the provider from answering; bad news is an answer."""
        before = wait.order
        wait.asked_at, wait.unanswered = self.clock(), False
        try:
            if before is not None and not wait.due:
                order = self.provider.refresh_order(before)
            else:
                order = self.provider.fetch_progress(wait.order_id)
        except OrderError as exc:
            if self._concerns_all(exc):
                raise
            if exc.retryable or isinstance(exc, ProviderUnavailable):
                wait.unanswered = True
                self._fault(wait, exc)
                return exc
            self._answered = True
            wait.error, wait.outcome, wait.changed = exc, Outcome.FAILED, True
            # It may have been this order that made the bulk call impossible.
            self._bulk_refused = False
            return None
        self._answered = True
        self._see(wait, order)
        wait.error = None
        wait.due = wait.due and _behind(wait, before)
        wait.stale += 1
        return None

    def _concerns_all(self, error: OrderError) -> bool:
        """Whether no other order of the account can do better, now or later."""
        if isinstance(error, AuthenticationError):
            return True
        # A certificate that is not trusted, say. When it was trusted a moment ago, it may be again.
        return isinstance(error, ProviderUnavailable) and not error.retryable and not self._answered

    def _see(self, wait: Waiting, order: Order) -> None:
        # The body is not kept: a wait for ten thousand orders would hold ten thousand of them.
        order = replace(order, raw=None)
        wait.seen_open = wait.seen_open or order.status in Status.OPEN
        if not order.issued and any(blocker.check == "reissue" for blocker in order.blockers):
            wait.replaced = _first_told(wait.replaced, order.certificate)
        nameless = order.certificate.serial_number is None
        # A certificate that was not there at first is a new one, whatever its serial number is.
        serials = () if nameless and wait.seen_open else self.options.superseded_serial_numbers
        counted = without_superseded(order, serials, wait.replaced)
        wait.untellable = wait.untellable + 1 if nameless and serials and order.issued and not counted.issued else 0
        wait.changed = wait.changed or _state(counted) != _state(wait.order)
        wait.order = counted
        for warning in counted.warnings:
            self.notes.setdefault(warning, f"order {order.order_id}: {warning}")

    def _judge(self, wait: Waiting) -> None:
        order = wait.order
        if order is None or wait.outcome is not None:
            return
        if _reached(order, self.options.until):
            wait.outcome = Outcome.REACHED
        elif order.final:
            wait.outcome = Outcome.FAILED
        elif wait.untellable > MOST_UNTELLABLE:
            wait.outcome, wait.error = Outcome.FAILED, _untellable(order)
        elif order.status == Status.ACTION_REQUIRED and self.options.stop_on_action_required:
            wait.outcome = Outcome.ACTION_REQUIRED
        wait.changed = wait.changed or wait.outcome is not None

    def _fault(self, wait: Waiting, error: OrderError) -> None:
        wait.error = error
        if isinstance(error, RateLimited):
            self._limited += 1 if self._hold == 0.0 else 0
            self._hold = max(self._hold, error.retry_after or 0.001)

    def _note(self, note: str) -> None:
        self.notes.setdefault(note, note)


def _reached(order: Order, until: str) -> bool:
    if until == "dcv_completed" and order.status not in Status.ENDED:
        return order.issued or order.status == Status.ISSUING or order.dcv_completed is True
    return order.issued


def _untellable(order: Order) -> OrderError:
    return UnexpectedResponse(
        "the certificate is issued, but its serial number is not told, so it cannot be told from the superseded one; "
        "run this without superseded_serial_number and give that to order_certificate, which reads the certificate "
        "itself",
        provider=order.provider,
        order_id=order.order_id,
        retryable=False,
    )


def _half_issued(order: Order | None) -> bool:
    return order is not None and order.status == Status.ISSUED


def _first_told(known: OrderCertificate | None, told: OrderCertificate) -> OrderCertificate:
    """The certificate that was told first: the new one may be told before the reissue is called done."""
    if known is None or (known.id, known.serial_number) in ((None, None), (told.id, None)):
        return told
    return known


def _longest_unseen(waits: t.Iterable[Waiting]) -> list[Waiting]:
    """Those first that have not been asked for in detail yet, or not for the longest time."""
    return sorted(waits, key=lambda wait: -1.0 if wait.asked_at is None else wait.asked_at)


def _behind(wait: Waiting, before: Order | None) -> bool:
    """Whether the detail call seems not to know yet what the bulk call told: the provider's own parts may lag."""
    order = wait.order
    if order is None or wait.mark is None or wait.stale >= MOST_STALE:
        return False
    if before is None:
        # The bulk call tells of orders in validation all by itself, so it had told something else.
        return order.status == Status.VALIDATING
    return (order.provider_status, order.certificate.id) == (before.provider_status, before.certificate.id)


def _state(order: Order | None) -> t.Any:
    """What makes a change worth a line."""
    return order and (order.status, order.issued, order.dcv_completed, order.domains, order.blockers, order.reason)
