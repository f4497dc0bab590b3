# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sectigo's bodies: form-encoded, by line or as JSON, with keys such as 2_1_dcvStatus, read into replies and entries.

Private to this collection. Sections named here are those of the Sectigo fact sheet, docs/providers/sectigo.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from ...errors import UnexpectedResponse
from ...http.messages import Response
from ..coerce import identifier, number, squeezed, text, texts

Fields = t.Dict[str, t.Any]

#: An answer about a hundred orders has a few thousand fields, and each takes memory.
_MAX_FIELDS = 100_000
#: Statuses of a certificate after which another one counts; section 11.
GONE = ("replaced", "revoked")


@dataclass(frozen=True)
class Reply:
    """One answer in whatever format.

    Arguments:
        code: errorCode.
        pairs: keys and values in the order in which they came, keys repeated.
        rest: what follows the code in the format by line.
    """

    code: int
    pairs: t.Sequence[tuple[str, t.Any]] = ()
    rest: str = ""

    @property
    def fields(self) -> Fields:
        """The values by key; of a key that is repeated, the last one."""
        return dict(self.pairs)

    @property
    def message(self) -> str | None:
        """What the provider says of an error."""
        found = [one for key, value in self.pairs if key == "errorMessage" for one in texts(value)]
        return "; ".join(dict.fromkeys(found)) or text(self.rest)

    @property
    def entries(self) -> list[Entry]:
        """The orders in the answer, in the order of their numbers X, whatever the order of the keys."""
        found: dict[int, Entry] = {}
        for key, value in self.pairs:
            match = re.fullmatch(r"([0-9]{1,6})_(?:([0-9]{1,6})_)?(.+)", key, re.ASCII)
            if match is None:
                continue
            position, part, name = match.groups()
            entry = found.setdefault(int(position), Entry(int(position)))
            target = entry.fields if part is None else entry.parts.setdefault(int(part), {})
            target[name.lower()] = value
        return [found[position] for position in sorted(found)]


@dataclass
class Entry:
    """One of the orders in an answer: the fields X_… and its certificates X_Y_…, names in lower case."""

    position: int
    fields: Fields = field(default_factory=dict)
    parts: dict[int, Fields] = field(default_factory=dict)

    @property
    def order_number(self) -> str | None:
        """The number of the order, where it is reported."""
        return identifier(self.fields.get("ordernumber"))

    @property
    def certificates(self) -> list[Fields]:
        """The fields of each certificate; there is always one."""
        return [self.parts[part] for part in sorted(self.parts)] or [{}]

    @property
    def current(self) -> Fields:
        """The certificate that counts: the last one that is neither replaced nor revoked, else the last one."""
        live = [part for part in self.certificates if squeezed(part.get("certificatestatus")) not in GONE]
        return (live or self.certificates)[-1]


def read_reply(response: Response) -> Reply | None:
    """An answer in one of three formats: form-encoded, by line, or JSON with the same flat keys; None for any other.

    Raises:
        UnexpectedResponse: for JSON of another shape, and for more fields than any answer has.
    """
    body = response.text().strip()
    rest = ""
    pairs: list[tuple[str, t.Any]]
    if body[:1] in ("{", "["):
        content = response.json()
        if not isinstance(content, dict):
            raise UnexpectedResponse("this JSON format is not supported, an object was expected", retryable=False)
        pairs = [
            (key, one) for key, value in content.items() for one in (value if isinstance(value, list) else [value])
        ]
    elif re.match(r"[+-]?[0-9]+(\s|$)", body, re.ASCII):
        code, _separator, rest = (body + "\n").partition("\n")
        pairs = [("errorCode", code)]
    else:
        if body.count("&") > _MAX_FIELDS:
            raise UnexpectedResponse("the form has more fields than any answer", retryable=False)
        # Decoded once: a second time would make blanks of each + in base64.
        pairs = list(parse_qsl(body, keep_blank_values=True, errors="replace"))
    fields = dict(pairs)
    # The report of many orders has been seen to write it with an underscore; section 5 of the sheet on orders.
    found = number(fields.get("errorCode", fields.get("error_code")))
    return None if found is None else Reply(code=found, pairs=pairs, rest=rest.strip())
