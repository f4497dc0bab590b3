# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small TLS server serves what the files say, and changes on SIGHUP only."""

from __future__ import annotations

import datetime
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from cryptography import x509
from sandbox import authority

SCRIPT = Path(authority.__file__).with_name("tls_server.py")


class Files:
    """A certificate and key on disk, renewed on demand."""

    def __init__(self, folder: Path) -> None:
        self.ca = authority.Authority(folder / "ca")
        self.certificate, self.key = folder / "fullchain.pem", folder / "privkey.pem"

    def renew(self, kind: str = "ecdsa") -> int:
        key = authority.new_key(kind)
        now = datetime.datetime.now(datetime.timezone.utc)
        serial, hour = x509.random_serial_number(), datetime.timedelta(hours=1)
        leaf = self.ca.issue(key.public_key(), ["localhost", "127.0.0.1", "::1"], serial, now - hour, now + hour)
        self.certificate.write_text("".join(map(authority.pem, [leaf, *self.ca.chain(leaf)])), encoding="ascii")
        self.key.write_text(authority.key_pem(key), encoding="ascii")
        return serial

    def arguments(self) -> list[str]:
        return ["--certificate", str(self.certificate), "--key", str(self.key)]


def served(files: Files, port: int, host: str = "127.0.0.1", name: str | None = "localhost") -> int:
    """The serial number of the certificate a verifying handshake meets."""
    context = ssl.create_default_context(cafile=str(files.ca.ca_file))
    context.check_hostname = name is not None
    with (
        socket.create_connection((host, port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=name) as tls,
    ):
        return x509.load_der_x509_certificate(tls.getpeercert(True) or b"").serial_number


def wait_until(condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def serve(tmp_path: Path, files: Files) -> t.Iterator[t.Callable[..., tuple[subprocess.Popen[bytes], int]]]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(*more: str) -> tuple[subprocess.Popen[bytes], int]:
        pid_file = tmp_path / "server.pid"
        command = [sys.executable, str(SCRIPT), "serve", *files.arguments(), "--pid-file", str(pid_file), *more]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        processes.append(process)
        wait_until(pid_file.exists)
        return process, int(pid_file.read_text(encoding="ascii").split()[1])

    yield start
    for process in processes:
        process.terminate()
        process.communicate(timeout=15)


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_reload(files: Files, serve: t.Any, tmp_path: Path, kind: str) -> None:
    old = files.renew(kind)
    _process, port = serve()
    assert {served(files, port), served(files, port, "::1"), served(files, port, name=None)} == {old}
    new = files.renew(kind)
    assert served(files, port) == old
    subprocess.run([sys.executable, str(SCRIPT), "reload", "--pid-file", str(tmp_path / "server.pid")], check=True)
    wait_until(lambda: served(files, port) == new)
    assert served(files, port, "::1") == new


def test_slow_reload_goes_on_with_the_old_certificate(files: Files, serve: t.Any) -> None:
    old = files.renew()
    process, port = serve("--reload-delay", "3.0")
    new = files.renew()
    begin = time.monotonic()
    os.kill(process.pid, signal.SIGHUP)
    assert served(files, port) == old
    wait_until(lambda: served(files, port) == new)
    assert time.monotonic() - begin >= 3.0


def test_files_that_cannot_be_used_change_nothing(files: Files, serve: t.Any) -> None:
    old = files.renew()
    process, port = serve()
    files.key.write_text(authority.key_pem(authority.new_key()), encoding="ascii")
    check = [sys.executable, str(SCRIPT), "check", *files.arguments()]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 1
    os.kill(process.pid, signal.SIGHUP)
    assert b"cannot be used" in process.stderr.readline()
    assert served(files, port) == old
    new = files.renew()
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    os.kill(process.pid, signal.SIGHUP)
    wait_until(lambda: served(files, port) == new)


def test_pages(files: Files, serve: t.Any, tmp_path: Path) -> None:
    files.renew()
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "index.html").write_text("hello", encoding="ascii")
    _process, port = serve("--folder", str(tmp_path / "web"))
    context = ssl.create_default_context(cafile=str(files.ca.ca_file))

    def get(path: str) -> bytes:
        plain = socket.create_connection(("127.0.0.1", port), timeout=5)
        with plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            received = b""
            while part := tls.recv(65536):
                received += part
            return received

    assert get("/").endswith(b"hello") and get("/").startswith(b"HTTP/1.1 200")
    assert get("/../privkey.pem").startswith(b"HTTP/1.1 404")
