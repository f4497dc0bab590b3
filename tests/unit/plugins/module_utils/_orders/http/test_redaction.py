# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets and personal data are taken out, in every form in which they can come up."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import (
    HIDDEN,
    Redactor,
    drop_personal,
    drop_personal_text,
)

SECRET = 'pa"ss wörd/+&=%\\'
PERSONAL = re.compile(r"(?:\w+_)?(?:name|phone|email)|contacts?", re.IGNORECASE)


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        urlencode({"key": SECRET}),
        json.dumps({"key": SECRET}),
        base64.b64encode(SECRET.encode("utf-8")).decode("ascii"),
        SECRET.encode("utf-8").decode("latin-1"),
        html.escape(SECRET),
        repr(SECRET)[1:-1],
        re.sub("%..", lambda found: found.group().lower(), quote(SECRET, safe="")),
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    ],
)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    redactor = Redactor([SECRET])
    assert form not in redactor.scrub(f"before {form} after")
    assert redactor.scrub(f"before {SECRET} after") == f"before {HIDDEN} after"


LONG = "Zq9-KEY/+%&é\"'\\ $tail7731"


OTHER_FORMS = {
    "upper case": LONG.upper(),
    "lower case": LONG.lower(),
    "upper case in JSON": json.dumps(LONG)[1:-1].replace("\\u00e9", "\\u00E9"),
    "another encoding": LONG.encode("utf-8").decode("latin-1"),
    "base64": base64.b64encode(LONG.encode("utf-8")).decode("ascii"),
    "base64 for URLs": base64.urlsafe_b64encode(LONG.encode("utf-8")).decode("ascii"),
    "base64 behind a user": base64.b64encode(b"joe:" + LONG.encode("utf-8")).decode("ascii"),
    "base64 behind a longer user": base64.b64encode(b"joe.b:" + LONG.encode("utf-8")).decode("ascii"),
    "base64 within more": base64.b64encode(b'{"k": "' + LONG.encode("utf-8") + b'"}').decode("ascii"),
    "cut off": LONG[:6] + "…",
    "cut off in a URL": quote(LONG, safe="")[:14] + "…",
    "cut off in an escape": json.dumps(LONG)[1:14] + "…",
    "cut off in base64": base64.b64encode(LONG.encode("utf-8")).decode("ascii")[:12] + "…",
}


@pytest.mark.parametrize("form", OTHER_FORMS.values(), ids=OTHER_FORMS.keys())
def test_a_secret_is_found_in_other_forms(form: str) -> None:
    shown = Redactor([LONG]).scrub(f"before: {form} after")
    rest = shown.replace(HIDDEN, "").replace("before:", "").replace("after", "")
    # Ends of what base64 was made of are no part of the secret.
    assert HIDDEN in shown and len(rest.strip(" …;")) <= 60
    assert not set(form[4:-4]) or not any(form[at : at + 12] in rest for at in range(60, len(form) - 12))
    assert shown.startswith("before: ") and shown.endswith(" after")


def test_what_only_resembles_a_secret_is_left() -> None:
    redactor = Redactor(["password-of-mine", "Zq9-KEY/+%&"])
    text = "check username and the API password; 100% of \\u0070ath C:\\\\x&amp; Zq9-K was read…"
    assert redactor.scrub(text) == text


#: What patterns that are not linear take hours for.
REPEATED = [
    *("\\", "%25", "&amp;", "Zq9", "a \0", "…", "%5c%5C", "\\u005a", "&#090;", "<", "<a", "<a:", '"', '"a', '"a":'),
    *('"a\\', "a=", "='", "@", "a@", "a@b.", "%40", "email", "email-", "a_", " ", "{", "Zq9-KE…"),
]


@pytest.mark.parametrize("repeated", REPEATED)
@pytest.mark.parametrize("before", ["", "<", '"', '"a":"', '"a'])
def test_a_hostile_text_takes_linear_time(repeated: str, before: str) -> None:
    """Patterns that are not linear took 22 s for a third of it."""
    text = before + repeated * (200_000 // len(repeated))
    redactor = Redactor([LONG, "\\\\\\hidden word"])
    assert len(redactor.scrub(text)) <= 2 * len(text)
    if "Zq9-" not in repeated:
        assert redactor.scrub(text) == text
    assert len(drop_personal_text(text, PERSONAL)) <= 9 * len(text)
    drop_personal({"a": text, text: 1}, PERSONAL)


def test_a_secret_of_any_length_is_found() -> None:
    secret = "k3y/" * 15_000
    redactor = Redactor([secret])
    assert redactor.scrub(f"x {secret} y {secret[:5000]}… z") == f"x {HIDDEN} y {HIDDEN}… z"
    text = "k3y" * 300_000
    assert redactor.scrub(text) == text


def test_the_end_of_a_part_may_be_the_middle_of_a_secret() -> None:
    assert Redactor([LONG]).scrub_part("x " + LONG[:7]) == "x " + HIDDEN
    assert Redactor([LONG]).scrub_part("x y") == "x y"


@given(st.text(min_size=3), st.text(), st.text())
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    scrubbed = Redactor([secret]).scrub(before + secret + after)
    assert secret not in scrubbed.replace(HIDDEN, "")


def test_a_secret_that_holds_another_goes_as_a_whole() -> None:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    redactor = Redactor(alphabet[:length] for length in range(3, 27))
    assert redactor.scrub(alphabet + " abc " + alphabet[:9]) == f"{HIDDEN} {HIDDEN} {HIDDEN}"


def test_what_is_learned_later_counts_from_then_on() -> None:
    redactor = Redactor()
    assert redactor.scrub("session-key") == "session-key"
    redactor.learn("session-key")
    assert redactor.scrub("session-key") == HIDDEN


@pytest.mark.parametrize("short", ["", "a", "ab"])
def test_what_is_too_short_takes_nothing_out(short: str) -> None:
    redactor = Redactor([short])
    assert redactor.secrets == frozenset()
    assert redactor.scrub("a b ab aab") == "a b ab aab"


def test_data_is_scrubbed_throughout() -> None:
    redactor = Redactor(["hunter2"])
    data = {"a": ["hunter2", ("x hunter2",)], "hunter2": {"b": "hunter2!", "n": 5, "f": 1.5, "t": True, "z": None}}
    clean = {"a": [HIDDEN, ["x " + HIDDEN]], HIDDEN: {"b": HIDDEN + "!", "n": 5, "f": 1.5, "t": True, "z": None}}
    assert redactor.scrub_data(data) == clean
    assert list(redactor.scrub_data(data, names=False)) == ["a", "hunter2"]
    assert redactor.scrub_data(data, names=False)["hunter2"] == clean[HIDDEN]


def test_personal_fields_are_left_out_and_named() -> None:
    body = {
        "id": 5,
        "first_name": "Ada",
        "organization": {"Phone": "+1", "city": "X", "contacts": [{"any": 1}]},
        "items": [{"email": "a@b.example"}, {"id": 6}],
    }
    clean, left_out = drop_personal(body, PERSONAL)
    assert clean == {"id": 5, "organization": {"city": "X"}, "items": [{}, {"id": 6}]}
    assert left_out == ["Phone", "contacts", "email", "first_name"]
    assert body["first_name"] == "Ada"


def test_personal_fields_of_any_provider_are_left_out_of_any_other_s_answer() -> None:
    body = {"tech_email": 1, "rep_surname": 2, "shippingPhone": 3, "x": '{"firstName": "Ada", "id": 5}', "status": "ok"}
    clean, left_out = drop_personal(body)
    assert clean == {"x": '{"firstName": ********, "id": 5}', "status": "ok"}
    assert left_out == ["personal data in texts", "rep_surname", "shippingPhone", "tech_email"]


def test_an_address_is_left_out_of_a_field_of_any_name() -> None:
    body = {"approver_method": "jane.doe@example.org", "san": [{"validation": "CN=jane.doe@example.org, C=XX"}], "n": 1}
    clean, left_out = drop_personal(body)
    assert clean == {"approver_method": "********", "san": [{"validation": "CN=********, C=XX"}], "n": 1}
    assert left_out == ["personal data in texts"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"id": 5, "first_name": "Ada", "x": 1', '{"id": 5, "first_name": ********, "x": 1'),
        ('{"email" : "a\\"b", "id": 5}', '{"email" : ********, "id": 5}'),
        ('{"phone": 555, "id": 5}', '{"phone": ********, "id": 5}'),
        ('{"phone": "555', '{"phone": ********'),
        ('{"id": 1, "contacts": [{"any": "Ada"', '{"id": 1, "contacts": ********'),
        ("id=5&email=a%40b.example&x=1", "id=5&email=********&x=1"),
        ("nothing here", "nothing here"),
        ('{"id": 5, "' + "x" * 201 + '": "Ada", "y": 1}', '{"id": 5, "' + "x" * 201 + '": ********, "y": 1}'),
        ("<order><email Ada", "<order><email********"),
        (
            '<?xml version="1.0"?><order><email>a@b.example</email><x>1</x>',
            '<?xml version="1.0"?><order><email>********',
        ),
        ("<order id='1' phone='555 1'/>", "<order id='1' phone=********/>"),
        ('{"x": "{\\"phone\\": \\"555\\", \\"id\\": 5}"}', '{"x": "{\\"phone\\": ********'),
        ("write to ada.l@mail.example.org now", "write to ******** now"),
        ("mail=ada%40mail.example.org&x=1", "mail=********&x=1"),
        (
            '{"rep_email_address": "x", "shippingForename": "y"}',
            '{"rep_email_address": ********, "shippingForename": ********}',
        ),
        ('{"named": "kept", "names": "kept"}', '{"named": "kept", "names": "kept"}'),
    ],
)
def test_personal_values_are_hidden_in_a_body_that_cannot_be_parsed(text: str, expected: str) -> None:
    assert drop_personal_text(text, PERSONAL) == expected


@given(
    st.dictionaries(
        st.sampled_from(["email", "first_name", "id", "status"]), st.text("xyz7 \\\"'", min_size=4), min_size=1
    )
)
def test_no_personal_value_survives_wherever_the_body_is_cut(body: dict[str, str]) -> None:
    whole = json.dumps(
        {name: "private" + value if name in ("email", "first_name") else value for name, value in body.items()}
    )
    for cut in range(len(whole)):
        assert "private" not in drop_personal_text(whole[:cut], PERSONAL)


@given(st.text().filter(lambda text: "@" not in text and "%40" not in text))
def test_text_without_personal_fields_is_left_as_it_is(text: str) -> None:
    assert drop_personal_text(text, re.compile("(?!)")) == text
