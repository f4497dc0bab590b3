# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetching one file from one address as a CA does: pinned, bounded, unverified, every hop seen. Standard library only.

It never follows a redirect by itself. Source: docs/providers/dcv/rules-and-diagnosis.md, sections 4 and 6.

Private to this collection.
"""

from __future__ import annotations

import collections
import contextlib
import email.message
import errno
import http.client
import io
import socket
import ssl
from dataclasses import dataclass, field

from .._common.names import show_host
from .network import AddressMap, Deadline, DeadlinePassed, family

PORTS = {"http": 80, "https": 443}
#: Seconds for a connection, and for all that follows on it.
FETCH_TIMEOUT = 5.0
#: Times that an address may leave a request unanswered before it is not asked again in this look.
MAX_SILENCES = 2
#: Octets of a body that a CA reads.
MAX_BODY = 5000
_MAX_HEAD = 32_768
_MAX_RAW = _MAX_HEAD + 4 * MAX_BODY
NEUTRAL_AGENT = "Mozilla/5.0 (compatible; certops.issuance dcv_diagnose)"

_NO_ROUTE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class FetchError(Exception):
    """No answer from a web server. `kind`: closed, timeout, no_route or broken."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Page:
    """What a web server answered. `body` is cut; `complete` says whether all of it is there."""

    status: int
    body: bytes
    complete: bool = True
    headers: email.message.Message = field(default_factory=email.message.Message, compare=False, repr=False)

    def header(self, name: str) -> str:
        """A header, or the empty text."""
        return str(self.headers.get(name) or "")


class Fetcher:
    """Fetches from addresses, each within the deadline."""

    def __init__(self, address_map: AddressMap, deadline: Deadline, timeout: float = FETCH_TIMEOUT) -> None:
        self._map = address_map
        self._deadline = deadline
        self._timeout = timeout
        self._silences: collections.Counter[tuple[str, str]] = collections.Counter()

    def connect(self, address: str, scheme: str) -> None:
        """Open a connection and close it again.

        Raises:
            FetchError: nobody answers there.
            DeadlinePassed: the time for the whole look is over.
        """
        with contextlib.closing(self._open(address, scheme)):
            pass

    def fetch(self, address: str, scheme: str, host: str, path: str, agent: str = NEUTRAL_AGENT) -> Page:
        """One page, asked for at one address under one host name.

        Raises:
            FetchError: no answer, or none that is HTTP.
            DeadlinePassed: the time for the whole look is over.
        """
        request = (
            f"GET {path} HTTP/1.1\r\nHost: {show_host(host)}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n"
            "Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
        )
        limit = Deadline(self._deadline.remaining(self._timeout))
        channel = self._open(address, scheme)
        try:
            if scheme == "https":
                channel = _unverified(channel, host, limit.remaining())
            channel.settimeout(limit.remaining())
            channel.sendall(request.encode("ascii"))
            return _parse(_read(channel, limit))
        except (socket.timeout, DeadlinePassed) as exc:
            self._deadline.remaining()
            self._silences[address, scheme] += 1
            raise FetchError("timeout", f"{address} accepts connections by {scheme}, but does not answer") from exc
        except OSError as exc:
            raise FetchError("broken", f"{address} breaks the connection by {scheme}: {exc}") from exc
        except (http.client.HTTPException, ValueError) as exc:
            raise FetchError("broken", f"{address} answers by {scheme} what is no HTTP") from exc
        finally:
            channel.close()

    def _open(self, address: str, scheme: str) -> socket.socket:
        endpoint = self._map.destination(address, PORTS[scheme])
        if self._silences[address, scheme] >= MAX_SILENCES:
            raise FetchError("timeout", f"{address} does not answer at port {PORTS[scheme]}")
        channel = socket.socket(family(endpoint[0]), socket.SOCK_STREAM)
        try:
            channel.settimeout(self._deadline.remaining(self._timeout))
            channel.connect(endpoint)
        except socket.timeout as exc:
            channel.close()
            self._deadline.remaining()
            self._silences[address, scheme] += 1
            raise FetchError("timeout", f"{address} does not answer at port {PORTS[scheme]}") from exc
        except OSError as exc:
            channel.close()
            kind = "no_route" if exc.errno in _NO_ROUTE and ":" in endpoint[0] else "closed"
            raise FetchError(kind, f"{address} refuses connections at port {PORTS[scheme]}") from exc
        return channel


def _unverified(channel: socket.socket, host: str, timeout: float) -> socket.socket:
    """TLS without a look at the certificate, as CAs fetch evidence."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    channel.settimeout(timeout)
    return context.wrap_socket(channel, server_hostname=host)


def _read(channel: socket.socket, limit: Deadline) -> bytes:
    """What the server sends, until it closes, has sent all that it announced, or sends too much."""
    raw = b""
    while len(raw) < _MAX_RAW and not _is_complete(raw):
        channel.settimeout(limit.remaining())
        part = channel.recv(16_384)
        if not part:
            break
        raw += part
    return raw


def _is_complete(raw: bytes) -> bool:
    head, end, body = raw.partition(b"\r\n\r\n")
    if not end:
        return len(raw) > _MAX_HEAD
    for line in head.lower().split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.strip() == b"content-length" and value.strip().isdigit():
            return len(body) >= min(int(value), MAX_BODY + 1)
    return b"transfer-encoding: chunked" in head.lower() and body.endswith(b"0\r\n\r\n")


class _Received:
    """What was received, in the shape in which the standard library parses it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_args: object, **_options: object) -> io.BytesIO:
        """The bytes as a file."""
        return io.BytesIO(self._raw)


def _parse(raw: bytes) -> Page:
    response = http.client.HTTPResponse(_Received(raw))  # type: ignore[arg-type]
    response.begin()
    complete = True
    try:
        body = response.read(MAX_BODY + 1)
    except http.client.IncompleteRead as exc:
        body, complete = exc.partial, False
    announced = response.headers.get("Content-Length") or ""
    if announced.isdigit() and len(body) < min(int(announced), MAX_BODY + 1):
        complete = False
    return Page(response.status, body, complete, response.headers)
