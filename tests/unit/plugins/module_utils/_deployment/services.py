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

Speak = t.Callable[[socket.socket], bool]
_FAMILIES = {"127.0.0.1": socket.AF_INET, "::1": socket.AF_INET6}


class Service:
    """A service that answers one connection after the other.

    Arguments:
        folder: where to put the files that OpenSSL reads.
        protocol: None for TLS from the first byte, or how STARTTLS is spoken.
        behind_proxy: whether each connection has to begin with a header of the PROXY protocol.
        address: the loopback address to listen on.
        port: the port; 0 takes a free one.
    """

    def __init__(
        self,
        folder: t.Any,
        protocol: str | Speak | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        behind_proxy: bool = False,
    ):
        self._folder = folder
        self._speak = _SPEAK[protocol] if isinstance(protocol, str) else protocol
        self._behind_proxy = behind_proxy
        self.clients: list[tuple[t.Any, ...]] = []  # as the PROXY protocol names them: version, source, destination
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
                    if self._behind_proxy:
                        self.clients.append(_read_proxy_header(plain))
                    if self._speak is None or self._speak(plain):
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


def _exactly(plain: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        received = plain.recv(size - len(data))
        if not received:
            raise OSError("closed")
        data += received
    return data


def _read_proxy_header(plain: socket.socket) -> tuple[t.Any, ...]:
    """Version, source and destination that a header names; any other beginning ends the connection."""
    start = _exactly(plain, 12)
    if start == b"\r\n\r\n\0\r\nQUIT\n":
        command, family, size = struct.unpack("!BBH", _exactly(plain, 4))
        body = _exactly(plain, size)
        kind, length = {0x11: (socket.AF_INET, 4), 0x21: (socket.AF_INET6, 16)}[family]
        if command != 0x21 or len(body) != 2 * length + 4:
            raise OSError("no header")
        source, destination = body[:length], body[length : 2 * length]
        ports = struct.unpack("!HH", body[2 * length :])
        return (2, (socket.inet_ntop(kind, source), ports[0]), (socket.inet_ntop(kind, destination), ports[1]))
    line = (start + _line(plain)).decode("latin-1") if b"\n" not in start else ""
    words = line.removesuffix("\r\n").split(" ")
    if len(words) != 6 or words[:2] not in (["PROXY", "TCP4"], ["PROXY", "TCP6"]) or len(line) > 107:
        raise OSError("no header")
    if words[1] != ("TCP6" if ":" in words[2] else "TCP4"):
        raise OSError("another family")
    return (1, (words[2], int(words[4])), (words[3], int(words[5])))


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


def _lmtp(plain: socket.socket) -> bool:
    plain.sendall(b"220 mail.example.com LMTP ready\r\n")
    if not _line(plain).startswith(b"LHLO "):
        plain.sendall(b"500 what?\r\n")
        return False
    plain.sendall(b"250-mail.example.com\r\n250 STARTTLS\r\n")
    known = _line(plain) == b"STARTTLS\r\n"
    plain.sendall(b"220 go ahead\r\n")
    return known


def _sieve(plain: socket.socket) -> bool:
    plain.sendall(b'"IMPLEMENTATION" "example"\r\n"SIEVE" "fileinto"\r\n"STARTTLS"\r\nOK "ready"\r\n')
    known = _line(plain) == b"STARTTLS\r\n"
    plain.sendall(b'OK "begin TLS"\r\n')
    return known


def _ftp(plain: socket.socket) -> bool:
    plain.sendall(b"220-Welcome.\r\n 220 is not the end\r\nneither is this\r\n220 ready\r\n")
    known = _line(plain) == b"AUTH TLS\r\n"
    plain.sendall(b"234 go ahead\r\n")
    return known


def ldap_answer(code: int, long_lengths: bool = False) -> bytes:
    """An extended response; with lengths of five bytes, as some servers write them."""

    def element(tag: int, content: bytes) -> bytes:
        length = b"\x84" + struct.pack("!I", len(content)) if long_lengths else bytes((len(content),))
        return bytes((tag,)) + length + content

    result = element(0x0A, bytes((code,))) + element(0x04, b"") + element(0x04, b"")
    return element(0x30, element(0x02, b"\1") + element(0x78, result))


def _ldap(plain: socket.socket) -> bool:
    request = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
    known = _exactly(plain, len(request)) == request
    plain.sendall(ldap_answer(0 if known else 2))
    return known


def _ldap_with_long_lengths(plain: socket.socket) -> bool:
    _exactly(plain, 31)
    plain.sendall(ldap_answer(0, long_lengths=True))
    return True


def mysql_greeting(capabilities: int = 0xFFFF, protocol: int = 10) -> bytes:
    """The first packet of a MySQL server."""
    body = bytes((protocol,)) + b"11.4.0-MariaDB\0" + struct.pack("<I", 7) + b"12345678\0"
    body += struct.pack("<H", capabilities) + b"\x21\2\0\xff\x81\x15" + b"\0" * 10 + b"123456789012\0"
    return len(body).to_bytes(3, "little") + b"\0" + body


def _mysql(plain: socket.socket) -> bool:
    plain.sendall(mysql_greeting())
    head = _exactly(plain, 4)
    request = _exactly(plain, int.from_bytes(head[:3], "little"))
    return head == b"\x20\0\0\1" and bool(int.from_bytes(request[:4], "little") & 0x800) and not any(request[9:])


def _xmpp(plain: socket.socket) -> bool:
    opening = b""
    while not opening.endswith(b"version='1.0'>"):
        opening += _exactly(plain, 1)
    plain.sendall(
        b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0'><stream:features>"
        b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
    )
    known = _exactly(plain, 51) == b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
    plain.sendall(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    return known and b"to='www.example.com'" in opening


def says(*answers: bytes) -> Speak:
    """A service that says these things, one before and one after each request, and then no more."""

    def speak(plain: socket.socket) -> bool:
        for answer in answers:
            plain.sendall(answer)
            plain.recv(4096)
        return False

    return speak


def never_ends(text: bytes) -> Speak:
    """A service that says this again and again, for as long as anybody listens."""

    def speak(plain: socket.socket) -> bool:
        while True:
            plain.sendall(text * 1000)

    return speak


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


_SPEAK: dict[str, Speak] = {
    "smtp": _smtp,
    "slow smtp": _slow_smtp,
    "smtp without TLS": _smtp_without_tls,
    "imap": _imap,
    "pop3": _pop3,
    "postgres": _postgres,
    "lmtp": _lmtp,
    "sieve": _sieve,
    "ftp": _ftp,
    "ldap": _ldap,
    "ldap with long lengths": _ldap_with_long_lengths,
    "mysql": _mysql,
    "xmpp": _xmpp,
    "silent": _silent,
    "closing": _closing,
    "dripping": _dripping,
}
