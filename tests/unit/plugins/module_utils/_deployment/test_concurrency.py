# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments beside each other, and readers beside deployments."""

from __future__ import annotations

import os
import threading
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.plugins.module_utils._deployment.lineage import Lineage
from ansible_collections.certops.issuance.plugins.module_utils._deployment.lock import Lock
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import (
    NAME,
    Target,
    in_background,
)


@pytest.fixture(autouse=True)
def patience(target: Target) -> None:
    """A busy machine is no reason to give up on the lock."""
    target.lock_timeout = 120.0


def test_first_deployments_at_the_same_time(target: Target) -> None:
    """Each makes the lineage's directory if the others have not, and all wait for the lock."""
    leaves = [target.world.issue(NAME) for _number in range(6)]
    children = [in_background(lambda leaf=leaf: target.deploy(leaf, keep_versions=9)) for leaf in leaves]  # type: ignore[misc]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(leaves)
    serials = {pki.serial(leaf) for leaf in leaves}
    assert {name.partition("-")[2] for name in target.versions()} == serials
    assert sorted(int(name.partition("-")[0]) for name in target.versions()) == [1, 2, 3, 4, 5, 6]
    assert os.readlink(target.path / "current").startswith("versions/6-")
    assert read_lineage(str(target.path))["serial_number"] in serials


def test_failing_first_deployment_beside_a_good_one(target: Target) -> None:
    """The failing one removes its directory again, but never from under the other."""
    leaf = target.world.issue(NAME)
    for _round in range(5):

        def fail() -> None:
            try:
                target.deploy(leaf, reload_commands=["false"])
            except Exception as exc:
                assert "false" in str(exc)

        children = [in_background(fail), in_background(lambda: target.deploy(leaf)), in_background(fail)]
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
        assert read_lineage(str(target.path))["serial_number"] == pki.serial(leaf)


def test_a_run_that_has_waited_sees_the_versions_that_others_made(target: Target) -> None:
    """While it waits, a failing first deployment removes its directories, and a good one makes them anew."""
    leaf = target.world.issue(NAME)
    versions = target.path / "versions"
    versions.mkdir(parents=True)
    with Lineage(str(target.path)) as waiting:
        assert waiting.exists()
        assert waiting.version_names() == []
        versions.rmdir()
        target.deploy(leaf)
        lock = Lock(waiting, wait=0.0)
        try:
            assert lock.acquire(create=True)
            assert waiting.version_names() == target.versions()
            assert waiting.current() == target.versions()[0]
        finally:
            lock.release()


def test_readers_always_find_a_whole_set(target: Target) -> None:
    leaves = [target.world.issue(NAME) for _number in range(2)]
    target.deploy(leaves[0])
    known = {pki.pem(leaf) + target.world.intermediate.pem for leaf in leaves}
    done = threading.Event()
    reads: list[t.Any] = []

    def read() -> None:
        while not done.is_set():
            try:
                found = read_lineage(str(target.path))
            except Exception as exc:
                reads.append(exc)
                return
            reads.append(found["exists"] and found["certificate"] + found["chain"] in known)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(40):
            target.deploy(leaves[number % 2], keep_versions=1)
    finally:
        done.set()
        reader.join()
    assert len(reads) > 40
    assert set(reads) == {True}
