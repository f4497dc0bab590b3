# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How each CA looks: which issuer names it accepts in CAA records, where it looks, and what it forgives.

Pure data. Source: docs/providers, section 5 of DigiCert's, section 4 of Sectigo's, and section 5 of cPanel's DCV sheet.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class CaRules:
    """The rules of one CA.

    Arguments:
        issuers: names in CAA records that permit it to issue; the first one is what advice prints.
        contains: a value or file counts where it holds the token; else it must be equal (without case and line ends).
        parents: a CNAME counts at any parent of its name too.
        at_name: a TXT record counts at the name itself too.
        tries_https: a file counts by https too, whatever the scheme of its URL.
        max_redirects: as its documentation says.
        lenient_redirects: as its own code does; beyond the documentation it is a warning.
        redirect_statuses: as its documentation says.
        agent: its user agent, where it publishes one.
        other_domains: domains at the end of a CNAME target that count as well.
    """

    issuers: tuple[str, ...] = ()
    contains: bool = True
    parents: bool = False
    at_name: bool = False
    tries_https: bool = False
    max_redirects: int = 1
    lenient_redirects: int = 5
    redirect_statuses: tuple[int, ...] = (301, 302, 307, 308)
    agent: str | None = None
    other_domains: tuple[str, ...] = ()


DIGICERT = CaRules(
    issuers=(
        "digicert.com", "www.digicert.com", "digicert.ne.jp", "cybertrust.ne.jp", "symantec.com", "thawte.com",
        "geotrust.com", "rapidssl.com", "quovadisglobal.com", "digitalcertvalidation.com", "pkioverheid.nl",
        "amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com", "flipkart.com",
    ),
    at_name=True,
    tries_https=True,
    redirect_statuses=(301, 302, 307),
    agent="DigiCert DCV Bot/1.1",
)  # fmt: skip
SECTIGO = CaRules(
    issuers=(
        "sectigo.com", "usertrust.com", "trust-provider.com", "comodo.com", "comodoca.com", "entrust.net",
        "affirmtrust.com",
    ),
    contains=False,
    parents=True,
    max_redirects=0,
    lenient_redirects=0,
    other_domains=("sectigo.com", "comodoca.com"),
)  # fmt: skip
CPANEL = replace(SECTIGO, issuers=("sectigo.com", "comodoca.com", "usertrust.com", "trust-provider.com"))
#: Domains of CAs. Nobody but the CA publishes records below them.
CA_DOMAINS = frozenset((*DIGICERT.issuers, *SECTIGO.issuers))
#: Where no CA is known: what the Baseline Requirements allow.
UNKNOWN = CaRules()


def _of_family(evidence: str | None) -> CaRules:
    """GoGetSSL sells for two CAs; the evidence shows which: TXT and fileauth.txt are DigiCert's."""
    if evidence is None:
        return replace(UNKNOWN, issuers=SECTIGO.issuers + DIGICERT.issuers)
    return DIGICERT if evidence in ("TXT", "fileauth.txt") else SECTIGO


_RULES: dict[str, t.Callable[[t.Optional[str]], CaRules]] = {
    "cpanel": lambda _evidence: CPANEL,
    "digicert": lambda _evidence: DIGICERT,
    "gogetssl": _of_family,
    "sectigo": lambda _evidence: SECTIGO,
}
PROVIDERS = tuple(_RULES)


def rules_for(provider: str | None, evidence: str | None = None) -> CaRules:
    """The rules for one name.

    Arguments:
        provider: name of the provider, or None where it is not known.
        evidence: TXT, CNAME or the name of the file; None before anything is ordered.
    """
    return UNKNOWN if provider is None or provider not in _RULES else _RULES[provider](evidence)
