# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the few facts of an X.509 certificate that a deployment needs.

The standard library has no public X.509 parser. This one reads DER strictly (definite lengths inside their bounds) and
verifies nothing: signatures, keys and purposes are verified by the handshake in ``rehearsal.py``.
Source: RFC 5280, section 4.1.
"""

from __future__ import annotations

import binascii
import hashlib
import re
import typing as t
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timezone
from ipaddress import ip_address

from .._common.names import covers

_PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")

RSA, ECDSA = "rsa", "ecdsa"
_KEY_KINDS = {bytes.fromhex("2a864886f70d010101"): RSA, bytes.fromhex("2a8648ce3d0201"): ECDSA}  # RFC 3279, section 2.3

_BOOLEAN, _INTEGER, _OCTET_STRING, _OID = 0x01, 0x02, 0x04, 0x06
_UTC_TIME, _GENERALIZED_TIME, _SEQUENCE, _SET = 0x17, 0x18, 0x30, 0x31
_VERSION, _EXTENSIONS, _DNS, _IP = 0xA0, 0xA3, 0x82, 0x87
_SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("551d11")
_STRING_CODECS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
_NAME_PARTS = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
}


FOLDED = "its line breaks are missing; write it with | in YAML, which keeps them"


#: A distinguished name in a form in which equal names are equal, however their texts are encoded.
Name = t.Tuple[t.FrozenSet[t.Tuple[bytes, t.Union[str, bytes]]], ...]


class Malformed(ValueError):
    """The bytes are no certificate."""


@dataclass(frozen=True)
class Certificate:
    """The facts of one certificate.

    Arguments:
        der: the certificate itself.
        serial_number: upper-case hexadecimal without leading zeros or separators.
        not_before: start of validity, UTC.
        not_after: end of validity, UTC.
        subject: the subject for people to read.
        issuer: the issuer for people to read.
        subject_der: the subject as encoded.
        issuer_der: the issuer as encoded.
        names: DNS names (lower case) and IP addresses of the subject alternative names, in their order.
        key_kind: ``rsa``, ``ecdsa``, or None for any other public key.
    """

    der: bytes
    serial_number: str
    not_before: datetime
    not_after: datetime
    subject: str
    issuer: str
    subject_der: bytes
    issuer_der: bytes
    names: tuple[str, ...]
    key_kind: str | None = None

    @property
    def fingerprint_sha256(self) -> str:
        """SHA-256 over the DER, upper-case hexadecimal with colons, as ``openssl x509 -fingerprint`` shows it."""
        return ":".join(f"{byte:02X}" for byte in hashlib.sha256(self.der).digest())

    @property
    def subject_name(self) -> Name:
        """The subject, for comparison."""
        return _comparable(self.subject_der)

    @property
    def issuer_name(self) -> Name:
        """The issuer, for comparison."""
        return _comparable(self.issuer_der)

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same, as in a root."""
        return self.subject_name == self.issuer_name

    @property
    def pem(self) -> str:
        """The certificate in PEM, as ``openssl`` writes it."""
        text = binascii.b2a_base64(self.der, newline=False).decode("ascii")
        lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
        return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"

    def covers(self, name: str) -> bool:
        """Whether the certificate covers a normalized name."""
        return covers(self.names, name)


def pem_blocks(text: str) -> list[tuple[str, str]]:
    """The PEM blocks in a text: (label, the whole block ending in a newline)."""
    text = text.replace("\r\n", "\n")
    return [(match.group(1), match.group(0) + "\n") for match in _PEM_BLOCK.finditer(text)]


def is_folded(block: str) -> bool:
    """Whether a PEM block has no lines, as YAML makes it of a text behind ``>``."""
    return block.count("\n") < 3


def read_certificates(text: str) -> list[Certificate]:
    """All certificates of a PEM text, in their order.

    Raises:
        Malformed: a certificate block cannot be read.
    """
    found = []
    for label, block in pem_blocks(text):
        if label in ("CERTIFICATE", "X509 CERTIFICATE"):
            if is_folded(block):
                raise Malformed(FOLDED)
            try:
                der = binascii.a2b_base64("".join(block.splitlines()[1:-1]))
            except binascii.Error as exc:
                raise Malformed(f"a PEM block is no Base64: {exc}") from exc
            found.append(read_certificate(der))
    return found


def read_certificate(der: bytes) -> Certificate:
    """The facts of one DER certificate.

    Raises:
        Malformed: the bytes are no certificate.
    """
    try:
        return _read_certificate(der)
    except IndexError as exc:
        raise Malformed("this is no X.509 certificate: it ends too early") from exc
    except (ValueError, OverflowError) as exc:
        raise Malformed(f"this is no X.509 certificate: {exc}") from exc


def _read_certificate(der: bytes) -> Certificate:
    certificate = DerReader(der)
    signed = DerReader(DerReader(certificate.take(_SEQUENCE)).take(_SEQUENCE))
    if certificate.left:
        raise Malformed("bytes follow the certificate")
    if signed.next_tag == _VERSION:
        signed.take(_VERSION)
    serial = int.from_bytes(signed.take(_INTEGER), "big")
    signed.take(_SEQUENCE)
    issuer = signed.take(_SEQUENCE)
    validity = DerReader(signed.take(_SEQUENCE))
    not_before, not_after = _time(*validity.take_any()), _time(*validity.take_any())
    subject = signed.take(_SEQUENCE)
    key_algorithm = DerReader(DerReader(signed.take(_SEQUENCE)).take(_SEQUENCE)).take(_OID)
    names: tuple[str, ...] = ()
    while signed.left:
        tag, content = signed.take_any()
        if tag == _EXTENSIONS:
            names = _names(DerReader(DerReader(content).take(_SEQUENCE)))
    return Certificate(
        der=der,
        serial_number=f"{serial:X}",
        not_before=not_before,
        not_after=not_after,
        subject=_distinguished_name(subject),
        issuer=_distinguished_name(issuer),
        subject_der=subject,
        issuer_der=issuer,
        names=names,
        key_kind=_KEY_KINDS.get(key_algorithm),
    )


class DerReader:
    """Takes one element after the other from a DER sequence's content.

    What the data lacks is an IndexError, what cannot be read is Malformed.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self._data) - self._position

    @property
    def next_tag(self) -> int:
        """The tag of the next element."""
        return self._data[self._position]

    def take(self, tag: int) -> bytes:
        """The content of the next element, which has to have this tag."""
        found, content = self.take_any()
        if found != tag:
            raise Malformed(f"expected element {tag:#x}, found {found:#x}")
        return content

    def take_any(self) -> tuple[int, bytes]:
        """Tag and content of the next element."""
        tag, length, start = self._data[self._position], self._data[self._position + 1], self._position + 2
        if length >= 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:
                raise Malformed("a length is out of bounds")
            length = int.from_bytes(self._data[start : start + size], "big")
            start += size
        end = start + length
        if end > len(self._data):
            raise Malformed("an element ends beyond its container")
        self._position = end
        return tag, self._data[start:end]


def _time(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if text < "50" else "19") + text  # RFC 5280, section 4.1.2.5.1
    elif tag != _GENERALIZED_TIME:
        raise Malformed(f"a validity date has the type {tag:#x}")
    found = _TIME.fullmatch(text)
    if not found:
        raise Malformed(f"a validity date is {text!r}")
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def _relative_names(content: bytes) -> t.Iterator[list[tuple[bytes, int, bytes]]]:
    """The parts of a distinguished name; each has attributes of an identifier, a type and a value."""
    sequence = DerReader(content)
    while sequence.left:
        relative = DerReader(sequence.take(_SET))
        attributes = []
        while relative.left:
            attribute = DerReader(relative.take(_SEQUENCE))
            attributes.append((attribute.take(_OID), *attribute.take_any()))
        yield attributes


def _distinguished_name(content: bytes) -> str:
    return ", ".join(
        f"{_NAME_PARTS[oid]}={value.decode(_STRING_CODECS[tag], 'replace')}"
        for attributes in _relative_names(content)
        for oid, tag, value in attributes
        if oid in _NAME_PARTS and tag in _STRING_CODECS
    )


def _comparable(content: bytes) -> Name:
    """Source: RFC 5280, section 7.1: types of strings, case and repeated blanks make no difference."""
    return tuple(
        frozenset((oid, _folded(tag, value)) for oid, tag, value in attributes)
        for attributes in _relative_names(content)
    )


def _folded(tag: int, value: bytes) -> str | bytes:
    if tag not in _STRING_CODECS:
        return bytes((tag,)) + value
    try:
        text = value.decode(_STRING_CODECS[tag])
    except UnicodeDecodeError:  # not what its type says
        return bytes((tag,)) + value
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _names(extensions: DerReader) -> tuple[str, ...]:
    names: list[str] = []
    while extensions.left:
        extension = DerReader(extensions.take(_SEQUENCE))
        if extension.take(_OID) != _SUBJECT_ALTERNATIVE_NAME:
            continue
        if extension.next_tag == _BOOLEAN:
            extension.take(_BOOLEAN)
        general_names = DerReader(DerReader(extension.take(_OCTET_STRING)).take(_SEQUENCE))
        while general_names.left:
            tag, value = general_names.take_any()
            if tag == _DNS:
                names.append(value.decode("ascii").lower().rstrip("."))
            elif tag == _IP:
                names.append(str(ip_address(value)))
    return tuple(names)
