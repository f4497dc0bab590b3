# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends all that a test started, and removes its folder: ``clean_up.py FOLDER SIGNAL [PID_FILE...]``.

Prints the end of each log in the folder. It is an error when something does not end at the signal, or was forgotten.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import sys
import time

#: Seconds that processes may take to end.
_TIMEOUT = 30.0
_LINES = 40


def processes() -> dict[int, tuple[int, str]]:
    """Parent and command line of each process that is alive."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # gone again
            # The name, in brackets, may hold anything: what follows the last bracket is state and parent.
            state, parent = entry.joinpath("stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            command = entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            if state != "Z":
                found[int(entry.name)] = (int(parent), command)
    return found


def family(pids: set[int]) -> set[int]:
    """These processes and their descendants."""
    living = processes()
    found = pids & living.keys()
    while True:
        children = {pid for pid, (parent, _command) in living.items() if parent in found} - found
        if not children:
            return found
        found |= children


def forgotten(folder: pathlib.Path) -> dict[int, str]:
    """Processes that were started with a path below the folder, other than this one and those it runs under."""
    living = processes()
    own, pid = set(), os.getpid()
    while pid in living:
        own.add(pid)
        pid = living[pid][0]
    return {pid: command for pid, (_parent, command) in living.items() if str(folder) in command and pid not in own}


def end(pids: set[int], number: signal.Signals) -> set[int]:
    """Send the signal, and wait; returns those that are still there, after killing them."""
    everybody = family(pids)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + _TIMEOUT
    while everybody & processes().keys() and time.monotonic() < deadline:
        time.sleep(0.05)
    left = everybody & processes().keys()
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return left


def main() -> int:
    """End the daemons of the pid files, then whatever else was started from the folder."""
    folder, number = pathlib.Path(sys.argv[1]), signal.Signals[sys.argv[2]]
    for log in sorted(folder.rglob("*.log")):
        print(f"== {log.relative_to(folder)}", *log.read_text(errors="replace").splitlines()[-_LINES:], sep="\n")
    masters = {int(path.read_text().split()[0]) for path in map(pathlib.Path, sys.argv[3:]) if path.exists()}
    problems = [f"process {pid} did not end at {number.name}" for pid in end(masters, number)]
    left = forgotten(folder)
    problems += [f"process {pid} was left: {command}" for pid, command in left.items()]
    end(set(left), signal.SIGTERM)
    shutil.rmtree(folder)
    print(*problems, sep="\n", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
