# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-test on a copy of this tree: ``ansible_test.py COMMAND [ARGUMENT...]``, inside run.sh.

ansible-test insists on a folder ``ansible_collections/certops/issuance`` that is no link, so the tree is copied to
``.cache/stage``. What ansible-test leaves there (``tests/output``) stays for the next run.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.metadata
import os
import pathlib
import re
import shutil
import sys
import typing as t

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from environment import CACHE, HOME, TREE

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
    """What tells that a file was changed."""
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
    cache = HOME / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    core = importlib.metadata.distribution("ansible-core")
    listing = pathlib.Path(str(core.locate_file("ansible_test/_internal/python_requirements.py")))
    versions = set(re.findall(r"\bpip='([0-9.]+)'", listing.read_text(encoding="utf-8")))
    if not versions:
        raise RuntimeError(f"{listing} does not say which pip it wants")
    for version in versions:
        shutil.copyfile(TREE / "tests/tools/get_pip.py", cache / f"get_pip_{version.replace('.', '_')}.py")


def main() -> int:
    """Stage the tree for the ansible-core of this environment and run its ansible-test there."""
    if len(sys.argv) < 2:
        print("usage: ansible_test.py COMMAND [ARGUMENT...]", file=sys.stderr)
        return 2
    if sys.argv[1] in ("units", "integration") and "--requirements" in sys.argv and "--venv" not in sys.argv:
        print("--requirements without --venv would install into this machine's own interpreters", file=sys.stderr)
        return 2
    # Tests and their coverage share a copy; sanity has its own, so that it can run beside them.
    use = "sanity" if sys.argv[1] == "sanity" else "tests"
    name = f"{importlib.metadata.version('ansible-core')}-{sys.version_info[0]}.{sys.version_info[1]}-{use}"
    locks = CACHE / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    lock = os.open(locks / f"stage-{name}", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)  # ansible-test takes this process's place, and the copy is its own until it ends
    fcntl.flock(lock, fcntl.LOCK_EX)
    directory = stage(name)
    provide_pip()
    os.chdir(directory)
    # Told its root, ansible-test takes all files there; else it asks the git above, which ignores .cache.
    variables = {**os.environ, "ANSIBLE_TEST_CONTENT_ROOT": str(directory)}
    program = pathlib.Path(sys.executable).with_name("ansible-test")
    os.execve(program, [str(program), *sys.argv[1:]], variables)


if __name__ == "__main__":
    sys.exit(main())
