# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts from options and environment: only what belongs to the provider in question, and nothing shown."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.doc_fragments.account import ModuleDocFragment
from ansible_collections.certops.issuance.plugins.module_utils._orders.account import (
    ACCOUNT_OPTIONS,
    Account,
    proxy_secrets,
    resolve_account,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.rate_limit import PollSchedule, RateLimits
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import ProviderInfo
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS

#: Every variable that any provider reads, each with a value of its own.
EVERYTHING = {
    variable: "https://{0}.example".format(variable.lower().replace("_", "-"))
    if variable.endswith("_URL")
    else "value-of-" + variable
    for provider in PROVIDERS.values()
    for variables in provider.info.environment.values()
    for variable in variables
}
#: One name and password, or a name and key, or a key.
RULES = ProviderInfo(
    name="fake",
    label="Fake",
    default_url="https://fake.example/api",
    environment={
        "api_url": ("FAKE_API_URL",),
        "api_key": ("FAKE_TOKEN", "FAKE_KEY"),
        "username": ("FAKE_USERNAME",),
        "password": ("FAKE_PASSWORD",),
    },
    credentials=(("username", "api_key"), ("username", "password")),
    rate_limits=RateLimits(PollSchedule((), 60.0)),
)


def resolve(environment: t.Mapping[str, str] | None = None, rules: ProviderInfo = RULES, **params: t.Any) -> Account:
    filled = {name: option.get("default") for name, option in ACCOUNT_OPTIONS.items()}
    filled.update(params, provider=rules.name)
    return resolve_account(rules, filled, environment or {})


def refusal(environment: t.Mapping[str, str] | None = None, **params: t.Any) -> str:
    with pytest.raises(InvalidRequest) as caught:
        resolve(environment, **params)
    assert caught.value.provider == params.get("rules", RULES).name
    return caught.value.message


# -- where values come from ---------------------------------------------------


def test_the_variables_are_those_that_are_documented() -> None:
    documented = re.findall(r"E\((\w+)\)", ModuleDocFragment.DOCUMENTATION)
    assert set(EVERYTHING) == set(documented) - {"HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_with_every_variable_set_a_provider_gets_its_own_alone(name: str) -> None:
    account = resolve(EVERYTHING, PROVIDERS[name].info)
    values = [account.api_url, account.api_key, account.username, account.password]
    shown = [value for value in values if value is not None]
    assert len(shown) >= 2
    assert all(name in value.lower() for value in shown)


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_the_variables_of_the_others_are_of_no_use(name: str) -> None:
    others = {variable: value for variable, value in EVERYTHING.items() if not variable.lower().startswith(name)}
    message = refusal(others, rules=PROVIDERS[name].info)
    for variable in EVERYTHING:
        # What is needed is named; what there is of others is not.
        assert (variable in message) <= variable.lower().startswith(name)
    assert not any(value in message for value in EVERYTHING.values())


def test_only_the_variables_of_the_provider_are_looked_at() -> None:
    class Watched(t.Dict[str, str]):
        looked_at: set[str] = set()

        def get(self, name: str, default: t.Any = None) -> t.Any:
            self.looked_at.add(name)
            return super().get(name, default)

        __getitem__ = get  # type: ignore[assignment]

    for name, provider in PROVIDERS.items():
        environment = Watched(EVERYTHING)
        environment.looked_at = set()
        resolve(environment, provider.info)
        assert environment.looked_at
        assert all(variable.lower().startswith(name) for variable in environment.looked_at)


def test_options_go_before_the_environment() -> None:
    environment = {"FAKE_USERNAME": "theirs", "FAKE_KEY": "their-key", "FAKE_API_URL": "https://theirs.example"}
    account = resolve(environment, username="ours", api_url="https://ours.example/")
    assert (account.username, account.api_key, account.api_url) == ("ours", "their-key", "https://ours.example")
    assert resolve(environment, username="").username == "theirs"


@pytest.mark.parametrize("option", ["api_key", "password"])
@pytest.mark.parametrize("given", ["", "  ", "\t\n"])
def test_an_empty_credential_does_not_mean_the_one_of_the_environment(option: str, given: str) -> None:
    environment = {"FAKE_USERNAME": "u", "FAKE_KEY": "k", "FAKE_PASSWORD": "p"}
    with pytest.raises(InvalidRequest, match=f"{option} is empty"):
        resolve(environment, **{option: given})


def test_options_of_another_provider_are_refused_by_name() -> None:
    given = {"username": "u", "password": "p"}
    assert "Fake has no option cpanel_account" in refusal(**given, cpanel_account="kate")
    assert "Fake has no option cpanel_provider" in refusal(**given, cpanel_provider="OtherStore")
    # The default of an option is not the task's wish.
    assert resolve({}, **given, cpanel_provider="cPStore", id_type="order").options == {}


def test_the_first_variable_that_is_set_wins() -> None:
    assert resolve({"FAKE_USERNAME": "u", "FAKE_TOKEN": "t", "FAKE_KEY": "k"}).api_key == "t"
    assert resolve({"FAKE_USERNAME": "u", "FAKE_TOKEN": "", "FAKE_KEY": "k"}).api_key == "k"


def test_credentials_that_a_task_names_go_before_those_of_the_environment() -> None:
    environment = {"FAKE_USERNAME": "u", "FAKE_TOKEN": "token-of-the-environment"}
    account = resolve(environment, password="ours")
    assert (account.username, account.password, account.api_key) == ("u", "ours", None)
    account = resolve({"FAKE_USERNAME": "u", "FAKE_PASSWORD": "theirs"}, api_key="ours")
    assert (account.api_key, account.password) == ("ours", None)
    # Only what is used is kept.
    assert resolve({"FAKE_USERNAME": "u", "FAKE_TOKEN": "k", "FAKE_PASSWORD": "p"}).password is None


def test_the_default_url_is_used_where_none_is_given() -> None:
    assert resolve(username="u", password="p").api_url == "https://fake.example/api"


def test_options_that_are_not_credentials() -> None:
    account = resolve(
        username="u",
        password="p",
        validate_certs=False,
        ca_path="/ca.pem",
        proxy="http://proxy:3128",
        request_timeout=5,
    )
    assert (account.validate_certs, account.ca_path, account.proxy) == (False, "/ca.pem", "http://proxy:3128")
    assert (account.request_timeout, account.options) == (5, {})


# -- refusals -----------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"username": "u"}, {"api_key": "k"}, {"password": "p"}, {"username": ""}])
def test_missing_credentials_are_named_with_their_variables(given: dict[str, str]) -> None:
    assert refusal(**given) == (
        "credentials are missing; set username (environment FAKE_USERNAME) and "
        "api_key (environment FAKE_TOKEN or FAKE_KEY) or username (environment FAKE_USERNAME) and "
        "password (environment FAKE_PASSWORD)"
    )


@pytest.mark.parametrize("character", ["\n", "\r\n", "\t", "\x00", "\x1b", "\u2028", "\u00a0"])
@pytest.mark.parametrize("option", ["username", "password"])
def test_control_characters_in_credentials_are_refused_without_showing_them(option: str, character: str) -> None:
    given = {"username": "somebody", "password": "hunter22"}
    given[option] += character
    message = refusal(**given)
    assert message.startswith(f"option {option} holds a line break")
    assert given[option].strip() not in message


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("fake.example", "is not a URL"),
        ("https://", "is not a URL"),
        ("ftp://fake.example", "is not a URL"),
        ("file:///etc/passwd", "is not a URL"),
        ("https://fake.example:port", "is not a URL"),
        ("https://fake.example:99999", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://fake.example/\nx", "is not a URL"),
        ("https://fake example/", "is not a URL"),
        ("https://user:hunter22@fake.example", "must not hold credentials"),
        ("https://hunter22@fake.example", "must not hold credentials"),
        ("https://fake.example/?auth_key=hunter22", "must not have a query"),
        ("https://fake.example/#hunter22", "must not have a query or fragment"),
        ("http://fake.example", "must start with https://"),
        ("http://localhost.example", "must start with https://"),
        ("http://127.0.0.1.example", "must start with https://"),
        ("http://10.0.0.1", "must start with https://"),
        ("https://fake.example:0", "has port 0"),
    ],
)
def test_urls_that_are_refused_are_not_shown(url: str, why: str) -> None:
    message = refusal(username="u", password="p", api_url=url)
    assert message.startswith("api_url " + why)
    assert "hunter22" not in message


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "http://127.0.0.1:8000/api",
        "http://127.9.9.9",
        "http://[::1]:80",
        " https://a.example/x/ ",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert resolve(username="u", password="p", api_url=url).api_url == url.strip().rstrip("/")


def test_a_provider_without_a_default_url_needs_one() -> None:
    rules = PROVIDERS["cpanel"].info
    message = refusal(rules=rules, username="u", api_key="k")
    assert message.startswith("set api_url (environment CPANEL_URL")


@pytest.mark.parametrize(
    "proxy",
    ["proxy:3128", "user:hunter22@proxy:3128", "http://", "ftp://proxy", "http://[", "http://a:0", "http://a\n"],
)
def test_proxies_that_are_refused_are_not_shown(proxy: str) -> None:
    message = refusal(username="u", password="p", proxy=proxy)
    assert message.startswith("proxy is not the URL of a proxy")
    assert "hunter22" not in message


def test_a_timeout_below_a_second_is_refused() -> None:
    assert "at least 1 second" in refusal(username="u", password="p", request_timeout=0)


def test_an_id_type_is_refused_where_the_provider_has_no_such_ids() -> None:
    assert "Fake has no option id_type; remove it" in refusal(username="u", password="p", id_type="certificate")


# -- nothing shows ------------------------------------------------------------


def test_secrets_are_all_that_must_not_show() -> None:
    account = resolve(username="u", api_key="the-key", proxy="http://me:p%40ss@proxy:3128")
    assert account.secrets == ["the-key", "p%40ss", "p@ss"]
    assert resolve(username="u", password="the-password").secrets == ["the-password"]


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        (None, []),
        ("http://proxy:3128", []),
        ("http://user@proxy:3128", []),
        ("http://user:pass@proxy:3128", ["pass"]),
        ("user:pass@proxy:3128", ["pass"]),
        ("http://user:a@b@proxy", ["a@b"]),
        ("http://user:a:b%2F@[::1", ["a:b%2F", "a:b/"]),
    ],
)
def test_passwords_of_proxies_are_found_in_urls_of_any_shape(proxy: str | None, expected: list[str]) -> None:
    assert proxy_secrets(proxy) == expected


def test_an_account_shows_no_credential_in_any_text() -> None:
    account = resolve(username="u", api_key="the-key", proxy="http://me:pass-word@proxy:3128")
    trace = ""
    try:
        raise RuntimeError(account)
    except RuntimeError as exc:
        trace = "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    for text in (repr(account), str(account), f"{account}", f"{[account]!r}", trace):
        assert "the-key" not in text and "pass-word" not in text


def test_equal_accounts_share_a_fingerprint_that_shows_no_credential() -> None:
    account = resolve(username="u", api_key="the-key")
    assert account.fingerprint == copy.copy(account).fingerprint == resolve(username="u", api_key="the-key").fingerprint
    assert "the-key" not in account.fingerprint and account.fingerprint.isalnum()
    others = [
        resolve(username="v", api_key="the-key"),
        resolve(username="u", api_key="another"),
        resolve(username="u", api_key="the-key", api_url="https://eu.example"),
        pickle.loads(pickle.dumps(resolve(PROVIDERS["digicert"].info and EVERYTHING, PROVIDERS["digicert"].info))),
    ]
    assert len({account.fingerprint, *(other.fingerprint for other in others)}) == 5
