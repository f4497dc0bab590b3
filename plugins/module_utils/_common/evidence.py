# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence for domain control validation (DCV): what must be published so that a CA approves a name.

The values: providers make one NameEvidence for each name of an order; evidence_report.py makes record sets and files of
them. Standard library only; asks nobody.
Source: docs/providers/dcv/rules-and-diagnosis.md, sections 2 and 7, and section 3 of each provider's DCV sheet.

Private to this collection.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

#: Seconds; low, so that a corrected record is seen soon.
TTL = 300
#: The only folder in which a CA looks for a file (Baseline Requirements 3.2.2.4.18).
FILE_FOLDER = "/.well-known/pki-validation/"
#: Octets; a CA reads no more of a file.
MAX_FILE_SIZE = 5000
#: Octets of one character string in a TXT record.
MAX_TXT_STRING = 255
MAX_VALUE_LENGTH = 4000
MAX_NAME_LENGTH = 253


class Problem:
    """Why there is no evidence for a name. The words are codes of the findings."""

    TOKEN_UNKNOWN = "token_unknown"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_STALE = "token_stale"
    WILDCARD_NEEDS_DNS = "wildcard_needs_dns"
    EVIDENCE_REFUSED = "evidence_refused"
    CNAME_CONFLICT = "cname_conflict"
    UNSUPPORTED = "unsupported"


class Source:
    """Where evidence comes from."""

    PROVIDER = "provider"
    COMPUTED = "computed"
    NONE = "none"


@dataclass(frozen=True)
class OrderReference:
    """An order as results name it."""

    provider: str
    order_id: str

    def to_dict(self) -> dict[str, str]:
        """The reference as plain data."""
        return {"provider": self.provider, "order_id": self.order_id}


@dataclass(frozen=True)
class RecordEvidence:
    """One value of one DNS record.

    Arguments:
        type: TXT or CNAME.
        fqdn: owner of the record; a final dot and the case do not matter.
        value: text of the TXT record without quotes, or target of the CNAME.
    """

    type: str
    fqdn: str
    value: str


@dataclass(frozen=True)
class FileEvidence:
    """One file on a web server.

    Arguments:
        url: the full URL at which the CA looks; its scheme is the one the CA uses.
        content: the whole content, byte for byte in UTF-8.
    """

    url: str
    content: str


@dataclass(frozen=True)
class NameEvidence:
    """What shows that a name of an order is under control.

    Arguments:
        name: the name on the order, with `*.` where it is a wildcard; becomes plain, whatever the provider's spelling.
        method: the provider's word for the method in use; None where it is not known.
        status: how far the validation is, in the words of the checks of an order.
        methods: the provider's words for the methods that this name could use.
        source: one of Source.
        expires_at: ISO 8601 UTC; None where the value does not expire or nobody knows.
        polled_until: until when the provider looks by itself, ISO 8601 UTC; None where that is not known.
        emails: addresses that got or get a message to answer.
        problem: one of Problem; None where nothing is wrong.
        message: one sentence about the problem.
    """

    name: str
    order: OrderReference
    method: str | None = None
    status: str | None = None
    methods: tuple[str, ...] = ()
    source: str = Source.NONE
    expires_at: str | None = None
    polled_until: str | None = None
    record: RecordEvidence | None = None
    file: FileEvidence | None = None
    emails: tuple[str, ...] = ()
    problem: str | None = None
    message: str | None = None

    def __post_init__(self) -> None:
        # A look reports by plain names: in another spelling nothing of it would be found again.
        object.__setattr__(self, "name", plain_name(self.name))


@dataclass(frozen=True)
class RecordSet:
    """All values that one owner and type must have, over all orders. `zone` and `label` are None where unknown."""

    type: str
    fqdn: str
    values: tuple[str, ...]
    zone: str | None = None
    names: tuple[str, ...] = ()
    orders: tuple[OrderReference, ...] = ()

    @property
    def label(self) -> str | None:
        """The owner relative to its zone, `@` for the zone itself."""
        if self.zone is None:
            return None
        return "@" if self.fqdn == self.zone else self.fqdn[: -len(self.zone) - 1]

    @property
    def shared(self) -> bool:
        """Whether data of others may stand at this owner. A CNAME stands alone; TXT values stand side by side."""
        return self.type == "TXT"

    def to_dict(self) -> dict[str, t.Any]:
        """The record set in every spelling that DNS modules want."""
        is_txt = self.type == "TXT"
        return {
            "type": self.type,
            "fqdn": self.fqdn,
            "zone": self.zone,
            "label": self.label,
            "ttl": TTL,
            "values": list(self.values),
            "values_quoted": [quote_txt(value) for value in self.values] if is_txt else [],
            "values_dot": [] if is_txt else [f"{value}." for value in self.values],
            "shared": self.shared,
            "names": list(self.names),
            "orders": [order.to_dict() for order in self.orders],
        }


@dataclass(frozen=True)
class FileSet:
    """One file, over all names and orders that it serves."""

    url: str
    content: str
    names: tuple[str, ...] = ()
    orders: tuple[OrderReference, ...] = ()

    def to_dict(self) -> dict[str, t.Any]:
        """The file as plain data; `path` begins with a slash."""
        parts = urlsplit(self.url)
        return {
            "url": self.url,
            "host": parts.hostname,
            "path": parts.path,
            "content": self.content,
            "names": list(self.names),
            "orders": [order.to_dict() for order in self.orders],
        }


#: The zone of an owner name, or None where it is not known.
ZoneFinder = t.Callable[[str], t.Optional[str]]


def zone_from(zones: t.Iterable[str]) -> ZoneFinder:
    """A ZoneFinder over a list of zones: the longest one that the owner is in. Asks no DNS."""
    known = sorted((plain_name(zone) for zone in zones), key=len, reverse=True)

    def find(fqdn: str) -> str | None:
        return next((zone for zone in known if is_within(fqdn, zone)), None)

    return find


def plain_name(name: str) -> str:
    """A DNS name in lower case, without blanks around it and without the final dot."""
    return name.strip().rstrip(".").lower()


def base_name(name: str) -> str:
    """The name that is validated for a name on an order: `*.` is stripped."""
    plain = plain_name(name)
    return plain[2:] if plain.startswith("*.") else plain


def is_within(name: str, zone: str) -> bool:
    """Whether a name is the zone itself or below it. Both as `plain_name` returns them."""
    return name == zone or name.endswith(f".{zone}")


def ancestors(name: str) -> list[str]:
    """The name and its parents, longest first, down to two labels."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def quote_txt(value: str) -> str:
    """A TXT value as zone files write it: in quotes, and in strings of at most 255 octets."""
    octets = value.encode("utf-8")
    parts = [octets[start : start + MAX_TXT_STRING] for start in range(0, len(octets), MAX_TXT_STRING)] or [b""]
    return " ".join(f'"{_escape(part)}"' for part in parts)


def _escape(octets: bytes) -> str:
    return "".join(_escape_octet(octet) for octet in octets)


def _escape_octet(octet: int) -> str:
    character = chr(octet)
    if character in '"\\':
        return f"\\{character}"
    return character if 32 <= octet < 127 else f"\\{octet:03d}"


_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\Z")


def is_dns_name(name: str) -> bool:
    """Whether a plain name can stand in DNS: at least two labels of at most 63 characters, none empty."""
    labels = name.split(".")
    return len(name) <= MAX_NAME_LENGTH and len(labels) >= 2 and all(_LABEL.match(label) for label in labels)
