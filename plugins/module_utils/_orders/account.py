# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account: provider, URL and credentials, all that is needed to talk to one API.

Private to this collection. Knows how options and environment variables become an account; what a particular provider
needs is data in its ProviderInfo.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .errors import InvalidRequest

#: The account options as an argument spec; their documentation is the doc fragment certops.issuance.account.
#: Values come from the environment only once the provider is known, so there is neither fallback nor default here.
ACCOUNT_OPTIONS: dict[str, dict[str, t.Any]] = {
    "provider": {"type": "str", "required": True},
    "api_url": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "cpanel_provider": {"type": "str", "default": "cPStore"},
    "cpanel_account": {"type": "str"},
    "id_type": {"type": "str", "default": "order", "choices": ["order", "certificate"]},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "proxy": {"type": "str", "no_log": False},
    "request_timeout": {"type": "int", "default": 30},
}
#: Options that one provider alone has, or that only some providers take as credentials; see ProviderInfo.
_PROVIDER_OPTIONS = ("cpanel_provider", "cpanel_account", "id_type")
_CREDENTIAL_OPTIONS = ("api_key", "username", "password")


class AccountRules(t.Protocol):
    """What a provider says of its accounts; see ProviderInfo."""

    @property
    def name(self) -> str:
        raise NotImplementedError

    @property
    def label(self) -> str:
        raise NotImplementedError

    @property
    def default_url(self) -> str | None:
        raise NotImplementedError

    @property
    def environment(self) -> t.Mapping[str, t.Sequence[str]]:
        raise NotImplementedError

    @property
    def credentials(self) -> t.Sequence[t.Sequence[str]]:
        raise NotImplementedError

    @property
    def options(self) -> t.Sequence[str]:
        raise NotImplementedError

    @property
    def id_types(self) -> t.Sequence[str]:
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class Account:
    """One account at one provider. Has no repr, so that no credential can slip into a text.

    ``options`` holds the options that this provider alone has.
    """

    provider: str
    api_url: str
    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    options: t.Mapping[str, str] = field(default_factory=dict)
    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    request_timeout: int = 30

    @property
    def secrets(self) -> list[str]:
        """Every value of this account that must not be shown."""
        return [secret for secret in (self.api_key, self.password, *proxy_secrets(self.proxy)) if secret]

    @property
    def fingerprint(self) -> str:
        """Names the account in file names without showing its credentials: equal accounts share request budgets."""
        parts = [self.provider, self.api_url, self.api_key or "", self.username or ""]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def proxy_secrets(proxy: str | None) -> list[str]:
    """The password in the URL of a proxy, as it stands there and as it is meant. Never raises."""
    # Also without a scheme, and in what is no URL at all: better to hide too much.
    userinfo, at, _host = (proxy or "").rpartition("@")
    _scheme, slashes, after = userinfo.partition("://")
    _name, colon, password = (after if slashes else userinfo).partition(":")
    return list(dict.fromkeys([password, unquote(password)])) if at and colon and password else []


def resolve_account(rules: AccountRules, params: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> Account:
    """Make the account from a task's options and the environment variables of this one provider.

    Arguments:
        rules: what the provider needs.
        params: validated options; see ACCOUNT_OPTIONS.
        environment: the environment in which the task runs.

    Raises:
        InvalidRequest: when something is missing or cannot be used; the sentence says what to set.
    """
    _refuse_foreign_options(rules, params)
    found: dict[str, str | None] = {}
    for option, variables in rules.environment.items():
        given = params.get(option)
        if given is not None and option in ("api_key", "password") and not given.strip():
            raise InvalidRequest(
                f"{option} is empty; give a value, or leave the option out to use the environment", provider=rules.name
            )
        if given in (None, ""):
            given = next((environment[variable] for variable in variables if environment.get(variable)), None)
        found[option] = given
    # Where both a key and a password could come from the environment, an option of the task decides.
    chosen = next((group for group in rules.credentials if all(found.get(option) for option in group)), None)
    explicit = next((group for group in rules.credentials if any(params.get(option) for option in group[-1:])), None)
    if explicit is not None and all(found.get(option) for option in explicit):
        chosen = explicit
    if chosen is None:
        raise InvalidRequest(
            f"credentials are missing; set {' or '.join(_spell(rules, group) for group in rules.credentials)}",
            provider=rules.name,
        )
    credentials = {option: found.get(option) for option in chosen}
    for option, value in credentials.items():
        if value and not value.isprintable():
            raise InvalidRequest(
                f"option {option} holds a line break or another control character; give the bare value",
                provider=rules.name,
            )
    timeout = params.get("request_timeout", 30)
    if timeout < 1:
        raise InvalidRequest("request_timeout must be at least 1 second", provider=rules.name)
    return Account(
        provider=rules.name,
        api_url=_check_url(rules, found.get("api_url") or rules.default_url),
        api_key=credentials.get("api_key"),
        username=credentials.get("username"),
        password=credentials.get("password"),
        options={
            option: str(params.get(option) or ACCOUNT_OPTIONS[option].get("default") or "") for option in rules.options
        },
        validate_certs=params.get("validate_certs", True),
        ca_path=params.get("ca_path"),
        proxy=_check_proxy(rules, params.get("proxy")),
        request_timeout=timeout,
    )


def unused_credentials(rules: AccountRules, params: t.Mapping[str, t.Any]) -> list[str]:
    """The credential options of a task that this provider does not take."""
    return [option for option in _CREDENTIAL_OPTIONS if params.get(option) and option not in rules.environment]


def _refuse_foreign_options(rules: AccountRules, params: t.Mapping[str, t.Any]) -> None:
    """An option of another provider would be ignored, and the request would be another than was meant."""
    for option in _PROVIDER_OPTIONS:
        given = params.get(option)
        if given not in (None, "", ACCOUNT_OPTIONS[option].get("default")) and option not in rules.options:
            raise InvalidRequest(f"{rules.label} has no option {option}; remove it", provider=rules.name)


def _spell(rules: AccountRules, group: t.Sequence[str]) -> str:
    return " and ".join(f"{option} (environment {' or '.join(rules.environment.get(option, ()))})" for option in group)


def _check_url(rules: AccountRules, url: str | None) -> str:
    if not url:
        variables = " or ".join(rules.environment.get("api_url", ()))
        raise InvalidRequest(f"set api_url (environment {variables}) to the base URL", provider=rules.name)

    def refuse(why: str) -> InvalidRequest:
        # The URL itself is not shown: it may hold a password.
        return InvalidRequest(f"api_url {why}", provider=rules.name)

    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise refuse("is not a URL; give it as https://host[:port][/path]") from None
    bare = url.strip().isprintable() and not re.search(r"\s", url.strip())
    if parts.scheme not in ("https", "http") or not parts.hostname or not bare:
        raise refuse("is not a URL; give it as https://host[:port][/path]")
    if parts.username or parts.password:
        raise refuse("must not hold credentials; use the options for them")
    if parts.query or parts.fragment:
        raise refuse("must not have a query or fragment; give the base URL alone")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise refuse("must start with https://: credentials do not travel in the clear (http is for loopback only)")
    if port == 0:
        raise refuse("has port 0; give the port of the API")
    return url.strip().rstrip("/")


def _check_proxy(rules: AccountRules, proxy: str | None) -> str | None:
    if not proxy:
        return None
    try:
        parts = urlsplit(proxy)
        usable = bool(parts.hostname) and parts.port != 0 and proxy.isprintable()
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https", "socks5", "socks5h"):
        # Not shown either, for the same reason.
        raise InvalidRequest(
            "proxy is not the URL of a proxy; give it as http://[user:password@]host:port", provider=rules.name
        )
    return proxy


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
