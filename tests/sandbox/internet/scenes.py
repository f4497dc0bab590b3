# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Worlds for tests and the demo: a clean one, and one function for each fault that can be put into it."""

from __future__ import annotations

import typing as t

from .validator import Evidence
from .web import Page, Web
from .zones import RESOLVER_ADDRESS, Internet, Zone

#: 2027-01-15T08:00:00Z; the time at which the small Internet stands still.
NOW = 1_800_000_000.0
ZONE = "example.org"
HOST = "www.example.org"
SERVERS = {"ns1.example.org": "192.0.2.101", "ns2.example.org": "192.0.2.102"}
THIRD_SERVER = {"ns3.example.org": "192.0.2.103"}
OTHER_SERVERS = {"ns1.former.net": "192.0.2.121", "ns2.former.net": "192.0.2.122"}
ADDRESS = "203.0.113.5"
OTHER_ADDRESS = "203.0.113.6"
IPV6_ADDRESS = "2001:db8::5"
TOKEN = "rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t"
FORMER_TOKEN = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"
MD5 = "3fa076dc547e7c065db9c858516c8b7b"
TARGET = "0adb68ad6222e0ec5144808d9dd9a263.95b82d26955baa204f1b3d9ff39cc461.t0827792001533920169.sectigo.com"
FOLDER = "/.well-known/pki-validation/"
FILE = "0adb68ad6222e0ec5144808d9dd9a26395b82d26955baa204f1b3d9ff39cc461\nsectigo.com\nt0827792001533920169"


class Scene:
    """A clean world for one provider and method: the evidence is published, and a CA approves.

    `method`: txt, cname or file. `signed`: the zone of the name is signed.
    """

    def __init__(
        self, web: Web, provider: str, method: str, signed: bool = False, servers: int = 2, now: float = NOW
    ) -> None:
        self.web = web
        self.provider = provider
        self.method = method
        self.now = now
        self.internet = Internet(lambda: self.now)
        hosts = dict(list({**SERVERS, **THIRD_SERVER}.items())[:servers])
        self.zone: Zone = self.internet.add_zone(ZONE, hosts, signed=signed)
        for server, address in hosts.items():
            self.zone.set(server, "A", address)
        web.clear()
        web.addresses.update([ADDRESS, OTHER_ADDRESS, IPV6_ADDRESS])
        self.zone.set(HOST, "A", ADDRESS)
        self.evidence = self._evidence()
        self.publish()

    def _evidence(self) -> Evidence:
        if self.method == "txt":
            return Evidence("TXT", f"_dnsauth.{HOST}", TOKEN)
        if self.method == "cname" and self.provider == "digicert":
            return Evidence("CNAME", f"_dnsauth.{HOST}", f"{TOKEN}.dcv.digicert.com")
        if self.method == "cname":
            return Evidence("CNAME", f"_{MD5}.{HOST}", TARGET)
        if self.provider == "digicert":
            return Evidence("file", f"http://{HOST}{FOLDER}fileauth.txt", TOKEN)
        return Evidence("file", f"http://{HOST}{FOLDER}{MD5.upper()}.txt", FILE)

    def publish(self) -> None:
        """Publish the evidence where it is due."""
        if self.method == "file":
            self.put(Page(self.evidence.value.encode()))
        else:
            self.zone.set(self.evidence.where, self.evidence.type, self.evidence.value)

    def put(self, page: Page, scheme: str = "http", addresses: t.Sequence[str] = (ADDRESS,)) -> None:
        """Show a page where the file is due."""
        self.web.put(addresses, f"{scheme}://{self.evidence.where.partition('://')[2]}", page)

    def withdraw(self) -> None:
        """Remove the evidence, and leave a web server that lacks the file."""
        if self.method == "file":
            self.web.pages.clear()
            self.web.put([ADDRESS], f"http://{HOST}/", Page(b"welcome"))
        else:
            self.zone.set(self.evidence.where, self.evidence.type)

    def options(self, **others: t.Any) -> dict[str, t.Any]:
        """The options of dcv_diagnose for this evidence, without the address map."""
        orders = [{"provider": self.provider, "order_id": "1"}]
        if self.method == "file":
            entry: dict[str, t.Any] = {"url": self.evidence.where, "content": self.evidence.value}
            return {"files": [{**entry, "names": [HOST], "orders": orders}], "resolvers": [RESOLVER_ADDRESS], **others}
        entry = {"type": self.evidence.type, "fqdn": self.evidence.where, "values": [self.evidence.value]}
        return {
            "record_sets": [{**entry, "names": [HOST], "orders": orders}],
            "resolvers": [RESOLVER_ADDRESS],
            **others,
        }
