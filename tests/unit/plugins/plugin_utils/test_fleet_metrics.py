# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a fleet, read back by the parser of Prometheus."""

from __future__ import annotations

import re
import typing as t

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.certops.issuance.plugins.module_utils._common.text import clean_line
from ansible_collections.certops.issuance.plugins.plugin_utils import _fleet_metrics
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import find_endings, make_entries
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_metrics import make_metrics
from ansible_collections.certops.issuance.tests.unit.plugins.plugin_utils.fleet_orders import (
    HOSTILE,
    NOW,
    blocker,
    day,
    order,
    unanswered,
)

Found = t.Dict[str, t.List[t.Tuple[t.Dict[str, str], float]]]


def read(text: str) -> Found:
    """Metric to its series. What promtool checks is checked: help and type of each, no series twice, names."""
    found: Found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.documentation.endswith(".")
        assert family.type == "gauge"
        assert family.name not in found
        assert re.fullmatch(r"certops_[a-z_]+", family.name)
        for sample in family.samples:
            assert sample.name == family.name
            found.setdefault(family.name, []).append((sample.labels, sample.value))
        labels = [tuple(sorted(sample.labels.items())) for sample in family.samples]
        assert len(labels) == len(set(labels))
    return found


def values(found: Found, name: str, *labels: str) -> list[tuple[t.Any, ...]]:
    return [(*(given[one] for one in labels), value) for given, value in found.get(name, [])]


def test_an_issued_order() -> None:
    coverage = {"starts": None, "ends": day(200)}
    given = order("1", names=["a.example", "b.example"], start=-7, end=40, coverage=coverage)
    found = read(make_metrics([given], NOW))
    labels = {"provider": "digicert", "order_id": "1", "host": "www", "name": "a.example"}
    assert found["certops_order_issued"] == [(labels, 1)]
    assert found["certops_order_answered"] == [(labels, 1)]
    assert found["certops_order_info"] == [({**labels, "status": "issued"}, 1)]
    assert found["certops_certificate_not_after_timestamp_seconds"] == [(labels, NOW.timestamp() + 40 * 86400)]
    assert found["certops_certificate_not_before_timestamp_seconds"] == [(labels, NOW.timestamp() - 7 * 86400)]
    assert found["certops_order_coverage_end_timestamp_seconds"] == [(labels, NOW.timestamp() + 200 * 86400)]
    assert found["certops_report_timestamp_seconds"] == [({}, NOW.timestamp())]
    assert found["certops_report_left_out"] == [({}, 0)]


def test_open_orders_and_orders_without_an_answer() -> None:
    blockers = [blocker("a"), blocker("b"), blocker("c", "provider")]
    found = read(make_metrics([order("1", "validating", blockers=blockers), unanswered("2")], NOW))
    assert values(found, "certops_order_blockers", "order_id", "actor") == [("1", "provider", 1), ("1", "you", 2)]
    assert values(found, "certops_order_answered", "order_id") == [("1", 1), ("2", 0)]
    assert values(found, "certops_order_issued", "order_id") == [("1", 0)]
    assert values(found, "certops_order_info", "order_id", "status") == [("1", "validating", 1), ("2", "not_found", 1)]
    assert "certops_certificate_not_after_timestamp_seconds" not in found


def test_each_host_has_its_series_and_what_it_serves() -> None:
    seen = {"state": "another", "not_after": day(2), "msg": None}
    orders = [order("1", end=40, host="a", in_service={**seen, "state": "this"}), order("1", end=40, host="b")]
    orders[1]["in_service"] = seen
    found = read(make_metrics(orders, NOW))
    assert values(found, "certops_order_issued", "host") == [("a", 1), ("b", 1)]
    assert values(found, "certops_in_service_info", "host", "state") == [("a", "this", 1), ("b", "another", 1)]
    ends = values(found, "certops_in_service_not_after_timestamp_seconds", "host")
    assert ends == [(host, NOW.timestamp() + 2 * 86400) for host in ("a", "b")]


def test_no_orders_are_still_a_file() -> None:
    assert set(read(make_metrics([], NOW))) == {"certops_report_left_out", "certops_report_timestamp_seconds"}


def test_series_with_the_same_labels_are_one_and_what_ends_first_counts() -> None:
    certificates = [{"id": str(days), "not_after": day(days)} for days in (50, 20, 90)]
    found = read(make_metrics([order("", names=["a.example"], certificate=one) for one in certificates], NOW))
    ends = values(found, "certops_certificate_not_after_timestamp_seconds", "name")
    assert ends == [("a.example", NOW.timestamp() + 20 * 86400)]


def test_all_series_with_the_same_labels_are_of_one_entry() -> None:
    served = {"state": "this", "not_after": day(20), "msg": None}
    closed = order("", "revoked", ["a.example"], end=5, host="b")
    later = order("", "validating", ["a.example"], end=50, blockers=[blocker("x")], host="b", in_service=served)
    sooner = order("", "issued", ["a.example"], end=20, host="b")
    for orders in ([closed, later, sooner], [sooner, later, closed]):
        found = read(make_metrics(orders, NOW))
        assert values(found, "certops_order_issued", "host") == [("b", 1)]
        assert values(found, "certops_order_blockers", "actor") == [("provider", 0), ("you", 0)]
        assert values(found, "certops_order_info", "status") == [("issued", 1)]
        ends = values(found, "certops_certificate_not_after_timestamp_seconds", "host")
        assert ends == [("b", NOW.timestamp() + 20 * 86400)]
        assert values(found, "certops_in_service_info", "state") == [("this", 1)]


@pytest.mark.parametrize("status", ["canceled", "replaced", "revoked", "rejected", "failed"])
def test_a_closed_order_has_no_dates_that_an_alert_could_fire_for(status: str) -> None:
    closed = order("1", status, ["a.example"], start=-9, end=3)
    found = read(make_metrics([closed], NOW))
    assert find_endings(make_entries([closed], NOW), 7, NOW) == []
    assert values(found, "certops_order_info", "status") == [(status, 1)]
    assert "certops_certificate_not_after_timestamp_seconds" not in found
    assert "certops_certificate_not_before_timestamp_seconds" not in found


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_makes_a_series(text: str) -> None:
    orders = [order(text, text, [text], host=text, provider=text, end=3), unanswered(text, text, text, text)]
    made = make_metrics(orders, NOW)
    found = read(made)
    plain = read(make_metrics([order("1", "x", ["x"], end=3), unanswered("1", "x", "x")], NOW))
    assert {name: len(series) for name, series in found.items()} == {name: len(one) for name, one in plain.items()}
    assert made.endswith("\n")
    # What is read back is what was written.
    shown = clean_line(text)
    assert values(found, "certops_order_issued", "order_id", "host", "name") == [(shown, shown, shown, 0)]


def test_labels_and_series_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "a" * 1000
    ((labels, _value),) = read(make_metrics([order(long, names=[long], host=long)], NOW))["certops_order_issued"]
    assert {len(value) for value in labels.values()} == {128, len("digicert")}
    monkeypatch.setattr(_fleet_metrics, "MAX_SERIES", 3)
    found = read(make_metrics([order(str(number), end=number) for number in range(1, 6)], NOW))
    # What ends first is kept.
    assert values(found, "certops_order_issued", "order_id") == [("1", 1), ("2", 1), ("3", 1)]
    assert found["certops_report_left_out"] == [({}, 2)]
