# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DigiCert's evidence for DCV: pure functions from the bodies of answers to what must be published.

Private to this collection. Sections named here are those of the DigiCert sheet on DCV, docs/providers/digicert-dcv.md.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, replace

from ...._common.evidence import (
    FILE_FOLDER,
    FileEvidence,
    NameEvidence,
    OrderReference,
    Problem,
    RecordEvidence,
    Source,
    base_name,
    is_within,
)
from ...._common.names import iso_time
from ...errors import InvalidRequest
from ...model import Check, Domain, Status
from ..base import DcvReply
from ..coerce import entries, identifier, mapping, moment_from_text, names, text, time_from_text, word
from .mapping import Body, map_order, polled_until

#: Methods with a random value; section 1.
TOKEN_METHODS = frozenset(["dns-txt-token", "dns-cname-token", "http-token", "http-token-dynamic"])
#: Methods that a name may use, by preference; section 1.
_METHODS = ("dns-txt-token", "dns-cname-token", "http-token", "http-token-dynamic", "email")
_NOT_FOR_WILDCARDS = frozenset(["http-token", "http-token-dynamic"])
#: The end of a CNAME's target; section 3.
_CNAME_SUFFIX = "dcv.digicert.com"
_FILE_NAME = "fileauth.txt"


@dataclass(frozen=True)
class RandomValue:
    """A random value of an order or of a domain.

    Arguments:
        value: what is published.
        expires_at: ISO 8601 UTC; None where that is not reported.
        url: where the file must stand, for the method http-token-dynamic.
    """

    value: str
    expires_at: str | None = None
    url: str | None = None


def map_random_value(body: Body) -> RandomValue | None:
    """The value in the answer of dcv-random-value, of a domain with include_dcv, or of another call; section 2."""
    token = mapping(body.get("dcv_token")) or body
    value = text(body.get("dcv_random_value")) or text(token.get("dcv_random_value")) or text(token.get("token"))
    if value is None:
        return None
    expires_at = time_from_text(token.get("expiration_date"))
    return RandomValue(value, expires_at, text(token.get("http_token_url")) or text(body.get("http_token_url")))


def domain_ids(validation: Body | None, wanted: t.Collection[str]) -> dict[str, list[str]]:
    """Id of a domain object to those of the wanted names that it stands for."""
    found: dict[str, list[str]] = {}
    for entry in _entries(validation):
        domain_id = identifier(entry.get("domain_id"))
        listed = [name for name in wanted if name in _entry_names(entry) or _is_in_scope(name, entry)]
        if domain_id is not None and listed:
            found.setdefault(domain_id, []).extend(listed)
    return found


def map_evidence(
    info: Body,
    validation: Body | None = None,
    value: RandomValue | None = None,
    domain_values: t.Mapping[str, RandomValue] | None = None,
    order_id: str | None = None,
    now: datetime.datetime | None = None,
) -> list[NameEvidence]:
    """What must be published for each name of an order; section 3.

    Arguments:
        info: the body of order info.
        validation: the body of the validation call; None where there is nothing to validate.
        value: the order's random value, which is the evidence for each of its names; None where it is not known.
        domain_values: name to the value of its domain object, for names that the order's value is not known for.
        order_id: the id that was requested; by default the one in the body.
        now: what counts as the present; by default the present.
    """
    now = now or datetime.datetime.now(datetime.timezone.utc)
    order = map_order(info, validation, order_id, now)
    reference = OrderReference("digicert", order.order_id)
    validation_type = word(mapping(info.get("product")).get("validation_type"))
    has_organization = bool(mapping(validation).get("organization_validations"))
    dv_only = validation_type == "dv" or (not validation_type and not has_organization)
    found = []
    polled = polled_until(order)
    for domain in order.domains:
        method = _method(domain, info, validation)
        evidence = NameEvidence(
            name=domain.name,
            order=reference,
            method=method,
            status=domain.status,
            methods=_methods(domain.name, dv_only),
            polled_until=None if polled is None else iso_time(polled),
        )
        is_open = domain.status != Check.COMPLETED and order.status not in Status.ENDED
        if is_open and method in TOKEN_METHODS:
            known = value or (domain_values or {}).get(domain.name)
            evidence = _with_value(evidence, _scope(domain.name, validation), known, now)
        found.append(evidence)
    return found


def map_reply(body: Body) -> DcvReply:
    """What check-dcv answered; a name that is not reported as approved is open. Section 4."""
    found = [entry for entry in entries(body.get("dns_name_validations")) if word(entry.get("status")) == "approved"]
    return DcvReply(frozenset(name for entry in found for name in _entry_names(entry)))


def check_one_method(changes: t.Mapping[str, str], names: t.Sequence[NameEvidence]) -> None:
    """See that all open names of an order have one method after these changes.

    Raises:
        InvalidRequest: they have not.
    """
    methods = {
        changes.get(one.name, one.method): one.name
        for one in names
        if one.status not in Check.CLOSED or one.name in changes
    }
    if changes and len(methods) > 1:
        listed = ", ".join(f"{method or 'none'} for {name}" for method, name in methods.items())
        raise InvalidRequest(f"a DigiCert order has one DCV method for all its names; methods would make it {listed}")


def _with_value(evidence: NameEvidence, scope: str, value: RandomValue | None, now: datetime.datetime) -> NameEvidence:
    if value is None:
        message = f"DigiCert did not give the random value for {evidence.name}; use a key that may write"
        return replace(evidence, problem=Problem.TOKEN_UNKNOWN, message=message)
    expires = moment_from_text(value.expires_at)
    if expires is not None and expires < now:
        message = f"the random value for {evidence.name} ended at {value.expires_at}; request a new one"
        return replace(evidence, expires_at=value.expires_at, problem=Problem.TOKEN_EXPIRED, message=message)
    record, file = None, None
    if evidence.method == "dns-txt-token":
        record = RecordEvidence("TXT", f"_dnsauth.{scope}", value.value)
    elif evidence.method == "dns-cname-token":
        record = RecordEvidence("CNAME", f"_dnsauth.{scope}", f"{value.value}.{_CNAME_SUFFIX}")
    elif evidence.method == "http-token":
        file = FileEvidence(f"http://{base_name(evidence.name)}{FILE_FOLDER}{_FILE_NAME}", value.value)
    elif value.url is not None:
        file = FileEvidence(value.url, value.value)
    else:
        message = f"DigiCert did not say under which name the file for {evidence.name} must stand; use another method"
        return replace(evidence, problem=Problem.TOKEN_UNKNOWN, message=message)
    return replace(evidence, source=Source.PROVIDER, expires_at=value.expires_at, record=record, file=file)


def _method(domain: Domain, info: Body, validation: Body | None) -> str | None:
    method = domain.method or text(mapping(validation).get("order_dcv_method")) or text(info.get("dcv_method"))
    return method.lower() if method else None


def _methods(name: str, dv_only: bool) -> tuple[str, ...]:
    """The methods that a name could use; section 1."""
    refused = _NOT_FOR_WILDCARDS if name.startswith("*.") else frozenset(["http-token-dynamic"] if dv_only else [])
    return tuple(method for method in _METHODS if method not in refused)


def _scope(name: str, validation: Body | None) -> str:
    """Where the record of a name stands: at the name itself, or at the one above it that is validated; section 3."""
    for entry in _entries(validation):
        listed = _entry_names(entry)
        if _is_in_scope(name, entry) and (not listed or name in listed):
            return base_name(text(entry.get("name_scope")) or "")
    return base_name(name)


def _is_in_scope(name: str, entry: Body) -> bool:
    scope = base_name(text(entry.get("name_scope")) or "")
    return bool(scope) and is_within(base_name(name), scope)


def _entries(validation: Body | None) -> list[Body]:
    return entries(mapping(validation).get("dns_name_validations"))


def _entry_names(entry: Body) -> list[str]:
    found = names(entry.get("dns_names")) + names(entry.get("dns_name"))
    return [name.lower() for name in found]
