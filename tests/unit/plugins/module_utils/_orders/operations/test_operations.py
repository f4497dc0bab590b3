# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations as a task sees them: options in, a result out, with a provider that answers from a script."""

from __future__ import annotations

import dataclasses
import datetime
import json
import pathlib
import re
import subprocess
import sys
import textwrap
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Blocker,
    Domain,
    IssuedBundle,
    Order,
    OrderCertificate,
    Record,
    Status,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_certificate import (
    order_certificate,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import (
    BULK_INFO_FROM,
    order_info,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_reissue import order_reissue
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_wait import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import (
    Operation,
    Params,
    Result,
    Runtime,
    Session,
    check_option_names,
    perform,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import OrderSummary, open_blockers
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import (
    Answer,
    FakeProvider,
    FakeTime,
    register_fake,
)

PASSWORD = "hunter2-hunter2"


class Desk:
    """Runs operations against the fake provider."""

    def __init__(self) -> None:
        self.time = FakeTime()
        self.lines: list[str] = []
        self.environment: dict[str, str] = {}

    def run(
        self,
        operation: Operation,
        check_mode: bool = False,
        report: bool = False,
        **params: t.Any,
    ) -> dict[str, t.Any]:
        runtime = Runtime(
            environment=self.environment,
            check_mode=check_mode,
            report=self.lines.append if report else None,
            clock=self.time.clock,
            sleep=self.time.sleep,
            wall=lambda: datetime.datetime(2026, 5, 1, 14, 0, 0),
        )
        filled: dict[str, t.Any] = {"provider": "fake", "username": "somebody", "password": PASSWORD}
        filled.update(params)
        result = perform(operation, filled, runtime)
        # Whatever comes can be returned by a module.
        json.dumps(result, allow_nan=False)
        assert result["changed"] is False
        return result

    def info(self, *order_ids: str, **params: t.Any) -> dict[str, t.Any]:
        return self.run(order_info, order_ids=list(order_ids), **params)

    def wait(self, *order_ids: str, **params: t.Any) -> dict[str, t.Any]:
        return self.run(order_wait, order_ids=list(order_ids), **params)

    def collect(self, order_id: str = "1", **params: t.Any) -> dict[str, t.Any]:
        return self.run(order_certificate, order_id=order_id, **params)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> Desk:
    register_fake(monkeypatch, tmp_path)
    monkeypatch.setattr(FakeProvider, "bundle", FakeProvider.bundle)
    return Desk()


def requested() -> list[str]:
    """The orders whose details were requested."""
    return [what for kind, what in FakeProvider.calls if kind == "fetch"]


def say(**scripts: Answer | list[Answer]) -> None:
    """What the provider says of each order, n1 standing for order 1."""
    for name, script in scripts.items():
        FakeProvider.scripts[name.lstrip("n")] = script if isinstance(script, list) else [script]


def pending(order_id: str = "1", **fields: t.Any) -> Order:
    return Order("fake", order_id, Status.VALIDATING, provider_status="pending", **fields)


def issued(order_id: str = "1", **fields: t.Any) -> Order:
    return Order("fake", order_id, Status.ISSUED, provider_status="issued", issued=True, dcv_completed=True, **fields)


# -- order_info ---------------------------------------------------------------


def test_orders_come_in_the_order_asked_for_each_once(desk: Desk) -> None:
    say(n1=pending("1"), n2=issued("2"))
    result = desk.info("2", " 1 ", "2")
    assert [order["order_id"] for order in result["orders"]] == ["2", "1"]
    assert requested() == ["2", "1"]
    assert "failed" not in result and "warnings" not in result
    assert result["requests_sent"] == 0


def test_an_order_that_is_not_known_does_not_keep_the_others_from_being_returned(desk: Desk) -> None:
    say(n1=pending("1"), n2=OrderNotFound("Fake does not know it"), n3=issued("3"))
    result = desk.info("1", "2", "3")
    assert (result["failed"], result["error_kind"], result["order_id"]) == (True, "not_found", "2")
    assert result["msg"] == "fake order 2: Fake does not know it"
    assert [order["order_id"] for order in result["orders"]] == ["1", "3"]


def test_several_failures_are_all_reported(desk: Desk) -> None:
    say(n1=OrderNotFound("Fake does not know it"), n2=UnexpectedResponse("odd"), n3=issued("3"))
    result = desk.info("x1", "1", "2", "3")
    assert result["error_kind"] == "invalid_request"
    assert result["msg"].endswith("(and 2 more, see errors)")
    assert [(error["error_kind"], error["order_id"]) for error in result["errors"]] == [
        ("invalid_request", "x1"),
        ("not_found", "1"),
        ("unexpected_response", "2"),
    ]
    assert all("see errors" not in error["msg"] for error in result["errors"])
    assert [order["order_id"] for order in result["orders"]] == ["3"]


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("refused", http_status=403),
        PermissionDenied("not with this key"),
        RateLimited("slow down", retry_after=900.0),
        ProviderUnavailable("not trusted", retryable=False),
    ],
)
def test_after_a_failure_that_concerns_the_account_nobody_else_is_asked_for(desk: Desk, error: OrderError) -> None:
    say(n1=pending("1"), n2=error, **{"n" + str(number): issued(str(number)) for number in range(3, 30)})
    result = desk.info(*(str(number) for number in range(1, 30)))
    assert result["error_kind"] == error.kind
    assert requested() == ["1", "2"]
    assert [order["order_id"] for order in result["orders"]] == ["1"]
    assert result["warnings"] == ["not requested after this failure: 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and 17 more"]


def test_refused_credentials_are_reported_before_an_order_id_that_is_none(desk: Desk) -> None:
    say(n1=AuthenticationError("refused"))
    assert desk.info("x", "1")["error_kind"] == "authentication"


def test_two_orders_in_a_row_without_an_answer_are_enough(desk: Desk) -> None:
    say(**{"n" + str(number): ProviderUnavailable("HTTP 503") for number in range(1, 10)})
    say(n2=pending("2"))
    result = desk.info(*(str(number) for number in range(1, 10)))
    assert requested() == ["1", "2", "3", "4"]
    assert len(result["errors"]) == 3


@pytest.mark.parametrize("given", ["abc", "-1", "1.5", "0", "000", "9" * 21, "1 2", "1\n2", "٣"])
def test_what_is_no_order_id_is_not_asked_for(desk: Desk, given: str) -> None:
    result = desk.info(given)
    assert result["error_kind"] == "invalid_request"
    assert result["msg"].endswith("this is no order id of Fake; give digits")
    assert requested() == [] and result["orders"] == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "an order id is empty; check the variable that order_id or order_ids is made of"),
        ("  ", "an order id is empty; check the variable that order_id or order_ids is made of"),
        ("{'order_id': '12345', 'provider': 'fake'}", "map(attribute='order_id')"),
        ("['1', '2']", "a list in place of one order id"),
    ],
)
def test_what_is_often_given_in_place_of_an_order_id_is_named(desk: Desk, given: str, expected: str) -> None:
    for result in (desk.info(given), desk.wait(given), desk.collect(given)):
        assert result["error_kind"] == "invalid_request"
        assert expected in result["msg"]
        assert "12345" not in result["msg"]
    assert requested() == []


def test_no_order_id_at_all_is_reported(desk: Desk) -> None:
    for result in (desk.info(), desk.wait()):
        assert result["failed"] and result["error_kind"] == "invalid_request"
        assert result["msg"] == "fake: order_ids is empty; give at least one order id"


class BulkProvider(FakeProvider):
    """The same with a bulk call, which reports all orders that are pending."""

    info = dataclasses.replace(FakeProvider.info, bulk_from=4)
    bulk: t.ClassVar[OrderError | None] = None

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        assert changed_since is None
        if self.bulk is not None:
            raise self.bulk
        reported = {order_id: self.scripts[order_id][0] for order_id in order_ids}
        return {
            order_id: OrderSummary("pending", order)
            if isinstance(order, Order) and not order.final
            else OrderSummary("other")
            for order_id, order in reported.items()
        }


def fleet(monkeypatch: pytest.MonkeyPatch, refused: OrderError | None = None) -> list[str]:
    """As many orders as are asked for by the bulk call; all are pending but the last one."""
    monkeypatch.setitem(PROVIDERS, "fake", BulkProvider)  # type: ignore[misc]
    monkeypatch.setattr(BulkProvider, "bulk", refused)
    order_ids = [str(number) for number in range(1, BULK_INFO_FROM + 1)]
    say(**{order_id: pending(order_id) for order_id in order_ids[:-1]})
    FakeProvider.scripts[order_ids[-1]] = [issued(order_ids[-1])]
    return order_ids


def test_many_orders_are_asked_for_in_bulk_and_in_detail_where_there_is_more_to_tell(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_ids = fleet(monkeypatch)
    result = desk.info(*order_ids)
    assert [order["order_id"] for order in result["orders"]] == order_ids
    assert result["orders"][-1]["issued"] is True
    assert requested() == [order_ids[-1]]
    assert "99 of 100 orders were read from the bulk call alone" in result["warnings"][0]


def test_raw_bodies_and_few_orders_are_always_asked_for_one_by_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_ids = fleet(monkeypatch)
    desk.info(*order_ids[1:])
    assert requested() == order_ids[1:]
    FakeProvider.calls.clear()
    desk.info(*order_ids, include_raw=True)
    assert requested() == order_ids


def test_where_the_bulk_call_is_refused_each_order_is_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_ids = fleet(monkeypatch, PermissionDenied("the key may not list orders"))
    result = desk.info(*order_ids)
    assert requested() == order_ids
    assert "bulk call refused" in result["warnings"][0]


def test_credentials_that_the_bulk_call_finds_refused_are_not_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = desk.info(*fleet(monkeypatch, AuthenticationError("refused")))
    assert (result["failed"], result["error_kind"], result["orders"]) == (True, "authentication", [])
    assert requested() == []


@pytest.mark.parametrize("error", [RateLimited("slow down"), ProviderUnavailable("HTTP 503")])
def test_a_bulk_call_that_nobody_answers_now_is_no_reason_for_a_hundred_single_calls(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: OrderError
) -> None:
    result = desk.info(*fleet(monkeypatch, error))
    assert (result["failed"], result["error_kind"], result["orders"]) == (True, error.kind, [])
    assert requested() == []


def test_raw_holds_no_name_by_which_ansible_marks_values_of_its_own(desk: Desk) -> None:
    body = {
        "__ansible_type": "x",
        "list": [{"__ansible_vault": 1, "__ansible_unsafe": {"__ansible_type": [2]}}],
        "_a": 3,
    }
    say(n1=pending(raw=body))
    raw = desk.info("1", include_raw=True)["orders"][0]["raw"]
    assert raw == {
        "ansible_type": "x",
        "list": [{"ansible_vault": 1, "ansible_unsafe": {"ansible_type": [2]}}],
        "_a": 3,
    }


def test_raw_is_there_on_request_without_personal_data_and_secrets(desk: Desk) -> None:
    body = {"id": 1, "phone": "555", "echoed": {"email": "a@b.example", "echo": PASSWORD}, PASSWORD: 1}
    say(n1=pending(raw=body))
    plain = desk.info("1")["orders"][0]
    assert (plain["raw"], plain["warnings"]) == (None, [])
    full = desk.info("1", include_raw=True)["orders"][0]
    assert full["raw"] == {"id": 1, "echoed": {"echo": "********"}, "********": 1}
    assert full["warnings"] == ["left out of raw as personal data: email, phone"]


def test_one_odd_word_in_many_orders_is_one_warning(desk: Desk) -> None:
    for number in range(1, 21):
        say(**{f"n{number}": pending(str(number), warnings=("fake said frob",))})
    result = desk.info(*(str(number) for number in range(1, 21)))
    assert result["warnings"] == ["order 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 10 more: fake said frob"]
    assert all(order["warnings"] == ["fake said frob"] for order in result["orders"])


# -- order_wait ---------------------------------------------------------------


def test_every_order_asked_for_is_returned_with_what_became_of_it(desk: Desk) -> None:
    blockers = (Blocker("dcv", "publish it", "you", "www.example.com"),)
    say(
        n1=[pending("1"), issued("1")], n2=Order("fake", "2", Status.REJECTED, reason="no"), n3=OrderNotFound("unknown")
    )
    say(n4=Order("fake", "4", Status.ACTION_REQUIRED, reason="pay"), n5=pending("5", blockers=blockers))
    result = desk.wait("1", "2", "x", "3", "4", "5", timeout=130)
    found = {order["order_id"]: (order["outcome"], order.get("error_kind")) for order in result["orders"]}
    assert found == {
        "1": ("reached", None),
        "2": ("failed", "order_failed"),
        "x": ("failed", "invalid_request"),
        "3": ("failed", "not_found"),
        "4": ("action_required", "action_required"),
        "5": ("timed_out", "timed_out"),
    }
    # What no waiting can mend is reported first, and nothing is lost.
    assert result["failed"] and result["error_kind"] == "order_failed"
    assert (
        result["msg"]
        == "fake order 2: the order has ended: rejected: no; place a new one (and 4 more orders of 6, see orders)"
    )
    last = {order["order_id"]: order for order in result["orders"]}["5"]
    assert last["blockers"][0]["subject"] == "www.example.com"
    assert "run this again in" in last["msg"]
    assert result["polls"] >= 3 and result["elapsed"] <= 130 and result["next_poll_in"] >= 60


REJECTED = Order("fake", "1", Status.REJECTED)
PAY = Order("fake", "1", Status.ACTION_REQUIRED)


@pytest.mark.parametrize(
    ("answer", "options", "kind"),
    [
        (REJECTED, {}, "order_failed"),
        (REJECTED, {"on_failure": "return"}, None),
        (REJECTED, {"on_timeout": "return"}, "order_failed"),
        (PAY, {}, "action_required"),
        (PAY, {"on_failure": "return"}, None),
        (PAY, {"on_action_required": "wait"}, "timed_out"),
        (PAY, {"on_action_required": "wait", "on_timeout": "return"}, None),
        (pending(), {}, "timed_out"),
        (pending(), {"on_timeout": "return"}, None),
        (pending(), {"on_failure": "return"}, "timed_out"),
        (AuthenticationError("refused"), {}, "authentication"),
        (AuthenticationError("refused"), {"on_failure": "return"}, None),
        (pending(dcv_completed=True), {"until": "dcv_completed"}, None),
        (issued(), {}, None),
    ],
)
def test_what_fails_the_task_is_for_the_options_to_say(
    desk: Desk, answer: Answer, options: dict[str, str], kind: str | None
) -> None:
    say(n1=answer)
    result = desk.wait("1", timeout=100, **options)
    assert result.get("error_kind") == kind
    assert result.get("failed", False) is (kind is not None)
    assert len(result["orders"]) == 1


@pytest.mark.parametrize(
    ("record", "advice"),
    [
        (Record("TXT", "_dnsauth.example.com", "abc123"), "publish the TXT record"),
        (None, "order_dcv_info says what to publish"),
    ],
)
def test_an_order_that_timed_out_says_what_to_publish(desk: Desk, record: Record | None, advice: str) -> None:
    domain = Domain("www.example.com", "in_progress", method="dns-txt", record=record)
    say(n1=pending("1", domains=(domain,), blockers=open_blockers({"dcv": "in_progress"}, [domain])))
    message = desk.wait("1", timeout=100)["msg"]
    assert f"www.example.com waits for dns-txt; {advice}" in message
    assert ("_dnsauth.example.com with value abc123; run this again in" in message) is (record is not None)


def test_check_mode_looks_once_and_does_not_fail_for_what_it_would_wait_for(desk: Desk) -> None:
    say(n1=pending("1"), n2=issued("2"))
    result = desk.wait("1", "2", check_mode=True)
    assert "failed" not in result
    assert [order["outcome"] for order in result["orders"]] == ["timed_out", "reached"]
    assert (result["polls"], desk.time.sleeps) == (1, [])


@pytest.mark.parametrize(
    ("order_id", "given", "kind"),
    [
        ("2", REJECTED, "order_failed"),
        ("2", AuthenticationError("refused"), "authentication"),
        ("x", None, "invalid_request"),
    ],
)
@pytest.mark.parametrize("on_failure", ["fail", "return"])
def test_what_no_waiting_can_mend_fails_in_check_mode_as_it_does_without(
    desk: Desk, order_id: str, given: Answer | None, kind: str, on_failure: str
) -> None:
    say(n1=pending("1"), **({"n2": given} if given else {}))
    result = desk.wait("1", order_id, check_mode=True, on_failure=on_failure)
    assert result.get("failed", False) is (on_failure == "fail")
    assert result.get("error_kind") == (kind if on_failure == "fail" else None)
    assert result["orders"][1]["error_kind"] == kind


def test_a_result_that_timed_out_can_be_gone_on_from(desk: Desk) -> None:
    say(n1=[pending()] * 4 + [issued()])
    first = desk.wait("1", timeout=100, on_timeout="return")
    assert first["orders"][0]["outcome"] == "timed_out"
    again = desk.wait(*(order["order_id"] for order in first["orders"]))
    assert again["orders"][0]["outcome"] == "reached"


def test_what_kept_the_last_answer_from_coming_is_in_the_result(desk: Desk) -> None:
    say(n1=[pending(), ProviderUnavailable("the server failed (HTTP 503)")])
    order = desk.wait("1", timeout=100)["orders"][0]
    assert order["status"] == "validating"
    assert order["warnings"] == ["the last request was not answered: the server failed (HTTP 503)"]
    assert "HTTP 503" in order["msg"]


@pytest.mark.parametrize(
    ("options", "slept"),
    [
        ({"timeout": "2m", "poll_interval": "1m30s"}, [90.0, 27.0]),
        ({"timeout": "120", "poll_interval": 90}, [90.0, 27.0]),
    ],
)
def test_durations_may_be_written_as_they_are_shown(desk: Desk, options: dict[str, t.Any], slept: list[float]) -> None:
    say(n1=pending())
    assert desk.wait("1", **options)["error_kind"] == "timed_out"
    assert desk.time.sleeps == slept


@pytest.mark.parametrize("outcome", [issued(), REJECTED, pending()])
def test_the_next_poll_is_null_where_no_order_is_left_to_wait_for(desk: Desk, outcome: Order) -> None:
    say(n1=outcome, n2=issued("2"))
    result = desk.wait("1", "2", timeout=0)
    assert (result["next_poll_in"] is None) == outcome.final


@pytest.mark.parametrize(
    "options",
    [{"timeout": -1}, {"timeout": "2 hours"}, {"timeout": True}, {"poll_interval": 0}, {"poll_interval": -5}],
)
def test_times_that_make_no_sense_are_refused(desk: Desk, options: dict[str, t.Any]) -> None:
    result = desk.wait("1", **options)
    assert result["error_kind"] == "invalid_request"
    assert all(f"{name} is {value}" in result["msg"] for name, value in options.items())
    assert requested() == []


@pytest.mark.parametrize("option", ["timeout", "poll_interval"])
def test_an_empty_time_is_named_with_what_to_give(desk: Desk, option: str) -> None:
    result = desk.wait("1", **{option: ""})
    assert result["msg"].startswith(f"fake: {option} is empty; give seconds, or a duration such as 45s")
    assert requested() == []


@pytest.mark.parametrize("given", ["hello", "", "0", "12:3G", "https://x"])
def test_what_is_no_serial_number_is_refused_before_anything_is_asked(desk: Desk, given: str) -> None:
    """Else the certificate in service would be taken for the new one."""
    for result in (
        desk.wait("1", superseded_serial_number=[given]),
        desk.collect(superseded_serial_number=given),
    ):
        assert result["error_kind"] == "invalid_request"
        assert "superseded_serial_number" in result["msg"]
        assert requested() == []


@pytest.mark.parametrize(
    "given",
    ["ABCDEF01", "ab:cd:ef:01", "00ABCDEF01", "0xABCDEF01", "serial=ABCDEF01", "Serial: 0xabcdef01", "2882400001"],
)
def test_a_serial_number_may_be_written_as_any_tool_writes_it(desk: Desk, given: str) -> None:
    say(n1=issued(certificate=OrderCertificate(serial_number="ABCDEF01")))
    result = desk.wait("1", superseded_serial_number=[given], timeout=0)
    assert result["error_kind"] == "timed_out"
    assert "ABCDEF01 is the previous one" in result["msg"]
    assert desk.collect(superseded_serial_number=given)["error_kind"] == "not_issued"


def test_progress_lines_are_plain_and_without_secrets(desk: Desk) -> None:
    say(n1=[pending(reason=f"\x1b[2Jfor {PASSWORD}\n"), issued()])
    desk.wait("1", report=True)
    first, last = desk.lines
    assert re.fullmatch(r"order 1 \(fake\) validating: \[2Jfor \*{8}; next poll 14:01:0\d, 0s of 30m", first)
    assert re.fullmatch(r"order 1 \(fake\) issued; after 1m\w*", last)


def test_a_secret_is_hidden_before_a_long_line_is_cut(desk: Desk) -> None:
    say(n1=[pending(reason="x" * (460 + shift) + PASSWORD) for shift in range(16)] + [issued()])
    desk.wait("1", report=True, poll_interval=1)
    assert len(desk.lines) == 17
    assert not any("hunt" in line for line in desk.lines)


def test_a_warning_of_the_wait_is_a_warning_of_the_task(desk: Desk) -> None:
    say(n1=issued("1", warnings=("fake said frob",)), n2=issued("2", warnings=("fake said frob",)))
    assert desk.wait("1", "2")["warnings"] == ["order 1: fake said frob"]


# -- order_certificate --------------------------------------------------------

ROOT = pki.Authority("Root")
ISSUER = pki.Authority("Issuer", ROOT)
KEY = pki.make_key()
LEAF = ISSUER.issue("www.example.com", "example.com", key=KEY)


def deliver(leaf: t.Any = LEAF, **fields: t.Any) -> None:
    FakeProvider.bundle = IssuedBundle(pki.pem(leaf), (ISSUER.pem, ROOT.pem), **fields)


def csr(key: t.Any) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")


def test_the_certificate_with_its_chain_and_facts(desk: Desk) -> None:
    say(n1=issued(domains=(Domain("www.example.com"),)))
    deliver()
    result = desk.collect(csr=csr(KEY), names=["example.com"])
    assert "failed" not in result
    assert (result["certificate"], result["chain"]) == (pki.pem(LEAF), ISSUER.pem)
    assert result["fullchain"] == pki.pem(LEAF) + ISSUER.pem
    assert result["serial_number"] == pki.serial(LEAF)
    assert result["names"] == ["www.example.com", "example.com"]
    assert result["not_after"] == LEAF.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_pem_is_left_whole_even_by_a_short_password_that_occurs_in_it(desk: Desk) -> None:
    say(n1=issued())
    deliver()
    for password in ("MII", "BEGIN", "cert", "chain", "example"):
        result = desk.collect(password=password)
        assert (result["certificate"], result["chain"]) == (pki.pem(LEAF), ISSUER.pem)
        assert {"certificate", "chain", "fullchain", "serial_number", "names", "issuer"} <= set(result)


REISSUE = OrderCertificate(serial_number="AB")


@pytest.mark.parametrize(
    ("answer", "kind", "expected"),
    [
        (pending(), "not_issued", "wait for it with order_wait"),
        (REJECTED, "order_failed", "the order has ended: rejected"),
        (PAY, "action_required", "a person must act"),
        (Order("fake", "1", Status.UNKNOWN, provider_status="frob"), "not_issued", "frob"),
        (Order("fake", "1", Status.ISSUED), "not_issued", "issued"),
        (OrderNotFound("unknown"), "not_found", "unknown"),
        (issued(certificate=REISSUE), "not_issued", "AB is the previous one"),
    ],
)
def test_what_cannot_be_collected_is_reported_by_its_kind(desk: Desk, answer: Answer, kind: str, expected: str) -> None:
    say(n1=answer)
    FakeProvider.bundle = AuthenticationError("nothing may be collected")
    result = desk.collect(superseded_serial_number="00:ab")
    assert (result["failed"], result["error_kind"], result["order_id"]) == (True, kind, "1")
    assert expected in result["msg"]
    assert "certificate" not in result


def test_what_a_provider_may_have_ready_is_tried(desk: Desk) -> None:
    say(n1=Order("fake", "1", Status.ISSUING, provider_status="pickup"))
    deliver()
    assert "failed" not in desk.collect()


def test_the_previous_certificate_is_refused_where_only_its_own_serial_tells(desk: Desk) -> None:
    say(n1=issued())
    deliver()
    result = desk.collect(superseded_serial_number=":".join(re.findall("..?", pki.serial(LEAF).lower())))
    assert result["error_kind"] == "not_issued"
    assert "is the previous one" in result["msg"]
    assert "failed" not in desk.collect(superseded_serial_number="1234")


def test_a_certificate_that_is_not_the_one_the_order_names_is_refused(desk: Desk) -> None:
    say(n1=issued(certificate=REISSUE))
    deliver()
    assert desk.collect()["error_kind"] == "unexpected_response"
    say(n1=issued(certificate=OrderCertificate(serial_number=pki.serial(LEAF))))
    assert "failed" not in desk.collect()


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"csr": "KEY2"}, "key_mismatch"),
        ({"csr": "no csr"}, "invalid_request"),
        ({"names": ["www.example.com", "mail.example.com"]}, "names_not_covered"),
        ({"names": ["a b"]}, "invalid_request"),
    ],
)
def test_a_certificate_for_something_else_is_refused(desk: Desk, options: dict[str, t.Any], kind: str) -> None:
    say(n1=issued())
    deliver()
    if options.get("csr") == "KEY2":
        options = {"csr": csr(pki.make_key())}
    assert desk.collect(**options)["error_kind"] == kind
    # What cannot be right is refused before the certificate is collected: some may be collected only now and then.
    assert requested() == ([] if kind == "invalid_request" else ["1"])


@pytest.mark.parametrize("odd", ["N/A", "-", "-----BEGIN CERTIFICATE REQUEST-----\nMII", "é"])
def test_a_csr_of_the_provider_that_cannot_be_read_is_no_reason_to_refuse_its_certificate(desk: Desk, odd: str) -> None:
    say(n1=issued())
    deliver(csr=odd)
    result = desk.collect()
    assert "failed" not in result
    assert result["warnings"] == [
        "the CSR that the provider reports cannot be read, so the key was not compared with it; give csr"
    ]


@pytest.mark.parametrize("given", [["1"], "1"])
def test_one_order_may_be_given_as_a_list(desk: Desk, given: t.Any) -> None:
    say(n1=issued())
    deliver()
    assert "failed" not in desk.run(order_certificate, order_id=given)


@pytest.mark.parametrize("given", [[], ["1", "2"]])
def test_one_certificate_is_collected_at_a_time(desk: Desk, given: list[str]) -> None:
    result = desk.run(order_certificate, order_id=given)
    assert (result["error_kind"], requested()) == ("invalid_request", [])
    assert f"names {len(given)} orders; give one" in result["msg"]


# -- names of options -----------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["order"], "order_wait has no option order; did you mean order_ids?"),
        (["order_ID"], "order_wait has no option order_ID; did you mean order_ids?"),
        (["timeot"], "order_wait has no option timeot; did you mean timeout?"),
        (["order_ids", "order_id"], "order_ids and order_id are one option under two names; give order_ids alone"),
        (["xyzzy"], "order_wait has no option xyzzy; it has api_key, api_url, "),
    ],
)
def test_options_that_are_nearly_right_are_refused(given: list[str], expected: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        check_option_names(["provider", *given], ORDER_WAIT_OPTIONS, "order_wait")
    assert expected in str(raised.value)


@pytest.mark.parametrize("given", [["order_ids"], ["order_id"], ["order_id", "_ansible_check_mode"], []])
def test_options_that_exist_are_taken(given: list[str]) -> None:
    check_option_names(given, ORDER_WAIT_OPTIONS, "order_wait")


# -- checks ----------------------------------------------------------------------


def test_what_the_order_tells_is_held_against_the_certificate(desk: Desk) -> None:
    say(n1=issued(domains=(Domain("www.example.com"), Domain("dropped.example.com"))))
    deliver()
    result = desk.collect()
    assert result["error_kind"] == "names_not_covered" and "dropped.example.com" in result["msg"]
    # The task may know better, and what is no host name is no name to hold against anything.
    assert "failed" not in desk.collect(names=["example.com"])
    say(n1=issued(domains=(Domain("www.example.com"), Domain("Example GmbH & Co"))))
    assert "failed" not in desk.collect()
    deliver(csr=csr(pki.make_key()))
    assert desk.collect()["error_kind"] == "key_mismatch"


def test_an_expired_certificate_is_refused(desk: Desk) -> None:
    say(n1=issued())
    # By the clock of the task.
    end = datetime.datetime(2026, 4, 29, tzinfo=datetime.timezone.utc)
    deliver(ISSUER.issue("www.example.com", not_before=end - 9 * pki.DAY, not_after=end))
    assert desk.collect()["error_kind"] == "not_valid_now"
    deliver(ISSUER.issue("www.example.com", not_before=end - 9 * pki.DAY, not_after=end + 9 * pki.DAY))
    assert desk.collect()["not_after"] == "2026-05-08T00:00:00Z"


def test_a_chain_that_is_missing_or_wrong_is_refused(desk: Desk) -> None:
    say(n1=issued())
    FakeProvider.bundle = IssuedBundle(pki.pem(LEAF), ())
    assert desk.collect()["error_kind"] == "not_issued"
    FakeProvider.bundle = IssuedBundle(pki.pem(LEAF), (pki.Authority("Foreign").pem,))
    assert desk.collect()["error_kind"] == "untrusted_chain"
    FakeProvider.bundle = IssuedBundle("<html>", ())
    assert desk.collect()["error_kind"] in ("unexpected_response", "not_issued")
    FakeProvider.bundle = NotIssued("not there yet")
    result = desk.collect()
    assert (result["error_kind"], result["order_id"], result["provider"]) == ("not_issued", "1", "fake")


def test_no_order_id_no_question(desk: Desk) -> None:
    assert desk.collect("12x")["error_kind"] == "invalid_request"
    assert requested() == []


# -- all of them --------------------------------------------------------------


@pytest.mark.parametrize("operation", [order_info, order_wait, order_certificate])
def test_no_secret_is_in_a_result_wherever_the_provider_puts_it(desk: Desk, operation: Operation) -> None:
    url = "https://fake.example/?key=" + PASSWORD
    secretive: dict[str, t.Any] = {
        "reason": "for " + PASSWORD,
        "action_urls": {"csr": url},
        "warnings": ("odd " + PASSWORD,),
        "domains": (Domain(PASSWORD),),
        "blockers": (Blocker("csr", PASSWORD, url=url),),
        "raw": {"key": PASSWORD},
    }
    answers: list[Answer] = [
        pending(**secretive),
        issued(**secretive),
        Order("fake", "1", Status.UNKNOWN, provider_status=PASSWORD, **secretive),
        UnexpectedResponse("it said " + PASSWORD, retryable=False),
        AuthenticationError(PASSWORD + " was refused"),
    ]
    deliver()
    for answer in answers:
        say(n1=answer)
        for source in ({"password": PASSWORD}, {"password": None}):
            desk.environment = {"FAKE_PASSWORD": PASSWORD}
            for check_mode in (False, True):
                result = desk.run(
                    operation, check_mode, True, order_ids=["1"], order_id="1", include_raw=True, timeout=0, **source
                )
                assert PASSWORD not in json.dumps(result)
                assert PASSWORD not in "\n".join(desk.lines)


def test_an_account_that_cannot_be_used_is_a_failure_with_a_kind(desk: Desk) -> None:
    result = desk.info("1", password=None)
    assert (result["failed"], result["error_kind"], result["provider"]) == (True, "invalid_request", "fake")
    assert "FAKE_PASSWORD" in result["msg"]
    assert desk.info("1", api_url="http://far.example")["error_kind"] == "invalid_request"
    assert desk.info("1", ca_path="/there/is/none.pem")["error_kind"] == "invalid_request"


def test_turning_verification_off_is_warned_of(desk: Desk) -> None:
    say(n1=issued())
    assert "validate_certs is off" in desk.info("1", validate_certs=False)["warnings"][0]


def test_budgets_that_cannot_be_shared_are_warned_of_once(desk: Desk, tmp_path: pathlib.Path) -> None:
    say(n1=issued())

    def ask(session: Session, params: Params) -> Result:
        for _turn in range(3):
            session.transport._rate_limiter.acquire()
        return order_info(session, params)

    assert "warnings" not in desk.run(ask, order_ids=["1"])
    (budget,) = (tmp_path / "certops-issuance").glob("*.budget")
    budget.unlink()
    budget.mkdir()
    assert len(desk.run(ask, order_ids=["1"])["warnings"]) == 1


def test_a_defect_is_no_result(desk: Desk) -> None:
    def broken(session: Session, params: Params) -> Result:
        raise KeyError("defect")

    with pytest.raises(KeyError):
        desk.run(broken)


@pytest.mark.parametrize(
    ("library", "operation"),
    [("requests", "order_info"), ("requests", "order_wait"), ("cryptography", "order_certificate")],
)
def test_a_missing_library_is_one_sentence_with_what_to_do(library: str, operation: str) -> None:
    """In a Python of its own, which cannot import the library; as on a host where it is not installed."""
    program = textwrap.dedent(
        """
        import json, sys
        class Without:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == {library!r}:
                    raise ImportError("No module named " + name)
        sys.meta_path.insert(0, Without())
        sys.path.insert(0, {path!r})
        import importlib
        runtime = importlib.import_module("module_utils._orders.operations.runtime")
        operation = importlib.import_module("module_utils._orders.operations.{operation}")
        params = {{"provider": "digicert", "api_key": "abcdef", "order_ids": ["1"], "order_id": "1"}}
        print(json.dumps(runtime.perform(operation.{operation}, params, runtime.Runtime({{}}))))
        """
    ).format(library=library, operation=operation, path=re.sub(r"/module_utils/.*", "", chain.__file__))
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    result = json.loads(done.stdout)
    assert result["failed"] and result["error_kind"] == "invalid_request"
    assert result["msg"] == (
        f"digicert: the Python library {library} is missing where this task runs; install it there with "
        f"'python3 -m pip install {library}'"
    )


def test_a_reissue_that_could_not_begin_says_that_nothing_was_sent(desk: Desk) -> None:
    for wrong in ({"api_url": "http://example.org"}, {"username": "", "password": ""}):
        result = desk.run(order_reissue, order_id="1", csr="", **wrong)
        assert result["error_kind"] == "invalid_request"
        untouched = ("none", "invalid_request", "false", [], None)
        assert tuple(result[name] for name in ("action", "reason", "sent", "revokes", "order")) == untouched
    assert "sent" not in desk.info("1", api_url="http://example.org")
