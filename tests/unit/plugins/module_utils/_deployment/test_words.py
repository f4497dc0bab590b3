# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user reads of odd inputs and odd hosts, and that they are told apart from what they only look like."""

from __future__ import annotations

import errno
import fcntl
import os
import ssl
import sys
import textwrap
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.name import _ASN1Type

from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.plugins.module_utils._deployment.x509 import read_certificate
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.test_adversity import refused


def named(organization: str, kind: _ASN1Type) -> x509.Name:
    """A name with its texts in a type of string."""
    parts = [(x509.NameOID.ORGANIZATION_NAME, organization), (x509.NameOID.COMMON_NAME, "Two Types")]
    return x509.Name([x509.NameAttribute(oid, text, kind) for oid, text in parts])


@pytest.mark.parametrize(
    "organization, kind",
    [("Test", _ASN1Type.PrintableString), ("TEST", _ASN1Type.UTF8String), (" test ", _ASN1Type.PrintableString)],
)
def test_name_of_an_authority_in_another_type_of_string(target: Target, organization: str, kind: _ASN1Type) -> None:
    authority = pki.Authority("Two Types", target.world.root)
    authority.name = named("Test", _ASN1Type.UTF8String)
    authority.certificate = pki._build(authority.name, authority.key, target.world.root, None, {})
    authority.name = named(organization, kind)
    leaf = authority.issue(NAME, key=target.world.key)
    one, other = read_certificate(pki.der(authority.certificate)), read_certificate(pki.der(leaf))
    assert one.subject_der != other.issuer_der
    assert target.deploy(leaf, chain=authority.pem)["changed"] is True


def test_another_name_is_another_authority(target: Target) -> None:
    authority = pki.Authority("Two Types", target.world.root)
    authority.name = named("Tset", _ASN1Type.UTF8String)
    error = refused(target, authority.issue(NAME, key=target.world.key), chain=authority.pem)
    assert error.kind == "untrusted_chain"
    assert error.details["missing_issuer"] == "O=Tset, CN=Two Types"


@pytest.mark.parametrize("through_a_link", [False, True])
def test_absolute_link_to_one_of_our_own_versions(target: Target, through_a_link: bool) -> None:
    if through_a_link:
        (target.path.parent / "real").mkdir()
        (target.path.parent / "link").symlink_to("real")
        target.path = target.path.parent / "link" / "lineage"
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    (name,) = target.versions()
    current = target.path / "current"
    current.unlink()
    current.symlink_to(target.path.resolve() / "versions" / name)
    assert read_lineage(str(target.path))["serial_number"] == pki.serial(leaf)
    assert target.deploy(leaf)["changed"] is False
    assert refused(target, leaf, path=str(target.path / "below")).kind == "not_a_lineage"
    target.deploy(target.world.issue(NAME))
    assert os.readlink(current).startswith("versions/2-")


def test_absolute_link_to_the_version_of_another_lineage(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    current = target.path / "current"
    name = target.versions()[0]
    current.unlink()
    current.symlink_to(target.path.parent / "other" / "versions" / name)
    assert refused(target, target.world.issue(NAME)).kind == "not_a_lineage"


def test_python_without_ssl(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("rehearsal", "probe", "placeholder"):
        monkeypatch.delitem(sys.modules, f"{read_lineage.__module__.rpartition('.')[0]}.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "ssl", None)
    error = refused(target, target.world.issue(NAME))
    assert error.kind == "missing_library"
    assert "has no module 'ssl'" in error.message and sys.executable in error.message


def test_file_system_without_locks(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    target.deploy(target.world.issue(NAME))

    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    error = refused(target, target.world.issue(NAME))
    assert error.kind == "write_failed"
    assert f"{target.path}/.lock cannot be locked: No locks available" in error.message


@pytest.mark.parametrize("content", ["-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", None])
def test_broken_file_in_a_folder_of_ca_certificates(target: Target, content: str | None) -> None:
    folder = target.path.parent / "ca"
    folder.mkdir()
    (folder / "a.pem").write_text(target.world.root.pem)
    broken = folder / "b.pem"
    if content is None:  # read as a certificate here, and not by OpenSSL
        der = pki.der(target.world.issue("a")).replace(bytes.fromhex("06072a8648ce3d0201"), b"\x06\x07" + b"\xff" * 7)
        content = ssl.DER_cert_to_PEM_cert(der.replace(b"\x30\x0a\x06\x08", b"\x30\x0a\x05\x08"))
    broken.write_text(content)
    error = refused(target, target.world.issue(NAME), ca_path=str(folder))
    assert error.kind == "no_trust_store"
    assert f"The CA certificates in {broken} cannot be read: " in error.message


@pytest.mark.parametrize("first_line", [True, False])
def test_key_that_is_indented(target: Target, first_line: bool) -> None:
    key = textwrap.indent(target.world.key_pem, "    ")
    error = refused(target, target.world.issue(NAME), private_key=key if first_line else key.lstrip())
    assert error.kind == "invalid_key"
    assert "The private key in 'private_key' is indented" in error.message


def test_key_of_openssh(target: Target) -> None:
    key = target.world.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    ).decode()
    error = refused(target, target.world.issue(NAME), private_key=key)
    assert error.kind == "invalid_key"
    assert "OpenSSH's own format" in error.message and "ssh-keygen -p -m PEM" in error.message


@pytest.mark.parametrize("leads_to", ["a root", "the odd one"])
def test_odd_root_in_the_trust_store(target: Target, monkeypatch: pytest.MonkeyPatch, leads_to: str) -> None:
    """One that OpenSSL trusts and this collection cannot read; the trust store is the system's."""
    store = [b"\x30\x03\x02\x01\x00"] + [target.world.root_der] * (leads_to == "a root")
    monkeypatch.setattr(ssl.SSLContext, "get_ca_certs", lambda _self, binary_form: store)
    monkeypatch.setenv("SSL_CERT_FILE", str(target.ca_path))
    assert target.deploy(target.world.issue(NAME), ca_path=None)["changed"] is True


def test_read_only_file_system_in_check_mode(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    target.deploy(target.world.issue(NAME))
    status = list(os.statvfs(target.path))
    status[8] |= os.ST_RDONLY
    monkeypatch.setattr(os, "access", lambda *_args: False)
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(t.cast(t.Any, status)))
    error = refused(target, target.world.issue(NAME), check_mode=True)
    assert error.kind == "write_failed"
    assert f"{target.path}: Read-only file system" in error.message
