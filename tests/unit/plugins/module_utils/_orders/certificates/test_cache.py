# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was collected is found again for as long as the provider wants to be left alone, and then evicted."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates.cache import CertificateCache
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    IssuedBundle,
    Order,
    OrderCertificate,
    Status,
)

DELIVERY = IssuedBundle("leaf", ("intermediate", "root"))


def order(order_id: str = "1", serial: str = "AB") -> Order:
    return Order("fake", order_id, Status.ISSUED, issued=True, certificate=OrderCertificate(serial_number=serial))


class Shelf:
    """The files of one account, at a time that a test sets."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.now = 1_800_000_000.0

    def collected(self, account: str = "account") -> CertificateCache:
        return CertificateCache(account, 100.0, str(self.directory), wall=lambda: self.now)


@pytest.fixture
def shelf(tmp_path: pathlib.Path) -> Shelf:
    return Shelf(tmp_path)


def test_it_is_found_until_the_pause_is_over(shelf: Shelf) -> None:
    shelf.collected().put(order(), DELIVERY)
    shelf.now += 99
    assert shelf.collected().get(order()) == DELIVERY
    shelf.now += 1
    assert shelf.collected().get(order()) is None


def test_a_clock_that_was_set_back_makes_it_no_younger(shelf: Shelf) -> None:
    shelf.collected().put(order(), DELIVERY)
    shelf.now -= 50
    assert shelf.collected().get(order()) is None


def test_it_is_private_and_holds_nothing_else(shelf: Shelf) -> None:
    shelf.collected().put(order(), DELIVERY)
    (path,) = shelf.directory.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(path.read_text()) <= set(
        '{"collected_at": 18.0, "leaf": "leaf", "additional": ["intermediate", "root"]}'
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"collected_at": "x"}', b"{}"])
def test_what_cannot_be_read_is_not_there(shelf: Shelf, content: bytes) -> None:
    shelf.collected().put(order(), DELIVERY)
    (path,) = shelf.directory.iterdir()
    path.write_bytes(content)
    assert shelf.collected().get(order()) is None


def test_what_is_old_is_evicted(shelf: Shelf) -> None:
    shelf.collected().put(order("1"), DELIVERY)
    (path,) = shelf.directory.iterdir()
    other = shelf.directory / "account.budget"
    other.write_text("")
    os.utime(other, (1.0, 1.0))
    shelf.now += 101
    shelf.collected().put(order("2"), DELIVERY)
    assert not path.exists()
    assert other.exists()


def test_accounts_orders_and_certificates_are_kept_apart(shelf: Shelf) -> None:
    shelf.collected().put(order(), DELIVERY)
    assert shelf.collected("other").get(order()) is None
    assert shelf.collected().get(order("2")) is None
    assert shelf.collected().get(order(serial="CD")) is None
