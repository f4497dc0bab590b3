# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the DNS: zones, the servers that hold them, and how a question finds its answer. No wire format here."""

from __future__ import annotations

import copy
import dataclasses
import typing as t
from collections.abc import Callable

#: The first root servers of the real Internet; a client begins here.
ROOT_ADDRESSES = ("198.41.0.4", "170.247.170.2", "192.33.4.12")
RESOLVER_ADDRESS = "192.0.2.254"
TTL = 300
NEGATIVE_TTL = 240
_DAY = 86400.0


@dataclasses.dataclass
class Result:
    """What one zone says to a question: answer, cname, nodata, nxdomain or referral.

    `owner` is the owner of the values: the name asked for, or the zone that is referred to.
    """

    kind: str
    owner: str
    values: list[str] = dataclasses.field(default_factory=list)
    zone: Zone | None = None


@dataclasses.dataclass
class Zone:
    """One zone, with the text of its records by owner and type.

    `key` names the key that signs it, `ds_key` the one that its parent's DS record is about; None: none.
    Signatures hold from one day before `signed_at` for `signature_days`.
    """

    name: str
    records: dict[str, dict[str, list[str]]] = dataclasses.field(default_factory=dict)
    serial: int = 1
    key: str | None = None
    ds_key: str | None = None
    signed_at: float = 0.0
    signature_days: float = 14.0

    def set(self, owner: str, kind: str, *values: str) -> None:
        """Replace a record set; no values remove it."""
        node = self.records.setdefault(owner.lower(), {})
        node.pop(kind, None)
        if values:
            node[kind] = list(values)
        elif not node:
            del self.records[owner.lower()]
        self.serial += 1

    def add(self, owner: str, kind: str, value: str) -> None:
        """Add one value beside the others."""
        present = self.get(owner, kind)
        if value not in present:
            self.set(owner, kind, *present, value)

    def discard(self, owner: str, kind: str, value: str) -> None:
        """Remove one value and leave the others."""
        if value in self.get(owner, kind):
            self.set(owner, kind, *[item for item in self.get(owner, kind) if item != value])

    def get(self, owner: str, kind: str) -> list[str]:
        """The values of a record set."""
        return list(self.records.get(owner.lower(), {}).get(kind, []))

    def holds(self, name: str) -> bool:
        """Whether a name is in this zone, or in one below it."""
        return not self.name or name == self.name or name.endswith("." + self.name)

    def lookup(self, name: str, kind: str) -> Result:
        """What this zone says to a question about a name that it holds."""
        cut = self._cut(name, kind)
        if cut is not None:
            return Result("referral", cut, self.get(cut, "NS"), self)
        node = self.records.get(name)
        if node is None:
            if any(owner.endswith("." + name) for owner in self.records):
                return Result("nodata", name, zone=self)
            node = self._wildcard(name)
        if node is None:
            return Result("nxdomain", name, zone=self)
        if kind in node:
            return Result("answer", name, list(node[kind]), self)
        if "CNAME" in node:
            return Result("cname", name, list(node["CNAME"]), self)
        return Result("nodata", name, zone=self)

    def _cut(self, name: str, kind: str) -> str | None:
        """The delegation on the way to a name; a DS record stands above it."""
        labels = name.split(".")
        for start in range(len(labels) - 1, -1, -1):
            owner = ".".join(labels[start:])
            if owner != self.name and self.holds(owner) and "NS" in self.records.get(owner, {}):
                return None if owner == name and kind == "DS" else owner
        return None

    def _wildcard(self, name: str) -> dict[str, list[str]] | None:
        labels = name.split(".")
        for start in range(1, len(labels)):
            encloser = ".".join(labels[start:])
            if "*." + encloser in self.records:
                return self.records["*." + encloser]
            if encloser == self.name or encloser in self.records:
                return None
        return None

    def signatures(self) -> tuple[float, float]:
        """From when until when the signatures hold, in seconds since 1970."""
        return self.signed_at - _DAY, self.signed_at + self.signature_days * _DAY

    def bogus(self, now: float) -> int | None:
        """The extended error code of what is wrong with its signatures; None where nothing is."""
        if self.ds_key is None:
            return None
        if self.key is None:
            return 9
        if self.key != self.ds_key:
            return 6
        return None if self.signatures()[0] <= now < self.signatures()[1] else 7


@dataclasses.dataclass
class DnsServer:
    """One authoritative server and what it does.

    `mode`: normal, dead (nobody listens), silent (never answers), refused, servfail, lame (knows nothing of its zones).
    `failing_types`: types of questions that it answers with SERVFAIL. `knows_edns`: without it, it finds fault with the
    form of each question that has EDNS. `offers_recursion`: it sets the RA bit beside its authority.
    """

    name: str
    address: str
    zones: dict[str, Zone] = dataclasses.field(default_factory=dict)
    mode: str = "normal"
    failing_types: set[str] = dataclasses.field(default_factory=set)
    truncates: bool = False
    knows_edns: bool = True
    offers_recursion: bool = False

    def zone_for(self, name: str, kind: str = "") -> Zone | None:
        """The deepest of its zones that a name is in; for a DS record the one above."""
        labels = name.split(".") if name else []
        for start in range(len(labels) + 1):
            owner = ".".join(labels[start:])
            if owner in self.zones and not (kind == "DS" and owner == name):
                return self.zones[owner]
        return None

    def answers(self, kind: str) -> bool:
        """Whether it gives any answer to questions of a type."""
        return self.mode == "normal" and kind not in self.failing_types


@dataclasses.dataclass
class Resolver:
    """A resolver with a cache.

    `overrides`: another view of the world, as split DNS has it: (name, type) to values; no values: no such name.
    """

    mode: str = "normal"
    overrides: dict[tuple[str, str], list[str]] = dataclasses.field(default_factory=dict)
    cache: dict[tuple[str, str], tuple[float, Result]] = dataclasses.field(default_factory=dict)


class Internet:
    """Root, the top-level domains net, org and example, and what tests add."""

    def __init__(self, clock: Callable[[], float], signed: bool = True) -> None:
        self.clock = clock
        self.servers: dict[str, DnsServer] = {}
        self.addresses: dict[str, str] = {}
        self.resolver = Resolver()
        #: When it was changed last by a dynamic update, or by whoever keeps this time.
        self.changed_at = clock()
        #: Where port 53 leads: "normal", "blocked" (nobody answers) or "intercepted" (a resolver answers for all).
        self.port_53 = "normal"
        self.root = Zone("", signed_at=clock())
        for number, address in enumerate(ROOT_ADDRESSES):
            self.add_server(f"{'abc'[number]}.root-servers.net", address).zones[""] = self.root
        self.root.set("", "NS", *[server.name for server in self.servers.values()])
        for label in ("org", "net", "example"):
            self.add_zone(label, {f"a.nic.{label}": f"192.0.2.{10 + len(self.servers)}"}, signed=signed)

    def add_server(self, name: str, address: str) -> DnsServer:
        """The server of this name, a new one where there is none."""
        if name not in self.servers:
            self.servers[name] = DnsServer(name, address)
            self.addresses[name] = address
        return self.servers[name]

    def add_zone(self, name: str, servers: t.Mapping[str, str], signed: bool = False) -> Zone:
        """A new zone on these servers (name to address), delegated by its parent."""
        zone = Zone(name, signed_at=self.clock())
        if signed:
            zone.key = zone.ds_key = name
        for server, address in servers.items():
            self.add_server(server, address).zones[name] = zone
        zone.set(name, "NS", *servers)
        self.parent(name).set(name, "NS", *servers)
        return zone

    def parent(self, name: str) -> Zone:
        """The zone that delegates this one."""
        holders = [zone for server in self.servers.values() for zone in server.zones.values()]
        above = [zone for zone in holders if zone.name != name and zone.holds(name)]
        return max(above, key=lambda zone: len(zone.name))

    def own_copy(self, server: str, zone: str) -> Zone:
        """Give one server a copy of a zone that the others do not share, and return it."""
        held = self.servers[server].zones
        held[zone] = copy.deepcopy(held[zone])
        return held[zone]

    def delegated(self, name: str, kind: str = "") -> tuple[Zone | None, list[DnsServer]]:
        """The zone that answers for a name, as the delegations lead there, and its servers that exist."""
        zone: Zone | None = self.root
        servers = [server for server in self.servers.values() if "" in server.zones]
        while True:
            alive = [server for server in servers if server.mode == "normal" and server.zone_for(name, kind)]
            if not alive:
                return zone, servers
            zone = alive[0].zone_for(name, kind)
            assert zone is not None
            result = zone.lookup(name, kind)
            if result.kind != "referral":
                return zone, servers
            servers = [self.servers[value] for value in result.values if value in self.servers]
            zone = Zone(result.owner)

    def resolve(self, name: str, kind: str) -> tuple[Result | None, list[Zone]]:
        """What a perfect resolver finds through CNAMEs, and the zones on the way; None: no server answers."""
        zones: list[Zone] = []
        for _step in range(9):
            zone, servers = self.delegated(name, kind)
            server = next((item for item in servers if item.answers(kind) and item.zone_for(name, kind)), None)
            if server is None or zone is None:
                return None, zones
            held = server.zone_for(name, kind)
            assert held is not None
            zones.append(held)
            result = held.lookup(name, kind)
            if result.kind == "referral":
                return None, zones
            if result.kind != "cname":
                return result, zones
            name = result.values[0]
        return None, zones
