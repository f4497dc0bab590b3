# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where each of some orders stands: what the module order_info and the lookup order_status do.

Private to this collection.
"""

from __future__ import annotations

import datetime
import typing as t

from ..errors import AuthenticationError, InvalidRequest, OrderError, PermissionDenied, ProviderUnavailable, RateLimited
from ..http.redaction import drop_personal
from ..model import Order, Status
from .each_order import fetch_each, first_failure
from .order_list import LIST_FILTERS, list_orders, read_filter
from .runtime import ORDER_IDS, PROVIDER_OPTIONS, Params, Result, Session, check_order_ids, enumerate_ids

ORDER_INFO_OPTIONS: dict[str, t.Any] = dict(
    {**PROVIDER_OPTIONS, **LIST_FILTERS},
    order_ids=dict(ORDER_IDS, required=False),
    include_raw={"type": "bool", "default": False},
)

#: From so many orders on the bulk call comes first, and the detail call only for those of which it reports too little.
BULK_INFO_FROM = 100


def order_info(session: Session, params: Params) -> Result:
    """Where each order stands. An order that cannot be had does not keep the others from being returned.

    Without order_ids it is each order of the account; see order_list.

    Raises:
        OrderError: the first failure, with ``orders`` (those that were answered) and, beside others, ``errors`` in its
            details.
    """
    if params.get("order_ids") is None:
        return _list(session, params)
    given = [name for name in LIST_FILTERS if params.get(name) is not None]
    if given:
        raise InvalidRequest(f"{', '.join(given)} narrow the list of the account; leave order_ids out to have it")
    order_ids, failures = check_order_ids(session.provider, params["order_ids"])
    include_raw = bool(params.get("include_raw"))
    summaries = {} if include_raw or len(order_ids) < BULK_INFO_FROM else _fetch_summaries(session, order_ids)
    orders, failures = fetch_each(
        session, order_ids, lambda order_id: summaries.get(order_id) or session.provider.fetch_order(order_id), failures
    )
    _warn_once(session, orders)
    result: Result = {"orders": [_to_dict(session, order, include_raw) for order in orders]}
    if failures:
        raise first_failure(failures, result)
    return result


def _list(session: Session, params: Params) -> Result:
    wanted = read_filter(params, session.runtime.wall().astimezone(datetime.timezone.utc))
    orders, reasons = list_orders(session, wanted)
    _warn_once(session, orders)
    for reason in reasons:
        session.warn(f"not all orders of the account are listed: {reason}")
    include_raw = bool(params.get("include_raw"))
    return {"orders": [_to_dict(session, order, include_raw) for order in orders], "truncated": bool(reasons)}


def _warn_once(session: Session, orders: t.Sequence[Order]) -> None:
    concerned: dict[str, list[str]] = {}
    for order in orders:
        for warning in order.warnings:
            concerned.setdefault(warning, []).append(order.order_id)
    for warning, order_ids in concerned.items():
        session.warn(f"order {enumerate_ids(order_ids)}: {warning}")


def _to_dict(session: Session, order: Order, include_raw: bool) -> Result:
    entry = order.to_dict()
    if include_raw:
        clean, left_out = drop_personal(order.raw, session.provider.info.personal)
        entry["raw"] = _without_markers(clean)
        if left_out:
            entry["warnings"].append(f"left out of raw as personal data: {', '.join(left_out)}")
    return entry


def _without_markers(value: t.Any) -> t.Any:
    """The value without names of fields by which Ansible marks values of its own: it could not read the result back."""
    if isinstance(value, dict):
        return {
            name.lstrip("_") if isinstance(name, str) and name.startswith("__ansible") else name: _without_markers(item)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_without_markers(item) for item in value]
    return value


def _fetch_summaries(session: Session, order_ids: t.Sequence[str]) -> dict[str, Order]:
    """What one bulk call reports of orders in validation; of all others the detail call reports more.

    Raises:
        AuthenticationError, RateLimited, ProviderUnavailable: when the provider answers nobody now.
    """
    provider = session.provider
    if provider.info.bulk_from is None:
        return {}
    try:
        found = provider.fetch_summaries(order_ids, None)
    except OrderError as exc:
        unwell = (AuthenticationError, RateLimited, ProviderUnavailable)
        if isinstance(exc, unwell) and not isinstance(exc, PermissionDenied):
            # A hundred single calls would only make it worse.
            exc.details = {"orders": []}
            raise
        session.warn(f"bulk call refused, asking for each order instead: {exc}")
        return {}
    orders = {
        order_id: summary.order
        for order_id, summary in found.items()
        if summary.order is not None and summary.order.status in (Status.VALIDATING, Status.ISSUING)
    }
    if orders:
        session.warn(
            f"{len(orders)} of {len(order_ids)} orders were read from the bulk call alone, which reports neither "
            f"checks nor names; ask for fewer than {BULK_INFO_FROM} orders at once to see them"
        )
    return orders
