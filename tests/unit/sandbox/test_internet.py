# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small Internet itself: dynamic updates with a key, the resolver's cache and its extended errors."""

from __future__ import annotations

import typing as t

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest
import requests
from sandbox.internet import DnsService, Internet, Zone
from sandbox.internet import update as client
from sandbox.internet.service import InternetService
from sandbox.internet.zones import RESOLVER_ADDRESS

KEYS = {"updater.example.org.": "c2FuZGJveC1zZWNyZXQ="}
OWNER = "_dnsauth.example.org"


class World:
    """A served Internet whose clock stands still."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.internet = Internet(lambda: self.now)
        self.zone: Zone = self.internet.add_zone("example.org", {"ns1.example.org": "192.0.2.101"}, signed=True)
        self.zone.set(OWNER, "TXT", "v=spf1 -all")
        self.service = DnsService(self.internet, KEYS)

    def ask(self, message: t.Any, address: str = "192.0.2.101", tcp: bool = False) -> t.Any:
        """One message to one server."""
        host, port = self.service.address_map()[f"{address}:53"].split(":")
        send = dns.query.tcp if tcp else dns.query.udp
        return send(message, host, port=int(port), timeout=5)

    def resolve(self, name: str, kind: str = "TXT", flags: int = 0) -> t.Any:
        """One question to the resolver."""
        query = dns.message.make_query(name, kind, use_edns=0)
        query.flags |= flags
        return self.ask(query, RESOLVER_ADDRESS)


@pytest.fixture
def world() -> t.Iterator[World]:
    made = World()
    with made.service:
        yield made


def update(keys: dict[str, str] | None = None) -> t.Any:
    """An update of the zone, signed with the key or not at all."""
    if keys is None:
        return dns.update.UpdateMessage("example.org")
    ring = dns.tsigkeyring.from_text(keys)
    return dns.update.UpdateMessage("example.org", keyring=ring, keyalgorithm=dns.tsig.HMAC_SHA256)


@pytest.mark.parametrize("tcp", [False, True])
def test_update_adds_beside_others_and_removes_by_value(world: World, tcp: bool) -> None:
    added = update(KEYS)
    added.add(f"{OWNER}.", 300, "TXT", "token")
    assert world.ask(added, tcp=tcp).rcode() == dns.rcode.NOERROR
    assert world.zone.get(OWNER, "TXT") == ["v=spf1 -all", "token"]
    removed = update(KEYS)
    removed.delete(f"{OWNER}.", "TXT", "token")
    assert world.ask(removed, tcp=tcp).rcode() == dns.rcode.NOERROR
    assert world.zone.get(OWNER, "TXT") == ["v=spf1 -all"]


def test_update_removes_a_whole_set(world: World) -> None:
    removed = update(KEYS)
    removed.delete(f"{OWNER}.", "TXT")
    world.ask(removed)
    assert world.zone.get(OWNER, "TXT") == []


def test_update_without_a_key_is_refused(world: World) -> None:
    message = update()
    message.add(f"{OWNER}.", 300, "TXT", "token")
    assert world.ask(message).rcode() == dns.rcode.REFUSED
    assert world.zone.get(OWNER, "TXT") == ["v=spf1 -all"]


@pytest.mark.parametrize("keys", [{"updater.example.org.": "d3Jvbmc="}, {"other.": "c2FuZGJveC1zZWNyZXQ="}])
def test_update_with_a_wrong_key_changes_nothing(world: World, keys: dict[str, str]) -> None:
    message = update(keys)
    message.add(f"{OWNER}.", 300, "TXT", "token")
    with pytest.raises(dns.exception.DNSException):
        answer = world.ask(message)
        raise dns.tsig.PeerError if answer.rcode() == dns.rcode.NOTAUTH else AssertionError(answer)
    assert world.zone.get(OWNER, "TXT") == ["v=spf1 -all"]


def test_resolver_remembers_absence_for_its_time(world: World) -> None:
    name = "later.example.org"
    assert world.resolve(name).rcode() == dns.rcode.NXDOMAIN
    world.zone.set(name, "TXT", "here")
    world.now += 100
    answer = world.resolve(name)
    assert (answer.rcode(), answer.authority[0].ttl) == (dns.rcode.NXDOMAIN, 140)
    world.now += 141
    assert world.resolve(name).rcode() == dns.rcode.NOERROR


def test_resolver_names_expired_signatures_and_answers_without_checking(world: World) -> None:
    world.now += 60 * 86400
    answer = world.resolve(OWNER)
    assert answer.rcode() == dns.rcode.SERVFAIL
    assert [int(option.code) for option in answer.options if isinstance(option, dns.edns.EDEOption)] == [7]
    assert world.resolve(OWNER, flags=dns.flags.CD).rcode() == dns.rcode.NOERROR


def test_servers_answer_for_their_zones_alone(world: World) -> None:
    assert world.ask(dns.message.make_query("example.net", "A")).rcode() == dns.rcode.REFUSED
    root = world.ask(dns.message.make_query(OWNER, "TXT"), "198.41.0.4")
    assert not root.flags & dns.flags.AA
    assert root.authority[0].name.to_text() == "org."


@pytest.fixture
def service() -> t.Iterator[InternetService]:
    with InternetService(lambda: 1_800_000_000.0) as made:
        made.add_zone("example.org", ["www.example.org"], signed=True)
        yield made


def test_service_publishes_by_update_and_the_ca_approves(service: InternetService) -> None:
    asked = ("digicert", "www.example.org", "TXT", "_dnsauth.www.example.org", "token-of-the-order")
    assert service.objections(*asked) == ["nothing at _dnsauth.www.example.org"]
    described = service.describe()
    key = f"{described['update_key']['name']}={described['update_key']['secret']}"
    answer = client.update(described["update_server"], "example.org", key, "present", *asked[2:])
    assert answer == "NOERROR"
    assert service.objections(*asked) == []
    service.set_record("example.org", "CAA", ['0 issue "another.example"'])
    assert service.objections(*asked) == ["CAA forbids it"]


def test_service_shows_pages(service: InternetService) -> None:
    url = "http://www.example.org/.well-known/pki-validation/fileauth.txt"
    asked = ("digicert", "www.example.org", "file", url, "token-of-the-order")
    assert service.objections(*asked) != []
    service.set_page(url, "token-of-the-order\n")
    assert service.objections(*asked) == []
    port = service.describe()["address_map"]["203.0.113.5:80"].rpartition(":")[2]
    answer = requests.get(f"http://127.0.0.1:{port}{url[22:]}", headers={"Host": "www.example.org"}, timeout=5)
    assert answer.text == "token-of-the-order\n"


def test_service_forgets_everything_on_reset(service: InternetService) -> None:
    service.reset()
    with pytest.raises(LookupError, match="no zone"):
        service.set_record("_dnsauth.example.org", "TXT", ["x"])
