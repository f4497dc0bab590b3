# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target for the tests: a lineage directory with real files, and a host without Ansible."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import traceback
import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._deployment.deploy import deploy
from ansible_collections.certops.issuance.plugins.module_utils._deployment.host import (
    DIRECTORY,
    FILE,
    KEY,
    RECORD_FILE,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

NAME = "www.example.com"


class PlainHost:
    """A target without Ansible: real files and real commands."""

    def __init__(self) -> None:
        self.modes = {FILE: 0o644, KEY: 0o600, RECORD_FILE: 0o644, DIRECTORY: 0o755}
        self.warnings: list[str] = []
        self.commands: list[t.Sequence[str]] = []
        self.on_command: t.Callable[[t.Sequence[str]], None] | None = None

    def differs(self, descriptor: int, kind: str) -> bool:
        return os.fstat(descriptor).st_mode & 0o7777 != self.modes[kind]

    def apply(self, descriptor: int, kind: str, path: str, like: int | None) -> None:
        os.fchmod(descriptor, self.modes[kind])

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def finds(self, program: str) -> bool:
        return shutil.which(program) is not None

    def run(self, command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
        if command[0] != "openssl":
            self.commands.append(command)
            if self.on_command:
                self.on_command(command)
        if command[0] == "true":
            return 0, "", ""
        done = subprocess.run(command, pass_fds=descriptors, capture_output=True, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()


class Target:
    """A lineage directory, the PKI, and the last options used."""

    def __init__(self, path: pathlib.Path, world: pki.World) -> None:
        self.path = path
        self.world = world
        self.host = PlainHost()
        self.lock_timeout = 10.0  # seconds
        self.ca_path = path.parent / "root.pem"
        self.ca_path.write_text(world.root.pem)

    def options(self, certificate: t.Any = None, **changes: t.Any) -> dict[str, t.Any]:
        options: dict[str, t.Any] = {
            "path": str(self.path),
            "certificate": pki.pem(certificate) if certificate else None,
            "chain": self.world.intermediate.pem,
            "private_key": self.world.key_pem,
            "private_key_path": None,
            "certificate_path": None,
            "chain_path": None,
            "names": [NAME],
            "trust": "system",
            "ca_path": str(self.ca_path),
            "files": ["cert", "chain", "fullchain", "privkey"],
            "pkcs12_password": None,
            "key_format": "original",
            "placeholder": False,
            "validate_commands": [],
            "reload_commands": [],
            "probes": [],
            "probe_timeout": 5.0,
            "keep_versions": 3,
            "allow_older": False,
            "lock_timeout": self.lock_timeout,
            "remove_request": False,
        }
        options.update(changes)
        return options

    def deploy(self, certificate: t.Any = None, check_mode: bool = False, **changes: t.Any) -> dict[str, t.Any]:
        return deploy(self.options(certificate, **changes), self.host, check_mode=check_mode)

    def read(self, name: str) -> str:
        return (self.path / "current" / name).read_text()

    def versions(self) -> list[str]:
        return sorted(os.listdir(self.path / "versions"))

    def tree(self) -> dict[str, t.Any]:
        """Everything in the lineage: mode, times of change, and content or link."""
        found: dict[str, t.Any] = {}
        for path in sorted([self.path, *self.path.rglob("*")]) if self.path.exists() else []:
            status = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
            found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ino, content)
        return found


def in_background(work: t.Callable[[], t.Any]) -> int:
    """Do the work in a process of its own, which never goes on as pytest; returns its id.

    Its exit code is 0 if all went well.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child
