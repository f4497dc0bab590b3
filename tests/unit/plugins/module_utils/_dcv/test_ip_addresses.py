# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are IP addresses: nothing of DNS is asked for them, and URLs have IPv6 addresses in brackets."""

from __future__ import annotations

import typing as t

import pytest
from sandbox.internet.scenes import ADDRESS, FOLDER, IPV6_ADDRESS, TOKEN
from sandbox.internet.web import Page

from ansible_collections.certops.issuance.plugins.module_utils._common.csr_hash import CsrHashes, file_evidence
from ansible_collections.certops.issuance.plugins.module_utils._dcv.evidence import read_file, read_name
from ansible_collections.certops.issuance.plugins.module_utils._dcv.reported import read_reported

from .conftest import Lab, codes

PATH = f"{FOLDER}fileauth.txt"
#: A name, its host in URLs, and what the sandbox's web server makes of the header Host.
HOSTS = [(ADDRESS, ADDRESS, ADDRESS), (IPV6_ADDRESS, f"[{IPV6_ADDRESS}]", "[2001")]


def entry(name: str, host: str) -> dict[str, t.Any]:
    orders = [{"provider": "digicert", "order_id": "1"}]
    return {"url": f"http://{host}{PATH}", "content": TOKEN, "names": [name], "orders": orders}


@pytest.mark.parametrize(("name", "host", "header"), HOSTS)
def test_file_of_an_address_is_fetched_without_a_dns_question(lab: Lab, name: str, host: str, header: str) -> None:
    scene = lab.scene("digicert", "file")
    lab.web.put([name], f"http://{header}{PATH}", Page(TOKEN.encode()))
    diagnosis = lab.look(scene, files=[entry(name, host)])
    assert codes(diagnosis) == []
    assert diagnosis.visible_by_name == {name: True}
    assert lab.questions == []


@pytest.mark.parametrize(("name", "host", "header"), HOSTS)
def test_redirect_of_an_address_to_itself_is_followed(lab: Lab, name: str, host: str, header: str) -> None:
    scene = lab.scene("digicert", "file")
    lab.web.put([name], f"http://{header}{PATH}", Page(b"", 302, {"Location": f"http://{host}/x"}))
    lab.web.put([name], f"http://{header}/x", Page(TOKEN.encode()))
    diagnosis = lab.look(scene, files=[entry(name, host)])
    assert codes(diagnosis) == []
    assert diagnosis.visible
    assert lab.questions == []


@pytest.mark.parametrize("location", ["http://www.example.org/x", "http://203.0.113.6/x", "http://[::1]/x"])
def test_redirect_of_an_address_elsewhere_is_forbidden(lab: Lab, location: str) -> None:
    scene = lab.scene("digicert", "file")
    lab.web.put([ADDRESS], f"http://{ADDRESS}{PATH}", Page(b"", 302, {"Location": location}))
    diagnosis = lab.look(scene, files=[entry(ADDRESS, ADDRESS)])
    assert codes(diagnosis) == ["redirect_forbidden"]
    assert lab.questions == []


def test_private_address_is_not_fetched(lab: Lab) -> None:
    scene = lab.scene("digicert", "file")
    assert codes(lab.look(scene, files=[entry("10.0.0.9", "10.0.0.9")])) == ["address_private"]
    assert lab.web.requests == []


@pytest.mark.parametrize("name", [ADDRESS, IPV6_ADDRESS])
def test_address_before_an_order_needs_a_web_server_alone(lab: Lab, name: str) -> None:
    scene = lab.scene("digicert", "file")
    lab.web.put([name], "http://any/", Page(b"welcome"))
    diagnosis = lab.look(scene, files=[], names=[name], provider="digicert")
    assert codes(diagnosis) == []
    assert diagnosis.visible_by_name == {name: True}
    assert lab.questions == []


def test_addresses_are_compared_in_their_short_form() -> None:
    long = "2001:DB8:0:0::5"
    expected = read_file(entry(long, f"[{long}]"), None)
    assert (expected.host, expected.names, expected.problem) == (IPV6_ADDRESS, (IPV6_ADDRESS,), None)
    assert expected.url == f"http://[{IPV6_ADDRESS}]{PATH}"
    assert read_name(long) == read_reported({"name": long}).name == IPV6_ADDRESS


def test_url_that_is_computed_can_be_read_back() -> None:
    file = file_evidence("http", IPV6_ADDRESS, CsrHashes("a" * 32, "b" * 64), "", "sectigo.com")
    expected = read_file({"url": file.url, "content": file.content, "names": [IPV6_ADDRESS]}, "sectigo")
    assert (expected.host, expected.problem) == (IPV6_ADDRESS, None)


@pytest.mark.parametrize("name", ["2001:db8::5", "intranet", "bücher.example", "*.example.org"])
def test_name_that_is_only_passed_on_is_not_refused(lab: Lab, name: str) -> None:
    scene = lab.scene()
    diagnosis = lab.look(scene, reported=(read_reported({"name": name, "problem": "token_unknown"}),))
    assert diagnosis.visible_by_name[name] is False
    assert [(item.code, item.name) for item in diagnosis.findings] == [("token_unknown", name)]
