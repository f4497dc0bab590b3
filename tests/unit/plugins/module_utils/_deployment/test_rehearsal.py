# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rehearsal accepts and refuses."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment import rehearsal
from ansible_collections.certops.issuance.plugins.module_utils._deployment.directory import MAX_FILE_SIZE
from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import (
    DeploymentError,
    InvalidKey,
    KeyMismatch,
    NamesNotCovered,
    NoTrustStore,
    UntrustedChain,
)
from ansible_collections.certops.issuance.plugins.module_utils._deployment.rehearsal import private_path, rehearse
from ansible_collections.certops.issuance.plugins.module_utils._deployment.x509 import read_certificate
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

NAME = "www.example.com"


class Rehearsals:
    """Rehearses with a trust store of certificates given as authorities."""

    def __init__(self, folder: pathlib.Path, world: pki.World) -> None:
        self.ca_path = folder / "trusted.pem"
        self.world = world
        self.trust(world.root)

    def trust(self, *authorities: pki.Authority) -> None:
        self.ca_path.write_text("".join(authority.pem for authority in authorities))

    def __call__(
        self,
        leaf: t.Any,
        chain: t.Sequence[pki.Authority] | None = None,
        names: t.Sequence[str] = (NAME,),
        trust: str = "ca_path",
        key: t.Any = None,
    ) -> tuple[bytes, ...]:
        chain = [self.world.intermediate] if chain is None else chain
        return rehearse(
            read_certificate(pki.der(leaf)),
            [read_certificate(pki.der(authority.certificate)) for authority in chain],
            (key if isinstance(key, str) else pki.key_pem(key or self.world.key)).encode(),
            names,
            trust,
            str(self.ca_path),
        )


@pytest.fixture
def rehearsals(tmp_path: pathlib.Path, world: pki.World) -> Rehearsals:
    return Rehearsals(tmp_path, world)


@pytest.mark.parametrize("kind", ["ecdsa", "rsa", "ed25519"])
@pytest.mark.parametrize("in_memory", [True, False])
def test_kinds_of_keys(
    rehearsals: Rehearsals, kind: str, in_memory: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    key = pki.make_key(kind)
    anchors = rehearsals(rehearsals.world.issue(NAME, key=key), key=key)
    assert anchors == (pki.der(rehearsals.world.root.certificate),)
    assert os.listdir(tmp_path) == ["trusted.pem"]


def test_without_memory_files_the_key_is_private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with private_path(b"content") as (path, _descriptors):
        assert os.stat(path).st_mode & 0o777 == 0o600
        assert os.stat(os.path.dirname(path)).st_mode & 0o777 == 0o700
        assert pathlib.Path(path).read_bytes() == b"content"
    assert not os.path.exists(os.path.dirname(path))


@pytest.mark.parametrize("other", ["ecdsa", "rsa"])
def test_key_of_another_certificate(rehearsals: Rehearsals, other: str) -> None:
    leaf = rehearsals.world.issue(NAME)
    with pytest.raises(KeyMismatch, match=pki.serial(leaf)):
        rehearsals(leaf, key=pki.make_key(other))


@pytest.mark.parametrize("traditional", [True, False])
def test_encrypted_key_is_refused_without_a_prompt(rehearsals: Rehearsals, traditional: bool) -> None:
    key = pki.key_pem(rehearsals.world.key, password="secret", traditional=traditional)
    with pytest.raises(InvalidKey, match="encrypted"):
        rehearsals(rehearsals.world.issue(NAME), key=key)


def test_key_that_openssl_finds_too_short(rehearsals: Rehearsals) -> None:
    key = pki.make_key("rsa1024")
    with pytest.raises(InvalidKey, match="too small"):
        rehearsals(rehearsals.world.issue(NAME, key=key), key=key)


def test_key_that_is_none(rehearsals: Rehearsals) -> None:
    broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    with pytest.raises(InvalidKey, match="cannot use"):
        rehearsals(rehearsals.world.issue(NAME), key=broken)


@pytest.mark.parametrize(
    "issued, expected",
    [
        (["*.example.com"], ["www.example.com", "*.example.com"]),
        (["*.example.com", "example.com"], ["example.com", "a.example.com"]),
        (["192.0.2.7", "2001:db8::1"], ["192.0.2.7", "2001:db8::1"]),
        (["xn--bcher-kva.example"], ["xn--bcher-kva.example"]),
    ],
)
def test_names_that_are_covered(rehearsals: Rehearsals, issued: list[str], expected: list[str]) -> None:
    assert rehearsals(rehearsals.world.issue(*issued), names=expected)


@pytest.mark.parametrize(
    "issued, expected",
    [
        (["*.example.com"], "example.com"),
        (["*.example.com"], "a.b.example.com"),
        (["www.example.com"], "*.example.com"),
        (["192.0.2.7"], "192.0.2.8"),
        (["www.example.com"], "192.0.2.7"),
    ],
)
def test_names_that_are_not_covered(rehearsals: Rehearsals, issued: list[str], expected: str) -> None:
    leaf = rehearsals.world.issue(*issued)
    assert not read_certificate(pki.der(leaf)).covers(expected)
    with pytest.raises(NamesNotCovered, match="asks for"):
        rehearsals(leaf, names=[expected])


def test_common_name_covers_nothing(rehearsals: Rehearsals) -> None:
    bare = rehearsals.world.intermediate.issue(key=rehearsals.world.key)
    assert read_certificate(pki.der(bare)).subject == "CN=nameless"
    with pytest.raises(NamesNotCovered):
        rehearsals(bare, names=["nameless"])


def test_root_in_the_chain(rehearsals: Rehearsals) -> None:
    world = rehearsals.world
    for trust in ("ca_path", "chain_only"):
        assert rehearsals(world.issue(NAME), [world.intermediate, world.root], trust=trust)


def test_leaf_of_a_root(rehearsals: Rehearsals) -> None:
    assert rehearsals(rehearsals.world.root.issue(NAME, key=rehearsals.world.key), [])


def test_self_signed_leaf_that_is_trusted(rehearsals: Rehearsals) -> None:
    alone = pki.Authority("Alone", key=rehearsals.world.key)
    rehearsals.trust(alone)
    with pytest.raises(NamesNotCovered):  # trusted, but it has no names
        rehearsals(alone.certificate, [])


def test_cross_signed_chain(rehearsals: Rehearsals) -> None:
    """Root is trusted, and its key also has a certificate of an older root, which the chain carries."""
    world = rehearsals.world
    old_root = pki.Authority("Old Root", not_before=pki.NOW - 900 * pki.DAY, not_after=pki.NOW - pki.DAY)
    expired = {"not_before": pki.NOW - 900 * pki.DAY, "not_after": pki.NOW - pki.DAY}
    crossed = pki.Authority("Root", old_root, key=world.root.key, **expired)
    leaf = world.issue(NAME)
    anchors = rehearsals(leaf, [world.intermediate, crossed])
    assert anchors == (pki.der(world.root.certificate),)
    rehearsals.trust(old_root)
    with pytest.raises(UntrustedChain, match="expired"):
        rehearsals(leaf, [world.intermediate, crossed])


def test_chain_out_of_order(rehearsals: Rehearsals) -> None:
    """OpenSSL sorts it, a strict client does not."""
    world = rehearsals.world
    lower = pki.Authority("Lower", world.intermediate)
    leaf = lower.issue(NAME, key=world.key)
    assert rehearsals(leaf, [lower, world.intermediate])
    with pytest.raises(UntrustedChain, match="out of order.*'O=Test, CN=Lower'"):
        rehearsals(leaf, [world.intermediate, lower])


def test_gap_in_the_chain(rehearsals: Rehearsals) -> None:
    world = rehearsals.world
    lower = pki.Authority("Lower", world.intermediate)
    with pytest.raises(UntrustedChain, match="Lower.*is missing") as failure:
        rehearsals(lower.issue(NAME, key=world.key), [world.intermediate])
    assert failure.value.details["missing_issuer"] == "O=Test, CN=Lower"


@pytest.mark.parametrize("held", [True, False])
def test_missing_intermediate(rehearsals: Rehearsals, held: bool) -> None:
    """Refused also where the trust store happens to hold the intermediate, and a handshake would pass."""
    world = rehearsals.world
    if held:
        rehearsals.trust(world.root, world.intermediate)
    with pytest.raises(UntrustedChain, match="Intermediate") as failure:
        rehearsals(world.issue(NAME), [])
    assert failure.value.details["missing_issuer"] == "O=Test, CN=Intermediate"


def test_chain_of_another_authority_with_the_same_name(rehearsals: Rehearsals) -> None:
    """The names link, the signatures do not; the right intermediate in the trust store must not hide that."""
    world = rehearsals.world
    rehearsals.trust(world.root, world.intermediate)
    with pytest.raises(UntrustedChain):
        rehearsals(world.issue(NAME), [pki.Authority("Intermediate", world.root)])


def test_expired_intermediate(rehearsals: Rehearsals) -> None:
    world = rehearsals.world
    dates = {"not_before": pki.NOW - 9 * pki.DAY, "not_after": pki.NOW - pki.DAY}
    expired = pki.Authority("Intermediate", world.root, world.intermediate.key, **dates)
    for trust in ("ca_path", "chain_only"):
        with pytest.raises(UntrustedChain, match="expired") as failure:
            rehearsals(world.issue(NAME), [expired], trust=trust)
        ended = (pki.NOW - pki.DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert "'O=Test, CN=Intermediate' is valid from" in failure.value.message
        assert "to " + ended in failure.value.message
        assert "missing_issuer" not in failure.value.details


def test_unknown_root(rehearsals: Rehearsals) -> None:
    rehearsals.trust(pki.Authority("Elsewhere"))
    leaf = rehearsals.world.issue(NAME)
    with pytest.raises(UntrustedChain, match="'O=Test, CN=Root'") as failure:
        rehearsals(leaf)
    assert failure.value.details["missing_issuer"] == "O=Test, CN=Root"
    assert rehearsals(leaf, trust="chain_only") == (pki.der(rehearsals.world.intermediate.certificate),)


def test_ca_path_may_be_a_directory(rehearsals: Rehearsals, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "anchors"
    folder.mkdir()
    (folder / "a.crt").write_text(pki.Authority("Elsewhere").pem)
    (folder / "b.pem").write_text("a comment\n" + rehearsals.world.root.pem)
    (folder / "notes.txt").write_text("nothing")
    rehearsals.ca_path = folder
    assert rehearsals(rehearsals.world.issue(NAME))


@pytest.mark.parametrize("content", [None, "", "no certificates"])
def test_ca_path_without_certificates(rehearsals: Rehearsals, content: str | None) -> None:
    rehearsals.ca_path.unlink()
    if content is not None:
        rehearsals.ca_path.write_text(content)
    with pytest.raises(NoTrustStore, match="trusted.pem"):
        rehearsals(rehearsals.world.issue(NAME))


@pytest.mark.parametrize("case", ["fifo", "device", "large"])
def test_ca_path_that_is_no_file_to_read(rehearsals: Rehearsals, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rehearsals.ca_path
    monkeypatch.setattr(rehearsal, "_MAX_BUNDLE_SIZE", 2 * MAX_FILE_SIZE)
    comment = "x" * MAX_FILE_SIZE + "\n"
    path.write_text(comment + path.read_text())
    assert rehearsals(rehearsals.world.issue(NAME))  # bundles may be larger than certificates
    if case == "large":
        path.write_text(comment + comment)
    else:
        path.unlink()
    if case == "fifo":
        os.mkfifo(path)
    elif case == "device":
        path.symlink_to("/dev/zero")
    with pytest.raises(NoTrustStore, match=r"trusted\.pem cannot be read: it is no regular file, or too large"):
        rehearsals(rehearsals.world.issue(NAME))


def test_system_trust_store(rehearsals: Rehearsals, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """OpenSSL takes the places of the system's store from its environment; a hashed folder is read when needed."""
    leaf = rehearsals.world.issue(NAME)
    folder = tmp_path / "hashed"
    folder.mkdir()
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    with pytest.raises(NoTrustStore, match="ca-certificates"):
        rehearsals(leaf, trust="system")
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(rehearsals.ca_path)]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() + ".0"
    (folder / name).write_text(rehearsals.world.root.pem)
    assert rehearsals(leaf, trust="system") == (pki.der(rehearsals.world.root.certificate),)
    monkeypatch.delenv("SSL_CERT_DIR")
    monkeypatch.setenv("SSL_CERT_FILE", str(rehearsals.ca_path))
    assert rehearsals(leaf, trust="system")
    with pytest.raises(DeploymentError):
        rehearsals(leaf, [], trust="system")
