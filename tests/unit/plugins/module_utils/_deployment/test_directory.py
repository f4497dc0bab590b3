# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that are used through their descriptors."""

from __future__ import annotations

import errno
import os
import pathlib
import shutil
import stat
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment import directory
from ansible_collections.certops.issuance.plugins.module_utils._deployment.directory import (
    MAX_FILE_SIZE,
    Directory,
    read_file,
)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> t.Iterator[Directory]:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("content")
    (tmp_path / "link").symlink_to("real")
    with Directory.root() as root:
        opened = root
        for name in tmp_path.parts[1:]:
            entered = opened.enter(name, to_list=False)
            if opened is not root:
                opened.close()
            opened = entered
    with opened.enter(os.curdir) as listed:
        listed.path = str(tmp_path)
        yield listed
    opened.close()


@pytest.mark.parametrize("to_list", [True, False])
def test_link_is_not_entered(folder: Directory, to_list: bool) -> None:
    with pytest.raises(NotADirectoryError) as failure:
        folder.enter("link", to_list)
    assert failure.value.filename == os.path.join(folder.path, "link")
    assert folder.find("link", to_list) is None
    assert folder.find("none", to_list) is None
    assert not folder.is_directory("link")
    found = folder.find("real", to_list)
    assert found is not None and found.path == os.path.join(folder.path, "real")
    found.close()


def test_directory_that_was_moved_is_still_used(folder: Directory, tmp_path: pathlib.Path) -> None:
    with folder.enter("real") as real:
        (tmp_path / "real").rename(tmp_path / "aside")
        (tmp_path / "real").mkdir()
        assert real.create("new", b"content") is True
        real.rename("new", "newer")
        real.link("newer", "link")
        assert real.make_directory("inner") is True
        assert real.make_directory("inner") is False
        assert sorted(real.names()) == sorted(os.listdir(tmp_path / "aside"))
        assert real.read("newer") == b"content"
    assert os.listdir(tmp_path / "real") == []
    assert stat.S_IMODE((tmp_path / "aside" / "newer").stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["missing", "link", "link to nothing", "fifo", "directory", "too large"])
def test_what_is_no_regular_file_is_not_read(folder: Directory, tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "planted"
    if kind == "link":
        path.symlink_to("real/file")
    elif kind == "link to nothing":
        path.symlink_to("nothing")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "too large":
        path.write_bytes(b"x" * (MAX_FILE_SIZE + 1))
    with folder.open_file("planted") as descriptor:
        assert descriptor is None
    assert folder.read("planted") is None
    if kind == "link":
        assert read_file(str(path)) == b"content"
    else:
        with pytest.raises(OSError):
            read_file(str(path))


def test_file_that_grows_while_it_is_read(folder: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "is_regular", lambda _descriptor: True)
    assert folder.create("large", b"x" * (MAX_FILE_SIZE + 1)) is False
    assert folder.read("large") is None


def test_nothing_that_exists_is_written_over(folder: Directory, tmp_path: pathlib.Path) -> None:
    (tmp_path / "dangling").symlink_to("real/elsewhere")
    for name in ("dangling", "link", "real"):
        with pytest.raises(FileExistsError):
            folder.create(name, b"content")
    assert os.listdir(tmp_path / "real") == ["file"]


@pytest.mark.parametrize("name", ["link", "dangling", "tree", "none"])
def test_removing_follows_no_link(folder: Directory, tmp_path: pathlib.Path, name: str) -> None:
    (tmp_path / "dangling").symlink_to("nothing")
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "file").touch()
    (tmp_path / "tree" / "inner" / "link").symlink_to("../../real")
    folder.remove(name)
    assert not os.path.lexists(tmp_path / name)
    assert (tmp_path / "real" / "file").read_text() == "content"


def test_tree_that_is_swapped_for_a_link_while_it_is_removed(
    folder: Directory, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    is_directory = Directory.is_directory

    def swap(self: Directory, name: str) -> bool:
        found = is_directory(self, name)
        if name == "tree":
            shutil.rmtree(tmp_path / "tree")
            (tmp_path / "tree").symlink_to("real")
        return found

    monkeypatch.setattr(Directory, "is_directory", swap)
    with pytest.raises(OSError) as failure:
        folder.remove("tree")
    assert failure.value.errno == errno.ENOTDIR
    assert (tmp_path / "real" / "file").exists()


def test_errors_name_the_whole_path(folder: Directory, tmp_path: pathlib.Path) -> None:
    for call in (
        lambda: folder.rename("none", "new"),
        lambda: folder.remove_empty("none"),
        lambda: folder.enter("none"),
    ):
        with pytest.raises(FileNotFoundError) as failure:
            call()
        assert failure.value.filename == str(tmp_path / "none")


def test_directories_of_who_runs_are_left_as_they_are(folder: Directory, tmp_path: pathlib.Path) -> None:
    for mode in (0o700, 0o755, 0o775, 0o2775):
        (tmp_path / "real").chmod(mode)
        os.chown(tmp_path / "real", -1, os.getegid())
        (tmp_path / "real").chmod(mode)
        with folder.enter("real") as real:
            real.take_back()
        assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == mode
    (tmp_path / "real").chmod(0o777)
    with folder.enter("real") as real:
        real.take_back()
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o755
