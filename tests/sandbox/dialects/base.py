# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sandbox asks of a provider's dialect."""

from __future__ import annotations

import abc
import typing as t

from ..accounts import Account
from ..authority import Material
from ..dcv import Evidence
from ..orders import Domain, Issuance, Order
from ..wire import Answer, Call, Reply

if t.TYPE_CHECKING:
    from ..world import World


class Dialect(abc.ABC):
    """One provider's API. Instances share the world: orders, accounts, clock and CA."""

    name: t.ClassVar[str]
    first_order_id: t.ClassVar[int]
    first_certificate_id: t.ClassVar[int]
    default_dialect: t.ClassVar[str] = "observed"
    #: Limits that a test may change: name to value.
    limits: t.ClassVar[dict[str, float]] = {}

    def __init__(self, world: World) -> None:
        self.world = world
        self.reset()

    def reset(self) -> None:  # noqa: B027
        """Forget what was counted; called at the start and when the sandbox is reset or limits change."""

    @abc.abstractmethod
    def matches(self, path: str) -> bool:
        """This dialect answers for the path."""

    @abc.abstractmethod
    def base_urls(self, url: str) -> dict[str, str]:
        """Base URLs by name; the provider's own name is the first."""

    @abc.abstractmethod
    def new_account(self, name: str, **attributes: t.Any) -> Account:
        """An account with fresh credentials."""

    def default_accounts(self) -> list[Account]:
        """The accounts a sandbox starts with; the first is the one a test gets who names none."""
        return [self.new_account(self.name)]

    @abc.abstractmethod
    def options(self, account: Account, url: str) -> dict[str, str]:
        """The collection's account options for an account (``ca_path`` apart)."""

    @abc.abstractmethod
    def identify(self, call: Call) -> Account | None:
        """Whose credentials these are, right or revoked; for the log, without judging."""

    @abc.abstractmethod
    async def handle(self, call: Call) -> Reply:
        """Answer a request as the provider would."""

    @abc.abstractmethod
    def failure(self, status: int, message: str) -> Reply:
        """An error of this HTTP status in the provider's shape, for injected faults."""

    # What all dialects need.

    @property
    def now(self) -> float:
        """The virtual time."""
        return self.world.clock.now()

    def limit(self, name: str) -> float:
        """The value of a limit, as set now."""
        return self.world.limits[self.name][name]

    def accounts(self) -> list[Account]:
        """This provider's accounts."""
        return self.world.accounts.of(self.name)

    def orders_of(self, account: Account) -> list[Order]:
        """An account's orders, oldest first."""
        return self.world.orders.of(self.name, account.name)

    def order(self, call: Call, order_id: str, latest: bool = False) -> Order | None:
        """An order of the calling account, noted in the log. Sends a raw body that a test put in its place.

        After a reissue that takes its time to appear it is the order as it was before, unless ``latest``.
        """
        call.order_ids.append(order_id)
        order = self.world.orders.get(self.name, order_id)
        if order is None or call.account is None or order.account != call.account.name:
            return None
        self.send_raw(call, order)
        return order if latest else order.shown(self.now)

    def order_by_certificate(self, call: Call, certificate_id: str) -> tuple[Order, Issuance] | None:
        """Order and issuance of a certificate id, if they are the calling account's."""
        found = self.world.orders.by_certificate(self.name, certificate_id)
        if found is None or call.account is None or found[0].account != call.account.name:
            return None
        call.order_ids.append(found[0].order_id)
        self.send_raw(call, found[0])
        return found

    @staticmethod
    def send_raw(call: Call, order: Order) -> None:
        """End the call with the raw reply a test gave this order, if its path fits."""
        raw = order.raw
        if raw is None or str(raw.get("path", "")) not in call.path:
            return
        body, content_type = raw.get("body", ""), raw.get("content_type")
        if isinstance(body, str):
            reply = Reply.text(body, content_type=content_type or "text/plain; charset=utf-8")
        else:
            reply = Reply.json(body)
            reply.content_type = content_type or reply.content_type
        reply.status = int(raw.get("status", 200))
        raise Answer(reply)

    def shape(self, account: Account, order: Order | None = None) -> str:
        """The wire shape for an answer: the order's own choice, else the account's."""
        return (order.dialect if order else None) or account.dialect

    def material(self, call: Call, order: Order, issuance: Issuance | None = None) -> Material:
        """Certificate and chain of an order (of its present issuance), with all faults that are asked for."""
        faults = self.world.faults.for_certificate(self.name, call, order.order_id)
        return self.world.orders.material(order, issuance or order.issuance(self.now), faults)

    def create(self, account: Account, names: t.Sequence[str], **attributes: t.Any) -> Order:
        """A new order of an account. Raises ``ValueError``."""
        return self.world.orders.create(
            self.name,
            account.name,
            names,
            first_order_id=self.first_order_id,
            first_certificate_id=self.first_certificate_id,
            **attributes,
        )

    def enter(self, order: Order, kind: str, amount: str = "0.00") -> None:
        """Note in the ledger what was done to an order, and what it cost."""
        self.world.ledger.add(self.now, self.name, order.account, order.order_id, kind, amount)

    def run_due(self) -> None:  # noqa: B027
        """Do what the provider does by itself, by the clock; called before each request."""

    def approve(self, order: Order, approved: bool) -> None:
        """A person approves, or rejects, the pending request of an order. Raises ``ValueError`` where there is none."""
        raise ValueError(f"order {order.order_id} at {self.name} has no request that waits for approval")

    # DCV of orders that are validated by looking.

    @abc.abstractmethod
    def schedule(self, order: Order) -> t.Sequence[float]:
        """When the CA looks by itself, in seconds from the start of the validation."""

    @abc.abstractmethod
    def evidence(self, order: Order, domain: Domain) -> list[Evidence]:
        """What would show control of a name now; any of it does."""

    def recheck(self, order: Order, now: float, name: str | None = None) -> bool:
        """Look now; ``True`` when all (or the named) names are validated."""
        if order.dcv == "look" and self.world.looks is not None:
            return self.world.looks.look(order, now, name)
        return order.recheck(now, name)

    def too_soon(self, order: Order, fact: str, interval: float) -> bool:
        """Whether an order that is validated by looking was asked for within the interval. Else this call counts."""
        last = order.facts.get(fact)
        if order.dcv == "look" and last is not None and self.now - last < interval:
            return True
        order.facts[fact] = self.now
        return False

    def forced(self, order: Order) -> None:  # noqa: B027
        """Note that the control API has created or changed an order."""


def find(accounts: t.Iterable[Account], **credentials: str) -> Account | None:
    """The account that has these credentials; empty ones never match."""
    if not all(credentials.values()):
        return None
    for account in accounts:
        if all(getattr(account, name) == value for name, value in credentials.items()):
            return account
    return None
