# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the four providers answer: a true order or one clear error, and no secret leaves.

``HYPOTHESIS_PROFILE=long`` looks for hours instead of seconds.
"""

from __future__ import annotations

import json
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS
from ansible_collections.certops.issuance.tests.unit.fuzz.invariants import ask_everything
from ansible_collections.certops.issuance.tests.unit.fuzz.mutation import bodies, spoiled_json
from ansible_collections.certops.issuance.tests.unit.fuzz.oracle import MAY_BE_ISSUED
from ansible_collections.certops.issuance.tests.unit.fuzz.world import (
    API_KEY,
    BODIES,
    ORDER_IDS,
    PASSWORD,
    PENDING,
    PERSONAL,
    QUESTIONS,
    Answers,
    credentials_of,
    originals,
    refusals,
)

CANARY = "CANARY-of-a-person"

_statuses = st.sampled_from([200] * 12 + [201, 204, 400, 401, 403, 404, 406, 429, 500, 503])


@st.composite
def answers(draw: st.DrawFn, provider: str) -> Answers:
    """An answer to each question, right or spoiled."""
    found = {}
    for question, _part, pattern in QUESTIONS[provider]:
        refused = draw(st.integers(0, 7)) == 7
        found[question] = draw(bodies(refusals(provider) if refused else originals(provider, pattern)))
    return Answers(provider, found, draw(_statuses))


@pytest.mark.parametrize("provider", sorted(ORDER_IDS))
@given(data=st.data())
def test_spoiled_answers(provider: str, data: st.DataObject) -> None:
    ask_everything(data.draw(answers(provider)))


@pytest.mark.parametrize("provider", sorted(ORDER_IDS))
def test_the_bodies_themselves_are_understood(provider: str) -> None:
    """Else the tests above would spoil what is an error already."""
    usual = {name: originals(provider, pattern)[0] for name, _part, pattern in QUESTIONS[provider]}
    found = []
    for question, _part, pattern in QUESTIONS[provider]:
        found += [ask_everything(Answers(provider, {**usual, question: body})) for body in originals(provider, pattern)]
    statuses = {order.status for order in found if order is not None}
    assert Status.ISSUED in statuses and len(statuses) >= 2


def _with_person(draw: st.DrawFn, provider: str, body: bytes) -> bytes:
    """The body with personal data somewhere in it."""
    names = draw(st.lists(st.sampled_from(PERSONAL[provider]), min_size=1, max_size=3, unique=True))
    text = body.decode("utf-8")
    if text.lstrip()[:1] == "{":
        data = draw(spoiled_json(json.loads(text), max_changes=2))
        for name in names:
            value = draw(st.sampled_from([CANARY, f'"{CANARY}"', [CANARY], {"name": CANARY}, f"{CANARY} \\ x"]))
            places = [data] if isinstance(data, dict) else []
            places += [item for item in (data.values() if isinstance(data, dict) else ()) if isinstance(item, dict)]
            if places:
                draw(st.sampled_from(places))[name] = value
        body = json.dumps(data).encode()
    elif "=" in text and "-----" not in text and "<" not in text:
        for name in names:
            body = draw(st.sampled_from([body + f"&{name}={CANARY}".encode(), f"{name}={CANARY}&".encode() + body]))
    if draw(st.integers(0, 2)) == 0:
        body = body[: draw(st.integers(0, len(body)))]
    return body


@st.composite
def personal_answers(draw: st.DrawFn, provider: str) -> Answers:
    """Answers with personal data in them, some of them cut off."""
    found = {}
    for question, _part, pattern in QUESTIONS[provider]:
        found[question] = _with_person(draw, provider, draw(st.sampled_from(originals(provider, pattern))))
    return Answers(provider, found, draw(_statuses))


@pytest.mark.parametrize("provider", sorted(ORDER_IDS))
@given(data=st.data())
def test_personal_data_stays_where_it_is(provider: str, data: st.DataObject) -> None:
    ask_everything(data.draw(personal_answers(provider)), [CANARY])


@pytest.mark.parametrize("provider", sorted(ORDER_IDS))
@given(data=st.data())
def test_servers_that_repeat_credentials(provider: str, data: st.DataObject) -> None:
    secret = API_KEY if "api_key" in credentials_of(provider) else PASSWORD
    # In a form, a bare & would end the field, and what the rest had been would be lost.
    forms = [quote_plus(secret)] if provider == "sectigo" else [secret, json.dumps(secret), quote_plus(secret)]
    given_answers = data.draw(answers(provider))
    for question, body in given_answers.bodies.items():
        spot = data.draw(st.integers(0, len(body)))
        given_answers.bodies[question] = body[:spot] + data.draw(st.sampled_from(forms)).encode() + body[spot:]
    ask_everything(given_answers)


def test_no_provider_and_no_body_was_forgotten() -> None:
    assert set(PROVIDERS) == set(QUESTIONS) == set(ORDER_IDS) == set(PENDING) == set(PERSONAL) == set(MAY_BE_ISSUED)
    for provider, questions in QUESTIONS.items():
        for _question, _part, pattern in questions:
            assert list((BODIES / provider / "bodies").glob(pattern)), (provider, pattern)
