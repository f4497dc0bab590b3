# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence that is computed from the CSR: the test vector of Sectigo's DCV sheet, and what is refused."""

from __future__ import annotations

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._common import csr_hash

CSR = """-----BEGIN CERTIFICATE REQUEST-----
MIHVMH0CAQAwGzEZMBcGA1UEAwwQc2hvcC5leGFtcGxlLm9yZzBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABIMalvclz9VoyE8LfbZUxrf2MVfez2dLb7kUgliYL1OK
5CXgbtOQgx3XKQZkJyW3bZHK9dkdEIMNffQ1BJwCMzegADAKBggqhkjOPQQDAgNI
ADBFAiEAxgx4RauOZoVKzfvJRYO+c7VFG6VLGL1WbWike1Xg/qQCIBTJxkIgCzcs
6A/BFCeRzW1ZVfc6K2MtCYTDmF+z6zml
-----END CERTIFICATE REQUEST-----
"""
MD5 = "3fa076dc547e7c065db9c858516c8b7b"
SHA256 = "0adb68ad6222e0ec5144808d9dd9a26395b82d26955baa204f1b3d9ff39cc461"


@pytest.mark.parametrize(
    "pem",
    [
        CSR,
        CSR.replace("\n", "\r\n"),
        CSR.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"),
        "  \n" + CSR.replace("\n", " \n  ") + "\n\n",
    ],
    ids=["plain", "crlf", "new", "blanks"],
)
def test_hashes_of_the_vector(pem: str) -> None:
    assert csr_hash.csr_hashes(pem) == csr_hash.CsrHashes(MD5, SHA256)


def test_record_and_file_of_the_vector() -> None:
    hashes = csr_hash.csr_hashes(CSR)
    record = csr_hash.cname_record("*.shop.example.org", hashes, "t0827792001533920169", "sectigo.com")
    assert record.fqdn == f"_{MD5}.shop.example.org"
    assert record.value == (
        "0adb68ad6222e0ec5144808d9dd9a263.95b82d26955baa204f1b3d9ff39cc461.t0827792001533920169.sectigo.com"
    )
    file = csr_hash.file_evidence("http", "shop.example.org", hashes, "t0827792001533920169", "sectigo.com")
    assert file.url == f"http://shop.example.org/.well-known/pki-validation/{MD5.upper()}.txt"
    assert file.content == f"{SHA256}\nsectigo.com\nt0827792001533920169"


def test_no_unique_value_is_no_label_and_no_line() -> None:
    hashes = csr_hash.csr_hashes(CSR)
    assert csr_hash.cname_record("a.example", hashes, "", "comodoca.com").value == (
        "0adb68ad6222e0ec5144808d9dd9a263.95b82d26955baa204f1b3d9ff39cc461.comodoca.com"
    )
    assert csr_hash.file_evidence("https", "a.example", hashes, "", "comodoca.com").content == f"{SHA256}\ncomodoca.com"


@pytest.mark.parametrize("value", ["a" * 21, "with-hyphen", "a b", "ä", "a\n", "."])
def test_bad_unique_value_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="1 to 20 letters and digits"):
        csr_hash.cname_record("a.example", csr_hash.CsrHashes(MD5, SHA256), value, "sectigo.com")
    with pytest.raises(ValueError, match="1 to 20 letters and digits"):
        csr_hash.file_evidence("http", "a.example", csr_hash.CsrHashes(MD5, SHA256), value, "sectigo.com")


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "garbage",
        CSR.replace("MIHV", "!!!!"),
        CSR.replace("MIHV", "AAAA"),
        CSR.replace("6A/BFCeRzW1ZVfc6K2MtCYTDmF+z6zml", "6A/BFCeRzW1ZVfc6K2MtCYTDmF+z6zm"),
        CSR.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        CSR.replace("6A/BFCeRzW1ZVfc6K2MtCYTDmF+z6zml", "6A/BFCeRzW1ZVfc6K2MtCYTDmF+z"),
        "-----BEGIN CERTIFICATE REQUEST-----\nMII=\n-----END CERTIFICATE REQUEST-----",
    ],
)
def test_what_is_no_csr_is_refused(pem: str) -> None:
    with pytest.raises(ValueError, match="certificate request"):
        csr_hash.csr_hashes(pem)


@pytest.mark.parametrize(
    ("name", "names", "owner"),
    [
        ("www.example.org", ["www.example.org", "example.org"], "example.org"),
        ("*.a.example.org", ["*.a.example.org", "b.example.org"], "a.example.org"),
        ("an.example.org", ["example.com", "n.example.org"], "an.example.org"),
        ("example.org", [], "example.org"),
    ],
)
def test_a_record_stands_at_the_highest_name_that_covers(name: str, names: list[str], owner: str) -> None:
    assert csr_hash.record_owner(name, names) == owner
