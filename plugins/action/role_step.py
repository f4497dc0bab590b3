# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the role certificate. They run on the controller; only prepare looks at the host.

The decisions are in plugin_utils/_role_orders.py. Here stands what needs Ansible: the variables of other hosts, running
modules, and asking the provider in this process.
"""

from __future__ import annotations

import functools
import os
import secrets
import shlex
import typing as t
from datetime import datetime, timezone

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.loader import filter_loader
from ansible.release import __version__

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import ACCOUNT_OPTIONS, resolve_account
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_certificate import (
    ORDER_CERTIFICATE_OPTIONS,
    order_certificate,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import (
    ORDER_INFO_OPTIONS,
    order_info,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_reissue import (
    ORDER_REISSUE_OPTIONS,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_wait import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Operation
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_dcv, _role_dcv_steps
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_orders as role
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_renewal as renewal_rules
from ansible_collections.certops.issuance.plugins.plugin_utils import _role_renewal_steps as renewal_steps
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_dcv import open_orders
from ansible_collections.certops.issuance.plugins.plugin_utils._hidden_args import (
    hide_source,
    masked_afterwards,
    redactor_for,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._order_action import (
    OrderActionBase,
    secret_variables,
    show_progress,
    sleep_for,
)

Data = dict[str, t.Any]

#: Made when Ansible loads this file, before it forks for the hosts of a task: one for a run, and in no output.
_SALT = secrets.token_bytes(32)

#: The variables of a host that other hosts read: what prepare, renew and lead returned, and the certificate it has
#: collected.
_INPUTS, _ANSWER, _COLLECTED = "__certificate_inputs", "__certificate_answer", "__certificate_collected"
_RENEWED = "__certificate_renewed"


# The first use of any filter loads all of Ansible's filters. Without this line that happens in each fork, and so for
# each host and task.
filter_loader.get("ansible.builtin.default")

_REGISTERS_INVOCATION = tuple(int(part) for part in __version__.split(".")[:2]) >= (2, 19)

#: The variable of the role behind each option, in the words of the modules. Nothing else reads them before the
#: deployment: as arguments of a task each would be a template of its own, which for a fleet is most of the work.
_ACCOUNT = {name: "certificate_" + name for name in ACCOUNT_OPTIONS} | {"ca_path": "certificate_api_ca_path"}
_WAIT = {
    "timeout": "certificate_wait_timeout",
    "poll_interval": "certificate_poll_interval",
    "on_timeout": "certificate_on_timeout",
}
_ORDERS = {"order_id": "certificate_order_id", "order_ids": "certificate_order_ids"}
_CERTIFICATE = {
    name: "certificate_" + name
    for name in (
        "path", "private_key_path", "private_key_content", "csr", "superseded_serial_number", "reissue", "placeholder",
        "renewal",
    )
}  # fmt: skip
#: Read only where the role renews.
_RENEWAL = {
    name: "certificate_" + name
    for name in ("names", "files", "renewal_remaining", "renewal_resend_after", "key_type", "key_owner", "dcv_method")
}
_PLACEHOLDER = {
    name: "certificate_" + name
    for name in (
        "path", "names", "private_key_path", "files", "owner", "group", "mode", "key_mode", "dir_mode",
        "pkcs12_password", "key_format", "keep_versions", "validate_commands", "reload_commands", "command_timeout",
        "lock_timeout",
    )
} | {"private_key": "certificate_private_key_content"}  # fmt: skip

_INPUTS_SPEC: Data = dict(
    ACCOUNT_OPTIONS,
    provider={"type": "str", "required": True, "choices": sorted(PROVIDERS)},
    order_id={"type": "raw"},
    order_ids={"type": "raw"},
    path={"type": "str"},
    private_key_path={"type": "str"},
    private_key_content={"type": "str", "no_log": True},
    csr={"type": "str"},
    superseded_serial_number={"type": "str"},
    reissue={"type": "bool", "default": False},
    placeholder={"type": "bool", "default": False},
    renewal={"type": "str", "default": "never", "choices": ["never", "auto", "force"]},
    renewal_remaining={"type": "raw"},
    renewal_resend_after=ORDER_REISSUE_OPTIONS["resend_after"],
    key_type={"type": "str", "default": "ecdsa-p256"},
    key_owner={"type": "str"},
    dcv_method=ORDER_REISSUE_OPTIONS["dcv_method"],
    names={"type": "list", "elements": "str", "default": []},
    files={"type": "list", "elements": "str", "default": []},
    timeout=ORDER_WAIT_OPTIONS["timeout"],
    poll_interval=ORDER_WAIT_OPTIONS["poll_interval"],
    on_timeout={"type": "str", "default": "fail", "choices": ["fail", "defer"]},
)

_STEPS = ["names", "placeholder", "prepare", "renew", "dcv", "lead", "take"]


class ActionModule(OrderActionBase):
    """See the module role_step."""

    argument_spec: t.ClassVar[t.Mapping[str, t.Any]] = dict(
        ACCOUNT_OPTIONS,
        provider={"type": "str"},
        step={"type": "str", "required": True, "choices": _STEPS},
        dcv={"type": "str", "choices": list(_role_dcv_steps.STEPS)},
        entry={"type": "str", "default": "main", "choices": ["main", "wait", "status", "diagnose"]},
        known={"type": "list", "elements": "str"},
    )

    _supports_async = False
    _requests_sent = 0
    _vars: Data
    _given: Data

    def run(self, tmp: str | None = None, task_vars: Data | None = None) -> Data:
        """Return the result of the step."""
        result: Data = super(OrderActionBase, self).run(tmp, task_vars)
        step = {
            "names": self._names, "placeholder": self._placeholder, "prepare": self._prepare, "renew": self._renew,
            "dcv": self._dcv, "lead": self._lead, "take": self._take,
        }  # fmt: skip
        secret = {name for name, option in self.argument_spec.items() if option.get("no_log")} | {"proxy"}
        with masked_afterwards(self._task, secret, secret_variables(secret)):
            hide_source(self._task, secret)
            # Account options among the arguments come from module_defaults of the play.
            self._vars, self._given = task_vars or {}, dict(self._task.args)
            result.update(step[self._given["step"]]())
        return result

    def _read(self, names: t.Mapping[str, str]) -> Data:
        """The values of variables by option, without those that are empty."""
        raw = {option: self._vars[name] for option, name in names.items() if name in self._vars}
        values = self._templar.template(raw)
        omitted = (None, "", self._vars.get("omit"))
        return {option: value for option, value in values.items() if value not in omitted}

    def _account_options(self) -> Data:
        return {name: self._given[name] for name in ACCOUNT_OPTIONS if name in self._given} | self._read(_ACCOUNT)

    def _inputs(self) -> Data:
        """The validated inputs of the role.

        Raises:
            InvalidRequest: for those that cannot be used.
        """
        entry = self._given.get("entry", "main")
        names: Data = {
            "main": _WAIT | _CERTIFICATE | {"order_id": _ORDERS["order_id"]},
            "wait": _WAIT | {"order_ids": _ORDERS["order_ids"]},
            "status": _ORDERS,
            "diagnose": _ORDERS | {"csr": _CERTIFICATE["csr"]},
        }
        options = self._account_options() | self._read(names[entry])
        if entry == "main" and options.get("renewal", "never") != "never":
            options |= self._read(_RENEWAL)
        validation = ArgumentSpecValidator(_INPUTS_SPEC).validate(options)
        if validation.error_messages:
            message = redactor_for(options).scrub("; ".join(validation.error_messages))
            raise InvalidRequest(message, provider=str(options.get("provider")))
        return dict(validation.validated_parameters, entry=entry)

    # -- what the host has, and what it asks for ------------------------------------

    def _prepare(self) -> Data:
        """Read the inputs, and what the host has in service; publish what is asked for."""
        params: Data = {}
        try:
            if wrong := role.misspelled(self._vars, role.ROLE_VARIABLES, role.ROLE_FACTS):
                raise InvalidRequest(role.spelling(wrong))
            params = self._inputs()
            account = resolve_account(PROVIDERS[params["provider"]].info, params, self._environment())
            mistakes = role.input_mistakes(params)
            renews = params["renewal"] != "never"
            if params["entry"] == "main" and not (mistakes or renews):
                mistakes = self._missing_key(params["private_key_path"])
            if mistakes:
                return _failure(mistakes[0][0], ". ".join(message for _kind, message in mistakes), params)
            dcv = self._dcv_settings(params) if params["entry"] in ("main", "diagnose") else None
            found = self._look(params) if params["entry"] == "main" else {"deployed": {}}
        except InvalidRequest as exc:
            about = params or self._read({"provider": _ACCOUNT["provider"], "order_id": _ORDERS["order_id"]})
            return _failure(exc.kind, exc.message, about)
        except AnsibleConnectionFailure as exc:
            return dict(_failure(None, exc.message, params), failed=False, unreachable=True)
        if found.get("failed") or found.get("unreachable"):
            return dict(_failure(None, "", params), **{"failed": False, **found})
        label = role.account_label(
            _SALT, account, self._environment(), params["timeout"], params["poll_interval"], self._task.check_mode
        )
        request = role.make_request(self._vars["inventory_hostname"], label, params, found["deployed"])
        if dcv:
            pending = found["deployed"].get("pending") or {}
            request["dcv"] = dict(
                dcv,
                label=_role_dcv.publisher_label(label, dcv),
                order_id=next(iter(request["order_ids"]), None),
                pending_csr=pending.get("csr"),
            )
        frozen = {name: params[name] for name in ("provider", "timeout", "poll_interval", "on_timeout")}
        frozen["order_id"] = next(iter(request["order_ids"]), None)
        if renews:
            request = renewal_rules.with_renewal(request, found["renewal"], found["deployed"])
        return dict(found, request=request, **frozen)

    def _missing_key(self, path: str | None) -> list[tuple[str, str]]:
        """Whether the private key is on the host. In check mode a task before this one may not have made it."""
        if not path or self._task.check_mode:
            return []
        if path.startswith("/") and "$" not in path:
            # One command: a module would cost as much as all the rest of this step.
            there = self._low_level_execute_command(f"test -e {shlex.quote(path)}")["rc"] == 0
        else:
            options = {"path": path, "follow": True, "get_checksum": False, "get_mime": False, "get_attributes": False}
            found: Data = self._execute_module("ansible.builtin.stat", module_args=options, task_vars=self._vars)
            there = bool((found.get("stat") or {}).get("exists"))
        where = self._vars["inventory_hostname"]
        return [] if there else [("invalid_key", f"the private key {path} is not there on {where}")]

    def _look(self, params: Data) -> Data:
        """What the host has in service; where that is nothing, and a placeholder is wanted, deploy one."""
        found: Data = self._execute_module(
            "certops.issuance.certificate_info", module_args={"path": params["path"]}, task_vars=self._vars
        )
        found.pop("invocation", None)
        if found.get("failed") or found.get("unreachable"):
            return found
        # What Ansible itself reads from a result stays at its top.
        kept: Data = {name: found.pop(name) for name in ("ansible_facts", "warnings", "deprecations") if name in found}
        planned = self._plan_renewal(params, found) if params["renewal"] != "never" else {}
        if planned.get("failed") or planned.get("unreachable"):
            return planned
        if params["placeholder"] and not found["exists"]:
            kept = self._placeholder(**renewal_rules.placeholder_key(planned.get("renewal"), self._task.check_mode))
        changed = kept.get("changed", False) or planned.get("changed", False)
        return dict(kept, **dict(planned, deployed=found, changed=changed))

    def _plan_renewal(self, params: Data, deployed: Data) -> Data:
        """What the host does about the next certificate, with key and CSR made on it where it is requested."""

        def run_module(name: str, options: Data) -> Data:
            return t.cast(Data, self._execute_module(name, module_args=options, task_vars=self._vars))

        host = self._vars["inventory_hostname"]
        planned = renewal_steps.plan(params, deployed, host, _SALT, run_module)
        renewal = planned.get("renewal")
        if renewal and renewal_rules.needs_given_key(renewal, deployed):
            mistakes = self._missing_key(params["private_key_path"])
            if mistakes:
                raise InvalidRequest(mistakes[0][1])
        return planned

    def _placeholder(self, **key: str) -> Data:
        """Deploy a self-signed certificate by the action certificate_deploy."""
        task = self._task.copy()
        task.action = "certops.issuance.certificate_deploy"
        task.args = dict(self._read(_PLACEHOLDER), placeholder=True, **key)
        action = self._shared_loader_obj.action_loader.get(
            task.action,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return t.cast(Data, action.run(task_vars=self._vars))

    # -- domain control validation ----------------------------------------------------

    def _dcv_settings(self, params: Data) -> Data | None:
        """What the host publishes for DCV, and how, or how it is looked for; None where neither is done.

        Raises:
            InvalidRequest: for variables that cannot be used.
        """
        names, provider = _role_dcv_steps.VARIABLES, params["provider"]
        looks = params["entry"] == "diagnose"
        if not looks and not any(self._vars.get(names[name]) for name in ("tasks", "webroot")):
            return None
        given = self._read(names)
        # Empty means that the order has none, and is not the same as not to know it.
        value = self._templar.template(self._vars.get(names["unique_value"]))
        if value is not None and value != self._vars.get("omit"):
            given["unique_value"] = value
        if looks:
            return _role_dcv_steps.read_look_settings(given, provider)
        settings = _role_dcv_steps.read_settings(given, provider, self._loader.path_dwim)
        if settings and settings["webroot"]:
            _role_dcv_steps.check_webroot(settings["webroot"], self._command, self._task.check_mode)
        return settings

    def _command(self, command: str) -> str:
        return str(self._low_level_execute_command(command)["stdout"])

    def _checksum(self, path: str) -> str | None:
        options = {"path": path, "follow": False, "get_mime": False, "get_attributes": False}
        found: Data = self._execute_module("ansible.builtin.stat", module_args=options, task_vars=self._vars)
        return (found.get("stat") or {}).get("checksum")

    def _renewed_request(self, request: Data) -> Data:
        """The request of a host of this account as it is after renew."""
        return renewal_rules.renewed_request(request, self._renewed_orders)

    @functools.cached_property
    def _renewed_orders(self) -> Data:
        """What renew has returned for the account of this host."""
        peers = role.peers_of(self._vars[_INPUTS]["request"], self._requests())
        return self._renewed(peers) or {"refused": {}, "requested": {}}

    def _dcv_steps(self) -> _role_dcv_steps.DcvSteps:
        return _role_dcv_steps.DcvSteps(
            host=self._vars["inventory_hostname"],
            variables=self._vars,
            operate=self._operate,
            published=self._published,
            renewed=self._renewed_request,
            checksum=self._checksum,
            show=show_progress,
            sleep=sleep_for(os.getppid()),
            environment=self._environment(),
            check_mode=self._task.check_mode,
        )

    def _dcv(self) -> Data:
        """A step of what the host does for DCV."""
        try:
            found = self._dcv_steps().run(self._given["dcv"])
        except InvalidRequest as exc:
            found = {"failed": True, "error_kind": exc.kind, "msg": exc.message}
        if found.get("failed"):
            inputs = self._vars.get(_INPUTS) or {}
            return _failure(found.get("error_kind"), found["msg"], inputs)
        return found

    # -- asking ---------------------------------------------------------------------

    def _lead(self) -> Data:
        """Where this host is the first of its account, ask for all hosts of the batch that share it."""
        inputs = self._vars.get(_INPUTS) or {}
        request = inputs.get("request")
        if not request:
            return {"skipped": True}
        leader = role.leader_of(request, self._requests())
        if leader != request["host"]:
            return {"skipped": True, "leader": leader}
        peers = role.peers_of(request, self._requests()) or [request]
        renewed = self._renewed(peers) or self._request(inputs, peers)
        awaited = [peer for peer in peers if renewal_rules.is_awaited(peer, renewed)]
        peers = [renewal_rules.followed(peer, renewed) for peer in awaited]
        answer = self._ask(inputs, peers, renewed)
        if "orders" not in answer:
            # Nothing to ask for, or one that could not ask: each host then asks for itself.
            return dict(renewed, skipped=not renewed["changed"], leader=leader)
        warnings = [*renewed.get("warnings", ()), *answer.get("warnings", ())]
        answer.update(renewed, failed=False, leader=leader, asked=role.order_ids_of(peers), warnings=warnings)
        if request["entry"] == "main":
            superseded = self._superseded(peers, renewed)
            orders = {order["order_id"]: order for order in answer["orders"]}
            keys = role.shared_certificates(peers, orders, superseded)
            answer["superseded"] = superseded
            answer["certificates"] = [[key, self._certificate(key)] for key in keys]
        return dict(answer, requests_sent=self._requests_sent)

    def _renew(self) -> Data:
        """Where this host is the first of its account that publishes evidence, request the next certificates of all.

        The evidence is that of the reissue, so lead would be too late.
        """
        inputs = self._vars.get(_INPUTS) or {}
        request = inputs.get("request")
        if not request:
            return {"skipped": True}
        peers = role.peers_of(request, self._requests()) or [request]
        first = next((peer["host"] for peer in peers if peer.get("dcv")), request["host"])
        return self._request(inputs, peers) if first == request["host"] else {"skipped": True}

    def _renewed(self, peers: list[Data]) -> Data | None:
        """What renew has returned on one of these hosts; None where none of them publishes DCV evidence."""
        found = self._published((peer["host"] for peer in peers), _RENEWED)
        return next((one for one in found if "requested" in one), None)

    def _request(self, inputs: Data, peers: list[Data]) -> Data:
        """Request the next certificates of these hosts."""
        return renewal_steps.request_certificates(peers, inputs["provider"], self._operate)

    @staticmethod
    def _superseded(peers: list[Data], renewed: Data) -> Data:
        """The serial number that is to be replaced, by orders."""
        return role.superseded_serials(peers) | renewal_rules.superseded_serials(peers, renewed)

    def _requests(self) -> t.Iterator[Data]:
        """The requests of the hosts of this batch."""
        for inputs in self._published(self._vars["ansible_play_batch"], _INPUTS):
            if inputs.get("request"):
                yield inputs["request"]

    def _published(self, hosts: t.Iterable[str], name: str) -> t.Iterator[Data]:
        """A registered variable of each of these hosts that has it.

        Each look into hostvars puts all variables of a host together again, which for a thousand hosts that look at
        one another takes minutes. What is registered lies in a plain dictionary below it.
        """
        hostvars = self._vars["hostvars"]
        facts: t.Any = getattr(getattr(hostvars, "_variable_manager", None), "_nonpersistent_fact_cache", hostvars)
        for host in hosts:
            found = (facts.get(host) or {}).get(name)
            if found:
                yield found

    def _ask(self, inputs: Data, peers: list[Data], renewed: Data) -> Data:
        """Wait for orders, or ask once where they stand. Without orders nothing is asked, and nothing returned."""
        order_ids = role.order_ids_of(peers)
        if not order_ids:
            return {}
        if inputs["request"]["entry"] in role.LISTS:
            answer = self._operate(order_info, ORDER_INFO_OPTIONS, {"order_ids": order_ids})
            if inputs["request"]["entry"] == "diagnose":
                self._add_findings(peers, answer)
            return answer
        options: Data = {name: inputs[name] for name in ("timeout", "poll_interval") if inputs[name] is not None}
        options["order_ids"] = order_ids
        options["superseded_serial_number"] = list(self._superseded(peers, renewed).values())
        # What became of each order is judged for each host.
        options.update(on_timeout="return", on_failure="return")
        with self._dcv_steps().looking_again():
            return self._operate(order_wait, ORDER_WAIT_OPTIONS, options)

    def _add_findings(self, peers: list[Data], answer: Data) -> None:
        """Add to each open order what keeps its names from being validated."""
        found = _role_dcv_steps.find_obstacles(self._operate, peers, open_orders(answer.get("orders") or ()))
        for order in answer.get("orders") or ():
            order["dcv_findings"] = found.get(order["order_id"], [])

    def _certificate(self, key: list[t.Any]) -> Data:
        """The certificate of one key: from a host of an earlier batch, else from the provider."""
        for collected in self._published(self._vars["ansible_play_hosts_all"], _COLLECTED):
            if collected.get("key") == key:
                return collected
        _account, order_id, _serial, csr, superseded = key
        options = {"order_id": order_id, "csr": csr, "superseded_serial_number": superseded}
        return self._operate(order_certificate, ORDER_CERTIFICATE_OPTIONS, options)

    def _operate(self, operation: Operation, spec: Data, options: Data) -> Data:
        """Run an operation with the account of this host."""
        validation = ArgumentSpecValidator(spec).validate(self._account_options() | options)
        if validation.error_messages:
            raise AnsibleError("; ".join(validation.error_messages))
        found = self._run_here(operation, validation.validated_parameters)
        self._requests_sent += found.get("requests_sent", 0)
        return found

    # -- what becomes of it -----------------------------------------------------------

    def _take(self) -> Data:
        """Take the orders of this host from the leader's answer, or ask alone; judge them; have the certificate."""
        inputs = self._vars.get(_INPUTS) or {}
        request = inputs.get("request")
        if not request:
            why = inputs.get("msg") or "the inputs of the role were not read; run the role from its beginning"
            return _failure(inputs.get("error_kind"), why, inputs)
        answer, alone = self._answer(), False
        if not renewal_rules.is_requested(request, answer):
            answer, alone = self._request(inputs, [request]), True
        renewal = renewal_rules.outcome(inputs.get("renewal"), answer)
        if renewal.get("failed"):
            failure = _failure(renewal["error_kind"], renewal["msg"], inputs)
            return _with_details(failure, {"renewal": renewal["report"]})
        if renewal.get("deferred"):
            self._display.display(f"{request['host']}: {renewal['msg']}", stderr=True)
            return {"deferred": True, "msg": renewal["msg"], "renewal": renewal["report"]}
        request = renewal_rules.followed(request, answer)
        if not set(request["order_ids"]) <= set(answer.get("asked") or ()):
            answer, alone = dict(answer, **self._ask(inputs, [request], answer)), True
        if request["entry"] in role.LISTS:
            return {"orders": role.status_rows(request, answer, inputs["provider"]), "alone": alone}
        if answer.get("failed"):
            return _failure(answer.get("error_kind"), answer["msg"], inputs)
        orders = role.own_orders(request, answer.get("orders") or ())
        defer = inputs["on_timeout"] == "defer" or self._task.check_mode
        failures = role.judge(request, orders, defer)
        result: Data = {"orders": orders, "order": orders[0] if orders else {}, "alone": alone}
        if "report" in renewal:
            result["renewal"] = renewal["report"]
        result["deferred"] = bool(defer and role.timed_out(orders))
        if failures:
            return _with_details(dict(_failure(None, "", inputs), **role.one_failure(failures)), result)
        if result["deferred"]:
            result["msg"] = role.still_waited_for(orders, self._task.check_mode)
            self._display.display(f"{request['host']}: {result['msg']}", stderr=True)
        elif request["entry"] == "main":
            return self._with_certificate(inputs, request, answer, result, renewal)
        return result

    def _answer(self) -> Data:
        """The answer of the host that leads this one, as far as there is one."""
        leader = (self._vars.get(_ANSWER) or {}).get("leader")
        return next(self._published([leader], _ANSWER), {}) if leader else {}

    def _with_certificate(self, inputs: Data, request: Data, answer: Data, result: Data, renewal: Data) -> Data:
        """The result with the certificate to be deployed: that in service, one that the leader has, or a new one."""
        order, more = result["order"], {}
        bundle = renewal.get("installed")
        fresh = bool(bundle or (order and role.needs_certificate(request, order)))
        if not fresh:
            bundle = inputs["deployed"]
        elif bundle is None:
            superseded = (answer.get("superseded") or {}).get(role.orders_key(request), request["superseded"])
            key = role.certificate_key(request, order, superseded)
            shared = next((one for known, one in answer.get("certificates") or () if known == key), None)
            bundle = shared or self._certificate(key)
            if bundle.get("failed"):
                return _with_details(_failure(bundle.get("error_kind"), bundle["msg"], inputs), result)
            collected = dict(key=key, **{name: bundle[name] for name in ("certificate", "chain")})
            more = {"collected": collected, "requests_sent": self._requests_sent}
        result.update(renewal_rules.key_options(inputs.get("renewal"), fresh))
        warnings = [*renewal.get("warnings", ()), *bundle.get("warnings", ()), *self._coverage(inputs, order, bundle)]
        if warnings:
            more["warnings"] = warnings
        return dict(result, certificate=bundle["certificate"], chain=bundle["chain"], **more)

    @staticmethod
    def _coverage(inputs: Data, order: Data, certificate: Data) -> list[str]:
        return renewal_rules.coverage_ends(inputs.get("renewal"), order, certificate, datetime.now(timezone.utc))

    # -- names --------------------------------------------------------------------------

    def _names(self) -> Data:
        """Refuse variables that are nearly one of the known ones, or of the role."""
        wrong = role.misspelled(self._vars, self._given["known"])
        wrong.update(role.misspelled(self._vars, role.ROLE_VARIABLES, role.ROLE_FACTS))
        return _failure("invalid_request", role.spelling(wrong), {}) if wrong else {}


def _failure(kind: str | None, message: str, about: t.Mapping[str, t.Any]) -> Data:
    """A failed result as the fact certificate_failure has it."""
    about = {name: about.get(name) for name in ("order_id", "provider")}
    return dict(about, failed=True, error_kind=kind, msg=message)


def _with_details(failure: Data, result: Data) -> Data:
    """A failed result that Ansible shows without the whole orders, but for ansible-core 2.18.

    Below -vvv Ansible does not show the invocation. ansible-core 2.18 does not register it either.
    """
    return failure | ({"invocation": result} if _REGISTERS_INVOCATION else result)
