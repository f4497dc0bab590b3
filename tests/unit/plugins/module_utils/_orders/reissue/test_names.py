# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names a request for a reissue lists: a name that the CA adds by itself must not cost a place."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Domain, Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.gogetssl import reissue as gogetssl
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.sectigo import reissue as sectigo
from ansible_collections.certops.issuance.plugins.module_utils._orders.reissue.model import Snapshot, Wish

PAIR = ("example.org", "www.example.org")


def case(*names: str, **fields: t.Any) -> tuple[Snapshot, Wish]:
    """An order for example.org, and a wish for these names."""
    order = Order("any", "7", Status.ISSUED, issued=True, domains=(Domain("example.org"),))
    return Snapshot(order, Status.ISSUED, **fields), Wish(
        "7", "CSR", b"key", names, "reference", dcv_method="dns-cname"
    )


@pytest.mark.parametrize(
    ("names", "paid", "expected"),
    [
        (PAIR, 0, None),
        (PAIR, 1, "www.example.org"),
        ((*PAIR, "a.example.org"), 1, "a.example.org"),
        ((*PAIR, "a.example.org"), 2, "www.example.org,a.example.org"),
        (("example.org",), 3, None),
    ],
)
def test_gogetssl_gets_no_more_names_than_were_paid(names: tuple[str, ...], paid: int, expected: str | None) -> None:
    form = gogetssl.make_form(*case(*names, paid_names=paid, paid_wildcards=0))
    assert form.get("dns_names") == expected
    assert len(form.get("approver_emails", "").split(",")) == len((expected or "").split(","))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("example.org",), None),
        # A product for one domain has no list of names.
        (PAIR, None),
        (("www.example.org", "example.org"), None),
        ((*PAIR, "a.example.org"), "example.org,www.example.org,a.example.org"),
    ],
)
def test_sectigo_gets_a_list_only_for_several_domains(names: tuple[str, ...], expected: str | None) -> None:
    form = sectigo.make_form(*case(*names), {"orderNumber": "7"})
    assert form.get("domainNames") == expected
    assert ("primaryDomainName" in form) is (expected is not None)
