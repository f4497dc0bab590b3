# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key and CSR for the next certificate: what is in them, when they are made anew, and what interruptions leave."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import ipaddress
import json
import os
import pathlib
import pwd
import shutil
import signal
import stat
import tempfile
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.certops.issuance.plugins.module_utils._deployment import request as request_module
from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.plugins.module_utils._deployment.openssl import KEY_TYPES
from ansible_collections.certops.issuance.plugins.module_utils._deployment.request import request_certificate
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.test_crash import (
    in_child,
    kill_at,
    take_steps,
)

FILES = ["privkey.pem", "request.csr", "request.json"]


class Requests(Target):
    """A target on which certificates are requested."""

    @property
    def pending(self) -> pathlib.Path:
        return self.path / "pending"

    @property
    def key(self) -> t.Any:
        return serialization.load_pem_private_key((self.pending / "privkey.pem").read_bytes(), None)

    def request(self, check_mode: bool = False, **changes: t.Any) -> dict[str, t.Any]:
        options: dict[str, t.Any] = {
            "path": str(self.path),
            "names": [NAME],
            "key_type": "ecdsa-p256",
            "subject": {},
            "reuse_key": False,
            "order_id": None,
            "state": "present",
        }
        return request_certificate(dict(options, **changes), self.host, check_mode=check_mode)

    def refused(self, **changes: t.Any) -> DeploymentError:
        with pytest.raises(DeploymentError) as caught:
            self.request(**changes)
        return caught.value

    def issue(self) -> x509.Certificate:
        """A certificate for the pending key."""
        return self.world.issue(NAME, key=self.key)

    def deploy_pending(self, certificate: x509.Certificate, **changes: t.Any) -> dict[str, t.Any]:
        key_path = str(self.pending / "privkey.pem")
        return self.deploy(certificate, private_key=None, private_key_path=key_path, **changes)

    def change_json(self, **changes: t.Any) -> None:
        path = self.pending / "request.json"
        path.write_text(json.dumps(dict(json.loads(path.read_text()), **changes)))

    def expect_whole(self) -> None:
        """The three files are there, fit each other, and nobody else can read the key."""
        assert sorted(os.listdir(self.pending)) == FILES
        csr = x509.load_pem_x509_csr((self.pending / "request.csr").read_bytes())
        assert csr.is_signature_valid
        assert csr.public_key() == self.key.public_key()
        written = json.loads((self.pending / "request.json").read_text())
        assert written["public_key_sha256"] == spki_sha256(csr)
        assert [str(name) for name in written["names"]] == names_in(csr)
        assert stat.S_IMODE((self.pending / "privkey.pem").stat().st_mode) == 0o600


def spki_sha256(holder: t.Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(holder.public_key().public_bytes(serialization.Encoding.DER, form)).hexdigest()


def names_in(csr: x509.CertificateSigningRequest) -> list[str]:
    extension = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in extension]


def load(result: t.Mapping[str, t.Any]) -> x509.CertificateSigningRequest:
    return x509.load_pem_x509_csr(result["csr"].encode())


@pytest.fixture
def target(world: pki.World) -> t.Iterator[Requests]:
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Requests(pathlib.Path(folder) / "lineage", world)


# -- what is made -----------------------------------------------------------------------------------------------------


def test_make_a_request_and_find_it(target: Requests) -> None:
    names = ["WWW.Example.com.", "bücher.example", "*.example.com", "192.0.2.7", "2001:DB8:0::1", "www.example.com"]
    result = target.request(names=names)
    assert (result["changed"], result["reasons"]) == (True, ["absent"])
    assert result["names"] == ["www.example.com", "xn--bcher-kva.example", "*.example.com", "192.0.2.7", "2001:db8::1"]
    csr = load(result)
    assert names_in(csr) == result["names"]
    assert ipaddress.ip_address("2001:db8::1") in [
        name.value for name in csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    ]
    assert csr.subject.rfc4514_string() == "CN=www.example.com"
    assert result["public_key_sha256"] == spki_sha256(csr)
    assert (target.pending / "request.csr").read_text() == result["csr"]
    target.expect_whole()
    assert stat.S_IMODE(target.path.stat().st_mode) == 0o755
    before = target.tree()
    again = target.request(names=[*reversed(names)])
    assert (again["changed"], again["reasons"], again["csr"]) == (False, [], result["csr"])
    assert again["created_at"] == result["created_at"]
    assert target.tree() == before


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_key_types(target: Requests, key_type: str) -> None:
    target.request(key_type=key_type)
    key = target.key
    kind, _dash, size = key_type.partition("-")
    if kind == "rsa":
        assert isinstance(key, rsa.RSAPrivateKey)
        assert key.key_size == int(size)
    else:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.curve.name == {"p256": "secp256r1", "p384": "secp384r1"}[size]
    assert target.request(key_type=key_type)["changed"] is False


@pytest.mark.parametrize(
    "value",
    [
        "Example, Inc.",
        "$HOME ${ENV::HOME} $(id)",
        "# no comment ; [section] = value",
        "back\\slash \\n \\",
        "\"quoted\" 'single' `tick`",
        "1.2.3.4:copy, @names",
        "Bücher & Söhne 書店 🔑",
        "/CN=evil.example.com/O=x+OU=y",
        "-config",
        "x" * 64,
    ],
)
def test_subject_values_are_no_syntax(target: Requests, value: str) -> None:
    csr = load(target.request(subject={"O": value, "countryName": "DE", "L": value}))
    found = [(part.rfc4514_attribute_name, part.value) for part in csr.subject]
    assert found == [("O", value), ("C", "DE"), ("L", value), ("CN", NAME)]
    assert names_in(csr) == [NAME]
    assert target.request(subject={"O": f" {value} ", "C": "DE", "L": value})["changed"] is False


def test_common_name(target: Requests) -> None:
    long_name = "a" * 60 + ".example.com"
    assert load(target.request(names=[long_name, NAME])).subject.rfc4514_string() == f"CN={NAME}"
    assert load(target.request(names=[long_name])).subject.rfc4514_string() == ""
    named = target.request(names=[long_name], subject={"CN": "Example"})
    assert load(named).subject.rfc4514_string() == "CN=Example"


@pytest.mark.parametrize(
    "changes",
    [
        {"names": []},
        {"names": ["fe80::1%eth0"]},
        {"names": ["www.example.com\nDNS.2 = evil.example.com"]},
        {"names": ["a, DNS:evil.example.com"]},
        {"names": ["$HOME"]},
        {"subject": {"O": "a\nsubjectAltName = DNS:evil.example.com"}},
        {"subject": {"O": "a\0b"}},
        {"subject": {"O": "\ud800"}},
        {"subject": {"O": ""}},
        {"subject": {"O": 1}},
        {"subject": {"O": "x" * 257}},
        {"subject": {"O": "x" * 65}},
        {"subject": {"C": "Germany"}},
        {"subject": {"O": "a", "organizationName": "b"}},
        {"subject": {"O\n[req]": "a"}},
        {"subject": {"1.OU": "a"}},
        {"order_id": "a b"},
        {"path": "lineage"},
    ],
)
def test_refused_options(target: Requests, changes: dict[str, t.Any]) -> None:
    assert target.refused(**changes).kind == "invalid_request"
    assert not target.path.exists()


# -- when it is made anew ---------------------------------------------------------------------------------------------


def test_other_names_keep_the_key_while_nothing_was_sent(target: Requests) -> None:
    first = target.request()
    key = (target.pending / "privkey.pem").read_bytes()
    predicted = target.request(names=[NAME, "example.com"], check_mode=True)
    assert (predicted["csr"], predicted["public_key_sha256"]) == (None, first["public_key_sha256"])
    second = target.request(names=[NAME, "example.com"])
    assert second["reasons"] == predicted["reasons"] == ["names_differ"]
    assert (target.pending / "privkey.pem").read_bytes() == key
    assert second["public_key_sha256"] == first["public_key_sha256"]
    assert names_in(load(second)) == [NAME, "example.com"]
    target.expect_whole()


def test_other_names_get_a_new_key_when_the_csr_may_have_been_sent(target: Requests) -> None:
    first = target.request()
    marked = target.request(order_id="12345")
    assert (marked["changed"], marked["reasons"], marked["csr"]) == (True, [], first["csr"])
    assert target.request(order_id="12345")["changed"] is False
    kept = target.request()
    assert (kept["changed"], kept["order_id"]) == (False, "12345")
    assert target.request(names=["example.com"], check_mode=True)["public_key_sha256"] is None
    second = target.request(names=["example.com"])
    assert (second["reasons"], second["order_id"]) == (["names_differ"], None)
    assert second["public_key_sha256"] != first["public_key_sha256"]
    target.expect_whole()


@pytest.mark.parametrize(
    "changes, reasons",
    [
        ({"key_type": "ecdsa-p384"}, ["key_type_differs"]),
        ({"subject": {"O": "Example"}}, ["subject_differs"]),
        (
            {"names": ["example.com"], "key_type": "rsa-2048", "subject": {"O": "Example"}},
            ["names_differ", "key_type_differs", "subject_differs"],
        ),
    ],
)
def test_other_differences_get_a_new_key(target: Requests, changes: dict[str, t.Any], reasons: list[str]) -> None:
    first = target.request()
    second = target.request(**changes)
    assert (second["changed"], second["reasons"]) == (True, reasons)
    assert second["public_key_sha256"] != first["public_key_sha256"]
    assert target.request(**changes)["changed"] is False


def test_deploy_with_the_pending_key(target: Requests) -> None:
    target.deploy(target.world.issue(NAME))
    first = target.request()
    assert (
        json.loads((target.pending / "request.json").read_text())["predecessor_serial_number"]
        == (read_lineage(str(target.path))["serial_number"])
    )
    leaf = target.issue()
    whole = {name: (target.pending / name).read_bytes() for name in FILES}
    assert target.deploy_pending(leaf)["changed"] is True
    assert {name: (target.pending / name).read_bytes() for name in FILES} == whole
    assert target.read("privkey.pem").encode() == whole["privkey.pem"]
    assert read_lineage(str(target.path))["interrupted"] is False
    second = target.request()
    assert (second["reasons"], second["csr"] == first["csr"]) == (["spent"], False)
    assert target.request()["changed"] is False


def test_a_deployment_may_remove_the_request_that_it_answers(target: Requests) -> None:
    target.deploy(target.world.issue(NAME))
    target.request()
    leaf = target.issue()
    assert target.deploy_pending(leaf, remove_request=True, check_mode=True)["changed"] is True
    with pytest.raises(DeploymentError):
        target.deploy_pending(leaf, remove_request=True, reload_commands=["false"])
    target.expect_whole()
    target.deploy_pending(leaf, remove_request=True)
    assert not target.pending.exists()
    assert read_lineage(str(target.path))["serial_number"] == pki.serial(leaf)


def test_a_request_whose_certificate_is_in_service_already_is_removed(target: Requests) -> None:
    """As after a run that was killed between the two."""
    target.request()
    leaf = target.issue()
    target.deploy_pending(leaf)
    versions = target.versions()
    result = target.deploy_pending(leaf, remove_request=True)
    assert (result["changed"], result["reasons"]) == (True, [])
    assert not target.pending.exists()
    assert target.versions() == versions


def test_only_a_request_whose_key_is_deployed_can_be_removed(target: Requests) -> None:
    target.request()
    with pytest.raises(DeploymentError) as caught:
        target.deploy(target.world.issue(NAME), remove_request=True)
    assert caught.value.kind == "invalid_request"
    target.expect_whole()


def test_what_the_lineage_says_of_a_request(target: Requests) -> None:
    def pending() -> dict[str, t.Any] | None:
        found = read_lineage(str(target.path))["pending"]
        return t.cast("dict[str, t.Any] | None", found)

    assert pending() is None
    target.deploy(target.world.issue(NAME))
    assert pending() is None
    made = target.request(order_id="4711")
    in_service = read_lineage(str(target.path))["serial_number"]
    shared = {name: made[name] for name in ("csr", "names", "public_key_sha256", "order_id", "created_at")}
    assert pending() == dict(shared, predecessor_serial_number=in_service)
    target.change_json(csr_sha256="0" * 64)
    assert pending() == dict(dict.fromkeys(shared), names=[], predecessor_serial_number=None)


def test_a_request_is_not_spent_by_what_may_be_undone(target: Requests) -> None:
    """Its certificate was switched to, and the deployment was interrupted before it was verified."""
    target.deploy(target.world.issue(NAME))
    previous = os.path.basename(os.readlink(target.path / "current"))
    first = target.request()
    target.deploy_pending(target.issue())
    current = os.path.basename(os.readlink(target.path / "current"))
    journal = {"state": "switching", "previous": previous, "next": current}
    (target.path / ".journal.json").write_text(json.dumps(journal))
    assert target.request()["csr"] == first["csr"]
    (target.path / ".journal.json").unlink()
    assert target.request()["reasons"] == ["spent"]


def test_a_placeholder_does_not_spend_a_request(target: Requests) -> None:
    first = target.request()
    key_path = str(target.pending / "privkey.pem")
    target.deploy(placeholder=True, private_key=None, private_key_path=key_path)
    again = target.request()
    assert (again["changed"], again["csr"]) == (False, first["csr"])


def test_reuse_the_key_in_service(target: Requests) -> None:
    assert target.request(reuse_key=True)["reasons"] == ["absent"]  # nothing is in service: a new key
    target.deploy(target.world.issue(NAME))
    second = target.request(reuse_key=True, key_type="rsa-4096")
    assert second["reasons"] == ["key_differs"]
    assert (target.pending / "privkey.pem").read_text() == target.world.key_pem
    assert target.request(reuse_key=True)["changed"] is False
    target.deploy_pending(target.issue())
    third = target.request(reuse_key=True)
    assert (third["reasons"], third["public_key_sha256"]) == (["spent"], second["public_key_sha256"])
    fourth = target.request()
    assert fourth["reasons"] == ["key_differs"]
    assert fourth["public_key_sha256"] != second["public_key_sha256"]


def test_the_key_in_service_has_to_belong_to_its_certificate(target: Requests) -> None:
    target.deploy(target.world.issue(NAME))
    (target.path / "current" / "privkey.pem").write_text(pki.key_pem(pki.make_key()))
    error = target.refused(reuse_key=True)
    assert error.kind == "invalid_key"
    assert not target.pending.exists()


def test_remove(target: Requests) -> None:
    assert target.request(state="absent")["changed"] is False
    assert not target.path.exists()
    target.deploy(target.world.issue(NAME))
    before = {name for name in target.tree() if name != str(target.path)}
    target.request()
    assert target.request(state="absent", check_mode=True)["changed"] is True
    target.expect_whole()
    removed = target.request(state="absent", names=[])
    assert (removed["changed"], removed["csr"], removed["names"]) == (True, None, [])
    assert {name for name in target.tree() if name != str(target.path)} == before
    assert target.request(state="absent")["changed"] is False


def test_check_mode_changes_nothing(target: Requests) -> None:
    predicted = target.request(check_mode=True)
    assert (predicted["changed"], predicted["reasons"], predicted["csr"]) == (True, ["absent"], None)
    assert not target.path.exists()
    first = target.request()
    target.change_json(created_at="yesterday")
    os.chmod(target.pending / "request.csr", 0o600)
    before = target.tree()
    assert target.request(check_mode=True)["reasons"] == ["absent"]
    assert target.request(check_mode=True, order_id="1")["changed"] is True
    assert target.tree() == before
    assert target.request()["csr"] != first["csr"]


def test_attributes_are_set_again(target: Requests) -> None:
    first = target.request()
    os.chmod(target.pending / "privkey.pem", 0o640)
    again = target.request()
    assert (again["changed"], again["reasons"], again["csr"]) == (True, [], first["csr"])
    target.expect_whole()


# -- what is not trusted ----------------------------------------------------------------------------------------------


def swap_key(target: Requests) -> None:
    (target.pending / "privkey.pem").write_text(pki.key_pem(pki.make_key()))


def swap_csr(target: Requests) -> None:
    """The CSR of another key, of which somebody has also written down the hash."""
    other = Requests(target.path.with_name("other"), target.world)
    csr = other.request()["csr"]
    (target.pending / "request.csr").write_text(csr)
    target.change_json(csr_sha256=hashlib.sha256(csr.encode()).hexdigest())


def link_key(target: Requests) -> None:
    elsewhere = target.path.with_name("elsewhere")
    os.rename(target.pending / "privkey.pem", elsewhere)
    os.symlink(elsewhere, target.pending / "privkey.pem")


def hard_link_key(target: Requests) -> None:
    os.link(target.pending / "privkey.pem", target.path.with_name("second-name"))


def link_folder(target: Requests) -> None:
    """The whole directory lies elsewhere, behind a link."""
    target.deploy(target.world.issue(NAME))
    os.rename(target.pending, target.path.with_name("elsewhere"))
    os.symlink(target.path.with_name("elsewhere"), target.pending)


def make_key_a_fifo(target: Requests) -> None:
    os.unlink(target.pending / "privkey.pem")
    os.mkfifo(target.pending / "privkey.pem")


def make_csr_huge(target: Requests) -> None:
    with open(target.pending / "request.csr", "ab") as stream:
        stream.truncate(1 << 30)


def open_folder(target: Requests) -> None:
    os.chmod(target.pending, 0o777)


def open_csr(target: Requests) -> None:
    os.chmod(target.pending / "request.csr", 0o666)


def give_folder_away(target: Requests) -> None:
    if os.geteuid() != 0:
        pytest.skip("not tested: only root can give a directory away")
    os.chown(target.pending, pwd.getpwnam("nobody").pw_uid, -1)


def add_a_file(target: Requests) -> None:
    target.deploy(target.world.issue(NAME))
    (target.pending / "else.pem").write_text("else")


def drop_json(target: Requests) -> None:
    os.unlink(target.pending / "request.json")


def put_a_file_there(target: Requests) -> None:
    target.deploy(target.world.issue(NAME))
    shutil.rmtree(target.pending)
    target.pending.write_text("a file")


@pytest.mark.parametrize(
    "damage",
    [
        swap_key,
        swap_csr,
        link_key,
        hard_link_key,
        link_folder,
        make_key_a_fifo,
        make_csr_huge,
        open_folder,
        give_folder_away,
        open_csr,
        add_a_file,
        drop_json,
        put_a_file_there,
    ],
)
def test_damaged_requests_are_made_anew(target: Requests, damage: t.Callable[[Requests], None]) -> None:
    first = target.request()
    elsewhere = target.path.with_name("elsewhere")
    damage(target)
    kept = elsewhere.stat().st_mtime_ns if elsewhere.exists() else None
    again = target.request()
    assert again["reasons"] == ["absent"]
    assert again["public_key_sha256"] != first["public_key_sha256"]
    assert any("damaged" in warning for warning in target.host.warnings)
    target.expect_whole()
    assert not target.pending.is_symlink()
    assert (elsewhere.stat().st_mtime_ns if elsewhere.exists() else None) == kept
    assert target.request()["changed"] is False


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"names": "www.example.com"},
        {"names": []},
        {"names": ["WWW.example.com"]},
        {"names": [1]},
        {"subject": []},
        {"subject": {"O": 1}},
        {"subject": {"X": "y"}},
        {"public_key_sha256": "00"},
        {"public_key_sha256": "0" * 64},
        {"csr_sha256": None},
        {"order_id": 12345},
        {"order_id": "a\nb"},
        {"predecessor_serial_number": "../.."},
        {"created_at": "now"},
    ],
)
def test_damaged_journals_are_made_anew(target: Requests, changes: dict[str, t.Any]) -> None:
    target.request()
    target.change_json(**changes)
    assert target.request()["reasons"] == ["absent"]
    target.expect_whole()


def test_foreign_directories_are_left_alone(target: Requests) -> None:
    target.pending.mkdir(parents=True)
    (target.pending / "mail").write_text("not ours")
    assert target.refused().kind == "not_a_lineage"
    assert target.refused(state="absent").kind == "not_a_lineage"
    assert (target.pending / "mail").read_text() == "not ours"


def test_a_path_that_changes_does_not_lead_elsewhere(target: Requests) -> None:
    """While the CSR is made, somebody puts a link in the place of the lineage."""
    moved, victim = target.path.with_name("moved"), target.path.with_name("victim")
    target.deploy(target.world.issue(NAME))
    victim.mkdir()
    run = target.host.run

    def run_and_swap(command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
        if "-new" in command:
            os.rename(target.path, moved)
            os.symlink(victim, target.path)
        return run(command, descriptors)

    target.host.run = run_and_swap  # type: ignore[method-assign]
    target.request()
    assert os.listdir(victim) == []
    assert sorted(os.listdir(moved / "pending")) == FILES


def test_another_run_holds_the_lock(target: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    target.request()
    monkeypatch.setattr(request_module, "LOCK_WAIT", 0.0)
    with open(target.path / ".lock", "rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert target.refused().kind == "locked"


# -- openssl ----------------------------------------------------------------------------------------------------------


def test_no_openssl(target: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(target.path))
    for check_mode in (True, False):
        error = target.refused(check_mode=check_mode)
        assert error.kind == "write_failed"
        assert "openssl" in error.message
    assert not target.path.exists()


@pytest.mark.parametrize("form", ["pem", "base64", "hex"])
def test_errors_show_no_key(target: Requests, form: str) -> None:
    """An openssl that fails, and prints what it was given."""
    run, printed = target.host.run, []

    def fail(command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
        if "-key" not in command:
            return run(command, descriptors)
        with open(command[command.index("-key") + 1].replace("self", str(os.getpid()))) as stream:
            pem = stream.read()
        secret = base64.b64decode("".join(pem.splitlines()[1:-1]))
        printed.append({"pem": pem, "base64": base64.b64encode(secret).decode(), "hex": secret.hex(":")}[form])
        return 1, "", "unable to use\n" + printed[0] + "\nbecause"

    target.host.run = fail  # type: ignore[method-assign]
    message = target.refused().message
    assert "unable to use" in message
    assert "because" in message
    words = printed[0].replace(":", " ").split() if form == "hex" else printed[0].splitlines()
    assert not any(word in message for word in words if len(word) > 20)
    if form == "hex":
        assert printed[0][:24] not in message
        assert printed[0][-24:] not in message
    assert not target.path.exists()


# -- interruptions ----------------------------------------------------------------------------------------------------


def _absent(_target: Requests) -> None:
    return


def _replace(target: Requests) -> None:
    target.deploy(target.world.issue(NAME))
    target.request(names=["example.com"], order_id="1")


def _mark(target: Requests) -> None:
    target.request()


@pytest.mark.parametrize("prepare", [_absent, _replace, _mark])
def test_killed_at_every_step(target: Requests, prepare: t.Callable[[Requests], None]) -> None:
    """There is a whole request or none, the old one or the new one; the next run comes to its end and stays there."""
    prepare(target)
    saved = target.path.with_name("saved")
    if target.path.exists():
        shutil.copytree(target.path, saved, symlinks=True)

    def reset() -> None:
        if target.path.exists():
            shutil.rmtree(target.path)
        if saved.exists():
            shutil.copytree(saved, target.path, symlinks=True)

    def run() -> t.Any:
        return target.request(order_id="2")

    old = (saved / "pending" / "request.csr").read_text() if saved.exists() else None
    steps = take_steps(target, run)
    assert len(steps) > 6
    for number in range(1, len(steps) + 1):
        reset()
        assert in_child(target, kill_at(number), run) is None
        if target.pending.exists():
            expect_files(target)
        found = (target.pending / "request.csr").read_text() if target.pending.exists() else None
        result = run()
        if found not in (None, old):
            assert result["csr"] == found  # it may have been returned and sent
        target.expect_whole()
        assert not [name for name in os.listdir(target.path) if name.startswith(".pending")]
    again = run()
    assert (again["changed"], again["csr"]) == (False, result["csr"])


def expect_files(target: Requests) -> None:
    """As expect_whole(), where a run may have been killed while it replaced request.json."""
    (target.pending / ".request.new").unlink(missing_ok=True)
    target.expect_whole()


def test_killed_while_removing(target: Requests) -> None:
    def run() -> t.Any:
        return target.request(state="absent")

    target.request()
    steps = take_steps(target, run)
    for number in range(1, len(steps) + 1):
        target.request()
        assert in_child(target, kill_at(number), run) is None
        if target.pending.exists():
            target.expect_whole()
        run()
        assert os.listdir(target.path) == [".lock"]


def test_killed_between_the_renames(target: Requests) -> None:
    """The old request has no name any more, the new one has none yet: the new one counts."""
    target.request(names=["example.com"], order_id="1")

    def run() -> t.Any:
        return target.request()

    def kill(_number: int, name: str) -> None:
        if name == "replace" and os.path.exists(target.path / ".pending.old"):
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(target, kill, run) is None
    assert sorted(os.listdir(target.path)) == [".lock", ".pending.new", ".pending.old"]
    csr = (target.path / ".pending.new" / "request.csr").read_text()
    foreseen = target.request(check_mode=True)
    assert (foreseen["changed"], foreseen["csr"]) == (True, csr)
    assert read_lineage(str(target.path))["exists"] is False
    healed = run()
    assert (healed["changed"], healed["reasons"], healed["csr"]) == (True, [], csr)
    target.expect_whole()
    assert sorted(os.listdir(target.path)) == [".lock", "pending"]


def test_durable_before_it_answers(target: Requests) -> None:
    """Each file is synced before its directory, and both before the rename that names the request."""
    steps = take_steps(target, target.request)
    named = len(steps) - 1 - steps[::-1].index("replace")
    written = steps[len(steps) - steps[::-1].index("run") : named]
    assert written.count("write") == len(FILES)
    assert written.count("fsync") == len(FILES) + 2  # with the directory of the request, and the one that names it
    assert written[-2:] == ["fsync", "fsync"]
    assert "fsync" in steps[named:]
