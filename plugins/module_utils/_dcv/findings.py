# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The closed list of findings: what each code means, how bad it is, what it hides, and what to do.

Pure data and functions. Source: docs/providers/dcv/rules-and-diagnosis.md, sections 4 and 9.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import asdict, dataclass

FATAL = "fatal"
WARNING = "warning"
NOTE = "note"
_SEVERITIES = (FATAL, WARNING, NOTE)

#: Characters of a value or phrase that are shown; a CNAME target of a CA fits.
MAX_SHOWN = 200
#: Characters of a file that are shown.
MAX_BODY_SHOWN = 80


class Reason:
    """Why something could not be tested."""

    DNS_BLOCKED = "dns_blocked"
    DNS_INTERCEPTED = "dns_intercepted"
    NO_IPV6_HERE = "no_ipv6_here"
    DEADLINE = "deadline"
    CHECK_FAILED = "check_failed"


@dataclass(frozen=True)
class Code:
    """What one code means.

    Arguments:
        stage: place in the chain of causes: what lies on the way to what is lower.
        severity: where the case at hand says nothing else.
        advice: one sentence: what to do. Words in braces are filled in.
        hides: codes that are mere consequences when they are about the same subject.
        heals: seconds after which another look makes sense, because time may mend it; None where it will not.
    """

    stage: int
    severity: str
    advice: str
    hides: frozenset[str] = frozenset()
    heals: int | None = None


_LOOKS = frozenset(["negative_cache", "resolver_differs"])
_UNSEEN = frozenset(["record_missing", "scope_wrong"])

CODES: dict[str, Code] = {
    # 0: the evidence itself
    "evidence_refused": Code(0, FATAL, "Do not publish it; ask the provider for evidence of this name."),
    "token_unknown": Code(0, FATAL, "Ask the provider again; it gave no value to publish.", heals=300),
    "token_expired": Code(0, FATAL, "Fetch a new value from the provider and publish that."),
    "token_stale": Code(0, FATAL, "The value belongs to a former CSR; fetch the present one and publish that."),
    "wildcard_needs_dns": Code(
        0, FATAL, "Change the method to DNS: no CA accepts a file for a wildcard name.", frozenset(["no_address"])
    ),
    "method_sunset": Code(0, NOTE, "Change to a DNS method: e-mail validation ends on 2028-03-15."),
    # 1: the way to the name servers
    "server_unreachable": Code(
        1, WARNING, "Let the DNS host repair {where}, or remove it from the delegation of {zone}.",
        _LOOKS | _UNSEEN | {"caa_lookup_failed", "no_address", "dnssec_bogus"}, heals=60,
    ),
    "delegation_differs": Code(
        1, WARNING, "{zone} is delegated to {expected}, not to {seen}: publish there, or correct the delegation.",
        _UNSEEN | _LOOKS | {"record_wrong_name"},
    ),
    "dnssec_bogus": Code(
        1, FATAL, "Sign {zone} again, or remove its DS record at the parent zone.",
        _LOOKS | {"caa_lookup_failed", "partial_propagation"},
    ),
    # 2: the record
    "cname_conflict": Code(
        2, FATAL, "Remove the other record at {where}, or use another method: a CNAME must stand alone.",
        _UNSEEN | _LOOKS | {"record_wrong_value", "record_wrong_type"},
    ),
    "record_wrong_type": Code(2, FATAL, "Publish {expected} as a record of type {kind}.", _UNSEEN | _LOOKS),
    "target_suffix_appended": Code(
        2, FATAL, "Add the final dot to the target: the zone was appended to it.",
        _UNSEEN | _LOOKS | {"record_wrong_value"},
    ),
    "record_wrong_name": Code(
        2, FATAL, "The record stands at {seen}: enter only {label} as its name in the form of this DNS host.",
        _UNSEEN | _LOOKS,
    ),
    "scope_wrong": Code(
        2, FATAL, "The record stands at {seen}; the CA looks at {where}: publish it there.",
        frozenset(["record_missing"]) | _LOOKS,
    ),
    "record_wrong_value": Code(2, FATAL, "Replace the value by exactly {expected}.", _UNSEEN | _LOOKS),
    "partial_propagation": Code(
        2, WARNING, "Wait until all name servers have it, or let the DNS host mend {where}.", _UNSEEN | _LOOKS, heals=30
    ),
    "record_missing": Code(2, FATAL, "Publish {kind} {where} with the value {expected}{underscore}.", _LOOKS, heals=30),
    # 3: what a resolver makes of it
    "resolver_differs": Code(3, WARNING, "This resolver sees another zone than the Internet; do not judge by it."),
    "negative_cache": Code(3, WARNING, "Wait {wait} s: the resolver remembers that the record was not there."),
    # 4: permission
    "caa_lookup_failed": Code(
        4, WARNING, "Let the DNS host of {zone} answer questions for CAA records.", frozenset(["caa_forbids"]), heals=60
    ),
    "caa_forbids": Code(4, FATAL, 'Add the record {where} CAA 0 {kind} "{expected}", or remove the others there.'),
    # 5: the file
    "no_address": Code(5, FATAL, "Give {where} an address, or use a DNS method."),
    "address_private": Code(5, FATAL, "The CA cannot reach {seen}: publish a public address, or use a DNS method."),
    "port_closed": Code(5, FATAL, "Open port {kind} at {where}, or use a DNS method.", heals=60),
    "connect_timeout": Code(5, FATAL, "Let {where} answer from everywhere, or use a DNS method.", heals=60),
    "address_differs": Code(
        5, FATAL, "Serve the same file at all addresses of the name, or remove the addresses that lack it.",
        frozenset(["port_closed", "connect_timeout", "http_status", "file_wrong_content", "redirect_forbidden",
                   "redirect_too_many", "https_only"]),
    ),
    "agent_blocked": Code(
        6, WARNING, "Allow the user agent of the CA at the firewall of the web server.", frozenset(["http_status"])
    ),
    "https_only": Code(
        5, FATAL, "Serve the file by http as well, without a redirect.",
        frozenset(["http_status", "redirect_forbidden", "redirect_too_many", "port_closed", "connect_timeout",
                   "file_wrong_content"]),
    ),
    "redirect_forbidden": Code(6, FATAL, "Exempt {where} from the redirect.", frozenset(["http_status"])),
    "redirect_too_many": Code(6, FATAL, "Serve the file where the CA looks first.", frozenset(["http_status"])),
    "http_status": Code(6, FATAL, "Serve the file with status 200 at {where}.", heals=30),
    "file_wrong_content": Code(6, FATAL, "Write exactly the given content to the file.", heals=30),
    # 7: views and time
    "perspective_differs": Code(7, WARNING, "Let all countries reach it: the CA looks from several places."),
    "removed_too_early": Code(7, WARNING, "Publish it again and leave it until the certificate is issued."),
    "polling_stopped": Code(7, WARNING, "Ask the provider to look now: it no longer looks by itself."),
    "order_deadline": Code(7, WARNING, "Finish the validation soon: the provider cancels the order."),
    "ok_waiting": Code(7, NOTE, "All is seen; the CA has to look."),
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One thing that keeps the CA from seeing the evidence.

    Arguments:
        name: the name on the order.
        subject: the record or URL it is about.
        where: the server, owner or address where it was seen.
        retry_after: seconds after which another look makes sense; None where time will not mend it.
    """

    code: str
    severity: str
    name: str
    subject: str
    where: str | None
    expected: str | None
    seen: str | None
    advice: str
    retry_after: int | None = None

    def to_dict(self) -> dict[str, t.Any]:
        """The finding as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class NotTested:
    """One test that could not be made, and why. `detail` is a sentence or None."""

    name: str
    subject: str
    reason: str
    detail: str | None = None

    def to_dict(self) -> dict[str, t.Any]:
        """The entry as plain data."""
        return asdict(self)


def shorten(text: str, limit: int = MAX_SHOWN) -> str:
    """Text of a server, made printable and cut."""
    printable = "".join(character if 32 <= ord(character) < 127 else "?" for character in text)
    return printable if len(printable) <= limit else f"{printable[: limit - 3]}..."


def finding(
    code: str,
    name: str,
    subject: str,
    where: str | None = None,
    expected: str | None = None,
    seen: str | None = None,
    severity: str | None = None,
    retry_after: int | None = None,
    advice: str | None = None,
    **words: str,
) -> Finding:
    """One finding with the severity and advice of its code, where the case says nothing else.

    Raises:
        KeyError: the code is not in the closed list, or its advice needs a word that was not given.
    """
    known = CODES[code]
    shown = {
        "where": shorten(where or ""),
        "expected": shorten(expected or ""),
        "seen": shorten(seen or ""),
        **{key: shorten(word) for key, word in words.items()},
    }
    return Finding(
        code=code,
        severity=severity or known.severity,
        name=name,
        subject=subject,
        where=where,
        expected=None if expected is None else shorten(expected),
        seen=None if seen is None else shorten(seen),
        advice=advice or known.advice.format(**shown),
        retry_after=known.heals if retry_after is None else retry_after,
    )


def arrange(found: t.Iterable[Finding]) -> list[Finding]:
    """The findings without mere consequences and without doubles: causes first, then by severity."""
    unique: list[Finding] = []
    known = set()
    for item in found:
        # Two CAs may expect different things of one record.
        key = (item.code, item.severity, item.name, item.subject, item.where, item.expected)
        if key not in known:
            known.add(key)
            unique.append(item)
    kept = [item for item in unique if not any(_hides(other, item) for other in unique)]
    return sorted(kept, key=_order)


def _hides(cause: Finding, item: Finding) -> bool:
    """A warning is no cause of what is fatal, and each hides only what is about the same name."""
    return (
        item.code in CODES[cause.code].hides
        and cause.name == item.name
        and _SEVERITIES.index(cause.severity) <= _SEVERITIES.index(item.severity)
    )


def _order(item: Finding) -> tuple[int, int, int, str, str, str]:
    stage = CODES[item.code].stage
    return (
        stage,
        _SEVERITIES.index(item.severity),
        list(CODES).index(item.code),
        item.name,
        item.subject,
        item.where or "",
    )


def at_least(found: t.Iterable[Finding], severity: str) -> list[Finding]:
    """The findings that are as bad as this severity, or worse."""
    return [item for item in found if _SEVERITIES.index(item.severity) <= _SEVERITIES.index(severity)]
