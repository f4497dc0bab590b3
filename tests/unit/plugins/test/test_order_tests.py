# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests issued, dcv_completed and final, as templates use them."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import test_loader
from ansible.template import Templar

from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, Status

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19 trusts every text

    def trust_as_template(text: str) -> str:
        return text


NAMES = ("issued", "dcv_completed", "final")


def ask(name: str, order: t.Any) -> t.Any:
    return test_loader.get(f"certops.issuance.{name}").j2_function(order)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order("p", "1", Status.ISSUED, issued=True, dcv_completed=True), (True, True, True)),
        (Order("p", "1", Status.ISSUED), (False, False, False)),
        (Order("p", "1", Status.VALIDATING, dcv_completed=False), (False, False, False)),
        (Order("p", "1", Status.ISSUING, dcv_completed=True), (False, True, False)),
        (Order("p", "1", Status.REJECTED), (False, False, True)),
        (Order("p", "1", Status.UNKNOWN), (False, False, False)),
    ],
)
def test_a_real_boolean_for_an_order(order: Order, expected: tuple[bool, bool, bool]) -> None:
    assert tuple(ask(name, order.to_dict()) for name in NAMES) == expected
    assert all(ask(name, order.to_dict()).__class__ is bool for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, "12345", 5, [], {}, {"status": "issued", "issued": True}, {"orders": []}])
def test_what_is_no_order_is_an_error_that_says_what_is_wanted(name: str, value: t.Any) -> None:
    with pytest.raises(AnsibleError, match=f"certops.issuance.{name} is for one order"):
        ask(name, value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "was given nothing"),
        ("12345", "was given a text; the lookup certops.issuance.order_status"),
        (5, "was given the value 5"),
        ([], r"was given a list; write select\('certops.issuance.final'\)"),
        ({"orders": []}, r"was given a whole result; write select\('certops.issuance.final'\) behind its orders"),
        ({"status": "issued"}, "was given a mapping without the fields of an order"),
    ],
)
def test_what_it_was_given_is_said_in_words_of_playbooks(value: t.Any, said: str) -> None:
    with pytest.raises(AnsibleError, match=said):
        ask("final", value)


@pytest.mark.parametrize("odd", ["true", 1, "issued"])
def test_only_true_itself_is_true(odd: t.Any) -> None:
    order = dict(Order("p", "1", Status.ISSUED).to_dict(), issued=odd)
    assert ask("issued", order) is False


@pytest.mark.parametrize("name", NAMES)
def test_a_template_can_ask(name: str) -> None:
    order = Order("p", "1", Status.ISSUED, issued=True, dcv_completed=True).to_dict()
    templar = Templar(DataLoader(), variables={"order": order})
    for question, expected in (("is", True), ("is not", False)):
        source = f"{{{{ order {question} certops.issuance.{name} }}}}"
        assert templar.template(trust_as_template(source)) is expected
