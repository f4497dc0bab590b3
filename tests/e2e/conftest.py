# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the end-to-end tests: a sandbox, a folder and a fleet for each test.

The tests run from any path: Ansible finds the collection through a link in a temporary folder. Settings and
credentials of the caller are removed from the environment, so no test depends on them or reaches a real provider.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import sys
import tempfile
import typing as t
from pathlib import Path

import pytest

_TREE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_TREE / "tests/e2e"), str(_TREE / "tests"), str(_TREE / "tests/tools")]

from sandbox.client import PROVIDERS, Sandbox

_DROPPED = ("ANSIBLE_", "XDG_", *(f"{provider.upper()}_" for provider in PROVIDERS))


def _prepare_ansible() -> None:
    """Link the collection into a folder that lives as long as this process, and let Ansible load it from there."""
    for name in [name for name in os.environ if name.startswith(_DROPPED)]:
        del os.environ[name]
    # Ansible puts sockets below the temporary folder, and the path of a socket is short.
    folder = Path(tempfile.mkdtemp(prefix="e2e-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    link = folder / "ansible_collections/certops/issuance"
    link.parent.mkdir(parents=True)
    link.symlink_to(_TREE, target_is_directory=True)
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = str(folder)
    os.environ["ANSIBLE_HOME"] = str(folder / "home")
    os.environ["ANSIBLE_REMOTE_TEMP"] = str(folder / "home/tmp")

    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([str(folder)])


_prepare_ansible()

from ansible_runs import temporary_folder
from fleet import Fleet


@pytest.fixture(scope="session")
def running_sandbox() -> t.Iterator[Sandbox]:
    """One sandbox process for each worker. Its clock stands still until a test advances it."""
    with Sandbox.start(rate=0.0, internet=True, plain_http=True, bad_tls=True) as sandbox:
        yield sandbox


#: Calls that order, pay, cancel, revoke or approve something; docs/providers/orders.
_FORBIDDEN = re.compile(
    r"add_ssl_|cancel_ssl_order|/activate|!Auto(?!ReplaceSSL|UpdateDCV)|autoRevoke|/revoke|/auto-reissue|/request/"
    r"|order-pricing|POST \S*/order/certificate/[a-z_]+$|request_ssl_certificates|shopping_cart|set_status_of_pending"
    r"|cancel_pending",
    re.IGNORECASE,
)


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> t.Iterator[Sandbox]:
    """The sandbox of this test alone: no orders, the first accounts, the published limits.

    Whatever the test does, it leaves no request that orders, pays, cancels, revokes or approves something.
    """
    running_sandbox.reset()
    yield running_sandbox
    calls = [call for figures in running_sandbox.summary()["providers"].values() for call in figures["calls"]]
    assert [call for call in calls if _FORBIDDEN.search(call)] == []


@pytest.fixture
def folder() -> t.Iterator[Path]:
    """A private folder with a short path, removed after the test."""
    with temporary_folder() as path:
        yield path


@pytest.fixture
def fleet(sandbox: Sandbox, folder: Path) -> Fleet:
    """An empty fleet."""
    return Fleet(sandbox, folder)
