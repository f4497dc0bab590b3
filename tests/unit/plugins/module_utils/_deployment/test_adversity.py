# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment makes of options that are wrong, services that misbehave and lineages that are damaged."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
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
    assert error.kind == "names_not_covered"
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
    assert error.kind == "probe_failed"
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
    options: t.Dict[str, t.Any] = {step + "_commands": ["sytsemctl reload nginx"]}
    error = refused(target, target.world.issue(NAME), **options)
    assert error.kind == step + "_failed"
    assert "there is no program 'sytsemctl'" in error.message


@pytest.mark.parametrize("command", [{"cmd": "true"}, 5, None, [""], ["true", "a\0b"], "true a\0b"])
def test_what_is_no_command(target: Target, command: t.Any) -> None:
    assert refused(target, target.world.issue(NAME), reload_commands=[command]).kind == "reload_failed"


def test_program_that_cannot_be_run(target: Target) -> None:
    program = target.path.parent / "reload"
    program.write_bytes(b"\x7fELF?")
    program.chmod(0o755)
    with pytest.raises(DeploymentError) as failure:
        target.deploy(target.world.issue(NAME), reload_commands=[str(program)])
    assert failure.value.kind == "reload_failed"
    assert failure.value.details["rolled_back"] is True
    assert "Exec format error" in failure.value.message
