# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts at the providers: credentials, key role, features and what an account has stored."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass, field


@dataclass
class Account:
    """One account. Which credentials mean something is the dialect's business."""

    provider: str
    name: str
    username: str = ""
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    role: str = ""
    region: str = ""
    dialect: str = "observed"
    revoked: bool = False
    features: dict[str, t.Any] = field(default_factory=dict)
    sessions: dict[str, float] = field(default_factory=dict, repr=False)
    store: dict[str, t.Any] = field(default_factory=dict, repr=False)

    def allows(self, feature: str) -> bool:
        """Features are on unless they were switched off."""
        return bool(self.features.get(feature, True))

    def rotate(self) -> None:
        """Give the account new secrets; the old ones and all sessions stop working."""
        if self.api_key:
            self.api_key = new_secret()
        if self.password:
            self.password = new_secret()
        self.sessions.clear()


def new_secret() -> str:
    """A random secret that a search of logs cannot confuse with anything else."""
    return secrets.token_hex(20)


class Accounts:
    """All accounts by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Account] = {}

    def __iter__(self) -> t.Iterator[Account]:
        return iter(self._by_name.values())

    def add(self, account: Account) -> Account:
        """Add an account; its name must be new."""
        if account.name in self._by_name:
            raise ValueError(f"there is an account {account.name!r} already")
        self._by_name[account.name] = account
        return account

    def get(self, name: str) -> Account:
        """The account of this name. Raises ``KeyError``."""
        return self._by_name[name]

    def of(self, provider: str) -> list[Account]:
        """The accounts at one provider, oldest first."""
        return [account for account in self if account.provider == provider]

    def clear(self) -> None:
        """Forget all accounts."""
        self._by_name.clear()
