# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CA's side: decides by each provider's rules whether control of a name is shown, from the data of the Internet.

Written from the fact sheets and independent of the collection: it shares no code with the diagnosis that it judges.
"""

from __future__ import annotations

import dataclasses
import re
import urllib.parse

from .web import Page, Web
from .zones import DnsServer, Internet, Result, Zone

DIGICERT_AGENT = "DigiCert DCV Bot/1.1"
OTHER_AGENT = "Mozilla/5.0 (compatible)"
CAA_NAMES = {
    "digicert": {"digicert.com", "www.digicert.com", "geotrust.com", "rapidssl.com", "thawte.com", "symantec.com"},
    "sectigo": {"sectigo.com", "usertrust.com", "trust-provider.com", "comodo.com", "comodoca.com"},
    "cpanel": {"sectigo.com", "usertrust.com", "trust-provider.com", "comodoca.com"},
}
PRIVATE = re.compile(r"(10|127|0)\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.64\.|f[cd]..:|fe80:|::1$")


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What the CA looks for. DNS: type, where and value. File: type `file`, its URL and content."""

    type: str
    where: str
    value: str


class Validator:
    """One provider's CA."""

    def __init__(self, internet: Internet, web: Web, provider: str) -> None:
        self.internet = internet
        self.web = web
        self.provider = provider

    def objections(self, name: str, evidence: Evidence) -> list[str]:
        """All that the CA has against issuing for a name; nothing: it approves."""
        if self.provider == "gogetssl":
            # It sells for two CAs: TXT records and fileauth.txt are DigiCert's.
            is_digicert = evidence.type == "TXT" or evidence.where.endswith("/fileauth.txt")
            family = "digicert" if is_digicert else "sectigo"
            return Validator(self.internet, self.web, family).objections(name, evidence)
        base = name[2:] if name.startswith("*.") else name
        if evidence.type == "file":
            found = ["no file for a wildcard"] if name.startswith("*.") else self._against_file(base, evidence)
        else:
            found = self._against_record(base, evidence)
        return found + self._against_caa(name, base)

    # --- DNS ---

    def _against_record(self, base: str, evidence: Evidence) -> list[str]:
        label = evidence.where.split(".", 1)[0]
        owners = [evidence.where]
        if self.provider == "digicert" and evidence.type == "TXT":
            owners.append(evidence.where.split(".", 1)[1])
        elif self.provider != "digicert":
            labels = evidence.where.split(".")[1:]
            owners += [".".join([label, *labels[start:]]) for start in range(1, len(labels) - 1)]
        reasons = [self._against_owner(owner, evidence) for owner in owners]
        if "" in reasons:
            zone, _servers = self.internet.delegated(evidence.where)
            return self._against_signatures([zone] if zone is not None else [])
        return [reasons[0]]

    def _against_owner(self, owner: str, evidence: Evidence) -> str:
        """Why the CA does not see it at one owner; the empty text where it does."""
        _zone, servers = self.internet.delegated(owner, evidence.type)
        answering = [server for server in servers if server.answers(evidence.type) and server.zone_for(owner)]
        having = [server for server in answering if self._has(server, owner, evidence)]
        if not having:
            return f"nothing at {owner}"
        lacking = len(answering) - len(having)
        return f"{lacking} of {len(answering)} servers lack it" if lacking * 2 > len(answering) else ""

    def _has(self, server: DnsServer, owner: str, evidence: Evidence) -> bool:
        zone = server.zone_for(owner)
        assert zone is not None
        result: Result | None = zone.lookup(owner, evidence.type)
        if result is not None and result.kind == "cname":
            result, _zones = self.internet.resolve(result.values[0], evidence.type)
        if result is None or result.kind != "answer":
            return False
        if evidence.type == "TXT":
            return any(evidence.value in value for value in result.values)
        return any(self._same_target(value, evidence.value) for value in result.values)

    def _same_target(self, target: str, wanted: str) -> bool:
        if self.provider == "digicert":
            return target == wanted
        return re.sub(r"\.(sectigo|comodoca)\.com$", "", target) == re.sub(r"\.(sectigo|comodoca)\.com$", "", wanted)

    def _against_signatures(self, zones: list[Zone]) -> list[str]:
        """A zone whose signatures do not hold does not exist for a CA."""
        now = self.internet.clock()
        return [f"{zone.name} is bogus" for zone in zones if zone.bogus(now) is not None]

    # --- CAA ---

    def _against_caa(self, name: str, base: str) -> list[str]:
        labels = base.split(".")
        for start in range(len(labels)):
            owner = ".".join(labels[start:])
            result, zones = self.internet.resolve(owner, "CAA")
            bogus = self._against_signatures(zones)
            if bogus:
                return bogus
            if result is None:
                zone, _servers = self.internet.delegated(owner, "CAA")
                return ["CAA lookup failed"] if zone is not None and self._signed(zone.name) else []
            if result.kind == "answer":
                return self._against_set(name, [value.split(" ", 2) for value in result.values])
        return []

    def _signed(self, name: str) -> bool:
        held = [
            zone for server in self.internet.servers.values() for zone in server.zones.values() if zone.name == name
        ]
        return any(zone.ds_key is not None for zone in held)

    def _against_set(self, name: str, records: list[list[str]]) -> list[str]:
        if any(int(flags) & 128 and tag not in ("issue", "issuewild", "iodef") for flags, tag, _value in records):
            return ["critical CAA property"]
        wild = [value for _flags, tag, value in records if tag == "issuewild"]
        plain = [value for _flags, tag, value in records if tag == "issue"]
        relevant = wild if wild and name.startswith("*.") else plain
        names = {value.strip('"').split(";")[0].strip() for value in relevant}
        return ["CAA forbids it"] if relevant and not names & CAA_NAMES[self.provider] else []

    # --- files ---

    def _against_file(self, base: str, evidence: Evidence) -> list[str]:
        addresses: list[str] = []
        for kind in ("A", "AAAA"):
            result, zones = self.internet.resolve(base, kind)
            bogus = self._against_signatures(zones)
            if bogus:
                return bogus
            if result is not None and result.kind == "answer":
                addresses += result.values
        public = [address for address in addresses if not PRIVATE.match(address)]
        if not public:
            return [f"{base} has no public address"]
        scheme, _separator, rest = evidence.where.partition("://")
        schemes = ["https", "http"] if self.provider == "digicert" else [scheme]
        found = []
        for address in public:
            results = [self._against_fetch(address, f"{each}://{rest}", base, evidence.value) for each in schemes]
            if "" not in results:
                found.append(f"{address}: {results[-1]}")
        return found

    def _against_fetch(self, address: str, url: str, base: str, content: str) -> str:
        """Why a fetch does not show the file; the empty text where it does."""
        agent = DIGICERT_AGENT if self.provider == "digicert" else OTHER_AGENT
        for hop in range(7):
            parts = urllib.parse.urlsplit(url)
            page = self.web.page(address, parts.scheme, parts.hostname or "", parts.path, agent)
            if page is None:
                return "no connection"
            if page.status not in (301, 302, 303, 307, 308):
                return self._against_page(page, content)
            if self.provider != "digicert":
                return "redirect"
            if hop == 5 or page.status == 303:
                return "redirect of this kind"
            url = urllib.parse.urljoin(url, page.headers.get("Location", ""))
            target = urllib.parse.urlsplit(url)
            registrable = ".".join(base.split(".")[-2:])
            host = target.hostname or ""
            if target.port is not None or not (host == registrable or host.endswith("." + registrable)):
                return "redirect to elsewhere"
            if host != base:
                result, _zones = self.internet.resolve(host, "A")
                if result is None or result.kind != "answer" or PRIVATE.match(result.values[0]):
                    return "redirect to no public address"
                address = result.values[0]
        return "redirects without end"

    def _against_page(self, page: Page, content: str) -> str:
        if not 200 <= page.status < 300:
            return f"status {page.status}"
        if "Content-Encoding" in page.headers:
            return "encoded"
        text = page.body[:5000].decode("utf-8", "replace")
        if self.provider == "digicert":
            return "" if content.strip() in text else "content"
        return "" if _folded(text) == _folded(content) else "content"


def _folded(text: str) -> list[str]:
    lines = [line.strip().lower() for line in text.lstrip("\ufeff").splitlines()]
    return ["a domain of the CA" if line in ("sectigo.com", "comodoca.com") else line for line in lines if line]
