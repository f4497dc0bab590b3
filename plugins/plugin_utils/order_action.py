# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of the order modules share: running the operation in the controller's own process.

Where the connection of the task is local and async is not asked for, there is nothing to transfer: the controller's
Python does the work, progress is shown while it happens, and become is of no use. Everywhere else (a bastion by
delegate_to, async) the module of the same name runs where the task points.
"""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations import Operation, Runtime, perform
from ansible_collections.certops.issuance.plugins.module_utils._orders.redaction import HIDDEN

display = Display()


class OrderActionBase(ActionBase):
    """Runs one operation; a subclass names it and its options."""

    operation: t.ClassVar[Operation]
    argument_spec: t.ClassVar[t.Mapping[str, t.Any]]

    _supports_check_mode = True
    _supports_async = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the result of the task, without any secret in it."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        self._hide_source()
        if self._task.async_val or self._connection.transport != "local":
            result.update(self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val))
            return result
        try:
            _validation, params = self.validate_argument_spec(dict(self.argument_spec))
        except AnsibleError as exc:
            result.update(failed=True, msg=str(exc), error_kind="invalid_request")
            return result
        runtime = Runtime(
            environment=self._environment(),
            check_mode=self._task.check_mode,
            report=display.display,
            verbosity=display.verbosity,
        )
        try:
            found = perform(type(self).operation, params, runtime)
        except Exception as exc:
            # A defect of ours. Its text may quote an option, so it does not go on as it is.
            secrets = runtime.redactor.secrets
            raise AnsibleError(remove_values(f"{type(exc).__name__}: {exc}", secrets)) from None
        # Ansible takes secrets out of what modules return, but not out of what actions return.
        pems = {name: found.pop(name) for name in ("certificate", "chain", "fullchain") if name in found}
        result.update(remove_values(found, runtime.redactor.secrets))
        result.update(pems)
        return result

    def _hide_source(self) -> None:
        """Keep Ansible from quoting credentials: beside a failure it shows how an ad-hoc task was written."""
        source = self._task.get_ds()
        if isinstance(source, dict) and isinstance(source.get("args"), dict):
            secret = {name for name, option in self.argument_spec.items() if option.get("no_log") or name == "proxy"}
            args = source["args"]
            source["args"] = {name: HIDDEN if name in secret else value for name, value in args.items()}

    def _environment(self) -> dict[str, str]:
        """The controller's environment with the task's own on top."""
        merged = dict(os.environ)
        for layer in self._task.environment or []:
            values = self._templar.template(layer)
            if isinstance(values, dict):
                merged.update({str(name): str(value) for name, value in values.items()})
        return merged
