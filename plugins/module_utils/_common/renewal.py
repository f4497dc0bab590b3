# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the next certificate is due: pure arithmetic over the dates of the one that is in service.

Private to this collection. The rules are those of docs/providers/orders/contract.md, section 5.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from .names import parse_time

#: The share of the lifetime that is left when a certificate becomes due, and the same for short-lived ones.
REMAINING_SHARE = 1 / 3
REMAINING_SHARE_SHORT = 1 / 2
SHORT_LIFETIME = timedelta(days=10)
#: A reissue gives little where less is left of what was paid for; order_reissue refuses it then, unless told otherwise.
MIN_COVERAGE = timedelta(days=30)
#: Hosts become due over this share of the lifetime, each at its own moment, so that they do not all ask at once.
SPREAD_SHARE = 0.05

ABSENT = "absent"
PLACEHOLDER = "placeholder"
REMAINING = "remaining"
LATE = "late"
EXPIRED = "expired"

_REMAINING_TEXT = re.compile(r"\s*(\d{1,4}(?:\.\d+)?)\s*(%|d|days?)?\s*")


@dataclass(frozen=True)
class Renewal:
    """Whether a certificate has to be renewed.

    Arguments:
        due: the next certificate should be asked for now.
        reason: why: absent, placeholder, remaining (its time has come), late (past ``latest``) or expired; None where
            nothing is due.
        at: the moment it is due, UTC; None where there is no certificate to count from.
        latest: the last moment at which validation and issuance should still be done in time, UTC; None as for ``at``.
    """

    due: bool
    reason: str | None
    at: datetime | None
    latest: datetime | None


def renewal(
    certificate: t.Mapping[str, t.Any],
    now: datetime,
    remaining: object = None,
    spread_by: str = "",
    validation: timedelta = timedelta(days=1),
    window: tuple[datetime, datetime] | None = None,
) -> Renewal:
    """Whether the next certificate is due, by the dates of the present one.

    Arguments:
        certificate: a result of certificate_info: ``exists``, ``placeholder``, ``not_before`` and ``not_after``.
        now: the present, aware.
        remaining: how much of the lifetime is left when it becomes due: days as a number or as ``"30"`` or ``"30d"``, a
            share of the lifetime as ``"25%"``; None for one third (one half for a lifetime below ten days).
        spread_by: the name of the host; hosts become due up to 5 % of the lifetime earlier, each always by the same.
        validation: how long the CA takes from the request to the certificate.
        window: start and end of a window that the CA suggests (RFC 9773); it goes before ``remaining``.

    Raises:
        ValueError: for dates or a ``remaining`` that cannot be used, in one sentence.
    """
    if certificate.get("exists") is False:
        return Renewal(True, ABSENT, None, None)
    if certificate.get("placeholder"):
        return Renewal(True, PLACEHOLDER, None, None)
    start, end = (_moment(certificate, name) for name in ("not_before", "not_after"))
    lifetime = end - start
    if lifetime <= timedelta(0):
        raise ValueError("not_after is not later than not_before; give both as certificate_info returns them")
    spread = _fraction(spread_by)
    if window is None:
        at = end - _remaining(remaining, lifetime) - spread * SPREAD_SHARE * lifetime
    else:
        at = window[0] + spread * max(window[1] - window[0], timedelta(0))
    latest = end - validation
    if now >= end:
        return Renewal(True, EXPIRED, at, latest)
    if now >= at:
        return Renewal(True, LATE if now >= latest else REMAINING, at, latest)
    return Renewal(False, None, at, latest)


def coverage_warning(
    certificate: t.Mapping[str, t.Any],
    coverage_ends: str | None,
    now: datetime,
    remaining: object = None,
    spread_by: str = "",
) -> str | None:
    """What a person has to know where an order ends before the renewal after the next one; None where it lasts.

    What counts is the time until MIN_COVERAGE before that end: later nothing is reissued. The next certificate is a
    reissue, the one after it would need a new order, and only a person buys one. The play gives the order ID in front
    of the sentence::

        coverage_warning(deployed, order["coverage"]["ends"], now, certificate_renewal_remaining, inventory_hostname)

    Arguments:
        certificate: as for renewal: the one in service.
        coverage_ends: ``coverage.ends`` of the order, ISO 8601 UTC; None where the provider does not report it.
        now: the present, aware.
        remaining, spread_by: as for renewal.

    Raises:
        ValueError: as renewal does, and for a ``coverage_ends`` that is no time.
    """
    at = renewal(certificate, now, remaining, spread_by).at
    if coverage_ends is None or at is None:
        return None
    ends, next_at = parse_time(coverage_ends), max(at, now)
    # A certificate that is due is replaced now, and the next one is in service for as long as this one was to be.
    after_next = next_at + (at - _moment(certificate, "not_before"))
    last = ends - MIN_COVERAGE
    if last > after_next:
        return None
    if ends <= now:
        return f"the order was paid for until {_day(ends)}; buy a new order, and give its order ID from then on"
    if last <= now:
        return (
            f"the order is paid for until {_day(ends)}, so soon that it gives no further certificate; buy a new order "
            "now, and give its order ID from then on"
        )
    # The next certificate is cut to the end of the order, and so due before it.
    which, when = ("next renewal", next_at) if last < next_at else ("renewal after the next one", min(after_next, ends))
    return (
        f"the order is paid for until {_day(ends)}, and the {which} is due about {_day(when)}; buy a new order before "
        "then, and give its order ID from then on"
    )


def due(order: t.Mapping[str, t.Any], now: datetime) -> str | None:
    """What is due for an order, for a cell of a table: ``renewal``, ``new order by 2027-03-01``, or both.

    None where nothing is due, and where the certificate is not there or its dates are not known. The rules are the
    usual ones, whatever a host has set for itself.

    Arguments:
        order: an order as the modules return it.
        now: the present, aware.
    """
    certificate = order.get("certificate") or {}
    if not order.get("issued") or not certificate.get("not_before") or not certificate.get("not_after"):
        return None
    ends: str | None = (order.get("coverage") or {}).get("ends")
    try:
        needed = ["renewal"] if renewal(certificate, now).due else []
        if ends is not None and coverage_warning(certificate, ends, now):
            needed.append(f"new order by {_day(parse_time(ends))}")
    except (ValueError, OverflowError):
        # A provider may report dates that no certificate can have.
        return None
    return ", ".join(needed) or None


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _remaining(value: object, lifetime: timedelta) -> timedelta:
    if value is None or value == "":
        return lifetime * (REMAINING_SHARE_SHORT if lifetime < SHORT_LIFETIME else REMAINING_SHARE)
    found = None if isinstance(value, bool) else _REMAINING_TEXT.fullmatch(str(value))
    if found is None:
        raise ValueError(f"remaining is {value!r}; give days, as in 30, or a share of the lifetime, as in 25%")
    amount = float(found.group(1))
    wanted = lifetime * amount / 100 if found.group(2) == "%" else timedelta(days=amount)
    if wanted >= lifetime:
        raise ValueError(
            f"remaining is {value}, but the whole lifetime is {lifetime / timedelta(days=1):.0f} days, so the "
            "certificate would always be due; give less, or a share such as 33%"
        )
    return wanted


def _moment(certificate: t.Mapping[str, t.Any], name: str) -> datetime:
    value = certificate.get(name)
    try:
        return parse_time(str(value))
    except ValueError:
        raise ValueError(f"{name} is {value!r}; give the result of certificate_info") from None


def _fraction(name: str) -> float:
    """The same number from 0 to 1 for the same name, evenly spread over many names; 0 for no name."""
    if not name:
        return 0.0
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:8], "big") / 2**64
