# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: what goes wrong, for which requests, and how often.

This file only chooses and counts; the server carries out what concerns the connection, ``mangle`` what concerns the
body, and the order book what concerns the certificate.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import typing as t
import urllib.parse
from dataclasses import dataclass, field

from .orders import CERTIFICATE_FAULTS
from .wire import FORM, Call, Reply

#: Sent instead of an answer. The dialect does not see the request, or with ``processed`` has carried it out.
INSTEAD = frozenset(
    {"hang", "reset", "endless", "bomb", "html", "5xx", "429", "406", "redirect", "not_json", "empty", "login_page"}
)
#: The dialect answers, then the connection or the body is spoiled.
AFTER = frozenset({"truncated", "cut_body", "drip", "wrong_types", "wrong_encoding", "duplicate_headers", "wrong_date"})
#: The dialect answers later.
BEFORE = frozenset({"slow"})
#: Something happens to the account, then the dialect answers.
ACCOUNT = frozenset({"expired_key", "revoked_credentials"})
KINDS = INSTEAD | AFTER | BEFORE | ACCOUNT | CERTIFICATE_FAULTS

ABSURD = {"negative": "-5", "huge": "99999999999", "words": "in a while", "past_date": "Thu, 01 Jan 1970 00:00:00 GMT"}


@dataclass
class Fault:
    """One fault. ``after`` lets so many matching requests pass first, ``times`` ends it (``None``: never)."""

    id: int
    kind: str
    provider: str | None = None
    path: str | None = None
    method: str | None = None
    order_id: str | None = None
    account: str | None = None
    times: int | None = None
    after: int = 0
    options: dict[str, t.Any] = field(default_factory=dict)
    hits: int = 0

    def concerns(self, provider: str, call: Call) -> bool:
        """The request is of the kind this fault waits for (the order apart)."""
        return (
            self.provider in (None, provider)
            and self.method in (None, call.method)
            and (self.account is None or (call.account is not None and call.account.name == self.account))
            and (self.path is None or re.search(self.path, call.path) is not None)
        )

    def strike(self) -> bool:
        """Count a matching request; ``True`` when the fault shows on it."""
        if self.times is not None and self.hits >= self.after + self.times:
            return False
        self.hits += 1
        return self.hits > self.after

    def as_data(self) -> dict[str, t.Any]:
        """For the control API."""
        return {**dataclasses.asdict(self), "seen": max(self.hits - self.after, 0)}


class Faults:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._faults: list[Fault] = []

    def clear(self, fault_id: int | None = None) -> None:
        """Take back one fault, or all."""
        self._faults = [] if fault_id is None else [fault for fault in self._faults if fault.id != fault_id]

    def __iter__(self) -> t.Iterator[Fault]:
        return iter(self._faults)

    def add(self, data: t.Mapping[str, t.Any]) -> Fault:
        """Add a fault. Unknown fields become its options. Raises ``ValueError`` for an unknown kind."""
        if data.get("kind") not in KINDS:
            raise ValueError(f"no such fault: {data.get('kind')}; there are {', '.join(sorted(KINDS))}")
        known = {item.name for item in dataclasses.fields(Fault)} - {"id", "options", "hits"}
        fields = {key: value for key, value in data.items() if key in known}
        if fields.get("order_id") is not None:
            fields["order_id"] = str(fields["order_id"])
        if fields.get("path") is not None:
            re.compile(fields["path"])
        options = {key: value for key, value in data.items() if key not in known}
        if options.get("processed") and fields["kind"] not in INSTEAD:
            raise ValueError(f"processed is for faults that take the place of an answer; {fields['kind']} has one")
        fault = Fault(next(self._ids), options=options, **fields)
        self._faults.append(fault)
        return fault

    def for_request(self, provider: str, call: Call) -> Fault | None:
        """The first fault that shows on this request, certificate faults apart."""
        for fault in self._faults:
            if fault.kind in CERTIFICATE_FAULTS or not fault.concerns(provider, call):
                continue
            if fault.order_id is not None and not _mentions(call, fault.order_id):
                continue
            if fault.strike():
                return fault
        return None

    def for_certificate(self, provider: str, call: Call, order_id: str) -> set[str]:
        """The faults of the certificate handed out by this request."""
        return {
            fault.kind
            for fault in self._faults
            if fault.kind in CERTIFICATE_FAULTS
            and fault.concerns(provider, call)
            and fault.order_id in (None, order_id)
            and fault.strike()
        }


def _mentions(call: Call, order_id: str) -> bool:
    text = call.path + " " + " ".join(value for _key, value in call.query) + " " + call.body.decode("utf-8", "replace")
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(order_id)}(?![0-9A-Za-z])", text) is not None


def mangle(reply: Reply, fault: Fault) -> Reply:
    """The reply with its body spoiled as the fault says."""
    if fault.kind == "wrong_types":
        return dataclasses.replace(reply, body=_wrong_types(reply))
    if fault.kind == "wrong_encoding":
        text = reply.body.decode("utf-8", "replace")
        return dataclasses.replace(
            reply, body=text.encode(fault.options.get("encoding", "utf-16"), "replace") + b"\xff"
        )
    if fault.kind == "cut_body":
        return dataclasses.replace(reply, body=reply.body[: kept_length(reply, fault)])
    return reply


def kept_length(reply: Reply, fault: Fault) -> int:
    """How many bytes of the body are sent: ``at`` is their number, or below 1 their share."""
    at = fault.options.get("at", 0.5)
    return int(at) if at >= 1 else int(len(reply.body) * at)


def _wrong_types(reply: Reply) -> bytes:
    if reply.content_type == FORM:
        pairs = urllib.parse.parse_qsl(reply.body.decode(), keep_blank_values=True)
        return urllib.parse.urlencode([(key, "[]" if value else "null") for key, value in pairs]).encode()
    try:
        return json.dumps(_swap(json.loads(reply.body))).encode()
    except ValueError:
        return b"null"


def _swap(value: t.Any) -> t.Any:
    """Another type in the place of every leaf; the outermost containers stay what they are."""
    if isinstance(value, dict):
        return {key: _swap_leaf(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_swap_leaf(item) for item in value]
    return _swap_leaf(value)


def _swap_leaf(value: t.Any) -> t.Any:
    if isinstance(value, bool):
        return [value]
    if isinstance(value, (int, float)):
        return {"value": value}
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return "list" if value else {}
    if isinstance(value, dict):
        return [value] if value else "object"
    return 0
