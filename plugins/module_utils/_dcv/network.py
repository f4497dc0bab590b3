# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses, their map, and the deadline: what the DNS and the web side share. Standard library only.

Private to this collection.
"""

from __future__ import annotations

import ipaddress
import socket
import time
import typing as t

from .._common.names import show_host


class DeadlinePassed(Exception):
    """The time for the whole look is over."""


class Deadline:
    """The time by which a whole look must end, on a monotonic clock. All times in seconds."""

    def __init__(self, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self, at_most: float | None = None) -> float:
        """Seconds that are left, cut at the given number.

        Raises:
            DeadlinePassed: none are left.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise DeadlinePassed
        return left if at_most is None else min(left, at_most)


#: An address and a port.
Endpoint = t.Tuple[str, int]


def parse_endpoint(text: str, default_port: int | None = None) -> Endpoint:
    """An endpoint of `address:port`, `[address]:port`, or an address alone where there is a default port.

    Raises:
        ValueError: it is none of these.
    """
    address, port = text.strip(), default_port
    if address.startswith("["):
        address, bracket, rest = address[1:].partition("]")
        if rest.startswith(":") and rest[1:].isdigit():
            port = int(rest[1:])
        elif rest or not bracket:
            raise ValueError(f"{text!r} is no address and port")
    elif address.count(":") == 1:
        address, _colon, number = address.partition(":")
        port = int(number) if number.isdigit() else None
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError as exc:
        raise ValueError(f"{text!r} is no IP address with a port") from exc
    if port is None or not 0 < port < 65536:
        raise ValueError(f"{text!r} has no port")
    return str(parsed), port


class AddressMap:
    """Where to connect instead of to an address and port: for NAT and for tests.

    Raises:
        ValueError: a key or value is no endpoint.
    """

    def __init__(self, mapping: t.Mapping[str, str]) -> None:
        self._mapping = {parse_endpoint(key): parse_endpoint(value) for key, value in mapping.items()}

    def destination(self, address: str, port: int) -> Endpoint:
        """The endpoint to connect to."""
        return self._mapping.get((address, port), (address, port))


# Listed here, because what Python calls private differs from version to version. A CA can reach none of them.
_UNREACHABLE = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3", "::/127", "64:ff9b:1::/48", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    )
]  # fmt: skip


def is_private(address: str) -> bool:
    """Whether an address cannot be reached from the Internet."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed.version == network.version and parsed in network for network in _UNREACHABLE)


def family(address: str) -> int:
    """The socket family of an address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def show_endpoint(address: str, port: int) -> str:
    """An endpoint as people write it."""
    return f"{show_host(address)}:{port}"
