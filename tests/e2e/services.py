# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The services of the hosts in a guide: one TLS port for each host, and the commands that check and reload it."""

from __future__ import annotations

import json
import os
import socketserver
import ssl
import sys
import threading
import typing as t
from pathlib import Path

#: Programs that guides name; each is called with the name of the host before its own arguments.
PROGRAMS = ("systemctl", "nginx", "haproxy", "postfix")
_RELOADS = {"start", "restart", "reload"}

_PROGRAM = """#!{python} -IS
import json, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as connection:
    connection.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    code, text = json.load(connection.makefile())
print(text, file=sys.stderr)
sys.exit(code)
"""
#: Runs a command as whoever runs the guides: hosts are folders here.
_SUDO = """#!/bin/sh
while :; do
    case "$1" in
        -u|-p) shift 2 ;;
        -*) shift ;;
        *) exec "$@" ;;
    esac
done
"""


class Service:
    """Serves every lineage of one host, chosen by the name that a client asks for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._contexts: dict[str, ssl.SSLContext] = {}
        listening = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        listening.sni_callback = self._choose

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                try:
                    listening.wrap_socket(self.request, server_side=True).close()
                except OSError:  # a client that hangs up, or a name without a certificate
                    self.request.close()

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port: int = self._server.server_address[1]

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _old: ssl.SSLContext) -> int | None:
        for known in (name or "", "*." + (name or "").partition(".")[2], ""):
            if known in self._contexts:
                connection.context = self._contexts[known]
                return None
        return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def read(self) -> dict[str, ssl.SSLContext]:
        """The lineages as they are now, by the names they are for. Raises ``OSError`` for files that cannot be used."""
        found: dict[str, ssl.SSLContext] = {}
        for current in sorted(self._root.glob("etc/ssl/certops/*/current")):
            names = json.loads((current / "version.json").read_text(encoding="utf-8"))["names"]
            # Two lineages for one name are two kinds of keys for one service.
            context = next((found[name] for name in names if name in found), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            combined = current / "combined.pem"
            files = (combined, combined) if combined.exists() else (current / "fullchain.pem", current / "privkey.pem")
            context.load_cert_chain(*files)
            for name in names:
                found[name] = found[""] = context
        return found

    def reload(self) -> None:
        """Serve what ``read`` finds."""
        self._contexts = self.read()

    def stop(self) -> None:
        """Listen no more."""
        self._server.stop()


class Services:
    """The services of all hosts below ``folder``, and the programs in ``folder/bin`` that reach them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._services: dict[str, Service] = {}
        services = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                host, *words = json.loads(self.rfile.readline())
                self.wfile.write(json.dumps(services.command(host, words)).encode())

        self._control = _Server(("127.0.0.1", 0), Handler)
        programs = dict.fromkeys(PROGRAMS, _PROGRAM.format(python=sys.executable, port=self._control.server_address[1]))
        (folder / "bin").mkdir()
        for name, text in {**programs, "sudo": _SUDO}.items():
            path = folder / "bin" / name
            path.write_text(text, encoding="utf-8")
            path.chmod(0o755)

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for server in (self._control, *self._services.values()):
            server.stop()

    def root(self, host: str) -> Path:
        """The folder that stands for the file system of a host."""
        return self._folder / "hosts" / host

    def port(self, host: str) -> int:
        """The port of the service of a host, which is started when it is not there."""
        if host not in self._services:
            (self.root(host) / "etc/ssl/private").mkdir(parents=True, exist_ok=True)
            self._services[host] = Service(self.root(host))
        return self._services[host].port

    def command(self, host: str, words: t.Sequence[str]) -> tuple[int, str]:
        """What a program does: exit code and text."""
        self.port(host)
        service = self._services[host]
        try:
            service.reload() if _RELOADS & set(words) else service.read()
        except OSError as exc:
            return 1, f"{os.fspath(self.root(host))}: {exc}"
        return 0, "ok"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(address, handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
