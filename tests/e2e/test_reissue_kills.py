# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed on the way to the next certificate: the next runs make one reissue of it, and it costs nothing.

The kill points are those of section 4 of docs/providers/orders/contract.md.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from reissue_runs import DAY, HOUR, PROVIDER_PARAMS, Desk, Step, run_in_process, same_key
from sandbox.client import Sandbox

#: What may become of the answer after the work.
AFTER: list[dict[str, t.Any]] = [
    {"kind": "reset", "processed": True},
    {"kind": "5xx", "status": 500, "processed": True},
    {"kind": "empty", "processed": True},
    {"kind": "not_json", "processed": True},
    {"kind": "html", "processed": True},
    {"kind": "truncated", "at": 0.5},
    {"kind": "cut_body", "at": 5},
    {"kind": "hang", "processed": True},
]
#: Those that `make test` runs as well.
_QUICK = ("reset", "empty", "truncated")
#: The steps around the request: what is written down before it, the request, and what is written down after it.
WRITTEN_BEFORE, WRITTEN_AFTER = ("Ledger.write", "return", 1), ("Ledger.write", "return", 2)


@pytest.fixture(params=PROVIDER_PARAMS)
def desk(request: pytest.FixtureRequest, sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    return Desk(sandbox, request.param, folder)


def request_step(desk: Desk, order_id: str, event: str) -> Step:
    """The step at which a run sends the request for a reissue."""
    other = desk.order()
    steps = run_in_process(lambda: desk.reissue(other))["steps"]
    before = steps.index(list(WRITTEN_BEFORE))
    sent = next(step for step in steps[before:] if step[:2] == ["Session.send", event])
    return t.cast(Step, tuple(sent))


def kill(desk: Desk, order_id: str, step: Step) -> None:
    """A run that is killed at a step."""
    assert run_in_process(lambda: desk.reissue(order_id), kill_at=step) is None


def assert_finished(desk: Desk, order_id: str, writes: int = 1) -> dict[str, t.Any]:
    """Runs of later nights come to the certificate, with one reissue; the last of them."""
    result = desk.renew(order_id)
    if result.get("error_kind") == "request_uncertain":
        assert result["sent"] == "unknown"
        desk.pass_time(2 * HOUR)
        result = desk.renew(order_id)
    assert same_key(desk.csr, result["certificate"]), result
    again = desk.reissue(order_id)
    assert (again["action"], again["reason"], again["changed"]) == ("none", "issued", False), again
    assert desk.reissues(order_id) == 1
    assert len([entry for entry in desk.written() if _is_about(entry, order_id)]) == writes
    return result


def _is_about(entry: t.Mapping[str, t.Any], order_id: str) -> bool:
    # A request that was cut before it was read is about no order yet, but its path may name it.
    return order_id in entry["order_ids"] or f"/{order_id}" in entry["path"] or "!Auto" in entry["path"]


def test_before_the_csr_is_written(desk: Desk) -> None:
    order_id = desk.order()
    desk.new_csr()  # nothing is left of the one that was being made
    assert_finished(desk, order_id)


def test_before_anything_is_noted(desk: Desk) -> None:
    order_id = desk.order()
    kill(desk, order_id, ("Ledger.write", "call", 1))
    assert desk.written() == []
    assert_finished(desk, order_id)


def test_noted_and_not_sent(desk: Desk) -> None:
    order_id = desk.order()
    kill(desk, order_id, WRITTEN_BEFORE)
    assert desk.written() == []
    early = desk.reissue(order_id)
    assert (early["error_kind"], early["sent"]) == ("request_uncertain", "unknown"), early
    assert desk.written() == []
    assert_finished(desk, order_id)


def test_carried_out_and_the_answer_lost(desk: Desk) -> None:
    order_id = desk.order()
    step = request_step(desk, order_id, "return")
    desk.sandbox.clear_requests()
    kill(desk, order_id, step)
    assert desk.reissues(order_id) == 1
    adopted = desk.reissue(order_id)
    assert (adopted["action"], adopted["changed"], adopted["sent"]) == ("adopted", False, "false"), adopted
    assert_finished(desk, order_id)


@pytest.mark.parametrize(
    "fault",
    [pytest.param(one, id=one["kind"], marks=[pytest.mark.slow] * (one["kind"] not in _QUICK)) for one in AFTER],
)
def test_carried_out_and_the_answer_spoiled(desk: Desk, fault: dict[str, t.Any]) -> None:
    order_id = desk.order()
    desk.fault(**fault)
    result = desk.reissue(order_id, request_timeout=2)
    # DigiCert may answer without a body; section 8 of its sheet on orders.
    action = "sent" if (desk.provider, fault["kind"]) == ("digicert", "empty") else "adopted"
    assert (result["action"], result["changed"], result["sent"]) == (action, True, "true"), result
    assert_finished(desk, order_id)


def test_carried_out_in_spite_of_a_refusal(desk: Desk) -> None:
    order_id = desk.order()
    desk.fault("429", processed=True)
    refused = desk.reissue(order_id)
    assert (refused["error_kind"], refused["sent"]) == ("rate_limited", "true"), refused
    adopted = desk.reissue(order_id)
    assert (adopted["action"], adopted["changed"]) == ("adopted", False), adopted
    assert_finished(desk, order_id)


def test_refused_and_not_carried_out(desk: Desk) -> None:
    order_id = desk.order()
    desk.fault("429")
    refused = desk.reissue(order_id)
    assert (refused["error_kind"], refused["sent"]) == ("rate_limited", "true"), refused
    assert desk.reissues(order_id) == 0
    assert_finished(desk, order_id, writes=2)


def test_sent_and_not_carried_out(desk: Desk) -> None:
    order_id = desk.order()
    step = request_step(desk, order_id, "return")
    desk.sandbox.clear_requests()
    desk.fault("reset")
    kill(desk, order_id, step)
    assert desk.reissues(order_id) == 0
    # Not before resend_after, and then once, with the CSR that is there.
    assert desk.reissue(order_id)["error_kind"] == "request_uncertain"
    desk.pass_time(HOUR / 2)
    assert desk.reissue(order_id)["error_kind"] == "request_uncertain"
    assert len(desk.written()) == 1
    desk.pass_time(HOUR)
    assert_finished(desk, order_id, writes=2)


def test_carried_out_and_shown_late(desk: Desk) -> None:
    order_id = desk.order(reissue_lag=100)
    desk.fault("not_json", processed=True)
    adopted = desk.reissue(order_id)
    assert (adopted["action"], adopted["changed"], adopted["sent"]) == ("adopted", True, "true"), adopted
    assert_finished(desk, order_id)


def test_carried_out_and_shown_after_the_run(desk: Desk) -> None:
    order_id = desk.order(reissue_lag=300)
    desk.fault("reset", processed=True)
    uncertain = desk.reissue(order_id)
    assert (uncertain["error_kind"], uncertain["sent"]) == ("request_uncertain", "unknown"), uncertain
    desk.pass_time(1.5 * HOUR)
    later = desk.reissue(order_id)
    assert (later["action"], later["reason"], later["changed"]) == ("none", "issued", False), later
    assert_finished(desk, order_id)


def test_carried_out_and_shown_after_it_was_sent_again(desk: Desk) -> None:
    # The one way to a second reissue: for the same key, and for nothing.
    order_id = desk.order(reissue_lag=3 * HOUR)
    desk.fault("reset", processed=True)
    assert desk.reissue(order_id)["error_kind"] == "request_uncertain"
    desk.pass_time(1.5 * HOUR)
    again = desk.reissue(order_id)
    assert (again["action"], again["reason"]) == ("sent", "lost"), again
    desk.pass_time(4 * HOUR)
    assert same_key(desk.csr, desk.collect(order_id)["certificate"])
    assert desk.reissue(order_id)["reason"] == "issued"
    assert desk.reissues() == len(desk.written()) == 2


def test_answered_and_noted(desk: Desk) -> None:
    order_id = desk.order()
    kill(desk, order_id, WRITTEN_AFTER)
    assert_finished(desk, order_id)


def test_issued_and_not_collected(desk: Desk) -> None:
    order_id = desk.order()
    superseded = desk.reissue(order_id)["superseded_serial_number"]
    assert not desk.wait(order_id, [superseded]).get("failed")
    assert_finished(desk, order_id)


def test_collected_and_not_deployed(desk: Desk) -> None:
    order_id = desk.order()
    before = desk.renew(order_id)
    desk.pass_time(DAY)
    assert assert_finished(desk, order_id)["serial_number"] == before["serial_number"]


def test_the_ledger_is_lost_at_every_step(desk: Desk) -> None:
    order_id = desk.order()
    kill(desk, order_id, WRITTEN_AFTER)
    for _night in range(3):
        for path in desk.folder.rglob("*.ledger"):
            path.unlink()
        assert desk.reissue(order_id)["action"] == "adopted"
    assert_finished(desk, order_id)


def test_the_key_is_lost_while_a_reissue_is_open(desk: Desk) -> None:
    order_id = desk.order()
    assert desk.reissue(order_id)["action"] == "sent"
    desk.pass_time(10 * 60 if desk.provider == "sectigo" else 0)
    desk.sandbox.patch_order(desk.provider, _open_order(desk, order_id), stage="validating")
    desk.new_csr()
    for check_mode in (False, True):
        refused = desk.reissue(order_id, check_mode=check_mode)
        assert (refused["error_kind"], refused["sent"]) == ("reissue_in_progress", "false"), refused
    assert desk.reissues(order_id) == len(desk.written()) == 1
    desk.sandbox.patch_order(desk.provider, _open_order(desk, order_id), go_on=[["issuing", 30], ["issued", None]])
    desk.pass_time(HOUR)
    refused = desk.reissue(order_id)
    assert (refused["error_kind"], refused["sent"]) == ("too_soon", "false"), refused
    desk.pass_time(2 * DAY)
    result = desk.renew(order_id)
    assert same_key(desk.csr, result["certificate"]), result
    assert len(desk.written()) == 2


def _open_order(desk: Desk, order_id: str) -> str:
    """The order under which a reissue is open: at Sectigo one of its own."""
    return desk.sandbox.get_order(desk.provider, order_id)["replaced_by"] or order_id


@pytest.mark.slow
def test_between_any_two_steps(desk: Desk) -> None:
    steps = [t.cast(Step, tuple(step)) for step in run_in_process(lambda: desk.reissue(desk.order()))["steps"]]
    assert len(steps) >= 20
    for step in steps:
        desk.sandbox.clear_requests()
        desk.new_csr()
        order_id = desk.order()
        kill(desk, order_id, step)
        assert_finished(desk, order_id)
    print(f"{desk.provider}: killed at {len(steps)} steps")
