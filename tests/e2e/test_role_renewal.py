# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role requests the next certificate: once, also over runs that were interrupted."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from ansible_runs import Run
from fleet import Fleet

NAME = "www.example.org"
#: Requests that write at a provider, and what else may be sent.
WRITES = re.compile(r"^(POST .*/reissue(\?|/|$)|POST .*AutoReplaceSSL)")
#: Whatever is in service is due with this, and is not with the default.
DUE = {"certificate_renewal_remaining": "99.9%"}
PROVIDERS = ["digicert", "gogetssl", "sectigo"]


def served(fleet: Fleet, provider: str, name: str = "web0", **variables: t.Any) -> dict[str, t.Any]:
    """A host with a certificate of an order in service, and renewal on from now on."""
    order = fleet.order(provider, NAME, "issued")
    fleet.host(name, order, names=[NAME])
    fleet.assert_all_served(fleet.run())
    fleet.host(name, order, names=[NAME], renewal="auto", dcv_method="http", **variables)
    # The CA hands out a certificate once in three hours.
    fleet.sandbox.limits("sectigo", collect_interval=0)
    fleet.sandbox.clear_requests()
    return order


def run(fleet: Fleet, *arguments: str, **variables: t.Any) -> Run:
    """Run the play of these tests."""
    return fleet.run(*arguments, play="renewal.yml", **variables)


def writes(fleet: Fleet) -> list[str]:
    """The requests for a reissue that the sandbox got."""
    lines = [f"{line['method']} {line['path']}" for line in fleet.sandbox.requests()]
    return [line for line in lines if WRITES.match(line)]


def pending(fleet: Fleet, name: str = "web0") -> Path:
    """The request on a host."""
    return fleet.folder / "hosts" / name / "certificate/pending"


def test_while_nothing_is_due_no_provider_is_asked(fleet: Fleet) -> None:
    served(fleet, "digicert")
    found = run(fleet)
    assert found.failed == {}, found.output
    assert found.changed == [], found.output
    assert fleet.sandbox.summary()["requests"] == 0
    reported = found.reported()["web0"]
    assert (reported["due"], reported["reason"], reported["action"]) == (False, None, "none")
    assert not pending(fleet).exists()


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_certificate_that_is_due_is_renewed_once(fleet: Fleet, provider: str) -> None:
    served(fleet, provider)
    old = fleet.serial("web0")
    found = fleet.run(play="renewal.yml", meanwhile=fleet.after_requests(fleet.issue, times=4), **DUE)
    fleet.assert_all_served(found)
    assert fleet.serial("web0") != old
    assert len(writes(fleet)) == 1, fleet.sandbox.requests()
    assert not pending(fleet).exists()
    reported = found.reported()["web0"]
    assert (reported["due"], reported["reason"], reported["action"]) == (True, "remaining", "sent")
    fleet.sandbox.clear_requests()
    again = run(fleet)
    fleet.assert_all_served(again)
    assert again.changed == [], again.output
    assert fleet.sandbox.summary()["requests"] == 0
