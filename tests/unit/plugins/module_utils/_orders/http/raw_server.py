# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server of raw sockets, which answers whatever a test wants, however wrong; and a proxy of the same make."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import typing as t
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it came. Header names in lower case.

    Arguments:
        connection: the number of the connection it came on, from 1.
        wire: the connection itself, for a handler that writes by itself.
        stopping: set when the server is to end.
        finished: all of a slow answer was sent, since the client waited for it.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int
    wire: socket.socket
    stopping: threading.Event
    finished: bool = False


#: Makes the bytes to answer; None where it has answered by itself and the connection is to be closed.
Handler = t.Callable[[Received], t.Optional[bytes]]


def reply(body: str | bytes = "{}", status: int = 200, *headers: str, length: int | None = None) -> bytes:
    """A whole answer."""
    content = body.encode("utf-8") if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Status", *headers]
    lines.append(f"Content-Length: {len(content) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


def drip(first: bytes, repeated: bytes, last: bytes, pause: float = 0.02, max_pieces: int = 150) -> Handler:
    """Bytes that come one piece at a time, for ever as far as a client knows, and are a good answer in the end."""

    def handler(received: Received) -> None:
        with contextlib.suppress(OSError):
            received.wire.sendall(first)
            for _piece in range(max_pieces):
                if received.stopping.wait(pause):
                    return
                received.wire.sendall(repeated)
            received.wire.sendall(last)
            received.finished = True

    return handler


def hang(received: Received) -> None:
    """No answer, until the client goes away or the test is stopping."""
    while not received.stopping.is_set():
        if select.select([received.wire], [], [], 0.02)[0] and not received.wire.recv(4096):
            return


def reset(received: Received) -> None:
    """End the connection the hard way."""
    received.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@dataclass
class Server:
    """Answers requests from a script of handlers or answers; the last one is used again and again.

    Used as a context: the port is open inside; after it every connection and thread has ended, and whatever had been
    sent by then is in ``received``.
    """

    script: t.Sequence[Handler | bytes]
    context: ssl.SSLContext | None = None
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Server:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.02)
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self._threads)

    @property
    def url(self) -> str:
        return "{0}://localhost:{1}".format("https" if self.context else "http", self.port)

    def _accept(self) -> None:
        with self._listening:
            while True:
                try:
                    wire, _address = self._listening.accept()
                except socket.timeout:
                    if self.stopping.is_set():
                        return
                else:
                    self.connections += 1
                    self._threads.append(threading.Thread(target=self._serve, args=(wire, self.connections)))
                    self._threads[-1].start()

    def _serve(self, wire: socket.socket, number: int) -> None:
        wire.settimeout(0.02)

        def close() -> None:
            wire.close()  # the one of that moment: TLS wraps it

        # A client that goes away, or does not trust us, is what many tests are about.
        with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
            opened.callback(close)
            if self.context is not None:
                wire.settimeout(10)
                wire = self.context.wrap_socket(wire, server_side=True)
                wire.settimeout(0.02)
            while True:
                found = self._read(wire, number)
                if found is None:
                    return
                with self._lock:
                    self.received.append(found)
                    step = self.script[min(len(self.received), len(self.script)) - 1]
                wire.settimeout(10)
                answer = step(found) if callable(step) else step
                if answer is None:
                    return
                wire.sendall(answer)
                wire.settimeout(0.02)

    def _read(self, wire: socket.socket, number: int) -> Received | None:
        head, separator, body = b"", b"", b""
        while not separator:
            more = self._receive(wire)
            if not more:
                return None
            if more[:1] == b"\x16":
                # TLS is spoken to a server that knows none.
                wire.sendall(reply("", 400))
                return None
            head, separator, body = (head + more).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ")
        headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            more = self._receive(wire)
            if not more:
                return None
            body += more
        return Received(method, target, headers, body, number, wire, self.stopping)

    def _receive(self, wire: socket.socket) -> bytes:
        """What has come; nothing once the client has gone, or the test is stopping and nothing is there."""
        while True:
            try:
                return wire.recv(65536)
            except socket.timeout:
                if self.stopping.is_set():
                    return b""


def tunnel(received: Received) -> None:
    """What a proxy does with CONNECT: open the way, and pass bytes on in both directions until one side ends."""
    host, _colon, port = received.target.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=10) as upstream:
        received.wire.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        ends = {received.wire: upstream, upstream: received.wire}
        while not received.stopping.is_set():
            for ready in select.select(list(ends), [], [], 0.02)[0]:
                content = ready.recv(65536)
                if not content:
                    return
                ends[ready].sendall(content)


@dataclass
class Relay:
    """Passes bytes on to a server and back, and cuts each connection after so many bytes in either direction.

    Used as a context, like Server.

    Arguments:
        port: of the server.
        cuts: for each connection, after how many bytes to and from the server it is cut; None for not at all. The last
            pair is used again and again.
        hard: a cut is a reset, and not an end of the stream.
    """

    port: int
    cuts: t.Sequence[tuple[int | None, int | None]]
    hard: bool = True

    def __enter__(self) -> Relay:
        self._stopping = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.02)
        self.own_port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self._threads)

    def _accept(self) -> None:
        with self._listening:
            number = 0
            while not self._stopping.is_set():
                with contextlib.suppress(socket.timeout):
                    client, _address = self._listening.accept()
                    cut = self.cuts[min(number, len(self.cuts) - 1)]
                    number += 1
                    self._threads.append(threading.Thread(target=self._pass_on, args=(client, *cut)))
                    self._threads[-1].start()

    def _pass_on(self, client: socket.socket, to_server: int | None, to_client: int | None) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as server:
            left = {client: to_server, server: to_client}
            other = {client: server, server: client}
            while not self._stopping.is_set():
                if 0 in left.values():
                    if self.hard:
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                    return
                for ready in select.select(list(other), [], [], 0.02)[0]:
                    room = left[ready]
                    content = ready.recv(65536 if room is None else room)
                    if not content:
                        return
                    other[ready].sendall(content)
                    left[ready] = None if room is None else room - len(content)
