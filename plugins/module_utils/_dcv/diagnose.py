# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole look: which checks, side by side, within the time that is given; and what they come to.

Private to this collection.
"""

from __future__ import annotations

import datetime
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from .._common.evidence import base_name
from .._common.names import is_ip_address
from .caa import check_name
from .delegation import Walker
from .dns import PORT, TRY_TIMEOUT, Client, system_resolvers
from .evidence import ExpectedFile, ExpectedRecord, url_of
from .files import addresses_of, check_file
from .findings import FATAL, WARNING, Finding, NotTested, Reason, arrange, shorten
from .look import Look, Outcome
from .network import AddressMap, Deadline, DeadlinePassed, Endpoint, parse_endpoint
from .records import check_record
from .reported import ReportedName, check_reported, check_waiting
from .rules import CaRules, rules_for
from .web import FETCH_TIMEOUT, Fetcher, FetchError

#: Names that are looked at side by side.
MAX_THREADS = 16
#: Seconds between two looks of one wait.
LOOK_INTERVAL = 10.0


@dataclass(frozen=True)
class Request:
    """What to look for, and how.

    Arguments:
        names: looked at without evidence: CAA, DNSSEC, reachability.
        reported: names of orders, as far as more is known of them.
        provider: whose CA is meant by `names`.
        resolvers: `address` or `address:port`; none: those of this host.
        address_map: endpoint to endpoint.
        caa_issuers: issuer names that count instead of the provider's.
        timeout: seconds for one look.
        try_timeout: seconds for one try of one question.
        fetch_timeout: seconds for one connection, and for what follows on it.
    """

    records: tuple[ExpectedRecord, ...] = ()
    files: tuple[ExpectedFile, ...] = ()
    names: tuple[str, ...] = ()
    reported: tuple[ReportedName, ...] = ()
    provider: str | None = None
    resolvers: tuple[str, ...] = ()
    address_map: t.Mapping[str, str] = field(default_factory=dict)
    caa_issuers: tuple[str, ...] = ()
    timeout: float = 60.0
    try_timeout: float = TRY_TIMEOUT
    fetch_timeout: float = FETCH_TIMEOUT


@dataclass(frozen=True)
class Diagnosis:
    """What one look came to."""

    findings: tuple[Finding, ...]
    not_tested: tuple[NotTested, ...]
    visible_by_name: t.Mapping[str, bool]

    @property
    def visible(self) -> bool:
        """Whether the CA sees the evidence of every name, and may issue."""
        return all(self.visible_by_name.values())

    @property
    def may_heal(self) -> bool:
        """Whether time may mend all that is fatal."""
        return all(item.retry_after is not None for item in self.findings if item.severity == FATAL)

    def to_dict(self) -> dict[str, t.Any]:
        """The diagnosis as plain data."""
        return {
            "visible": self.visible,
            "findings": [item.to_dict() for item in self.findings],
            "not_tested": [item.to_dict() for item in self.not_tested],
            "by_name": {name: self._name_to_dict(name) for name in self.visible_by_name},
        }

    def _name_to_dict(self, name: str) -> dict[str, t.Any]:
        own = [item for item in self.findings if item.name == name]
        return {
            "visible": self.visible_by_name[name],
            "codes": list(dict.fromkeys(item.code for item in own)),
            "severity": own[0].severity if own else None,
            "advice": own[0].advice if own else None,
            "tested": not any(item.name == name for item in self.not_tested),
        }


def resolver_endpoints(resolvers: t.Sequence[str]) -> tuple[Endpoint, ...]:
    """The endpoints of resolvers; those of this host where none are given.

    Raises:
        ValueError: one is no `address` or `address:port`.
    """
    return tuple(parse_endpoint(text, PORT) for text in resolvers or system_resolvers())


def diagnose(
    request: Request,
    now: t.Callable[[], float] = time.time,
    record: t.Callable[[str, str, str], None] | None = None,
) -> Diagnosis:
    """Look once at everything.

    Arguments:
        now: seconds since 1970, for signatures.
        record: called with (address, name, type) for each DNS question that is sent.

    Raises:
        ValueError: a resolver or the address map cannot be read.
    """
    address_map = AddressMap(request.address_map)
    deadline = Deadline(request.timeout)
    client = Client(address_map, deadline, request.try_timeout, record)
    look = Look(client, Walker(client), deadline, resolver_endpoints(request.resolvers), now, request.caa_issuers)
    fetcher = Fetcher(address_map, deadline, request.fetch_timeout)
    checks = _checks(request, look, fetcher)
    with ThreadPoolExecutor(min(MAX_THREADS, max(1, len(checks)))) as pool:
        outcomes = list(pool.map(_run, checks))
    present = datetime.datetime.fromtimestamp(now(), datetime.timezone.utc)
    return with_reported(summarize(outcomes), request.reported, present)


@dataclass(frozen=True)
class _Check:
    """One check, and what it is about."""

    names: tuple[str, ...]
    subject: str
    run: t.Callable[[Outcome], None]


def _run(check: _Check) -> Outcome:
    """What came of a check, as far as it got."""
    outcome = Outcome(check.names)
    try:
        check.run(outcome)
    except DeadlinePassed:
        outcome.untested(check.subject, Reason.DEADLINE, "the time for the look was over")
    except Exception as exc:
        # A defect in one check must not lose what the others have found. It is reported for each name of the check.
        detail = f"the check ended with {type(exc).__name__}: {shorten(str(exc))}; please report this as a bug"
        outcome.untested(check.subject, Reason.CHECK_FAILED, detail)
        outcome.visible = False
    return outcome


def _checks(request: Request, look: Look, fetcher: Fetcher) -> list[_Check]:
    """All checks: records and files first, each name's permission to issue, and reachability before an order."""
    checks = [_Check(item.names, item.subject, partial(check_record, look, item)) for item in request.records]
    checks += [_Check(item.names, item.url, partial(check_file, look, fetcher, item)) for item in request.files]
    for name, rules in _permissions(request):
        run = partial(check_name, look, name, rules, name in request.names)
        checks.append(_Check((name,), f"CAA {base_name(name)}", run))
    for name in request.names:
        if not name.startswith("*."):
            checks.append(_Check((name,), url_of("http", name), partial(check_reachable, look, fetcher, name)))
    return checks


def _permissions(request: Request) -> list[tuple[str, CaRules]]:
    """Each name with the rules of each CA that is to issue for it: the provider and the kind of evidence show which.

    Two orders may have one name validated by two CAs, and each needs its own permission. A CA has nothing to look up
    for an IP address.
    """
    found: dict[tuple[str, frozenset[str]], CaRules] = {}

    def add(names: t.Iterable[str], rules: CaRules) -> None:
        for name in names:
            if not is_ip_address(base_name(name)):
                found.setdefault((name, frozenset(request.caa_issuers or rules.issuers)), rules)

    for record in request.records:
        add(record.names if record.problem is None else (), rules_for(record.provider, record.type))
    for file in request.files:
        add(file.names if file.problem is None else (), rules_for(file.provider, file.file_name))
    with_evidence = {name for name, _issuers in found}
    add((name for name in request.names if name not in with_evidence), rules_for(request.provider))
    return [(name, rules) for (name, _issuers), rules in found.items()]


def check_reachable(look: Look, fetcher: Fetcher, name: str, outcome: Outcome) -> None:
    """Find out whether a file could be seen, before anything is ordered. DNS would do, so that nothing here is fatal.

    Raises:
        DeadlinePassed: the time for the whole look is over.
    """
    subject = url_of("http", name)
    for address in addresses_of(look, outcome, subject, name, WARNING):
        try:
            fetcher.connect(address, "http")
        except FetchError as exc:
            if exc.kind == "no_route":
                outcome.untested(f"{subject} at {address}", Reason.NO_IPV6_HERE, str(exc))
                continue
            code = "connect_timeout" if exc.kind == "timeout" else "port_closed"
            outcome.found(code, subject, where=address, seen=str(exc), kind="80", severity=WARNING)
    outcome.visible = not outcome.fatal


def summarize(outcomes: t.Sequence[Outcome]) -> Diagnosis:
    """All outcomes as one diagnosis. A name is visible where all its checks say so and nothing fatal was found."""
    findings = arrange(item for outcome in outcomes for item in outcome.findings)
    fatal = {item.name for item in findings if item.severity == FATAL}
    visible: dict[str, bool] = {}
    for outcome in outcomes:
        for name in outcome.names:
            visible[name] = visible.get(name, True) and outcome.visible and name not in fatal
    not_tested = dict.fromkeys(item for outcome in outcomes for item in outcome.not_tested)
    return Diagnosis(tuple(findings), tuple(not_tested), visible)


def with_reported(seen: Diagnosis, reported: t.Sequence[ReportedName], now: datetime.datetime) -> Diagnosis:
    """A diagnosis with what follows from the orders themselves. A name whose value is not known is not visible."""
    added = [item for one in reported for item in check_reported(one, now)]
    fatal = {item.name: False for item in added if item.severity == FATAL}
    visible = {**seen.visible_by_name, **fatal}
    findings = [*seen.findings, *added]
    waiting = [one for one in reported if visible.get(one.name)]
    findings += [item for one in waiting for item in check_waiting(one, findings)]
    return Diagnosis(tuple(arrange(findings)), seen.not_tested, visible)


def diagnose_until_visible(
    request: Request,
    wait: float,
    look: t.Callable[[Request], Diagnosis] = diagnose,
    clock: t.Callable[[], float] = time.monotonic,
    sleep: t.Callable[[float], None] = time.sleep,
) -> Diagnosis:
    """Look again until all is visible, nothing that is fatal can heal by itself, or the time to wait is over.

    Arguments:
        wait: seconds; 0 looks once.
    """
    end = clock() + wait
    while True:
        result = look(request)
        left = end - clock()
        if result.visible or not result.may_heal or left <= 0:
            return result
        sleep(min(LOOK_INTERVAL, left))
