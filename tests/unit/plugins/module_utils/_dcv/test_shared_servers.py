# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone on the same name servers as its parent: they answer with authority, and show no referral."""

from __future__ import annotations

import typing as t

import dns.dnssec
import dns.name
import pytest
from sandbox.internet import name_servers
from sandbox.internet.scenes import SERVERS, TARGET, TOKEN, ZONE, Scene
from sandbox.internet.zones import Zone

from .conftest import Lab, codes

CHILD = f"sub.{ZONE}"
NAME = f"www.{CHILD}"
RECORD = {"type": "TXT", "fqdn": f"_dnsauth.{NAME}", "values": [TOKEN], "names": [NAME]}
ALIAS = {"type": "CNAME", "fqdn": f"_{'3f' * 16}.{NAME}", "values": [TARGET], "names": [NAME]}


def set_ds(above: Zone, name: str, key: str) -> None:
    """Publish the DS record of a key in the zone above."""
    signer = dns.dnssec.make_ds(dns.name.from_text(name), name_servers._public_key(key), "SHA256")
    above.set(name, "DS", signer.to_text())


def add_child(scene: Scene, name: str = CHILD, above: Zone | None = None, key: str | None = None, ds: str = "") -> Zone:
    """A zone on the servers of its parent, with all evidence; signed with a key, and with the DS record of another."""
    child = scene.internet.add_zone(name, SERVERS)
    child.key = key
    for record in (RECORD, ALIAS):
        child.set(str(record["fqdn"]), str(record["type"]), record["values"][0])
    child.set(NAME, "A", "203.0.113.5")
    if ds:
        set_ds(above or scene.zone, name, ds)
    return child


def look(lab: Lab, scene: Scene, record: dict[str, t.Any] | None = None) -> t.Any:
    """A look at one record below the child."""
    record = record or RECORD
    provider = "digicert" if record["type"] == "TXT" else "sectigo"
    return lab.look(scene, record_sets=[{**record, "orders": [{"provider": provider, "order_id": "1"}]}])


@pytest.mark.parametrize("record", [RECORD, ALIAS], ids=["txt", "cname"])
@pytest.mark.parametrize(
    ("key", "ds"), [(None, ""), ("child", ""), ("child", "child")], ids=["unsigned", "own keys alone", "signed"]
)
def test_healthy_child_has_no_finding(lab: Lab, key: str | None, ds: str, record: dict[str, t.Any]) -> None:
    scene = lab.scene(signed=True)
    add_child(scene, key=key, ds=ds)
    diagnosis = look(lab, scene, record)
    assert codes(diagnosis) == []
    assert diagnosis.visible


@pytest.mark.parametrize("record", [RECORD, ALIAS], ids=["txt", "cname"])
def test_missing_record_in_an_unsigned_child_is_missing_and_no_more(lab: Lab, record: dict[str, t.Any]) -> None:
    scene = lab.scene(signed=True)
    add_child(scene).set(str(record["fqdn"]), str(record["type"]))
    assert codes(look(lab, scene, record)) == ["record_missing"]


@pytest.mark.parametrize("key", ["another key", None], ids=["other key", "no key"])
def test_child_that_its_ds_record_does_not_fit_is_bogus(lab: Lab, key: str | None) -> None:
    scene = lab.scene(signed=True)
    add_child(scene, key=key, ds="child")
    diagnosis = look(lab, scene)
    assert {(item.code, item.where) for item in diagnosis.findings} == {("dnssec_bogus", CHILD)}
    assert not diagnosis.visible


@pytest.mark.parametrize("lower_key", [None, "lower"])
def test_zones_may_be_three_deep(lab: Lab, lower_key: str | None) -> None:
    scene = lab.scene(signed=True)
    child = add_child(scene, key="child", ds="child")
    add_child(scene, NAME, child, key=lower_key, ds=lower_key or "")
    diagnosis = look(lab, scene)
    assert codes(diagnosis) == []
    assert diagnosis.visible


def test_parent_that_is_bogus_itself_stays_so(lab: Lab) -> None:
    scene = lab.scene(signed=True)
    add_child(scene)
    scene.zone.signed_at -= 30 * 86400
    assert {(item.code, item.where) for item in look(lab, scene).findings} == {("dnssec_bogus", ZONE)}


def test_signature_of_a_former_key_without_a_child_stays_bogus(lab: Lab) -> None:
    """The keys hold, and the server that is asked first signs with another one."""
    scene = lab.scene(signed=True)
    scene.internet.own_copy("ns1.example.org", ZONE).key = "former key"
    scene.internet.servers["ns1.example.org"].failing_types.add("DNSKEY")
    diagnosis = lab.look(scene)
    assert {(item.code, item.where) for item in diagnosis.findings} == {("dnssec_bogus", ZONE)}
    assert "does not hold" in (diagnosis.findings[0].seen or "")


def test_child_whose_servers_do_not_say_where_it_begins_is_not_judged(lab: Lab) -> None:
    scene = lab.scene(signed=True)
    add_child(scene)
    for server in SERVERS:
        scene.internet.servers[server].failing_types.add("SOA")
    assert codes(look(lab, scene)) == []


def test_plain_signed_zone_needs_no_more_questions(lab: Lab) -> None:
    scene = lab.scene(signed=True)
    lab.look(scene)
    assert {kind for _address, _name, kind in lab.questions} == {"NS", "TXT", "CAA", "DNSKEY"}
