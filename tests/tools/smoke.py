# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs a collection tarball into an empty folder and uses it there: ``smoke.py TARBALL``, under nox.

Ansible sees nothing but that folder, so whatever the tarball lacks is missing here too.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t

_COLLECTION = "certops.issuance"

#: Nothing listens there, so a question to this provider ends in a clear failure.
_NOWHERE = "https://127.0.0.1:9"


class Broken(Exception):
    """The installed collection does not do what it should; the text says what."""


def _run(folder: pathlib.Path, *command: str, expect: int = 0) -> str:
    """Run a command in ``folder`` and return its output."""
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(folder), "ANSIBLE_NOCOLOR": "true"}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    print(f"$ {' '.join(command)}\n{done.stdout[-500:]}{done.stderr[-2000:]}")
    if done.returncode != expect:
        raise Broken(f"exit code {done.returncode}, not {expect}, from {command[0]}")
    return done.stdout


def _ad_hoc(folder: pathlib.Path, module: str, arguments: t.Mapping[str, t.Any], expect: int = 0) -> dict[str, t.Any]:
    """Run one module on localhost and return its result."""
    output = _run(
        folder,
        *("ansible", "localhost", "--connection", "local", "--inventory", "localhost,"),
        *("--module-name", f"{_COLLECTION}.{module}", "--args", json.dumps(arguments)),
        expect=expect,
    )
    result: dict[str, t.Any] = json.loads(output[output.index("=> ") + len("=> ") :])
    return result


def check(tarball: pathlib.Path, folder: pathlib.Path) -> None:
    """Install the tarball into the folder and use every kind of thing in it."""
    _run(folder, "ansible-galaxy", "collection", "install", "--offline", "--collections-path", ".", str(tarball))
    for kind in ("module", "lookup", "test", "filter", "role"):
        listing = json.loads(_run(folder, "ansible-doc", "--json", "--list", "--type", kind, _COLLECTION))
        if not listing:
            raise Broken(f"ansible-doc finds no {kind}")
        if kind != "role":
            _run(folder, "ansible-doc", "--json", "--type", kind, *listing)

    found = _ad_hoc(folder, "certificate_info", {"path": str(folder / "no-such-lineage")})
    if found.get("exists") is not False:
        raise Broken(f"certificate_info says {found} of a path where nothing is")

    account = {"provider": "digicert", "api_url": _NOWHERE, "api_key": "smoke", "request_timeout": 2}
    refused = _ad_hoc(folder, "order_info", {**account, "order_ids": ["1"]}, expect=2)
    if refused.get("error_kind") != "unavailable":
        raise Broken(f"order_info of a provider that is not there says {refused}")


def main() -> int:
    """Check the tarball that the command line names."""
    with tempfile.TemporaryDirectory(prefix="smoke-") as folder:
        try:
            check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        except Broken as problem:
            print(problem, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
