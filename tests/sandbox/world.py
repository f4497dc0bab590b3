# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything the dialects share, and its reset."""

from __future__ import annotations

import typing as t
from pathlib import Path

from .accounts import Account, Accounts
from .authority import Authority
from .clock import Clock
from .dcv import Looks
from .dialects import DIALECTS
from .dialects.base import Dialect
from .faults import Faults
from .journal import Journal
from .ledger import Ledger
from .orders import OrderBook

if t.TYPE_CHECKING:
    from .internet.service import InternetService


class World:
    """Clock, CA, accounts, orders, faults, log and the dialects that answer from them."""

    def __init__(self, folder: Path, rate: float = 1.0) -> None:
        self.rate = rate
        self.clock = Clock(rate)
        self.ca = Authority(folder / "ca")
        self.accounts = Accounts()
        self.orders = OrderBook(self.clock, self.ca)
        self.faults = Faults()
        self.journal = Journal()
        self.ledger = Ledger()
        self.limits = {dialect.name: dict(dialect.limits) for dialect in DIALECTS}
        self.dialects: dict[str, Dialect] = {dialect.name: dialect(self) for dialect in DIALECTS}
        self._first_accounts = [account for dialect in self.dialects.values() for account in dialect.default_accounts()]
        self._first_secrets = [(account.api_key, account.password) for account in self._first_accounts]
        self._open_accounts()
        self.internet: InternetService | None = None
        self.looks: Looks | None = None

    def open(self, internet: InternetService) -> None:
        """Let CAs look into a small Internet, whose clock is this world's."""
        self.internet, self.looks = internet, Looks(self, internet)
        self.orders.can_look = True

    def catch_up(self) -> None:
        """Let happen what has become due."""
        if self.looks is not None:
            self.looks.on_schedule()

    def reset(self) -> None:
        """As just started: first accounts with their first secrets, no orders, faults or log, present time."""
        self.clock.__init__(self.rate)  # type: ignore[misc]
        self.orders.clear()
        self.faults.clear()
        self.journal.clear()
        self.ledger.clear()
        self.limits = {dialect.name: dict(dialect.limits) for dialect in DIALECTS}
        self._open_accounts()
        for dialect in self.dialects.values():
            dialect.reset()
        if self.internet is not None:
            self.internet.reset()

    def _open_accounts(self) -> None:
        self.accounts.clear()
        for account, (api_key, password) in zip(self._first_accounts, self._first_secrets, strict=True):
            self.accounts.add(
                Account(
                    account.provider, account.name, account.username, password, api_key, account.role, account.region,
                    self.dialects[account.provider].default_dialect,
                )
            )  # fmt: skip

    def dialect_for(self, path: str) -> Dialect | None:
        """The dialect that answers for a path."""
        return next((dialect for dialect in self.dialects.values() if dialect.matches(path)), None)
