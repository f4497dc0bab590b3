# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping the options of a task out of what Ansible prints on the controller, where its no_log does not reach."""

from __future__ import annotations

import typing as t

from ansible.playbook.task import Task

from ansible_collections.certops.issuance.plugins.module_utils._orders.redaction import HIDDEN


class UnseenArguments(dict[str, t.Any]):
    """The arguments of a module, without a text: with ANSIBLE_DEBUG, Ansible prints those of every module it ran."""

    def __repr__(self) -> str:
        return "(arguments not shown)"

    __str__ = __repr__


def hide_source(task: Task, secret: t.Container[str]) -> None:
    """Keep Ansible from quoting secret options: beside a failure it shows how an ad-hoc task was written."""
    source = task.get_ds()
    if isinstance(source, dict) and isinstance(source.get("args"), dict):
        source["args"] = {name: HIDDEN if name in secret else value for name, value in source["args"].items()}
