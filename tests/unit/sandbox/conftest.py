# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sandbox for the tests of this folder, reset before each, and a client that speaks to it."""

from __future__ import annotations

import contextlib
import sys
import typing as t
from pathlib import Path

import pytest
import requests

_TESTS = str(Path(__file__).resolve().parents[2])
if _TESTS not in sys.path:
    sys.path.append(_TESTS)

from sandbox.client import Sandbox  # noqa: E402


class Wire:
    """Raw requests to the sandbox, with or without an account's credentials: no client logic."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = sandbox.ca_file

    def url(self, provider: str, path: str, account: str | None = None) -> str:
        return self.sandbox.options(provider, account)["api_url"] + path

    def digicert(
        self, method: str, path: str, account: str = "digicert", headers: t.Any = None, **how: t.Any
    ) -> requests.Response:
        options = self.sandbox.options("digicert", account)
        headers = {"X-DC-DEVKEY": options["api_key"], **(headers or {})}
        return self.http.request(method, options["api_url"] + path, headers=headers, timeout=20, **how)

    def sectigo(self, call: str, account: str = "sectigo", **fields: t.Any) -> requests.Response:
        options = self.sandbox.options("sectigo", account)
        form = {"loginName": options["username"], "loginPassword": options["password"], **fields}
        return self.http.post(f"{options['api_url']}/products/{call}", data=form, timeout=20)

    def gogetssl_key(self, account: str = "gogetssl") -> str:
        options = self.sandbox.options("gogetssl", account)
        form = {"user": options["username"], "pass": options["password"]}
        return str(self.http.post(options["api_url"] + "/auth/", data=form, timeout=20).json()["key"])

    def gogetssl(self, method: str, path: str, key: str | None = None, **how: t.Any) -> requests.Response:
        params = {"auth_key": key or self.gogetssl_key(), **how.pop("params", {})}
        return self.http.request(method, self.url("gogetssl", path), params=params, timeout=20, **how)

    def cpanel(
        self, function: str, module: str = "Market", method: str = "GET", **arguments: t.Any
    ) -> requests.Response:
        options = self.sandbox.options("cpanel")
        headers = {"Authorization": f"cpanel {options['username']}:{options['api_key']}"}
        how = {"params": arguments} if method == "GET" else {"data": arguments}
        url = f"{options['api_url']}/execute/{module}/{function}"
        return self.http.request(method, url, headers=headers, timeout=20, **how)

    def status(self, provider: str, order_id: str) -> requests.Response:
        """The provider's own status call."""
        if provider == "digicert":
            return self.digicert("GET", f"/order/certificate/{order_id}/validation")
        if provider == "sectigo":
            return self.sectigo("!GetDetailedOrderStatus", orderNumber=order_id, queryType=2)
        if provider == "gogetssl":
            return self.gogetssl("GET", f"/orders/status/{order_id}")
        return self.cpanel("get_ssl_certificate_if_available", provider="cPStore", order_item_id=order_id)


_HERE = Path(__file__).resolve().parent
_life = contextlib.ExitStack()
#: The sandboxes by the name of their fixture, and how each is started.
_running: dict[str, Sandbox] = {}
_STARTED: dict[str, dict[str, t.Any]] = {
    "sandbox": {"plain_http": True, "bad_tls": True},
    "internet_sandbox": {"internet": True, "rate": 0.0},
}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start before the first test: ansible-test forks for each test, and a session fixture would start in each."""
    wanted = {
        name for item in session.items if _HERE in item.path.parents for name in getattr(item, "fixturenames", ())
    }
    for name in sorted(wanted & set(_STARTED)):
        if not session.config.option.collectonly:
            _running[name] = _life.enter_context(Sandbox.start(**_STARTED[name]))


def pytest_sessionfinish() -> None:
    """Stop it after the last."""
    _life.close()


@pytest.fixture
def sandbox() -> Sandbox:
    _running["sandbox"].reset()
    return _running["sandbox"]


@pytest.fixture
def internet_sandbox() -> Sandbox:
    """With the small Internet; the clock stands still."""
    _running["internet_sandbox"].reset()
    return _running["internet_sandbox"]


@pytest.fixture
def looking(internet_sandbox: Sandbox) -> Sandbox:
    """With a zone and two hosts."""
    internet_sandbox.zone("example.org", ["www.example.org", "shop.example.org"])
    return internet_sandbox


@pytest.fixture
def asking(looking: Sandbox) -> t.Iterator[Wire]:
    client = Wire(looking)
    with client.http:
        yield client


@pytest.fixture
def wire(sandbox: Sandbox) -> t.Iterator[Wire]:
    client = Wire(sandbox)
    with client.http:
        yield client
