# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a CA sees a file on the web servers of a name, and why not.

Each address is asked by itself. Redirects are followed as the rules of the CA say, and never to a private address.
Source: docs/providers/dcv/rules-and-diagnosis.md, sections 2, 4 and 9, and sections 4 and 5 of the DCV sheets.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from .._common.evidence import ancestors, is_dns_name, is_within, plain_name
from .._common.names import is_ip_address
from .delegation import DnsBlocked, DnsIntercepted
from .evidence import ExpectedFile, plain_host, url_of
from .findings import FATAL, MAX_BODY_SHOWN, NOTE, WARNING, Reason, shorten
from .look import Look, Outcome, check_delegation, check_servers, check_signatures, views_of
from .network import is_private
from .replies import Reply
from .rules import CaRules, rules_for
from .web import MAX_BODY, NEUTRAL_AGENT, PORTS, Fetcher, FetchError, Page

_REDIRECTS = (301, 302, 303, 307, 308)
_BLOCKING = (401, 403, 406, 418, 429, 451, 503)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Fetched:
    """What one address makes of the file.

    Arguments:
        visible: the CA sees the file there.
        code: code of the finding; None where there is nothing to say.
        where: the URL at which it ended.
        kind: the port, where that is what is wrong.
    """

    visible: bool
    code: str | None = None
    severity: str = FATAL
    where: str = ""
    seen: str = ""
    kind: str = ""


class NoRoute(Exception):
    """This host has no way to an IPv6 address."""


def addresses_of(look: Look, outcome: Outcome, subject: str, host: str, severity: str = FATAL) -> list[str]:
    """The addresses of a host as the Internet sees them; none where that has been reported.

    Arguments:
        severity: of having none that the CA can reach.

    Raises:
        DeadlinePassed: the time for the whole look is over.
    """
    if is_ip_address(host):
        return _reachable(outcome, subject, host, [host], severity)
    try:
        return _addresses(look, outcome, subject, host, severity)
    except DnsBlocked:
        outcome.untested(f"A {host}", Reason.DNS_BLOCKED, "authoritative servers cannot be asked from here")
    except DnsIntercepted as exc:
        outcome.untested(f"A {host}", Reason.DNS_INTERCEPTED, f"{exc}; look from another host")
    return [address for address in _query_resolver(look, host) if not is_private(address)]


def _addresses(look: Look, outcome: Outcome, subject: str, host: str, severity: str) -> list[str]:
    zone = look.walker.find(host, "A")
    usable = check_servers(outcome, zone, views_of(look, zone, host, "A"))
    if not usable:
        return []
    check_signatures(look, outcome, zone, t.cast(Reply, usable[0].reply))
    check_delegation(look, outcome, zone)
    return _reachable(outcome, subject, host, _look_up(look, host), severity)


def _reachable(outcome: Outcome, subject: str, host: str, found: list[str], severity: str) -> list[str]:
    """The addresses that a CA can reach. Report that there is none, and those that are private."""
    public = [address for address in found if not is_private(address)]
    if not found:
        outcome.found("no_address", subject, where=host, severity=severity)
    elif len(public) < len(found):
        private = [address for address in found if is_private(address)]
        outcome.found(
            "address_private", subject, where=host, seen=", ".join(private), severity=WARNING if public else severity
        )
    return public


def _look_up(look: Look, host: str) -> list[str]:
    """All addresses of a host, IPv4 first, from the authoritative servers."""
    answers = [(kind, look.walker.follow(host, kind)) for kind in ("A", "AAAA")]
    return [address for kind, answer in answers if not answer.loop for address in answer.values(kind)]


def _query_resolver(look: Look, host: str) -> list[str]:
    """All addresses of a host, IPv4 first, as a resolver says."""
    found: list[str] = []
    for kind in ("A", "AAAA"):
        answer = look.query_resolver(host, kind)
        found += [record.text for record in answer[1].answers if record.type == kind] if answer else []
    return found


def check_file(look: Look, fetcher: Fetcher, expected: ExpectedFile, outcome: Outcome) -> None:
    """Look for one file as its CA does, and put what is found into the outcome.

    Raises:
        DeadlinePassed: the time for the whole look is over.
    """
    if expected.problem is not None:
        outcome.found(expected.problem, expected.url, where=expected.url, seen=expected.message)
        return
    rules = rules_for(expected.provider, expected.file_name)
    results: dict[str, Fetched] = {}
    for address in addresses_of(look, outcome, expected.url, expected.host):
        try:
            results[address] = FileLook(look, fetcher, expected, rules, address).result()
        except NoRoute:
            outcome.untested(f"{expected.url} at {address}", Reason.NO_IPV6_HERE, f"there is no way to {address}")
    _report(expected, results, outcome)
    outcome.visible = bool(results) and all(result.visible for result in results.values()) and not outcome.fatal


def _report(expected: ExpectedFile, results: t.Mapping[str, Fetched], outcome: Outcome) -> None:
    if len({result.visible for result in results.values()}) > 1:
        parts = [f"{address}: {result.code if not result.visible else 'ok'}" for address, result in results.items()]
        lacking = ", ".join(address for address, result in results.items() if not result.visible)
        outcome.found("address_differs", expected.url, where=lacking, expected=expected.url, seen=", ".join(parts))
        return
    for address, result in results.items():
        if result.code is not None:
            outcome.found(
                result.code, expected.url, where=result.where or address, expected=expected.content,
                seen=result.seen, severity=result.severity, kind=result.kind,
            )  # fmt: skip
            return


class FileLook:
    """The look for one file at one address."""

    def __init__(self, look: Look, fetcher: Fetcher, expected: ExpectedFile, rules: CaRules, address: str) -> None:
        self._look = look
        self._fetcher = fetcher
        self._expected = expected
        self._rules = rules
        self._address = address

    def result(self) -> Fetched:
        """What the CA makes of the file.

        Raises:
            NoRoute: this host has no way to the address.
        """
        first = self._by(self._expected.scheme)
        if first.visible or self._expected.scheme == "https":
            return first
        second = self._by("https", direct=True)
        if not second.visible:
            return first
        severity = WARNING if self._rules.tries_https else FATAL
        return Fetched(self._rules.tries_https, "https_only", severity, self._expected.url, first.seen)

    def _by(self, scheme: str, direct: bool = False) -> Fetched:
        agent = self._rules.agent or NEUTRAL_AGENT
        result = self._follow(scheme, agent)
        if result.code == "http_status" and self._rules.agent is not None and not direct:
            if result.seen in [f"status {status}" for status in _BLOCKING]:
                if self._follow(scheme, NEUTRAL_AGENT).visible:
                    return replace(result, code="agent_blocked", severity=WARNING)
        return result

    def _follow(self, scheme: str, agent: str) -> Fetched:
        """Fetch, and follow redirects as far as the CA does."""
        url = url_of(scheme, self._expected.host, self._expected.path)
        address, warning = self._address, None
        hops = 0
        while True:
            parts = urlsplit(url)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            try:
                page = self._fetcher.fetch(
                    address, parts.scheme, plain_name(parts.hostname or ""), target or "/", agent
                )
            except FetchError as exc:
                return self._no_answer(exc, url, parts.scheme, address)
            if page.status not in _REDIRECTS:
                result = self._judge(page, url)
                return replace(warning, where=url) if warning is not None and result.visible else result
            hops += 1
            location, readable = _target(url, page.header("Location"))
            if not readable:
                return Fetched(False, "redirect_forbidden", FATAL, url, shorten(f"{page.status} to {location}"))
            refusal = self._refusal(page.status, location, hops)
            if refusal is not None and refusal.severity == FATAL:
                return replace(refusal, where=url, seen=shorten(f"{page.status} to {location}"))
            if refusal is not None:
                warning = replace(refusal, seen=shorten(f"{page.status} to {location}"))
            following = self._address_for(location)
            if following is None:
                return Fetched(False, "redirect_forbidden", FATAL, url, shorten(f"{page.status} to {location}"))
            url, address = location, following

    def _no_answer(self, exc: FetchError, url: str, scheme: str, address: str) -> Fetched:
        if exc.kind == "no_route":
            raise NoRoute from exc
        if exc.kind == "timeout":
            return Fetched(False, "connect_timeout", FATAL, address, str(exc))
        if exc.kind == "closed":
            return Fetched(False, "port_closed", FATAL, address, str(exc), kind=str(PORTS[scheme]))
        return Fetched(False, "http_status", FATAL, url, str(exc))

    def _refusal(self, status: int, location: str, hops: int) -> Fetched | None:
        """What the CA has against a redirect; a warning where only its documentation is stricter than its code."""
        parts = urlsplit(location)
        forbidden = (
            self._rules.lenient_redirects == 0
            or parts.scheme not in PORTS
            or parts.port not in (None, PORTS.get(parts.scheme))
            or parts.username is not None
            or status == 303
            or not self._same_domain(plain_host(parts.hostname or ""))
        )
        if forbidden:
            return Fetched(False, "redirect_forbidden")
        if hops > self._rules.lenient_redirects:
            return Fetched(False, "redirect_too_many")
        if status not in self._rules.redirect_statuses:
            return Fetched(True, "redirect_forbidden", WARNING)
        if hops > self._rules.max_redirects:
            return Fetched(True, "redirect_too_many", WARNING)
        return None

    def _same_domain(self, host: str) -> bool:
        """Whether a host is in the same registrable domain. The zone stands for it: no public suffix list is asked."""
        if is_ip_address(host) or is_ip_address(self._expected.host):
            return host == self._expected.host
        try:
            domain = self._look.walker.find(self._expected.host, "A").name
        except (DnsBlocked, DnsIntercepted):
            domain = ancestors(self._expected.host)[-1]
        return is_within(host, domain)

    def _address_for(self, location: str) -> str | None:
        """Where to fetch the target of a redirect: never a private address."""
        host = plain_host(urlsplit(location).hostname or "")
        if host == self._expected.host:
            return self._address
        try:
            found = _look_up(self._look, host)
        except (DnsBlocked, DnsIntercepted):
            found = _query_resolver(self._look, host)
        return found[0] if found and not any(is_private(address) for address in found) else None

    def _judge(self, page: Page, url: str) -> Fetched:
        if not 200 <= page.status < 300:
            return Fetched(False, "http_status", FATAL, url, f"status {page.status}")
        kind, match = classify(page, self._expected.content, self._rules)
        if not match:
            return Fetched(False, "file_wrong_content", FATAL, url, f"{kind}: {_shown(page.body)}")
        if page.status != 200:
            return Fetched(True, "http_status", WARNING, url, f"status {page.status}")
        if kind is not None:
            return Fetched(True, "file_wrong_content", NOTE, url, f"{kind}: {_shown(page.body)}")
        return Fetched(True)


def _target(url: str, location: str) -> tuple[str, bool]:
    """Where a redirect leads, and whether that is a URL of a host that can stand in DNS, or of an address."""
    try:
        target = urljoin(url, location)
        parts = urlsplit(target)
        # urlsplit looks at the port only when it is read: one that is no number is an error here.
        _port = parts.port
        host = plain_name(parts.hostname or "")
    except ValueError:
        return location, False
    return target, is_dns_name(host) or is_ip_address(host)


def _shown(body: bytes) -> str:
    return shorten(body.decode("utf-8", "replace"), MAX_BODY_SHOWN)


def classify(page: Page, content: str, rules: CaRules) -> tuple[str | None, bool]:
    """What is unusual about a body, in one word or None, and whether it counts as the expected content."""
    body = page.body
    if page.header("Content-Encoding") not in ("", "identity") or body.startswith(b"\x1f\x8b"):
        return "encoded", False
    if not body.strip():
        return "empty", False
    text = body[:MAX_BODY].decode("utf-8", "replace")
    without_bom = text[1:] if body.startswith(_BOM) else text
    if rules.contains:
        counts = "\n".join(_lines(content)) in "\n".join(_lines(text))
    else:
        counts = _same_lines(_lines(content.lower()), _lines(without_bom.lower()), rules)
    if counts:
        return _oddity(body, content, without_bom), True
    return _fault(page, text, without_bom, content), False


def _oddity(body: bytes, content: str, without_bom: str) -> str | None:
    if body.startswith(_BOM):
        return "bom"
    if "\r\n" in without_bom and "\r\n" not in content and "\n" in content.strip():
        return "crlf"
    return None


def _fault(page: Page, text: str, without_bom: str, content: str) -> str:
    lowered = text.lower()
    if "<html" in lowered or "<!doctype" in lowered:
        return "html"
    wanted, found = ("\n".join(_lines(part.lower())) for part in (content, without_bom))
    if not page.complete or len(page.body) > MAX_BODY or (found and wanted.startswith(found)):
        return "truncated"
    return "other_token"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _same_lines(wanted: list[str], found: list[str], rules: CaRules) -> bool:
    """Whether all lines are the same; each domain of the CA counts as the other ones."""
    return [_line(line, rules) for line in wanted] == [_line(line, rules) for line in found]


def _line(line: str, rules: CaRules) -> str:
    return rules.other_domains[0] if line in rules.other_domains else line
