# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the hosts of a play share the questions to a provider: pure functions under the action role_step.

Each host publishes a request: its account as a label, its orders, and what it has in service. Of all hosts of a batch
with the same account the first leads: it asks for the orders of its peers too. Every host then takes its own orders
from the leader's answer, and judges them for itself. A request is a plain dictionary, since it becomes a variable.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import hmac
import json
import re
import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account

Data = dict[str, t.Any]

#: Environment variables beside the provider's own that decide how a question reaches it.
_NETWORK = {
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle", "ssl_cert_file",
}  # fmt: skip
#: Outcomes of an order that fail its hosts, the gravest first.
_FAILURES = ("failed", "action_required", "timed_out")
#: What the message of a task says beside its first failure.
_OTHERS = re.compile(r" \(and \d+ more, see errors\)\Z")
#: How alike two names have to be, from 0 to 1, so that one is taken for a misspelling of the other.
_ALIKE = 0.85
#: A name without its first word is taken for a misspelling from so many letters on; "key" may be anybody's.
_MIN_LAST_WORDS = 7

#: The variables of the role; a test compares them with meta/argument_specs.yml.
ROLE_VARIABLES = (
    "certificate_allow_older", "certificate_api_ca_path", "certificate_api_key", "certificate_api_url",
    "certificate_ca_path", "certificate_command_timeout", "certificate_cpanel_account", "certificate_cpanel_provider",
    "certificate_csr", "certificate_dcv_address_map", "certificate_dcv_method", "certificate_dcv_resolvers",
    "certificate_dcv_tasks", "certificate_dcv_unique_value", "certificate_dcv_visible_timeout",
    "certificate_dcv_webroot", "certificate_dcv_zones", "certificate_dir_mode", "certificate_files",
    "certificate_group", "certificate_id_type", "certificate_keep_versions", "certificate_key_format",
    "certificate_key_mode", "certificate_key_owner", "certificate_key_type", "certificate_lock_timeout",
    "certificate_mode", "certificate_names", "certificate_on_timeout", "certificate_order_id", "certificate_order_ids",
    "certificate_owner", "certificate_password", "certificate_path", "certificate_pkcs12_password",
    "certificate_placeholder", "certificate_poll_interval", "certificate_private_key_content",
    "certificate_private_key_path", "certificate_probe_timeout", "certificate_probes", "certificate_provider",
    "certificate_proxy", "certificate_reissue", "certificate_reload_commands", "certificate_renewal",
    "certificate_renewal_remaining", "certificate_renewal_resend_after", "certificate_request_timeout",
    "certificate_superseded_serial_number", "certificate_trust", "certificate_username", "certificate_validate_certs",
    "certificate_validate_commands", "certificate_wait_timeout",
)  # fmt: skip
#: The entries that list orders, as they stand, and wait for none.
LISTS = ("status", "diagnose")
#: The facts that the role sets, the variables that it hands to a task file, and the variable of its playbooks.
ROLE_FACTS = (
    "certificate_dcv_record", "certificate_dcv_state", "certificate_deferred", "certificate_failure",
    "certificate_hosts", "certificate_order", "certificate_orders", "certificate_renewal_result", "certificate_result",
)  # fmt: skip


# -- what a user has written ----------------------------------------------------


def listed_order_ids(given: t.Any) -> list[str]:
    """Order IDs from a list, a text with commas, a number or nothing: trimmed, each once, none empty."""
    if isinstance(given, str):
        given = given.split(",")
    elif given is None or isinstance(given, (int, float)):
        given = [] if given is None else [given]
    return list(dict.fromkeys(order_id for order_id in (str(one).strip() for one in given) if order_id))


def misspelled(names: t.Iterable[str], known: t.Sequence[str], others: t.Container[str] = ()) -> dict[str, list[str]]:
    """Variables that are nearly one of the known ones, each with what was probably meant.

    Arguments:
        names: all variables of a host.
        known: the right names; all begin with the same word.
        others: names that are no misspelling although they look like one.
    """
    prefix = known[0].split("_", 1)[0] + "_"
    found: dict[str, list[str]] = {}
    for name in names:
        if name.lower().startswith(prefix) and name not in known and name not in others:
            meant = _meant(name[len(prefix) :].lower(), [one[len(prefix) :] for one in known])
            if meant:
                found[str(name)] = [prefix + right for right in meant]
    return found


def _meant(given: str, known: t.Sequence[str]) -> list[str]:
    for right in known:
        same_letters = given.replace("_", "") == right.replace("_", "")
        if same_letters or sorted(given.split("_")) == sorted(right.split("_")):
            return [right]
    if close := difflib.get_close_matches(given, known, n=1, cutoff=_ALIKE):
        return close
    return [right for right in known if right.partition("_")[2] == given] if len(given) >= _MIN_LAST_WORDS else []


def spelling(wrong: t.Mapping[str, t.Sequence[str]]) -> str:
    """What to say of misspelled variables."""
    return "; ".join(
        f"there is no variable {given}; did you mean {' or '.join(meant)}?" for given, meant in wrong.items()
    )


def input_mistakes(inputs: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """What the role cannot work with, as far as its variables show it: error kind and message.

    Arguments:
        inputs: what was made of the variables; entry is main, wait or status.
    """
    entry = inputs["entry"]
    listed = inputs.get("order_ids")
    if entry != "main":
        # An empty list is a host without orders. An empty text is a variable that somebody forgot to fill.
        written = listed if listed is not None else inputs.get("order_id")
        if _order_ids(inputs) or isinstance(written, (list, tuple)):
            return []
        either = "certificate_order_ids is empty; give the numbers of orders" if entry == "wait" else _EMPTY_STATUS
        return [("invalid_request", either)]
    mistakes = []
    order_id = inputs.get("order_id")
    if isinstance(order_id, (list, tuple, dict)):
        mistakes.append(("invalid_request", "certificate_order_id is a list; give one order ID"))
    elif not _order_ids(inputs):
        mistakes.append(("invalid_request", "certificate_order_id is empty; give the number of the order"))
    keys = [bool(inputs.get(name)) for name in ("private_key_path", "private_key_content")]
    if all(keys) or (not any(keys) and inputs.get("renewal", "never") == "never"):
        mistakes.append(
            ("invalid_request", "give either certificate_private_key_path or certificate_private_key_content")
        )
    csr = inputs.get("csr")
    if csr and not re.search("-----BEGIN (NEW )?CERTIFICATE REQUEST-----", csr):
        mistakes.append(("invalid_request", "certificate_csr is no PEM; give the CSR itself, not its path"))
    return mistakes


_EMPTY_STATUS = "certificate_order_id or certificate_order_ids is empty; give the number of the order, or an empty list"


def _order_ids(inputs: t.Mapping[str, t.Any]) -> list[str]:
    entry, order_id = inputs["entry"], inputs.get("order_id")
    own = [] if entry == "wait" or isinstance(order_id, (list, tuple, dict)) else listed_order_ids([order_id or ""])
    listed = [] if entry == "main" else listed_order_ids(inputs.get("order_ids"))
    return list(dict.fromkeys(listed + own))


# -- what a host publishes --------------------------------------------------------


def account_label(salt: bytes, account: Account, environment: t.Mapping[str, str], *patience: t.Any) -> str:
    """Names an account and all else that decides how it is asked, so that hosts can compare without seeing it.

    Arguments:
        salt: random, the same for all hosts of a run. Without it nobody can try passwords against the label.
        environment: of the task.
        patience: whatever hosts that wait together have to agree on.
    """
    network = sorted(item for item in environment.items() if item[0].lower() in _NETWORK)
    text = json.dumps([dataclasses.asdict(account), network, patience], default=str)
    return (
        f"{account.provider}-{hmac.new(salt, text.encode('utf-8', 'surrogatepass'), hashlib.sha256).hexdigest()[:24]}"
    )


def make_request(host: str, account: str, inputs: t.Mapping[str, t.Any], deployed: t.Mapping[str, t.Any]) -> Data:
    """The request that a host publishes.

    Arguments:
        account: its label.
        deployed: what certificate_info has returned of the host; empty where only the orders matter.
    """
    verified = deployed.get("verified") or {}
    superseded = inputs.get("superseded_serial_number") or None
    if superseded is None and inputs.get("reissue") and not deployed.get("placeholder"):
        superseded = verified.get("serial_number")
    in_service = deployed.get("exists") and not deployed.get("placeholder")
    return {
        "host": host,
        "entry": inputs["entry"],
        "account": account,
        "order_ids": _order_ids(inputs),
        "superseded": superseded,
        # Not of what a deployment that was interrupted has switched to: that may be the reissue.
        "superseded_since": verified.get("not_before") or "",
        "in_service": deployed.get("serial_number") if in_service else None,
        "csr": inputs.get("csr") or None,
    }


# -- who asks for whom --------------------------------------------------------------


def leader_of(request: Data, requests: t.Iterable[Data]) -> str:
    """The host that asks for this one: the first in the play with the same account."""
    return str(next((one["host"] for one in requests if _together(one, request)), request["host"]))


def peers_of(request: Data, requests: t.Iterable[Data]) -> list[Data]:
    """The requests of all hosts with the same account, in the order of the play."""
    return [one for one in requests if _together(one, request)]


def _together(one: Data, other: Data) -> bool:
    return bool(one["account"] == other["account"] and one["entry"] == other["entry"])


def order_ids_of(peers: t.Iterable[Data]) -> list[str]:
    """The orders of several hosts, each once."""
    return list(dict.fromkeys(order_id for peer in peers for order_id in peer["order_ids"]))


def superseded_serials(peers: t.Iterable[Data]) -> dict[str, str]:
    """For each set of orders the serial number that is to be replaced.

    Where a reissue has reached some hosts already, that is the oldest certificate in service.
    """
    oldest: dict[str, tuple[str, str]] = {}
    for peer in peers:
        if peer["superseded"]:
            one = (peer["superseded_since"], peer["superseded"])
            key = orders_key(peer)
            oldest[key] = min(one, oldest.get(key, one), key=lambda found: found[0])
    return {key: serial for key, (_since, serial) in oldest.items()}


def orders_key(request: Data) -> str:
    """Names the orders of a request."""
    return " ".join(request["order_ids"])


# -- what becomes of it ---------------------------------------------------------------


def own_orders(request: Data, orders: t.Iterable[Data]) -> list[Data]:
    """The orders of this host, in the order in which it has listed them."""
    positions = {order_id: position for position, order_id in enumerate(request["order_ids"])}
    return sorted(
        (order for order in orders if order["order_id"] in positions), key=lambda order: positions[order["order_id"]]
    )


def judge(request: Data, orders: t.Sequence[Data], defer: bool) -> list[Data]:
    """Why this host fails; empty where it does not. Each has error_kind, msg and order_id, the gravest first.

    Arguments:
        orders: those of this host, as order_wait returns them.
        defer: orders that are not issued in time are no failure.
    """
    failures = [
        {
            "error_kind": order["error_kind"],
            "msg": f"{order['provider']} order {order['order_id']}: {order['msg']}",
            "order_id": order["order_id"],
        }
        for outcome in _FAILURES
        for order in orders
        if order["outcome"] == outcome and not (defer and outcome == "timed_out")
    ]
    if len(orders) < len(request["order_ids"]):
        answered = {order["order_id"] for order in orders}
        lost = [order_id for order_id in request["order_ids"] if order_id not in answered] or request["order_ids"]
        failures.append(
            {
                "error_kind": "unavailable",
                "msg": f"nothing is known of order {', '.join(lost)} after the wait; run this again",
                "order_id": lost[0],
            }
        )
    return failures


def one_failure(failures: t.Sequence[Data]) -> Data:
    """Several failures as one: the first, with the messages of all."""
    return dict(failures[0], msg=". ".join(failure["msg"] for failure in failures))


def timed_out(orders: t.Iterable[Data]) -> list[Data]:
    """The orders that are still waited for."""
    return [order for order in orders if order["outcome"] == "timed_out"]


def still_waited_for(orders: t.Iterable[Data], check_mode: bool) -> str:
    """What a host says of orders that are not issued yet."""
    return ". ".join(
        (
            f"would wait for {order['provider']} order {order['order_id']}: {order['status']}, "
            + "; ".join(blocker["message"] for blocker in order["blockers"])
            if check_mode
            else f"{order['provider']} order {order['order_id']}: {order['msg']}"
        )
        for order in timed_out(orders)
    )


def status_rows(request: Data, answer: t.Mapping[str, t.Any], provider: str) -> list[Data]:
    """Each order of a host as order_info has returned it; one without an answer has msg and error_kind instead."""
    known = {str(order.get("order_id")): order for order in (answer.get("errors") or [])}
    known.update((str(order["order_id"]), order) for order in answer.get("orders") or [])
    unanswered = {"provider": provider, "error_kind": answer.get("error_kind") or "unavailable"}
    return [
        dict(
            known.get(order_id) or dict(unanswered, order_id=order_id, msg=_why_unanswered(order_id, answer)),
            host=request["host"],
        )
        for order_id in request["order_ids"]
    ]


def _why_unanswered(order_id: str, answer: t.Mapping[str, t.Any]) -> str:
    """The failure of the whole task as the message of one order: after that of another order it was not asked for."""
    message = _OTHERS.sub("", str(answer.get("msg") or "not answered"))
    failed = answer.get("order_id")
    if failed is None or str(failed) == order_id:
        return message
    subject = " ".join(filter(None, [answer.get("provider"), f"order {failed}"]))
    return f"not asked for: {message.removeprefix(f'{subject}: ')}"


# -- which certificates are collected ----------------------------------------------------


def needs_certificate(request: Data, order: Data) -> bool:
    """Whether the certificate of the order is another one than that in service.

    Where the provider does not report the serial number, only collecting shows whether there is another one.
    """
    return bool(request["in_service"] is None or request["in_service"] != order["certificate"]["serial_number"])


def certificate_key(request: Data, order: Data, superseded: str | None) -> list[t.Any]:
    """Hosts with the same key need the same certificate."""
    serial = order["certificate"]["serial_number"]
    return [request["account"], order["order_id"], serial, request["csr"], superseded]


def shared_certificates(
    peers: t.Iterable[Data], orders: t.Mapping[str, Data], superseded: t.Mapping[str, str]
) -> list[list[t.Any]]:
    """The keys of the certificates that more than one host needs: they are collected once, by the leader."""
    wanted: dict[str, list[list[t.Any]]] = {}
    for peer in peers:
        order = orders.get(peer["order_ids"][0]) if peer["entry"] == "main" and peer["order_ids"] else None
        if order is not None and order["outcome"] == "reached" and needs_certificate(peer, order):
            key = certificate_key(peer, order, superseded.get(orders_key(peer)))
            wanted.setdefault(json.dumps(key), []).append(key)
    return [keys[0] for keys in wanted.values() if len(keys) > 1]
