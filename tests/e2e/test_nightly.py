# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A nightly play: due, requested, published, seen, issued, served by nginx, withdrawn; and killed on the way."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import typing as t
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from ansible_runs import Run
from fleet import Fleet, Killed
from test_role_dcv import World
from test_role_renewal import DAY, DUE, NAME, pending, reissues, writes

METHODS = {"digicert": "dns-txt", "gogetssl": "dns-cname", "sectigo": "dns-cname"}
NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
#: When a night is killed before the CA issues: so many requests have been answered, or this task has begun.
BEFORE: list[int | str] = [
    *range(1, 6),
    "Publish what the CA wants to see",
    "Ask what to publish",
    "Find out what this host publishes",
    "Publish or withdraw each value",
    "Wait until the CA can see it",
    "Go on only where it can be seen",
    "Wait for all orders of this account",
]
#: When it is killed after the CA has issued.
AFTER: list[int | str] = [
    "Take the order of this host",
    "Put the certificate into service",
    "Find out what this host withdraws",
    "Withdraw the evidence",
    "Take from the journal",
    "Set the facts of this run",
]
_KILLS = itertools.product(BEFORE + AFTER, sorted(METHODS))
#: `make test-all` takes every tenth of them, `make test-kill` all.
KILLS = [pytest.param(*kill, marks=[pytest.mark.kill] * bool(number % 10)) for number, kill in enumerate(_KILLS)]
_TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


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

    def __init__(self, fleet: Fleet, provider: str, *hosts: str, webroot: bool = False) -> None:
        self.fleet, self.provider, self.sandbox = fleet, provider, fleet.sandbox
        self.world = World(fleet)
        fields: dict[str, t.Any] = {}
        if len(hosts) > 1:
            # Where all certificates have one key, the new one is known by the day that it begins on.
            self.sandbox.date_certificates_by_clock()
            self.sandbox.set_clock(self.sandbox.now() - 3600.0)
            fields["age"] = 31 * DAY
        self.method = "http" if webroot else METHODS[provider]
        self.order = fleet.order(provider, NAME, "issued", dcv="look", dcv_method=self.method, **fields)
        self.hosts = hosts or ("web0",)
        self.services: list[Service] = []
        self.webroot: Path | None = None
        given: dict[str, t.Any] = {"names": [NAME]}
        if webroot:
            self.webroot = fleet.folder / "webroot"
            self.webroot.mkdir()
            self.sandbox.webroot(NAME, self.webroot)
            given["dcv_webroot"] = str(self.webroot)
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

        self.fleet.until(ready)
        self.sandbox.advance(3600.0)

    def run(self, *arguments: str, due: bool = True, **options: t.Any) -> Run:
        """One night; the certificate in service is due."""
        given = {"renewal": "auto", "dcv_method": self.method, **options.pop("variables", {})}
        if due:
            given["renewal_remaining"] = DUE
        prefixed = {f"certificate_{name}": value for name, value in given.items()}
        tasks = "dcv_update.yml" if self.webroot is None else None
        return self.world.run(*arguments, play="renewal.yml", tasks=tasks, **options, **prefixed)

    def killed(self, moment: int | str, issued: bool) -> None:
        """A night of which each process is killed at this moment, where ``issued`` one after issuance.

        Arguments:
            moment: a number of requests that were answered, or a task that has begun.
        """

        def reached() -> bool:
            if isinstance(moment, int):
                return bool(self.sandbox.summary()["requests"] >= moment)
            return self.fleet.begun(moment)

        with pytest.raises(Killed):
            self.run(meanwhile=self.fleet.kill_when(reached, self.issue if issued else None))

    def pass_day(self) -> None:
        """Let what the ledger of the controller holds be of the day before."""
        for file in (self.fleet.folder / "tmp").rglob("*.ledger"):
            lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
            for line in lines:
                line["time"] = (datetime.strptime(line["time"], _TIME) - timedelta(days=1)).strftime(_TIME)
            file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def assert_finished(self, run: Run) -> None:
        """One reissue in all, for nothing; its certificate is served; nothing of ours is left, all of others is."""
        assert run.failed == {}, run.output
        assert (run.code, reissues(self.fleet)) == (0, 1), run.output
        assert len(self.served()) == 1 and self.served() != self.before
        serial = self.open_order["serial_number"]
        assert {self.fleet.serial(name) for name in self.hosts} == {serial}
        if self.webroot:
            assert [path for path in self.webroot.rglob("*") if path.is_file()] == []
        else:
            evidence = self.world.evidence(self.open_order)
            assert evidence["value"] not in self.sandbox.records(evidence["where"], evidence["kind"]), run.output
        assert self.world.untouched()
        assert self.world.journal() == []
        assert not any(pending(self.fleet, name).exists() for name in self.hosts)

    def assert_resting(self) -> None:
        """A night in which nothing is due changes nothing, and asks nothing."""
        self.sandbox.clear_requests()
        run = self.run(due=False)
        assert (run.failed, run.changed) == ({}, []), run.output
        assert self.sandbox.summary()["requests"] == 0


@pytest.fixture
def nights(fleet: Fleet) -> t.Iterator[t.Callable[..., Nights]]:
    """Makes the nights of one test; their services end with it."""
    made: list[Nights] = []

    def make(provider: str, *hosts: str, **options: bool) -> Nights:
        made.append(Nights(fleet, provider, *hosts, **options))
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
    every.assert_resting()


@pytest.mark.slow
def test_the_unique_value_that_sectigo_chooses_is_published(fleet: Fleet, nights: t.Callable[..., Nights]) -> None:
    fleet.sandbox.patch_account("sectigo", features={"own_unique_value": True})
    every = nights("sectigo")
    every.assert_resting()
    every.assert_finished(every.run(meanwhile=every.issue))
    assert writes(every.fleet) == 1
    every.assert_resting()


@pytest.mark.slow
class TestKilled:
    """The night after one that was killed finishes what it began, with one request in all."""

    @pytest.mark.parametrize(("moment", "provider"), KILLS)
    def test_a_single_host(self, moment: int | str, provider: str, nights: t.Callable[..., Nights]) -> None:
        self.kill_and_finish(nights(provider), moment, issued=moment in AFTER)

    @pytest.mark.kill
    @pytest.mark.parametrize("moment", ["Publish or withdraw each value", "Put the certificate into service"])
    def test_hosts_that_share_a_key(self, moment: str, nights: t.Callable[..., Nights]) -> None:
        self.kill_and_finish(nights("digicert", "web0", "web1"), moment, issued=moment in AFTER)

    @pytest.mark.kill
    @pytest.mark.parametrize(("moment", "issued"), [("Write a file", False), ("Remove a file", True)])
    def test_evidence_in_a_web_root(self, moment: str, issued: bool, nights: t.Callable[..., Nights]) -> None:
        self.kill_and_finish(nights("gogetssl", webroot=True), moment, issued)

    @staticmethod
    def kill_and_finish(every: Nights, moment: int | str, issued: bool) -> None:
        """A night that is killed, the next one, and one in which nothing is left to do."""
        every.killed(moment, issued)
        every.pass_day()
        # Once the new certificate is in service, none is due: the rule of these tests calls any certificate due.
        due = every.served() == every.before
        every.assert_finished(every.run(meanwhile=None if issued else every.issue, due=due))
        assert writes(every.fleet) == 1
        every.assert_resting()


@pytest.mark.slow
def test_hosts_that_share_a_key_share_the_night(nights: t.Callable[..., Nights]) -> None:
    every = nights("digicert", "web0", "web1")
    every.assert_finished(every.run(meanwhile=every.issue))
    assert writes(every.fleet) == 1
    assert every.run(due=False).changed == []


@pytest.mark.slow
def test_check_mode_publishes_and_requests_nothing(nights: t.Callable[..., Nights]) -> None:
    every = nights("sectigo")
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
