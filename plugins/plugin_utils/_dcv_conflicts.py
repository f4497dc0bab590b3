# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DCV evidence of several orders that cannot stand side by side: pure functions.

What each order alone needs is known by then. The rule is that of evidence_report.py.
"""

from __future__ import annotations

import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._common import evidence_report
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    OrderReference,
    RecordEvidence,
    Source,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_journal import Entry

Data = dict[str, t.Any]


def conflicting_entries(names: t.Iterable[Data], journal: t.Iterable[Entry]) -> list[Entry]:
    """The records of the journal that cannot stand beside those of some names, because one of them is a CNAME.

    What the journal has of an order that wants a record at the same owner now is not counted: it is replaced.

    Arguments:
        names: as order_dcv_info returns them, each with what its order alone needs.
    """
    at_owner: dict[str, list[Data]] = {}
    for name in names:
        if name["record_set"]:
            at_owner.setdefault(name["record_set"]["fqdn"], []).append(name)
    found = []
    for entry in journal:
        there = at_owner.get(entry["fqdn"], []) if entry["kind"] == "record" else []
        own = any(_order(name) == _order(entry) for name in there)
        if not own and any(_conflicts(name["record_set"], entry) for name in there):
            found.append(entry)
    return found


def _conflicts(record_set: Data, entry: Entry) -> bool:
    same = (record_set["type"], record_set["values"]) == (entry["type"], [entry["value"]])
    return not same and "CNAME" in (record_set["type"], entry["type"])


def without_conflicts(names: t.Sequence[Data], live: t.Iterable[Entry]) -> tuple[list[Data], list[Data]]:
    """The names of several orders without evidence that cannot stand side by side; and those that lost theirs.

    Arguments:
        names: as order_dcv_info returns them, each with what its order alone needs.
        live: entries of the journal whose orders are not over.

    Returns:
        All names, and an entry of ``unresolved`` for each that is in conflict. Its message names the orders.
    """
    journaled = [
        NameEvidence(
            entry["fqdn"],
            OrderReference(*_order(entry)),
            record=RecordEvidence(entry["type"], entry["fqdn"], entry["value"]),
        )
        for entry in live
    ]
    judged = evidence_report.without_conflicts([*map(_evidence, names), *journaled])
    kept: list[Data] = []
    unresolved: list[Data] = []
    for name, evidence in zip(names, judged, strict=False):
        if evidence.problem is None:
            kept.append(name)
            continue
        kept.append(dict(name, record_set=None, file=None, evidence=Source.NONE, problem=evidence.problem))
        known = {key: name[key] for key in ("name", "provider", "order_id")}
        unresolved.append(dict(known, problem=evidence.problem, message=evidence.message))
    return kept, unresolved


def _evidence(name: Data) -> NameEvidence:
    """The evidence of a name again. One value stands for all: several are TXT, which conflicts by its type alone."""
    record_set, file = name["record_set"], name["file"]
    return NameEvidence(
        name["name"],
        OrderReference(*_order(name)),
        record=RecordEvidence(record_set["type"], record_set["fqdn"], record_set["values"][0]) if record_set else None,
        file=FileEvidence(file["url"], file["content"]) if file else None,
    )


def _order(item: t.Mapping[str, t.Any]) -> tuple[str, str]:
    """The order of a name, or of an entry of the journal."""
    return item["provider"], item["order_id"]
