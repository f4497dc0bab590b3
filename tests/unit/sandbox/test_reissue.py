# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module order_reissue against the providers of the sandbox: how many requests that change something it leaves."""

from __future__ import annotations

import datetime
import pathlib
import threading
import time
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import ACCOUNT_OPTIONS
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_reissue import (
    ORDER_REISSUE_OPTIONS,
    order_reissue,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform

if t.TYPE_CHECKING:
    from sandbox.client import Sandbox

#: The one call of each provider that requests a reissue, as a part of its path.
WRITES = {"digicert": "/reissue", "gogetssl": "/orders/ssl/reissue/", "sectigo": "/products/!AutoReplaceSSL"}
#: Everything that reads: all other requests change something.
READS = ("/auth/", "/orders/status/", "!GetDetailedOrderStatus", "CollectSSL", "!GetMDCDomainDetails", "/get_")
METHODS = {"digicert": "dns-txt", "gogetssl": "http", "sectigo": "http"}
NAME = "www.example.org"

providers = pytest.mark.parametrize("provider", sorted(WRITES))


def make_csr(*names: str) -> str:
    """A CSR for a new key."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    )
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    request = builder.add_extension(alternative, critical=False).sign(
        ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()
    )
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")


class Desk:
    """Runs the module as a task would, with a clock of its own."""

    def __init__(self, sandbox: Sandbox, provider: str, directory: pathlib.Path) -> None:
        self.sandbox, self.provider = sandbox, provider
        self.elapsed = 0.0
        self.start = datetime.datetime.now()
        self.directory = directory
        self.real_time = False
        self.csr = make_csr(NAME)
        self.after = self.moment()

    def moment(self) -> str:
        """The present as an option."""
        now = self.start.astimezone(datetime.timezone.utc) + datetime.timedelta(seconds=self.elapsed)
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def order(self, *names: str, scenario: str = "issued", **fields: t.Any) -> str:
        """A new order; of the age of a certificate that is due."""
        fields = {"age": 40 * 86400, **fields}
        return str(self.sandbox.order(self.provider, list(names) or [NAME], scenario=scenario, **fields)["order_id"])

    def _sleep(self, seconds: float) -> None:
        self.elapsed += seconds

    def run(self, order_id: str, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        """The result of the task."""
        runtime = Runtime(
            environment={"XDG_CACHE_HOME": str(self.directory)},
            check_mode=check_mode,
            clock=time.monotonic if self.real_time else lambda: self.elapsed,
            sleep=time.sleep if self.real_time else self._sleep,
            wall=lambda: self.start + datetime.timedelta(seconds=self.elapsed),
        )
        defaults = {name: option.get("default") for name, option in ORDER_REISSUE_OPTIONS.items()}
        given = {"csr": self.csr, "requested_after": self.after, "dcv_method": METHODS.get(self.provider), **params}
        account = self.sandbox.options(self.provider)
        assert set(account) <= set(ACCOUNT_OPTIONS)
        return perform(order_reissue, {**defaults, **account, **given, "order_id": order_id}, runtime)

    def writes(self) -> list[str]:
        """The requests that change something, by path."""
        found = []
        for entry in self.sandbox.requests(provider=self.provider):
            path = str(entry["path"])
            if entry["method"] != "GET" and not any(part in path for part in READS):
                assert WRITES.get(self.provider, "none") in path, path
                found.append(path)
        return found


@pytest.fixture
def make(sandbox: Sandbox, tmp_path: pathlib.Path) -> t.Callable[[str], Desk]:
    folder = tmp_path / "private"
    folder.mkdir(mode=0o700)
    return lambda provider: Desk(sandbox, provider, folder)


@providers
def test_a_reissue_is_requested_once_and_taken_up_afterwards(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order()
    foreseen = desk.run(order_id, check_mode=True)
    assert (foreseen["action"], foreseen["changed"], foreseen["sent"]) == ("would_send", True, "false"), foreseen
    assert desk.writes() == []
    first = desk.run(order_id)
    assert (first["action"], first["changed"], first["sent"]) == ("sent", True, "true"), first
    assert first["superseded_serial_number"]
    assert first["order"]["issued"] is False
    for _run in range(5):
        again = desk.run(order_id)
        assert (again["action"], again["changed"], again["sent"]) == ("adopted", False, "false"), again
    desk.sandbox.advance(600)
    issued = desk.run(order_id)
    assert (issued["action"], issued["reason"], issued["changed"]) == ("none", "issued", False), issued
    assert len(desk.writes()) == 1


def test_a_hundred_runs_request_one_reissue(make: t.Callable[[str], Desk]) -> None:
    desk = make("sectigo")
    order_id = desk.order()
    actions = [desk.run(order_id)["action"] for _run in range(100)]
    # It may be issued before the last of them.
    assert (actions[0], set(actions[1:]) - {"none"}) == ("sent", {"adopted"})
    assert len(desk.writes()) == 1


@providers
def test_two_at_once_request_one_reissue(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order()
    desk.real_time = True
    results: list[dict[str, t.Any]] = []
    # Each opens the lock file by itself, as two processes would.
    threads = [threading.Thread(target=lambda: results.append(desk.run(order_id))) for _thread in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(str(result["action"]) for result in results) == ["adopted", "sent"], results
    assert len(desk.writes()) == 1


@providers
def test_an_answer_that_is_lost_is_found_by_reading(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order()
    desk.sandbox.fault("truncated", path=WRITES[provider] + ".*", method="POST", times=1, at=1)
    result = desk.run(order_id)
    assert (result["action"], result["changed"]) == ("adopted", True), result
    later = desk.run(order_id)
    assert (later["action"], later["changed"]) == ("adopted", False), later
    assert len(desk.writes()) == 1


@providers
def test_a_run_that_died_after_sending_is_taken_up(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order()
    assert desk.run(order_id)["action"] == "sent"
    # The ledger is gone with the machine it was on.
    for path in desk.directory.rglob("*.ledger"):
        path.unlink()
    assert desk.run(order_id)["action"] == "adopted"
    assert len(desk.writes()) == 1


def test_a_replacement_without_a_time_is_taken_up_without_the_ledger(make: t.Callable[[str], Desk]) -> None:
    """Within an order of Sectigo nothing shows when a replacement began, or whose it is: its key decides at last."""
    desk = make("sectigo")
    desk.sandbox.patch_account("sectigo", features={"replace_in_order": True})
    order_id = desk.order()
    assert desk.run(order_id)["action"] == "sent"
    for path in desk.directory.rglob("*.ledger"):
        path.unlink()
    found = desk.run(order_id)
    assert (found["action"], found["reason"], found["order"]["reissue"]["ours"]) == ("adopted", "no_time", None), found
    # Who does not say when the CSR was made cannot have asked before.
    unknown = desk.run(order_id, requested_after=None)
    assert (unknown["error_kind"], unknown["reason"]) == ("reissue_in_progress", "unknown_owner"), unknown
    assert len(desk.writes()) == 1


def test_a_code_that_is_made_from_another_csr_is_somebody_elses(make: t.Callable[[str], Desk]) -> None:
    """Also where the ledger has a request of ours, which was lost."""
    desk = make("gogetssl")
    desk.sandbox.patch_account("gogetssl", features={"csr_lags": True})
    order_id = desk.order()
    desk.sandbox.fault("reset", path=WRITES["gogetssl"] + ".*", method="POST", times=1)
    assert desk.run(order_id)["error_kind"] == "request_uncertain"
    desk.elapsed = 4000
    theirs = make_csr(NAME)
    assert desk.run(order_id, csr=theirs)["action"] == "sent"
    found = desk.run(order_id)
    assert (found["error_kind"], found["reason"]) == ("reissue_in_progress", "foreign_key"), found


def test_a_clock_that_jumps_back_lets_no_run_look_for_ever(make: t.Callable[[str], Desk]) -> None:
    desk = make("digicert")
    order_id = desk.order()
    desk.start += datetime.timedelta(days=10)
    desk.sandbox.fault("reset", path=WRITES["digicert"] + ".*", method="POST", times=1)
    assert desk.run(order_id)["error_kind"] == "request_uncertain"
    desk.start -= datetime.timedelta(days=10)
    begun = desk.elapsed
    assert desk.run(order_id)["error_kind"] == "request_uncertain"
    assert desk.elapsed - begun <= 120
    assert len(desk.writes()) == 1


@providers
def test_a_request_that_was_not_carried_out_is_sent_again_late(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order()
    desk.sandbox.fault("reset", path=WRITES[provider] + ".*", method="POST", times=1)
    first = desk.run(order_id)
    assert (first["error_kind"], first["sent"], first["retryable"]) == ("request_uncertain", "unknown", True), first
    assert desk.elapsed >= 120
    desk.elapsed = 3000
    soon = desk.run(order_id)
    assert (soon["error_kind"], soon["reason"]) == ("request_uncertain", "no_answer"), soon
    assert len(desk.writes()) == 1
    desk.elapsed = 4000
    again = desk.run(order_id)
    assert (again["action"], again["reason"]) == ("sent", "lost"), again
    assert len(desk.writes()) == 2


@providers
def test_a_request_that_is_refused_leaves_no_doubt(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order()
    desk.sandbox.fault("429", path=WRITES[provider] + ".*", method="POST", times=1)
    refused = desk.run(order_id)
    assert (refused["error_kind"], refused["sent"], refused["reason"]) == ("rate_limited", "true", "refused"), refused
    assert len(desk.writes()) == 1
    desk.elapsed = 60
    assert desk.run(order_id)["action"] == "sent"


@providers
def test_what_somebody_else_has_requested_is_left_alone(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order()
    assert desk.run(order_id, csr=make_csr(NAME))["action"] == "sent"
    desk.elapsed = 3600
    desk.after = desk.moment()
    for check_mode in (False, True):
        result = desk.run(order_id, check_mode=check_mode)
        assert (result["error_kind"], result["sent"]) == ("reissue_in_progress", "false"), result
    waited = desk.run(order_id, on_foreign="wait", timeout="10m")
    assert waited["error_kind"] == "reissue_in_progress"
    assert desk.elapsed == 4200
    assert len(desk.writes()) == 1


@providers
@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])
def test_a_guard_that_objects_leaves_no_request(make: t.Callable[[str], Desk], provider: str, check_mode: bool) -> None:
    desk = make(provider)
    due = desk.order(NAME, "mail.example.org")
    refused: list[tuple[str, str, dict[str, t.Any]]] = [
        ("coverage_ended", due, {"min_coverage": "400d", "csr": make_csr(NAME, "mail.example.org")}),
        ("names_changed", due, {}),
        ("names_changed", due, {"csr": make_csr(NAME, "mail.example.org", "more.example.org")}),
        ("invalid_request", due, {"names": ["other.example.org"]}),
        ("invalid_request", due, {"dcv_method": "https" if provider == "digicert" else "email"}),
        ("invalid_request", due, {"requested_after": "yesterday"}),
        ("not_found", "999999999", {}),
        ("order_failed", desk.order(scenario="revoked"), {}),
    ]
    if provider == "sectigo":
        # Until when it is paid is in no answer of the sandbox.
        del refused[0]
    for kind, order_id, params in refused:
        result = desk.run(order_id, check_mode=check_mode, **params)
        assert (result.get("error_kind"), result["sent"], result["changed"]) == (kind, "false", False), result
    assert desk.writes() == []


@providers
def test_the_form_of_names_is_no_change(make: t.Callable[[str], Desk], provider: str) -> None:
    desk = make(provider)
    order_id = desk.order("www.example.org", "xn--bcher-kva.example.org")
    csr = make_csr("xn--bcher-kva.example.org", "WWW.example.org")
    result = desk.run(order_id, csr=csr, names=["bücher.example.org.", "www.Example.org"], check_mode=True)
    assert result.get("action") == "would_send", result


def test_the_second_reissue_of_a_day_is_too_soon(make: t.Callable[[str], Desk]) -> None:
    desk = make("digicert")
    order_id = desk.order()
    assert desk.run(order_id)["action"] == "sent"
    desk.sandbox.advance(600)
    desk.csr = make_csr(NAME)
    result = desk.run(order_id)
    assert (result["error_kind"], result["sent"]) == ("too_soon", "false"), result
    assert len(desk.writes()) == 1


def test_digicert_names_what_it_revokes_when_names_are_removed(make: t.Callable[[str], Desk]) -> None:
    desk = make("digicert")
    order_id = desk.order(NAME, "mail.example.org")
    result = desk.run(order_id, allow_removed_names=True, check_mode=True)
    assert result["action"] == "would_send", result
    (revoked,) = result["revokes"]
    assert revoked["serial_number"] == result["superseded_serial_number"]
    assert revoked["id"] == result["order"]["certificate"]["id"]
    by = datetime.datetime.strptime(revoked["by"], "%Y-%m-%dT%H:%M:%SZ")
    assert by - datetime.datetime.strptime(desk.after, "%Y-%m-%dT%H:%M:%SZ") == datetime.timedelta(hours=72)


@pytest.mark.parametrize("value", [1, "1", True])
def test_digicert_reissuing_by_itself_is_not_competed_with(make: t.Callable[[str], Desk], value: t.Any) -> None:
    desk = make("digicert")
    order_id = desk.order(fields={"auto_reissue": value})
    assert desk.run(order_id)["error_kind"] == "auto_reissue_enabled"
    assert desk.writes() == []


def test_a_slot_for_a_name_is_not_bought(make: t.Callable[[str], Desk]) -> None:
    desk = make("gogetssl")
    order_id = desk.order(NAME, "mail.example.org", fields={"single_san_count": 0})
    result = desk.run(order_id, csr=make_csr(NAME, "mail.example.org"))
    assert result["error_kind"] == "price_exceeded", result
    assert desk.writes() == []


def test_cpanel_is_not_asked_at_all(make: t.Callable[[str], Desk]) -> None:
    desk = make("cpanel")
    result = desk.run("1234", dcv_method=None)
    assert (result["error_kind"], result["sent"], result["requests_sent"]) == ("unsupported", "false", 0), result
    assert desk.sandbox.requests(provider="cpanel") == []


def test_a_session_key_that_expires_costs_no_second_reissue(make: t.Callable[[str], Desk]) -> None:
    desk = make("gogetssl")
    order_id = desk.order()
    desk.sandbox.fault("expired_key", path=WRITES["gogetssl"], method="POST", times=1)
    result = desk.run(order_id)
    assert (result["action"], result["sent"]) == ("sent", "true"), result
    # The first was refused before it was looked at.
    statuses = [entry["status"] for entry in desk.sandbox.requests(provider="gogetssl") if "/reissue/" in entry["path"]]
    assert statuses == [403, 200]


def test_a_failed_look_after_the_request_is_a_warning(make: t.Callable[[str], Desk]) -> None:
    desk = make("gogetssl")
    order_id = desk.order()
    desk.sandbox.fault("not_json", path="/orders/status/", after=1)
    result = desk.run(order_id)
    assert (result["action"], result["changed"]) == ("sent", True), result
    assert "could not be read afterwards" in result["warnings"][-1]
