# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps two runs from working on one lineage at the same time.

The lock is an advisory one on a file that only who owns the lineage can open. It lasts as long as a process has that
file open: the one that runs, and the supervisor of its command (``commands.py``), so that no second run starts beside a
command of one that was killed. Commands, and the daemons that they start, never have it open.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time

from .directory import Directory
from .errors import Locked, WriteFailed
from .lineage import LOCK, Lineage

_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_PAUSE = 0.1  # seconds between tries
_MAX_ATTEMPTS = 3  # to make a file that nobody else can open


class Lock:
    """The lock of a lineage.

    Arguments:
        lineage: the lineage, which is open.
        wait: seconds to wait for another run.
    """

    def __init__(self, lineage: Lineage, wait: float) -> None:
        self._lineage = lineage
        self._wait = wait
        self._descriptor: int | None = None

    def acquire(self, create: bool) -> bool:
        """Take the lock, unless it is held already.

        Arguments:
            create: whether to make the file if it is missing. Where it is, no other run is at work either.

        Returns:
            Whether the lock is held; without ``create`` also whether there was a file, else a directory, to lock.

        Raises:
            Locked: another run held it all the time.
        """
        deadline = time.monotonic() + self._wait
        while self._descriptor is None:
            folder = self._lineage.folder
            descriptor = self._open(folder, create) if folder else None
            if folder is None or descriptor is None:
                return False
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not self._lineage.is_in_place():
                    return False
                if self._is_current(folder, descriptor):
                    self._descriptor = descriptor
                    self._lineage.forget_versions()
            except BlockingIOError as exc:
                if time.monotonic() >= deadline:
                    raise Locked(
                        f"Another run has held the lock on {self._lineage.path} for {self._wait:g} s; try again later"
                    ) from exc
                time.sleep(_PAUSE)
            except OSError as exc:
                if exc.filename is None:
                    raise WriteFailed(
                        f"{folder.join(LOCK)} cannot be locked: {exc.strerror}. A lineage has to be on a local file "
                        "system"
                    ) from exc
                raise
            finally:
                if self._descriptor is None:
                    os.close(descriptor)
        return True

    @staticmethod
    def _open(folder: Directory, create: bool) -> int | None:
        """The file, open; None where there is none to lock. One that others could lock as well is replaced."""
        for _attempt in range(_MAX_ATTEMPTS):
            status = folder.status(LOCK)
            if status and not _is_private(status):
                if not create:
                    return None
                folder.remove(LOCK)
            flags = _FLAGS | os.O_CREAT if create else _FLAGS
            try:
                descriptor = os.open(LOCK, flags, 0o600, dir_fd=folder.descriptor)
            except FileNotFoundError:
                return None
            except OSError as exc:
                exc.filename = folder.join(LOCK)
                raise
            if _is_private(os.fstat(descriptor)):
                return descriptor
            os.close(descriptor)
        raise PermissionError(errno.EACCES, "others can open it", folder.join(LOCK))

    @staticmethod
    def _is_current(folder: Directory, descriptor: int) -> bool:
        """Whether the locked file is still the one in the directory."""
        found = folder.status(LOCK)
        return found is not None and os.path.samestat(found, os.fstat(descriptor))

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _is_private(status: os.stat_result) -> bool:
    """Whether only who owns the lineage can open the file, and so hold its lock."""
    return stat.S_ISREG(status.st_mode) and status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o077
