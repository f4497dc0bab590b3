# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings that need what is known of the orders: each from a world with exactly that fault, none from a clean one."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from sandbox.internet.scenes import HOST, NOW

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import Problem
from ansible_collections.certops.issuance.plugins.module_utils._common.names import iso_time
from ansible_collections.certops.issuance.plugins.module_utils._dcv.operation import ARGUMENT_SPEC, read_request
from ansible_collections.certops.issuance.plugins.module_utils._dcv.reported import read_reported

from .conftest import Lab, codes

Entry = t.Dict[str, t.Any]
PRESENT = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
#: A name that waits for nothing but the CA, as order_dcv_info returns it.
OPEN: Entry = {
    "name": HOST,
    "order_id": "12345",
    "provider": "digicert",
    "method": "dns-txt-token",
    "status": "in_progress",
    "expires_at": iso_time(PRESENT + DAY),
    "polled_until": iso_time(PRESENT + DAY),
    "problem": None,
}
#: What is wrong with the entry, the findings (code, severity, what was seen), and whether the name counts as visible.
FAULTS: list[tuple[Entry, list[tuple[str, str, str | None]], bool]] = [
    ({}, [("ok_waiting", "note", None)], True),
    ({"status": "completed"}, [], True),
    ({"status": "completed", "method": "email", "expires_at": iso_time(PRESENT - DAY)}, [], True),
    ({"expires_at": None, "polled_until": None}, [("ok_waiting", "note", None)], True),
    ({"expires_at": iso_time(PRESENT - DAY)}, [("token_expired", "fatal", iso_time(PRESENT - DAY))], False),
    ({"problem": "token_unknown", "expires_at": None}, [("token_unknown", "fatal", None)], False),
    ({"problem": "token_stale", "expires_at": None}, [("token_stale", "fatal", None)], False),
    ({"problem": "wildcard_needs_dns", "expires_at": None}, [("wildcard_needs_dns", "fatal", None)], False),
    ({"problem": "evidence_refused", "expires_at": None}, [("evidence_refused", "fatal", None)], False),
    ({"problem": "cname_conflict", "expires_at": None}, [("cname_conflict", "fatal", None)], False),
    ({"problem": "unsupported", "expires_at": None}, [("evidence_refused", "fatal", "unsupported")], False),
    ({"problem": "of a later release"}, [("evidence_refused", "fatal", "of a later release")], False),
    ({"problem": "unsupported", "status": "completed"}, [], True),
    ({"polled_until": iso_time(PRESENT - DAY)}, [("polling_stopped", "warning", iso_time(PRESENT - DAY))], True),
    ({"method": "email"}, [("method_sunset", "note", "email"), ("ok_waiting", "note", None)], True),
    (
        {"method": "admin@example.org"},
        [("method_sunset", "note", "admin@example.org"), ("ok_waiting", "note", None)],
        True,
    ),
]


@pytest.mark.parametrize(("fault", "expected", "visible"), FAULTS, ids=str)
def test_each_fault_is_named(
    lab: Lab, fault: Entry, expected: list[tuple[str, str, str | None]], visible: bool
) -> None:
    scene = lab.scene()
    diagnosis = lab.look(scene, reported=(read_reported({**OPEN, **fault}),))
    assert [(item.code, item.severity, item.seen) for item in diagnosis.findings] == expected
    assert diagnosis.visible is visible
    assert {item.subject for item in diagnosis.findings} <= {"order 12345"}


def test_e_mail_is_fatal_once_it_is_forbidden(lab: Lab) -> None:
    scene = lab.scene(now=datetime.datetime(2028, 3, 15, tzinfo=datetime.timezone.utc).timestamp())
    diagnosis = lab.look(scene, reported=(read_reported({"name": HOST, "method": "email"}),))
    assert [(item.code, item.severity) for item in diagnosis.findings] == [("method_sunset", "fatal")]
    assert not diagnosis.visible


def test_name_by_e_mail_alone_is_not_said_to_be_visible(lab: Lab) -> None:
    scene = lab.scene()
    diagnosis = lab.look(scene, reported=(read_reported({**OPEN, "name": "shop.example.org", "method": "email"}),))
    assert codes(diagnosis) == ["method_sunset"]
    assert list(diagnosis.visible_by_name) == [HOST]


@pytest.mark.parametrize("problem", [value for key, value in vars(Problem).items() if key.isupper()])
def test_name_with_a_problem_and_nothing_to_look_for_is_not_visible(lab: Lab, problem: str) -> None:
    reported = read_reported({**OPEN, "problem": problem, "expires_at": None})
    diagnosis = lab.look(lab.scene(), record_sets=[], reported=(reported,))
    (found,) = diagnosis.findings
    assert diagnosis.visible_by_name == {HOST: False}
    assert " at , " not in found.advice and "None" not in found.advice


def test_missing_record_is_not_waiting_for_the_ca(lab: Lab) -> None:
    scene = lab.scene()
    scene.withdraw()
    diagnosis = lab.look(scene, reported=(read_reported(OPEN),))
    assert codes(diagnosis) == ["record_missing"]


def test_unknown_value_comes_before_its_missing_record(lab: Lab) -> None:
    scene = lab.scene()
    scene.withdraw()
    diagnosis = lab.look(scene, reported=(read_reported({**OPEN, "problem": "token_unknown"}),))
    assert codes(diagnosis) == ["token_unknown", "record_missing"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"order_id": "1"}, "must be one of names"),
        ({"name": HOST, "expires_at": "tomorrow"}, "expires_at of www.example.org is no time"),
        ({"name": "not a name"}, "no host name"),
    ],
)
def test_entry_of_another_shape_is_refused(entry: Entry, message: str) -> None:
    options = {key: option.get("default") for key, option in ARGUMENT_SPEC.items()}
    with pytest.raises(ValueError, match=message):
        read_request({**options, "names": [HOST], "evidence": [entry]})
