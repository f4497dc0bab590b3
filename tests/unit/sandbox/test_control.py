# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API: clock, bulk orders, waves, accounts, log, reset; and the limit it enforces in real time."""

from __future__ import annotations

import json
import typing as t

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sandbox.client import SandboxError
from sandbox.limits import RollingLimit


def test_virtual_clock(sandbox: t.Any) -> None:
    start = sandbox.now()
    assert sandbox.advance(3600) - start >= 3600
    sandbox.set_rate(0)
    sandbox.set_clock(1_000_000)
    assert sandbox.now() == sandbox.now() == 1_000_000
    sandbox.set_rate(1000)
    first = sandbox.now()
    assert sandbox.now() > first


def test_ten_thousand_orders_share_a_key_and_are_signed_when_asked_for(sandbox: t.Any, wire: t.Any) -> None:
    orders = sandbox.orders("digicert", 10_000, "issued")
    assert len(set(orders)) == 10_000
    changed = wire.digicert("GET", "/order/certificate/status-changes?minutes=5").json()["orders"]
    assert len(changed) == 10_000
    texts = [
        wire.digicert("GET", f"/certificate/{order['certificate_id']}/download/format/pem_nointermediate").content
        for order in (sandbox.get_order("digicert", orders[0]), sandbox.get_order("digicert", orders[-1]))
    ]
    first, last = (x509.load_pem_x509_certificate(text) for text in texts)
    assert first.public_key() == last.public_key() and first.serial_number != last.serial_number


def test_waves(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.orders("gogetssl", 30, after={"validating": 10, "issuing": 0}, stagger=100, wave_size=10)
    issued = []
    for _round in range(4):
        body = wire.gogetssl("GET", "/orders/ssl/all").json()
        issued.append(sum(entry["status"] == "active" for entry in body["orders"]))
        sandbox.advance(100 if issued[1:] else 50)
    assert issued == [0, 10, 20, 30]


@pytest.mark.parametrize("key_type", ["rsa", "ecdsa", "ecdsa-384"])
def test_an_order_brings_a_key_that_fits(sandbox: t.Any, wire: t.Any, key_type: str) -> None:
    order = sandbox.order("digicert", ["a.example.org", "192.0.2.7", "bücher.example.org"], "issued", key_type=key_type)
    path = f"/certificate/{order['certificate_id']}/download/format/pem_all"
    leaf, issuer, root = x509.load_pem_x509_certificates(wire.digicert("GET", path).content)
    leaf.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(root)
    key = load_pem_private_key(order["private_key"].encode(), None)
    assert key.public_key() == leaf.public_key()
    san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == ["a.example.org", "xn--bcher-kva.example.org"]
    assert [str(address) for address in san.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]


def test_a_given_csr_decides_key_and_names(sandbox: t.Any, wire: t.Any) -> None:
    csr = sandbox.order("cpanel", ["one.example.org", "two.example.org"], key_type="rsa")["csr"]
    order = sandbox.order("digicert", None, "issued", csr=csr)
    assert order["names"] == ["one.example.org", "two.example.org"] and "private_key" not in order
    path = f"/certificate/{order['certificate_id']}/download/format/pem_nointermediate"
    leaf = x509.load_pem_x509_certificate(wire.digicert("GET", path).content)
    assert leaf.public_key() == x509.load_pem_x509_csr(csr.encode()).public_key()


@pytest.mark.parametrize(
    ("style", "count", "anchor"), [("normal", 1, 0), ("deep", 2, 0), ("cross", 1, 1), ("both", 2, 1)]
)
def test_chain_styles(sandbox: t.Any, wire: t.Any, style: str, count: int, anchor: int) -> None:
    order = sandbox.order("digicert", scenario="issued", chain_style=style)
    path = f"/certificate/{order['certificate_id']}/download/format/pem_noroot"
    leaf, *chain = x509.load_pem_x509_certificates(wire.digicert("GET", path).content)
    leaf.verify_directly_issued_by(chain[0])
    assert len(chain) == count
    with open((sandbox.ca_file, sandbox.other_ca_file)[anchor], "rb") as stream:
        chain[-1].verify_directly_issued_by(x509.load_pem_x509_certificate(stream.read()))


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"scenario": "no such"}, "no such scenario"), ({"after": {"lunch": 3}}, "no stage lunch"),
     ({"colour": "red"}, "unknown fields: colour"), ({"csr": "rubbish"}, "CSR|PEM|load"),
     ({"order_id": "7", "count": 2}, "already"),
     ({"account": "nobody"}, "not found"), ({"certificate_faults": ["gremlin"]}, "gremlin")],
)  # fmt: skip
def test_mistakes_are_named(sandbox: t.Any, fields: dict[str, t.Any], words: str) -> None:
    with pytest.raises(SandboxError, match=words):
        sandbox.control("POST", "orders", {"provider": "digicert", "names": ["a.example.org"], **fields})


def test_accounts(sandbox: t.Any, wire: t.Any) -> None:
    third = sandbox.account("digicert", name="third", role="view_only")
    order = sandbox.order("digicert", account="third")["order_id"]
    assert wire.digicert("GET", f"/order/certificate/{order}", "third").status_code == 200
    assert wire.digicert("GET", f"/order/certificate/{order}").status_code == 404
    rotated = sandbox.patch_account("third", rotate=True)
    assert rotated["api_key"] != third["api_key"]
    old = {"X-DC-DEVKEY": third["api_key"]}
    assert wire.digicert("GET", f"/order/certificate/{order}", headers=old).status_code == 403
    with pytest.raises(SandboxError, match="already"):
        sandbox.account("digicert", name="third")


def test_reset_gives_back_the_first_accounts(sandbox: t.Any) -> None:
    before = sandbox.accounts()
    sandbox.account("sectigo")
    sandbox.patch_account("digicert", rotate=True, revoked=True)
    sandbox.fault("5xx")
    sandbox.limits("digicert", per_5s=1)
    sandbox.order("digicert")
    sandbox.reset()
    assert sandbox.accounts() == before and sandbox.faults() == []
    assert sandbox.control("GET", "orders/digicert")["orders"] == []
    assert sandbox.control("GET", "limits")["digicert"] == {"per_5s": 100, "per_180s": 1000}


def test_log_tells_everything_but_secrets(sandbox: t.Any, wire: t.Any) -> None:
    orders = {
        provider: sandbox.order(provider)["order_id"] for provider in ("cpanel", "digicert", "gogetssl", "sectigo")
    }
    for provider, order in orders.items():
        assert wire.status(provider, order).status_code == 200
        entry = sandbox.requests(provider=provider, order_id=order)[-1]
        assert (entry["account"], entry["status"]) == (provider, 200)
    log = json.dumps(sandbox.requests()) + json.dumps(sandbox.summary())
    for account in sandbox.accounts():
        for name in ("password", "api_key"):
            assert not account[name] or account[name] not in log
    assert "auth_key" in log and "loginPassword" in log  # the names of parameters are there
    assert sandbox.summary()["providers"]["gogetssl"]["calls"]["GET /api/orders/status/{id}"] == 1
    sandbox.clear_requests()
    assert sandbox.summary()["requests"] == 0 and sandbox.requests() == []


def test_rolling_limit() -> None:
    now = [0.0]
    limit = RollingLimit([(3, 5.0), (5, 100.0)], lambda: now[0])
    assert [limit.admit("key") for dummy in range(4)] == [True, True, True, False]
    assert limit.admit("other key")
    now[0] = 4.9
    assert not limit.admit("key")
    now[0] = 5.1
    assert [limit.admit("key") for dummy in range(3)] == [True, True, False]  # five in a hundred seconds
    now[0] = 99.0
    assert not limit.admit("key")
    now[0] = 100.1
    assert limit.admit("key")


def test_stages_and_names_can_be_forced(sandbox: t.Any) -> None:
    order = sandbox.order("digicert", ["a.example.org", "b.example.org"], "unpaid")["order_id"]
    sandbox.patch_order("digicert", order, go_on=[["validating", None]], domains={"b.example.org": True})
    changed = sandbox.patch_order("digicert", order, reason="because")
    assert changed["stage"] == "validating"
    assert changed["domains"] == [
        {"name": "a.example.org", "validated": False},
        {"name": "b.example.org", "validated": True},
    ]
    sandbox.patch_order("digicert", order, go_on=[["brand", 10], ["issued", 10], ["revoked", None]])
    stages = []
    for step in (0, 11, 10):
        sandbox.advance(step)
        stages.append(sandbox.get_order("digicert", order)["stage"])
    assert stages == ["brand", "issued", "revoked"]
    with pytest.raises(SandboxError, match="no such stage"):
        sandbox.patch_order("digicert", order, stage="lunch")
    with pytest.raises(SandboxError, match="no such stage"):
        sandbox.patch_order("digicert", order, go_on=[["lunch", 1]])
