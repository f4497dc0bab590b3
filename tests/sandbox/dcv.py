# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a CA looks for in the small Internet, and when it looks by itself. Source: the fact sheets on DCV.

Written from the sheets: it shares no code with the collection. Only orders that were created with ``"dcv": "look"`` are
validated here; all others are by the times of their scenario.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .orders import Domain, Order

if t.TYPE_CHECKING:
    from .internet.service import InternetService
    from .world import World

FOLDER = "/.well-known/pki-validation/"
_MINUTE, _DAY = 60.0, 86400.0
#: Seconds after the start of a validation at which each CA looks by itself.
DIGICERT_SCHEDULE = tuple(
    itertools.chain(
        range(60, 15 * 60 + 1, 60), range(20 * 60, 3601, 300), range(75 * 60, 86401, 900), range(90000, 864001, 3600)
    )
)
_SECTIGO_PAUSES = [10 * _MINUTE * 2**doubled for doubled in range(8)] + [_DAY] * 58
SECTIGO_SCHEDULE = (0.0, *itertools.accumulate(_SECTIGO_PAUSES))


class Evidence(t.NamedTuple):
    """What shows control of a name: TXT or CNAME with owner and value, or ``file`` with URL and content."""

    kind: str
    where: str
    value: str


def digicert_evidence(method: str, name: str, scope: str, value: str) -> Evidence | None:
    """A random value: in DNS at the name that is validated (``scope``), or in a file of the name itself."""
    if method == "dns-txt":
        return Evidence("TXT", f"_dnsauth.{scope}", value)
    if method == "dns-cname":
        return Evidence("CNAME", f"_dnsauth.{scope}", f"{value}.dcv.digicert.com")
    if method == "http":
        return Evidence("file", f"http://{name}{FOLDER}fileauth.txt", value)
    return None


def csr_evidence(method: str, name: str, csr: str, unique_value: str, ca_domain: str) -> Evidence | None:
    """The hashes of a CSR's DER: in the target of a CNAME, or in a file."""
    der = x509.load_pem_x509_csr(csr.strip().encode()).public_bytes(Encoding.DER)
    md5 = hashlib.md5(der, usedforsecurity=False).hexdigest()
    sha256 = hashlib.sha256(der).hexdigest()
    bare = name.removeprefix("*.")
    if method in ("dns-cname", "dns-txt"):
        labels = [sha256[:32], sha256[32:], *filter(None, [unique_value]), ca_domain]
        return Evidence("CNAME", f"_{md5}.{bare}", ".".join(labels))
    if method in ("http", "https"):
        lines = [sha256, ca_domain, *filter(None, [unique_value])]
        return Evidence("file", f"{method}://{bare}{FOLDER}{md5.upper()}.txt", "\n".join(lines))
    return None


class Looks:
    """The looks of all CAs into one small Internet."""

    def __init__(self, world: World, internet: InternetService) -> None:
        self._world = world
        self._internet = internet

    def on_schedule(self) -> None:
        """Make up for the looks that have become due since the last call.

        Call it before everything that is asked of the sandbox or changed in it. A look that was due before the small
        Internet changed last found what was there then, which was seen by an earlier call or by nobody.
        """
        now = self._world.clock.now()
        for order in self._world.orders.looking:
            if order.stage_name(now) != "validating":
                continue
            start, schedule = order.stage_began(now), self._world.dialects[order.provider].schedule(order)
            first = 0 if order.looked_at is None else bisect.bisect_right(schedule, order.looked_at - start)
            due = [start + wait for wait in schedule[first : bisect.bisect_right(schedule, now - start)]]
            order.looked_at = now
            useful = [moment for moment in due if moment >= self._internet.changed_at]
            if due:
                self.look(order, useful[0] if useful else due[-1], blind=not useful)
            order.proceed(now)

    def look(self, order: Order, moment: float, name: str | None = None, blind: bool = False) -> bool:
        """Look for what is open; ``True`` when all names (or the named one) are validated.

        ``blind``: nothing is seen, for what is there now was not there at the moment.
        """
        wanted = [domain for domain in order.domains if name in (None, domain.name)]
        for domain in wanted:
            if order.validated(domain, moment):
                continue
            domain.objections = ["nothing was there"] if blind else self._objections(order, domain)
            if not domain.objections:
                domain.validated_at = moment
        order.proceed(moment)
        return bool(wanted) and all(order.validated(domain, moment) for domain in wanted)

    def _objections(self, order: Order, domain: Domain) -> list[str]:
        """What the CA has against a name, by the first evidence that would do; nothing where any does."""
        found = [
            self._internet.objections(order.provider, domain.name, *evidence)
            for evidence in self._world.dialects[order.provider].evidence(order, domain)
        ]
        return min(found, key=len) if found else ["this method cannot be looked for"]
