# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a CA sees a record set, and why not.

Authoritative servers are asked first. A resolver is asked only once they have the record, so that the question puts no
negative answer into its cache. Source: docs/providers/dcv/rules-and-diagnosis.md, sections 4 and 9.

Private to this collection.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from .._common.evidence import ancestors, base_name, is_dns_name, is_within
from .delegation import DnsBlocked, DnsIntercepted, Zone, apex
from .evidence import ExpectedRecord
from .findings import CODES, FATAL, NOTE, WARNING, Reason
from .look import (
    Look,
    Outcome,
    View,
    check_delegation,
    check_servers,
    check_signatures,
    child_servers,
    views_of,
)
from .replies import Reply, Status
from .rules import CA_DOMAINS, CaRules, rules_for


@dataclass(frozen=True)
class Sight:
    """Where one owner was looked at, and what its servers have.

    Arguments:
        holding: the servers that have all values.
        lacking: the servers that answer and lack one.
        variant: a value that counts, but is not exactly the expected one.
    """

    owner: str
    zone: Zone
    usable: tuple[View, ...]
    holding: tuple[View, ...]
    lacking: tuple[View, ...]
    variant: str | None = None

    @property
    def seen(self) -> bool:
        """Whether a CA sees it: no majority of the servers lacks it."""
        return bool(self.holding) and len(self.lacking) * 2 <= len(self.usable)


def check_record(look: Look, expected: ExpectedRecord, outcome: Outcome) -> None:
    """Look for one record set as its CA does, and put what is found into the outcome.

    Raises:
        DeadlinePassed: the time for the whole look is over.
    """
    if expected.problem is not None:
        outcome.found(expected.problem, expected.subject, where=expected.fqdn, seen=expected.message)
        return
    rules = rules_for(expected.provider, expected.type)
    try:
        _check_authority(look, expected, rules, outcome)
    except DnsBlocked:
        outcome.untested(expected.subject, Reason.DNS_BLOCKED, "authoritative servers cannot be asked from here")
        _judge_by_resolver(look, expected, rules, outcome, report_missing=True)
    except DnsIntercepted as exc:
        outcome.untested(expected.subject, Reason.DNS_INTERCEPTED, f"{exc}; look from another host")
        _judge_by_resolver(look, expected, rules, outcome, report_missing=False)
    outcome.visible = outcome.visible and not outcome.fatal


def _check_authority(look: Look, expected: ExpectedRecord, rules: CaRules, outcome: Outcome) -> None:
    zone = look.walker.find(expected.fqdn, expected.type)
    views = views_of(look, zone, expected.fqdn, expected.type)
    usable = check_servers(outcome, zone, views)
    if not usable:
        return
    reply = t.cast(Reply, usable[0].reply)
    check_signatures(look, outcome, zone, reply)
    sight = _sight(look, expected, rules, expected.fqdn, zone, usable)
    if not sight.seen:
        other = _other_place(look, expected, rules)
        sight = other if other is not None else sight
    if sight.holding:
        check_delegation(look, outcome, sight.zone)
        _report_spread(look, expected, sight, outcome)
        outcome.visible = sight.seen
        if sight.seen and not outcome.fatal:
            _check_resolver(look, expected, rules, sight.owner, outcome)
        return
    if _check_other_servers(look, expected, rules, zone, outcome):
        return
    check_delegation(look, outcome, zone)
    Explanation(look, expected, rules, zone, reply, outcome).report()


def _sight(
    look: Look, expected: ExpectedRecord, rules: CaRules, owner: str, zone: Zone, usable: t.Sequence[View]
) -> Sight:
    holding, lacking, variant = [], [], None
    for view in usable:
        values = _values(look, t.cast(Reply, view.reply), owner, expected.type)
        matches = [best_match(expected.type, value, values, rules) for value in expected.values]
        if None in matches:
            lacking.append(view)
        else:
            holding.append(view)
            variant = variant or next((match for match in matches if match and match not in expected.values), None)
    return Sight(owner, zone, tuple(usable), tuple(holding), tuple(lacking), variant)


def _values(look: Look, reply: Reply, owner: str, kind: str) -> list[str]:
    """The values that a server has at an owner, through a CNAME where the type is another one."""
    if kind == "CNAME":
        return [record.text for record in reply.of(owner, "CNAME")]
    target = next((record.text for record in reply.of(owner, "CNAME")), None)
    if target is None:
        return [record.text for record in reply.of(owner, kind)]
    followed = look.walker.follow(target, kind)
    return [] if followed.loop else followed.values(kind)


def best_match(kind: str, value: str, values: t.Sequence[str], rules: CaRules) -> str | None:
    """The value that counts as the expected one for this CA, an equal one first; None where none does."""
    if value in values:
        return value
    if kind == "CNAME":
        return next((item for item in values if item in _targets(value, rules)), None)
    return next((item for item in values if value in item), None) if rules.contains else None


def _targets(value: str, rules: CaRules) -> list[str]:
    """The targets that count as well: the same one under another domain of the CA."""
    domain = next((item for item in rules.other_domains if value.endswith(f".{item}")), None)
    return [value[: -len(domain)] + item for item in rules.other_domains] if domain else []


def _other_place(look: Look, expected: ExpectedRecord, rules: CaRules) -> Sight | None:
    """The record at another owner at which this CA looks too; None where it is not seen there."""
    first, _dot, parent = expected.fqdn.partition(".")
    owners = [parent] if expected.type == "TXT" and rules.at_name and first.startswith("_") else []
    if expected.type == "CNAME" and rules.parents:
        owners = [f"{first}.{name}" for name in ancestors(parent)[1:]]
    for owner in owners:
        zone = look.walker.find(owner, expected.type)
        first_reply = look.walker.query_zone(zone, owner, expected.type)
        if first_reply is None or not first_reply.answers:
            continue
        usable = [view for view in views_of(look, zone, owner, expected.type) if view.failure is None]
        sight = _sight(look, expected, rules, owner, zone, usable)
        if sight.seen:
            return sight
    return None


def _report_spread(look: Look, expected: ExpectedRecord, sight: Sight, outcome: Outcome) -> None:
    """Report servers that lack it, and a value that is not exactly the expected one."""
    if sight.lacking:
        severity = WARNING if sight.seen else FATAL
        lacking = ", ".join(view.server.name for view in sight.lacking)
        serials = ", ".join(f"{view.server.name} {_serial(look, sight.zone, view)}" for view in sight.usable)
        outcome.found(
            "partial_propagation", expected.subject, where=lacking, expected=expected.values[0],
            seen=f"serials: {serials}", severity=severity,
        )  # fmt: skip
    elif sight.variant is not None:
        outcome.found(
            "record_wrong_value", expected.subject, where=sight.owner, expected=expected.values[0],
            seen=sight.variant, severity=NOTE,
        )  # fmt: skip


def _serial(look: Look, zone: Zone, view: View) -> str:
    reply = look.client.query(view.server.address or "", zone.name, "SOA")
    return next((str(record.value.serial) for record in reply.of(zone.name, "SOA")), "unknown")


def _check_other_servers(look: Look, expected: ExpectedRecord, rules: CaRules, zone: Zone, outcome: Outcome) -> bool:
    """Whether only servers have the record that the zone lists and its parent does not."""
    delegated = {server.name for server in zone.servers}
    for name in child_servers(look, zone):
        if name in delegated:
            continue
        for address in look.walker.follow(name, "A").values("A"):
            reply = look.client.query(address, expected.fqdn, expected.type)
            values = [record.text for record in reply.of(expected.fqdn, expected.type)]
            if reply.authoritative and all(
                best_match(expected.type, value, values, rules) for value in expected.values
            ):
                check_delegation(look, outcome, zone, FATAL)
                return True
    return False


# --- the resolver ---


def _check_resolver(look: Look, expected: ExpectedRecord, rules: CaRules, owner: str, outcome: Outcome) -> None:
    """What a resolver makes of a record that the authoritative servers have: warnings only."""
    answer = look.query_resolver(owner, expected.type)
    if answer is None:
        if look.resolvers:
            outcome.untested(f"{expected.subject} by a resolver", Reason.DNS_BLOCKED, "no resolver answers")
        return
    where, reply = answer
    if reply.status == Status.SERVFAIL:
        _check_bogus(look, expected, owner, where, reply, outcome)
        return
    values = [record.text for record in reply.answers if record.type == expected.type]
    if all(best_match(expected.type, value, values, rules) for value in expected.values):
        return
    wait = reply.negative_ttl()
    if values or wait is None:
        outcome.found(
            "resolver_differs", expected.subject, where=where, expected=expected.values[0], seen=", ".join(values)
        )
    else:
        outcome.found("negative_cache", expected.subject, where=where, retry_after=wait, wait=str(wait))


def _check_bogus(look: Look, expected: ExpectedRecord, owner: str, where: str, reply: Reply, outcome: Outcome) -> None:
    """A resolver that answers only where it need not check signatures."""
    unchecked = look.query_resolver(owner, expected.type, checking_disabled=True)
    if unchecked is None or not unchecked[1].answered:
        outcome.untested(f"{expected.subject} by a resolver", Reason.DNS_BLOCKED, f"{where} answers SERVFAIL")
        return
    seen = f"{where} refuses its signatures ({', '.join(reply.ede) or 'no reason given'})"
    outcome.found("dnssec_bogus", expected.subject, where=where, seen=seen, severity=WARNING, zone="the zone")


def _judge_by_resolver(
    look: Look, expected: ExpectedRecord, rules: CaRules, outcome: Outcome, report_missing: bool
) -> None:
    """What a resolver alone can show: that the record is there, or a warning."""
    answer = look.query_resolver(expected.fqdn, expected.type)
    if answer is None or not answer[1].answered:
        return
    where, reply = answer
    values = [record.text for record in reply.answers if record.type == expected.type]
    outcome.visible = all(best_match(expected.type, value, values, rules) for value in expected.values)
    if not outcome.visible and report_missing:
        outcome.found(
            "record_missing", expected.subject, where=expected.fqdn, expected=expected.values[0],
            seen=f"{where}: {', '.join(values) or 'nothing'}", severity=WARNING, kind=expected.type,
            underscore="",
        )  # fmt: skip


# --- why it is not there ---

#: Seconds; right after publishing, a server still has what was there before, or nothing: both heal alike.
_HEALS = CODES["record_missing"].heals
#: How a value resembles another that the same CA gave.
FORMER = "a former or another token"


class Explanation:
    """Finds out why no authoritative server has the record. Each method returns whether it found the cause."""

    def __init__(
        self, look: Look, expected: ExpectedRecord, rules: CaRules, zone: Zone, reply: Reply, outcome: Outcome
    ) -> None:
        self._look = look
        self._expected = expected
        self._rules = rules
        self._zone = zone
        self._reply = reply
        self._outcome = outcome
        self._apex = apex(zone, reply)
        texts = _values(look, reply, expected.fqdn, expected.type)
        missing = [value for value in expected.values if not best_match(expected.type, value, texts, rules)]
        self._value = missing[0] if missing else expected.values[0]

    def report(self) -> None:
        """Report the first cause that a test shows."""
        causes = [self._wrong_target, self._conflict, self._wrong_type, self._wrong_value, self._wrong_place]
        if not any(cause() for cause in causes):
            hint = " (a DNS host that refuses the underscore leaves the file methods)"
            underscore = hint if self._expected.fqdn.startswith("_") else ""
            self._found("record_missing", where=self._expected.fqdn, kind=self._expected.type, underscore=underscore)

    def _found(self, code: str, **details: t.Any) -> bool:
        self._outcome.found(code, self._expected.subject, expected=self._value, **details)
        return True

    def _cname(self) -> str | None:
        return next((record.text for record in self._reply.of(self._expected.fqdn, "CNAME")), None)

    def _wrong_target(self) -> bool:
        """A CNAME is due, and one with another target is there."""
        target = self._cname()
        if self._expected.type != "CNAME" or target is None:
            return False
        if any(target == f"{self._value}.{name}" for name in ancestors(self._expected.fqdn)):
            return self._found("target_suffix_appended", where=self._expected.fqdn, seen=target)
        domains = {".".join(self._value.split(".")[-2:])}
        if domains & set(self._rules.other_domains):
            domains.update(self._rules.other_domains)
        if any(is_within(target, domain) for domain in domains):
            return self._found("record_wrong_value", where=self._expected.fqdn, seen=target, retry_after=_HEALS)
        return self._found("cname_conflict", where=self._expected.fqdn, seen=target)

    def _conflict(self) -> bool:
        """TXT is due, and a CNAME is there that leads to no such value."""
        target = self._cname()
        if self._expected.type != "TXT" or target is None:
            return False
        if target == self._value.lower() or target.startswith(f"{self._value.lower()}."):
            return self._found("record_wrong_type", where=self._expected.fqdn, seen=f"CNAME {target}", kind="TXT")
        if self._is_wildcard_alias(target):
            return False
        answer = self._look.walker.follow(target, "TXT")
        is_of_ca = any(is_within(name, domain) for name in answer.names for domain in CA_DOMAINS)
        # A delegated name heals: what is due is published at its target, and not there yet.
        lasts = answer.loop or is_of_ca or self._expected.fqdn in answer.names
        heals = None if lasts else _HEALS
        return self._found("cname_conflict", where=self._expected.fqdn, seen=f"CNAME {target}", retry_after=heals)

    def _wrong_type(self) -> bool:
        """A CNAME is due, and TXT is there: the target as text, or other data that stands in the way."""
        if self._expected.type != "CNAME":
            return False
        reply = self._look.walker.query_zone(self._zone, self._expected.fqdn, "TXT")
        texts = [record.text for record in reply.of(self._expected.fqdn, "TXT")] if reply is not None else []
        if not texts:
            return False
        if any(self._value in text.lower() for text in texts):
            return self._found("record_wrong_type", where=self._expected.fqdn, seen=f"TXT {texts[0]}", kind="CNAME")
        return self._found("cname_conflict", where=self._expected.fqdn, seen=f"TXT {texts[0]}")

    def _wrong_value(self) -> bool:
        """A TXT value is there that resembles the expected one."""
        texts = [record.text for record in self._reply.of(self._expected.fqdn, "TXT")]
        for text in texts if self._expected.type == "TXT" else []:
            likeness = resemblance(self._value, text)
            if likeness is not None and text not in self._expected.values:
                heals = _HEALS if likeness == FORMER else None
                seen = f"{text} ({likeness})"
                return self._found("record_wrong_value", where=self._expected.fqdn, seen=seen, retry_after=heals)
        return False

    def _wrong_place(self) -> bool:
        """The record is there, under another name."""
        label = self._expected.fqdn.partition(".")[0]
        for code, owner in self._places():
            if not self._is_below_nothing(owner) and self._holds(owner) and not self._is_wildcard(owner):
                return self._found(code, where=self._expected.fqdn, seen=owner, label=label)
        return False

    def _places(self) -> list[tuple[str, str]]:
        """Names under which people publish by mistake, and the code of each mistake."""
        fqdn = self._expected.fqdn
        first, _dot, parent = fqdn.partition(".")
        registrable = ancestors(fqdn)[-1]
        places = [("record_wrong_name", f"{fqdn}.{zone}") for zone in (self._apex, registrable)]
        if not first.startswith("_"):
            return _within_limits(places, fqdn)
        places += [("record_wrong_name", f"{first}.{name}") for name in ancestors(parent)[1:]]
        if self._expected.type == "CNAME":
            old_label = self._value.partition(".")[0]
            places.append(("record_wrong_name", f"{old_label}.{parent}"))
        else:
            places.append(("record_wrong_name", parent))
        below = [base_name(name) for name in self._expected.names]
        levels = [level for name in below for level in ancestors(name) if is_within(level, parent) and level != parent]
        places += [("scope_wrong", f"{first}.{level}") for level in [*levels, f"www.{parent}"]]
        return _within_limits(places, fqdn)

    def _is_below_nothing(self, owner: str) -> bool:
        """Whether a name above an owner does not exist, so that nothing is below it (RFC 8020).

        Each is asked once for all records that could stand below it: for the zone appended to itself, once a zone.
        """
        names = [f"{zone}.{zone}" for zone in (self._apex, ancestors(self._expected.fqdn)[-1])]
        if self._expected.type == "TXT" and self._rules.at_name:
            names.append(self._expected.fqdn.partition(".")[2])
        above = next((name for name in names if owner.endswith(f".{name}")), None)
        reply = self._look.walker.query_zone(self._zone, above, self._expected.type) if above is not None else None
        return reply is not None and reply.status == Status.NXDOMAIN and not reply.answers

    def _holds(self, owner: str) -> bool:
        reply = self._look.walker.query_zone(self._zone, owner, self._expected.type)
        values = [record.text for record in reply.of(owner, self._expected.type)] if reply is not None else []
        if self._expected.type == "CNAME" and owner.partition(".")[0] == self._value.partition(".")[0]:
            return any(value.endswith(".".join(self._value.split(".")[-2:])) for value in values)
        return best_match(self._expected.type, self._value, values, self._rules) is not None

    def _is_wildcard(self, owner: str) -> bool:
        """Whether a name that nobody can have published has the value as well."""
        return self._holds(self._control_name(owner))

    def _is_wildcard_alias(self, target: str) -> bool:
        """Whether the CNAME at the name comes from a wildcard record, which gives way to a record that is published."""
        control = self._control_name(self._expected.fqdn)
        reply = self._look.walker.query_zone(self._zone, control, "TXT")
        return reply is not None and any(record.text == target for record in reply.of(control, "CNAME"))

    def _control_name(self, owner: str) -> str:
        digest = hashlib.sha256(f"{owner} {self._value}".encode()).hexdigest()[:16]
        return f"control-{digest}.{owner.partition('.')[2]}"


def _within_limits(places: t.Iterable[tuple[str, str]], fqdn: str) -> list[tuple[str, str]]:
    return [place for place in dict.fromkeys(places) if place[1] != fqdn and is_dns_name(place[1])]


_TOKEN = re.compile(r"[A-Za-z0-9_=+/.-]{16,}\Z")


def resemblance(value: str, text: str) -> str | None:
    """How a TXT value resembles the expected one, as a phrase; None where they have nothing in common."""
    if text.strip("\"' \t") == value or text.replace('"', "") == value:
        return "quotes or blanks are part of it"
    if text.lower() == value.lower():
        return "another case"
    if "".join(text.split()) == value:
        return "blanks are part of it"
    if len(text) >= 8 and value.startswith(text):
        return f"cut after {len(text)} characters"
    if len(text) == len(value) and _TOKEN.match(text) and _TOKEN.match(value):
        return FORMER
    return None
