# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Endpoints, the address map, private addresses and the deadline."""

from __future__ import annotations

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._dcv import network


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        (" 192.0.2.1:5353 ", ("192.0.2.1", 5353)),
        ("2001:DB8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_endpoint(text: str, endpoint: tuple[str, int]) -> None:
    assert network.parse_endpoint(text, 53) == endpoint


@pytest.mark.parametrize(
    "text", ["", "example.org", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:0", "[::1", "[::1]x", "1.2.3"]
)
def test_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match="address|port"):
        network.parse_endpoint(text, 53)


def test_address_map() -> None:
    mapping = network.AddressMap({"192.0.2.1:53": "127.0.0.1:5300", "[2001:db8::1]:80": "[::1]:8080"})
    assert mapping.destination("192.0.2.1", 53) == ("127.0.0.1", 5300)
    assert mapping.destination("2001:db8::1", 80) == ("::1", 8080)
    assert mapping.destination("192.0.2.1", 80) == ("192.0.2.1", 80)


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("10.0.0.1", True),
        ("100.64.0.1", True),
        ("127.0.0.1", True),
        ("169.254.169.254", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("192.168.1.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("8.8.8.8", False),
        ("::1", True),
        ("::", True),
        ("fe80::1", True),
        ("fd00::1", True),
        ("::ffff:10.0.0.1", True),
        ("::ffff:8.8.8.8", False),
        ("2001:db8::1", False),
    ],
)
def test_private_address(address: str, private: bool) -> None:
    assert network.is_private(address) is private


def test_deadline() -> None:
    time = [0.0]
    deadline = network.Deadline(10, lambda: time[0])
    assert deadline.remaining() == 10
    assert deadline.remaining(2) == 2
    time[0] = 9
    assert deadline.remaining(2) == 1
    time[0] = 10
    with pytest.raises(network.DeadlinePassed):
        deadline.remaining()
