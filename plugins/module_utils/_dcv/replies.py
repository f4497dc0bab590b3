# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What DNS servers answer, as plain data. Standard library only.

Private to this collection.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


class Status:
    """What came of a question. The first two are answers; the others say why there is none."""

    NOERROR = "noerror"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    OTHER_ERROR = "error"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NO_ROUTE = "no_route"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class Caa:
    """The data of one CAA record."""

    critical: bool
    tag: str
    value: str


@dataclass(frozen=True)
class Soa:
    """What is needed of a SOA record. `minimum` is in seconds."""

    serial: int
    minimum: int


@dataclass(frozen=True)
class Record:
    """One record. `value` is text (a name without final dot, an address, or a whole TXT), a Caa or a Soa.

    Arguments:
        name: owner in lower case, without final dot; the empty text for the root.
        ttl: seconds.
    """

    name: str
    type: str
    ttl: int
    value: t.Any

    @property
    def text(self) -> str:
        """The value as text."""
        return str(self.value)


@dataclass(frozen=True)
class Reply:
    """What one server answered.

    Arguments:
        authoritative: the AA bit.
        recursive: the RA bit.
        ede: extended errors as people read them.
    """

    status: str
    authoritative: bool = False
    recursive: bool = False
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    ede: tuple[str, ...] = ()
    message: t.Any = field(default=None, compare=False, repr=False)

    @property
    def answered(self) -> bool:
        """Whether the server answered what there is, or that there is nothing."""
        return self.status in (Status.NOERROR, Status.NXDOMAIN)

    def of(self, name: str, kind: str) -> list[Record]:
        """The answers for one owner and type."""
        return [record for record in self.answers if record.name == name and record.type == kind]

    def negative_ttl(self) -> int | None:
        """Seconds for which the absence may be remembered (RFC 2308); None without a SOA record."""
        return next((min(item.ttl, item.value.minimum) for item in self.authority if item.type == "SOA"), None)
