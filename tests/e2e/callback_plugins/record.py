# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes every result as it reaches callbacks to the file named by RECORD_FILE, one JSON object a line."""

from __future__ import annotations

DOCUMENTATION = """
name: record
type: aggregate
short_description: Every result in a file
description: For callbacks of any make, results are what they get; so that is what is searched.
author: certops.issuance contributors
"""

import json
import os
import typing as t

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"

    def _write(self, kind: str, result: t.Any) -> None:
        # Public names from ansible-core 2.19 on.
        task = getattr(result, "task", None) or result._task
        host = getattr(result, "host", None) or result._host
        found = getattr(result, "result", None) or result._result
        line = {"host": host.name, "kind": kind, "task": task.get_name(), "action": task.action, "result": found}
        with open(os.environ["RECORD_FILE"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, default=str) + "\n")

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """A task went well."""
        self._write("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        """A task failed."""
        self._write("failed", result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        """A task was skipped."""
        self._write("skipped", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        """A host was not reached."""
        self._write("unreachable", result)
