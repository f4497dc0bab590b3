# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Querying one DNS server, and checking DNSSEC signatures. Alone imports dnspython (2.3 or newer).

Each query is sent once in a look, whoever needs its answer. Answers leave as plain data; their signatures stay
inside a Reply, for `key_problem` and `signature_problems`.

Private to this collection.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import hashlib
import socket
import struct
import threading
import time
import traceback
import typing as t
from concurrent.futures import Future

from .network import AddressMap, Deadline, Endpoint, family
from .replies import Caa, Record, Reply, Soa, Status

try:
    import dns.dnssec
    import dns.edns
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdatatype
    import dns.resolver
    import dns.rrset

    DNSPYTHON_IMPORT_ERROR = None
except ImportError:
    DNSPYTHON_IMPORT_ERROR = traceback.format_exc()

PORT = 53
#: Seconds for one try of one question.
TRY_TIMEOUT = 2.0
TRIES = 2
#: Questions of one type that a server leaves unanswered before it is not asked again in this look.
MAX_SILENCES = 2
#: Octets: what passes every network in one datagram.
_PAYLOAD = 1232
_MAX_MESSAGE = 65535


def system_resolvers() -> list[str]:
    """The addresses of the resolvers that this host uses; none where it has no configuration."""
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException:
        return []
    return [server for server in resolver.nameservers if isinstance(server, str) and "://" not in server]


class Client:
    """Queries servers, each question once. Safe for many threads.

    Arguments:
        address_map: where to connect instead.
        deadline: the end of the whole look.
        try_timeout: seconds for one try.
        record: called with (address, name, type) for each question that is sent.
    """

    def __init__(
        self,
        address_map: AddressMap,
        deadline: Deadline,
        try_timeout: float = TRY_TIMEOUT,
        record: t.Callable[[str, str, str], None] | None = None,
    ) -> None:
        self._map = address_map
        self._deadline = deadline
        self._try_timeout = try_timeout
        self._record = record
        self._lock = threading.Lock()
        self._replies: dict[tuple[t.Any, ...], Future[Reply]] = {}
        self._silences: collections.Counter[tuple[str, int, str]] = collections.Counter()

    def query(
        self,
        address: str,
        name: str,
        kind: str,
        port: int = PORT,
        recursion: bool = False,
        checking_disabled: bool = False,
        tries: int = TRIES,
    ) -> Reply:
        """One server's answer to one question.

        Arguments:
            recursion: query a resolver, not an authoritative server.
            checking_disabled: have it answer without a look at the signatures.

        A name that is none in DNS is not sent; its answer is malformed.

        Raises:
            DeadlinePassed: the time for the whole look is over.
        """
        key = (address, port, name, kind, recursion, checking_disabled)
        with self._lock:
            known = self._replies.get(key)
            if known is None:
                reply: Future[Reply] = Future()
                self._replies[key] = reply
        if known is not None:
            return known.result()
        try:
            query = _query(name, kind, recursion, checking_disabled)
            malformed = Reply(Status.MALFORMED)
            result = malformed if query is None else self._answer_of(address, port, name, kind, query, tries)
        except BaseException as exc:
            reply.set_exception(exc)
            raise
        reply.set_result(result)
        return result

    def _answer_of(self, address: str, port: int, name: str, kind: str, query: t.Any, tries: int) -> Reply:
        """Query a server, unless it has been silent too often: one that hangs must not delay a thousand names."""
        server = (address, port, kind)
        if self._silences[server] >= MAX_SILENCES:
            return Reply(Status.TIMEOUT)
        if self._record is not None:
            self._record(address, name, kind)
        reply = self._exchange(self._map.destination(address, port), query, tries)
        with self._lock:
            if reply.status == Status.TIMEOUT:
                self._silences[server] += 1
            else:
                self._silences[server] = 0
        return reply

    def _exchange(self, endpoint: Endpoint, query: t.Any, tries: int) -> Reply:
        """Query by UDP, again if nothing comes, and by TCP if the answer does not fit."""
        wire = query.to_wire()
        status = Status.TIMEOUT
        for _attempt in range(tries):
            until = self._deadline.remaining(self._try_timeout)
            try:
                message = _by_udp(endpoint, query, wire, until)
                if message.rcode() == dns.rcode.FORMERR and query.edns >= 0:
                    # A server of before EDNS.
                    query.use_edns(-1)
                    return self._exchange(endpoint, query, tries)
                if message.flags & dns.flags.TC:
                    message = _by_tcp(endpoint, query, wire, self._deadline.remaining(self._try_timeout))
                return _reply_of(message)
            except socket.timeout:
                status = Status.TIMEOUT
            except (EOFError, dns.exception.DNSException):
                status = Status.MALFORMED
            except OSError as exc:
                no_route = ":" in endpoint[0] and exc.errno not in _REFUSED
                return Reply(Status.NO_ROUTE if no_route else Status.UNREACHABLE)
        self._deadline.remaining()
        return Reply(status)


#: What says that the host was reached and nobody answers there.
_REFUSED = (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE)


def is_readable(name: str) -> bool:
    """Whether a question about a name can be sent: no label is empty or too long, and no escape is broken."""
    return _read(name) is not None


def _read(name: str) -> t.Any:
    """A name as dnspython has it; None where it is none."""
    try:
        return dns.name.from_text(name or ".")
    except (dns.exception.DNSException, ValueError, struct.error):
        # dnspython 2.3 packs an escape beyond 255 without a look.
        return None


def _query(name: str, kind: str, recursion: bool, checking_disabled: bool) -> t.Any:
    """The question as a message; None where the name is none."""
    owner = _read(name)
    if owner is None:
        return None
    query = dns.message.make_query(owner, dns.rdatatype.from_text(kind), use_edns=0, want_dnssec=True, payload=_PAYLOAD)
    query.flags = (dns.flags.RD if recursion else 0) | (dns.flags.CD if checking_disabled else 0)
    return query


def _by_udp(endpoint: Endpoint, query: t.Any, wire: bytes, timeout: float) -> t.Any:
    """The answer in one datagram. A connected socket takes datagrams from one server and hears of closed ports."""
    end = time.monotonic() + timeout
    with contextlib.closing(socket.socket(family(endpoint[0]), socket.SOCK_DGRAM)) as channel:
        channel.settimeout(timeout)
        channel.connect(endpoint)
        channel.send(wire)
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise socket.timeout
            channel.settimeout(left)
            message = dns.message.from_wire(channel.recv(_MAX_MESSAGE), ignore_trailing=True)
            if query.is_response(message):
                return message


def _by_tcp(endpoint: Endpoint, query: t.Any, wire: bytes, timeout: float) -> t.Any:
    end = time.monotonic() + timeout
    with contextlib.closing(socket.socket(family(endpoint[0]), socket.SOCK_STREAM)) as channel:
        channel.settimeout(timeout)
        channel.connect(endpoint)
        channel.sendall(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(_receive(channel, 2, end), "big")
        message = dns.message.from_wire(_receive(channel, size, end), ignore_trailing=True)
    if not query.is_response(message):
        raise EOFError("this is the answer to another question")
    return message


def _receive(channel: socket.socket, size: int, end: float) -> bytes:
    octets = b""
    while len(octets) < size:
        left = end - time.monotonic()
        if left <= 0:
            raise socket.timeout
        channel.settimeout(left)
        part = channel.recv(size - len(octets))
        if not part:
            raise EOFError("the server closed the connection")
        octets += part
    return octets


_STATUS_OF_RCODE = {0: Status.NOERROR, 2: Status.SERVFAIL, 3: Status.NXDOMAIN, 5: Status.REFUSED}


def _reply_of(message: t.Any) -> Reply:
    return Reply(
        status=_STATUS_OF_RCODE.get(int(message.rcode()), Status.OTHER_ERROR),
        authoritative=bool(message.flags & dns.flags.AA),
        recursive=bool(message.flags & dns.flags.RA),
        answers=_records(message.answer),
        authority=_records(message.authority),
        additional=_records(message.additional),
        ede=tuple(_ede_text(option) for option in message.options if isinstance(option, dns.edns.EDEOption)),
        message=message,
    )


def _ede_text(option: t.Any) -> str:
    return f"{int(option.code)} {option.text or ''}".strip()


def _records(rrsets: t.Iterable[t.Any]) -> tuple[Record, ...]:
    return tuple(
        Record(_plain(rrset.name), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, _value(rdata))
        for rrset in rrsets
        for rdata in rrset
    )


def _plain(name: t.Any) -> str:
    """A name without the final dot. A dot before it is part of the last label, and keeps its backslash."""
    return str(name.to_text())[:-1].lower()


def _value(rdata: t.Any) -> t.Any:
    kind = dns.rdatatype.to_text(rdata.rdtype)
    if kind == "TXT":
        return b"".join(rdata.strings).decode("utf-8", "backslashreplace")
    if kind in ("CNAME", "NS", "DNAME"):
        return _plain(rdata.target)
    if kind in ("A", "AAAA"):
        return rdata.address
    if kind == "CAA":
        return Caa(
            bool(rdata.flags & 128),
            rdata.tag.decode("ascii", "replace").lower(),
            rdata.value.decode("utf-8", "replace"),
        )
    if kind == "SOA":
        return Soa(rdata.serial, rdata.minimum)
    return rdata.to_text()


# --- DNSSEC ---


def delegation_signers(reply: Reply, zone: str) -> t.Any:
    """The DS records of a zone in its parent's referral; None where the zone is unsigned there."""
    for rrset in [*reply.message.authority, *reply.message.answer]:
        if rrset.rdtype == dns.rdatatype.DS and _plain(rrset.name) == zone:
            return rrset
    return None


def key_problem(zone: str, signers: t.Any, reply: Reply, now: float) -> str | None:
    """What is wrong with the keys of a zone, as one phrase; None where its DS and DNSKEY records fit.

    Arguments:
        signers: from `delegation_signers`.
        reply: the zone's answer to the question for DNSKEY.
        now: seconds since 1970.
    """
    tags = ", ".join(sorted({str(signer.key_tag) for signer in signers}))
    keys = _rrset(reply.message.answer, zone, dns.rdatatype.DNSKEY)
    if keys is None:
        return f"the parent zone has a DS record (key tag {tags}), but {zone} has no DNSKEY record"
    trusted = [key for key in keys for signer in signers if _fits(zone, key, signer)]
    if not trusted:
        return f"the DS record at the parent zone (key tag {tags}) fits no key of {zone}"
    name = dns.name.from_text(zone)
    anchor = dns.rrset.from_rdata_list(name, keys.ttl, trusted)
    return _set_problem(reply.message.answer, keys, {name: anchor}, now)


def signature_problems(zone: str, reply: Reply, key_reply: Reply, now: float) -> t.Iterator[tuple[str, str]]:
    """What is wrong with the signatures of an answer of a signed zone: an owner and a phrase for each set of records.

    Arguments:
        key_reply: the zone's answer to the question for DNSKEY, without fault.
        now: seconds since 1970.
    """
    name = dns.name.from_text(zone)
    keys = _rrset(key_reply.message.answer, zone, dns.rdatatype.DNSKEY)
    for section in (reply.message.answer, reply.message.authority):
        for rrset in section:
            checked = rrset.rdtype not in (dns.rdatatype.RRSIG, dns.rdatatype.NS) and rrset.name.is_subdomain(name)
            problem = _set_problem(section, rrset, {name: keys}, now) if checked else None
            if problem:
                yield _plain(rrset.name), problem


def _rrset(section: t.Any, owner: str, kind: t.Any) -> t.Any:
    return next((rrset for rrset in section if rrset.rdtype == kind and _plain(rrset.name) == owner), None)


#: Digest types of DS records. One that is not listed is not judged.
_DIGESTS = {1: "sha1", 2: "sha256", 4: "sha384"}


def _fits(zone: str, key: t.Any, signer: t.Any) -> bool:
    if dns.dnssec.key_id(key) != signer.key_tag or key.algorithm != signer.algorithm:
        return False
    algorithm = _DIGESTS.get(int(signer.digest_type))
    if algorithm is None:
        return True
    owner = dns.name.from_text(zone).canonicalize().to_wire()
    digest = hashlib.new(algorithm, owner + key.to_wire(origin=dns.name.root)).digest()
    return bool(digest == signer.digest)


def _set_problem(section: t.Any, rrset: t.Any, keys: t.Any, now: float) -> str | None:
    """What is wrong with all signatures over a set of records; one that holds is enough."""
    shown = f"{_plain(rrset.name) or '.'} {dns.rdatatype.to_text(rrset.rdtype)}"
    signatures = [
        signature
        for candidate in section
        if candidate.rdtype == dns.rdatatype.RRSIG and candidate.name == rrset.name and candidate.covers == rrset.rdtype
        for signature in candidate
    ]
    problem: str | None = f"{shown} has no signature"
    for signature in signatures:
        if signature.expiration <= now:
            problem = f"the signature of {shown} expired at {_iso(signature.expiration)}"
        elif signature.inception > now:
            problem = f"the signature of {shown} is valid only from {_iso(signature.inception)}"
        elif not _holds(rrset, signature, keys, now):
            problem = f"the signature of {shown} (key tag {signature.key_tag}) does not hold"
        else:
            return None
    return problem


def _holds(rrset: t.Any, signature: t.Any, keys: t.Any, now: float) -> bool:
    """Whether a signature holds. What cannot be computed here (no cryptography, unknown algorithm) is passed over."""
    try:
        dns.dnssec.validate_rrsig(rrset, signature, keys, now=now)
    except (ImportError, dns.dnssec.UnsupportedAlgorithm):  # type: ignore[attr-defined]
        return True
    except dns.dnssec.ValidationFailure:  # type: ignore[attr-defined]
        return False
    return True


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
