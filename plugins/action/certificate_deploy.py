# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module certificate_deploy where the task points, and keeps its private key out of what Ansible prints."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.certops.issuance.plugins.plugin_utils.unseen import UnseenArguments, hide_source


class ActionModule(ActionBase):
    """See the module certificate_deploy."""

    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what the module returned."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        hide_source(self._task, {"private_key"})
        arguments = UnseenArguments(self._task.args)
        result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val))
        return result
