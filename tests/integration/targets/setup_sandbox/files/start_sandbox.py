# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the sandbox in the background: ``start_sandbox.py PROGRAM STATE_FOLDER [OPTION...]``.

Waits until it answers, and prints what it says of itself. It ends with the ansible-playbook that this runs under.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

#: Seconds that the sandbox may take to start on a busy machine.
_TIMEOUT = 60.0


def _process(pid: int) -> tuple[int, str]:
    """The parent and the command line of a process."""
    done = subprocess.run(["ps", "-o", "ppid=,args=", "-p", str(pid)], capture_output=True, text=True, check=True)
    parent, command = done.stdout.split(maxsplit=1)
    return int(parent), command


def _process_of_linux(pid: int) -> tuple[int, str]:
    """The same where there is /proc, since small systems have no ps."""
    folder = pathlib.Path("/proc", str(pid))
    # The name, in brackets, may hold anything: what follows the last bracket is state and parent.
    parent = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
    return int(parent), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def playbook_pid() -> int:
    """The process of the ansible-playbook that runs this task, past its workers."""
    ask = _process_of_linux if pathlib.Path("/proc/self/stat").exists() else _process
    found, pid = 0, os.getppid()
    while pid > 1:
        parent, command = ask(pid)
        if "ansible-playbook" in command:
            found = pid
        pid = parent
    if not found:
        raise SystemExit("no ansible-playbook is above this process")
    return found


def main() -> int:
    """Start the sandbox and wait for its word."""
    program, state, *options = sys.argv[1:]
    folder = pathlib.Path(state)
    folder.mkdir(parents=True, exist_ok=True)
    ready, log = folder / "ready.json", folder / "sandbox.log"
    command = [sys.executable, program, "--state-dir", str(folder), "--ready-file", str(ready)]
    command += ["--parent-pid", str(playbook_pid()), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + _TIMEOUT
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            print(f"The sandbox did not start: {log.read_text(errors='replace')[-2000:]}", file=sys.stderr)
            return 1
        time.sleep(0.05)
    print(ready.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
