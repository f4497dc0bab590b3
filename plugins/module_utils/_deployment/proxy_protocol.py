# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The header by which a proxy names the client to a service that it is in front of.

Source: the PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt), sections 2.1 and 2.2.
"""

from __future__ import annotations

import socket
import struct
import typing as t

VERSIONS = ("v1", "v2")

_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_PROXY = 0x21  # version 2, a connection of another
_TCP4, _TCP6 = 0x11, 0x21


def proxy_header(version: str, source: t.Sequence[t.Any], destination: t.Sequence[t.Any]) -> bytes:
    """What is sent before anything else.

    Arguments:
        version: one of VERSIONS.
        source: address and port of the client, as sockets name them: here the real ones.
        destination: address and port of the service.
    """
    addresses = [str(one[0]).partition("%")[0] for one in (source, destination)]  # without the zone of IPv6
    ports = (int(source[1]), int(destination[1]))
    is_ipv6 = ":" in addresses[1]
    if version == "v1":
        words = ["PROXY", "TCP6" if is_ipv6 else "TCP4", *addresses, *map(str, ports)]
        return " ".join(words).encode("ascii") + b"\r\n"
    family = socket.AF_INET6 if is_ipv6 else socket.AF_INET
    packed = b"".join(socket.inet_pton(family, address) for address in addresses) + struct.pack("!HH", *ports)
    return _SIGNATURE + struct.pack("!BBH", _PROXY, _TCP6 if is_ipv6 else _TCP4, len(packed)) + packed
