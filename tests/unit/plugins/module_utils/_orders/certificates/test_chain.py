# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates in every order and disorder in which a provider may deliver them."""

from __future__ import annotations

import base64
import datetime
import itertools
import random
import textwrap
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    CertificateRefused,
    InvalidRequest,
    OrderError,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

ROOT = pki.Authority("Root", not_after=pki.NOW + 900 * pki.DAY)
UPPER = pki.Authority("Upper", ROOT, not_after=pki.NOW + 800 * pki.DAY)
LOWER = pki.Authority("Lower", UPPER, not_after=pki.NOW + 700 * pki.DAY)
FOREIGN = pki.Authority("Foreign", pki.Authority("Elsewhere"))
KEY = pki.make_key()
LEAF = LOWER.issue("www.example.com", "example.com", "*.example.org", "xn--bcher-kva.example", "192.0.2.7", key=KEY)
PEM = pki.pem(LEAF)
EVERYTHING = [LEAF, LOWER.certificate, UPPER.certificate, ROOT.certificate]
WANTED = LOWER.pem + UPPER.pem


def bare(certificate: x509.Certificate) -> str:
    """Base64 without armor."""
    return base64.b64encode(pki.der(certificate)).decode("ascii")


def csr(key: t.Any) -> str:
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")


def assert_whole(bundle: chain.Bundle) -> None:
    assert bundle.certificate == PEM
    assert bundle.chain == WANTED
    assert bundle.fullchain == PEM + WANTED


_CSR = csr(KEY)


# -- order --------------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_any_order_becomes_the_right_one_without_the_root(order: tuple[int, ...]) -> None:
    texts = [pki.pem(EVERYTHING[position]) for position in order]
    assert_whole(chain.assemble(None, texts))
    assert_whole(chain.assemble(None, ["".join(texts)]))
    assert_whole(chain.assemble(PEM, texts))


def test_the_leaf_may_come_with_its_chain_in_its_own_field() -> None:
    assert_whole(chain.assemble(PEM + LOWER.pem, [UPPER.pem]))
    assert_whole(chain.assemble(ROOT.pem + UPPER.pem + LOWER.pem + PEM, []))


def test_repetitions_roots_and_foreign_certificates_are_left_out() -> None:
    noise = [LOWER.pem, PEM, FOREIGN.pem, FOREIGN.issuer.pem, UPPER.pem, LOWER.pem + LOWER.pem, ROOT.pem, PEM]
    assert_whole(chain.assemble(PEM, noise))
    assert_whole(chain.assemble(None, noise))


def test_an_intermediate_of_the_same_name_with_another_key_is_not_taken() -> None:
    double = pki.Authority("Lower", UPPER, not_after=pki.NOW + 750 * pki.DAY)
    for texts in ([double.pem, LOWER.pem, UPPER.pem], [LOWER.pem, double.pem, UPPER.pem]):
        assert_whole(chain.assemble(PEM, texts))


def test_a_certificate_that_may_not_sign_is_no_issuer() -> None:
    """Same name and key as the intermediate, but an end entity's."""
    posing = pki.Authority("Lower", UPPER, key=LOWER.key)
    leaf_like = UPPER.issue("lower.example", key=LOWER.key)
    renamed = (
        x509.CertificateBuilder(
            subject_name=LOWER.name,
            issuer_name=UPPER.name,
            public_key=LOWER.key.public_key(),
            serial_number=leaf_like.serial_number,
            not_valid_before=leaf_like.not_valid_before_utc,
            not_valid_after=leaf_like.not_valid_after_utc,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(UPPER.key, hashes.SHA256())
    )
    assert chain.assemble(PEM, [pki.pem(renamed), posing.pem, UPPER.pem]).chain == posing.pem + UPPER.pem
    with pytest.raises(CertificateRefused):
        chain.assemble(PEM, [pki.pem(renamed), UPPER.pem])


def test_a_cross_signed_intermediate_is_chosen_in_the_same_way_whatever_the_order() -> None:
    old_root = pki.Authority("Old Root", not_after=pki.NOW + 2000 * pki.DAY)
    crossed = pki.Authority("Root", old_root, key=ROOT.key, not_after=pki.NOW + 600 * pki.DAY)
    texts = [LOWER.pem, UPPER.pem, ROOT.pem, crossed.pem, old_root.pem]
    found = {chain.assemble(PEM, order).chain for order in itertools.permutations(texts)}
    # More clients know the older root; it is left out itself.
    assert found == {LOWER.pem + UPPER.pem + crossed.pem}


def test_a_cross_signature_that_ends_before_the_leaf_is_left_out_where_there_is_another_way() -> None:
    old_root = pki.Authority("Old Root", not_after=pki.NOW - pki.DAY, not_before=pki.NOW - 99 * pki.DAY)
    ended = pki.Authority("Root", old_root, key=ROOT.key, not_after=pki.NOW + pki.DAY)
    for order in itertools.permutations([LOWER.pem, UPPER.pem, ROOT.pem, ended.pem]):
        assert chain.assemble(PEM, order).chain == WANTED


def test_two_authorities_that_signed_one_another_are_no_endless_chain() -> None:
    first = pki.Authority("First", ROOT)
    second = pki.Authority("Second", first)
    back = pki.Authority("First", second, key=first.key)
    leaf = pki.pem(first.issue("www.example.com"))
    found = chain.assemble(leaf, [back.pem, second.pem, first.pem])
    assert found.chain.count("BEGIN") <= 3


def test_an_authority_that_changed_its_key_is_no_root() -> None:
    """Issuer and subject are the same, but another key has signed it."""
    old = pki.Authority("Roller")
    new = pki.Authority("Roller", old)
    leaf = pki.pem(new.issue("www.example.com"))
    assert chain.assemble(leaf, [old.pem, new.pem]).chain == new.pem


def test_a_leaf_of_the_root_itself_needs_no_chain_once_that_is_shown() -> None:
    leaf = pki.pem(ROOT.issue("www.example.com"))
    assert chain.assemble(leaf, [ROOT.pem]).chain == ""
    with pytest.raises(CertificateRefused):
        chain.assemble(leaf, [])


@pytest.mark.parametrize("others", [[], [UPPER.pem], [UPPER.pem, ROOT.pem], [FOREIGN.pem], [PEM]])
def test_a_missing_intermediate_is_refused_and_named(others: list[str]) -> None:
    with pytest.raises(CertificateRefused) as caught:
        chain.assemble(PEM, others)
    assert caught.value.kind == "untrusted_chain"
    assert "CN=Lower" in caught.value.message


def test_a_self_signed_certificate_is_refused() -> None:
    alone = pki.Authority("www.example.com")
    alone.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.example.com")])
    certificate = pki.pem(alone.issue("www.example.com", key=alone.key))
    with pytest.raises(CertificateRefused) as caught:
        chain.assemble(certificate, [LOWER.pem])
    assert caught.value.kind == "untrusted_chain"
    assert "signed itself" in caught.value.message


@pytest.mark.parametrize("texts", [[], [""], ["  \n"]])
def test_no_certificate_at_all_is_reported(texts: list[str]) -> None:
    with pytest.raises(UnexpectedResponse, match="no certificate came$"):
        chain.assemble(None, texts)


@pytest.mark.parametrize("texts", [[LOWER.pem, UPPER.pem], [LOWER.pem], [ROOT.pem], [LOWER.pem, ROOT.pem]])
def test_an_authority_is_never_taken_for_the_certificate(texts: list[str]) -> None:
    with pytest.raises(UnexpectedResponse, match="only those of authorities"):
        chain.assemble(None, texts)
    with pytest.raises(UnexpectedResponse, match="only those of authorities"):
        chain.assemble(texts[0], texts[1:])


def test_two_leaves_cannot_be_distinguished() -> None:
    other = pki.pem(LOWER.issue("www.example.com"))
    with pytest.raises(UnexpectedResponse, match="2 certificates came") as caught:
        chain.assemble(None, [PEM, other, LOWER.pem])
    assert not caught.value.retryable
    # Where the provider says which one it is, the other is noise.
    assert chain.assemble(PEM, [other, LOWER.pem, UPPER.pem]).certificate == PEM


# -- shape --------------------------------------------------------------------

SHAPES: t.Mapping[str, t.Callable[[x509.Certificate], str]] = {
    "PEM": pki.pem,
    "CRLF": lambda one: pki.pem(one).replace("\n", "\r\n"),
    "one line": lambda one: pki.pem(one).replace("\n", ""),
    "no last line end": lambda one: pki.pem(one).rstrip(),
    "indented": lambda one: textwrap.indent(pki.pem(one), "   "),
    "text around": lambda one: "subject=CN = x\n" + pki.pem(one) + "\n# and more\n",
    "other armor": lambda one: pki.pem(one).replace("CERTIFICATE", "X509 CERTIFICATE"),
    "bare": bare,
    "bare in lines": lambda one: "\r\n".join(textwrap.wrap(bare(one), 64)) + "\r\n",
    "base64 of PEM": lambda one: base64.b64encode(pki.pem(one).encode("ascii")).decode("ascii"),
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_shape_is_read_and_the_result_is_plain_pem(shape: str) -> None:
    assert_whole(chain.assemble(SHAPES[shape](LEAF), [SHAPES[shape](one) for one in EVERYTHING[1:]]))


def test_a_whole_chain_in_base64() -> None:
    text = "".join(pki.pem(one) for one in EVERYTHING)
    assert_whole(chain.assemble(None, [base64.b64encode(text.encode("ascii")).decode("ascii")]))
    together = b"".join(pki.der(one) for one in EVERYTHING)
    assert_whole(chain.assemble(None, [base64.b64encode(together).decode("ascii")]))


@pytest.mark.parametrize(
    "text",
    [
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nMIIB",
        PEM[: len(PEM) // 2],
        PEM.replace("MII", "!!!"),
        base64.b64encode(pki.der(LEAF)[:-40]).decode().join(PEM.splitlines()[:: len(PEM.splitlines()) - 1]),
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        base64.b64encode(b"\x30\x03\x02\x01\x05").decode(),
        "<html><body>Please log in</body></html>",
        "-----BEGIN PKCS7-----\nMIIB\n-----END PKCS7-----",
    ],
)
def test_what_is_no_certificate_is_reported_as_such(text: str) -> None:
    with pytest.raises(UnexpectedResponse):
        chain.split_certificates([text])
    assert chain.describe_certificate(text) is None


def test_hostile_lengths_end_at_once() -> None:
    """Each would take hours if it were gone through again from every place at which it could begin."""
    for text in (
        "-----BEGIN CERTIFICATE-----" * 200000,
        base64.b64encode(b"\x30\x00" * 2000000).decode(),
        base64.b64encode(b"\x30\x84\xff\xff\xff\xff" * 100000).decode(),
        base64.b64encode(b"\x30\xff" * 100000).decode(),
        PEM.replace("-----\n", "-----\n" + "A" * 1000000),
    ):
        with pytest.raises(UnexpectedResponse):
            chain.split_certificates([text])


def test_a_whole_trust_store_is_no_chain() -> None:
    def serial(number: int) -> str:
        # Only the first bytes differ: reading does not look at signatures.
        der = bytearray(pki.der(ROOT.certificate))
        position = der.index(ROOT.certificate.serial_number.to_bytes(20, "big").lstrip(b"\x00"))
        der[position + 2 : position + 4] = number.to_bytes(2, "big")
        return base64.b64encode(bytes(der)).decode("ascii")

    with pytest.raises(UnexpectedResponse, match="more than 100"):
        chain.split_certificates([serial(number) for number in range(200)])


@given(st.data())
def test_damage_is_refused_or_does_not_matter(data: st.DataObject) -> None:
    """Bytes of a good delivery are changed: never anything but a refusal, or the very same leaf."""
    text = list(PEM + LOWER.pem + UPPER.pem)
    for _change in range(data.draw(st.integers(1, 5))):
        position = data.draw(st.integers(0, len(text) - 1))
        text[position] = data.draw(st.characters(max_codepoint=0x2FF))
    try:
        bundle = chain.assemble(None, ["".join(text)])
        chain.check_key(bundle, chain.key_of_csr(_CSR))
    except OrderError:
        return
    signed = x509.load_pem_x509_certificate(bundle.certificate.encode("ascii"))
    issuer = x509.load_pem_x509_certificate(bundle.chain.encode("ascii"))
    signed.verify_directly_issued_by(issuer)


# -- facts --------------------------------------------------------------------


def test_facts_are_those_of_the_leaf() -> None:
    facts = chain.assemble(PEM, [LOWER.pem, UPPER.pem]).facts
    assert facts.serial_number == pki.serial(LEAF)
    assert facts.not_before == LEAF.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert facts.not_after == LEAF.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert facts.names == ("www.example.com", "example.com", "*.example.org", "xn--bcher-kva.example", "192.0.2.7")
    assert facts.issuer == "CN=Lower,O=Test"
    assert facts.fingerprint_sha256.replace(":", "").lower() == LEAF.fingerprint(hashes.SHA256()).hex()
    assert chain.describe_certificate(PEM + LOWER.pem) == facts


def test_a_serial_number_has_no_leading_zeros() -> None:
    for _try in range(50):
        certificate = LOWER.issue("a.example")
        facts = chain.describe_certificate(pki.pem(certificate))
        assert facts is not None
        assert int(facts.serial_number, 16) == certificate.serial_number
        assert facts.serial_number == facts.serial_number.lstrip("0").upper()


def test_without_alternative_names_the_common_name_counts() -> None:
    certificate = x509.CertificateBuilder(
        subject_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "WWW.Example.COM")]),
        issuer_name=LOWER.name,
        public_key=KEY.public_key(),
        serial_number=5,
        not_valid_before=pki.NOW,
        not_valid_after=pki.NOW + pki.DAY,
    ).sign(LOWER.key, hashes.SHA256())
    facts = chain.describe_certificate(pki.pem(certificate))
    assert facts is not None and facts.names == ("www.example.com",)


# -- the key ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_the_key_of_the_csr_is_that_of_the_certificate_or_it_is_refused(kind: str) -> None:
    key, other = pki.make_key(kind), pki.make_key(kind)
    bundle = chain.assemble(pki.pem(LOWER.issue("www.example.com", key=key)), [LOWER.pem, UPPER.pem])
    reported = csr(key)
    bare = "".join(reported.splitlines()[1:-1])
    for form in (
        reported,
        "some text\r\n" + reported.replace("\n", "\r\n"),
        reported.replace("\n", "\\n"),
        bare,
        bare + "\n",
    ):
        chain.check_key(bundle, chain.key_of_csr(form))
    for stranger in (other, KEY):
        with pytest.raises(CertificateRefused) as caught:
            chain.check_key(bundle, chain.key_of_csr(csr(stranger)))
        assert caught.value.kind == "key_mismatch"
        assert bundle.facts.serial_number in caught.value.message


@pytest.mark.parametrize("text", ["", "no csr", PEM, _CSR[:200], _CSR.replace("MI", "!!"), "é"])
def test_a_csr_that_cannot_be_read_is_an_invalid_request(text: str) -> None:
    with pytest.raises(InvalidRequest, match="csr cannot be read"):
        chain.key_of_csr(text)


def test_a_private_key_given_as_csr_does_not_show(capsys: pytest.CaptureFixture[str]) -> None:
    secret = pki.key_pem(KEY)
    with pytest.raises(InvalidRequest) as caught:
        chain.key_of_csr(secret)
    assert not any(line in repr(caught.value) for line in secret.splitlines())


# -- names --------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "www.example.com",
        "WWW.Example.com.",
        " example.com ",
        "a.example.org",
        "*.example.org",
        "bücher.example",
        "BÜCHER.example",
        "xn--bcher-kva.example",
        "192.0.2.7",
    ],
)
def test_covered_names(name: str) -> None:
    chain.check_names(chain.assemble(PEM, [LOWER.pem, UPPER.pem]), [name])


@pytest.mark.parametrize(
    "name",
    [
        "example.net",
        "mail.example.com",
        # A wildcard stands for one label, and not for none.
        "example.org",
        "a.b.example.org",
        "*.a.example.org",
        "*.example.com",
        "192.0.2.8",
        "2001:db8::1",
        "büchen.example",
        "com",
    ],
)
def test_names_that_are_not_covered_are_refused_and_listed(name: str) -> None:
    with pytest.raises(CertificateRefused) as caught:
        chain.check_names(chain.assemble(PEM, [LOWER.pem, UPPER.pem]), ["www.example.com", name])
    assert caught.value.kind == "names_not_covered"
    assert f"does not cover {name};" in caught.value.message
    assert "*.example.org" in caught.value.message


@pytest.mark.parametrize(
    "name", ["", " ", "a b.example", "a..example", "http://a.example/", "*", "a@b.example", "-", "\ud800.example"]
)
def test_what_is_no_name_is_an_invalid_request(name: str) -> None:
    with pytest.raises(InvalidRequest, match="no host name"):
        chain.ascii_name(name)
    assert chain.host_names([name, "a.example"]) == ["a.example"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Straße.example", "xn--strae-oqa.example"),
        ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("_dmarc.example.com", "_dmarc.example.com"),
    ],
)
def test_names_as_they_stand_in_certificates(name: str, expected: str) -> None:
    assert chain.ascii_name(name) == expected


@given(st.text())
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = chain.ascii_name(text)
    except InvalidRequest:
        return
    assert name.isascii() and name == name.lower()
    assert chain.ascii_name(name) == name


# -- time and serial ----------------------------------------------------------


def test_an_expired_certificate_is_refused() -> None:
    bundle = chain.assemble(PEM, [LOWER.pem, UPPER.pem])
    end = LEAF.not_valid_after_utc
    chain.check_validity(bundle, end - datetime.timedelta(seconds=1))
    chain.check_validity(bundle, (end - datetime.timedelta(seconds=1)).astimezone(datetime.timezone(pki.DAY / 2)))
    for moment in (end, end + pki.DAY, (end + pki.DAY).astimezone(datetime.timezone(-pki.DAY / 2))):
        with pytest.raises(CertificateRefused) as caught:
            chain.check_validity(bundle, moment)
        assert caught.value.kind == "not_valid_now"
        assert bundle.facts.not_after in caught.value.message


def test_a_serial_number_is_reported_in_hex_or_in_decimal_digits() -> None:
    bundle = chain.assemble(PEM, [LOWER.pem, UPPER.pem])
    assert chain.is_serial(bundle, f"{LEAF.serial_number:X}")
    assert chain.is_serial(bundle, str(LEAF.serial_number))
    assert not chain.is_serial(bundle, f"{LEAF.serial_number + 1:X}")
    assert not chain.is_serial(bundle, str(random.getrandbits(64)))
    # What is no number, though Python calls its characters digits, and what is too long for one.
    assert not chain.is_serial(bundle, "²")
    assert not chain.is_serial(bundle, "1" * 5000)


def test_the_names_of_a_csr() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Shop.example.org")])
    bare = x509.CertificateSigningRequestBuilder().subject_name(subject)
    alternative = x509.SubjectAlternativeName([x509.DNSName("A.example.org"), x509.DNSName("*.b.example.org")])
    for builder, names in (
        (bare, ("shop.example.org",)),
        (bare.add_extension(alternative, critical=False), ("a.example.org", "*.b.example.org")),
    ):
        request = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")
        assert chain.names_of_csr(request) == names
    with pytest.raises(InvalidRequest, match="csr cannot be read"):
        chain.names_of_csr("garbage")
