# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the open names of a fleet are not validated: for the entry diagnose of the action role_step."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import plain_name
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Check

Data = dict[str, t.Any]


def open_orders(orders: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The ids of the orders whose names may still have to be validated."""
    return [order["order_id"] for order in orders if not (order["issued"] or order["final"] or order["dcv_completed"])]


def open_names(names: t.Iterable[t.Mapping[str, t.Any]]) -> list[Data]:
    """The names, as order_dcv_info returns them, that are not validated yet."""
    return [dict(name) for name in names if name["status"] not in Check.CLOSED]


def make_findings(
    names: t.Iterable[t.Mapping[str, t.Any]],
    errors: t.Iterable[t.Mapping[str, t.Any]],
    diagnosis: t.Mapping[str, t.Any],
    unresolved: t.Iterable[t.Mapping[str, t.Any]] = (),
) -> dict[str, list[Data]]:
    """What keeps each name from being validated, by order.

    Arguments:
        names: those that are open, as order_dcv_info returns them; no two orders share one, see orders_apart.
        errors: of orders whose evidence could not be had, with order_id, error_kind and msg.
        diagnosis: what dcv_diagnose returns of these names.
        unresolved: as order_dcv_info returns them: why nothing has to be published for a name.

    Returns:
        For each order a list of ``name``, ``method``, ``finding`` and ``advice``. The name is None for an order whose
        evidence could not be had.
    """
    untested = {one["name"]: one for one in reversed(diagnosis["not_tested"])}
    messages = {(one["order_id"], plain_name(one["name"])): one["message"] for one in unresolved}
    found: dict[str, list[Data]] = {}
    for name in names:
        plain = plain_name(name["name"])
        seen = diagnosis["by_name"].get(plain) or {"codes": [], "advice": None, "visible": False}
        finding, advice = next(iter(seen["codes"]), None), seen["advice"]
        if finding is None and seen["visible"]:
            finding, advice = "visible", "The CA can see it; wait until it has looked."
        elif finding is None:
            detail = messages.get((name["order_id"], plain)) or "nothing has to be published"
            test = untested.get(plain) or {"reason": name["problem"], "detail": detail}
            finding, advice = test["reason"] or "not_tested", test["detail"]
        row = {"name": name["name"], "method": name["method"], "finding": finding, "advice": advice}
        found.setdefault(name["order_id"], []).append(row)
    for error in errors:
        row = {"name": None, "method": None, "finding": error["error_kind"], "advice": error["msg"]}
        found.setdefault(error["order_id"], []).append(row)
    return found
