# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What order_reissue writes at a provider: one request for one wish, and none where a guard objects.

The log of the sandbox is the witness; nothing here is believed because a result says so.
"""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest
from ansible_runs import run_playbook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reissue_runs import (
    DAY,
    HOUR,
    METHODS,
    NAME,
    PROVIDER_PARAMS,
    WRITES,
    Desk,
    make_csr,
    run_in_process,
    start_in_process,
)
from sandbox.client import Sandbox

OTHER = "mail.example.org"


@pytest.fixture
def make_desk(sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str], Desk]:
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    return lambda provider: Desk(sandbox, provider, folder)


@pytest.fixture(params=PROVIDER_PARAMS)
def desk(request: pytest.FixtureRequest, make_desk: t.Callable[[str], Desk]) -> Desk:
    return make_desk(request.param)


# -- repetitions, and several at once --------------------------------------------


@pytest.mark.slow
def test_a_hundred_runs_write_once(desk: Desk) -> None:
    order_id = desk.order()
    actions = []
    for _run in range(100):
        actions.append(desk.reissue(order_id)["action"])
        desk.pass_time(5)
    assert actions[0] == "sent"
    assert actions[1:] == sorted(actions[1:]) and set(actions[1:]) == {"adopted", "none"}
    assert desk.reissues(order_id) == len(desk.written()) == 1


def test_two_processes_write_once(desk: Desk) -> None:
    order_id = desk.order()
    running = [start_in_process(lambda: desk.reissue(order_id, real_time=True)) for _process in range(2)]
    results = [finish() for finish in running]
    assert sorted(result["action"] for result in results) == ["adopted", "sent"], results
    assert desk.reissues(order_id) == len(desk.written()) == 1


def test_a_process_that_died_with_the_lock_keeps_nobody_waiting(desk: Desk) -> None:
    order_id = desk.order()
    assert run_in_process(lambda: desk.reissue(order_id), kill_at=("_Task._look", "return", 1)) is None
    before = desk.now()
    assert desk.reissue(order_id)["action"] == "sent"
    assert desk.now() == before


def test_the_unique_value_of_the_reply_counts(make_desk: t.Callable[[str], Desk]) -> None:
    desk = make_desk("sectigo")
    order_id = desk.order(dcv="look", dcv_method="dns-cname")
    desk.sandbox.patch_account("sectigo", features={"own_unique_value": True})
    results = [desk.reissue(order_id) for _run in range(2)]
    assert [result["action"] for result in results] == ["sent", "adopted"]
    replacement = desk.sandbox.get_order("sectigo", order_id)["replaced_by"]
    (domain,) = desk.sandbox.get_order("sectigo", replacement)["domains"]
    for result in results:
        assert f".{result['order']['reference']}." in domain["evidence"][0]["value"]


# -- guards ------------------------------------------------------------------------

#: How an order is made, how its next certificate is requested, and what becomes of that: an error_kind, or an action.
#: ``only``: the providers that can report it.
GUARDS: dict[str, dict[str, t.Any]] = {
    "revoked": {"order": {"scenario": "revoked"}, "kind": "order_failed"},
    "canceled": {"order": {"scenario": "canceled"}, "kind": "order_failed"},
    "rejected": {"order": {"scenario": "rejected"}, "kind": "order_failed"},
    "not known": {"order_id": "4711", "kind": "not_found"},
    "unpaid": {"order": {"scenario": "unpaid"}, "kind": "action_required", "only": ["gogetssl"]},
    "not approved": {"order": {"scenario": "needs_approval"}, "kind": "action_required", "only": ["digicert"]},
    "an unrecognized status": {"order": {"word": "cosmic_review"}, "kind": "action_required"},
    "not issued yet": {"order": {"scenario": "stuck_dcv", "age": 0}, "kind": "reissue_in_progress"},
    "coverage ends": {"order": {"coverage": 45 * DAY}, "kind": "coverage_ended"},
    "coverage is over": {"order": {"coverage": 30 * DAY}, "kind": "coverage_ended"},
    "a name fewer": {"names": [NAME, OTHER], "csr": [NAME], "kind": "names_changed"},
    "a name more": {"names": [NAME], "csr": [NAME, OTHER], "kind": "names_changed"},
    "another name": {"names": [NAME], "csr": [OTHER], "kind": "names_changed"},
    "a name that is not paid": {
        "names": [NAME, OTHER], "csr": [NAME, OTHER], "order": {"paid_names": 0}, "kind": "price_exceeded",
        "only": ["gogetssl"],
    },
    "auto-reissue": {"order": {"auto_reissue": "1", "age": DAY}, "kind": "auto_reissue_enabled", "only": ["digicert"]},
    "names that are not in the CSR": {"params": {"names": [OTHER]}, "kind": "invalid_request"},
    "no such method": {"params": {"dcv_method": "email"}, "kind": "invalid_request", "only": ["gogetssl", "sectigo"]},
    "a CSR that is none": {"params": {"csr": "none"}, "kind": "invalid_request"},
    "no such account": {"params": {"api_key": "x" * 40}, "kind": "authentication", "only": ["digicert"]},
}  # fmt: skip


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_leaves_no_writing_request(make_desk: t.Callable[[str], Desk], name: str) -> None:
    case = GUARDS[name]
    for provider in case.get("only", sorted(WRITES)):
        desk = make_desk(provider)
        order_id = case.get("order_id") or desk.order(*case.get("names", [NAME]), **case.get("order", {}))
        # Whoever makes the CSR at the time of the order cannot know an order without a key from his own.
        desk.pass_time(600)
        desk.new_csr(*case.get("csr", [NAME]))
        for check_mode in (True, False):
            result = desk.reissue(order_id, check_mode=check_mode, **case.get("params", {}))
            found = (result.get("error_kind"), result["sent"], result["changed"])
            assert found == (case["kind"], "false", False), (provider, result)
        assert desk.written() == []
        assert desk.reissues() == 0


def test_the_second_reissue_of_a_day_is_not_requested(desk: Desk) -> None:
    order_id = desk.order()
    desk.renew(order_id)
    desk.new_csr()
    for check_mode in (True, False):
        result = desk.reissue(order_id, check_mode=check_mode)
        assert (result["error_kind"], result["sent"]) == ("too_soon", "false"), result
    assert len(desk.written()) == 1
    desk.pass_time(1.1 * DAY)
    desk.new_csr()
    assert desk.reissue(order_id)["action"] == "sent"


def test_a_foreign_reissue_is_never_overwritten(desk: Desk) -> None:
    if desk.provider == "digicert":
        desk.sandbox.patch_account("digicert", features={"reissue_over_reissue": True})
    order_id = desk.order()
    assert desk.reissue(order_id)["action"] == "sent"
    foreign = desk.csr
    desk.sandbox.patch_order(
        desk.provider, desk.sandbox.get_order(desk.provider, order_id)["replaced_by"] or order_id, stage="validating"
    )
    desk.pass_time(HOUR)
    desk.new_csr()
    for wish in ({}, {"check_mode": True}, {"on_foreign": "wait", "timeout": "30m"}, {"resend_after": 0}):
        result = desk.reissue(order_id, **wish)
        assert (result["error_kind"], result["sent"]) == ("reissue_in_progress", "false"), result
    assert desk.reissues(order_id) == len(desk.written()) == 1
    assert desk.sandbox.get_order(desk.provider, order_id)["csr"].strip() == foreign.strip()


def test_a_reissue_that_digicert_makes_by_itself_is_left_alone(make_desk: t.Callable[[str], Desk]) -> None:
    desk = make_desk("digicert")
    desk.sandbox.patch_account("digicert", features={"reissue_over_reissue": True})
    order_id = desk.order(auto_reissue=1, age=20 * DAY)
    for check_mode in (True, False):
        result = desk.reissue(order_id, check_mode=check_mode)
        assert (result["error_kind"], result["reason"]) == ("reissue_in_progress", "foreign_key"), result
    desk.pass_time(HOUR)
    result = desk.reissue(order_id)
    assert (result["error_kind"], result["sent"]) == ("auto_reissue_enabled", "false"), result
    assert [entry["kind"] for entry in desk.sandbox.ledger(order_id=order_id)["entries"]] == ["auto_reissue"]
    assert desk.written() == []


def test_a_foreign_reissue_is_waited_for(desk: Desk) -> None:
    order_id = desk.order()
    assert desk.reissue(order_id)["action"] == "sent"
    desk.pass_time(0 if desk.provider != "sectigo" else 10 * 60)
    desk.new_csr()
    result = desk.reissue(order_id, on_foreign="wait", timeout="1h", min_interval=0)
    assert (result["action"], result["sent"]) == ("sent", "true"), result
    assert desk.reissues() == len(desk.written()) == 2


def test_digicert_asks_a_person_once(make_desk: t.Callable[[str], Desk]) -> None:
    desk = make_desk("digicert")
    desk.sandbox.patch_account("digicert", features={"approval": True})
    order_id = desk.order()
    first = desk.reissue(order_id, skip_approval=False)
    assert (first["error_kind"], first["action"], first["sent"]) == ("action_required", "sent", "true"), first
    for _night in range(3):
        desk.pass_time(DAY)
        again = desk.reissue(order_id, skip_approval=False)
        assert (again["error_kind"], again["sent"]) == ("action_required", "false"), again
    assert len(desk.written()) == 1
    desk.sandbox.patch_order("digicert", order_id, approve=True)
    assert desk.reissue(order_id)["action"] == "adopted"
    assert desk.reissues(order_id) == len(desk.written()) == 1


@pytest.mark.parametrize(
    ("of_order", "of_csr"),
    [
        ([NAME, OTHER], [OTHER, NAME]),
        ([NAME, OTHER], [NAME.upper(), OTHER.title()]),
        (["www.example.org", "xn--bcher-kva.example.org"], ["xn--bcher-kva.example.org", "www.example.org"]),
        ([NAME, "example.org"], [NAME, "example.org"]),
    ],
    ids=["order", "case", "international", "base"],
)
def test_the_form_of_names_is_no_change(desk: Desk, of_order: list[str], of_csr: list[str]) -> None:
    order_id = desk.order(*of_order)
    desk.new_csr(*of_csr)
    written = [name.replace("xn--bcher-kva", "b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher") + "." for name in of_csr]
    result = desk.reissue(order_id, names=written)
    assert (result.get("action"), result["revokes"]) == ("sent", []), result
    assert desk.reissues(order_id) == 1


def test_a_name_fewer_is_requested_where_that_is_allowed(desk: Desk) -> None:
    order_id = desk.order(NAME, OTHER)
    result = desk.reissue(order_id, allow_removed_names=True)
    assert result["action"] == "sent", result
    assert [one["serial_number"] for one in result["revokes"]] == [result["superseded_serial_number"]]
    if desk.provider == "digicert":
        by = datetime.datetime.fromisoformat(result["revokes"][0]["by"])
        assert abs((by - desk.now()).total_seconds() - 3 * DAY) < 60
        desk.pass_time(4 * DAY)
        assert [one["revoked"] for one in desk.sandbox.get_order("digicert", order_id)["certificates"]] == [True, False]


@pytest.mark.slow
def test_real_ansible_writes_nothing_where_a_guard_objects(sandbox: Sandbox, folder: Path) -> None:
    tasks = []
    for provider in sorted(WRITES):
        order = sandbox.order(provider, [NAME, OTHER], "issued", age=31 * DAY)
        for names in ([NAME], [NAME, OTHER, "more.example.org"]):
            options = {"order_id": order["order_id"], "csr": make_csr(*names), "dcv_method": METHODS[provider]}
            task = {**sandbox.options(provider), **options, "request_timeout": 60}
            tasks.append({"certops.issuance.order_reissue": task, "ignore_errors": True, "name": provider})
    play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    for arguments in (["-vvv"], ["-vvv", "--check"]):
        run = run_playbook(play, folder, *arguments)
        failures = run.of("order_reissue", "failed")
        assert len(failures) == len(tasks), run.output[-3000:]
        for event in failures:
            found = (event.result["error_kind"], event.result["sent"], event.result["action"])
            assert found == ("names_changed", "false", "none"), event.result
    assert sandbox.ledger() == {"entries": [], "sum": "0.00"}
    for entry in sandbox.requests():
        assert not any(write in entry["path"] for write in WRITES.values()) or entry["method"] == "GET", entry


# -- random faults -------------------------------------------------------------------

#: Faults of the request for a reissue: kind, and whether it comes after the work.
_WRITE_FAULTS = st.lists(
    st.tuples(
        st.sampled_from(["reset", "5xx", "429", "empty", "not_json", "html", "truncated", "redirect", "406"]),
        st.booleans(),
    ),
    max_size=3,
)
#: Faults of the requests that read: kind, and how many pass before it.
_READ_FAULTS = st.lists(
    st.tuples(st.sampled_from(["reset", "5xx", "429", "empty", "not_json", "truncated"]), st.integers(0, 6)), max_size=3
)
_READS = {
    "digicert": {"method": "GET", "path": "/order/"},
    "gogetssl": {"method": "GET", "path": "/orders/status/"},
    "sectigo": {"method": "POST", "path": "!GetDetailedOrderStatus"},
}


@pytest.mark.slow
def test_no_reissue_is_made_twice_whatever_goes_wrong(desk: Desk) -> None:
    @settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(writes=_WRITE_FAULTS, reads=_READ_FAULTS, lag=st.sampled_from([0, 60]), pause=st.integers(1, 900))
    def check(writes: list[tuple[str, bool]], reads: list[tuple[str, int]], lag: int, pause: int) -> None:
        desk.sandbox.clear_faults()
        desk.sandbox.clear_requests()
        desk.new_csr()
        order_id = desk.order(reissue_lag=lag)
        for kind, processed in writes:
            desk.fault(kind, processed=processed and kind != "truncated")
        for kind, passed in reads:
            desk.sandbox.fault(
                kind, provider=desk.provider, order_id=order_id, after=passed, times=1, **_READS[desk.provider]
            )
        may_write = True
        # All of these nights lie before resend_after.
        for _night in range(3):
            before = len(desk.written())
            result = desk.reissue(order_id)
            written = desk.written()[before:]
            assert len(written) <= int(may_write), (result, desk.written())
            if written:
                # Only who was refused may ask again.
                may_write = result.get("reason") == "refused"
                assert result["sent"] != "false", result
            desk.pass_time(pause)
        assert desk.reissues(order_id) <= 1

    check()
