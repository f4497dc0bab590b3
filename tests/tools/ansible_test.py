# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test on a copy of this tree: ``ansible_test.py [--copy NAME] COMMAND [ARGUMENT...]``, under nox.

ansible-test insists on a folder ``ansible_collections/certops/issuance`` that is no link, so the tree is copied to
``.cache/stage``, one copy for each ansible-core, Python and NAME. What ansible-test leaves there (``tests/output``)
stays for the next run. A run that found nothing to test is a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import importlib.metadata
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t

TREE = pathlib.Path(__file__).resolve().parents[2]
CACHE = TREE / ".cache"

#: Folders that are made by tools and are no part of the tree.
_MADE = re.compile(
    r"(.*/)?(__pycache__|\.cache|\.hypothesis|\.mypy_cache|\.pytest_cache|\.ruff_cache)|tests/output|"
    r"\.(ansible|git|venv)|build|benchmarks/results"
)


def _source_files() -> t.Iterator[pathlib.PurePath]:
    """The files of the tree, relative to it."""
    for folder, folders, files in os.walk(TREE):
        base = pathlib.PurePath(os.path.relpath(folder, TREE))
        folders[:] = [name for name in folders if not _MADE.fullmatch((base / name).as_posix())]
        yield from (base / name for name in files if not name.endswith((".pyc", ".tar.gz")))


def _traits(path: pathlib.Path) -> tuple[int, int, int]:
    """What differs when a file was changed."""
    status = path.lstat()
    return status.st_mtime_ns, status.st_size, status.st_mode


def stage(name: str) -> pathlib.Path:
    """Bring the copy ``name`` up to date with the tree and return its path."""
    target = CACHE / "stage" / name / "ansible_collections/certops/issuance"
    target.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for relative in _source_files():
        source, copy = TREE / relative, target / relative
        wanted.add(relative)
        with contextlib.suppress(FileNotFoundError):  # an editor's temporary file, gone again
            if not copy.exists() or _traits(copy) != _traits(source):
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, copy, follow_symlinks=False)
    for folder, _folders, files in os.walk(target, topdown=False):
        base = pathlib.PurePath(os.path.relpath(folder, target))
        if base.parts[:2] == ("tests", "output"):
            continue
        for name_ in files:
            if base / name_ not in wanted:
                (target / base / name_).unlink()
        with contextlib.suppress(OSError):  # not empty
            os.rmdir(folder)
    return target


def provide_pip() -> None:
    """Put our get-pip script where every supported ansible-test looks before it downloads one."""
    cache = pathlib.Path.home() / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    core = importlib.metadata.distribution("ansible-core")
    listing = pathlib.Path(str(core.locate_file("ansible_test/_internal/python_requirements.py")))
    versions = set(re.findall(r"\bpip='([0-9.]+)'", listing.read_text(encoding="utf-8")))
    if not versions:
        raise RuntimeError(f"{listing} does not say which pip it wants")
    for version in versions:
        shutil.copyfile(TREE / "tests/tools/get_pip.py", cache / f"get_pip_{version.replace('.', '_')}.py")


def provide_key() -> None:
    """Make the SSH key that each ansible-test would make, and ask about where another one has just done so."""
    key = pathlib.Path.home() / ".ansible/test/id_rsa"
    program = shutil.which("ssh-keygen")
    if program and not key.exists():
        subprocess.run([program, "-m", "PEM", "-q", "-t", "rsa", "-N", "", "-f", str(key)], check=True)


def main() -> int:
    """Stage the tree for the ansible-core of this environment and run its ansible-test there."""
    parser = argparse.ArgumentParser(prog="ansible_test.py", description="Run ansible-test on a copy of this tree.")
    parser.add_argument("--copy", default="tests", help="runs with different copies can go side by side")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of ansible-test")
    options = parser.parse_args()
    arguments: list[str] = options.arguments
    if {"units", "integration"} & set(arguments) and "--requirements" in arguments and "--venv" not in arguments:
        print("--requirements without --venv would install into this machine's own interpreters", file=sys.stderr)
        return 2
    version = importlib.metadata.version("ansible-core")
    name = f"{version}-{sys.version_info[0]}.{sys.version_info[1]}-{options.copy}"
    locks = CACHE / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / f"stage-{name}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        directory = stage(name)
        with (locks / "home").open("w") as home_lock:
            fcntl.flock(home_lock, fcntl.LOCK_EX)
            provide_pip()
            provide_key()
        # With its root given, ansible-test takes all files there; else it asks the git above, which ignores .cache.
        variables = {**os.environ, "ANSIBLE_TEST_CONTENT_ROOT": str(directory)}
        command = [str(pathlib.Path(sys.executable).with_name("ansible-test")), *arguments, "--color", "no"]
        # ansible-test ends well where it skips what cannot be tested.
        failures = ["All targets skipped", *(["ERROR: "] if "sanity" in arguments else [])]
        with subprocess.Popen(
            command, cwd=directory, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", pass_fds=[lock.fileno()],
        ) as process:  # fmt: skip
            failed = False
            for line in process.stdout or ():
                print(line, end="", flush=True)
                failed = failed or any(word in line for word in failures)
        return process.returncode or int(failed)


if __name__ == "__main__":
    sys.exit(main())
