# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which guard decides, and that nothing but a reissue can be requested at all."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.names import iso_time
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Coverage, Domain, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.reissue.guard import (
    Case,
    Verdict,
    decide,
    removed_names,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.reissue.model import (
    Journal,
    Policy,
    Snapshot,
    Wish,
    names_in_order,
    names_to_pay,
    reference_of,
)

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
OURS, THEIRS, OLD = b"ours", b"theirs", b"old"
MADE = NOW - timedelta(minutes=10)
HOURS_72 = timedelta(hours=72)
WILDCARD = {"listed_names": frozenset(["*.a.example"]), "revokes_within": HOURS_72}


def decided(
    journal: Journal | None = None,
    wanted: tuple[str, ...] = ("a.example",),
    requested_after: datetime | None = MADE,
    **fields: t.Any,
) -> Verdict:
    """The verdict on an issued order that is due, with some of its fields changed."""
    ends, automatic = fields.pop("coverage_ends", NOW + timedelta(days=300)), fields.pop("auto_reissue", False)
    coverage = Coverage(ends=None if ends is None else iso_time(ends))
    order = Order("digicert", "1", Status.ISSUED, issued=True, coverage=coverage, auto_reissue=automatic)
    known: dict[str, t.Any] = {
        "order": order,
        "status": Status.ISSUED,
        "newest_key": OLD,
        "newest_since": NOW - timedelta(days=40),
        "names": frozenset(["a.example"]),
        "listed_names": frozenset(["a.example"]),
    }
    wish = Wish("1", "CSR", OURS, wanted, "reference", requested_after=requested_after)
    return decide(Case(Snapshot(**{**known, **fields}), wish, journal or Journal(), NOW, Policy()))


def refused(verdict: Verdict) -> str:
    """The error kind of a verdict; the action where there is none."""
    return verdict.error.kind if verdict.error is not None else verdict.action


def test_an_order_that_is_due_gets_its_reissue() -> None:
    assert decided() == Verdict("send", "nothing_open")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": Status.EXPIRED}, "order_failed"),
        ({"status": Status.ACTION_REQUIRED}, "action_required"),
        ({"status": Status.UNKNOWN}, "action_required"),
        ({"newest_key": OURS, "newest_since": NOW}, "none"),
        # The key in service is used again, and its certificate is older than the CSR.
        ({"newest_key": OURS}, "send"),
        ({"open": True, "open_key": OURS}, "adopted"),
        ({"open": True, "open_key": THEIRS, "open_ours": True, "open_since": NOW}, "reissue_in_progress"),
        ({"open": True, "open_ours": True}, "adopted"),
        ({"open": True, "open_ours": False, "open_since": NOW}, "reissue_in_progress"),
        ({"open": True, "open_since": MADE - timedelta(minutes=2)}, "adopted"),
        ({"open": True, "open_since": MADE - timedelta(minutes=3)}, "reissue_in_progress"),
        # Nothing shows when it began: the key decides when it is collected.
        ({"open": True}, "adopted"),
        ({"open": True, "requested_after": None}, "reissue_in_progress"),
        ({"open": True, "requested_after": None, "journal": Journal(attempted=True)}, "adopted"),
        # The clock that made the CSR was wrong.
        ({"open": True, "open_since": MADE - timedelta(days=1), "journal": Journal(attempted=True)}, "adopted"),
        # The certificate is there, and cannot be collected yet.
        ({"status": Status.ISSUING, "requested_after": None}, "reissue_in_progress"),
        ({"coverage_ends": NOW + timedelta(days=29)}, "coverage_ended"),
        ({"coverage_ends": None}, "send"),
        ({"names": frozenset(["a.example", "b.example"])}, "names_changed"),
        ({"names": frozenset(["a.example", "www.a.example"])}, "send"),
        # DigiCert adds the domain of a www name and no other, and revokes what has more names.
        ({"names": frozenset(["a.example", "www.a.example"]), "revokes_within": HOURS_72}, "names_changed"),
        (
            {
                "names": frozenset(["a.example", "www.a.example"]),
                "wanted": ("www.a.example",),
                "revokes_within": HOURS_72,
            },
            "send",
        ),
        ({"names": frozenset(["a.example", "*.a.example"]), "wanted": ("*.a.example",), **WILDCARD}, "send"),
        ({"names": frozenset(["a.example", "*.a.example"]), **WILDCARD}, "names_changed"),
        ({"names": frozenset(["b.example"]), "listed_names": frozenset()}, "names_changed"),
        ({"names": frozenset(), "listed_names": frozenset()}, "names_changed"),
        ({"paid_names": 0, "paid_wildcards": 0}, "send"),
        ({"auto_reissue": True}, "auto_reissue_enabled"),
        ({"auto_reissue": None}, "send"),
        ({"last_reissue": NOW - timedelta(hours=23)}, "too_soon"),
        ({"last_reissue": NOW - timedelta(hours=24)}, "send"),
        ({"journal": Journal(answered_at=NOW - timedelta(hours=23))}, "too_soon"),
        ({"journal": Journal(True, uncertain_since=NOW - timedelta(minutes=59))}, "request_uncertain"),
        ({"journal": Journal(True, uncertain_since=NOW - timedelta(minutes=60))}, "send"),
        # The first that speaks decides.
        ({"open": True, "open_key": OURS, "auto_reissue": True, "coverage_ends": NOW}, "adopted"),
        ({"auto_reissue": True, "coverage_ends": NOW}, "coverage_ended"),
        ({"status": Status.REVOKED, "open": True, "open_key": OURS}, "order_failed"),
    ],
)
def test_the_first_guard_that_speaks_decides(fields: dict[str, t.Any], expected: str) -> None:
    assert refused(decided(**dict(fields))) == expected


def test_names_that_were_not_paid_are_not_bought() -> None:
    both = ("a.example", "b.example")
    known = frozenset(both)
    assert refused(decided(wanted=both, listed_names=known)) == "send"
    assert refused(decided(wanted=both, listed_names=known, paid_names=0)) == "price_exceeded"
    assert refused(decided(wanted=both, listed_names=known, paid_names=1)) == "send"
    # What the CA adds to the first name is free.
    for free in (("a.example", "www.a.example"), ("www.a.example", "a.example"), ("*.a.example", "a.example")):
        assert refused(decided(wanted=free, listed_names=frozenset(free), paid_names=0, paid_wildcards=0)) == "send"
    wild = ("a.example", "*.a.example")
    assert (
        refused(decided(wanted=wild, listed_names=frozenset(wild), paid_names=1, paid_wildcards=0)) == "price_exceeded"
    )


def test_removed_names_are_allowed_by_the_task_alone() -> None:
    order = Order("digicert", "1", Status.ISSUED, issued=True)
    snapshot = Snapshot(order, Status.ISSUED, names=frozenset(["a.example", "b.example"]))
    wish = Wish("1", "CSR", OURS, ("a.example",), "reference")
    assert removed_names(snapshot, wish) == ["b.example"]
    case = Case(snapshot, wish, Journal(), NOW, Policy(allow_removed_names=True))
    assert decide(case).action == "send"
    assert refused(decide(dataclasses.replace(case, policy=Policy()))) == "names_changed"


def test_the_first_name_of_an_order_is_found_in_any_spelling() -> None:
    order = Order("gogetssl", "1", Status.ISSUED, domains=(Domain("Bücher.Example."), Domain("a.example")))
    wish = Wish("1", "CSR", OURS, ("a.example", "xn--bcher-kva.example", "www.xn--bcher-kva.example"), "reference")
    snapshot = Snapshot(order, Status.ISSUED)
    assert names_in_order(snapshot, wish) == ("xn--bcher-kva.example", "a.example", "www.xn--bcher-kva.example")
    assert names_to_pay(snapshot, wish) == ("a.example",)


def test_a_reference_is_the_same_in_each_run_and_fits_everywhere() -> None:
    reference = reference_of("digicert", "1", OURS, ["b.example", "a.example"])
    assert re.fullmatch("[a-z2-7]{20}", reference)
    assert reference == reference_of("digicert", "1", OURS, ["a.example", "b.example", "a.example"])
    others = [("sectigo", "1", OURS), ("digicert", "2", OURS), ("digicert", "1", OLD)]
    assert len({reference, *(reference_of(*other, ["a.example", "b.example"]) for other in others)}) == 4


def test_no_call_that_costs_or_ends_anything_is_in_the_code() -> None:
    tree = pathlib.Path(__file__).resolve().parents[6] / "plugins"
    forbidden = re.compile(
        r"add_ssl_(?:renew_)?(?:san_)?order|!?Auto(?:Apply|Revoke|Refund|Authorize|Reject)|autoRevoke"
        r"|cancel_ssl_order|ssl/activate|/revoke\b|/request/|order-pricing|auto-reissue\"|\"auto_renew|renewal_of_order"
        r"|\"(?:canceled|cancelled)\",\s*\"note|request_ssl_certificates|create_shopping_cart"
    )
    files = sorted(tree.rglob("*.py"))
    assert len(files) > 50
    assert [(path.name, found.group()) for path in files for found in forbidden.finditer(path.read_text("utf-8"))] == []
