# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an order says of its coverage and of its reissue, and that no request is sent for it alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from reissue_runs import DAY, WRITES, Desk, make_csr
from sandbox.client import Sandbox

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import (
    ORDER_INFO_OPTIONS,
    order_info,
)

#: Whether a status call shows that an open reissue is for our key, or for another one; None where nothing shows it.
SHOWN = {"digicert": (True, False), "gogetssl": (True, False), "sectigo": (None, None)}
#: Requests of one look at an order: DigiCert's validation, GoGetSSL's login and Sectigo's names are among them.
REQUESTS = 2


@pytest.fixture(params=sorted(WRITES))
def desk(request: pytest.FixtureRequest, sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(folder))
    return Desk(sandbox, request.param, folder)


def test_coverage_and_reissue_before_and_after_a_request(desk: Desk) -> None:
    order_id = desk.order(coverage=300 * DAY)
    before = desk.perform(order_info, ORDER_INFO_OPTIONS, order_ids=[order_id])
    assert before["requests_sent"] <= REQUESTS
    (order,) = before["orders"]
    # Placed 31 days ago.
    assert order["coverage"]["ends"][:10] == f"{desk.now() + timedelta(days=269):%Y-%m-%d}"
    assert order["reissue"]["open"] is False
    sent = desk.reissue(order_id)
    assert sent["action"] == "sent", sent
    ours, theirs = SHOWN[desk.provider]
    assert (sent["order"]["reissue"]["open"], sent["order"]["reissue"]["ours"]) == (True, ours)
    (order,) = desk.perform(order_info, ORDER_INFO_OPTIONS, order_ids=[order_id])["orders"]
    assert (order["reissue"]["open"], order["reissue"]["ours"]) == (True, None)
    desk.csr = make_csr("www.example.org")
    foreign = desk.reissue(order_id, requested_after=None)
    assert foreign["error_kind"] == "reissue_in_progress", foreign
    assert foreign["order"]["reissue"]["ours"] is theirs
