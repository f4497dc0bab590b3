# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lineage on disk: its versions, the record of each version, the ``current`` link and the journal.

Layout below the lineage directory::

    current -> versions/2-0A1B2C     replaced by one rename; services point at current/...
    versions/2-0A1B2C/               cert.pem, chain.pem, ..., version.json: records.FILE_NAMES
    .journal.json                    there while a deployment is under way, or was interrupted
    .lock                            empty, 0600; see lock.py
    pending/                         key and CSR of the next certificate; see pending.py. Deployments leave it alone

Every directory is opened once; what is done in it goes through its descriptor (``directory.py``). Whatever must survive
a power cut is fsynced: files, the directory that names them, the directory of the link. What is read is not trusted.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import typing as t
from contextlib import contextmanager

from .directory import Directory
from .errors import NotALineage, WriteFailed
from .records import (
    RECORD,
    SWITCHING,
    VERSION_NAME,
    Journal,
    Version,
    dump_journal,
    dump_record,
    read_journal,
    read_record,
    sha256,
)
from .surroundings import Surroundings, require_writable

CURRENT = "current"
VERSIONS = "versions"
LOCK = ".lock"
PENDING = "pending"
PENDING_FILES = ("privkey.pem", "request.csr", "request.json")
PENDING_NEW = ".pending.new"
PENDING_OLD = ".pending.old"

_JOURNAL = ".journal.json"
_NEW_JOURNAL = ".journal.new"
_NEW_LINK = ".current.new"
_OLD_LINK = ".current.old"
_HIDDEN = frozenset((_JOURNAL, _NEW_JOURNAL, _NEW_LINK, _OLD_LINK, LOCK, PENDING_NEW, PENDING_OLD))
_HALF_WRITTEN = re.compile(r"\.([1-9]\d*)-[0-9A-F]+")
_HALF_REMOVED = re.compile(r"\.([1-9]\d*)-[0-9A-F]+\.gone")
_NUMBERED = (VERSION_NAME, _HALF_WRITTEN, _HALF_REMOVED)


class Lineage:
    """The directory of one certificate. Methods that write expect the caller to hold the lock.

    Arguments:
        path: of the directory, absolute and without dots.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.versions_path = os.path.join(path, VERSIONS)
        self.current_path = os.path.join(path, CURRENT)
        self._name = os.path.basename(path)
        self._surroundings: Surroundings | None = None
        self._folder: Directory | None = None
        self._versions: Directory | None = None
        self._created = False

    def __enter__(self) -> Lineage:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let its directories go."""
        for opened in (self._versions, self._folder, self._surroundings):
            if opened:
                opened.close()
        self._versions = self._folder = self._surroundings = None

    # -- opening ------------------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Directory | None:
        """The directory itself, open; None where there was none."""
        return self._folder

    def exists(self) -> bool:
        """Open the directory; returns whether there is one.

        Raises:
            NotALineage: the path holds something that this collection did not make.
        """
        self.close()
        self._surroundings = surroundings = Surroundings(self.path, _is_lineage)
        status = None if surroundings.missing else surroundings.folder.status(self._name or os.curdir)
        if status and stat.S_ISLNK(status.st_mode):
            raise NotALineage(f"{self.path} is a symbolic link; give the lineage directory itself")
        if surroundings.outer:
            raise NotALineage(f"{self.path} lies in the lineage {surroundings.outer}; give a directory elsewhere")
        if status is None:
            return False
        if not stat.S_ISDIR(status.st_mode):
            raise NotALineage(f"{self.path} is no directory, so it cannot be a lineage")
        self._folder = surroundings.folder.enter(self._name or os.curdir)
        self._folder.path = self.path
        self._check_entries(self._folder)
        return True

    def _check_entries(self, folder: Directory) -> None:
        entries = set(folder.names()) - _HIDDEN
        if VERSIONS in entries and not folder.is_directory(VERSIONS):
            raise NotALineage(f"{self.versions_path} is no directory of this collection")
        if CURRENT in entries:
            self.current()
        elif (
            entries - {VERSIONS, PENDING}
            or any(map(_is_foreign, self._listed()))
            or not folder.may_hold(PENDING, PENDING_FILES)
        ):
            raise NotALineage(f"{self.path} holds files that are not of this collection; give a directory of its own")

    def is_in_place(self) -> bool:
        """Whether the open directory still lies at the path: a failed first deployment removes its own."""
        if self._surroundings is None or self._folder is None:
            return False
        found = self._surroundings.folder.status(self._name or os.curdir)
        return found is not None and os.path.samestat(found, os.fstat(self._folder.descriptor))

    def forget_versions(self) -> None:
        """Open the directory of the versions again when it is next used: another run may have made it anew."""
        if self._versions:
            self._versions.close()
            self._versions = None

    def require_safe_surroundings(self, warn: t.Callable[[str], None]) -> None:
        """See Surroundings.require_safe()."""
        if self._surroundings:
            self._surroundings.require_safe(warn)

    # -- reading ------------------------------------------------------------------------------------------------------

    def _versions_folder(self) -> Directory | None:
        if self._versions is None and self._folder:
            self._versions = self._folder.find(VERSIONS)
        return self._versions

    def _listed(self) -> list[str]:
        versions = self._versions_folder()
        return versions.names() if versions else []

    def current(self) -> str | None:
        """The name of the current version; None when there is none or its directory is gone.

        Raises:
            NotALineage: ``current`` is not a link of ours.
        """
        target = self._folder.link_target(CURRENT) if self._folder else None
        if self._folder is None or target is None:
            status = self._folder.status(CURRENT) if self._folder else None
            if status and not stat.S_ISLNK(status.st_mode):
                raise NotALineage(f"{self.current_path} is not a symbolic link")
            return None
        folder, name = os.path.split(target)
        if folder not in self._versions_paths() or not VERSION_NAME.fullmatch(name):
            raise NotALineage(f"{self.current_path} points at {target}, which is no version")
        versions = self._versions_folder()
        return name if versions and versions.is_directory(name) else None

    def _versions_paths(self) -> set[str]:
        """How a link may name the directory of the versions; somebody may have made one with an absolute path."""
        above = self._surroundings.folder.path if self._surroundings else os.sep
        return {VERSIONS, self.versions_path, os.path.join(above, self._name, VERSIONS)}

    def version_path(self, name: str) -> str:
        """The directory of a version."""
        return os.path.join(self.versions_path, name)

    def version_names(self) -> list[str]:
        """The names of all complete versions, oldest first."""
        versions = self._versions_folder()
        found = filter(None, map(VERSION_NAME.fullmatch, self._listed()))
        ordered = [match.group(0) for match in sorted(found, key=lambda match: int(match.group(1)))]
        return [name for name in ordered if versions and versions.is_directory(name)]

    def next_name(self, serial_number: str) -> str:
        """The name for a new version."""
        numbers = [int(found.group(1)) for found in map(_numbered, self._listed()) if found]
        return f"{1 + max(numbers, default=0)}-{serial_number}"

    @contextmanager
    def open_version(self, name: str | None) -> t.Iterator[Directory | None]:
        """The open directory of a version; None where there is none."""
        versions = self._versions_folder()
        folder = versions.find(name) if versions and name else None
        try:
            yield folder
        finally:
            if folder:
                folder.close()

    def read_file(self, version: str, file_name: str) -> bytes | None:
        """The content of a version's file; None when it is missing or cannot be one of ours."""
        with self.open_version(version) as folder:
            return folder.read(file_name) if folder else None

    def read_record(self, name: str) -> dict[str, t.Any] | None:
        """The record of a version; None when it is missing or damaged."""
        return read_record(self.read_file(name, RECORD), name)

    def read_version(self, name: str) -> Version | None:
        """A version with its record and the hashes of all its files; None when the record is missing or damaged."""
        record = self.read_record(name)
        if record is None:
            return None
        contents = ((file_name, self.read_file(name, file_name)) for file_name in record["files"])
        return Version(name, record, {key: sha256(content) for key, content in contents if content is not None})

    def shared_folders(self) -> list[Directory]:
        """The directories that all versions share, as far as they are there."""
        return [folder for folder in (self._folder, self._versions_folder()) if folder]

    def journal(self) -> Journal | None:
        """The journal of a deployment that is under way or was interrupted."""
        content = self._folder.read(_JOURNAL) if self._folder else None
        if content is None and not (self._folder and self._folder.status(_JOURNAL)):
            return None
        journal = read_journal(content)
        if journal is None:
            # It was written whole, by one rename, so this is a damaged disk: trust the link.
            current = self.current()
            return Journal(SWITCHING, current, current or "")
        return journal

    def residue(self) -> list[tuple[Directory, str]]:
        """What an interrupted run left behind, other than the journal and complete versions: directory and name.

        Without a journal, a version that is half removed is one that could not be removed, and no sign of anything.
        """
        return [(folder, name) for folder, name in self._leftovers() if not _HALF_REMOVED.fullmatch(name)]

    def _leftovers(self) -> list[tuple[Directory, str]]:
        if self._folder is None:
            return []
        found = [(self._folder, name) for name in (_NEW_JOURNAL, _NEW_LINK, _OLD_LINK) if self._folder.status(name)]
        versions = self._versions_folder()
        if versions:
            found += [
                (versions, name)
                for name in versions.names()
                if _HALF_WRITTEN.fullmatch(name) or _HALF_REMOVED.fullmatch(name)
            ]
        return found

    def require_writable(self) -> None:
        """Look whether directories could be made where a deployment would make them; writes nothing.

        Raises:
            OSError: they could not.
        """
        for path in (self.path, self.versions_path):
            require_writable(path)

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self) -> None:
        """Open the directory; make it and its missing parents, or nothing, where there is none."""
        if not self.exists() and self._surroundings:
            self._folder = self._surroundings.make_missing(self._name)
            self._folder.path = self.path
            self._created = True

    def remove_created(self) -> None:
        """Remove directories that a failed first deployment made, as far as nothing else is in them."""
        if not self._created or self._folder is None or self._surroundings is None:
            return
        try:
            if self._folder.is_directory(VERSIONS):
                self._folder.remove_empty(VERSIONS)
            if self._folder.names() == [LOCK]:
                self._folder.remove(LOCK)
        except OSError:  # not empty, or the failure that is being reported: an empty directory does no harm
            return
        self._surroundings.remove_made()

    def take_back(self) -> bool:
        """Make directories ours that somebody else owns or may write, as earlier releases gave them away.

        Returns:
            Whether there were any: what was read of the lineage before may have been replaced since.
        """
        taken = self._folder is not None and self._folder.take_back()
        if taken:
            self.forget_versions()
        versions = self._versions_folder()
        taken = (versions is not None and versions.take_back()) or taken
        for name in self.version_names():
            with self.open_version(name) as version:
                taken = (version is not None and version.take_back()) or taken
        return taken

    def make_versions(self) -> None:
        """Make the directory of the versions if it is missing."""
        folder = self._opened(self._folder)
        if folder.make_directory(VERSIONS):
            folder.sync()

    def write_journal(self, journal: Journal) -> None:
        """Write the journal, whole and durable, before the step it announces."""
        folder = self._opened(self._folder)
        folder.remove(_NEW_JOURNAL)
        folder.create(_NEW_JOURNAL, dump_journal(journal))
        if folder.is_directory(_JOURNAL):  # which no file can replace, and nobody but a stranger made
            folder.remove(_JOURNAL)
        folder.rename(_NEW_JOURNAL, _JOURNAL)
        folder.sync()

    def remove_journal(self) -> None:
        """Remove the journal: nothing is under way any more."""
        folder = self._opened(self._folder)
        folder.remove(_JOURNAL)
        folder.sync()

    def stage(
        self,
        name: str,
        files: t.Mapping[str, bytes],
        record: t.Mapping[str, t.Any],
        finish: t.Callable[[int, str | None], None],
    ) -> None:
        """Write a version under a temporary name, 0700, and name it when it is complete.

        Arguments:
            name: the version's name.
            files: content by file name.
            record: what to write into version.json beside format and hashes.
            finish: sets owner, group, mode and context of a file, by descriptor and name, and last of the directory,
                which has no name.
        """
        versions = self._opened(self._versions_folder())
        complete = dict(files)
        complete[RECORD] = dump_record(record, name, files)
        staging = "." + name
        if not versions.make_directory(staging):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), versions.join(staging))
        with versions.enter(staging) as folder:
            for file_name, content in complete.items():
                if not folder.create(file_name, content, finish):
                    raise WriteFailed(f"{folder.join(file_name)} was not stored as it was written")
            finish(folder.descriptor, None)
            folder.sync()
        versions.rename(staging, name)
        versions.sync()

    def prepare_rollback(self, previous: str | None) -> None:
        """Make the link back to the previous version now: a full disk must not stand in the way later."""
        folder = self._opened(self._folder)
        folder.remove(_OLD_LINK)
        if previous:
            folder.link(os.path.join(VERSIONS, previous), _OLD_LINK)

    def switch(self, name: str) -> None:
        """Let ``current`` name the version, by one rename."""
        folder = self._opened(self._folder)
        folder.remove(_NEW_LINK)
        folder.link(os.path.join(VERSIONS, name), _NEW_LINK)
        folder.rename(_NEW_LINK, CURRENT)
        folder.sync()

    def switch_back(self) -> None:
        """Let ``current`` name the previous version again, or remove it where there was none."""
        folder = self._opened(self._folder)
        if folder.status(_OLD_LINK):
            folder.rename(_OLD_LINK, CURRENT)
        else:
            folder.remove(CURRENT)
        folder.sync()

    # What cannot be tidied up stands in nobody's way: these three return what went wrong, and go on.

    def clean(self) -> list[OSError]:
        """Remove what an interrupted or failed run left behind, other than the journal and complete versions."""
        return [exc for folder, name in self._leftovers() for exc in _tried(folder.remove, name)]

    def discard(self, name: str) -> list[OSError]:
        """Remove a version; one that is half gone does not bear its name, or has no record any more."""
        return _tried(self._discard, name) if name in self.version_names() else []

    def prune(self, keep: int) -> list[OSError]:
        """Remove all but the newest versions; the current one is kept and counts."""
        current = self.current()
        others = [name for name in self.version_names() if name != current]
        return [exc for name in others[: max(0, len(others) - (keep - 1))] for exc in self.discard(name)]

    def _discard(self, name: str) -> None:
        versions = self._opened(self._versions_folder())
        doomed = f".{name}.gone"
        try:
            versions.rename(name, doomed)
        except OSError:  # a directory of an image's layer, which overlayfs renames for nobody, but does remove
            with versions.enter(name) as folder:
                folder.remove(RECORD)
            doomed = name
        versions.remove(doomed)
        versions.sync()

    def _opened(self, folder: Directory | None) -> Directory:
        if folder is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        return folder


def _numbered(entry: str) -> t.Match[str] | None:
    """The match whose first group is the number of a version, or of what is left of one."""
    return next(filter(None, (pattern.fullmatch(entry) for pattern in _NUMBERED)), None)


def _is_foreign(entry: str) -> bool:
    return not _numbered(entry)


def _tried(action: t.Callable[[str], None], name: str) -> list[OSError]:
    """What went wrong with an action, if anything did."""
    try:
        action(name)
    except OSError as exc:
        return [exc]
    return []


def _is_lineage(folder: Directory) -> bool:
    """Whether a directory that may not be ours to list holds a link to one of its versions."""
    versions, name = os.path.split(folder.link_target(CURRENT) or "")
    ours = versions in (VERSIONS, folder.join(VERSIONS)) and VERSION_NAME.fullmatch(name)
    found = folder.find(VERSIONS, to_list=False) if ours else None
    if found is None:
        return False
    with found:
        return found.is_directory(name)
