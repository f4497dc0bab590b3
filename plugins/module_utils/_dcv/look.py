# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look: what all checks share, and what they return; and the checks of a zone that every name in it needs.

Source: docs/providers/dcv/rules-and-diagnosis.md, section 4, rows 8 to 13.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from .._common.evidence import is_within
from .delegation import Server, Walker, Zone
from .dns import Client, key_problem, signature_problems
from .findings import FATAL, WARNING, Finding, NotTested, Reason, finding
from .network import Deadline, Endpoint, show_endpoint
from .replies import Reply, Status

_FAILURES = {
    Status.TIMEOUT: "gives no answer",
    Status.UNREACHABLE: "does not listen",
    Status.NO_ROUTE: "cannot be reached from here",
    Status.SERVFAIL: "answers SERVFAIL",
    Status.REFUSED: "answers REFUSED",
    Status.MALFORMED: "answers what is no DNS message",
    Status.OTHER_ERROR: "answers with an error",
}


@dataclass(frozen=True)
class Look:
    """What the checks of one look share.

    Arguments:
        resolvers: asked after the authoritative servers, in this order until one answers.
        now: seconds since 1970, for signatures.
        caa_issuers: issuer names that count instead of the provider's.
    """

    client: Client
    walker: Walker
    deadline: Deadline
    resolvers: tuple[Endpoint, ...]
    now: t.Callable[[], float]
    caa_issuers: tuple[str, ...] = ()

    def query_resolver(self, name: str, kind: str, checking_disabled: bool = False) -> tuple[str, Reply] | None:
        """The first resolver that says anything, and what; None where none does."""
        for address, port in self.resolvers:
            reply = self.client.query(address, name, kind, port, recursion=True, checking_disabled=checking_disabled)
            if reply.answered or reply.status == Status.SERVFAIL:
                return show_endpoint(address, port), reply
        return None


@dataclass
class Outcome:
    """What came of one check.

    Arguments:
        names: the names on orders that it was made for.
        visible: the CA sees what it looks for here.
    """

    names: tuple[str, ...]
    visible: bool = False
    findings: list[Finding] = field(default_factory=list)
    not_tested: list[NotTested] = field(default_factory=list)

    def found(self, code: str, subject: str, **details: t.Any) -> None:
        """Add a finding for each name."""
        self.findings.extend(finding(code, name, subject, **details) for name in self.names)

    def untested(self, subject: str, reason: str, detail: str | None = None) -> None:
        """Add for each name that a test could not be made."""
        self.not_tested.extend(NotTested(name, subject, reason, detail) for name in self.names)

    @property
    def fatal(self) -> bool:
        """Whether anything found keeps every CA from issuing."""
        return any(item.severity == FATAL for item in self.findings)


@dataclass(frozen=True)
class View:
    """What one server of a zone answers. `failure` is a phrase; None where its answer counts."""

    server: Server
    reply: Reply | None
    failure: str | None = None


def views_of(look: Look, zone: Zone, name: str, kind: str) -> list[View]:
    """What each server of a zone answers to one question."""
    return [_view(look, server, name, kind) for server in zone.servers]


def _view(look: Look, server: Server, name: str, kind: str) -> View:
    if server.address is None:
        return View(server, None, "has no address")
    reply = look.client.query(server.address, name, kind)
    if not reply.answered:
        return View(server, reply, _FAILURES[reply.status])
    if not reply.authoritative:
        return View(server, reply, "does not know the zone (lame delegation)")
    return View(server, reply)


def _shown(zone: Zone) -> str:
    return zone.name or "."


def check_servers(outcome: Outcome, zone: Zone, views: t.Sequence[View]) -> list[View]:
    """Report the servers that do not answer, and return the views that count; none where all are dead."""
    usable = [view for view in views if view.failure is None]
    no_route = [view for view in views if view.reply is not None and view.reply.status == Status.NO_ROUTE]
    for view in no_route:
        outcome.untested(view.server.name, Reason.NO_IPV6_HERE, f"{view.server.name} {view.failure}")
    failed = [view for view in views if view.failure is not None and view not in no_route]
    severity = WARNING if usable or no_route else FATAL
    for view in failed:
        outcome.found(
            "server_unreachable", _shown(zone), where=view.server.name, seen=f"{view.server.name} {view.failure}",
            severity=severity, zone=_shown(zone),
        )  # fmt: skip
    return usable


def check_signatures(look: Look, outcome: Outcome, zone: Zone, reply: Reply) -> None:
    """Report keys and signatures that do not hold, where the parent zone says that this one is signed."""
    if zone.signers is None:
        return
    keys = look.walker.query_zone(zone, zone.name, "DNSKEY")
    if keys is None:
        problem: str | None = f"no server answers the question for the keys of {zone.name}"
    else:
        problem = key_problem(zone.name, zone.signers, keys, look.now())
        problem = problem or _answer_problem(look, outcome, zone, reply, keys)
    if problem:
        outcome.found("dnssec_bogus", _shown(zone), where=zone.name, seen=problem, zone=zone.name)


def _answer_problem(look: Look, outcome: Outcome, zone: Zone, reply: Reply, keys: Reply) -> str | None:
    """What is wrong with the signatures of an answer, as one phrase. Its keys hold.

    Servers that hold a zone and one below it answer for both with authority. What is of the lower zone is judged by
    the keys of that zone. Servers are asked for it only where a signature does not hold, which spares the plain case.
    """
    judged: list[str] = []
    for owner, problem in signature_problems(zone.name, reply, keys, look.now()):
        if any(is_within(owner, lower) for lower in judged):
            continue
        lower = look.walker.cut_on_same_servers(zone, owner)
        if lower is None:
            return problem
        judged.append(lower.name)
        check_signatures(look, outcome, lower, reply)
    return None


def child_servers(look: Look, zone: Zone) -> list[str]:
    """The names of the servers that a zone itself lists; none where it does not answer."""
    reply = look.walker.query_zone(zone, zone.name, "NS")
    return sorted(record.text for record in reply.of(zone.name, "NS")) if reply is not None else []


def check_delegation(look: Look, outcome: Outcome, zone: Zone, severity: str = WARNING) -> None:
    """Report where the parent zone and the zone itself list different servers."""
    if zone.parent is None:
        return
    listed = child_servers(look, zone)
    delegated = sorted(server.name for server in zone.servers)
    if listed and listed != delegated:
        outcome.found(
            "delegation_differs", _shown(zone), where=zone.parent or ".", expected=", ".join(delegated),
            seen=", ".join(listed), severity=severity, zone=zone.name,
        )  # fmt: skip
