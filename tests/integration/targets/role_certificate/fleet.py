# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet for one scenario: orders at the sandbox, hosts in an inventory, and runs of ansible-playbook on them."""

from __future__ import annotations

import json
import os
import sys
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent


def collection() -> Path:
    """The root of the collection; ansible-test runs a copy of this folder that stands elsewhere."""
    roots = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)
    found = [Path(root, "ansible_collections/certops/issuance") for root in roots if root]
    return next(path for path in [*found, HERE.parents[3]] if (path / "galaxy.yml").exists())


sys.path.insert(0, str(collection() / "tests/integration/targets/setup_hostile/files"))

from harness import PROVIDERS, RETRY_TIMEOUT, Event, Sandbox, run_play  # noqa: E402

__all__ = ["PROVIDERS", "Fleet", "Run", "Sandbox"]


@dataclass(frozen=True)
class Run:
    """A finished run of ansible-playbook."""

    code: int
    output: str
    events: t.Sequence[Event]

    def of(self, task: str, kind: str = "ok") -> list[Event]:
        """Events whose task name contains ``task``."""
        return [event for event in self.events if task in event.task and event.kind == kind]

    def hosts(self, task: str, kind: str = "ok") -> list[str]:
        """The hosts of these events, sorted."""
        return sorted(event.host for event in self.of(task, kind))

    @property
    def failed(self) -> dict[str, str]:
        """The hosts that failed, with the message."""
        return {event.host: event.msg for event in self.events if event.kind == "failed"}

    @property
    def changed(self) -> list[str]:
        """The hosts on which something was changed."""
        return sorted({event.host for event in self.events if event.result.get("changed")})

    def told(self) -> dict[str, t.Any]:
        """What each host told at the end of plays/role.yml."""
        return {event.host: json.loads(event.msg) for event in self.of("Tell what the role left")}


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
        self, *arguments: str, play: str = "role.yml", meanwhile: t.Callable[[], None] | None = None, **variables: t.Any
    ) -> Run:
        """Run a play on the hosts, with extra variables; ``meanwhile`` is called while it runs."""
        general = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "certificate_ca_path": self.sandbox.ca_file,
            "certificate_poll_interval": 1,
            "certificate_wait_timeout": 60,
        }
        run = run_play(
            HERE / "plays" / play,
            self.folder,
            *("-e", json.dumps(variables), *arguments),
            inventory={"all": {"hosts": self.hosts, "vars": general}},
            watch=(lambda process: meanwhile()) if meanwhile else None,
        )
        return Run(run.code, run.output, run.events)

    def once_asked(self, act: t.Callable[[], t.Any], times: int = 1) -> t.Callable[[], None]:
        """For ``meanwhile``: act once the status of orders was asked so many times."""
        before = self.sandbox.summary()["requests"]

        def wait() -> None:
            deadline = time.monotonic() + RETRY_TIMEOUT
            while self.sandbox.summary()["requests"] - before < times:
                if time.monotonic() > deadline:
                    raise TimeoutError("nothing was asked at the sandbox")
                time.sleep(0.1)
            act()

        return wait
