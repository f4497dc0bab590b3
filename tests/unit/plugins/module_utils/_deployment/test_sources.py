# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate and chain in files that are on the target already."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.directory import MAX_FILE_SIZE
from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.services import Service
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target

FROM_FILES: dict[str, t.Any] = {"certificate": None, "chain": None, "private_key": None}


@pytest.fixture
def live(target: Target, tmp_path: pathlib.Path) -> pathlib.Path:
    """What certbot leaves: links in live/NAME to numbered files in archive/NAME."""
    folder = tmp_path / "letsencrypt" / "live" / NAME
    folder.mkdir(parents=True)
    (tmp_path / "letsencrypt" / "archive" / NAME).mkdir(parents=True)
    renew(target, folder, 1)
    return folder


def renew(target: Target, live: pathlib.Path, number: int) -> t.Any:
    """A certificate with a new key, as certbot puts it there; returns the certificate."""
    key = pki.make_key()
    leaf = target.world.issue(NAME, key=key)
    chain = target.world.intermediate.pem
    for name, content in {
        "cert": pki.pem(leaf),
        "chain": chain,
        "fullchain": pki.pem(leaf) + chain,
        "privkey": pki.key_pem(key),
    }.items():
        archived = live.parents[1] / "archive" / NAME / f"{name}{number}.pem"
        archived.write_text(content)
        link = live / f"{name}.pem"
        if link.is_symlink():
            link.unlink()
        link.symlink_to(os.path.relpath(archived, live))
    return leaf


def paths(folder: pathlib.Path, **names: str) -> dict[str, t.Any]:
    given = {option: str(folder / name) for option, name in names.items()}
    return dict(FROM_FILES, private_key_path=str(folder / "privkey.pem"), **given)


def refused(target: Target, check_mode: bool = False, **options: t.Any) -> DeploymentError:
    before = target.tree()
    with pytest.raises(DeploymentError) as caught:
        target.deploy(check_mode=check_mode, **options)
    assert target.tree() == before
    return caught.value


@pytest.mark.parametrize(
    "names",
    [
        {"certificate_path": "fullchain.pem"},
        {"certificate_path": "cert.pem", "chain_path": "chain.pem"},
        {"certificate_path": "fullchain.pem", "chain_path": "chain.pem"},
    ],
)
def test_files_that_are_there(target: Target, live: pathlib.Path, names: dict[str, str]) -> None:
    before = {path: path.lstat() for path in live.parent.rglob("*")}
    assert target.deploy(**paths(live, **names))["reasons"] == ["absent"]
    for name in ("cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"):
        assert target.read(name) == (live / name).read_text()
    assert target.deploy(**paths(live, **names))["changed"] is False
    renewed = renew(target, live, 2)
    result = target.deploy(**paths(live, **names))
    assert result["reasons"] == ["certificate_differs", "key_differs"]
    assert result["serial_number"] == pki.serial(renewed)
    assert set(before) == set(live.parent.rglob("*"))


def test_renewal_that_is_half_done_is_refused_and_taken_next_time(target: Target, live: pathlib.Path) -> None:
    """certbot replaces its links one after the other."""
    target.deploy(**paths(live, certificate_path="fullchain.pem"))
    old_key = os.readlink(live / "privkey.pem")
    renewed = renew(target, live, 2)
    (live / "privkey.pem").unlink()
    (live / "privkey.pem").symlink_to(old_key)
    assert refused(target, **paths(live, certificate_path="fullchain.pem")).kind == "key_mismatch"
    (live / "privkey.pem").unlink()
    (live / "privkey.pem").symlink_to(old_key.replace("1.pem", "2.pem"))
    result = target.deploy(**paths(live, certificate_path="fullchain.pem"))
    assert result["serial_number"] == pki.serial(renewed)


def test_content_and_files_together(target: Target, live: pathlib.Path) -> None:
    options = dict(paths(live, certificate_path="cert.pem"), chain=target.world.intermediate.pem)
    assert target.deploy(**options)["reasons"] == ["absent"]
    assert target.read("fullchain.pem") == (live / "fullchain.pem").read_text()


def test_chain_file_that_is_empty(target: Target, live: pathlib.Path) -> None:
    """A file that is named has to hold certificates; content may be empty, as of an order without a chain."""
    (live / "empty.pem").write_text("\n")
    error = refused(target, **paths(live, certificate_path="fullchain.pem", chain_path="empty.pem"))
    assert (error.kind, error.message.endswith("empty.pem is empty")) == ("invalid_request", True)


@pytest.mark.parametrize("option", ["certificate_path", "chain_path"])
@pytest.mark.parametrize("case", ["missing", "folder", "fifo", "device", "large", "no certificate", "relative", "loop"])
def test_files_that_are_refused(target: Target, live: pathlib.Path, option: str, case: str) -> None:
    path = live / "other.pem"
    wanted = {
        "missing": "No such file or directory. It is looked for on the target",
        "folder": "Is a directory",
        "fifo": "it is no regular file, or too large",
        "device": "it is no regular file, or too large",
        "large": "it is no regular file, or too large",
        "no certificate": "holds no certificate in PEM",
        "relative": "give an absolute path on the target",
        "loop": "Too many levels of symbolic links",
    }[case]
    if case == "folder":
        path.mkdir()
    elif case == "fifo":
        os.mkfifo(path)
    elif case == "device":
        path.symlink_to("/dev/zero")
    elif case == "large":
        path.write_bytes(b"x" * (MAX_FILE_SIZE + 1))
    elif case == "no certificate":
        path.write_text("root:secret:19000\n")
    elif case == "loop":
        path.symlink_to("other.pem")
    names = dict({"certificate_path": "fullchain.pem"}, **{option: "other.pem"})
    options = paths(live, **names)
    if case == "relative":
        options[option] = "other.pem"
    error = refused(target, **options)
    assert error.kind == "invalid_request"
    assert wanted in error.message
    assert "secret" not in error.message
    assert case == "relative" or str(path) in error.message


@pytest.mark.parametrize("option", ["certificate_path", "chain_path"])
def test_check_mode_before_the_file_is_made(target: Target, live: pathlib.Path, option: str) -> None:
    options = paths(live, **dict({"certificate_path": "cert.pem"}, **{option: "later.pem"}))
    options.update(names=[], probes=[{"host": "127.0.0.1", "port": 1, "server_name": None, "starttls": None}])
    result = target.deploy(check_mode=True, **options)
    assert (result["changed"], result["reasons"]) == (True, ["absent"])
    assert [warning for warning in target.host.warnings if "later.pem is not there yet" in warning]
    assert not target.path.exists()
    target.deploy(**dict(options, certificate_path=str(live / "fullchain.pem"), chain_path=None, probes=[]))
    result = target.deploy(check_mode=True, **options)
    assert result["reasons"][0] == "certificate_differs"


@pytest.mark.parametrize("name, kind", [("fullchain.pem", None), ("combined.pem", "invalid_request")])
def test_file_in_the_lineage_itself(target: Target, live: pathlib.Path, name: str, kind: str | None) -> None:
    """Below current it is there again in the next version, if it is among the files; in a version it goes with it."""
    target.deploy(**paths(live, certificate_path="fullchain.pem"))
    current = target.path / "current"
    own = dict(paths(live, certificate_path="fullchain.pem"), certificate_path=str(current / name))
    if kind:
        current.joinpath(name).write_text(target.read("fullchain.pem"))
        assert refused(target, **own).kind == kind
    else:
        assert target.deploy(**own)["changed"] is False
    in_version = str(target.path / "versions" / target.versions()[0] / "fullchain.pem")
    error = refused(target, **dict(own, certificate_path=in_version))
    assert (error.kind, "lies in the lineage itself" in error.message) == ("invalid_request", True)


# -- where the lineage is used -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("both_reloaded", [True, False])
def test_two_services_on_one_lineage(target: Target, tmp_path: pathlib.Path, both_reloaded: bool) -> None:
    """If one of them does not serve the new certificate, both go back to the old one."""
    services = [Service(tmp_path), Service(tmp_path)]
    try:
        old, new = target.world.issue(NAME), target.world.issue(NAME)
        reloaded = list(services)

        def reload(_command: t.Sequence[str]) -> None:
            for service in reloaded:
                service.serve_file(target.path / "current" / "combined.pem")

        target.host.on_command = reload
        options: dict[str, t.Any] = {
            "files": ["fullchain", "privkey", "combined"],
            "reload_commands": ["true"],
            "probes": [{"host": "127.0.0.1", "port": service.port} for service in services],
            "probe_timeout": 0.5,
        }
        assert [found["served"] for found in target.deploy(old, **options)["probes"]] == [True, True]
        if both_reloaded:
            assert [found["served"] for found in target.deploy(new, **options)["probes"]] == [True, True]
            return
        reloaded.pop()
        error = refused_after_the_switch(target, new, **options)
        assert (error.kind, error.details["rolled_back"]) == ("probe_failed", True)
        assert [found["served"] for found in error.details["probes"]] == [True, False]
        assert target.read("fullchain.pem").startswith(pki.pem(old))
        assert target.deploy(old, **options)["changed"] is False
    finally:
        for service in services:
            service.close()


def refused_after_the_switch(target: Target, *args: t.Any, **options: t.Any) -> DeploymentError:
    with pytest.raises(DeploymentError) as caught:
        target.deploy(*args, **options)
    return caught.value


def can_mount() -> bool:
    command = ["unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"]
    return (
        shutil.which("unshare") is not None and not subprocess.run(command, check=False, capture_output=True).returncode
    )


@pytest.mark.skipif(not can_mount(), reason="not tested: nothing can be mounted here")
def test_mounted_lineage_follows_a_renewal_and_mounted_current_does_not(target: Target, tmp_path: pathlib.Path) -> None:
    old, new = target.world.issue(NAME), target.world.issue(NAME)
    target.deploy(old)
    whole, current = tmp_path / "whole", tmp_path / "only_current"
    whole.mkdir()
    current.mkdir()
    script = (
        'mount --bind "$1" "$2" && mount --bind "$1/current" "$3" && echo mounted && read -r answer && '
        'cat "$2/current/cert.pem" && echo ---- && cat "$3/cert.pem"'
    )
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(target.path), str(whole), str(current)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as container:
        assert container.stdout is not None
        assert container.stdout.readline() == "mounted\n"
        target.deploy(new)
        seen, _errors = container.communicate("go on\n")
    through_whole, through_current = seen.split("-----END CERTIFICATE-----\n----\n")
    assert through_whole + "-----END CERTIFICATE-----\n" == pki.pem(new)
    assert through_current == pki.pem(old)
