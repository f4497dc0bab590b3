# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the private key that is given, and converts it to PKCS#8 where that is requested.

Sources: RFC 5958 (PKCS#8), RFC 8017, appendix A.1.2 (PKCS#1), RFC 5915 (SEC1).
"""

from __future__ import annotations

import binascii
import errno
import re

from .directory import read_file
from .errors import InvalidKey, InvalidRequest
from .x509 import FOLDED, DerReader, Malformed, is_folded, pem_blocks

PKCS8 = "pkcs8"

_PATH = re.compile(r"[~.]?/[^\n]*|[^\n]*\.(pem|crt|cer|key)")
_INTEGER, _OCTET_STRING, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PARAMETERS, _PUBLIC_KEY = 0xA0, 0xA1
_RSA = bytes.fromhex("06092a864886f70d0101010500")  # rsaEncryption with NULL (RFC 3279, section 2.3.1)
_EC = bytes.fromhex("06072a8648ce3d0201")  # id-ecPublicKey (RFC 5480, section 2.1.1)


def read_key(private_key: str | None, where: str) -> bytes:
    """A private key as one PEM block.

    Arguments:
        private_key: the key as PEM; if None, it is read from the file.
        where: the path of the file, or what to call the key in messages.

    Raises:
        InvalidRequest: the key is a path.
        InvalidKey: it cannot be read, or no TLS server could use it as it is.
    """
    if private_key is not None and looks_like_a_path(private_key):
        raise InvalidRequest(
            "'private_key' looks like a path; give the path of a file on the target as 'private_key_path'"
        )
    if private_key is None:
        try:
            private_key = read_file(where).decode("ascii", "replace")
        except OSError as exc:
            raise InvalidKey(f"The private key {where} cannot be read: {why_unreadable(exc)}") from exc
    keys = [(label, block) for label, block in pem_blocks(private_key) if label.endswith("PRIVATE KEY")]
    if len(keys) != 1:
        raise InvalidKey(f"{where} holds {len(keys) or 'no'} private keys in PEM where one is expected")
    label, block = keys[0]
    if label.startswith("OPENSSH"):
        raise InvalidKey(
            f"The private key in {where} is in OpenSSH's own format, which TLS servers do not read; convert a copy of "
            "it with: ssh-keygen -p -m PEM -f COPY"
        )
    if any(line[:1].isspace() for line in block.splitlines() if line.strip()) and not is_folded(block):
        raise InvalidKey(
            f"The private key in {where} is indented; each of its lines has to begin at the left margin, which a block "
            "with | in YAML, or the lookup 'ansible.builtin.file', keeps"
        )
    if is_folded(block):
        raise InvalidKey(f"The private key in {where} cannot be read: {FOLDED}")
    if label.startswith("ENCRYPTED") or "Proc-Type: 4,ENCRYPTED" in block:
        raise InvalidKey(f"The private key in {where} is encrypted; give it without a password")
    return block.encode("ascii", "replace")


def why_unreadable(error: OSError) -> str:
    """Why a file that an option names cannot be read, and what may help."""
    hints = {errno.EACCES: "; is 'become' needed?", errno.ENOENT: ". It is looked for on the target"}
    return f"{error.strerror}{hints.get(error.errno or 0, '')}"


def looks_like_a_path(text: str) -> bool:
    """Whether a text was meant as the path of a file."""
    return bool(_PATH.fullmatch(text.strip()))


def to_pkcs8(key: bytes, where: str) -> bytes:
    """A private key in PKCS#8, as ``openssl pkcs8 -topk8 -nocrypt`` writes it; one in PKCS#8 stays as it is.

    Arguments:
        key: as read_key() returns it.
        where: what to call the key in messages.

    Raises:
        InvalidKey: it is neither PKCS#1 (RSA), SEC1 (EC with a named curve) nor PKCS#8, or cannot be read.
    """
    (label, block), *_others = pem_blocks(key.decode("ascii"))
    if label == "PRIVATE KEY":
        return key
    try:
        der = binascii.a2b_base64("".join(block.splitlines()[1:-1]))
        if label == "RSA PRIVATE KEY":
            algorithm, content = _RSA, _element(_SEQUENCE, DerReader(der).take(_SEQUENCE))
        elif label == "EC PRIVATE KEY":
            algorithm, content = _without_parameters(der)
        else:
            raise Malformed(f"'{label}' is neither RSA nor EC")
    except IndexError as exc:
        raise InvalidKey(f"The private key in {where} cannot be converted to PKCS#8: it ends too early") from exc
    except ValueError as exc:  # Malformed and errors in Base64 are such
        raise InvalidKey(f"The private key in {where} cannot be converted to PKCS#8: {exc}") from exc
    version = _element(_INTEGER, b"\0")
    whole = _element(_SEQUENCE, version + _element(_SEQUENCE, algorithm) + _element(_OCTET_STRING, content))
    text = binascii.b2a_base64(whole, newline=False)
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return b"-----BEGIN PRIVATE KEY-----\n" + b"\n".join(lines) + b"\n-----END PRIVATE KEY-----\n"


def _without_parameters(der: bytes) -> tuple[bytes, bytes]:
    """The algorithm of a SEC1 key, and the key without it, since PKCS#8 names the curve outside."""
    fields = DerReader(DerReader(der).take(_SEQUENCE))
    kept = _element(_INTEGER, fields.take(_INTEGER)) + _element(_OCTET_STRING, fields.take(_OCTET_STRING))
    curve = b""
    while fields.left:
        tag, content = fields.take_any()
        if tag == _PARAMETERS:
            curve = _element(_OID, DerReader(content).take(_OID))
        elif tag == _PUBLIC_KEY:
            kept += _element(tag, content)
    if not curve:
        raise Malformed("it does not name its curve")
    return _EC + curve, _element(_SEQUENCE, kept)


def _element(tag: int, content: bytes) -> bytes:
    """An element in DER."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
