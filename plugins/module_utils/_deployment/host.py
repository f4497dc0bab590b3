# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment needs from Ansible on the target: attributes of files, and commands."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import shutil
import stat
import typing as t
from types import SimpleNamespace

from .acl import read_mode, set_mode
from .commands import run_command
from .errors import InvalidRequest, WriteFailed

FILE, KEY, RECORD_FILE, DIRECTORY = "file", "key", "record", "directory"

_MODE_OPTIONS = {FILE: "mode", KEY: "key_mode", DIRECTORY: "dir_mode"}
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_CONTEXT = "security.selinux"  # the extended attribute; its text ends with a NUL byte
_MAX_ID = 0xFFFFFFFE
_STILL_TO_BE_MADE = -1  # the id of nobody: what is there belongs to another


class Host(t.Protocol):
    """The target as a deployment sees it."""

    def differs(self, descriptor: int, kind: str) -> bool:
        """Whether owner, group or mode of what is open are not as requested for its kind."""

    def apply(self, descriptor: int, kind: str, path: str, like: int | None) -> None:
        """Set owner, group and mode as requested for the kind, the SELinux context, and the access control list.

        Arguments:
            descriptor: of what to set them on.
            kind: ``file``, ``key``, ``record`` or ``directory``.
            path: where it will lie; the policy's context for it is the default.
            like: a descriptor of what context and access control list are kept of; None when there is none yet.

        Raises:
            WriteFailed: they cannot be set.
        """

    def warn(self, message: str) -> None:
        """Show the user a sentence about something that does not stop the deployment."""

    def finds(self, program: str) -> bool:
        """Whether there is such a program to run."""

    def run(self, command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
        """Run a command without a shell; returns exit code, standard output and standard error.

        Raises:
            TimeoutError: it did not end in time.
            OSError: it cannot be started.
        """


class AnsibleHost:
    """The target through an ``AnsibleModule``.

    Arguments:
        module: the module; its parameters give ``owner``, ``group``, ``mode``, ``key_mode`` and
            ``dir_mode``, and ``command_timeout`` in seconds.

    Raises:
        InvalidRequest: there is no such owner or group, or a mode is none or cannot be meant. In check mode an earlier
            task may make the owner and the group; then it is a warning.
    """

    def __init__(self, module: t.Any) -> None:
        self._module = module
        parameters = module.params
        self._given = {"owner": parameters["owner"], "group": parameters["group"]}
        self._uid = self._look_up("owner", "user", lambda name: pwd.getpwnam(name).pw_uid)
        self._gid = self._look_up("group", "group", lambda name: grp.getgrnam(name).gr_gid)
        self._modes: dict[str, int | None] = {}
        for kind, option in _MODE_OPTIONS.items():
            given = self._given[option] = parameters[option]
            if given is not None:
                self._check_mode(kind, given)
            self._modes[kind] = None if given is None else self._mode_of_new(kind, given)

    def _look_up(self, option: str, what: str, by_name: t.Callable[[str], int]) -> int | None:
        """The number of an owner or group; None where none is requested, and -1 for one that is still to be made.

        Raises:
            InvalidRequest: the target does not know it; numbers need not be known.
        """
        name = self._given[option]
        if name is None:
            return None
        try:
            number = int(name)
        except ValueError:
            try:
                return by_name(name)
            except KeyError:
                if self._module.check_mode:
                    self.warn(
                        f"'{option}' is {name!r}, and the target has no such {what} yet; the deployment would need it"
                    )
                    return _STILL_TO_BE_MADE
                number = -1
        if not 0 <= number <= _MAX_ID:
            raise InvalidRequest(f"'{option}' is {name!r}, and the target has no such {what}")
        return number

    def _check_mode(self, kind: str, given: t.Any) -> None:
        option, mode = _MODE_OPTIONS[kind], self._mode_of_new(kind, given)
        if mode is None or mode != stat.S_IMODE(mode):
            raise InvalidRequest(
                f"'{option}' is {given!r}; give an octal number in quotes, such as '0640', or a symbolic mode, such as "
                "'u=rw,g=r'"
            )
        if kind == KEY and mode & 0o033:
            problem = "and nobody but its owner may write or execute a private key"
        elif _is_odd(mode, kind):
            problem = "which cannot be meant"
        elif kind == DIRECTORY and mode & stat.S_IWOTH:
            problem = "which lets every user of the target replace the private key"
        else:
            if kind == KEY and mode & 0o004:
                self.warn(f"'key_mode' {given!r} lets every user of the target read the private key")
            return
        hint = f"; write it in quotes, '0{given}'" if isinstance(given, int) else ""
        shown = stat.filemode(mode)[1:]
        raise InvalidRequest(f"'{option}' is {given!r}, that is {shown}, {problem}{hint}")

    def _mode_of_new(self, kind: str, given: t.Any) -> int | None:
        """The mode that a new file or directory gets, as Ansible reads it; None where it would not."""
        if isinstance(given, int) and not isinstance(given, bool):
            return given
        try:
            return int(given, 8)
        except (TypeError, ValueError):
            new = SimpleNamespace(st_mode=stat.S_IFDIR | 0o700 if kind == DIRECTORY else stat.S_IFREG | 0o600)
        try:
            return t.cast(int, self._module._symbolic_mode_to_octal(new, given))
        except (AttributeError, TypeError, ValueError):
            return None

    def warn(self, message: str) -> None:
        """See Host."""
        self._module.warn(message)

    def _requested(self, kind: str, status: os.stat_result) -> tuple[int | None, int | None, int | None]:
        """Owner, group and mode for a kind; None for what is left as it is.

        Directories and version.json belong to root or to who runs, so that nobody else can replace what lies in them.
        """
        ours = status.st_uid if status.st_uid == 0 else os.geteuid()
        if kind == DIRECTORY:
            return ours, self._group_of_directories(), self._modes[DIRECTORY]
        if kind == RECORD_FILE:
            mode = self._modes[FILE]
            return ours, None, None if mode is None else mode & ~_OTHERS_WRITE
        return self._uid, self._gid, self._modes[kind]

    def _group_of_directories(self) -> int | None:
        """The group that directories belong to: the requested one only where it may pass them, others not, nor write.

        None where no group is requested, and any will do.
        """
        mode = self._modes[DIRECTORY] or 0
        if mode & stat.S_IWGRP:
            return os.getegid()
        if self._gid is None:
            return None
        lets_group_pass = (mode >> 3 & 0o5) & ~(mode & 0o5)
        return self._gid if lets_group_pass else os.getegid()

    def differs(self, descriptor: int, kind: str) -> bool:
        """See Host."""
        status = os.fstat(descriptor)
        found = (status.st_uid, status.st_gid, read_mode(descriptor))
        return any(value not in (None, other) for value, other in zip(self._requested(kind, status), found))

    def apply(self, descriptor: int, kind: str, path: str, like: int | None) -> None:
        """See Host."""
        status = os.fstat(descriptor)
        uid, gid, mode = self._requested(kind, status)
        try:
            if uid not in (None, status.st_uid) or gid not in (None, status.st_gid):
                os.fchown(descriptor, -1 if uid is None else uid, -1 if gid is None else gid)
            if self._module.selinux_enabled():
                self._set_context(descriptor, path, like)
            if mode is not None:
                set_mode(descriptor, mode, like)
        except OSError as exc:
            options = ("owner", "group", _MODE_OPTIONS.get(kind, "mode"))
            given = ", ".join(f"'{name}' {self._given[name]!r}" for name in options if self._given[name] is not None)
            raise WriteFailed(f"Setting {given or 'the attributes'} of {path} failed: {exc.strerror}") from exc

    def _set_context(self, descriptor: int, path: str, like: int | None) -> None:
        """Set the SELinux context through the descriptor: that of another file, or the policy's for the path."""
        if like is not None:
            context = _context(like)
        else:
            parts = self._module.selinux_default_context(path)
            context = b"" if None in parts else ":".join(parts).encode("utf-8") + b"\0"
        if context and context != _context(descriptor):
            os.setxattr(descriptor, _CONTEXT, context)

    def finds(self, program: str) -> bool:
        """See Host. Programs are also looked for where administrators' commands lie."""
        return (self._module.get_bin_path(program) or shutil.which(program)) is not None

    def run(self, command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
        """See Host."""
        program = self._module.get_bin_path(command[0]) or command[0]
        return run_command([program, *command[1:]], self._module.params["command_timeout"], descriptors)


def _context(descriptor: int) -> bytes:
    """The SELinux context of what is open; empty where the file system has none."""
    try:
        return os.getxattr(descriptor, _CONTEXT)
    except OSError as exc:
        if exc.errno in (errno.ENODATA, errno.ENOTSUP):
            return b""
        raise


def _is_odd(mode: int, kind: str) -> bool:
    """Whether nobody means such a mode, as it comes of ``600`` (01130) where ``0600`` was meant.

    It has special bits, lets somebody write who may not read, or gives others what the owner does not have.
    """
    owner, others = mode >> 6 & 7, (mode >> 3 & 7, mode & 7)
    special = mode & (0o5000 if kind == DIRECTORY else 0o7000)
    return bool(special) or any(who & 6 == 2 or who & ~owner for who in (owner, *others))
