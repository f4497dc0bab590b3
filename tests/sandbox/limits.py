# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits in real, monotonic time."""

from __future__ import annotations

import collections
import time
import typing as t


class RollingLimit:
    """At most so many requests in any period of each given length, for each key by itself.

    A refused request is not counted; the next one passes as soon as every window has room again.
    """

    def __init__(self, windows: t.Sequence[tuple[int, float]], now: t.Callable[[], float] = time.monotonic) -> None:
        self.windows = sorted(windows, key=lambda window: window[1])
        self._now = now
        self._seen: dict[str, collections.deque[float]] = collections.defaultdict(collections.deque)

    def admit(self, key: str) -> bool:
        """Count a request of ``key``, or refuse it."""
        if not self.windows:
            return True
        now, seen = self._now(), self._seen[key]
        while seen and seen[0] <= now - self.windows[-1][1]:
            seen.popleft()
        for most, seconds in self.windows:
            # The request that would have to be out of the window for one more to fit in.
            if len(seen) >= most and seen[-most] > now - seconds:
                return False
        seen.append(now)
        return True
