# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gate through which every result leaves: no secret, nothing that steers a terminal or a CI system, no flood.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from ..._common.text import ELLIPSIS, clean_data, clean_line
from ..http.redaction import Redactor

#: So many warnings a result and each of its orders may have; the others are counted.
MAX_WARNINGS = 20
#: How long each may be, and the reason of an order, in characters.
_MAX_WARNING = 2000
#: Written by cryptography: no text of the provider's, and a short password may well occur in base64.
_OWN = ("certificate", "chain", "fullchain")
#: Where the files to publish for DCV stand.
_WITH_FILES = ("files", "names")


def clean_result(result: t.Mapping[str, t.Any], redactor: Redactor) -> dict[str, t.Any]:
    """The result as it may be shown: plain data, every text of it free of secrets and control characters.

    Warnings, of the result and of each order, are one line each, distinct, and at most MAX_WARNINGS.
    """
    own = {name: result[name] for name in _OWN if name in result}
    # The names of its own fields are no secrets either, though a short password may be part of one. Secrets first:
    # after cleaning, one with a control character in it would not be found.
    cleaned = clean_data(redactor.scrub_data(_bound(result), names=False))
    if "msg" in cleaned:
        cleaned["msg"] = clean_line(cleaned["msg"])
    for name in _WITH_FILES:
        _keep_line_ends(result.get(name), cleaned.get(name))
    return dict(cleaned, **own)


def _keep_line_ends(given: t.Any, cleaned: t.Any) -> None:
    """Put the content of files back where cleaning has changed nothing but CRLF: it is published byte for byte."""
    if isinstance(given, (list, tuple)) and isinstance(cleaned, list):
        for one, other in zip(given, cleaned):
            _keep_line_ends(one, other)
    elif isinstance(given, dict) and isinstance(cleaned, dict):
        content = given.get("content")
        if isinstance(content, str) and cleaned.get("content") == content.replace("\r\n", "\n"):
            cleaned["content"] = content
        _keep_line_ends(given.get("file"), cleaned.get("file"))


def _bound(result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    bounded = dict(result)
    for entry in (bounded, *_orders(bounded)):
        if entry.get("warnings"):
            entry["warnings"] = _bound_warnings(entry["warnings"])
        if len(entry.get("reason") or "") > _MAX_WARNING:
            entry["reason"] = entry["reason"][:_MAX_WARNING] + ELLIPSIS
    return bounded


def _orders(result: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Copies of the orders of the result, in their place."""
    if not isinstance(result.get("orders"), list):
        return []
    orders = [dict(order) for order in result["orders"]]
    result["orders"] = orders
    return orders


def _bound_warnings(warnings: t.Sequence[str]) -> list[str]:
    distinct = list(dict.fromkeys(warnings))
    shown = [clean_line(warning, _MAX_WARNING) for warning in distinct[:MAX_WARNINGS]]
    left = len(distinct) - len(shown)
    return [*shown, f"and {left} more warnings"] if left else shown
