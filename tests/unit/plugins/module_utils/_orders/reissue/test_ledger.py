# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger keeps what was sent, whatever becomes of the process that writes it."""

from __future__ import annotations

import pathlib
import resource
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import RateLimited
from ansible_collections.certops.issuance.plugins.module_utils._orders.reissue.ledger import (
    ACCEPTED,
    REFUSED,
    STARTED,
    Ledger,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.reissue.model import Journal
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import FakeTime

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=timezone.utc)
LATER = NOW + timedelta(minutes=1)


def test_a_request_is_in_doubt_until_its_answer(tmp_path: pathlib.Path) -> None:
    ledger = Ledger(str(tmp_path), "account")
    assert ledger.read("1", "mine") == Journal()
    ledger.write(NOW, "1", "mine", STARTED)
    assert ledger.read("1", "mine") == Journal(attempted=True, uncertain_since=NOW)
    # A request for another key is in doubt as well, but is not this one.
    assert ledger.read("1", "other") == Journal(uncertain_since=NOW)
    assert ledger.read("2", "mine") == Journal()
    ledger.write(LATER, "1", "mine", ACCEPTED)
    assert ledger.read("1", "mine") == Journal(attempted=True, answered_at=LATER)
    ledger.write(LATER, "1", "other", STARTED)
    ledger.write(LATER, "1", "other", REFUSED)
    assert ledger.read("1", "other") == Journal(answered_at=LATER)


def test_a_refusal_answers_the_last_request_alone(tmp_path: pathlib.Path) -> None:
    """The one before it was lost on the way, and may have been carried out."""
    ledger = Ledger(str(tmp_path), "account")
    for outcome in (STARTED, STARTED, REFUSED):
        ledger.write(NOW, "1", "mine", outcome)
    assert ledger.read("1", "mine") == Journal(attempted=True, uncertain_since=NOW)


def test_an_entry_that_does_not_fit_is_an_error(tmp_path: pathlib.Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(OSError, match="No space left"):
            Ledger(str(tmp_path), "account").write(NOW, "1", "mine", STARTED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_reference_that_the_provider_has_given_is_kept(tmp_path: pathlib.Path) -> None:
    ledger = Ledger(str(tmp_path), "account")
    ledger.write(NOW, "1", "mine", STARTED)
    ledger.write(LATER, "1", "mine", ACCEPTED, given="theirs")
    # A later entry of the same request has no other.
    ledger.write(LATER, "1", "mine", ACCEPTED)
    assert ledger.read("1", "mine").reference == "theirs"
    assert ledger.read("1", "other").reference is None


def test_a_line_that_was_cut_short_is_none_and_spoils_no_other(tmp_path: pathlib.Path) -> None:
    ledger = Ledger(str(tmp_path), "account")
    ledger.write(NOW, "1", "mine", STARTED)
    path = tmp_path / "account.ledger"
    with path.open("a", encoding="utf-8") as opened:
        opened.write('[1]\n{"time": 5, "order_id": "1", "outcome": "started"}\n{"time": "2026-05-0')
    ledger.write(LATER, "1", "mine", ACCEPTED)
    assert ledger.read("1", "mine") == Journal(attempted=True, answered_at=LATER)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_in_its_place_is_not_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "account.ledger").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="ledger"):
        Ledger(str(tmp_path), "account").write(NOW, "1", "mine", STARTED)


def test_one_order_is_worked_on_by_one_process(tmp_path: pathlib.Path) -> None:
    time = FakeTime()
    ledger = Ledger(str(tmp_path), "account")
    with ledger.locked("1", time.clock, time.sleep, 10):
        with ledger.locked("2", time.clock, time.sleep, 10):
            pass
        with pytest.raises(RateLimited, match="another process"), ledger.locked("1", time.clock, time.sleep, 10):
            raise AssertionError("two at once")
    with ledger.locked("1", time.clock, time.sleep, 10):
        pass
