# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the real Python interpreters of a machine, past virtual environments and the shims of interpreter managers.

Shims break ansible-test and slow every module start. So each candidate is asked for its base prefix, and the
interpreter of that prefix is the one that counts.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import json
import os
import pathlib
import subprocess
import typing as t

#: The versions that matter: targets from 3.8 on, controllers from 3.11 on.
VERSIONS = [(3, minor) for minor in range(8, 16)]

_QUESTION = """
import importlib.util, json, os, sys
found = lambda name: importlib.util.find_spec(name) is not None
print(json.dumps([sys.version_info[:2], sys.base_prefix, found("venv") and found("ensurepip")]))
"""


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A real interpreter. ``makes_venvs`` is false where the distribution packages venv or ensurepip apart."""

    version: tuple[int, int]
    path: pathlib.Path
    makes_venvs: bool

    @property
    def name(self) -> str:
        """The version as people write it, such as ``3.12``."""
        return f"{self.version[0]}.{self.version[1]}"


def _managed() -> t.Iterator[pathlib.Path]:
    """The ``bin`` folders in which interpreter managers keep what they installed."""
    home = pathlib.Path.home()
    data = pathlib.Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    for variable, default, pattern in (
        ("PYENV_ROOT", home / ".pyenv", "versions/*/bin"),
        ("ASDF_DATA_DIR", home / ".asdf", "installs/python/*/bin"),
        ("MISE_DATA_DIR", data / "mise", "installs/python/*/bin"),
        ("UV_PYTHON_INSTALL_DIR", data / "uv/python", "*/bin"),
    ):
        yield from sorted(pathlib.Path(os.environ.get(variable) or default).glob(pattern), reverse=True)


def _ask(candidate: pathlib.Path) -> Interpreter | None:
    """What the candidate says of itself, or nothing when it does not run (a shim without its Python, say)."""
    try:
        answer = subprocess.run(
            [candidate, "-I", "-c", _QUESTION], capture_output=True, text=True, check=True, timeout=30, cwd="/"
        )
        version, prefix, makes_venvs = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    real = pathlib.Path(prefix, "bin", f"python{version[0]}.{version[1]}")
    return Interpreter((version[0], version[1]), real, makes_venvs) if real.is_file() else None


@functools.cache
def find() -> tuple[Interpreter, ...]:
    """Every real interpreter, one per version, oldest first. One that makes virtual environments is preferred."""
    names = [f"python{major}.{minor}" for major, minor in VERSIONS] + ["python3"]
    folders = [pathlib.Path(entry) for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry]
    candidates = dict.fromkeys(
        folder / name for folder in [*folders, *_managed()] for name in names if os.access(folder / name, os.X_OK)
    )
    found: dict[tuple[int, int], Interpreter] = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        for interpreter in pool.map(_ask, candidates):
            if interpreter is None or interpreter.version not in VERSIONS:
                continue
            known = found.get(interpreter.version)
            if known is None or (interpreter.makes_venvs and not known.makes_venvs):
                found[interpreter.version] = interpreter
    return tuple(found[version] for version in sorted(found))


def find_version(name: str) -> Interpreter | None:
    """The real interpreter of a version such as ``3.12``, or nothing."""
    return next((interpreter for interpreter in find() if interpreter.name == name), None)


def search_path() -> str:
    """PATH without the managers' shims, and with the folders of real interpreters that it lacks put first."""
    kept = [
        entry
        for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if entry and pathlib.Path(entry).name != "shims"
    ]
    real = [str(interpreter.path.parent) for interpreter in reversed(find())]
    return os.pathsep.join(dict.fromkeys([*(folder for folder in real if folder not in kept), *kept]))


if __name__ == "__main__":
    for each in find():
        print(each.name, each.path, "" if each.makes_venvs else "(cannot make virtual environments)")
