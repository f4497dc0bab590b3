# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role asks a provider about DCV evidence: an operation over all orders that share a publisher."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._dcv.zones import ZoneLookup
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_dcv_info import order_dcv_info
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import (
    PROVIDER_OPTIONS,
    Params,
    Result,
    Session,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_conflicts import (
    conflicting_entries,
    without_conflicts,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_journal import Entry

Data = dict[str, t.Any]

EVIDENCE_OPTIONS: Data = dict(
    PROVIDER_OPTIONS,
    questions={"type": "list", "elements": "dict", "required": True},
    journaled={"type": "list", "elements": "str", "default": []},
    published={"type": "list", "elements": "dict", "default": []},
    zones={"type": "list", "elements": "str", "default": []},
    resolvers={"type": "list", "elements": "str", "default": []},
    address_map={"type": "dict", "default": {}},
)


def fetch_evidence(session: Session, params: Params) -> Result:
    """What to publish for each order by itself, so that none keeps the others back, and whose value is whose.

    Evidence that cannot stand beside that of another order is left out: of the other ones in this question, and of
    those in ``published``, the entries of the journal, that are not over.

    Returns:
        names and unresolved as order_dcv_info returns them; errors; and ``ended``: those of ``journaled`` that are
        issued or final.
    """
    result: Result = {"names": [], "unresolved": [], "errors": [], "ended": []}
    for question in params["questions"]:
        order_id = question["order_id"]
        try:
            if order_id in params["journaled"] and _is_over(session, order_id):
                result["ended"].append(order_id)
            report = _fetch_report(session, params, question) if question["evidence"] else {}
        except OrderError as exc:
            failure = exc.locate(session.provider.info.name, order_id).to_result()
            result["errors"].append(dict(failure, order_id=order_id))
        else:
            result["names"] += report.get("names", [])
            result["unresolved"] += report.get("unresolved", [])
    result["names"], conflicts = without_conflicts(result["names"], _live_entries(session, params, result))
    result["unresolved"] += conflicts
    return result


def _is_over(session: Session, order_id: str) -> bool:
    order = session.provider.fetch_order(session.provider.check_order_id(order_id))
    return order.issued or order.final


def _live_entries(session: Session, params: Params, result: Result) -> list[Entry]:
    """The published records that are in conflict with the names, of orders that are not over."""
    entries = [
        entry
        for entry in conflicting_entries(result["names"], params["published"])
        if entry["provider"] == session.provider.info.name and entry["order_id"] not in result["ended"]
    ]
    live = {order_id for order_id in {entry["order_id"] for entry in entries} if _may_be_live(session, order_id)}
    return [entry for entry in entries if entry["order_id"] in live]


def _may_be_live(session: Session, order_id: str) -> bool:
    try:
        return not _is_over(session, order_id)
    except OrderError as exc:
        # An order that the account does not have would be in the way for ever; one that cannot be read now, until then.
        return exc.retryable


def _fetch_report(session: Session, params: Params, question: t.Mapping[str, t.Any]) -> Result:
    """What to publish for one order. A request that waits on the host is used only where the provider needs a CSR."""
    value = question.get("unique_value")
    options: Data = {
        "order_ids": [question["order_id"]],
        "zones": params["zones"],
        "unique_values": {} if value is None else {question["order_id"]: value},
    }

    def ask(csr: str | None) -> Result:
        return order_dcv_info(
            session,
            dict(options, csr=[csr] if csr else []),
            lambda: ZoneLookup(params["resolvers"], params["address_map"]),
        )

    report = ask(question.get("csr"))
    pending = question.get("pending_csr")
    if pending and not question.get("csr") and any(one["problem"] == "token_unknown" for one in report["unresolved"]):
        return ask(pending)
    return report
