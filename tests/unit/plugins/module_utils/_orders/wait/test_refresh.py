# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which orders a poll asks for: pure functions, without a provider or a clock."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders import errors
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.rate_limit import (
    PollSchedule,
    RateLimits,
    RequestBudget,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import RefreshPolicy
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.refresh import (
    catch_up_duration,
    least_recently_fetched,
    look_once_allowance,
    orders_to_fetch,
    refuses_summaries,
    uses_summaries,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.state import OrderState
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import FakeProvider

POLICY = RefreshPolicy(first_poll=4, each_poll=1, each_poll_for_dcv=3, unsupported=2)
LIMITS = RateLimits(PollSchedule((), 60.0), (RequestBudget(90, 5.5), RequestBudget(900, 185.0)))


def state(name: str, fetched_at: float | None = None, **fields: t.Any) -> OrderState:
    """An order in validation of which the summary has no news."""
    fields.setdefault("needs_detail", False)
    order = Order("fake", name, Status.VALIDATING)
    return OrderState(name, order=fields.pop("order", order), fetched_at=fetched_at, **fields)


def chosen(states: list[OrderState], first: bool = False, for_dcv: bool = False, catch_up: int = 0) -> list[str]:
    return [one.order_id for one in orders_to_fetch(states, POLICY, first, for_dcv, catch_up)]


def test_what_changed_is_fetched_always_and_first() -> None:
    states = [state("quiet"), *(state(f"news {number}", needs_detail=True) for number in range(50))]
    assert chosen(states) == [*(f"news {number}" for number in range(50)), "quiet"]


@pytest.mark.parametrize(
    ("first", "for_dcv", "count"), [(True, False, 4), (True, True, 4), (False, True, 3), (False, False, 1)]
)
def test_of_quiet_orders_those_are_fetched_that_were_not_for_the_longest_time(
    first: bool, for_dcv: bool, count: int
) -> None:
    states = [state(str(number), 100.0 - number) for number in range(9)] + [state("never")]
    assert chosen(states, first, for_dcv) == ["never", "8", "7", "6"][:count]


def test_orders_that_no_summary_shows_have_a_share_of_their_own() -> None:
    issued = Order("fake", "half", Status.ISSUED)
    states = [state("quiet", 1.0), state("unlisted", 2.0, summary_unsupported=True), state("half", 3.0, order=issued)]
    assert chosen(states) == ["unlisted", "half", "quiet"]


def test_catching_up_fetches_what_was_never_fetched_and_nothing_else() -> None:
    states = [state(str(number), None if number < 6 else 1.0) for number in range(9)]
    assert chosen(states, catch_up=9) == ["0", "1", "2", "3", "4", "5"]
    assert chosen(states, catch_up=2) == ["0", "1"]
    assert chosen([state(str(number), 1.0) for number in range(9)], catch_up=9) == ["0"]


def test_orders_are_sorted_by_when_they_were_fetched() -> None:
    assert [one.order_id for one in least_recently_fetched([state("b", 2.0), state("n"), state("a", 0.0)])] == [
        "n",
        "a",
        "b",
    ]


@pytest.mark.parametrize(
    ("never", "seconds", "timeout", "duration"),
    [
        (0, 9.0, 1800.0, 0.0),
        # The budgets allow a request in 0.21 s, an order takes two, and a quarter is added.
        (20, 0.0, 1800.0, 20 * 2 * 185 / 900 * 1.25),
        (20, 2.0, 1800.0, 20 * 2.0 * 1.25),
        # Half of the wait at most.
        (20, 2.0, 60.0, 30.0),
    ],
)
def test_how_long_before_the_deadline_the_last_round_begins(
    never: int, seconds: float, timeout: float, duration: float
) -> None:
    states = [state(str(number)) for number in range(never)] + [state("seen", 1.0)]
    assert catch_up_duration(states, LIMITS, seconds, timeout) == pytest.approx(duration)


def test_a_wait_without_a_timeout_fetches_as_many_as_every_budget_allows() -> None:
    states = [state(str(number)) for number in range(200)]
    assert look_once_allowance(states, LIMITS) == 90
    assert look_once_allowance(states, RateLimits(PollSchedule((), 60.0))) == 200


def test_the_bulk_call_is_made_from_its_number_of_orders_on() -> None:
    info = dataclasses.replace(FakeProvider.info, bulk_from=4)
    assert [uses_summaries(count, info) for count in (3, 4)] == [False, True]
    assert not uses_summaries(1000, FakeProvider.info)


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (errors.PermissionDenied("not with this key"), True),
        (errors.InvalidRequest("no such call"), True),
        (errors.OrderNotFound("HTTP 404"), True),
        (errors.AuthenticationError("refused"), False),
        (errors.ProviderUnavailable("HTTP 503", retryable=False), False),
        (errors.UnexpectedResponse("no list", retryable=False), False),
        (errors.RateLimited("slow down"), False),
    ],
)
def test_what_says_that_there_is_no_bulk_call(error: errors.OrderError, refused: bool) -> None:
    assert refuses_summaries(error) is refused
