# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Uses an installed tarball under ansible-runner, at one place and split up as on an automation mesh.

``runner.py TARBALL``, under nox. The same play, which asks the sandbox for an order and waits
for it, runs once with ``ansible-runner run`` and once through ``transmit | worker | process``.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t

_TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_TESTS))

from sandbox.client import Sandbox

_PLAY = """
- name: Follow an order
  hosts: localhost
  connection: local
  gather_facts: false
  module_defaults:
    group/certops.issuance.providers: "{{ account }}"
  tasks:
    - name: Look at the order
      certops.issuance.order_info:
        order_id: "{{ order_to_follow }}"
    - name: Wait for the order
      certops.issuance.order_wait:
        order_id: "{{ order_to_follow }}"
        timeout: 60
"""


class Broken(Exception):
    """The collection does not run under ansible-runner as it should; the text says how."""


def _prepare(folder: pathlib.Path, sandbox: Sandbox, order: str) -> None:
    """Write what ansible-runner calls a private data directory."""
    variables = {"account": sandbox.options("digicert"), "order_to_follow": order}
    files = {
        "project/play.yml": _PLAY,
        "inventory/hosts": f"localhost ansible_python_interpreter={sys.executable}\n",
        "env/extravars": json.dumps(variables),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _check(folder: pathlib.Path, way: str) -> None:
    """Read the events that ansible-runner left, and see that the order was followed to its certificate."""
    outcomes = {}
    for path in sorted(folder.glob("artifacts/**/job_events/*.json")):
        event: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
        if event["event"] == "runner_on_ok":
            data = event["event_data"]
            outcomes[data["task_action"]] = [order["status"] for order in data["res"]["orders"]]
    expected = {"certops.issuance.order_info": ["issued"], "certops.issuance.order_wait": ["issued"]}
    if outcomes != expected:
        raise Broken(f"{way}: the events say {outcomes}, not {expected}")
    print(f"{way}: {outcomes}")


def _shell(command: str) -> None:
    print(f"$ {command}", flush=True)
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise Broken(f"exit code {done.returncode}")


def check(tarball: str, folder: pathlib.Path) -> None:
    """Run the play in both ways."""
    collections = folder / "collections"
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    _shell(f"ansible-galaxy collection install --offline --collections-path '{collections}' '{tarball}'")
    with Sandbox.start(folder=folder / "sandbox") as sandbox:
        order = sandbox.order("digicert", ["www.example.org"], scenario="issued")["order_id"]
        here, sender, worker = folder / "run", folder / "sender", folder / "worker"
        for private in (here, sender):
            _prepare(private, sandbox, order)
        _shell(f"ansible-runner run '{here}' --playbook play.yml")
        _check(here, "run")
        _shell(
            f"ansible-runner transmit '{sender}' --playbook play.yml"
            f" | ansible-runner worker --private-data-dir '{worker}'"
            f" | ansible-runner process '{sender}'"
        )
        _check(sender, "transmit | worker | process")


def main() -> int:
    """Check the tarball that the command line names."""
    with tempfile.TemporaryDirectory(prefix="runner-") as folder:
        (pathlib.Path(folder) / "sandbox").mkdir()
        try:
            check(sys.argv[1], pathlib.Path(folder))
        except Broken as problem:
            print(problem, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
