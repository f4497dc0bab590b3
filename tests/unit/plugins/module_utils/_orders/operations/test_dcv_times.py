# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a provider may be asked again to look for DCV evidence, over all processes of one user."""

from __future__ import annotations

import fcntl
import multiprocessing
import pathlib

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.dcv_times import DcvTimes
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import DcvPolicy

ACCOUNT = Account(provider="fake", api_url="https://fake.example")
ORDERS = DcvPolicy(order_interval=60.0)
NAMES = DcvPolicy(order_interval=60.0, name_interval=600.0, names_per_interval=1)
NOW = 1_790_000_000.0


def times(folder: pathlib.Path, policy: DcvPolicy = ORDERS, order_id: str = "1") -> DcvTimes:
    return DcvTimes(ACCOUNT, order_id, policy, str(folder))


def test_an_order_may_be_asked_for_again_after_its_interval(tmp_path: pathlib.Path) -> None:
    assert times(tmp_path).next_allowed("a", NOW) is None
    assert times(tmp_path).reserve(["a", "b"], NOW) == ["a", "b"]
    assert times(tmp_path).reserve(["a", "b"], NOW + 59.0) == []
    assert times(tmp_path).next_allowed("a", NOW + 59.0) == NOW + 60.0
    assert times(tmp_path).reserve(["c"], NOW + 59.0) == []
    assert times(tmp_path, order_id="2").reserve(["a"], NOW) == ["a"]
    assert times(tmp_path).reserve(["a"], NOW + 60.0) == ["a"]


def test_names_take_turns_and_the_one_that_has_waited_longest_comes_first(tmp_path: pathlib.Path) -> None:
    asked = [times(tmp_path, NAMES).reserve(["a", "b", "c"], NOW + 60.0 * minute) for minute in range(5)]
    assert asked == [["a"], ["b"], ["c"], [], []]
    assert times(tmp_path, NAMES).next_allowed("c", NOW + 300.0) == NOW + 720.0
    assert times(tmp_path, NAMES).reserve(["c", "a", "b"], NOW + 900.0) == ["a"]


def test_check_mode_records_nothing(tmp_path: pathlib.Path) -> None:
    assert times(tmp_path).reserve(["a"], NOW, check_mode=True) == ["a"]
    assert times(tmp_path).next_allowed("a", NOW) is None


def test_what_was_not_sent_does_not_count(tmp_path: pathlib.Path) -> None:
    times(tmp_path, NAMES).reserve(["a"], NOW - 100.0)
    reserved = times(tmp_path, NAMES)
    assert reserved.reserve(["b"], NOW) == ["b"]
    reserved.release()
    assert times(tmp_path, NAMES).reserve(["a", "b"], NOW) == ["b"]


def test_release_takes_back_only_what_was_reserved(tmp_path: pathlib.Path) -> None:
    times(tmp_path).reserve(["a"], NOW)
    refused = times(tmp_path)
    assert refused.reserve(["a"], NOW + 1.0) == []
    refused.release()
    times(tmp_path).release()
    assert times(tmp_path).reserve(["a"], NOW + 59.0) == []


def test_release_after_a_refusal_leaves_an_earlier_reservation(tmp_path: pathlib.Path) -> None:
    mine = times(tmp_path)
    assert mine.reserve(["a"], NOW) == ["a"]
    assert mine.reserve(["a"], NOW + 1.0) == []
    mine.release()
    assert times(tmp_path).reserve(["a"], NOW + 2.0) == []


def test_release_leaves_the_time_of_another_process(tmp_path: pathlib.Path) -> None:
    mine = times(tmp_path, NAMES)
    assert mine.reserve(["a"], NOW) == ["a"]
    assert times(tmp_path, NAMES).reserve(["b"], NOW + 60.0) == ["b"]
    mine.release()
    assert times(tmp_path, NAMES).next_allowed("b", NOW + 61.0) == NOW + 660.0
    assert times(tmp_path, NAMES).reserve(["a"], NOW + 61.0) == []
    assert times(tmp_path, NAMES).reserve(["a"], NOW + 120.0) == ["a"]


def test_nothing_to_ask_for_does_not_count(tmp_path: pathlib.Path) -> None:
    assert times(tmp_path).reserve([], NOW) == []
    assert times(tmp_path).reserve(["a"], NOW) == ["a"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"": null}', "\u00e4", '{"": "x"}', '{"": 1790000060.0}'])
def test_a_file_that_is_damaged_or_of_a_time_to_come_keeps_nobody_waiting(tmp_path: pathlib.Path, content: str) -> None:
    assert times(tmp_path).reserve(["a"], NOW - 60.0) == ["a"]
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text(content, encoding="utf-8")
    assert times(tmp_path).reserve(["a"], NOW) == ["a"]


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: pathlib.Path) -> None:
    times(tmp_path).reserve(["a"], NOW)
    (file,) = tmp_path.iterdir()
    target = tmp_path / "target"
    target.write_text("{}", encoding="ascii")
    file.unlink()
    file.symlink_to(target)
    with pytest.raises(OSError, match="."):
        times(tmp_path).reserve(["a"], NOW)
    assert target.read_text(encoding="ascii") == "{}"


def test_while_one_process_reads_and_writes_no_other_does(tmp_path: pathlib.Path) -> None:
    with times(tmp_path)._opened():
        (file,) = tmp_path.iterdir()
        with file.open("rb") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with file.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _reserve(folder: pathlib.Path) -> list[str]:
    return times(folder).reserve(["a"], NOW)


def test_of_many_processes_one_may_ask(tmp_path: pathlib.Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert sorted(pool.map(_reserve, [tmp_path] * 20)) == [[]] * 19 + [["a"]]
