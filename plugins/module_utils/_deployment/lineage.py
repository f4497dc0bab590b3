# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lineage on disk: its versions, the record of each version, the ``current`` link and the journal.

Layout below the lineage directory::

    current -> versions/2-0A1B2C     replaced by one rename; services point at current/...
    versions/2-0A1B2C/               cert.pem, chain.pem, fullchain.pem, privkey.pem, combined.pem, version.json
    .journal.json                    there while a deployment is under way, or was interrupted

Whatever must survive a power cut is fsynced: files, the directory that names them, the directory of the link.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import stat
import typing as t
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from .errors import NotALineage, WriteFailed

CURRENT = "current"
VERSIONS = "versions"
RECORD = "version.json"
FILE_NAMES = {name: name + ".pem" for name in ("cert", "chain", "fullchain", "privkey", "combined")}
KEY_FILES = frozenset((FILE_NAMES["privkey"], FILE_NAMES["combined"]))

STAGING = "staging"
SWITCHING = "switching"
COMMITTING = "committing"

_JOURNAL = ".journal.json"
_NEW_JOURNAL = ".journal.new"
_NEW_LINK = ".current.new"
_OLD_LINK = ".current.old"
_HIDDEN = frozenset((_JOURNAL, _NEW_JOURNAL, _NEW_LINK, _OLD_LINK))
_VERSION = re.compile(r"([1-9]\d*)-[0-9A-F]+")
_LEFT_VERSION = re.compile(r"\.[1-9]\d*-[0-9A-F]+(\.gone)?")  # half written, or half removed
_RECORD_FORMAT = 1


def sha256(data: bytes) -> str:
    """SHA-256 of the data in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Journal:
    """What a deployment under way has to be finished or undone from.

    Arguments:
        state: ``staging`` before anything was switched, ``switching`` from just before the switch until the service is
            verified, ``committing`` when only old versions are left to prune.
        previous: the version that was in service before; None on a first deployment.
        next: the version that is being put into service.
    """

    state: str
    previous: str | None
    next: str


@dataclass(frozen=True)
class Version:
    """One version as its record describes it and as it lies on disk.

    Arguments:
        name: the directory's name.
        record: the content of version.json.
        on_disk: SHA-256 of each recorded file that can be read, by file name.
    """

    name: str
    record: t.Mapping[str, t.Any]
    on_disk: t.Mapping[str, str]


class Lineage:
    """The directory of one certificate. Methods that write expect the caller to hold the lock."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.versions_path = os.path.join(path, VERSIONS)
        self.current_path = os.path.join(path, CURRENT)

    # -- reading ------------------------------------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether there is a lineage directory.

        Raises:
            NotALineage: the path holds something that this collection did not make.
        """
        if os.path.islink(self.path):
            raise NotALineage(f"{self.path} is a symbolic link; give the lineage directory itself")
        outer = self._lineage_above()
        if outer:
            raise NotALineage(f"{self.path} lies in the lineage {outer}; give a directory elsewhere")
        try:
            mode = os.lstat(self.path).st_mode
        except FileNotFoundError:
            return False
        if not stat.S_ISDIR(mode):
            raise NotALineage(f"{self.path} is no directory, so it cannot be a lineage")
        entries = set(os.listdir(self.path)) - _HIDDEN
        if VERSIONS in entries:
            if os.path.islink(self.versions_path) or not os.path.isdir(self.versions_path):
                raise NotALineage(f"{self.versions_path} is no directory of this collection")
        if CURRENT in entries:
            self.current()
        elif entries - {VERSIONS} or any(map(self._is_foreign, self._listed())):
            raise NotALineage(f"{self.path} holds files that are not of this collection; give a directory of its own")
        return True

    def _lineage_above(self) -> str | None:
        """The lineage in which the path lies, in one of its versions or beside them; None almost always."""
        folder = os.path.dirname(os.path.realpath(self.path))
        while folder != os.path.dirname(folder):
            try:
                if Lineage(folder).current():
                    return folder
            except (NotALineage, OSError):  # somebody else's, or no directory
                pass
            folder = os.path.dirname(folder)
        return None

    @staticmethod
    def _is_foreign(entry: str) -> bool:
        return not _VERSION.fullmatch(entry) and not _LEFT_VERSION.fullmatch(entry)

    def _listed(self) -> list[str]:
        try:
            return os.listdir(self.versions_path)
        except FileNotFoundError:
            return []

    def current(self) -> str | None:
        """The name of the current version; None when there is none or its directory is gone.

        Raises:
            NotALineage: ``current`` is not a link of ours.
        """
        try:
            target = os.readlink(self.current_path)
        except FileNotFoundError:
            return None
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
            raise NotALineage(f"{self.current_path} is not a symbolic link") from exc
        folder, name = os.path.split(target)
        if folder != VERSIONS or not _VERSION.fullmatch(name):
            raise NotALineage(f"{self.current_path} points at {target}, which is no version")
        return name if os.path.isdir(self.version_path(name)) else None

    def version_path(self, name: str) -> str:
        """The directory of a version."""
        return os.path.join(self.versions_path, name)

    def version_names(self) -> list[str]:
        """The names of all complete versions, oldest first."""
        found = filter(None, map(_VERSION.fullmatch, self._listed()))
        return [match.group(0) for match in sorted(found, key=lambda match: int(match.group(1)))]

    def next_name(self, serial_number: str) -> str:
        """The name for a new version."""
        latest = self.version_names()[-1:]
        number = 1 + (int(latest[0].partition("-")[0]) if latest else 0)
        return f"{number}-{serial_number}"

    def read_file(self, version: str, file_name: str) -> bytes | None:
        """The content of a version's file; None when it is missing."""
        try:
            with open(os.path.join(self.version_path(version), file_name), "rb") as stream:
                return stream.read()
        except FileNotFoundError:
            return None

    def read_record(self, name: str) -> dict[str, t.Any] | None:
        """The record of a version; None when it is missing or damaged."""
        record = _load(self.read_file(name, RECORD))
        if record is None or record.get("format") != _RECORD_FORMAT or not isinstance(record.get("files"), dict):
            return None
        return record

    def read_version(self, name: str) -> Version | None:
        """A version with its record and the hashes of all its files; None when the record is missing or damaged."""
        record = self.read_record(name)
        if record is None:
            return None
        contents = ((file_name, self.read_file(name, file_name)) for file_name in record["files"])
        return Version(name, record, {key: sha256(content) for key, content in contents if content is not None})

    def journal(self) -> Journal | None:
        """The journal of a deployment that is under way or was interrupted."""
        try:
            with open(os.path.join(self.path, _JOURNAL), "rb") as stream:
                content = _load(stream.read())
        except FileNotFoundError:
            return None
        if content is None or not {"state", "previous", "next"} <= set(content):
            # It was written whole, by one rename, so this is a damaged disk: trust the link.
            current = self.current()
            return Journal(SWITCHING, current, current or "")
        return Journal(content["state"], content["previous"], content["next"])

    def residue(self) -> list[str]:
        """Paths that an interrupted run left behind, other than the journal and complete versions."""
        if not os.path.isdir(self.path):
            return []
        left = [os.path.join(self.path, name) for name in (_NEW_JOURNAL, _NEW_LINK, _OLD_LINK)]
        left = [path for path in left if os.path.lexists(path)]
        return left + [self.version_path(name) for name in self._listed() if _LEFT_VERSION.fullmatch(name)]

    def require_writable(self) -> None:
        """Look whether directories could be made where a deployment would make them; writes nothing.

        Raises:
            OSError: they could not.
        """
        folder = self.path
        while not os.path.lexists(folder):
            folder = os.path.dirname(folder)
        for path in (folder, self.versions_path):
            if os.path.lexists(path) and not os.access(path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    # -- writing ------------------------------------------------------------------------------------------------------

    def create(self) -> list[str]:
        """Make the lineage directory and its missing parents, or nothing; returns what was made, outermost first."""
        made: list[str] = []
        path = self.path
        while not os.path.isdir(path):
            made.insert(0, path)
            path = os.path.dirname(path)
        try:
            for path in made:
                self._make(path)
        except OSError:
            self.remove_empty(made)
            raise
        return made

    @staticmethod
    def _make(path: str) -> None:
        try:
            os.mkdir(path)
        except FileExistsError:
            return
        os.chmod(path, 0o755)
        sync(os.path.dirname(path))

    def make_versions(self) -> None:
        """Make the directory of the versions if it is missing."""
        try:
            os.mkdir(self.versions_path)
        except FileExistsError:
            return
        sync(self.path)

    def write_journal(self, journal: Journal) -> None:
        """Write the journal, whole and durable, before the step it announces."""
        temporary = os.path.join(self.path, _NEW_JOURNAL)
        _remove_file(temporary)
        write_file(temporary, _dump(asdict(journal)))
        sync(temporary)
        os.rename(temporary, os.path.join(self.path, _JOURNAL))
        sync(self.path)

    def remove_journal(self) -> None:
        """Remove the journal: nothing is under way any more."""
        _remove_file(os.path.join(self.path, _JOURNAL))
        sync(self.path)

    def stage(
        self, name: str, files: t.Mapping[str, bytes], record: t.Mapping[str, t.Any], finish: t.Callable[[str], None]
    ) -> None:
        """Write a version under a temporary name, 0700, and name it when it is complete.

        Arguments:
            name: the version's name.
            files: content by file name.
            record: what to write into version.json beside format and hashes.
            finish: sets owner, group, modes and context on everything below the path it is given, and on the path.
        """
        staging = self.version_path("." + name)
        os.mkdir(staging, 0o700)
        hashes = {file_name: sha256(content) for file_name, content in files.items()}
        complete = dict(files)
        complete[RECORD] = _dump(dict(record, format=_RECORD_FORMAT, version=name, files=hashes))
        for file_name, content in complete.items():
            write_file(os.path.join(staging, file_name), content)
        finish(staging)
        for file_name, content in complete.items():
            path = os.path.join(staging, file_name)
            sync(path)
            with open(path, "rb") as stream:
                if stream.read() != content:
                    raise WriteFailed(f"{path} was not stored as it was written")
        sync(staging)
        os.rename(staging, self.version_path(name))
        sync(self.versions_path)

    def prepare_rollback(self, previous: str | None) -> None:
        """Make the link back to the previous version now: a full disk must not stand in the way later."""
        _remove_file(os.path.join(self.path, _OLD_LINK))
        if previous:
            os.symlink(os.path.join(VERSIONS, previous), os.path.join(self.path, _OLD_LINK))

    def switch(self, name: str) -> None:
        """Let ``current`` name the version, by one rename."""
        new_link = os.path.join(self.path, _NEW_LINK)
        _remove_file(new_link)
        os.symlink(os.path.join(VERSIONS, name), new_link)
        os.replace(new_link, self.current_path)
        sync(self.path)

    def switch_back(self) -> None:
        """Let ``current`` name the previous version again, or remove it where there was none."""
        try:
            os.replace(os.path.join(self.path, _OLD_LINK), self.current_path)
        except FileNotFoundError:
            _remove_file(self.current_path)
        sync(self.path)

    def clean(self) -> None:
        """Remove what an interrupted or failed run left behind, other than the journal and complete versions."""
        for path in self.residue():
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                _remove_file(path)

    def discard(self, name: str) -> None:
        """Remove a version; a version that is half gone never bears its name."""
        if name not in self.version_names():
            return
        doomed = self.version_path(f".{name}.gone")
        os.rename(self.version_path(name), doomed)
        shutil.rmtree(doomed)
        sync(self.versions_path)

    def prune(self, keep: int) -> None:
        """Remove all but the newest versions; the current one is kept and counts."""
        current = self.current()
        others = [name for name in self.version_names() if name != current]
        for name in others[: max(0, len(others) - (keep - 1))]:
            self.discard(name)

    def remove_empty(self, made: t.Sequence[str]) -> None:
        """Remove directories that a failed first deployment made, innermost first, as far as they are empty."""
        for path in [self.versions_path, *reversed(made)] if made else []:
            try:
                os.rmdir(path)
            except FileNotFoundError:
                continue
            except OSError:  # not empty, or the failure that is being reported: an empty directory does no harm
                return


def write_file(path: str, content: bytes) -> None:
    """Write a new file, 0600 from its first byte."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with _naming(path), os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def sync(path: str) -> None:
    """Make a file, or the names in a directory, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with _naming(path):
            os.fsync(descriptor)
    except OSError as exc:
        if exc.errno != errno.EINVAL:  # a file system that cannot sync directories
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _naming(path: str) -> t.Iterator[None]:
    """Calls on descriptors do not say in their errors which file they were about."""
    try:
        yield
    except OSError as exc:
        exc.filename = exc.filename or path
        raise


def _remove_file(path: str) -> None:
    if os.path.lexists(path):  # else a read-only file system would complain about what is not there
        os.unlink(path)


def _dump(content: t.Mapping[str, t.Any]) -> bytes:
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode("utf-8")


def _load(content: bytes | None) -> dict[str, t.Any] | None:
    try:
        loaded = json.loads(content or b"")
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None
