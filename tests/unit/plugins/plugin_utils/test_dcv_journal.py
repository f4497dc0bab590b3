# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of published DCV evidence: what one run has written, the next one finds."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from ansible_collections.certops.issuance.plugins.plugin_utils._dcv_journal import Journal

ENTRY = {"kind": "record", "value": "a"}
OTHER = {"kind": "record", "value": "b"}


def test_the_next_run_finds_what_was_added_and_not_removed(tmp_path: Path) -> None:
    assert Journal(str(tmp_path)).read() == []
    Journal(str(tmp_path)).add([ENTRY, OTHER])
    Journal(str(tmp_path)).add([ENTRY])
    assert Journal(str(tmp_path)).read() == [ENTRY, OTHER]
    Journal(str(tmp_path)).remove([ENTRY])
    assert Journal(str(tmp_path)).read() == [OTHER]
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {0o600}


def test_what_several_processes_add_is_all_there(tmp_path: Path) -> None:
    entries = [{"value": str(number)} for number in range(20)]
    threads = [threading.Thread(target=Journal(str(tmp_path)).add, args=([entry],)) for entry in entries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry["value"] for entry in Journal(str(tmp_path)).read()) == sorted(map(str, range(20)))


@pytest.mark.parametrize("text", ["", "{}", '["a"]', "[{"])
def test_another_file_in_its_place_is_refused_and_stays(text: str, tmp_path: Path) -> None:
    Journal(str(tmp_path)).add([ENTRY])
    (file,) = tmp_path.glob("*.json")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no journal of published DCV evidence"):
        Journal(str(tmp_path)).add([OTHER])
    assert file.read_text(encoding="utf-8") == text


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    Journal(str(tmp_path)).add([ENTRY])
    (tmp_path / "dcv-published.json.new").mkdir()
    with pytest.raises(OSError):
        Journal(str(tmp_path)).add([OTHER])
    assert Journal(str(tmp_path)).read() == [ENTRY]
