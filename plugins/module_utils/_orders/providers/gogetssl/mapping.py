# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GoGetSSL's words in neutral ones: pure functions from the body of an answer to an order.

Private to this collection. Sections named here are those of the GoGetSSL fact sheet, docs/providers/gogetssl.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from ...certificates.chain import describe_certificate
from ...model import Blocker, Check, Coverage, Domain, Order, OrderCertificate, Record, Reissue, Status
from ..base import OrderSummary, least_advanced, open_blockers, unknown_word
from ..coerce import (
    certificate_text,
    flag,
    host_names,
    identifier,
    is_host_name,
    mapping,
    names,
    php_items,
    single,
    text,
    time_from_text,
    word,
)

Body = t.Mapping[str, t.Any]

#: Words under which the CA is at work, and with them active while reissue_now is 1; section 5.
_PENDING = frozenset(["processing", "pending", "reissue"])
#: Section 5, for the words that need no other field.
_STATUSES: t.Mapping[str, str] = {
    "cancelled": Status.CANCELED,
    "canceled": Status.CANCELED,
    "rejected": Status.REJECTED,
    "expired": Status.EXPIRED,
    "revoked": Status.REVOKED,
    "failed": Status.FAILED,
    "filed": Status.FAILED,
    "new_order": Status.ACTION_REQUIRED,
    "incomplete": Status.ACTION_REQUIRED,
    "unpaid": Status.ACTION_REQUIRED,
    "payment needed": Status.ACTION_REQUIRED,
}
_ACTIONS: t.Mapping[str, Blocker] = {
    "new_order": Blocker("csr", "the order is not complete: submit the CSR and a DCV method"),
    "incomplete": Blocker("csr", "the order is not complete: submit the CSR and a DCV method"),
    "unpaid": Blocker("payment", "the order is not paid yet"),
    "payment needed": Blocker("payment", "the order is not paid yet"),
}
#: dcv_status and san[].status; sections 4 and 5.
_DCV_STATES: t.Mapping[str, str] = {"0": Check.NOT_COMPLETED, "1": Check.IN_PROGRESS, "2": Check.COMPLETED}
#: manual_check: the CA looks at the order by hand; section 5.
_BRAND: t.Mapping[bool | None, str] = {True: Check.IN_PROGRESS, False: Check.NOT_APPLICABLE}
#: While a reissue runs; section 11.
_REISSUE = Blocker("reissue", "the reissue is not there yet; what is served is the previous certificate", "provider")
_METHODS = ("http", "https", "dns", "email")


def map_order(body: Body, order_id: str | None = None) -> Order:
    """The order that a status reply describes; sections 4 and 5.

    Arguments:
        body: the body of the status reply.
        order_id: the id that was requested; by default the one in the body.
    """
    order_id = order_id or identifier(body.get("order_id")) or ""
    status_word = word(body.get("status"))
    reissuing = is_reissuing(body) is True
    active = status_word == "active" and not reissuing
    leaf, chain = certificate_text(body.get("crt_code")), certificate_text(body.get("ca_code"))
    warnings: list[str] = []

    base = _dcv_state("dcv_status", body.get("dcv_status"), warnings)
    listed = [(san, _dcv_state("san.status", san.get("status"), warnings)) for san in sans(body.get("san"))]
    states = [state for san, state in listed]
    domains = _domains(body, base, listed, active, warnings)
    dcv_completed = True if active else _dcv_completed(base, states)
    checks = {
        "dcv": Check.COMPLETED if active else least_advanced([base] + states),
        "brand": _BRAND.get(flag(body.get("manual_check")), Check.UNKNOWN),
    }
    presign_failed = "PRE-SIGN FAILED" in (text(body.get("status_description")) or "").upper()
    status = _status(status_word, active, leaf, dcv_completed, presign_failed, checks["brand"])
    if presign_failed and status == Status.VALIDATING:
        checks["caa"] = Check.NOT_COMPLETED

    held = presign_failed or checks["brand"] == Check.IN_PROGRESS or flag(body.get("pre_signing")) is True
    held = status in Status.ENDED or status == Status.ACTION_REQUIRED or (held and not active)
    open_order = not active and status not in Status.ENDED
    return Order(
        provider="gogetssl",
        order_id=order_id,
        status=status,
        provider_status=text(body.get("status")),
        issued=status == Status.ISSUED and chain is not None,
        dcv_completed=dcv_completed,
        checks=checks,
        domains=domains,
        blockers=_blockers(status_word, checks, domains, reissuing) if open_order else (),
        reason=_reason(body) if held else None,
        certificate=_certificate(body, leaf),
        coverage=Coverage(time_from_text(body.get("begin_date")), time_from_text(body.get("end_date"))),
        reissue=Reissue(open=is_reissuing(body)),
        csr=text(body.get("csr_code")),
        warnings=tuple(dict.fromkeys(warnings + _warnings(body, status, chain))),
    )


def is_reissuing(body: Body) -> bool | None:
    """Whether a reissue runs; None where that is not reported. Section 11."""
    return True if word(body.get("status")) == "reissue" else flag(body.get("reissue_now"))


def map_summary(item: Body, order_id: str | None = None) -> OrderSummary:
    """What one item of the batch reply reports: while the CA is at work, all there is to know; section 5."""
    status_word = word(item.get("status"))
    order = None
    if status_word in _PENDING:
        order_id = order_id or identifier(item.get("order_id")) or ""
        order = Order("gogetssl", order_id, Status.VALIDATING, provider_status=text(item.get("status")))
    return OrderSummary(change_token=f"{status_word}:{text(item.get('expires')) or ''}", order=order)


def map_listed(order_id: str, item: Body, batch_item: Body | None) -> Order:
    """What the list and the batch reply report of an order; section 5 of the sheet on orders.

    Arguments:
        item: of the list: an id and a word.
        batch_item: of the batch reply, for an active order; only one with a certificate has an end in it.
    """
    order = map_order(item, order_id)
    end = time_from_text(mapping(batch_item).get("expires"))
    if word(item.get("status")) == word(mapping(batch_item).get("status")) == "active" and end is not None:
        certificate = OrderCertificate(not_after=end)
        order = replace(order, status=Status.ISSUED, issued=True, certificate=certificate, warnings=())
    return replace(order, raw=item if batch_item is None else {**item, **batch_item})


def _status(
    status_word: str,
    active: bool,
    leaf: str | None,
    dcv_completed: bool | None,
    presign_failed: bool,
    brand: str,
) -> str:
    """The neutral status; section 5."""
    if active:
        return Status.ISSUED if leaf else Status.ISSUING
    if status_word == "active" or status_word in _PENDING:
        done = dcv_completed and not presign_failed and brand != Check.IN_PROGRESS
        return Status.ISSUING if done else Status.VALIDATING
    return _STATUSES.get(status_word, Status.UNKNOWN)


def _blockers(
    status_word: str, checks: t.Mapping[str, str], domains: t.Sequence[Domain], reissuing: bool
) -> tuple[Blocker, ...]:
    action = (_ACTIONS[status_word],) if status_word in _ACTIONS else ()
    return action + open_blockers(checks, domains) + ((_REISSUE,) if reissuing else ())


def _warnings(body: Body, status: str, chain: str | None) -> list[str]:
    if status == Status.UNKNOWN:
        return [unknown_word("gogetssl", "status", text(body.get("status")) or "")]
    if status == Status.ISSUED and not chain:
        return ["the certificate is issued, but its chain (ca_code) is not there yet"]
    if status == Status.EXPIRED:
        return ["an order also ends as expired when it was renewed; the renewal has an order id of its own"]
    return []


def _dcv_state(field_name: str, value: t.Any, warnings: list[str]) -> str:
    state_word = word(value)
    if state_word and state_word not in _DCV_STATES:
        warnings.append(unknown_word("gogetssl", field_name, value))
    return _DCV_STATES.get(state_word, Check.UNKNOWN)


def _dcv_completed(base: str, sans: t.Sequence[str]) -> bool | None:
    """Whether all names are validated; dcv_status is about the base domain alone. Section 5."""
    if base in Check.OPEN or any(state != Check.COMPLETED for state in sans):
        return False
    return True if base == Check.COMPLETED else None


def sans(value: t.Any) -> list[Body]:
    """The items of san, each an object with its san_name, in all of PHP's shapes; a name may have its status alone.

    An item that cannot be read is there, but nothing is known of it.
    """
    found: list[Body] = []
    for name, item in php_items(value):
        fields = mapping(item)
        if name is not None:
            found.append({"san_name": name, **fields})
        elif fields and not {"san_name", "status"} & fields.keys():
            found += [{"san_name": one, "status": state} for one, state in fields.items()]
        else:
            found.append(fields or {"san_name": text(item)})
    return found


def _domains(
    body: Body,
    base: str,
    sans: t.Sequence[tuple[Body, str]],
    active: bool,
    warnings: list[str],
) -> tuple[Domain, ...]:
    """The base domain, the names in san, and those that are only listed."""
    found: dict[str, Domain] = {}
    listed = _listed_names(body)
    in_san = {word(san.get("san_name")) for san, state in sans}
    base_name = next((name for name in listed if name not in in_san), None)
    if base_name is not None:
        state = Check.COMPLETED if active and base == Check.UNKNOWN else base
        addresses = names(body.get("approver_emails")) or names(body.get("approver_email"))
        method, record = _validation(body.get("dcv_method"), body.get("approver_method"), addresses, warnings)
        found[base_name] = Domain(base_name, state, method, record=record)
    for san, state in sans:
        name = word(san.get("san_name"))
        if name and is_host_name(name):
            addresses = names(san.get("email"))
            method, record = _validation(san.get("validation_method"), san.get("validation"), addresses, warnings)
            found.setdefault(name, Domain(name, state, method, record=record))
    for name in listed:
        found.setdefault(name, Domain(name, Check.COMPLETED if active else Check.UNKNOWN))
    return tuple(found.values())


def _listed_names(body: Body) -> list[str]:
    """The names in domain and domains, which hold a company or a mail address where the product is not for servers."""
    if text(body.get("codesigning_inviteurl")):
        return []
    # A single label is a name where it is validated as one; several of them alone are the words of a company.
    single_labels = text(body.get("dcv_method")) is not None
    found: list[str] = []
    for field_name in ("domain", "domains"):
        listed = [name.lower() for name in host_names(body.get(field_name), single_labels)]
        dotted = [name for name in listed if "." in name or ":" in name]
        if dotted or (single_labels and len(listed) == 1):
            found += listed
    return found


def _validation(
    method: t.Any, shape: t.Any, addresses: t.Sequence[str], warnings: list[str]
) -> tuple[str | None, Record | None]:
    """The DCV method of one name and what to publish, from any of the shapes of section 10.

    Arguments:
        addresses: where a mail may have been sent, if the shape itself does not show it.
    """
    chosen, record = _shape(word(method) or None, shape, warnings)
    if record is None and chosen in (None, "email"):
        record = next((Record("email", address) for address in addresses if "@" in address), None)
    return chosen or ("email" if record is not None else None), record


def _shape(chosen: str | None, shape: t.Any, warnings: list[str]) -> tuple[str | None, Record | None]:
    """The method and the record in one approver_method or validation."""
    if not isinstance(shape, str):
        found = blocks(shape)
        name = chosen if chosen in found else next((known for known in _METHODS if known in found), None)
        if name is None:
            return chosen, None
        return chosen or name, _record(name, found[name], warnings)
    # A bare string: an address, the name of a method, a link or a record.
    stripped = shape.strip()
    if "@" in stripped:
        return chosen or "email", Record("email", stripped)
    if stripped.lower() in _METHODS:
        return chosen or stripped.lower(), None
    if re.match(r"https?://", stripped, re.IGNORECASE):
        return chosen or "http", Record("http", stripped)
    return chosen, _record("dns", stripped, warnings) if re.search(r"\s", stripped) else None


def blocks(shape: t.Any) -> dict[str, t.Any]:
    """Method to its block: from one object, or from several in a list."""
    found: dict[str, t.Any] = {}
    for name, item in php_items(shape):
        found.update(
            {name.lower(): item} if name is not None else {word(key): one for key, one in mapping(item).items()}
        )
    return found


def _record(method: str, block: t.Any, warnings: list[str]) -> Record | None:
    # PHP may write one thing as an array of one.
    block = single(block)
    fields = {name: single(value) for name, value in mapping(block).items()}
    if method == "email":
        address = text(fields.get("email")) or text(block)
        return Record("email", address) if address else None
    if method == "dns":
        record = text(fields.get("record")) or text(block)
        # name [TTL] [IN] CNAME target, or name [TTL] [IN] TXT "token"
        parts = re.fullmatch(
            r"(\S+)\s+(?:[0-9]+\s+)?(?:IN\s+)?(CNAME|TXT)\s+(\S.*)", record or "", re.IGNORECASE | re.DOTALL
        )
        if parts:
            quoted = re.findall(r'"([^"]*)"', parts.group(3))
            return Record(parts.group(2).upper(), parts.group(1), "".join(quoted) or parts.group(3).strip())
        if record:
            warnings.append("gogetssl gave a DNS record for validation that cannot be read; see raw")
        return None
    link = text(fields.get("link")) or text(fields.get("filename")) or text(block)
    content = fields.get("content")
    # What is published must not lose a line end.
    return Record("http", link, content if isinstance(content, str) and content.strip() else None) if link else None


def _reason(body: Body) -> str | None:
    """GoGetSSL's own words for what ended the order or holds it up."""
    return text(body.get("status_description")) or text(body.get("validation_description"))


def _certificate(body: Body, leaf: str | None) -> OrderCertificate:
    facts = describe_certificate(leaf) if leaf else None
    return OrderCertificate(
        serial_number=facts.serial_number if facts else None,
        not_before=facts.not_before if facts else time_from_text(body.get("valid_from")),
        not_after=facts.not_after if facts else time_from_text(body.get("valid_till")),
    )
