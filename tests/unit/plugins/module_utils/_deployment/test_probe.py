# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What probes verify, with services on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import typing as t
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.probe import (
    Endpoint,
    leaf_before_client_certificate,
    probe,
)
from ansible_collections.certops.issuance.plugins.module_utils._deployment.proxy_protocol import VERSIONS, proxy_header
from ansible_collections.certops.issuance.plugins.module_utils._deployment.starttls import (
    PROTOCOLS,
    Plain,
    Problem,
    start_tls,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.services import (
    Service,
    ldap_answer,
    mysql_greeting,
    never_ends,
    says,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target


class Clock:
    """A clock that moves by sleeping only."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(tmp_path: t.Any) -> t.Iterator[t.Callable[..., Service]]:
    services: list[Service] = []

    def started(*args: t.Any, **options: t.Any) -> Service:
        services.append(Service(tmp_path, *args, **options))
        return services[-1]

    yield started
    for service in services:
        service.close()


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="not tested: this host has no IPv6 loopback")


def test_service_that_serves_it(start: t.Any, world: pki.World, clock: Clock) -> None:
    leaf = world.issue(NAME)
    service = start()
    service.serve(leaf, world.key_pem, world.intermediate.pem)
    found = probe(Endpoint("127.0.0.1", service.port, NAME), pki.der(leaf), [world.root_der], 10, 5, clock, clock.sleep)
    assert found.served is True
    assert found.problem is None
    assert found.as_result()["serial_number"] == pki.serial(leaf)
    assert clock.slept == []
    assert service.server_names == [NAME] * 11  # compared, verified, and confirmed nine times


@pytest.mark.parametrize("protocol", [*PROTOCOLS, "ldap with long lengths"])
def test_starttls(start: t.Any, world: pki.World, clock: Clock, protocol: str) -> None:
    leaf = world.issue(NAME)
    service = start(protocol)
    service.serve(leaf, world.key_pem, world.intermediate.pem)
    target = Endpoint("127.0.0.1", service.port, NAME, protocol.split()[0])
    found = probe(target, pki.der(leaf), [world.root_der], 0, 5, clock, clock.sleep)
    assert (found.served, found.problem) == (True, None)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("text", [b"x", b"250-\r\n", b"<x>", b"\x30\x84\xff", b"\xff\xff\xff\0", b"\0"])
def test_service_that_never_ends_its_greeting(start: t.Any, world: pki.World, protocol: str, text: bytes) -> None:
    """All that is read is within bounds: the probe ends before its time does."""
    service = start(never_ends(text))
    service.serve(world.issue(NAME), world.key_pem)
    found = probe(Endpoint("127.0.0.1", service.port, NAME, protocol), b"", (), 0, 60)
    assert found.served is False
    assert "did not answer within" not in (found.problem or "")
    assert len(found.problem or "") < 1000


_NO_TLS = "<stream:features><mechanisms/></stream:features>"
_TLS = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"


@pytest.mark.parametrize(
    "protocol, answers, message",
    [
        ("lmtp", [b"220 ready\r\n", b"500 what?\r\n"], "expected '250', the service answered '500 what?'"),
        ("lmtp", [b"421 too busy\r\n"], "421 too busy"),
        ("sieve", [b'BYE "too many"\r\n'], "expected 'OK', the service answered 'BYE \"too many\"'"),
        ("sieve", [b'"SIEVE" ""\r\nOK\r\n', b"NO\r\n"], "expected 'OK', the service answered 'NO'"),
        ("ftp", [b"220 ready\r\n", b"530 Please login with USER and PASS.\r\n"], "530 Please login"),
        ("ftp", [b"421-many\r\n421 too many users\r\n"], "421 too many users"),
        ("ftp", [b"421-many\r\n220 ready\r\n421 too many users\r\n"], "421 too many users"),
        ("sieve", [b'"X" {99999}\r\n'], "answered with a text of 99999 bytes"),
        ("ldap", [b"", ldap_answer(2)], "refused with LDAP result code 2"),
        ("ldap", [b"", b"\x30\x03\x02\x01\x01"], "what is no LDAP"),
        ("ldap", [b"", b"\x30\x05\x02\x01\x01\x78\x7f"], "what is no LDAP"),
        ("ldap", [b"", b"\x30\x80"], "what is no LDAP"),
        ("ldap", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], "this is no LDAP"),
        ("ldap", [b"", b"\x30\x84\x7f\xff\xff\xff"], "answered with 2147483647 bytes"),
        ("mysql", [mysql_greeting(capabilities=0xF7FF)], "does not offer TLS"),
        ("mysql", [mysql_greeting(protocol=9)], "greets with what is no MySQL"),
        ("mysql", [b"\x05\0\0\0\x0a8.0\0"], "greets with what is no MySQL"),
        ("mysql", [b"\x16\0\0\0\xff\x69\x04Host is not allowed"], "refused: 'Host is not allowed"),
        ("mysql", [b"\0\0\0\0"], "this is no MySQL"),
        ("mysql", [b"HTTP"], "this is no MySQL"),
        ("xmpp", [b"", _NO_TLS.encode()], "does not offer it"),
        ("xmpp", [b"", b"<stream:features />"], "does not offer it"),
        ("xmpp", [b"", b"<s:stream xmlns:t='urn:ietf:params:xml:ns:xmpp-tls'><s:features />"], "does not offer it"),
        ("xmpp", [b"", b"<stream:error><host-unknown/></stream:error>"], "host-unknown"),
        ("xmpp", [b"", b"<s:error><host-unknown/></s:error\n>"], "host-unknown"),
        ("xmpp", [b"", _TLS.encode(), b"<proceeding/>"], "expected '<proceed'"),
        ("xmpp", [b"", _TLS.encode(), b"<failure/></stream:stream>"], "expected '<proceed'"),
        ("xmpp", [b"", _TLS.encode(), b"<proceed><x/>"], "expected '</proceed'"),
    ],
)
def test_service_that_refuses_tls(
    start: t.Any, world: pki.World, protocol: str, answers: list[bytes], message: str
) -> None:
    service = start(says(*answers))
    service.serve(world.issue(NAME), world.key_pem)
    found = probe(Endpoint("127.0.0.1", service.port, NAME, protocol), b"", (), 0, 5)
    assert found.served is False
    assert message in (found.problem or "")


_XMPP_NAMESPACE = "urn:ietf:params:xml:ns:xmpp-tls"


@pytest.mark.parametrize(
    "protocol, answers",
    [
        ("xmpp", ["<s:features><starttls xmlns='{0}'/></s:features>", "<proceed xmlns='{0}'/>"]),
        ("xmpp", ["<features xmlns='x'><starttls xmlns='{0}'/></features>", "<proceed xmlns='{0}'></proceed>"]),
        ("xmpp", [_TLS.replace("</stream:features>", "</stream:features\n>"), "\n<proceed xmlns='{0}' />"]),
        ("xmpp", ["<s:features><tls:starttls xmlns:tls='{0}' /></s:features >", "<tls:proceed xmlns:tls='{0}'/>"]),
        ("xmpp", [_TLS, "<tls:proceed xmlns:tls='{0}'>\n</tls:proceed\n>"]),
        ("xmpp", ["<s:features a='x>y'><starttls xmlns='{0}'/></s:features>", "<proceed/>"]),
        ("ftp", ["220-Welcome.\r\n230 is no end\r\n220\r\n220 ready\r\n", "234 go ahead\r\n"]),
        ("ftp", ["120 Ready in 3 minutes.\r\n220 ready\r\n", "234\r\n"]),
        ("ftp", ["120-Ready\r\n220 soon\r\n120 in 3 minutes.\r\n220 ready\r\n", "234-go\r\n234 ahead\r\n"]),
        ("sieve", ['"NOTIFY" {{8}}\r\nNO\r\nxmpp\r\n"STARTTLS"\r\nOK\r\n', "OK\r\n"]),
        ("sieve", ['"X" {{4+}}\r\n{{3}}\n\r\nOK {{5}}\r\nready\r\n', 'OK (TAG {{3}}\r\na\r\n) "x"\r\n']),
        ("sieve", ['"STARTTLS"\r\nNOTIFY "mailto"\r\nOKAY\r\nBYES\r\nok "ready"\r\n', "OK\n"]),
    ],
)
def test_starttls_as_servers_may_write_it(protocol: str, answers: list[str]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall("".join(answers).replace("{{", "{").replace("}}", "}").replace("{0}", _XMPP_NAMESPACE).encode())
        theirs.sendall(b"\x16")
        start_tls(protocol, Plain(ours, 5), NAME)
        # What follows belongs to TLS.
        assert ours.recv(10) == b"\x16"


def test_greeting_that_is_too_long_though_it_ends() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall((b"220-" + b"x" * 994 + b"\r\n") * 20 + b"220 ready\r\n234 go ahead\r\n")
        with pytest.raises(Problem, match="more than 100 lines, or 16384 bytes"):
            start_tls("ftp", Plain(ours, 5), NAME)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"220 ", b"234 ", b"250-", b"OK", b"* OK", b"a1 OK", b"+OK", b"S", b"\r\n", b"\0", b"\xff"]
            ),
            st.sampled_from(
                [b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0", b"\x4a\0\0\0\x0a", b"<proceed/>", b"</stream:features>"]
            ),
        ),
        max_size=8,
    )
)
def test_whatever_a_service_answers_it_is_a_problem_or_the_start_of_tls(protocol: str, answers: list[bytes]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"".join(answers))
        theirs.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Problem):
            start_tls(protocol, Plain(ours, 5), NAME)


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=needs_ipv6)])
@pytest.mark.parametrize("starttls", [None, "smtp"])
def test_service_behind_a_proxy(
    start: t.Any, world: pki.World, version: str, address: str, starttls: str | None
) -> None:
    leaf = world.issue(NAME)
    service = start(starttls, address=address, behind_proxy=True)
    service.serve(leaf, world.key_pem, world.intermediate.pem)
    target = Endpoint(address, service.port, NAME, starttls, version)
    found = probe(target, pki.der(leaf), [world.root_der], 0, 5)
    assert (found.served, found.problem) == (True, None)
    assert found.as_result()["proxy_protocol"] == version
    number, source, destination = service.clients[0]
    assert (f"v{number}", source[0], destination) == (version, address, (address, service.port))
    assert source[1] > 0


def test_service_that_expects_a_proxy_and_meets_a_client(start: t.Any, world: pki.World) -> None:
    service = start(behind_proxy=True)
    service.serve(world.issue(NAME), world.key_pem)
    target = Endpoint("127.0.0.1", service.port, NAME)
    assert probe(target, b"", (), 0, 5).served is False
    assert str(replace(target, proxy_protocol="v2")).endswith(f"({NAME}, PROXY protocol v2)")


@pytest.mark.parametrize(
    "version, header",
    [
        ("v1", b"PROXY TCP4 192.0.2.1 198.51.100.2 4000 443\r\n"),
        ("v2", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\x0f\xa0\1\xbb"),
    ],
)
def test_header_of_the_proxy_protocol(version: str, header: bytes) -> None:
    assert proxy_header(version, ("192.0.2.1", 4000), ("198.51.100.2", 443)) == header


@pytest.mark.parametrize("version", VERSIONS)
def test_header_of_the_proxy_protocol_has_no_zone(version: str) -> None:
    zoned = proxy_header(version, ("fe80::1%eth0", 4000, 0, 2), ("fe80::2%eth0", 443, 0, 2))
    assert zoned == proxy_header(version, ("fe80::1", 4000), ("fe80::2", 443))


@needs_ipv6
def test_ipv6(start: t.Any, world: pki.World, clock: Clock) -> None:
    leaf = world.issue(NAME)
    service = start(address="::1")
    service.serve(leaf, world.key_pem, world.intermediate.pem)
    target = Endpoint("::1", service.port, NAME)
    assert str(target) == f"[::1]:{service.port} ({NAME})"
    assert probe(target, pki.der(leaf), [world.root_der], 0, 5, clock, clock.sleep).served is True


@needs_ipv6
def test_every_address_that_listens_has_to_serve_it(
    start: t.Any, world: pki.World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaf = world.issue(NAME)
    four = start()
    six = start(address="::1", port=four.port)
    four.serve(leaf, world.key_pem)
    six.serve(world.issue(NAME), world.key_pem)

    def both(_host: str, port: int, type: int) -> list[t.Any]:
        return [
            (socket.AF_INET6, type, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, type, 6, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    target = Endpoint("localhost", four.port, NAME)
    found = probe(target, pki.der(leaf), (), 0, 5, clock, clock.sleep)
    assert found.served is False
    assert found.problem is not None and found.problem.startswith("::1 serves the certificate of")
    six.serve(leaf, world.key_pem)
    assert probe(target, pki.der(leaf), (), 0, 5, clock, clock.sleep).served is True
    six.close()
    assert probe(target, pki.der(leaf), (), 0, 5, clock, clock.sleep).served is True


def test_workers_that_overlap(start: t.Any, world: pki.World, clock: Clock) -> None:
    """Old answers are no verdict before the deadline."""
    old, new = world.issue(NAME), world.issue(NAME)
    service = start()
    service.serve(old, world.key_pem, world.intermediate.pem)
    service.serve(new, world.key_pem, world.intermediate.pem, old_answers=4)
    target = Endpoint("127.0.0.1", service.port, NAME)
    found = probe(target, pki.der(new), [world.root_der], 10, 5, clock, clock.sleep)
    assert found.served is True
    assert len(clock.slept) == 4
    assert found.attempts == 4 + 11


@pytest.mark.parametrize("old_in_turn", [1, 2, 5])
def test_a_worker_that_was_not_reloaded_is_noticed(
    start: t.Any, world: pki.World, clock: Clock, old_in_turn: int
) -> None:
    old, new = world.issue(NAME), world.issue(NAME)
    service = start()
    service.serve_in_turn([new] * old_in_turn + [old], world.key_pem, world.intermediate.pem)
    target = Endpoint("127.0.0.1", service.port, NAME)
    found = probe(target, pki.der(new), [world.root_der], 3, 5, clock, clock.sleep)
    assert found.served is False
    assert pki.serial(old) in (found.problem or "")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_service_that_requires_a_certificate_of_the_client_has_shown_its_own(
    start: t.Any, world: pki.World, clock: Clock, version: ssl.TLSVersion
) -> None:
    old, new = world.issue(NAME), world.issue(NAME)
    service = start()
    service.serve(new, world.key_pem, world.intermediate.pem)
    service.require_client_certificate(world.root.pem, version)
    target = Endpoint("127.0.0.1", service.port, NAME)
    found = probe(target, pki.der(new), [world.root_der], 10, 5, clock, clock.sleep)
    assert (found.served, found.problem) == (True, None)
    found = probe(target, pki.der(old), [world.root_der], 0, 5, clock, clock.sleep)
    assert found.served is False
    assert pki.serial(new) in (found.problem or "")


def test_a_chain_that_is_missing_is_noticed_where_the_client_needs_a_certificate_too(
    start: t.Any, world: pki.World, clock: Clock
) -> None:
    leaf = world.issue(NAME)
    service = start()
    service.serve(leaf, world.key_pem)
    service.require_client_certificate(world.root.pem, ssl.TLSVersion.TLSv1_2)
    target = Endpoint("127.0.0.1", service.port, NAME)
    found = probe(target, pki.der(leaf), [world.root_der], 0, 5, clock, clock.sleep)
    assert "unable to get local issuer certificate" in (found.problem or "")


@given(st.binary())
def test_a_handshake_of_any_bytes_shows_nothing_and_raises_nothing(received: bytes) -> None:
    leaf = leaf_before_client_certificate(b"\x16\x03\x03" + received)
    assert leaf is None or leaf in received


def test_a_service_that_is_slow_to_greet_has_the_whole_time(
    start: t.Any, world: pki.World, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{probe.__module__}._MAX_EARLY_ATTEMPT", 0.05)
    leaf = world.issue(NAME)
    service = start("slow smtp")
    service.serve(leaf, world.key_pem, world.intermediate.pem)
    target = Endpoint("127.0.0.1", service.port, NAME, "smtp")
    for timeout in (0.0, 0.3):
        found = probe(target, pki.der(leaf), [world.root_der], timeout, 20, clock, clock.sleep)
        assert (found.served, found.problem) == (True, None)


@pytest.mark.parametrize("kind, other", [("rsa", "ecdsa"), ("ecdsa", "rsa")])
def test_service_with_two_kinds_of_certificates(
    start: t.Any, world: pki.World, clock: Clock, kind: str, other: str
) -> None:
    """Clients prefer one of them; both have to be provable."""
    keys = {name: pki.make_key(name) for name in (kind, other)}
    leaves = {name: world.issue(NAME, key=key) for name, key in keys.items()}
    service = start()
    service.serve(leaves[other], pki.key_pem(keys[other]), world.intermediate.pem)
    target = Endpoint("127.0.0.1", service.port, NAME)
    found = probe(target, pki.der(leaves[kind]), [world.root_der], 0, 5, clock, clock.sleep)
    assert (found.served, found.leaf) == (False, pki.der(leaves[other]))
    assert pki.serial(leaves[other]) in (found.problem or "")
    service.serve_beside(leaves[kind], pki.key_pem(keys[kind]), world.intermediate.pem)
    for leaf in leaves.values():
        found = probe(target, pki.der(leaf), [world.root_der], 0, 5, clock, clock.sleep)
        assert (found.served, found.leaf, found.problem) == (True, pki.der(leaf), None)


def test_deadline_cuts_the_last_sleep(start: t.Any, world: pki.World, clock: Clock) -> None:
    old = world.issue(NAME)
    service = start()
    service.serve(old, world.key_pem)
    target = Endpoint("127.0.0.1", service.port, NAME)
    found = probe(target, pki.der(world.issue(NAME)), (), 3, 5, clock, clock.sleep)
    assert found.served is False
    assert pki.serial(old) in (found.problem or "")
    assert sum(clock.slept) == pytest.approx(3)


def test_service_without_the_chain(start: t.Any, world: pki.World, clock: Clock) -> None:
    leaf = world.issue(NAME)
    service = start()
    service.serve(leaf, world.key_pem)
    target = Endpoint("127.0.0.1", service.port, NAME)
    found = probe(target, pki.der(leaf), [world.root_der], 0, 5, clock, clock.sleep)
    assert found.served is False
    assert "unable to get local issuer certificate" in (found.problem or "")


@pytest.mark.parametrize(
    "protocol, starttls, message",
    [
        ("smtp without TLS", "smtp", "502 not implemented"),
        ("imap", "pop3", "expected '+OK'"),
        ("smtp", None, "fails the TLS handshake"),
        ("closing", "imap", "closed the connection"),
        ("silent", "smtp", "did not answer within 0.2 s"),
        ("dripping", "smtp", "did not answer within 0.2 s"),
    ],
)
def test_service_that_speaks_otherwise(
    start: t.Any,
    world: pki.World,
    clock: Clock,
    protocol: str,
    starttls: str | None,
    message: str,
) -> None:
    service = start(protocol)
    service.serve(world.issue(NAME), world.key_pem)
    target = Endpoint("127.0.0.1", service.port, NAME, starttls)
    found = probe(target, b"", (), 0, 0.2, clock, clock.sleep)
    assert found.served is False
    assert message in (found.problem or "")
    assert found.as_result()["serial_number"] is None


def test_nothing_listens(start: t.Any, world: pki.World, clock: Clock) -> None:
    service = start()
    service.close()
    found = probe(Endpoint("127.0.0.1", service.port, NAME), b"", (), 0.5, 5, clock, clock.sleep)
    assert (found.served, found.attempts) == (False, 4)
    assert "Connection refused" in (found.problem or "")


def test_host_that_has_no_address(clock: Clock) -> None:
    found = probe(Endpoint("a..b", 443, NAME), b"", (), 0, 5, clock, clock.sleep)
    assert "cannot be resolved" in (found.problem or "")


# -- in a deployment --------------------------------------------------------------------------------------------------


def reloading(target: Target, service: Service, reads: str = "combined.pem") -> dict[str, t.Any]:
    """Options for a service that reads its files when the reload command runs."""

    def reload(command: t.Sequence[str]) -> None:
        if command[0] == "true":
            service.serve_file(target.path / "current" / reads)

    target.host.on_command = reload
    return {
        "files": ["cert", "chain", "fullchain", "privkey", "combined"],
        "reload_commands": ["true"],
        "probes": [{"host": "127.0.0.1", "port": service.port, "server_name": None, "starttls": None}],
        "probe_timeout": 0.3,
    }


def test_deployment_is_verified(start: t.Any, target: Target) -> None:
    options = reloading(target, start())
    leaf = target.world.issue(NAME)
    result = target.deploy(leaf, **options)
    assert [item["served"] for item in result["probes"]] == [True]
    assert result["probes"][0]["serial_number"] == pki.serial(leaf)
    assert result["probes"][0]["server_name"] == NAME
    renewed = target.world.issue(NAME)
    assert target.deploy(renewed, **options)["probes"][0]["serial_number"] == pki.serial(renewed)


def test_probe_asks_for_the_name_and_speaks_the_protocol_that_it_was_given(start: t.Any, target: Target) -> None:
    service = start("smtp")
    options = reloading(target, service)
    options["probes"][0].update(server_name="mail.example.com", starttls="smtp")
    names = [NAME, "mail.example.com"]
    result = target.deploy(target.world.issue(*names), names=names, **options)
    assert [(item["served"], item["server_name"]) for item in result["probes"]] == [(True, "mail.example.com")]


def test_service_that_was_not_reloaded(start: t.Any, target: Target) -> None:
    service = start()
    options = reloading(target, service)
    leaf = target.world.issue(NAME)
    target.deploy(leaf, **options)
    service.serve(target.world.issue(NAME), target.world.key_pem)
    before = target.tree()
    checked = target.deploy(leaf, check_mode=True, **options)
    assert checked["reasons"] == ["not_served"]
    assert len(target.host.commands) == 1
    result = target.deploy(leaf, **options)
    assert result["reasons"] == ["not_served"]
    assert result["changed"] is True
    assert result["probes"][0]["served"] is True
    assert len(target.host.commands) == 2
    assert target.tree() == before
    assert target.deploy(leaf, **options)["changed"] is False


def test_reload_that_has_no_effect_rolls_back(start: t.Any, target: Target) -> None:
    service = start()
    options = reloading(target, service)
    old, new = target.world.issue(NAME), target.world.issue(NAME)
    target.deploy(old, **options)
    target.host.on_command = None
    with pytest.raises(DeploymentError) as failure:
        target.deploy(new, **options)
    assert failure.value.kind == "probe_failed"
    assert failure.value.details["rolled_back"] is True
    assert failure.value.details["probes"][0]["serial_number"] == pki.serial(old)
    assert pki.serial(new) in failure.value.message
    assert target.read("cert.pem") == pki.pem(old)


def test_service_that_serves_cert_instead_of_fullchain(start: t.Any, target: Target) -> None:
    service = start()
    options = reloading(target, service)
    old, new = target.world.issue(NAME), target.world.issue(NAME)
    target.deploy(old, **options)

    def reload(_command: t.Sequence[str]) -> None:
        leaf = new if pki.serial(new) in target.read("version.json") else old
        service.serve(leaf, target.world.key_pem, "" if leaf is new else target.world.intermediate.pem)

    target.host.on_command = reload
    with pytest.raises(DeploymentError) as failure:
        target.deploy(new, **options)
    assert failure.value.kind == "probe_failed"
    assert failure.value.details["rolled_back"] is True
    assert "issuer" in failure.value.message


def test_old_certificate_that_is_not_served_again(start: t.Any, target: Target) -> None:
    service = start()
    options = reloading(target, service)
    old = target.world.issue(NAME)
    target.deploy(old, **options)

    def crash(_command: t.Sequence[str]) -> None:
        service.serve(target.world.issue(NAME), target.world.key_pem)

    target.host.on_command = crash
    with pytest.raises(DeploymentError) as failure:
        target.deploy(target.world.issue(NAME), **options)
    assert failure.value.kind == "rollback_failed"
    assert failure.value.details["cause"]["error_kind"] == "probe_failed"


def test_probe_of_the_wrong_port_is_no_failed_rollback(start: t.Any, target: Target) -> None:
    """A service that did not answer before the switch cannot show that going back worked."""
    closed = start()
    closed.close()
    target.deploy(target.world.issue(NAME))
    options = reloading(target, closed)
    target.host.on_command = None
    with pytest.raises(DeploymentError) as failure:
        target.deploy(target.world.issue(NAME), **options)
    assert failure.value.kind == "probe_failed"
    assert failure.value.details["rolled_back"] is True
    assert "Connection refused" in failure.value.message


def test_placeholder_is_probed(start: t.Any, target: Target) -> None:
    options = reloading(target, start())
    result = target.deploy(placeholder=True, names=["*.example.com"], **options)
    assert result["probes"][0]["served"] is True
    assert result["probes"][0]["server_name"] == "www.example.com"
    assert target.deploy(placeholder=True, names=["*.example.com"], **options)["changed"] is False
