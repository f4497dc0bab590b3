# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which orders a wait asks for in a poll: pure functions of the orders' states, what the provider can do, its policy.

Private to this collection. Every threshold is the provider's RefreshPolicy.
"""

from __future__ import annotations

import typing as t

from ..errors import AuthenticationError, OrderError, PermissionDenied, ProviderUnavailable, UnexpectedResponse
from ..http.rate_limit import RateLimits
from ..providers.base import ProviderInfo, RefreshPolicy
from .state import OrderState

#: Requests that the details of one order may take; for the time that a number of them needs.
_REQUESTS_PER_ORDER = 2
#: What the bulk calls and pauses in between add to that time.
_CATCH_UP_MARGIN = 1.25
#: The part of a wait that may be spent on fetching each order once before the deadline.
_MAX_CATCH_UP = 0.5


def uses_summaries(pending: int, info: ProviderInfo) -> bool:
    """Whether one bulk call is better than a call for each of the orders that are still waited for."""
    return info.bulk_from is not None and pending >= info.bulk_from


def refuses_summaries(error: OrderError) -> bool:
    """Whether the bulk call is not available though the provider is: not with this key, or not in this version."""
    passing = (AuthenticationError, ProviderUnavailable, UnexpectedResponse)
    return isinstance(error, PermissionDenied) or not (error.retryable or isinstance(error, passing))


def orders_to_fetch(
    pending: t.Sequence[OrderState], policy: RefreshPolicy, first: bool, for_dcv: bool, catch_up: int = 0
) -> list[OrderState]:
    """The orders whose details are fetched after the bulk call has been answered, the most urgent first.

    Arguments:
        first: it was the first bulk call of the wait.
        for_dcv: the wait is for the end of domain control validation, which no bulk call reports.
        catch_up: how many orders that have never been fetched are fetched beside the others.
    """
    urgent = [state for state in pending if state.needs_detail]
    quiet = least_recently_fetched(state for state in pending if not state.needs_detail)
    unsupported = [state for state in quiet if state.summary_unsupported or state.chain_missing]
    supported = [state for state in quiet if not (state.summary_unsupported or state.chain_missing)]
    if first:
        allowance = policy.first_poll
    elif for_dcv:
        allowance = policy.each_poll_for_dcv
    else:
        allowance = policy.each_poll
    return (
        urgent
        + unsupported[: max(policy.unsupported, min(catch_up, _never_fetched(unsupported)))]
        + supported[: max(allowance, min(catch_up, _never_fetched(supported)))]
    )


def least_recently_fetched(states: t.Iterable[OrderState]) -> list[OrderState]:
    """Those first that have never been fetched, or not for the longest time."""
    return sorted(states, key=lambda state: -1.0 if state.fetched_at is None else state.fetched_at)


def catch_up_duration(
    pending: t.Sequence[OrderState], limits: RateLimits, seconds_per_order: float, timeout: float
) -> float:
    """How long before the deadline a wait begins to fetch the orders that it has never fetched, in seconds.

    Later is cheaper, since an issued order needs no other look; but each is to be fetched once.

    Arguments:
        seconds_per_order: what a detail call has taken lately.
        timeout: of the whole wait.
    """
    paces = [_REQUESTS_PER_ORDER * budget.seconds / budget.requests for budget in limits.budgets]
    needed = _never_fetched(pending) * max([seconds_per_order, *paces]) * _CATCH_UP_MARGIN
    return min(needed, timeout * _MAX_CATCH_UP)


def look_once_allowance(pending: t.Sequence[OrderState], limits: RateLimits) -> int:
    """How many orders a wait without a timeout fetches: as many as the budgets allow without a pause."""
    return min([budget.requests for budget in limits.budgets], default=len(pending))


def _never_fetched(states: t.Sequence[OrderState]) -> int:
    return sum(1 for state in states if state.fetched_at is None)
