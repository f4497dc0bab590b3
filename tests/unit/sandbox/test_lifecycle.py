# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping: nothing is left behind, and wrong TLS is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import requests
from sandbox.client import Sandbox, SandboxError

FOLDER = Path(__file__).resolve().parents[2] / "sandbox"


def wait_for(condition: t.Callable[[], t.Any], seconds: float = 15.0) -> t.Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def start(tmp_path: Path, *more: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, str(FOLDER), *more], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_on_signals_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    process = start(tmp_path, "--ready-file", str(tmp_path / "ready.json"))
    wait_for((tmp_path / "ready.json").exists)
    ready = json.loads((tmp_path / "ready.json").read_text(encoding="utf-8"))
    assert ready["pid"] == process.pid and (tmp_path / "ready.json").stat().st_mode & 0o777 == 0o600
    process.send_signal(number)
    out, err = process.communicate(timeout=15)
    assert (process.returncode, out, err) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_stops_with_an_open_connection(tmp_path: Path) -> None:
    process = start(tmp_path, "--ready-file", str(tmp_path / "ready.json"))
    wait_for((tmp_path / "ready.json").exists)
    sandbox = Sandbox.attach(tmp_path / "ready.json")
    sandbox.fault("hang")
    session = requests.Session()
    session.trust_env = False
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(sandbox.base_urls["digicert"] + "/order/certificate", verify=sandbox.ca_file, timeout=(10, 0.3))
    process.terminate()
    assert process.wait(15) == 0
    process.communicate()


def test_ends_with_its_parent(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    code = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, {str(FOLDER)!r}, "--ready-file", {str(ready)!r}, "--parent-pid", str(os.getpid())])
while not os.path.exists({str(ready)!r}): time.sleep(0.02)
"""
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, check=True, timeout=30)
    wait_for(lambda: not list(tmp_path.iterdir()))


def test_a_kept_state_keeps_the_authority(tmp_path: Path) -> None:
    roots = []
    for _round in range(2):
        with Sandbox.start(state_dir=tmp_path / "state") as sandbox:
            roots.append(Path(sandbox.ca_file).read_text(encoding="ascii"))
    assert roots[0] == roots[1]
    assert (tmp_path / "state" / "ca" / "root.key").stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with Sandbox.start() as sandbox:
        port = int(sandbox.url.rsplit(":", 1)[1])
        with pytest.raises(SandboxError, match=f"port {port} is in use"), Sandbox.start(port=port):
            pass


@pytest.fixture
def by_hand(tmp_path: Path) -> t.Iterator[str]:
    """What a sandbox that is started by hand prints; it answers meanwhile."""
    process = start(tmp_path)
    assert process.stdout is not None
    lines: list[str] = []

    def complete() -> bool:
        assert process.stdout is not None
        lines.append(process.stdout.readline().decode())
        return "provider=sectigo" in lines[-1]

    try:
        wait_for(complete)
        yield "".join(lines)
    finally:
        process.terminate()
        process.communicate(timeout=15)


def test_start_by_hand_prints_commands(by_hand: str) -> None:
    text = by_hand
    for provider in ("cpanel", "digicert", "gogetssl", "sectigo"):
        assert f"ansible localhost -m certops.issuance.order_info -a 'provider={provider} api_url=https://" in text
    assert "CA file:" in text and "order_ids=" in text


@pytest.mark.skipif(
    not Path(sys.executable).with_name("ansible").exists(), reason="ansible-test's environments have no ansible"
)
def test_a_printed_command_works_in_any_shell(by_hand: str, tmp_path: Path) -> None:
    (command,) = [line for line in by_hand.splitlines() if "provider=digicert" in line]
    bare = {"HOME": str(tmp_path), "PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["sh", "-c", command], cwd="/", env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"provider_status": "issued"' in done.stdout


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "[::1]"])
def test_every_loopback_name_is_served(sandbox: t.Any, address: str) -> None:
    session = requests.Session()
    session.trust_env = False
    port = sandbox.url.rsplit(":", 1)[1]
    assert session.get(f"https://{address}:{port}/_sandbox/", verify=sandbox.ca_file, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("kind", "words"),
    [("expired", "expired"), ("wrong_host", "not valid for|doesn't match"), ("untrusted", "local issuer")],
)
def test_bad_tls(sandbox: t.Any, kind: str, words: str) -> None:
    session = requests.Session()
    session.trust_env = False
    with pytest.raises(requests.exceptions.SSLError, match=words):
        session.get(sandbox.bad_tls[kind] + "/_sandbox/", verify=sandbox.ca_file, timeout=5)
