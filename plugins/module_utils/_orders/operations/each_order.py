# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking for each of some orders, and what is reported where some of them cannot be had.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from ..errors import AuthenticationError, OrderError, ProviderUnavailable, RateLimited
from .runtime import Result, Session, enumerate_ids

#: After so many calls in a row without an answer the others are not made.
MAX_FAILURES = 2
T = t.TypeVar("T")


def fetch_each(
    session: Session, order_ids: t.Sequence[str], fetch: t.Callable[[str], T], failures: t.Sequence[OrderError] = ()
) -> tuple[list[T], list[OrderError]]:
    """What a call returns for each order, and the failures. One that fails does not keep the others from being asked.

    Arguments:
        fetch: makes the call for one order.
        failures: what is wrong already; it comes first.
    """
    found: list[T] = []
    failed = list(failures)
    unanswered = 0
    for position, order_id in enumerate(order_ids):
        try:
            found.append(fetch(order_id))
            unanswered = 0
        except OrderError as exc:
            failed.append(exc.locate(session.provider.info.name, order_id))
            unanswered += 1 if isinstance(exc, ProviderUnavailable) else 0
            left = order_ids[position + 1 :]
            if (
                isinstance(exc, (AuthenticationError, RateLimited))
                or unanswered >= MAX_FAILURES
                or (isinstance(exc, ProviderUnavailable) and not exc.retryable)
            ):
                # No other order can do better now; to ask on would lock the account, or last for ever.
                if left:
                    session.warn(f"not requested after this failure: {enumerate_ids(left)}")
                break
    return found, failed


def first_failure(failures: t.Sequence[OrderError], result: Result) -> OrderError:
    """The failure that a task reports, with all others beside it: the first, unless one concerns the whole account."""
    first = next((failure for failure in failures if isinstance(failure, AuthenticationError)), failures[0])
    first.details = result
    if len(failures) > 1:
        first.details = dict(result, errors=[_strip(failure) for failure in failures])
        first.message += f" (and {len(failures) - 1} more, see errors)"
    return first


def _strip(failure: OrderError) -> Result:
    return {name: value for name, value in failure.to_result().items() if name not in failure.details}
