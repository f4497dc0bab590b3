# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A transport that expects exact requests, in order, and answers from a script."""

from __future__ import annotations

import contextlib
import json
import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Request, Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import Redactor

T = t.TypeVar("T")


def answer(body: t.Any, status: int = 200, **headers: str) -> Response:
    """A Response: JSON for data, the text itself for text, bytes as they are."""
    if isinstance(body, bytes):
        content = body
    elif isinstance(body, str):
        content = body.encode("utf-8")
    else:
        content = json.dumps(body).encode("utf-8")
    return Response(status, content, {name.replace("_", "-"): value for name, value in headers.items()})


class ScriptedTransport:
    """Answers requests from a list of pairs (expected request, answer); fails on any other request.

    The expected request is compared by method and path, and by query and form where the expectation has them. It does
    not retry: what the real transport would send again shows up as the error itself.
    """

    def __init__(self, *exchanges: tuple[t.Mapping[str, t.Any], Response | OrderError]) -> None:
        self.exchanges = list(exchanges)
        self.requests_sent = 0
        self.requests: list[Request] = []
        self.redactor = Redactor()

    def send(self, request: Request, parse: t.Callable[[Response], T]) -> T:
        assert self.exchanges, f"no further request was expected, but this came: {request}"
        expected, reply = self.exchanges.pop(0)
        sent = {"method": request.method, "path": request.path, "query": dict(request.query), "form": request.form}
        sent["form"] = dict(request.form) if request.form is not None else None
        assert {name: sent[name] for name in expected} == dict(expected)
        self.requests.append(request)
        self.requests_sent += 1
        if isinstance(reply, OrderError):
            raise reply
        try:
            return parse(reply)
        except OrderError as error:
            error.locate(order_id=request.order_id, http_status=reply.status)
            raise

    def exclusive(self) -> t.ContextManager[None]:
        return contextlib.nullcontext()

    def assert_finished(self) -> None:
        assert not self.exchanges, f"these requests were expected but not sent: {[item[0] for item in self.exchanges]}"
