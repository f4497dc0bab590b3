# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress lines, as somebody reads them who has Ansible's output in a pipe while a wait goes on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_runs import program
from sandbox.client import Sandbox

#: Seconds that each wait lasts.
TIMEOUT = 4
#: A program whose output is read for longer hangs.
MAX_SECONDS = 120


@dataclass
class Reading:
    """What came through the two pipes: lines with the time at which they came, and the time of the end."""

    stdout: list[tuple[float, str]]
    stderr: list[tuple[float, str]]
    code: int
    ended: float


def _read(pipe: t.IO[str], lines: list[tuple[float, str]]) -> None:
    for line in pipe:
        lines.append((time.monotonic(), line.rstrip("\n")))


def _run(folder: Path, *arguments: str, **environment: str) -> Reading:
    """Run the program ansible with its output in pipes, as a CI system does."""
    own = {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "XDG_RUNTIME_DIR": str(folder),
        **environment,
    }
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [program("ansible"), "localhost", "-m", *arguments],
        env={**settings, **own},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    found = Reading([], [], -1, 0.0)
    readers = [
        threading.Thread(target=_read, args=(process.stdout, found.stdout)),
        threading.Thread(target=_read, args=(process.stderr, found.stderr)),
    ]
    for reader in readers:
        reader.start()
    try:
        found.code = process.wait(MAX_SECONDS)
    finally:
        process.kill()
        process.wait()
    found.ended = time.monotonic()
    for reader in readers:
        reader.join()
    return found


def _wait(sandbox: Sandbox, folder: Path, *flags: str, **environment: str) -> Reading:
    order = sandbox.order("digicert", ["www.example.org"], "stuck_dcv")
    options = dict(sandbox.options("digicert"), provider="digicert", order_id=order["order_id"])
    options.update(timeout=f"{TIMEOUT}s", poll_interval="1", on_timeout="return")
    return _run(folder, "certops.issuance.order_wait", "-a", json.dumps(options), *flags, **environment)


def _progress(lines: list[tuple[float, str]]) -> list[tuple[float, str]]:
    return [(moment, line) for moment, line in lines if line.startswith("order ") and "(digicert)" in line]


@pytest.mark.parametrize("flags", [pytest.param((), marks=pytest.mark.slow), ("-o",)])
def test_lines_come_one_by_one_while_the_wait_goes_on(sandbox: Sandbox, folder: Path, flags: tuple[str, ...]) -> None:
    run = _wait(sandbox, folder, *flags)
    lines = _progress(run.stderr)
    assert run.code == 0 and len(lines) >= 3
    assert "next poll" in lines[0][1] and "timed out after" in lines[-1][1]
    # The first came long before the end, and each by itself.
    assert run.ended - lines[0][0] > TIMEOUT / 2
    assert all(later - earlier > 0.3 for (earlier, _text), (later, _more) in zip(lines[:-2], lines[1:-1], strict=True))
    assert _progress(run.stdout) == []
    if flags:
        assert len(run.stdout) == 1


@pytest.mark.slow
def test_a_callback_that_prints_a_document_is_not_disturbed(sandbox: Sandbox, folder: Path) -> None:
    callbacks = folder / "callbacks"
    callbacks.mkdir()
    (callbacks / "document.py").write_text(
        "import json\n"
        "from ansible.plugins.callback import CallbackBase\n"
        "DOCUMENTATION = 'name: document\\ntype: stdout\\nshort_description: one document\\ndescription: [one]\\n'\n"
        "class CallbackModule(CallbackBase):\n"
        "    CALLBACK_VERSION = 2.0\n"
        "    CALLBACK_TYPE = 'stdout'\n"
        "    CALLBACK_NAME = 'document'\n"
        "    def v2_runner_on_ok(self, result):\n"
        "        self._display.display(json.dumps({'polls': result._result['polls'] > 1}))\n",
        encoding="utf-8",
    )
    run = _wait(
        sandbox,
        folder,
        ANSIBLE_CALLBACK_PLUGINS=str(callbacks),
        ANSIBLE_STDOUT_CALLBACK="document",
        ANSIBLE_LOAD_CALLBACK_PLUGINS="1",
    )
    assert json.loads("\n".join(line for _moment, line in run.stdout)) == {"polls": True}
    assert len(_progress(run.stderr)) >= 3


@pytest.mark.slow
def test_a_port_that_refuses_is_reported_at_the_second_try(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        options = f"provider=digicert api_key=some-api-key api_url={url} order_id=1 timeout=3"
        run = _run(folder, "certops.issuance.order_wait", "-a", options)
    moment, line = next((moment, line) for moment, line in run.stderr if "refused the connection" in line)
    assert "; trying again in " in line
    assert run.ended - moment > 1.0
    assert sum("trying again" in line for _moment, line in run.stderr) == 1
