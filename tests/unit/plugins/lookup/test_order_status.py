# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup order_status, loaded as Ansible loads it."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.plugins.loader import lookup_loader

from ansible_collections.certops.issuance.plugins.lookup import order_status
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import AuthenticationError, OrderNotFound
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.digicert.client import DigicertProvider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders import fakes

KEY = "hunter2-hunter2"


class FakeProvider(fakes.FakeProvider):
    """Knows every order but 404, refuses everybody who asks for 403, and names every order a little differently."""

    info = DigicertProvider.info
    keys: t.ClassVar[list[tuple[str, str | None]]] = []

    def answer(self, order_id: str) -> Order:
        self.keys.append((order_id, self.account.api_key))
        if order_id == "404":
            raise OrderNotFound(f"not known with {KEY}")
        if order_id == "403":
            raise AuthenticationError("refused")
        raw = {"id": order_id, "echo": KEY}
        return Order("digicert", f"0{order_id}", Status.VALIDATING, warnings=("odd word",), raw=raw)


@pytest.fixture(autouse=True)
def warnings(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> list[str]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setitem(PROVIDERS, "digicert", FakeProvider)  # type: ignore[misc]
    monkeypatch.setattr(FakeProvider, "keys", [])
    monkeypatch.setenv("DIGICERT_API_KEY", KEY)
    shown: list[str] = []
    monkeypatch.setattr(order_status.display, "warning", lambda text, *_more, **_options: shown.append(str(text)))
    return shown


def look_up(*terms: t.Any, **options: t.Any) -> list[dict[str, t.Any]]:
    options.setdefault("provider", "digicert")
    return lookup_loader.get("certops.issuance.order_status").run(list(terms), variables={}, **options)


def test_one_order_for_each_term_in_the_order_given() -> None:
    found = look_up("3", 1, " 3 ", ["2"])
    assert [order["order_id"] for order in found] == ["03", "01", "03", "02"]
    # Each is asked for once, with the key of the environment.
    assert FakeProvider.keys == [("3", KEY), ("1", KEY), ("2", KEY)]


def test_options_are_keywords() -> None:
    look_up("1", api_key="another-key", api_url="https://eu.example", request_timeout="5")
    assert FakeProvider.keys == [("1", "another-key")]


def test_raw_is_there_on_request() -> None:
    assert look_up("1")[0]["raw"] is None
    assert look_up("1", include_raw=True)[0]["raw"] == {"id": "1", "echo": "********"}


def test_warnings_are_shown(warnings: list[str]) -> None:
    look_up("1", "2")
    assert warnings == ["order 01, 02: odd word"]


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        (["1", "404"], "not_found"),
        (["403", "1"], "authentication"),
        (["x"], "invalid_request"),
        ([], "invalid_request"),
    ],
)
def test_where_one_order_cannot_be_had_the_lookup_fails_with_its_kind(terms: list[str], kind: str) -> None:
    with pytest.raises(AnsibleLookupError, match=rf"\(error_kind: {kind}\)") as caught:
        look_up(*terms)
    assert KEY not in str(caught.value)


def test_missing_credentials_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGICERT_API_KEY")
    with pytest.raises(AnsibleLookupError, match="DIGICERT_API_KEY"):
        look_up("1")


def test_an_option_that_it_does_not_have_is_not_passed_over() -> None:
    """Else the key meant is not used, and the question asked with that of the environment."""
    with pytest.raises(AnsibleLookupError, match="has no option apikey; it has .*api_key") as caught:
        look_up("1", apikey=KEY)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("options", [{"provider": "nobody"}, {"provider": None}])
def test_a_provider_that_is_not_known_is_reported(options: dict[str, t.Any]) -> None:
    with pytest.raises(AnsibleError) as caught:
        look_up("1", **options)
    assert "provider" in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": [KEY]},
        {"password": {"is": KEY}},
        {"api_key": KEY, "request_timeout": KEY},
        {"api_key": KEY, "provider": [KEY]},
    ],
)
def test_an_option_of_the_wrong_type_is_reported_without_a_secret(options: dict[str, t.Any]) -> None:
    with pytest.raises(AnsibleLookupError) as caught:
        look_up("1", **options)
    assert KEY not in str(caught.value)
    # Which words Ansible has for it depends on its version.
    assert re.search("invalid (type|value)", str(caught.value), re.IGNORECASE)
    assert caught.value.__suppress_context__


def test_a_defect_of_ours_is_reported_without_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: t.Any, order_id: str) -> Order:
        raise KeyError(f"no such field in {KEY}")

    monkeypatch.setattr(FakeProvider, "fetch_order", broken)
    with pytest.raises(AnsibleLookupError, match="KeyError") as caught:
        look_up("1")
    assert KEY not in str(caught.value)
    assert caught.value.__suppress_context__
