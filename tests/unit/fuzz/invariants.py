# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds whatever a provider answers. Used by the tests, by the corpus, and by the fuzzer that is run by hand."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import drop_personal
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Check, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import Provider
from ansible_collections.certops.issuance.tests.unit.fuzz.oracle import MAY_BE_ISSUED, is_unknown_word
from ansible_collections.certops.issuance.tests.unit.fuzz.world import (
    API_KEY,
    ORDER_IDS,
    PASSWORD,
    Answers,
    provider_with,
)

#: The most characters of an error.
_MAX_MESSAGE = 2000


def ask_everything(answers: Answers, canaries: t.Sequence[str] = ()) -> Order | None:
    """Put every question to a provider that gets these answers, and check what holds for all of them.

    Arguments:
        canaries: personal data in the answers, which must not come to the surface.

    Returns:
        The order, where there is one.

    Raises:
        AssertionError: when something does not hold. Any other exception is a defect too.
    """
    orders = []
    for _time in range(2):
        provider = provider_with(answers)
        orders.append(_guarded(lambda: provider.fetch_order(ORDER_IDS[answers.provider]), provider, canaries))  # noqa: B023
    first = orders[0]
    if first is None or orders[1] is None:
        assert first is orders[1], "asked twice, answered once"
        return None
    assert (first.to_dict(), first.raw) == (orders[1].to_dict(), orders[1].raw), (
        "the same answers gave two different orders"
    )
    _check_order(first, answers, provider, canaries)
    for question in (lambda: provider.refresh_order(first), lambda: provider.fetch_order(first.order_id)):
        again = _guarded(question, provider, canaries)
        if again is not None:
            _check_order(again, answers, provider, canaries)
    for since in (None, 60.0):
        _guarded(lambda: provider.fetch_summaries([first.order_id, "1"], since), provider, canaries)  # noqa: B023
    delivery = _guarded(lambda: provider.fetch_certificate(first), provider, canaries)
    if delivery is not None:
        _guarded(lambda: chain.assemble(delivery.leaf, delivery.additional), provider, canaries)
    return t.cast("Order", first)


def _guarded(question: t.Callable[[], t.Any], provider: Provider, canaries: t.Sequence[str]) -> t.Any:
    """What a question gives; None for an error, which must be one of ours, short, and free of what is hidden."""
    try:
        return question()
    except OrderError as exc:
        assert len(str(exc)) <= _MAX_MESSAGE, f"the message has {len(str(exc))} characters"
        _assert_hidden(exc.to_result(), provider, canaries)
        return None


def _assert_hidden(result: t.Any, provider: Provider, canaries: t.Sequence[str]) -> str:
    """What a user gets of a result, as JSON, in which nothing that is hidden may stand."""
    # Every result passes this on its way out, see operations.perform.
    text = json.dumps(provider.transport.redactor.scrub_data(result), allow_nan=False, ensure_ascii=False)
    text.encode("utf-8")
    # Half of a secret, where a text was cut off, is too much as well.
    for secret in (*canaries, API_KEY[:12], PASSWORD[:12]):
        assert secret not in text, f"{secret} has come to the surface in {text[:500]}"
    return text


def _check_order(order: Order, answers: Answers, provider: Provider, canaries: t.Sequence[str]) -> None:
    clean = drop_personal(order.raw, provider.info.personal)[0]
    shown = dict(order.to_dict(), raw=provider.transport.redactor.scrub_data(clean))
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown, "what is written and read again is another order"
    _assert_hidden(shown, provider, canaries)
    assert order.order_id == ORDER_IDS[order.provider]
    assert order.status in Status.ALL
    assert not order.issued or order.status == Status.ISSUED
    assert order.final == (order.issued or order.status in Status.ENDED)
    states = Check.OPEN | Check.CLOSED | {Check.UNKNOWN}
    assert set(order.checks) <= set(Check.NAMES) and set(order.checks.values()) <= states
    assert {domain.status for domain in order.domains} <= states
    assert {blocker.actor for blocker in order.blockers} <= {"you", "provider"}
    if order.issued:
        assert MAY_BE_ISSUED[order.provider](answers.bodies), "issued, though section 5 does not allow it"
    if is_unknown_word(order.provider, answers.bodies):
        assert order.status == Status.UNKNOWN and not order.final, f"an unknown word became {order.status}"
    assert all(len(warning) <= _MAX_MESSAGE for warning in order.warnings), "a warning is too long"
    if order.status == Status.UNKNOWN:
        assert order.warnings, "an unknown word without a warning"
