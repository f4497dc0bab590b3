# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS services on loopback for the tests, direct and with STARTTLS; what they serve can be changed at any time."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
import typing as t

from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

_FAMILIES = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}


class Service:
    """A service that answers one connection after the other.

    Arguments:
        folder: where to put the files that OpenSSL reads.
        protocol: None for TLS from the first byte, or how STARTTLS is spoken.
        address: the loopback address to listen on.
        port: the port; 0 takes a free one.
    """

    def __init__(self, folder: t.Any, protocol: str | None = None, address: str = "127.0.0.1", port: int = 0):
        self._folder = folder
        self._protocol = protocol
        self._contexts: list[ssl.SSLContext] = []
        self._workers: list[ssl.SSLContext] = []
        self.connections = 0
        self.server_names: list[str | None] = []
        self._listener = socket.socket(_FAMILIES[address], socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((address, port))
        self._listener.listen(16)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def serve(self, certificate: t.Any, key_pem: str, chain: str = "", old_answers: int = 0) -> None:
        """Serve this from now on; the certificate before it still answers so many connections (overlapping workers)."""
        path = self._folder / f"service-{self.port}.pem"
        path.write_text(pki.pem(certificate) + chain + key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(path))
        context.sni_callback = lambda _connection, name, _context: self.server_names.append(name)
        self._contexts = self._contexts[-1:] * old_answers + [context]

    def serve_beside(self, certificate: t.Any, key_pem: str, chain: str = "") -> None:
        """Serve this, too: of each kind of key, a service can hold one certificate."""
        path = self._folder / f"service-{self.port}-beside.pem"
        path.write_text(pki.pem(certificate) + chain + key_pem)
        self._contexts[-1].load_cert_chain(str(path))

    def serve_in_turn(self, certificates: t.Sequence[t.Any], key_pem: str, chain: str = "") -> None:
        """Serve these one after the other, again and again, as several workers do that were not all reloaded."""
        for certificate in certificates:
            self.serve(certificate, key_pem, chain)
            self._workers.append(self._contexts[-1])

    def require_client_certificate(self, root_pem: str, version: ssl.TLSVersion) -> None:
        """Refuse clients that have no certificate of this root."""
        context = self._contexts[-1]
        context.minimum_version = context.maximum_version = version
        context.load_verify_locations(cadata=root_pem)
        context.verify_mode = ssl.CERT_REQUIRED

    def serve_file(self, path: t.Any) -> None:
        """Serve a file with certificates and key, as a service does that reloads."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(path))
        self._contexts = [context]

    def close(self) -> None:
        """Stop listening."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes up the thread, too
        except OSError:
            return  # closed before
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            plain.settimeout(5)
            if self._workers:
                context = self._workers[self.connections % len(self._workers)]
            else:
                context = self._contexts.pop(0) if len(self._contexts) > 1 else self._contexts[0]
            try:
                with plain:
                    if self._protocol is None or _SPEAK[self._protocol](plain):
                        with context.wrap_socket(plain, server_side=True) as secured:
                            secured.recv(1)
            except OSError:
                continue


def _line(plain: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        byte = plain.recv(1)
        if not byte:
            raise OSError("closed")
        line += byte
    return line


def _smtp(plain: socket.socket) -> bool:
    plain.sendall(b"220-mail.example.com\r\n220 ESMTP ready\r\n")
    while True:
        command = _line(plain).upper()
        if command.startswith(b"EHLO"):
            plain.sendall(b"250-mail.example.com\r\n250-SIZE 1000\r\n250 STARTTLS\r\n")
        elif command == b"STARTTLS\r\n":
            plain.sendall(b"220 go ahead\r\n")
            return True
        else:
            plain.sendall(b"500 what?\r\n")


def _slow_smtp(plain: socket.socket) -> bool:
    """Greets late, as a mail server does that looks its clients up first."""
    plain.settimeout(0.3)
    try:
        if plain.recv(1, socket.MSG_PEEK) == b"":
            return False  # the client has given up
    except socket.timeout:
        plain.settimeout(5)
    return _smtp(plain)


def _smtp_without_tls(plain: socket.socket) -> bool:
    plain.sendall(b"220 ESMTP ready\r\n")
    _line(plain)
    plain.sendall(b"250 mail.example.com\r\n")
    _line(plain)
    plain.sendall(b"502 not implemented\r\n")
    return False


def _imap(plain: socket.socket) -> bool:
    plain.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
    tag, command = _line(plain).split()
    plain.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK begin TLS\r\n")
    return command == b"STARTTLS"


def _pop3(plain: socket.socket) -> bool:
    plain.sendall(b"+OK ready\r\n")
    command = _line(plain)
    plain.sendall(b"+OK begin TLS\r\n")
    return command == b"STLS\r\n"


def _postgres(plain: socket.socket) -> bool:
    known = plain.recv(8) == struct.pack("!II", 8, 80877103)
    plain.sendall(b"S" if known else b"E")
    return known


def _silent(plain: socket.socket) -> bool:
    plain.recv(1)
    return False


def _dripping(plain: socket.socket) -> bool:
    for byte in b"x" * 200 + b"\n":  # each in time, all together not
        time.sleep(0.01)
        plain.sendall(bytes([byte]))
    return False


def _closing(plain: socket.socket) -> bool:
    return False


_SPEAK: dict[str, t.Callable[[socket.socket], bool]] = {
    "smtp": _smtp,
    "slow smtp": _slow_smtp,
    "smtp without TLS": _smtp_without_tls,
    "imap": _imap,
    "pop3": _pop3,
    "postgres": _postgres,
    "silent": _silent,
    "closing": _closing,
    "dripping": _dripping,
}
