# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe: real TLS handshakes with a running service, direct or after STARTTLS, also behind the PROXY protocol."""

from __future__ import annotations

import errno
import hashlib
import socket
import ssl
import time
import typing as t
from dataclasses import dataclass

from .._common.names import show_host
from .proxy_protocol import proxy_header
from .rehearsal import anchored_context
from .starttls import Plain, Problem, start_tls
from .x509 import ECDSA, RSA, Malformed, read_certificate

#: Seconds for one connection before the deadline: a worker that hangs must not use all of the time. The last attempt,
#: after the deadline, has the whole of probe_timeout, for services that are slow to answer.
_MAX_EARLY_ATTEMPT = 5.0
#: Connections to an address, beside the first, that have to be served the leaf: one of several workers may not have
#: been reloaded.
_CONFIRMATIONS = 9
#: Bytes of a handshake that are kept, to read what a server showed before it refused us.
_MAX_HANDSHAKE = 256 * 1024
_MIN_PAUSE = 0.1
_MAX_PAUSE = 1.0
_CIPHERS = {RSA: "aRSA", ECDSA: "aECDSA"}  # ciphers(1) of OpenSSL
_NOT_LISTENING = (errno.ECONNREFUSED, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EAFNOSUPPORT)


class NotListening(Problem):
    """Nothing accepts connections at an address."""


@dataclass(frozen=True)
class Endpoint:
    """A service to probe.

    Arguments:
        host: name or address; every address of it that accepts connections has to serve the certificate.
        port: TCP port.
        server_name: sent as SNI and, in the verifying handshake, expected in the certificate.
        starttls: one of starttls.PROTOCOLS, or None for TLS from the first byte.
        proxy_protocol: ``v1`` or ``v2`` of the PROXY protocol to send before anything else, or None.
    """

    host: str
    port: int
    server_name: str
    starttls: str | None = None
    proxy_protocol: str | None = None

    def __str__(self) -> str:
        how = f"{self.server_name}, STARTTLS for {self.starttls}" if self.starttls else self.server_name
        how += f", PROXY protocol {self.proxy_protocol}" if self.proxy_protocol else ""
        return f"{show_host(self.host)}:{self.port} ({how})"


@dataclass
class ProbeResult:
    """What probing one service found.

    Arguments:
        endpoint: the service.
        served: whether every address that listens served the desired leaf.
        leaf: the leaf that was seen last, as DER; None when there was none.
        problem: why it is not served, in one clause; None when it is.
        attempts: connections made.
    """

    endpoint: Endpoint
    served: bool = False
    leaf: bytes | None = None
    problem: str | None = None
    attempts: int = 0

    def as_result(self) -> dict[str, t.Any]:
        """For a module's result."""
        return {
            "host": self.endpoint.host,
            "port": self.endpoint.port,
            "server_name": self.endpoint.server_name,
            "starttls": self.endpoint.starttls,
            "proxy_protocol": self.endpoint.proxy_protocol,
            "served": self.served,
            "serial_number": _serial_number(self.leaf) if self.leaf else None,
            "problem": self.problem,
            "attempts": self.attempts,
        }


def probe(
    endpoint: Endpoint,
    leaf: bytes,
    anchors: t.Sequence[bytes],
    timeout: float,
    max_attempt: float,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> ProbeResult:
    """Connect until the service serves the leaf at every address that listens, or the deadline passes.

    While a service reloads, old workers may answer for a while: an old certificate decides nothing before the deadline,
    and a new one has to be served several times in a row.

    Arguments:
        endpoint: the service.
        leaf: the desired leaf as DER.
        anchors: certificates, as DER, that alone are trusted in a verifying handshake; none: the leaf is only compared.
        timeout: seconds until the deadline; 0 looks once.
        max_attempt: seconds that the last connection may take.
        clock: monotonic seconds.
        sleep: waits for the seconds given.
    """
    result = ProbeResult(endpoint)
    served: set[t.Any] = set()
    deadline = clock() + timeout
    confirm_until = deadline + max_attempt if timeout > 0 else deadline
    pause = _MIN_PAUSE
    while True:
        left = deadline - clock()
        is_last = left <= 0
        attempt = max_attempt if is_last else min(_MAX_EARLY_ATTEMPT, left)
        result.problem = _look(result, leaf, anchors, served, attempt, lambda: clock() < confirm_until)
        result.served = result.problem is None
        if result.served or is_last:
            return result
        left = deadline - clock()
        if left > 0:
            sleep(min(pause, left))
            pause = min(pause * 2, _MAX_PAUSE)


def _look(
    result: ProbeResult,
    leaf: bytes,
    anchors: t.Sequence[bytes],
    served: set[t.Any],
    timeout: float,
    may_confirm: t.Callable[[], bool],
) -> str | None:
    """Connect to each address that has not served the leaf yet; returns the first problem.

    Arguments:
        timeout: seconds for one connection.
        may_confirm: whether there is time to connect once more.
    """
    endpoint = result.endpoint
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        return f"{endpoint.host} cannot be resolved: {exc}"
    problem: str | None = None
    silent: str | None = None
    for family, address in dict.fromkeys((item[0], item[4]) for item in found):
        if address in served:
            continue
        try:
            _require_leaf(result, leaf, anchors, family, address, timeout, may_confirm)
            served.add(address)
        except NotListening as exc:
            silent = str(exc)
        except Problem as exc:
            problem = problem or str(exc)
    return problem or (None if served else silent)


def _require_leaf(
    result: ProbeResult,
    leaf: bytes,
    anchors: t.Sequence[bytes],
    family: int,
    address: t.Any,
    timeout: float,
    may_confirm: t.Callable[[], bool],
) -> None:
    """Connect to one address: is the leaf served, does a client accept it, and is it served again and again?

    Raises:
        Problem: it is not.
    """

    def connect(context: ssl.SSLContext) -> bytes:
        result.attempts += 1
        return _connect(result.endpoint, family, address, timeout, context)

    result.leaf = connect(_comparing_context())
    kind = _other_kind(result.leaf, leaf) if result.leaf != leaf else None
    if kind:
        try:
            result.leaf = connect(_requesting(kind, _comparing_context()))
        except Problem:
            pass  # it has none of this kind: what it serves to everybody counts
    if result.leaf == leaf and anchors:
        result.leaf = connect(_requesting(kind, anchored_context(anchors)))
    confirmations = 0
    while result.leaf == leaf and confirmations < _CONFIRMATIONS and may_confirm():
        result.leaf = connect(_requesting(kind, _comparing_context()))
        confirmations += 1
    if result.leaf != leaf:
        raise Problem(f"{address[0]} serves {_describe(result.leaf)}")


def _comparing_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _other_kind(seen: bytes, leaf: bytes) -> str | None:
    """The kind of the desired leaf's key, where the one that was seen is of another: a service can hold one of each."""
    try:
        kinds = [read_certificate(der).key_kind for der in (seen, leaf)]
    except Malformed:
        return None
    return kinds[1] if kinds[0] != kinds[1] else None


def _requesting(kind: str | None, context: ssl.SSLContext) -> ssl.SSLContext:
    """Let a context accept this kind of key alone; the ssl module can say so up to TLS 1.2."""
    if kind:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(_CIPHERS[kind])
    return context


def _connect(endpoint: Endpoint, family: int, address: t.Any, timeout: float, context: ssl.SSLContext) -> bytes:
    """One handshake; returns the leaf that was served, as DER."""
    where = f"{address[0]} port {endpoint.port}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            plain = Plain(connection, timeout)
            plain.use_what_is_left()
            connection.connect(address)
            if endpoint.proxy_protocol:
                plain.send(proxy_header(endpoint.proxy_protocol, connection.getsockname(), address))
            if endpoint.starttls:
                start_tls(endpoint.starttls, plain, endpoint.server_name)
            leaf = _handshake(plain, context, endpoint.server_name)
    except ssl.SSLCertVerificationError as exc:
        raise Problem(
            f"{where} serves the certificate, but a client that trusts only the root refuses it: {exc.verify_message}"
        ) from exc
    except ssl.SSLError as exc:
        raise Problem(f"{where} fails the TLS handshake: {exc.reason or exc}") from exc
    except socket.timeout as exc:
        raise Problem(f"{where} did not answer within {timeout:.1f} s") from exc
    except OSError as exc:
        problem = NotListening if exc.errno in _NOT_LISTENING else Problem
        raise problem(f"{where}: {exc.strerror or exc}") from exc
    if not leaf:
        raise Problem(f"{where} serves no certificate")
    return leaf


def _handshake(plain: Plain, context: ssl.SSLContext, server_name: str) -> bytes | None:
    """The leaf that a handshake shows; also where the server then requires a certificate of ours, and ends it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=server_name)
    received = bytearray()
    try:
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.send(outgoing.read())
                data = plain.receive()
                received += data[: max(0, _MAX_HANDSHAKE - len(received))]
                if data:
                    incoming.write(data)
                else:
                    incoming.write_eof()
        plain.send(outgoing.read())
    except ssl.SSLCertVerificationError:
        raise
    except OSError:  # of which SSLError is one; what the server showed has been verified by then
        leaf = leaf_before_client_certificate(bytes(received))
        if leaf is None:
            raise
        return leaf
    return client.getpeercert(binary_form=True)


def leaf_before_client_certificate(received: bytes) -> bytes | None:
    """The leaf in what a TLS 1.2 server sent in the clear, where it requested a certificate of the client; else None.

    Source: RFC 5246, sections 6.2.1 (records) and 7.4 (handshake messages).
    """
    messages = bytearray()
    position = 0
    while len(received) - position >= 5 and received[position] == 22:  # records of type handshake
        size = int.from_bytes(received[position + 3 : position + 5], "big")
        messages += received[position + 5 : position + 5 + size]
        position += 5 + size
    leaf: bytes | None = None
    position = 0
    while len(messages) - position >= 4:
        kind, size = messages[position], int.from_bytes(messages[position + 1 : position + 4], "big")
        body = bytes(messages[position + 4 : position + 4 + size])
        position += 4 + size
        if kind == 11 and len(body) >= 6:  # certificate: the length of all, the length of the first, the first
            leaf = body[6 : 6 + int.from_bytes(body[3:6], "big")]
        elif kind == 13:  # certificate_request
            return leaf or None
    return None


def _describe(leaf: bytes) -> str:
    try:
        certificate = read_certificate(leaf)
    except Malformed:
        return f"a certificate that cannot be read (SHA-256 {hashlib.sha256(leaf).hexdigest()})"
    return f"the certificate of '{certificate.subject}' with serial {certificate.serial_number}"


def _serial_number(leaf: bytes) -> str | None:
    try:
        return read_certificate(leaf).serial_number
    except Malformed:
        return None
