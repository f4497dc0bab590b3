# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated worlds with any number of faults: visible if and only if the sandbox's own CA approves.

Each world follows from its number. DCV_WORLDS says how many are looked at; a failure names the number.
"""

from __future__ import annotations

import os
import random
import typing as t

import pytest
from sandbox.internet.scenes import (
    ADDRESS,
    FORMER_TOKEN,
    HOST,
    IPV6_ADDRESS,
    MD5,
    OTHER_ADDRESS,
    TARGET,
    TOKEN,
    ZONE,
    Scene,
)
from sandbox.internet.web import Page

from .conftest import Lab

WORLDS = int(os.environ.get("DCV_WORLDS", "300"))
#: Worlds of one test, so that several processes can share them.
BATCH = 50
METHODS = [
    ("digicert", "txt"),
    ("digicert", "cname"),
    ("digicert", "file"),
    ("sectigo", "cname"),
    ("sectigo", "file"),
    ("cpanel", "file"),
    ("gogetssl", "txt"),
    ("gogetssl", "file"),
]
OWNERS = [f"_dnsauth.{HOST}", f"_dnsauth.{ZONE}", HOST, f"_{MD5}.{HOST}", f"_{MD5}.{ZONE}", f"_dnsauth.{HOST}.{ZONE}"]
TEXTS = [TOKEN, FORMER_TOKEN, f'"{TOKEN}"', TOKEN.upper(), TOKEN[:20], "v=spf1 -all", f"{TOKEN} "]
TARGETS = [
    TARGET,
    TARGET.replace("sectigo", "comodoca"),
    f"{TARGET}.{ZONE}",
    f"{TOKEN}.dcv.digicert.com",
    f"{FORMER_TOKEN}.dcv.digicert.com",
    f"_dnsauth.{ZONE}",
    f"_dnsauth.{HOST}",
]
CAA_SETS = [
    ['0 issue "digicert.com"'],
    ['0 issue "sectigo.com"', '0 iodef "mailto:a@example.org"'],
    ['0 issue "digicert.com"', '0 issue "usertrust.com"'],
    ['0 issue ";"'],
    ['0 issuewild ";"'],
    ['128 strange "x"'],
]


def write_node(rng: random.Random, scene: Scene) -> None:
    """Put something at one of the owners that matter."""
    owner = rng.choice(OWNERS)
    for kind in ("TXT", "CNAME"):
        scene.zone.set(owner, kind)
    if rng.random() < 0.5:
        scene.zone.set(owner, "TXT", *rng.sample(TEXTS, rng.randint(1, 3)))
    elif owner != HOST:
        scene.zone.set(owner, "CNAME", rng.choice(TARGETS))


def differ(rng: random.Random, scene: Scene) -> None:
    """One server has another version of the zone."""
    servers = [server for server in scene.internet.servers if ZONE in scene.internet.servers[server].zones]
    copy = scene.internet.own_copy(rng.choice(servers), ZONE)
    for owner in rng.sample(OWNERS, 2):
        for kind in ("TXT", "CNAME"):
            copy.set(owner, kind)


def break_server(rng: random.Random, scene: Scene) -> None:
    """One server or all do not answer."""
    servers = [server for server in scene.internet.servers.values() if ZONE in server.zones]
    for server in servers if rng.random() < 0.2 else [rng.choice(servers)]:
        server.mode = rng.choice(["dead", "refused", "servfail", "lame"])


def fail_caa(rng: random.Random, scene: Scene) -> None:
    """Some servers answer no question for CAA."""
    for server in scene.internet.servers.values():
        if ZONE in server.zones and rng.random() < 0.8:
            server.failing_types.add("CAA")


def break_signatures(rng: random.Random, scene: Scene) -> None:
    """The zone is not signed as its parent says."""
    held = [server.zones[ZONE] for server in scene.internet.servers.values() if ZONE in server.zones]
    fault = rng.randrange(3)
    for zone in held:
        if zone.ds_key is None:
            continue
        if fault == 0:
            zone.signed_at -= 30 * 86400
        elif fault == 1:
            zone.ds_key = "another key"
        else:
            zone.key = None


def permit(rng: random.Random, scene: Scene) -> None:
    """CAA records at some name."""
    scene.zone.set(rng.choice([HOST, ZONE]), "CAA", *rng.choice(CAA_SETS))


def serve(rng: random.Random, scene: Scene) -> None:
    """Some page by some scheme at some address."""
    value = scene.evidence.value.encode()
    bodies = [value, value + b"\n", b"\xef\xbb\xbf" + value, value.upper(), value[:20], b"", b"<html>no</html>"]
    status = rng.choice([200, 200, 200, 206, 403, 404, 500])
    agents = {"DigiCert": Page(b"denied", 403)} if rng.random() < 0.1 else {}
    if scene.method == "file":
        page = Page(rng.choice(bodies), status, agents=agents)
        scene.put(page, rng.choice(["http", "http", "https"]), [rng.choice([ADDRESS, OTHER_ADDRESS, IPV6_ADDRESS])])


def redirect(rng: random.Random, scene: Scene) -> None:
    """A redirect to the same host, a sibling, elsewhere, or to a private address."""
    scene.zone.set(f"files.{ZONE}", "A", ADDRESS)
    scene.zone.set(f"intern.{ZONE}", "A", "10.0.0.9")
    host = rng.choice([HOST, f"files.{ZONE}", f"intern.{ZONE}", "elsewhere.example", f"{HOST}:8443"])
    location = f"{rng.choice(['http', 'https'])}://{host}/next"
    if scene.method == "file":
        scene.put(Page(b"", rng.choice([301, 302, 303, 307, 308]), {"Location": location}))
        scene.web.put([ADDRESS, "10.0.0.9"], location, Page(scene.evidence.value.encode()))


def readdress(rng: random.Random, scene: Scene) -> None:
    """Other addresses for the name."""
    if not scene.zone.get(HOST, "CNAME"):
        addresses = [ADDRESS, OTHER_ADDRESS, "10.1.1.1"]
        scene.zone.set(HOST, "A", *rng.sample(addresses, rng.randint(0, 2)))
        scene.zone.set(HOST, "AAAA", *([IPV6_ADDRESS] if rng.random() < 0.3 else []))


def remember(rng: random.Random, scene: Scene) -> None:
    """The resolver knows something else."""
    key = (scene.evidence.where, scene.evidence.type)
    scene.internet.resolver.overrides[key] = rng.choice(
        [[], ["other"] if scene.evidence.type == "TXT" else ["other.net"]]
    )


FAULTS: dict[str, t.Callable[[random.Random, Scene], None]] = {
    function.__name__: function
    for function in (
        write_node, differ, break_server, fail_caa, break_signatures, permit, serve, redirect, readdress, remember
    )
}  # fmt: skip


def make_world(lab: Lab, number: int) -> tuple[Scene, list[str]]:
    """The world of a number, and the names of its faults."""
    rng = random.Random(number)
    provider, method = rng.choice(METHODS)
    scene = lab.scene(provider, method, signed=rng.random() < 0.4, servers=rng.randint(1, 3))
    faults = rng.choices(list(FAULTS), k=rng.choice([0, 1, 1, 1, 2, 2, 3, 4]))
    if rng.random() < 0.15:
        scene.withdraw()
        faults.insert(0, "withdraw")
    for fault in faults:
        if fault != "withdraw":
            FAULTS[fault](rng, scene)
    return scene, [provider, method, *faults]


@pytest.mark.parametrize("first", range(0, WORLDS, BATCH))
def test_visible_if_and_only_if_the_ca_approves(lab: Lab, first: int) -> None:
    for number in range(first, min(first + BATCH, WORLDS)):
        scene, faults = make_world(lab, number)
        diagnosis = lab.look(scene)
        objections = lab.objections(scene)
        assert diagnosis.visible == (objections == []), (number, faults, objections, diagnosis)
        assert diagnosis.visible or diagnosis.findings, (number, faults, objections, diagnosis)
        assert len(lab.questions) == len(set(lab.questions)), (number, faults)
        private = [request for request in lab.web.requests if request[0].startswith("10.")]
        assert private == [], (number, faults)


def test_worlds_are_of_both_kinds(lab: Lab) -> None:
    """A generator that makes only good or only bad worlds would show nothing."""
    approved = sum(lab.objections(make_world(lab, number)[0]) == [] for number in range(100))
    assert 20 <= approved <= 80
