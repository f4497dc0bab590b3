# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether CAA records let the CA issue (RFC 8659), and the look at a name before anything is ordered.

Source: docs/providers/dcv/rules-and-diagnosis.md, section 3, and rows 14 and 15 of section 4.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from .._common.evidence import base_name
from .delegation import DnsBlocked, DnsIntercepted, Zone
from .findings import FATAL, NOTE, WARNING, Reason
from .look import Look, Outcome, check_delegation, check_servers, check_signatures, views_of
from .replies import Caa, Reply
from .rules import CaRules

_KNOWN_TAGS = frozenset(["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"])


def check_name(look: Look, name: str, rules: CaRules, preflight: bool, outcome: Outcome) -> None:
    """Find out whether a CA that can see its evidence may issue for a name.

    Arguments:
        name: with `*.` where it is a wildcard.
        preflight: there is no other check of this name: look at its zone as well, and call it visible only where all
            was tested.

    Raises:
        DeadlinePassed: the time for the whole look is over.
    """
    subject = f"CAA {base_name(name)}"
    issuers = look.caa_issuers or rules.issuers
    try:
        if preflight:
            _check_zone(look, outcome, base_name(name))
        if issuers and not outcome.fatal:
            check_caa(look, outcome, name, issuers)
    except DnsBlocked:
        outcome.untested(subject, Reason.DNS_BLOCKED, "authoritative servers cannot be asked from here")
    except DnsIntercepted as exc:
        outcome.untested(subject, Reason.DNS_INTERCEPTED, f"{exc}; look from another host")
    outcome.visible = not outcome.fatal and not (preflight and outcome.not_tested)


def _check_zone(look: Look, outcome: Outcome, name: str) -> None:
    """All servers of the zone of a name, its signatures and its delegation. The question is needed in any case."""
    zone = look.walker.find(name, "CAA")
    views = views_of(look, zone, name, "CAA")
    usable = [view for view in views if view.failure is None]
    if not usable:
        _report_silence(look, outcome, zone)
        return
    check_servers(outcome, zone, views)
    check_signatures(look, outcome, zone, t.cast(Reply, usable[0].reply))
    check_delegation(look, outcome, zone)


def _report_silence(look: Look, outcome: Outcome, zone: Zone) -> None:
    """No server answers the question for CAA: that question alone, or none at all.

    In an unsigned zone a CA may go on without an answer.
    """
    listed = views_of(look, zone, zone.name, "NS")
    if any(view.failure is None for view in listed):
        severity = WARNING if zone.signers is None else FATAL
        outcome.found("caa_lookup_failed", zone.name, where=zone.server_names, severity=severity, zone=zone.name)
    else:
        check_servers(outcome, zone, listed)


def check_caa(look: Look, outcome: Outcome, name: str, issuers: t.Sequence[str]) -> None:
    """Report what forbids this CA to issue for a name: the first name upwards that has any CAA record decides."""
    labels = base_name(name).split(".")
    for start in range(len(labels)):
        owner = ".".join(labels[start:])
        answer = look.walker.follow(owner, "CAA")
        if answer.loop:
            return
        if answer.reply is None:
            _report_silence(look, outcome, answer.zone)
            return
        check_signatures(look, outcome, answer.zone, answer.reply)
        records = [record.value for record in answer.reply.of(answer.names[-1], "CAA")]
        if records:
            _judge(outcome, name, owner, answer.names[-1], records, issuers)
            return


def _judge(
    outcome: Outcome, name: str, owner: str, where: str, records: t.Sequence[Caa], issuers: t.Sequence[str]
) -> None:
    subject = f"CAA {owner}"
    unknown = [record for record in records if record.critical and record.tag not in _KNOWN_TAGS]
    tag = "issuewild" if name.startswith("*.") and any(record.tag == "issuewild" for record in records) else "issue"
    relevant = [record.value for record in records if record.tag == tag]
    permitting = [value for value in relevant if _issuer(value) in issuers]
    seen = ", ".join(f'{record.tag} "{record.value}"' for record in records)
    if unknown:
        advice = f"Remove the critical CAA record {unknown[0].tag} at {where}: no CA knows it."
        outcome.found("caa_forbids", subject, where=where, expected=issuers[0], seen=seen, advice=advice)
    elif relevant and not permitting:
        outcome.found("caa_forbids", subject, where=where, expected=issuers[0], seen=seen, kind=tag)
    elif permitting and all(";" in value for value in permitting):
        advice = f"The CAA record at {where} restricts account or method, which cannot be judged from here."
        outcome.found(
            "caa_forbids", subject, where=where, expected=issuers[0], seen=permitting[0], severity=NOTE, advice=advice
        )


def _issuer(value: str) -> str:
    return value.partition(";")[0].strip().rstrip(".").lower()
