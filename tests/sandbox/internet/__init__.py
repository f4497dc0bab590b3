# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small Internet on loopback: DNS from the root down, a resolver, web servers, and a CA's validator that looks there.

Deterministic: nothing is random but ports and keys' signatures, and time is a clock that is handed in. No test ever
leaves the machine: each public address is mapped to a port of 127.0.0.1.
"""

from __future__ import annotations

from .name_servers import DnsService
from .web import Page, Web
from .zones import DnsServer, Internet, Zone

__all__ = ["DnsServer", "DnsService", "Internet", "Page", "Web", "Zone"]
