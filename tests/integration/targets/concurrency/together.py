# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many at once: forks that ask one account, plays that deploy one lineage, and waits for the same orders."""

from __future__ import annotations

import json
import os
import sys
import threading
import typing as t
import unittest
from pathlib import Path

_PATHS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)
_TREES = [Path(path, "ansible_collections/certops/issuance") for path in _PATHS]
# ansible-test runs a copy of this folder that stands elsewhere.
_TREE = next((tree for tree in _TREES if (tree / "galaxy.yml").exists()), Path(__file__).resolve().parents[4])
sys.path.insert(0, str(_TREE / "tests/integration/targets/setup_hostile/files"))

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from harness import PROVIDERS, Run, Sandbox, run_play, scratch

FORKS = 50


class Together(unittest.TestCase):
    """One sandbox with the published limits."""

    sandbox: t.ClassVar[Sandbox]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the sandbox."""
        cls.folder = cls.enterClassContext(scratch("many"))
        (cls.folder / "sandbox").mkdir()
        cls.sandbox = cls.enterClassContext(Sandbox.start(folder=cls.folder / "sandbox", rate=0))

    def setUp(self) -> None:
        """Forget all orders; request budgets and temporary files of each test are its own."""
        self.sandbox.reset()
        self.place = self.folder / format(abs(hash(self.id())), "x")[:8]
        (self.place / "tmp").mkdir(parents=True)
        self.environment = {"TMPDIR": str(self.place / "tmp")}

    def hosts(self, names: t.Iterable[str], **variables: t.Any) -> dict[str, t.Any]:
        """An inventory of local hosts."""
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        return {"all": {"hosts": dict.fromkeys(names, {}), "vars": {**here, **variables}}}

    def at_once(self, *runs: t.Callable[[], Run]) -> list[Run]:
        """Several runs side by side."""
        found: dict[int, Run] = {}
        threads = [
            threading.Thread(target=lambda number, run: found.update({number: run()}), args=pair)
            for pair in enumerate(runs)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [found[number] for number in range(len(runs))]

    def test_fifty_forks_ask_one_account(self) -> None:
        account = self.sandbox.options("digicert")
        # Three orders each, and two requests for an order: three times what DigiCert allows in five seconds.
        ids = self.sandbox.orders("digicert", 3 * FORKS, "issued")
        own = "{{ orders[groups.all.index(inventory_hostname)::groups.all | length] }}"
        ask = {**account, "order_ids": own, "request_timeout": 60}
        play = [{"hosts": "all", "gather_facts": False, "tasks": [{"certops.issuance.order_info": ask}]}]
        names = [f"host{number:02}" for number in range(FORKS)]
        inventory = self.hosts(names, orders=ids)
        run = run_play(play, self.place, "--forks", str(FORKS), inventory=inventory, environment=self.environment)
        self.assertEqual(run.code, 0, run.output[-3000:])
        self.assertEqual(sum(len(event.result["orders"]) for event in run.of("order_info", "ok")), 3 * FORKS)
        figures = self.sandbox.summary()
        print(f"\n{figures['requests']} requests, {figures['rate_limited']} of them too many", file=sys.stderr)
        self.assertEqual(figures["rate_limited"], 0, figures)
        self.assertEqual(figures["requests"], 6 * FORKS)

    def test_sectigo_is_never_asked_twice_at_once(self) -> None:
        account = self.sandbox.options("sectigo")
        ids = self.sandbox.orders("sectigo", 8, "issued")
        asked = {**account, "order_id": "{{ orders[groups.all.index(inventory_hostname)] }}", "request_timeout": 60}
        play = [{"hosts": "all", "gather_facts": False, "tasks": [{"certops.issuance.order_certificate": asked}]}]
        inventory = self.hosts([f"host{number}" for number in range(8)], orders=ids)
        run = run_play(play, self.place, "--forks", "8", inventory=inventory, environment=self.environment)
        self.assertEqual(run.code, 0, run.output[-3000:])
        self.assertEqual(self.sandbox.summary()["accounts"]["sectigo"]["most_in_flight"], 1)

    def test_two_waits_for_the_same_orders(self) -> None:
        for provider in PROVIDERS:
            with self.subTest(provider):
                ids = self.sandbox.orders(provider, 5, "dv")
                asked = {
                    **self.sandbox.options(provider),
                    "order_ids": ids,
                    "timeout": 90,
                    "poll_interval": 1,
                    "request_timeout": 30,
                }
                play = [{"hosts": "all", "gather_facts": False, "tasks": [{"certops.issuance.order_wait": asked}]}]
                before = self.sandbox.summary()["requests"]

                def issue(_process: t.Any, before: int = before) -> None:
                    while self.sandbox.summary()["requests"] < before + 4:
                        threading.Event().wait(0.1)
                    self.sandbox.advance(600)

                first, second = self.at_once(
                    lambda: run_play(
                        play,  # noqa: B023
                        self.place / provider / "1",  # noqa: B023
                        environment=self.environment,
                        watch=issue,  # noqa: B023
                    ),
                    lambda: run_play(play, self.place / provider / "2", environment=self.environment),  # noqa: B023
                )
                for run in (first, second):
                    self.assertEqual(run.code, 0, run.output[-3000:])
                    orders = run.of("order_wait", "ok")[0].result["orders"]
                    self.assertEqual(
                        {order["order_id"]: order["outcome"] for order in orders}, dict.fromkeys(ids, "reached")
                    )
        self.assertEqual(self.sandbox.summary()["rate_limited"], 0)

    def test_plays_that_deploy_one_lineage(self) -> None:
        path = self.place / "lineage"
        wanted: list[dict[str, str]] = []
        for number in range(2):
            order = self.sandbox.order("gogetssl", ["www.example.org"], "issued")
            key = self.place / f"{number}.key"
            key.touch(mode=0o600)
            key.write_text(order["private_key"], encoding="utf-8")
            collect = {**self.sandbox.options("gogetssl"), "order_id": order["order_id"]}
            play = [{"hosts": "all", "gather_facts": False, "tasks": [{"certops.issuance.order_certificate": collect}]}]
            result = run_play(play, self.place / f"collect{number}", environment=self.environment)
            found = result.of("order_certificate", "ok")[0].result
            wanted.append({"certificate": found["certificate"], "chain": found["chain"], "private_key_path": str(key)})
        runs = []
        for deployment in wanted:
            deploy = {"certops.issuance.certificate_deploy": {**deployment, "path": str(path), "allow_older": True}}
            deploy["certops.issuance.certificate_deploy"]["ca_path"] = self.sandbox.ca_file
            tasks = [{**deploy, "ignore_errors": True}] * 6
            runs.append([{"hosts": "all", "gather_facts": False, "strategy": "free", "tasks": tasks}])
        inventory = self.hosts([f"host{number}" for number in range(3)])
        told = self.at_once(
            lambda: run_play(runs[0], self.place / "1", inventory=inventory, environment=self.environment),
            lambda: run_play(runs[1], self.place / "2", inventory=inventory, environment=self.environment),
        )
        events = [event for run in told for event in run.of("certificate_deploy")]
        self.assertEqual(len(events), 36, told[0].output[-3000:])
        failures = [event.result.get("error_kind") or event.result["msg"] for event in events if event.kind == "failed"]
        print(f"\n{len(events)} deployments at once, {len(failures)} were told that it is locked", file=sys.stderr)
        self.assertEqual(set(failures) - {"locked"}, set(), told[0].output[-3000:])
        self.assertGreater(sum(event.kind == "ok" and event.result["changed"] for event in events), 1)
        self.assert_whole(path, wanted)

    def assert_whole(self, path: Path, wanted: t.Sequence[dict[str, str]]) -> None:
        """What is in service is all of one deployment, and nothing half-done is left beside it."""
        current = path / "current"
        leaf = x509.load_pem_x509_certificate((current / "cert.pem").read_bytes())
        key = serialization.load_pem_private_key((current / "privkey.pem").read_bytes(), None)
        self.assertEqual(leaf.public_key(), key.public_key())
        chosen = next(one for one in wanted if one["certificate"] == (current / "cert.pem").read_text(encoding="ascii"))
        self.assertEqual((current / "chain.pem").read_text(encoding="ascii"), chosen["chain"])
        self.assertEqual(
            (current / "fullchain.pem").read_text(encoding="ascii"), chosen["certificate"] + chosen["chain"]
        )
        info = [
            {
                "hosts": "all",
                "gather_facts": False,
                "tasks": [{"certops.issuance.certificate_info": {"path": str(path)}}],
            }
        ]
        result = (
            run_play(info, self.place / "info", environment=self.environment).of("certificate_info", "ok")[0].result
        )
        self.assertFalse(result["interrupted"], json.dumps(result))
        self.assertEqual(result["certificate"], chosen["certificate"])


if __name__ == "__main__":
    unittest.main()
