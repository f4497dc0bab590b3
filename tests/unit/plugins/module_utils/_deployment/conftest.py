# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a deployment share."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import Target


@pytest.fixture(scope="session")
def world() -> pki.World:
    return pki.World()


@pytest.fixture
def target(tmp_path: pathlib.Path, world: pki.World) -> Target:
    return Target(tmp_path / "lineage", world)
