# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet for one test: orders at the sandbox, hosts in an inventory, and runs of the role on them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_runs import LOCAL, MAX_RUN_SECONDS, Run, run_playbook
from sandbox.client import Sandbox

#: Virtual seconds after which an order of the scenario "dv" is issued.
ISSUED_AFTER = 120.0


class Killed(Exception):
    """The run was killed: whatever ``meanwhile`` raises ends it with SIGKILL."""


@dataclass
class Fleet:
    """Hosts with their orders. Every path that a host uses is below ``folder``."""

    sandbox: Sandbox
    folder: Path
    hosts: dict[str, dict[str, t.Any]] = field(default_factory=dict)

    def order(self, provider: str, name: str, scenario: str = "dv", **fields: t.Any) -> dict[str, t.Any]:
        """Place an order; ``key`` in the answer is the file with its private key."""
        order = dict(self.sandbox.order(provider, [name], scenario, **fields))
        key = self.folder / f"{provider}-{order['order_id']}.key"
        key.touch(mode=0o600)
        key.write_text(order.pop("private_key"), encoding="utf-8")
        return {**order, "provider": provider, "account": fields.get("account"), "key": str(key)}

    def variables(self, order: dict[str, t.Any], path: str) -> dict[str, t.Any]:
        """The variables of the role for an order."""
        options = self.sandbox.options(order["provider"], order["account"])
        options["api_ca_path"] = options.pop("ca_path")
        return {
            **{f"certificate_{name}": value for name, value in options.items()},
            "certificate_order_id": order["order_id"],
            "certificate_path": str(self.folder / path),
            "certificate_private_key_path": order["key"],
        }

    def host(self, name: str, order: dict[str, t.Any] | None = None, **variables: t.Any) -> None:
        """Add a host that needs the certificate of an order."""
        given = self.variables(order, f"hosts/{name}/certificate") if order else {}
        self.hosts[name] = {**given, **{f"certificate_{key}": value for key, value in variables.items()}}
        (self.folder / "hosts" / name).mkdir(parents=True, exist_ok=True)

    def serial(self, name: str, path: str = "certificate") -> str | None:
        """The serial number that the lineage of a host holds now; None without one."""
        current = self.folder / "hosts" / name / path / "current"
        return os.readlink(current).rpartition("-")[2] if current.is_symlink() else None

    def run(
        self,
        *arguments: str,
        play: str | list[t.Any] = "role.yml",
        meanwhile: t.Callable[[], None] | None = None,
        **variables: t.Any,
    ) -> Run:
        """Run a play of ``plays``, or plays as data, on the hosts, with extra variables.

        ``meanwhile`` is called while it runs.

        Whatever the run prints, no secret is in it.
        """
        general = {
            **LOCAL,
            "certificate_ca_path": self.sandbox.ca_file,
            "certificate_poll_interval": 1,
            "certificate_wait_timeout": 60,
        }
        (self.folder / "output.txt").unlink(missing_ok=True)
        run = run_playbook(
            Path(__file__).with_name("plays") / play if isinstance(play, str) else play,
            self.folder,
            *("-e", json.dumps(variables), *arguments),
            inventory={"all": {"hosts": self.hosts, "vars": general}},
            meanwhile=meanwhile,
        )
        for account in self.sandbox.accounts():
            for secret in filter(None, [account["api_key"], account["password"]]):
                assert secret not in run.output
        assert "PRIVATE KEY" not in run.output
        return run

    def issue(self) -> None:
        """Let time pass until pending orders are issued."""
        self.sandbox.advance(ISSUED_AFTER)

    def assert_all_served(self, run: Run) -> None:
        """Every host has the certificate of its order."""
        assert run.failed == {}, run.output
        assert run.code == 0, run.output
        for name, variables in self.hosts.items():
            order = self.sandbox.get_order(variables["certificate_provider"], variables["certificate_order_id"])
            assert self.serial(name) == order["serial_number"], name

    def downloads(self) -> int:
        """How many certificates DigiCert and Sectigo handed out; the others send them with the status."""
        return sum("/download/" in line["path"] for line in self.sandbox.requests())

    def after_requests(self, act: t.Callable[[], t.Any], times: int = 1) -> t.Callable[[], None]:
        """For ``meanwhile``: act once the sandbox was sent so many requests."""
        before = self.sandbox.summary()["requests"]

        def wait() -> None:
            self.until(lambda: self.sandbox.summary()["requests"] - before >= times)
            act()

        return wait

    # -- a run on its way ----------------------------------------------------------------

    def output(self) -> str:
        """What the run has printed until now."""
        try:
            return (self.folder / "output.txt").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def begun(self, task: str) -> bool:
        """Whether a task has begun."""
        return any(line.startswith("TASK [") and task in line for line in self.output().splitlines())

    def until(self, reached: t.Callable[[], t.Any]) -> None:
        """Return when this is reached. Raise TimeoutError if the run has ended before."""
        deadline = time.monotonic() + MAX_RUN_SECONDS
        over = False
        while not reached():
            if over:
                raise TimeoutError("this was not reached: " + self.output())
            time.sleep(0.02)
            # Seen before the last look at what is to be reached, which the end of the run may be.
            over = time.monotonic() > deadline or bool(self.output()) and not self._processes()

    def kill_when(
        self, reached: t.Callable[[], t.Any], before: t.Callable[[], None] | None = None
    ) -> t.Callable[[], None]:
        """For ``meanwhile``: call ``before``, and kill every process of the run once this is reached."""

        def kill() -> None:
            if before:
                before()
            self.until(reached)
            while found := self._processes():
                for process in found:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, signal.SIGKILL)
                time.sleep(0.02)
            raise Killed

        return kill

    def _processes(self) -> list[int]:
        """The processes of the run, whatever their groups: they know where its results are recorded."""
        mark = f"RECORD_FILE={self.folder}/record.jsonl".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found
