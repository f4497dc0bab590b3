# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Through a real proxy, tinyproxy: plain, with a password, with a wrong one, gone, from options and environment."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_runs import short_for_first
from proxy import Proxy
from sandbox.client import PROVIDERS, Sandbox

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_wait import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform

#: As it stands in a URL, and as it is meant. tinyproxy takes no character that had to be encoded.
PASSWORD = "pr0xy%2D" + os.urandom(10).hex()
BARE_PASSWORD = PASSWORD.replace("%2D", "-")

pytestmark = pytest.mark.skipif(Proxy.path() is None, reason="tinyproxy is not installed")
every_provider = pytest.mark.parametrize("provider", short_for_first(*PROVIDERS))


@pytest.fixture
def plain(folder: Path) -> t.Iterator[Proxy]:
    """A proxy that lets everybody through."""
    with Proxy(folder / "plain") as proxy:
        yield proxy


@pytest.fixture
def guarded(folder: Path) -> t.Iterator[Proxy]:
    """A proxy that wants a password."""
    with Proxy(folder / "guarded", BARE_PASSWORD) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _own_budgets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Request budgets of accounts are shared by all processes of a user; those of a test are its own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))


def _wait(
    sandbox: Sandbox, provider: str, environment: dict[str, str] | None = None, **options: t.Any
) -> dict[str, t.Any]:
    """The result of order_wait for an issued order."""
    order = sandbox.order(provider, ["www.example.org"], "issued")
    params = {name: option.get("default") for name, option in ORDER_WAIT_OPTIONS.items()}
    params.update(sandbox.options(provider), order_ids=[order["order_id"]])
    # Where it waits in vain, it is given less; a machine that is busy with other tests answers late.
    params.update({"request_timeout": 20, "timeout": 60, "poll_interval": 1, **options})
    result = perform(order_wait, params, Runtime(environment=environment or {}))
    for secret in (PASSWORD, BARE_PASSWORD):
        assert secret not in str(result)
    return result


def _guarded_url(proxy: Proxy, password: str) -> str:
    return f"http://{Proxy.USER}:{password}@127.0.0.1:{proxy.port}"


@every_provider
@pytest.mark.parametrize("how", ["option", "https_proxy", "ALL_PROXY"])
def test_every_provider_through_every_proxy(
    sandbox: Sandbox, plain: Proxy, guarded: Proxy, provider: str, how: str
) -> None:
    for proxy, url in ((plain, plain.url), (guarded, _guarded_url(guarded, PASSWORD))):
        before = proxy.tunnels
        given: dict[str, t.Any] = {"proxy": url} if how == "option" else {"environment": {how: url}}
        result = _wait(sandbox, provider, **given)
        assert result["orders"][0]["issued"], result
        assert proxy.tunnels > before, "the proxy was not used"
        # What goes through a tunnel is nothing that a proxy could read.
        for word in ("auth_key", "/orders/", "/execute/", "/products/"):
            assert word not in proxy.log


@every_provider
def test_a_refusing_proxy_is_reported_and_not_asked_again(sandbox: Sandbox, guarded: Proxy, provider: str) -> None:
    for url in (_guarded_url(guarded, "wrong"), guarded.plain_url):
        result = _wait(sandbox, provider, proxy=url)
        assert result["error_kind"] == "authentication", result
        assert "proxy" in result["msg"]
        assert result["requests_sent"] == 1, result


@every_provider
def test_a_wait_outlasts_a_proxy_that_is_gone(sandbox: Sandbox, provider: str) -> None:
    result = _wait(sandbox, provider, proxy=f"http://{Proxy.USER}:{PASSWORD}@127.0.0.1:1", timeout=3)
    assert result["error_kind"] == "timed_out", result
    assert "proxy" in result["msg"]


@every_provider
def test_no_proxy_names_what_goes_direct(sandbox: Sandbox, plain: Proxy, provider: str) -> None:
    environment = {"https_proxy": plain.url, "no_proxy": "127.0.0.1"}
    assert _wait(sandbox, provider, environment=environment)["orders"][0]["issued"]
    assert plain.tunnels == 0
