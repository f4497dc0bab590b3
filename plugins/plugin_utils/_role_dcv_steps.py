# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action role_step does about domain control validation: questions to the provider, looks, and the journal.

The decisions are in _role_dcv.py. Records are published by the task file of the user and files by modules of Ansible;
the steps here return what for, and settle the journal before and after.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import os
import shlex
import time
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import FILE_FOLDER
from ansible_collections.certops.issuance.plugins.module_utils._common.private_directory import lasting_directory
from ansible_collections.certops.issuance.plugins.module_utils._dcv.diagnose import resolver_endpoints
from ansible_collections.certops.issuance.plugins.module_utils._dcv.dns import DNSPYTHON_IMPORT_ERROR
from ansible_collections.certops.issuance.plugins.module_utils._dcv.network import AddressMap
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_dcv import (
    ORDER_DCV_OPTIONS,
    order_dcv,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Operation
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.durations import parse_duration
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_dcv as rules
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_evidence import EVIDENCE_OPTIONS, fetch_evidence
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_journal import Entry, Journal
from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_looks import Watch, look_apart
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_dcv import make_findings, open_names

Data = dict[str, t.Any]

#: The variable of the role behind each setting.
VARIABLES = {
    name: "certificate_dcv_" + name
    for name in ("tasks", "webroot", "resolvers", "address_map", "zones", "visible_timeout", "unique_value")
}
_SETTINGS: Data = {
    "tasks": {"type": "path"},
    "webroot": {"type": "path"},
    "resolvers": {"type": "list", "elements": "str", "default": []},
    "address_map": {"type": "dict", "default": {}},
    "zones": {"type": "list", "elements": "str", "default": []},
    "visible_timeout": {"type": "raw", "default": 600},
    "unique_value": {"type": "str"},
}
#: The variables that the steps of a host leave for those of others.
INPUTS, EVIDENCE, PLAN, LOOK, OUTCOME, WITHDRAWAL = (
    "__certificate_inputs", "__certificate_evidence", "__certificate_dcv", "__certificate_look",
    "__certificate_outcome", "__certificate_withdrawal",
)  # fmt: skip
_NOTHING_SEEN: Data = {"by_name": {}, "not_tested": []}
STEPS = ("evidence", "publish", "see", "judge", "withdraw", "close")


def read_settings(given: Data, provider: str, find_file: t.Callable[[str], str]) -> Data | None:
    """The settings of a host; None where it does not publish.

    Arguments:
        given: the values of VARIABLES, without those that were not set.
        find_file: the absolute path of a file beside the playbook.

    Raises:
        InvalidRequest: for one that cannot be used.
    """
    if not (given.get("tasks") or given.get("webroot")):
        return None
    found = read_look_settings(given, provider)
    if found["tasks"]:
        found["tasks"] = find_file(found["tasks"])
        if not os.path.isfile(found["tasks"]):
            raise InvalidRequest(f"certificate_dcv_tasks: there is no file {found['tasks']}", provider=provider)
    webroot = found["webroot"]
    if webroot and not webroot.startswith("/"):
        raise InvalidRequest(f"certificate_dcv_webroot must be an absolute path, not {webroot}", provider=provider)
    return found


def read_look_settings(given: Data, provider: str) -> Data:
    """The settings of a host that has the controller look for DCV evidence, all types checked.

    Arguments:
        given: the values of VARIABLES, without those that were not set.

    Raises:
        InvalidRequest: for one that cannot be used, and where dnspython is missing.
    """
    validation = ArgumentSpecValidator(_SETTINGS).validate(given)
    if validation.error_messages:
        raise InvalidRequest("; ".join(validation.error_messages), provider=provider)
    found: Data = dict(validation.validated_parameters)
    try:
        found["visible_timeout"] = parse_duration(found["visible_timeout"])
    except ValueError as exc:
        raise InvalidRequest(
            f"certificate_dcv_visible_timeout {exc}; give seconds, or a duration such as 90s or 10m", provider=provider
        ) from None
    if DNSPYTHON_IMPORT_ERROR is not None:
        raise InvalidRequest(
            "the Python library dnspython is missing on the controller, and what was published cannot be looked for "
            "without it; install it there with 'python3 -m pip install dnspython'",
            provider=provider,
        )
    for name, check in (("resolvers", resolver_endpoints), ("address_map", AddressMap)):
        try:
            check(found[name])
        except ValueError as exc:
            raise InvalidRequest(f"certificate_dcv_{name}: {exc}", provider=provider) from None
    return found


def check_webroot(webroot: str, run: t.Callable[[str], str], check_mode: bool) -> None:
    """See that the files would stand in the web root itself.

    Arguments:
        run: runs a command of a shell on the host, and returns what it printed.

    Raises:
        InvalidRequest: it is no directory there, or a link leads out of it.
    """
    folders = [webroot.rstrip("/") or "/"]
    for part in FILE_FOLDER.strip("/").split("/"):
        folders.append(f"{folders[-1].rstrip('/')}/{part}")
    listed = " ".join(shlex.quote(folder) for folder in folders)
    found = run(
        f'for folder in {listed}; do if [ -L "$folder" ]; then echo link; elif [ -d "$folder" ]; then echo folder; '
        'elif [ -e "$folder" ]; then echo other; else echo none; fi; done'
    ).split()
    for folder, kind in zip(folders, found, strict=False):
        if kind == "link":
            raise InvalidRequest(f"certificate_dcv_webroot: {folder} is a link to elsewhere; give the folder itself")
        if kind == "other" or (kind == "none" and folder == folders[0] and not check_mode):
            raise InvalidRequest(f"certificate_dcv_webroot: {folder} is no directory on the host")


# -- for a whole fleet --------------------------------------------------------------------


def find_obstacles(
    operate: t.Callable[[Operation, Data, Data], Data], peers: t.Sequence[Data], order_ids: t.Sequence[str]
) -> dict[str, list[Data]]:
    """What keeps the open names of orders from being validated, by order; see _fleet_dcv.make_findings.

    Arguments:
        operate: runs an operation with the account of the hosts.
        peers: the requests of hosts; the first has the resolvers and the zones for all.
        order_ids: the orders that are open.
    """
    settings = peers[0]["dcv"]
    wanted = [dict(peer, order_ids=[one for one in peer["order_ids"] if one in order_ids]) for peer in peers]
    options = {name: settings[name] for name in ("zones", "resolvers", "address_map")}
    options["questions"] = rules.questions(wanted, ())
    if not options["questions"]:
        return {}
    answer = operate(fetch_evidence, EVIDENCE_OPTIONS, options)
    if answer.get("failed"):
        return make_findings([], [dict(answer, order_id=order_id) for order_id in order_ids], _NOTHING_SEEN)
    found = make_findings([], answer["errors"], _NOTHING_SEEN)
    names = open_names(answer["names"])
    for members, seen in look_apart(names, settings, orders_too=True):
        own = [name for name in names if name["order_id"] in members]
        found.update(make_findings(own, [], seen, answer["unresolved"]))
    return found


# -- the steps ----------------------------------------------------------------------------


@dataclasses.dataclass
class DcvSteps:
    """The steps of one host. Each returns the result of its task.

    Arguments:
        host: its name in the inventory.
        variables: of the host.
        operate: runs an operation with its account.
        published: the registered variable of each of some hosts that has it.
        renewed: the request of a host as it is once next certificates were requested; see renewed_request.
        checksum: of a file on the host, SHA-1; None where it is not there.
        show: shows a line of progress.
        sleep: pauses; raises where the run is gone.
        clock: monotonic seconds.
    """

    host: str
    variables: t.Mapping[str, t.Any]
    operate: t.Callable[[Operation, Data, Data], Data]
    published: t.Callable[[t.Iterable[str], str], t.Iterator[Data]]
    renewed: t.Callable[[Data], Data]
    checksum: t.Callable[[str], str | None]
    show: t.Callable[[str], None]
    sleep: t.Callable[[float], None]
    environment: t.Mapping[str, str]
    check_mode: bool
    clock: t.Callable[[], float] = time.monotonic

    def run(self, step: str) -> Data:
        """Run a step of STEPS.

        Raises:
            InvalidRequest: the journal cannot be used, or the CSR or the settings of the role.
        """
        try:
            return t.cast(Data, getattr(self, step)())
        except (OSError, ValueError) as exc:
            raise InvalidRequest(f"what the role publishes for DCV cannot be kept in its journal: {exc}") from None

    @property
    def _request(self) -> Data:
        return self.renewed(self.variables[INPUTS]["request"])

    @property
    def _settings(self) -> Data:
        return t.cast(Data, self._request["dcv"])

    @property
    def _provider(self) -> str:
        return str(self.variables[INPUTS]["provider"])

    @property
    def _journal(self) -> Journal:
        return Journal(lasting_directory(self.environment))

    @functools.cached_property
    def _peers(self) -> list[Data]:
        """The requests of the hosts of this batch that share a publisher."""
        found = self.published(self.variables["ansible_play_batch"], INPUTS)
        requests = (inputs["request"] for inputs in found if inputs.get("request"))
        peers = rules.publishing_peers(self._request, requests)
        return [self.renewed(peer) for peer in peers] or [self._request]

    def _orders(self, order_ids: t.Iterable[str]) -> set[tuple[str, str]]:
        return {(self._provider, order_id) for order_id in order_ids}

    # What to publish

    def evidence(self) -> Data:
        """Ask what to publish for all hosts that share a publisher, where this host is the first of them."""
        peers = self._peers
        leader = peers[0]["host"]
        if leader != self.host:
            return {"skipped": True, "leader": leader}
        return self._ask(peers)

    def _ask(self, peers: t.Sequence[Data]) -> Data:
        """What to publish for these hosts; it is in the journal then."""
        journal, settings = self._journal, self._settings
        written = [entry for entry in journal.read() if entry["provider"] == self._provider]
        listed = {entry["order_id"] for entry in written}
        asked = rules.questions(peers, listed)
        options = {name: settings[name] for name in ("zones", "resolvers", "address_map")}
        options.update(questions=asked, published=written)
        options["journaled"] = [one["order_id"] for one in asked if one["order_id"] in listed]
        answer = self.operate(fetch_evidence, EVIDENCE_OPTIONS, options) if asked else {}
        order_ids = [one["order_id"] for one in asked]
        if answer.get("failed"):
            answer["errors"] = [dict(answer, order_id=order_id) for order_id in order_ids]
        found = {name: answer.get(name) or [] for name in ("names", "unresolved", "errors", "ended")}
        if settings["tasks"] and not self.check_mode:
            journal.add(rules.record_entries(found["names"]))
        return dict(found, leader=self.host, asked=order_ids, changed=False)

    def publish(self) -> Data:
        """What this host publishes and withdraws now: its files, and the records of all where it leads."""
        request, settings = self._request, self._settings
        leader = (self.variables.get(EVIDENCE) or {}).get("leader")
        answer = next(self.published([leader], EVIDENCE), {}) if leader else {}
        if not set(request["order_ids"]) <= set(answer.get("asked") or ()):
            # Hosts that do not go side by side, and a publisher that has failed.
            answer = self._ask([request])
        else:
            answer = dict(answer, leader=rules.publisher(self._peers, answer))
        leads = answer["leader"] == self.host
        if failures := rules.evidence_failures(request, answer):
            return {"failed": True, **failures[0]}
        own = rules.names_of(answer, request["order_ids"])
        by_files = bool(settings["webroot"]) and not PROVIDERS[self._provider].info.publishes_evidence
        files = rules.file_entries(own, self.host, settings["webroot"]) if by_files else []
        for line in rules.what_to_publish(own, bool(settings["tasks"]), by_files):
            self.show(f"{self.host}: {line}")
        entries = rules.record_entries(answer["names"]) if settings["tasks"] and leads else []
        result = self._nothing()
        result.update(
            leader=answer["leader"], answer=answer if leads else {}, msg="the DCV evidence could not be published"
        )
        if self.check_mode:
            for record_set in rules.record_sets(entries):
                self.show(f"{self.host}: would publish {record_set['type']} {record_set['fqdn']}")
            for file in files:
                self.show(f"{self.host}: would write {file['path']}")
            return result
        journal = self._journal
        journal.add(files)
        written = journal.read()
        result["records"] = _with_state("present", rules.wanted_record_sets(entries, written))
        result["files"] = [_file("present", entry) for entry in files]
        return self._with_withdrawals(result, self._orders(answer["ended"]), leads, written)

    def _nothing(self) -> Data:
        """The result of a host that publishes and withdraws nothing."""
        parts: Data = {"tasks": self._settings["tasks"], "records": [], "files": [], "ended": []}
        return dict(parts, any=False, changed=False)

    def _with_withdrawals(
        self, result: Data, orders: set[tuple[str, str]], leads: bool, written: t.Sequence[Entry]
    ) -> Data:
        """The result with what is withdrawn of orders that are over."""
        ended = rules.entries_of(written, orders, self.host, leads)
        result["ended"] = ended
        if self._settings["tasks"]:
            result["records"] += _with_state("absent", rules.withdrawn_record_sets(ended, written))
        else:
            # Nobody can withdraw them in this run.
            result["ended"] = [entry for entry in ended if entry["kind"] == "file"]
        for entry in rules.withdrawn_files(result["ended"], written):
            file = _file("absent", entry)
            # Somebody else may have put a file of his own in its place.
            if self.checksum(file["path"]) == file["checksum"]:
                result["files"].append(file)
        result["any"] = bool(result["records"] or result["files"])
        return result

    # Whether it is seen

    def see(self) -> Data:
        """Where this host leads: look until all is visible or the time is over, then have the provider look once."""
        plan = self.variables.get(PLAN) or {}
        if not self.check_mode:
            self._journal.remove(plan.get("ended") or [])
        if plan.get("leader") != self.host or self.check_mode:
            return {"skipped": True}
        names = [name for name in plan["answer"]["names"] if self._is_published(name)]
        seen = Watch(names, self._settings, self.show, self.sleep, self.clock).until_visible()
        visible = [order_id for order_id, one in seen.items() if one["state"] == "visible"]
        return {"orders": seen, "looks": self._look_now(visible), "changed": False}

    def _is_published(self, name: Data) -> bool:
        """Whether the role has published the evidence of a name: the record, or the file on one of its hosts."""
        if name["record_set"]:
            return bool(self._settings["tasks"])
        if not name["file"] or PROVIDERS[self._provider].info.publishes_evidence:
            return False
        return any(name["order_id"] in peer["order_ids"] and peer["dcv"]["webroot"] for peer in self._peers)

    def _look_now(self, order_ids: t.Sequence[str]) -> Data:
        """Ask the provider once to look for some orders. That it does not is no failure: it looks by itself."""
        found: Data = {}
        if PROVIDERS[self._provider].info.dcv is None:
            return found
        for order_id in order_ids:
            answer = self.operate(order_dcv, ORDER_DCV_OPTIONS, {"order_ids": [order_id]})
            found[order_id] = {name: answer[name] for name in ("names", "error_kind", "msg") if name in answer}
            if answer.get("failed") and answer.get("error_kind") != "too_soon":
                self.show(f"order {order_id}: the provider was not asked to look now: {answer['msg']}")
        return found

    @contextlib.contextmanager
    def looking_again(self) -> t.Iterator[None]:
        """While the block waits for orders, look again now and then for what this host has seen to be visible.

        Not where another host has published it: that one looks, if it waits as well.
        """
        seen = (self.variables.get(LOOK) or {}).get("orders") or {}
        answer = self.variables.get(EVIDENCE) or {}
        names = [name for name in answer.get("names") or () if name["order_id"] in seen and self._is_published(name)]
        with Watch(names, self._settings if names else {}, self.show, self.sleep).again():
            yield

    def judge(self) -> Data:
        """Fail where what was published for this host cannot be seen."""
        leader = (self.variables.get(PLAN) or {}).get("leader")
        seen = next(self.published([leader], LOOK), {}) if leader else {}
        if failures := rules.unseen_failures(self._request, seen.get("orders") or {}):
            return {"failed": True, **failures[0]}
        return {"changed": False}

    # After issuance

    def withdraw(self) -> Data:
        """What is withdrawn of orders that are issued: the files of this host, and the records where it leads."""
        peers = self._peers
        result = self._nothing()
        result.update(
            handled=[], closed=False, msg="the DCV evidence could not be withdrawn; the next run tries it again"
        )
        if self.check_mode:
            return result
        hosts = [peer["host"] for peer in peers]
        issued = {
            order["order_id"]
            for outcome in self.published(hosts, OUTCOME)
            for order in (outcome.get("invocation") or outcome).get("orders") or ()
            if order["issued"]
        }
        leader = peers[0]["host"]
        handled = next(self.published([leader], WITHDRAWAL), None) if leader != self.host else None
        if handled is not None:
            # Hosts that do not go side by side: the first of them was done before this order was issued.
            issued = issued & set(self._request["order_ids"]) - set(handled["handled"])
        result["handled"] = sorted(issued)
        leads = leader == self.host or handled is not None
        return self._with_withdrawals(result, self._orders(issued), leads, self._journal.read())

    def close(self) -> Data:
        """Take what was withdrawn from the journal."""
        withdrawal = self.variables.get(WITHDRAWAL) or {}
        if not self.check_mode:
            self._journal.remove(withdrawal.get("ended") or [])
        return {"changed": False, "closed": True, "handled": withdrawal.get("handled") or []}


def _with_state(state: str, record_sets: t.Iterable[Data]) -> list[Data]:
    return [{"state": state, "record": record_set} for record_set in record_sets]


def _file(state: str, entry: Entry) -> Data:
    content = entry["content"]
    return {
        "state": state,
        "path": entry["path"],
        "folder": os.path.dirname(entry["path"]),
        "content": content,
        "checksum": hashlib.sha1(content.encode("utf-8"), usedforsecurity=False).hexdigest(),
    }
