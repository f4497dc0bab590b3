# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Old versions that cannot be removed, and current ones that are damaged: neither stands in the way of a renewal."""

from __future__ import annotations

import errno
import os
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target


class Stubborn:
    """Entries of the first version's directory, or that directory itself, that the kernel refuses to change.

    Arguments:
        calls: the calls of ``os`` that are refused where they are about the version.
        code: the error that they give.
    """

    def __init__(self, target: Target, monkeypatch: pytest.MonkeyPatch, calls: t.Sequence[str], code: int) -> None:
        first = target.path / "versions" / target.versions()[0]
        # Open until the end of the process, so that no later file gets the number of one that was removed.
        self.held = [os.open(path, os.O_RDONLY) for path in (first, first / "privkey.pem")]
        self.inodes = {os.fstat(descriptor).st_ino for descriptor in self.held}
        for name in calls:
            monkeypatch.setattr(os, name, self._refusing(getattr(os, name), code))

    def _refusing(self, original: t.Callable[..., t.Any], code: int) -> t.Callable[..., t.Any]:
        def call(path: str, *args: t.Any, **options: t.Any) -> t.Any:
            folder = options.get("dir_fd", options.get("src_dir_fd"))
            if os.lstat(path, dir_fd=folder).st_ino in self.inodes:
                raise OSError(code, os.strerror(code), path)
            return original(path, *args, **options)

        return call


def test_version_of_an_image_layer_is_removed_where_it_is(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    target.deploy(target.world.issue(NAME))
    Stubborn(target, monkeypatch, ["replace"], errno.EXDEV)
    leaf = target.world.issue(NAME)
    assert target.deploy(leaf, keep_versions=1, reload_commands=["true"])["changed"] is True
    assert target.versions() == [f"2-{pki.serial(leaf)}"]
    assert target.host.warnings == []
    assert target.deploy(leaf, keep_versions=1, reload_commands=["true"])["changed"] is False


@pytest.mark.parametrize(
    "calls, code",
    [
        (("unlink",), errno.EPERM),  # an immutable file
        (("replace", "unlink", "rmdir"), errno.EPERM),  # an immutable directory
        (("replace", "unlink", "rmdir"), errno.EBUSY),  # something is mounted there
        (("unlink",), errno.EIO),
        (("replace", "rmdir"), errno.EROFS),
    ],
)
def test_version_that_cannot_be_removed_blocks_nothing(
    target: Target, monkeypatch: pytest.MonkeyPatch, calls: tuple[str, ...], code: int
) -> None:
    target.deploy(target.world.issue(NAME))
    first = target.versions()[0]
    with monkeypatch.context() as patches:
        Stubborn(target, patches, calls, code)
        for _renewal in range(3):
            target.host.warnings.clear()
            leaf = target.world.issue(NAME)
            result = target.deploy(leaf, keep_versions=1, reload_commands=["true"])
            assert (result["changed"], result["reasons"]) == (True, ["certificate_differs"])
            assert target.read("cert.pem") == pki.pem(leaf)
            assert os.strerror(code) in target.host.warnings[0] and first in target.host.warnings[0]
        target.deploy(
            leaf, keep_versions=1, reload_commands=["true"]
        )  # after an error that may pass, this one tries again
        assert target.deploy(leaf, keep_versions=1, reload_commands=["true"])["changed"] is False
        assert read_lineage(str(target.path))["interrupted"] is False
    target.deploy(target.world.issue(NAME), keep_versions=1, reload_commands=["true"])
    assert len(target.versions()) == 1


def test_deployment_that_leaves_an_immutable_version_is_done(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    target.deploy(target.world.issue(NAME))
    Stubborn(target, monkeypatch, ["unlink"], errno.EPERM)
    leaf = target.world.issue(NAME)
    target.deploy(leaf, keep_versions=1, reload_commands=["true"])
    result = target.deploy(leaf, keep_versions=1, reload_commands=["true"])
    assert (result["changed"], result["recovered"]) == (False, False)


def test_going_back_from_a_version_that_cannot_be_removed(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    leaf, other = target.world.issue(NAME), target.world.issue(NAME)
    target.deploy(leaf)

    def refuse(path: str, **_options: t.Any) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)

    with monkeypatch.context() as patches:
        patches.setattr(os, "rmdir", refuse)
        with pytest.raises(DeploymentError) as failure:
            old = f"grep -q {pki.serial(leaf)} {target.path}/current/version.json"
            target.deploy(other, validate_commands=[old], reload_commands=["true"])
    assert failure.value.kind == "validate_failed"
    assert failure.value.details["rolled_back"] is True
    assert "Operation not permitted" in target.host.warnings[0]
    assert target.read("cert.pem") == pki.pem(leaf)
    assert target.deploy(leaf)["changed"] is False


@pytest.mark.parametrize("damage", ["key gone", "key cut off", "record gone", "all gone"])
def test_damage_is_repaired_where_it_breaks_the_configuration(target: Target, damage: str) -> None:
    whole = f"cmp {target.path}/current/privkey.pem {target.path.parent}/key.pem"
    (target.path.parent / "key.pem").write_text(target.world.key_pem)
    leaf = target.world.issue(NAME)
    target.deploy(leaf, validate_commands=[whole], reload_commands=["true"])
    current = target.path / "current"
    if damage == "key gone":
        (current / "privkey.pem").unlink()
    elif damage == "key cut off":
        os.truncate(current / "privkey.pem", 30)
    for name in {"record gone": ["version.json"], "all gone": os.listdir(current)}.get(damage, []):
        (current / name).unlink()
    foreseen = target.deploy(leaf, validate_commands=[whole], reload_commands=["true"], check_mode=True)
    result = target.deploy(leaf, validate_commands=[whole], reload_commands=["true"])
    assert foreseen["reasons"] == result["reasons"] and "key_differs" in result["reasons"]
    assert target.read("privkey.pem") == target.world.key_pem
    assert target.deploy(leaf, validate_commands=[whole], reload_commands=["true"])["changed"] is False
