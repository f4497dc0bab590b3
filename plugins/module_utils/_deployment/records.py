# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written down in a lineage: ``version.json`` of each version, and the journal.

Others may have been able to write there, so what is read counts only if it is of the types and forms that are written.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import asdict, dataclass

RECORD = "version.json"
KEYSTORE = "keystore.p12"
FILE_NAMES = {name: name + ".pem" for name in ("cert", "chain", "fullchain", "privkey", "combined")}
FILE_NAMES["pkcs12"] = KEYSTORE
KEY_FILES = frozenset((FILE_NAMES["privkey"], FILE_NAMES["combined"], KEYSTORE))
VERSION_NAME = re.compile(r"([1-9][0-9]{0,17})-[0-9A-F]+")

STAGING = "staging"
SWITCHING = "switching"
COMMITTING = "committing"

_RECORD_FORMAT = 1
SHA256 = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_TEXTS = {
    "version": VERSION_NAME,
    "serial_number": re.compile(r"[0-9A-F]+"),
    "fingerprint_sha256": re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}"),
    "not_before": TIME,
    "not_after": TIME,
    "chain_sha256": SHA256,
    "key_sha256": SHA256,
}


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


def dump_record(facts: t.Mapping[str, t.Any], name: str, files: t.Mapping[str, bytes]) -> bytes:
    """The content of version.json.

    Arguments:
        facts: of the certificate, its chain and its key.
        name: the version's.
        files: content by file name.
    """
    hashes = {file_name: sha256(content) for file_name, content in files.items()}
    return dump_json(dict(facts, format=_RECORD_FORMAT, version=name, files=hashes))


def read_record(content: bytes | None, name: str) -> dict[str, t.Any] | None:
    """What version.json of a version holds; None when it is missing or damaged."""
    record = load_json(content)
    if record.get("format") != _RECORD_FORMAT or not isinstance(record.get("placeholder"), bool):
        return None
    files, names = record.get("files"), record.get("names")
    if not isinstance(files, dict) or not isinstance(names, list):
        return None
    complete = (
        set(files) <= set(FILE_NAMES.values())
        and all(matches(value, SHA256) for value in files.values())
        and all(isinstance(item, str) for item in names)
        and all(matches(record.get(key), pattern) for key, pattern in _TEXTS.items())
        and record["version"] == name
        and (record.get("keystore_hmac") is None or matches(record["keystore_hmac"], SHA256))
    )
    return record if complete else None


def dump_journal(journal: Journal) -> bytes:
    """The content of the journal."""
    return dump_json(asdict(journal))


def read_journal(content: bytes | None) -> Journal | None:
    """The journal; None when it is missing or damaged."""
    found = load_json(content)
    previous = found.get("previous", "")
    if (
        found.get("state") in (STAGING, SWITCHING, COMMITTING)
        and (previous is None or matches(previous, VERSION_NAME))
        and matches(found.get("next"), VERSION_NAME)
    ):
        return Journal(found["state"], previous, found["next"])
    return None


def matches(value: object, pattern: t.Pattern[str]) -> bool:
    """Whether it is text of this form, all of it."""
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def dump_json(content: t.Mapping[str, t.Any]) -> bytes:
    """The content of a file that holds an object as JSON."""
    return (json.dumps(content, indent=2, sort_keys=True) + "\n").encode("utf-8")


def load_json(content: bytes | None) -> dict[str, t.Any]:
    """The object that a file holds as JSON; empty when it is missing or damaged."""
    try:
        loaded = json.loads(content or b"")
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}
