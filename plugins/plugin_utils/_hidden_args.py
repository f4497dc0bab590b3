# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping secret options of a task out of what Ansible prints or hands out where its no_log does not reach."""

from __future__ import annotations

import contextlib
import typing as t
import weakref

from ansible.playbook.task import Task

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import ACCOUNT_OPTIONS, proxy_secrets
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import HIDDEN, Redactor


class HiddenArguments(dict[str, t.Any]):
    """The arguments of a module, without a text: with ANSIBLE_DEBUG, Ansible prints those of every module it ran."""

    def __repr__(self) -> str:
        return "(arguments not shown)"

    __str__ = __repr__


def hide_source(task: Task, secret: t.Container[str]) -> None:
    """Keep Ansible from quoting secret options: beside a failure it shows how an ad-hoc task was written."""
    source = task.get_ds()
    if isinstance(source, dict) and isinstance(source.get("args"), dict):
        source["args"] = {name: HIDDEN if name in secret else value for name, value in source["args"].items()}


@contextlib.contextmanager
def masked_afterwards(
    task: Task, secret: t.Container[str], variables: t.Container[str] = frozenset()
) -> t.Iterator[None]:
    """Mask secret options and environment variables of a task when its run is over.

    Callbacks get the fields of a task together with its result, and some store them. The next attempt of a task with
    ``until`` finds the values as they were.

    Arguments:
        secret: names of options.
        variables: names of environment variables.
    """
    task.args, task.environment = _given.setdefault(task, (task.args, task.environment))
    try:
        yield
    finally:
        task.args = _mask(task.args, secret)
        if isinstance(task.environment, list):
            task.environment = [_mask(layer, variables) for layer in task.environment]
        else:
            task.environment = _mask(task.environment, variables)


#: What was masked, by task.
_given: weakref.WeakKeyDictionary[Task, tuple[t.Any, t.Any]] = weakref.WeakKeyDictionary()


def _mask(values: t.Any, secret: t.Container[str]) -> t.Any:
    if not isinstance(values, dict):
        return values
    return {name: HIDDEN if name in secret and value else value for name, value in values.items()}


def redactor_for(options: t.Mapping[str, t.Any]) -> Redactor:
    """Knows the secrets among account options that are not validated yet, and so may be of any type."""
    redactor = Redactor(proxy_secrets(str(options.get("proxy") or "")))
    for name, option in ACCOUNT_OPTIONS.items():
        for text in _texts(options.get(name)) if option.get("no_log") else ():
            redactor.learn(text)
    return redactor


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, (dict, list, tuple)):
        for item in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
