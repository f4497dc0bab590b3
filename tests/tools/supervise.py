# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command so that nothing of it outlives the run, however the run ends.

ansible-playbook, ansible-test and the sandbox start processes in sessions of their own, which no signal to a process
group reaches. On Linux this process becomes the one that adopts orphans, so every descendant can be found and ended.
Elsewhere the command's process group is ended, which covers all but what left it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import time
import types
import typing as t

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: What a process is told that is still there after so many seconds. ansible-test removes what it made outside the tree
#: when it is interrupted, but not when it is terminated.
_LADDER = ((0.0, signal.SIGINT), (5.0, signal.SIGTERM), (8.0, signal.SIGKILL))

#: Seconds in which descendants end by themselves after the command did, or after Ctrl-C, which reaches them all.
_BY_THEMSELVES = 2.0


class Stopped(Exception):
    """The run was told to stop by a signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum = signum


def _on_linux() -> bool:
    return sys.platform.startswith("linux") and os.path.isdir("/proc/self")


def _adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, and end when our own parent does."""
    if not _on_linux():
        return
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((_PR_SET_CHILD_SUBREAPER, 1), (_PR_SET_PDEATHSIG, signal.SIGTERM)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), f"prctl({option}) failed")
    if os.getppid() != parent:  # the parent ended before the kernel was told to watch it
        raise Stopped(signal.SIGTERM)


def _descendants() -> set[int]:
    """The process ids of all living descendants of this process (zombies are none)."""
    children: dict[int, list[int]] = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            # The name, in brackets, may hold anything: what follows the last bracket is state and parent.
            state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state not in "ZX":
                children.setdefault(int(parent), []).append(int(entry.name))
    found: set[int] = set()
    queue = [os.getpid()]
    while queue:
        for child in children.get(queue.pop(), ()):
            found.add(child)
            queue.append(child)
    return found


def _collect_zombies() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def end_descendants(patience: float) -> None:
    """End every descendant of this process that does not end by itself within so many seconds, politely first."""
    start = time.monotonic() + patience
    told: dict[int, int] = {}
    while True:
        _collect_zombies()
        living = _descendants()
        if not living:
            return
        elapsed = time.monotonic() - start
        rung = sum(elapsed >= delay for delay, _signal in _LADDER)
        for pid in living:
            if told.get(pid, 0) < rung:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, _LADDER[rung - 1][1])
                told[pid] = rung
        time.sleep(0.05)


def run(command: t.Sequence[str], environment: t.Mapping[str, str], directory: pathlib.Path | None = None) -> int:
    """Run the command to its end and return its exit code (128 + signal when a signal ended it or this run)."""

    def stop(signum: int, frame: types.FrameType | None) -> t.NoReturn:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)  # one is enough: what follows must not be interrupted
        raise Stopped(signum)

    patience = _BY_THEMSELVES
    previous = {each: signal.signal(each, stop) for each in _SIGNALS}
    process: subprocess.Popen[bytes] | None = None
    try:
        _adopt_orphans()
        process = subprocess.Popen(command, env=dict(environment), cwd=directory, start_new_session=not _on_linux())
        code = process.wait()
        return 128 - code if code < 0 else code
    except Stopped as stopped:
        patience = _BY_THEMSELVES if stopped.signum == signal.SIGINT else 0.0
        return 128 + stopped.signum
    finally:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        if _on_linux():
            end_descendants(patience)
        elif process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for each, handler in previous.items():
            signal.signal(each, handler)
