# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host of the role requests the next certificate, and for whom: pure functions under the action role_step.

A plan and a wish are plain dictionaries, since they become variables that other hosts read. Rules and states are those
of docs/providers/orders/contract.md, sections 4, 5 and 10.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import hmac
import posixpath
import typing as t
from datetime import datetime, timedelta

from ansible_collections.certops.issuance.plugins.module_utils._common.names import (
    covers,
    iso_time,
    normalize_name,
    parse_time,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.renewal import coverage_warning, renewal
from ansible_collections.certops.issuance.plugins.plugin_utils._ascii_names import ascii_or_same

Data = dict[str, t.Any]

NEVER, AUTO, FORCE = "never", "auto", "force"

#: What a host does: nothing, so that no provider is asked; take what its order has; request the next certificate; find
#: the one that the provider makes by itself.
REST, TAKE, REQUEST, FOLLOW = "rest", "take", "request", "follow"

#: Why the next certificate is requested, beside the words of the filter renewal.
PENDING, FORCED, NAMES = "pending", "forced", "names"

#: How much later than the one in service a certificate of the same key must begin to be another one: some begin at
#: midnight, in any zone, and order_reissue allows for that.
_SAME_KEY_MARGIN = timedelta(hours=26)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a host does about the next certificate.

    Arguments:
        step: REST, TAKE, REQUEST or FOLLOW.
        due: whether the next certificate is due.
        reason: why it is due or requested, in one word; None where it is not.
        at: the moment it is due, ISO 8601 UTC; None without a certificate in service.
    """

    step: str
    due: bool = False
    reason: str | None = None
    at: str | None = None


def plan_renewal(
    inputs: t.Mapping[str, t.Any],
    deployed: t.Mapping[str, t.Any],
    host: str,
    now: datetime,
    can_request: bool = True,
) -> Plan:
    """What a host does.

    Arguments:
        inputs: what was made of the variables of the role; renewal is auto or force.
        deployed: what certificate_info has returned; pending is None where the request there was answered.
        now: the present, aware.
        can_request: whether the provider can be asked for the next certificate; else it makes that by itself.

    Raises:
        ValueError: for a share of the lifetime that cannot be used, in one sentence.
    """
    in_service = _in_service(deployed)
    alone = inputs.get("key_owner") in (None, host)
    found = renewal(deployed, now, inputs.get("renewal_remaining"), _spread_by(inputs, host))
    due, reason = found.due, found.reason
    if in_service and not due and not all(covers(deployed["names"], name) for name in _names(inputs)):
        due, reason = True, NAMES
    plan = Plan(TAKE, due, reason, iso_time(found.at) if found.at else None)
    if not can_request:
        return dataclasses.replace(plan, step=_step_without_request(inputs, deployed, due))
    if alone and deployed.get("pending"):
        return dataclasses.replace(plan, step=REQUEST, reason=reason or PENDING)
    if not in_service:
        # A key that is given belongs to the certificate that was ordered.
        return plan if has_key(inputs) or not alone else dataclasses.replace(plan, step=REQUEST)
    if deployed.get("interrupted"):
        return plan
    if alone and (due or inputs["renewal"] == FORCE):
        return dataclasses.replace(plan, step=REQUEST, reason=reason or FORCED)
    asked = due or inputs["renewal"] == FORCE or inputs.get("reissue") or inputs.get("superseded_serial_number")
    return plan if asked else dataclasses.replace(plan, step=REST)


def _step_without_request(inputs: t.Mapping[str, t.Any], deployed: t.Mapping[str, t.Any], due: bool) -> str:
    """What a host does where the provider makes the next certificate by itself."""
    if not _in_service(deployed) or deployed.get("interrupted"):
        return TAKE
    if due or inputs["renewal"] == FORCE:
        return FOLLOW
    return TAKE if inputs.get("reissue") or inputs.get("superseded_serial_number") else REST


def _in_service(deployed: t.Mapping[str, t.Any]) -> bool:
    return bool(deployed["exists"] and not deployed.get("placeholder"))


def _names(inputs: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """The names that must be covered, normalized, without those that the modules will refuse."""
    for name in inputs.get("names") or ():
        with contextlib.suppress(ValueError):
            yield normalize_name(str(ascii_or_same(name)))


def has_key(inputs: t.Mapping[str, t.Any]) -> bool:
    """Whether the variables of the role give a private key."""
    return bool(inputs.get("private_key_path") or inputs.get("private_key_content"))


def _spread_by(inputs: t.Mapping[str, t.Any], host: str) -> str:
    """Hosts that share a key become due at the same time."""
    shared = inputs.get("key_owner") or inputs.get("private_key_content")
    return str(inputs["order_id"]) if shared else host


def plan_mistakes(inputs: t.Mapping[str, t.Any], deployed: t.Mapping[str, t.Any], plan: Plan) -> list[str]:
    """What the role cannot work with, as far as it depends on the plan."""
    if plan.step == REQUEST and not (inputs.get("names") or deployed.get("names")):
        return ["certificate_names is empty, and there is no certificate in service to take the names from"]
    if plan.step == TAKE and not has_key(inputs) and not _in_service(deployed):
        owner = inputs.get("key_owner") or inputs["provider"]
        return [f"certificate_private_key_content is empty; give the key with which {owner} requests the certificate"]
    return []


def request_options(inputs: t.Mapping[str, t.Any], deployed: t.Mapping[str, t.Any]) -> Data:
    """The options of certificate_request; with order_id the CSR counts as one that may have been sent."""
    return {
        "path": inputs["path"],
        "names": list(inputs.get("names") or deployed["names"]),
        "key_type": inputs["key_type"],
        "reuse_key": bool(inputs.get("private_key_content")),
        "order_id": str(inputs["order_id"]).strip(),
    }


def make_wish(inputs: t.Mapping[str, t.Any], deployed: t.Mapping[str, t.Any], made: t.Mapping[str, t.Any]) -> Data:
    """What a host wishes for: options of order_reissue. The CSR is None where check mode did not make one.

    Arguments:
        made: what certificate_request has returned.
    """
    after = made["created_at"]
    if inputs.get("private_key_content") and deployed.get("not_before"):
        # Another host with the same key may have requested it: what counts is that it is not the one in service.
        after = iso_time(parse_time(deployed["not_before"]) + _SAME_KEY_MARGIN)
    options = {
        "csr": made["csr"],
        "names": made["names"],
        "requested_after": after,
        "resend_after": inputs.get("renewal_resend_after"),
        "dcv_method": inputs.get("dcv_method"),
    }
    return {name: value for name, value in options.items() if value is not None or name == "csr"}


def key_label(salt: bytes, inputs: t.Mapping[str, t.Any], host: str) -> str | None:
    """Whose key the host renews with, so that hosts can compare without seeing it; None where it does not renew.

    Arguments:
        salt: random, the same for all hosts of a run.
    """
    if inputs["renewal"] == NEVER or inputs.get("key_owner") not in (None, host):
        return None
    content = str(inputs.get("private_key_content") or "").strip()
    return hmac.new(salt, content.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest() if content else host


def describe_plan(inputs: t.Mapping[str, t.Any], host: str, plan: Plan, key: str | None, wish: Data | None) -> Data:
    """What a host does, as a variable.

    Arguments:
        key: see key_label.
        wish: see make_wish.

    Returns:
        ``step``, ``due``, ``reason`` and ``at`` of the plan, and what they were made of; ``renews`` with ``order_id``,
        ``key`` and ``wish``, None where the host does not renew; ``pending_key`` and ``current_key``, the files with
        the private key; ``has_key``, whether the variables of the role give one.
    """
    order_id = str(inputs["order_id"]).strip()
    name = "privkey.pem" if "privkey" in inputs["files"] or not inputs["files"] else "combined.pem"
    return dict(
        dataclasses.asdict(plan),
        renews={"order_id": order_id, "key": key, "wish": wish} if key else None,
        pending_key=posixpath.join(inputs["path"], "pending", "privkey.pem"),
        current_key=posixpath.join(inputs["path"], "current", name),
        has_key=has_key(inputs),
        order_id=order_id,
        remaining=inputs.get("renewal_remaining"),
        spread_by=_spread_by(inputs, host),
    )


def with_renewal(request: Data, renewal: Data, deployed: t.Mapping[str, t.Any]) -> Data:
    """The request that a host publishes, with what it does about the next certificate.

    Arguments:
        renewal: see describe_plan.
        deployed: what certificate_info has returned.
    """
    wish = (renewal["renews"] or {}).get("wish") or {}
    order_ids = [] if renewal["step"] == REST else request["order_ids"]
    found = dict(request, order_ids=order_ids, csr=wish.get("csr") or request["csr"], renews=renewal["renews"])
    if renewal["step"] == FOLLOW:
        found["follow"] = {"order_id": renewal["order_id"], "certificate": deployed["certificate"]}
    return found


def needs_given_key(renewal: Data, deployed: t.Mapping[str, t.Any]) -> bool:
    """Whether the key that the variables of the role give has to be there."""
    return bool(renewal["step"] == TAKE and not _in_service(deployed))


def placeholder_key(renewal: Data | None, check_mode: bool) -> dict[str, str]:
    """The key for a placeholder where the variables of the role give none; check mode does not make one."""
    if renewal is None or renewal["has_key"] or check_mode:
        return {}
    return {"private_key_path": renewal["pending_key"]}


# -- for all hosts of an account ------------------------------------------------------------


def shared_orders(peers: t.Iterable[Data], provider: str) -> dict[str, str]:
    """The orders that several hosts renew with keys of their own, each with what to do about it."""
    renewing: dict[str, list[Data]] = {}
    for peer in peers:
        if peer.get("renews"):
            renewing.setdefault(peer["renews"]["order_id"], []).append(peer)
    return {
        order_id: _shared(provider, order_id, [peer["host"] for peer in hosts])
        for order_id, hosts in renewing.items()
        if len({peer["renews"]["key"] for peer in hosts}) > 1
    }


def _shared(provider: str, order_id: str, hosts: t.Sequence[str]) -> str:
    more = f" and {len(hosts) - 2} more" if len(hosts) > 2 else ""
    return (
        f"{hosts[0]} and {hosts[1]}{more} would each renew {provider} order {order_id} with a key of their own, and so "
        "replace the certificate of the other; set certificate_key_owner to the one host that renews, or give all of "
        "them the same certificate_private_key_content"
    )


def wishes_of(peers: t.Iterable[Data], refused: t.Container[str]) -> dict[str, Data]:
    """The wish for each order of these hosts, without orders that are refused: that of the first host that has one."""
    found: dict[str, Data] = {}
    for peer in peers:
        wish = (peer.get("renews") or {}).get("wish")
        if wish and wish["csr"] and peer["renews"]["order_id"] not in refused:
            found.setdefault(peer["renews"]["order_id"], wish)
    return found


def followed(request: Data, renewed: t.Mapping[str, t.Any]) -> Data:
    """The request of a host with the order that the provider has opened by itself in the place of its own."""
    if "follow" not in request:
        return request
    found = renewed["followed"].get(request["follow"]["order_id"]) or {}
    return dict(request, order_ids=[found["follow_up"]] if found.get("follow_up") else [])


def is_awaited(peer: Data, renewed: t.Mapping[str, t.Any]) -> bool:
    """Whether the order of a host is waited for.

    Arguments:
        renewed: ``refused`` and ``requested``, by order.
    """
    renews = peer.get("renews")
    if not renews or not renews["wish"]:
        return not renews or renews["order_id"] not in renewed["refused"]
    found = renewed["requested"].get(renews["order_id"])
    return bool(found and not found.get("failed") and found["action"] != "would_send")


def renewed_request(request: Data, renewed: t.Mapping[str, t.Any]) -> Data:
    """The request of a host that publishes, without its orders where nobody waits for them.

    The evidence of a reissue has the unique value of the reissue, whatever the order was placed with.
    """
    if not is_awaited(request, renewed):
        return dict(request, order_ids=[])
    renews = request.get("renews") or {}
    if not renews.get("wish"):
        return request
    unique_value = renewed["requested"][renews["order_id"]]["unique_value"]
    return dict(request, dcv=dict(request["dcv"], unique_value=unique_value))


def superseded_serials(peers: t.Iterable[Data], renewed: t.Mapping[str, t.Any]) -> dict[str, str]:
    """For each order that was requested the serial number that is to be replaced, as far as it is known."""
    found: dict[str, str] = {}
    for peer in peers:
        order_id = str((peer.get("renews") or {}).get("order_id"))
        result = renewed.get("requested", {}).get(order_id)
        if result and not result.get("failed") and result["action"] != "none":
            serial = result["superseded_serial_number"] or peer["in_service"]
            if serial:
                found.setdefault(order_id, serial)
    return found


# -- what becomes of it -----------------------------------------------------------------------


def is_requested(request: Data, renewed: t.Mapping[str, t.Any]) -> bool:
    """Whether the next certificate was requested for a host, as far as it needs that."""
    if "follow" in request:
        return request["follow"]["order_id"] in renewed.get("followed", {})
    renews = request.get("renews")
    if not (renews and renews["wish"] and renews["wish"]["csr"]):
        return True
    return any(renews["order_id"] in renewed.get(name, {}) for name in ("refused", "requested"))


def outcome(renewal: Data | None, renewed: t.Mapping[str, t.Any]) -> Data:
    """What became of the next certificate of a host.

    Arguments:
        renewal: see describe_plan; None where the role does not renew.
        renewed: ``refused`` and ``requested``, by order.

    Returns:
        ``report`` for people, unless the role does not renew; with ``failed``, ``msg`` and ``error_kind``, or with
        ``deferred`` and ``msg`` where check mode ends here.
    """
    if renewal is None:
        return {}
    report = {name: renewal[name] for name in ("due", "reason", "at")}
    report["action"] = "none"
    renews = renewal["renews"]
    if renewal["step"] == FOLLOW:
        return _followed_outcome(report, renewed["followed"][renewal["order_id"]], renewal)
    if renews and renews["order_id"] in renewed.get("refused", {}):
        message = renewed["refused"][renews["order_id"]]
        return {"report": report, "failed": True, "error_kind": "order_shared", "msg": message}
    if not (renews and renews["wish"]):
        return {"report": report}
    found = renewed.get("requested", {}).get(renews["order_id"]) or {"action": "would_send"}
    report["action"] = found["action"]
    if found.get("failed"):
        return {"report": report, "failed": True, "error_kind": found["error_kind"], "msg": found["msg"]}
    if found["action"] == "would_send":
        message = f"would request the next certificate of order {renews['order_id']} ({renewal['reason']})"
        return {"report": report, "deferred": True, "msg": message}
    return {"report": report}


def _followed_outcome(report: Data, found: Data, renewal: Data) -> Data:
    if found.get("failed"):
        return {"report": report, "failed": True, "error_kind": found["error_kind"], "msg": found["msg"]}
    if not (found["follow_up"] or found["installed"]):
        message = (
            f"order {renewal['order_id']}: the provider makes the next certificate by itself, and has not begun yet"
        )
        return {"report": report, "warnings": [message] if renewal["due"] else []}
    report["action"] = "followed"
    return {"report": report, "installed": found["installed"]}


def coverage_ends(renewal: Data | None, order: Data, certificate: Data, now: datetime) -> list[str]:
    """The warning where the order ends before the renewal after the next one, if the role renews.

    Arguments:
        renewal: see describe_plan.
        order: as order_wait returns it; empty where no provider was asked.
        certificate: the one that goes into service, or stays, with its dates.
        now: the present, aware.
    """
    ends = (order.get("coverage") or {}).get("ends")
    if renewal is None or not ends:
        return []
    dates = certificate if certificate.get("not_after") else order["certificate"]
    if not (dates["not_before"] and dates["not_after"]):
        return []
    try:
        warning = coverage_warning(dates, ends, now, renewal["remaining"], renewal["spread_by"])
    except (ValueError, OverflowError) as exc:
        # A certificate that is cut to the end of its order may live for less than what shall remain: it is deployed.
        warning = str(exc)
    return [f"{order['provider']} order {order['order_id']}: {warning}"] if warning else []


def key_options(renewal: Data | None, fresh: bool) -> Data:
    """The options of certificate_deploy about the key, where it is not the one that the variables of the role give.

    Arguments:
        fresh: whether the certificate is another one than that in service.
    """
    if renewal is None:
        return {}
    if renewal["renews"] and renewal["renews"]["wish"]:
        return {"private_key_path": renewal["pending_key"], "remove_request": True}
    return {} if fresh and renewal["has_key"] else {"private_key_path": renewal["current_key"]}
