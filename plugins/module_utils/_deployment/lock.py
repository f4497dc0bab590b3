# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps two runs from working on one lineage at the same time."""

from __future__ import annotations

import errno
import fcntl
import os
import time

from .errors import Locked


class Lock:
    """The lock of a lineage: an advisory lock on the directory itself, so that it leaves no file behind.

    Arguments:
        path: the lineage directory.
        wait: seconds to wait for another run.
    """

    def __init__(self, path: str, wait: float) -> None:
        self._path = path
        self._wait = wait
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock, unless it is held already; returns whether there is a directory to lock.

        Raises:
            Locked: another run held it all the time.
        """
        deadline = time.monotonic() + self._wait
        while self._descriptor is None:
            try:
                descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            except FileNotFoundError:
                return False
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(descriptor):
                    self._descriptor = descriptor
            except OSError as exc:
                if exc.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
                if time.monotonic() >= deadline:
                    raise Locked(
                        f"Another run has held the lock on {self._path} for {self._wait:g} s; try again later"
                    ) from exc
                time.sleep(0.1)
            finally:
                if self._descriptor is None:
                    os.close(descriptor)
        return True

    def _is_current(self, descriptor: int) -> bool:
        """Whether the locked directory is still the one at the path: a failed first deployment removes its own."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
