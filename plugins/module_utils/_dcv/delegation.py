# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding the zone of a name and its authoritative servers: from the root servers down, without a resolver.

What is found is kept for all names of a look. Source: docs/providers/dcv/rules-and-diagnosis.md, section 4.

Private to this collection.
"""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from .dns import Client, delegation_signers, is_readable
from .replies import Reply, Status

#: The root servers' IPv4 addresses, as IANA publishes them.
ROOT_SERVERS = {
    "a.root-servers.net": "198.41.0.4",
    "b.root-servers.net": "170.247.170.2",
    "c.root-servers.net": "192.33.4.12",
    "d.root-servers.net": "199.7.91.13",
    "e.root-servers.net": "192.203.230.10",
    "f.root-servers.net": "192.5.5.241",
    "g.root-servers.net": "192.112.36.4",
    "h.root-servers.net": "198.97.190.53",
    "i.root-servers.net": "192.36.148.17",
    "j.root-servers.net": "192.58.128.30",
    "k.root-servers.net": "193.0.14.129",
    "l.root-servers.net": "199.7.83.42",
    "m.root-servers.net": "202.12.27.33",
}
#: How many root servers are tried, each once, before port 53 counts as blocked.
MAX_ROOT_SERVERS = 3
MAX_CNAMES = 8
#: Name servers whose own names lie in zones of other name servers, and so on.
_MAX_DEPTH = 6


class DnsBlocked(Exception):
    """No root server answers: the network lets no question out."""


class DnsIntercepted(Exception):
    """Resolvers answer in place of authoritative servers: the network redirects port 53."""


@dataclass(frozen=True)
class Server:
    """One name server. `address` is None where its name has none that can be used from here."""

    name: str
    address: str | None


@dataclass(frozen=True)
class Zone:
    """A zone as its parent delegates it.

    Arguments:
        name: without final dot; the empty text for the root.
        signers: its DS records, for the DNSSEC functions of dns.py; None where it is unsigned.
        parent: the zone that delegates it; None for the root.
    """

    name: str
    servers: tuple[Server, ...]
    signers: t.Any = field(default=None, compare=False)
    parent: str | None = None

    @property
    def server_names(self) -> str:
        """The names of its servers as people read them."""
        return ", ".join(server.name for server in self.servers)


@dataclass(frozen=True)
class Answer:
    """The end of a chain of CNAMEs.

    Arguments:
        reply: the last reply; None where no server of the zone could be used.
        zone: the zone of the last name.
        names: all owners on the way, the first one included.
        loop: the chain never ends.
    """

    reply: Reply | None
    zone: Zone
    names: tuple[str, ...]
    loop: bool = False

    def values(self, kind: str) -> list[str]:
        """The values of one type at the end of the chain."""
        return [record.text for record in self.reply.of(self.names[-1], kind)] if self.reply is not None else []


class Walker:
    """Finds zones and asks their servers. Safe for many threads."""

    def __init__(self, client: Client) -> None:
        self.client = client
        root = tuple(Server(name, address) for name, address in list(ROOT_SERVERS.items())[:MAX_ROOT_SERVERS])
        self._zones = {"": Zone("", root)}
        self._lock = threading.Lock()
        self._refusal: Exception | None = None

    def find(self, name: str, kind: str, depth: int = 0) -> Zone:
        """The zone whose servers answer for a name, as far as the servers above it lead there.

        Raises:
            DnsBlocked, DnsIntercepted: authoritative servers cannot be asked from here.
            DeadlinePassed: the time for the whole look is over.
        """
        if self._refusal is not None:
            raise self._refusal
        zone = self._deepest(name)
        while True:
            shorter = _next_cut(zone.name, name)
            question = (shorter, "NS") if shorter is not None else (name, kind)
            reply = self._reply_on_the_way(zone, *question)
            if reply is None:
                return zone
            child = self._child(zone, reply, question, depth)
            if child is not None:
                zone = child
            elif shorter is None or shorter == name:
                return zone
            else:
                return self._below(zone, name, kind, depth)

    def _below(self, zone: Zone, name: str, kind: str, depth: int) -> Zone:
        """The zone of a name where the next label is no zone of its own."""
        while True:
            reply = self._reply_on_the_way(zone, name, kind)
            child = None if reply is None else self._child(zone, reply, (name, kind), depth)
            if child is None:
                return zone
            zone = child

    def _deepest(self, name: str) -> Zone:
        labels = name.split(".")
        with self._lock:
            for start in range(len(labels)):
                zone = self._zones.get(".".join(labels[start:]))
                if zone is not None:
                    return zone
            return self._zones[""]

    def _reply_on_the_way(self, zone: Zone, name: str, kind: str) -> Reply | None:
        """The first useful reply of a zone's servers: an answer with authority, or a referral."""
        if not is_readable(name):
            # Nothing is sent, so that the silence of the root servers says nothing about the network.
            return None
        redirected = 0
        tries = 1 if not zone.name else 2
        for server in zone.servers:
            if server.address is None:
                continue
            reply = self.client.query(server.address, name, kind, tries=tries)
            if not reply.answered:
                continue
            referral = _referral(zone.name, reply, name)
            # Servers below the root may offer recursion beside their authority; root servers never do.
            if _is_redirected(reply) and (referral is None or not zone.name):
                redirected += 1
            elif reply.authoritative or referral is not None:
                return reply
        if redirected and (not zone.name or redirected == len([server for server in zone.servers if server.address])):
            self._refuse(DnsIntercepted(f"resolvers answer in place of the servers of {zone.name or 'the root'}"))
        if not zone.name:
            self._refuse(DnsBlocked("no root server answers"))
        return None

    def _refuse(self, refusal: Exception) -> None:
        self._refusal = refusal
        raise refusal

    def _child(self, zone: Zone, reply: Reply, question: tuple[str, str], depth: int) -> Zone | None:
        """The zone that a reply leads to; None where the servers answer for themselves."""
        name = _referral(zone.name, reply, question[0])
        records = reply.authority
        if name is None and question[1] == "NS" and reply.authoritative and reply.of(question[0], "NS"):
            # The servers of the parent zone serve the child as well, and show no referral.
            name, records = question[0], reply.answers
        if name is None or name == zone.name:
            return None
        with self._lock:
            known = self._zones.get(name)
        if known is not None:
            return known
        names = sorted({record.text for record in records if record.type == "NS" and record.name == name})
        servers = tuple(Server(server, self._server_address(server, reply, depth)) for server in names)
        child = Zone(name, servers, delegation_signers(reply, name), zone.name)
        with self._lock:
            return self._zones.setdefault(name, child)

    def _server_address(self, server: str, reply: Reply, depth: int) -> str | None:
        """One address of a name server: from the referral, else looked up."""
        for kind in ("A", "AAAA"):
            for record in reply.additional:
                if record.name == server and record.type == kind:
                    return record.text
        if depth >= _MAX_DEPTH:
            return None
        for kind in ("A", "AAAA"):
            values = self.follow(server, kind, depth + 1).values(kind)
            if values:
                return values[0]
        return None

    def query_zone(self, zone: Zone, name: str, kind: str) -> Reply | None:
        """The first answer of a zone's servers with authority; None where none gives one."""
        for server in zone.servers:
            if server.address is None:
                continue
            reply = self.client.query(server.address, name, kind)
            if reply.answered and reply.authoritative:
                return reply
        return None

    def cut_on_same_servers(self, zone: Zone, name: str) -> Zone | None:
        """The first zone below a zone, on the way to a name, that the same servers hold: they show no referral to it.

        None where there is none. Its DS records are those of the zone above; where these cannot be had, it counts as
        unsigned.

        Raises:
            DeadlinePassed: the time for the whole look is over.
        """
        labels = name.split(".")
        first = len(zone.name.split(".")) + 1 if zone.name else 1
        for depth in range(first, len(labels) + 1):
            owner = ".".join(labels[-depth:])
            reply = self.query_zone(zone, owner, "SOA")
            if reply is not None and reply.status == Status.NXDOMAIN:
                # Nothing is below it (RFC 8020).
                return None
            if reply is None or reply.of(owner, "SOA"):
                answer = self.query_zone(zone, owner, "DS") if reply is not None else None
                return Zone(owner, zone.servers, answer and delegation_signers(answer, owner), zone.name)
        return None

    def follow(self, name: str, kind: str, depth: int = 0) -> Answer:
        """The answer to a question, through CNAMEs and over zones.

        Raises:
            DnsBlocked, DnsIntercepted, DeadlinePassed: as `find`.
        """
        names = [name]
        while True:
            zone = self.find(names[-1], kind, depth)
            reply = self.query_zone(zone, names[-1], kind)
            target = None if reply is None else next((item.text for item in reply.of(names[-1], "CNAME")), None)
            if target is None or kind == "CNAME":
                return Answer(reply, zone, tuple(names))
            if target in names or len(names) > MAX_CNAMES:
                return Answer(reply, zone, (*names, target), loop=True)
            names.append(target)


def _is_redirected(reply: Reply) -> bool:
    """Whether a reply came from a resolver: without authority, and with recursion on offer."""
    return reply.recursive and not reply.authoritative


def apex(zone: Zone, reply: Reply) -> str:
    """The zone that a negative answer names, where it is a deeper one on the same servers."""
    owners = [record.name for record in reply.authority if record.type == "SOA"]
    return next((owner for owner in owners if owner.endswith(f".{zone.name}")), zone.name)


def _referral(zone: str, reply: Reply, name: str) -> str | None:
    """The zone that a reply refers to: below this one, and on the way to the name."""
    if reply.authoritative or reply.answers or reply.status != Status.NOERROR:
        return None
    owners = {record.name for record in reply.authority if record.type == "NS"}
    below = [owner for owner in owners if owner != zone and _is_below(owner, zone) and _is_below(name, owner)]
    return below[0] if below else None


def _is_below(name: str, zone: str) -> bool:
    return not zone or name == zone or name.endswith(f".{zone}")


def _next_cut(zone: str, name: str) -> str | None:
    """The next name to look for a delegation at; None from two labels on, where the whole question is asked at once.

    The names are short, so that all names of a domain need one question to the servers above it.
    """
    labels = name.split(".")
    depth = len(zone.split(".")) if zone else 0
    return ".".join(labels[-(depth + 1) :]) if depth < 2 and len(labels) > depth else None
