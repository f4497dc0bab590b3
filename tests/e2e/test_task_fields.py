# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What callbacks get beside a result: the fields of the task, which some of them store. No secret is in them."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_runs import run_playbook
from sandbox.client import Sandbox

KEY = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0IGtleQ==\n-----END PRIVATE KEY-----\n"

#: Stores the fields of every task that was run, attempts of a task with until included.
CALLBACK = """
import json, os
from ansible.plugins.callback import CallbackBase
DOCUMENTATION = 'name: fields\\ntype: notification\\nshort_description: fields\\ndescription: [fields]\\n'
class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = 'notification'
    CALLBACK_NAME = 'fields'
    def _store(self, result, *more, **options):
        with open(os.environ['FIELDS_FILE'], 'a') as file:
            fields = result._task_fields
            file.write(json.dumps([str(fields['name']), str(fields['args']), str(fields)]) + chr(10))
    v2_runner_on_ok = v2_runner_on_failed = v2_runner_retry = v2_runner_item_on_ok = v2_runner_item_on_failed = _store
"""


def _tasks(options: dict[str, t.Any], order_id: str, folder: Path) -> list[dict[str, t.Any]]:
    account = dict(options, provider="digicert")
    # As from a vault: what stands in the play itself is no secret that a run could keep.
    key = "{{ lookup('ansible.builtin.env', 'THE_API_KEY') }}"
    del account["api_key"]
    module = "certops.issuance.order_info"
    return [
        {"name": "option", module: dict(account, api_key=key, order_id=order_id)},
        {"name": "environment", module: dict(account, order_id=order_id), "environment": {"DIGICERT_API_KEY": key}},
        {
            "name": "until",
            module: dict(account, api_key=key, order_id=order_id),
            "register": "answer",
            "until": "answer.attempts == 3",
            "retries": 3,
            "delay": 0,
        },
        {
            "name": "loop",
            module: dict(account, api_key=key, order_id="{{ item }}"),
            "loop": [order_id, order_id],
        },
        {"name": "async", module: dict(account, api_key=key, order_id=order_id), "async": 60, "poll": 1},
        {
            "name": "deploy",
            "certops.issuance.certificate_deploy": {
                "path": str(folder / "lineage"),
                "private_key": "{{ lookup('ansible.builtin.env', 'THE_PRIVATE_KEY') }}",
                "names": ["a"],
            },
            "ignore_errors": True,
        },
    ]


def test_no_secret_is_in_the_fields_of_a_task_that_was_run(sandbox: Sandbox, folder: Path) -> None:
    order_id = sandbox.order("digicert", ["www.example.org"], "stuck_dcv")["order_id"]
    options = sandbox.options("digicert")
    callbacks = folder / "callbacks"
    callbacks.mkdir()
    (callbacks / "fields.py").write_text(CALLBACK, encoding="utf-8")
    record = folder / "fields.jsonl"
    play = [{"hosts": "all", "gather_facts": False, "tasks": _tasks(options, order_id, folder)}]
    environment = {
        "ANSIBLE_CALLBACK_PLUGINS": f"{callbacks}:{Path(__file__).with_name('callback_plugins')}",
        "ANSIBLE_CALLBACKS_ENABLED": "record,fields",
        "FIELDS_FILE": str(record),
        "ANSIBLE_ASYNC_DIR": str(folder / "async"),
        "THE_API_KEY": options["api_key"],
        "THE_PRIVATE_KEY": KEY,
    }
    run = run_playbook(play, folder, environment=environment)
    assert run.code == 0, run.output
    text = record.read_text(encoding="utf-8")
    for name, least in (("option", 1), ("environment", 1), ("until", 3), ("loop", 2), ("async", 1), ("deploy", 1)):
        assert text.count(f'["{name}"') >= least, name
    for secret in (options["api_key"], "c2VjcmV0IGtleQ"):
        assert [line[:400] for line in text.splitlines() if secret in line] == []
    # What is no secret is there as it was.
    assert order_id in text
