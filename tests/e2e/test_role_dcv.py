# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role publishes what the CA wants to see, looks for it, has the provider look, and withdraws it after issuance."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_runs import Run
from fleet import Fleet, Killed
from sandbox.client import PROVIDERS
from sandbox.internet import update as client

PLAYS = Path(__file__).with_name("plays")
ZONE = "example.org"
DIAGNOSE = str(Path(__file__).resolve().parents[2] / "playbooks/diagnose.yml")
NAME = f"www.{ZONE}"
DNSAUTH = f"_dnsauth.{ZONE}"
SPF = "v=spf1 -all"
FOREIGN = "a value of somebody else"
UNIQUE_VALUE = "k3y0f0rd3r"
#: Parts of the calls that write, whatever their method.
WRITES = ("check-dcv", "dcv-method", "revalidate", "change_", "AutoUpdateDCV")
#: The last part of the call by which a provider is asked to look; cPanel has none.
LOOKS = {"digicert": "check-dcv", "gogetssl": "revalidate", "sectigo": "AutoUpdateDCV"}


class World:
    """A zone in the small Internet, with an SPF record at its top and a value of somebody else where DigiCert looks."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.sandbox = fleet, fleet.sandbox
        self.sandbox.zone(ZONE, [ZONE, NAME])
        self.sandbox.record(ZONE, "TXT", SPF)
        self.sandbox.record(DNSAUTH, "TXT", FOREIGN)
        known = self.sandbox.internet()
        key = known["update_key"]
        self.variables: dict[str, t.Any] = {
            "certificate_dcv_zones": [ZONE],
            "certificate_dcv_resolvers": known["resolvers"],
            "certificate_dcv_address_map": known["address_map"],
            "dcv_update": {
                "program": client.__file__,
                "server": known["update_server"],
                "key": f"{key['name']}={key['secret']}",
            },
        }
        self.seen: list[str] = []

    def order(
        self,
        provider: str,
        method: str,
        *hosts: str,
        name: str = NAME,
        after: t.Mapping[str, float] | None = None,
        **variables: t.Any,
    ) -> dict[str, t.Any]:
        """An order whose CA looks in the small Internet, and hosts that need its certificate."""
        fields: dict[str, t.Any] = {"unique_value": UNIQUE_VALUE} if provider == "sectigo" else {}
        if after:
            fields["after"] = after
        order = self.fleet.order(provider, name, dcv="look", dcv_method=method, **fields)
        if provider == "sectigo":
            variables = {"csr": order["csr"], "dcv_unique_value": UNIQUE_VALUE, **variables}
        for host in hosts:
            self.fleet.host(host, order, **variables)
        return order

    def run(self, *arguments: str, tasks: str | None = "dcv_update.yml", **given: t.Any) -> Run:
        """Run the role; ``tasks`` is the file that publishes records."""
        if tasks:
            given["certificate_dcv_tasks"] = str(PLAYS / tasks)
        return self.fleet.run(*arguments, **{**self.variables, **given})

    def evidence(self, order: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """What the CA of an order looks for."""
        (domain,) = self.sandbox.get_order(order["provider"], order["order_id"])["domains"]
        return dict(domain["evidence"][0])

    def published(self, order: t.Mapping[str, t.Any]) -> bool:
        """Whether the record that the CA looks for is there."""
        wanted = self.evidence(order)
        return wanted["value"] in [value.rstrip(".") for value in self.sandbox.records(wanted["where"], wanted["kind"])]

    def untouched(self) -> bool:
        """Whether there is what was there before, and nothing else, where others have records."""
        return (self.sandbox.records(ZONE, "TXT"), self.sandbox.records(DNSAUTH, "TXT")) == ([SPF], [FOREIGN])

    def issue_after_look(self, order: t.Mapping[str, t.Any], seconds: float = 3600.0) -> t.Callable[[], None]:
        """For ``meanwhile``: let time pass once the CA has been asked to look, and has seen the evidence."""
        provider, order_id = order["provider"], order["order_id"]

        def ready() -> bool:
            if provider not in LOOKS:
                return self.published(order)
            return all(one["validated"] for one in self.sandbox.get_order(provider, order_id)["domains"])

        def wait() -> None:
            self.fleet.until(ready)
            self.seen.append(self.evidence(order)["where"])
            # The CA of a provider that cannot be asked looks by itself in this time.
            self.sandbox.advance(seconds)

        return wait

    def writes(self) -> list[str]:
        """The calls that write at a provider, without the paths that lead to them."""
        paths = [one["path"] for one in self.sandbox.requests()]
        return [word for path in paths for word in WRITES if word in path]

    def journal(self) -> list[dict[str, t.Any]]:
        """What is in the journal on the controller."""
        (file,) = (self.fleet.folder / "tmp").rglob("dcv-published.json")
        return list(json.loads(file.read_text(encoding="utf-8")))


@pytest.fixture
def world(fleet: Fleet) -> World:
    """The world of one test."""
    return World(fleet)


def test_a_record_is_published_seen_and_withdrawn_after_issuance(world: World) -> None:
    order = world.order("digicert", "dns-txt", "web0", "web1")
    run = world.run(meanwhile=world.issue_after_look(order))
    world.fleet.assert_all_served(run)
    # The two hosts share the order: one of them publishes, looks, and withdraws.
    assert run.hosts("Publish or withdraw each value") == ["web0", "web0"], run.output
    assert f"{NAME}: the CA can see the evidence" in run.output
    assert world.writes() == ["check-dcv"]
    assert world.seen == [DNSAUTH]
    assert world.untouched()
    assert world.journal() == []


@pytest.mark.slow
@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"digicert"}))
def test_records_of_the_other_providers(provider: str, world: World) -> None:
    order = world.order(provider, "dns-cname", "web0")
    where = world.evidence(order)["where"]
    run = world.run(meanwhile=world.issue_after_look(order))
    world.fleet.assert_all_served(run)
    assert "changed: [web0 -> localhost]" in run.output
    assert f"{NAME}: the CA can see the evidence" in run.output
    # cPanel has no call that writes.
    assert world.writes() == ([LOOKS[provider]] if provider in LOOKS else [])
    assert world.seen == [where]
    assert world.sandbox.records(where, "CNAME") == []
    assert world.untouched()
    assert world.journal() == []


def test_a_record_is_published_where_its_name_is_delegated_to(world: World) -> None:
    target = f"{ZONE}.dcv.example.net"
    world.sandbox.zone("example.net")
    world.sandbox.record(DNSAUTH, "TXT")
    world.sandbox.record(DNSAUTH, "CNAME", target)
    order = world.order("digicert", "dns-txt", "web0")
    value = world.evidence(order)["value"]
    issue = world.issue_after_look(order)

    def look_and_issue() -> None:
        world.fleet.until(lambda: world.sandbox.records(target, "TXT") == [value])
        issue()

    run = world.run(tasks="dcv_delegated.yml", meanwhile=look_and_issue)
    world.fleet.assert_all_served(run)
    assert f"{NAME}: the CA can see the evidence" in run.output
    assert world.sandbox.records(target, "TXT") == []
    assert world.sandbox.records(DNSAUTH, "CNAME") == [target]
    assert world.journal() == []


@pytest.mark.slow
@pytest.mark.parametrize("provider", sorted(LOOKS))
def test_a_file_is_written_seen_and_removed(provider: str, world: World) -> None:
    folder = world.fleet.folder / "webroot"
    folder.mkdir()
    (folder / "index.html").write_text("welcome", encoding="utf-8")
    world.sandbox.webroot(NAME, folder)
    order = world.order(provider, "http", "web0", dcv_webroot=str(folder))
    run = world.run(tasks=None, meanwhile=world.issue_after_look(order))
    world.fleet.assert_all_served(run)
    assert f"{NAME}: the CA can see the evidence" in run.output
    assert world.writes() == [LOOKS[provider]]
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["index.html"]
    assert world.journal() == []


def kill_when_published(world: World, order: t.Mapping[str, t.Any]) -> None:
    """Run the role, and kill it once the record is there."""

    with pytest.raises(Killed):
        world.run(meanwhile=world.fleet.kill_when(lambda: world.published(order)))
    assert [(entry["fqdn"], entry["order_id"]) for entry in world.journal()] == [(DNSAUTH, order["order_id"])]


@pytest.mark.slow
class TestCrashes:
    """What a run that was killed has published, a later one withdraws."""

    def test_issued_meanwhile(self, world: World) -> None:
        order = world.order("digicert", "dns-txt", "web0")
        kill_when_published(world, order)
        # The CA looks by itself, and issues.
        world.sandbox.advance(3600.0)
        assert not world.untouched()
        run = world.run()
        world.fleet.assert_all_served(run)
        assert world.untouched()
        assert world.journal() == []

    def test_rejected_meanwhile(self, world: World) -> None:
        order = world.order("digicert", "dns-txt", "web0")
        kill_when_published(world, order)
        world.sandbox.patch_order("digicert", order["order_id"], stage="rejected")
        run = world.run()
        assert "rejected" in run.failed["web0"], run.output
        assert world.untouched()
        assert world.journal() == []

    def test_still_open(self, world: World) -> None:
        order = world.order("digicert", "dns-txt", "web0")
        kill_when_published(world, order)
        run = world.run(meanwhile=world.issue_after_look(order))
        world.fleet.assert_all_served(run)
        assert world.untouched()
        assert world.journal() == []

    def test_an_order_that_is_not_issued_in_time_keeps_its_evidence(self, world: World) -> None:
        order = world.order("digicert", "dns-txt", "web0", wait_timeout=1, on_timeout="defer")
        run = world.run()
        assert run.failed == {}, run.output
        # DCV is done, and CAs look more than once.
        assert all(one["validated"] for one in world.sandbox.get_order("digicert", order["order_id"])["domains"])
        assert world.published(order)
        assert len(world.journal()) == 1


@pytest.mark.slow
class TestFailures:
    """What cannot work is said in one sentence, and nothing is published."""

    def failure(self, world: World, order: t.Mapping[str, t.Any], **variables: t.Any) -> str:
        run = world.run(**variables)
        assert list(run.failed) == ["web0"], run.output
        assert not world.published(order)
        assert world.untouched()
        assert world.writes() == []
        assert not list((world.fleet.folder / "tmp").rglob("dcv-published.json")) or world.journal() == []
        return run.failed["web0"]

    def test_a_task_file_that_is_not_there(self, world: World) -> None:
        order = world.order("digicert", "dns-txt", "web0")
        assert "there is no file" in self.failure(world, order, tasks="missing.yml")
        assert world.sandbox.requests() == []

    def test_a_web_root_that_is_a_link_to_elsewhere(self, world: World) -> None:
        folder = world.fleet.folder / "webroot"
        (folder / "elsewhere").mkdir(parents=True)
        (folder / ".well-known").symlink_to("elsewhere")
        link = world.fleet.folder / "link"
        link.symlink_to(folder)
        order = world.order("digicert", "dns-txt", "web0")
        for root, named in ((link, link), (folder, folder / ".well-known")):
            failure = self.failure(world, order, certificate_dcv_webroot=str(root))
            assert f"{named} is a link to elsewhere" in failure
        assert "is no directory" in self.failure(world, order, certificate_dcv_webroot=str(folder / "none"))
        assert list((folder / "elsewhere").iterdir()) == []

    def test_a_csr_of_another_order(self, world: World) -> None:
        other = world.fleet.order("sectigo", f"other.{ZONE}")
        order = world.order("sectigo", "dns-cname", "web0", csr=other["csr"])
        assert "belongs to none of the orders" in self.failure(world, order)

    def test_a_unique_value_that_nobody_knows(self, world: World) -> None:
        order = world.order("sectigo", "dns-cname", "web0", dcv_unique_value=None)
        assert "unique_values" in self.failure(world, order)

    def test_an_account_that_is_refused(self, world: World) -> None:
        order = world.order("digicert", "dns-txt", "web0")
        world.sandbox.patch_account("digicert", revoked=True)
        self.failure(world, order)

    def test_nothing_is_published_in_check_mode(self, world: World) -> None:
        order = world.order("digicert", "dns-txt", "web0")
        run = world.run("--check")
        assert run.failed == {}, run.output
        assert f"would publish TXT {DNSAUTH}" in run.output
        assert not world.published(order)
        assert world.writes() == []


@pytest.mark.slow
def test_what_time_does_not_mend_fails_with_the_advice_and_the_next_run_goes_on(world: World) -> None:
    order = world.order("digicert", "dns-txt", "web0")
    wrong = {**world.variables["dcv_update"], "appended": f".{ZONE}"}
    run = world.run(dcv_update=wrong)
    assert "record_wrong_name" in run.failed["web0"], run.output
    assert "enter only _dnsauth" in run.failed["web0"]
    (facts,) = run.of_task("Set the facts of this run")
    assert facts.result["ansible_facts"]["certificate_failure"]["error_kind"] == "not_visible"
    assert world.writes() == []
    assert len(world.journal()) == 1
    run = world.run(meanwhile=world.issue_after_look(order))
    world.fleet.assert_all_served(run)
    assert world.untouched()


@pytest.mark.slow
def test_a_record_that_nobody_publishes_fails_at_the_deadline(world: World) -> None:
    world.order("digicert", "dns-txt", "web0")
    run = world.run(tasks="dcv_nothing.yml", certificate_dcv_visible_timeout="2s")
    assert "record_missing" in run.failed["web0"], run.output
    assert f"Publish TXT {DNSAUTH}" in run.failed["web0"]


@pytest.mark.slow
def test_values_of_two_orders_share_a_set_and_leave_it_one_by_one(world: World) -> None:
    first = world.order("digicert", "dns-txt", "web0", wait_timeout=2, on_timeout="defer")
    assert world.run().failed == {}
    # DCV of the first order is done, and it is not issued yet.
    assert all(one["validated"] for one in world.sandbox.get_order("digicert", first["order_id"])["domains"])
    second = world.order("digicert", "dns-txt", "web1", name=ZONE, after={"issuing": 1.0})
    run = world.run(meanwhile=world.issue_after_look(second, seconds=2.0))
    assert run.failed == {}, run.output
    results = [event.result["results"] for event in run.of_task("Publish or withdraw each value")]
    mine, theirs = (world.evidence(order)["value"] for order in (first, second))
    # Both values are published, for modules that replace the set, and one is withdrawn.
    assert [sorted(one["value"] for one in items) for items in results] == [sorted([mine, theirs]), [theirs]]
    assert sorted(world.sandbox.records(DNSAUTH, "TXT")) == sorted([FOREIGN, mine])
    assert [entry["value"] for entry in world.journal()] == [mine]


@pytest.mark.slow
def test_without_the_variables_the_wait_says_what_to_publish(world: World) -> None:
    order = world.order("gogetssl", "dns-cname", "web0", wait_timeout=1, on_timeout="defer")
    run = world.run(tasks=None)
    assert run.failed == {}, run.output
    wanted = world.evidence(order)
    (facts,) = run.of_task("Set the facts of this run")
    (blocker,) = facts.result["ansible_facts"]["certificate_order"]["blockers"]
    assert all(wanted[part] in blocker["message"].lower() for part in ("where", "value"))
    assert blocker["message"].startswith(f"publish the {wanted['kind']} record ")
    assert not list((world.fleet.folder / "tmp").rglob("dcv-published.json"))
    assert not world.published(order)


@pytest.mark.slow
def test_the_playbook_diagnose_shows_open_names_as_one_table(world: World) -> None:
    missing = world.order("digicert", "dns-txt", "web0", "web1")
    unknown = world.order("sectigo", "dns-cname", "web2")
    for variable in ("certificate_csr", "certificate_dcv_unique_value"):
        del world.fleet.hosts["web2"][variable]
    world.fleet.host("web3", world.fleet.order("gogetssl", "done.example.org", "issued"))
    world.fleet.host("web4", dict(missing, order_id="4711"))
    world.fleet.host("web5", dict(missing, order_id="../x"))
    before = world.writes()
    run = world.fleet.run(play=DIAGNOSE, **world.variables)
    assert run.code == 0, run.output
    (shown,) = [event.result["msg"] for event in run.of_task("Show the names that are open")]
    lines = {line.split()[0]: line for line in shown[1:]}
    assert shown[0].split() == ["HOST", "ORDER", "NAME", "METHOD", "FINDING", "ADVICE"]
    assert sorted(lines) == ["web0", "web1", "web2", "web4", "web5"]
    for host in ("web0", "web1"):
        assert f"digicert {missing['order_id']}  {NAME}" in lines[host]
        assert "dns-txt-token" in lines[host] and "record_missing" in lines[host]
    assert f"sectigo {unknown['order_id']}  {NAME}" in lines["web2"] and "token_unknown" in lines["web2"]
    assert "not_found" in lines["web4"]
    assert world.writes() == before
