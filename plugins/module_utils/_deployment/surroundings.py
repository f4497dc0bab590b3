# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from the root of the file system to a lineage, one directory at a time, and who may change it."""

from __future__ import annotations

import errno
import os
import pwd
import stat
import typing as t

from .directory import Directory
from .errors import UnsafePath

#: Symbolic links on the way; the kernel allows as many.
MAX_LINKS = 40


class Surroundings:
    """The directories above a lineage.

    Arguments:
        path: the lineage directory, absolute and without dots.
        is_lineage: whether a directory on the way is a lineage itself.

    Raises:
        OSError: a directory on the way cannot be passed.
    """

    def __init__(self, path: str, is_lineage: t.Callable[[Directory], bool]) -> None:
        self._path = path
        self._is_lineage = is_lineage
        self._links = 0
        self._refusal: str | None = None
        self._warnings: dict[str, None] = {}
        self._made: list[tuple[Directory, str]] = []
        self._opened: list[Directory] = []
        #: The path of the lineage in which the path lies; None almost always.
        self.outer: str | None = None
        #: The names of the directories that are missing above the lineage.
        self.missing: list[str] = []
        #: The last directory that is there.
        self.folder = Directory.root()
        try:
            self._judge()
            self._pass(os.path.dirname(path).split(os.sep))
        except NotADirectoryError as exc:
            self.close()
            exc.filename = path
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let all directories go."""
        for folder in (self.folder, *self._opened):
            folder.close()
        self._opened, self._made = [], []

    def require_safe(self, warn: t.Callable[[str], None]) -> None:
        """Refuse a path that everybody can make lead elsewhere, and warn of who else can.

        Arguments:
            warn: takes one sentence.

        Raises:
            UnsafePath: everybody may replace a directory on the way.
        """
        if self._refusal:
            raise UnsafePath(self._refusal)
        for warning in self._warnings:
            warn(warning)

    # -- passing ------------------------------------------------------------------------------------------------------

    def _pass(self, names: t.Sequence[str]) -> None:
        names = [name for name in names if name not in ("", os.curdir)]
        for position, name in enumerate(names):
            status = self.folder.status(name)
            if status is None:
                self.missing = list(names[position:])
                return
            if stat.S_ISLNK(status.st_mode):
                self._follow(name, status, names[position + 1 :])
                return
            self._go_to(self.folder.enter(name, to_list=False))
            self._judge()

    def _follow(self, name: str, status: os.stat_result, rest: t.Sequence[str]) -> None:
        """Go on where a symbolic link points; who owns the link decides where that is."""
        self._links += 1
        if self._links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.folder.join(name))
        if not _is_ours(status):
            self._warn(self.folder.join(name), f"belongs to {_user(status.st_uid)}")
        target = self.folder.link_target(name) or ""
        if os.path.isabs(target):
            self._go_to(Directory.root())
        self._pass([*target.split(os.sep), *rest])

    def _go_to(self, folder: Directory) -> None:
        self.folder.close()
        self.folder = folder
        folder.path = os.path.normpath(folder.path)  # without ..: there is no link in it

    # -- judging ------------------------------------------------------------------------------------------------------

    def _judge(self) -> None:
        """Look at the directory that was just entered."""
        path, status = self.folder.path, os.fstat(self.folder.descriptor)
        if self._is_lineage(self.folder):
            self.outer = path
        sticky = bool(status.st_mode & stat.S_ISVTX)  # entries of others cannot be replaced there
        if status.st_mode & stat.S_IWOTH and not sticky:
            self._refusal = self._refusal or (
                f"Everybody may write to {path}, and so replace the lineage {self._path} below it; take that "
                f"permission away (chmod o-w {path}), or give a directory elsewhere"
            )
        elif not _is_ours(status):
            self._warn(path, f"belongs to {_user(status.st_uid)}")
        elif status.st_mode & stat.S_IWGRP and not sticky:
            self._warn(path, f"may be written by the group {status.st_gid}")

    def _warn(self, path: str, problem: str) -> None:
        advice = f"let it belong to root and take 'write' from group and others (chown root {path}; chmod go-w {path})"
        self._warnings[
            f"{path} {problem}, who can replace the lineage {self._path} below it; {advice}, or give a directory "
            "elsewhere"
        ] = None

    # -- making -------------------------------------------------------------------------------------------------------

    def make_missing(self, name: str) -> Directory:
        """Make the directories that are missing and the lineage's, 0755, and open the last one.

        Arguments:
            name: of the lineage's own directory.

        Raises:
            UnsafePath: somebody else made one of them meanwhile.
            OSError: one cannot be made; those made before are removed again.
        """
        folder = self.folder
        try:
            for missing in (*self.missing, name):
                made = folder.make_directory(missing)
                entered = folder.enter(missing)
                if missing is not name:
                    self._opened.append(entered)
                if made:
                    self._made.append((folder, missing))
                if not _is_ours(os.fstat(entered.descriptor)):
                    raise UnsafePath(f"{entered.path} belongs to somebody else, who has just made it")
                if made:
                    os.fchmod(entered.descriptor, 0o755)
                    with folder.enter(os.curdir) as listed:
                        listed.sync()
                folder = entered
        except (OSError, UnsafePath):
            self.remove_made()
            raise
        return folder

    def remove_made(self) -> None:
        """Remove the directories that were made, innermost first, as far as they are empty."""
        while self._made:
            folder, name = self._made.pop()
            try:
                folder.remove_empty(name)
            except FileNotFoundError:
                continue
            except OSError:  # not empty, or the failure that is being reported: an empty directory does no harm
                return


def require_writable(path: str) -> None:
    """Look whether something could be made in a directory, or in the first one above it that is there.

    Raises:
        OSError: it could not.
    """
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    if not os.access(path, os.W_OK | os.X_OK):
        code = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(code, os.strerror(code), path)


def _is_ours(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.geteuid())


def _user(uid: int) -> str:
    try:
        return f"the user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user {uid}"
