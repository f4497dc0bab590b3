# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a provider was asked last to look for DCV evidence, kept for all processes of this user on this machine.

Private to this collection. The times are written before a request is sent: one that may have arrived counts.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import typing as t

from ..._common.private_directory import private_directory
from ..account import Account
from ..providers.base import DcvPolicy

_SUFFIX = ".dcv-check"
#: More than the names of any order with a time each, in bytes.
_MAX_SIZE = 1024 * 1024

Times = t.Dict[str, float]
#: The key of the order itself among the times; no name is empty.
_ORDER = ""


class DcvTimes:
    """The times of one order. All times are in seconds since 1970.

    Arguments:
        directory: where the file is; None for the private directory of this user.

    Raises:
        OSError: from every method, when the file cannot be read or written.
    """

    def __init__(self, account: Account, order_id: str, policy: DcvPolicy, directory: str | None = None) -> None:
        subject = "\n".join([account.provider, account.api_url, order_id])
        name = hashlib.sha256(subject.encode("utf-8")).hexdigest()[:40] + _SUFFIX
        self._path = os.path.join(directory or private_directory(), name)
        self._policy = policy
        # What the last call of reserve has written: each key with its former time, and the moment in its place.
        self._reserved: dict[str, float | None] = {}
        self._moment = 0.0

    def reserve(self, names: t.Sequence[str], now: float, check_mode: bool = False) -> list[str]:
        """Those of the names that may be asked for now, the one that has waited longest first. Records the time.

        Arguments:
            check_mode: record nothing.
        """
        self._reserved = {}
        with self._opened() as (times, write):
            if self._left(times, _ORDER, now) > 0.0:
                return []
            allowed = [name for name in names if self._left(times, name, now) <= 0.0]
            allowed.sort(key=lambda name: times.get(name, 0.0))
            allowed = allowed[: self._policy.names_per_interval]
            if allowed and not check_mode:
                self._reserved = {key: times.get(key) for key in [_ORDER, *allowed]}
                self._moment = now
                write({**times, **dict.fromkeys(self._reserved, now)})
            return allowed

    def release(self) -> None:
        """Take back what the last call of reserve recorded: nothing was sent. What others wrote meanwhile stays."""
        if not self._reserved:
            return
        with self._opened() as (times, write):
            mine = {key: former for key, former in self._reserved.items() if times.get(key) == self._moment}
            others = {key: moment for key, moment in times.items() if key not in mine}
            write({**others, **{key: former for key, former in mine.items() if former is not None}})
        self._reserved = {}

    def next_allowed(self, name: str, now: float) -> float | None:
        """When a name may be asked for again; None for now."""
        with self._opened() as (times, _write):
            left = max(self._left(times, _ORDER, now), self._left(times, name, now))
            return now + left if left > 0.0 else None

    def _left(self, times: Times, key: str, now: float) -> float:
        interval = self._policy.name_interval if key else self._policy.order_interval
        passed = now - times.get(key, now - interval)
        # A time that is to come was written before the clock was set back.
        return interval - passed if passed >= 0.0 else 0.0

    @contextlib.contextmanager
    def _opened(self) -> t.Iterator[tuple[Times, t.Callable[[Times], None]]]:
        """The times, and what writes others in their place. No other process comes in between."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)

            def write(times: Times) -> None:
                content = json.dumps(times).encode("ascii")
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, content, 0)

            yield _parse(os.pread(descriptor, _MAX_SIZE, 0)), write
        finally:
            os.close(descriptor)


def _parse(content: bytes) -> Times:
    """The times in a file; none where it is new, or was cut short."""
    try:
        found = json.loads(content.decode("ascii"))
        return {str(key): float(value) for key, value in found.items()}
    except (ValueError, AttributeError, TypeError):
        return {}
