# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of orders share: a clock that moves only when somebody sleeps, and a provider with a script."""

from __future__ import annotations

import contextlib
import re
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import NameEvidence
from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.describe import no_certificate
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Request, Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.rate_limit import PollSchedule, RateLimits
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import Redactor
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import IssuedBundle, Order
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import (
    DcvReply,
    OrderSummary,
    Provider,
    ProviderInfo,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS

T = t.TypeVar("T")
Answer = t.Union[Order, OrderError]
#: Quick for ten minutes, then slow.
SCHEDULE = PollSchedule(steps=((600.0, 60.0),), afterwards=300.0)


class FakeTime:
    """A clock that moves only when somebody sleeps, or takes time on purpose."""

    def __init__(self, now: float = 5000.0) -> None:
        self.now = now
        self.sleeps: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0.0
        self.sleeps.append(seconds)
        self.now += seconds


class NoTransport:
    """A scripted provider asks nobody."""

    requests_sent = 0
    redactor = Redactor()

    def send(self, request: Request, parse: t.Callable[[Response], T]) -> T:
        raise AssertionError("a scripted provider has no business with the network")

    def exclusive(self) -> t.ContextManager[None]:
        return contextlib.nullcontext()


class FakeProvider(Provider):
    """Answers each order from its own script of orders and errors; the last entry is repeated for ever.

    Arguments:
        scripts: the script of each order, n1 standing for order 1; without any, that of the class.
    """

    info = ProviderInfo(
        name="fake",
        label="Fake",
        default_url="https://fake.example",
        environment={"api_url": ("FAKE_API_URL",), "username": ("FAKE_USERNAME",), "password": ("FAKE_PASSWORD",)},
        credentials=(("username", "password"),),
        rate_limits=RateLimits(SCHEDULE),
        personal=re.compile("phone|email"),
    )
    scripts: t.ClassVar[dict[str, list[Answer]]] = {}
    bundle: t.ClassVar[IssuedBundle | OrderError] = OrderError("the test has not set what is collected")
    calls: t.ClassVar[list[tuple[str, t.Any]]] = []
    evidence: t.ClassVar[dict[str, list[NameEvidence] | OrderError]] = {}
    replies: t.ClassVar[list[DcvReply | OrderError | None]] = []

    def __init__(self, account: Account | None = None, transport: t.Any = None, **scripts: t.Sequence[Answer]) -> None:
        super().__init__(
            account or Account(provider="fake", api_url="https://provider.example"), transport or NoTransport()
        )
        if account is None:
            self.scripts = {name.lstrip("n"): list(script) for name, script in scripts.items()}  # type: ignore[misc]
            self.calls = []  # type: ignore[misc]

    def fetch_order(self, order_id: str) -> Order:
        self.calls.append(("fetch", order_id))
        return self.answer(order_id)

    def refresh_order(self, order: Order) -> Order:
        self.calls.append(("refresh", order.order_id))
        return self.answer(order.order_id)

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        self.calls.append(("summaries", (tuple(order_ids), changed_since)))
        return {}

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        if not (order.issued or order.provider_status == "pickup"):
            raise no_certificate(order)
        self.calls.append(("collect", order.order_id))
        if isinstance(self.bundle, OrderError):
            raise self.bundle
        return self.bundle

    def fetch_evidence(
        self, order_id: str, csr: str | None = None, unique_value: str | None = None, check_mode: bool = False
    ) -> list[NameEvidence]:
        self.calls.append(("evidence", (order_id, csr, unique_value, check_mode)))
        found = self.evidence[order_id]
        if isinstance(found, OrderError):
            raise found
        return found

    def change_dcv_method(self, order_id: str, names: t.Sequence[str], method: str) -> None:
        self.calls.append(("change", (order_id, tuple(names), method)))
        self._reply()

    def look_for_evidence(self, order_id: str, names: t.Sequence[NameEvidence]) -> DcvReply:
        self.calls.append(("look", (order_id, tuple(one.name for one in names))))
        return self._reply() or DcvReply()

    def _reply(self) -> DcvReply | None:
        """What comes next of the replies to requests that write; by default that they were accepted."""
        if not self.replies:
            return None
        reply = self.replies.pop(0)
        if isinstance(reply, OrderError):
            raise reply
        return reply

    def answer(self, order_id: str) -> Order:
        """What comes next of the script of an order."""
        script = self.scripts[order_id]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(answer, OrderError):
            raise answer
        return answer

    def requested(self, kind: str) -> list[t.Any]:
        """What was requested by one kind of call: fetch, refresh, summaries or collect."""
        return [what for how, what in self.calls if how == kind]


def register_fake(monkeypatch: pytest.MonkeyPatch, folder: t.Any, provider: type[FakeProvider] = FakeProvider) -> None:
    """Let operations find the provider, with nothing scripted and nothing called; what they keep is in the folder."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setitem(PROVIDERS, "fake", provider)  # type: ignore[misc]
    for name in ("scripts", "evidence"):
        monkeypatch.setattr(provider, name, {})
    for name in ("calls", "replies"):
        monkeypatch.setattr(provider, name, [])
