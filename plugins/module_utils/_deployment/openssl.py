# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private keys, signing requests and PKCS#12 files, made and read by the command ``openssl`` on the target.

Keys, passwords and configurations are handed over in memory, never in a word of the command. What ``openssl`` prints
about an error is shown without anything that could be a part of a key.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from .._common.names import is_ip_address
from .errors import DeploymentError, InvalidKey, InvalidRequest, WriteFailed
from .host import Host
from .records import sha256
from .rehearsal import private_output, private_path
from .x509 import pem_blocks

_CURVES = {"ecdsa-p256": "P-256", "ecdsa-p384": "P-384"}
_BITS = {"rsa-2048": 2048, "rsa-3072": 3072, "rsa-4096": 4096}
KEY_TYPES = (*_CURVES, *_BITS)

_RSA = bytes.fromhex("2a864886f70d010101")
#: What the public key of each type holds, and its length in bytes (RFC 5480, section 2; RFC 3279, section 2.3.1).
_PUBLIC_KEYS = {
    "ecdsa-p256": (bytes.fromhex("2a8648ce3d030107"), 91),
    "ecdsa-p384": (bytes.fromhex("2b81040022"), 120),
    "rsa-2048": (_RSA, 294),
    "rsa-3072": (_RSA, 422),
    "rsa-4096": (_RSA, 550),
}

_SUBJECT_FIELDS = {
    "CN": "commonName",
    "C": "countryName",
    "ST": "stateOrProvinceName",
    "L": "localityName",
    "O": "organizationName",
    "OU": "organizationalUnitName",
    "street": "streetAddress",
    "postalCode": "postalCode",
    "serialNumber": "serialNumber",
    "businessCategory": "businessCategory",
    "emailAddress": "emailAddress",
}
MAX_COMMON_NAME = 64  # characters (RFC 5280, appendix A.1, ub-common-name)
_MAX_SUBJECT_VALUE = 256  # characters; openssl knows the bound of each field
_WITHOUT_MEANING = re.compile(r"[A-Za-z0-9\u0080-\U0010ffff]")  # in a configuration of openssl
#: A PEM block, also without its end, a word of Base64, a row of bytes.
_MAYBE_KEY = re.compile(r"-----BEGIN.*?(-----END[^\n]*|\Z)|[A-Za-z0-9+/=]{20,}|([0-9A-Fa-f]{2}[:\s]+){8,}", re.DOTALL)
_CONFIGURATION = """\
[req]
prompt = no
utf8 = yes
string_mask = utf8only
distinguished_name = subject
req_extensions = extensions
[subject]
{subject}
[extensions]
subjectAltName = @names
[names]
{names}
"""


class PublicKey(t.NamedTuple):
    """A public key.

    Arguments:
        sha256: SHA-256 of its DER (SubjectPublicKeyInfo) in lower-case hexadecimal.
        key_type: one of KEY_TYPES; None for any other.
    """

    sha256: str
    key_type: str | None


def read_subject(given: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The fields of a subject by their short names.

    Raises:
        InvalidRequest: a field is unknown, or its value is no text that can stand in a certificate.
    """
    short_names = {name: short for short, long in _SUBJECT_FIELDS.items() for name in (short, long)}
    subject: dict[str, str] = {}
    for name, value in given.items():
        short = short_names.get(name)
        if short is None:
            raise InvalidRequest(f"'subject' has {name!r}; known are {', '.join(_SUBJECT_FIELDS)}")
        if short in subject:
            raise InvalidRequest(f"'subject' has {short} twice, also as {_SUBJECT_FIELDS[short]}")
        text = value.strip() if isinstance(value, str) else ""
        if not text or not text.isprintable() or len(text) > _MAX_SUBJECT_VALUE:
            raise InvalidRequest(
                f"{name} in 'subject' has to be text of 1 to {_MAX_SUBJECT_VALUE} printable characters; in YAML, put "
                "numbers and words such as no in quotes"
            )
        subject[short] = text
    return subject


def make_key(host: Host, key_type: str) -> bytes:
    """Make a private key, as one PEM block.

    Arguments:
        host: the target.
        key_type: one of KEY_TYPES.

    Raises:
        WriteFailed: ``openssl`` is missing or failed.
    """
    if key_type in _CURVES:
        words = ["EC", "-pkeyopt", "ec_paramgen_curve:" + _CURVES[key_type], "-pkeyopt", "ec_param_enc:named_curve"]
    else:
        words = ["RSA", "-pkeyopt", f"rsa_keygen_bits:{_BITS[key_type]}"]
    output = _run(host, ["genpkey", "-algorithm", *words], WriteFailed, "make a private key")
    keys = private_keys(output)
    if len(keys) != 1:
        raise WriteFailed("openssl could not make a private key: it printed none")
    return keys[0]


def private_keys(text: str) -> list[bytes]:
    """The private keys in a PEM text, each as one block."""
    return [block.encode("ascii", "replace") for label, block in pem_blocks(text) if label.endswith("PRIVATE KEY")]


def public_key_of_key(host: Host, key: bytes) -> PublicKey:
    """The public key of a private key.

    Raises:
        InvalidKey: ``openssl`` cannot read it.
        WriteFailed: ``openssl`` cannot be run.
    """
    with private_path(key) as (path, descriptors):
        command = ["pkey", "-in", path, "-passin", "pass:", "-pubout"]
        return _public_key(_run(host, command, InvalidKey, "read the private key", descriptors))


def public_key_of_csr(host: Host, csr: bytes) -> PublicKey:
    """The public key of a CSR. Raises as public_key_of_key()."""
    with private_path(csr) as (path, descriptors):
        return _public_key(_run(host, ["req", "-in", path, "-noout", "-pubkey"], InvalidKey, "read a CSR", descriptors))


def public_key_of_certificate(host: Host, certificate: str) -> PublicKey:
    """The public key of a certificate in PEM. Raises as public_key_of_key()."""
    with private_path(certificate.encode("ascii")) as (path, descriptors):
        command = ["x509", "-in", path, "-noout", "-pubkey"]
        return _public_key(_run(host, command, InvalidKey, "read the certificate in service", descriptors))


def make_csr(host: Host, key: bytes, names: t.Sequence[str], subject: t.Mapping[str, str]) -> bytes:
    """Make a CSR in PEM.

    Arguments:
        host: the target.
        key: the private key as PEM, not encrypted.
        names: normalized names, for the subject alternative names in this order.
        subject: as read_subject() returns it; the common name is else the first name that is short enough for it.

    Raises:
        InvalidRequest: ``openssl`` refused the subject.
        WriteFailed: ``openssl`` cannot be run.
    """
    fields = dict(subject)
    short_name = next((name for name in names if len(name) <= MAX_COMMON_NAME), None)
    if short_name and "CN" not in fields:
        fields["CN"] = short_name
    configuration = _CONFIGURATION.format(
        subject="\n".join(f"{name} = {_escaped(value)}" for name, value in fields.items()),
        names="\n".join(
            f"{'IP' if is_ip_address(name) else 'DNS'}.{number} = {_escaped(name)}"
            for number, name in enumerate(names, 1)
        ),
    )
    with private_path(configuration.encode("utf-8")) as (configuration_path, configuration_fds), private_path(key) as (
        key_path,
        key_fds,
    ):
        command = ["req", "-new", "-sha256", "-config", configuration_path, "-key", key_path, "-passin", "pass:"]
        command += [] if fields else ["-subj", "/"]
        descriptors = (*configuration_fds, *key_fds)
        output = _run(host, command, InvalidRequest, "make a CSR of these names and this subject", descriptors)
    made = [block for label, block in pem_blocks(output) if label == "CERTIFICATE REQUEST"]
    if len(made) != 1:
        raise WriteFailed("openssl could not make a CSR: it printed none")
    return made[0].encode("ascii", "replace")


def make_pkcs12(host: Host, name: str, fullchain: bytes, key: bytes, password: str) -> bytes:
    """Make a PKCS#12 file of a certificate, its chain and its key.

    The algorithms are named, so that each release of ``openssl`` makes the same: those that Java (8u301 and newer),
    Windows (Server 2019 and newer) and ``openssl`` itself read.

    Arguments:
        host: the target.
        name: for the entry, which Java calls its alias.
        fullchain: the certificates as PEM, leaf first.
        key: the private key as PEM, not encrypted.
        password: for the file; one line.

    Raises:
        WriteFailed: ``openssl`` is missing or failed.
    """
    with private_path(fullchain) as (certificates, fds), private_path(key) as (key_path, key_fds), private_path(
        password.encode("utf-8")
    ) as (password_path, password_fds), private_output() as (output, output_fds, written):
        command = ["pkcs12", "-export", "-in", certificates, "-inkey", key_path, "-passin", "pass:", "-name", name]
        command += ["-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC", "-macalg", "sha256"]
        command += ["-passout", "file:" + password_path, "-out", output]
        descriptors = (*fds, *key_fds, *password_fds, *output_fds)
        _run(host, command, WriteFailed, "make a PKCS#12 file", descriptors)
        made = written()
    if not made:
        raise WriteFailed("openssl could not make a PKCS#12 file: it wrote nothing")
    return made


def _escaped(value: str) -> str:
    """A value for a configuration of openssl, in which no character has a meaning."""
    return "".join(character if _WITHOUT_MEANING.match(character) else "\\" + character for character in value)


def _public_key(output: str) -> PublicKey:
    found = [block for label, block in pem_blocks(output) if label == "PUBLIC KEY"]
    try:
        der = base64.b64decode("".join(found[0].splitlines()[1:-1]), validate=True) if len(found) == 1 else b""
    except binascii.Error:
        der = b""
    if not der:
        raise WriteFailed("openssl printed no public key")
    kinds = [kind for kind, (mark, length) in _PUBLIC_KEYS.items() if len(der) == length and mark in der]
    return PublicKey(sha256(der), kinds[0] if kinds else None)


def _run(
    host: Host,
    words: t.Sequence[str],
    error: type[DeploymentError],
    what: str,
    descriptors: t.Sequence[int] = (),
) -> str:
    """Run openssl; returns what it printed.

    Arguments:
        host: the target.
        words: what follows the program.
        error: to raise where it refuses what it was given.
        what: what it shall do, for the message.
        descriptors: that it reads from.
    """
    try:
        code, output, errors = host.run(["openssl", *words], descriptors=descriptors)
    except TimeoutError as exc:
        raise WriteFailed(f"openssl did not {what} in time") from exc
    except OSError as exc:
        raise WriteFailed(f"The command 'openssl' is needed on the target, to {what}: {exc.strerror}") from exc
    if code:
        raise error(f"openssl could not {what}: {_MAYBE_KEY.sub('...', errors).strip()[-500:]}")
    return output
