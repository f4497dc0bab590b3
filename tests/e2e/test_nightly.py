# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A nightly play: due, requested, published, seen, issued, served by nginx, withdrawn."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import signal
import socket
import ssl
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_runs import Run
from fleet import Fleet
from test_role_dcv import World
from test_role_renewal import DUE, NAME, pending, reissues, wait_until, writes

METHODS = {"digicert": "dns-txt", "gogetssl": "dns-cname"}
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")


class Service:
    """What serves the lineage of a host: nginx where it is there, else the files alone."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._folder = folder
        self._config = folder / "nginx.conf"
        current = folder / "certificate/current"
        paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
        self._config.write_text(
            f"pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {folder}/body; {paths}\n"
            f"server {{ listen 127.0.0.1:{self.port} ssl; server_name {NAME};\n"
            f"ssl_certificate {current}/fullchain.pem; ssl_certificate_key {current}/privkey.pem; return 204; }} }}\n",
            encoding="utf-8",
        )

    def command(self, *words: str) -> str:
        """A command line of nginx with the configuration of this service."""
        return " ".join([str(NGINX), "-e", f"{self._folder}/error.log", "-c", str(self._config), *words])

    def start(self) -> dict[str, t.Any]:
        """Serve; the variables of the role for it."""
        if not NGINX:
            return {"reload_commands": ["true"]}
        subprocess.run(self.command().split(), check=True, capture_output=True)
        return {
            "validate_commands": [self.command("-t")],
            "reload_commands": [self.command("-s", "reload")],
            "probes": [{"host": "127.0.0.1", "port": self.port, "server_name": NAME}],
        }

    def stop(self) -> None:
        """Serve no more."""
        with contextlib.suppress(FileNotFoundError):
            os.kill(int((self._folder / "nginx.pid").read_text(encoding="utf-8")), signal.SIGTERM)

    def served(self) -> str:
        """The fingerprint of what is served: over TLS, or of the file where there is no nginx."""
        if NGINX:
            pem = ssl.get_server_certificate(("127.0.0.1", self.port))
        else:
            pem = (self._folder / "certificate/current/fullchain.pem").read_text(encoding="utf-8")
            end = "-----END CERTIFICATE-----"
            pem = pem[: pem.index(end) + len(end)]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.strip() + "\n")).hexdigest()


class Nights:
    """The hosts of one order with a certificate in service, and the nights in which it is renewed."""

    def __init__(self, fleet: Fleet, provider: str, *hosts: str) -> None:
        self.fleet, self.provider, self.sandbox = fleet, provider, fleet.sandbox
        self.world = World(fleet)
        self.order = fleet.order(provider, NAME, "issued", dcv="look", dcv_method=METHODS[provider])
        self.hosts = hosts or ("web0",)
        self.services: list[Service] = []
        given: dict[str, t.Any] = {"names": [NAME]}
        if len(self.hosts) > 1:
            given["private_key_path"] = None
            given["private_key_content"] = Path(self.order["key"]).read_text(encoding="utf-8")
        for name in self.hosts:
            fleet.host(name, self.order, **given)
        fleet.assert_all_served(fleet.run())
        for name in self.hosts:
            service = Service(fleet.folder / "hosts" / name)
            self.services.append(service)
            fleet.host(name, self.order, **given, **service.start())
        self.before = self.served()
        fleet.sandbox.clear_requests()

    def served(self) -> set[str]:
        """Fingerprints of what the hosts serve."""
        return {service.served() for service in self.services}

    @property
    def open_order(self) -> dict[str, t.Any]:
        """The order, as the sandbox has it."""
        order = self.sandbox.get_order(self.provider, self.order["order_id"])
        following = order["replaced_by"]
        return dict(self.sandbox.get_order(self.provider, following) if following else order, provider=self.provider)

    def issue(self) -> None:
        """For ``meanwhile``: let time pass once the CA has seen the evidence of the reissue."""

        def ready() -> bool:
            if not reissues(self.fleet):
                return False
            return all(one["validated"] for one in self.open_order["domains"])

        wait_until(ready)
        self.sandbox.advance(3600.0)

    def run(self, *arguments: str, due: bool = True, **options: t.Any) -> Run:
        """One night; the certificate in service is due."""
        given = {"renewal": "auto", "dcv_method": METHODS[self.provider], **options.pop("variables", {})}
        if due:
            given["renewal_remaining"] = DUE
        prefixed = {f"certificate_{name}": value for name, value in given.items()}
        return self.world.run(*arguments, play="renewal.yml", **options, **prefixed)

    def assert_finished(self, run: Run) -> None:
        """One reissue in all, for nothing; its certificate is served; nothing of ours is left, all of others is."""
        assert run.failed == {}, run.output
        assert (run.code, reissues(self.fleet)) == (0, 1), run.output
        assert len(self.served()) == 1 and self.served() != self.before
        serial = self.open_order["serial_number"]
        assert {self.fleet.serial(name) for name in self.hosts} == {serial}
        evidence = self.world.evidence(self.open_order)
        assert evidence["value"] not in self.sandbox.records(evidence["where"], evidence["kind"]), run.output
        assert self.world.untouched()
        assert self.world.journal() == []
        assert not any(pending(self.fleet, name).exists() for name in self.hosts)


@pytest.fixture
def nights(fleet: Fleet) -> t.Iterator[t.Callable[..., Nights]]:
    """Makes the nights of one test; their services end with it."""
    made: list[Nights] = []

    def make(provider: str, *hosts: str) -> Nights:
        made.append(Nights(fleet, provider, *hosts))
        return made[-1]

    yield make
    for service in itertools.chain.from_iterable(one.services for one in made):
        service.stop()


@pytest.mark.slow
@pytest.mark.parametrize("provider", sorted(METHODS))
def test_a_night_renews_and_the_next_asks_nothing(provider: str, nights: t.Callable[..., Nights]) -> None:
    every = nights(provider)
    run = every.run(meanwhile=every.issue)
    every.assert_finished(run)
    assert f"{NAME}: the CA can see the evidence" in run.output
    assert writes(every.fleet) == 1
    every.sandbox.clear_requests()
    next_night = every.run(due=False)
    assert (next_night.failed, next_night.changed) == ({}, []), next_night.output
    assert every.sandbox.summary()["requests"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("provider", sorted(METHODS))
def test_check_mode_publishes_and_requests_nothing(provider: str, nights: t.Callable[..., Nights]) -> None:
    every = nights(provider)
    run = every.run("--check", "-vvv")
    assert run.failed == {}, run.output
    assert (reissues(every.fleet), writes(every.fleet), every.world.writes()) == (0, 0, [])
    assert every.world.untouched()
    assert run.hosts("Publish or withdraw each value") == []
    assert (every.served(), pending(every.fleet).exists()) == (every.before, False)


@pytest.mark.slow
def test_the_key_is_in_no_output_of_a_night(nights: t.Callable[..., Nights]) -> None:
    every = nights("digicert")
    keys: list[str] = []

    def issue() -> None:
        every.issue()
        keys.append((pending(every.fleet) / "privkey.pem").read_text(encoding="utf-8"))

    # Secrets of the account are looked for by each run.
    run = every.run("-vvv", "--diff", meanwhile=issue)
    every.assert_finished(run)
    (key,) = keys
    for line in key.splitlines()[1:-1]:
        assert line not in run.output
