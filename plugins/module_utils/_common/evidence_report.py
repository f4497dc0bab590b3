# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to publish for many orders: refuses what must not be published, merges the rest over all orders.

`report` makes the results of `order_dcv_info` of the evidence that providers gave. Standard library only; asks nobody.
Source: docs/providers/dcv/rules-and-diagnosis.md, sections 2, 7 and 9.

Private to this collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace
from urllib.parse import urlsplit

from .evidence import (
    FILE_FOLDER,
    MAX_FILE_SIZE,
    MAX_VALUE_LENGTH,
    FileEvidence,
    FileSet,
    NameEvidence,
    Problem,
    RecordEvidence,
    RecordSet,
    Source,
    ZoneFinder,
    ancestors,
    base_name,
    is_dns_name,
    plain_name,
)


def checked(evidence: NameEvidence) -> NameEvidence:
    """The evidence as it may be published: without record and file, and with the problem, where it is refused."""
    if evidence.file is not None and evidence.name.startswith("*."):
        message = f"{evidence.name} is a wildcard name, and no CA accepts a file for it; use a DNS method"
        return refused(evidence, Problem.WILDCARD_NEEDS_DNS, message)
    reason = None
    if evidence.record is not None:
        reason = _reason_against_record(base_name(evidence.name), evidence.record)
    elif evidence.file is not None:
        reason = _reason_against_file(base_name(evidence.name), evidence.file)
    return refused(evidence, Problem.EVIDENCE_REFUSED, reason) if reason else evidence


def refused(evidence: NameEvidence, problem: str, message: str) -> NameEvidence:
    """The same name with a problem, and with nothing to publish."""
    return replace(evidence, record=None, file=None, source=Source.NONE, problem=problem, message=message)


_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}\Z")


def _reason_against_record(name: str, record: RecordEvidence) -> str | None:
    fqdn = plain_name(record.fqdn)
    if record.type not in ("TXT", "CNAME"):
        return f"a record of type {record.type!r} is no evidence for {name}"
    if not is_dns_name(fqdn):
        return f"{fqdn[:80]!r} is no name for a record"
    first, _dot, rest = fqdn.partition(".")
    owners = ancestors(name)
    if not (first.startswith("_") and rest in owners) and not (record.type == "TXT" and fqdn in owners):
        return f"a record at {fqdn} is no evidence for {name}"
    if record.type == "CNAME":
        if not is_dns_name(plain_name(record.value)):
            return f"{record.value[:80]!r} is no target for a CNAME record"
        return None
    if not record.value or len(record.value) > MAX_VALUE_LENGTH or not _is_printable(record.value):
        return f"the TXT value for {name} is empty, too long, or has characters that cannot be shown"
    return None


def _is_printable(text: str) -> bool:
    return all(32 <= ord(character) < 127 for character in text)


def _reason_against_file(name: str, file: FileEvidence) -> str | None:
    try:
        parts = urlsplit(file.url)
        port = parts.port
    except ValueError:
        return f"{file.url[:80]!r} is no URL for a file of {name}"
    if parts.scheme not in ("http", "https") or port not in (None, {"http": 80, "https": 443}[parts.scheme]):
        return f"the file of {name} must stand at http on port 80 or https on port 443"
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        return f"the URL for the file of {name} has more than a host and a path"
    if plain_name(parts.hostname or "") != name:
        return f"the file of {name} cannot stand on the host {(parts.hostname or '')[:80]!r}"
    file_name = parts.path[len(FILE_FOLDER) :]
    if not parts.path.startswith(FILE_FOLDER) or not _FILE_NAME.match(file_name) or ".." in file_name:
        return f"the file of {name} must stand in {FILE_FOLDER} under a plain file name"
    content = file.content
    if (
        not content
        or len(content.encode("utf-8")) > MAX_FILE_SIZE
        or not _is_printable(re.sub(r"[\r\n\t]", "", content))
    ):
        return f"the content of the file of {name} is empty, too long, or has characters that cannot be shown"
    return None


def report(evidences: t.Iterable[NameEvidence], zone_of: ZoneFinder) -> dict[str, t.Any]:
    """What to publish for all orders, as `order_dcv_info` returns it.

    Arguments:
        evidences: one for each name of each order, in the order in which they are reported.
        zone_of: returns the zone of an owner; see `zone_from`.

    Returns:
        names, record_sets, files, emails and unresolved, as plain data.
    """
    accepted = without_conflicts([checked(evidence) for evidence in evidences])
    sets = {(item.type, item.fqdn): item.to_dict() for item in record_sets(accepted, zone_of)}
    files = {item.url: item.to_dict() for item in file_sets(accepted)}
    return {
        "names": [_name_to_dict(evidence, sets, files) for evidence in accepted],
        "record_sets": list(sets.values()),
        "files": list(files.values()),
        "emails": _emails(accepted),
        "unresolved": [
            {
                "name": evidence.name,
                "provider": evidence.order.provider,
                "order_id": evidence.order.order_id,
                "problem": evidence.problem,
                "message": evidence.message,
            }
            for evidence in accepted
            if evidence.problem
        ],
    }


def record_sets(evidences: t.Iterable[NameEvidence], zone_of: ZoneFinder) -> list[RecordSet]:
    """One set for each owner and type, with all its values in the order met."""
    groups: dict[tuple[str, str], list[NameEvidence]] = {}
    for evidence in evidences:
        if evidence.record is not None:
            groups.setdefault(_record_key(evidence.record), []).append(evidence)
    return [
        RecordSet(
            type=kind,
            fqdn=fqdn,
            values=_unique(_plain_value(item.record) for item in items if item.record is not None),
            zone=zone_of(fqdn),
            names=_unique(item.name for item in items),
            orders=_unique(item.order for item in items),
        )
        for (kind, fqdn), items in groups.items()
    ]


def file_sets(evidences: t.Iterable[NameEvidence]) -> list[FileSet]:
    """One entry for each URL, in the order met."""
    groups: dict[str, list[NameEvidence]] = {}
    for evidence in evidences:
        if evidence.file is not None:
            groups.setdefault(evidence.file.url, []).append(evidence)
    return [
        FileSet(
            url=url,
            content=next(item.file.content for item in items if item.file is not None),
            names=_unique(item.name for item in items),
            orders=_unique(item.order for item in items),
        )
        for url, items in groups.items()
    ]


def without_conflicts(evidences: t.Sequence[NameEvidence]) -> list[NameEvidence]:
    """The evidence without what cannot stand side by side: two CNAME values, or a CNAME beside TXT, at one owner; two
    contents at one URL. The problem names the orders."""
    at_owner: dict[str, list[NameEvidence]] = {}
    at_url: dict[str, list[NameEvidence]] = {}
    for evidence in evidences:
        if evidence.record is not None:
            at_owner.setdefault(plain_name(evidence.record.fqdn), []).append(evidence)
        elif evidence.file is not None:
            at_url.setdefault(evidence.file.url, []).append(evidence)
    messages: dict[NameEvidence, tuple[str, str]] = {}
    for fqdn, items in at_owner.items():
        wanted = {(item.record.type, _plain_value(item.record)) for item in items if item.record is not None}
        if len(wanted) > 1 and any(kind == "CNAME" for kind, _value in wanted):
            message = f"{_orders_text(items)} need different records at {fqdn}, and a CNAME must stand alone"
            messages.update(dict.fromkeys(items, (Problem.CNAME_CONFLICT, message)))
    for url, items in at_url.items():
        if len({item.file.content for item in items if item.file is not None}) > 1:
            message = f"{_orders_text(items)} need different contents at {url}"
            messages.update(dict.fromkeys(items, (Problem.EVIDENCE_REFUSED, message)))
    return [refused(item, *messages[item]) if item in messages else item for item in evidences]


def _orders_text(items: t.Iterable[NameEvidence]) -> str:
    orders = _unique(f"{item.order.provider} order {item.order.order_id}" for item in items)
    return " and ".join(orders)


def _record_key(record: RecordEvidence) -> tuple[str, str]:
    return record.type, plain_name(record.fqdn)


def _plain_value(record: RecordEvidence) -> str:
    return plain_name(record.value) if record.type == "CNAME" else record.value


_T = t.TypeVar("_T")


def _unique(items: t.Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(items))


def _name_to_dict(
    evidence: NameEvidence, sets: t.Mapping[tuple[str, str], t.Any], files: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    return {
        "name": evidence.name,
        "order_id": evidence.order.order_id,
        "provider": evidence.order.provider,
        "method": evidence.method,
        "status": evidence.status,
        "methods": list(evidence.methods),
        "evidence": evidence.source,
        "expires_at": evidence.expires_at,
        "polled_until": evidence.polled_until,
        "record_set": sets[_record_key(evidence.record)] if evidence.record else None,
        "file": files[evidence.file.url] if evidence.file else None,
        "problem": evidence.problem,
    }


def _emails(evidences: t.Iterable[NameEvidence]) -> list[dict[str, t.Any]]:
    groups: dict[str, list[NameEvidence]] = {}
    for evidence in evidences:
        for address in evidence.emails:
            groups.setdefault(address, []).append(evidence)
    return [
        {
            "address": address,
            "names": list(_unique(item.name for item in items)),
            "orders": [order.to_dict() for order in _unique(item.order for item in items)],
        }
        for address, items in groups.items()
    ]
