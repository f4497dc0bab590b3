# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key in PKCS#8, and the PKCS#12 file with certificate, chain and key."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import typing as t

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError, InvalidKey
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.plugins.module_utils._deployment.private_key import to_pkcs8
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target

PASSWORD = "correct horse ä battery"
FILES = ["cert", "chain", "fullchain", "privkey", "pkcs12"]


def with_keystore(password: str | None = PASSWORD, **changes: t.Any) -> dict[str, t.Any]:
    return dict({"files": FILES, "pkcs12_password": password}, **changes)


def keystore(target: Target) -> bytes:
    return (target.path / "current" / "keystore.p12").read_bytes()


def refused(target: Target, *args: t.Any, **options: t.Any) -> DeploymentError:
    before = target.tree()
    with pytest.raises(DeploymentError) as caught:
        target.deploy(*args, **options)
    assert target.tree() == before
    return caught.value


# -- PKCS#12 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
@pytest.mark.parametrize("traditional", [False, True], ids=["PKCS#8", "traditional"])
def test_keystore_holds_certificate_chain_and_key(target: Target, kind: str, traditional: bool) -> None:
    key = pki.make_key(kind)
    leaf = target.world.issue(NAME, key=key)
    target.deploy(leaf, **with_keystore(private_key=pki.key_pem(key, traditional=traditional)))
    read = pkcs12.load_pkcs12(keystore(target), PASSWORD.encode())
    assert read.cert is not None
    assert read.cert.certificate == leaf
    assert read.cert.friendly_name == NAME.encode()
    assert [item.certificate for item in read.additional_certs] == [target.world.intermediate.certificate]
    assert read.key is not None
    assert read.key.private_numbers() == key.private_numbers()  # type: ignore[union-attr]
    path = target.path / "current" / "keystore.p12"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(keystore(target), b"another")


def test_keystore_is_made_again_only_for_what_it_is_made_of(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, **with_keystore())
    before, tree = keystore(target), target.tree()
    assert target.deploy(leaf, **with_keystore())["changed"] is False
    assert target.tree() == tree
    assert target.deploy(leaf, **with_keystore(), check_mode=True)["reasons"] == []

    changed = target.deploy(leaf, **with_keystore("another"), check_mode=True)
    assert changed["reasons"] == ["attributes_differ"]
    assert target.tree() == tree
    changed = target.deploy(leaf, **with_keystore("another"))
    assert changed["reasons"] == ["attributes_differ"]
    assert pkcs12.load_pkcs12(keystore(target), b"another").cert is not None
    assert keystore(target) != before

    renewed = target.world.issue(NAME)
    assert target.deploy(renewed, **with_keystore("another"))["reasons"] == ["certificate_differs"]
    read = pkcs12.load_pkcs12(keystore(target), b"another").cert
    assert read is not None and read.certificate == renewed
    assert target.deploy(renewed)["reasons"] == ["attributes_differ"]
    assert not (target.path / "current" / "keystore.p12").exists()
    assert target.deploy(renewed)["changed"] is False


def test_damaged_keystore_is_repaired(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, **with_keystore())
    (target.path / "current" / "keystore.p12").write_bytes(b"damaged")
    assert target.deploy(leaf, **with_keystore())["reasons"] == ["key_differs"]
    assert pkcs12.load_pkcs12(keystore(target), PASSWORD.encode()).cert is not None


def test_record_does_not_help_to_guess_the_password(target: Target) -> None:
    """The same password leaves another trace with another key; nobody without the key can try passwords on it."""
    traces = []
    for key in (target.world.key, pki.make_key()):
        leaf = target.world.issue(NAME, key=key)
        target.deploy(leaf, **with_keystore("secret", private_key=pki.key_pem(key)))
        record = (target.path / "current" / "version.json").read_text()
        assert "secret" not in record
        traces.append(json.loads(record)["keystore_hmac"])
    assert traces[0] != traces[1]


def test_password_is_on_no_command_line(target: Target) -> None:
    commands = []
    run = target.host.run

    def watched(command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
        commands.append(list(command))
        return run(command, descriptors)

    target.host.run = watched  # type: ignore[method-assign]
    result = target.deploy(target.world.issue(NAME), **with_keystore())
    assert [command[:3] for command in commands] == [["openssl", "pkcs12", "-export"]]
    assert PASSWORD not in repr(commands) + repr(result)


def test_placeholder_with_keystore(target: Target) -> None:
    options = with_keystore(placeholder=True, chain=None)
    target.deploy(**options)
    read = pkcs12.load_pkcs12(keystore(target), PASSWORD.encode())
    assert read.cert is not None
    assert pki.pem(read.cert.certificate) == target.read("cert.pem")
    assert target.deploy(**options)["changed"] is False
    assert target.deploy(target.world.issue(NAME), **with_keystore())["reasons"][:1] == ["certificate_differs"]


@pytest.mark.parametrize("password", [None, "", "two\nlines", "a\0b", "x" * 1024, "\U0001f511" * 256])
def test_password_that_cannot_be_one(target: Target, password: str | None) -> None:
    error = refused(target, target.world.issue(NAME), **with_keystore(password))
    assert error.kind == "invalid_request"
    assert "pkcs12_password" in error.message
    assert not password or password not in error.message


@pytest.mark.parametrize("password", ["x" * 1023, "\U0001f511" * 255 + "xyz"])
def test_longest_password(target: Target, password: str) -> None:
    target.deploy(target.world.issue(NAME), **with_keystore(password))
    assert pkcs12.load_pkcs12(keystore(target), password.encode()).cert is not None
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_pkcs12(keystore(target), password[:-1].encode())


def test_keystore_without_openssl(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    error = refused(target, target.world.issue(NAME), **with_keystore())
    assert error.kind == "write_failed"
    assert "openssl" in error.message


def test_keystore_without_files_in_memory(target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: t.Any) -> None:
    """Where the system has none, openssl reads and writes in a folder that nobody else can enter, and that goes."""
    monkeypatch.delattr(os, "memfd_create")
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    target.deploy(target.world.issue(NAME), **with_keystore())
    assert pkcs12.load_pkcs12(keystore(target), PASSWORD.encode()).cert is not None
    assert os.listdir(folder) == []


def test_record_of_somebody_else(target: Target) -> None:
    """A record in which the trace of the password is no such thing does not count."""
    leaf = target.world.issue(NAME)
    target.deploy(leaf, **with_keystore())
    path = target.path / "current" / "version.json"
    path.write_text(json.dumps(dict(json.loads(path.read_text()), keystore_hmac=["x"])))
    assert target.deploy(leaf, **with_keystore())["reasons"] == [
        "certificate_differs",
        "chain_differs",
        "key_differs",
    ] + ["attributes_differ"]


def test_information_of_a_lineage_with_keystore(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, **with_keystore())
    assert read_lineage(str(target.path))["certificate"] == pki.pem(leaf)


@pytest.mark.skipif(not shutil.which("keytool"), reason="not tested: there is no keytool of a Java runtime")
def test_java_reads_the_keystore(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, **with_keystore("changeit"))
    path = target.path / "current" / "keystore.p12"
    command = ["keytool", "-list", "-v", "-storetype", "PKCS12", "-keystore", str(path), "-storepass", "changeit"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ, LC_ALL="C"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Alias name: {NAME}" in done.stdout
    assert "Entry type: PrivateKeyEntry" in done.stdout
    assert "Certificate chain length: 2" in done.stdout
    assert f"Serial number: {leaf.serial_number:x}" in done.stdout


# -- PKCS#8 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def test_key_in_pkcs8(target: Target, kind: str) -> None:
    key = pki.make_key(kind)
    leaf = target.world.issue(NAME, key=key)
    given = {"private_key": pki.key_pem(key, traditional=True)}
    target.deploy(leaf, **given)
    assert target.read("privkey.pem") == given["private_key"]
    assert target.deploy(leaf, **given, key_format="pkcs8")["reasons"] == ["key_differs"]
    assert target.read("privkey.pem") == pki.key_pem(key)
    assert target.deploy(leaf, **given, key_format="pkcs8")["changed"] is False
    own = {"private_key": None, "private_key_path": str(target.path / "current" / "privkey.pem")}
    assert target.deploy(leaf, **own, key_format="pkcs8")["changed"] is False
    combined = {"files": ["fullchain", "combined"]}
    target.deploy(leaf, **given, **combined, key_format="pkcs8")
    assert target.read("combined.pem").endswith(pki.key_pem(key))


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_conversion_is_that_of_openssl(curve: ec.EllipticCurve) -> None:
    key = pki.key_pem(ec.generate_private_key(curve), traditional=True).encode()
    command = ["openssl", "pkcs8", "-topk8", "-nocrypt"]
    converted = subprocess.run(command, input=key, capture_output=True, check=True).stdout
    assert to_pkcs8(key, "a file") == converted
    assert to_pkcs8(converted, "a file") == converted


def _armored(label: str, base64_lines: str) -> bytes:
    return f"-----BEGIN {label}-----\n{base64_lines}\n-----END {label}-----\n".encode()


@pytest.mark.parametrize(
    "key, problem",
    [
        (_armored("RSA PRIVATE KEY", "MAMC"), "ends beyond its container"),
        (_armored("RSA PRIVATE KEY", "MA=\nx"), "cannot be converted"),
        (_armored("RSA PRIVATE KEY", "\n"), "it ends too early"),
        (_armored("EC PRIVATE KEY", "MAYCAQEEAQE="), "does not name its curve"),
        (_armored("EC PRIVATE KEY", "MAMCAQE="), "it ends too early"),
        (_armored("EC PRIVATE KEY", "AgEB"), "expected element 0x30"),
        (_armored("ANY PRIVATE KEY", "MAMCAQE="), "neither RSA nor EC"),
    ],
)
def test_key_that_cannot_be_converted(key: bytes, problem: str) -> None:
    with pytest.raises(InvalidKey, match=problem) as caught:
        to_pkcs8(key, "/etc/ssl/private/key.pem")
    assert "/etc/ssl/private/key.pem" in caught.value.message


def test_key_of_another_kind(target: Target) -> None:
    key = dsa.generate_private_key(1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    error = refused(target, target.world.issue(NAME), private_key=key.decode(), key_format="pkcs8")
    assert (error.kind, "DSA PRIVATE KEY" in error.message) == ("invalid_key", True)
