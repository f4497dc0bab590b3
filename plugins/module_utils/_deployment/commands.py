# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command within a time and a size, whatever it does.

Ansible's own helper waits for a command as long as it takes, keeps all of its output, and does not return while a
daemon that the command has started goes on writing. A transaction must not depend on that.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
import typing as t

_MAX_OUTPUT = 1 << 18  # bytes of each stream; the last ones are kept
_PIPE = 1 << 16  # bytes, as much as a pipe holds
_TICK = 0.1  # seconds between looks whether a silent command has ended
_GRACE = 5.0  # seconds to end after SIGTERM


def run_command(command: t.Sequence[str], timeout: float, descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
    """Run a command without a shell and without input; returns exit code and the ends of its output and its errors.

    Arguments:
        command: program and arguments.
        timeout: seconds; then it is ended, with all it started that did not leave its session.
        descriptors: descriptors that it may use.

    Raises:
        TimeoutError: it did not end in time.
        OSError: it cannot be started.
    """
    deadline = time.monotonic() + timeout
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=descriptors,
        start_new_session=True,
    )
    streams = [t.cast(t.IO[bytes], process.stdout), t.cast(t.IO[bytes], process.stderr)]
    try:
        output, problem = _listen(process, streams, deadline)
    except subprocess.TimeoutExpired as exc:
        _end(process)
        raise TimeoutError from exc
    finally:
        for stream in streams:
            stream.close()
    return process.returncode, output, problem


def _listen(process: subprocess.Popen[bytes], streams: t.Sequence[t.IO[bytes]], deadline: float) -> tuple[str, str]:
    """Read the output until the process ends; that of daemons which it leaves behind is not waited for."""
    received = {stream.fileno(): b"" for stream in streams}
    ended = False
    with selectors.DefaultSelector() as selector:
        for descriptor in received:
            selector.register(descriptor, selectors.EVENT_READ)
        while not ended:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.get_map():
                process.wait(max(left, 0))
            ended = process.poll() is not None  # all of its own output is in the pipes by now
            for key, _events in selector.select(0 if ended else _TICK):
                chunk = os.read(key.fd, _PIPE)
                received[key.fd] = (received[key.fd] + chunk)[-_MAX_OUTPUT:]
                if not chunk:
                    selector.unregister(key.fd)
    output, problem = (content.decode("utf-8", "replace") for content in received.values())
    return output, problem


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE)
        except (ProcessLookupError, PermissionError):  # gone, or somebody else's by now
            return
        except subprocess.TimeoutExpired:
            continue
