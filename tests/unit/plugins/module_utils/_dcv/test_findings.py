# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The closed list of findings: arranged with causes first, and documented word for word."""

from __future__ import annotations

import itertools

import pytest
import yaml

from ansible_collections.certops.issuance.plugins.module_utils._dcv import findings, operation
from ansible_collections.certops.issuance.plugins.modules import dcv_diagnose

WORDS = {"zone": "example.org", "kind": "TXT", "label": "_dnsauth", "wait": "5", "underscore": ""}


def find(code: str, name: str = "a.example", seen: str = "s") -> findings.Finding:
    """A finding with every word that any advice needs."""
    return findings.finding(code, name, "subject", where="w", expected="e", seen=seen, **WORDS)


def test_documentation_has_every_code() -> None:
    returned = yaml.safe_load(dcv_diagnose.RETURN)
    assert returned["findings"]["contains"]["code"]["choices"] == sorted(findings.CODES)
    assert set(returned["findings"]["contains"]) == set(find("record_missing").to_dict())


def test_documentation_has_every_option() -> None:
    documented = yaml.safe_load(dcv_diagnose.DOCUMENTATION)["options"]
    assert {
        name: {key: option[key] for key in option if key != "description"} for name, option in documented.items()
    } == {name: dict(option) for name, option in operation.ARGUMENT_SPEC.items()}


@pytest.mark.parametrize("code", findings.CODES)
def test_advice_is_one_sentence_that_is_filled_in(code: str) -> None:
    advice = find(code).advice
    assert advice.endswith(".")
    assert not {"{", "}"} & set(advice)
    assert "  " not in advice


@pytest.mark.parametrize("code", findings.CODES)
def test_what_a_code_hides_exists_and_does_not_come_before_it(code: str) -> None:
    for hidden in findings.CODES[code].hides:
        assert findings.CODES[hidden].stage >= findings.CODES[code].stage
        assert code not in findings.CODES[hidden].hides


@pytest.mark.parametrize("order", list(itertools.permutations(["record_missing", "negative_cache", "dnssec_bogus"])))
def test_cause_hides_consequences_whatever_their_order(order: tuple[str, ...]) -> None:
    arranged = findings.arrange([find(code) for code in order])
    assert [item.code for item in arranged] == ["dnssec_bogus", "record_missing"]


def test_cause_of_another_name_hides_nothing() -> None:
    arranged = findings.arrange([find("dnssec_bogus", "a.example"), find("negative_cache", "b.example")])
    assert [item.code for item in arranged] == ["dnssec_bogus", "negative_cache"]


def test_warning_is_no_cause_of_what_is_fatal() -> None:
    arranged = findings.arrange([find("record_missing"), find("partial_propagation")])
    assert {item.code for item in arranged} == {"record_missing", "partial_propagation"}


def test_what_a_server_said_is_cut_and_printable() -> None:
    found = find("record_wrong_value", seen="x\x1b[31m" + "y" * 400)
    assert found.seen is not None and len(found.seen) == 200
    assert "\x1b" not in found.seen + found.advice


def test_at_least() -> None:
    found = [find("caa_forbids"), find("negative_cache"), find("ok_waiting")]
    assert [item.code for item in findings.at_least(found, "fatal")] == ["caa_forbids"]
    assert [item.code for item in findings.at_least(found, "warning")] == ["caa_forbids", "negative_cache"]


def test_unknown_code_is_an_error() -> None:
    with pytest.raises(KeyError):
        find("anything")
