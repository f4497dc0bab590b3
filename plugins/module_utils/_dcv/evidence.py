# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a look has to find: record sets and files as `order_dcv_info` returns them, read from a task's options.

Standard library only.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from .._common.evidence import (
    FileEvidence,
    NameEvidence,
    OrderReference,
    RecordEvidence,
    base_name,
    is_dns_name,
    plain_name,
)
from .._common.evidence_report import checked
from .._common.names import is_ip_address, show_host


@dataclass(frozen=True)
class ExpectedRecord:
    """One record set that must be seen.

    Arguments:
        type: TXT or CNAME.
        fqdn: owner, lower case, without final dot.
        values: all of them must be seen.
        names: the names on orders that it is for.
        provider: whose CA looks; None where it is not known.
        problem: code of why it must not be published; None where nothing is wrong.
        message: one sentence about the problem.
    """

    type: str
    fqdn: str
    values: tuple[str, ...]
    names: tuple[str, ...]
    provider: str | None = None
    problem: str | None = None
    message: str | None = None

    @property
    def subject(self) -> str:
        """The record as findings name it."""
        return f"{self.type} {self.fqdn}"


@dataclass(frozen=True)
class ExpectedFile:
    """One file that must be seen. Fields as in ExpectedRecord."""

    url: str
    content: str
    names: tuple[str, ...]
    provider: str | None = None
    problem: str | None = None
    message: str | None = None

    @property
    def scheme(self) -> str:
        """http or https."""
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """The host in lower case; an IPv6 address without brackets."""
        return plain_name(urlsplit(self.url).hostname or "")

    @property
    def path(self) -> str:
        """The path, with its slash."""
        return urlsplit(self.url).path

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


def read_record_set(item: t.Any, provider: str | None) -> ExpectedRecord:
    """An expected record of one entry of `record_sets`.

    Arguments:
        provider: whose CA looks, where the entry names no order.

    Raises:
        ValueError: the entry lacks a field or has a wrong one.
    """
    kind = _text(item, "type", "record_sets").upper()
    fqdn = plain_name(_text(item, "fqdn", "record_sets"))
    if kind not in ("TXT", "CNAME"):
        raise ValueError(f"record_sets: the type of {fqdn} must be TXT or CNAME, not {kind}")
    if not is_dns_name(fqdn):
        raise ValueError(f"record_sets: {fqdn!r} is no name of a record")
    values = item.get("values")
    if not isinstance(values, list) or not values or not all(isinstance(value, str) and value for value in values):
        raise ValueError(f"record_sets: values of {fqdn} must be a list of texts with at least one")
    if kind == "CNAME":
        values = [plain_name(value) for value in values]
    first, _dot, rest = fqdn.partition(".")
    names = _names(item, "record_sets", rest if first.startswith("_") else fqdn)
    record = ExpectedRecord(kind, fqdn, tuple(values), names, _provider(item, provider))
    reason = _refusal(names, lambda _name: {"record": RecordEvidence(kind, fqdn, values[0])})
    if reason is None and kind == "CNAME" and len(set(values)) > 1:
        reason = ("cname_conflict", f"{fqdn} can have one CNAME target only, and {len(set(values))} are due")
    if reason is None:
        return record
    return ExpectedRecord(kind, fqdn, tuple(values), names, record.provider, *reason)


def read_file(item: t.Any, provider: str | None) -> ExpectedFile:
    """An expected file of one entry of `files`.

    Raises:
        ValueError: the entry lacks a field or has a wrong one.
    """
    url = _text(item, "url", "files")
    content = _text(item, "content", "files")
    try:
        host = plain_host(urlsplit(url).hostname or "")
    except ValueError as exc:
        raise ValueError(f"files: {url!r} is no URL") from exc
    if not is_dns_name(host) and not is_ip_address(host):
        raise ValueError(f"files: {url!r} has no host name")
    if ":" in host:
        # The names of the entry are in the short form too.
        url = urlsplit(url)._replace(netloc=_netloc(urlsplit(url).netloc, host)).geturl()
    names = _names(item, "files", host)
    reason = _refusal(names, lambda _name: {"file": FileEvidence(url, content)})
    return ExpectedFile(url, content, names, _provider(item, provider), *(reason or (None, None)))


def read_name(name: str) -> str:
    """A name of the option `names` in lower case, with `*.` where it is a wildcard; an IP address in its short form.

    Raises:
        ValueError: it is no host name and no IP address.
    """
    plain = plain_host(name)
    if not is_dns_name(base_name(plain)) and not is_ip_address(plain):
        raise ValueError(f"names: {name!r} is no host name in ASCII; write a name with other letters as xn--…")
    return plain


def plain_host(name: str) -> str:
    """A name in lower case without the final dot; an IP address in its short form, as certificates carry it."""
    plain = plain_name(name)
    return str(ip_address(plain)) if is_ip_address(plain) else plain


def url_of(scheme: str, host: str, path: str = "") -> str:
    """The URL of a path at a host, which may be an IP address."""
    return f"{scheme}://{show_host(host)}{path}"


def _netloc(netloc: str, host: str) -> str:
    """The part of a URL before its path, with the short form of an IPv6 address in place of what is in brackets."""
    before, _bracket, rest = netloc.partition("[")
    return f"{before}[{host}{rest[rest.index(']') :]}"


def _refusal(names: tuple[str, ...], parts: t.Callable[[str], dict[str, t.Any]]) -> tuple[str, str] | None:
    """Why no CA would accept this for one of the names, by the rules that publishing has as well."""
    for name in names:
        evidence = checked(NameEvidence(name, OrderReference("", ""), **parts(name)))
        if evidence.problem is not None:
            return evidence.problem, evidence.message or ""
    return None


def _text(item: t.Any, key: str, option: str) -> str:
    if not isinstance(item, dict):
        raise ValueError(f"{option}: each entry must be a dictionary as order_dcv_info returns it")
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{option}: an entry has no {key}")
    return value


def _names(item: dict[str, t.Any], option: str, default: str) -> tuple[str, ...]:
    names = item.get("names") or [default]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{option}: names must be a list of texts")
    return tuple(dict.fromkeys(read_name(name) for name in names))


def _provider(item: dict[str, t.Any], default: str | None) -> str | None:
    orders = item.get("orders")
    if isinstance(orders, list) and orders and isinstance(orders[0], dict):
        named = orders[0].get("provider")
        return named if isinstance(named, str) else default
    return default
