# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions of the order modules: where they run, what they see, and what they let out."""

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import action_loader, connection_loader
from ansible.template import Templar

from ansible_collections.certops.issuance.plugins.action import (
    order_certificate,
    order_dcv,
    order_dcv_info,
    order_info,
    order_reissue,
    order_wait,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import AuthenticationError
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import IssuedBundle, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.client import DigicertProvider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.plugins.plugin_utils import _order_action as order_action
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders import fakes

KEY = "hunter2-hunter2"
ISSUER = pki.Authority("Issuer", pki.Authority("Root"))
LEAF = ISSUER.issue("www.example.com")


class FakeProvider(fakes.FakeProvider):
    """Reports every order as issued, with the key that was used; or fails."""

    info = DigicertProvider.info
    keys: t.ClassVar[list[str | None]] = []
    failure: t.ClassVar[Exception | None] = None
    bundle = IssuedBundle(pki.pem(LEAF), (ISSUER.pem,))

    def answer(self, order_id: str) -> Order:
        self.keys.append(self.account.api_key)
        if self.failure is not None:
            raise self.failure
        return Order("digicert", order_id, Status.ISSUED, issued=True, reason=f"by {self.account.api_key}")


@pytest.fixture(autouse=True)
def provider(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setitem(PROVIDERS, "digicert", FakeProvider)  # type: ignore[misc]
    monkeypatch.setattr(FakeProvider, "keys", [])
    monkeypatch.setattr(FakeProvider, "failure", None)
    for variable in ("DIGICERT_API_KEY", "DIGICERT_API_URL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []

    def display(line: str, stderr: bool = False) -> None:
        # stdout may be a document that a callback prints.
        assert stderr
        lines.append(line)

    monkeypatch.setattr(order_action.display, "display", display)
    return lines


def make(name: str, arguments: dict[str, t.Any], transport: str = "local", **keywords: t.Any) -> t.Any:
    """The real action plugin for a real task over a real connection plugin."""
    loader = DataLoader()
    task = Task.load({f"certops.issuance.{name}": dict(arguments), **keywords}, loader=loader)
    context = PlayContext()
    return action_loader.get(
        f"certops.issuance.{name}",
        task=task,
        connection=connection_loader.get(transport, context),
        play_context=context,
        loader=loader,
        templar=Templar(loader),
        shared_loader_obj=None,
    )


def run(name: str = "order_info", transport: str = "local", **arguments: t.Any) -> dict[str, t.Any]:
    keywords = arguments.pop("keywords", {})
    arguments.setdefault("provider", "digicert")
    arguments.setdefault("order_id" if name == "order_certificate" else "order_ids", "1")
    return make(name, arguments, transport, **keywords).run(task_vars={})


# -- in process ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["order_info", "order_wait"])
def test_a_local_task_is_done_in_the_controllers_own_process(name: str, printed: list[str]) -> None:
    result = run(name, api_key=KEY)
    assert result["orders"][0]["issued"] is True
    assert not result.get("failed") and result["changed"] is False
    assert FakeProvider.keys == [KEY]


def test_a_certificate_is_collected_whole_though_the_password_occurs_in_it() -> None:
    for key in (KEY, "MII", "BEGIN"):
        result = run("order_certificate", api_key=key)
        assert (result["certificate"], result["chain"]) == (pki.pem(LEAF), ISSUER.pem)
        assert result["fullchain"] == pki.pem(LEAF) + ISSUER.pem


def test_progress_is_shown_while_it_happens(printed: list[str]) -> None:
    run("order_wait", api_key=KEY)
    assert len(printed) == 1 and printed[0].startswith("order 1 (digicert) issued; after ")


def test_a_fork_whose_ansible_was_killed_asks_no_more(printed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(self: FakeProvider, order_id: str) -> Order:
        self.keys.append(self.account.api_key)
        return Order("digicert", order_id, Status.VALIDATING)

    def sleep(seconds: float) -> None:
        # Its parent is gone when it wakes up, and another one has taken it over.
        monkeypatch.setattr(os, "getppid", lambda: 1)

    monkeypatch.setattr(FakeProvider, "answer", answer)
    monkeypatch.setattr(time, "sleep", sleep)
    with pytest.raises(AnsibleError, match="is gone"):
        run("order_wait", api_key=KEY, timeout=5)
    assert FakeProvider.keys == [KEY]


def test_only_a_wait_shows_progress(printed: list[str]) -> None:
    run("order_info", api_key=KEY)
    assert printed == []


def test_one_order_id_may_be_given_without_a_list() -> None:
    arguments = {"provider": "digicert", "api_key": KEY}
    for given in ({"order_id": 12345}, {"order_ids": "12345"}, {"order_ids": [12345]}):
        result = make("order_info", {**arguments, **given}).run(task_vars={})
        assert [order["order_id"] for order in result["orders"]] == ["12345"]


def test_the_environment_of_the_task_goes_before_that_of_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGICERT_API_KEY", "key-of-the-controller")
    run()
    run(keywords={"environment": [{"DIGICERT_API_KEY": "key-of-the-play"}, {"DIGICERT_API_KEY": "key-of-the-task"}]})
    run(keywords={"environment": {"SOMETHING": "else"}})
    assert FakeProvider.keys == ["key-of-the-controller", "key-of-the-task", "key-of-the-controller"]


def test_check_mode_asks_once(printed: list[str]) -> None:
    result = run("order_wait", api_key=KEY, keywords={"check_mode": True})
    assert result["polls"] == 1 and not result.get("failed")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"api_key": KEY, "request_timeout": "soon"}, "request_timeout"),
        ({"api_key": KEY, "provider": "nobody"}, "provider"),
        ({"api_key": KEY, "pasword": KEY}, "pasword"),
        # The value of one option in the place of another's.
        ({"api_key": KEY, "provider": KEY}, "provider"),
        ({"api_key": KEY, "id_type": KEY}, "id_type"),
        ({"api_key": [KEY], "validate_certs": KEY}, "validate_certs"),
        ({"proxy": "http://joe:" + KEY + "@proxy", "request_timeout": KEY}, "request_timeout"),
        ({}, "DIGICERT_API_KEY"),
    ],
)
def test_a_wrong_question_is_a_failure_with_a_kind(arguments: dict[str, t.Any], expected: str) -> None:
    result = run(**arguments)
    assert (result["failed"], result["error_kind"]) == (True, "invalid_request")
    assert expected in result["msg"]
    assert "ansible_collections" not in result["msg"]
    assert KEY not in json.dumps(result)
    assert FakeProvider.keys == []


def test_a_reissue_with_a_wrong_option_says_that_nothing_was_sent() -> None:
    for wrong in ({"csrs": "x"}, {"csr": "x", "order_id": "1", "on_foreign": "steal"}):
        result = make("order_reissue", {"provider": "digicert", **wrong}).run(task_vars={})
        assert (result["error_kind"], result["sent"], result["action"]) == ("invalid_request", "false", "none"), result
    assert "sent" not in make("order_info", {"provider": "digicert", "ids": "1"}).run(task_vars={})


def test_no_secret_is_in_a_result_or_a_line(printed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGICERT_API_KEY", KEY)
    for failure in (None, AuthenticationError(f"{KEY} was refused")):
        monkeypatch.setattr(FakeProvider, "failure", failure)
        for name in ("order_info", "order_wait", "order_certificate"):
            for arguments in ({}, {"api_key": KEY}):
                result = run(name, **arguments)
                assert bool(result.get("failed")) is (failure is not None)
                assert KEY not in json.dumps(result)
    assert printed and KEY not in "\n".join(printed)


def test_a_defect_of_ours_is_reported_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeProvider, "failure", KeyError(f"no such field in {KEY}"))
    with pytest.raises(AnsibleError) as caught:
        run(api_key=KEY)
    assert "KeyError" in str(caught.value) and KEY not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_the_source_of_a_task_that_ansible_may_quote_holds_no_secret() -> None:
    action = make("order_info", {"provider": "digicert", "order_ids": "1", "api_key": KEY})
    action._task._ds = {
        "action": "certops.issuance.order_info",
        "args": {"api_key": KEY, "proxy": KEY, "provider": "x"},
    }
    action.run(task_vars={})
    assert KEY not in str(action._task.get_ds())
    assert action._task.get_ds()["args"]["provider"] == "x"


SECRET_ENVIRONMENT = [{"DIGICERT_API_KEY": KEY, "SECTIGO_PASSWORD": KEY, "LANG": "C"}, {}]


@pytest.mark.parametrize("failure", [None, AuthenticationError("refused"), KeyError("defect")])
def test_callbacks_find_no_secret_in_the_fields_of_a_task_that_was_run(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    monkeypatch.setattr(FakeProvider, "failure", failure)
    arguments = {"provider": "digicert", "order_ids": "1", "api_key": KEY, "proxy": f"http://joe:{KEY}@proxy"}
    action = make("order_info", arguments, environment=SECRET_ENVIRONMENT)
    for _attempt in range(2):
        with contextlib.suppress(AnsibleError):
            action.run(task_vars={})
        fields = action._task.dump_attrs()
        assert KEY not in str(fields)
        assert (fields["args"]["order_ids"], fields["environment"][0]["LANG"]) == ("1", "C")
    # Each attempt of a task with until had the key all the same.
    assert FakeProvider.keys == [KEY, KEY]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"order": "1"}, "order_info has no option order; did you mean order_ids?"),
        ({"order_id": "1", "order_ids": ["2"]}, "order_ids and order_id are one option under two names"),
    ],
)
@pytest.mark.parametrize("transport", ["local", "ssh"])
def test_options_that_are_nearly_right_are_refused_wherever_the_task_runs(
    transport: str, arguments: dict[str, t.Any], expected: str
) -> None:
    result = make("order_info", {"provider": "digicert", "api_key": KEY, **arguments}, transport).run(task_vars={})
    assert (result["failed"], result["error_kind"]) == (True, "invalid_request")
    assert expected in result["msg"]
    assert FakeProvider.keys == []


def test_one_order_may_be_given_to_order_certificate_as_order_ids() -> None:
    for given in ({"order_id": 1}, {"order_ids": ["1"]}):
        assert "certificate" in make("order_certificate", {"provider": "digicert", "api_key": KEY, **given}).run(
            task_vars={}
        )


# -- elsewhere ----------------------------------------------------------------


@pytest.mark.parametrize(("transport", "keywords"), [("ssh", {}), ("local", {"async": 60, "poll": 5})])
def test_elsewhere_the_module_of_the_same_name_is_run(
    monkeypatch: pytest.MonkeyPatch, transport: str, keywords: dict[str, t.Any]
) -> None:
    calls: list[dict[str, t.Any]] = []

    def execute(self: t.Any, **options: t.Any) -> dict[str, t.Any]:
        calls.append(options)
        return {"orders": ["from there"]}

    monkeypatch.setattr(order_action.OrderActionBase, "_execute_module", execute)
    result = run(transport=transport, api_key=KEY, keywords=keywords)
    assert result == {"orders": ["from there"]}
    assert len(calls) == 1 and bool(calls[0]["wrap_async"]) is bool(keywords)
    assert FakeProvider.keys == []


def test_an_empty_key_does_not_become_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGICERT_API_KEY", KEY)
    assert run(api_key="")["error_kind"] == "invalid_request"
    calls: list[dict[str, t.Any]] = []

    def execute(self: t.Any, **options: t.Any) -> dict[str, t.Any]:
        calls.append(options["module_args"])
        return {}

    monkeypatch.setattr(order_action.OrderActionBase, "_execute_module", execute)
    run(transport="ssh", api_key="", keywords={"environment": SECRET_ENVIRONMENT})
    assert calls[0]["api_key"] == ""
    assert FakeProvider.keys == []


# -- one set of options -------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "name"),
    [
        (order_info, "order_info"),
        (order_wait, "order_wait"),
        (order_certificate, "order_certificate"),
        (order_dcv, "order_dcv"),
        (order_dcv_info, "order_dcv_info"),
        (order_reissue, "order_reissue"),
    ],
)
def test_action_module_and_documentation_have_the_same_options(plugin: t.Any, name: str) -> None:
    module = __import__(f"ansible_collections.certops.issuance.plugins.modules.{name}", fromlist=["DOCUMENTATION"])
    fragment = __import__(
        "ansible_collections.certops.issuance.plugins.doc_fragments.account", fromlist=["ModuleDocFragment"]
    )
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    documented.update(yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"])
    spec = plugin.ActionModule.argument_spec
    assert set(documented) == set(spec)
    operation = plugin.ActionModule.operation
    assert getattr(operation, "func", operation) is getattr(plugin, name)
    for option, rules in spec.items():
        for field in ("type", "default", "elements", "choices", "aliases"):
            assert documented[option].get(field) == rules.get(field), (option, field)
        assert bool(documented[option].get("required")) is bool(rules.get("required"))


def test_every_credential_is_no_log() -> None:
    for spec in (
        order_info.ORDER_INFO_OPTIONS,
        order_wait.ORDER_WAIT_OPTIONS,
        order_certificate.ORDER_CERTIFICATE_OPTIONS,
        order_dcv.ORDER_DCV_OPTIONS,
        order_dcv_info.ORDER_DCV_INFO_OPTIONS,
        order_reissue.ORDER_REISSUE_OPTIONS,
    ):
        assert {name for name, rules in spec.items() if rules.get("no_log")} == {"api_key", "password"}
