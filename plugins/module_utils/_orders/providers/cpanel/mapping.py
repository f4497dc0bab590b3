# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cPanel's words in neutral ones: pure functions from the data of its calls to an order.

Private to this collection. Sections named here are those of the cPanel fact sheet, docs/providers/cpanel.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

from ...._common.names import normalize_serial
from ...certificates.chain import CertificateFacts, describe_certificate
from ...model import Blocker, Check, Coverage, Domain, Order, OrderCertificate, Reissue, Status
from ..base import OrderSummary, least_advanced, open_blockers, unknown_word
from ..coerce import (
    certificate_text,
    flag,
    identifier,
    is_host_name,
    mapping,
    names,
    php_items,
    text,
    time_from_epoch,
    word,
)

Data = t.Mapping[str, t.Any]

#: The status_code that ends an order or holds it up; sections 4.3 and 5.
_STATUSES: t.Mapping[str, str] = {
    "ordercanceled": Status.CANCELED,
    "orderitemcanceled": Status.CANCELED,
    "ca:rejected": Status.REJECTED,
    "ca:revoked": Status.REVOKED,
    "requiresapproval": Status.ACTION_REQUIRED,
}
#: The store does not know the item.
_NOT_FOUND = ("itemnotfound", "item::notfound")
#: The store has nothing yet. This is not final.
_NOT_YET = ("", "certificatenotfound")

#: Key of status_details to the name of the check; section 4.2. Keys are compared in lower case.
_CHECKS: t.Mapping[str, str] = {
    "csrstatus": "csr",
    "dcvstatus": "dcv",
    "organizationvalidationstatus": "organization",
    "ovcallbackstatus": "phone_callback",
    "evclickthroughstatus": "ev_click_through",
    "brandvalstatus": "brand",
    "freedvupstatus": "dv_upgrade",
}
_CHECK_STATES: t.Mapping[str, str] = {
    "not-applicable": Check.NOT_APPLICABLE,
    "not-completed": Check.NOT_COMPLETED,
    "in-progress": Check.IN_PROGRESS,
    "completed": Check.COMPLETED,
}
#: domain_details[].status; section 4.2.
_DOMAIN_STATES: t.Mapping[str, str] = {
    "validated": Check.COMPLETED,
    "notvalidated": Check.NOT_COMPLETED,
    "awaitingbrand": Check.NOT_COMPLETED,
}
#: cPanel publishes what DCV needs by itself; section 10.
_ACTORS = {"dcv": "provider"}
_LABEL = "cPanel"
_INSTALLED = "the certificate is installed; cPanel does not report of which order it is, so it has no order_id"


@dataclass(frozen=True)
class _Reports:
    """What the calls reported of one order item.

    Arguments:
        available: data of get_ssl_certificate_if_available; section 4.3.
        details: data of get_certificate_status_details; section 4.2. None when the item has left the queue.
        item: the item of the queue, where the queue was read and has it; section 4.4.
        messages: texts beside the data of the first call.
    """

    available: Data = field(default_factory=dict)
    details: Data | None = None
    item: Data | None = None
    messages: t.Sequence[str] = ()

    @property
    def pem(self) -> str | None:
        return certificate(self.available)

    @property
    def code(self) -> str | None:
        return text(self.available.get("status_code"))

    @property
    def status_details(self) -> Data:
        given = mapping(mapping(self.details).get("status_details"))
        return {key.lower(): value for key, value in given.items()}

    @property
    def domain_details(self) -> list[Data]:
        """All that is there: an entry that cannot be read, or has no name, is still one that is not VALIDATED."""
        found: list[Data] = []
        for name, item in php_items(mapping(self.details).get("domain_details")):
            entry = mapping(item)
            if name is not None:
                found.append({"domain": name, **entry})
            elif entry and "domain" not in entry and "status" not in entry:
                # An object from names to states.
                found += [{"domain": one, "status": state} for one, state in entry.items()]
            else:
                found.append(entry)
        return found

    @property
    def domain_states(self) -> list[str]:
        return [_domain_state(entry) for entry in self.domain_details]

    @property
    def unpaid(self) -> bool:
        return word(mapping(self.item).get("status")) == "unconfirmed"

    @property
    def expired(self) -> bool:
        return flag(mapping(self.item).get("expired")) is True


def map_order(
    available: Data,
    details: Data | None = None,
    item: Data | None = None,
    order_id: str | None = None,
    messages: t.Sequence[str] = (),
) -> Order:
    """The order that the calls describe; section 5.

    Arguments:
        available: data of get_ssl_certificate_if_available.
        details: data of get_certificate_status_details; None when it was not called, or the item has left the queue.
        item: the item of the queue; None when the queue was not read, or does not have it.
        order_id: the order_item_id that was requested; by default the one of the queue's item.
        messages: texts beside the data of the first call.
    """
    raw: dict[str, t.Any] = {"status_details": details, "certificate": available}
    if item is not None:
        raw["queue_item"] = item
    return replace(_map_reports(_Reports(available, details, item, messages), order_id), raw=raw)


def map_summary(item: Data | None, order_id: str | None = None) -> OrderSummary:
    """What the queue reports of an item. One that has left it is installed, canceled or expired: section 7."""
    if item is None:
        return OrderSummary(change_token="left")
    # Not the time of the last poll: it moves without news, and by our own detail calls too.
    watched = ("status", "last_status_code", "last_status_message", "expired", "certificate_id")
    change_token = repr([str(item.get(name)) for name in watched])
    if word(item.get("last_status_code")) in _NOT_FOUND:
        return OrderSummary(change_token=change_token)
    available = {"status_code": item.get("last_status_code"), "status_message": item.get("last_status_message")}
    return OrderSummary(change_token, _map_reports(_Reports(available=available, item=item), order_id))


def map_installed(hosts: t.Sequence[Data]) -> list[Order]:
    """The installed certificates, each once, as orders that have no order_item_id; section 1.

    Certificates that signed themselves are no order's.
    """
    found: dict[str, Order] = {}
    for host in hosts:
        record = mapping(host.get("certificate"))
        certificate_id = text(record.get("id"))
        if certificate_id is None or flag(record.get("is_self_signed")) is True:
            continue
        listed = [name.lower() for name in names(record.get("domains")) if is_host_name(name)]
        found[certificate_id] = Order(
            provider="cpanel",
            order_id="",
            status=Status.ISSUED,
            provider_status="installed",
            dcv_completed=True,
            domains=tuple(Domain(name, Check.COMPLETED) for name in listed),
            certificate=OrderCertificate(
                id=certificate_id,
                serial_number=normalize_serial(text(record.get("serial"))),
                not_before=time_from_epoch(record.get("not_before")),
                not_after=time_from_epoch(record.get("not_after")),
            ),
            warnings=(_INSTALLED,),
            raw=record,
        )
    return list(found.values())


def certificate(available: Data) -> str | None:
    """The certificate in the answer; None where there is none."""
    return certificate_text(available.get("certificate_pem"))


def is_decided(available: Data) -> bool:
    """Whether this call alone shows where the order stands: no other call can change it."""
    return certificate(available) is not None or word(available.get("status_code")) in _STATUSES


def is_unknown_item(available: Data) -> bool:
    """Whether the store does not know the order item."""
    return certificate(available) is None and word(available.get("status_code")) in _NOT_FOUND


def is_silent(available: Data) -> bool:
    """Whether the store reports nothing of the item, neither a certificate nor a code."""
    return certificate(available) is None and word(available.get("status_code")) in _NOT_YET


def status_without_certificate(available: Data) -> str | None:
    """The status when there is nothing to collect; None when there is a certificate that counts."""
    code = word(available.get("status_code"))
    if certificate(available) is not None and code != "ca:revoked":
        return None
    return _STATUSES.get(code, Status.ISSUING)


# -- one order ----------------------------------------------------------------


def _map_reports(reports: _Reports, order_id: str | None) -> Order:
    warnings: list[str] = []
    checks = _checks(reports, warnings)
    status = _status(reports, checks, warnings)
    issued = status == Status.ISSUED
    facts = _facts(reports, warnings)
    domains = _domains(reports, facts, issued, warnings)
    dcv = checks["dcv"]
    if not reports.status_details and (issued or status in Status.ENDED):
        # The store has forgotten them; before that, what is not reported is unknown.
        checks = {}
    if issued and checks.get("dcv", Check.UNKNOWN) == Check.UNKNOWN:
        checks["dcv"] = Check.COMPLETED
    order = Order(
        provider="cpanel",
        order_id=order_id or identifier(mapping(reports.item).get("order_item_id")) or "",
        status=status,
        provider_status=_provider_status(reports),
        issued=issued,
        dcv_completed=_dcv_completed(dcv, issued),
        checks=checks,
        domains=domains,
        reason=_reason(reports, status),
        action_urls=_action_urls(reports),
        certificate=OrderCertificate(
            id=text(mapping(reports.item).get("certificate_id")),
            serial_number=facts.serial_number if facts else None,
            not_before=facts.not_before if facts else None,
            not_after=facts.not_after if facts else None,
        ),
        ordered_at=time_from_epoch(mapping(reports.item).get("created_time")),
        coverage=Coverage(ends=time_from_epoch(mapping(reports.item).get("parent_cert_expiry"))),
        reissue=_reissue(reports, status),
        auto_reissue=True if _predecessor(reports) else None,
        warnings=tuple(warnings),
    )
    return replace(order, blockers=_blockers(order, reports))


def _status(reports: _Reports, checks: t.Mapping[str, str], warnings: list[str]) -> str:
    """The status: the first line of section 5 that fits. Adds a warning for what is not known."""
    code = word(reports.code)
    if reports.pem is not None and code != "ca:revoked":
        return Status.ISSUED
    if code in _STATUSES:
        return _STATUSES[code]
    if reports.unpaid:
        return Status.ACTION_REQUIRED
    if reports.expired:
        return Status.EXPIRED
    if code not in _NOT_YET:
        warnings.append(unknown_word(_LABEL, "status_code", reports.code))
        return Status.UNKNOWN
    certificate_status = reports.status_details.get("certificatestatus")
    if text(certificate_status) and _check_state(certificate_status) == Check.UNKNOWN:
        warnings.append(unknown_word(_LABEL, "certificateStatus", certificate_status))
        return Status.UNKNOWN
    states = {*checks.values(), _check_state(reports.status_details.get("validationstatus"))}
    known = states - {Check.UNKNOWN}
    if _check_state(certificate_status) == Check.COMPLETED:
        known.add(Check.COMPLETED)
    if not known or known & Check.OPEN or set(reports.domain_states) - {Check.COMPLETED}:
        return Status.VALIDATING
    return Status.ISSUING


def _provider_status(reports: _Reports) -> str | None:
    if reports.code:
        return reports.code
    if reports.unpaid:
        return text(mapping(reports.item).get("status"))
    return text(reports.status_details.get("certificatestatus"))


def _reason(reports: _Reports, status: str) -> str | None:
    """The store's own words: of the call, of the queue's last poll, or beside the data of an order that is held."""
    for one in (reports.available.get("status_message"), mapping(reports.item).get("last_status_message")):
        if text(one):
            return text(one)
    held = status in Status.ENDED or status == Status.ACTION_REQUIRED
    return "; ".join(reports.messages) or None if held else None


def _checks(reports: _Reports, warnings: list[str]) -> dict[str, str]:
    checks: dict[str, str] = {}
    for key, check in _CHECKS.items():
        given = reports.status_details.get(key)
        checks[check] = _check_state(given)
        if checks[check] == Check.UNKNOWN and text(given):
            warnings.append(unknown_word(_LABEL, key, given))
    if any(word(entry.get("status")) == "awaitingbrand" for entry in reports.domain_details):
        checks["brand"] = Check.IN_PROGRESS
    least = least_advanced(reports.domain_states)
    if checks["dcv"] not in Check.OPEN and reports.domain_states and least != Check.COMPLETED:
        # The provider calls DCV completed while a name still is not.
        checks["dcv"] = least
    return checks


def _dcv_completed(dcv: str, issued: bool) -> bool | None:
    if issued or dcv in Check.CLOSED:
        return True
    return False if dcv in Check.OPEN else None


def _domains(
    reports: _Reports, facts: CertificateFacts | None, issued: bool, warnings: list[str]
) -> tuple[Domain, ...]:
    """The names with their states; where those are not reported, the names of the queue or of the certificate."""
    methods = mapping(mapping(reports.item).get("domain_dcv_method"))
    found: dict[str, Domain] = {}
    for entry in reports.domain_details:
        name, state = text(entry.get("domain")), _domain_state(entry)
        if name is None:
            warnings.append("cpanel reported the validation of a name, but not which name")
            continue
        if state == Check.UNKNOWN:
            warnings.append(unknown_word(_LABEL, "status of " + name, entry.get("status")))
        if is_host_name(name):
            if name in found:
                state = least_advanced([state, found[name].status])
            found[name] = Domain(name=name, status=state, method=text(methods.get(name)))
    if not found:
        listed = names(mapping(reports.item).get("domains")) or (facts.names if facts else ())
        state = Check.COMPLETED if issued else Check.UNKNOWN
        found = {name: Domain(name, state, text(methods.get(name))) for name in listed if is_host_name(name)}
    return tuple(found.values())


def _facts(reports: _Reports, warnings: list[str]) -> CertificateFacts | None:
    """What the certificate says of itself."""
    facts = describe_certificate(reports.pem) if reports.pem is not None else None
    if reports.pem is not None and facts is None:
        warnings.append("the certificate came, but its serial number and dates cannot be read")
    return facts


def _predecessor(reports: _Reports) -> str | None:
    """The certificate that the server itself reissues with this item; section 4 of the sheet on orders."""
    found = identifier(mapping(reports.item).get("originating_certificate_id"))
    return found if found and found.strip("0") else None


def _reissue(reports: _Reports, status: str) -> Reissue:
    item = mapping(reports.item)
    if _predecessor(reports) is None:
        return Reissue(open=False if "originating_certificate_id" in item else None)
    return Reissue(
        open=status in Status.OPEN,
        certificate_id=identifier(item.get("certificate_id")),
        requested_at=time_from_epoch(item.get("created_time")),
    )


def _check_state(given: t.Any) -> str:
    return _CHECK_STATES.get(re.sub(r"[\s_]+", "-", word(given)), Check.UNKNOWN)


def _domain_state(entry: Data) -> str:
    return _DOMAIN_STATES.get(word(entry.get("status")), Check.UNKNOWN)


# -- who must act -------------------------------------------------------------


def _blockers(order: Order, reports: _Reports) -> tuple[Blocker, ...]:
    if order.final:
        return ()
    found = open_blockers(order.checks, order.domains, order.action_urls, _ACTORS)
    item = mapping(reports.item)
    if reports.unpaid:
        url = _link(item.get("checkout_url"))
        return (Blocker("payment", "the order is not paid; check out at the store", url=url), *found)
    if order.status == Status.ACTION_REQUIRED:
        url = _link(item.get("support_uri"))
        return (Blocker("approval", "the store holds the order for a review by hand; ask its support", url=url), *found)
    return found


def _action_urls(reports: _Reports) -> dict[str, str]:
    """The links that a person can open, by check. The names are those of checks, the values are not; section 4.2."""
    details, item = mapping(reports.details), mapping(reports.item)
    found: dict[str, str] = {}
    for given in (
        details.get("actionUrls"),
        details.get("action_urls"),
        reports.available.get("encrypted_action_urls"),
        item.get("last_action_urls"),
    ):
        for key, value in mapping(given).items():
            check = _CHECKS.get(key.lower())
            url = _link(value)
            if check is not None and url is not None:
                found.setdefault(check, url)
    return found


def _link(value: t.Any) -> str | None:
    url = text(value)
    return url if url is not None and re.fullmatch(r"https?://[^\s\"'<>]+", url, re.IGNORECASE) else None
