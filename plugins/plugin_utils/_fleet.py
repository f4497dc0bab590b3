# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet at a glance: the orders of many hosts as one list of certificates, what ends first on top.

Pure functions over orders as order_info returns them. Every text of an entry is on one line, free of characters that
cannot be seen, and bounded; whoever writes it escapes it for its format.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ansible_collections.certops.issuance.plugins.module_utils._common.names import (
    iso_time,
    normalize_serial,
    parse_time,
    serial_forms,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.renewal import due, renewal
from ansible_collections.certops.issuance.plugins.module_utils._common.text import clean_line
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Check, Status

Data = Mapping[str, t.Any]

#: A text that a provider or an inventory wrote is cut after so many characters, a name after fewer.
MAX_TEXT = 500
MAX_NAME = 253
MAX_LINK = 2000
#: So many names, blockers and hosts of one order are shown, and how many more there are.
MAX_SHOWN = 100
MAX_DAYS = 36_500
#: A certificate that ends within so many days needs somebody now.
URGENT = datetime.timedelta(days=7)
#: One of which only the end is known is called due when so much is left.
USUAL_REMAINING = datetime.timedelta(days=30)


class Level:
    """How an entry stands, in one word for people."""

    UNANSWERED = "no answer"
    ENDED = "ended"
    URGENT = "ends soon"
    DUE = "renewal due"
    GOOD = "good"
    ISSUED = "issued"
    YOURS = "needs you"
    PENDING = "in progress"
    FAILED = "failed"
    CLOSED = "closed"

    #: Statuses of orders whose certificate nobody waits for, or uses.
    _CLOSED: t.Mapping[str, str] = {
        Status.CANCELED: CLOSED,
        Status.REPLACED: CLOSED,
        Status.REJECTED: FAILED,
        Status.FAILED: FAILED,
        Status.REVOKED: FAILED,
    }

    @classmethod
    def of_status(cls, status: str) -> str | None:
        """The level of an order that has ended without a certificate to use; None for any other."""
        return cls._CLOSED.get(status)


@dataclass(frozen=True)
class Todo:
    """Something that is open: who must act (``you`` or ``provider``), what is missing, and a link that helps."""

    actor: str
    message: str
    url: str | None = None


@dataclass(frozen=True)
class Served:
    """What a host has in service: ``this`` certificate, ``another``, ``none``, or ``unknown`` with the reason."""

    host: str
    state: str
    end: datetime.datetime | None = None
    message: str | None = None


@dataclass(frozen=True)
class Entry:
    """One certificate, and the order that it is from.

    Arguments:
        hosts: the hosts of the inventory that have the order.
        status: a status of orders, or the kind of error for an order without an answer.
        answered: whether the provider answered.
        names_done: how many names are validated.
        start, end: of the certificate.
        coverage_end: until when the order is paid for.
        due: what is due, in words.
        todos: what is open.
        note: a reason or a message beside it.
        links: what the provider offers a person, as pairs of text and URL.
        served: what hosts have in service, where somebody looked.
    """

    hosts: tuple[str, ...]
    provider: str
    order_id: str
    status: str
    answered: bool = True
    issued: bool = False
    names: tuple[str, ...] = ()
    names_done: int = 0
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    coverage_end: datetime.datetime | None = None
    due: str | None = None
    todos: tuple[Todo, ...] = ()
    note: str | None = None
    links: tuple[tuple[str, str], ...] = ()
    served: tuple[Served, ...] = ()

    @property
    def needs_you(self) -> bool:
        """Whether somebody other than the provider must do something."""
        return (
            not self.answered
            or self.status in (Status.ACTION_REQUIRED, Status.UNKNOWN)
            or any(todo.actor == "you" for todo in self.todos)
        )

    def level(self, now: datetime.datetime) -> str:
        """How it stands, one of Level."""
        if not self.answered:
            return Level.UNANSWERED
        closed = Level.of_status(self.status)
        if closed is not None:
            return closed
        if self.status == Status.EXPIRED:
            return Level.ENDED
        if self.end is None and self.status == Status.ISSUED:
            return Level.ISSUED
        if self.end is None:
            return Level.YOURS if self.needs_you else Level.PENDING
        if self.end <= now:
            return Level.ENDED
        if self.end - now <= URGENT:
            return Level.URGENT
        return Level.DUE if self._is_due(now) else Level.GOOD

    def _is_due(self, now: datetime.datetime) -> bool:
        if self.end is None:
            return False
        if self.start is None or self.start >= self.end:
            return self.end - now <= USUAL_REMAINING
        return renewal({"not_before": iso_time(self.start), "not_after": iso_time(self.end)}, now).due


def read_orders(orders: t.Any) -> list[Data]:
    """The orders, if it is a list of orders.

    Raises:
        ValueError: when it is anything else.
    """
    if not isinstance(orders, list) or not all(isinstance(one, Mapping) and "order_id" in one for one in orders):
        raise ValueError("give a list of orders, as order_info returns them in orders")
    return orders


def read_days(days: t.Any) -> float:
    """A number of days, also as text.

    Raises:
        ValueError: when it is none, or not from 0 to 36500.
    """
    try:
        number = float(days) if not isinstance(days, bool) else -1.0
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= MAX_DAYS:
        raise ValueError(f"{str(days)[:40]!r} is no number of days; give one from 0 to {MAX_DAYS}")
    return number


def make_entries(orders: t.Sequence[Data], now: datetime.datetime) -> list[Entry]:
    """Each certificate once, with all hosts that have its order; what ends first comes first.

    An order without an end comes before all others if somebody must do something for it, else behind them.

    Arguments:
        now: the present, aware.
    """
    found: dict[tuple[str, ...], Entry] = {}
    for order in orders:
        entry = _entry(order, now)
        certificate = order.get("certificate") or {}
        # Without an order id it is an installed certificate, or a host whose variables are wrong.
        own = (certificate.get("id"), certificate.get("serial_number")) if entry.answered else entry.note
        key: tuple[str, ...] = (entry.provider, entry.order_id, entry.status, str(own))
        if not entry.order_id and not entry.answered:
            key = (*key, *entry.hosts)
        known = found.get(key)
        found[key] = entry if known is None else _together(known, entry)
    return sorted(found.values(), key=lambda entry: _place(entry, now))


def _together(known: Entry, other: Entry) -> Entry:
    hosts = tuple(dict.fromkeys(known.hosts + other.hosts))
    return replace(known, hosts=hosts, served=tuple(dict.fromkeys(known.served + other.served)))


def _place(entry: Entry, now: datetime.datetime) -> tuple[t.Any, ...]:
    closed = Level.of_status(entry.status) is not None
    unhappy = entry.status in (Status.REJECTED, Status.FAILED)
    if closed and not (unhappy and entry.end is None):
        group = 3
    elif entry.end is not None or entry.status == Status.EXPIRED:
        group = 1
    else:
        group = 0 if entry.needs_you or unhappy else 2
    end = entry.end.timestamp() if entry.end is not None else 0.0
    return group, end, entry.names[:1], entry.hosts[:1], entry.order_id


# -- one order --------------------------------------------------------------------


def _entry(order: Data, now: datetime.datetime) -> Entry:
    domains = [one for one in order.get("domains") or [] if isinstance(one, Mapping) and one.get("name")]
    certificate = order.get("certificate") or {}
    issued = bool(order.get("issued"))
    done = sum(1 for domain in domains if issued or domain.get("status") == Check.COMPLETED)
    answered = bool(order.get("status"))
    note = order.get("reason") if answered else without_subject(order)
    links = [(str(check), url) for check, url in (order.get("action_urls") or {}).items() if is_web_link(url)]
    return Entry(
        hosts=() if order.get("host") is None else (_name(order["host"]),),
        provider=_name(order.get("provider") or ""),
        order_id=_name(order["order_id"]),
        status=_name(order.get("status") or order.get("error_kind") or "unavailable"),
        answered=answered,
        issued=issued,
        names=tuple(_name(domain["name"]) for domain in domains),
        names_done=done,
        start=moment(certificate.get("not_before")),
        end=moment(certificate.get("not_after")),
        coverage_end=moment((order.get("coverage") or {}).get("ends")),
        due=due(order, now),
        todos=() if issued else tuple(_todos(order)),
        note=None if note is None or issued else clean_line(str(note), MAX_TEXT) or None,
        links=tuple((_name(text.replace("_", " ")), url) for text, url in links),
        served=tuple(_served(order)),
    )


def without_subject(order: Data) -> str | None:
    """The message without what stands beside it anyhow."""
    message = str(order.get("msg") or "")
    return message.removeprefix(f"{order.get('provider')} order {order['order_id']}: ") or None


def _todos(order: Data) -> t.Iterator[Todo]:
    for blocker in order.get("blockers") or []:
        if isinstance(blocker, Mapping):
            actor = "provider" if blocker.get("actor") == "provider" else "you"
            url = blocker.get("url")
            message = clean_line(str(blocker.get("message") or blocker.get("check") or ""), MAX_TEXT)
            yield Todo(actor, message, url if is_web_link(url) else None)


def _served(order: Data) -> t.Iterator[Served]:
    served = order.get("in_service")
    if isinstance(served, Mapping):
        message = served.get("msg")
        yield Served(
            host=_name(order.get("host") or ""),
            state=_name(served.get("state") or "unknown"),
            end=moment(served.get("not_after")),
            message=clean_line(str(message), MAX_TEXT) if message else None,
        )


def _name(value: t.Any) -> str:
    return clean_line(str(value), MAX_NAME)


def moment(value: t.Any) -> datetime.datetime | None:
    """A time of a result as an aware datetime; None for nothing and for what is no time."""
    if not isinstance(value, str) or not value:
        return None
    try:
        return parse_time(value)
    except ValueError:
        return None


def is_web_link(url: t.Any) -> t.TypeGuard[str]:
    """Whether it is an absolute link of the web that nothing in it disguises."""
    if not isinstance(url, str) or not url.isprintable() or len(url) > MAX_LINK or re.search(r"[ \\]", url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


# -- what hosts have in service ---------------------------------------------------------


def with_in_service(orders: t.Sequence[Data], info: t.Any) -> list[dict[str, t.Any]]:
    """The orders of one host with ``in_service``: what the host has in service, beside the order that it is of.

    Where no order has the serial number that is in service, it stands beside the first order that is issued, if any. It
    is ``another`` certificate only where all orders were answered, with the serial number of each certificate.

    Arguments:
        info: the result of certificate_info on that host, failed ones included; None where nobody looked.
    """
    copies = [dict(order) for order in orders]
    if not isinstance(info, Mapping) or info.get("skipped") or not copies:
        return copies
    serial = info.get("serial_number")
    own = next((one for one in copies if _has_serial(one, serial)), None)
    seen = {"serial_number": serial, "not_after": info.get("not_after"), "msg": None}
    if info.get("failed") or info.get("unreachable") or "exists" not in info:
        seen.update(state="unknown", msg=info.get("msg") or "the host was not asked")
    elif not info["exists"] or info.get("placeholder"):
        seen.update(state="none", not_after=None)
    elif own is not None:
        seen.update(state="this")
    else:
        doubt = _why_not_comparable(serial, copies)
        seen.update(state="another" if doubt is None else "unknown", msg=doubt)
    (own or next((one for one in copies if one.get("issued")), copies[0]))["in_service"] = seen
    return copies


def _reported_serial(order: Data) -> str | None:
    serial = (order.get("certificate") or {}).get("serial_number")
    return normalize_serial(str(serial)) if serial else None


def _has_serial(order: Data, serial: t.Any) -> bool:
    reported = _reported_serial(order)
    found = normalize_serial(str(serial)) if serial else None
    return reported is not None and found is not None and found in serial_forms(reported)


def _why_not_comparable(serial: t.Any, orders: t.Sequence[Data]) -> str | None:
    """Why nobody can tell that what is in service is of none of these orders; None where it can be told."""
    if not serial:
        return "the serial number of what is in service is not known"
    for order in orders:
        named = f"order {order['order_id']}" if order["order_id"] else "the order"
        if not order.get("status"):
            return f"there is no answer about {named}"
        if _has_certificate(order) and _reported_serial(order) is None:
            return f"the provider does not report the serial number of {named}"
    return None


def _has_certificate(order: Data) -> bool:
    """Whether there is, or was, a certificate of the order that a host may have in service."""
    ended = order.get("status") in (Status.EXPIRED, Status.REVOKED)
    return bool(order.get("issued")) or ended or any((order.get("certificate") or {}).values())


# -- what ends too soon -------------------------------------------------------------------


def find_endings(entries: t.Iterable[Entry], days: float, now: datetime.datetime) -> list[str]:
    """A line for each certificate that ends within so many days or has ended, and for each order without an answer.

    Certificates of orders that were canceled, replaced, rejected, revoked or failed do not count; what a host has in
    service does.
    """
    limit = now + datetime.timedelta(days=days)
    lines: list[str] = []
    for entry in entries:
        subject = (
            " ".join(filter(None, [entry.provider, entry.order_id and f"order {entry.order_id}"])) or "unknown order"
        )
        named = subject + (f" ({entry.names[0]})" if entry.names else f" ({entry.hosts[0]})" if entry.hosts else "")
        if not entry.answered:
            lines.append(f"{named}: no answer, {entry.status}: {entry.note or 'no reason given'}")
        elif entry.end is not None and entry.end < limit and Level.of_status(entry.status) is None:
            lines.append(f"{named}: {describe_end(entry.end, now)}")
        elif entry.end is None and entry.status == Status.EXPIRED:
            lines.append(f"{named}: has ended")
        for served in entry.served:
            if served.end is not None and served.end < limit and served.state == "another":
                lines.append(f"{served.host} serves another certificate: {describe_end(served.end, now)}")
    return lines


def describe_end(end: datetime.datetime, now: datetime.datetime) -> str:
    """How far away an end is, in words, with its day."""
    days = (end - now).days
    when = end.strftime("%Y-%m-%d")
    if end <= now:
        ago = (now - end).days
        return f"ended {when}, {ago} days ago" if ago != 1 else f"ended {when}, 1 day ago"
    if days == 0:
        return f"ends {when}, within a day"
    return f"ends {when}, in {days} days" if days != 1 else f"ends {when}, in 1 day"
