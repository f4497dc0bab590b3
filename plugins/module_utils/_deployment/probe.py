# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probe: real TLS handshakes with a running service, direct or after STARTTLS."""

from __future__ import annotations

import errno
import hashlib
import socket
import ssl
import struct
import time
import typing as t
from dataclasses import dataclass

from .rehearsal import anchored_context
from .x509 import ECDSA, RSA, Malformed, read_certificate

_MAX_ATTEMPT = 5.0  # seconds for one connection: a worker that hangs must not use up the deadline
_MIN_ATTEMPT = 2.0  # seconds that even an attempt at the deadline gets
_MIN_PAUSE = 0.1
_MAX_PAUSE = 1.0
_MAX_LINE = 4096
_MAX_LINES = 100
_CIPHERS = {RSA: "aRSA", ECDSA: "aECDSA"}  # ciphers(1) of OpenSSL
_SSL_REQUEST = struct.pack("!II", 8, 80877103)  # PostgreSQL manual, "Message Formats"
_NOT_LISTENING = (errno.ECONNREFUSED, errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EAFNOSUPPORT)


class Problem(Exception):
    """Why a service does not serve what it should, in one clause."""


class NotListening(Problem):
    """Nothing accepts connections at an address."""


@dataclass(frozen=True)
class Endpoint:
    """A service to probe.

    Arguments:
        host: name or address; every address of it that accepts connections has to serve the certificate.
        port: TCP port.
        server_name: sent as SNI and, in the verifying handshake, expected in the certificate.
        starttls: ``smtp``, ``imap``, ``pop3``, ``postgres``, or None for TLS from the first byte.
    """

    host: str
    port: int
    server_name: str
    starttls: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        how = f"{self.server_name}, STARTTLS for {self.starttls}" if self.starttls else self.server_name
        return f"{host}:{self.port} ({how})"


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
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> ProbeResult:
    """Connect until the service serves the leaf at every address that listens, or the deadline passes.

    While a service reloads, old workers may answer for a while: an old certificate is no verdict before the deadline.

    Arguments:
        endpoint: the service.
        leaf: the desired leaf as DER.
        anchors: certificates, as DER, that alone are trusted in a verifying handshake; none: the leaf is only compared.
        timeout: seconds until the deadline; 0 looks once.
        clock: monotonic seconds.
        sleep: waits for the seconds given.
    """
    result = ProbeResult(endpoint)
    served: set[t.Any] = set()
    deadline = clock() + timeout
    pause = _MIN_PAUSE
    while True:
        result.problem = _look(result, leaf, anchors, served, deadline, clock)
        result.served = result.problem is None
        left = deadline - clock()
        if result.served or left <= 0:
            return result
        sleep(min(pause, left))
        pause = min(pause * 2, _MAX_PAUSE)


def _look(
    result: ProbeResult,
    leaf: bytes,
    anchors: t.Sequence[bytes],
    served: set[t.Any],
    deadline: float,
    clock: t.Callable[[], float],
) -> str | None:
    """Connect once to each address that has not served the leaf yet; returns the first problem."""
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
        timeout = max(min(_MAX_ATTEMPT, deadline - clock()), _MIN_ATTEMPT)
        try:
            result.attempts += 1
            result.leaf = _connect(endpoint, family, address, timeout, _comparing_context())
            kind = _other_kind(result.leaf, leaf) if result.leaf != leaf else None
            if kind:
                result.attempts += 1
                result.leaf = _connect_for(kind, endpoint, family, address, timeout) or result.leaf
            if result.leaf == leaf and anchors:
                result.attempts += 1
                context = _requesting(kind, anchored_context(anchors))
                result.leaf = _connect(endpoint, family, address, timeout, context)
            if result.leaf != leaf:
                raise Problem(f"{address[0]} serves {_describe(result.leaf)}")
            served.add(address)
        except NotListening as exc:
            silent = str(exc)
        except Problem as exc:
            problem = problem or str(exc)
    return problem or (None if served else silent)


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


def _connect_for(kind: str, endpoint: Endpoint, family: int, address: t.Any, timeout: float) -> bytes | None:
    """The leaf that a client gets which knows this kind of key alone; None when it gets none."""
    try:
        return _connect(endpoint, family, address, timeout, _requesting(kind, _comparing_context()))
    except Problem:
        return None


def _connect(endpoint: Endpoint, family: int, address: t.Any, timeout: float, context: ssl.SSLContext) -> bytes:
    """One handshake; returns the leaf that was served, as DER."""
    where = f"{address[0]} port {endpoint.port}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            plain = _Plain(connection, timeout)
            plain.use_what_is_left()
            connection.connect(address)
            if endpoint.starttls:
                _STARTTLS[endpoint.starttls](plain)
            plain.use_what_is_left()
            with context.wrap_socket(connection, server_hostname=endpoint.server_name) as secured:
                leaf = secured.getpeercert(binary_form=True)
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


class _Plain:
    """A connection before TLS; all of the exchange has to fit into one time, however slowly the service answers.

    Arguments:
        connection: the socket.
        timeout: seconds for the whole attempt, from now on.
    """

    def __init__(self, connection: socket.socket, timeout: float) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + timeout

    def use_what_is_left(self) -> None:
        """Let the next call on the socket take no longer than the attempt may still take.

        Raises:
            socket.timeout: nothing is left.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        self._connection.settimeout(left)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.use_what_is_left()
        self._connection.sendall(data)

    def byte(self) -> bytes:
        """The next byte."""
        self.use_what_is_left()
        received = self._connection.recv(1)
        if not received:
            raise Problem("STARTTLS: the service closed the connection")
        return received


def _smtp(plain: _Plain) -> None:
    _expect(_smtp_reply(plain), b"220")
    plain.send(b"EHLO localhost\r\n")
    _expect(_smtp_reply(plain), b"250")
    plain.send(b"STARTTLS\r\n")
    _expect(_smtp_reply(plain), b"220")


def _smtp_reply(plain: _Plain) -> bytes:
    """The last line of a reply; the lines before it have a hyphen after the code (RFC 5321, section 4.2.1)."""
    return _read_until(plain, lambda line: line[3:4] != b"-")


def _imap(plain: _Plain) -> None:
    _expect(_read_line(plain), b"* OK")
    plain.send(b"a1 STARTTLS\r\n")
    _expect(_read_until(plain, lambda line: line.startswith(b"a1 ")), b"a1 OK")


def _pop3(plain: _Plain) -> None:
    _expect(_read_line(plain), b"+OK")
    plain.send(b"STLS\r\n")
    _expect(_read_line(plain), b"+OK")


def _postgres(plain: _Plain) -> None:
    plain.send(_SSL_REQUEST)
    _expect(plain.byte(), b"S")


_STARTTLS: t.Mapping[str, t.Callable[[_Plain], None]] = {
    "smtp": _smtp,
    "imap": _imap,
    "pop3": _pop3,
    "postgres": _postgres,
}


def _expect(answer: bytes, start: bytes) -> None:
    if not answer.upper().startswith(start.upper()):
        raise Problem(
            "STARTTLS: expected '{0}', the service answered {1!r}".format(
                start.decode("ascii"), answer[:200].decode("ascii", "replace").strip()
            )
        )


def _read_until(plain: _Plain, is_last: t.Callable[[bytes], bool]) -> bytes:
    for _count in range(_MAX_LINES):
        line = _read_line(plain)
        if is_last(line):
            return line
    raise Problem(f"STARTTLS: the service answered with more than {_MAX_LINES} lines")


def _read_line(plain: _Plain) -> bytes:
    """One line, byte by byte: what follows it may belong to TLS."""
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < _MAX_LINE:
        line += plain.byte()
    return bytes(line)
