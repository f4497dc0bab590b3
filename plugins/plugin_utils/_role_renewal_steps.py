# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action role_step does about the next certificate: modules on the host, and requests to the provider.

The decisions are in _role_renewal.py.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from ansible_collections.certops.issuance.plugins.module_utils._common.csr_hash import is_unique_value
from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_follow_up import (
    ORDER_FOLLOW_UP_OPTIONS,
    order_follow_up,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_reissue import (
    ORDER_REISSUE_OPTIONS,
    order_reissue,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Operation
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_renewal as rules
from ansible_collections.certops.issuance.plugins.plugin_utils._ascii_names import ascii_names

Data = dict[str, t.Any]

_REQUEST = "certops.issuance.certificate_request"

#: What other hosts, and the facts of the role, have of a request.
_REPORTED = (
    "action", "changed", "error_kind", "failed", "msg", "reason", "revokes", "sent", "superseded_serial_number",
    "warnings",
)  # fmt: skip


def plan(
    params: t.Mapping[str, t.Any], deployed: Data, host: str, salt: bytes, run_module: t.Callable[[str, Data], Data]
) -> Data:
    """Decide what a host does about the next certificate, and make key and CSR on it where it is requested.

    Arguments:
        params: the inputs of the role.
        deployed: what certificate_info has returned; its ``pending`` becomes what is there afterwards.
        salt: the same for all hosts of a run.
        run_module: runs a module on the host.

    Returns:
        ``changed`` and ``renewal`` (see _role_renewal.describe_plan); or the result of a module that has failed.

    Raises:
        InvalidRequest: for inputs that cannot be used.
    """
    changed = False
    if _is_answered(deployed):
        removed = run_module(_REQUEST, {"path": params["path"], "state": "absent"})
        if removed.get("failed") or removed.get("unreachable"):
            return removed
        changed, deployed["pending"] = removed["changed"], None
    try:
        can_request = PROVIDERS[params["provider"]].dcv_methods is not None
        plan = rules.plan_renewal(params, deployed, host, datetime.now(timezone.utc), can_request)
    except ValueError as exc:
        raise InvalidRequest(f"certificate_renewal_remaining: {exc}") from None
    for message in rules.plan_mistakes(params, deployed, plan):
        raise InvalidRequest(message)
    wish = None
    if plan.step == rules.REQUEST:
        options = rules.request_options(params, deployed)
        made = run_module(_REQUEST, dict(options, names=ascii_names(options["names"])))
        if made.get("failed") or made.get("unreachable"):
            return made
        changed = changed or made["changed"]
        wish = rules.make_wish(params, deployed, made)
        if made["csr"]:
            names = ("csr", "names", "public_key_sha256", "order_id", "created_at")
            deployed["pending"] = {name: made[name] for name in names}
    label = rules.key_label(salt, params, host) if can_request else None
    return {"changed": changed, "renewal": rules.describe_plan(params, host, plan, label, wish)}


def _is_answered(deployed: t.Mapping[str, t.Any]) -> bool:
    """Whether the certificate of the request in pending is in service already."""
    pending = deployed.get("pending")
    if not (pending and pending["csr"] and deployed["exists"]) or deployed["placeholder"] or deployed["interrupted"]:
        return False
    same_key = chain.key_of_certificate(deployed["certificate"]) == chain.key_of_csr(pending["csr"])
    return same_key and deployed["serial_number"] != pending["predecessor_serial_number"]


def request_certificates(
    peers: t.Sequence[Data], provider: str, operate: t.Callable[[Operation, Data, Data], Data]
) -> Data:
    """Request the next certificate of each order that these hosts renew, once.

    Arguments:
        peers: the requests of hosts that share an account.
        operate: runs an operation with their account.

    Returns:
        ``refused``: message by order, of orders that nobody may renew; ``requested`` and ``followed``: what
        order_reissue and order_follow_up returned, by order; ``changed``.
    """
    refused = rules.shared_orders(peers, provider)
    requested: Data = {}
    for order_id, wish in rules.wishes_of(peers, refused).items():
        found = operate(order_reissue, ORDER_REISSUE_OPTIONS, dict(wish, order_id=order_id))
        requested[order_id] = {name: found[name] for name in _REPORTED if name in found}
        reference = (found.get("order") or {}).get("reference")
        # What else a provider calls a reference is no part of its evidence.
        requested[order_id]["unique_value"] = reference if is_unique_value(reference) else None
    followed: Data = {}
    for peer in peers:
        if "follow" in peer and peer["follow"]["order_id"] not in followed:
            found = operate(order_follow_up, ORDER_FOLLOW_UP_OPTIONS, peer["follow"])
            reported = ("failed", "msg", "error_kind", "follow_up", "installed", "warnings")
            followed[peer["follow"]["order_id"]] = {name: found[name] for name in reported if name in found}
    warnings = [warning for found in (*requested.values(), *followed.values()) for warning in found.pop("warnings", ())]
    changed = any(found.get("changed") for found in requested.values())
    result: Data = {"refused": refused, "requested": requested, "followed": followed, "changed": changed}
    return dict(result, warnings=warnings) if warnings else result
