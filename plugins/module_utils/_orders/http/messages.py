# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a provider and what comes back, without the network that lies between.

Private to this collection. Providers see these and nothing of HTTP libraries; tests put their own transport in place.
"""

from __future__ import annotations

import json
import math
import typing as t
from dataclasses import dataclass, field

from ..errors import UnexpectedResponse
from .redaction import Redactor

T = t.TypeVar("T")

#: The most values of an answer: one about ten thousand orders has half as many, and each takes memory.
_MAX_VALUES = 1_000_000
#: How deep JSON may be nested: what prints and templates results later goes down level by level.
_MAX_DEPTH = 100


@dataclass(frozen=True)
class Request:
    """One call to a provider.

    Arguments:
        call: what the call is named in messages.
        method: GET or POST.
        path: appended to the account's base URL.
        query: parameters of the URL.
        form: form fields; the body is then form-encoded.
        content: data that is sent as a JSON body; the headers say so.
        headers: further headers.
        order_id: the order it is about, for messages.
        repeatable: it only reads, so it may be sent again after a fault. Where it is not, it is sent once: nothing is
            sent again once it may have arrived, whatever came back.
    """

    call: str
    method: str
    path: str
    query: t.Mapping[str, str] = field(default_factory=dict)
    form: t.Mapping[str, str] | None = None
    content: t.Mapping[str, t.Any] | None = None
    headers: t.Mapping[str, str] = field(default_factory=dict)
    order_id: str | None = None
    repeatable: bool = True


@dataclass(frozen=True)
class Response:
    """One answer. Header names are in lower case."""

    status: int
    body: bytes = b""
    headers: t.Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The body as text: UTF-8, else Latin-1. Never raises."""
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self.body.decode("latin-1")

    def json(self) -> t.Any:
        """The body as JSON data that can be written as JSON again.

        Raises:
            UnexpectedResponse: when it is not JSON.
        """
        text = self.text()
        if not text.strip():
            raise UnexpectedResponse("the body is empty where JSON was expected", http_status=self.status)
        if text.lstrip()[:1] == "<":
            raise UnexpectedResponse("an HTML or XML page came where JSON was expected", http_status=self.status)
        if sum(map(text.count, ",[{")) > _MAX_VALUES:
            raise UnexpectedResponse("the JSON has more values than any answer", retryable=False)
        try:
            return _printable(
                json.loads(text, parse_int=_bounded_int, parse_float=_finite_float, parse_constant=lambda name: None)
            )
        except RecursionError:
            raise UnexpectedResponse("the JSON is nested too deeply", http_status=self.status) from None
        except ValueError:
            raise UnexpectedResponse("the body is not JSON, or not all of it came", http_status=self.status) from None


class Transport(t.Protocol):
    """What a provider's client sends its requests with."""

    #: Requests sent so far, repetitions included.
    requests_sent: int
    #: Takes secrets out of all texts, those that are learned on the way included.
    redactor: Redactor

    def send(self, request: Request, parse: t.Callable[[Response], T]) -> T:
        """Send a request, and return what ``parse`` makes of the answer.

        Faults that may pass are retried, where the request is repeatable; ``parse`` raises a retryable OrderError to
        have it sent again.

        Raises:
            OrderError: with the provider, the call and the order in it.
        """
        raise NotImplementedError

    def exclusive(self) -> t.ContextManager[None]:
        """While it is held, no other process of this user sends a request of this account.

        Raises:
            RateLimited: when another process does not finish before the deadline.
        """
        raise NotImplementedError


def _bounded_int(digits: str) -> int | str:
    # Ids longer than a machine word stay text; Python refuses numbers of thousands of digits.
    return int(digits) if len(digits) <= 20 else digits


def _finite_float(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


def _printable(value: t.Any, depth: int = 0) -> t.Any:
    """The same data without lone surrogates, which no output can encode. Raises RecursionError for what is too deep."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_printable(key): _printable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item, depth + 1) for item in value]
    return value
