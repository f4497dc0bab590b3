# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories that stay the same however their paths change: opened once, used through the descriptor alone.

Where others may write on the way to a file, a path can lead elsewhere each time it is followed. Nothing here follows a
symbolic link, and nothing that is read is trusted to be a regular file or to be small.
"""

from __future__ import annotations

import errno
import os
import stat
import typing as t
from contextlib import contextmanager

#: Largest file that is read, in bytes. Certificates with their chains and keys are a hundredth of it.
MAX_FILE_SIZE = 1 << 20
#: Directories in directories that are removed; ours have none.
MAX_DEPTH = 32

_DIRECTORY = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Enough to go on from a directory that may not be listed, such as somebody's home.
_PASS = getattr(os, "O_PATH", os.O_RDONLY)
_NO_FILE = (errno.ELOOP, errno.ENXIO, errno.ENODEV)  # a symbolic link, a socket, a device without a driver


class Directory:
    """An open directory.

    Arguments:
        descriptor: of the directory; it belongs to this object from now on.
        path: for messages.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        self.descriptor = descriptor
        self.path = path

    @classmethod
    def root(cls) -> Directory:
        """The root of the file system, to go on from."""
        return cls(os.open(os.sep, _PASS | _DIRECTORY), os.sep)

    def __enter__(self) -> Directory:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the directory go."""
        os.close(self.descriptor)

    def join(self, name: str) -> str:
        """The path of an entry, for messages."""
        return os.path.join(self.path, name)

    @contextmanager
    def _naming(self, name: str = "") -> t.Iterator[None]:
        """Calls on descriptors do not name in their errors the whole path that they were about."""
        try:
            yield
        except OSError as exc:
            exc.filename = self.join(name) if name else self.path
            raise

    # -- reading ------------------------------------------------------------------------------------------------------

    def status(self, name: str | None = None) -> os.stat_result | None:
        """The status of the directory, or of an entry, which is not followed; None without such an entry."""
        if name is None:
            return os.fstat(self.descriptor)
        with self._naming(name):
            try:
                return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def is_directory(self, name: str) -> bool:
        """Whether an entry is a directory, and no link to one."""
        status = self.status(name)
        return status is not None and stat.S_ISDIR(status.st_mode)

    def names(self) -> list[str]:
        """The names of all entries."""
        with self._naming():
            return os.listdir(self.descriptor)

    def link_target(self, name: str) -> str | None:
        """Where a symbolic link points; None without such an entry, and for what is no link."""
        with self._naming(name):
            try:
                return os.readlink(name, dir_fd=self.descriptor)
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as exc:
                if exc.errno == errno.EINVAL:
                    return None
                raise

    def enter(self, name: str, to_list: bool = True) -> Directory:
        """Open a directory in this one.

        Arguments:
            name: of the entry.
            to_list: whether its names will be read; else it suffices that it may be passed.
        """
        with self._naming(name):
            flags = (os.O_RDONLY if to_list else _PASS) | _DIRECTORY
            return Directory(os.open(name, flags, dir_fd=self.descriptor), self.join(name))

    def find(self, name: str, to_list: bool = True) -> Directory | None:
        """As enter(); None without such an entry, and for what is no directory."""
        try:
            return self.enter(name, to_list)
        except OSError as exc:
            if exc.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                return None
            raise

    def may_hold(self, name: str, files: t.Container[str]) -> bool:
        """Whether an entry is a directory with nothing but these and hidden files in it, or is not there at all."""
        if self.status(name) is None:
            return True
        folder = self.find(name)
        if folder is None:
            return False
        with folder:
            return all(one in files or one.startswith(".") for one in folder.names())

    @contextmanager
    def open_file(self, name: str) -> t.Iterator[int | None]:
        """A descriptor of a regular file for reading; None for anything else, and without such an entry."""
        descriptor = None
        with self._naming(name):
            try:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                descriptor = os.open(name, flags, dir_fd=self.descriptor)
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as exc:
                if exc.errno not in _NO_FILE:
                    raise
        try:
            with self._naming(name):
                yield descriptor if descriptor is not None and is_regular(descriptor) else None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def read(self, name: str) -> bytes | None:
        """The content of a regular file; None when there is none, and when it is too large to be one of ours."""
        with self.open_file(name) as descriptor:
            return None if descriptor is None else read_bounded(descriptor)

    # -- writing ------------------------------------------------------------------------------------------------------

    def make_directory(self, name: str) -> bool:
        """Make a directory for its owner alone; returns whether it was missing."""
        with self._naming(name):
            try:
                os.mkdir(name, 0o700, dir_fd=self.descriptor)
            except FileExistsError:
                return False
        return True

    def create(self, name: str, content: bytes, finish: t.Callable[[int, str | None], None] | None = None) -> bool:
        """Write a new file, 0600 from its first byte, and make it durable.

        Arguments:
            name: of the entry.
            content: what to write.
            finish: sets attributes of the complete file, by its descriptor and name.

        Returns:
            Whether it can be read back as it was written.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._naming(name):
            descriptor = os.open(name, flags, 0o600, dir_fd=self.descriptor)
            try:
                written = 0
                while written < len(content):
                    written += os.write(descriptor, content[written:])
                if finish:
                    finish(descriptor, name)
                os.fsync(descriptor)
                os.lseek(descriptor, 0, os.SEEK_SET)
                return read_bounded(descriptor) == content
            finally:
                os.close(descriptor)

    def link(self, target: str, name: str) -> None:
        """Make a symbolic link."""
        with self._naming(name):
            os.symlink(target, name, dir_fd=self.descriptor)

    def rename(self, name: str, new_name: str) -> None:
        """Give an entry another name; what bears that name is replaced."""
        with self._naming(name):
            os.replace(name, new_name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def remove(self, name: str) -> None:
        """Remove an entry, if it is there, with all that is in it."""
        # Looking first: a read-only file system would complain about what is not there.
        if self.is_directory(name):
            self._remove_tree(name, MAX_DEPTH)
        elif self.status(name):
            with self._naming(name):
                os.unlink(name, dir_fd=self.descriptor)

    def _remove_tree(self, name: str, depth: int) -> None:
        if not depth:
            raise OSError(errno.ENAMETOOLONG, "too many directories in one another", self.join(name))
        with self.enter(name) as folder:
            for entry in folder.names():
                if folder.is_directory(entry):
                    folder._remove_tree(entry, depth - 1)
                else:
                    folder.remove(entry)
        self.remove_empty(name)

    def remove_empty(self, name: str) -> None:
        """Remove an empty directory."""
        with self._naming(name):
            os.rmdir(name, dir_fd=self.descriptor)

    def take_back(self) -> bool:
        """Let the directory belong to who runs, where it is not root's, and let nobody else write to it.

        Returns:
            Whether it was different.
        """
        status, user = os.fstat(self.descriptor), os.geteuid()
        given_away = status.st_uid not in (0, user)
        others_write = status.st_mode & stat.S_IWOTH or (
            status.st_mode & stat.S_IWGRP and status.st_gid != os.getegid()
        )
        if not (given_away or others_write):
            return False
        with self._naming():
            os.fchown(self.descriptor, user if given_away else -1, os.getegid())
            os.fchmod(self.descriptor, stat.S_IMODE(status.st_mode) & ~0o022)
        return True

    def sync(self) -> None:
        """Make the names in the directory durable."""
        try:
            with self._naming():
                os.fsync(self.descriptor)
        except OSError as exc:
            if exc.errno != errno.EINVAL:  # a file system that cannot sync directories
                raise


def read_file(path: str, max_size: int = MAX_FILE_SIZE) -> bytes:
    """The content of a file that may lie anywhere, also behind links.

    Raises:
        OSError: it cannot be read, is no regular file, or has more than max_size bytes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        content = read_bounded(descriptor, max_size) if is_regular(descriptor, max_size) else None
        if content is None:
            raise OSError(errno.EINVAL, "it is no regular file, or too large", path)
        return content
    finally:
        os.close(descriptor)


def is_regular(descriptor: int, max_size: int = MAX_FILE_SIZE) -> bool:
    """Whether it is a regular file, and small enough to be read."""
    status = os.fstat(descriptor)
    return stat.S_ISREG(status.st_mode) and status.st_size <= max_size


def read_bounded(descriptor: int, max_size: int = MAX_FILE_SIZE) -> bytes | None:
    """What can be read from a descriptor; None when it is more than max_size bytes."""
    content = bytearray()
    while len(content) <= max_size:
        chunk = os.read(descriptor, max_size + 1 - len(content))
        if not chunk:
            return bytes(content)
        content += chunk
    return None
