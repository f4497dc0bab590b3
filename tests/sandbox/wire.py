# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes in and out of a dialect: a request and a reply as plain data, without any web framework."""

from __future__ import annotations

import json
import typing as t
import urllib.parse
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from .accounts import Account

FORM = "application/x-www-form-urlencoded"
Pairs = list[tuple[str, str]]


@dataclass
class Reply:
    """One HTTP reply."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, data: t.Any, status: int = 200, **headers: str) -> Reply:
        """A JSON reply; characters outside ASCII go out as UTF-8."""
        return cls(status, json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass"), headers=headers)

    @classmethod
    def text(cls, text: str, status: int = 200, content_type: str = "text/plain; charset=utf-8") -> Reply:
        """A text reply."""
        return cls(status, text.encode(), content_type)

    @classmethod
    def html(cls, text: str, status: int = 200) -> Reply:
        """An HTML page."""
        return cls.text(text, status, "text/html; charset=utf-8")


class Answer(Exception):
    """Ends the work on a request with a reply, from however deep."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass
class Call:
    """One HTTP request. A dialect fills in the account and the orders it was about, for the log."""

    method: str
    path: str
    query: Pairs
    headers: t.Mapping[str, str]
    body: bytes = b""
    scheme: str = "https"
    host: str = ""
    account: Account | None = None
    order_ids: list[str] = field(default_factory=list)

    @property
    def content_type(self) -> str:
        """The media type of the body, lower case, without parameters."""
        return self.headers.get("Content-Type", "").split(";")[0].strip().lower()

    @property
    def form(self) -> Pairs:
        """The fields of a form body. Any other kind of body has none, as at the real providers."""
        if self.content_type != FORM:
            return []
        return urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    def query_value(self, name: str) -> str | None:
        """The first query parameter of this name."""
        return next((value for key, value in self.query if key == name), None)
