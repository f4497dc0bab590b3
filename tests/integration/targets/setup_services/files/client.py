# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of a TLS service, independent of the collection's probes.

It trusts nothing but the root it is given, checks the server's name, and has a few words with the service: a handshake
counts when the service has answered inside TLS. ``once`` connects once. ``load`` connects all the time, over several
connections side by side, until the file STOP appears, and then a few times more. Both print as JSON what they saw.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import pathlib
import socket
import ssl
import sys
import threading
import time

#: Seconds for one connection.
_TIMEOUT = 15.0
_THREADS = 3
#: Connections of each thread before the client calls itself ready, and after it was stopped.
_BEFORE, _AFTER = 10, 20
#: Seconds between two connections of a thread: it shares the processors with the service.
_PAUSE = 0.005
#: Seconds after which a load ends, though nobody stopped it.
_TIMEOUT = 240.0

#: The dialogue before TLS: what to send, and how the last line of the answer begins.
_BEFORE_TLS = {
    "imap": [(b"", b"* OK"), (b"a STARTTLS\r\n", b"a OK")],
    "smtp": [(b"", b"220 "), (b"EHLO client.test\r\n", b"250 "), (b"STARTTLS\r\n", b"220 ")],
}
#: The same inside TLS. A web server answers a request with any status.
_IN_TLS = {
    "http": [(b"GET / HTTP/1.0\r\n\r\n", b"HTTP/1.")],
    "imap": [(b"b CAPABILITY\r\n", b"b OK"), (b"c LOGOUT\r\n", b"c OK")],
    "smtp": [(b"EHLO client.test\r\n", b"250 "), (b"QUIT\r\n", b"221 ")],
}


class Unexpected(Exception):
    """The service answered with something else."""


def talk(connection: socket.socket, lines: list[tuple[bytes, bytes]]) -> None:
    """Say each line, and read until its answer has come. Byte by byte: what follows may belong to TLS."""
    for sent, wanted in lines:
        connection.sendall(sent)
        answer = b""
        while not answer.startswith(wanted):
            answer = b""
            while not answer.endswith(b"\n"):
                byte = connection.recv(1)
                if not byte:
                    raise Unexpected(f"after {sent!r} it closed the connection; its last line: {answer!r}")
                answer += byte
            if answer[:1] in b"45" or answer[2:4] in (b"NO", b"BA"):
                raise Unexpected(f"to {sent!r} it answered {answer!r}")


def ask_postgres_for_tls(connection: socket.socket) -> None:
    """PostgreSQL's own STARTTLS: an SSLRequest, answered with one byte."""
    connection.sendall(bytes.fromhex("0000000804d2162f"))
    answer = connection.recv(1)
    if answer != b"S":
        raise Unexpected(f"to SSLRequest it answered {answer!r}")


def start_postgres(connection: socket.socket) -> None:
    """A StartupMessage for a user that need not exist: the answer is about authentication, or an error."""
    body = bytes.fromhex("00030000") + b"user\0nobody\0\0"
    connection.sendall((len(body) + 4).to_bytes(4, "big") + body)
    answer = connection.recv(1)
    if answer not in (b"R", b"E"):
        raise Unexpected(f"to StartupMessage it answered {answer!r}")


def connect(port: int, name: str, protocol: str, context: ssl.SSLContext) -> str:
    """Have a short conversation; returns the SHA-256 of the service's leaf."""
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as plain:
        if protocol == "postgres":
            ask_postgres_for_tls(plain)
        else:
            talk(plain, _BEFORE_TLS.get(protocol, []))
        with context.wrap_socket(plain, server_hostname=name) as secured:
            leaf = secured.getpeercert(binary_form=True)
            if protocol == "postgres":
                start_postgres(secured)
            else:
                talk(secured, _IN_TLS[protocol])
    return hashlib.sha256(leaf or b"").digest().hex(":").upper()


class Load:
    """Threads that connect all the time."""

    def __init__(self, options: argparse.Namespace, context: ssl.SSLContext) -> None:
        self._options, self._context = options, context
        self._lock = threading.Lock()
        self._deadline = time.monotonic() + _TIMEOUT
        self._wait = threading.Event().wait
        self.seen: collections.Counter[str] = collections.Counter()
        self.failures: list[str] = []
        self.last: dict[str, str] = {}
        self._ready: set[str] = set()

    def run(self) -> None:
        """Connect until stopped."""
        threads = [threading.Thread(target=self._connect_on_and_on) for _index in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _connect_on_and_on(self) -> None:
        me, stop = threading.current_thread().name, pathlib.Path(self._options.stop)
        count, left = 0, _AFTER
        while left and time.monotonic() < self._deadline:
            if stop.exists():
                left -= 1
            self._connect_once(me)
            count += 1
            if count == _BEFORE:
                self._say_ready(me)
            self._wait(_PAUSE)

    def _connect_once(self, me: str) -> None:
        options = self._options
        try:
            leaf = connect(options.port, options.name, options.protocol, self._context)
        except (OSError, Unexpected) as exc:  # ssl.SSLError is an OSError
            with self._lock:
                self.failures.append(f"{type(exc).__name__}: {exc}")
            return
        with self._lock:
            self.seen[leaf] += 1
            self.last[me] = leaf

    def _say_ready(self, me: str) -> None:
        with self._lock:
            self._ready.add(me)
            if len(self._ready) == _THREADS:
                pathlib.Path(self._options.ready).touch()


def main() -> int:
    """Connect as asked."""
    parser = argparse.ArgumentParser(description="A client of a TLS service.")
    parser.add_argument("how", choices=("once", "load"))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--protocol", choices=("http", "imap", "smtp", "postgres"), default="http")
    parser.add_argument("--root", help="trust this root; without it nothing is verified")
    parser.add_argument("--stop")
    parser.add_argument("--ready")
    options = parser.parse_args()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if options.root:
        context.load_verify_locations(options.root)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    if options.how == "once":
        leaf = connect(options.port, options.name, options.protocol, context)
        print(json.dumps({"fingerprint_sha256": leaf}))
        return 0
    load = Load(options, context)
    load.run()
    report = {
        "handshakes": sum(load.seen.values()),
        "failed": len(load.failures),
        "failures": load.failures[:10],
        "seen": load.seen,
        "last": sorted(set(load.last.values())),
    }
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
