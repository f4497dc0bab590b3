# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on fleets: strategies, batches, accounts, failures, renewals. Each test runs ansible-playbook."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from ansible_runs import Run
from cryptography.hazmat.primitives.serialization import pkcs12
from fleet import Fleet
from sandbox.client import PROVIDERS

TOGETHER = "Wait for all orders of this account"
TAKE = "Take the order"


def alone(run: Run) -> list[str]:
    """The hosts that have asked for their own orders, as no other host had."""
    return sorted(event.host for event in run.of_task(TAKE) if event.result["alone"])


def collected(run: Run) -> list[str]:
    """The hosts that have collected a certificate for themselves."""
    return sorted(event.host for event in run.of_task(TAKE) if event.result.get("requests_sent"))


class TestWaiting:
    """Who waits for whom."""

    def test_accounts_are_waited_for_side_by_side_and_a_second_run_changes_nothing(self, fleet: Fleet) -> None:
        for number, provider in enumerate(["digicert", "gogetssl", "sectigo", "digicert", "gogetssl", "sectigo"]):
            fleet.host(f"web{number}", fleet.order(provider, f"www{number}.example.org"))
        run = fleet.run(meanwhile=fleet.after_requests(fleet.issue, times=8))
        fleet.assert_all_served(run)
        assert run.hosts(TOGETHER) == ["web0", "web1", "web2"], run.output
        assert alone(run) == [], run.output
        assert re.search(r"order \d+ \(digicert\) .*; next poll ", run.output)
        assert run.changed == sorted(fleet.hosts)
        fleet.sandbox.clear_requests()
        again = fleet.run()
        fleet.assert_all_served(again)
        assert again.changed == [], again.output
        assert collected(again) == [], again.output
        assert fleet.downloads() == 0

    @pytest.mark.slow
    def test_keystore_and_format_of_the_key(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "app.example.org", "issued")
        files = ["fullchain", "privkey", "pkcs12"]
        fleet.host("app", order, files=files, pkcs12_password="changeit", key_format="pkcs8")
        fleet.assert_all_served(fleet.run())
        current = fleet.folder / "hosts/app/certificate/current"
        keystore = pkcs12.load_pkcs12((current / "keystore.p12").read_bytes(), b"changeit")
        assert keystore.cert is not None
        assert keystore.cert.certificate.serial_number == int(fleet.serial("app") or "", 16)
        assert (current / "privkey.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
        assert fleet.run().changed == []

    @pytest.mark.slow
    def test_hosts_that_share_an_order_ask_and_collect_once_in_all_batches(self, fleet: Fleet) -> None:
        orders = [fleet.order("digicert", f"www{number}.example.org", "issued") for number in range(2)]
        for number in range(6):
            fleet.host(f"web{number}", orders[number % 2])
        run = fleet.run(play_serial=2)
        fleet.assert_all_served(run)
        assert run.hosts(TOGETHER) == ["web0", "web2", "web4"], run.output
        assert alone(run) == [], run.output
        assert collected(run) == ["web0", "web1"], run.output
        assert fleet.downloads() == 2

    @pytest.mark.slow
    def test_a_failed_order_fails_its_own_hosts_only(self, fleet: Fleet) -> None:
        good = fleet.order("sectigo", "good.example.org", "issued")
        bad = fleet.order("sectigo", "bad.example.org", "rejected", after={"validating": 0.0})
        unpaid = fleet.order("gogetssl", "unpaid.example.org", "unpaid")
        # The first host waits for the others, and its own order has failed.
        for name, order in {"web0": bad, "web1": good, "web2": bad, "web3": unpaid, "web4": good}.items():
            fleet.host(name, order)
        run = fleet.run("--forks", "1")
        assert sorted(run.failed) == ["web0", "web2", "web3"], run.output
        assert alone(run) == [], run.output
        for name in ("web0", "web2"):
            assert f"sectigo order {bad['order_id']}: " in run.failed[name]
            assert "rejected" in run.failed[name]
        assert f"gogetssl order {unpaid['order_id']}: " in run.failed["web3"]
        assert "a person must act" in run.failed["web3"]
        assert run.changed == ["web1", "web4"], run.output

    @pytest.mark.slow
    def test_refused_credentials_fail_the_hosts_of_that_account_only(self, fleet: Fleet) -> None:
        other = fleet.sandbox.account("digicert", name="digicert_other")
        fleet.host("web0", fleet.order("digicert", "a.example.org", "issued", account=other["name"]))
        fleet.host("web1", fleet.order("digicert", "b.example.org", "issued"))
        fleet.host("web2", fleet.order("digicert", "c.example.org", "issued", account=other["name"]))
        fleet.sandbox.patch_account(other["name"], revoked=True)
        run = fleet.run()
        assert sorted(run.failed) == ["web0", "web2"], run.output
        assert run.hosts(TOGETHER) == ["web0", "web1"], run.output
        assert run.changed == ["web1"]

    @pytest.mark.slow
    def test_credentials_that_are_missing_are_said_to_be(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "a.example.org"), api_key=None)
        run = fleet.run()
        assert "credentials are missing" in run.failed["web0"]
        assert "DIGICERT_API_KEY" in run.failed["web0"]

    @pytest.mark.slow
    def test_limit(self, fleet: Fleet) -> None:
        for number in range(4):
            fleet.host(f"web{number}", fleet.order("digicert", f"www{number}.example.org", "issued"))
        run = fleet.run("--limit", "web1,web3")
        assert run.hosts(TOGETHER) == ["web1"], run.output
        assert alone(run) == [], run.output
        assert run.changed == ["web1", "web3"]

    @pytest.mark.slow
    def test_free(self, fleet: Fleet) -> None:
        for number in range(6):
            provider = ["digicert", "gogetssl", "sectigo"][number % 3]
            fleet.host(f"web{number}", fleet.order(provider, f"www{number}.example.org"))
        run = fleet.run(play_strategy="free", meanwhile=fleet.after_requests(fleet.issue, times=8))
        fleet.assert_all_served(run)
        assert run.changed == sorted(fleet.hosts)

    @pytest.mark.slow
    def test_under_free_no_host_loses_an_order_because_the_first_one_is_done(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        for number in range(9):
            # Each host is a little slower at every task than the one before, so some are behind by any few of them.
            slow = f"{{{{ lookup('ansible.builtin.pipe', 'sleep {number / 3}; echo {order['order_id']}') }}}}"
            fleet.host(f"web{number}", {**order, "order_id": slow})
        run = fleet.run("--forks", "9", play="wait.yml", play_strategy="free")
        assert run.failed == {}, run.output
        reported = {"order": order["order_id"], "status": "issued"}
        assert run.reported() == dict.fromkeys(fleet.hosts, reported), run.output

    @pytest.mark.slow
    def test_the_requests_for_a_fleet_are_those_for_its_orders(self, fleet: Fleet) -> None:
        waves = [60.0, 160.0, 260.0]
        orders = [
            fleet.order("digicert", f"www{number}.example.org", after={"validating": waves[number % 3]})
            for number in range(15)
        ]
        orders.append(fleet.order("digicert", "bad.example.org", "rejected", after={"validating": 60.0}))
        for number in range(48):
            fleet.host(f"web{number:02}", orders[number % 16])

        def in_waves() -> None:
            for _wave in waves:
                fleet.after_requests(lambda: fleet.sandbox.advance(100.0), times=17)()

        run = fleet.run(play="wait.yml", meanwhile=in_waves)
        assert sorted(run.failed) == ["web15", "web31", "web47"], run.output
        assert len(run.reported()) == 45, run.output
        assert {reported["status"] for reported in run.reported().values()} == {"issued"}
        paths = [line["path"].split("?")[0].removeprefix("/services/v2") for line in fleet.sandbox.requests()]
        ticks = sum(path.endswith("/status-changes") for path in paths)
        details = [path for path in paths if re.search(r"/certificate/[0-9]+$", path)]
        assert len(details) == 16, paths
        # The list and a first look at each; each once more in whole when it has moved on; then two a tick.
        assert len(paths) <= 1 + 16 + 2 * 16 + 2 * ticks, paths

    @pytest.mark.slow
    def test_the_orders_of_a_wait_may_be_a_list_a_number_or_a_text(self, fleet: Fleet) -> None:
        orders = [fleet.order("digicert", f"www{number}.example.org", "issued") for number in range(2)]
        one, two = (order["order_id"] for order in orders)
        lists = {"web0": [one, int(two)], "web1": f"{one}, {two}", "web2": one, "web3": int(two)}
        for name, order_ids in lists.items():
            fleet.host(name, orders[0], order_ids=order_ids)
        run = fleet.run(play="list.yml")
        assert run.failed == {}, run.output
        assert run.reported() == {"web0": [one, two], "web1": [one, two], "web2": [one], "web3": [two]}, run.output

    @pytest.mark.slow
    def test_a_host_without_orders_waits_for_nothing(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        fleet.host("web0", order, order_ids=[])
        fleet.host("web1", order, order_ids=" , ")
        run = fleet.run(play="list.yml")
        assert run.failed == {"web1": "certificate_order_ids is empty; give the numbers of orders"}, run.output
        assert run.reported() == {"web0": []}, run.output
        assert fleet.sandbox.summary()["requests"] == 0
        fleet.host("web1", order, order_ids=[order["order_id"]])
        assert fleet.run(play="list.yml").reported() == {"web0": [], "web1": [order["order_id"]]}

    @pytest.mark.slow
    def test_any_errors_fatal_ends_the_play_before_anything_is_deployed(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "good.example.org", "issued"))
        fleet.host("web1", fleet.order("digicert", "bad.example.org", "rejected", after={"validating": 0.0}))
        run = fleet.run(play="fatal.yml")
        assert list(run.failed) == ["web1"], run.output
        assert run.changed == [], run.output
        assert run.code != 0

    @pytest.mark.slow
    def test_an_order_that_the_provider_does_not_know(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "good.example.org", "issued")
        fleet.host("web0", {**order, "order_id": "4711"})
        fleet.host("web1", order)
        fleet.host("web2", {**order, "order_id": "no number"})
        run = fleet.run()
        assert sorted(run.failed) == ["web0", "web2"], run.output
        assert "digicert order 4711: " in run.failed["web0"]
        assert "no number" in run.failed["web2"]
        assert run.changed == ["web1"]


class TestPausing:
    """Runs that end before the order is issued, and what the next run makes of them."""

    def test_a_deferred_order_is_taken_up_by_the_next_run(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "late.example.org"))
        fleet.host("web1", fleet.order("digicert", "ready.example.org", "issued"))
        run = fleet.run(certificate_on_timeout="defer", certificate_wait_timeout=0)
        assert run.failed == {}, run.output
        assert run.changed == ["web1"]
        assert run.reported()["web0"] == {"deferred": True, "order": "validating", "reasons": None}
        assert run.reported()["web1"] == {"deferred": False, "order": "issued", "reasons": ["absent"]}
        assert "late.example.org" in run.of_task(TAKE)[0].msg
        fleet.issue()
        again = fleet.run(certificate_on_timeout="defer", certificate_wait_timeout=0)
        fleet.assert_all_served(again)
        assert again.changed == ["web0"]

    def test_a_timeout_fails_the_host_and_says_what_is_missing(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("gogetssl", "late.example.org"))
        run = fleet.run(certificate_wait_timeout=0)
        assert re.search(r"gogetssl order \d+: not there after 0s: .*late\.example\.org", run.failed["web0"])

    def test_check_mode_before_issuance_would_wait(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "late.example.org"))
        run = fleet.run("--check")
        assert (run.failed, run.changed) == ({}, []), run.output
        message = run.of_task(TAKE)[0].msg
        assert re.search(r"would wait for digicert order \d+: validating, .*late", message)
        assert fleet.serial("web0") is None

    @pytest.mark.slow
    def test_check_mode_after_issuance_would_deploy(self, fleet: Fleet) -> None:
        fleet.host("web0", fleet.order("digicert", "ready.example.org", "issued"))
        run = fleet.run("--check")
        assert (run.failed, run.changed) == ({}, ["web0"]), run.output
        assert fleet.serial("web0") is None

    @pytest.mark.slow
    def test_a_placeholder_stands_in_until_the_certificate_is_there(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "late.example.org")
        fleet.host("web0", order, placeholder=True, names=["late.example.org"], wait_timeout=0, on_timeout="defer")
        run = fleet.run()
        assert run.failed == {}, run.output
        assert run.changed == ["web0"]
        placeholder = fleet.serial("web0")
        assert placeholder is not None
        assert fleet.run().changed == []
        assert fleet.serial("web0") == placeholder
        fleet.issue()
        fleet.assert_all_served(fleet.run())


class TestRenewing:
    """Reissues: the provider goes on serving the previous certificate."""

    @pytest.mark.slow
    def test_a_reissue_is_waited_for_and_reaches_every_host(self, fleet: Fleet) -> None:
        orders = [fleet.order("gogetssl", f"www{number}.example.org", "issued") for number in range(2)]
        for number in range(4):
            fleet.host(f"web{number}", orders[number % 2])
        fleet.assert_all_served(fleet.run())
        old = fleet.serial("web0")
        for order in orders:
            fleet.sandbox.patch_order("gogetssl", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        assert fleet.run("--limit", "web0", certificate_wait_timeout=0).changed == []
        run = fleet.run(certificate_reissue=True, meanwhile=fleet.after_requests(fleet.issue, times=4))
        fleet.assert_all_served(run)
        assert fleet.serial("web0") != old
        assert run.hosts(TOGETHER) == ["web0"], run.output
        assert alone(run) == [], run.output

    @pytest.mark.slow
    def test_a_fleet_that_was_renewed_in_part_is_finished(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        for number in range(3):
            fleet.host(f"web{number}", order)
        fleet.assert_all_served(fleet.run())
        old = fleet.serial("web0")
        fleet.sandbox.patch_order("digicert", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        fleet.issue()
        assert fleet.run("--limit", "web0", certificate_reissue=True).changed == ["web0"]
        run = fleet.run(certificate_reissue=True, certificate_wait_timeout=0)
        fleet.assert_all_served(run)
        assert run.changed == ["web1", "web2"]
        repeated = fleet.run(
            certificate_reissue=True, certificate_superseded_serial_number=old, certificate_wait_timeout=0
        )
        fleet.assert_all_served(repeated)
        assert repeated.changed == []

    @pytest.mark.slow
    def test_a_reissue_whose_deployment_was_interrupted_is_finished_and_not_waited_for_again(
        self, fleet: Fleet
    ) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        fleet.host("web0", order)
        fleet.assert_all_served(fleet.run())
        lineage = Path(fleet.hosts["web0"]["certificate_path"])
        previous = (lineage / "current").readlink().name
        fleet.sandbox.patch_order("digicert", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        fleet.issue()
        fleet.assert_all_served(fleet.run(certificate_reissue=True))
        # As it stands where the run was killed between the switch and the verification.
        journal = {"state": "switching", "previous": previous, "next": (lineage / "current").readlink().name}
        (lineage / ".journal.json").write_text(json.dumps(journal), encoding="utf-8")
        again = fleet.run(certificate_reissue=True, certificate_wait_timeout=0)
        fleet.assert_all_served(again)
        assert not (lineage / ".journal.json").exists()

    @pytest.mark.slow
    def test_the_certificate_to_be_replaced_says_that_it_is_a_reissue(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        fleet.host("web0", order)
        fleet.assert_all_served(fleet.run())
        names = ["www.example.org"]
        fleet.host("web1", order, placeholder=True, names=names, wait_timeout=0, on_timeout="defer")
        old = fleet.serial("web0")
        run = fleet.run(certificate_superseded_serial_number=old, certificate_wait_timeout=0)
        assert "the reissue is not there yet" in run.failed["web0"]
        assert fleet.serial("web1") != old
        fleet.sandbox.patch_order("digicert", order["order_id"], reissue={"seconds": 60, "csr": order["csr"]})
        fleet.issue()
        fleet.assert_all_served(fleet.run(certificate_superseded_serial_number=old, certificate_wait_timeout=0))

    @pytest.mark.slow
    def test_the_command_line_says_no_as_well_as_yes(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        fleet.host("web0", order, names=["www.example.org"])
        quick = ("-e", "certificate_wait_timeout=0")
        fleet.assert_all_served(fleet.run("-e", "certificate_placeholder=true", *quick))
        no = ("-e", "certificate_reissue=false certificate_placeholder=no")
        assert fleet.run(*no, *quick).failed == {}
        run = fleet.run("-e", "certificate_reissue=yes", *quick)
        assert "not there after 0s" in run.failed["web0"]


class TestTurns:
    """The role more than once in a play."""

    def sites(self, fleet: Fleet, name: str, orders: t.Sequence[dict[str, t.Any]], **more: t.Any) -> None:
        """A host with one certificate for each order."""
        account = fleet.variables(orders[0], "")
        for variable in ("certificate_order_id", "certificate_path", "certificate_private_key_path"):
            account.pop(variable)
        sites = [{**fleet.variables(order, f"hosts/{name}/{order['order_id']}"), **more} for order in orders]
        fleet.hosts[name] = {**account, "sites": sites}

    def assert_each_site_has_its_own(self, fleet: Fleet, run: Run) -> None:
        """Every certificate stands where it belongs."""
        assert run.failed == {}, run.output
        for name, variables in fleet.hosts.items():
            for site in variables["sites"]:
                order = fleet.sandbox.get_order("digicert", site["certificate_order_id"])
                assert fleet.serial(name, order["order_id"]) == order["serial_number"]

    @pytest.mark.slow
    def test_certificates_in_a_loop(self, fleet: Fleet) -> None:
        orders = [fleet.order("digicert", f"www{number}.example.org", "issued") for number in range(3)]
        self.sites(fleet, "web0", orders[:2])
        self.sites(fleet, "web1", orders[1:])
        for strategy in ("linear", "free"):
            self.assert_each_site_has_its_own(fleet, fleet.run(play="loop.yml", play_strategy=strategy))
        again = fleet.run(play="loop.yml", play_wait_first=True)
        self.assert_each_site_has_its_own(fleet, again)
        assert again.changed == []

    @pytest.mark.slow
    def test_all_orders_are_waited_for_before_the_first_is_deployed(self, fleet: Fleet) -> None:
        orders = [fleet.order("digicert", f"www{number}.example.org") for number in range(3)]
        self.sites(fleet, "web0", orders[:2])
        self.sites(fleet, "web1", orders[2:])
        run = fleet.run(play="loop.yml", play_wait_first=True, meanwhile=fleet.after_requests(fleet.issue, times=6))
        self.assert_each_site_has_its_own(fleet, run)
        first = run.of_task(TOGETHER)[0]
        assert sorted(order["order_id"] for order in first.result["orders"]) == [o["order_id"] for o in orders]

    @pytest.mark.slow
    def test_a_deferred_order_does_not_leak_into_the_next_turn(self, fleet: Fleet) -> None:
        late = fleet.order("digicert", "late.example.org")
        ready = fleet.order("digicert", "ready.example.org", "issued")
        self.sites(fleet, "web0", [late, ready], certificate_on_timeout="defer")
        run = fleet.run(play="loop.yml", certificate_wait_timeout=0)
        assert run.failed == {}, run.output
        assert run.reported()["web0"] == {"deferred": False, "order": "issued", "reasons": ["absent"]}
        assert fleet.serial("web0", late["order_id"]) is None
        assert fleet.serial("web0", ready["order_id"]) is not None

    @pytest.mark.slow
    def test_a_host_that_is_done_leads_nobody(self, fleet: Fleet) -> None:
        for number in range(3):
            fleet.host(f"web{number}", fleet.order("digicert", f"www{number}.example.org", "issued"))
        run = fleet.run(play="turns.yml")
        fleet.assert_all_served(run)
        assert run.hosts(TOGETHER) == ["web0", "web1"], run.output
        assert alone(run) == [], run.output

    @pytest.mark.slow
    def test_a_host_that_failed_and_was_rescued_leads_nobody(self, fleet: Fleet) -> None:
        bad = fleet.order("digicert", "bad.example.org", "rejected", after={"validating": 0.0})
        fleet.host("web0", bad)
        for number in (1, 2):
            fleet.host(f"web{number}", fleet.order("digicert", f"www{number}.example.org", "issued"))
        run = fleet.run(play="rescue.yml")
        assert run.code == 0, run.output
        assert run.hosts(TOGETHER) == ["web0", "web1"], run.output
        assert alone(run) == [], run.output


class TestRescuing:
    """What a play can do about a failure."""

    @pytest.mark.slow
    def test_a_rescue_learns_the_kind_of_error(self, fleet: Fleet) -> None:
        good = fleet.order("digicert", "good.example.org", "issued")
        bad = fleet.order(
            "sectigo", "bad.example.org", "rejected", after={"validating": 0.0}, reason="{{ 7 * 6 }} is not the answer"
        )
        hosts = {
            "web0": (bad, {}, "order_failed"),
            "web1": ({**good, "order_id": "4711"}, {}, "not_found"),
            "web2": (good, {"private_key_path": None}, "invalid_request"),
            "web3": (good, {"api_key": None}, "invalid_request"),
            "web4": (good, {"reload_commands": ["false"]}, "reload_failed"),
            "web5": (good, {"csr": bad["csr"]}, "key_mismatch"),
            "web6": (fleet.order("gogetssl", "late.example.org"), {"wait_timeout": 0}, "timed_out"),
        }
        for name, (order, variables, _kind) in hosts.items():
            fleet.host(name, order, **variables)
        fleet.hosts["web1"]["right_order_id"] = good["order_id"]
        fleet.host("web7", good)
        run = fleet.run(play="failure.yml")
        assert run.code == 0, run.output
        reported = {event.host: json.loads(event.msg) for event in run.of_task("Report why")}
        expected_kinds = {name: kind for name, (_order, _variables, kind) in hosts.items()}
        assert {name: failure["error_kind"] for name, failure in reported.items()} == expected_kinds, run.output
        for name, (order, _variables, _kind) in hosts.items():
            assert reported[name]["order_id"] == order["order_id"]
            assert reported[name]["provider"] == order["provider"]
            assert reported[name]["msg"] == run.failed[name]
        assert run.reported()["web0"] == reported["web0"]
        assert (run.reported()["web1"], run.reported()["web7"]) == ({}, {}), run.output


class TestGuarding:
    """What must not happen."""

    @pytest.mark.slow
    def test_no_secret_is_shown_at_the_highest_verbosity(self, fleet: Fleet) -> None:
        for number, provider in enumerate(PROVIDERS):
            order = fleet.order(provider, f"www{number}.example.org", "issued")
            key = Path(order["key"]).read_text(encoding="utf-8")
            fleet.host(f"web{number}", order, private_key_content=key, private_key_path=None)
        fleet.assert_all_served(fleet.run("-vvvv", "--diff"))

    @pytest.mark.slow
    def test_a_play_that_is_not_local_still_asks_from_the_controller(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        fleet.host("web0", order)
        run = fleet.run("--connection", "ssh", "--become")
        assert run.failed == {}, run.output

    @pytest.mark.slow
    def test_what_cannot_work_is_refused_before_anything_is_waited_for(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org")
        missing = str(fleet.folder / "no.key")
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
            fleet.host(f"web{number}", order, **variables)
        run = fleet.run(play="failure.yml")
        assert sorted(run.failed) == sorted(fleet.hosts), run.output
        for number, (_variables, message, kind) in enumerate(cases):
            assert message in run.failed[f"web{number}"]
            assert run.reported()[f"web{number}"]["error_kind"] == kind
        assert fleet.sandbox.summary()["requests"] == 0

    @pytest.mark.slow
    def test_a_key_that_is_not_made_in_check_mode_is_not_missed(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "late.example.org")
        fleet.host("web0", order, private_key_path=str(fleet.folder / "no.key"), private_key_content="")
        run = fleet.run("--check")
        assert run.failed == {}, run.output

    @pytest.mark.slow
    def test_a_certificate_for_another_key_is_refused_with_the_csr(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", "www.example.org", "issued")
        other = fleet.order("digicert", "other.example.org")
        fleet.host("web0", order, csr=other["csr"])
        run = fleet.run()
        assert list(run.failed) == ["web0"], run.output
        assert run.changed == []
