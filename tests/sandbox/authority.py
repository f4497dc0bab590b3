# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's certificate authority.

Root -> intermediate (RSA for RSA keys, ECDSA for ECDSA keys) -> leaf. A second root cross-signs the intermediates, a
second level of intermediates makes longer chains, and a foreign authority that nobody trusts makes wrong ones.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import typing as t
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = t.Union[rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey]
Certificates = t.Sequence[x509.Certificate]

_YEAR = datetime.timedelta(days=365)
#: 2.16.840.1.113730.2.5, Netscape certificate sequence.
_NETSCAPE_SEQUENCE = bytes.fromhex("06 09 60 86 48 01 86 f8 42 02 05")


def new_key(kind: str = "ecdsa") -> PrivateKey:
    """A new private key: ``rsa``, ``rsa-4096``, ``ecdsa`` (P-256) or ``ecdsa-384``."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, 4096 if kind.endswith("4096") else 2048)
    if kind.startswith("ec"):
        return ec.generate_private_key(ec.SECP384R1() if kind.endswith("384") else ec.SECP256R1())
    raise ValueError(f"no such kind of key: {kind}")


def key_pem(key: PrivateKey) -> str:
    """PKCS#8 PEM of a private key."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def a_label(name: str) -> str:
    """A name as it stands in a certificate: A-labels, lower case, no trailing dot."""
    name = name.rstrip(".").lower()
    return name if name.isascii() else name.encode("idna").decode()


def general_names(names: t.Sequence[str]) -> x509.SubjectAlternativeName:
    """The SAN extension for DNS names and IP addresses."""
    entries: list[x509.GeneralName] = []
    for name in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            entries.append(x509.DNSName(a_label(name)))
    return x509.SubjectAlternativeName(entries)


def subject(names: t.Sequence[str]) -> x509.Name:
    """A subject with the first name as common name, where it fits into 64 characters."""
    name = a_label(names[0])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if len(name) <= 64 else [])


def new_csr(key: PrivateKey, names: t.Sequence[str]) -> str:
    """A PEM certificate request for these names."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(names))
    csr = builder.add_extension(general_names(names), critical=False).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def csr_names(csr: x509.CertificateSigningRequest) -> list[str]:
    """The names a request asks for, common name first, none twice."""
    found = [str(item.value) for item in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return found
    found += san.get_values_for_type(x509.DNSName)
    found += [str(address) for address in san.get_values_for_type(x509.IPAddress)]
    return list(dict.fromkeys(found))


def pem(certificate: x509.Certificate) -> str:
    """PEM of one certificate, with line feeds."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def der(certificate: x509.Certificate) -> bytes:
    """DER of one certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name, or an empty string."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def serial_hex(serial: int) -> str:
    """A serial number as upper-case hexadecimal of whole bytes, with the leading zero of a byte kept."""
    text = f"{serial:X}"
    return text.rjust(len(text) + len(text) % 2, "0")


@dataclass(frozen=True)
class Issuer:
    """A CA certificate with its key."""

    certificate: x509.Certificate
    key: PrivateKey


class Authority:
    """All CAs. With a folder that holds an earlier sandbox's keys, it goes on with them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.root = self._ca("root", "Certops Sandbox Root CA", "rsa")
        self.other_root = self._ca("other-root", "Certops Sandbox Second Root CA", "ecdsa")
        self.foreign = self._ca("foreign-root", "Foreign Root CA", "ecdsa")
        self.foreign_intermediate = self._ca("foreign", "Foreign Issuing CA", "ecdsa", self.foreign)
        self._intermediates = {
            kind: self._ca(kind, f"Certops Sandbox {kind.upper()} Issuing CA", kind, self.root)
            for kind in ("rsa", "ecdsa")
        }
        self._deep = {
            kind: self._ca(f"deep-{kind}", f"Certops Sandbox {kind.upper()} Second Level CA", kind, issuer)
            for kind, issuer in self._intermediates.items()
        }
        self._cross = {kind: self._cross_signed(kind, issuer) for kind, issuer in self._intermediates.items()}

    @property
    def ca_file(self) -> Path:
        """The root certificate: all that a client needs to trust."""
        return self._folder / "root.pem"

    @property
    def other_ca_file(self) -> Path:
        """The second root, which the cross-signed chain leads to."""
        return self._folder / "other-root.pem"

    def _ca(self, file: str, name: str, kind: str, issuer: Issuer | None = None) -> Issuer:
        cert_path, key_path = self._folder / f"{file}.pem", self._folder / f"{file}.key"
        if cert_path.exists() and key_path.exists():
            key = t.cast(PrivateKey, serialization.load_pem_private_key(key_path.read_bytes(), None))
            return Issuer(x509.load_pem_x509_certificate(cert_path.read_bytes()), key)
        key = new_key(kind)
        subject_name = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Certops Sandbox"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        signer, signer_name = (issuer.key, issuer.certificate.subject) if issuer else (key, subject_name)
        certificate = self._sign_ca(subject_name, key.public_key(), signer, signer_name)
        key_path.touch(mode=0o600)
        key_path.write_text(key_pem(key), encoding="ascii")
        cert_path.write_text(pem(certificate), encoding="ascii")
        return Issuer(certificate, key)

    def _cross_signed(self, kind: str, issuer: Issuer) -> x509.Certificate:
        path = self._folder / f"cross-{kind}.pem"
        if path.exists():
            return x509.load_pem_x509_certificate(path.read_bytes())
        certificate = self._sign_ca(
            issuer.certificate.subject,
            issuer.key.public_key(),
            self.other_root.key,
            self.other_root.certificate.subject,
        )
        path.write_text(pem(certificate), encoding="ascii")
        return certificate

    @staticmethod
    def _sign_ca(name: x509.Name, public_key: t.Any, signer: PrivateKey, issuer: x509.Name) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
            data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _YEAR)
            .not_valid_after(now + 10 * _YEAR)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
            .sign(signer, hashes.SHA256())
        )

    def issue(
        self,
        public_key: t.Any,
        names: t.Sequence[str],
        serial: int,
        not_before: datetime.datetime,
        not_after: datetime.datetime,
        style: str = "normal",
    ) -> x509.Certificate:
        """Sign a leaf. ``style`` says by whom: the intermediate, the second level (``deep``) or ``foreign``."""
        issuer = self._issuer(public_key, style)
        usage = x509.KeyUsage(
            digital_signature=True, key_encipherment=isinstance(public_key, rsa.RSAPublicKey), key_cert_sign=False,
            crl_sign=False, content_commitment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder()
            .subject_name(subject(names))
            .issuer_name(issuer.certificate.subject)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(general_names(names), critical=len(a_label(names[0])) > 64)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
            .sign(issuer.key, hashes.SHA256())
        )

    def _issuer(self, public_key: t.Any, style: str) -> Issuer:
        kind = _kind(public_key)
        if style == "foreign":
            return self.foreign_intermediate
        return self._deep[kind] if style == "deep" else self._intermediates[kind]

    def chain(self, leaf: x509.Certificate, style: str = "normal") -> list[x509.Certificate]:
        """The certificates between a leaf and its root, in order, without the root."""
        kind = _kind(leaf.public_key())
        own = self._intermediates[kind].certificate
        return {
            "normal": [own],
            "deep": [self._deep[kind].certificate, own],
            "cross": [self._cross[kind]],
            "both": [own, self._cross[kind]],
            "foreign": [self.foreign_intermediate.certificate],
        }[style]

    def root_of(self, style: str) -> x509.Certificate:
        """The root that a chain of this style leads to."""
        if style == "foreign":
            return self.foreign.certificate
        return (self.other_root if style == "cross" else self.root).certificate

    def intermediates(self) -> list[x509.Certificate]:
        """Every intermediate that signs for customers."""
        return [issuer.certificate for group in (self._intermediates, self._deep) for issuer in group.values()]

    def server_files(
        self,
        file: str,
        names: t.Sequence[str],
        *,
        age_days: int = 1,
        life_days: int = 90,
        style: str = "normal",
    ) -> tuple[Path, Path]:
        """Write a certificate chain and key for a TLS server of the sandbox itself; return both paths."""
        key = new_key("ecdsa")
        start = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=age_days)
        end = start + datetime.timedelta(days=life_days)
        leaf = self.issue(key.public_key(), names, x509.random_serial_number(), start, end, style)
        chain_path, key_path = self._folder / f"server-{file}.pem", self._folder / f"server-{file}.key"
        chain_path.write_text("".join(pem(item) for item in [leaf, *self.chain(leaf, style)]), encoding="ascii")
        key_path.touch(mode=0o600)
        key_path.write_text(key_pem(key), encoding="ascii")
        return chain_path, key_path


def _kind(public_key: t.Any) -> str:
    return "rsa" if isinstance(public_key, rsa.RSAPublicKey) else "ecdsa"


@dataclass(frozen=True)
class Material:
    """What a provider hands out for one certificate, with the wanted faults in it."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    root: x509.Certificate
    faults: frozenset[str] = frozenset()

    def text(self, certificate: x509.Certificate) -> str:
        """One certificate as text."""
        text = pem(certificate)
        if "missing_pem_header" in self.faults:
            text = "".join(line + "\n" for line in text.splitlines() if not line.startswith("-----"))
        if "base64_pem" in self.faults:
            text = base64.b64encode(text.encode()).decode()
        if "trailing_data" in self.faults:
            text += "\nSubject: not part of the certificate\n\x00\n"
        return text.replace("\n", "\r\n") if "crlf" in self.faults else text

    def join(self, certificates: t.Iterable[x509.Certificate]) -> str:
        """Several certificates as one text."""
        return "".join(self.text(certificate) for certificate in certificates)

    def bundle(self, root: bool = False) -> list[x509.Certificate]:
        """Leaf and chain (and root) in the order in which this material comes."""
        everything = [self.leaf, *self.chain]
        if root and self.root not in everything:
            everything.append(self.root)
        return everything[::-1] if "reversed_chain" in self.faults else everything

    def ca_bundle(self) -> list[x509.Certificate]:
        """The chain alone, in the order in which this material comes."""
        return list(self.chain[::-1] if "reversed_chain" in self.faults else self.chain)
