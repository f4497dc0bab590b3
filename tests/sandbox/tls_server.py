# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny HTTPS server for the demo and tests: what nginx does with a certificate, without nginx.

    tls_server.py serve --certificate fullchain.pem --key privkey.pem --port 8443 --pid-file server.pid
    tls_server.py check --certificate fullchain.pem --key privkey.pem     # like nginx -t
    tls_server.py reload --pid-file server.pid                            # like nginx -s reload

SIGHUP reads the files again; files that cannot be used leave the old certificate in service and say so. SIGTERM and
SIGINT end it. Standard library only.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import mimetypes
import os
import signal
import socket
import ssl
import sys
import typing as t
import urllib.parse
from pathlib import Path

LOOPBACK = (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6))
PAGE = b"<!DOCTYPE html><html><body><p>This server proves which certificate it serves.</p></body></html>\n"


def load(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server context from both files. Raises ``OSError`` (``ssl.SSLError`` is one) when they cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Without tickets every connection makes a whole handshake and sees the certificate in service.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    context.load_cert_chain(certificate, key, password=_no_password)
    return context


def _no_password() -> str:
    raise ssl.SSLError("the private key is encrypted")


class TLSServer:
    """Serves one certificate on both loopback addresses; ``reload`` swaps it between two connections."""

    def __init__(self, certificate: Path, key: Path, folder: Path | None = None, reload_delay: float = 0.0) -> None:
        self._files = (certificate, key)
        self._folder = folder.resolve() if folder else None
        self._reload_delay = reload_delay
        self._context = load(*self._files)
        self._listening = load(*self._files)
        self._listening.sni_callback = self._choose  # called for each connection, with or without SNI
        self._servers: list[asyncio.Server] = []
        self.port = 0

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._context

    async def start(self, port: int = 0) -> None:
        """Listen. Raises ``OSError`` when the port is taken; with port 0 one is chosen that is free on both."""
        for attempt in range(20):
            try:
                for address, family in LOOPBACK:
                    if family == socket.AF_INET6 and not _has_ipv6():
                        continue
                    listener = socket.create_server((address, port or self.port), family=family, backlog=512)
                    self.port = listener.getsockname()[1]
                    server = await asyncio.start_server(self._answer, sock=listener, ssl=self._listening)
                    self._servers.append(server)
                return
            except OSError:
                await self.stop()
                self.port = 0
                if port or attempt == 19:
                    raise

    async def stop(self) -> None:
        """Stop listening and end all connections."""
        for server in self._servers:
            server.close()
        self._servers = []

    async def reload(self) -> None:
        """Read the files again, after the delay during which a slow server goes on with the old certificate."""
        await asyncio.sleep(self._reload_delay)
        try:
            self._context = load(*self._files)
        except OSError as exc:
            print(f"tls_server: the new certificate cannot be used, going on with the old one: {exc}", file=sys.stderr)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            method, target = (head.split(b"\r\n")[0].decode("latin-1").split(" ") + ["", ""])[:2]
            status, media, body = self._page(target) if method in ("GET", "HEAD") else ("405", "text/plain", b"")
            lines = [
                f"HTTP/1.1 {status} ",
                f"Content-Type: {media}",
                f"Content-Length: {len(body)}",
                "Connection: close",
            ]
            writer.write("\r\n".join([*lines, "", ""]).encode() + (body if method == "GET" else b""))
            await writer.drain()
        writer.close()

    def _page(self, target: str) -> tuple[str, str, bytes]:
        if self._folder is None:
            return "200", "text/html", PAGE
        path = (self._folder / urllib.parse.unquote(target.split("?")[0]).lstrip("/")).resolve()
        if path.is_dir():
            path = path / "index.html"
        if not path.is_relative_to(self._folder) or not path.is_file():
            return "404", "text/plain", b"not found\n"
        return "200", mimetypes.guess_type(path.name)[0] or "application/octet-stream", path.read_bytes()


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return True
    return False


async def _serve(options: argparse.Namespace) -> int:
    server = TLSServer(options.certificate, options.key, options.folder, options.reload_delay)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.create_task(server.reload())
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    loop.add_signal_handler(signal.SIGHUP, reload)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start(options.port)
    parent = os.getppid()
    try:
        if options.pid_file:
            partial = options.pid_file.with_name(f".{options.pid_file.name}.{os.getpid()}")
            partial.write_text(f"{os.getpid()} {server.port}\n", encoding="ascii")
            os.replace(partial, options.pid_file)
        print(f"serving on https://127.0.0.1:{server.port}", flush=True)
        while not stop.is_set() and not (options.with_parent and os.getppid() != parent):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stop.wait(), 0.25 if options.with_parent else None)
    finally:
        if options.pid_file:
            options.pid_file.unlink(missing_ok=True)
        await server.stop()
    return 0


def _check(options: argparse.Namespace) -> int:
    load(options.certificate, options.key)
    print("certificate and key can be used")
    return 0


def _reload(options: argparse.Namespace) -> int:
    os.kill(int(options.pid_file.read_text(encoding="ascii").split()[0]), signal.SIGHUP)
    return 0


def main(arguments: t.Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="A tiny HTTPS server on loopback.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("serve", "check"):
        command = commands.add_parser(name)
        command.add_argument("--certificate", type=Path, required=True, help="PEM file, leaf first")
        command.add_argument("--key", type=Path, required=True, help="PEM file")
    serve = commands.choices["serve"]
    serve.add_argument("--port", type=int, default=0)
    serve.add_argument("--pid-file", type=Path, help="receives process id and port")
    serve.add_argument("--folder", type=Path, help="serve these files (default: one page)")
    serve.add_argument("--reload-delay", type=float, default=0.0, help="seconds the old certificate stays after SIGHUP")
    serve.add_argument("--with-parent", action="store_true", help="end when the process that started it has ended")
    commands.add_parser("reload").add_argument("--pid-file", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        if options.command == "serve":
            return asyncio.run(_serve(options))
        return _check(options) if options.command == "check" else _reload(options)
    except OSError as exc:
        print(f"tls_server: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
