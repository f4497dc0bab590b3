# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what became of each task on each host as lines of JSON, for scenarios.py to read."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: record
type: notification
short_description: Write the results of a run as lines of JSON
description: For the tests of this collection. Writes to the file that E(RECORD_FILE) names.
"""


class CallbackModule(CallbackBase):
    """See above."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"

    def _record(self, status: str, result: t.Any) -> None:
        if "RECORD_FILE" not in os.environ:
            return
        # Public names from ansible-core 2.19 on.
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        facts = getattr(result, "result", None) or result._result
        line = {
            "host": host.name,
            "action": task.action,
            "name": task.get_name(),
            "status": status,
            "changed": bool(facts.get("changed")),
            "msg": str(facts.get("msg", "")),
            "result": {name: facts[name] for name in ("orders", "reasons", "serial_number") if name in facts},
        }
        with open(os.environ["RECORD_FILE"], "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Record a task that ended well."""
        self._record("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """Record a task that failed."""
        self._record("failed", result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """Record a task that was skipped."""
        self._record("skipped", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """Record a host that could not be reached."""
        self._record("unreachable", result)
