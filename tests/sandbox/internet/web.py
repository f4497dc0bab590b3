# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Web servers of the small Internet: scripted pages by address, scheme, host and path, on loopback."""

from __future__ import annotations

import dataclasses
import datetime
import http.server
import ssl
import tempfile
import threading
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PORTS = {"http": 80, "https": 443}


@dataclasses.dataclass
class Page:
    """What a web server says to one request. `agents`: what clients get whose user agent holds the word."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    agents: dict[str, Page] = dataclasses.field(default_factory=dict)

    def for_agent(self, agent: str) -> Page:
        """The page that this client gets."""
        return next((page for word, page in self.agents.items() if word in agent), self)


NOT_FOUND = Page(b"<html><body>Not Found</body></html>", 404, {"Content-Type": "text/html"})


class Web:
    """Scripted pages and the servers that show them. An address without pages refuses connections.

    `modes`: (address, scheme) to closed or silent. `addresses`: those that names may have, with pages or without.
    """

    def __init__(self) -> None:
        self.pages: dict[tuple[str, str, str, str], Page] = {}
        self.modes: dict[tuple[str, str], str] = {}
        self.addresses: set[str] = set()
        #: Host to the folder whose files it shows by http where there is no scripted page.
        self.roots: dict[str, Path] = {}
        self.requests: list[tuple[str, str, str, str]] = []
        self._servers: dict[tuple[str, str], http.server.ThreadingHTTPServer] = {}
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def __enter__(self) -> Web:
        return self

    def __exit__(self, *_exc: object) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    def clear(self) -> None:
        """Forget all pages; the servers stay."""
        with self._lock:
            self.pages.clear()
            self.modes.clear()
            self.roots.clear()
            self.requests.clear()

    def put(self, addresses: t.Iterable[str], url: str, page: Page) -> None:
        """Show a page at all these addresses."""
        scheme, _sep, rest = url.partition("://")
        host, _slash, path = rest.partition("/")
        for address in addresses:
            self.pages[address, scheme, host, "/" + path] = page

    def listens(self, address: str, scheme: str) -> bool:
        """Whether a server is there and answers."""
        mode = self.modes.get((address, scheme))
        return mode is None and any(key[:2] == (address, scheme) for key in self.pages)

    def page(self, address: str, scheme: str, host: str, path: str, agent: str = "") -> Page | None:
        """What a client gets; None where nobody answers."""
        if not self.listens(address, scheme):
            return None
        page = self.pages.get((address, scheme, host, path)) or self._file(scheme, host, path) or NOT_FOUND
        return page.for_agent(agent)

    def _file(self, scheme: str, host: str, path: str) -> Page | None:
        """A file below the root of a host."""
        root = self.roots.get(host)
        if root is None or scheme != "http" or ".." in path.split("/"):
            return None
        file = root / path.lstrip("/")
        return Page(file.read_bytes()) if file.is_file() else None

    def address_map(self) -> dict[str, str]:
        """Where each address is on this machine."""
        addresses = self.addresses | {key[0] for key in self.pages} | {key[0] for key in self.modes}
        mapping = {}
        for address in sorted(addresses):
            for scheme, port in PORTS.items():
                shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                mapping[shown] = f"127.0.0.1:{self._port(address, scheme)}"
        return mapping

    def _port(self, address: str, scheme: str) -> int:
        mode = self.modes.get((address, scheme))
        if mode != "silent" and not self.listens(address, scheme):
            return 1
        if (address, scheme) not in self._servers:
            self._servers[address, scheme] = self._start(address, scheme)
        return int(self._servers[address, scheme].server_address[1])

    def _start(self, address: str, scheme: str) -> http.server.ThreadingHTTPServer:
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:
                web.show(self, address, scheme)

            def log_message(self, *_args: object) -> None:
                """Print nothing."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if scheme == "https":
            if self._context is None:
                self._context = _self_signed()
            server.socket = self._context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def show(self, handler: http.server.BaseHTTPRequestHandler, address: str, scheme: str) -> None:
        """Answer one request."""
        host = (handler.headers.get("Host") or "").partition(":")[0]
        with self._lock:
            self.requests.append((address, scheme, host, handler.path))
        if self.modes.get((address, scheme)) == "silent":
            threading.Event().wait(30)
            return
        page = self.page(address, scheme, host, handler.path, handler.headers.get("User-Agent") or "") or NOT_FOUND
        handler.send_response(page.status)
        for name, value in page.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(page.body)))
        handler.end_headers()
        handler.wfile.write(page.body)


def _self_signed() -> ssl.SSLContext:
    """A TLS server with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "self-signed.invalid")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2049, 1, 1))
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(path)
    return context
