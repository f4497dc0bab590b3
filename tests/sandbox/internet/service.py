# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small Internet as one service of the sandbox: zones and web servers by plain data, and what each CA says."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from pathlib import Path

from .name_servers import DnsService
from .validator import Evidence, Validator
from .web import Page, Web
from .zones import RESOLVER_ADDRESS, Internet, Zone

WELCOME = Page(b"welcome")
#: The two name servers of all zones that are added by data.
SERVERS = {"ns1.dns-host.net": "192.0.2.101", "ns2.dns-host.net": "192.0.2.102"}
#: The key for dynamic updates, as BIND's tools write it.
UPDATE_KEY = ("publisher.dns-host.net.", "c2FuZGJveC1wdWJsaXNoZXI=")
#: The address of a host for which none is given.
WEB_ADDRESS = "203.0.113.5"
#: Nobody signs again here, and tests move the clock by months.
SIGNATURE_DAYS = 3650.0


class InternetService:
    """Use it as a context, with a clock that returns seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.web = Web()
        self.web.addresses.add(WEB_ADDRESS)
        self.internet = self._empty()
        self.dns = DnsService(self.internet, dict([UPDATE_KEY]))

    def __enter__(self) -> InternetService:
        self.dns.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.dns.__exit__(*exc)
        self.web.__exit__(*exc)

    def _empty(self) -> Internet:
        internet = Internet(self._clock)
        host = internet.add_zone("dns-host.net", SERVERS)
        for server, address in SERVERS.items():
            host.set(server, "A", address)
        # The web server is there before it has any page of a host, so that the address map does not change.
        self.web.put([WEB_ADDRESS], "http://dns-host.net/", WELCOME)
        for zone in (zone for server in internet.servers.values() for zone in server.zones.values()):
            zone.signature_days = SIGNATURE_DAYS
        internet.changed_at = self._clock()
        return internet

    def reset(self) -> None:
        """As just started: no zones, no pages."""
        self.web.clear()
        self.internet = self._empty()
        self.dns.load(self.internet)

    @property
    def changed_at(self) -> float:
        """When anything here was changed last, in seconds since 1970; files of a webroot apart."""
        return self.internet.changed_at

    def describe(self) -> dict[str, t.Any]:
        """What a client needs to look and to publish here."""
        address_map = {**self.web.address_map(), **self.dns.address_map()}
        return {
            "resolvers": [RESOLVER_ADDRESS],
            "address_map": address_map,
            "update_server": address_map[f"{SERVERS['ns1.dns-host.net']}:53"],
            "update_key": {"name": UPDATE_KEY[0], "secret": UPDATE_KEY[1], "algorithm": "hmac-sha256"},
        }

    def add_zone(self, name: str, hosts: t.Iterable[str] = (), signed: bool = False) -> None:
        """A zone with these hosts, each of which has a web server without pages but its welcome."""
        self.internet.changed_at = self._clock()
        zone = self.internet.add_zone(name, SERVERS, signed=signed)
        zone.signature_days = SIGNATURE_DAYS
        for host in hosts:
            zone.set(host, "A", WEB_ADDRESS)
            self.web.put([WEB_ADDRESS], f"http://{host}/", WELCOME)

    def record(self, fqdn: str, kind: str) -> list[str]:
        """The values of a record set.

        Raises:
            LookupError: no zone was added that the name is in.
        """
        return self._zone(fqdn).get(fqdn, kind)

    def set_record(self, fqdn: str, kind: str, values: t.Sequence[str]) -> None:
        """Replace a record set in its zone; no values remove it.

        Raises:
            LookupError: no zone was added that the name is in.
        """
        self._zone(fqdn).set(fqdn, kind, *values)
        self.internet.changed_at = self._clock()

    def _zone(self, fqdn: str) -> Zone:
        zone, _servers = self.internet.delegated(fqdn)
        if zone is None or "." not in zone.name:
            raise LookupError(f"no zone for {fqdn}")
        return zone

    def set_webroot(self, host: str, folder: str) -> None:
        """Show the files of a folder at a host."""
        self.web.roots[host] = Path(folder)
        self.internet.changed_at = self._clock()

    def set_page(self, url: str, content: str, status: int = 200) -> None:
        """Show a page at the address of all hosts."""
        self.internet.changed_at = self._clock()
        self.web.put([WEB_ADDRESS], url, Page(content.encode(), status))

    def objections(self, provider: str, name: str, kind: str, where: str, value: str) -> list[str]:
        """What the CA of a provider has against a name; nothing: it approves.

        ``kind`` is TXT, CNAME or file; ``where`` the owner or URL; ``value`` the value or content.
        """
        return Validator(self.internet, self.web, provider).objections(name, Evidence(kind, where, value))
