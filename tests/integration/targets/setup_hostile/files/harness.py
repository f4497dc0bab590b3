# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the targets faults, proxies, secrets, concurrency and role_certificate share: running plays, and a real proxy.

They find this file in the collection's tree, since ansible-test runs a copy of each target that stands elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[5]
sys.path.insert(0, str(ROOT / "tests/sandbox"))

from client import PROVIDERS, Sandbox, SandboxError

__all__ = [
    "RETRY_TIMEOUT", "PROVIDERS", "ROOT", "Event", "Proxy", "Run", "Sandbox", "SandboxError",
    "program", "run_play", "scratch",
]  # fmt: skip

#: Seconds that one run may take on a busy machine.
RETRY_TIMEOUT = 400.0


def program(name: str) -> str:
    """The path of one of Ansible's programs: that of the interpreter in use, else the first on PATH."""
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


@contextlib.contextmanager
def scratch(name: str) -> t.Iterator[Path]:
    """A private folder that is gone afterwards. It is not below the tree: paths of sockets must be short."""
    with tempfile.TemporaryDirectory(prefix=f"certops-{name}-", dir="/tmp") as folder:
        yield Path(folder)


def run_play(
    play: t.Any,
    folder: Path,
    *arguments: str,
    inventory: t.Mapping[str, t.Any] | None = None,
    environment: t.Mapping[str, str] | None = None,
    watch: t.Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> Run:
    """Run plays (data, or the path of a file) with ansible-playbook, or with what ``arguments`` begin with.

    What is shown is kept in ``folder/shown.txt``, and the results as callbacks get them in ``folder/record.jsonl``.
    """
    folder.mkdir(parents=True, exist_ok=True)
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
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    hosts.write_text(json.dumps(inventory or {"all": {"hosts": {"here": here}}}), encoding="utf-8")
    record, shown = folder / "record.jsonl", folder / "shown.txt"
    record.unlink(missing_ok=True)
    own = {
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).with_name("callback_plugins")),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
        "ANSIBLE_CONNECTION_PLUGINS": str(ROOT / "tests/integration/targets/setup_sandbox/connection_plugins"),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "PYTHONUNBUFFERED": "1",
        "RECORD_FILE": str(record),
    }
    with shown.open("wb") as output:
        process = subprocess.Popen(
            [*command, "-i", str(hosts), *arguments],
            env={**os.environ, **own, **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            if watch:
                watch(process)
            code = process.wait(RETRY_TIMEOUT)
        finally:
            process.kill()
            process.wait()
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    return Run(code, shown.read_text(encoding="utf-8", errors="replace"), [Event(**json.loads(line)) for line in lines])


class Proxy:
    """A tinyproxy on loopback, with or without a password. ``url`` is how to reach it, credentials included."""

    USER = "proxyuser"

    def __init__(self, folder: Path, password: str | None = None) -> None:
        self.folder = folder
        self.password = password
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        secret = f"{self.USER}:{password}@" if password else ""
        self.url = f"http://{secret}127.0.0.1:{self.port}"
        self.plain_url = f"http://127.0.0.1:{self.port}"

    @staticmethod
    def path() -> str | None:
        """Where the program is; None where it is not installed."""
        return shutil.which("tinyproxy", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")

    @property
    def log(self) -> str:
        """What the proxy has written so far."""
        return (self.folder / "proxy.log").read_text(encoding="utf-8", errors="replace")

    def __enter__(self) -> Proxy:
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = [f"Port {self.port}", "Listen 127.0.0.1", "Timeout 60", f'LogFile "{self.folder / "proxy.log"}"']
        settings += ["LogLevel Connect", "MaxClients 50", "Allow 127.0.0.1"]
        settings += [f"BasicAuth {self.USER} {self.password}"] if self.password else []
        file = self.folder / "proxy.conf"
        file.touch(mode=0o600)
        file.write_text("\n".join(settings) + "\n", encoding="utf-8")
        (self.folder / "proxy.log").touch()
        # -d: stay in the foreground, so that it can be ended.
        self._process = subprocess.Popen(
            [self.path() or "tinyproxy", "-d", "-c", str(file)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return self
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("tinyproxy did not start: " + self.log)
            time.sleep(0.05)

    def __exit__(self, *_exc: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
