# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wait loop, against a provider that answers from a script and a clock that moves only when somebody sleeps."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    InvalidRequest,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.rate_limit import RateLimits, RequestBudget
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Blocker,
    Domain,
    Order,
    OrderCertificate,
    Status,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import OrderSummary, RefreshPolicy
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.loop import (
    PollReport,
    WaitResult,
    wait_for_orders,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.state import (
    OrderState,
    Outcome,
    WaitOptions,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.fakes import (
    SCHEDULE,
    FakeProvider,
    FakeTime,
)

POLICY = RefreshPolicy()


def pending(order_id: str = "1", **fields: t.Any) -> Order:
    return Order("fake", order_id, Status.VALIDATING, provider_status="pending", **fields)


def issuing(order_id: str = "1", **fields: t.Any) -> Order:
    return Order("fake", order_id, Status.ISSUING, provider_status="processing", **fields)


def issued(order_id: str = "1", serial: str | None = "AB", **fields: t.Any) -> Order:
    certificate = OrderCertificate(id="9" + order_id, serial_number=serial)
    fields.setdefault("dcv_completed", True)
    return Order(
        "fake", order_id, Status.ISSUED, provider_status="issued", issued=True, certificate=certificate, **fields
    )


def ended(order_id: str = "1", status: str = Status.REJECTED, **fields: t.Any) -> Order:
    return Order("fake", order_id, status, provider_status=status, **fields)


Summarize = t.Callable[[int, t.Optional[float]], t.Mapping[str, OrderSummary]]
Script = t.Sequence[t.Union[Order, OrderError]]


def bulk_provider(summarize: Summarize, bulk_from: int = 1, **scripts: Script) -> FakeProvider:
    """A scripted provider with a bulk call, which gets its own number and changed_since."""

    class BulkProvider(FakeProvider):
        info = replace(FakeProvider.info, bulk_from=bulk_from)

        def fetch_summaries(
            self, order_ids: t.Sequence[str], changed_since: float | None
        ) -> t.Mapping[str, OrderSummary]:
            super().fetch_summaries(order_ids, changed_since)
            return summarize(len(self.requested("summaries")), changed_since)

    return BulkProvider(**scripts)


class Listener:
    """Remembers what was reported. Copies, since the waits go on changing."""

    def __init__(self) -> None:
        self.reports: list[PollReport] = []
        self.states: list[list[tuple[str, str | None, bool]]] = []

    def __call__(self, report: PollReport) -> None:
        self.reports.append(report)
        self.states.append([(state.order_id, state.outcome, state.changed) for state in report.orders])


def run(
    provider: FakeProvider,
    order_ids: t.Sequence[str] = ("1",),
    moment: FakeTime | None = None,
    listen: t.Callable[[PollReport], None] = lambda report: None,
    **options: t.Any,
) -> WaitResult:
    moment = moment or FakeTime()
    return wait_for_orders(provider, order_ids, WaitOptions(**options), moment.clock, moment.sleep, listen)


def outcomes(result: WaitResult) -> dict[str, str | None]:
    return {state.order_id: state.outcome for state in result.orders}


# -- outcomes -----------------------------------------------------------------


def test_an_order_is_reached_as_soon_as_it_is_issued() -> None:
    moment = FakeTime()
    provider = FakeProvider(n1=[pending(), issuing(), issued()])
    result = run(provider, moment=moment)
    assert outcomes(result) == {"1": Outcome.REACHED}
    assert result.polls == 3
    assert result.orders[0].order == issued()
    assert result.elapsed == pytest.approx(sum(moment.sleeps))


@pytest.mark.parametrize("status", sorted(Status.ENDED))
def test_an_order_that_has_ended_fails_at_once_and_keeps_its_state(status: str) -> None:
    result = run(FakeProvider(n1=[ended(status=status, reason="said no")]))
    assert outcomes(result) == {"1": Outcome.FAILED}
    assert result.polls == 1
    assert result.orders[0].order is not None and result.orders[0].order.reason == "said no"


def test_the_others_go_on_when_one_order_ends() -> None:
    third = [pending("3"), pending("3"), issued("3")]
    provider = FakeProvider(n1=[pending("1"), issued("1")], n2=[ended("2")], n3=third)
    result = run(provider, ["1", "2", "3"])
    assert outcomes(result) == {"1": Outcome.REACHED, "2": Outcome.FAILED, "3": Outcome.REACHED}
    # Nobody is asked again after the end.
    assert collections.Counter(provider.requested("fetch")) == {"1": 2, "2": 1, "3": 3}


def test_waits_are_returned_in_the_order_asked_for() -> None:
    provider = FakeProvider(n1=[issued("1")], n2=[issued("2")], n3=[pending("3"), issued("3")])
    assert [state.order_id for state in run(provider, ["3", "1", "2"]).orders] == ["3", "1", "2"]


def test_action_required_stops_that_order_or_is_waited_through() -> None:
    payment = Order("fake", "1", Status.ACTION_REQUIRED, blockers=(Blocker("payment", "pay"),))
    stopped = run(FakeProvider(n1=[payment, issued()]))
    assert (outcomes(stopped), stopped.polls) == ({"1": Outcome.ACTION_REQUIRED}, 1)
    waited = run(FakeProvider(n1=[payment, issued()]), stop_on_action_required=False)
    assert (outcomes(waited), waited.polls) == ({"1": Outcome.REACHED}, 2)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (pending(dcv_completed=True), Outcome.REACHED),
        (pending(dcv_completed=False), Outcome.TIMED_OUT),
        (pending(dcv_completed=None), Outcome.TIMED_OUT),
        (issuing(dcv_completed=None), Outcome.REACHED),
        (issued(dcv_completed=None), Outcome.REACHED),
        # A dead order is nothing to go on with, however well its names were validated.
        (ended(dcv_completed=True), Outcome.FAILED),
    ],
)
def test_until_dcv_completed(order: Order, expected: str) -> None:
    assert outcomes(run(FakeProvider(n1=[order]), until="dcv_completed", timeout=0)) == {"1": expected}


def test_completed_validation_is_not_enough_for_until_issued() -> None:
    assert outcomes(run(FakeProvider(n1=[issuing(dcv_completed=True)]), timeout=0)) == {"1": Outcome.TIMED_OUT}


def test_issued_without_a_chain_is_waited_for() -> None:
    half = Order("fake", "1", Status.ISSUED, provider_status="issued", issued=False)
    result = run(FakeProvider(n1=[half, half, issued()]))
    assert (outcomes(result), result.polls) == ({"1": Outcome.REACHED}, 3)


def test_an_unknown_word_is_neither_success_nor_end() -> None:
    odd = Order("fake", "1", Status.UNKNOWN, provider_status="frobnicated", warnings=("fake said frobnicated",))
    result = run(FakeProvider(n1=[odd, odd, issued()]))
    assert (outcomes(result), result.polls) == ({"1": Outcome.REACHED}, 3)


def test_an_unknown_word_is_noted_once_however_often_and_wherever_it_comes() -> None:
    def odd(order_id: str) -> Order:
        return Order("fake", order_id, Status.UNKNOWN, warnings=("fake said frobnicated",))

    listener = Listener()
    result = run(FakeProvider(n1=[odd("1")], n2=[odd("2")]), ["1", "2"], listen=listener, timeout=600)
    assert result.polls > 2
    assert list(result.notes) == ["order 1: fake said frobnicated"]
    assert [list(report.notes) for report in listener.reports if report.notes] == [["order 1: fake said frobnicated"]]
    # Each order has its own warnings all the same.
    assert all(state.order is not None and state.order.warnings for state in result.orders)


def test_a_result_is_not_kept_waiting_by_a_raw_body() -> None:
    result = run(FakeProvider(n1=[issued(raw={"much": "x" * 1000})]))
    assert result.orders[0].order is not None and result.orders[0].order.raw is None


# -- time ---------------------------------------------------------------------


def test_timeout_zero_looks_once_and_never_sleeps() -> None:
    moment = FakeTime()
    result = run(FakeProvider(n1=[pending()]), moment=moment, timeout=0)
    assert (outcomes(result), result.polls, moment.sleeps) == ({"1": Outcome.TIMED_OUT}, 1, [])


@pytest.mark.parametrize("timeout", [1, 3, 5, 20, 59, 60, 61, 100, 599, 1800, 90000])
@pytest.mark.parametrize("interval", [None, 1, 7, 300])
def test_a_wait_ends_shortly_before_its_deadline_and_looks_once_more_there(timeout: int, interval: int | None) -> None:
    if interval == 1 and timeout > 2000:
        timeout = 2000
    moment = FakeTime()
    looks: list[float] = []

    class Provider(FakeProvider):
        def fetch_order(self, order_id: str) -> Order:
            looks.append(moment.now - 5000.0)
            moment.now += 0.01
            return super().fetch_order(order_id)

    result = run(Provider(n1=[pending()]), moment=moment, timeout=timeout, poll_interval=interval)
    assert outcomes(result) == {"1": Outcome.TIMED_OUT}
    # The one look that the last moment still allows takes its hundredth of a second.
    assert result.elapsed <= timeout + 0.02
    # Never much too early either: the time that was given is used.
    assert looks[-1] >= timeout - max(5.0, timeout / 10) - 1.0
    pauses = [later - earlier for earlier, later in zip(looks, looks[1:])]
    assert all(pause >= 0.4 for pause in pauses)
    # Only the last pause is cut.
    full = interval if interval is not None else 60.0
    assert all(pause >= full for pause in pauses[:-1])


def test_an_order_that_is_issued_in_the_last_seconds_is_seen() -> None:
    moment = FakeTime()

    class Provider(FakeProvider):
        def fetch_order(self, order_id: str) -> Order:
            return issued() if moment.now >= 5000.0 + 90.0 else pending()

    assert outcomes(run(Provider(n1=[]), moment=moment, timeout=100, poll_interval=80)) == {"1": Outcome.REACHED}


@pytest.mark.parametrize(
    ("timeout", "interval", "last"),
    [
        (1000.0, 300.0, 995.0),
        # A short wait keeps a tenth of what is left.
        (20.0, 300.0, 18.0),
        # Who polls often is not kept from the last look by the shortest pause.
        (1.9, 0.5, 1.86),
    ],
)
def test_the_last_look_leaves_time_to_be_answered(timeout: float, interval: float, last: float) -> None:
    moment = FakeTime()
    run(FakeProvider(n1=[pending()]), moment=moment, timeout=timeout, poll_interval=interval)
    assert sum(moment.sleeps) == pytest.approx(last)


def test_the_last_look_is_taken_as_soon_as_the_provider_allows_it() -> None:
    moment = FakeTime()
    limited = RateLimited("slow down", retry_after=95.0)
    result = run(FakeProvider(n1=[limited, issued()]), moment=moment, timeout=100, poll_interval=300)
    assert (outcomes(result), moment.sleeps) == ({"1": Outcome.REACHED}, [95.0])


def test_the_deadline_holds_when_answers_are_slow() -> None:
    moment = FakeTime()

    class Slow(FakeProvider):
        def fetch_order(self, order_id: str) -> Order:
            moment.now += 25.0
            return super().fetch_order(order_id)

    result = run(Slow(n1=[pending()]), moment=moment, timeout=120, poll_interval=60)
    # 0-25, 85-110, and one more look: it began before the deadline, and the transport ends what goes on after it.
    assert result.polls == 3
    assert all(slept <= 60.0 for slept in moment.sleeps)


def test_telling_takes_time_that_is_not_slept_again() -> None:
    moment = FakeTime()
    starts: list[float] = []

    class Provider(FakeProvider):
        def fetch_order(self, order_id: str) -> Order:
            starts.append(moment.now)
            return super().fetch_order(order_id)

    def listen(report: PollReport) -> None:
        moment.now += 4.0

    run(Provider(n1=[pending()]), moment=moment, listen=listen, timeout=100, poll_interval=10)
    pauses = [later - earlier for earlier, later in zip(starts, starts[1:])]
    assert pauses[:-1] == pytest.approx([10.0] * (len(pauses) - 1))


def test_the_schedule_is_followed_with_a_little_jitter_and_grows() -> None:
    moment = FakeTime()
    run(FakeProvider(n1=[pending()]), moment=moment, timeout=3000)
    ages = [sum(moment.sleeps[:count]) for count in range(len(moment.sleeps))]
    for age, pause in list(zip(ages, moment.sleeps))[:-1]:
        base = 60.0 if age < 600.0 else 300.0
        assert base <= pause <= base * 1.05
    assert moment.sleeps[0] < 64.0 and max(moment.sleeps) >= 300.0
    assert len(set(moment.sleeps)) > 5


def test_poll_interval_goes_before_the_schedule() -> None:
    moment = FakeTime()
    run(FakeProvider(n1=[pending()]), moment=moment, timeout=1000, poll_interval=7)
    assert set(moment.sleeps[:-1]) == {7.0}


def test_the_listener_is_told_of_each_poll_and_of_what_changed() -> None:
    listener = Listener()
    domains = (Domain("www.example.com", "in_progress"),)
    done = (Domain("www.example.com", "completed"),)
    provider = FakeProvider(n1=[pending(domains=domains), pending(domains=domains), pending(domains=done), issued()])
    moment = FakeTime()
    result = run(provider, moment=moment, listen=listener, timeout=900)
    assert [state[0] for state in listener.states] == [
        ("1", None, True),
        ("1", None, False),
        ("1", None, True),
        ("1", Outcome.REACHED, True),
    ]
    assert [report.next_poll for report in listener.reports] == [*moment.sleeps, None]
    assert {report.timeout for report in listener.reports} == {900}
    assert listener.reports[-1].elapsed == result.elapsed


def test_the_listener_is_told_of_orders_that_end_without_an_answer() -> None:
    listener = Listener()
    provider = FakeProvider(n1=[OrderNotFound("no such order")], n2=[AuthenticationError("refused")])
    run(provider, ["1", "2"], listen=listener)
    assert listener.states == [[("1", Outcome.FAILED, True), ("2", Outcome.FAILED, True)]]


def test_nothing_to_wait_for_is_over_at_once() -> None:
    result = run(FakeProvider(), [])
    assert (result.orders, result.polls) == ([], 1)


# -- faults -------------------------------------------------------------------


def unavailable(**fields: t.Any) -> ProviderUnavailable:
    return ProviderUnavailable("the server failed (HTTP 503)", **fields)


def test_transient_faults_are_ridden_out() -> None:
    faults = [unavailable(), UnexpectedResponse("cut off"), RateLimited("slow down"), unavailable()]
    result = run(FakeProvider(n1=[pending(), *faults, issued()]), timeout=7200)
    assert (outcomes(result), result.polls) == ({"1": Outcome.REACHED}, 6)
    assert result.orders[0].error is None


def test_a_fault_that_lasts_is_reported_with_the_last_known_state() -> None:
    result = run(FakeProvider(n1=[pending(reason="queue"), unavailable()]), timeout=300)
    state = result.orders[0]
    assert state.outcome == Outcome.TIMED_OUT
    assert state.order is not None and state.order.reason == "queue"
    assert isinstance(state.error, ProviderUnavailable)


def test_a_provider_that_never_answers_is_reported_for_every_order() -> None:
    ids = [str(number) for number in range(1, 11)]
    provider = FakeProvider(**{"n" + one: [unavailable()] for one in ids})
    result = run(provider, ids, timeout=60)
    assert set(outcomes(result).values()) == {Outcome.TIMED_OUT}
    assert all(isinstance(state.error, ProviderUnavailable) for state in result.orders)


def test_after_some_faults_in_a_row_the_rest_of_a_poll_is_left() -> None:
    ids = [str(number) for number in range(1, 11)]
    provider = FakeProvider(**{"n" + one: [unavailable()] for one in ids})
    result = run(provider, ids, timeout=0)
    assert len(provider.requested("fetch")) == POLICY.max_failures
    # Those left have not been answered either, and say why.
    assert all(isinstance(state.error, ProviderUnavailable) for state in result.orders)


def test_faults_between_answers_do_not_end_a_poll() -> None:
    odd = {"n" + one: [unavailable()] for one in ("2", "4", "6")}
    even = {"n" + one: [pending(one)] for one in ("1", "3", "5", "7")}
    provider = FakeProvider(**odd, **even)
    run(provider, ["1", "2", "3", "4", "5", "6", "7"], timeout=0)
    assert provider.requested("fetch") == ["1", "2", "3", "4", "5", "6", "7"]


def test_each_order_keeps_the_fault_that_it_met_itself() -> None:
    first, second = unavailable(), UnexpectedResponse("cut off")
    result = run(FakeProvider(n1=[first], n2=[second], n3=[pending("3")]), ["1", "2", "3"], timeout=0)
    assert [state.error for state in result.orders] == [first, second, second]


def test_orders_that_are_never_answered_do_not_keep_the_others_from_being_asked() -> None:
    bad = {"n" + str(number): [unavailable()] for number in range(1, 6)}
    provider = FakeProvider(**bad, n8=[pending("8"), issued("8")], n9=[pending("9"), issued("9")])
    result = run(provider, ["1", "2", "3", "4", "5", "8", "9"], timeout=1800)
    found = outcomes(result)
    assert found["8"] == found["9"] == Outcome.REACHED
    assert found["1"] == found["5"] == Outcome.TIMED_OUT


def test_refused_credentials_end_everything_within_one_poll() -> None:
    refused = AuthenticationError("refused")
    provider = FakeProvider(n1=[pending("1"), issued("1")], n2=[pending("2"), refused], n3=[pending("3")])
    result = run(provider, ["1", "2", "3"])
    # What was answered in the same poll counts, and nobody is asked with these credentials again: accounts lock.
    assert outcomes(result) == {"1": Outcome.REACHED, "2": Outcome.FAILED, "3": Outcome.FAILED}
    assert result.polls == 2
    assert provider.requested("fetch") == ["1", "2", "3", "1", "2"]
    assert result.orders[2].error is refused
    assert result.orders[2].order is not None and result.orders[2].order.status == Status.VALIDATING


def test_refused_credentials_in_the_bulk_call_end_everything_within_one_poll() -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        raise AuthenticationError("refused")

    provider = bulk_provider(fetch_summaries, n1=[pending("1")], n2=[pending("2")])
    result = run(provider, ["1", "2"])
    assert (set(outcomes(result).values()), result.polls) == ({Outcome.FAILED}, 1)
    assert provider.requested("fetch") == []


def test_one_order_that_is_not_known_fails_alone() -> None:
    unknown, odd = OrderNotFound("no such order"), InvalidRequest("odd")
    provider = FakeProvider(n1=[unknown], n2=[odd], n3=[pending("3"), issued("3")])
    result = run(provider, ["1", "2", "3"])
    assert outcomes(result) == {"1": Outcome.FAILED, "2": Outcome.FAILED, "3": Outcome.REACHED}
    assert isinstance(result.orders[0].error, OrderNotFound)


def test_a_certificate_that_is_not_trusted_ends_the_first_poll_but_not_a_wait_that_is_under_way() -> None:
    def untrusted() -> ProviderUnavailable:
        return unavailable(retryable=False)

    first = run(FakeProvider(n1=[untrusted()], n2=[untrusted()]), ["1", "2"])
    assert (set(outcomes(first).values()), first.polls) == ({Outcome.FAILED}, 1)
    later = run(FakeProvider(n1=[pending("1"), untrusted(), issued("1")]))
    assert (outcomes(later), later.polls) == ({"1": Outcome.REACHED}, 3)
    # Bad news of one order is an answer too.
    bad_news = FakeProvider(n1=[OrderNotFound("no such order")], n2=[untrusted(), issued("2")])
    assert outcomes(run(bad_news, ["1", "2"])) == {"1": Outcome.FAILED, "2": Outcome.REACHED}
    bulk = bulk_provider(lambda number, changed_since: {}, n1=[untrusted(), issued("1")])
    assert outcomes(run(bulk)) == {"1": Outcome.REACHED}


def test_a_rate_limit_ends_the_poll_and_is_respected() -> None:
    moment = FakeTime()
    ids = ["1", "2", "3", "4"]
    limited = RateLimited("slow down", retry_after=200.0)
    provider = FakeProvider(**{"n" + one: [pending(one), issued(one)] for one in ids})
    provider.scripts["2"] = [limited, issued("2")]
    result = run(provider, ids, moment=moment, poll_interval=10)
    assert set(outcomes(result).values()) == {Outcome.REACHED}
    # The rest of the report is left, and then the one that was not answered comes last.
    assert provider.requested("fetch") == ["1", "2", "1", "3", "4", "2", "3", "4"]
    assert moment.sleeps[0] == 200.0


def test_a_rate_limit_without_a_time_is_backed_off_from_more_and_more_and_then_forgotten() -> None:
    moment = FakeTime()
    limited = [RateLimited("slow down") for _count in range(5)]
    run(FakeProvider(n1=[*limited, pending(), pending(), issued()]), moment=moment, poll_interval=10)
    assert moment.sleeps == [20.0, 40.0, 80.0, 80.0, 80.0, 10.0, 10.0]


def test_one_refusal_is_one_however_many_orders_it_keeps_from_being_asked() -> None:
    moment = FakeTime()
    ids = [str(number) for number in range(1, 11)]
    provider = FakeProvider(**{"n" + one: [pending(one)] for one in ids})
    provider.scripts["1"] = [RateLimited("slow down"), pending("1")]
    run(provider, ids, moment=moment, timeout=100, poll_interval=10)
    assert moment.sleeps[:2] == [20.0, 10.0]


def test_a_rate_limit_beyond_the_deadline_ends_the_wait_without_another_question() -> None:
    moment = FakeTime()
    provider = FakeProvider(n1=[pending(), RateLimited("slow down", retry_after=5000.0)])
    result = run(provider, moment=moment, timeout=1800)
    state = result.orders[0]
    assert (state.outcome, result.polls) == (Outcome.TIMED_OUT, 2)
    assert isinstance(state.error, RateLimited)
    assert result.next_poll >= 5000.0
    assert result.elapsed < 1800.0


# -- the bulk call ------------------------------------------------------------


def summary(token: str, order: Order | None = None) -> OrderSummary:
    return OrderSummary(change_token=token, order=order)


def test_the_bulk_call_is_used_from_the_number_of_orders_at_which_it_pays() -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        return {}

    few = bulk_provider(fetch_summaries, bulk_from=3, n1=[issued("1")], n2=[issued("2")])
    run(few, ["1", "2"])
    assert few.requested("summaries") == []
    more = bulk_provider(fetch_summaries, bulk_from=3, n1=[issued("1")], n2=[issued("2")], n3=[issued("3")])
    run(more, ["1", "2", "3"])
    assert len(more.requested("summaries")) == 1


def test_orders_the_bulk_call_does_not_tell_of_are_asked_for_once_at_first() -> None:
    provider = bulk_provider(lambda number, changed_since: {}, n1=[pending("1")], n2=[ended("2")])
    result = run(provider, ["1", "2"], timeout=0)
    assert provider.requested("fetch") == ["1", "2"]
    assert outcomes(result) == {"1": Outcome.TIMED_OUT, "2": Outcome.FAILED}


def test_the_window_of_a_delta_call_spans_what_no_survey_has_seen() -> None:
    moment = FakeTime()

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if number in (1, 3, 4):
            raise unavailable()
        return {}

    provider = bulk_provider(fetch_summaries, n1=[pending("1")])
    run(provider, moment=moment, timeout=301, poll_interval=50)
    windows = [changed_since for _ids, changed_since in provider.requested("summaries")]
    assert windows[:6] == [None, None, 50.0, 100.0, 150.0, 50.0]


def test_news_of_the_bulk_call_is_asked_for_in_detail() -> None:
    first = {"1": summary("p", pending("1")), "2": summary("p", pending("2"))}

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        return first if number < 3 else dict(first, **{"2": summary("issued:92")})

    provider = bulk_provider(fetch_summaries, n1=[pending("1")], n2=[pending("2"), issued("2")])
    result = run(provider, ["1", "2"], timeout=400)
    assert outcomes(result) == {"1": Outcome.TIMED_OUT, "2": Outcome.REACHED}
    # The first look shows names and blockers; after that a refresh of one, and what the bulk call reported of.
    assert provider.calls[1:3] == [("refresh", "1"), ("refresh", "2")]
    assert provider.requested("fetch") == ["2"]


@pytest.mark.parametrize(
    ("mark", "answer", "whole"),
    [
        # The bulk call has no word of it: there is no news to arrive.
        (None, pending(), 1),
        # It reported something else than validation, so the detail call lags.
        ("active:", pending(), 1 + POLICY.max_detail_lag),
        ("active:", issuing(), 1),
    ],
)
def test_the_whole_of_an_order_is_asked_for_until_the_news_has_arrived(
    mark: str | None, answer: Order, whole: int
) -> None:
    reported = {} if mark is None else {"1": summary(mark)}
    provider = bulk_provider(lambda number, changed_since: reported, n1=[answer])
    run(provider, timeout=600, poll_interval=60)
    kinds = [kind for kind, _what in provider.calls if kind != "summaries"]
    assert kinds == ["fetch"] * whole + ["refresh"] * (len(kinds) - whole)
    assert "refresh" in kinds


def test_news_that_has_arrived_is_not_asked_for_again_though_the_order_is_still_in_validation() -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        return {"1": summary("p", pending()) if number == 1 else summary("reviewing:")}

    reviewed = Order("fake", "1", Status.VALIDATING, provider_status="reviewing")
    provider = bulk_provider(fetch_summaries, n1=[pending(), reviewed])
    run(provider, timeout=239, poll_interval=60)
    kinds = [kind for kind, _what in provider.calls if kind != "summaries"]
    assert kinds[:4] == ["refresh", "fetch", "refresh", "refresh"]


def test_a_bulk_call_that_fails_is_what_kept_the_orders_from_being_answered_until_it_answers() -> None:
    fault = unavailable()

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if number == 1:
            raise fault
        return {one: summary("p", pending(one)) for one in ids}

    # More than are asked for in detail.
    ids = [str(number) for number in range(1, POLICY.first_poll + 11)]
    answers = {"n" + one: [pending(one)] for one in ids}
    assert [state.error for state in run(bulk_provider(fetch_summaries, **answers), ids, timeout=0).orders] == [
        fault
    ] * len(ids)
    later = run(bulk_provider(fetch_summaries, **answers), ids, timeout=60, poll_interval=55)
    assert [state.error for state in later.orders] == [None] * len(ids)


@pytest.mark.parametrize("fault", [unavailable(), UnexpectedResponse("cut off"), RateLimited("slow down")])
def test_news_of_a_delta_call_is_not_lost_when_the_detail_call_fails(fault: OrderError) -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if number == 1:
            return {one: summary("p", pending(one)) for one in ids}
        # A delta call reports it once and then has no more news.
        return {"77": summary("issued:977")} if number == 2 else {}

    ids = [str(number) for number in range(1, 101)]
    provider = bulk_provider(fetch_summaries, **{"n" + one: [pending(one)] for one in ids})
    provider.scripts["77"] = [fault, fault, issued("77")]
    result = run(provider, ids, timeout=900)
    assert outcomes(result)["77"] == Outcome.REACHED
    assert provider.requested("fetch") == ["77", "77", "77"]


class SlowProvider(FakeProvider):
    """Takes a second for each order, as one whose budget is used up does."""

    moment: FakeTime
    bulk: int | None = None

    def fetch_order(self, order_id: str) -> Order:
        self.moment.now += 1.0
        return super().fetch_order(order_id)


def test_a_poll_gives_way_while_there_is_news_to_be_asked_for_and_the_next_one_goes_on() -> None:
    ids = [str(number) for number in range(1, 101)]
    moment, listener = FakeTime(), Listener()

    class Provider(SlowProvider):
        info = replace(FakeProvider.info, bulk_from=1)

        def fetch_summaries(
            self, order_ids: t.Sequence[str], changed_since: float | None
        ) -> t.Mapping[str, OrderSummary]:
            self.calls.append(("summaries", len(order_ids)))
            return {one: summary("issued:9" + one) for one in order_ids}

    provider = Provider(**{"n" + one: [issued(one)] for one in ids})
    provider.moment = moment
    result = run(provider, ids, moment=moment, listen=listener)
    assert set(outcomes(result).values()) == {Outcome.REACHED}
    assert provider.requested("fetch") == ids
    # What is known is reported after each part, and the bulk call is made before the next one.
    assert [report.next_poll for report in listener.reports] == [1.0, 1.0, 1.0, None]
    reported = [sum(changed for _one, _outcome, changed in state) for state in listener.states]
    assert reported == [
        int(POLICY.max_poll_duration) + 1,
        int(POLICY.max_poll_duration) + 1,
        int(POLICY.max_poll_duration) + 1,
        100 - 3 * (int(POLICY.max_poll_duration) + 1),
    ]
    assert provider.requested("summaries") == [100, 69, 38, 7]


def test_without_a_bulk_call_a_poll_that_gave_way_is_gone_on_with_before_the_pause() -> None:
    ids = [str(number) for number in range(1, 41)]
    moment = FakeTime()
    provider = SlowProvider(**{"n" + one: [pending(one)] for one in ids})
    provider.moment = moment
    run(provider, ids, moment=moment, timeout=200, poll_interval=100)
    assert provider.requested("fetch")[:80] == ids + ids
    assert moment.sleeps[:3] == [1.0, 100.0, 1.0]


def test_a_poll_does_not_give_way_for_what_is_no_news() -> None:
    provider = quiet_fleet(100)
    moment = FakeTime()
    refresh = provider.refresh_order

    def slow(order: Order) -> Order:
        moment.now += 10.0
        return refresh(order)

    provider.refresh_order = slow  # type: ignore[method-assign]
    run(provider, list(provider.scripts), moment=moment, timeout=9000, poll_interval=300)
    assert moment.sleeps[:2] == [300.0, 300.0]


def test_a_detail_call_that_lags_behind_the_bulk_call_is_asked_again() -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if number == 1:
            return {one: summary("p", pending(one)) for one in ids}
        return {"77": summary("issued:977")} if number == 2 else {}

    ids = [str(number) for number in range(1, 101)]
    provider = bulk_provider(fetch_summaries, **{"n" + one: [pending(one)] for one in ids})
    provider.scripts["77"] = [pending("77"), pending("77"), issued("77")]
    assert outcomes(run(provider, ids, timeout=900))["77"] == Outcome.REACHED


def test_a_detail_call_that_never_confirms_the_news_is_not_asked_for_ever() -> None:
    marks = {"77": summary("issued:977")}
    ids = [str(number) for number in range(1, 101)]

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        return {one: summary("p", pending(one)) for one in ids} if number == 1 else marks

    provider = bulk_provider(fetch_summaries, **{"n" + one: [pending(one)] for one in ids})
    run(provider, ids, timeout=1800)
    assert provider.requested("fetch") == ["77"] * (1 + POLICY.max_detail_lag)


def test_each_news_is_looked_into_however_the_news_before_it_ended() -> None:
    ids = [str(number) for number in range(1, 101)]

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if number == 1:
            return {one: summary("p", pending(one)) for one in ids}
        return {"77": summary({2: "processing:", 8: "issued:977"}[number])} if number in (2, 8) else {}

    provider = bulk_provider(fetch_summaries, **{"n" + one: [pending(one)] for one in ids})
    provider.scripts["77"] = [pending("77")] * (1 + POLICY.max_detail_lag + POLICY.max_detail_lag) + [issued("77")]
    assert outcomes(run(provider, ids, timeout=900))["77"] == Outcome.REACHED


def test_a_chain_that_is_late_is_asked_for_though_the_bulk_call_has_no_more_news() -> None:
    ids = [str(number) for number in range(1, 101)]
    half = Order("fake", "50", Status.ISSUED, provider_status="issued", issued=False)
    answers: dict[str, list[Order | OrderError]] = {"n" + one: [pending(one)] for one in ids}
    answers["n50"] = [half, half, half, half, half, issued("50")]

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        return {one: summary("issued:950") if one == "50" else summary("p", pending(one)) for one in ids}

    result = run(bulk_provider(fetch_summaries, **answers), ids, timeout=900)
    assert outcomes(result)["50"] == Outcome.REACHED


@pytest.mark.parametrize(
    "refusal",
    [
        PermissionDenied("the role of api_key does not allow this call"),
        InvalidRequest("no such argument"),
        OrderNotFound("HTTP 404"),
    ],
)
def test_a_bulk_call_that_is_refused_is_replaced_by_single_calls_with_one_note(refusal: OrderError) -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        raise refusal

    provider = bulk_provider(fetch_summaries, n1=[pending("1"), pending("1"), issued("1")], n2=[issued("2")])
    result = run(provider, ["1", "2"])
    assert set(outcomes(result).values()) == {Outcome.REACHED}
    assert len(provider.requested("summaries")) == 1
    assert list(result.notes) == [f"bulk call refused, asking for each order instead: {refusal}"]


@pytest.mark.parametrize("mark", ["active:", "missing"])
def test_orders_that_the_bulk_call_cannot_tell_of_are_asked_for_though_it_has_no_more_news(mark: str) -> None:
    """A reissue that the bulk call goes on calling active, or orders that it leaves out however often it is asked."""
    ids = [str(number) for number in range(1, 201)]
    untold = ids[50:90]
    marks = {one: summary(mark) if one in untold else summary("p", pending(one)) for one in ids}
    scripts = {"n" + one: [pending(one)] * 6 + [issued(one)] if one in untold else [pending(one)] for one in ids}
    provider = bulk_provider(lambda number, changed_since: marks, **scripts)
    per_poll: list[int] = []
    result = run(
        provider, ids, timeout=1200, poll_interval=60, listen=lambda report: per_poll.append(len(provider.calls))
    )
    assert [one for one, outcome in outcomes(result).items() if outcome == Outcome.REACHED] == untold
    # Urgent at first, then so many in each report.
    grown = [after - before for before, after in zip(per_poll, per_poll[1:])]
    # The last poll fetches what has never been fetched.
    assert max(grown[POLICY.max_detail_lag : -1]) <= 1 + POLICY.unsupported + POLICY.each_poll


def test_an_order_that_the_delta_call_forgets_is_found_when_all_is_asked_for_again() -> None:
    ids = [str(number) for number in range(1, 401)]

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if changed_since is not None:
            return {}
        return {one: summary("issued:9" if one == "300" and number > 1 else "p", pending(one)) for one in ids}

    provider = bulk_provider(fetch_summaries, **{"n" + one: [pending(one)] for one in ids})
    provider.scripts["300"] = [issued("300")]
    result = run(provider, ids, timeout=POLICY.full_summary_interval + 200, poll_interval=60)
    assert outcomes(result)["300"] == Outcome.REACHED
    windows = [changed_since for _ids, changed_since in provider.requested("summaries")]
    assert [at for at, changed_since in enumerate(windows) if changed_since is None] == [
        0,
        POLICY.full_summary_interval // 60,
    ]


def test_a_delta_call_that_had_to_wait_for_its_turn_leaves_no_gap() -> None:
    moment = FakeTime()

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        moment.now += 2 * POLICY.slow_summary if number == 3 else 0.0
        return {}

    provider = bulk_provider(fetch_summaries, n1=[pending("1")])
    run(provider, moment=moment, timeout=400, poll_interval=50)
    windows = [changed_since for _ids, changed_since in provider.requested("summaries")]
    # The window of the third one ended when it was sent at last; the fourth one begins where the second one ended.
    assert windows[:5] == [None, 50.0, 50.0, 50.0 + 2 * POLICY.slow_summary + 50.0, 50.0]


def test_the_bulk_call_is_made_again_once_the_order_that_it_may_have_refused_is_gone() -> None:
    known = [str(number) for number in range(1, 11)]

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if "77" in provider.requested("summaries")[-1][0]:
            raise InvalidRequest("unknown order")
        return {one: summary("p", pending(one)) for one in known}

    reported = (Domain("www.example.org"),)
    scripts: dict[str, Script] = {"n" + one: [pending(one, domains=reported)] for one in known}
    provider = bulk_provider(fetch_summaries, **scripts, n77=[OrderNotFound("not there")])
    result = run(provider, [*known, "77"], timeout=600, poll_interval=60)
    assert outcomes(result) == {**dict.fromkeys(known, Outcome.TIMED_OUT), "77": Outcome.FAILED}
    assert provider.requested("fetch") == [*known, "77"]

    # What the single calls reported is more than what the bulk call reports.
    scripts = {"n" + one: [pending(one, domains=reported), unavailable()] for one in known}
    provider = bulk_provider(fetch_summaries, **scripts, n77=[OrderNotFound("not there")])
    result = run(provider, [*known, "77"], timeout=100, poll_interval=60)
    assert [state.order.domains for state in result.orders if state.order is not None] == [reported] * len(known)


@pytest.mark.parametrize(
    "fault",
    [
        UnexpectedResponse("an HTML or XML page came"),
        UnexpectedResponse("no list of orders", retryable=False),
        ProviderUnavailable("HTTP 503"),
    ],
)
def test_a_bulk_call_that_is_not_well_is_made_again_and_a_few_orders_are_looked_at_meanwhile(fault: OrderError) -> None:
    """Two bad answers are no reason to ask for 200 orders one by one for the rest of the wait."""
    ids = [str(number) for number in range(1, 201)]
    marks = {one: summary("p", pending(one)) for one in ids}

    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        if number in (2, 3, 4):
            raise fault
        return marks

    provider = bulk_provider(fetch_summaries, **{"n" + one: [pending(one)] for one in ids})
    looks: list[list[str]] = []
    result = run(
        provider,
        ids,
        timeout=600,
        poll_interval=60,
        listen=lambda report: looks.append([asked for call, asked in provider.calls if call != "summaries"]),
    )
    counts = [len(after) - len(before) for before, after in zip([[], *looks], looks)]
    few = [POLICY.first_poll, 0, POLICY.unsupported, POLICY.unsupported] + [POLICY.each_poll] * (len(counts) - 5)
    # The last poll fetches what has never been fetched.
    assert counts == [*few, len(ids) - sum(few)]
    # Others than those that have been looked at already.
    assert len(set(looks[3])) == POLICY.first_poll + 2 * POLICY.unsupported
    assert len(provider.requested("summaries")) == result.polls
    assert not result.notes


def test_orders_move_on_though_the_bulk_call_never_answers() -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        raise unavailable()

    ids = [str(number) for number in range(1, 51)]
    provider = bulk_provider(fetch_summaries, **{"n" + one: [issued(one)] for one in ids})
    assert set(outcomes(run(provider, ids, timeout=600, poll_interval=60)).values()) == {Outcome.REACHED}


def test_a_provider_that_limits_its_bulk_call_is_not_asked_for_single_orders_instead() -> None:
    def fetch_summaries(number: int, changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        raise RateLimited("slow down")

    provider = bulk_provider(fetch_summaries, n1=[issued()])
    assert outcomes(run(provider, timeout=600, poll_interval=60)) == {"1": Outcome.TIMED_OUT}
    assert {call for call, asked in provider.calls} == {"summaries"}


@pytest.mark.parametrize(("count", "refreshed"), [(10, 5), (20, 5), (21, POLICY.each_poll)])
def test_a_provider_decides_how_many_orders_are_fetched_in_each_poll(count: int, refreshed: int) -> None:
    provider = quiet_fleet(count)
    provider.refresh_policy = (  # type: ignore[method-assign]
        lambda pending: replace(POLICY, each_poll=5) if pending <= 20 else POLICY
    )
    calls: list[int] = []
    ids = [str(number) for number in range(1, count + 1)]
    run(provider, ids, timeout=600, poll_interval=60, listen=lambda report: calls.append(len(provider.calls)))
    assert {after - before for before, after in zip(calls, calls[1:])} <= {1 + refreshed, 2 + refreshed}


# -- reissues that come to nothing --------------------------------------------


def reissuing(serial: str | None = "AB", own_id: str | None = "91") -> Order:
    """An order whose reissue is open; what it reports is its previous certificate."""
    blocker = Blocker("reissue", "the reissue is not there yet", actor="provider")
    return pending(certificate=OrderCertificate(id=own_id, serial_number=serial), blockers=(blocker,))


@pytest.mark.parametrize("superseded", [(), ("AB",), ("CD",)])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (reissuing(), issued()),
        (reissuing(serial=None), issued()),
        (reissuing(serial=None), issued(serial=None)),
        (reissuing(own_id=None), issued()),
    ],
)
def test_a_reissue_that_comes_to_nothing_leaves_the_previous_certificate_which_is_not_what_is_waited_for(
    before: Order, after: Order, superseded: t.Sequence[str]
) -> None:
    result = run(FakeProvider(n1=[before, after]), superseded_serial_numbers=superseded)
    assert outcomes(result) == {"1": Outcome.TIMED_OUT}
    seen = result.orders[0].order
    assert seen is not None
    assert not seen.issued
    assert "is the previous one" in seen.blockers[-1].message


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (reissuing(own_id="90"), issued()),
        (reissuing(own_id="90"), issued(serial=None)),
        (reissuing(own_id=None), issued(serial="CD")),
        (reissuing(own_id=None, serial=None), issued()),
    ],
)
def test_a_reissue_with_another_certificate_is_reached(before: Order, after: Order) -> None:
    assert outcomes(run(FakeProvider(n1=[before, after]))) == {"1": Outcome.REACHED}


@pytest.mark.parametrize(
    "reported",
    [
        [reissuing(serial="12", own_id="90"), reissuing(serial="AB", own_id="91")],
        [reissuing(serial=None, own_id="90"), reissuing(serial=None, own_id="91")],
        [reissuing(serial="12", own_id=None), reissuing(serial="AB", own_id=None)],
    ],
)
def test_the_new_certificate_may_be_told_before_the_reissue_is_called_done(reported: list[Order]) -> None:
    assert outcomes(run(FakeProvider(n1=[*reported, issued()]))) == {"1": Outcome.REACHED}


def test_what_is_told_later_of_the_certificate_to_be_replaced_counts_as_well() -> None:
    reported = [reissuing(serial=None, own_id=None), reissuing(serial=None), reissuing(), issued(serial="AB")]
    assert outcomes(run(FakeProvider(n1=reported))) == {"1": Outcome.TIMED_OUT}


def quiet_fleet(count: int) -> FakeProvider:
    """Orders of which the bulk call says each time that they are pending."""
    ids = [str(number) for number in range(1, count + 1)]
    marks = {one: summary("p", pending(one)) for one in ids}
    return bulk_provider(lambda number, changed_since: marks, **{"n" + one: [pending(one)] for one in ids})


@pytest.mark.parametrize(
    ("until", "refreshed"), [("issued", POLICY.each_poll), ("dcv_completed", POLICY.each_poll_for_dcv)]
)
@pytest.mark.parametrize("count", [10, 100, 1000, 10000])
def test_requests_per_poll_do_not_grow_with_the_number_of_orders(count: int, until: str, refreshed: int) -> None:
    provider = quiet_fleet(count)
    per_poll: list[int] = []
    seen = 0

    def listen(report: PollReport) -> None:
        nonlocal seen
        per_poll.append(len(provider.calls) - seen)
        seen = len(provider.calls)

    run(provider, [str(number) for number in range(1, count + 1)], listen=listen, until=until, timeout=600)
    assert per_poll[0] == 1 + min(POLICY.first_poll, count)
    assert set(per_poll[1:-1]) == {1 + min(refreshed, count)}
    # The last poll fetches what has never been fetched.
    never = count - min(count, POLICY.first_poll + refreshed * (len(per_poll) - 2))
    assert per_poll[-1] == 1 + max(min(refreshed, count), never)


class NamedProvider(FakeProvider):
    """Reports every order as pending; only the detail call shows its names, and takes some time."""

    moment: FakeTime
    seconds = 0.0

    def refresh_order(self, order: Order) -> Order:
        self.moment.now += self.seconds
        return super().refresh_order(order)

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        super().fetch_summaries(order_ids, changed_since)
        return {one: summary("p", pending(one)) for one in order_ids}


def named_fleet(count: int, seconds: float = 0.0, *budgets: RequestBudget) -> NamedProvider:
    class Provider(NamedProvider):
        info = replace(FakeProvider.info, bulk_from=1, rate_limits=RateLimits(SCHEDULE, budgets))

    provider = Provider(
        **{f"n{one}": [pending(str(one), domains=(Domain("www.example.com"),))] for one in range(1, count + 1)}
    )
    provider.moment, provider.seconds = FakeTime(), seconds
    return provider


def wait_for_fleet(provider: NamedProvider, **options: t.Any) -> WaitResult:
    return run(provider, list(provider.scripts), moment=provider.moment, **options)


def without_names(result: WaitResult) -> int:
    return sum(1 for state in result.orders if state.order is None or not state.order.domains)


@pytest.mark.parametrize("timeout", [0, 10, 60, 600, 900, 1800])
def test_every_order_has_been_fetched_once_before_the_deadline(timeout: int) -> None:
    provider = named_fleet(40, 0.1, RequestBudget(90, 5.5), RequestBudget(900, 185.0))
    result = wait_for_fleet(provider, timeout=timeout, poll_interval=60)
    assert without_names(result) == 0
    assert len(provider.requested("refresh")) <= 40 + result.polls
    assert result.elapsed <= max(timeout, 40 * 0.1) + 0.1


def test_slow_answers_make_the_last_round_begin_earlier() -> None:
    provider = named_fleet(200, 2.0)
    result = wait_for_fleet(provider, timeout=1800, poll_interval=300)
    assert without_names(result) == 0
    # One after another, with the bulk call in between.
    assert len(provider.requested("summaries")) > 1800 / 300 + 180 * 2 / POLICY.max_poll_duration - 2


def test_the_last_round_begins_as_late_as_the_budget_allows() -> None:
    provider = named_fleet(200, 0.0, RequestBudget(20, 5.0))
    reports: list[tuple[float, int]] = []
    result = wait_for_fleet(
        provider,
        timeout=1800,
        poll_interval=300,
        listen=lambda report: reports.append((report.elapsed, len(provider.requested("refresh")))),
    )
    assert without_names(result) == 0
    few = [fetched for elapsed, fetched in reports if elapsed < 1800 - 1.25 * 200 * 2 * 5.0 / 20]
    assert few[-1] < POLICY.first_poll + len(few)


def test_a_wait_without_time_fetches_what_the_budget_allows_at_once() -> None:
    provider = named_fleet(1000, 0.0, RequestBudget(90, 5.5), RequestBudget(900, 185.0))
    assert without_names(wait_for_fleet(provider, timeout=0)) == 1000 - 90
    assert provider.moment.sleeps == []
    # Without a budget, until the poll has lasted too long.
    provider = named_fleet(1000, 1.0)
    assert without_names(wait_for_fleet(provider, timeout=0)) == 1000 - POLICY.max_poll_duration - 1


def test_half_of_a_wait_at_most_is_spent_on_the_last_round() -> None:
    provider = named_fleet(1000, 1.0)
    fetched: list[tuple[float, int]] = []
    result = wait_for_fleet(
        provider,
        timeout=600,
        poll_interval=60,
        listen=lambda report: fetched.append((report.elapsed, len(provider.requested("refresh")))),
    )
    assert result.elapsed <= 601
    early = [count for elapsed, count in fetched if elapsed < 300]
    assert early[-1] <= POLICY.first_poll + len(early)
    assert 250 <= 1000 - without_names(result) <= 330


def test_a_provider_that_fails_is_not_asked_for_the_rest_of_the_last_round() -> None:
    provider = named_fleet(40)
    for one in list(provider.scripts)[POLICY.first_poll :]:
        provider.scripts[one] = [unavailable()]
    wait_for_fleet(provider, timeout=60, poll_interval=300)
    assert len(provider.requested("refresh")) == POLICY.first_poll + POLICY.max_failures


def test_the_slow_refresh_comes_round_to_every_order() -> None:
    provider = quiet_fleet(30)
    ids = [str(number) for number in range(1, 31)]
    run(provider, ids, timeout=30 * 60, poll_interval=60)
    refreshed = provider.requested("refresh")
    assert sorted(set(refreshed), key=int) == ids
    assert refreshed[: len(ids)] == ids


def test_an_order_whose_refresh_fails_does_not_stop_the_refresh_of_the_others() -> None:
    provider = quiet_fleet(30)
    provider.scripts["1"] = [unavailable()]
    run(provider, [str(number) for number in range(1, 31)], timeout=1800, poll_interval=60)
    assert len(set(provider.requested("refresh"))) == 30


def test_validated_names_are_seen_by_the_refresh_while_waiting_for_dcv() -> None:
    provider = quiet_fleet(100)
    for one in provider.scripts:
        provider.scripts[one] = [pending(one, dcv_completed=True)]
    ids = [str(number) for number in range(1, 101)]
    result = run(provider, ids, until="dcv_completed", timeout=1800)
    assert set(outcomes(result).values()) == {Outcome.REACHED}
    assert result.polls == 100 // POLICY.first_poll


def test_work_per_order_and_poll_does_not_grow_with_the_number_of_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts comparisons of orders and of warnings, not time: each order has a warning of its own."""

    class Counted(str):
        compared = 0

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return str.__eq__(self, other)

        def __hash__(self) -> int:
            return str.__hash__(self)

    def cost(count: int) -> float:
        ids = [str(number) for number in range(1, count + 1)]
        orders = {one: [pending(one, warnings=(Counted("about " + one),))] for one in ids}
        marks = {one: summary("p", order[0]) for one, order in orders.items()}
        provider = bulk_provider(
            lambda number, changed_since: marks, **{"n" + one: order for one, order in orders.items()}
        )
        Counted.compared = 0
        result = run(provider, ids, timeout=600)
        assert len(result.notes) == count
        return Counted.compared / count

    assert cost(2000) <= 2 * cost(200) + 1


# -- reissue ------------------------------------------------------------------


def test_the_superseded_certificate_never_counts_as_issued() -> None:
    provider = FakeProvider(n1=[issued(serial="0A:BC"), pending(), issued(serial="DEF")])
    result = run(provider, superseded_serial_numbers=["abc"])
    assert (outcomes(result), result.polls) == ({"1": Outcome.REACHED}, 2 + 1)
    assert result.orders[0].order is not None and result.orders[0].order.certificate.serial_number == "DEF"


@pytest.mark.parametrize("until", ["issued", "dcv_completed"])
@pytest.mark.parametrize("serial", ["ABC", str(0xABC), None])
def test_a_certificate_that_may_be_the_superseded_one_reaches_nothing(serial: str | None, until: str) -> None:
    provider = FakeProvider(n1=[issued(serial=serial)])
    result = run(provider, superseded_serial_numbers=["123", "ABC"], until=until, timeout=0)
    state = result.orders[0]
    assert state.outcome == Outcome.TIMED_OUT
    assert state.order is not None and not state.order.issued and not state.order.final


def test_a_certificate_without_a_serial_number_fails_with_a_reason_instead_of_being_waited_for() -> None:
    provider = FakeProvider(n1=[issued("1", serial=None)], n2=[pending("2")])
    result = run(provider, ["1", "2"], superseded_serial_numbers=["ABC"], timeout=600)
    assert outcomes(result) == {"1": Outcome.FAILED, "2": Outcome.TIMED_OUT}
    error = result.orders[0].error
    assert error is not None and "does not report its serial number" in error.message and not error.retryable
    assert provider.requested("fetch").count("1") == 2


def test_a_certificate_without_a_serial_number_that_was_seen_to_come_is_a_new_one() -> None:
    scripts: dict[str, Script] = {
        "n1": [pending("1"), issued("1", serial=None)],
        "n2": [issued("2", serial=None), pending("2"), issued("2", serial=None)],
        "n3": [issued("3", serial="ABC"), issued("3", serial="DEF")],
    }
    result = run(FakeProvider(**scripts), ["1", "2", "3"], superseded_serial_numbers=["ABC"])
    assert set(outcomes(result).values()) == {Outcome.REACHED}


def test_a_reissue_that_the_bulk_call_does_not_tell_of_is_seen_among_many_orders() -> None:
    ids = [str(number) for number in range(1, 101)]
    marks = {one: summary("p", pending(one)) for one in ids}
    marks["50"] = summary("active:")
    provider = bulk_provider(lambda number, changed_since: marks, **{"n" + one: [pending(one)] for one in ids})
    provider.scripts["50"] = [issued("50", serial="ABC")] * 5 + [issued("50", serial="DEF")]
    result = run(provider, ids, superseded_serial_numbers=["123", "ABC"], timeout=900)
    assert outcomes(result)["50"] == Outcome.REACHED


def test_waiting_compares_by_identity() -> None:
    assert OrderState("1") != OrderState("1")
