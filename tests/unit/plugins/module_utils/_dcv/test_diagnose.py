# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each code from a world with exactly that fault, none from the clean world, and the cause first of two faults.

In each world the sandbox's own CA is asked as well: the diagnosis says visible if and only if that CA approves.
"""

from __future__ import annotations

import gzip
import typing as t

import pytest
from sandbox.internet.scenes import (
    ADDRESS,
    FOLDER,
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
from sandbox.internet.zones import RESOLVER_ADDRESS, Zone

from .conftest import Lab, codes

METHODS = [
    ("digicert", "txt"),
    ("digicert", "cname"),
    ("digicert", "file"),
    ("sectigo", "cname"),
    ("sectigo", "file"),
    ("cpanel", "cname"),
    ("cpanel", "file"),
    ("gogetssl", "txt"),
    ("gogetssl", "cname"),
    ("gogetssl", "file"),
]


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("provider", "method"), METHODS)
def test_clean_world_has_no_finding(lab: Lab, provider: str, method: str, signed: bool) -> None:
    scene = lab.scene(provider, method, signed=signed)
    diagnosis = lab.look(scene)
    assert diagnosis.to_dict() == {
        "visible": True,
        "findings": [],
        "not_tested": [],
        "by_name": {HOST: {"visible": True, "codes": [], "severity": None, "advice": None, "tested": True}},
    }
    assert lab.objections(scene) == []


Fault = t.Callable[[Scene], object]


def wildcard_txt(scene: Scene) -> None:
    scene.withdraw()
    scene.zone.set(f"*.{ZONE}", "TXT", "v=spf1 -all")


def wildcard_alias(scene: Scene) -> None:
    """Any name without records of its own is an alias; a record that is published wins over that."""
    scene.withdraw()
    scene.zone.set(f"*.{HOST}", "CNAME", "web.hosting.net")


def delegated(value: str, mode: str = "normal") -> Fault:
    """The name is an alias of one in a zone for nothing but evidence, which has this value."""

    def fault(scene: Scene) -> None:
        zone = scene.internet.add_zone("acme-dns.net", {"ns1.acme-dns.net": "192.0.2.171"})
        zone.set("x.acme-dns.net", "TXT", value)
        scene.internet.servers["ns1.acme-dns.net"].mode = mode
        instead("CNAME", "x.acme-dns.net")(scene)

    return fault


def partial(scene: Scene) -> None:
    """The second server still has the zone without the record."""
    copy = scene.internet.own_copy("ns2.example.org", ZONE)
    copy.set(scene.evidence.where, scene.evidence.type)


def mostly_missing(scene: Scene) -> None:
    for server in ("ns2.example.org", "ns3.example.org"):
        scene.internet.own_copy(server, ZONE).set(scene.evidence.where, scene.evidence.type)


def delegated_elsewhere(scene: Scene) -> None:
    """The domain was moved, and the record published at the former DNS host, which the zone itself still lists."""
    internet = scene.internet
    net = internet.add_zone("former.net", {"ns1.former.net": "192.0.2.121"})
    net.set("ns1.former.net", "A", "192.0.2.121")
    former = internet.own_copy("ns1.example.org", ZONE)
    internet.servers["ns1.former.net"].zones[ZONE] = former
    moved = Zone(ZONE, signed_at=scene.now)
    moved.set(ZONE, "NS", "ns1.former.net")
    moved.set(HOST, "A", ADDRESS)
    for server in ("ns1.example.org", "ns2.example.org"):
        internet.servers[server].zones[ZONE] = moved


def listed_otherwise(scene: Scene) -> None:
    scene.zone.set(ZONE, "NS", "ns1.example.org", "ns9.example.org")


def dead(*servers: str) -> Fault:
    def fault(scene: Scene) -> None:
        for server in servers:
            scene.internet.servers[server].mode = "dead"

    return fault


def in_mode(mode: str, *servers: str) -> Fault:
    def fault(scene: Scene) -> None:
        for server in servers:
            scene.internet.servers[server].mode = mode

    return fault


def cached_absence(scene: Scene) -> None:
    """Somebody asked the resolver a minute before the record was published."""
    result, _zones = scene.internet.resolve(f"nothing.{ZONE}", "TXT")
    assert result is not None
    scene.internet.resolver.cache[scene.evidence.where, scene.evidence.type] = (scene.now + 180, result)


def split_view(scene: Scene) -> None:
    scene.internet.resolver.overrides[scene.evidence.where, scene.evidence.type] = ["something else entirely"]


def expired(scene: Scene) -> None:
    scene.zone.signed_at -= 30 * 86400


def stale_ds(scene: Scene) -> None:
    scene.zone.ds_key = "the key of the former DNS host"


def unsigned_below_ds(scene: Scene) -> None:
    scene.zone.key = None


def no_caa_answers(scene: Scene) -> None:
    for server in ("ns1.example.org", "ns2.example.org"):
        scene.internet.servers[server].failing_types.add("CAA")


def caa(owner: str, *values: str) -> Fault:
    return lambda scene: scene.zone.set(owner, "CAA", *values)


def caa_of_a_target(scene: Scene) -> None:
    """The name is an alias of a hosting company's name, whose CAA record counts."""
    net = scene.internet.add_zone("hosting.net", {"ns1.hosting.net": "192.0.2.131"})
    net.set("web.hosting.net", "A", ADDRESS)
    net.set("web.hosting.net", "CAA", '0 issue "letsencrypt.org"')
    scene.zone.set(HOST, "A")
    scene.zone.set(HOST, "CNAME", "web.hosting.net")


def elsewhere(owner: str, kind: str = "TXT", value: str = TOKEN) -> Fault:
    def fault(scene: Scene) -> None:
        scene.withdraw()
        scene.zone.set(owner, kind, value)

    return fault


def instead(kind: str, *values: str) -> Fault:
    """Something else stands where the evidence is due."""

    def fault(scene: Scene) -> None:
        scene.withdraw()
        scene.zone.set(scene.evidence.where, kind, *values)

    return fault


def test_doubled_names_are_looked_for_once_a_zone(lab: Lab) -> None:
    scene = lab.scene()
    scene.withdraw()
    names = [f"h{number}.{ZONE}" for number in range(5)]
    records = []
    for name in names:
        scene.zone.set(name, "A", "203.0.113.5")
        record = {"type": "TXT", "fqdn": f"_dnsauth.{name}", "values": [TOKEN], "names": [name]}
        records.append({**record, "orders": [{"provider": "digicert", "order_id": "1"}]})
    diagnosis = lab.look(scene, record_sets=records)
    assert codes(diagnosis) == ["record_missing"] * len(names)
    doubled = [name for _address, name, _kind in lab.questions if name.endswith(f"{ZONE}.{ZONE}")]
    assert doubled == [f"{ZONE}.{ZONE}"]


RECORD_FAULTS: list[tuple[str, str, str, dict[str, t.Any], Fault]] = [
    ("record_missing", "digicert", "txt", {}, Scene.withdraw),
    ("record_missing", "digicert", "txt", {"signed": True}, Scene.withdraw),
    ("record_missing", "sectigo", "cname", {}, Scene.withdraw),
    ("record_missing", "digicert", "txt", {}, wildcard_txt),
    ("record_missing", "digicert", "txt", {}, instead("TXT", "v=spf1 -all", "another service")),
    ("record_wrong_name", "digicert", "txt", {}, elsewhere(f"_dnsauth.{HOST}.{ZONE}")),
    ("record_wrong_name", "digicert", "txt", {}, elsewhere(f"_dnsauth.{ZONE}")),
    ("record_wrong_name", "sectigo", "cname", {}, elsewhere(f"_{MD5}.{HOST}.{ZONE}", "CNAME", TARGET)),
    ("record_wrong_name", "digicert", "cname", {}, elsewhere(f"{TOKEN}.{HOST}", "CNAME", "dcv.digicert.com")),
    ("scope_wrong", "digicert", "txt", {}, elsewhere(f"_dnsauth.www.{HOST}")),
    ("target_suffix_appended", "sectigo", "cname", {}, instead("CNAME", f"{TARGET}.{ZONE}")),
    ("record_wrong_type", "sectigo", "cname", {}, instead("TXT", TARGET)),
    ("record_wrong_type", "digicert", "txt", {}, instead("CNAME", f"{TOKEN}.dcv.digicert.com")),
    ("record_wrong_value", "digicert", "txt", {}, instead("TXT", FORMER_TOKEN)),
    ("record_wrong_value", "digicert", "txt", {}, instead("TXT", TOKEN.upper())),
    ("record_wrong_value", "digicert", "txt", {}, instead("TXT", TOKEN[:20])),
    ("record_wrong_value", "digicert", "txt", {}, instead("TXT", f"{TOKEN[:9]} {TOKEN[9:]}")),
    ("record_wrong_value", "sectigo", "cname", {}, instead("CNAME", TARGET.replace("t08", "t09"))),
    ("cname_conflict", "digicert", "txt", {}, instead("CNAME", "dns.acme.example")),
    ("record_missing", "digicert", "txt", {}, wildcard_alias),
    ("cname_conflict", "digicert", "txt", {}, delegated(FORMER_TOKEN)),
    ("cname_conflict", "digicert", "txt", {}, delegated(TOKEN, "dead")),
    ("cname_conflict", "digicert", "txt", {}, instead("CNAME", f"{FORMER_TOKEN}.dcv.digicert.com")),
    ("cname_conflict", "digicert", "txt", {}, instead("CNAME", TARGET)),
    (
        "record_wrong_value",
        "sectigo",
        "cname",
        {},
        instead("CNAME", TARGET.replace("t08", "t09").replace("sectigo", "comodoca")),
    ),
    ("cname_conflict", "digicert", "txt", {}, instead("CNAME", f"_dnsauth.{HOST}")),
    ("cname_conflict", "sectigo", "cname", {}, instead("TXT", "some other text")),
    ("cname_conflict", "digicert", "cname", {}, instead("CNAME", "validation.acme.example")),
    ("partial_propagation", "digicert", "txt", {}, partial),
    ("partial_propagation", "digicert", "txt", {"servers": 3}, mostly_missing),
    ("server_unreachable", "digicert", "txt", {}, dead("ns2.example.org")),
    ("server_unreachable", "digicert", "txt", {}, in_mode("lame", "ns1.example.org")),
    ("server_unreachable", "digicert", "txt", {}, in_mode("servfail", "ns1.example.org")),
    ("server_unreachable", "digicert", "txt", {}, dead("ns1.example.org", "ns2.example.org")),
    ("server_unreachable", "digicert", "file", {}, dead("ns1.example.org", "ns2.example.org")),
    ("delegation_differs", "digicert", "txt", {}, delegated_elsewhere),
    ("delegation_differs", "digicert", "txt", {}, listed_otherwise),
    ("negative_cache", "digicert", "txt", {}, cached_absence),
    ("resolver_differs", "digicert", "txt", {}, split_view),
    ("dnssec_bogus", "digicert", "txt", {"signed": True}, expired),
    ("dnssec_bogus", "sectigo", "cname", {"signed": True}, stale_ds),
    ("dnssec_bogus", "digicert", "txt", {"signed": True}, unsigned_below_ds),
    ("dnssec_bogus", "digicert", "file", {"signed": True}, expired),
    ("caa_forbids", "digicert", "txt", {}, caa(HOST, '0 issue "letsencrypt.org"')),
    ("caa_forbids", "digicert", "txt", {}, caa(ZONE, '0 issue ";"')),
    ("caa_forbids", "sectigo", "cname", {}, caa(ZONE, '0 issue "digicert.com"', '0 iodef "mailto:a@example.org"')),
    ("caa_forbids", "sectigo", "file", {}, caa(ZONE, '0 issue "sectigo.com"', '128 strange "x"')),
    ("caa_forbids", "digicert", "txt", {}, caa_of_a_target),
    ("caa_lookup_failed", "digicert", "txt", {}, no_caa_answers),
    ("caa_lookup_failed", "digicert", "txt", {"signed": True}, no_caa_answers),
]


def identify(fault: tuple[t.Any, ...]) -> str:
    """A name for a test case."""
    return f"{fault[0]}-{fault[1]}-{fault[2]}"


@pytest.mark.parametrize(
    ("code", "provider", "method", "how", "fault"), RECORD_FAULTS, ids=map(identify, RECORD_FAULTS)
)
def test_code_of_a_fault(lab: Lab, code: str, provider: str, method: str, how: dict[str, t.Any], fault: Fault) -> None:
    scene = lab.scene(provider, method, **how)
    fault(scene)
    diagnosis = lab.look(scene)
    assert set(codes(diagnosis)) == {code}, diagnosis
    assert diagnosis.visible == (lab.objections(scene) == []), lab.objections(scene)
    for item in diagnosis.findings:
        assert item.name == HOST
        assert item.advice


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (expired, "DNSKEY expired at 2026-12-30T08:00:00Z"),
        (stale_ds, "fits no key of example.org"),
        (unsigned_below_ds, "but example.org has no DNSKEY record"),
    ],
)
def test_what_is_wrong_with_signatures_is_said(lab: Lab, fault: Fault, seen: str) -> None:
    scene = lab.scene("digicert", "txt", signed=True)
    fault(scene)
    (found,) = lab.look(scene).findings
    assert found.where == ZONE
    assert seen in (found.seen or "")


CLEAN_CAA = [
    ("digicert", [(ZONE, ('0 issue "digicert.com"',))]),
    ("digicert", [(HOST, ('0 issue "DigiCert.com; cansignhttpexchanges=yes"', '0 issue "digicert.com"'))]),
    ("digicert", [(HOST, ('0 iodef "mailto:a@example.org"',)), (ZONE, ('0 issue ";"',))]),
    ("digicert", [(HOST, ('0 issuewild ";"',))]),
    ("sectigo", [(ZONE, ('0 issue "letsencrypt.org"', '0 issue "usertrust.com"'))]),
    ("sectigo", [("org", ())]),
]


@pytest.mark.parametrize(("provider", "records"), CLEAN_CAA)
def test_caa_that_permits(lab: Lab, provider: str, records: list[tuple[str, tuple[str, ...]]]) -> None:
    scene = lab.scene(provider, "cname")
    for owner, values in records:
        if values:
            scene.zone.set(owner, "CAA", *values)
    assert codes(lab.look(scene)) == []


def test_advice_has_all_that_must_be_published(lab: Lab) -> None:
    scene = lab.scene("sectigo", "cname")
    scene.withdraw()
    (found,) = lab.look(scene).findings
    assert found.advice.startswith(f"Publish CNAME _{MD5}.{HOST} with the value {TARGET} (")
    assert (found.expected, found.retry_after) == (TARGET, 30)


@pytest.mark.parametrize(
    ("provider", "method", "fault", "where", "heals"),
    [
        ("digicert", "txt", instead("TXT", FORMER_TOKEN), f"_dnsauth.{HOST}", True),
        ("digicert", "txt", instead("TXT", TOKEN.upper()), f"_dnsauth.{HOST}", False),
        ("digicert", "txt", instead("TXT", TOKEN[:20]), f"_dnsauth.{HOST}", False),
        ("digicert", "txt", delegated(FORMER_TOKEN), f"_dnsauth.{HOST}", True),
        ("digicert", "txt", delegated("v=spf1 -all"), f"_dnsauth.{HOST}", True),
        ("digicert", "txt", instead("CNAME", TARGET), f"_dnsauth.{HOST}", False),
        ("digicert", "cname", instead("CNAME", f"{FORMER_TOKEN}.dcv.digicert.com"), f"_dnsauth.{HOST}", True),
        ("sectigo", "cname", instead("CNAME", TARGET.replace("t08", "t09")), f"_{MD5}.{HOST}", True),
        ("digicert", "cname", instead("CNAME", "validation.acme.example"), f"_dnsauth.{HOST}", False),
    ],
)
def test_what_was_there_before_heals_once_it_is_replaced(
    lab: Lab, provider: str, method: str, fault: Fault, where: str, heals: bool
) -> None:
    scene = lab.scene(provider, method)
    fault(scene)
    diagnosis = lab.look(scene)
    assert [(item.where, item.retry_after is not None) for item in diagnosis.findings] == [(where, heals)], diagnosis
    assert diagnosis.may_heal is heals


def test_each_of_two_cas_needs_its_permission(lab: Lab) -> None:
    scene = lab.scene("sectigo", "cname")
    scene.zone.set(f"_dnsauth.{HOST}", "TXT", TOKEN)
    orders = [{"provider": "digicert", "order_id": "2"}]
    record = {"type": "TXT", "fqdn": f"_dnsauth.{HOST}", "values": [TOKEN], "names": [HOST], "orders": orders}
    entries = [*scene.options()["record_sets"], record]
    for permitted, refused in (("sectigo.com", ["digicert.com"]), ("digicert.com", ["sectigo.com"])):
        scene.zone.set(ZONE, "CAA", f'0 issue "{permitted}"')
        diagnosis = lab.look(scene, record_sets=entries)
        assert [(item.code, item.expected) for item in diagnosis.findings] == [("caa_forbids", refused[0])]
        assert not diagnosis.visible
    scene.zone.set(ZONE, "CAA", '0 issue ";"')
    assert {item.expected for item in lab.look(scene, record_sets=entries).findings} == {"sectigo.com", "digicert.com"}
    assert len(lab.questions) == len(set(lab.questions))


def test_little_of_a_file_is_shown(lab: Lab) -> None:
    scene = lab.scene("sectigo", "file")
    scene.put(Page(b"secret\x1b[2J" + b"s" * 500))
    (found,) = lab.look(scene).findings
    assert found.seen is not None and len(found.seen) <= len("other_token: ") + 80
    assert "\x1b" not in found.seen


def test_caa_restricted_by_account_is_a_note(lab: Lab) -> None:
    scene = lab.scene()
    scene.zone.set(ZONE, "CAA", '0 issue "digicert.com; accounturi=https://ca.example/1"')
    diagnosis = lab.look(scene)
    assert [(item.code, item.severity) for item in diagnosis.findings] == [("caa_forbids", "note")]
    assert diagnosis.visible


def test_issuewild_governs_wildcards_alone(lab: Lab) -> None:
    scene = lab.scene("sectigo", "cname")
    scene.zone.set(ZONE, "CAA", '0 issue "sectigo.com"', '0 issuewild ";"')
    entry = {**scene.options()["record_sets"][0], "names": [HOST, f"*.{HOST}"]}
    diagnosis = lab.look(scene, record_sets=[entry])
    assert [(item.code, item.name) for item in diagnosis.findings] == [("caa_forbids", f"*.{HOST}")]
    assert diagnosis.visible_by_name == {HOST: True, f"*.{HOST}": False}


def test_own_issuers_count_instead_of_the_provider(lab: Lab) -> None:
    scene = lab.scene()
    scene.zone.set(ZONE, "CAA", '0 issue "ca.example"')
    assert codes(lab.look(scene)) == ["caa_forbids"]
    assert codes(lab.look(scene, caa_issuers=("ca.example",))) == []


# --- what a CA accepts all the same ---


@pytest.mark.parametrize(
    ("provider", "method", "fault"),
    [
        ("digicert", "txt", elsewhere(HOST)),
        ("digicert", "txt", lambda scene: scene.zone.add(scene.evidence.where, "TXT", FORMER_TOKEN)),
        ("sectigo", "cname", elsewhere(f"_{MD5}.{ZONE}", "CNAME", TARGET)),
        ("sectigo", "cname", instead("CNAME", TARGET.replace("sectigo.com", "comodoca.com"))),
        ("digicert", "txt", instead("TXT", f'"{TOKEN}"')),
        ("digicert", "txt", instead("CNAME", f"_dnsauth.{ZONE}")),
    ],
    ids=["txt at the name", "beside others", "cname at a parent", "former domain", "quotes", "delegated"],
)
def test_what_the_ca_accepts_is_visible(lab: Lab, provider: str, method: str, fault: Fault) -> None:
    scene = lab.scene(provider, method)
    fault(scene)
    scene.zone.set(f"_dnsauth.{ZONE}", "TXT", TOKEN)
    diagnosis = lab.look(scene)
    assert lab.objections(scene) == []
    assert diagnosis.visible
    assert all(item.severity == "note" for item in diagnosis.findings), diagnosis


def test_question_that_does_not_fit_a_datagram_is_asked_by_tcp(lab: Lab) -> None:
    scene = lab.scene()
    for number in range(40):
        scene.zone.add(scene.evidence.where, "TXT", f"{number:03d}" + "x" * 200)
    assert codes(lab.look(scene)) == []
    scene.internet.servers["ns1.example.org"].truncates = True
    assert codes(lab.look(scene)) == []


def test_server_of_before_edns_is_asked_without(lab: Lab) -> None:
    scene = lab.scene()
    scene.internet.servers["ns1.example.org"].knows_edns = False
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == []
    assert diagnosis.visible


def test_servers_that_offer_recursion_are_no_interception(lab: Lab) -> None:
    """A parent zone's servers that offer recursion refer to the child all the same."""
    scene = lab.scene()
    child = scene.internet.add_zone(HOST, {"ns1.hosting.net": "192.0.2.161"})
    child.set(f"_dnsauth.{HOST}", "TXT", TOKEN)
    scene.zone.set(f"_dnsauth.{HOST}", "TXT")
    for server in scene.internet.servers.values():
        server.offers_recursion = "root" not in server.name
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == []
    assert diagnosis.not_tested == ()
    assert diagnosis.visible


def test_servers_without_glue_are_looked_up(lab: Lab) -> None:
    scene = lab.scene()
    internet = scene.internet
    net = internet.add_zone("dns-host.net", {"ns1.dns-host.net": "192.0.2.141", "ns2.dns-host.net": "192.0.2.142"})
    for server, address in (("ns1.dns-host.net", "192.0.2.141"), ("ns2.dns-host.net", "192.0.2.142")):
        net.set(server, "A", address)
        internet.servers[server].zones[ZONE] = scene.zone
    scene.zone.set(ZONE, "NS", "ns1.dns-host.net", "ns2.dns-host.net")
    internet.parent(ZONE).set(ZONE, "NS", "ns1.dns-host.net", "ns2.dns-host.net")
    del internet.addresses["ns1.dns-host.net"]
    assert codes(lab.look(scene)) == []


def test_servers_that_name_each_other_are_unreachable(lab: Lab) -> None:
    scene = lab.scene()
    org = scene.internet.parent(ZONE)
    org.set(ZONE, "NS", "ns.loop.net")
    scene.internet.parent("loop.net").set("loop.net", "NS", "ns.example.org")
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == ["server_unreachable"]
    assert not diagnosis.visible


# --- files ---


def html(scene: Scene) -> None:
    scene.put(Page(b"<!DOCTYPE html><html><body>Welcome</body></html>"))


def page(body: bytes, status: int = 200, **headers: str) -> Fault:
    return lambda scene: scene.put(
        Page(body, status, {name.replace("_", "-"): value for name, value in headers.items()})
    )


def by_redirect(location: str, status: int = 302, serve: bool = True) -> Fault:
    def fault(scene: Scene) -> None:
        scene.put(Page(b"", status, {"Location": location}))
        if serve:
            scene.web.put([ADDRESS], location, Page(scene.evidence.value.encode()))
        scene.zone.set(f"files.{ZONE}", "A", ADDRESS)

    return fault


def redirects(count: int) -> Fault:
    def fault(scene: Scene) -> None:
        url = scene.evidence.where
        for number in range(count):
            following = f"http://{HOST}/hop{number}"
            scene.web.put([ADDRESS], url, Page(b"", 301, {"Location": following}))
            url = following
        scene.web.put([ADDRESS], url, Page(scene.evidence.value.encode()))

    return fault


def only_https(scene: Scene) -> None:
    scene.web.pages.clear()
    scene.put(Page(scene.evidence.value.encode()), "https")


def to_https(scene: Scene) -> None:
    only_https(scene)
    scene.put(Page(b"", 301, {"Location": scene.evidence.where.replace("http://", "https://")}))


def second_address(scene: Scene) -> None:
    scene.zone.set(HOST, "A", ADDRESS, OTHER_ADDRESS)
    scene.web.put([OTHER_ADDRESS], f"http://{HOST}/", Page(b"the other server"))


def ipv6_elsewhere(scene: Scene) -> None:
    scene.zone.set(HOST, "AAAA", IPV6_ADDRESS)
    scene.web.put([IPV6_ADDRESS], f"http://{HOST}/", Page(b"the former server"))


def blocked_agent(scene: Scene) -> None:
    good = Page(scene.evidence.value.encode())
    scene.put(Page(good.body, agents={"DigiCert": Page(b"denied", 403)}))


def mode(name: str) -> Fault:
    def fault(scene: Scene) -> None:
        scene.web.modes[ADDRESS, "http"] = name
        if name == "silent":
            scene.web.modes[ADDRESS, "https"] = "closed"

    return fault


def no_address(scene: Scene) -> None:
    scene.zone.set(HOST, "A")


def private_address(scene: Scene) -> None:
    scene.zone.set(HOST, "A", "10.1.2.3")


FILE_FAULTS: list[tuple[str, str, str, Fault]] = [
    ("http_status", "fatal", "digicert", Scene.withdraw),
    ("http_status", "fatal", "sectigo", page(b"x", 500)),
    ("http_status", "fatal", "sectigo", page(b"x", 401)),
    ("http_status", "warning", "digicert", page(TOKEN.encode(), 206)),
    ("file_wrong_content", "fatal", "digicert", html),
    ("file_wrong_content", "fatal", "sectigo", html),
    ("file_wrong_content", "fatal", "digicert", page(FORMER_TOKEN.encode())),
    ("file_wrong_content", "fatal", "digicert", page(b"")),
    ("file_wrong_content", "fatal", "digicert", page(TOKEN[:20].encode())),
    ("file_wrong_content", "fatal", "digicert", page(b"x" * 5000 + TOKEN.encode())),
    ("file_wrong_content", "fatal", "digicert", page(TOKEN.upper().encode())),
    ("file_wrong_content", "fatal", "digicert", page(gzip.compress(TOKEN.encode()), Content_Encoding="gzip")),
    ("file_wrong_content", "note", "digicert", page(b"\xef\xbb\xbf" + TOKEN.encode())),
    ("redirect_forbidden", "fatal", "sectigo", by_redirect(f"http://{HOST}/other")),
    ("redirect_forbidden", "fatal", "cpanel", by_redirect(f"http://files.{ZONE}/other", 301)),
    ("redirect_forbidden", "fatal", "digicert", by_redirect("http://elsewhere.example/x", serve=False)),
    ("redirect_forbidden", "fatal", "digicert", by_redirect(f"http://{HOST}:8443/x", serve=False)),
    ("redirect_forbidden", "fatal", "digicert", by_redirect(f"http://{HOST}/x", 303)),
    ("redirect_forbidden", "warning", "digicert", by_redirect(f"http://{HOST}/x", 308)),
    ("redirect_too_many", "fatal", "digicert", redirects(6)),
    ("redirect_too_many", "warning", "digicert", redirects(2)),
    ("https_only", "fatal", "sectigo", only_https),
    ("https_only", "fatal", "sectigo", to_https),
    ("https_only", "warning", "digicert", only_https),
    ("address_differs", "fatal", "digicert", second_address),
    ("address_differs", "fatal", "sectigo", ipv6_elsewhere),
    ("agent_blocked", "warning", "digicert", blocked_agent),
    ("port_closed", "fatal", "digicert", mode("closed")),
    ("connect_timeout", "fatal", "digicert", mode("silent")),
    ("no_address", "fatal", "digicert", no_address),
    ("address_private", "fatal", "sectigo", private_address),
]


@pytest.mark.parametrize(
    ("code", "severity", "provider", "fault"), FILE_FAULTS, ids=[f"{fault[0]}-{fault[2]}" for fault in FILE_FAULTS]
)
def test_code_of_a_fault_of_a_file(lab: Lab, code: str, severity: str, provider: str, fault: Fault) -> None:
    scene = lab.scene(provider, "file")
    fault(scene)
    diagnosis = lab.look(scene, fetch_timeout=1.0 if code == "connect_timeout" else 5.0)
    assert [(item.code, item.severity) for item in diagnosis.findings] == [(code, severity)], diagnosis
    assert diagnosis.visible == (lab.objections(scene) == []), lab.objections(scene)


@pytest.mark.parametrize(
    ("provider", "fault"),
    [
        ("digicert", by_redirect(f"http://files.{ZONE}/x")),
        ("digicert", to_https),
        ("digicert", page(b"before " + TOKEN.encode() + b" after\r\n")),
        ("sectigo", lambda scene: scene.put(Page(scene.evidence.value.upper().encode() + b"\n"))),
        ("sectigo", lambda scene: scene.put(Page(scene.evidence.value.replace("sectigo", "comodoca").encode()))),
    ],
)
def test_file_that_the_ca_accepts(lab: Lab, provider: str, fault: Fault) -> None:
    scene = lab.scene(provider, "file")
    fault(scene)
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == []
    assert diagnosis.visible
    assert lab.objections(scene) == []


@pytest.mark.parametrize(
    "location",
    [
        "http://[bad/x",
        "http://[::1/x",
        f"http://{HOST}:port/x",
        f"http://{HOST}:99999/x",
        f"http://a..{ZONE}/x",
        f"http://.{ZONE}/x",
        f"http://{'a' * 70}.{ZONE}/x",
        f"http://{'a.' * 130}{ZONE}/x",
        f"http://a\\.{ZONE}/x",
        f"http://a%20b.{ZONE}/x",
        "mailto:a@example.org",
    ],
)
@pytest.mark.parametrize("provider", ["digicert", "sectigo"])
def test_redirect_to_what_is_no_host_is_forbidden(lab: Lab, provider: str, location: str) -> None:
    scene = lab.scene(provider, "file")
    scene.put(Page(b"", 302, {"Location": location}))
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == ["redirect_forbidden"]
    assert diagnosis.not_tested == ()


@pytest.mark.parametrize("target", ["a\\.b.example.org", "a\\.org", "\\000\\255.example.org"])
def test_odd_target_of_an_alias_ends_no_check(lab: Lab, target: str) -> None:
    scene = lab.scene("digicert", "file")
    scene.zone.set(HOST, "A")
    scene.zone.set(HOST, "CNAME", target)
    assert codes(lab.look(scene)) == ["no_address"]
    other = lab.scene()
    instead("CNAME", target)(other)
    assert codes(lab.look(other)) == ["cname_conflict"]


def test_defect_in_one_check_does_not_lose_the_others(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise ZeroDivisionError("what nobody expected")

    monkeypatch.setattr("ansible_collections.certops.issuance.plugins.module_utils._dcv.diagnose.check_file", broken)
    scene = lab.scene()
    scene.withdraw()
    file = {"url": f"http://files.{ZONE}{FOLDER}fileauth.txt", "content": TOKEN, "names": [f"files.{ZONE}"]}
    diagnosis = lab.look(scene, files=[file])
    assert [(item.code, item.name) for item in diagnosis.findings] == [("record_missing", HOST)]
    (failed,) = diagnosis.not_tested
    assert (failed.name, failed.subject, failed.reason) == (f"files.{ZONE}", file["url"], "check_failed")
    assert "ZeroDivisionError: what nobody expected" in (failed.detail or "")
    assert diagnosis.visible_by_name[f"files.{ZONE}"] is False


def test_redirect_to_a_private_address_is_not_followed(lab: Lab) -> None:
    scene = lab.scene("digicert", "file")
    scene.zone.set(f"intern.{ZONE}", "A", "10.0.0.9")
    scene.web.put(["10.0.0.9"], f"http://intern.{ZONE}/x", Page(TOKEN.encode()))
    by_redirect(f"http://intern.{ZONE}/x", serve=False)(scene)
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == ["redirect_forbidden"]
    assert [request for request in lab.web.requests if request[0] == "10.0.0.9"] == []
    assert not diagnosis.visible
    assert lab.objections(scene) != []


def test_file_for_a_wildcard_is_refused_without_a_request(lab: Lab) -> None:
    scene = lab.scene("digicert", "file")
    entry = {**scene.options()["files"][0], "names": [f"*.{HOST}"]}
    diagnosis = lab.look(scene, files=[entry])
    assert codes(diagnosis) == ["wildcard_needs_dns"]
    assert lab.web.requests == []


@pytest.mark.parametrize("url", [f"http://intern.example.net{FOLDER}a.txt", f"http://{HOST}{FOLDER}../a.txt"])
def test_hostile_file_is_not_fetched(lab: Lab, url: str) -> None:
    scene = lab.scene("digicert", "file")
    entry = {**scene.options()["files"][0], "url": url}
    diagnosis = lab.look(scene, files=[entry])
    assert codes(diagnosis) == ["evidence_refused"]
    assert lab.web.requests == []
    assert lab.questions == []


def test_two_targets_at_one_owner_conflict(lab: Lab) -> None:
    scene = lab.scene("sectigo", "cname")
    entry = {**scene.options()["record_sets"][0], "values": [TARGET, f"x{TARGET}"]}
    assert codes(lab.look(scene, record_sets=[entry])) == ["cname_conflict"]


# --- two faults ---


@pytest.mark.parametrize(
    ("first", "second", "how", "expected"),
    [
        (expired, Scene.withdraw, {"signed": True}, ["dnssec_bogus", "record_missing"]),
        (dead("ns1.example.org", "ns2.example.org"), caa(ZONE, '0 issue ";"'), {}, ["server_unreachable"]),
        (Scene.withdraw, caa(ZONE, '0 issue ";"'), {}, ["record_missing", "caa_forbids"]),
        (dead("ns2.example.org"), Scene.withdraw, {}, ["server_unreachable", "record_missing"]),
        (delegated_elsewhere, no_caa_answers, {}, ["delegation_differs", "caa_lookup_failed"]),
        (partial, cached_absence, {}, ["partial_propagation"]),
        (stale_ds, cached_absence, {"signed": True}, ["dnssec_bogus"]),
        (instead("TXT", FORMER_TOKEN), split_view, {}, ["record_wrong_value"]),
        (no_caa_answers, instead("CNAME", TARGET), {}, ["cname_conflict", "caa_lookup_failed"]),
        (listed_otherwise, Scene.withdraw, {}, ["delegation_differs", "record_missing"]),
    ],
)
def test_cause_comes_first(lab: Lab, first: Fault, second: Fault, how: dict[str, t.Any], expected: list[str]) -> None:
    scene = lab.scene("digicert", "txt", **how)
    first(scene)
    second(scene)
    diagnosis = lab.look(scene)
    assert list(dict.fromkeys(codes(diagnosis))) == expected
    assert diagnosis.visible == (lab.objections(scene) == [])


# --- what cannot be tested ---


@pytest.mark.parametrize("published", [True, False])
def test_intercepted_port_53_is_never_a_missing_record(lab: Lab, published: bool) -> None:
    scene = lab.scene()
    scene.internet.port_53 = "intercepted"
    if not published:
        scene.withdraw()
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == []
    assert {item.reason for item in diagnosis.not_tested} == {"dns_intercepted"}
    assert diagnosis.visible is published


def test_servers_of_one_zone_that_are_resolvers_are_an_interception(lab: Lab) -> None:
    scene = lab.scene()
    scene.withdraw()
    resolver = lab.dns.address_map()[f"{RESOLVER_ADDRESS}:53"]
    diagnosis = lab.look(scene, address_map={"192.0.2.101:53": resolver, "192.0.2.102:53": resolver})
    assert codes(diagnosis) == []
    assert {item.reason for item in diagnosis.not_tested} == {"dns_intercepted"}


@pytest.mark.parametrize("port_53", ["blocked", "intercepted"])
@pytest.mark.parametrize("target", [f"files.{ZONE}", f"intern.{ZONE}"])
def test_file_without_authoritative_servers(lab: Lab, port_53: str, target: str) -> None:
    """Addresses come from the resolver then, and redirects to private ones are not followed either."""
    scene = lab.scene("digicert", "file")
    scene.zone.set(f"files.{ZONE}", "A", ADDRESS)
    scene.zone.set(f"intern.{ZONE}", "A", "10.0.0.9")
    scene.put(Page(b"", 302, {"Location": f"http://{target}/x"}))
    scene.web.put([ADDRESS, "10.0.0.9"], f"http://{target}/x", Page(TOKEN.encode()))
    scene.internet.port_53 = port_53
    diagnosis = lab.look(scene)
    assert diagnosis.visible is (target == f"files.{ZONE}")
    assert codes(diagnosis) == ([] if diagnosis.visible else ["redirect_forbidden"])
    assert {item.reason for item in diagnosis.not_tested} == {f"dns_{port_53}"}
    assert [request for request in lab.web.requests if request[0] == "10.0.0.9"] == []


@pytest.mark.parametrize("published", [True, False])
def test_blocked_port_53_is_judged_by_the_resolver_with_warnings(lab: Lab, published: bool) -> None:
    scene = lab.scene()
    scene.internet.port_53 = "blocked"
    if not published:
        scene.withdraw()
    diagnosis = lab.look(scene)
    assert {item.reason for item in diagnosis.not_tested} == {"dns_blocked"}
    assert diagnosis.visible is published
    assert [(item.code, item.severity) for item in diagnosis.findings] == (
        [] if published else [("record_missing", "warning")]
    )


def test_no_resolver_and_no_port_53_is_nothing_found(lab: Lab) -> None:
    scene = lab.scene()
    scene.internet.port_53 = "blocked"
    scene.internet.resolver.mode = "dead"
    diagnosis = lab.look(scene)
    assert codes(diagnosis) == []
    assert {item.reason for item in diagnosis.not_tested} == {"dns_blocked"}
    assert not diagnosis.visible


def test_dead_resolver_alone_is_not_tested(lab: Lab) -> None:
    scene = lab.scene()
    scene.internet.resolver.mode = "dead"
    diagnosis = lab.look(scene)
    assert diagnosis.visible
    assert codes(diagnosis) == []
    assert [item.reason for item in diagnosis.not_tested] == ["dns_blocked"]


def test_resolver_that_alone_refuses_signatures_is_a_warning(lab: Lab) -> None:
    scene = lab.scene("digicert", "txt", signed=True)
    scene.internet.clock = lambda: scene.now + 60 * 86400
    diagnosis = lab.look(scene)
    assert [(item.code, item.severity) for item in diagnosis.findings] == [("dnssec_bogus", "warning")]
    assert "Signature Expired" in (diagnosis.findings[0].seen or "")
    assert diagnosis.visible


def test_servers_that_never_answer_end_at_the_deadline(lab: Lab) -> None:
    scene = lab.scene()
    for server in ("ns1.example.org", "ns2.example.org"):
        scene.internet.servers[server].mode = "silent"
    diagnosis = lab.look(scene, timeout=0.5)
    assert {item.reason for item in diagnosis.not_tested} == {"deadline"}
    assert codes(diagnosis) == []
    assert not diagnosis.visible


def test_what_was_found_before_the_deadline_is_reported(lab: Lab) -> None:
    """The second name's server hangs; the first name is judged all the same."""
    scene = lab.scene()
    hanging = scene.internet.add_zone("hanging.org", {"ns1.hanging.org": "192.0.2.151"})
    hanging.set("_dnsauth.hanging.org", "TXT", TOKEN)
    scene.internet.servers["ns1.hanging.org"].mode = "silent"
    scene.withdraw()
    entry = scene.options()["record_sets"][0]
    other = {**entry, "fqdn": "_dnsauth.hanging.org", "names": ["hanging.org"]}
    diagnosis = lab.look(scene, record_sets=[entry, other], timeout=5.0)
    assert ("record_missing", HOST) in [(item.code, item.name) for item in diagnosis.findings]
    assert {(item.name, item.reason) for item in diagnosis.not_tested} == {("hanging.org", "deadline")}


def test_server_that_hangs_does_not_hold_up_many_names(lab: Lab) -> None:
    scene = lab.scene()
    scene.internet.servers["ns2.example.org"].mode = "silent"
    names = [f"h{number}.{ZONE}" for number in range(100)]
    for name in names:
        scene.zone.set(f"_dnsauth.{name}", "TXT", TOKEN)
    entry = scene.options()["record_sets"][0]
    entries = [{**entry, "fqdn": f"_dnsauth.{name}", "names": [name]} for name in names]
    diagnosis = lab.look(scene, record_sets=entries, try_timeout=1.0)
    assert diagnosis.visible
    assert {(item.code, item.where) for item in diagnosis.findings} == {("server_unreachable", "ns2.example.org")}
    assert len(diagnosis.findings) == len(names)
    asked = [question for question in lab.questions if question[0] == "192.0.2.102"]
    assert len(asked) <= 20


#: Connections to it fail at once, wherever the tests run: it is for many hosts on one link.
NO_WAY = "[ff02::1]:80"


def test_address_that_this_host_has_no_way_to_is_not_tested(lab: Lab) -> None:
    scene = lab.scene("digicert", "file")
    scene.zone.set(HOST, "AAAA", IPV6_ADDRESS)
    diagnosis = lab.look(scene, address_map={f"[{IPV6_ADDRESS}]:80": NO_WAY, f"[{IPV6_ADDRESS}]:443": NO_WAY})
    assert codes(diagnosis) == []
    assert diagnosis.visible
    assert [item.reason for item in diagnosis.not_tested] == ["no_ipv6_here"]


def test_name_server_that_this_host_has_no_way_to_is_not_tested(lab: Lab) -> None:
    scene = lab.scene()
    scene.internet.add_server("ns6.example.org", "2001:db8::53").zones[ZONE] = scene.zone
    for zone in (scene.zone, scene.internet.parent(ZONE)):
        zone.add(ZONE, "NS", "ns6.example.org")
    diagnosis = lab.look(scene, address_map={"[2001:db8::53]:53": NO_WAY})
    assert codes(diagnosis) == []
    assert diagnosis.visible
    assert [item.reason for item in diagnosis.not_tested] == ["no_ipv6_here"]


def test_resolver_is_not_asked_for_what_is_not_there(lab: Lab) -> None:
    scene = lab.scene()
    scene.withdraw()
    lab.look(scene)
    assert [question for question in lab.questions if question[0] == RESOLVER_ADDRESS] == []


def test_no_question_is_asked_twice(lab: Lab) -> None:
    scene = lab.scene()
    entry = scene.options()["record_sets"][0]
    lab.look(scene, record_sets=[entry, {**entry, "fqdn": f"_dnsauth.{ZONE}", "names": [ZONE, f"*.{ZONE}"]}])
    assert len(lab.questions) == len(set(lab.questions))


# --- before an order ---


def test_names_without_evidence(lab: Lab) -> None:
    scene = lab.scene()
    scene.web.put([ADDRESS], f"http://{HOST}/", Page(b"welcome"))
    diagnosis = lab.look(scene, record_sets=[], names=[HOST, f"*.{ZONE}"], provider="digicert")
    assert codes(diagnosis) == []
    assert diagnosis.visible_by_name == {HOST: True, f"*.{ZONE}": True}


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (no_address, [("no_address", "warning")]),
        (mode("closed"), [("port_closed", "warning")]),
        (caa(ZONE, '0 issue "sectigo.com"'), [("caa_forbids", "fatal")]),
    ],
)
def test_names_with_a_fault(lab: Lab, fault: Fault, expected: list[tuple[str, str]]) -> None:
    scene = lab.scene()
    scene.web.put([ADDRESS], f"http://{HOST}/", Page(b"welcome"))
    fault(scene)
    diagnosis = lab.look(scene, record_sets=[], names=[HOST], provider="digicert")
    assert [(item.code, item.severity) for item in diagnosis.findings] == expected
