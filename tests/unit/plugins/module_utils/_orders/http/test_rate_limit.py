# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Request budgets: rolling windows, shared by processes through real files and real locks."""

from __future__ import annotations

import array
import multiprocessing
import os
import pathlib
import resource
import signal
import stat
import time
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import RateLimited
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.rate_limit import (
    PollSchedule,
    RateLimiter,
    RateLimits,
    RequestBudget,
    next_slot,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import FakeTime

SCHEDULE = PollSchedule(steps=((900.0, 60.0), (3600.0, 120.0)), afterwards=300.0)
#: Distances of floating point numbers are off by so much at most.
EPSILON = 1e-6


def rate_limiter(
    directory: pathlib.Path | None,
    moment: FakeTime,
    *budgets: tuple[int, float],
    warn: t.Callable[[str], None] = lambda message: None,
    fingerprint: str = "account",
) -> RateLimiter:
    rate_limits = RateLimits(SCHEDULE, tuple(RequestBudget(*budget) for budget in budgets))
    return RateLimiter(
        fingerprint, rate_limits, moment.clock, moment.sleep, str(directory) if directory else None, warn
    )


def assert_within(times: t.Sequence[float], budgets: t.Sequence[RequestBudget]) -> None:
    """No window of any budget holds more requests than it allows."""
    ordered = sorted(times)
    for budget in budgets:
        for first, one_too_many in zip(ordered, ordered[budget.requests :]):
            assert one_too_many - first >= budget.seconds - EPSILON


# -- schedules and slots ------------------------------------------------------


@pytest.mark.parametrize(("age", "pause"), [(0, 60), (899.9, 60), (900, 120), (3599, 120), (3600, 300), (1e9, 300)])
def test_pauses_grow_with_the_age_of_a_wait(age: float, pause: float) -> None:
    assert SCHEDULE.pause(age) == pause


def test_a_slot_is_free_until_the_budget_is_used_up() -> None:
    budgets = [RequestBudget(2, 10.0)]
    assert next_slot([], budgets, 5.0) == 5.0
    assert next_slot([1.0], budgets, 5.0) == 5.0
    assert next_slot([1.0, 4.0], budgets, 5.0) == 11.0
    assert next_slot([1.0, 4.0], budgets, 12.0) == 12.0


BUDGETS = st.lists(
    st.builds(RequestBudget, st.integers(1, 5), st.floats(0.5, 30.0, allow_nan=False)), min_size=1, max_size=3
)


@settings(deadline=None)
@given(budgets=BUDGETS, gaps=st.lists(st.floats(0.0, 20.0, allow_nan=False), max_size=40))
def test_no_window_ever_exceeds_a_budget_and_no_slot_is_wasted(budgets: list[RequestBudget], gaps: list[float]) -> None:
    """Requests come at any time, each reserving its slot before the earlier ones are due."""
    now, slots = 0.0, []
    for gap in gaps:
        now += gap
        slot = next_slot(slots, budgets, now)
        assert slot >= now
        if slot > now + EPSILON:
            # One moment sooner and a budget would be exceeded.
            with pytest.raises(AssertionError):
                assert_within([*slots, slot - 1e-3], budgets)
        slots.append(slot)
    assert slots == sorted(slots)
    assert_within(slots, budgets)


# -- one process --------------------------------------------------------------


def test_requests_are_sent_at_once_until_the_budget_is_used_up(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment, (3, 10.0))
    for _turn in range(7):
        one.acquire()
    assert moment.sleeps == [10.0, 10.0]
    assert moment.now == 1020.0


def test_all_budgets_hold_at_once(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment, (2, 1.0), (4, 100.0))
    times = []
    for _turn in range(6):
        one.acquire()
        times.append(moment.now - 1000.0)
    assert times == [0.0, 0.0, 1.0, 1.0, 100.0, 100.0]


def test_two_rate_limiters_of_one_account_share_and_another_account_does_not(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    first, second = rate_limiter(tmp_path, moment, (2, 10.0)), rate_limiter(tmp_path, moment, (2, 10.0))
    first.acquire()
    second.acquire()
    rate_limiter(tmp_path, moment, (2, 10.0), fingerprint="other").acquire()
    assert moment.sleeps == []
    first.acquire()
    assert moment.sleeps == [10.0]


def test_without_a_budget_there_is_nothing_to_wait_for(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment)
    for _turn in range(1000):
        one.acquire()
    assert moment.sleeps == []
    assert (tmp_path / "account.budget").stat().st_size < 100


def test_a_turn_that_would_come_after_the_deadline_is_refused_and_leaves_no_trace(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment, (1, 60.0))
    one.acquire(deadline=1030.0)
    for _again in range(3):
        with pytest.raises(RateLimited) as caught:
            one.acquire(deadline=1030.0)
        assert caught.value.retry_after == pytest.approx(60.0)
    assert moment.sleeps == []
    one.acquire(deadline=1060.0)
    assert moment.sleeps == [60.0]


def test_nobody_reserves_further_ahead_than_the_others_would_believe(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment, (1, 400.0))
    others = [rate_limiter(tmp_path, FakeTime(1000.0), (1, 400.0)) for _other in range(3)]
    one.acquire()
    others[0].acquire(deadline=90000.0)
    with pytest.raises(RateLimited):
        others[1].acquire(deadline=90000.0)
    assert others[0].clock() == 1400.0


def test_a_cool_down_keeps_everybody_away_and_then_ends(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    first, second = rate_limiter(tmp_path, moment, (5, 1.0)), rate_limiter(tmp_path, moment, (5, 1.0))
    first.acquire()
    first.cool_down(20.0)
    first.cool_down(3.0)
    second.acquire()
    assert moment.sleeps == [20.0]
    second.acquire()
    assert moment.sleeps == [20.0]


def test_times_from_before_a_reboot_are_forgotten(tmp_path: pathlib.Path) -> None:
    before = rate_limiter(tmp_path, FakeTime(900000.0), (1, 60.0))
    before.acquire()
    before.cool_down(30.0)
    after = FakeTime(12.0)
    rate_limiter(tmp_path, after, (1, 60.0)).acquire()
    assert after.sleeps == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        b"\xff" * 64,
        array.array("d", [float("nan"), float("nan"), float("inf"), -1e300]).tobytes(),
        array.array("d", [float("inf"), 999.0]).tobytes() + b"12345",
    ],
)
def test_a_damaged_file_is_nobodys_failure(tmp_path: pathlib.Path, content: bytes) -> None:
    (tmp_path / "account.budget").write_bytes(content)
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment, (2, 60.0))
    for _turn in range(3):
        one.acquire()
    assert 0.0 < sum(moment.sleeps) <= 60.0


def test_the_file_does_not_grow_for_ever(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment, (5, 1.0), (20, 10.0))
    for _turn in range(500):
        one.acquire()
    assert (tmp_path / "account.budget").stat().st_size <= 8 * 22


def test_exclusive_is_for_those_who_must_not_overlap(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    first = rate_limiter(tmp_path, moment)
    second = rate_limiter(tmp_path, moment)
    with first.exclusive():
        with pytest.raises(RateLimited), second.exclusive(deadline=1003.0):
            raise AssertionError("two at a time")
        # The deadline is neither missed nor overslept.
        assert moment.now == pytest.approx(1003.0)
    with second.exclusive():
        pass


def test_a_failed_request_gives_the_account_free(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment)
    with pytest.raises(ConnectionResetError), one.exclusive():
        raise ConnectionResetError
    with one.exclusive(deadline=moment.now):
        pass
    assert moment.sleeps == []


def test_no_descriptor_is_left_open(tmp_path: pathlib.Path) -> None:
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment, (1, 60.0))
    other = rate_limiter(tmp_path, moment)
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else pytest.skip("needs /proc")
    for _turn in range(3):
        with one.exclusive():
            one.acquire()
        with pytest.raises(RateLimited):
            one.acquire(deadline=moment.now)
        with other.exclusive(), pytest.raises(RateLimited), one.exclusive(deadline=moment.now):
            raise AssertionError("two at a time")
    assert len(os.listdir("/proc/self/fd")) == len(before)


# -- many processes -----------------------------------------------------------

FORK = multiprocessing.get_context("fork")


def run_in_processes(count: int, work: t.Callable[[int], None]) -> None:
    """Run work(number) in so many real processes, all at once, and see each of them end well."""
    started = FORK.Event()

    def begin(number: int) -> None:
        started.wait(60)
        work(number)

    children = [FORK.Process(target=begin, args=(number,)) for number in range(count)]
    for child in children:
        child.start()
    started.set()
    for child in children:
        child.join(60)
    stuck = [child for child in children if child.is_alive()]
    for child in stuck:
        child.kill()
    assert not stuck
    assert [child.exitcode for child in children] == [0] * count


def test_a_budget_holds_across_processes(tmp_path: pathlib.Path) -> None:
    """Each request has its own slot, no window is exceeded, and nobody sends before its slot."""
    budgets = (RequestBudget(4, 0.1), RequestBudget(15, 0.5), RequestBudget(1000, 3600.0))
    (tmp_path / "shared").mkdir()

    def work(number: int) -> None:
        one = RateLimiter(
            "account", RateLimits(SCHEDULE, budgets), time.monotonic, time.sleep, str(tmp_path / "shared")
        )
        with (tmp_path / f"sent.{number}").open("w", encoding="ascii") as sent:
            for _turn in range(6):
                one.acquire()
                sent.write(f"{time.monotonic()!r}\n")

    run_in_processes(8, work)
    slots = sorted(array.array("d", (tmp_path / "shared" / "account.budget").read_bytes())[1:])
    assert len(slots) == 8 * 6
    assert_within(slots, budgets)
    sent = sorted(float(line) for log in tmp_path.glob("sent.*") for line in log.read_text("ascii").split())
    assert all(moment >= slot for moment, slot in zip(sent, slots))


def test_requests_of_one_account_never_overlap_across_processes(tmp_path: pathlib.Path) -> None:
    (tmp_path / "shared").mkdir()
    log = tmp_path / "log"

    def note(line: str) -> None:
        descriptor = os.open(str(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, line.encode("ascii"))
        os.close(descriptor)

    def work(number: int) -> None:
        rate_limits = RateLimits(SCHEDULE)
        one = RateLimiter(
            "account", rate_limits, time.monotonic, lambda seconds: time.sleep(seconds / 50), str(tmp_path / "shared")
        )
        for _turn in range(5):
            with one.exclusive():
                note(f"+{number}\n")
                time.sleep(0.002)
                note(f"-{number}\n")

    run_in_processes(6, work)
    lines = log.read_text("ascii").split()
    assert len(lines) == 2 * 6 * 5
    assert all(begun[1:] == done[1:] and begun[0] + done[0] == "+-" for begun, done in zip(lines[::2], lines[1::2]))


def test_a_killed_process_leaves_the_account_free(tmp_path: pathlib.Path) -> None:
    ready = FORK.Event()

    def work() -> None:
        one = RateLimiter("account", RateLimits(SCHEDULE), time.monotonic, time.sleep, str(tmp_path))
        with one.exclusive():
            ready.set()
            signal.pause()

    child = FORK.Process(target=work)
    child.start()
    assert ready.wait(60)
    moment = FakeTime(1000.0)
    one = rate_limiter(tmp_path, moment)
    with pytest.raises(RateLimited), one.exclusive(deadline=moment.now):
        pass
    child.kill()
    child.join(60)
    with one.exclusive(deadline=moment.now):
        pass


# -- where it is kept ---------------------------------------------------------


@pytest.fixture
def runtime_directory(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The runtime directory of this user, for the time of a test."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def test_the_shared_files_are_private(runtime_directory: pathlib.Path) -> None:
    old = os.umask(0)
    try:
        rate_limiter(None, FakeTime(1000.0), (1, 1.0)).acquire()
    finally:
        os.umask(old)
    assert stat.S_IMODE((runtime_directory / "certops-issuance/account.budget").stat().st_mode) == 0o600


def test_where_nothing_can_be_shared_the_budget_is_kept_by_the_process_and_it_says_so_once(
    tmp_path: pathlib.Path,
) -> None:
    moment, warnings = FakeTime(1000.0), []  # type: t.Tuple[FakeTime, t.List[str]]
    one = rate_limiter(tmp_path / "missing", moment, (2, 10.0), warn=warnings.append)
    for _turn in range(5):
        with one.exclusive():
            one.acquire()
    one.cool_down(7.0)
    one.acquire()
    assert moment.sleeps == [10.0, 10.0, 7.0]
    assert len(warnings) == 1
    assert "kept by this process alone" in warnings[0]


def test_a_link_in_place_of_the_file_is_not_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "precious").write_text("precious", encoding="ascii")
    (tmp_path / "account.budget").symlink_to(tmp_path / "precious")
    warnings: list[str] = []
    rate_limiter(tmp_path, FakeTime(1000.0), (1, 1.0), warn=warnings.append).acquire()
    assert (tmp_path / "precious").read_text(encoding="ascii") == "precious"
    assert len(warnings) == 1


def test_a_directory_that_is_cleaned_away_is_made_again(runtime_directory: pathlib.Path) -> None:
    warnings: list[str] = []
    moment = FakeTime(1000.0)
    one = rate_limiter(None, moment, (1, 10.0), warn=warnings.append)
    one.acquire()
    path = runtime_directory / "certops-issuance"
    (path / "account.budget").unlink()
    path.rmdir()
    one.acquire()
    assert (path / "account.budget").exists()
    assert warnings == []


def test_a_full_disk_ends_no_request(tmp_path: pathlib.Path) -> None:
    """The file may not grow: as on a full disk, writing fails in the middle of it all."""

    def work(_number: int) -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        moment, warnings = FakeTime(1000.0), []  # type: t.Tuple[FakeTime, t.List[str]]
        one = rate_limiter(tmp_path, moment, (2, 10.0), warn=warnings.append)
        for _turn in range(3):
            one.acquire()
        assert moment.sleeps == [10.0]
        assert len(warnings) == 1

    run_in_processes(1, work)
