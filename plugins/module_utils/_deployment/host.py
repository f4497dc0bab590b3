# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment needs from Ansible on the target: attributes of files, and commands."""

from __future__ import annotations

import os
import shutil
import typing as t
from contextlib import contextmanager

from .commands import run_command
from .errors import WriteFailed

FILE, KEY, DIRECTORY = "file", "key", "directory"


class Host(t.Protocol):
    """The target as a deployment sees it."""

    def differs(self, path: str, kind: str) -> bool:
        """Whether owner, group or mode of an existing path are not as asked for its kind."""

    def apply(self, path: str, kind: str, final_path: str, like: t.Optional[str]) -> None:
        """Set owner, group and mode as asked for the kind, and the SELinux context.

        Arguments:
            path: what to set them on.
            kind: ``file``, ``key`` or ``directory``.
            final_path: where it will lie; the policy's context for it is the default.
            like: a path whose context is kept; None when there is none yet.
        """

    def finds(self, program: str) -> bool:
        """Whether there is such a program to run."""

    def run(self, command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> t.Tuple[int, str, str]:
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
    """

    def __init__(self, module: t.Any) -> None:
        self._module = module
        parameters = module.params
        self._owner, self._group = parameters["owner"], parameters["group"]
        self._modes = {
            FILE: parameters["mode"],
            KEY: parameters["key_mode"],
            DIRECTORY: parameters["dir_mode"],
        }

    def differs(self, path: str, kind: str) -> bool:
        """See Host."""
        check_mode, self._module.check_mode = self._module.check_mode, True
        try:
            return self._set(path, kind, [])
        finally:
            self._module.check_mode = check_mode

    def apply(self, path: str, kind: str, final_path: str, like: t.Optional[str]) -> None:
        """See Host."""
        context: t.List[t.Optional[str]] = []
        if self._module.selinux_enabled():
            kept = like is not None and os.path.exists(like)
            with self._errors_raised():
                context = (
                    self._module.selinux_context(like) if kept else self._module.selinux_default_context(final_path)
                )
        self._set(path, kind, context)

    def _set(self, path: str, kind: str, context: t.List[t.Optional[str]]) -> bool:
        wanted = {
            "path": path,
            "owner": self._owner,
            "group": self._group,
            "mode": self._modes[kind],
            "secontext": context,
            "attributes": None,
        }
        with self._errors_raised():
            return bool(self._module.set_fs_attributes_if_different(wanted, False, expand=False))

    @contextmanager
    def _errors_raised(self) -> t.Iterator[None]:
        """Ansible's helpers end the process on a failure; in the middle of a deployment it must be undone instead."""

        def fail_json(msg: str, **details: t.Any) -> t.NoReturn:
            raise WriteFailed("Setting the attributes of {0} failed: {1}".format(details.get("path", "a file"), msg))

        self._module.fail_json = fail_json
        try:
            yield
        finally:
            del self._module.fail_json

    def finds(self, program: str) -> bool:
        """See Host. Programs are also looked for where administrators' commands lie."""
        return (self._module.get_bin_path(program) or shutil.which(program)) is not None

    def run(self, command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> t.Tuple[int, str, str]:
        """See Host."""
        program = self._module.get_bin_path(command[0]) or command[0]
        return run_command([program, *command[1:]], self._module.params["command_timeout"], descriptors)
