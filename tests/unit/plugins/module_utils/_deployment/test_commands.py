# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that behave, hang, talk too much, or leave daemons behind."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import time

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.commands import run_command

LONG = 120.0


def shell(script: str, timeout: float = LONG) -> tuple[int, str, str]:
    return run_command(["sh", "-c", script], timeout)


def has_ended(process: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def ends(process: int) -> bool:
    deadline = time.monotonic() + 30
    while not has_ended(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    return has_ended(process)


def test_code_and_output() -> None:
    assert shell("echo out; echo err >&2; exit 3") == (3, "out\n", "err\n")
    assert shell("printf '\\377'; kill -9 $$") == (-9, "\ufffd", "")


def test_there_is_no_input() -> None:
    assert shell("cat") == (0, "", "")


def test_program_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        run_command(["/nonexistent/program"], LONG)


def test_closed_output_is_no_end() -> None:
    assert shell("exec >&- 2>&-; sleep 0.3; exit 4") == (4, "", "")


def test_descriptors_are_handed_on(tmp_path: pathlib.Path) -> None:
    with open(tmp_path / "file", "w+", encoding="ascii") as stream:
        stream.write("content")
        stream.flush()
        path = f"/proc/self/fd/{stream.fileno()}"
        assert run_command(["cat", path], LONG, [stream.fileno()]) == (0, "content", "")


@pytest.mark.parametrize("script", ["sleep 600", "trap '' TERM; sleep 600 & wait; wait", "exec >&- 2>&-; sleep 600"])
def test_command_that_hangs_is_ended(tmp_path: pathlib.Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{run_command.__module__}._GRACE", 0.2)
    with pytest.raises(TimeoutError):
        shell(f"echo $$ > {tmp_path}/pid; {script}", 0.5)
    assert ends(int((tmp_path / "pid").read_text()))


def test_what_it_started_is_ended_with_it(tmp_path: pathlib.Path) -> None:
    with pytest.raises(TimeoutError):
        shell(f"sleep 600 & echo $! > {tmp_path}/pid; wait", 0.5)
    assert ends(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("daemon", ["sleep 600", "while :; do echo busy; done"])
def test_daemon_that_keeps_the_output_is_not_waited_for(tmp_path: pathlib.Path, daemon: str) -> None:
    try:
        assert shell(f"({daemon}) & echo $! > {tmp_path}/pid; exit 5")[0] == 5
    finally:
        with contextlib.suppress(ProcessLookupError):  # it may have died of the closed pipe
            os.kill(int((tmp_path / "pid").read_text()), 9)


def test_command_is_killed_with_its_supervisor(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ChildProcessError, match="its supervisor was killed"):
        shell(f"echo $$ > {tmp_path}/pid; sleep 600 & echo $! > {tmp_path}/other; kill -KILL $PPID; wait")
    for name in ("pid", "other"):
        assert ends(int((tmp_path / name).read_text()))


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT"])
def test_who_ends_the_supervisor_ends_who_runs_the_command(tmp_path: pathlib.Path, name: str) -> None:
    """As a process that looks at its parent sees it, that parent is the module."""
    child = os.fork()
    if child == 0:
        try:
            for number in (
                signal.SIGINT,
                signal.SIGHUP,
            ):  # the one is a KeyboardInterrupt, the other ignored under nohup
                signal.signal(number, signal.SIG_DFL)
            shell(f"kill -{name} $PPID; sleep 0.3; touch {tmp_path}/ended")
        finally:
            os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == getattr(signal, f"SIG{name}")
    deadline = time.monotonic() + LONG
    while not (tmp_path / "ended").exists():
        assert time.monotonic() < deadline, "the command did not come to its end"
        time.sleep(0.01)


def test_endless_output_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{run_command.__module__}._MAX_OUTPUT", 1000)
    code, output, problem = shell("head -c 5000000 /dev/zero | tr '\\0' x; echo the end; echo problem >&2; exit 1")
    assert (code, len(output), problem) == (1, 1000, "problem\n")
    assert output.endswith("xthe end\n")
