# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of the DCV evidence that the role has published and not withdrawn yet: one file for a user.

It is written before anything is published, so that a run that was killed leaves nothing behind that a later run does
not know. It holds no secrets.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import typing as t

#: One value of one record set, or one file on one host; see record_entries and file_entries in _role_dcv.py.
Entry = dict[str, t.Any]


class Journal:
    """The journal in a directory of this user.

    Arguments:
        directory: private to the user; see lasting_directory.
    """

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, "dcv-published.json")

    def read(self) -> list[Entry]:
        """All entries, in the order in which they were written.

        Raises:
            OSError: it is there and cannot be read.
            ValueError: it holds something else.
        """
        try:
            with open(self._path, encoding="utf-8") as opened:
                found = json.load(opened)
        except FileNotFoundError:
            return []
        except ValueError as exc:
            raise ValueError(f"{self._path} is no journal of published DCV evidence: {exc}") from None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise ValueError(f"{self._path} is no journal of published DCV evidence")
        return found

    def add(self, entries: t.Sequence[Entry]) -> None:
        """Add the entries that are not there yet, and see that they are on the disk.

        Raises:
            OSError: it cannot be written; nothing must be published then.
            ValueError: it holds something else.
        """
        with self._locked():
            found = self.read()
            new = [entry for entry in entries if entry not in found]
            if new:
                self._write([*found, *new])

    def remove(self, entries: t.Sequence[Entry]) -> None:
        """Remove entries.

        Raises:
            OSError: it cannot be written.
            ValueError: it holds something else.
        """
        if not entries:
            return
        with self._locked():
            found = self.read()
            self._write([entry for entry in found if entry not in entries])

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        descriptor = os.open(self._path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, entries: t.Sequence[Entry]) -> None:
        """Put another file in its place: at each moment it is there, and whole."""
        new = self._path + ".new"
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as opened:
            json.dump(entries, opened, indent=1)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(new, self._path)
