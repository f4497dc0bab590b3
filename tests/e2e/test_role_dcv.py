# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role publishes what the CA wants to see, looks for it, has the provider look, and withdraws it after issuance."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

import pytest
from ansible_runs import MAX_RUN_SECONDS, Run
from fleet import Fleet
from sandbox.client import PROVIDERS
from sandbox.internet import update as client

PLAYS = Path(__file__).with_name("plays")
ZONE = "example.org"
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

    def order(self, provider: str, method: str, *hosts: str, **variables: t.Any) -> dict[str, t.Any]:
        """An order whose CA looks in the small Internet, and hosts that need its certificate."""
        fields = {"unique_value": UNIQUE_VALUE} if provider == "sectigo" else {}
        order = self.fleet.order(provider, NAME, dcv="look", dcv_method=method, **fields)
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

    def issue_after_look(self, order: t.Mapping[str, t.Any]) -> t.Callable[[], None]:
        """For ``meanwhile``: let time pass once the CA has been asked to look, and has seen the evidence."""

        def wait() -> None:
            provider, order_id = order["provider"], order["order_id"]
            if provider in LOOKS:
                until(lambda: all(one["validated"] for one in self.sandbox.get_order(provider, order_id)["domains"]))
            else:
                until(lambda: self.published(order))
            self.seen.append(self.evidence(order)["where"])
            # The CA of a provider that cannot be asked looks by itself in this time.
            self.sandbox.advance(3600.0)

        return wait

    def writes(self) -> list[str]:
        """The calls that write at a provider, without the paths that lead to them."""
        paths = [one["path"] for one in self.sandbox.requests()]
        return [word for path in paths for word in WRITES if word in path]

    def journal(self) -> list[dict[str, t.Any]]:
        """What is in the journal on the controller."""
        (file,) = (self.fleet.folder / "tmp").rglob("dcv-published.json")
        return list(json.loads(file.read_text(encoding="utf-8")))


def until(condition: t.Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + MAX_RUN_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it never was so")
        time.sleep(0.1)


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
    assert f"{NAME}: the CA can see the evidence" in run.output
    # cPanel has no call that writes.
    assert world.writes() == ([LOOKS[provider]] if provider in LOOKS else [])
    assert world.seen == [where]
    assert world.sandbox.records(where, "CNAME") == []
    assert world.untouched()
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
