# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The neutral order: one shape for the orders of every provider. Pure data; knows no provider and no HTTP.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from .._common.names import normalize_serial, serial_forms


class Status:
    """Where an order stands, in neutral words."""

    ACTION_REQUIRED = "action_required"
    VALIDATING = "validating"
    ISSUING = "issuing"
    ISSUED = "issued"
    REJECTED = "rejected"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"
    FAILED = "failed"
    UNKNOWN = "unknown"

    #: Statuses in which a provider has ended the order without a certificate to collect.
    ENDED = frozenset([REJECTED, CANCELED, EXPIRED, REVOKED, REPLACED, FAILED])
    #: Statuses in which the certificate is still to come.
    OPEN = frozenset([ACTION_REQUIRED, VALIDATING, ISSUING])
    ALL = frozenset([ACTION_REQUIRED, VALIDATING, ISSUING, ISSUED, UNKNOWN]) | ENDED


class Check:
    """How far one thing that must hold before issuance has come."""

    NOT_APPLICABLE = "not_applicable"
    NOT_COMPLETED = "not_completed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    UNKNOWN = "unknown"

    #: States in which the check holds up issuance.
    OPEN = frozenset([NOT_COMPLETED, IN_PROGRESS])
    #: States in which the check does not hold up issuance.
    CLOSED = frozenset([NOT_APPLICABLE, COMPLETED])

    #: The checks an order can have, in the order in which people read them.
    NAMES = (
        "csr",
        "dcv",
        "organization",
        "phone_callback",
        "ev_click_through",
        "caa",
        "brand",
        "dv_upgrade",
    )


@dataclass(frozen=True)
class Record:
    """What to publish so that one name can be validated.

    Arguments:
        type: TXT, CNAME, http or email.
        name: DNS name of the record, URL of the file, or the address written to.
        value: what the record or file must contain; None for email.
    """

    type: str
    name: str | None
    value: str | None = None


@dataclass(frozen=True)
class Domain:
    """One name on an order and how far its domain control validation has come. Times are ISO 8601 UTC."""

    name: str
    status: str = Check.UNKNOWN
    method: str | None = None
    validated_until: str | None = None
    record: Record | None = None


@dataclass(frozen=True)
class Blocker:
    """A check that is still open.

    Arguments:
        check: one of Check.NAMES, or payment, approval or reissue for what is no check of the provider's.
        subject: the name it is about, or None when it is about the whole order.
        actor: "you" or "provider": who must act.
        message: one sentence: what is missing.
        url: a link that helps, where the provider offers one.
    """

    check: str
    message: str
    actor: str = "you"
    subject: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class OrderCertificate:
    """What a provider reports of the certificate of an order. Times are ISO 8601 UTC."""

    id: str | None = None
    serial_number: str | None = None
    not_before: str | None = None
    not_after: str | None = None


@dataclass(frozen=True)
class Coverage:
    """The time that was paid for, as opposed to the dates of one certificate. Times are ISO 8601 UTC."""

    starts: str | None = None
    ends: str | None = None


@dataclass(frozen=True)
class Reissue:
    """The reissue of an order that is being made. What is not reported is None.

    Arguments:
        open: a further certificate of the order is being made; not so for the first one.
        ours: it is for the key of the CSR that is asked about; only order_reissue has one.
        certificate_id: the provider's number of the certificate that is being made.
        requested_at: when it was requested, ISO 8601 UTC.
    """

    open: bool | None = None
    ours: bool | None = None
    certificate_id: str | None = None
    requested_at: str | None = None


@dataclass(frozen=True)
class Order:
    """One certificate order as a provider describes it, in neutral words.

    Arguments:
        provider: name of the provider.
        order_id: the provider's number of the order, always text.
        status: one of Status.
        provider_status: the provider's own word, verbatim.
        issued: a certificate can be collected now.
        dcv_completed: None when the provider did not say.
        checks: name of a check to its state; only checks that the provider reported.
        reason: the provider's own words for a rejection, failure or hold.
        action_urls: links the provider offers a person, by check.
        coverage: the time that was paid for.
        reissue: the further certificate that is being made.
        reference: the reference that whoever ordered gave to the order.
        auto_reissue: the provider makes reissues of the order by itself.
        warnings: unknown values met, fields in an unexpected shape.
        csr: the CSR of the order, where the provider sends it along.
        collect_id: the number by which the certificate is collected, where it is not the order id.
        raw: the provider's body as it came. It may hold secrets and personal data, and nothing is read from it again.
    """

    provider: str
    order_id: str
    status: str
    provider_status: str | None = None
    issued: bool = False
    dcv_completed: bool | None = None
    checks: t.Mapping[str, str] = field(default_factory=dict)
    domains: tuple[Domain, ...] = ()
    blockers: tuple[Blocker, ...] = ()
    reason: str | None = None
    action_urls: t.Mapping[str, str] = field(default_factory=dict)
    certificate: OrderCertificate = OrderCertificate()
    ordered_at: str | None = None
    coverage: Coverage = Coverage()
    reissue: Reissue = Reissue()
    reference: str | None = None
    auto_reissue: bool | None = None
    warnings: tuple[str, ...] = ()
    csr: str | None = None
    collect_id: str | None = None
    raw: t.Any = None

    @property
    def final(self) -> bool:
        """Waiting longer cannot change it: the order has ended, or its certificate can be collected."""
        return self.issued or self.status in Status.ENDED

    def to_dict(self) -> dict[str, t.Any]:
        """The order as plain data for results, filters and lookups; ``raw`` is left to whoever redacts it."""
        return {
            "provider": self.provider,
            "order_id": self.order_id,
            "status": self.status,
            "provider_status": self.provider_status,
            "issued": self.issued,
            "final": self.final,
            "dcv_completed": self.dcv_completed,
            "checks": {name: self.checks[name] for name in Check.NAMES if name in self.checks},
            "domains": [_domain_to_dict(domain) for domain in self.domains],
            "blockers": [
                {
                    "check": blocker.check,
                    "subject": blocker.subject,
                    "actor": blocker.actor,
                    "message": blocker.message,
                    "url": blocker.url,
                }
                for blocker in self.blockers
            ],
            "reason": self.reason,
            "action_urls": dict(self.action_urls),
            "certificate": {
                "id": self.certificate.id,
                "serial_number": self.certificate.serial_number,
                "not_before": self.certificate.not_before,
                "not_after": self.certificate.not_after,
            },
            "ordered_at": self.ordered_at,
            "coverage": {"starts": self.coverage.starts, "ends": self.coverage.ends},
            "reissue": {
                "open": self.reissue.open,
                "ours": self.reissue.ours,
                "certificate_id": self.reissue.certificate_id,
                "requested_at": self.reissue.requested_at,
            },
            "reference": self.reference,
            "auto_reissue": self.auto_reissue,
            "warnings": list(self.warnings),
            "raw": None,
        }


@dataclass(frozen=True)
class IssuedBundle:
    """The certificate of an order as the provider handed it over, in PEM, in no order that can be relied upon.

    Arguments:
        leaf: the certificate, where the provider separates it from the chain; else None.
        additional: everything else that came: intermediates, roots, and the leaf too where it is not separate.
        csr: the CSR of the order, where the provider sends it along: the certificate must be for its key.
        warnings: what went wrong on the way, in whole sentences.
    """

    leaf: str | None
    additional: tuple[str, ...] = ()
    csr: str | None = None
    warnings: tuple[str, ...] = ()


def _domain_to_dict(domain: Domain) -> dict[str, t.Any]:
    record = domain.record
    return {
        "name": domain.name,
        "status": domain.status,
        "method": domain.method,
        "validated_until": domain.validated_until,
        "record": {"type": record.type, "name": record.name, "value": record.value} if record else None,
    }


def without_superseded(order: Order, serials: t.Sequence[str], replaced: OrderCertificate | None = None) -> Order:
    """The order as it counts during a reissue: a certificate with one of these serials is the previous one.

    A certificate whose serial is not reported cannot be shown to be a new one, so it does not count either.

    Arguments:
        replaced: the certificate that the order had while its reissue was open; it is the previous one as well.
    """
    if not order.issued:
        return order
    superseded = {normalize_serial(serial) for serial in serials} - {None}
    current = normalize_serial(order.certificate.serial_number)
    if replaced is not None and _is_same(order.certificate, replaced):
        return _as_previous(order)
    if not superseded or (current is not None and not serial_forms(current) & superseded):
        return order
    if current is None:
        warning = (
            "the serial number of the certificate is not known, so it cannot be distinguished from the superseded one"
        )
        return replace(order, issued=False, dcv_completed=None, warnings=order.warnings + (warning,))
    return _as_previous(order)


def _is_same(certificate: OrderCertificate, other: OrderCertificate) -> bool:
    """Whether both are one certificate: by their ids, or by their serial numbers where ids are not reported."""
    if certificate.id is not None and other.id is not None:
        return certificate.id == other.id
    serial = normalize_serial(certificate.serial_number)
    return serial is not None and serial == normalize_serial(other.serial_number)


def _as_previous(order: Order) -> Order:
    serial = normalize_serial(order.certificate.serial_number)
    named = f"serial number {serial}" if serial else f"id {order.certificate.id}"
    message = f"the certificate with {named} is the previous one; the reissue is not there yet"
    blocker = Blocker(check="reissue", actor="provider", message=message)
    return replace(order, issued=False, dcv_completed=None, blockers=order.blockers + (blocker,))
