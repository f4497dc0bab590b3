# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a sandbox and steer it, from tests, benchmarks and the demo. Standard library only.

with Sandbox.start() as sandbox:
    order = sandbox.order("digicert", ["www.example.org"], scenario="dv")
    sandbox.advance(120)
    print(sandbox.options("digicert"), order["order_id"])
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: The providers that the sandbox speaks for, one file each.
PROVIDERS = tuple(sorted({file.stem for file in (HERE / "dialects").glob("*.py")} - {"__init__", "base"}))
#: What the control API answers with; README.md says what is in it.
Data = t.Any


class SandboxError(Exception):
    """The sandbox did not start, or refused a control request."""


class Sandbox:
    """A running sandbox, described by what its ready file says (the attributes ``url`` to ``bad_tls``)."""

    def __init__(self, ready: t.Mapping[str, t.Any], process: subprocess.Popen[bytes] | None = None) -> None:
        self.ready = dict(ready)
        self.url: str = ready["url"]
        self.control_url: str = ready["control_url"]
        self.ca_file: str = ready["ca_file"]
        self.other_ca_file: str = ready["other_ca_file"]
        self.base_urls: dict[str, str] = ready["base_urls"]
        self.plain_url: str | None = ready["plain_url"]
        self.bad_tls: dict[str, str] = ready["bad_tls"]
        self.process = process
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=self.ca_file)),
        )

    # Life

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        *,
        port: int = 0,
        rate: float = 1.0,
        internet: bool = False,
        plain_http: bool = False,
        bad_tls: bool = False,
        state_dir: str | os.PathLike[str] | None = None,
        folder: str | os.PathLike[str] | None = None,
        python: str = sys.executable,
        timeout: float = 30.0,
    ) -> t.Iterator[Sandbox]:
        """Run a sandbox in a process of its own for the length of a ``with`` block. Raises ``SandboxError``.

        ``folder`` is for its files, and stays; without one they are in a temporary folder that is removed.
        """
        temporary = None if folder else tempfile.mkdtemp(prefix="certops-sandbox-client-")
        folder = temporary or folder or ""
        ready_file, errors = Path(folder, "ready.json"), Path(folder, "errors")
        command = [python, str(HERE), "--port", str(port), "--rate", str(rate), "--ready-file", str(ready_file)]
        command += ["--state-dir", str(state_dir or Path(folder, "state")), "--parent-pid", str(os.getpid())]
        command += ["--internet"] * internet + ["--plain-http"] * plain_http + ["--bad-tls"] * bad_tls
        try:
            with errors.open("wb") as stream:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
            try:
                yield cls(_await_ready(process, ready_file, errors, timeout), process)
            finally:
                _end(process)
        finally:
            if temporary:
                shutil.rmtree(temporary, ignore_errors=True)

    @classmethod
    def attach(cls, ready_file: str | os.PathLike[str]) -> Sandbox:
        """A sandbox that somebody else has started with ``--ready-file``."""
        return cls(json.loads(Path(ready_file).read_text(encoding="utf-8")))

    # Control API

    def control(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """One request to the control API. Raises ``SandboxError`` with its sentence when it is refused."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.control_url}/{path}", data, method=method)
        try:
            with self._opener.open(request, timeout=120) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as exc:
            raise SandboxError(f"{method} {path}: {json.load(exc).get('error')}") from None

    def reset(self) -> None:
        """No orders, faults or log; first accounts, limits and present time."""
        self.control("POST", "reset")

    def order(self, provider: str, names: t.Sequence[str] | None = None, scenario: str = "dv", **fields: t.Any) -> Data:
        """Create one order; the reply has ``order_id``, ``csr`` and, when no ``csr`` was given, ``private_key``."""
        body = {"provider": provider, "names": list(names) if names else None, "scenario": scenario, **fields}
        return self.control("POST", "orders", body)["orders"][0]

    def orders(self, provider: str, count: int, scenario: str = "dv", **fields: t.Any) -> list[str]:
        """Create many orders that share a key; their ids."""
        body = {"provider": provider, "count": count, "scenario": scenario, "full": False, **fields}
        return [order["order_id"] for order in self.control("POST", "orders", body)["orders"]]

    def get_order(self, provider: str, order_id: str) -> Data:
        """Where an order really stands."""
        return self.control("GET", f"orders/{provider}/{order_id}")

    def patch_order(self, provider: str, order_id: str, **fields: t.Any) -> Data:
        """Force something upon an order."""
        return self.control("PATCH", f"orders/{provider}/{order_id}", fields)

    # The small Internet of a sandbox that was started with it

    def internet(self) -> Data:
        """Where it is: ``resolvers``, ``address_map``, ``update_server`` and ``update_key``."""
        return self.control("GET", "internet")

    def zone(self, name: str, hosts: t.Sequence[str] = (), signed: bool = False) -> None:
        """Add a zone with two servers; each of its hosts has an address and a web server."""
        self.control("POST", "internet/zones", {"name": name, "hosts": list(hosts), "signed": signed})

    def record(self, fqdn: str, kind: str, *values: str) -> None:
        """Replace a record set, whatever was there; no values remove it."""
        self.control("POST", "internet/records", {"fqdn": fqdn, "type": kind, "values": list(values)})

    def records(self, fqdn: str, kind: str) -> list[str]:
        """The values of a record set."""
        query = urllib.parse.urlencode({"fqdn": fqdn, "type": kind})
        return list(self.control("GET", f"internet/records?{query}")["values"])

    def page(self, url: str, content: str, status: int = 200) -> None:
        """Show a page."""
        self.control("POST", "internet/pages", {"url": url, "content": content, "status": status})

    def webroot(self, host: str, folder: str | os.PathLike[str]) -> None:
        """Let the web server of a host show the files of a folder."""
        self.control("POST", "internet/webroots", {"host": host, "folder": os.fspath(folder)})

    def now(self) -> float:
        """The virtual time, in seconds since 1970."""
        return float(self.control("GET", "clock")["now"])

    def advance(self, seconds: float) -> float:
        """Move the virtual clock; the new time."""
        return float(self.control("POST", "clock", {"advance": seconds})["now"])

    def set_clock(self, moment: float) -> float:
        """Set the virtual clock."""
        return float(self.control("POST", "clock", {"set": moment})["now"])

    def set_rate(self, rate: float) -> None:
        """Virtual seconds in a real second."""
        self.control("POST", "clock", {"rate": rate})

    def date_certificates_by_clock(self) -> None:
        """From now on certificates have dates of the virtual clock."""
        self.control("POST", "clock", {"certificates": True})

    def ledger(self, **wanted: str) -> Data:
        """What was done to orders, and what it cost: ``entries``, filtered by field values, and their ``sum``."""
        return self.control("GET", "ledger?" + urllib.parse.urlencode(wanted))

    def fault(self, kind: str, **fields: t.Any) -> int:
        """Inject a fault; its id."""
        return int(self.control("POST", "faults", {"kind": kind, **fields})["faults"][0]["id"])

    def faults(self) -> Data:
        """The faults in force."""
        return self.control("GET", "faults")["faults"]

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Take back one fault, or all."""
        self.control("DELETE", "faults" if fault_id is None else f"faults/{fault_id}")

    def accounts(self) -> Data:
        """All accounts with their credentials."""
        return self.control("GET", "accounts")["accounts"]

    def account(self, provider: str, **fields: t.Any) -> Data:
        """Open a further account."""
        return self.control("POST", "accounts", {"provider": provider, **fields})

    def patch_account(self, name: str, **fields: t.Any) -> Data:
        """Revoke, rotate or restrict an account."""
        return self.control("PATCH", f"accounts/{name}", fields)

    def options(self, provider: str, account: str | None = None) -> dict[str, str]:
        """The collection's options for an account (the provider's first), ``ca_path`` included."""
        wanted = (item for item in self.accounts() if item["provider"] == provider and account in (None, item["name"]))
        return dict(next(wanted)["options"])

    def limits(self, provider: str, **values: float) -> Data:
        """Change limits of a provider."""
        return self.control("PATCH", "limits", {provider: values})

    def requests(self, **wanted: str) -> Data:
        """The request log, filtered by field values."""
        return self.control("GET", "requests?" + urllib.parse.urlencode(wanted))["requests"]

    def summary(self) -> Data:
        """The figures of the request log."""
        return self.control("GET", "requests/summary")

    def clear_requests(self) -> None:
        """Empty the request log and start counting anew."""
        self.control("DELETE", "requests")


def _await_ready(process: subprocess.Popen[bytes], ready_file: Path, errors: Path, timeout: float) -> Data:
    deadline = time.monotonic() + timeout
    while not ready_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise SandboxError("the sandbox did not start: " + errors.read_text(encoding="utf-8", errors="replace"))
        time.sleep(0.02)
    return json.loads(ready_file.read_text(encoding="utf-8"))


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
