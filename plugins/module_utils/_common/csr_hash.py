# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCV evidence that is computed from the CSR: the hashes that Sectigo asks for, directly and through resellers.

Standard library only. Source: docs/providers, section 2 of Sectigo's DCV sheet (with a test vector).

Private to this collection.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import typing as t
from dataclasses import dataclass

from .evidence import FILE_FOLDER, FileEvidence, RecordEvidence, base_name, is_within
from .names import show_host

_PEM = re.compile(
    r"-----BEGIN (NEW )?CERTIFICATE REQUEST-----(?P<body>[A-Za-z0-9+/=\s]+)-----END (NEW )?CERTIFICATE REQUEST-----"
)
_UNIQUE_VALUE = re.compile(r"[A-Za-z0-9]{1,20}\Z")
_DER_SEQUENCE = 0x30


@dataclass(frozen=True)
class CsrHashes:
    """Hashes of the DER of one CSR: MD5 as 32 and SHA-256 as 64 lower-case hex digits."""

    md5: str
    sha256: str


def csr_hashes(pem: str) -> CsrHashes:
    """The hashes of a CSR in PEM; line ends, blanks and `NEW` in its armor make no difference.

    Raises:
        ValueError: the text holds no CSR.
    """
    found = _PEM.search(pem)
    if found is None:
        raise ValueError("this is no certificate request in PEM")
    try:
        der = base64.b64decode("".join(found.group("body").split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("the certificate request is damaged: its body is no base64") from exc
    if not _is_whole(der):
        raise ValueError("the certificate request is damaged: its body is no DER, or not all of it")
    return CsrHashes(md5=hashlib.md5(der).hexdigest(), sha256=hashlib.sha256(der).hexdigest())  # noqa: S324


def _is_whole(der: bytes) -> bool:
    """Whether this is one DER sequence, of the length that it states."""
    if len(der) < 2 or der[0] != _DER_SEQUENCE:
        return False
    length, octets = der[1], 0
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(der[2 : 2 + octets], "big")
    return len(der) == 2 + octets + length


def is_unique_value(text: str | None) -> t.TypeGuard[str]:
    """Whether it is 1 to 20 letters and digits."""
    return bool(text and _UNIQUE_VALUE.match(text))


def check_unique_value(unique_value: str) -> str:
    """The unique value as given; the empty text means that none was used.

    Raises:
        ValueError: it is not 1 to 20 letters and digits.
    """
    if unique_value and not is_unique_value(unique_value):
        raise ValueError(f"a unique value is 1 to 20 letters and digits, which {unique_value[:40]!r} is not")
    return unique_value


def record_owner(name: str, names: t.Iterable[str]) -> str:
    """Where the record of a name stands: at the highest of the names of an order that covers it, without `*.`.

    A record at a name covers all names below it, so that one is enough for example.org and www.example.org.
    """
    base = base_name(name)
    return min((one for one in map(base_name, names) if is_within(base, one)), key=len, default=base)


def cname_record(name: str, hashes: CsrHashes, unique_value: str, ca_domain: str) -> RecordEvidence:
    """The CNAME record that shows control of a name, and of all names below it.

    Arguments:
        name: where the record stands; `*.` is stripped.
        unique_value: the empty text where none was used.
        ca_domain: domain of the CA at the end of the target, such as sectigo.com.

    Raises:
        ValueError: the unique value is none.
    """
    halves = [hashes.sha256[:32], hashes.sha256[32:]]
    unique = [check_unique_value(unique_value).lower()] if unique_value else []
    return RecordEvidence("CNAME", f"_{hashes.md5}.{base_name(name)}", ".".join([*halves, *unique, ca_domain]))


def file_evidence(scheme: str, name: str, hashes: CsrHashes, unique_value: str, ca_domain: str) -> FileEvidence:
    """The file that shows control of exactly one name. The file name is in upper case, lines end with a line feed.

    Raises:
        ValueError: the unique value is none.
    """
    lines = [hashes.sha256, ca_domain]
    if unique_value:
        lines.append(check_unique_value(unique_value))
    url = f"{scheme}://{show_host(base_name(name))}{FILE_FOLDER}{hashes.md5.upper()}.txt"
    return FileEvidence(url, "\n".join(lines))
