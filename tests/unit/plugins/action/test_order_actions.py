# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions of the order modules: where they run, what they see, and what they let out."""

from __future__ import annotations

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

from ansible_collections.certops.issuance.plugins.action import order_certificate, order_info, order_wait
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import AuthenticationError
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import IssuedBundle, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations import operations
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import Provider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.client import DigicertProvider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.plugins.plugin_utils import _order_action as order_action
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

KEY = "hunter2-hunter2"
ISSUER = pki.Authority("Issuer", pki.Authority("Root"))
LEAF = ISSUER.issue("www.example.com")


class FakeProvider(Provider):
    """Says of every order that it is issued, and in passing the key it was asked with; or fails."""

    info = DigicertProvider.info
    keys: t.ClassVar[list[str | None]] = []
    failure: t.ClassVar[Exception | None] = None

    def fetch_order(self, order_id: str) -> Order:
        self.keys.append(self.account.api_key)
        if self.failure is not None:
            raise self.failure
        return Order("digicert", order_id, Status.ISSUED, issued=True, reason=f"by {self.account.api_key}")

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        return IssuedBundle(pki.pem(LEAF), (ISSUER.pem,))

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, t.Any]:
        return {}


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
    monkeypatch.setattr(order_action.display, "display", lambda line, *_more, **_options: lines.append(str(line)))
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
    def fetch_order(self: FakeProvider, order_id: str) -> Order:
        self.keys.append(self.account.api_key)
        return Order("digicert", order_id, Status.VALIDATING)

    def sleep(seconds: float) -> None:
        # Its parent is gone when it wakes up, and another one has taken it over.
        monkeypatch.setattr(os, "getppid", lambda: 1)

    monkeypatch.setattr(FakeProvider, "fetch_order", fetch_order)
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
    ("arguments", "said"),
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
def test_a_wrong_question_is_a_failure_with_a_kind(arguments: dict[str, t.Any], said: str) -> None:
    result = run(**arguments)
    assert (result["failed"], result["error_kind"]) == (True, "invalid_request")
    assert said in result["msg"]
    assert "ansible_collections" not in result["msg"]
    assert KEY not in json.dumps(result)
    assert FakeProvider.keys == []


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


def test_a_defect_of_ours_is_told_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
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
    # What the task was given is still there for a retry.
    assert action._task.args["api_key"] == KEY


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


# -- one set of options -------------------------------------------------------


@pytest.mark.parametrize(
    ("plugin", "name"),
    [(order_info, "order_info"), (order_wait, "order_wait"), (order_certificate, "order_certificate")],
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
    assert plugin.ActionModule.operation is getattr(operations, name)
    for option, rules in spec.items():
        for field in ("type", "default", "elements", "choices", "aliases"):
            assert documented[option].get(field) == rules.get(field), (option, field)
        assert bool(documented[option].get("required")) is bool(rules.get("required"))


def test_every_credential_is_no_log() -> None:
    for spec in (operations.ORDER_INFO_OPTIONS, operations.ORDER_WAIT_OPTIONS, operations.ORDER_CERTIFICATE_OPTIONS):
        assert {name for name, rules in spec.items() if rules.get("no_log")} == {"api_key", "password"}
