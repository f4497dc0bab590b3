# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done to orders, and what it cost: one ledger for all accounts, only ever appended to."""

from __future__ import annotations

import decimal
import typing as t

#: What an entry is about. A reissue keeps its order, a replacement is an order of its own, a follow-up is one that the
#: provider opens by itself, and names are slots for them.
KINDS = frozenset({"reissue", "replacement", "follow_up", "auto_reissue", "names"})


class Ledger:
    """Entries in the order in which they were made. An amount above 0 is a debit, below 0 a refund."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every entry."""
        self._entries: list[dict[str, t.Any]] = []

    def add(self, clock: float, provider: str, account: str, order_id: str, kind: str, amount: str = "0.00") -> None:
        """Append one entry. Raises ``ValueError`` for an unknown kind."""
        if kind not in KINDS:
            raise ValueError(f"no such entry: {kind}; there are {', '.join(sorted(KINDS))}")
        self._entries.append(
            {
                "clock": clock,
                "provider": provider,
                "account": account,
                "order_id": order_id,
                "kind": kind,
                "amount": amount,
            }
        )

    def listing(self, **wanted: str) -> dict[str, t.Any]:
        """The entries whose fields have the wanted values, and their sum."""
        entries = [
            entry for entry in self._entries if all(str(entry.get(key)) == value for key, value in wanted.items())
        ]
        total = sum((decimal.Decimal(entry["amount"]) for entry in entries), decimal.Decimal("0.00"))
        return {"entries": entries, "sum": str(total)}
