# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every plugin in success and failure, and searches everything that was written for every secret.

Searched are: the screen at -vvvv (with ANSIBLE_DEBUG too), the log file, what callbacks get, the fact cache, all files
left in temporary folders and in the home folder, and the command lines of all processes while it ran.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import time
import typing as t
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_runs import Run, program, run_playbook
from sandbox.client import PROVIDERS, Sandbox

#: A command line that a test itself is to blame for must not be mistaken for a leak: secrets travel in files alone.
_SAMPLE_PAUSE = 0.02
#: Parts of a secret that are looked for by themselves: a text that was cut off may hold the half of one.
_PART = 14
#: What makes secrets hard to take out: they look otherwise in URLs, JSON, YAML and shells.
_ODD = "+/%&é\"'\\ $"

#: Options that hold credentials, and the environment variables that are not named after provider and option.
_CREDENTIALS = ("username", "api_key", "password")
_OTHER_VARIABLES = {"CPANEL_API_KEY": "CPANEL_API_TOKEN"}
_SECRET = ("api_key", "password")


@dataclass
class Secrets:
    """Values that must not be found, by a name that may be shown."""

    values: dict[str, bytes] = field(default_factory=dict)

    def add(self, name: str, secret: str, user: str = "") -> None:
        """A credential: as it is, as it looks elsewhere, and both of its halves."""
        raw = secret.encode()
        forms = {
            "": raw,
            " in a URL": urllib.parse.quote(raw, safe="").encode(),
            " in a form": urllib.parse.quote_plus(raw).encode(),
            " in JSON": json.dumps(secret)[1:-1].encode(),
            " in Python": repr(secret)[1:-1].encode(),
            " in base64": base64.b64encode(raw).rstrip(b"="),
            " begun": raw[:_PART],
            " ended": raw[-_PART:],
        }
        if user:
            # What comes before it shifts the secret inside base64: without its ends, it looks as it does in a header.
            forms[" as basic auth"] = base64.b64encode(user.encode() + b":" + raw).rstrip(b"=")[-24:-4]
        self.values.update({name + how: form for how, form in forms.items() if len(form) >= _PART})

    def add_key(self, name: str, pem: str) -> None:
        """A private key: each of its lines, and a part of each."""
        lines = [line for line in pem.splitlines() if "-----" not in line and len(line) >= 40]
        if not lines:
            raise ValueError("this is no private key")
        # The first 48 characters are the same in all keys of one kind.
        parts = {f"{name} line {number}": line[4:36].encode() for number, line in enumerate(lines) if number}
        self.values.update({f"{name} line 0": lines[0][48:].encode(), **parts})

    def found_in(self, content: bytes) -> list[str]:
        """The names of what stands in it."""
        return [name for name, form in self.values.items() if form in content]


class Commands:
    """The command lines of all processes while something runs."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Commands:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_SAMPLE_PAUSE):
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    try:
                        self.seen.add(Path("/proc", entry, "cmdline").read_bytes())
                    except OSError:  # it has ended
                        continue


class Accounts:
    """Accounts whose secrets are odd, with an order for each answer; and the search in all that a run has written."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        #: The folder of a test, which the fixture sets.
        self.place = Path()
        self.sandbox.limits("sectigo", collect_interval=0)
        self.secrets = Secrets()
        self.issued: dict[str, t.Any] = {}
        self.options: dict[str, dict[str, str]] = {}
        self.orders: dict[str, dict[str, str]] = {}
        for provider in PROVIDERS:
            self._open_account(provider)
        self.proxy = "Pr0xy" + os.urandom(12).hex() + "Word"
        self.secrets.add("proxy password", self.proxy, "proxyuser")
        self.wrong = {name: f"wr0ng-{name}-" + os.urandom(12).hex() for name in _SECRET}
        for name, value in self.wrong.items():
            self.secrets.add(f"wrong {name}", value)

    def _open_account(self, provider: str) -> None:
        first = self.sandbox.options(provider)
        wanted = {name: os.urandom(14).hex() + "x" + os.urandom(4).hex() for name in _SECRET if name in first}
        if "password" in wanted:
            wanted["password"] = wanted["password"][:30] + _ODD + wanted["password"][30:]
        account = self.sandbox.account(provider, name=f"odd-{provider}", username=first.get("username", ""), **wanted)
        self.options[provider] = account["options"]
        for name in _SECRET:
            if self.options[provider].get(name):
                self.secrets.add(f"{provider} {name}", self.options[provider][name], first.get("username", ""))
        known = [self.options[provider][name] for name in _SECRET if self.options[provider].get(name)]
        user = first.get("username", "")
        echo = " ".join(
            [*known, *(urllib.parse.quote_plus(one) for one in known), *(json.dumps(one)[1:-1] for one in known)]
            + [base64.b64encode(f"{user}:{one}".encode()).decode() for one in known]
        )
        url = "/?" + urllib.parse.urlencode({"auth_key": known[0], "password": known[-1]})
        orders = {
            "issued": self.sandbox.order(provider, ["www.example.org"], "issued", account=account["name"]),
            "pending": self.sandbox.order(provider, ["wait.example.org"], "dv", account=account["name"]),
        }
        self.secrets.add_key(f"key of {provider}", orders["issued"]["private_key"])
        faults: dict[str, dict[str, t.Any]] = {
            "refused": {"kind": "html", "status": 403, "body": f"<html>{echo}</html>"},
            "lost": {"kind": "html", "status": 404, "body": f"{'x' * 150} {echo}"},
            "page": {"kind": "html", "status": 200, "body": f"{'y' * 185}{echo}"},
            "failing": {"kind": "5xx", "message": echo},
            "moved": {"kind": "redirect", "to": "https://localhost:1" + url},
            "login": {"kind": "redirect", "to": "/login/" + url},
            "cut": {"kind": "truncated"},
            "reset": {"kind": "reset"},
        }
        for name, fault in faults.items():
            orders[name] = self.sandbox.order(provider, [f"{name}.example.org"], "issued", account=account["name"])
            self.sandbox.fault(order_id=orders[name]["order_id"], provider=provider, **fault)
        self.orders[provider] = {name: order["order_id"] for name, order in orders.items()}
        self.orders[provider]["unknown"] = "987654321"
        self.issued[provider] = orders["issued"]

    def search(self, play: t.Any, *arguments: str, files: t.Mapping[str, t.Any] | None = None, **more: t.Any) -> Run:
        """Run a play, and fail when a secret is found in anything that the run has written."""
        folder = self.place
        written = folder / "written"
        for name in ("tmp", "home", "local", "remote", "cache"):
            (written / name).mkdir(parents=True, exist_ok=True)
        for name, content in (files or {}).items():
            (folder / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        environment = {
            "ANSIBLE_ASYNC_DIR": str(written / "home/.ansible_async"),
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_HOME": str(written / "home/.ansible"),
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(written / "cache"),
            "ANSIBLE_LOCAL_TEMP": str(written / "local"),
            "ANSIBLE_LOG_PATH": str(written / "ansible.log"),
            "ANSIBLE_REMOTE_TEMP": str(written / "remote"),
            "HOME": str(written / "home"),
            "TMPDIR": str(written / "tmp"),
            "XDG_RUNTIME_DIR": str(written / "tmp"),
            **more.pop("environment", {}),
        }
        with Commands() as commands:
            run = run_playbook(play, folder, *arguments, environment=environment, **more)
        # A job in the background removes its module a moment after it has reported that it is done.
        deadline = time.monotonic() + 30
        while any((written / "remote").glob("ansible-tmp-*")) and time.monotonic() < deadline:
            time.sleep(0.1)
        # The session keys that the run was given: whoever has one is logged in.
        for account in self.sandbox.accounts():
            for number, key in enumerate(account["sessions"]):
                self.secrets.add(f"session key {number} of {account['name']}", key)
        leaks = [f"{name} on a command line" for name in self.secrets.found_in(b"\n".join(commands.seen))]
        left = sorted(path for path in written.rglob("*") if path.is_file())
        places = [folder / "output.txt", folder / "record.jsonl", *left]
        for place in places:
            content = place.read_bytes() if place.exists() else b""
            leaks += [f"{name} in {place.relative_to(folder)}" for name in self.secrets.found_in(content)]
        assert leaks == [], self._excerpt(places, leaks)
        return run

    def _excerpt(self, places: t.Sequence[Path], leaks: t.Sequence[str]) -> str:
        """Where the first leak stands. Secrets of the sandbox are worth nothing outside of it."""
        for place in places:
            for line in place.read_bytes().splitlines() if place.exists() else []:
                if leaks and self.secrets.found_in(line):
                    form = self.secrets.values[self.secrets.found_in(line)[0]]
                    at = line.find(form)
                    return f"{place.name}: …{line[max(0, at - 300) : at + 80]!r}"
        return ""

    def account(self, provider: str, source: str) -> dict[str, t.Any]:
        """The account options of a task, with credentials from one of the sources."""
        options = self.options[provider]
        given: dict[str, t.Any] = {name: value for name, value in options.items() if name not in _CREDENTIALS}
        for name in _CREDENTIALS:
            if name not in options or source == "environment":
                continue
            given[name] = {
                "variable": f"{{{{ credentials.{provider}.{name} }}}}",
                "lookup": f"{{{{ lookup('ansible.builtin.file', folder ~ '/{provider}.{name}') }}}}",
            }[source]
        return given

    def credentials(self) -> dict[str, dict[str, str]]:
        """All credentials, for a file of variables."""
        return {provider: dict(options) for provider, options in self.options.items()}

    def variables(self) -> dict[str, str]:
        """All credentials, as environment variables."""
        found = {}
        for provider, options in self.options.items():
            for name in _CREDENTIALS:
                variable = f"{provider}_{name}".upper()
                if name in options:
                    found[_OTHER_VARIABLES.get(variable, variable)] = options[name]
        return found

    def tasks(self, source: str, lookups: bool = True, brief: bool = False) -> list[dict[str, t.Any]]:
        """Every order plugin in success and failure, at each provider; ``brief`` for where a task takes long."""
        tasks: list[dict[str, t.Any]] = []
        for provider in PROVIDERS:
            account, orders = self.account(provider, source), self.orders[provider]
            for action, order, options in self.cases(provider)[: 9 if brief else None]:
                ids = {"order_id" if action == "order_certificate" else "order_ids": orders.get(order, order)}
                module = {f"certops.issuance.{action}": {**account, **ids, **options}}
                tasks.append({"name": f"{action} of {order}", **module, "ignore_errors": True})
            if lookups:
                tasks += self.lookups(provider, account, orders)
        return tasks

    def cases(self, provider: str) -> list[tuple[str, str, dict[str, t.Any]]]:
        """Actions, what order they are about, and further options; the most different ones first."""
        secret = next(name for name in _SECRET if name in self.options[provider])
        wrong = f"credentials.wrong.{secret}"
        raw, quick = {"include_raw": True}, {"timeout": 1, "request_timeout": 2}
        proxy = {"proxy": f"http://proxyuser:{self.proxy}@127.0.0.1:1"}
        return [
            ("order_info", "issued", raw),
            ("order_wait", "issued", {}),
            ("order_certificate", "issued", {}),
            ("order_certificate", "pending", {}),
            ("order_info", "unknown", raw),
            ("order_wait", "page", quick),
            ("order_info", "refused", raw),
            ("order_info", "issued", {"request_timeout": "soon", **proxy}),
            ("order_info", "issued", {secret: f"{{{{ {wrong} }}}}"}),
            ("order_info", "pending", raw),
            ("order_wait", "pending", {"timeout": 0}),
            ("order_info", "lost", raw),
            ("order_info", "moved", raw),
            ("order_info", "login", raw),
            ("order_certificate", "refused", {}),
            ("order_wait", "failing", quick),
            ("order_wait", "cut", quick),
            ("order_wait", "reset", quick),
            ("order_wait", "issued", {**proxy, **quick}),
            ("order_info", "issued", {"api_url": "https://user:{{ credentials.wrong.password }}@localhost/"}),
            ("order_info", "issued", {"api_url": "http://sandbox.invalid/"}),
            ("order_info", "issued", {"proxy": proxy["proxy"] + "\n"}),
            ("order_info", "issued", {"proxy": proxy["proxy"].partition("://")[2]}),
            ("order_info", "issued", {"id_type": "none", **proxy}),
            ("order_info", "issued", {secret: f"{{{{ {wrong} ~ '\\n' }}}}"}),
            ("order_info", "no number", proxy),
        ]

    def lookups(
        self, provider: str, account: t.Mapping[str, t.Any], orders: t.Mapping[str, str]
    ) -> list[dict[str, t.Any]]:
        """The lookup, and the tests on what it returns."""
        options = {"_" + name: value for name, value in account.items()}
        spelled = ", ".join(f"{name}=_{name}" for name in account)
        tasks: list[dict[str, t.Any]] = []
        for order in ("issued", "unknown", "refused", "moved"):
            term = f"lookup('certops.issuance.order_status', '{orders[order]}', include_raw=true, {spelled})"
            shown = {"ansible.builtin.debug": {"msg": f"{{{{ {term} }}}}"}, "vars": options}
            tasks.append({"name": f"order_status of {order}", **shown, "ignore_errors": True})
        term = f"lookup('certops.issuance.order_status', '{orders['issued']}', {spelled})"
        tests = [f"{term} is certops.issuance.{test}" for test in ("issued", "dcv_completed", "final")]
        tasks.append({"name": "tests", "ansible.builtin.assert": {"that": tests}, "vars": options})
        tasks.append(
            {
                "name": "no order",
                "ansible.builtin.assert": {"that": "_account is certops.issuance.issued"},
                "vars": {**options, "_account": "{{ credentials." + provider + " }}"},
                "ignore_errors": True,
            }
        )
        return tasks

    def plays(self, tasks: list[dict[str, t.Any]], *files: str, **more: t.Any) -> list[dict[str, t.Any]]:
        """A play of these tasks."""
        wanted = {"folder": str(self.place)}
        play = {"hosts": "all", "gather_facts": False, "vars_files": list(files), "vars": wanted, "tasks": tasks}
        return [{**play, **more}]

    def elsewhere(self) -> dict[str, t.Any]:
        """An inventory of one host, which gets modules as a bastion does."""
        there = {"ansible_connection": "elsewhere", "ansible_python_interpreter": sys.executable}
        return {"all": {"hosts": {"there": there}}}

    def assert_whole(self, run: Run, lookups: bool = True) -> None:
        """The run did what it was made for: each plugin went well and failed somewhere, with a reason."""
        for action in ("order_info", "order_wait", "order_certificate"):
            good, bad = run.of(action, "ok"), run.of(action, "failed")
            assert len(good) >= len(PROVIDERS), run.output[-3000:]
            assert len(bad) >= len(PROVIDERS)
            assert "MODULE FAILURE" not in json.dumps([event.result for event in bad])
            assert {event.result.get("error_kind") for event in bad} - {None}
        if lookups:
            shown = [event for event in run.events if event.task.startswith("order_status of issued")]
            assert {event.kind for event in shown} == {"ok"}, run.output[-3000:]

    def deployments(self) -> tuple[list[dict[str, t.Any]], dict[str, str]]:
        """certificate_deploy in success and in each failure, and certificate_info; and the files that are needed."""
        order, other = self.issued["digicert"], self.issued["sectigo"]
        folder = self.place
        collect = {**self.account("digicert", "variable"), "order_id": order["order_id"]}
        play = self.plays([{"certops.issuance.order_certificate": collect}], "given.json")
        collected = run_playbook(play, self._prepared(folder))
        found = collected.of("order_certificate", "ok")[0].result
        key = "{{ keys.right }}"
        deploy = {"certificate": found["certificate"], "chain": found["chain"], "ca_path": self.sandbox.ca_file}
        path, file, broken = str(folder / "lineage"), str(folder / "right.key"), str(folder / "broken.key")
        probe = {"probes": [{"host": "127.0.0.1", "port": 1}], "probe_timeout": 1}
        keystore = {"files": ["fullchain", "pkcs12"], "pkcs12_password": "{{ keys.keystore }}"}
        cases: list[dict[str, t.Any]] = [
            {**deploy, "path": path, "private_key": key},
            {**deploy, "path": path, "private_key": key},
            {**deploy, "path": path, "private_key_path": file, "files": ["fullchain", "combined"]},
            {**deploy, **keystore, "path": path + "-6", "private_key_path": file},
            {**deploy, **keystore, "path": path + "-7", "private_key_path": file, "reload_commands": ["false"]},
            {**deploy, **keystore, "path": path + "-7", "private_key_path": file, "names": ["other.example.net"]},
            {**deploy, "path": path + "-2", "private_key_path": file},
            {**deploy, "path": path + "-2", "private_key": key, "reload_commands": ["false"], "mode": "0640"},
            {**deploy, "path": path + "-2", "private_key": key, "validate_commands": [["cat", file], "false"]},
            {**deploy, "path": path + "-3", "private_key": "{{ keys.other }}"},
            {**deploy, "path": path + "-3", "private_key": "{{ keys.right[:60] }}"},
            {**deploy, "path": path + "-3", "private_key": "{{ keys.right ~ keys.other }}"},
            {**deploy, "path": path + "-3", "private_key": "{{ keys.encrypted }}"},
            {**deploy, "path": path + "-3", "private_key_path": broken},
            {**deploy, "path": path + "-3", "private_key": key, "names": ["no such name.example"]},
            {**deploy, "path": path + "-3", "private_key": key, "names": ["other.example.net"]},
            {**deploy, "path": path + "-3", "private_key": key, "mode": "rwx"},
            {**deploy, "path": path + "-3", "private_key": key, "keep_versions": "many"},
            {**deploy, "path": path + "-3", "private_key": key, "trust": "nobody"},
            {**deploy, "path": path + "-3", "private_key": key, "private_key_path": broken},
            {**deploy, "path": path + "-3", "certificate": key, "private_key": key},
            {**deploy, "path": path + "-3", "private_key": key, "chain": key},
            {**deploy, "path": path + "-3", "private_key": key, **probe},
            {**deploy, "path": str(folder), "private_key": key},
            {"path": path + "-4", "placeholder": True, "names": ["www.example.org"], "private_key": key},
            {"path": path + "-5", "placeholder": True, "names": ["www.example.org"], "private_key_path": file},
        ]
        tasks: list[dict[str, t.Any]] = [{"certops.issuance.certificate_deploy": case} for case in cases]
        tasks += [{"certops.issuance.certificate_info": {"path": at}} for at in (path, path + "-none", str(folder))]
        keys = {"right": order["private_key"], "other": other["private_key"], "keystore": os.urandom(14).hex()}
        self.secrets.add("keystore password", keys["keystore"])
        return [{**task, "ignore_errors": True} for task in tasks], keys

    def _prepared(self, folder: Path) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "given.json").write_text(json.dumps({"credentials": self.credentials()}), encoding="utf-8")
        return folder

    def _deploy(self, *arguments: str, inventory: t.Any = None, every: int = 1) -> Run:
        from cryptography.hazmat.primitives import serialization

        tasks, keys = self.deployments()
        tasks = tasks[::every]
        key = serialization.load_pem_private_key(keys["right"].encode(), None)
        hidden = serialization.BestAvailableEncryption(b"passphrase")
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)
        keys["encrypted"] = key.private_bytes(*form).decode()
        self.secrets.add_key("encrypted key", keys["encrypted"])
        broken = keys["right"][:120] + "\n" + keys["right"]
        run = self.search(
            self.plays(tasks, "keys.json"), *arguments,
            files={"keys.json": {"keys": keys}, "right.key": keys["right"], "broken.key": broken},
            environment={"ANSIBLE_DEBUG": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
            inventory=inventory,
        )  # fmt: skip
        assert len(run.of("certificate_deploy", "ok")) >= 5 // every, run.output[-3000:]
        assert len(run.of("certificate_deploy", "failed")) >= 10 // every
        assert len(run.of("certificate_info")) >= 3 // every
        return run


@pytest.fixture(scope="module")
def opened_accounts() -> t.Iterator[Accounts]:
    """A sandbox of this module alone: all its tests share accounts and orders."""
    with Sandbox.start(plain_http=True, rate=0) as sandbox:
        yield Accounts(sandbox)


@pytest.fixture
def accounts(opened_accounts: Accounts, folder: Path) -> Accounts:
    """The accounts, with a folder of this test."""
    opened_accounts.place = folder
    return opened_accounts


@pytest.mark.slow
def test_options_from_variables_on_the_controller_with_debug_and_json(accounts: Accounts) -> None:
    given = {"credentials": {**accounts.credentials(), "wrong": accounts.wrong}}
    run = accounts.search(
        accounts.plays(accounts.tasks("variable"), "given.json"),
        "-vvvv", "--diff",
        files={"given.json": given},
        environment={"ANSIBLE_DEBUG": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )  # fmt: skip
    accounts.assert_whole(run)


@pytest.mark.slow
def test_options_from_a_vault_elsewhere_with_debug_and_yaml(accounts: Accounts) -> None:
    folder = accounts.place
    (folder / "word").write_text("open sesame", encoding="utf-8")
    vault = folder / "vault.json"
    vault.write_text(json.dumps({"credentials": {**accounts.credentials(), "wrong": accounts.wrong}}), encoding="utf-8")
    encrypt = [program("ansible-vault"), "encrypt", "--vault-password-file", str(folder / "word"), str(vault)]
    subprocess.run(encrypt, check=True, capture_output=True)
    run = accounts.search(
        accounts.plays(accounts.tasks("variable", brief=True), "vault.json"),
        "-vvvv", "--vault-password-file", str(folder / "word"),
        inventory=accounts.elsewhere(),
        environment={"ANSIBLE_DEBUG": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
    )  # fmt: skip
    accounts.assert_whole(run)


@pytest.mark.slow
def test_options_from_lookups_on_the_controller(accounts: Accounts) -> None:
    files: dict[str, t.Any] = {"given.json": {"credentials": {"wrong": accounts.wrong}}}
    for provider, options in accounts.options.items():
        files.update({f"{provider}.{name}": options[name] for name in _CREDENTIALS if name in options})
    # The last test of a lookup is about all credentials of a provider, which are in no variable here.
    tasks = [task for task in accounts.tasks("lookup") if task["name"] != "no order"]
    run = accounts.search(
        accounts.plays(tasks, "given.json"),
        "-vvvv",
        files=files,
        environment={"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
    )
    accounts.assert_whole(run)


@pytest.mark.slow
def test_credentials_from_the_environment_on_the_controller(accounts: Accounts) -> None:
    given = {"credentials": {**accounts.credentials(), "wrong": accounts.wrong}}
    run = accounts.search(
        accounts.plays(accounts.tasks("environment", brief=True), "given.json"),
        "-vvvv",
        files={"given.json": given},
        environment={"ANSIBLE_DEBUG": "1", **accounts.variables()},
    )
    accounts.assert_whole(run)


@pytest.mark.slow
def test_credentials_from_the_environment_of_the_task_elsewhere(accounts: Accounts) -> None:
    given = {"credentials": {**accounts.credentials(), "wrong": accounts.wrong}, "surroundings": accounts.variables()}
    tasks = accounts.tasks("environment", lookups=False, brief=True)
    run = accounts.search(
        accounts.plays(tasks, "given.json", environment="{{ surroundings }}"),
        "-vvvv",
        files={"given.json": given},
        inventory=accounts.elsewhere(),
        environment={"ANSIBLE_DEBUG": "1"},
    )
    accounts.assert_whole(run, lookups=False)


@pytest.mark.slow
def test_async(accounts: Accounts) -> None:
    given = {"credentials": {**accounts.credentials(), "wrong": accounts.wrong}}
    tasks = [{**task, "async": 60, "poll": 1} for task in accounts.tasks("variable", lookups=False, brief=True)[::3]]
    run = accounts.search(
        accounts.plays(tasks, "given.json"), "-vvvv", files={"given.json": given}, environment={"ANSIBLE_DEBUG": "1"}
    )
    assert {"ok", "failed"} <= {event.kind for event in run.events}, run.output[-3000:]


@pytest.mark.slow
def test_an_ad_hoc_command(accounts: Accounts) -> None:
    account = "provider=digicert api_url={api_url} ca_path={ca_path} order_id=".format(**accounts.options["digicert"])
    key = " api_key=\"{{ lookup('ansible.builtin.env', 'KEPT_ELSEWHERE') }}\" request_timeout=soon"
    for name in ("issued", "unknown", "moved"):
        arguments = account + accounts.orders["digicert"][name]
        for given in ("", key):
            variable = "KEPT_ELSEWHERE" if given else "DIGICERT_API_KEY"
            run = accounts.search(
                None, "ansible", "here", "-m", "certops.issuance.order_info", "-vvvv", "-a", arguments + given,
                environment={variable: accounts.options["digicert"]["api_key"], "ANSIBLE_DEBUG": "1"},
            )  # fmt: skip
            assert (run.code == 0) == (name == "issued" and not given), run.output[-3000:]


@pytest.mark.slow
def test_deployment(accounts: Accounts) -> None:
    accounts._deploy("-vvvv", "--diff")


@pytest.mark.slow
def test_deployment_elsewhere_in_check_mode(accounts: Accounts) -> None:
    accounts._deploy("-vvvv", "--diff", "--check", inventory=accounts.elsewhere(), every=3)


@pytest.mark.slow
def test_the_role(accounts: Accounts) -> None:
    folder = accounts.place
    hosts: dict[str, t.Any] = {}
    for provider in PROVIDERS:
        for number, order in enumerate(("issued", "refused", "unknown")):
            account = accounts.account(provider, "variable")
            account["api_ca_path"] = account.pop("ca_path")
            hosts[f"{provider}{number}"] = {
                **{f"certificate_{name}": value for name, value in account.items()},
                "certificate_order_id": accounts.orders[provider][order],
                "certificate_path": str(folder / f"{provider}{number}"),
                "certificate_private_key_content": f"{{{{ keys.{provider} }}}}",
                "certificate_ca_path": accounts.sandbox.ca_file,
                "certificate_wait_timeout": 2,
                "certificate_request_timeout": 2,
            }
    keys = {provider: order["private_key"] for provider, order in accounts.issued.items()}
    general = {"ansible_connection": "elsewhere", "ansible_python_interpreter": sys.executable}
    run = accounts.search(
        accounts.plays([{"ansible.builtin.include_role": {"name": "certops.issuance.certificate"}}], "given.json"),
        "-vvvv", "--diff",
        files={"given.json": {"credentials": accounts.credentials(), "keys": keys}},
        inventory={"all": {"hosts": hosts, "vars": general}},
        environment={"ANSIBLE_DEBUG": "1", "ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    )  # fmt: skip
    deployed = {event.host for event in run.of("certificate_deploy", "ok")}
    assert deployed == {f"{provider}0" for provider in PROVIDERS}, run.output[-4000:]
