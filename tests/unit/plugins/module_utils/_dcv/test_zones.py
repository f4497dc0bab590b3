# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The zone of an owner name, from DNS."""

from __future__ import annotations

import subprocess
import sys

import pytest
from sandbox.internet.scenes import HOST, ZONE
from sandbox.internet.zones import RESOLVER_ADDRESS

from ansible_collections.certops.issuance.plugins.module_utils._dcv.zones import ZoneLookup
from ansible_collections.certops.issuance.plugins.modules import dcv_diagnose

from .conftest import Lab


def lookup(lab: Lab, timeout: float = 30.0) -> ZoneLookup:
    """A lookup in the world that is served."""
    return ZoneLookup([RESOLVER_ADDRESS], lab.dns.address_map(), timeout)


@pytest.mark.parametrize("port_53", ["normal", "blocked", "intercepted"])
def test_zone_of_a_name(lab: Lab, port_53: str) -> None:
    scene = lab.scene()
    child = scene.internet.add_zone("sub.example.org", {"ns1.example.org": "192.0.2.101"})
    child.set("a.sub.example.org", "A", "203.0.113.9")
    scene.zone.set("alias.example.org", "CNAME", "web.hosting.net")
    scene.zone.set("*.wild.example.org", "CNAME", "web.hosting.net")
    scene.internet.add_zone("hosting.net", {"ns1.hosting.net": "192.0.2.131"}).set(
        "web.hosting.net", "A", "203.0.113.9"
    )
    scene.internet.port_53 = port_53
    find = lookup(lab)
    assert find(f"_dnsauth.{HOST}") == ZONE
    assert find(f"_not.there.{HOST}") == ZONE
    assert find("_dnsauth.sub.example.org") == "sub.example.org"
    assert find("_dnsauth.a.sub.example.org") == "sub.example.org"
    assert find("_dnsauth.alias.example.org") == ZONE
    assert find("_dnsauth.any.wild.example.org") == ZONE


def test_resolver_is_not_asked_for_the_record_itself(lab: Lab) -> None:
    scene = lab.scene()
    scene.withdraw()
    scene.internet.port_53 = "intercepted"
    assert lookup(lab)(scene.evidence.where) == ZONE
    assert scene.evidence.where not in {name for name, _type in scene.internet.resolver.cache}


def test_nobody_answers(lab: Lab) -> None:
    scene = lab.scene()
    scene.internet.port_53 = "blocked"
    scene.internet.resolver.mode = "dead"
    assert lookup(lab)(f"_dnsauth.{HOST}") is None


def test_time_is_over(lab: Lab) -> None:
    lab.scene()
    assert lookup(lab, timeout=0.0)(f"_dnsauth.{HOST}") is None


def test_without_dnspython_no_zone_is_known() -> None:
    path = dcv_diagnose.__file__.split("/ansible_collections/", maxsplit=1)[0]
    script = [
        "import sys",
        "sys.modules['dns'] = sys.modules['dns.dnssec'] = None",
        f"sys.path.insert(0, {path!r})",
        "from ansible_collections.certops.issuance.plugins.module_utils._dcv.zones import ZoneLookup",
        "print(ZoneLookup()('www.example.org'))",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr
