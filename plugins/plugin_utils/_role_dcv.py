# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role publishes for domain control validation, and when it withdraws it: pure functions under role_step.

Hosts with the same account and the same way to publish share a publisher: the first of them asks what to publish for
all their orders, publishes the records, and looks for them. Files are published by each host for itself. Everything
here is a plain dictionary, since it becomes a variable. The rules are those of
docs/providers/dcv/rules-and-diagnosis.md, sections 7 and 9.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    OrderReference,
    RecordSet,
    plain_name,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_journal import Entry

Data = dict[str, t.Any]

#: The variables of the role behind what hosts have to agree on to share a publisher.
_TOGETHER = ("tasks", "resolvers", "address_map", "zones", "visible_timeout")
#: Problems of evidence that are an error_kind of their own; all others keep the CA from seeing it.
_KINDS = ("token_unknown", "unsupported")
_FATAL = "fatal"


# -- who publishes ----------------------------------------------------------------


def publisher_label(account: str, settings: Data) -> str:
    """Names an account and the way to publish. Hosts with the same label share a publisher.

    Arguments:
        account: the label of the account, as in a request.
        settings: the validated variables certificate_dcv_*.
    """
    text = json.dumps([account, [settings.get(name) for name in _TOGETHER]], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def publishing_peers(request: Data, requests: t.Iterable[Data]) -> list[Data]:
    """The requests of all hosts that share a publisher with this one, in the order of the play."""
    label = request["dcv"]["label"]
    return [one for one in requests if one.get("dcv") and one["dcv"]["label"] == label]


def publisher(peers: t.Iterable[Data], answer: t.Mapping[str, t.Any]) -> str:
    """The host that publishes for all: the first that will not fail for want of its own evidence, else who asked."""
    asked = set(answer["asked"])
    able = (peer for peer in peers if asked.issuperset(peer["order_ids"]) and not evidence_failures(peer, answer))
    return str(next((peer["host"] for peer in able), answer["leader"]))


def questions(peers: t.Iterable[Data], journaled: t.Container[str]) -> list[Data]:
    """What is asked of the provider: each order once, with what only its hosts know.

    Arguments:
        journaled: the orders of the journal. One that no host waits for is asked whether it is over, and no more.
    """
    found: dict[str, Data] = {}
    for peer in peers:
        for order_id in peer["order_ids"]:
            question = found.setdefault(order_id, {"order_id": order_id})
            question["evidence"] = True
            renews = (peer.get("renews") or {}).get("wish")
            for name, value in (
                # That of a renewal is known to the provider only where it reports the CSR of the reissue.
                ("csr", None if renews else peer.get("csr")),
                ("pending_csr", peer["dcv"].get("pending_csr")),
                ("unique_value", peer["dcv"].get("unique_value")),
            ):
                if value is not None:
                    question.setdefault(name, value)
        if peer["dcv"]["order_id"] in journaled:
            found.setdefault(peer["dcv"]["order_id"], {"order_id": peer["dcv"]["order_id"], "evidence": False})
    return list(found.values())


# -- what is published ----------------------------------------------------------------


def names_of(answer: t.Mapping[str, t.Any], order_ids: t.Container[str]) -> list[Data]:
    """The names of some orders, as order_dcv_info returns them."""
    return [name for name in answer.get("names") or () if name["order_id"] in order_ids]


def record_entries(names: t.Iterable[Data]) -> list[Entry]:
    """One entry of the journal for each value of each record set."""
    found: list[Entry] = []
    for name in names:
        record_set = name["record_set"]
        for value in record_set["values"] if record_set else ():
            entry = {
                "kind": "record",
                "provider": name["provider"],
                "order_id": name["order_id"],
                "type": record_set["type"],
                "fqdn": record_set["fqdn"],
                "zone": record_set["zone"],
                "value": value,
            }
            if entry not in found:
                found.append(entry)
    return found


def file_entries(names: t.Iterable[Data], host: str, webroot: str) -> list[Entry]:
    """One entry of the journal for each file that a host gets, with its content.

    Raises:
        ValueError: two names need different contents at one path.
    """
    found: dict[str, Entry] = {}
    for name in names:
        if name["file"]:
            entry = {
                "kind": "file",
                "provider": name["provider"],
                "order_id": name["order_id"],
                "host": host,
                "path": posixpath.join(webroot, name["file"]["path"].lstrip("/")),
                "content": name["file"]["content"],
            }
            if found.setdefault(entry["path"], entry)["content"] != entry["content"]:
                raise ValueError(
                    f"two names of order {entry['order_id']} need different contents at {entry['path']}; they cannot "
                    "share a web root"
                )
    return list(found.values())


def record_sets(entries: t.Iterable[Entry], only: t.Container[tuple[str, str]] | None = None) -> list[Data]:
    """The record sets of some entries, with all their values, in every spelling that DNS modules want.

    Arguments:
        only: types and owners; None for all.
    """
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        key = (entry["type"], entry["fqdn"])
        if only is None or key in only:
            found.setdefault(key, []).append(entry)
    return [
        RecordSet(
            type=kind,
            fqdn=fqdn,
            values=tuple(dict.fromkeys(one["value"] for one in members)),
            zone=next((one["zone"] for one in members if one["zone"]), None),
            orders=tuple(dict.fromkeys(OrderReference(one["provider"], one["order_id"]) for one in members)),
        ).to_dict()
        for (kind, fqdn), members in found.items()
    ]


def wanted_record_sets(own: t.Sequence[Entry], journal: t.Iterable[Entry]) -> list[Data]:
    """The record sets to publish: each with the values of this run, and with those that other orders still need.

    Many DNS modules replace a whole set.

    Arguments:
        own: the entries of this run.
        journal: all entries of the journal.
    """
    orders = {_order(entry) for entry in own}
    others = [entry for entry in journal if entry["kind"] == "record" and _order(entry) not in orders]
    sets = {(entry["type"], entry["fqdn"]) for entry in own}
    # Beside a CNAME there is nothing else. fetch_evidence refuses one where the other order there may be live.
    return record_sets([*own, *(one for one in others if one["type"] == "TXT")], sets)


def _order(entry: Entry) -> tuple[str, str]:
    return entry["provider"], entry["order_id"]


def what_to_publish(names: t.Iterable[Data], records: bool, files: bool) -> list[str]:
    """What somebody has to publish by hand, in one sentence each, where the role does not.

    Arguments:
        records: whether the role publishes records.
        files: whether the role publishes files.
    """
    found: dict[str, None] = {}
    for name in names:
        record_set, file = name["record_set"], name["file"]
        if record_set and not records:
            values = " and ".join(record_set["values"])
            found[f"publish the {record_set['type']} record {record_set['fqdn']} with value {values}"] = None
        if file and not files:
            found[f"serve {json.dumps(file['content'])} at {file['url']}"] = None
    return list(found)


# -- what is wrong with it ----------------------------------------------------------------


def evidence_failures(request: Data, answer: t.Mapping[str, t.Any]) -> list[Data]:
    """Why nothing can be published for the orders of a host; each has error_kind, msg and order_id."""
    failures = [
        {"error_kind": one.get("error_kind"), "msg": one["msg"], "order_id": one["order_id"]}
        for one in answer.get("errors") or ()
        if one["order_id"] in request["order_ids"]
    ]
    for one in answer.get("unresolved") or ():
        if one["order_id"] in request["order_ids"]:
            kind = one["problem"] if one["problem"] in _KINDS else "not_visible"
            failures.append({"error_kind": kind, "msg": one["message"], "order_id": one["order_id"]})
    return failures


def unseen_failures(request: Data, orders: t.Mapping[str, Data]) -> list[Data]:
    """Why a host does not wait for its order: the CA cannot see what was published, and time will not mend it.

    Arguments:
        orders: what came of the look, by order; see Watch.
    """
    return [
        {"error_kind": "not_visible", "msg": sentence(orders[order_id]["findings"]), "order_id": order_id}
        for order_id in request["order_ids"]
        if orders.get(order_id, {}).get("state") == "failed"
    ]


def sentence(findings: t.Sequence[Data]) -> str:
    """The gravest of some findings, and its advice."""
    worst = [one for one in findings if one["severity"] == _FATAL] or findings
    first = worst[0]
    seen = f", seen: {first['seen']}" if first["seen"] else ""
    more = f" (and {len(worst) - 1} more)" if len(worst) > 1 else ""
    return (
        f"the CA cannot validate {first['name']}: {first['code']} ({first['subject']}{seen}). {first['advice']}{more}"
    )


# -- what the CA sees ----------------------------------------------------------------


def orders_apart(names: t.Iterable[Data]) -> list[set[str]]:
    """The ids of the orders of some names, in as few groups as possible in which no two orders share a name.

    A look reports by name: where two orders share one, it does not say whose record is wrong.
    """
    by_order: dict[str, set[str]] = {}
    for name in names:
        by_order.setdefault(name["order_id"], set()).update(_names_looked_for(name))
    groups: list[tuple[set[str], set[str]]] = []
    for order_id, own in by_order.items():
        for members, taken in groups:
            if not own & taken:
                members.add(order_id)
                taken |= own
                break
        else:
            groups.append(({order_id}, set(own)))
    return [members for members, _taken in groups]


def expected_names(names: t.Iterable[Data]) -> dict[str, set[str]]:
    """The names for which something can be looked for, by order."""
    found: dict[str, set[str]] = {}
    for name in names:
        for evidence in (name["record_set"], name["file"]):
            found.setdefault(name["order_id"], set()).update(map(plain_name, evidence["names"] if evidence else ()))
    return found


def _names_looked_for(name: Data) -> set[str]:
    return {plain_name(name["name"])}.union(*expected_names([name]).values())


def seen_by_order(expected: t.Mapping[str, t.Collection[str]], diagnosis: Data, last: bool) -> dict[str, Data]:
    """What one look means for each order.

    Arguments:
        expected: order to the names that were looked for; no two orders share one, see orders_apart.
        diagnosis: as dcv_diagnose returns it.
        last: there is no time for another look.

    Returns:
        By order ``state``: visible; open, where another look makes sense; untested, where nothing speaks against it
        and it could not be tested; failed; and its ``findings``.
    """
    return {order_id: _seen(names, diagnosis, last) for order_id, names in expected.items()}


def _seen(names: t.Collection[str], diagnosis: Data, last: bool) -> Data:
    findings = [one for one in diagnosis["findings"] if one["name"] in names]
    fatal = [one for one in findings if one["severity"] == _FATAL]
    untested = [one for one in diagnosis["not_tested"] if one["name"] in names]
    looked_at = [diagnosis["by_name"][name] for name in names if name in diagnosis["by_name"]]
    complete = bool(names) and len(looked_at) == len(names)
    if not fatal and all(one["visible"] for one in looked_at):
        # A name of which the look says nothing is not visible, and another look would say no more.
        state = "visible" if complete else "untested"
    elif any(one["retry_after"] is None for one in fatal) or (last and fatal):
        state = "failed"
    elif last or (untested and not fatal and all(one["reason"] != "deadline" for one in untested)):
        state = "untested"
    else:
        state = "open"
    return {"state": state, "findings": findings, "not_tested": untested}


def changes(before: t.Mapping[str, t.Sequence[str]], *looks: Data) -> tuple[dict[str, list[str]], list[str]]:
    """The codes of each name now, and a line for each name at which they have changed.

    Arguments:
        before: the codes of each name when they were shown last.
        looks: as dcv_diagnose returns them, at different orders.
    """
    by_name = _together(looks)
    now = {name: list(one["codes"]) for name, one in by_name.items()}
    lines = []
    for name, one in by_name.items():
        if name not in before or list(before[name]) != now[name]:
            if one["codes"]:
                lines.append(f"{name}: {', '.join(one['codes'])}. {one['advice']}")
            elif one["visible"]:
                lines.append(f"{name}: the CA can see the evidence")
            else:
                lines.append(f"{name}: could not be tested from here")
    return now, lines


def _together(looks: t.Iterable[Data]) -> dict[str, Data]:
    """What several looks say of each name: all codes, and the advice that comes first."""
    found: dict[str, Data] = {}
    for look in looks:
        for name, one in look["by_name"].items():
            known = found.setdefault(name, {"codes": [], "advice": None, "visible": True})
            known["codes"] = list(dict.fromkeys([*known["codes"], *one["codes"]]))
            known["advice"] = known["advice"] or one["advice"]
            known["visible"] = known["visible"] and one["visible"]
    return found


# -- what is withdrawn ----------------------------------------------------------------


def entries_of(journal: t.Iterable[Entry], orders: t.Container[tuple[str, str]], host: str, leads: bool) -> list[Entry]:
    """The entries that a host withdraws: its files, and the records where it leads.

    Arguments:
        orders: provider and order id of those that are over.
    """
    return [
        entry
        for entry in journal
        if _order(entry) in orders and (leads if entry["kind"] == "record" else entry["host"] == host)
    ]


def withdrawn_record_sets(entries: t.Sequence[Entry], journal: t.Iterable[Entry]) -> list[Data]:
    """The record sets with the values to remove: those that no other entry of the journal still needs.

    Arguments:
        entries: those that are withdrawn.
        journal: all entries, these included.
    """
    needed = {_value(entry) for entry in journal if entry["kind"] == "record" and entry not in entries}
    return record_sets(one for one in entries if one["kind"] == "record" and _value(one) not in needed)


def _value(entry: Entry) -> tuple[str, str, str]:
    return entry["type"], entry["fqdn"], entry["value"]


def withdrawn_files(entries: t.Sequence[Entry], journal: t.Iterable[Entry]) -> list[Entry]:
    """The files to remove: those that no other order still needs."""
    needed = {(one["host"], one["path"]) for one in journal if one["kind"] == "file" and one not in entries}
    return [one for one in entries if one["kind"] == "file" and (one["host"], one["path"]) not in needed]
