# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""STARTTLS: what each protocol says before the TLS handshake.

Services are not trusted: whatever they answer is read within bounds of size, and all of it within one time.
"""

from __future__ import annotations

import re
import socket
import struct
import time
import typing as t

from .x509 import DerReader, Malformed

_MAX_LINE = 4096
_MAX_LINES = 100
_MAX_ANSWER = 16384  # bytes of all lines of an answer, and of what an XMPP server offers
_MAX_PACKET = 4096  # bytes of an answer of LDAP and MySQL

_SSL_REQUEST = struct.pack("!II", 8, 80877103)  # PostgreSQL manual, "Message Formats"

_LDAP_START_TLS = b"1.3.6.1.4.1.1466.20037"  # RFC 4511, section 4.14.1
_LDAP_SEQUENCE, _LDAP_INTEGER, _LDAP_ENUMERATED, _LDAP_EXTENDED_RESPONSE = 0x30, 0x02, 0x0A, 0x78

_MYSQL_PROTOCOL = 10
_MYSQL_ERROR = 0xFF
_MYSQL_LONG_PASSWORD, _MYSQL_PROTOCOL_41, _MYSQL_SSL, _MYSQL_SECURE_CONNECTION = 0x1, 0x200, 0x800, 0x8000
_MYSQL_UTF8 = 33

_XMPP_STREAM = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='{0}' version='1.0'>"
)
_XMPP_TLS = b"urn:ietf:params:xml:ns:xmpp-tls"
_XML_TAG = re.compile(rb"<(/?)(?:[^\s<>/:]+:)?([^\s<>/:]+)")  # the prefix of a namespace may be any
_XMPP_STARTTLS = re.compile(rb"<(?:[^\s<>/:]+:)?starttls[\s/>]")

_SIEVE_LITERAL = re.compile(rb"\{(\d{1,9})\+?\}\r?\n\Z")  # RFC 5804, section 1.2
_SIEVE_VERDICT = re.compile(rb"(?:OK|NO|BYE)[ \r\n]", re.IGNORECASE)
_FTP_CODE = re.compile(rb"[0-9]{3}[- \r\n]")


class Problem(Exception):
    """Why a service does not serve what it should, in one clause."""


class Plain:
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

    def receive(self) -> bytes:
        """What has come; nothing when the service has closed the connection."""
        self.use_what_is_left()
        return self._connection.recv(16384)

    def byte(self) -> bytes:
        """The next byte."""
        self.use_what_is_left()
        received = self._connection.recv(1)
        if not received:
            raise Problem("STARTTLS: the service closed the connection")
        return received

    def exactly(self, size: int) -> bytes:
        """So many bytes, and none of those that follow."""
        return b"".join(self.byte() for _count in range(size))

    def line(self) -> bytes:
        """One line, or as much of it as a line may have."""
        return self.until(b"\n")

    def until(self, *ends: bytes, at_most: int = _MAX_LINE) -> bytes:
        """All up to one of the ends, or as much as it may be; byte by byte: what follows may belong to TLS."""
        received = bytearray()
        while not received.endswith(ends) and len(received) < at_most:
            received += self.byte()
        return bytes(received)


def start_tls(protocol: str, plain: Plain, server_name: str) -> None:
    """Bring the service to the point where the TLS handshake begins.

    Arguments:
        protocol: one of PROTOCOLS.
        plain: the connection.
        server_name: the name that is requested, where the protocol wants to know it.

    Raises:
        Problem: it refuses, or answers something else.
        OSError: the connection fails, or the time is over.
    """
    _DIALOGS[protocol](plain, server_name)


def _smtp(plain: Plain, _name: str) -> None:
    """Source: RFC 3207."""
    _mail(plain, b"EHLO")


def _lmtp(plain: Plain, _name: str) -> None:
    """Source: RFC 2033."""
    _mail(plain, b"LHLO")


def _mail(plain: Plain, greeting: bytes) -> None:
    _expect(_mail_reply(plain), b"220")
    plain.send(greeting + b" localhost\r\n")
    _expect(_mail_reply(plain), b"250")
    plain.send(b"STARTTLS\r\n")
    _expect(_mail_reply(plain), b"220")


def _mail_reply(plain: Plain) -> bytes:
    """The last line of a reply; the lines before it have a hyphen after the code (RFC 5321, section 4.2.1)."""
    return _last_line(plain, lambda line: line[3:4] != b"-")


def _imap(plain: Plain, _name: str) -> None:
    """Source: RFC 9051, section 6.2.1."""
    _expect(plain.line(), b"* OK")
    plain.send(b"a1 STARTTLS\r\n")
    _expect(_last_line(plain, lambda line: line.startswith(b"a1 ")), b"a1 OK")


def _pop3(plain: Plain, _name: str) -> None:
    """Source: RFC 2595, section 4."""
    _expect(plain.line(), b"+OK")
    plain.send(b"STLS\r\n")
    _expect(plain.line(), b"+OK")


def _sieve(plain: Plain, _name: str) -> None:
    """Source: RFC 5804, sections 1.7 and 2.2: the server lists what it can before it says OK."""
    _expect(_sieve_verdict(plain), b"OK")
    plain.send(b"STARTTLS\r\n")
    _expect(_sieve_verdict(plain), b"OK")


def _sieve_verdict(plain: Plain) -> bytes:
    return _last_line(plain, lambda line: bool(_SIEVE_VERDICT.match(line)), lambda: _sieve_line(plain))


def _sieve_line(plain: Plain) -> bytes:
    """One line with its literals: after ``{5}`` at the end of a line, five bytes and the rest of it follow."""
    line = rest = plain.line()
    while True:
        literal = _SIEVE_LITERAL.search(rest)
        if literal is None:
            return line
        size = int(literal[1])
        if len(line) + size > _MAX_ANSWER:
            raise Problem(f"STARTTLS: the service answered with a text of {size} bytes, where a few are expected")
        line += plain.exactly(size)
        rest = plain.line()
        line += rest


def _ftp(plain: Plain, _name: str) -> None:
    """Source: RFC 4217, section 4."""
    _expect(_ftp_reply(plain), b"220")
    plain.send(b"AUTH TLS\r\n")
    _expect(_ftp_reply(plain), b"234")


def _ftp_reply(plain: Plain) -> bytes:
    """The last line of the first reply that is no preliminary one, as 120 is (RFC 959, section 4.2).

    A reply of several lines ends with the code that it began with and a space; other codes in it are text.
    """
    opened = b""

    def is_last(line: bytes) -> bool:
        nonlocal opened
        if opened and not line.startswith(opened + b" "):
            return False
        if not opened and not _FTP_CODE.match(line):
            return False
        opened = line[:3] if line[3:4] == b"-" else b""
        return not opened and not line.startswith(b"1")

    return _last_line(plain, is_last)


def _postgres(plain: Plain, _name: str) -> None:
    plain.send(_SSL_REQUEST)
    _expect(plain.byte(), b"S")


def _ldap(plain: Plain, _name: str) -> None:
    """Source: RFC 4511, sections 4.12 and 4.14."""
    request = b"\x02\x01\x01\x77" + bytes((len(_LDAP_START_TLS) + 2, 0x80, len(_LDAP_START_TLS))) + _LDAP_START_TLS
    plain.send(bytes((_LDAP_SEQUENCE, len(request))) + request)
    head = plain.exactly(2)
    if head[0] != _LDAP_SEQUENCE:
        raise Problem(f"STARTTLS: this is no LDAP: the service answered {head!r}")
    size, length = head[1], b""
    if size >= 0x80:
        length = plain.exactly(min(size & 0x7F, 4))
        size = int.from_bytes(length, "big")
    if size > _MAX_PACKET:
        raise Problem(f"STARTTLS: the service answered with {size} bytes, where a few are expected")
    answer = plain.exactly(size)
    try:
        message = DerReader(answer)
        message.take(_LDAP_INTEGER)
        code = int.from_bytes(DerReader(message.take(_LDAP_EXTENDED_RESPONSE)).take(_LDAP_ENUMERATED), "big")
    except (IndexError, Malformed) as exc:
        raise Problem(f"STARTTLS: the service answered what is no LDAP: {answer[:100]!r}") from exc
    if code:
        raise Problem(f"STARTTLS: the service refused with LDAP result code {code}")


def _mysql(plain: Plain, _name: str) -> None:
    """Source: MySQL internals, "Connection Phase": the server speaks first; the request is cut off before the user."""
    head = plain.exactly(4)
    size = int.from_bytes(head[:3], "little")
    if not 0 < size <= _MAX_PACKET:
        raise Problem(f"STARTTLS: this is no MySQL: the service answered {head!r}")
    greeting = plain.exactly(size)
    if greeting[0] == _MYSQL_ERROR:
        raise Problem(f"STARTTLS: the service refused: {greeting[3:203].decode('utf-8', 'replace')!r}")
    _version, found, rest = greeting[1:].partition(b"\0")
    if greeting[0] != _MYSQL_PROTOCOL or not found or len(rest) < 15:
        raise Problem(f"STARTTLS: the service greets with what is no MySQL: {greeting[:100]!r}")
    if not int.from_bytes(rest[13:15], "little") & _MYSQL_SSL:  # after thread, data for a password, and a zero
        raise Problem("STARTTLS: the service does not offer TLS")
    can = _MYSQL_LONG_PASSWORD | _MYSQL_PROTOCOL_41 | _MYSQL_SSL | _MYSQL_SECURE_CONNECTION
    request = struct.pack("<IIB23x", can, 1 << 24, _MYSQL_UTF8)
    plain.send(len(request).to_bytes(3, "little") + bytes((head[3] + 1 & 0xFF,)) + request)


def _xmpp(plain: Plain, name: str) -> None:
    """Source: RFC 6120, section 5.4."""
    plain.send(_XMPP_STREAM.format(name).encode("ascii"))
    offered = _xmpp_features(plain)
    if _XMPP_TLS not in offered or not _XMPP_STARTTLS.search(offered):
        raise Problem(f"STARTTLS: the service does not offer it: {_shown(offered[-200:])!r}")
    plain.send(b"<starttls xmlns='" + _XMPP_TLS + b"'/>")
    if not _expect_tag(plain, b"<proceed").endswith(b"/>"):
        _expect_tag(plain, b"</proceed")


def _xmpp_features(plain: Plain) -> bytes:
    """All up to the end of what the server offers, or up to the error that it sends instead."""
    received = b""
    while len(received) < _MAX_ANSWER:
        received += plain.until(b">", at_most=_MAX_ANSWER - len(received))
        tag = received[max(received.rfind(b"<"), 0) :]
        found = _XML_TAG.match(tag)
        if found and found[2] in (b"features", b"error", b"stream") and (found[1] or tag.endswith(b"/>")):
            break
    return received


def _expect_tag(plain: Plain, start: bytes) -> bytes:
    """Read a tag that begins so, whatever the prefix of its namespace is."""
    tag = plain.until(b">").lstrip()
    found = _XML_TAG.match(tag)
    if found is None or b"<" + found[1] + found[2] != start:
        raise _unexpected(start, tag)
    return tag


_DIALOGS: dict[str, t.Callable[[Plain, str], None]] = {
    "smtp": _smtp,
    "lmtp": _lmtp,
    "imap": _imap,
    "pop3": _pop3,
    "sieve": _sieve,
    "ldap": _ldap,
    "ftp": _ftp,
    "xmpp": _xmpp,
    "mysql": _mysql,
    "postgres": _postgres,
}
PROTOCOLS = tuple(_DIALOGS)


def _expect(answer: bytes, start: bytes) -> None:
    if not answer.upper().startswith(start.upper()):
        raise _unexpected(start, answer)


def _unexpected(start: bytes, answer: bytes) -> Problem:
    expected = start.decode("ascii")
    return Problem(f"STARTTLS: expected '{expected}', the service answered {_shown(answer[:200])!r}")


def _shown(answer: bytes) -> str:
    return answer.decode("ascii", "replace").strip()


def _last_line(
    plain: Plain, is_last: t.Callable[[bytes], bool], read_line: t.Callable[[], bytes] | None = None
) -> bytes:
    size = 0
    for _count in range(_MAX_LINES):
        line = (read_line or plain.line)()
        size += len(line)
        if is_last(line):
            return line
        if size > _MAX_ANSWER:
            break
    raise Problem(f"STARTTLS: the service answered with more than {_MAX_LINES} lines, or {_MAX_ANSWER} bytes")
