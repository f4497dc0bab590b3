# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for the tests: authorities, and whatever leaf a test needs."""

from __future__ import annotations

import datetime
import ipaddress
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


def make_key(kind: str = "ecdsa") -> t.Any:
    """A private key of the kind: ecdsa, rsa, rsa1024 or ed25519."""
    if kind == "ecdsa":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=1024 if kind == "rsa1024" else 2048)


def key_pem(key: t.Any, password: str | None = None, traditional: bool = False) -> str:
    """The key as PEM."""
    protection: t.Any = serialization.NoEncryption()
    if password:
        protection = serialization.BestAvailableEncryption(password.encode())
    form = serialization.PrivateFormat.TraditionalOpenSSL if traditional else serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, protection).decode()


def pem(certificate: x509.Certificate) -> str:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(certificate: x509.Certificate) -> bytes:
    """The certificate as DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def serial(certificate: x509.Certificate) -> str:
    """The serial number as results carry it."""
    return f"{certificate.serial_number:X}"


class Authority:
    """A certificate authority: a key and the certificate that names it."""

    def __init__(self, name: str, issuer: Authority | None = None, key: t.Any = None, **dates: t.Any) -> None:
        self.name = x509.Name(
            [
                x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test"),
                x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
            ]
        )
        self.key = key or make_key()
        self.issuer = issuer or self
        self.certificate = _build(self.name, self.key, self.issuer, None, dates)

    @property
    def pem(self) -> str:
        """The certificate of this authority."""
        return pem(self.certificate)

    def issue(self, *names: str, key: t.Any = None, **dates: t.Any) -> x509.Certificate:
        """A leaf for the names; dates are not_before and not_after."""
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, (names or ("nameless",))[0][:64])])
        return _build(subject, key or make_key(), self, names, dates)


def _build(
    subject: x509.Name, key: t.Any, issuer: Authority, names: t.Sequence[str] | None, dates: t.Mapping[str, t.Any]
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dates.get("not_before", NOW - DAY))
        .not_valid_after(dates.get("not_after", NOW + 90 * DAY))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        # Clients verify strictly from Python 3.13 on, and then ask for these.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    if names is None:
        builder = builder.add_extension(_SIGNS, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), False)
    digest = None if isinstance(issuer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(issuer.key, digest)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class World:
    """A root, an intermediate below it, and one key for leaves."""

    def __init__(self) -> None:
        self.root = Authority("Root", not_before=NOW - 900 * DAY, not_after=NOW + 900 * DAY)
        self.intermediate = Authority("Intermediate", self.root, not_before=NOW - 400 * DAY, not_after=NOW + 400 * DAY)
        self.key = make_key()
        self.key_pem = key_pem(self.key)

    def issue(self, *names: str, **dates: t.Any) -> x509.Certificate:
        """A leaf of the intermediate, for the one key unless another is given."""
        dates.setdefault("key", self.key)
        return self.intermediate.issue(*names, **dates)

    @property
    def root_der(self) -> bytes:
        """The root as DER."""
        return der(self.root.certificate)
