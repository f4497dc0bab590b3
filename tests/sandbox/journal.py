# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The request log and its figures: what benchmarks and tests read. No secret ever enters it."""

from __future__ import annotations

import collections
import datetime
import re
import time
import typing as t

from .wire import Call

_KEEP = 100_000
#: A bulk call about more orders is noted with the first of them and their number.
_KEEP_ORDERS = 1000


class Journal:
    """Requests in the order of their arrival, and counters that outlive the log's limit."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every request and start counting at nought."""
        self.entries: collections.deque[dict[str, t.Any]] = collections.deque(maxlen=_KEEP)
        self.counts: dict[str, collections.Counter[t.Any]] = collections.defaultdict(collections.Counter)
        self.in_flight: collections.Counter[str] = collections.Counter()
        self.most_in_flight: collections.Counter[str] = collections.Counter()
        self.logins: collections.Counter[str] = collections.Counter()

    def begin(self, provider: str, call: Call, virtual_now: float) -> dict[str, t.Any]:
        """Note a request that has just been read."""
        who = call.account.name if call.account else ""
        self.in_flight[who] += 1
        self.most_in_flight[who] = max(self.most_in_flight[who], self.in_flight[who])
        entry: dict[str, t.Any] = {
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds"),
            "clock": round(virtual_now, 3),
            "provider": provider,
            "method": call.method,
            "path": call.path,
            "parameters": sorted({key for key, _value in call.query + call.form}),
            "scheme": call.scheme,
            "host": call.host,
            "account": who or None,
            "order_ids": [],
            "orders": 0,
            "status": None,
            "fault": None,
        }
        entry["_started"] = time.monotonic()
        self.entries.append(entry)
        return entry

    def end(self, entry: dict[str, t.Any], call: Call, status: int | None) -> None:
        """Note how a request ended; ``None`` when no whole reply was sent."""
        who = entry["account"] or ""
        self.in_flight[who] -= 1
        entry["status"] = status
        entry["orders"] = len(call.order_ids)
        entry["order_ids"] = call.order_ids[:_KEEP_ORDERS]
        entry["milliseconds"] = round((time.monotonic() - entry.pop("_started")) * 1000, 1)
        provider = entry["provider"]
        self.counts["total"][provider] += 1
        self.counts["status"][provider, status] += 1
        # One line for one kind of call, however many orders there are.
        self.counts["path"][provider, entry["method"] + " " + re.sub(r"/\d{3,}(?=/|$)", "/{id}", entry["path"])] += 1
        self.counts["account"][entry["account"]] += 1
        if status == 429:
            self.counts["429"][provider] += 1

    def listing(self, **wanted: str) -> list[dict[str, t.Any]]:
        """The entries whose fields have the wanted values; ``order_id`` looks among the order ids."""
        order_id = wanted.pop("order_id", None)
        return [
            {key: value for key, value in entry.items() if not key.startswith("_")}
            for entry in self.entries
            if all(str(entry.get(key)) == value for key, value in wanted.items())
            and (order_id is None or order_id in entry["order_ids"])
        ]

    def summary(self) -> dict[str, t.Any]:
        """Figures since the start or the last clearing, by provider and by account."""
        providers: dict[str, dict[str, t.Any]] = {}
        for provider, total in self.counts["total"].items():
            providers[provider] = {
                "requests": total,
                "status": {
                    str(status): count for (who, status), count in self.counts["status"].items() if who == provider
                },
                "calls": {path: count for (who, path), count in self.counts["path"].items() if who == provider},
                "rate_limited": self.counts["429"][provider],
            }
        accounts = {
            name: {
                "requests": count,
                "most_in_flight": self.most_in_flight[name or ""],
                "logins": self.logins[name or ""],
            }
            for name, count in ((name or "", count) for name, count in self.counts["account"].items())
        }
        return {
            "requests": sum(self.counts["total"].values()),
            "rate_limited": sum(self.counts["429"].values()),
            "providers": providers,
            "accounts": accounts,
        }
