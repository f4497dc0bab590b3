# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook and reads what became of each task."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
#: Seconds that one run may take on a busy machine.
MAX_RUN_SECONDS = 400.0
#: The variables of a host that is this machine.
LOCAL: dict[str, t.Any] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


def short_for_first(*providers: str) -> list[t.Any]:
    """Parameters of a test of each of these providers, of which `make test` takes the first."""
    return [providers[0], *(pytest.param(name, marks=pytest.mark.slow) for name in providers[1:])]


def program(name: str) -> str:
    """The path of one of Ansible's programs: the one of this Python, else the first on PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or name


@dataclass(frozen=True)
class Event:
    """What became of one task on one host: kind is ok, failed, skipped or unreachable."""

    host: str
    kind: str
    task: str
    action: str
    result: dict[str, t.Any]

    @property
    def msg(self) -> str:
        """The message of the result; empty where it has none."""
        return str(self.result.get("msg", ""))


@dataclass(frozen=True)
class Run:
    """A finished run of one of Ansible's programs."""

    code: int
    output: str
    events: t.Sequence[Event]

    def of(self, action: str, *kinds: str) -> list[Event]:
        """Events of an action of this collection, of these kinds; without kinds, of all."""
        found = [event for event in self.events if event.action.endswith("." + action)]
        return [event for event in found if not kinds or event.kind in kinds]

    def of_task(self, task: str, kind: str = "ok") -> list[Event]:
        """Events whose task name contains ``task``."""
        return [event for event in self.events if task in event.task and event.kind == kind]

    def hosts(self, task: str, kind: str = "ok") -> list[str]:
        """The hosts of these events, sorted."""
        return sorted(event.host for event in self.of_task(task, kind))

    @property
    def failed(self) -> dict[str, str]:
        """The hosts that failed, with the message."""
        return {event.host: event.msg for event in self.events if event.kind == "failed"}

    @property
    def changed(self) -> list[str]:
        """The hosts on which something was changed."""
        return sorted({event.host for event in self.events if event.result.get("changed")})

    def reported(self, task: str = "Report what the role left") -> dict[str, t.Any]:
        """The JSON that a task of this name printed on each host."""
        return {event.host: json.loads(event.msg) for event in self.of_task(task)}


@contextlib.contextmanager
def temporary_folder() -> t.Iterator[Path]:
    """A private folder that is removed afterwards. Its path is short: Ansible puts sockets below it."""
    with tempfile.TemporaryDirectory(prefix="e2e-") as folder:
        yield Path(folder)


def run_playbook(
    play: t.Any,
    folder: Path,
    *arguments: str,
    inventory: t.Mapping[str, t.Any] | None = None,
    environment: t.Mapping[str, str] | None = None,
    meanwhile: t.Callable[[], None] | None = None,
) -> Run:
    """Run plays with ansible-playbook and return what became of each task.

    ``play`` is the path of a playbook, or plays as data. With None the first argument names another of Ansible's
    programs. ``meanwhile`` is called while the program runs. The output is kept in ``folder/output.txt`` and the
    results, as callbacks get them, in ``folder/record.jsonl``. Locks, request budgets and journals of the collection
    stand below ``folder/tmp``, so two runs in one folder share them.
    """
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    command = [program("ansible-playbook")]
    if isinstance(play, Path):
        command.append(str(play))
    elif play is not None:
        file = folder / "play.json"
        file.write_text(json.dumps(play), encoding="utf-8")
        command.append(str(file))
    else:
        command, arguments = [program(arguments[0])], arguments[1:]
    hosts = folder / "inventory.json"
    hosts.write_text(json.dumps(inventory or {"all": {"hosts": {"here": LOCAL}}}), encoding="utf-8")
    record, output = folder / "record.jsonl", folder / "output.txt"
    record.unlink(missing_ok=True)
    own = {
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback_plugins")),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
        "ANSIBLE_CONNECTION_PLUGINS": str(TREE / "tests/integration/targets/setup_sandbox/connection_plugins"),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
        "RECORD_FILE": str(record),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "tmp"),
        "XDG_RUNTIME_DIR": str(folder / "tmp"),
    }
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "-i", str(hosts), *arguments],
            env={**os.environ, **own, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            if meanwhile:
                meanwhile()
            code = process.wait(MAX_RUN_SECONDS)
        finally:
            process.kill()
            process.wait()
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    events = [Event(**json.loads(line)) for line in lines]
    return Run(code, output.read_text(encoding="utf-8", errors="replace"), events)
