# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twelve months of certificates that last 47 days, renewed each night by nobody, with a fault now and then."""

from __future__ import annotations

import datetime
import typing as t
from pathlib import Path

import pytest
from reissue_runs import DAY, HOUR, NAME, Desk, same_key
from sandbox.client import Sandbox

from ansible_collections.certops.issuance.plugins.module_utils._common import renewal as rules

OTHER = "mail.example.org"
NIGHTS = 365
#: What goes wrong with the request of each renewal, in turn.
FAULTS: list[dict[str, t.Any]] = [
    {},
    {"kind": "reset", "processed": True},
    {"kind": "5xx"},
    {"kind": "429"},
    {"kind": "truncated", "at": 0.5},
]


class Service:
    """What is in service, and the request for what comes next."""

    def __init__(self, desk: Desk, order_id: str) -> None:
        self.desk, self.order_id = desk, order_id
        self.served = desk.collect(order_id)
        self.pending = False
        self.renewals = 0
        self.failures: list[str] = []

    def assert_served(self) -> None:
        """The certificate in service is valid now."""
        ends = datetime.datetime.fromisoformat(self.served["not_after"])
        begins = datetime.datetime.fromisoformat(self.served["not_before"])
        assert begins <= self.desk.now() < ends, (self.desk.moment(), self.served["not_after"], self.failures)

    def run_night(self) -> None:
        """What a nightly play does: nothing at all while nothing is due."""
        facts = {**self.served, "exists": True, "placeholder": False}
        due = rules.renewal(facts, self.desk.now(), None, NAME, datetime.timedelta(days=1), None).due
        if not due and not self.pending:
            return
        if not self.pending:
            self.desk.new_csr(NAME, OTHER)
            self.pending = True
            fault = FAULTS[self.renewals % len(FAULTS)]
            if fault:
                self.desk.fault(**fault)
        result = self.desk.renew(self.order_id)
        if result.get("failed"):
            self.failures.append(str(result["error_kind"]))
            return
        assert same_key(self.desk.csr, result["certificate"])
        assert result["serial_number"] != self.served["serial_number"]
        self.served, self.pending = result, False
        self.renewals += 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["digicert", "gogetssl", "gogetssl-lagging-csr", "sectigo", "sectigo-in-order"])
def test_twelve_months_unattended(sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    provider, _dash, how = kind.partition("-")
    sandbox.patch_account(provider, features={"replace_in_order": how == "in-order", "csr_lags": how == "lagging-csr"})
    desk = Desk(sandbox, provider, folder)
    desk.new_csr(NAME, OTHER)
    order_id = desk.order(NAME, OTHER, csr=desk.csr, age=HOUR, coverage=420 * DAY)
    service = Service(desk, order_id)
    quiet = 0
    for night in range(1, NIGHTS + 1):
        before = sandbox.summary()["requests"]
        desk.pass_time(night * DAY - desk.elapsed)
        service.assert_served()
        service.run_night()
        service.assert_served()
        quiet += sandbox.summary()["requests"] == before
    assert service.renewals in (11, 12)
    assert desk.reissues() == service.renewals
    assert set(service.failures) <= {"request_uncertain", "rate_limited"}
    print(
        f"{kind}: {service.renewals} renewals, {len(service.failures)} failed nights, {quiet} nights without a request"
    )
    assert quiet == NIGHTS - service.renewals - len(service.failures)
