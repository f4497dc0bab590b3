# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making a right chain of what a provider delivered: splitting, ordering, matching. Controller side.

Private to this collection. The only file of the order side that uses cryptography, which ansible-core itself requires.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime
import re
import textwrap
import typing as t
from dataclasses import dataclass

from ..._common.names import covers, encode_idna2003, iso_time, normalize_name, serial_forms
from ..errors import CertificateRefused, InvalidRequest, UnexpectedResponse

try:
    from cryptography import exceptions, x509
    from cryptography.hazmat.primitives import hashes, serialization

    if not hasattr(x509.Certificate, "verify_directly_issued_by"):
        raise ImportError("cryptography is older than version 40")
    CRYPTOGRAPHY_ERROR: ImportError | None = None
    #: What certificates that break the rules make cryptography raise, at whatever part of them is looked at.
    _UNREADABLE: tuple[type[Exception], ...] = (
        ValueError,
        TypeError,
        exceptions.InvalidSignature,
        exceptions.UnsupportedAlgorithm,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    )
except ImportError as exc:
    CRYPTOGRAPHY_ERROR = exc

try:
    import idna

    HAS_IDNA = True
except ImportError:
    HAS_IDNA = False

_PEM_BLOCK = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([^-]*)-----END (?:X509 |TRUSTED )?CERTIFICATE-----"
)
#: A chain of public CAs has at most four links; more is a loop or an attack.
_MAX_CHAIN = 10
#: More certificates than this are no chain but somebody's whole trust store.
_MAX_CERTIFICATES = 100


@dataclass(frozen=True)
class CertificateFacts:
    """What stands in one certificate.

    Arguments:
        serial_number: upper-case hex without leading zeros.
        not_before, not_after: ISO 8601 UTC.
        names: DNS names and IP addresses it is valid for; the common name where it has no alternative names.
        issuer: the issuer as RFC 4514 text.
        fingerprint_sha256: upper-case hex with colons.
    """

    serial_number: str
    not_before: str
    not_after: str
    names: tuple[str, ...]
    issuer: str
    fingerprint_sha256: str


@dataclass(frozen=True)
class Bundle:
    """A leaf with its chain, ready to be served: PEM, leaf first, no root."""

    certificate: str
    chain: str
    facts: CertificateFacts

    @property
    def fullchain(self) -> str:
        """The certificate followed by its chain, in PEM."""
        return self.certificate + self.chain


def describe_certificate(pem: str) -> CertificateFacts | None:
    """The facts of the first certificate in a text; None when there is none that can be read."""
    if CRYPTOGRAPHY_ERROR is not None:
        return None
    try:
        certificates = split_certificates([pem])
        return _facts(certificates[0]) if certificates else None
    except UnexpectedResponse:
        return None
    except _UNREADABLE:
        return None


def split_certificates(texts: t.Iterable[str]) -> list[x509.Certificate]:
    """Every certificate in the texts, in the order given, each once.

    Line ends, text between the certificates and missing armor (bare base64 of DER) are all fine.

    Raises:
        UnexpectedResponse: when a text holds something else.
    """
    found: dict[bytes, x509.Certificate] = {}
    for text in texts:
        blocks = _PEM_BLOCK.findall(text)
        if not blocks and text.strip():
            blocks = [text]
        for der in (der for block in blocks for der in _decode(block)):
            if len(found) >= _MAX_CERTIFICATES:
                raise UnexpectedResponse(f"more than {_MAX_CERTIFICATES} certificates came", retryable=False)
            try:
                found.setdefault(der, x509.load_der_x509_certificate(der))
            except _UNREADABLE as exc:
                raise UnexpectedResponse(
                    f"what came as a certificate cannot be read as one ({type(exc).__name__})"
                ) from None
    return list(found.values())


def armored(text: str) -> str:
    """A certificate that came without PEM armor, as PEM; the text as it is when it has one or cannot be read."""
    if _PEM_BLOCK.search(text):
        return text
    try:
        certificates = split_certificates([text])
    except UnexpectedResponse:
        return text
    return _pem(certificates[0]) if certificates else text


def assemble(leaf: str | None, additional: t.Sequence[str]) -> Bundle:
    """Put a leaf and whatever came with it in the order in which a server must send it.

    Links are followed by issuer and signature, not by position. Roots and foreign certificates are left out. Where
    several certificates of one issuer came, as when it is cross-signed, the choice does not depend on their order:
    what outlives the leaf goes before what does not, and an intermediate, which more clients can use, before a root.

    Raises:
        UnexpectedResponse: when there is no leaf to be found.
        CertificateRefused: untrusted_chain, when the certificate of the leaf's issuer is missing.
    """
    own = split_certificates([leaf] if leaf else [])
    pool = split_certificates(([leaf] if leaf else []) + list(additional))
    try:
        end = _find_leaf(own or pool)
        chain = _follow(end, pool)
        facts = _facts(end)
    except _UNREADABLE as exc:
        raise UnexpectedResponse(f"what came as a certificate cannot be read as one ({type(exc).__name__})") from None
    if not chain:
        why = "it has signed itself" if _is_root(end) else "nothing that the provider sent has signed this certificate"
        raise CertificateRefused(
            "untrusted_chain",
            f"the chain lacks the certificate of the issuer ({facts.issuer}); {why}; try later, or ask the CA for "
            "its intermediate certificate and give certificate_deploy the whole chain",
        )
    if _is_root(chain[-1]):
        chain.pop()
    return Bundle(certificate=_pem(end), chain="".join(_pem(one) for one in chain), facts=facts)


def key_of_csr(csr: str) -> bytes:
    """The public key (DER) in a certificate signing request, in PEM or as bare base64.

    Raises:
        InvalidRequest: when it cannot be read.
    """
    return _public_key(_read_csr(csr))


def names_of_csr(csr: str) -> tuple[str, ...]:
    """The names in a certificate signing request: its alternative names, else its common name; lower case.

    Raises:
        InvalidRequest: when it cannot be read.
    """
    request = _read_csr(csr)
    try:
        return _names(request)
    except _UNREADABLE:
        raise InvalidRequest("the names in csr cannot be read; make the certificate signing request anew") from None


def key_of_certificate(pem: str) -> bytes | None:
    """The public key (DER) of the first certificate in a text; None when there is none that can be read."""
    try:
        certificates = split_certificates([pem])
        return _public_key(certificates[0]) if certificates else None
    except UnexpectedResponse:
        return None
    except _UNREADABLE:
        return None


def _read_csr(csr: str) -> x509.CertificateSigningRequest:
    text = csr.replace("\\n", "\n")
    if "-----BEGIN" not in text:
        begin, end = (f"-----{word} CERTIFICATE REQUEST-----" for word in ("BEGIN", "END"))
        text = "\n".join([begin, *textwrap.wrap("".join(text.split()), 64), end])
    try:
        request = x509.load_pem_x509_csr(text.encode("ascii"))
        _public_key(request)
        return request
    except _UNREADABLE:
        raise InvalidRequest("csr cannot be read; give the certificate signing request as PEM") from None


def check_key(bundle: Bundle, key: bytes) -> None:
    """See that the certificate was made for a public key (DER).

    Raises:
        CertificateRefused: key_mismatch.
        UnexpectedResponse: when the key in the certificate cannot be read.
    """
    try:
        issued = _public_key(x509.load_pem_x509_certificate(bundle.certificate.encode("ascii")))
    except _UNREADABLE as exc:
        raise UnexpectedResponse(f"the key in the certificate cannot be read ({type(exc).__name__})") from None
    if issued != key:
        raise CertificateRefused(
            "key_mismatch",
            f"the certificate with serial number {bundle.facts.serial_number} was issued for another key than that of "
            "the CSR; it may be the previous certificate, or the order was placed with another CSR",
        )


def _public_key(holder: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    return holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def check_names(bundle: Bundle, required: t.Sequence[str]) -> None:
    """See that the certificate covers every name.

    Raises:
        InvalidRequest: when a name is no host name or IP address.
        CertificateRefused: names_not_covered.
    """
    missing = [name for name in required if not covers(bundle.facts.names, ascii_name(name))]
    if missing:
        raise CertificateRefused(
            "names_not_covered",
            f"the certificate with serial number {bundle.facts.serial_number} does not cover {', '.join(missing)}; it "
            f"is valid for {', '.join(bundle.facts.names) or 'no name at all'}; correct names, or reissue with all",
        )


def check_validity(bundle: Bundle, now: datetime.datetime) -> None:
    """See that the certificate has not expired.

    Raises:
        CertificateRefused: not_valid_now.
    """
    if bundle.facts.not_after <= iso_time(now):
        raise CertificateRefused(
            "not_valid_now",
            f"the certificate with serial number {bundle.facts.serial_number} expired at {bundle.facts.not_after}; "
            "order or reissue a new one",
        )


def host_names(names: t.Iterable[str]) -> list[str]:
    """Those of the names that can stand in a server certificate; providers also list people, and damaged names."""
    found: list[str] = []
    for name in names:
        with contextlib.suppress(InvalidRequest):
            found.append(ascii_name(name))
    return found


def is_serial(bundle: Bundle, reported: str) -> bool:
    """Whether a serial number that a provider reported, in hex or in decimal digits, is that of the certificate."""
    return bundle.facts.serial_number in serial_forms(reported)


def ascii_name(name: str) -> str:
    """A host name as it stands in certificates; see ``_common.names.normalize_name``.

    Raises:
        InvalidRequest: when it is no DNS name and no IP address.
    """
    try:
        return normalize_name(name, _encode_idna)
    except ValueError:
        raise InvalidRequest(f"{name!r} is no host name; give names as they stand in the certificate") from None


def _encode_idna(name: str) -> str:
    return idna.encode(name, uts46=True).decode("ascii") if HAS_IDNA else encode_idna2003(name)


def _decode(block: str) -> list[bytes]:
    """The certificates (DER) in the base64 of one certificate, of several in a row, or of a whole PEM text."""
    compact = "".join(block.split())
    # Where several stand in a row, each may end with its own padding.
    pieces = re.findall("[^=]+={0,2}", compact)
    found: list[bytes] = []
    for piece in pieces if pieces and "".join(pieces) == compact else [compact]:
        try:
            content = base64.b64decode(piece, validate=True)
        except (binascii.Error, ValueError):
            raise UnexpectedResponse("what came as a certificate is not base64") from None
        if content[:5] == b"-----":
            # Some providers deliver the base64 of the whole PEM text. Bare base64 inside it would be no end of nesting.
            inner = _PEM_BLOCK.findall(content.decode("latin-1"))
            found.extend(der for text in inner if not text.lstrip().startswith("LS0t") for der in _decode(text))
        else:
            found.extend(_split_der(content))
    return found


def _split_der(content: bytes) -> list[bytes]:
    """Certificates that follow one another without anything between them, by the length that each one begins with."""
    found: list[bytes] = []
    start = 0
    while content[start : start + 1] == b"\x30" and len(content) - start >= 4 and len(found) <= _MAX_CERTIFICATES:
        size = content[start + 1]
        end = start + 2
        if size & 0x80:
            end += size & 0x7F
            size = int.from_bytes(content[start + 2 : end], "big")
        end += size
        found.append(content[start:end])
        start = end
    # What follows the last one is noise, unless it is all there is: then reading it says what is wrong with it.
    return found or [content]


def _find_leaf(certificates: t.Sequence[x509.Certificate]) -> x509.Certificate:
    ends = [one for one in certificates if not _is_authority(one)]
    if not ends:
        raise UnexpectedResponse(
            "no certificate came, only those of authorities" if certificates else "no certificate came"
        )
    if len(ends) > 1:
        raise UnexpectedResponse(
            f"{len(ends)} certificates came that belong to no authority, and nothing shows which one was ordered",
            retryable=False,
        )
    return ends[0]


def _follow(end: x509.Certificate, pool: t.Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """The certificates that lead up from a leaf, a root at their end included where it came."""
    authorities = [one for one in pool if one != end and (_is_authority(one) or _is_root(one))]
    chain: list[x509.Certificate] = []
    last = end
    while not _is_root(last) and len(chain) < _MAX_CHAIN:
        issuers = [one for one in authorities if one not in chain and _issued_by(last, one)]
        if not issuers:
            break
        last = min(
            issuers,
            key=lambda one: (
                _until(one) < _until(end),
                _is_root(one),
                -_until(one).timestamp(),
                one.fingerprint(hashes.SHA256()),
            ),
        )
        chain.append(last)
    return chain


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except _UNREADABLE:
        return False


def _is_root(certificate: x509.Certificate) -> bool:
    return _issued_by(certificate, certificate)


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except _UNREADABLE:
        return False
    return True


def _facts(certificate: x509.Certificate) -> CertificateFacts:
    return CertificateFacts(
        serial_number=f"{certificate.serial_number:X}",
        not_before=iso_time(_moment(certificate, "not_valid_before")),
        not_after=iso_time(_until(certificate)),
        names=_names(certificate),
        issuer=certificate.issuer.rfc4514_string(),
        fingerprint_sha256=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def _until(certificate: x509.Certificate) -> datetime.datetime:
    return _moment(certificate, "not_valid_after")


def _moment(certificate: x509.Certificate, name: str) -> datetime.datetime:
    # cryptography before 42 has only the times without a zone; they are UTC.
    moment: datetime.datetime = getattr(certificate, name + "_utc", None) or getattr(certificate, name)
    return moment.replace(tzinfo=datetime.timezone.utc)


def _names(certificate: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, ...]:
    found: list[str] = []
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found.extend(name.lower() for name in alternative.get_values_for_type(x509.DNSName))
        found.extend(str(address) for address in alternative.get_values_for_type(x509.IPAddress))
    except _UNREADABLE:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        found.extend(str(attribute.value).lower() for attribute in common)
    return tuple(dict.fromkeys(found))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
