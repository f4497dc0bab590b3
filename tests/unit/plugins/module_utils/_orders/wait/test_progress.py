# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress lines, as people and CI logs see them."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.describe import describe_order
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    OrderNotFound,
    ProviderUnavailable,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Blocker, Domain, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.loop import PollReport
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.progress import MAX_LISTED, Progress
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.state import OrderState, Outcome

WALL = datetime.datetime(2026, 5, 1, 14, 3, 0)


def lines(
    states: t.Sequence[OrderState],
    elapsed: float = 130.0,
    next_poll: float | None = 130.0,
    verbosity: int = 0,
    notes: t.Sequence[str] = (),
) -> list[str]:
    found: list[str] = []
    Progress("digicert", found.append, lambda: WALL, verbosity)(PollReport(states, elapsed, 1800.0, next_poll, notes))
    return found


def validating(order_id: str = "12345", **fields: t.Any) -> Order:
    return Order("digicert", order_id, Status.VALIDATING, **fields)


def waiting(order_id: str = "12345", order: Order | None = None, **fields: t.Any) -> OrderState:
    return OrderState(order_id, order or validating(order_id), **fields)


# -- one order ----------------------------------------------------------------


def test_a_line_names_order_state_what_it_waits_for_and_the_next_poll() -> None:
    domains = (
        Domain("a.example.com", "completed"),
        Domain("www.example.com", "in_progress", "dns-txt"),
        Domain("b.example.com", "in_progress", "dns-txt"),
    )
    blockers = (
        Blocker("dcv", "publish it", "you", "www.example.com"),
        Blocker("dcv", "publish", "you", "b.example.com"),
    )
    order = validating(dcv_completed=False, domains=domains, blockers=blockers)
    (line,) = lines([waiting(order=order, changed=True)])
    assert line == (
        "order 12345 (digicert) validating: 1 of 3 domains, www.example.com waits for dns-txt, 1 more open; "
        "next poll 14:05:10, 2m10s of 30m"
    )


def test_a_heartbeat_when_nothing_changed() -> None:
    assert lines([waiting()]) == ["order 12345 (digicert) validating; next poll 14:05:10, 2m10s of 30m"]


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (Order("p", "1", Status.ISSUED, issued=True, reason="all fine"), "issued"),
        (Order("p", "1", Status.REJECTED, reason="no such company"), "rejected: no such company"),
        (Order("p", "1", Status.REVOKED), "revoked"),
        (
            Order("p", "1", Status.ACTION_REQUIRED, blockers=(Blocker("payment", "pay the invoice"),)),
            "action_required: pay the invoice",
        ),
        (Order("p", "1", Status.UNKNOWN, provider_status="frob"), "unknown: p reported 'frob'"),
        (
            validating(blockers=(Blocker("organization", "the CA checks the organization", "provider"),)),
            "validating: the CA checks the organization",
        ),
        (validating(domains=(Domain("a.example", "completed"),), dcv_completed=True), "validating"),
        (validating(reason="queued"), "validating: queued"),
        (Order("p", "1", Status.ISSUING), "issuing"),
    ],
)
def test_where_an_order_stands_in_a_few_words(order: Order, text: str) -> None:
    assert describe_order(order) == text


def test_how_it_ended_is_named_with_the_time_it_took() -> None:
    reached = waiting(order=Order("p", "12345", Status.ISSUED, issued=True), outcome=Outcome.REACHED, changed=True)
    assert lines([reached], next_poll=None) == ["order 12345 (digicert) issued; after 2m10s"]
    late = waiting(outcome=Outcome.TIMED_OUT)
    assert lines([late], 1795, None) == ["order 12345 (digicert) validating; timed out after 29m55s"]


def test_what_kept_an_answer_from_coming_is_named() -> None:
    fault = ProviderUnavailable("the server failed (HTTP 503)")
    assert lines([OrderState("7", error=fault)], next_poll=60) == [
        "order 7 (digicert) — the server failed (HTTP 503); next poll 14:04:00, 2m10s of 30m"
    ]
    assert lines([OrderState("7")])[0].startswith("order 7 (digicert) not answered yet; next poll")


def test_notes_come_first() -> None:
    assert lines([waiting()], notes=["bulk call refused"])[0] == "digicert: bulk call refused"


def test_of_a_few_orders_only_those_that_changed_are_named() -> None:
    states = [waiting(str(number), changed=number == 3) for number in range(MAX_LISTED)]
    assert [line.split()[1] for line in lines(states)] == ["3"]
    assert len(lines([waiting(str(number)) for number in range(MAX_LISTED)])) == MAX_LISTED


# -- many orders --------------------------------------------------------------


def fleet(count: int, changed: int = 0) -> list[OrderState]:
    """So many orders, of which the first few have changed; each is a day younger than the one before."""
    return [
        waiting(
            str(number),
            validating(str(number), ordered_at=f"2026-{number // 28 + 1:02d}-{number % 28 + 1:02d}T00:00:00Z"),
            changed=number < changed,
        )
        for number in range(count)
    ]


def test_five_hundred_orders_are_a_handful_of_lines() -> None:
    states = fleet(300, changed=40)
    for state in states[:30]:
        state.outcome, state.order = Outcome.REACHED, Order("p", state.order_id, Status.ISSUED, issued=True)
    states[39].outcome = Outcome.FAILED
    states[39].order = Order("p", "39", Status.REJECTED, reason="no")
    found = lines(states)
    assert found[0] == "300 orders (digicert): 269 validating, 30 issued, 1 rejected; next poll 14:05:10, 2m10s of 30m"
    # What went wrong is named before what is well.
    assert found[1] == "order 39 (digicert) rejected: no"
    assert found[9] == "… and 32 more changes"
    assert [line.split()[3] for line in found[10:]] == ["37", "38", "40"]
    assert len(found) == 13


def test_verbosity_raises_detail() -> None:
    states = fleet(300, changed=200)
    shown = [len(lines(states, verbosity=verbosity)) for verbosity in (0, 1, 2, 9)]
    assert shown == [1 + 8 + 1 + 3, 1 + 80 + 1 + 30, 1 + 200 + 100, 1 + 200 + 100]


def test_many_orders_that_were_issued_already_are_one_line() -> None:
    states = [waiting(str(number), outcome=Outcome.REACHED, changed=True) for number in range(40)]
    assert len(lines(states, 2, None)) == 1
    assert len(lines(states, 2, None, verbosity=1)) == 1 + 40
    states[7].was_pending = True
    assert len(lines(states, 2, None)) > 1


def test_the_last_poll_of_many_orders_names_no_slowest_but_those_that_are_late() -> None:
    states = fleet(10)
    for state in states:
        state.outcome = Outcome.TIMED_OUT
    found = lines(states, 1800, None)
    assert found[0] == "10 orders (digicert): 10 validating; 10 timed out after 30m"
    assert len(found) == 1 + 8 + 1
    assert not any(line.startswith("still waiting") for line in found)


def test_failures_without_an_answer_are_counted_by_their_kind() -> None:
    states = fleet(6)
    states[0] = OrderState("0", outcome=Outcome.FAILED, error=OrderNotFound("no such order"), changed=True)
    states[1] = OrderState("1", error=ProviderUnavailable("no"))
    assert lines(states)[0].startswith("6 orders (digicert): 4 validating, 1 not_found, 1 not answered;")


def test_what_ends_the_wait_for_all_orders_is_said_once() -> None:
    states = fleet(300, changed=300)
    refused, missing = AuthenticationError("the key was refused"), OrderNotFound("no such order")
    for state in states:
        state.outcome, state.error = Outcome.FAILED, refused
    states[7].error = missing
    found = lines(states, next_poll=None)
    assert found[0] == "300 orders (digicert): 299 authentication, 1 not_found; after 2m10s"
    assert [line.split(" — ")[1] for line in found[1:3]] == ["the key was refused", "no such order"]
    assert found[3:] == ["… and 298 more changes"]
    assert len(lines(states, next_poll=None, verbosity=2)) == 301


def test_orders_of_an_unknown_age_are_not_taken_for_the_oldest() -> None:
    states = [*fleet(2), *(waiting(str(number)) for number in range(10, 20))]
    assert [line.split()[3] for line in lines(states)[1:]] == ["0", "1", "10"]


# -- long words of a provider ---------------------------------------------------


@pytest.mark.parametrize(
    "order",
    [
        Order("digicert", "1", Status.UNKNOWN, provider_status="x" * 5000),
        Order("digicert", "1", Status.FAILED, reason="x" * 5000),
        validating(reason="x" * 5000),
        validating(blockers=(Blocker("dcv", "x" * 5000),)),
        validating(blockers=(Blocker("dcv", "open", subject="x" * 5000),)),
    ],
)
def test_what_a_provider_says_is_quoted_up_to_a_bound(order: Order) -> None:
    assert "x" * 100 in describe_order(order) and len(describe_order(order)) < 500
