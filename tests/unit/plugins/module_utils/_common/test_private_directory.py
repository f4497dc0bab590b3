# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""State of one user is kept where nobody else can have made or replaced it."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common import private_directory as under_test
from ansible_collections.certops.issuance.plugins.module_utils._common.private_directory import (
    lasting_directory,
    private_directory,
)


@pytest.fixture
def runtime(tmp_path: pathlib.Path) -> pathlib.Path:
    """A runtime directory as a login gives one."""
    made = tmp_path / "runtime"
    made.mkdir(mode=0o700)
    return made


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A home, and a temporary directory for what has no other place."""
    made = tmp_path / "home"
    made.mkdir(mode=0o755)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(under_test, "_own", None)
    monkeypatch.setattr(under_test, "_home", lambda: "")
    return made


def test_the_runtime_directory_comes_first_and_is_private(runtime: pathlib.Path, home: pathlib.Path) -> None:
    old = os.umask(0)
    try:
        path = private_directory({"XDG_RUNTIME_DIR": str(runtime), "HOME": str(home)})
    finally:
        os.umask(old)
    assert path == str(runtime / "certops-issuance")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    assert private_directory({"XDG_RUNTIME_DIR": str(runtime)}) == path


def test_the_cache_of_the_home_comes_next(home: pathlib.Path) -> None:
    assert private_directory({"HOME": str(home)}) == str(home / ".cache/certops-issuance")
    assert private_directory({"HOME": str(home), "XDG_CACHE_HOME": str(home)}) == str(home / "certops-issuance")
    # Other tools make it like this.
    (home / ".cache").chmod(0o755)
    assert private_directory({"HOME": str(home)}) == str(home / ".cache/certops-issuance")
    assert private_directory({"HOME": str(home), "XDG_RUNTIME_DIR": "relative"}) == str(
        home / ".cache/certops-issuance"
    )


def _as_link(path: pathlib.Path) -> None:
    (path.parent / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(path.parent / "elsewhere")


def _as_open_directory(path: pathlib.Path) -> None:
    path.mkdir()
    path.chmod(0o750)


def _as_file(path: pathlib.Path) -> None:
    path.write_text("", encoding="ascii")


def _as_directory_of_another(path: pathlib.Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to make a directory of somebody else's")
    path.mkdir(mode=0o700)
    os.chown(path, 4242, 4242)


PLACED = [_as_link, _as_open_directory, _as_file, _as_directory_of_another]


@pytest.mark.parametrize("place", PLACED)
def test_what_somebody_else_may_have_placed_there_is_not_used(
    runtime: pathlib.Path, home: pathlib.Path, place: t.Callable[[pathlib.Path], None]
) -> None:
    place(runtime / "certops-issuance")
    environment = {"XDG_RUNTIME_DIR": str(runtime), "HOME": str(home)}
    assert private_directory(environment) == str(home / ".cache/certops-issuance")
    (home / ".cache/certops-issuance").rmdir()
    place(home / ".cache/certops-issuance")
    path = pathlib.Path(private_directory(environment))
    assert path.parent == home.parent / "temporary"
    assert stat.S_IMODE(path.stat().st_mode) == 0o700 and path.stat().st_uid == os.geteuid()
    assert private_directory(environment) == str(path)


@pytest.mark.parametrize(("mode", "used"), [(0o777, False), (0o775, False), (0o1777, True), (0o755, True)])
@pytest.mark.parametrize("part", ["home", "home/.cache"])
def test_a_part_of_the_path_that_others_may_replace_is_not_used(
    home: pathlib.Path, part: str, mode: int, used: bool
) -> None:
    (home / ".cache").mkdir(mode=0o755)
    # The directories of the test itself are private, which would make everything below safe.
    opened = [home.parent, *home.parent.parents]
    before = [(path, stat.S_IMODE(path.stat().st_mode)) for path in opened if path.stat().st_uid == os.geteuid()]
    private = [(path, mode) for path, mode in before if not mode & 0o077]
    try:
        for path, _mode in private:
            path.chmod(0o755)
        (home.parent / part).chmod(mode)
        found = private_directory({"HOME": str(home)})
    finally:
        for path, old in private:
            path.chmod(old)
    assert (found == str(home / ".cache/certops-issuance")) is used


def test_below_a_private_directory_modes_do_not_matter(home: pathlib.Path) -> None:
    (home / ".cache").mkdir()
    (home / ".cache").chmod(0o777)
    home.chmod(0o700)
    assert private_directory({"HOME": str(home)}) == str(home / ".cache/certops-issuance")


def test_a_link_on_the_way_is_resolved_before_it_is_checked(runtime: pathlib.Path, home: pathlib.Path) -> None:
    (home / "link").symlink_to(runtime)
    assert private_directory({"XDG_RUNTIME_DIR": str(home / "link")}) == str(runtime / "certops-issuance")


def test_children_share_the_directory_of_their_parent_and_leave_it(home: pathlib.Path) -> None:
    path = private_directory({})
    child = multiprocessing.get_context("fork").Process(target=lambda: sys.exit(private_directory({}) != path))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert os.path.isdir(path)


def test_the_directory_of_a_process_goes_with_it(tmp_path: pathlib.Path) -> None:
    program = (
        "import os, runpy, sys\n"
        "found = runpy.run_path(sys.argv[1])['private_directory']({'HOME': '/proc/1/none'})\n"
        "assert os.path.isdir(found)\n"
        "print(found)\n"
    )
    # Without a home of its own in the user database either.
    program = "import pwd\npwd.getpwuid = dict().__getitem__\n" + program
    ended = subprocess.run(
        [sys.executable, "-c", program, under_test.__file__],
        env={"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert ended.stdout.startswith(str(tmp_path))
    assert not os.path.exists(ended.stdout.strip())


def test_what_must_last_outlives_the_session_of_the_user(tmp_path: pathlib.Path) -> None:
    runtime, cache = tmp_path / "runtime", tmp_path / "cache"
    for folder in (runtime, cache):
        folder.mkdir(mode=0o700)
    found = lasting_directory({"XDG_RUNTIME_DIR": str(runtime), "XDG_CACHE_HOME": str(cache)})
    assert pathlib.Path(found).parent == cache.resolve()
