# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server that renews by itself has made of an order, and which certificates are not taken."""

from __future__ import annotations

import typing as t

import pytest
from cryptography import x509

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_follow_up import order_follow_up
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, Session
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.cpanel.client import CpanelProvider
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.providers.scripted import (
    ScriptedTransport,
    answer,
)

NAME = "shop.example.org"
QUEUE = {"path": "/execute/Market/get_pending_ssl_certificates"}
HOSTS = {"path": "/execute/SSL/installed_hosts"}
BUNDLE = {"path": "/execute/SSL/get_cabundle", "method": "POST"}
ISSUER = pki.Authority("Issuer", pki.Authority("Root"))
#: From when the later certificate is valid, for the server; that in service has begun before.
LATER = 4_102_444_800


def follow(
    *exchanges: tuple[dict[str, str], t.Any], certificate: str | None = None
) -> tuple[dict[str, t.Any], list[str]]:
    """The result of the operation, and its warnings."""
    transport = ScriptedTransport(*((request, answer({"status": 1, "data": data})) for request, data in exchanges))
    account = Account("cpanel", "https://host.example.com:2083", username="shop", api_key="t0ken")
    session = Session(CpanelProvider(account, transport), t.cast(t.Any, transport), Runtime(environment={}))
    in_service = pki.pem(ISSUER.issue(NAME)) if certificate is None else certificate
    result = order_follow_up(session, {"order_id": "7", "certificate": in_service})
    transport.assert_finished()
    return result, session.warnings


def installed(authority: pki.Authority) -> tuple[str, list[dict[str, t.Any]]]:
    """A certificate, and what the server says of it."""
    pem = pki.pem(authority.issue(NAME))
    record = {"id": "1", "domains": [NAME], "not_before": LATER, "is_self_signed": 0}
    return pem, [{"servername": NAME, "certificate_text": pem, "certificate": record}]


def test_an_item_of_the_queue_is_the_order_to_wait_for() -> None:
    item = {"order_item_id": "8", "provider": "cPStore", "domains": [NAME], "created_time": LATER}
    assert follow((QUEUE, [item])) == ({"follow_up": "8", "installed": None}, [])


def test_a_certificate_that_is_installed_is_collected() -> None:
    pem, hosts = installed(ISSUER)
    result, warnings = follow((QUEUE, []), (HOSTS, hosts), (BUNDLE, {"cab": ISSUER.pem}))
    assert (result["follow_up"], result["installed"]["certificate"].strip(), warnings) == (None, pem.strip(), [])
    assert result["installed"]["not_after"]


def test_another_intermediate_of_the_same_organization_is_no_other_issuer() -> None:
    other = pki.Authority("Another issuer", pki.Authority("Root"))
    result, warnings = follow((QUEUE, []), (HOSTS, installed(other)[1]), (BUNDLE, {"cab": other.pem}))
    assert (result["installed"] is not None, warnings) == (True, [])


def test_one_of_another_issuer_is_not_taken() -> None:
    before = pki.Authority("Issuer")
    before.name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Before, Inc.")])
    in_service = pki.pem(before.issue(NAME))
    exchanges = ((QUEUE, []), (HOSTS, installed(ISSUER)[1]), (BUNDLE, {"cab": ISSUER.pem}))
    result, warnings = follow(*exchanges, certificate=in_service)
    assert result == {"follow_up": None, "installed": None}
    assert "a certificate of Test installed" in warnings[0]


def test_nothing_yet() -> None:
    assert follow((QUEUE, []), (HOSTS, [])) == ({"follow_up": None, "installed": None}, [])


def test_a_certificate_in_service_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        follow(certificate="no certificate")
