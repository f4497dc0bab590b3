# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command within a time and a size, whatever it does, and whatever becomes of this process.

Ansible's own helper waits for a command as long as it takes, keeps all of its output, and does not return while a
daemon that the command has started goes on writing. A transaction must not depend on that.
"""

from __future__ import annotations

import contextlib
import errno
import json
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
_PR_SET_PDEATHSIG = 1  # prctl(2)
_ORPHAN_TIME = 5.0  # seconds that a command may go on when nobody waits for it any more


def run_command(command: t.Sequence[str], timeout: float, descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
    """Run a command without a shell and without input; returns exit code and the ends of its output and its errors.

    It is the child of a supervisor, which outlives this process if that is killed, and has what this process has open,
    the lock of a lineage above all: whoever waits for that lock waits for the command, too. The command then has a few
    seconds to come to its end, and is ended. Where the supervisor is killed, the command is as well.

    Arguments:
        command: program and arguments.
        timeout: seconds; then it is ended, with all it started that did not leave its session.
        descriptors: descriptors that it may use. It has no others, and neither has a daemon that it leaves behind.

    Raises:
        TimeoutError: it did not end in time.
        OSError: it cannot be started.
    """
    reading, writing = os.pipe()
    parent = os.getpid()
    supervisor = os.fork()
    if supervisor == 0:
        os.close(reading)
        _supervise(writing, parent, command, timeout, descriptors)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        started, _space, answer = stream.read().partition(b" ")  # the process, and what became of it
    os.waitpid(supervisor, 0)
    if not answer.endswith(b"\n"):
        if started:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or somebody else's by now
                os.killpg(int(started), signal.SIGKILL)
        raise OSError(errno.ECHILD, "its supervisor was killed")
    kind, *values = json.loads(answer)
    if kind == "timeout":
        raise TimeoutError
    if kind == "error":
        raise OSError(*values)
    code, output, errors = values
    return code, output, errors


def _supervise(
    writing: int, parent: int, command: t.Sequence[str], timeout: float, descriptors: t.Sequence[int]
) -> None:
    """In the supervisor: run the command, write its id and then what became of it into the pipe. Does not return."""

    def pass_on(number: int, _frame: object) -> None:
        """Whoever ends this process means the one that the command is run for."""
        if os.getppid() == parent:
            os.kill(parent, number)

    try:
        os.setsid()  # what ends a whole group or session of processes does not end this one
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, pass_on)
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):  # else a connection would wait for this process
            os.dup2(null, standard)
        if os.getppid() != parent:  # killed before anything was started
            return
        try:
            answer: list[t.Any] = ["done", *_run(writing, parent, command, timeout, descriptors)]
        except TimeoutError:
            answer = ["timeout"]
        except OSError as exc:
            answer = ["error", exc.errno, exc.strerror]
        with os.fdopen(writing, "wb") as stream:
            stream.write(b" " + json.dumps(answer).encode("ascii") + b"\n")
    finally:
        os._exit(0)


def _run(
    writing: int, parent: int, command: t.Sequence[str], timeout: float, descriptors: t.Sequence[int]
) -> tuple[int, str, str]:
    deadline = time.monotonic() + timeout
    process = subprocess.Popen(  # pylint: disable=ansible-bad-function,subprocess-popen-preexec-fn
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=descriptors,
        start_new_session=True,
        preexec_fn=_before(writing, os.getpid()),
    )
    streams = [t.cast(t.IO[bytes], process.stdout), t.cast(t.IO[bytes], process.stderr)]
    try:
        output, errors = _listen(process, streams, deadline, parent)
    except subprocess.TimeoutExpired as exc:
        _end(process)
        raise TimeoutError from exc
    except OSError:
        _end(process)
        raise
    finally:
        for stream in streams:
            stream.close()
    return process.returncode, output, errors


def _before(writing: int, supervisor: int) -> t.Callable[[], None]:
    """What the new process does before it becomes the command: it names itself, and lets itself be killed with us."""
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # Python without ctypes, no Linux
        prctl = None

    def prepare() -> None:
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more
            os.write(writing, b"%d" % os.getpid())
        if prctl:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:  # it was killed just now
            os._exit(1)

    return prepare


def _listen(
    process: subprocess.Popen[bytes], streams: t.Sequence[t.IO[bytes]], deadline: float, parent: int
) -> tuple[str, str]:
    """Read the output until the process ends; that of daemons which it leaves behind is not waited for.

    Raises:
        subprocess.TimeoutExpired: the deadline passed, or the parent has been gone for long enough.
    """
    received = {stream.fileno(): b"" for stream in streams}
    ended = orphaned = False
    with selectors.DefaultSelector() as selector:
        for descriptor in received:
            selector.register(descriptor, selectors.EVENT_READ)
        while not ended:
            if not orphaned and os.getppid() != parent:
                orphaned = True
                deadline = min(deadline, time.monotonic() + _ORPHAN_TIME)
            left = deadline - time.monotonic()
            if left <= 0:
                process.wait(0)
            elif not selector.get_map():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(min(left, _TICK))
            ended = process.poll() is not None  # all of its own output is in the pipes by now
            for key, _events in selector.select(0 if ended else _TICK) if selector.get_map() else ():
                chunk = os.read(key.fd, _PIPE)
                received[key.fd] = (received[key.fd] + chunk)[-_MAX_OUTPUT:]
                if not chunk:
                    selector.unregister(key.fd)
    output, errors = (content.decode("utf-8", "replace") for content in received.values())
    return output, errors


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE)
        except (ProcessLookupError, PermissionError):  # gone, or somebody else's by now
            return
        except subprocess.TimeoutExpired:
            continue
