# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role requests the next certificate: once, also over runs that were interrupted."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_runs import Run
from fleet import Fleet, Killed

NAME = "www.example.org"
PROVIDERS = ["digicert", "gogetssl", "sectigo"]
#: Whatever is in service is due with this, and nothing is by default.
DUE = "99.9%"
DAY = 86400.0
#: The one call of each provider that requests a reissue, as a part of its path.
WRITES = {"digicert": "/reissue", "gogetssl": "/orders/ssl/reissue/", "sectigo": "!AutoReplaceSSL"}


def served(fleet: Fleet, provider: str, *names: str, **fields: t.Any) -> dict[str, t.Any]:
    """Hosts with the certificate of one order in service."""
    order = fleet.order(provider, NAME, "issued", **fields)
    # The CA hands out a certificate once in three hours, and the one in service was collected right now.
    fleet.sandbox.limits("sectigo", collect_interval=0)
    for name in names or ("web0",):
        fleet.host(name, order, names=[NAME])
    fleet.assert_all_served(fleet.run())
    fleet.sandbox.clear_requests()
    return order


def run(fleet: Fleet, *arguments: str, meanwhile: t.Callable[[], None] | None = None, **variables: t.Any) -> Run:
    """Run the role, which renews."""
    given = {"renewal": "auto", "dcv_method": "http", **variables}
    prefixed = {f"certificate_{name}": value for name, value in given.items()}
    return fleet.run(*arguments, play="renewal.yml", meanwhile=meanwhile, **prefixed)


def renew(fleet: Fleet, *arguments: str, **variables: t.Any) -> Run:
    """Run the role while the certificate in service is due, and let the CA issue what is requested."""

    def issue() -> None:
        fleet.until(lambda: reissues(fleet))
        fleet.issue()

    return run(fleet, *arguments, meanwhile=issue, **{"renewal_remaining": DUE, **variables})


def reissues(fleet: Fleet) -> int:
    """How many reissues were made, all of them for nothing."""
    ledger = fleet.sandbox.ledger()
    assert ledger["sum"] == "0.00", ledger
    assert {entry["kind"] for entry in ledger["entries"]} <= {"reissue", "replacement"}, ledger
    return len(ledger["entries"])


def writes(fleet: Fleet) -> int:
    """How many requests for a reissue were sent."""
    paths = [line["path"] for line in fleet.sandbox.requests() if line["method"] == "POST"]
    return sum(any(part in path for part in WRITES.values()) for path in paths)


def pending(fleet: Fleet, name: str = "web0") -> Path:
    """The request on a host."""
    return fleet.folder / "hosts" / name / "certificate/pending"


def assert_renewed(fleet: Fleet, found: Run, old: str | None) -> None:
    """One reissue was made in all, and its certificate is in service with its key; the request is gone."""
    fleet.assert_all_served(found)
    assert fleet.serial("web0") != old
    assert reissues(fleet) == 1
    assert not pending(fleet).exists()
    again = run(fleet)
    assert (again.failed, again.changed) == ({}, []), again.output
    assert reissues(fleet) == 1


class TestDue:
    def test_while_nothing_is_due_no_provider_is_asked(self, fleet: Fleet) -> None:
        served(fleet, "digicert")
        found = run(fleet)
        assert (found.failed, found.changed) == ({}, []), found.output
        assert fleet.sandbox.summary()["requests"] == 0
        reported = found.reported()["web0"]
        assert (reported["due"], reported["reason"], reported["action"]) == (False, None, "none")
        assert not pending(fleet).exists()

    @pytest.mark.slow
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_a_certificate_that_is_due_is_renewed_once(self, fleet: Fleet, provider: str) -> None:
        served(fleet, provider)
        old = fleet.serial("web0")
        found = renew(fleet)
        assert writes(fleet) == 1
        reported = found.reported()["web0"]
        assert (reported["due"], reported["reason"], reported["action"]) == (True, "remaining", "sent")
        fleet.sandbox.clear_requests()
        assert_renewed(fleet, found, old)
        assert fleet.sandbox.summary()["requests"] == 0
        # The key of record is in the lineage now.
        fleet.hosts["web0"].pop("certificate_private_key_path")
        assert run(fleet).changed == []

    @pytest.mark.slow
    def test_force_requests_once_for_each_request(self, fleet: Fleet) -> None:
        served(fleet, "digicert")
        old = fleet.serial("web0")
        forced = {"renewal": "force", "on_timeout": "defer", "wait_timeout": 0}
        first = run(fleet, **forced)
        assert first.reported()["web0"]["action"] == "sent", first.output
        assert run(fleet, **forced).reported()["web0"]["action"] == "adopted"
        fleet.issue()
        assert_renewed(fleet, run(fleet, **forced), old)
        # The next one needs a pause, so that nothing that starts again and again wears out the order.
        refused = run(fleet, **forced)
        assert "the last reissue is of" in refused.failed["web0"]
        assert reissues(fleet) == 1

    @pytest.mark.slow
    def test_a_host_without_a_key_makes_one(self, fleet: Fleet) -> None:
        order = fleet.order("digicert", NAME, "issued")
        fleet.host("web0", order, names=[NAME], private_key_path=None, placeholder=True)
        found = renew(fleet)
        assert found.reported()["web0"]["reason"] == "absent", found.output
        assert_renewed(fleet, found, None)

    @pytest.mark.slow
    def test_an_order_that_was_placed_for_the_request_is_taken(self, fleet: Fleet) -> None:
        path = fleet.folder / "hosts/web0/certificate"
        made = fleet.run(
            play=[{"hosts": "all", "gather_facts": False, "tasks": [self.request(path)]}], **self.here(fleet)
        )
        csr = made.of("certificate_request")[0].result["csr"]
        order = dict(
            fleet.sandbox.order("digicert", [NAME], "issued", csr=csr), provider="digicert", account=None, key=""
        )
        fleet.host("web0", order, names=[NAME])
        fleet.assert_all_served(run(fleet))
        assert reissues(fleet) == 0
        assert not pending(fleet).exists()

    @staticmethod
    def request(path: Path) -> dict[str, t.Any]:
        """A task that makes a request."""
        return {"name": "Request", "certops.issuance.certificate_request": {"path": str(path), "names": [NAME]}}

    @staticmethod
    def here(fleet: Fleet) -> dict[str, t.Any]:
        """A host without an order yet."""
        fleet.host("web0")
        return {}

    @pytest.mark.slow
    def test_it_warns_before_the_order_ends(self, fleet: Fleet) -> None:
        served(fleet, "digicert", coverage=80 * 86400.0)
        # As long as usual: it is not due at once again.
        found = renew(fleet, renewal="force", renewal_remaining=None)
        assert found.failed == {}, found.output
        assert "the order is paid for until" in found.output
        assert "renewal after the next one" in found.output


class TestInterrupted:
    @pytest.mark.slow
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_killed_before_the_request_was_sent(self, fleet: Fleet, provider: str) -> None:
        served(fleet, provider)
        old = fleet.serial("web0")
        fleet.sandbox.fault("hang", provider=provider, seconds=3, times=1)
        with pytest.raises(Killed):
            run(fleet, meanwhile=fleet.kill_when(lambda: fleet.sandbox.summary()["requests"]), renewal_remaining=DUE)
        assert (pending(fleet) / "privkey.pem").exists()
        assert reissues(fleet) == 0
        key = (pending(fleet) / "privkey.pem").read_bytes()
        assert_renewed(fleet, renew(fleet), old)
        assert (pending(fleet).with_name("current") / "privkey.pem").read_bytes() == key

    @pytest.mark.slow
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_killed_after_the_request_was_sent(self, fleet: Fleet, provider: str) -> None:
        served(fleet, provider)
        old = fleet.serial("web0")
        fleet.sandbox.fault(
            "hang", provider=provider, path=WRITES[provider], method="POST", processed=True, seconds=3, times=1
        )
        with pytest.raises(Killed):
            run(fleet, meanwhile=fleet.kill_when(lambda: reissues(fleet)), renewal_remaining=DUE)
        found = run(fleet, on_timeout="defer", wait_timeout=0)
        assert found.reported()["web0"]["action"] == "adopted", found.output
        fleet.issue()
        assert_renewed(fleet, run(fleet), old)
        assert writes(fleet) == 1

    @pytest.mark.slow
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_deferred_and_then_not_deployed(self, fleet: Fleet, provider: str) -> None:
        served(fleet, provider)
        old = fleet.serial("web0")
        first = run(fleet, on_timeout="defer", wait_timeout=0, renewal_remaining=DUE)
        assert first.failed == {}, first.output
        request = (pending(fleet) / "request.csr").read_bytes()
        fleet.issue()
        # It is issued and collected, and then the run ends.
        failed = run(fleet, reload_commands=["false"])
        assert list(failed.failed) == ["web0"], failed.output
        assert (fleet.serial("web0"), (pending(fleet) / "request.csr").read_bytes()) == (old, request)
        assert_renewed(fleet, run(fleet), old)
        assert writes(fleet) == 1

    @pytest.mark.slow
    def test_deployed_and_the_request_is_still_there(self, fleet: Fleet) -> None:
        served(fleet, "digicert")
        old = fleet.serial("web0")
        run(fleet, on_timeout="defer", wait_timeout=0, renewal_remaining=DUE)
        kept = fleet.folder / "kept"
        shutil.copytree(pending(fleet), kept)
        fleet.issue()
        run(fleet)
        shutil.copytree(kept, pending(fleet))
        fleet.sandbox.clear_requests()
        found = run(fleet)
        assert found.changed == ["web0"], found.output
        assert fleet.sandbox.summary()["requests"] == 0
        assert_renewed(fleet, found, old)


class TestShared:
    @pytest.mark.slow
    def test_hosts_with_keys_of_their_own_are_refused(self, fleet: Fleet) -> None:
        served(fleet, "digicert", "web0", "web1")
        fleet.host("web2", fleet.order("digicert", "other.example.org", "issued"))
        found = run(fleet)
        assert sorted(found.failed) == ["web0", "web1"], found.output
        for message in found.failed.values():
            assert message.startswith("web0 and web1 would each renew digicert order")
        assert writes(fleet) == 0

    @pytest.mark.slow
    def test_hosts_that_share_a_key_renew_together(self, fleet: Fleet) -> None:
        order = served(fleet, "digicert", "web0", "web1")
        old = fleet.serial("web0")
        for name in ("web0", "web1"):
            content = Path(order["key"]).read_text(encoding="utf-8")
            fleet.host(name, order, names=[NAME], private_key_path=None, private_key_content=content)
        found = renew(fleet)
        fleet.assert_all_served(found)
        assert fleet.serial("web0") == fleet.serial("web1") != old
        assert (reissues(fleet), writes(fleet)) == (1, 1)
        assert not pending(fleet, "web1").exists()
        assert run(fleet).changed == []

    @pytest.mark.slow
    def test_a_host_that_was_away_takes_the_certificate_of_the_others(self, fleet: Fleet) -> None:
        # Certificates of different days, and none of the future.
        fleet.sandbox.date_certificates_by_clock()
        fleet.sandbox.set_clock(fleet.sandbox.now() - 3600.0)
        order = served(fleet, "digicert", "web0", "web1", age=31 * 86400.0)
        old = fleet.serial("web0")
        content = Path(order["key"]).read_text(encoding="utf-8")
        for name in ("web0", "web1"):
            fleet.host(name, order, names=[NAME], private_key_path=None, private_key_content=content)
        assert renew(fleet, "--limit", "web0").failed == {}
        assert fleet.serial("web0") != fleet.serial("web1") == old
        found = run(fleet, "--limit", "web1", renewal_remaining=DUE)
        fleet.assert_all_served(found)
        assert (reissues(fleet), writes(fleet)) == (1, 1)

    @pytest.mark.slow
    def test_the_owner_renews_and_the_others_take(self, fleet: Fleet) -> None:
        order = served(fleet, "digicert", "web0", "web1")
        old = fleet.serial("web1")
        fleet.host("web0", order, names=[NAME])
        found = renew(fleet, "--limit", "web0", key_owner="web0")
        assert found.failed == {}, found.output
        content = (pending(fleet).with_name("current") / "privkey.pem").read_text(encoding="utf-8")
        fleet.host("web1", order, names=[NAME], private_key_path=None, private_key_content=content)
        found = run(fleet, key_owner="web0", renewal_remaining=DUE, wait_timeout=0, on_timeout="defer")
        assert fleet.serial("web1") != old, found.output
        assert not pending(fleet, "web1").exists()


class TestCpanel:
    """cPanel cannot be asked: the server itself opens the item for the next certificate."""

    @pytest.mark.slow
    @pytest.mark.parametrize("installed", [False, True])
    def test_the_item_that_the_server_opens_is_followed(self, fleet: Fleet, installed: bool) -> None:
        # Certificates of different days, and none of the future.
        fleet.sandbox.date_certificates_by_clock()
        fleet.sandbox.set_clock(fleet.sandbox.now() - 2 * DAY)
        order = served(fleet, "cpanel", age=31 * DAY, follow_up=15.5 * DAY, coverage=365 * DAY)
        old = fleet.serial("web0")
        waiting = run(fleet, renewal_remaining=DUE)
        assert waiting.reported()["web0"]["action"] == "none", waiting.output
        assert "makes the next certificate by itself" in waiting.output
        fleet.sandbox.advance(0.7 * DAY)
        following = fleet.sandbox.get_order("cpanel", order["order_id"])["replaced_by"]
        if installed:
            fleet.sandbox.advance(0.5 * DAY)
            found = run(fleet, renewal_remaining=DUE)
        else:
            later = fleet.after_requests(lambda: fleet.sandbox.advance(0.5 * DAY), times=3)
            found = run(fleet, renewal_remaining=DUE, meanwhile=later)
        assert found.failed == {}, found.output
        assert found.reported()["web0"]["action"] == "followed", found.output
        assert fleet.serial("web0") == fleet.sandbox.get_order("cpanel", following)["serial_number"] != old
        assert (f"order {following} (cpanel) issued" in found.output) is not installed
        assert not pending(fleet).exists()

    @pytest.mark.slow
    @pytest.mark.kill
    @pytest.mark.parametrize("task", ["Wait for all orders", "Take the order of this host", "Put the certificate into"])
    def test_killed_while_it_is_followed(self, fleet: Fleet, task: str) -> None:
        fleet.sandbox.date_certificates_by_clock()
        fleet.sandbox.set_clock(fleet.sandbox.now() - 2 * DAY)
        order = served(fleet, "cpanel", age=31 * DAY, follow_up=15.5 * DAY, coverage=365 * DAY)
        fleet.sandbox.advance(0.7 * DAY)
        following = fleet.sandbox.get_order("cpanel", order["order_id"])["replaced_by"]
        fleet.sandbox.advance(0.5 * DAY)
        with pytest.raises(Killed):
            run(fleet, renewal_remaining=DUE, meanwhile=fleet.kill_when(lambda: fleet.begun(task)))
        found = run(fleet, renewal_remaining=DUE)
        assert found.failed == {}, found.output
        assert fleet.serial("web0") == fleet.sandbox.get_order("cpanel", following)["serial_number"]
        last = run(fleet)
        assert (last.failed, last.changed) == ({}, []), last.output


class TestCheckMode:
    @pytest.mark.slow
    @pytest.mark.parametrize("prepared", [False, True])
    def test_nothing_is_written_here_or_there(self, fleet: Fleet, prepared: bool) -> None:
        served(fleet, "digicert")
        if prepared:
            path = pending(fleet).parent
            play = [{"hosts": "all", "gather_facts": False, "tasks": [TestDue.request(path)]}]
            assert fleet.run(play=play).changed == ["web0"]
        before = sorted(str(file) for file in pending(fleet).parent.rglob("*"))
        found = run(fleet, "--check", "-vvv", renewal_remaining=DUE)
        assert found.failed == {}, found.output
        assert found.reported()["web0"]["action"] == "would_send"
        assert "would request the next certificate of order" in found.output
        assert (reissues(fleet), writes(fleet)) == (0, 0)
        assert sorted(str(file) for file in pending(fleet).parent.rglob("*")) == before


@pytest.mark.slow
def test_the_key_is_in_no_output(fleet: Fleet) -> None:
    served(fleet, "digicert")
    output = run(fleet, "-vvv", on_timeout="defer", wait_timeout=0, renewal_remaining=DUE).output
    lines = (pending(fleet) / "privkey.pem").read_text(encoding="utf-8").splitlines()[1:-1]
    fleet.issue()
    output += run(fleet, "-vvv", "--diff").output
    assert not pending(fleet).exists()
    assert "requested_after" in output or "created_at" in output
    for line in lines:
        assert line not in output
