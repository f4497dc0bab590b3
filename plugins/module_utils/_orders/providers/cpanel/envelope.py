# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cPanel's answers: the data of a function in three envelopes, or why it was refused.

Private to this collection. Sections named here are those of the cPanel fact sheet, docs/providers/cpanel.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ...describe import MAX_QUOTED
from ...errors import (
    AuthenticationError,
    InvalidRequest,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ...http.messages import Response
from ...http.redaction import shortened
from ..coerce import flag, mapping, texts
from .mapping import Data

#: The longest plain text of a refusal that is shown; a page is longer.
_MAX_PLAIN_TEXT = 2 * MAX_QUOTED

_CREDENTIALS = "check username, api_key or password, and "
_PORTS = "that api_url has port 2083, or with cpanel_account 2087"
_LATER = "the store or the server is not well; try again later"
#: A refused key in words.
_KEY = "(?:api|access)[ _-]?(?:key|token)"
#: The same in languages that put the word the other way round.
_KEY_OF_API = r"(?:token|jeton|cl\u00e9|clave|chiave|chave)\b\W+(?:\w{1,3}\W+)?api"
_REFUSED = "(?:invalid|unknown|expired|revoked|disabled)"
#: Refusals of a function by their words: (pattern, error, what to do). The first pattern that is found decides; section
#: 6. PROVIDER stands for the name of the Market provider. They are words of one language alone, so they say what to do
#: and whether trying again can help; what becomes of an order never depends on them.
_REFUSALS: t.Sequence[tuple[str, type[OrderError], str]] = (
    ("no entry exists", OrderNotFound, "the item is not in the account's queue"),
    (r"\b429\b|too many requests", RateLimited, "the store gets too many requests; try again later"),
    (
        r"\b5(?:0[0-9]|2[0-9])\b|internal (?:server )?error|bad gateway|service unavailable|gateway time-?out",
        ProviderUnavailable,
        _LATER,
    ),
    (
        rf"access denied|authenticat|invalid token|\b{_KEY}\b.*\b(?:not valid|{_REFUSED})|\b{_REFUSED} {_KEY}\b",
        AuthenticationError,
        _CREDENTIALS + _PORTS,
    ),
    (
        "permission|feature|not (?:have access|allowed|authorized)",
        PermissionDenied,
        "the account needs the features market and tls_wizard; check " + _PORTS,
    ),
    (
        "(?=.*PROVIDER).*(?:load|locate)",
        InvalidRequest,
        "check cpanel_provider, Market::get_providers_list names those enabled",
    ),
    ("find the function|find function|function not found|load module", InvalidRequest, "check " + _PORTS),
    ("timed? ?out|temporar|try again|unavailable|connect", ProviderUnavailable, _LATER),
    # In whatever language: a message about the key says that it is not accepted.
    (rf"\b{_KEY}\b|\b{_KEY_OF_API}\b", AuthenticationError, _CREDENTIALS + _PORTS),
    ("", InvalidRequest, ""),
)
#: What is no HTTP status though it looks like one: a value in quotes, and the place of a fault in a program.
_NO_HTTP_STATUS = re.compile(r"[\u201c\u201e\u00ab\"'][0-9]+[\u201d\u201c\u00bb\"']|\bline [0-9]+", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """What a function answered.

    Arguments:
        data: its data, of any shape; what it holds comes from the store.
        messages: texts beside the data.
        refusal: why it gave no data, where sending it again cannot help.
    """

    data: t.Any = None
    messages: t.Sequence[str] = ()
    refusal: OrderError | None = None

    def read(self) -> t.Any:
        """The data. Raises the refusal."""
        if self.refusal is not None:
            raise self.refusal
        return self.data


def parse_reply(response: Response, call: str, market_provider: str, order_id: str | None) -> Reply:
    """What a function answered, whatever the envelope; section 2.

    Raises:
        AuthenticationError, UnexpectedResponse: for what is no answer of a function; section 6.
    """
    if response.status in (401, 403):
        reason = _refusal_reason(response)
        reason = f": {reason}" if reason else ""
        raise AuthenticationError(
            f"{call} was refused (HTTP {response.status}{reason}); {_CREDENTIALS}{_PORTS}",
        )
    if response.status >= 400:
        raise UnexpectedResponse(
            "there is no such address; check scheme, host and port of api_url, and give no path in it", retryable=False
        )
    body = response.json()
    if not isinstance(body, dict):
        raise UnexpectedResponse("an object was expected")
    result = _unwrap(body)
    if result is None:
        return Reply(refusal=_refusal(_reasons(body), call, market_provider, order_id))
    if "status" not in result:
        raise UnexpectedResponse("it has no status")
    succeeded = flag(result["status"])
    if succeeded is None and result["status"]:
        raise UnexpectedResponse("its status is neither 1 nor 0")
    if not succeeded:
        return Reply(refusal=_refusal(_reasons(result), call, market_provider, order_id))
    return Reply(data=result.get("data"), messages=texts(result.get("messages")))


def _unwrap(body: Data) -> Data | None:
    """The answer of the function in its envelope; None where something before the function has failed."""
    uapi = mapping(body.get("data")).get("uapi")
    if isinstance(uapi, dict):
        return uapi
    if isinstance(body.get("result"), dict):
        return t.cast(Data, body["result"])
    if "cpanelresult" in body or flag(mapping(body.get("metadata")).get("result")) is False:
        return None
    return body


def _reasons(body: Data) -> list[str]:
    """Why something failed, in the provider's own words, wherever they stand."""
    result = mapping(body.get("cpanelresult"))
    found = [
        *texts(body.get("errors")),
        *texts(body.get("error")),
        *texts(result.get("error")),
        *texts(mapping(result.get("data")).get("reason")),
        *texts(mapping(body.get("metadata")).get("reason")),
        *texts(body.get("messages")),
        *texts(body.get("warnings")),
        *texts(body.get("statusmsg")),
        *texts(mapping(body.get("data")).get("message")),
    ]
    return list(dict.fromkeys(found))


def _refusal_reason(response: Response) -> str:
    """What a refusal by HTTP status says: in JSON, in any envelope, or as a line of text. Nothing for a page."""
    plain = " ".join(response.text().split())
    if plain[:1] == "{":
        try:
            body = mapping(response.json())
        except UnexpectedResponse:
            return ""
        inner = _unwrap(body)
        reasons = _reasons(body) + (_reasons(inner) if inner is not None and inner is not body else [])
        return shortened("; ".join(dict.fromkeys(reasons)), MAX_QUOTED)
    return plain if plain.isprintable() and len(plain) <= _MAX_PLAIN_TEXT and "<" not in plain else ""


def _refusal(reasons: t.Sequence[str], call: str, market_provider: str, order_id: str | None) -> OrderError:
    """The error for a function that was refused, by its words: quotes differ between versions. Section 6."""
    reason = "; ".join(reasons) or "no text"
    searched = _NO_HTTP_STATUS.sub("", reason.lower())
    if order_id is not None:
        searched = re.sub(rf"\b{re.escape(order_id)}\b", "", searched)
    provider = re.escape(market_provider.lower())
    kind, advice = next(
        (kind, advice)
        for pattern, kind, advice in _REFUSALS
        if re.search(pattern.replace("PROVIDER", provider), searched, re.DOTALL)
    )
    message = f"{call} failed: {shortened(reason, MAX_QUOTED)}"
    return kind(f"{message}; {advice}" if advice else message)
