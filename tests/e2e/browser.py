# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium that tests look at pages with, steered over its debugging pipe; standard library alone."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import time
import typing as t

#: The browser of Debian, and under other names.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
#: Seconds that a command may take.
PATIENCE = 60.0


def find_browser() -> str | None:
    """The path of a browser on this machine."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """One browser with one page. What the page asks the network for is kept in ``requests``."""

    def __init__(self, program: str, profile: pathlib.Path) -> None:
        # The browser reads commands from descriptor 3 and writes answers and events to 4, each ended by a zero byte.
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        arguments = [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]
        arguments += ["--hide-scrollbars", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        shell = f'exec "$@" 3<&{commands} 4>&{answers}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *arguments],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(profile)},
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        self._last = 0
        self._read = b""
        self._events: list[dict[str, t.Any]] = []
        self.requests: list[str] = []
        self.messages: list[str] = []
        self._session: str | None = None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(domain + ".enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def send(self, method: str, **params: t.Any) -> dict[str, t.Any]:
        """Send a command of the DevTools protocol; its result."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": params}
        if self._session is not None:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._receive()
            if message.get("id") == self._last:
                assert "error" not in message, message["error"]
                return t.cast("dict[str, t.Any]", message["result"])
            self._note(message)

    def open(self, path: pathlib.Path, width: int, scripts: bool = True, print_: bool = False, **features: str) -> None:
        """Load a file at a width in CSS pixels, with media features such as ``prefers-color-scheme``."""
        self.requests.clear()
        self.messages.clear()
        self._events.clear()
        mobile = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **mobile)
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.send("Emulation.setEmulatedMedia", features=wanted, media="print" if print_ else "")
        self.send("Page.navigate", url=path.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._note(self._receive())

    def evaluate(self, expression: str) -> t.Any:
        """The value of a JavaScript expression in the page. It works without scripts of the page, too."""
        result = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def text(self) -> str:
        """What a reader sees."""
        return str(self.evaluate("document.body.innerText"))

    def picture(self, path: pathlib.Path, whole: bool = True) -> None:
        """Write a picture of the page as PNG."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        options = {"printBackground": False, "preferCSSPageSize": True}
        return base64.b64decode(self.send("Page.printToPDF", **options)["data"])

    def _note(self, message: dict[str, t.Any]) -> None:
        if "method" not in message:
            return
        self._events.append(message)
        params = message.get("params", {})
        if message["method"] == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif message["method"] == "Log.entryAdded":
            self.messages.append(params["entry"]["text"])
        elif message["method"] == "Runtime.exceptionThrown":
            self.messages.append(str(params["exceptionDetails"]))

    def _receive(self) -> dict[str, t.Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._read:
            ready, _writable, _odd = select.select([self._answers], [], [], deadline - time.monotonic())
            chunk = os.read(self._answers, 1 << 16) if ready else b""
            assert chunk, "the browser does not answer"
            self._read += chunk
        first, _zero, self._read = self._read.partition(b"\0")
        return t.cast("dict[str, t.Any]", json.loads(first))
