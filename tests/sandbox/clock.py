# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual clock that moves orders through their scenarios. Rate limits do not use it."""

from __future__ import annotations

import datetime
import time


class Clock:
    """Seconds since 1970 that start at the present and run at ``rate`` times real time."""

    def __init__(self, rate: float = 1.0) -> None:
        self._base = time.time()
        self._mark = time.monotonic()
        self.rate = rate

    def now(self) -> float:
        """The virtual time, in seconds since 1970."""
        return self._base + (time.monotonic() - self._mark) * self.rate

    def set(self, moment: float) -> None:
        """Jump to ``moment`` (seconds since 1970)."""
        self._base, self._mark = moment, time.monotonic()

    def advance(self, seconds: float) -> None:
        """Jump forward (or back, when negative)."""
        self.set(self.now() + seconds)

    def set_rate(self, rate: float) -> None:
        """Virtual seconds that pass in one real second; 0 stops the clock."""
        self.set(self.now())
        self.rate = rate


def utc(moment: float) -> datetime.datetime:
    """A moment in seconds since 1970 as an aware UTC time without fractions of a second."""
    return datetime.datetime.fromtimestamp(int(moment), datetime.timezone.utc)
