# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment needs from Ansible on the target: attributes of files, and commands."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import typing as t
from contextlib import contextmanager
from types import SimpleNamespace

from .commands import run_command
from .errors import InvalidRequest, WriteFailed

FILE, KEY, DIRECTORY = "file", "key", "directory"

_MODE_OPTIONS = {FILE: "mode", KEY: "key_mode", DIRECTORY: "dir_mode"}
_HIGHEST_ID = 0xFFFFFFFE


class Host(t.Protocol):
    """The target as a deployment sees it."""

    def differs(self, path: str, kind: str) -> bool:
        """Whether owner, group or mode of an existing path are not as requested for its kind."""

    def apply(self, path: str, kind: str, final_path: str, like: str | None) -> None:
        """Set owner, group and mode as requested for the kind, and the SELinux context.

        Arguments:
            path: what to set them on.
            kind: ``file``, ``key`` or ``directory``.
            final_path: where it will lie; the policy's context for it is the default.
            like: a path whose context is kept; None when there is none yet.
        """

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
        InvalidRequest: there is no such owner or group, or a mode is none or cannot be meant.
    """

    def __init__(self, module: t.Any) -> None:
        self._module = module
        parameters = module.params
        self._owner, self._group = parameters["owner"], parameters["group"]
        self._modes = {kind: parameters[option] for kind, option in _MODE_OPTIONS.items()}
        _look_up("owner", "user", self._owner, pwd.getpwnam)
        _look_up("group", "group", self._group, grp.getgrnam)
        for kind, given in self._modes.items():
            if given is not None:
                self._check_mode(kind, given)

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
        else:
            if kind == KEY and mode & 0o004:
                self._module.warn(f"'key_mode' {given!r} lets every user of the target read the private key")
            return
        hint = f"; write it in quotes, '0{given}'" if isinstance(given, int) else ""
        shown = stat.filemode(mode)[1:]
        raise InvalidRequest(f"'{option}' is {given!r}, that is {shown}, {problem}{hint}")

    def _mode_of_new(self, kind: str, given: t.Any) -> int | None:
        """The mode that a new file or directory gets, as Ansible reads it; None where it would not."""
        if isinstance(given, int):
            return given
        try:
            return int(given, 8)
        except (TypeError, ValueError):
            new = SimpleNamespace(st_mode=stat.S_IFDIR | 0o700 if kind == DIRECTORY else stat.S_IFREG | 0o600)
        try:
            return t.cast(int, self._module._symbolic_mode_to_octal(new, given))
        except (AttributeError, TypeError, ValueError):
            return None

    def differs(self, path: str, kind: str) -> bool:
        """See Host."""
        check_mode, self._module.check_mode = self._module.check_mode, True
        try:
            return self._set(path, kind, [])
        finally:
            self._module.check_mode = check_mode

    def apply(self, path: str, kind: str, final_path: str, like: str | None) -> None:
        """See Host."""
        context: list[str | None] = []
        if self._module.selinux_enabled():
            kept = like is not None and os.path.exists(like)
            with self._errors_raised():
                context = (
                    self._module.selinux_context(like) if kept else self._module.selinux_default_context(final_path)
                )
        self._set(path, kind, context)

    def _set(self, path: str, kind: str, context: list[str | None]) -> bool:
        attributes = {
            "path": path,
            "owner": self._owner,
            "group": self._group,
            "mode": self._modes[kind],
            "secontext": context,
            "attributes": None,
        }
        requested = ", ".join(
            f"'{option}' {value!r}"
            for option, value in (
                ("owner", self._owner),
                ("group", self._group),
                (_MODE_OPTIONS[kind], attributes["mode"]),
            )
            if value is not None
        )
        with self._errors_raised(requested):
            return bool(self._module.set_fs_attributes_if_different(attributes, False, expand=False))

    @contextmanager
    def _errors_raised(self, requested: str = "the SELinux context") -> t.Iterator[None]:
        """Ansible's helpers end the process on a failure; in the middle of a deployment it must be undone instead."""

        def fail_json(msg: str, **details: t.Any) -> t.NoReturn:
            cause = details.get("details") or details.get("exception")
            raise WriteFailed(
                "Setting {0} of {1} failed: {2}{3}".format(
                    requested, details.get("path", "a file"), msg, f": {cause}" if cause else ""
                )
            )

        self._module.fail_json = fail_json
        try:
            yield
        finally:
            del self._module.fail_json

    def finds(self, program: str) -> bool:
        """See Host. Programs are also looked for where administrators' commands lie."""
        return (self._module.get_bin_path(program) or shutil.which(program)) is not None

    def run(self, command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
        """See Host."""
        program = self._module.get_bin_path(command[0]) or command[0]
        return run_command([program, *command[1:]], self._module.params["command_timeout"], descriptors)


def _look_up(option: str, what: str, name: str | None, by_name: t.Callable[[str], object]) -> None:
    """Refuse an owner or group that the target does not know; numbers need not be known."""
    if name is None:
        return
    try:
        known = 0 <= int(name) <= _HIGHEST_ID
    except ValueError:
        try:
            known = bool(by_name(name))
        except KeyError:
            known = False
    if not known:
        raise InvalidRequest(f"'{option}' is {name!r}, and the target has no such {what}")


def _is_odd(mode: int, kind: str) -> bool:
    """Whether nobody means such a mode, as it comes of ``600`` (01130) where ``0600`` was meant.

    It has special bits, lets somebody write who may not read, or gives others what the owner does not have.
    """
    owner, others = mode >> 6 & 7, (mode >> 3 & 7, mode & 7)
    special = mode & (0o5000 if kind == DIRECTORY else 0o7000)
    return bool(special) or any(who & 6 == 2 or who & ~owner for who in (owner, *others))
