# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer of DigiCert is: JSON, or one of its errors.

Private to this collection. Sections named here are those of the DigiCert fact sheet, docs/providers/digicert.md.
"""

from __future__ import annotations

import re
import typing as t

from ...describe import MAX_QUOTED
from ...errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ...http.messages import Response
from ...http.redaction import shortened
from ..base import NOT_YET, SERVER_FAULT, TOO_MANY_REQUESTS
from ..coerce import identifier, listing, mapping, texts, word
from . import DEFAULT_URL
from .mapping import STATUSES, Body

#: What a refused key is called; the two words come in either order.
_REFUSED_KEY = r"(?=.*\bapi[ _-]?key\b).*\b(?:invalid|not valid|unknown|expired|revoked|disabled)\b.*"
#: Errors by their signs: a part of a code, "HTTP 404", "HTTP 404 without JSON", or "message: ...". The first rule with
#: a sign that its pattern matches as a whole decides; section 6.
_ERRORS: t.Sequence[tuple[str, type[OrderError], str]] = (
    ("request_limit_exceeded", RateLimited, "too many requests ({0}); ask less often"),
    (
        "(?:file_random_value_not_found|invalid_dns_txt|caa_check_failed|caa_not_found).*",
        NotIssued,
        "the record that DigiCert looks for is not found yet ({0}); publish it",
    ),
    (
        "missing_permission|invalid_approver",
        PermissionDenied,
        "the role of api_key does not allow this call ({0}); use a key that may",
    ),
    (
        rf"HTTP 40[13].*|access_denied|access_denied_invalid_key|message: {_REFUSED_KEY}",
        AuthenticationError,
        "DigiCert refused api_key ({0}); check the key, and api_url's region",
    ),
    (rf".*(?:{TOO_MANY_REQUESTS}).*", RateLimited, "too many requests ({0}); ask less often"),
    (rf".*(?:{SERVER_FAULT}).*", ProviderUnavailable, "DigiCert is not well ({0}); try again later"),
    (rf"message: .*{NOT_YET}.*", NotIssued, "the order has not come so far yet ({0}); wait for it"),
    (
        "route|HTTP 404 without JSON",
        InvalidRequest,
        f"DigiCert's API is not at this URL ({{0}}); check api_url, the default is {DEFAULT_URL}",
    ),
    (
        "not_found|HTTP 404",
        OrderNotFound,
        "DigiCert does not know it ({0}); check the order id, api_key and api_url",
    ),
    ("HTTP 406", UnexpectedResponse, "DigiCert did not accept the request ({0}); try again later"),
    (".*", InvalidRequest, "DigiCert refused the request ({0}); check order_id and api_url"),
)
#: Fields of which an answer has at least one when it is no error, whatever message is in it.
_ANSWER_FIELDS = ("id", "order_status", "orders", "dns_name_validations", "dcv_random_value", "dcv_token")


def read_json(response: Response) -> t.Any:
    """The JSON of an answer that is no error; section 6."""
    if response.status >= 400:
        raise error_of(response)
    if response.status == 204:
        return {}
    body = response.json()
    if isinstance(body, dict) and _is_error(body):
        raise error_of(response)
    return body


def read_about(response: Response, order_id: str, id_field: str, needed: t.Sequence[str]) -> Body:
    """An object about this order, with at least one of the fields needed."""
    body = read_json(response)
    if not isinstance(body, dict):
        raise UnexpectedResponse("it is no JSON object")
    if needed and not any(body.get(name) for name in needed):
        raise UnexpectedResponse(f"it has none of the fields {', '.join(needed)}")
    answered = identifier(body.get(id_field))
    if answered is not None and answered.lstrip("0") != order_id.lstrip("0"):
        raise UnexpectedResponse(f"it is about order {answered[:40]}")
    return body


def _is_error(body: Body) -> bool:
    """Whether an answer without an HTTP status for an error is one all the same; section 6."""
    if body.get("errors"):
        return "status" not in body and "order_status" not in body
    has_answer = any(name in body for name in _ANSWER_FIELDS) or word(body.get("status")) in STATUSES
    return bool(_errors(body)) and not has_answer


def _errors(body: t.Any) -> list[tuple[str, str]]:
    """Pairs of code and message: below errors or error, in an array, an object or a text, or a lone message."""
    fields = mapping(body)
    found = []
    for value in (fields.get(name) for name in ("errors", "error", "message", "messages", "detail")):
        for item in listing(value) or [value]:
            code = word(mapping(item).get("code"))
            others = {name: one for name, one in item.items() if name != "code"} if isinstance(item, dict) else item
            message = "; ".join(texts(mapping(item).get("message")) or texts(others))
            if code or message:
                found.append((shortened(code, MAX_QUOTED), shortened(message, MAX_QUOTED)))
    return list(dict.fromkeys(found))


def error_of(response: Response) -> OrderError:
    """The error that an answer stands for; section 6."""
    status = f"HTTP {response.status}"
    signs = []
    errors: list[tuple[str, str]] = []
    if response.text().strip():
        try:
            errors = _errors(response.json())
        except UnexpectedResponse:
            signs.append(f"{status} without JSON")
    for code, message in errors:
        signs += [*(part.strip() for part in code.split("|")), f"message: {message}"]
    reason = "; ".join(": ".join(filter(None, pair)) for pair in errors[:3]) or "no reason given"
    signs.append(status)
    kind, message = next(
        (kind, message)
        for pattern, kind, message in _ERRORS
        if any(re.fullmatch(pattern, sign, re.IGNORECASE | re.DOTALL) for sign in signs)
    )
    return kind(message.format(f"{status}, {reason}"))
