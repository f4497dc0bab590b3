# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet as a list of certificates: what is on top, how it stands, what ends too soon."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from ansible.plugins.loader import filter_loader

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import (
    Level,
    describe_end,
    find_endings,
    make_entries,
    moment,
    read_days,
    with_in_service,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._role_orders import status_rows
from ansible_collections.certops.issuance.tests.unit.plugins.plugin_utils.fleet_orders import (
    HOSTILE,
    NOW,
    blocker,
    day,
    order,
    unanswered,
)


def ids(*orders: dict[str, t.Any]) -> list[str]:
    return [entry.order_id for entry in make_entries(orders, NOW)]


def test_what_ends_first_is_on_top() -> None:
    orders = [
        order("later", end=90),
        order("canceled", "canceled", end=1),
        order("pending", "issuing"),
        order("provider", "validating", blockers=[blocker("they look", "provider")]),
        order("ended", "expired", end=-30),
        order("past", "expired"),
        order("somewhere", "issued"),
        order("sooner", end=2),
        order("yours", "validating", blockers=[blocker("they look", "provider"), blocker("publish it")]),
        unanswered("lost"),
        order("pay", "action_required"),
        order("rejected", "rejected"),
        order("revoked", "revoked", end=50),
        order("reissue", "validating", end=5, blockers=[blocker("publish it")]),
    ]
    assert ids(*orders) == [
        *["lost", "pay", "rejected", "yours"],
        *["past", "ended", "sooner", "reissue", "later"],
        *["pending", "provider", "somewhere"],
        *["canceled", "revoked"],
    ]
    assert ids(*reversed(orders)) == ids(*orders)


@pytest.mark.parametrize(
    ("given", "level"),
    [
        (unanswered("1"), Level.UNANSWERED),
        (order("1", end=-0.001), Level.ENDED),
        (order("1", "expired", end=-9), Level.ENDED),
        (order("1", start=-40, end=7), Level.URGENT),
        # The renewal of 47 days is due when a third is left; of a lifetime that is not known, when 30 days are.
        (order("1", start=-31, end=16), Level.GOOD),
        (order("1", start=-32, end=15), Level.DUE),
        (order("1", end=31), Level.GOOD),
        (order("1", end=30), Level.DUE),
        (order("1", start=60, end=20), Level.DUE),
        (order("1", "expired"), Level.ENDED),
        (order("1", "issued"), Level.ISSUED),
        (order("1", "validating"), Level.PENDING),
        (order("1", "validating", blockers=[blocker("x", "provider")]), Level.PENDING),
        (order("1", "validating", blockers=[blocker("x")]), Level.YOURS),
        (order("1", "unknown"), Level.YOURS),
        (order("1", "revoked", end=99), Level.FAILED),
        (order("1", "failed"), Level.FAILED),
        (order("1", "replaced", end=-1), Level.CLOSED),
        (order("1", "validating", end=100, blockers=[blocker("x")]), Level.GOOD),
    ],
)
def test_levels(given: dict[str, t.Any], level: str) -> None:
    (entry,) = make_entries([given], NOW)
    assert entry.level(NOW) == level


def test_hosts_with_the_same_order_are_one_entry() -> None:
    orders = [order("1", end=9, host=host) for host in ("a", "b", "a")]
    (entry,) = make_entries(orders, NOW)
    assert entry.hosts == ("a", "b")
    other = order("1", end=9, host="c", provider="sectigo")
    assert len(make_entries([*orders, other], NOW)) == 2


def test_hosts_with_wrong_variables_are_entries_of_their_own() -> None:
    entries = make_entries([unanswered("", "a", msg="same"), unanswered("", "b", msg="same")], NOW)
    assert [entry.hosts for entry in entries] == [("a",), ("b",)]
    # The same order with another key may have an answer.
    entries = make_entries([unanswered("1", "a"), order("1", host="b"), unanswered("1", "c")], NOW)
    assert sorted(entry.hosts for entry in entries) == [("a", "c"), ("b",)]


def test_installed_certificates_without_an_order_stay_apart() -> None:
    certificates = [{"id": str(number), "not_after": day(number)} for number in (1, 2)]
    entries = make_entries([order("", certificate=one) for one in certificates], NOW)
    assert len(entries) == 2


def test_texts_are_on_one_line_and_bounded() -> None:
    for text in HOSTILE:
        given = order(text, text, [text], host=text, provider=text, reason=text, blockers=[blocker(text * 500)])
        (entry,) = make_entries([given], NOW)
        texts = [entry.order_id, entry.status, *entry.names, *entry.hosts, entry.provider, entry.note or ""]
        texts += [todo.message for todo in entry.todos]
        for one in texts:
            assert one.isprintable()
            assert len(one) <= 501


@pytest.mark.parametrize(
    "fields",
    [
        {"domains": None, "blockers": None, "certificate": None, "coverage": None, "action_urls": None},
        {"domains": [None, {}, {"name": None}], "blockers": ["text", {}]},
        {"certificate": {"not_after": "soon", "not_before": 7}},
        {"certificate": {"not_after": "9999-99-99T00:00:00Z"}},
        {"host": None, "provider": None},
        {"in_service": "text"},
        {"action_urls": {"dcv": None}},
    ],
)
def test_odd_orders_do_no_harm(fields: dict[str, t.Any]) -> None:
    (entry,) = make_entries([order("1", **{"status": "validating", **fields})], NOW)
    assert entry.order_id == "1"
    assert entry.end is None


def test_an_order_that_is_issued_has_nothing_open() -> None:
    (entry,) = make_entries([order("1", end=9, blockers=[blocker("x")], reason="y")], NOW)
    assert (entry.todos, entry.note) == ((), None)


@pytest.mark.parametrize("value", [None, "", 7, "x", "2026-13-01T00:00:00Z"])
def test_what_is_no_time(value: t.Any) -> None:
    assert moment(value) is None


# -- what hosts have in service --------------------------------------------------


INFO = {"exists": True, "placeholder": False, "serial_number": "AB", "not_after": day(3)}


def in_service(info: t.Any, *serials: str | None) -> list[t.Any]:
    orders = [order(str(number)) for number in range(len(serials))]
    for one, serial in zip(orders, serials, strict=True):
        one["certificate"]["serial_number"] = serial
    return [one.get("in_service") for one in with_in_service(orders, info)]


def test_what_is_in_service_stands_beside_its_order() -> None:
    this = {"state": "this", "serial_number": "AB", "not_after": day(3), "msg": None}
    assert in_service(INFO, "CD", "AB") == [None, this]
    assert in_service(INFO, "CD", "EF") == [{**this, "state": "another"}, None]
    assert in_service(INFO, "ab", "CD") == [this, None]
    # Digits alone may be decimal ones.
    assert in_service({**INFO, "serial_number": "B"}, "11") == [{**this, "serial_number": "B"}]


@pytest.mark.parametrize(
    ("orders", "serial", "reason"),
    [
        ([order("1")], "AB", "the provider does not report the serial number of order 1"),
        ([order("", certificate={"id": "7"})], "AB", "the provider does not report the serial number of the order"),
        ([order("1", "expired")], "AB", "the provider does not report the serial number of order 1"),
        ([order("1", "validating", end=9)], "AB", "the provider does not report the serial number of order 1"),
        ([unanswered("1", kind="unavailable")], "AB", "there is no answer about order 1"),
        (
            [order("1", certificate={"serial_number": "CD"}), unanswered("2", kind="unavailable")],
            "AB",
            "there is no answer about order 2",
        ),
        (
            [order("1", certificate={"serial_number": "CD"})],
            None,
            "the serial number of what is in service is not known",
        ),
    ],
)
def test_nobody_can_tell_what_is_in_service(orders: list[dict[str, t.Any]], serial: str | None, reason: str) -> None:
    seen = with_in_service(orders, {**INFO, "serial_number": serial})
    assert [one.get("in_service") for one in seen][0] == {
        "state": "unknown", "serial_number": serial, "not_after": day(3), "msg": reason,
    }  # fmt: skip


def test_an_outage_adds_no_certificate_that_ends() -> None:
    lost = with_in_service([unanswered("1", kind="unavailable")], INFO)
    lines = find_endings(make_entries(lost, NOW), 14, NOW)
    assert lines == ["digicert order 1 (www): no answer, unavailable: it is not there"]


def test_an_order_that_was_not_asked_for_has_no_message_of_another() -> None:
    failure = {
        "provider": "digicert", "order_id": "1", "error_kind": "unavailable",
        "msg": "digicert order 1: no answer came (and 1 more, see errors)",
    }  # fmt: skip
    second = {"order_id": "2", "error_kind": "unavailable", "msg": "digicert order 2: no answer came"}
    request = {"host": "web1", "order_ids": ["1", "2", "3"]}

    def messages(answer: dict[str, t.Any]) -> list[tuple[str, str, str]]:
        rows = status_rows(request, answer, "digicert")
        return [(row["order_id"], row["msg"], row["error_kind"]) for row in rows]

    first = {**failure, "msg": "digicert order 1: no answer came"}
    assert messages({**failure, "errors": [first, second]}) == [
        ("1", "digicert order 1: no answer came", "unavailable"),
        ("2", "digicert order 2: no answer came", "unavailable"),
        ("3", "not asked for: no answer came", "unavailable"),
    ]
    # With a single failure there are no errors beside it.
    assert messages(first) == [
        ("1", "digicert order 1: no answer came", "unavailable"),
        ("2", "not asked for: no answer came", "unavailable"),
        ("3", "not asked for: no answer came", "unavailable"),
    ]
    # What concerns no order concerns all of them.
    assert {text for _order, text, _kind in messages({"msg": "the library is missing"})} == {"the library is missing"}


@pytest.mark.parametrize(
    ("info", "state", "msg"),
    [
        ({"exists": False}, "none", None),
        ({**INFO, "placeholder": True}, "none", None),
        ({"failed": True, "msg": "no lineage"}, "unknown", "no lineage"),
        ({"unreachable": True, "msg": "no route"}, "unknown", "no route"),
        ({"failed": False, "msg": "no lineage", "failed_when_result": False}, "unknown", "no lineage"),
        ({}, "unknown", "the host was not asked"),
    ],
)
def test_a_host_without_a_certificate(info: dict[str, t.Any], state: str, msg: str | None) -> None:
    (seen,) = in_service(info, "AB")
    assert (seen["state"], seen["msg"]) == (state, msg)


def test_nothing_is_added_where_nobody_looked() -> None:
    assert in_service({"skipped": True}, "AB") == [None]
    assert in_service(None, "AB") == [None]
    assert with_in_service([], INFO) == []


def test_the_first_issued_order_has_what_is_of_no_order() -> None:
    issued = order("2", certificate={"serial_number": "CD"})
    orders = with_in_service([order("1", "validating"), issued], INFO)
    assert [one.get("in_service", {}).get("state") for one in orders] == [None, "another"]


# -- what ends too soon ---------------------------------------------------------------


def test_what_ends_too_soon() -> None:
    served = {"state": "another", "not_after": day(3), "msg": None}
    orders = [
        order("1", names=["a.example"], end=13.9),
        order("2", names=["b.example"], end=14),
        order("3", "canceled", end=1),
        order("4", "revoked", end=1),
        order("5", "expired", end=-2.5),
        order("6", "validating"),
        order("x", "expired"),
        order("7", names=["g.example"], end=60, in_service=served),
        order("8", end=60, in_service={**served, "state": "this"}),
        unanswered("9"),
        unanswered("", "db", "invalid_request", "certificate_order_id is empty"),
    ]
    assert find_endings(make_entries(orders, NOW), 14, NOW) == [
        "digicert (db): no answer, invalid_request: certificate_order_id is empty",
        "digicert order 9 (www): no answer, not_found: it is not there",
        "digicert order x (www): has ended",
        "digicert order 5 (www): ended 2026-11-26, 2 days ago",
        "digicert order 1 (a.example): ends 2026-12-12, in 13 days",
        "www serves another certificate: ends 2026-12-01, in 3 days",
    ]
    assert find_endings(make_entries([order("1", end=0.001)], NOW), 0, NOW) == []


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0.5, "ends 2026-11-29, within a day"),
        (1.2, "ends 2026-11-30, in 1 day"),
        (2, "ends 2026-11-30, in 2 days"),
        (0, "ended 2026-11-28, 0 days ago"),
        (-1.5, "ended 2026-11-27, 1 day ago"),
    ],
)
def test_an_end_in_words(days: float, words: str) -> None:
    end = moment(day(days))
    assert end is not None
    assert describe_end(end, NOW) == words


@pytest.mark.parametrize(("given", "days"), [(7, 7.0), ("14", 14.0), ("0.5", 0.5), (0, 0.0)])
def test_days(given: t.Any, days: float) -> None:
    assert read_days(given) == days


@pytest.mark.parametrize("given", [-1, "soon", None, "", True, [7], "nan", "inf", 36501, {}])
def test_what_is_no_number_of_days(given: t.Any) -> None:
    with pytest.raises(ValueError, match="is no number of days; give one from 0 to 36500"):
        read_days(given)


# -- the filters ------------------------------------------------------------------------

_FILTERS = ["order_table", "finding_table", "order_page", "order_metrics", "order_in_service", "order_endings"]


@pytest.mark.parametrize("name", _FILTERS)
@pytest.mark.parametrize("given", ["text", {"order_id": "1"}, [{"provider": "digicert"}], [7], None])
def test_filters_refuse_what_is_no_list_of_orders(name: str, given: t.Any) -> None:
    found = filter_loader.get("certops.issuance." + name).j2_function
    arguments = {"order_endings": (7,), "order_in_service": (INFO,)}.get(name, ())
    with pytest.raises(AnsibleFilterError, match=f"{name}: give a list of orders, as order_info returns them"):
        found(given, *arguments)


def test_filters_work_as_ansible_loads_them() -> None:
    def run(name: str, *arguments: t.Any) -> t.Any:
        given = order("1", certificate={"serial_number": "CD", "not_after": day(900)})
        return filter_loader.get("certops.issuance." + name).j2_function([given], *arguments)

    assert run("order_page").startswith("<!DOCTYPE html>")
    assert "certops_order_issued{" in run("order_metrics")
    assert run("order_endings", 7) == []
    assert run("order_in_service", INFO)[0]["in_service"]["state"] == "another"
    with pytest.raises(AnsibleFilterError, match="order_endings: 'soon' is no number of days"):
        run("order_endings", "soon")
