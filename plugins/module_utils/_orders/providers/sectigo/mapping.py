# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sectigo's words in neutral ones: pure functions from a reply to an order.

Private to this collection. Sections named here are those of the Sectigo fact sheet, docs/providers/sectigo.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from ...._common.names import normalize_serial
from ...describe import MAX_QUOTED
from ...http.redaction import shortened
from ...model import Blocker, Check, Coverage, Domain, Order, OrderCertificate, Reissue, Status
from ..base import OrderSummary, open_blockers, unknown_word
from ..coerce import host_names, is_host_name, number, squeezed, text, time_from_epoch, time_from_text
from .body import GONE, Entry, Fields, Reply

_BRAND_REVIEW = "awaiting validation (brand)"
#: certificateStatus, the whole text; section 5.
_STATUSES: t.Mapping[str, str] = {
    _BRAND_REVIEW: Status.VALIDATING,
    "awaiting validation": Status.VALIDATING,
    "pending": Status.VALIDATING,
    "valid": Status.ISSUED,
    "issued": Status.ISSUED,
    "issued but not yet collected": Status.ISSUED,
    "revoked": Status.REVOKED,
    "replaced": Status.REPLACED,
    "expired": Status.EXPIRED,
}
#: How certificateStatus begins, where a reason may follow; section 5.
_BEGINNINGS: t.Mapping[str, str] = {
    "pre-sign failed": Status.FAILED,
    "post-sign failed": Status.FAILED,
    "rejected": Status.REJECTED,
}
#: errorCode that shows where the order stands rather than that the call went wrong; sections 5 and 6.
STATUS_CODES: t.Mapping[int, str] = {
    -20: Status.REJECTED,
    -21: Status.REVOKED,
    -22: Status.ACTION_REQUIRED,
    -26: Status.ISSUING,
}
#: Under these the checks decide whether validation goes on.
_AWAITING = ("awaiting validation", "pending")

#: Field of a certificate to the name of the check; section 4. The fields are compared in lower case.
_CHECKS: t.Mapping[str, str] = {
    "csrstatus": "csr",
    "dcvstatus": "dcv",
    "organizationvalidationstatus": "organization",
    "ovcallbackstatus": "phone_callback",
    "evclickthroughstatus": "ev_click_through",
    "caastatus": "caa",
    "brandvalstatus": "brand",
    "freedvupstatus": "dv_upgrade",
}
_CHECK_STATES: t.Mapping[int | None, str] = {
    -1: Check.NOT_APPLICABLE,
    0: Check.NOT_COMPLETED,
    1: Check.COMPLETED,
    2: Check.IN_PROGRESS,
}
#: The states of several certificates of one order, the one that decides first.
_LEAST_ADVANCED = (Check.NOT_COMPLETED, Check.IN_PROGRESS, Check.UNKNOWN, Check.COMPLETED, Check.NOT_APPLICABLE)
#: Two checks are left out where they do not apply; any other that is missing is not known. Section 5.
_MISSING: t.Mapping[str, str] = {
    check: Check.NOT_APPLICABLE if check in ("ev_click_through", "brand") else Check.UNKNOWN
    for check in _CHECKS.values()
}
#: dcvStatus of !GetMDCDomainDetails without anything but letters; section 10.
_DCV_STATES: t.Mapping[str, str] = {"validated": Check.COMPLETED, "notvalidated": Check.NOT_COMPLETED}

#: objectType of certificates that are not for servers: their FQDN is a person, a company or a mail address.
_NO_SERVER = re.compile(r"code|client|document|s/?mime|e-?mail|personal|signing|timestamp", re.IGNORECASE)
#: objectType of certificates for servers, whose FQDN may be a name without a dot.
_SERVER = re.compile(r"ssl|tls|ucc|wildcard|domain|server", re.IGNORECASE)

_CAA_REPAIR = (
    "allow sectigo.com in the CAA records of the names, then have the check repeated (!RetryCAACheck, at most once in "
    "10 minutes)"
)
_LABEL = "Sectigo"


def map_order(reply: Reply, order_id: str | None = None) -> Order:
    """The order that a reply to !GetDetailedOrderStatus describes; section 5.

    Arguments:
        order_id: the number that was requested; by default the one in the reply.
    """
    entries = reply.entries
    if reply.code < 0 or not entries:
        return _map_code(reply, order_id or "")
    entry = newest(entries)
    order = map_entry(entry, order_id or entry.order_number or "")
    order = replace(order, coverage=_coverage(entries), reissue=_reissue(order, entries, entry))
    if len(entries) > 1:
        # Collected by the old number, the old certificate can come; section 11.
        note = _replacements(entries, entry)
        order = replace(order, warnings=(*order.warnings, note), collect_id=entry.order_number)
    return replace(order, raw=reply.fields)


def map_summary(row: Entry, order_id: str | None = None) -> OrderSummary:
    """What a row of !WebHostReport shows of an order. It has names of its own for fields of the status call."""
    watched = ("status", "laststatuschange", "serialnumber")
    seen = [[part.get(name) for name in watched] for part in row.certificates]
    order = map_listed(row, order_id)
    # What has ended, or is issued, may have been replaced by a newer order: only the status call knows.
    return OrderSummary(
        change_token=repr((row.fields.get("orderstatus"), seen)),
        order=order if order.status == Status.VALIDATING else None,
    )


def map_listed(row: Entry, order_id: str | None = None) -> Order:
    """The order that a row of !WebHostReport describes, without checks."""
    renamed = {"certificatestatus": "status", "fqdn": "domain", "objecttype": "type"}
    parts = {
        position: {**part, **{name: part.get(given) for name, given in renamed.items()}}
        for position, part in row.parts.items()
    }
    order = map_entry(replace(row, parts=parts), order_id or row.order_number or "")
    return replace(order, raw={**row.fields, "certificates": row.certificates})


def map_entry(entry: Entry, order_id: str) -> Order:
    """The order that one entry of a reply describes; section 5."""
    current = entry.current
    reported, warnings = _checks(entry.certificates)
    provider_status = text(current.get("certificatestatus")) or text(entry.fields.get("orderstatus"))
    serial = normalize_serial(text(current.get("serialnumber")))
    status, status_reason = _status(provider_status, serial, reported.values())
    if status == Status.UNKNOWN:
        warnings.append(unknown_word(_LABEL, "certificateStatus", provider_status or ""))
    checks = {**_MISSING, **reported}
    if squeezed(provider_status) == _BRAND_REVIEW:
        checks["brand"] = Check.IN_PROGRESS
    names = _names(entry.certificates)
    # Which of several names it is that holds the others up is not reported here.
    certain = len(names) == 1 or checks["dcv"] not in Check.OPEN
    issued = status == Status.ISSUED
    order = Order(
        provider="sectigo",
        order_id=order_id,
        status=status,
        provider_status=provider_status,
        issued=issued,
        dcv_completed=True if issued else _dcv_completed(entry.certificates),
        checks=checks,
        domains=tuple(Domain(name=name, status=checks["dcv"] if certain else Check.UNKNOWN) for name in names),
        reason=text(current.get("certificatestatusreason"))
        or status_reason
        or text(entry.fields.get("orderstatusreason")),
        certificate=OrderCertificate(
            serial_number=serial,
            not_before=time_from_epoch(current.get("notbefore")),
            not_after=time_from_epoch(current.get("notafter")),
        ),
        ordered_at=time_from_text(entry.fields.get("orderdatetime")) or time_from_epoch(entry.fields.get("datetime")),
        warnings=tuple(warnings),
    )
    return replace(order, blockers=_blockers(order))


def with_names(order: Order, reply: Reply) -> Order:
    """The order with the state of each name, as far as !GetMDCDomainDetails reports it; section 10."""
    found: dict[str, Domain] = {}
    warnings: list[str] = []
    for row in reply.entries:
        name = text(row.fields.get("domainname"))
        if name is None or not is_host_name(name):
            continue
        given = text(row.fields.get("dcvstatus"))
        status = _DCV_STATES.get(re.sub(r"[^a-z]", "", (given or "").lower()), Check.UNKNOWN)
        if given and status == Check.UNKNOWN:
            warnings.append(unknown_word(_LABEL, "dcvStatus of " + name, given))
        plain = name.lower()
        found[plain] = Domain(name=plain, status=status, method=text(row.fields.get("dcvmethod")))
    listed = [found.pop(domain.name, domain) for domain in order.domains]
    order = replace(order, domains=(*listed, *found.values()), warnings=(*order.warnings, *warnings))
    return replace(order, blockers=_blockers(order))


def newest(entries: t.Sequence[Entry]) -> Entry:
    """The order that counts: the newest whose certificate is neither replaced nor revoked, else the newest."""
    live = [entry for entry in entries if squeezed(entry.current.get("certificatestatus")) not in GONE]
    dates = {entry.position: time_from_text(entry.fields.get("orderdatetime")) for entry in live or entries}
    if None in dates.values():
        # Replacements come one after the other; an order without a date may well be the newest.
        dates = dict.fromkeys(dates)
    return max(live or entries, key=lambda entry: (dates[entry.position] or "", entry.position))


# -- parts of an order ---------------------------------------------------------


def _map_code(reply: Reply, order_id: str) -> Order:
    """The order of which only an error code shows where it stands; section 5."""
    order = Order(
        provider="sectigo",
        order_id=order_id,
        status=STATUS_CODES.get(reply.code, Status.UNKNOWN),
        provider_status=str(reply.code),
        reason=reply.message,
        raw=reply.fields or {"errorCode": str(reply.code)},
    )
    return replace(order, blockers=_blockers(order))


def _status(provider_status: str | None, serial: str | None, states: t.Iterable[str]) -> tuple[str, str | None]:
    """The status for a certificateStatus, and the reason that may stand in the text itself; section 5."""
    words = squeezed(provider_status)
    if not words:
        return (Status.ISSUED if serial else Status.UNKNOWN), None
    for beginning, status in _BEGINNINGS.items():
        if words.startswith(beginning):
            tail = " ".join((provider_status or "").split())[len(beginning) :].strip(" :!-,.")
            return status, tail or None
    known = [state for state in states if state != Check.UNKNOWN]
    if words in _AWAITING and known and not Check.OPEN.intersection(known):
        return Status.ISSUING, None
    return _STATUSES.get(words, Status.UNKNOWN), None


def _checks(certificates: t.Sequence[Fields]) -> tuple[dict[str, str], list[str]]:
    """The checks that are reported, the least advanced state of each; and what was not understood."""
    checks: dict[str, str] = {}
    warnings: list[str] = []
    for name, check in _CHECKS.items():
        for given in (part[name] for part in certificates if text(part.get(name))):
            state = _CHECK_STATES.get(number(given), Check.UNKNOWN)
            if state == Check.UNKNOWN:
                warnings.append(unknown_word(_LABEL, name, given))
            checks[check] = min(checks.get(check, state), state, key=_LEAST_ADVANCED.index)
    return checks, warnings


def _dcv_completed(certificates: t.Sequence[Fields]) -> bool | None:
    states = [_CHECK_STATES.get(number(part.get("dcvstatus")), Check.UNKNOWN) for part in certificates]
    if Check.OPEN.intersection(states):
        return False
    return True if Check.CLOSED.issuperset(states) else None


def _names(certificates: t.Sequence[Fields]) -> list[str]:
    """The names in the FQDN of each certificate, by product: what is not for a server has none."""
    found: list[str] = []
    for part in certificates:
        product = text(part.get("objecttype")) or ""
        if _SERVER.search(product) or not _NO_SERVER.search(product):
            listed = host_names(part.get("fqdn"), single_labels=bool(_SERVER.search(product)))
            found += [name.lower() for name in listed]
    return list(dict.fromkeys(found))


def _coverage(entries: t.Sequence[Entry]) -> Coverage:
    """The product term, which all certificates of an order share; section 2 of the sheet on orders."""
    parts = [part for entry in entries for part in (entry.fields, *entry.certificates)]
    starts, ends = (
        [time for part in parts if (time := _term_time(part.get(name)))]
        for name in ("producttermstartdate", "producttermenddate")
    )
    return Coverage(min(starts, default=None), max(ends, default=None))


def _term_time(value: t.Any) -> str | None:
    return time_from_text(value) or time_from_epoch(value)


def _reissue(order: Order, entries: t.Sequence[Entry], entry: Entry) -> Reissue:
    """The replacement that is being made: within the order, or as an order of its own, which has a time."""
    certificates = [part for one in entries for part in one.certificates]
    is_open = order.status in (Status.VALIDATING, Status.ISSUING) and any(
        text(part.get("serialnumber")) for part in certificates
    )
    own = is_open and len(entries) > 1
    return Reissue(open=is_open, requested_at=order.ordered_at if own else None)


def _replacements(entries: t.Sequence[Entry], chosen: Entry) -> str:
    states = [text(entry.current.get("certificatestatus")) or "no status" for entry in entries]
    named = [entry.order_number or "one without a number" for entry in entries]
    parts = ", ".join(f"{name} ({state})" for name, state in zip(named, states))
    shown = shortened(parts, 5 * MAX_QUOTED)
    return f"the order has been replaced: it consists of {shown}; what is shown is {chosen.order_number}"


def _blockers(order: Order) -> tuple[Blocker, ...]:
    if order.status == Status.FAILED and "caa" in (order.reason or "").lower():
        return (Blocker(check="caa", message=_CAA_REPAIR),)
    if order.final:
        return ()
    if order.status == Status.ACTION_REQUIRED:
        return (Blocker(check="payment", message="the order is not paid; pay it in the Sectigo account"),)
    return open_blockers(order.checks, order.domains)
