# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment makes of options that are wrong, services that misbehave and lineages that are damaged."""

from __future__ import annotations

import errno
import os
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target


def refused(target: Target, *args: t.Any, **options: t.Any) -> DeploymentError:
    """Deploy, and expect a refusal that leaves everything as it was."""
    before = target.tree()
    with pytest.raises(DeploymentError) as failure:
        target.deploy(*args, **options)
    assert target.tree() == before
    assert target.host.commands == []
    return failure.value


# -- probes that cannot hold: refused before anything is switched -----------------------------------------------------


@pytest.mark.parametrize("server_name", [".example.com", "a..b", "a" * 64 + ".example.com", "a b", "*.example.com"])
def test_server_name_that_is_none(target: Target, server_name: str) -> None:
    probes = [{"host": "127.0.0.1", "port": 1, "server_name": server_name}]
    error = refused(target, target.world.issue(NAME), probes=probes, reload_commands=["true"])
    assert error.kind == "invalid_request"
    assert repr(server_name) in error.message


def test_server_name_that_the_certificate_does_not_cover(target: Target) -> None:
    probes = [{"host": "127.0.0.1", "port": 1, "server_name": "shop.example.com"}]
    error = refused(target, target.world.issue(NAME), probes=probes, reload_commands=["true"])
    assert error.kind == "names_not_covered"
    assert error.details["missing_names"] == ["shop.example.com"]
    error = refused(target, placeholder=True, probes=probes, reload_commands=["true"])
    assert error.details["missing_names"] == ["shop.example.com"]


@pytest.mark.parametrize("server_name", ["WWW.example.com.", " www.example.com", "bücher.example", "192.0.2.7"])
def test_server_name_as_people_write_it(target: Target, server_name: str) -> None:
    leaf = target.world.issue(NAME, "xn--bcher-kva.example", "192.0.2.7")
    probes = [{"host": "127.0.0.1", "port": 1, "server_name": server_name}]
    assert target.deploy(leaf, probes=probes, check_mode=True)["reasons"] == ["absent"]


@pytest.mark.parametrize("option, value", [("port", 0), ("port", 65536), ("timeout", -1.0), ("timeout", float("nan"))])
def test_probe_that_cannot_hold(target: Target, option: str, value: float) -> None:
    probes = [{"host": "127.0.0.1", "port": value if option == "port" else 1}]
    timeout = value if option == "timeout" else 0.1
    error = refused(target, target.world.issue(NAME), probes=probes, probe_timeout=timeout, reload_commands=["true"])
    assert error.kind == "invalid_request"
    assert option in error.message


@pytest.mark.parametrize("name", ["", ".example.com", "a..b"])
def test_certificate_with_a_name_that_is_none(target: Target, name: str) -> None:
    leaf = target.world.issue(NAME, name)
    error = refused(target, leaf, names=[])
    assert error.kind == "names_not_covered"
    assert repr(name) in error.message
    assert target.deploy(leaf)["changed"] is True  # it covers what is expected


# -- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["validate", "reload"])
def test_misspelt_command_is_found_before_the_switch(target: Target, step: str) -> None:
    target.deploy(target.world.issue(NAME))
    options: dict[str, t.Any] = {step + "_commands": ["sytsemctl reload nginx"]}
    error = refused(target, target.world.issue(NAME), **options)
    assert error.kind == step + "_failed"
    assert "there is no program 'sytsemctl'" in error.message


@pytest.mark.parametrize("command", [{"cmd": "true"}, 5, None, [""], ["true", "a\0b"], "true a\0b"])
def test_what_is_no_command(target: Target, command: t.Any) -> None:
    assert refused(target, target.world.issue(NAME), reload_commands=[command]).kind == "invalid_request"


def test_program_that_cannot_be_run(target: Target) -> None:
    program = target.path.parent / "reload"
    program.write_bytes(b"\x7fELF?")
    program.chmod(0o755)
    with pytest.raises(DeploymentError) as failure:
        target.deploy(target.world.issue(NAME), reload_commands=[str(program)])
    assert failure.value.kind == "reload_failed"
    assert failure.value.details["rolled_back"] is True
    assert "Exec format error" in failure.value.message


@pytest.mark.parametrize("script", ["tail -n +2 {0}", "sed 's/^/> /' {0} | tail -n 2"])
def test_command_that_shows_lines_of_the_key(target: Target, script: str) -> None:
    key_path = target.path.parent / "key.pem"
    key_path.write_text(target.world.key_pem)
    shows = ["sh", "-c", script.format(key_path) + "; exit 1"]
    with pytest.raises(DeploymentError) as failure:
        target.deploy(target.world.issue(NAME), validate_commands=[shows])
    shown = repr((failure.value.message, failure.value.details))
    assert not [line for line in target.world.key_pem.splitlines()[1:-1] if line in shown]


# -- lineages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deployed", [False, True])
def test_hidden_files_of_somebody_else_are_left_alone(target: Target, deployed: bool) -> None:
    if deployed:
        target.deploy(target.world.issue(NAME))
    kept = target.path / "versions" / ".git" / "config"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    if deployed:
        assert target.deploy(target.world.issue(NAME))["recovered"] is False
    else:
        assert refused(target, target.world.issue(NAME)).kind == "not_a_lineage"
    assert kept.read_text() == "mine"


def test_parents_are_not_left_behind(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    make = os.mkdir

    def fails(path: str, *args: t.Any, **options: t.Any) -> None:
        if str(path) == target.path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        make(path, *args, **options)

    home = target.path.parent
    target.path = home / "ssl" / "certops" / NAME
    monkeypatch.setattr(os, "mkdir", fails)
    assert refused(target, target.world.issue(NAME)).kind == "write_failed"
    assert not (home / "ssl").exists()


@pytest.mark.parametrize("name", ["privkey.pem", "combined.pem"])
def test_renewal_with_the_key_that_is_deployed(target: Target, name: str) -> None:
    files = ["cert", "fullchain", name[:-4]]
    target.deploy(target.world.issue(NAME), files=files)
    own = {"private_key": None, "private_key_path": str(target.path / "current" / name), "files": files}
    for _round in range(2):
        leaf = target.world.issue(NAME)
        assert target.deploy(leaf, keep_versions=1, **own)["reasons"] == ["certificate_differs"]
        assert target.deploy(leaf, keep_versions=1, **own)["changed"] is False


@pytest.mark.parametrize("where", ["version", "other file", "link"])
def test_key_that_would_be_removed_with_its_version(target: Target, where: str) -> None:
    target.deploy(target.world.issue(NAME))
    key_path = target.path / "current" / "privkey.pem"
    files = ["cert", "chain", "fullchain", "privkey"]
    if where == "version":
        key_path = key_path.resolve()
    elif where == "other file":
        files = ["cert", "combined"]
    else:
        link = target.path.parent / "key.pem"
        link.symlink_to(key_path.resolve())
        key_path = link
    error = refused(
        target, target.world.issue(NAME), private_key=None, private_key_path=str(key_path), files=files, keep_versions=1
    )
    assert error.kind == "invalid_key"
    assert "in the lineage itself" in error.message
    assert key_path.read_text() == target.world.key_pem


def test_older_certificate_over_a_damaged_record(target: Target) -> None:
    older = target.world.issue(NAME, not_before=pki.NOW - 2 * pki.DAY)
    target.deploy(target.world.issue(NAME))
    (target.path / "current" / "version.json").unlink()
    assert refused(target, older).kind == "older_than_deployed"
    assert target.deploy(older, allow_older=True)["changed"] is True


def test_older_certificate_over_a_placeholder_with_a_damaged_record(target: Target) -> None:
    target.deploy(placeholder=True)
    (target.path / "current" / "version.json").unlink()
    older = target.world.issue(NAME, not_before=pki.NOW - 2 * pki.DAY)
    assert target.deploy(older)["changed"] is True


def test_intermediate_does_not_pass_for_a_damaged_leaf(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    (target.path / "current" / "cert.pem").write_bytes(b"\0\xff")
    assert read_lineage(str(target.path))["serial_number"] == pki.serial(leaf)
    (target.path / "current" / "fullchain.pem").write_text("damaged")
    found = read_lineage(str(target.path))
    assert (found["exists"], found["serial_number"]) == (False, None)


# -- what an earlier task would make: check mode -----------------------------------------------------------------------


@pytest.mark.parametrize("deployed", [False, True])
def test_check_mode_before_the_key_is_there(target: Target, deployed: bool) -> None:
    if deployed:
        target.deploy(target.world.issue(NAME))
    path = str(target.path.parent / "ssl" / "www.key")
    options: dict[str, t.Any] = {"private_key": None, "private_key_path": path}
    before = target.tree()
    target.host.warnings.clear()
    result = target.deploy(target.world.issue(NAME), check_mode=True, reload_commands=["true"], **options)
    assert result["changed"] is True
    assert result["reasons"] == (["certificate_differs", "key_differs"] if deployed else ["absent"])
    assert [f"private key {path} is not there yet" in text for text in target.host.warnings] == [True]
    if not deployed:
        assert target.deploy(placeholder=True, check_mode=True, **options)["changed"] is True
    assert target.tree() == before
    assert refused(target, target.world.issue(NAME), **options).kind == "invalid_key"


@pytest.mark.parametrize("missing", ["ssl/root.pem", "root.pem"])
def test_check_mode_before_the_ca_file_is_there(target: Target, missing: str) -> None:
    target.ca_path.unlink()
    path = str(target.path.parent / missing)
    result = target.deploy(target.world.issue(NAME), check_mode=True, ca_path=path, reload_commands=["true"])
    assert (result["changed"], result["reasons"]) == (True, ["absent"])
    assert len(target.host.warnings) == 1 and f"{path} is not there yet" in target.host.warnings[0]
    assert refused(target, target.world.issue(NAME), ca_path=path).kind == "no_trust_store"
    error = refused(target, target.world.issue(NAME, key=pki.make_key()), check_mode=True, ca_path=path)
    assert error.kind == "key_mismatch"


# -- warnings ---------------------------------------------------------------------------------------------------------


def test_chain_that_ends_before_the_leaf(target: Target) -> None:
    end = pki.NOW + 30 * pki.DAY
    issuer = pki.Authority("Short \x1b[31m", target.world.root, not_after=end)
    leaf = issuer.issue(NAME, key=target.world.key)
    for changed in (True, False):
        target.host.warnings.clear()
        assert target.deploy(leaf, chain=issuer.pem, reload_commands=["true"])["changed"] is changed
        assert len(target.host.warnings) == 1
        assert "ends before the certificate itself" in target.host.warnings[0]
        assert f"valid until {end:%Y-%m-%d}" in target.host.warnings[0]
        assert "\x1b" not in target.host.warnings[0]


def test_chain_that_has_ended(target: Target) -> None:
    key = pki.make_key()
    old = pki.Authority("Crossed", target.world.root, key=key, not_before=pki.NOW - 9 * pki.DAY, not_after=pki.NOW)
    new = pki.Authority("Crossed", key=key)
    target.ca_path.write_text(new.pem)
    leaf = new.issue(NAME, key=target.world.key)
    target.deploy(leaf, chain=old.pem, reload_commands=["true"])
    assert len(target.host.warnings) == 1
    assert "has ended" in target.host.warnings[0]


def test_files_that_change_under_a_service_that_nobody_reloads(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, reload_commands=["true"])
    assert target.host.warnings == []
    target.deploy(leaf)
    assert target.host.warnings == []
    target.deploy(target.world.issue(NAME))
    assert ["neither 'reload_commands' nor 'probes'" in text for text in target.host.warnings] == [True]


def test_placeholder_that_nobody_reloads(target: Target) -> None:
    target.deploy(placeholder=True)
    assert target.host.warnings == []


# -- texts of others --------------------------------------------------------------------------------------------------


def test_output_of_a_command_steers_no_terminal_and_no_ci_system(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    show = ["sh", "-c", r"printf '\033[31m##vso[task.complete]\n::error::x\n\342\200\256' >&2; exit 1"]
    with pytest.raises(DeploymentError) as failure:
        target.deploy(target.world.issue(NAME), validate_commands=[show])
    output = failure.value.message.partition("nothing was changed): ")[2]
    assert output and not [text for text in ("\x1b", "##vso[", "::error::", "\u202e") if text in output]
