# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DigiCert's words in neutral ones: pure functions from the body of an answer to an order.

Private to this collection. Sections named here are those of the DigiCert fact sheet, docs/providers/digicert.md.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import replace

from ...._common.names import normalize_serial
from ...http.redaction import HIDDEN, drop_personal_text
from ...model import Blocker, Check, Coverage, Domain, Order, OrderCertificate, Reissue, Status
from ..base import OrderSummary, least_advanced, open_blockers, unknown_word
from ..coerce import (
    entries,
    flag,
    identifier,
    is_host_name,
    mapping,
    moment_from_text,
    names,
    objects,
    text,
    texts,
    time_from_text,
    word,
)

Body = t.Mapping[str, t.Any]

#: Words under which validation goes on; section 5.
PENDING = frozenset(["pending", "processing", "reissue_pending"])
#: Words of a reissue, or of a request for one, that is under way; section 2 of the sheet on orders.
OPEN_REISSUE = frozenset(["pending", "submitted", "processing", "reissue_pending", "needs_approval"])
#: Words of old recordings that may stand for an issued order; section 5.
_MAYBE_ISSUED = frozenset(["approved", "reissue"])
#: Section 5, before validation is looked at.
STATUSES: t.Mapping[str, str] = {
    "issued": Status.ISSUED,
    "pending": Status.VALIDATING,
    "processing": Status.VALIDATING,
    "reissue_pending": Status.VALIDATING,
    "waiting_pickup": Status.ISSUING,
    "approved": Status.ISSUING,
    "reissue": Status.ISSUING,
    "needs_approval": Status.ACTION_REQUIRED,
    "needs_csr": Status.ACTION_REQUIRED,
    "rejected": Status.REJECTED,
    "denied": Status.REJECTED,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
    "revoked": Status.REVOKED,
    "expired": Status.EXPIRED,
}
_DNS_NAME_STATES: t.Mapping[str, str] = {"approved": Check.COMPLETED, "pending": Check.IN_PROGRESS}
_ORGANIZATION_STATES: t.Mapping[str, str] = {
    "active": Check.COMPLETED,
    "complete": Check.COMPLETED,
    "approved": Check.COMPLETED,
    "pending": Check.IN_PROGRESS,
}

#: Words of a certificate's own state under which it is there; it is rarely reported. Section 4.2.
_CERTIFICATE_ISSUED = frozenset(["issued", "approved", "active", "complete", "valid", "reissue", "reissued"])
#: Products whose certificates are not for servers, in the ids, types and names of products.
_NO_SERVER = re.compile(r"code|client|document|s/?mime|email|personal|signing|timestamp")

#: While an order is reissue_pending; sections 5 and 11.
_REISSUE = Blocker(
    "reissue", "the reissue is not there yet; what can be downloaded is the previous certificate", actor="provider"
)
_APPROVAL = Blocker("approval", "somebody must approve the request in CertCentral")

#: DigiCert's own DCV checks end so long after the order; section 9.
_OWN_CHECKS = datetime.timedelta(days=10)
_OWN_CHECKS_OVER = (
    "the order is older than ten days, so DigiCert does not check DCV by itself any more; "
    "start a check in CertCentral, or by the API call check-dcv"
)


def map_order(
    info: Body,
    validation: Body | None = None,
    order_id: str | None = None,
    now: datetime.datetime | None = None,
) -> Order:
    """The order that order info describes, with what the validation call adds; sections 4 and 5.

    Arguments:
        info: the body of order info.
        validation: the body of the validation call; None when it was not made, or found nothing to validate.
        order_id: the id that was requested; by default the one in the body.
        now: what counts as the present, for dates of validation; by default the present.
    """
    order_id = order_id or identifier(info.get("id")) or ""
    provider_status = text(info.get("status")) or text(mapping(validation).get("order_status"))
    return with_validation(_map_info(order_id, info, provider_status), validation, now)


def map_summary(item: Body) -> OrderSummary:
    """What one item of the list or of status-changes reports: of a pending order, all there is to know; section 7."""
    status_word = word(item.get("status"))
    certificate_id = identifier(item.get("certificate_id")) or identifier(mapping(item.get("certificate")).get("id"))
    order = None
    if status_word in PENDING:
        order = Order(
            provider="digicert",
            order_id=listed_id(item),
            status=Status.VALIDATING,
            provider_status=text(item.get("status")),
            certificate=OrderCertificate(id=certificate_id),
            ordered_at=time_from_text(item.get("date_created")),
            blockers=(_REISSUE,) if status_word == "reissue_pending" else (),
            reissue=Reissue(open=status_word == "reissue_pending"),
        )
    return OrderSummary(change_token=f"{status_word}:{certificate_id or ''}", order=order)


def listed_id(item: Body) -> str:
    """The order id of an item: the list call says id, status-changes says order_id."""
    return identifier(item.get("order_id")) or identifier(item.get("id")) or ""


# -- order info ---------------------------------------------------------------


def _map_info(order_id: str, info: Body, provider_status: str | None) -> Order:
    """The order as order info alone describes it; section 4.2."""
    facts = mapping(info.get("certificate"))
    certificate = OrderCertificate(
        id=identifier(facts.get("id")),
        serial_number=_serial(facts.get("serial_number")),
        not_before=time_from_text(facts.get("valid_from")),
        not_after=time_from_text(facts.get("valid_till")),
    )
    status, reason, warnings = _status(word(provider_status), facts)
    if status == Status.UNKNOWN and not warnings:
        warnings.append(unknown_word("digicert", "status", provider_status or ""))
    if status == Status.ISSUED and certificate.id is None:
        warnings.append("digicert reported that the order is issued, but gave no certificate id to collect it by")

    checks: dict[str, str] = {}
    if word(provider_status) == "needs_csr":
        checks["csr"] = Check.NOT_COMPLETED
    elif text(facts.get("csr")):
        checks["csr"] = Check.COMPLETED
    caa = _caa_messages(info.get("caa_status_message"))
    checks["caa"] = Check.COMPLETED if status == Status.ISSUED else Check.IN_PROGRESS if caa else Check.UNKNOWN
    return Order(
        provider="digicert",
        order_id=order_id,
        status=status,
        provider_status=provider_status,
        issued=status == Status.ISSUED and certificate.id is not None,
        checks=checks,
        domains=tuple(Domain(name) for name in _host_names(info)),
        blockers=(_APPROVAL,) if _awaits_approval(info, status) else (),
        reason=reason or (_refusal(info) if status in Status.ENDED else None) or caa or _messages(info),
        csr=text(facts.get("csr")),
        certificate=certificate,
        ordered_at=time_from_text(info.get("date_created")),
        coverage=Coverage(ends=time_from_text(info.get("order_valid_till"))),
        reissue=map_reissue(info),
        reference=text(info.get("alternative_order_id")),
        auto_reissue=flag(info.get("auto_reissue")),
        warnings=tuple(warnings),
    )


def awaits_first(info: Body) -> bool:
    """Whether the first certificate of the order is being made."""
    return word(info.get("status")) in PENDING and word(info.get("status")) != "reissue_pending"


def reissue_requests(info: Body) -> list[Body]:
    """The requests for a reissue in order info that are under way; one that is not approved has no certificate yet."""
    waiting = [request for request in objects(info.get("requests")) if word(request.get("status")) in OPEN_REISSUE]
    return [request for request in waiting if "reissue" in word(request.get("type"))]


def map_reissue(info: Body, listed: t.Sequence[Body] = ()) -> Reissue:
    """The reissue that is being made; section 2 of the sheet on orders.

    Arguments:
        info: the body of order info.
        listed: the reissues of the order, the newest first, where the list was fetched.
    """
    if awaits_first(info):
        return Reissue(open=False)
    requests = reissue_requests(info)
    waiting = [entry for entry in listed if word(entry.get("status")) in OPEN_REISSUE]
    status_word = word(info.get("status"))
    # A request may also be the one for the first certificate.
    pending = flag(info.get("has_pending_request")) is True and STATUSES.get(status_word) not in Status.OPEN
    if not (status_word == "reissue_pending" or pending or requests or waiting):
        return Reissue(open=False if status_word else None)
    times = (time_from_text(one.get(name)) for one in [*waiting[:1], *requests] for name in ("date_created", "date"))
    return Reissue(
        open=True,
        certificate_id=identifier(waiting[0].get("id")) if waiting else None,
        requested_at=next(filter(None, times), None),
    )


def _status(status_word: str, facts: Body) -> tuple[str, str | None, list[str]]:
    """The neutral status, its reason, and warnings. Of an issued order the certificate's own state counts; section 5.

    Arguments:
        facts: the certificate in order info.
    """
    status = STATUSES.get(status_word, Status.UNKNOWN)
    if status_word in _MAYBE_ISSUED and identifier(facts.get("id")) and moment_from_text(facts.get("date_issued")):
        status = Status.ISSUED
    certificate_word = word(facts.get("status"))
    if status != Status.ISSUED or not certificate_word or certificate_word in _CERTIFICATE_ISSUED:
        return status, None, []
    status = STATUSES.get(certificate_word, Status.UNKNOWN)
    if status in Status.ENDED:
        # The order goes on, but this certificate of it has ended.
        return status, f"the certificate of the order is {status}", []
    if status == Status.UNKNOWN:
        return status, None, [unknown_word("digicert", "certificate.status", facts.get("status"))]
    return status, None, []


def _awaits_approval(info: Body, status: str) -> bool:
    """Whether the order, or a request of it, waits for somebody's approval; section 5."""
    if status not in Status.OPEN:
        return False
    states = [word(info.get("status"))] + [word(request.get("status")) for request in objects(info.get("requests"))]
    return states[0] == "needs_approval" or "pending" in states[1:]


def _refusal(info: Body) -> str | None:
    """Why the order was refused: the comment of who decided on its request, or a message; never who it was."""
    comments = []
    for request in objects(info.get("requests")):
        comment = text(request.get("processor_comment"))
        if comment is not None:
            refused = STATUSES.get(word(request.get("status"))) in Status.ENDED
            comments.append((refused, word(request.get("date")), _without_person(comment, request.get("processor"))))
    return max(comments)[2] if comments else _messages(info)


def _messages(info: Body) -> str | None:
    """What the order says of itself in words."""
    return "; ".join(dict.fromkeys(texts(info.get("message")) + texts(info.get("messages")))) or None


def _without_person(comment: str, person: t.Any) -> str:
    """The comment without mail addresses, and without the names of a person, wherever they stand in it."""
    values = [text(value) or "" for name, value in mapping(person).items() if name != "id"] + [text(person) or ""]
    for value in sorted(values, key=len, reverse=True):
        if len(value) > 1:
            comment = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", HIDDEN, comment, flags=re.IGNORECASE)
    return drop_personal_text(comment)


def _host_names(info: Body) -> list[str]:
    """The names that the certificate is for, by product and by field; section 4.2.

    The common name of what is no server certificate is a person or a company. What stands in dns_names is a name,
    however it looks.
    """
    product = mapping(info.get("product"))
    product_words = " ".join(word(product.get(name)) for name in ("name_id", "type", "name"))
    if _NO_SERVER.search(product_words):
        return []
    facts = mapping(info.get("certificate"))
    listed = [name for name in names(facts.get("dns_names")) if not re.search(r"[\s@]", name)]
    common_name = text(facts.get("common_name")) or ""
    single_label = "." not in common_name.strip(".") and ":" not in common_name
    if is_host_name(common_name) and ("ssl" in product_words or not single_label):
        listed.insert(0, common_name)
    return list(dict.fromkeys(name.lower() for name in listed))


def _caa_messages(value: t.Any) -> str | None:
    """CAA host to message, as one text."""
    if not isinstance(value, dict):
        return text(value)
    found = [f"{host}: {text(message)}" for host, message in value.items() if text(message)]
    return "CAA: " + "; ".join(found) if found else None


def _serial(value: t.Any) -> str | None:
    serial = normalize_serial(text(value))
    return serial if serial and re.fullmatch(r"[0-9A-F]+", serial) else None


# -- validation ---------------------------------------------------------------


def with_validation(order: Order, validation: Body | None, now: datetime.datetime | None = None) -> Order:
    """The order with what the validation call reports, in place of what an earlier one did; sections 4.1 and 5."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    status_word = word(order.provider_status)
    issued = order.status == Status.ISSUED
    warnings = list(order.warnings)
    listed = entries(mapping(validation).get("dns_name_validations"))
    states = [_dns_name_state(entry, issued, now, warnings) for entry in listed]
    domains = _domains(order, listed, states, warnings)

    checks = dict(order.checks)
    checks["dcv"] = Check.COMPLETED if issued else least_advanced(states)
    organizations = entries(mapping(validation).get("organization_validations"))
    if organizations:
        checks["organization"] = least_advanced([_organization_state(entry, warnings) for entry in organizations])
    elif validation is not None:
        checks["organization"] = Check.NOT_APPLICABLE

    status = order.status
    if status_word in PENDING or status == Status.VALIDATING:
        done = all(checks.get(name) in Check.CLOSED for name in ("dcv", "organization"))
        done = done and checks.get("caa") not in Check.OPEN
        # Approval alone is left: only a person can do that.
        next_status = Status.ACTION_REQUIRED if _APPROVAL in order.blockers else Status.ISSUING
        status = next_status if done else Status.VALIDATING
        if checks["dcv"] != Check.COMPLETED and status_word != "reissue_pending":
            warnings.extend(_own_checks_over(order.ordered_at, now))
    blockers: tuple[Blocker, ...] = ()
    if not issued and status not in Status.ENDED:
        blockers = _blockers(order, checks, domains, organizations)
    return replace(
        order,
        status=status,
        dcv_completed=None if checks["dcv"] == Check.UNKNOWN else checks["dcv"] == Check.COMPLETED,
        checks=checks,
        domains=domains,
        blockers=blockers,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _dns_name_state(entry: Body, issued: bool, now: datetime.datetime, warnings: list[str]) -> str:
    state = _known(_DNS_NAME_STATES, "dns_name_validations.status", entry.get("status"), warnings)
    until = moment_from_text(entry.get("approval_expiration_date"))
    if state == Check.COMPLETED and not issued and until is not None and until < now:
        return Check.NOT_COMPLETED
    return state


def _organization_state(entry: Body, warnings: list[str]) -> str:
    return _known(_ORGANIZATION_STATES, "organization_validations.status", entry.get("status"), warnings)


def _known(states: t.Mapping[str, str], field_name: str, value: t.Any, warnings: list[str]) -> str:
    state_word = word(value)
    if state_word and state_word not in states:
        warnings.append(unknown_word("digicert", field_name, value))
    return states.get(state_word, Check.UNKNOWN)


def _domains(
    order: Order, listed: t.Sequence[Body], states: t.Sequence[str], warnings: list[str]
) -> tuple[Domain, ...]:
    """Every name of the order: those that order info lists, and those whose validation is reported."""
    reported: dict[str, list[Domain]] = {domain.name: [] for domain in order.domains}
    for entry, state in zip(listed, states):
        hosts = names(entry.get("dns_names")) + names(entry.get("dns_name"))
        if not hosts:
            # A scope need not be a name of the order: it stands for the names at and below it.
            scope = word(entry.get("name_scope"))
            hosts = [domain.name for domain in order.domains if scope and ("." + domain.name).endswith("." + scope)]
        if not hosts:
            warnings.append("digicert reported the validation of a name, but not which name")
        for host in hosts:
            reported.setdefault(host.lower(), []).append(
                Domain(
                    name=host.lower(),
                    status=state,
                    method=text(entry.get("method")),
                    validated_until=time_from_text(entry.get("approval_expiration_date")),
                )
            )
    unreported = Check.COMPLETED if order.status == Status.ISSUED else Check.UNKNOWN
    domains = []
    for name, found in reported.items():
        least = least_advanced([domain.status for domain in found])
        domains.append(next((domain for domain in found if domain.status == least), Domain(name, unreported)))
    return tuple(domains)


def _blockers(
    order: Order, checks: t.Mapping[str, str], domains: t.Sequence[Domain], organizations: t.Sequence[Body]
) -> tuple[Blocker, ...]:
    blockers: list[Blocker] = [_APPROVAL] if _APPROVAL in order.blockers else []
    for blocker in open_blockers(checks, domains):
        parts = _open_parts(organizations) if blocker.check == "organization" else []
        if parts:
            blocker = replace(blocker, message=f"{blocker.message} (open: {', '.join(parts)})")
        blockers.append(blocker)
    contacts = [contact for entry in organizations for contact in objects(entry.get("verified_contacts"))]
    if any(word(contact.get("status")) == "pending" for contact in contacts):
        blockers.append(Blocker("approval", "a contact of the organization is not confirmed yet", actor="provider"))
    if word(order.provider_status) == "reissue_pending":
        blockers.append(_REISSUE)
    return tuple(blockers)


def _open_parts(organizations: t.Sequence[Body]) -> list[str]:
    """Names of the parts of an organization's validation that are still open."""
    return [
        name
        for entry in organizations
        for name, state in mapping(entry.get("verification_details")).items()
        if word(state) == "pending"
    ]


def polled_until(order: Order) -> datetime.datetime | None:
    """Until when DigiCert looks for evidence by itself; None where that is not reported; section 9."""
    since = moment_from_text(order.reissue.requested_at if order.reissue.open else order.ordered_at)
    return None if since is None else since + _OWN_CHECKS


def _own_checks_over(ordered_at: str | None, now: datetime.datetime) -> list[str]:
    """The warning that DigiCert does not check DCV by itself any more, where that is so; section 9."""
    moment = moment_from_text(ordered_at)
    if moment is None or now - moment <= _OWN_CHECKS:
        return []
    return [_OWN_CHECKS_OVER]
