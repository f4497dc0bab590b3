# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the names of orders without a look: the findings that need what `order_dcv_info` reports.

Standard library only; asks nobody. Source: docs/providers/dcv/rules-and-diagnosis.md, sections 1 and 4.

Private to this collection.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from .._common.evidence import Problem
from .._common.names import iso_time, parse_time
from .evidence import plain_host
from .findings import FATAL, NOTE, WARNING, Finding, at_least, finding

#: From then on no CA may validate by e-mail, nor use again what was validated so; section 1.
EMAIL_ENDS = datetime.datetime(2028, 3, 15, tzinfo=datetime.timezone.utc)
#: Problems of a name that are findings as they stand. Any other one means that there is nothing to publish.
_PROBLEMS = frozenset(
    [
        Problem.TOKEN_UNKNOWN,
        Problem.TOKEN_EXPIRED,
        Problem.TOKEN_STALE,
        Problem.WILDCARD_NEEDS_DNS,
        Problem.EVIDENCE_REFUSED,
        Problem.CNAME_CONFLICT,
    ]
)
#: Advice where that of the code needs a record to speak of, or speaks of something to publish.
_ADVICE = {
    Problem.CNAME_CONFLICT: "Use another method for one of the orders: each needs another record at the same name, and "
    "a CNAME must stand alone.",
    Problem.UNSUPPORTED: "Use another method: this collection does not know what the CA looks for.",
}
_DONE = frozenset(["completed", "not_applicable"])


@dataclass(frozen=True)
class ReportedName:
    """One entry of `names` of `order_dcv_info`.

    Arguments:
        is_open: its validation is not done.
        expires_at: until when the value can be used; None where that is not known.
        polled_until: until when the provider looks by itself; None where that is not known.
    """

    name: str
    order_id: str
    method: str | None = None
    is_open: bool = True
    problem: str | None = None
    expires_at: datetime.datetime | None = None
    polled_until: datetime.datetime | None = None

    @property
    def subject(self) -> str:
        """The order as findings name it."""
        return f"order {self.order_id}"


def read_reported(item: t.Any) -> ReportedName:
    """One entry of the option `evidence`.

    Raises:
        ValueError: it is no entry of `names` of `order_dcv_info`.
    """
    name = item.get("name") if isinstance(item, dict) else None
    if not isinstance(name, str) or not name:
        raise ValueError("evidence: each entry must be one of names of order_dcv_info")
    return ReportedName(
        name=_passed_on(name),
        order_id=str(item.get("order_id") or "unknown"),
        method=_text_or_none(item, "method"),
        is_open=item.get("status") not in _DONE,
        problem=_text_or_none(item, "problem"),
        expires_at=_moment(item, "expires_at"),
        polled_until=_moment(item, "polled_until"),
    )


def check_reported(reported: ReportedName, now: datetime.datetime) -> list[Finding]:
    """What keeps the CA from approving a name, whatever is published; nothing once it is validated."""
    if not reported.is_open:
        return []
    found = []
    method = (reported.method or "").lower()
    problem = reported.problem
    if problem is None and reported.expires_at is not None and reported.expires_at < now:
        problem = Problem.TOKEN_EXPIRED
    if problem is not None:
        found.append(_problem_found(reported, problem))
    if "@" in method or method == "email":
        severity = FATAL if now >= EMAIL_ENDS else NOTE
        found.append(finding("method_sunset", reported.name, reported.subject, seen=reported.method, severity=severity))
    if reported.polled_until is not None and reported.polled_until < now:
        ended = iso_time(reported.polled_until)
        found.append(finding("polling_stopped", reported.name, reported.subject, seen=ended))
    return found


def _problem_found(reported: ReportedName, problem: str) -> Finding:
    """The finding of a problem. One that is no code counts as evidence that no CA would accept."""
    advice = _ADVICE.get(problem)
    if problem not in _PROBLEMS:
        return finding("evidence_refused", reported.name, reported.subject, seen=problem, advice=advice)
    ended = iso_time(reported.expires_at) if reported.expires_at is not None else None
    return finding(problem, reported.name, reported.subject, seen=ended, advice=advice)


def check_waiting(reported: ReportedName, found: t.Sequence[Finding]) -> list[Finding]:
    """That a name whose evidence is visible waits for the CA alone: it is open, and nothing is wrong with it."""
    wrong = at_least([item for item in found if item.name == reported.name], WARNING)
    return [] if wrong or not reported.is_open else [finding("ok_waiting", reported.name, reported.subject)]


def _passed_on(name: str) -> str:
    """A name in the form that the others of a look have. Nobody is asked for it, so that any name will do.

    Raises:
        ValueError: there are blanks in it.
    """
    plain = plain_host(name)
    if len(plain.split()) != 1:
        raise ValueError(f"evidence: {name!r} is no host name")
    return plain


def _text_or_none(item: dict[str, t.Any], key: str) -> str | None:
    value = item.get(key)
    return value if isinstance(value, str) and value else None


def _moment(item: dict[str, t.Any], key: str) -> datetime.datetime | None:
    text = _text_or_none(item, key)
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise ValueError(f"evidence: {key} of {item.get('name')} is no time in ISO 8601") from None
