# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module certificate_deploy where the task points.

Here on the controller, it keeps the private key and the keystore's password out of what Ansible prints, keeps a command
that stands alone whole, and makes A-labels of internationalized names: targets have no more than an older codec for
that.
"""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.certops.issuance.plugins.plugin_utils._ascii_names import ascii_names, ascii_or_same
from ansible_collections.certops.issuance.plugins.plugin_utils._hidden_args import (
    HiddenArguments,
    hide_source,
    masked_afterwards,
)

_SECRETS = {"private_key", "pkcs12_password"}


class ActionModule(ActionBase):
    """See the module certificate_deploy."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the module returned."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        misplaced = {name for name, value in self._task.args.items() if name != "private_key" and _holds_key(value)}
        with masked_afterwards(self._task, _SECRETS | misplaced):
            hide_source(self._task, _SECRETS | misplaced)
            result.update(self._run(misplaced, task_vars))
        return result

    def _run(self, misplaced: set[str], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        if misplaced:
            return {
                "failed": True,
                "msg": f"A private key stands in {', '.join(sorted(misplaced))}; give it as private_key, or the path "
                "of its file on the target as private_key_path",
                "error_kind": "invalid_key",
                "rolled_back": False,
                "recovered": False,
            }
        arguments = HiddenArguments(_with_whole_commands(_with_ascii_names(self._task.args)))
        result = self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val)
        return t.cast("dict[str, t.Any]", result)


def _holds_key(value: object) -> bool:
    """Whether an option that Ansible shows holds a private key."""
    return isinstance(value, str) and "PRIVATE KEY-----" in value


def _with_ascii_names(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The arguments with A-labels in names and probes; what is no name is left for the module to refuse."""
    found = dict(arguments)
    if "names" in found:
        found["names"] = ascii_names(found["names"])
    if isinstance(found.get("probes"), list):
        found["probes"] = [_probe(item) for item in found["probes"]]
    return found


def _with_whole_commands(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    """The arguments with a command that stands alone as a list of one: Ansible would split it at its commas."""
    for option in ("validate_commands", "reload_commands"):
        if isinstance(arguments.get(option), str):
            arguments[option] = [arguments[option]]
    return arguments


def _probe(item: object) -> object:
    if not isinstance(item, dict):
        return item
    return {key: ascii_or_same(value) if key in ("host", "server_name") else value for key, value in item.items()}
