# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for orders: what the module order_wait does.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from ..describe import describe_evidence, describe_order
from ..errors import ActionRequired, InvalidRequest, OrderError, OrderFailed, WaitTimedOut
from ..model import Order, Status
from ..wait.durations import format_duration, parse_duration
from ..wait.loop import Listener, WaitResult, wait_for_orders
from ..wait.progress import Progress
from ..wait.state import OrderState, Outcome, WaitOptions
from .runtime import ORDER_IDS, PROVIDER_OPTIONS, Params, Result, Session, check_order_ids, superseded_serials

ORDER_WAIT_OPTIONS: dict[str, t.Any] = dict(
    PROVIDER_OPTIONS,
    order_ids=ORDER_IDS,
    until={"type": "str", "default": "issued", "choices": ["issued", "dcv_completed"]},
    timeout={"type": "raw", "default": 1800},
    poll_interval={"type": "raw"},
    on_timeout={"type": "str", "default": "fail", "choices": ["fail", "return"]},
    on_failure={"type": "str", "default": "fail", "choices": ["fail", "return"]},
    on_action_required={"type": "str", "default": "stop", "choices": ["stop", "wait"]},
    superseded_serial_number={"type": "list", "elements": "str"},
)


def order_wait(session: Session, params: Params) -> Result:
    """Wait for orders in one loop. In check mode poll once, and do not fail for what would be waited for.

    Raises:
        OrderError: when an order is not where it was waited for and the options say that this is a failure; with
            ``orders`` (every one, with its outcome) in its details.
    """
    runtime = session.runtime
    options = _wait_options(params, runtime.check_mode)
    order_ids, failures = check_order_ids(session.provider, params["order_ids"])
    if options.timeout > 0:
        session.transport.deadline = runtime.clock() + options.timeout
    wait = wait_for_orders(session.provider, order_ids, options, runtime.clock, runtime.sleep, _listener(session))
    states = list(wait.orders) + [
        OrderState(order_id=failure.order_id or "", outcome=Outcome.FAILED, error=failure) for failure in failures
    ]
    for note in wait.notes:
        session.warn(note)
    timed_out = any(state.outcome == Outcome.TIMED_OUT for state in states)
    result: Result = {
        "orders": [_to_dict(session.provider.info.name, state, wait) for state in states],
        "polls": wait.polls,
        "elapsed": round(wait.elapsed, 1),
        "next_poll_in": round(wait.next_poll) if timed_out else None,
    }
    _raise_for_outcomes(states, wait, dict(params, on_timeout="return") if runtime.check_mode else params, result)
    return result


def _wait_options(params: Params, check_mode: bool) -> WaitOptions:
    """What the options of the task mean for the wait.

    Raises:
        InvalidRequest: for a duration or a serial number that is none.
    """
    timeout = _duration("timeout", params.get("timeout", 1800), 0, "0 polls once")
    interval = params.get("poll_interval")
    if interval is not None:
        interval = float(_duration("poll_interval", interval, 1, "it must be at least 1 second"))
    return WaitOptions(
        until=params.get("until", "issued"),
        timeout=0.0 if check_mode else float(timeout),
        poll_interval=interval,
        stop_on_action_required=params.get("on_action_required", "stop") == "stop",
        superseded_serial_numbers=superseded_serials(params.get("superseded_serial_number") or ()),
    )


def _duration(option: str, value: t.Any, least: int, hint: str) -> int:
    try:
        seconds = parse_duration(value)
    except ValueError as exc:
        raise InvalidRequest(f"{option} {exc}; give seconds, or a duration such as 45s, 30m or 1h30m; {hint}") from None
    if seconds < least:
        raise InvalidRequest(f"{option} is {seconds}; {hint}")
    return seconds


def _listener(session: Session) -> Listener:
    runtime = session.runtime
    if runtime.report is None:
        return lambda report: None
    return Progress(
        provider=session.provider.info.name, emit=runtime.show, wall=runtime.wall, verbosity=runtime.verbosity
    )


def _to_dict(provider: str, state: OrderState, wait: WaitResult) -> Result:
    order = state.order or Order(provider=provider, order_id=state.order_id, status=Status.UNKNOWN)
    entry = order.to_dict()
    entry["outcome"] = state.outcome
    if state.outcome != Outcome.REACHED:
        error = _outcome_error(state, wait)
        entry["error_kind"] = error.kind
        entry["msg"] = error.message
    if state.error is not None and state.outcome == Outcome.TIMED_OUT:
        entry["warnings"].append(f"the last request was not answered: {state.error.message}")
    return entry


def _raise_for_outcomes(states: t.Sequence[OrderState], wait: WaitResult, params: Params, result: Result) -> None:
    bad: list[OrderState] = []
    if params.get("on_failure", "fail") == "fail":
        bad += [state for state in states if state.outcome in (Outcome.FAILED, Outcome.ACTION_REQUIRED)]
    if params.get("on_timeout", "fail") == "fail":
        bad += [state for state in states if state.outcome == Outcome.TIMED_OUT]
    if not bad:
        return
    # What no waiting can mend comes first.
    ranks = {Outcome.FAILED: 0, Outcome.ACTION_REQUIRED: 1, Outcome.TIMED_OUT: 2}
    bad.sort(key=lambda state: ranks[state.outcome or Outcome.TIMED_OUT])
    error = _outcome_error(bad[0], wait)
    if len(bad) > 1:
        more = "1 more order" if len(bad) == 2 else f"{len(bad) - 1} more orders"
        error.message += f" (and {more} of {len(states)}, see orders)"
    error.details = result
    raise error


def _outcome_error(state: OrderState, wait: WaitResult) -> OrderError:
    standing = describe_order(state.order) if state.order is not None else "no answer"
    if state.outcome == Outcome.FAILED:
        if state.error is not None:
            return state.error
        return OrderFailed(f"the order has ended: {standing}; place a new one", order_id=state.order_id)
    if state.outcome == Outcome.ACTION_REQUIRED:
        return ActionRequired(f"{standing}; a person must act, then run this again", order_id=state.order_id)
    if state.error is not None:
        standing += f" ({state.error.message})"
    evidence = describe_evidence(state.order) if state.order is not None else None
    return WaitTimedOut(
        f"not there after {format_duration(wait.elapsed)}: {standing}; {evidence + '; ' if evidence else ''}"
        f"run this again in {format_duration(wait.next_poll)} to continue",
        order_id=state.order_id,
    )
