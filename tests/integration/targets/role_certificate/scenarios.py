# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on fleets: strategies, batches, accounts, failures, renewals. Each test runs ansible-playbook."""

from __future__ import annotations

import json
import os
import re
import tempfile
import typing as t
import unittest
from pathlib import Path

from fleet import PROVIDERS, Fleet, Run, Sandbox

#: Virtual seconds after which an order of the scenario "dv" is issued.
ISSUED_AFTER = 120.0
TOGETHER = "Wait for all orders of this account"
ALONE = "Wait for the orders of this host alone"
COLLECT = "Collect the certificate and its chain"


class Scenario(unittest.TestCase):
    """One sandbox for all, one fleet for each."""

    sandbox: t.ClassVar[Sandbox]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the sandbox."""
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(dir=os.environ.get("OUTPUT_DIR"))))
        cls.sandbox = cls.enterClassContext(Sandbox.start(folder=cls.folder, rate=0.0))

    def setUp(self) -> None:
        """Forget all orders, and make an empty fleet."""
        self.sandbox.reset()
        self.fleet = Fleet(self.sandbox, Path(self.enterContext(tempfile.TemporaryDirectory(dir=self.folder))))

    def run_role(self, *arguments: str, **options: t.Any) -> Run:
        """Run the role on all hosts. Whatever it shows, no secret is in it."""
        run = self.fleet.run(*arguments, **options)
        for account in self.sandbox.accounts():
            for secret in filter(None, [account["api_key"], account["password"]]):
                self.assertNotIn(secret, run.output)
        self.assertNotIn("PRIVATE KEY", run.output)
        return run

    def issue(self) -> None:
        """Let time pass until pending orders are issued."""
        self.sandbox.advance(ISSUED_AFTER)

    def assert_all_served(self, run: Run) -> None:
        """Every host has the certificate of its order."""
        self.assertEqual(run.failed, {}, run.output)
        self.assertEqual(run.code, 0, run.output)
        for name, variables in self.fleet.hosts.items():
            order = self.sandbox.get_order(variables["certificate_provider"], variables["certificate_order_id"])
            self.assertEqual(self.fleet.serial(name), order["serial_number"], name)

    def downloads(self) -> int:
        """How many certificates DigiCert and Sectigo handed out; the others tell them with the status."""
        return sum("/download/" in line["path"] for line in self.sandbox.requests())


class Waiting(Scenario):
    """Who waits for whom."""

    def test_accounts_are_waited_for_side_by_side_and_a_second_run_changes_nothing(self) -> None:
        for number, provider in enumerate(["digicert", "gogetssl", "sectigo", "digicert", "gogetssl", "sectigo"]):
            self.fleet.host(f"web{number}", self.fleet.order(provider, f"www{number}.example.org"))
        run = self.run_role(meanwhile=self.fleet.once_asked(self.issue, times=8))
        self.assert_all_served(run)
        self.assertEqual(run.hosts(TOGETHER), ["web0", "web1", "web2"], run.output)
        self.assertEqual(run.hosts(ALONE), [], run.output)
        self.assertRegex(run.output, r"order \d+ \(digicert\) .*; next poll ")
        self.assertEqual(run.changed, sorted(self.fleet.hosts))
        self.sandbox.clear_requests()
        again = self.run_role()
        self.assert_all_served(again)
        self.assertEqual(again.changed, [], again.output)
        self.assertEqual(again.hosts(COLLECT), [], again.output)
        self.assertEqual(self.downloads(), 0)

    def test_hosts_that_share_an_order_ask_and_collect_once_in_all_batches(self) -> None:
        orders = [self.fleet.order("digicert", f"www{number}.example.org", "issued") for number in range(2)]
        for number in range(6):
            self.fleet.host(f"web{number}", orders[number % 2])
        run = self.run_role(play_serial=2)
        self.assert_all_served(run)
        self.assertEqual(run.hosts(TOGETHER), ["web0", "web2", "web4"], run.output)
        self.assertEqual(run.hosts(ALONE), [], run.output)
        self.assertEqual(run.hosts(COLLECT), ["web0", "web1"], run.output)
        self.assertEqual(self.downloads(), 2)

    def test_a_failed_order_fails_its_own_hosts_only(self) -> None:
        good = self.fleet.order("sectigo", "good.example.org", "issued")
        bad = self.fleet.order("sectigo", "bad.example.org", "rejected", after={"validating": 0.0})
        unpaid = self.fleet.order("gogetssl", "unpaid.example.org", "unpaid")
        # The first host waits for the others, and its own order has failed.
        for name, order in {"web0": bad, "web1": good, "web2": bad, "web3": unpaid, "web4": good}.items():
            self.fleet.host(name, order)
        run = self.run_role("--forks", "1")
        self.assertEqual(sorted(run.failed), ["web0", "web2", "web3"], run.output)
        self.assertEqual(run.hosts(ALONE), [], run.output)
        for name in ("web0", "web2"):
            self.assertIn(f"sectigo order {bad['order_id']}: ", run.failed[name])
            self.assertIn("rejected", run.failed[name])
        self.assertIn(f"gogetssl order {unpaid['order_id']}: ", run.failed["web3"])
        self.assertIn("somebody must act", run.failed["web3"])
        self.assertEqual(run.changed, ["web1", "web4"], run.output)

    def test_refused_credentials_fail_the_hosts_of_that_account_only(self) -> None:
        other = self.sandbox.account("digicert", name="digicert_other")
        self.fleet.host("web0", self.fleet.order("digicert", "a.example.org", "issued", account=other["name"]))
        self.fleet.host("web1", self.fleet.order("digicert", "b.example.org", "issued"))
        self.fleet.host("web2", self.fleet.order("digicert", "c.example.org", "issued", account=other["name"]))
        self.sandbox.patch_account(other["name"], revoked=True)
        run = self.run_role()
        self.assertEqual(sorted(run.failed), ["web0", "web2"], run.output)
        self.assertEqual(run.hosts(TOGETHER), ["web0", "web1"], run.output)
        self.assertEqual(run.changed, ["web1"])

    def test_credentials_that_are_missing_are_said_to_be(self) -> None:
        self.fleet.host("web0", self.fleet.order("digicert", "a.example.org"), api_key=None)
        run = self.run_role()
        self.assertIn("credentials are missing", run.failed["web0"])
        self.assertIn("DIGICERT_API_KEY", run.failed["web0"])

    def test_limit(self) -> None:
        for number in range(4):
            self.fleet.host(f"web{number}", self.fleet.order("digicert", f"www{number}.example.org", "issued"))
        run = self.run_role("--limit", "web1,web3")
        self.assertEqual(run.hosts(TOGETHER), ["web1"], run.output)
        self.assertEqual(run.hosts(ALONE), [], run.output)
        self.assertEqual(run.changed, ["web1", "web3"])

    def test_free(self) -> None:
        for number in range(6):
            provider = ["digicert", "gogetssl", "sectigo"][number % 3]
            self.fleet.host(f"web{number}", self.fleet.order(provider, f"www{number}.example.org"))
        run = self.run_role(play_strategy="free", meanwhile=self.fleet.once_asked(self.issue, times=8))
        self.assert_all_served(run)
        self.assertEqual(run.changed, sorted(self.fleet.hosts))

    def test_under_free_no_host_loses_an_order_because_the_first_one_is_done(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        for number in range(9):
            # Each host is a little slower at every task than the one before, so some are behind by any few of them.
            slow = f"{{{{ lookup('ansible.builtin.pipe', 'sleep {number / 3}; echo {order['order_id']}') }}}}"
            self.fleet.host(f"web{number}", {**order, "order_id": slow})
        run = self.run_role("--forks", "9", play="wait.yml", play_strategy="free")
        self.assertEqual(run.failed, {}, run.output)
        told = {"order": order["order_id"], "status": "issued"}
        self.assertEqual(run.told(), dict.fromkeys(self.fleet.hosts, told), run.output)

    def test_the_requests_for_a_fleet_are_those_for_its_orders(self) -> None:
        waves = [60.0, 160.0, 260.0]
        orders = [
            self.fleet.order("digicert", f"www{number}.example.org", after={"validating": waves[number % 3]})
            for number in range(15)
        ]
        orders.append(self.fleet.order("digicert", "bad.example.org", "rejected", after={"validating": 60.0}))
        for number in range(48):
            self.fleet.host(f"web{number:02}", orders[number % 16])

        def in_waves() -> None:
            for _wave in waves:
                self.fleet.once_asked(lambda: self.sandbox.advance(100.0), times=17)()

        run = self.run_role(play="wait.yml", meanwhile=in_waves)
        self.assertEqual(sorted(run.failed), ["web15", "web31", "web47"], run.output)
        self.assertEqual(len(run.told()), 45, run.output)
        self.assertEqual({told["status"] for told in run.told().values()}, {"issued"})
        paths = [line["path"].split("?")[0].removeprefix("/services/v2") for line in self.sandbox.requests()]
        ticks = sum(path.endswith("/status-changes") for path in paths)
        details = [path for path in paths if re.search(r"/certificate/[0-9]+$", path)]
        self.assertEqual(len(details), 16, paths)
        # The list and a first look at each; each once more in whole when it has moved on; then two a tick.
        self.assertLessEqual(len(paths), 1 + 16 + 2 * 16 + 2 * ticks, paths)

    def test_the_orders_of_a_wait_may_be_a_list_a_number_or_a_text(self) -> None:
        orders = [self.fleet.order("digicert", f"www{number}.example.org", "issued") for number in range(2)]
        one, two = (order["order_id"] for order in orders)
        lists = {"web0": [one, int(two)], "web1": f"{one}, {two}", "web2": one, "web3": int(two)}
        for name, order_ids in lists.items():
            self.fleet.host(name, orders[0], order_ids=order_ids)
        run = self.run_role(play="list.yml")
        self.assertEqual(run.failed, {}, run.output)
        self.assertEqual(run.told(), {"web0": [one, two], "web1": [one, two], "web2": [one], "web3": [two]}, run.output)

    def test_a_host_without_orders_waits_for_nothing(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        self.fleet.host("web0", order, order_ids=[])
        self.fleet.host("web1", order, order_ids=" , ")
        run = self.run_role(play="list.yml")
        self.assertEqual(run.failed, {"web1": "certificate_order_ids is empty"}, run.output)
        self.assertEqual(run.told(), {"web0": []}, run.output)
        self.assertEqual(self.sandbox.summary()["requests"], 0)
        self.fleet.host("web1", order, order_ids=[order["order_id"]])
        self.assertEqual(self.run_role(play="list.yml").told(), {"web0": [], "web1": [order["order_id"]]})

    def test_any_errors_fatal_ends_the_play_before_anything_is_deployed(self) -> None:
        self.fleet.host("web0", self.fleet.order("digicert", "good.example.org", "issued"))
        self.fleet.host("web1", self.fleet.order("digicert", "bad.example.org", "rejected", after={"validating": 0.0}))
        run = self.run_role(play="fatal.yml")
        self.assertEqual(list(run.failed), ["web1"], run.output)
        self.assertEqual(run.changed, [], run.output)
        self.assertNotEqual(run.code, 0)

    def test_an_order_that_the_provider_does_not_know(self) -> None:
        order = self.fleet.order("digicert", "good.example.org", "issued")
        self.fleet.host("web0", {**order, "order_id": "4711"})
        self.fleet.host("web1", order)
        self.fleet.host("web2", {**order, "order_id": "no number"})
        run = self.run_role()
        self.assertEqual(sorted(run.failed), ["web0", "web2"], run.output)
        self.assertIn("digicert order 4711: ", run.failed["web0"])
        self.assertIn("no number", run.failed["web2"])
        self.assertEqual(run.changed, ["web1"])


class Pausing(Scenario):
    """Runs that end before the order is issued, and what the next run makes of them."""

    def test_a_deferred_order_is_taken_up_by_the_next_run(self) -> None:
        self.fleet.host("web0", self.fleet.order("digicert", "late.example.org"))
        self.fleet.host("web1", self.fleet.order("digicert", "ready.example.org", "issued"))
        run = self.run_role(certificate_on_timeout="defer", certificate_wait_timeout=0)
        self.assertEqual(run.failed, {}, run.output)
        self.assertEqual(run.changed, ["web1"])
        self.assertEqual(run.told()["web0"], {"deferred": True, "order": "validating", "reasons": None})
        self.assertEqual(run.told()["web1"], {"deferred": False, "order": "issued", "reasons": ["absent"]})
        self.assertIn("late.example.org", run.of("Say what is still waited for")[0].msg)
        self.issue()
        again = self.run_role(certificate_on_timeout="defer", certificate_wait_timeout=0)
        self.assert_all_served(again)
        self.assertEqual(again.changed, ["web0"])

    def test_a_timeout_fails_the_host_and_says_what_is_missing(self) -> None:
        self.fleet.host("web0", self.fleet.order("gogetssl", "late.example.org"))
        run = self.run_role(certificate_wait_timeout=0)
        self.assertRegex(run.failed["web0"], r"gogetssl order \d+: not there after 0s: .*late\.example\.org")

    def test_check_mode_before_issuance_would_wait(self) -> None:
        self.fleet.host("web0", self.fleet.order("digicert", "late.example.org"))
        run = self.run_role("--check")
        self.assertEqual((run.failed, run.changed), ({}, []), run.output)
        said = run.of("Say what is still waited for")[0].msg
        self.assertRegex(said, r"would wait for digicert order \d+: validating, .*late")
        self.assertIsNone(self.fleet.serial("web0"))

    def test_check_mode_after_issuance_would_deploy(self) -> None:
        self.fleet.host("web0", self.fleet.order("digicert", "ready.example.org", "issued"))
        run = self.run_role("--check")
        self.assertEqual((run.failed, run.changed), ({}, ["web0"]), run.output)
        self.assertIsNone(self.fleet.serial("web0"))

    def test_a_placeholder_stands_in_until_the_certificate_is_there(self) -> None:
        order = self.fleet.order("digicert", "late.example.org")
        self.fleet.host("web0", order, placeholder=True, names=["late.example.org"], wait_timeout=0, on_timeout="defer")
        run = self.run_role()
        self.assertEqual(run.failed, {}, run.output)
        self.assertEqual(run.hosts("self-signed"), ["web0"])
        placeholder = self.fleet.serial("web0")
        self.assertIsNotNone(placeholder)
        self.assertEqual(self.run_role().changed, [])
        self.assertEqual(self.fleet.serial("web0"), placeholder)
        self.issue()
        self.assert_all_served(self.run_role())


class Renewing(Scenario):
    """Reissues: the provider goes on serving the previous certificate."""

    def test_a_reissue_is_waited_for_and_reaches_every_host(self) -> None:
        orders = [self.fleet.order("gogetssl", f"www{number}.example.org", "issued") for number in range(2)]
        for number in range(4):
            self.fleet.host(f"web{number}", orders[number % 2])
        self.assert_all_served(self.run_role())
        old = self.fleet.serial("web0")
        for order in orders:
            self.sandbox.patch_order("gogetssl", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        self.assertEqual(self.run_role("--limit", "web0").changed, [])
        run = self.run_role(certificate_reissue=True, meanwhile=self.fleet.once_asked(self.issue, times=4))
        self.assert_all_served(run)
        self.assertNotEqual(self.fleet.serial("web0"), old)
        self.assertEqual(run.hosts(TOGETHER), ["web0"], run.output)
        self.assertEqual(run.hosts(ALONE), [], run.output)

    def test_a_fleet_that_was_renewed_in_part_is_finished(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        for number in range(3):
            self.fleet.host(f"web{number}", order)
        self.assert_all_served(self.run_role())
        old = self.fleet.serial("web0")
        self.sandbox.patch_order("digicert", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        self.issue()
        self.assertEqual(self.run_role("--limit", "web0", certificate_reissue=True).changed, ["web0"])
        run = self.run_role(certificate_reissue=True, certificate_wait_timeout=0)
        self.assert_all_served(run)
        self.assertEqual(run.changed, ["web1", "web2"])
        repeated = self.run_role(
            certificate_reissue=True, certificate_superseded_serial_number=old, certificate_wait_timeout=0
        )
        self.assert_all_served(repeated)
        self.assertEqual(repeated.changed, [])

    def test_a_reissue_whose_deployment_was_interrupted_is_finished_and_not_waited_for_again(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        self.fleet.host("web0", order)
        self.assert_all_served(self.run_role())
        lineage = Path(self.fleet.hosts["web0"]["certificate_path"])
        previous = (lineage / "current").readlink().name
        self.sandbox.patch_order("digicert", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        self.issue()
        self.assert_all_served(self.run_role(certificate_reissue=True))
        # As it stands where the run was killed between the switch and the proof.
        journal = {"state": "switching", "previous": previous, "next": (lineage / "current").readlink().name}
        (lineage / ".journal.json").write_text(json.dumps(journal), encoding="utf-8")
        again = self.run_role(certificate_reissue=True, certificate_wait_timeout=0)
        self.assert_all_served(again)
        self.assertFalse((lineage / ".journal.json").exists())

    def test_the_certificate_to_be_replaced_says_that_it_is_a_reissue(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        self.fleet.host("web0", order)
        self.assert_all_served(self.run_role())
        names = ["www.example.org"]
        self.fleet.host("web1", order, placeholder=True, names=names, wait_timeout=0, on_timeout="defer")
        old = self.fleet.serial("web0")
        run = self.run_role(certificate_superseded_serial_number=old, certificate_wait_timeout=0)
        self.assertIn("the reissue is not there yet", run.failed["web0"])
        self.assertNotEqual(self.fleet.serial("web1"), old)
        self.sandbox.patch_order("digicert", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        self.issue()
        self.assert_all_served(self.run_role(certificate_superseded_serial_number=old, certificate_wait_timeout=0))

    def test_the_command_line_says_no_as_well_as_yes(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        self.fleet.host("web0", order, names=["www.example.org"])
        quick = ("-e", "certificate_wait_timeout=0")
        self.assert_all_served(self.run_role("-e", "certificate_placeholder=true", *quick))
        no = ("-e", "certificate_reissue=false certificate_placeholder=no")
        self.assertEqual(self.run_role(*no, *quick).failed, {})
        run = self.run_role("-e", "certificate_reissue=yes", *quick)
        self.assertIn("not there after 0s", run.failed["web0"])


class Turns(Scenario):
    """The role more than once in a play."""

    def sites(self, name: str, orders: t.Sequence[dict[str, t.Any]], **more: t.Any) -> None:
        """A host with one certificate for each order."""
        account = self.fleet.variables(orders[0], "")
        for variable in ("certificate_order_id", "certificate_path", "certificate_private_key_path"):
            account.pop(variable)
        sites = [{**self.fleet.variables(order, f"hosts/{name}/{order['order_id']}"), **more} for order in orders]
        self.fleet.hosts[name] = {**account, "sites": sites}

    def assert_each_site_has_its_own(self, run: Run) -> None:
        """Every certificate stands where it belongs."""
        self.assertEqual(run.failed, {}, run.output)
        for name, variables in self.fleet.hosts.items():
            for site in variables["sites"]:
                order = self.sandbox.get_order("digicert", site["certificate_order_id"])
                self.assertEqual(self.fleet.serial(name, order["order_id"]), order["serial_number"])

    def test_certificates_in_a_loop(self) -> None:
        orders = [self.fleet.order("digicert", f"www{number}.example.org", "issued") for number in range(3)]
        self.sites("web0", orders[:2])
        self.sites("web1", orders[1:])
        for strategy in ("linear", "free"):
            with self.subTest(strategy):
                self.assert_each_site_has_its_own(self.run_role(play="loop.yml", play_strategy=strategy))
        again = self.run_role(play="loop.yml", play_wait_first=True)
        self.assert_each_site_has_its_own(again)
        self.assertEqual(again.changed, [])

    def test_all_orders_are_waited_for_before_the_first_is_deployed(self) -> None:
        orders = [self.fleet.order("digicert", f"www{number}.example.org") for number in range(3)]
        self.sites("web0", orders[:2])
        self.sites("web1", orders[2:])
        run = self.run_role(play="loop.yml", play_wait_first=True, meanwhile=self.fleet.once_asked(self.issue, times=6))
        self.assert_each_site_has_its_own(run)
        first = run.of(TOGETHER)[0]
        self.assertEqual(sorted(order["order_id"] for order in first.result["orders"]), [o["order_id"] for o in orders])

    def test_a_deferred_order_does_not_leak_into_the_next_turn(self) -> None:
        late = self.fleet.order("digicert", "late.example.org")
        ready = self.fleet.order("digicert", "ready.example.org", "issued")
        self.sites("web0", [late, ready], certificate_on_timeout="defer")
        run = self.run_role(play="loop.yml", certificate_wait_timeout=0)
        self.assertEqual(run.failed, {}, run.output)
        self.assertEqual(run.told()["web0"], {"deferred": False, "order": "issued", "reasons": ["absent"]})
        self.assertIsNone(self.fleet.serial("web0", late["order_id"]))
        self.assertIsNotNone(self.fleet.serial("web0", ready["order_id"]))

    def test_a_host_that_is_done_leads_nobody(self) -> None:
        for number in range(3):
            self.fleet.host(f"web{number}", self.fleet.order("digicert", f"www{number}.example.org", "issued"))
        run = self.run_role(play="turns.yml")
        self.assert_all_served(run)
        self.assertEqual(run.hosts(TOGETHER), ["web0", "web1"], run.output)
        self.assertEqual(run.hosts(ALONE), [], run.output)

    def test_a_host_that_failed_and_was_rescued_leads_nobody(self) -> None:
        bad = self.fleet.order("digicert", "bad.example.org", "rejected", after={"validating": 0.0})
        self.fleet.host("web0", bad)
        for number in (1, 2):
            self.fleet.host(f"web{number}", self.fleet.order("digicert", f"www{number}.example.org", "issued"))
        run = self.run_role(play="rescue.yml")
        self.assertEqual(run.code, 0, run.output)
        self.assertEqual(run.hosts(TOGETHER), ["web0", "web1"], run.output)
        self.assertEqual(run.hosts(ALONE), [], run.output)


class Rescuing(Scenario):
    """What a play can do about a failure."""

    def test_a_rescue_learns_the_kind_of_error(self) -> None:
        good = self.fleet.order("digicert", "good.example.org", "issued")
        bad = self.fleet.order(
            "sectigo", "bad.example.org", "rejected", after={"validating": 0.0}, reason="{{ 7 * 6 }} is not the answer"
        )
        hosts = {
            "web0": (bad, {}, "order_failed"),
            "web1": ({**good, "order_id": "4711"}, {}, "not_found"),
            "web2": (good, {"private_key_path": None}, "invalid_request"),
            "web3": (good, {"api_key": None}, "invalid_request"),
            "web4": (good, {"reload_commands": ["false"]}, "reload_failed"),
            "web5": (good, {"csr": bad["csr"]}, "key_mismatch"),
            "web6": (self.fleet.order("gogetssl", "late.example.org"), {"wait_timeout": 0}, "timed_out"),
        }
        for name, (order, variables, _kind) in hosts.items():
            self.fleet.host(name, order, **variables)
        self.fleet.hosts["web1"]["right_order_id"] = good["order_id"]
        self.fleet.host("web7", good)
        run = self.run_role(play="failure.yml")
        self.assertEqual(run.code, 0, run.output)
        told = {event.host: json.loads(event.msg) for event in run.of("Tell why")}
        self.assertEqual({name: failure["error_kind"] for name, failure in told.items()},
                         {name: kind for name, (_order, _variables, kind) in hosts.items()}, run.output)  # fmt: skip
        for name, (order, _variables, _kind) in hosts.items():
            self.assertEqual(told[name]["order_id"], order["order_id"])
            self.assertEqual(told[name]["provider"], order["provider"])
            self.assertEqual(told[name]["msg"], run.failed[name])
        self.assertEqual(run.told()["web0"], told["web0"])
        self.assertEqual((run.told()["web1"], run.told()["web7"]), ({}, {}), run.output)


class Guarding(Scenario):
    """What must not happen."""

    def test_no_secret_is_shown_at_the_highest_verbosity(self) -> None:
        for number, provider in enumerate(PROVIDERS):
            order = self.fleet.order(provider, f"www{number}.example.org", "issued")
            key = Path(order["key"]).read_text(encoding="utf-8")
            self.fleet.host(f"web{number}", order, private_key_content=key, private_key_path=None)
        self.assert_all_served(self.run_role("-vvvv", "--diff"))

    def test_a_play_that_is_not_local_still_asks_from_the_controller(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        self.fleet.host("web0", order)
        run = self.run_role("--connection", "ssh", "--become")
        self.assertEqual(run.failed, {}, run.output)

    def test_what_cannot_work_is_refused_before_anything_is_waited_for(self) -> None:
        order = self.fleet.order("digicert", "www.example.org")
        missing = str(self.fleet.folder / "no.key")
        key = "certificate_private_key_path or certificate_private_key_content"
        cases: list[tuple[dict[str, t.Any], str, str]] = [
            ({"private_key_path": None}, key, "invalid_request"),
            ({"private_key_path": ""}, key, "invalid_request"),
            ({"private_key_content": "a key"}, key, "invalid_request"),
            ({"private_key_path": missing}, f"the private key {missing} is not there on web3", "invalid_key"),
            ({"csr": "/etc/ssl/www.csr"}, "certificate_csr is no PEM", "invalid_request"),
            ({"order_id": " "}, "certificate_order_id is empty", "invalid_request"),
            ({"order_id": ["1"]}, "certificate_order_id is a list; give one order ID", "invalid_request"),
        ]
        for number, (variables, _message, _kind) in enumerate(cases):
            self.fleet.host(f"web{number}", order, **variables)
        run = self.run_role(play="failure.yml")
        self.assertEqual(sorted(run.failed), sorted(self.fleet.hosts), run.output)
        for number, (_variables, message, kind) in enumerate(cases):
            self.assertIn(message, run.failed[f"web{number}"])
            self.assertEqual(run.told()[f"web{number}"]["error_kind"], kind)
        self.assertEqual(self.sandbox.summary()["requests"], 0)

    def test_a_key_that_is_not_made_in_check_mode_is_not_missed(self) -> None:
        order = self.fleet.order("digicert", "late.example.org")
        self.fleet.host("web0", order, private_key_path=str(self.fleet.folder / "no.key"), private_key_content="")
        run = self.run_role("--check")
        self.assertEqual(run.failed, {}, run.output)

    def test_a_certificate_for_another_key_is_refused_with_the_csr(self) -> None:
        order = self.fleet.order("digicert", "www.example.org", "issued")
        other = self.fleet.order("digicert", "other.example.org")
        self.fleet.host("web0", order, csr=other["csr"])
        run = self.run_role()
        self.assertEqual(list(run.failed), ["web0"], run.output)
        self.assertEqual(run.changed, [])


if __name__ == "__main__":
    unittest.main()
