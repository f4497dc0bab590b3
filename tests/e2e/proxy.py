# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real proxy on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path


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

    @property
    def tunnels(self) -> int:
        """How many tunnels were requested. Other lines of the log are about connections, also of ours at the start."""
        return self.log.count(": CONNECT ")

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
