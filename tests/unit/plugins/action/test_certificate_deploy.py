# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action of certificate_deploy hands to the module, and what it does not."""

from __future__ import annotations

import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import action_loader, connection_loader
from ansible.template import Templar

from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

ACTION = "certops.issuance.certificate_deploy"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., tuple[dict[str, t.Any], dict[str, t.Any] | None]]:
    """Runs the action; returns its result and what the module was given."""
    given: list[dict[str, t.Any]] = []

    def execute_module(_action: t.Any, module_args: dict[str, t.Any], **_options: t.Any) -> dict[str, t.Any]:
        given.append(dict(module_args))
        return {"changed": False}

    monkeypatch.setattr(ActionBase, "_execute_module", execute_module)

    def run_action(**arguments: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any] | None]:
        loader = DataLoader()
        task = Task.load({ACTION: arguments}, loader=loader)
        context = PlayContext()
        action = action_loader.get(
            ACTION,
            task=task,
            connection=connection_loader.get("local", context),
            play_context=context,
            loader=loader,
            templar=Templar(loader),
            shared_loader_obj=None,
        )
        result = action.run(task_vars={})
        return result, given[-1] if given else None

    return run_action


# IDNA 2008 keeps sharp s and the final sigma apart, the codec of Python's standard library does not.
@pytest.mark.parametrize(
    "name, label",
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("βόλος.example", "xn--nxasmm1c.example"),
        ("www.Example.com", "www.Example.com"),
        ("192.0.2.7", "192.0.2.7"),
        ("ü..example", "ü..example"),
    ],
)
def test_names_become_a_labels_on_the_controller(run: t.Any, name: str, label: str) -> None:
    _result, given = run(names=[name], probes=[{"host": name, "server_name": name, "port": 443}, "port=25"])
    assert given["names"] == [label]
    assert given["probes"] == [{"host": label, "server_name": label, "port": 443}, "port=25"]


def test_names_as_one_text(run: t.Any) -> None:
    _result, given = run(names="straße.example,www.example.com")
    assert given["names"] == ["xn--strae-oqa.example", "www.example.com"]


def test_command_that_stands_alone(run: t.Any) -> None:
    _result, given = run(reload_commands="install -o a,b file", validate_commands=["nginx -t"])
    assert given == {"reload_commands": ["install -o a,b file"], "validate_commands": ["nginx -t"]}


def test_names_without_the_library(run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "HAS_IDNA", False)
    _result, given = run(names=["bücher.example"])
    assert given["names"] == ["xn--bcher-kva.example"]


def test_options_that_are_not_there_stay_away(run: t.Any) -> None:
    assert run(path="/etc/ssl/x")[1] == {"path": "/etc/ssl/x"}


@pytest.mark.parametrize("option", ["certificate", "chain", "private_key_path", "ca_path"])
def test_key_in_an_option_that_is_shown(run: t.Any, option: str) -> None:
    key = pki.key_pem(pki.make_key(), traditional=True)
    result, given = run(private_key=key, **{option: key})
    assert given is None
    assert (result["failed"], result["error_kind"]) == (True, "invalid_key")
    assert f"A private key stands in {option};" in result["msg"]
    assert key.splitlines()[1] not in repr(result)
    assert run(private_key=key)[1] == {"private_key": key}
