# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory in which the processes of one user share state: request budgets, locks, collected certificates.

Private to this collection. Nobody else may have made it, nor be able to replace it: what lies in it is believed.
"""

from __future__ import annotations

import atexit
import errno
import os
import pwd
import shutil
import stat
import tempfile
import typing as t

_NAME = "certops-issuance"
#: The directory of this process alone, where no other could be had, and the process that made it.
_own: tuple[int, str] | None = None


def private_directory(environment: t.Mapping[str, str] | None = None) -> str:
    """The first of these that is this user's alone, made where it is missing: below ``XDG_RUNTIME_DIR``, below
    ``XDG_CACHE_HOME`` or ``~/.cache``, and one for this process and its children, which is removed when it ends.

    Raises:
        OSError: when not even the last can be made.
    """
    for parent in _parents(os.environ if environment is None else environment):
        try:
            return _make_private(parent)
        except OSError:
            # Missing, read-only, or somebody else's: the next one serves as well.
            continue
    return _own_directory()


def lasting_directory(environment: t.Mapping[str, str] | None = None) -> str:
    """As private_directory, for what must outlast the session: a new start or a logout empties ``XDG_RUNTIME_DIR``, and
    cron has none.

    Raises:
        OSError: when none can be made.
    """
    known = os.environ if environment is None else environment
    return private_directory({name: value for name, value in known.items() if name != "XDG_RUNTIME_DIR"})


def _parents(environment: t.Mapping[str, str]) -> list[str]:
    caches = [environment.get("XDG_CACHE_HOME") or ""]
    # Under sudo and become, HOME may still be that of somebody else.
    caches += [os.path.join(home, ".cache") for home in (environment.get("HOME") or "", _home()) if home]
    # A relative path would be another directory for each working directory; the specification has it ignored.
    return [path for path in (environment.get("XDG_RUNTIME_DIR") or "", *caches) if os.path.isabs(path)]


def _home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        # A user id of a container, which no user has.
        return ""


def _make_private(parent: str) -> str:
    """Make and check the directory below this parent.

    Raises:
        OSError: when it cannot be made or used, or when somebody else could put another in its place.
    """
    # No part of the path is followed twice: what is checked here is what every later call finds.
    parent = os.path.realpath(parent)
    if not os.path.isdir(parent):
        # Below the home of this user; its mode is the one that the specification asks for.
        os.mkdir(parent, 0o700)
    _check_ancestors(parent)
    path = os.path.join(parent, _NAME)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise OSError(errno.EPERM, "not a private directory of this user", path)
    if not os.access(path, os.W_OK | os.X_OK):
        raise OSError(errno.EACCES, "cannot be written", path)
    return path


def _check_ancestors(path: str) -> None:
    problem = None
    while True:
        found = os.lstat(path)
        mode, owner = stat.S_IMODE(found.st_mode), found.st_uid
        if owner == os.geteuid() and not mode & 0o077:
            # Nobody else comes to what is below.
            problem = None
        elif (
            not stat.S_ISDIR(found.st_mode)
            or owner not in (0, os.geteuid())
            or mode & 0o022
            and not mode & stat.S_ISVTX
        ):
            problem = path
        parent = os.path.dirname(path)
        if parent == path:
            break
        path = parent
    if problem is not None:
        raise OSError(errno.EPERM, "somebody else may put another directory in its place", problem)


def _own_directory() -> str:
    global _own
    # A child that was forked goes on with the directory of its parent, who removes it.
    if _own is None or not os.path.isdir(_own[1]):
        _own = os.getpid(), tempfile.mkdtemp(prefix=_NAME + "-")
        atexit.register(_remove, *_own)
    return _own[1]


def _remove(owner: int, path: str) -> None:
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)
