# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read back from a lineage counts only if it has the form in which it was written."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._deployment.records import (
    Journal,
    dump_journal,
    dump_record,
    read_journal,
    read_record,
    sha256,
)

NAME = "1-0A1B"
FACTS: dict[str, t.Any] = {
    "serial_number": "0A1B",
    "fingerprint_sha256": ":".join(["AB"] * 32),
    "not_before": "2026-11-01T00:00:00Z",
    "not_after": "2026-12-18T00:00:00Z",
    "names": ["www.example.com"],
    "placeholder": False,
    "chain_sha256": "0" * 64,
    "key_sha256": "1" * 64,
}
JOURNAL: dict[str, t.Any] = {"state": "staging", "previous": "1-AB", "next": "2-CD"}


def test_record_that_was_written_can_be_read() -> None:
    content = dump_record(FACTS, NAME, {"cert.pem": b"leaf"})
    assert read_record(content, NAME) == dict(FACTS, version=NAME, format=1, files={"cert.pem": sha256(b"leaf")})
    assert read_record(content, "2-0A1B") is None
    assert read_record(None, NAME) is None


@pytest.mark.parametrize("key", [*FACTS, "files", "version", "format"])
def test_record_without_a_fact_is_damaged(key: str) -> None:
    record = json.loads(dump_record(FACTS, NAME, {}))
    del record[key]
    assert read_record(json.dumps(record).encode(), NAME) is None


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"/dev/zero": "0" * 64}},
        {"files": {"cert.pem\0": "0" * 64}},
        {"files": {"../../../../etc/passwd": "0" * 64}},
        {"files": {"cert.pem": 7}},
        {"files": {"cert.pem": "0" * 63}},
        {"files": ["cert.pem"]},
        {"not_before": "7"},
        {"not_before": 7},
        {"not_before": None},
        {"not_before": "2026-11-01T00:00:00Z\n"},
        {"not_after": "2026-11-01"},
        {"serial_number": {"a": 1}},
        {"serial_number": "0a1b"},
        {"names": "www.example.com"},
        {"names": [7]},
        {"placeholder": "yes"},
        {"placeholder": 1},
        {"version": "../1-0A1B"},
        {"fingerprint_sha256": []},
        {"chain_sha256": "x"},
        {"key_sha256": 0},
        {"format": 2},
        {"format": "1"},
    ],
)
def test_record_of_another_form_is_damaged(change: dict[str, t.Any]) -> None:
    record = json.loads(dump_record(FACTS, NAME, {"cert.pem": b""}))
    assert read_record(json.dumps(record).encode(), NAME) == record
    assert read_record(json.dumps({**record, **change}).encode(), NAME) is None


@pytest.mark.parametrize("previous", ["1-AB", None])
@pytest.mark.parametrize("state", ["staging", "switching", "committing"])
def test_journal_that_was_written_can_be_read(state: str, previous: str | None) -> None:
    journal = Journal(state, previous, "2-CD")
    assert read_journal(dump_journal(journal)) == journal


@pytest.mark.parametrize(
    "change",
    [
        {"next": "../../victim"},
        {"next": "2-CD\0"},
        {"next": "2-CD\n"},
        {"next": ["2-CD"]},
        {"next": None},
        {"next": ""},
        {"previous": "../.."},
        {"previous": 7},
        {"previous": ""},
        {"state": "removing"},
        {"state": ["staging"]},
        {"state": None},
    ],
)
def test_journal_of_another_form_is_damaged(change: dict[str, t.Any]) -> None:
    assert read_journal(json.dumps(JOURNAL).encode()) == Journal("staging", "1-AB", "2-CD")
    assert read_journal(json.dumps({**JOURNAL, **change}).encode()) is None


@pytest.mark.parametrize("key", JOURNAL)
def test_journal_without_an_entry_is_damaged(key: str) -> None:
    assert read_journal(json.dumps({name: JOURNAL[name] for name in JOURNAL if name != key}).encode()) is None


@given(st.binary())
def test_any_content_is_damaged_and_never_a_crash(content: bytes) -> None:
    assert read_journal(content) is None
    assert read_record(content, NAME) is None
