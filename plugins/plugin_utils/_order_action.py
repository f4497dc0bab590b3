# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of the order modules share: running the operation in the controller's own process.

Where the connection of the task is local and async is not asked for, there is nothing to transfer: the controller's
Python does the work, progress is shown while it happens, and become is of no use. Everywhere else (a bastion by
delegate_to, async) the module of the same name runs where the task points.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import (
    Operation,
    Runtime,
    check_option_names,
    perform,
    untouched_result,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.plugins.plugin_utils._hidden_args import (
    HiddenArguments,
    hide_source,
    masked_afterwards,
    redactor_for,
)

display = Display()

#: How Ansible's messages begin the name of one of our actions.
_PACKAGE = "ansible_collections.certops.issuance.plugins.action."


def sleep_for(parent: int) -> t.Callable[[float], None]:
    """Pauses, and raises AnsibleError where this fork has been left behind: Ansible was killed, and nobody waits."""

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if os.getppid() != parent:
            raise AnsibleError("the run of Ansible that this task belongs to is gone")

    return sleep


def show_progress(line: str) -> None:
    """Show a line of progress at once. Not on stdout, which may be a document, and is not flushed through a pipe."""
    display.display(line, stderr=True)


def secret_variables(secret: t.Container[str]) -> frozenset[str]:
    """The environment variables of all providers that hold secrets."""
    return frozenset(
        variable
        for provider in PROVIDERS.values()
        for option, variables in provider.info.environment.items()
        if option in secret
        for variable in variables
    )


class OrderActionBase(ActionBase):
    """Runs one operation; a subclass names it and its options."""

    operation: Operation
    argument_spec: t.ClassVar[t.Mapping[str, t.Any]]

    _supports_check_mode = True
    _supports_async = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the result of the task, without any secret in it."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        secret = {name for name, option in self.argument_spec.items() if option.get("no_log")}
        with masked_afterwards(self._task, secret | {"proxy"}, secret_variables(secret)):
            hide_source(self._task, secret | {"proxy"})
            result.update(self._run(secret, task_vars))
        return result

    def _run(self, secret: t.Container[str], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        try:
            check_option_names(self._task.args, self.argument_spec, self._task.action.rpartition(".")[2])
            if self._task.async_val or self._connection.transport != "local":
                return self._run_module(secret, task_vars)
            _validation, params = self.validate_argument_spec(dict(self.argument_spec))
        except (AnsibleError, InvalidRequest) as exc:
            # It quotes what it was given, and a secret may stand where it does not belong.
            message = redactor_for(self._task.args).scrub(str(exc)).replace(_PACKAGE, "certops.issuance.")
            failure = {"failed": True, "msg": message, "error_kind": "invalid_request"}
            return {**untouched_result(type(self).operation, "invalid_request"), **failure}
        return self._run_here(type(self).operation, params)

    def _run_here(self, operation: Operation, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Run an operation in this process, with the task's environment; its result, without any secret in it.

        Raises:
            AnsibleError: for a defect of ours, and where the run of Ansible is gone.
        """
        runtime = Runtime(
            environment=self._environment(),
            check_mode=self._task.check_mode,
            report=show_progress,
            verbosity=display.verbosity,
            sleep=sleep_for(os.getppid()),
        )
        try:
            return perform(operation, params, runtime)
        except Exception as exc:
            # A defect of ours. Its text may quote an option, so it does not go on as it is.
            raise AnsibleError(runtime.redactor.scrub(f"{type(exc).__name__}: {exc}")) from None

    def _run_module(self, secret: t.Container[str], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        """Run the module where the task points. Credentials of the task's environment travel as options.

        Ansible writes the environment of a task on a command line, for everybody there to read.
        """
        arguments = HiddenArguments(self._task.args)
        environment = self._task_environment()
        # A secret that is given as an option goes before any of the environment; an empty one is an error there.
        given = {name for name, value in arguments.items() if value is not None} & set(self.argument_spec)
        chosen = any(name in secret for name in given)
        for provider in PROVIDERS.values():
            for option, variables in provider.info.environment.items():
                found = [environment.pop(variable) for variable in variables if variable in environment]
                wanted = provider.info.name == arguments.get("provider") and option not in given
                if wanted and not (chosen and option in secret):
                    arguments.update([(option, value) for value in reversed(found) if value])
        written, self._task.environment = self._task.environment, [environment]
        try:
            result = self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val)
        finally:
            self._task.environment = written
        return t.cast("dict[str, t.Any]", result)

    def _environment(self) -> dict[str, str]:
        """The controller's environment with the task's own on top."""
        return {**os.environ, **self._task_environment()}

    def _task_environment(self) -> dict[str, str]:
        """What the task and all around it say under environment."""
        merged: dict[str, str] = {}
        for layer in self._task.environment or []:
            values = self._templar.template(layer)
            if isinstance(values, dict):
                merged.update({str(name): str(value) for name, value in values.items()})
        return merged
