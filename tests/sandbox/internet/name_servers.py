# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS of the small Internet on the wire: UDP and TCP on loopback, signatures, a resolver, dynamic update.

One thread answers for all servers. Dynamic updates (RFC 2136) need a TSIG key; without one they are refused.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import selectors
import socket
import threading
import typing as t

import dns.dnssec
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import dns.update
from cryptography.hazmat.primitives.asymmetric import ec

from .zones import NEGATIVE_TTL, RESOLVER_ADDRESS, TTL, DnsServer, Internet, Result, Zone

_CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ALGORITHM = 13
_KEY_FLAGS = 257
_EDE_TEXT = {6: "DNSSEC Bogus", 7: "Signature Expired", 9: "DNSKEY Missing"}


@functools.lru_cache(maxsize=None)
def _private_key(name: str) -> ec.EllipticCurvePrivateKey:
    """The key of this name, always the same one."""
    number = int.from_bytes(hashlib.sha256(b"zone key " + name.encode()).digest(), "big")
    return ec.derive_private_key(number % (_CURVE_ORDER - 1) + 1, ec.SECP256R1())


@functools.lru_cache(maxsize=None)
def _public_key(name: str) -> t.Any:
    return dns.dnssec.make_dnskey(_private_key(name).public_key(), _ALGORITHM, flags=_KEY_FLAGS)


@functools.lru_cache(maxsize=100_000)
def _rdata(kind: str, text: str) -> t.Any:
    if kind == "TXT":
        octets = text.encode()
        parts = [octets[start : start + 255] for start in range(0, len(octets), 255)] or [b""]
        shown = " ".join('"' + "".join(f"\\{octet:03d}" for octet in part) + '"' for part in parts)
        return dns.rdata.from_text("IN", "TXT", shown)
    if kind in ("CNAME", "NS"):
        text = text.rstrip(".") + "."
    return dns.rdata.from_text("IN", kind, text)


def _rrset(owner: str, kind: str, texts: t.Iterable[str], ttl: int = TTL) -> t.Any:
    return dns.rrset.from_rdata_list(_name(owner), ttl, [_rdata(kind, text) for text in texts])


@functools.lru_cache(maxsize=100_000)
def _name(text: str) -> t.Any:
    return dns.name.from_text(text or ".")


@functools.lru_cache(maxsize=100_000)
def _signature(zone: str, key: str, window: tuple[float, float], rrset_text: str) -> t.Any:
    rrset = dns.rrset.from_text_list(
        rrset_text.split(" ", 1)[0],
        int(rrset_text.split(" ")[1]),
        "IN",
        rrset_text.split(" ")[3],
        [line.split(" ", 4)[4] for line in rrset_text.splitlines()],
    )
    return dns.dnssec.sign(
        rrset, _private_key(key), _name(zone), _public_key(key), inception=window[0], expiration=window[1]
    )


def _add(section: list[t.Any], zone: Zone, rrset: t.Any, secure: bool) -> None:
    """Add a set, and its signature where the question wants one and the zone is signed."""
    section.append(rrset)
    if secure and zone.key is not None:
        signature = _signature(zone.name, zone.key, zone.signatures(), rrset.to_text())
        section.append(dns.rrset.from_rdata_list(rrset.name, rrset.ttl, [signature]))


def _soa(zone: Zone) -> t.Any:
    text = f"ns.invalid. hostmaster.invalid. {zone.serial} 7200 900 604800 {NEGATIVE_TTL}"
    return dns.rrset.from_text(_name(zone.name), NEGATIVE_TTL, "IN", "SOA", text)


@dataclasses.dataclass
class Question:
    """One question that a server got."""

    server: str
    name: str
    type: str
    recursion: bool
    checking_disabled: bool


class DnsService:
    """Serves an Internet on loopback. Use it as a context; `load` puts another Internet in its place."""

    def __init__(self, internet: Internet, keys: t.Mapping[str, str] | None = None) -> None:
        self.internet = internet
        self.questions: list[Question] = []
        self._keyring = dns.tsigkeyring.from_text(dict(keys or {}))
        self._selector = selectors.DefaultSelector()
        self._ports: dict[str, int] = {}
        self._closed_port = 0
        self._lock = threading.RLock()
        self._wake, self._woken = socket.socketpair()
        self._running = True
        self._thread = threading.Thread(target=self._serve, name="dns", daemon=True)

    def __enter__(self) -> DnsService:
        self._selector.register(self._woken, selectors.EVENT_READ, ("wake", ""))
        self._bind(RESOLVER_ADDRESS)
        for server in self.internet.servers.values():
            self._bind(server.address)
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
            probe.bind(("127.0.0.1", 0))
            self._closed_port = probe.getsockname()[1]
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._running = False
        self._wake.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            t.cast("socket.socket", key.fileobj).close()
        self._wake.close()
        self._selector.close()

    def load(self, internet: Internet) -> None:
        """Serve another Internet from now on."""
        with self._lock:
            self.internet = internet
            self.questions.clear()

    def address_map(self) -> dict[str, str]:
        """Where each address of the Internet is on this machine, for the option of the same name."""
        with self._lock:
            mapping = {f"{RESOLVER_ADDRESS}:53": self._endpoint(RESOLVER_ADDRESS)}
            for server in self.internet.servers.values():
                if self.internet.port_53 == "blocked" or server.mode == "dead":
                    endpoint = f"127.0.0.1:{self._closed_port}"
                elif self.internet.port_53 == "intercepted":
                    endpoint = self._endpoint(RESOLVER_ADDRESS)
                else:
                    endpoint = self._endpoint(server.address)
                mapping[f"[{server.address}]:53" if ":" in server.address else f"{server.address}:53"] = endpoint
            if self.internet.resolver.mode == "dead":
                mapping[f"{RESOLVER_ADDRESS}:53"] = f"127.0.0.1:{self._closed_port}"
            return mapping

    def _endpoint(self, address: str) -> str:
        if address not in self._ports:
            self._bind(address)
            self._wake.send(b"x")
        return f"127.0.0.1:{self._ports[address]}"

    def _bind(self, address: str) -> None:
        """A UDP and a TCP socket on one port."""
        if address in self._ports:
            return
        while True:
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stream.bind(("127.0.0.1", 0))
            datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                datagram.bind(stream.getsockname())
            except OSError:
                stream.close()
                datagram.close()
                continue
            break
        stream.listen(64)
        datagram.setblocking(False)
        datagram.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._selector.register(datagram, selectors.EVENT_READ, ("udp", address))
        self._selector.register(stream, selectors.EVENT_READ, ("tcp", address))
        self._ports[address] = stream.getsockname()[1]

    def _serve(self) -> None:
        while self._running:
            for key, _events in self._selector.select():
                kind, address = key.data
                channel = t.cast("socket.socket", key.fileobj)
                if kind == "wake":
                    channel.recv(64)
                elif kind == "udp":
                    self._serve_datagram(channel, address)
                else:
                    self._serve_stream(channel, address)

    def _serve_datagram(self, channel: socket.socket, address: str) -> None:
        try:
            wire, peer = channel.recvfrom(65535)
        except (BlockingIOError, ConnectionRefusedError):
            return
        answer = self.respond(address, wire, datagram=True)
        if answer is not None:
            channel.sendto(answer, peer)

    def _serve_stream(self, listener: socket.socket, address: str) -> None:
        channel, _peer = listener.accept()
        with contextlib.closing(channel), contextlib.suppress(OSError):
            channel.settimeout(5)
            size = int.from_bytes(channel.recv(2), "big")
            wire = b""
            while len(wire) < size:
                part = channel.recv(size - len(wire))
                if not part:
                    return
                wire += part
            answer = self.respond(address, wire, datagram=False)
            if answer is not None:
                channel.sendall(len(answer).to_bytes(2, "big") + answer)

    def respond(self, address: str, wire: bytes, datagram: bool) -> bytes | None:
        """The answer of the server at an address; None where it gives none."""
        with self._lock:
            server = next((item for item in self.internet.servers.values() if item.address == address), None)
            if server is not None and server.mode in ("dead", "silent"):
                return None
            try:
                query = dns.message.from_wire(wire, keyring=self._keyring)
            except dns.message.UnknownTSIGKey:
                return self._not_authorized(wire)
            except dns.exception.DNSException as exc:
                return self._not_authorized(wire) if isinstance(exc, dns.tsig.BadSignature) else None
            if query.opcode() == dns.opcode.UPDATE:
                return self._update(server, query)
            question = query.question[0]
            name = question.name.to_text().rstrip(".").lower()
            kind = dns.rdatatype.to_text(question.rdtype)
            self.questions.append(
                Question(address, name, kind, bool(query.flags & dns.flags.RD), bool(query.flags & dns.flags.CD))
            )
            response = dns.message.make_response(query)
            if server is None:
                if self.internet.resolver.mode == "silent":
                    return None
                self._recurse(query, response, name, kind)
            else:
                self._answer(server, query, response, name, kind)
            if datagram and server is not None and server.truncates:
                response = dns.message.make_response(query)
                response.flags |= dns.flags.TC | dns.flags.AA
            size = max(query.payload, 512) if datagram else 65535
            try:
                return response.to_wire(max_size=size)
            except dns.exception.TooBig:
                short = dns.message.make_response(query)
                short.flags |= dns.flags.TC | (response.flags & dns.flags.AA)
                return short.to_wire()

    def _not_authorized(self, wire: bytes) -> bytes:
        """What a server says to a key that it does not know: unsigned, with the code alone."""
        return wire[:2] + b"\xa8\x09" + bytes(8)

    # --- authoritative servers ---

    def _answer(self, server: DnsServer, query: t.Any, response: t.Any, name: str, kind: str) -> None:
        zone = server.zone_for(name, kind)
        if not server.knows_edns and query.edns >= 0:
            response.use_edns(-1)
            response.set_rcode(dns.rcode.FORMERR)
            return
        if server.offers_recursion:
            response.flags |= dns.flags.RA
        if server.mode == "refused" or zone is None or server.mode == "lame":
            response.set_rcode(dns.rcode.REFUSED)
            return
        if server.mode == "servfail" or kind in server.failing_types:
            response.set_rcode(dns.rcode.SERVFAIL)
            return
        secure = bool(query.ednsflags & dns.flags.DO)
        response.flags |= dns.flags.AA
        for _step in range(9):
            result = self._lookup(zone, name, kind)
            if result.kind == "referral":
                self._refer(response, zone, result, secure)
                return
            if result.kind == "cname":
                _add(response.answer, zone, _rrset(name, "CNAME", result.values), secure)
                name = result.values[0]
                if not zone.holds(name) or server.zone_for(name, kind) is not zone or name in _owners(response.answer):
                    return
                continue
            break
        if result.kind == "answer":
            rrset = _rrset(name, kind, result.values) if kind != "DNSKEY" else self._keys(zone)
            _add(response.answer, zone, rrset, secure)
            return
        if result.kind == "nxdomain":
            response.set_rcode(dns.rcode.NXDOMAIN)
        _add(response.authority, zone, _soa(zone), secure)

    def _lookup(self, zone: Zone, name: str, kind: str) -> Result:
        if name == zone.name and kind == "DNSKEY" and zone.key is not None:
            return Result("answer", name, ["key"], zone)
        if name == zone.name and kind == "SOA":
            return Result("answer", name, [_soa(zone)[0].to_text()], zone)
        return zone.lookup(name, kind)

    def _keys(self, zone: Zone) -> t.Any:
        assert zone.key is not None
        return dns.rrset.from_rdata_list(_name(zone.name), TTL, [_public_key(zone.key)])

    def _refer(self, response: t.Any, zone: Zone, result: Result, secure: bool) -> None:
        response.flags &= ~dns.flags.AA
        response.authority.append(_rrset(result.owner, "NS", result.values))
        child = next(
            (item.zones[result.owner] for item in self.internet.servers.values() if result.owner in item.zones), None
        )
        if secure and child is not None and child.ds_key is not None:
            signer = dns.dnssec.make_ds(_name(result.owner), _public_key(child.ds_key), "SHA256")
            _add(response.authority, zone, dns.rrset.from_rdata_list(_name(result.owner), TTL, [signer]), secure)
        for server in result.values:
            address = self.internet.addresses.get(server)
            if address is not None:
                response.additional.append(_rrset(server, "AAAA" if ":" in address else "A", [address]))

    # --- the resolver ---

    def _recurse(self, query: t.Any, response: t.Any, name: str, kind: str) -> None:
        internet, resolver = self.internet, self.internet.resolver
        response.flags |= dns.flags.RA
        response.flags &= ~dns.flags.AA
        if resolver.mode == "servfail":
            response.set_rcode(dns.rcode.SERVFAIL)
            return
        if (name, kind) in resolver.overrides:
            values = resolver.overrides[name, kind]
            self._give(
                response, Result("answer" if values else "nxdomain", name, values, internet.root), name, kind, TTL
            )
            return
        now = internet.clock()
        until, result = resolver.cache.get((name, kind), (0.0, None))
        if result is None or until <= now:
            result, zones = internet.resolve(name, kind)
            problem = next((zone.bogus(now) for zone in zones if zone.bogus(now) is not None), None)
            if problem is not None and not query.flags & dns.flags.CD:
                response.set_rcode(dns.rcode.SERVFAIL)
                response.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode(problem), _EDE_TEXT[problem])])
                return
            if result is None:
                response.set_rcode(dns.rcode.SERVFAIL)
                return
            until = now + (TTL if result.kind == "answer" else NEGATIVE_TTL)
            resolver.cache[name, kind] = until, result
        self._give(response, result, name, kind, int(until - now))

    def _give(self, response: t.Any, result: Result, name: str, kind: str, ttl: int) -> None:
        assert result.zone is not None
        if result.owner != name:
            response.answer.append(_rrset(name, "CNAME", [result.owner], ttl))
        if result.kind == "answer":
            response.answer.append(_rrset(result.owner, kind, result.values, ttl))
            return
        if result.kind == "nxdomain":
            response.set_rcode(dns.rcode.NXDOMAIN)
        soa = _soa(result.zone)
        soa.ttl = ttl
        response.authority.append(soa)

    # --- dynamic update ---

    def _update(self, server: DnsServer | None, query: t.Any) -> bytes:
        response = dns.message.make_response(query)
        zone = None if server is None else server.zones.get(query.question[0].name.to_text().rstrip(".").lower())
        if not query.had_tsig:
            response.set_rcode(dns.rcode.REFUSED)
        elif zone is None:
            response.set_rcode(dns.rcode.NOTAUTH)
        else:
            for rrset in query.sections[2]:
                _apply(zone, rrset)
            self.internet.changed_at = self.internet.clock()
        return response.to_wire()


def _owners(section: t.Iterable[t.Any]) -> set[str]:
    return {rrset.name.to_text().rstrip(".").lower() for rrset in section}


def _apply(zone: Zone, rrset: t.Any) -> None:
    """One entry of an update: add values, remove values, a set, or all of an owner."""
    owner = rrset.name.to_text().rstrip(".").lower()
    kind = dns.rdatatype.to_text(rrset.rdtype)
    if rrset.deleting == dns.rdataclass.ANY:
        kinds = list(zone.records.get(owner, {})) if kind == "ANY" else [kind]
        for each in kinds:
            zone.set(owner, each)
        return
    for rdata in rrset:
        text = _text(kind, rdata)
        if rrset.deleting == dns.rdataclass.NONE:
            zone.discard(owner, kind, text)
        else:
            zone.add(owner, kind, text)


def _text(kind: str, rdata: t.Any) -> str:
    if kind == "TXT":
        return b"".join(rdata.strings).decode()
    text = str(rdata.to_text())
    return text.rstrip(".") if kind in ("CNAME", "NS") else text
