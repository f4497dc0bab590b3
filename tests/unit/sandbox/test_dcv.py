# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders whose names are validated when the CA sees their evidence in the small Internet."""

from __future__ import annotations

import typing as t

import dns.rcode
import pytest
from sandbox.client import Sandbox, SandboxError
from sandbox.dcv import DIGICERT_SCHEDULE, SECTIGO_SCHEDULE, csr_evidence
from sandbox.internet import update

NAMES = ["www.example.org", "shop.example.org"]
#: The published vector: its CSR with what is computed from it.
VECTOR_CSR = """-----BEGIN CERTIFICATE REQUEST-----
MIHVMH0CAQAwGzEZMBcGA1UEAwwQc2hvcC5leGFtcGxlLm9yZzBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABIMalvclz9VoyE8LfbZUxrf2MVfez2dLb7kUgliYL1OK
5CXgbtOQgx3XKQZkJyW3bZHK9dkdEIMNffQ1BJwCMzegADAKBggqhkjOPQQDAgNI
ADBFAiEAxgx4RauOZoVKzfvJRYO+c7VFG6VLGL1WbWike1Xg/qQCIBTJxkIgCzcs
6A/BFCeRzW1ZVfc6K2MtCYTDmF+z6zml
-----END CERTIFICATE REQUEST-----
"""
VECTOR = (
    "_3fa076dc547e7c065db9c858516c8b7b.shop.example.org",
    "0adb68ad6222e0ec5144808d9dd9a263.95b82d26955baa204f1b3d9ff39cc461.t0827792001533920169.sectigo.com",
)
#: Seconds until the CA of each provider looks for the second time by itself.
NEXT_LOOK = {"digicert": 60, "gogetssl": 600, "sectigo": 600, "cpanel": 600}
MINUTES = 60


def place(sandbox: Sandbox, provider: str, **fields: t.Any) -> str:
    """An order that is validated by looking; its CA has looked for the first time."""
    method = {"dcv_method": "dns-txt" if provider == "digicert" else "dns-cname", **fields}
    order_id = str(sandbox.order(provider, NAMES, dcv="look", **method)["order_id"])
    assert states(sandbox, provider, order_id) == [False, False]
    return order_id


def domains(sandbox: Sandbox, provider: str, order_id: str) -> list[dict[str, t.Any]]:
    return list(sandbox.get_order(provider, order_id)["domains"])


def states(sandbox: Sandbox, provider: str, order_id: str) -> list[bool]:
    return [one["validated"] for one in domains(sandbox, provider, order_id)]


def publish(sandbox: Sandbox, provider: str, order_id: str, *names: str) -> None:
    """Publish what the sandbox itself looks for, for these names or for all."""
    for one in domains(sandbox, provider, order_id):
        evidence = one["evidence"][0]
        if names and one["name"] not in names:
            continue
        if evidence["kind"] == "file":
            sandbox.page(evidence["where"], evidence["value"])
        else:
            sandbox.record(evidence["where"], evidence["kind"], evidence["value"])


def look(wire: t.Any, provider: str, order_id: str, name: str) -> str:
    """The provider's call that makes it look now; what it answered."""
    if provider == "digicert":
        return wire.digicert("PUT", f"/order/certificate/{order_id}/check-dcv").text
    if provider == "gogetssl":
        return wire.gogetssl("POST", f"/orders/ssl/revalidate/{order_id}/", data={"domain": name}).text
    fields = {"orderNumber": order_id, "domainName": name, "newMethod": "CNAME_CSR_HASH"}
    return wire.sectigo("!AutoUpdateDCV", **fields).text


def test_schedules_are_those_of_the_sheets() -> None:
    assert list(DIGICERT_SCHEDULE[:2]) == [60, 120]
    assert DIGICERT_SCHEDULE[-1] == 10 * 86400
    assert [seconds / MINUTES for seconds in SECTIGO_SCHEDULE[:5]] == [0, 10, 30, 70, 150]


def test_evidence_from_a_csr_is_that_of_the_published_vector() -> None:
    unique = "t0827792001533920169"
    assert csr_evidence("dns-cname", "shop.example.org", VECTOR_CSR, unique, "sectigo.com") == ("CNAME", *VECTOR)
    file = csr_evidence("http", "shop.example.org", VECTOR_CSR, unique, "sectigo.com")
    assert file is not None
    assert file.where.endswith("/3FA076DC547E7C065DB9C858516C8B7B.txt")
    assert file.value.split("\n") == ["".join(VECTOR[1].split(".")[:2]), "sectigo.com", unique]
    without = csr_evidence("dns-cname", "*.shop.example.org", VECTOR_CSR, "", "sectigo.com")
    assert without == ("CNAME", VECTOR[0], VECTOR[1].replace(f"{unique}.", ""))


@pytest.mark.parametrize("provider", sorted(NEXT_LOOK))
def test_names_wait_for_their_evidence_and_the_next_look(looking: Sandbox, provider: str) -> None:
    order_id = place(looking, provider)
    looking.advance(30 * MINUTES)
    assert states(looking, provider, order_id) == [False, False]
    assert domains(looking, provider, order_id)[0]["objections"] != []
    publish(looking, provider, order_id)
    assert states(looking, provider, order_id) == [False, False]
    looking.advance(90 * MINUTES)
    assert states(looking, provider, order_id) == [True, True]
    assert looking.get_order(provider, order_id)["stage"] == "issued"


@pytest.mark.parametrize("provider", sorted(NEXT_LOOK))
def test_ca_looks_by_itself_at_its_time(looking: Sandbox, provider: str) -> None:
    order_id = place(looking, provider)
    publish(looking, provider, order_id)
    looking.advance(NEXT_LOOK[provider] - 1)
    assert states(looking, provider, order_id) == [False, False]
    looking.advance(1)
    assert looking.get_order(provider, order_id)["stage"] == "issuing"
    looking.advance(30)
    assert looking.get_order(provider, order_id)["stage"] == "issued"


def test_look_that_was_due_before_the_publication_saw_nothing(looking: Sandbox) -> None:
    order_id = place(looking, "sectigo")
    evidence = domains(looking, "sectigo", order_id)[0]["evidence"][0]
    looking.advance(11 * MINUTES)
    described = looking.internet()
    key = "{name}={secret}".format(**described["update_key"])
    server, zone = described["update_server"], "example.org"
    answer = update.update(server, zone, key, "present", evidence["kind"], evidence["where"], evidence["value"])
    assert answer == dns.rcode.to_text(dns.rcode.NOERROR)
    assert looking.records(evidence["where"], "CNAME") == [evidence["value"]]
    assert states(looking, "sectigo", order_id) == [False, False]
    looking.advance(19 * MINUTES)
    assert states(looking, "sectigo", order_id) == [True, False]


@pytest.mark.parametrize("provider", ["digicert", "gogetssl", "sectigo"])
def test_provider_looks_at_once_when_it_is_asked(asking: t.Any, looking: Sandbox, provider: str) -> None:
    order_id = place(looking, provider)
    look(asking, provider, order_id, NAMES[0])
    assert states(looking, provider, order_id) == [False, False]
    publish(looking, provider, order_id)
    looking.advance(10 * MINUTES - 1)
    if provider != "digicert":  # whose schedule has looked by now
        assert "short time" in (refused := look(asking, provider, order_id, NAMES[0])) or "-42" in refused
    looking.advance(1)
    look(asking, provider, order_id, NAMES[0])
    assert states(looking, provider, order_id)[0] is True


def test_check_of_digicert_is_pending_for_records_and_refused_for_files(asking: t.Any, looking: Sandbox) -> None:
    order_id = place(looking, "digicert")
    path = f"/order/certificate/{order_id}/check-dcv"
    answer = asking.digicert("PUT", path)
    assert (answer.status_code, answer.json()["dcv_status"]) == (200, "pending")
    assert {one["status"] for one in answer.json()["dns_name_validations"]} == {"pending"}
    asking.digicert("PUT", f"/order/certificate/{order_id}/dcv-method", json={"dcv_method": "http-token"})
    answer = asking.digicert("PUT", path)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "file_random_value_not_found")
    publish(looking, "digicert", order_id)
    assert asking.digicert("PUT", path).json()["dcv_status"] == "valid"


def test_gogetssl_revalidates_one_name_of_an_order_in_a_minute(asking: t.Any, looking: Sandbox) -> None:
    order_id = place(looking, "gogetssl")
    publish(looking, "gogetssl", order_id)
    assert '"success": true' in look(asking, "gogetssl", order_id, NAMES[0])
    assert "short time" in look(asking, "gogetssl", order_id, NAMES[1])
    looking.advance(60)
    look(asking, "gogetssl", order_id, NAMES[1])
    assert states(looking, "gogetssl", order_id) == [True, True]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_sectigo_looks_by_the_scheme_that_was_chosen(asking: t.Any, looking: Sandbox, scheme: str) -> None:
    order_id = place(looking, "sectigo")
    fields = {"orderNumber": order_id, "domainName": NAMES[0], "newMethod": f"{scheme.upper()}_CSR_HASH"}
    assert asking.sectigo("!AutoUpdateDCV", **fields).text == "errorCode=0"
    evidence = domains(looking, "sectigo", order_id)[0]["evidence"][0]
    assert evidence["where"].startswith(f"{scheme}://")
    other = "https" if scheme == "http" else "http"
    looking.page(other + evidence["where"][len(scheme) :], evidence["value"])
    looking.advance(600)
    assert states(looking, "sectigo", order_id) == [False, False]
    looking.page(evidence["where"], evidence["value"])
    looking.advance(1200)
    assert states(looking, "sectigo", order_id) == [True, False]


def test_file_of_a_webroot_is_seen(looking: Sandbox, tmp_path: t.Any) -> None:
    order_id = place(looking, "cpanel", dcv_method="http")
    evidence = domains(looking, "cpanel", order_id)[0]["evidence"][0]
    looking.webroot(NAMES[0], tmp_path)
    file = tmp_path / evidence["where"].split("/", 3)[3]
    file.parent.mkdir(parents=True)
    file.write_text(evidence["value"] + "\n", encoding="ascii")
    looking.advance(600)
    assert states(looking, "cpanel", order_id) == [True, False]


@pytest.mark.parametrize("provider", ["digicert", "gogetssl", "sectigo"])
def test_reissue_needs_new_evidence(asking: t.Any, looking: Sandbox, provider: str) -> None:
    order_id = place(looking, provider)
    publish(looking, provider, order_id)
    looking.advance(3600)
    first = looking.get_order(provider, order_id)
    assert first["stage"] == "issued"
    if provider == "sectigo":
        form = {"orderNumber": order_id, "csr": VECTOR_CSR, "domainNames": ",".join(NAMES)}
        asking.sectigo("!AutoReplaceSSL", isCustomerValidated="Y", **form)
        order_id = looking.get_order(provider, order_id)["replaced_by"]
    else:
        looking.patch_order(provider, order_id, reissue=True)
    looking.advance(86400)
    assert states(looking, provider, order_id) == [False, False]
    assert domains(looking, provider, order_id)[0]["evidence"] != first["domains"][0]["evidence"]
    publish(looking, provider, order_id)
    looking.advance(86400)
    assert looking.get_order(provider, order_id)["stage"] == "issued"


def test_caa_of_another_ca_keeps_a_name_open(looking: Sandbox) -> None:
    order_id = place(looking, "digicert")
    publish(looking, "digicert", order_id)
    looking.record("example.org", "CAA", '0 issue "another.example"')
    looking.advance(600)
    assert [one["objections"] for one in domains(looking, "digicert", order_id)] == [["CAA forbids it"]] * 2
    looking.record("example.org", "CAA")
    looking.advance(600)
    assert states(looking, "digicert", order_id) == [True, True]


def test_polling_of_digicert_ends_after_ten_days(asking: t.Any, looking: Sandbox) -> None:
    order_id = place(looking, "digicert")
    looking.advance(10 * 86400 + 1)
    publish(looking, "digicert", order_id)
    looking.advance(5 * 86400)
    assert states(looking, "digicert", order_id) == [False, False]
    asking.digicert("PUT", f"/order/certificate/{order_id}/check-dcv")
    assert states(looking, "digicert", order_id) == [True, True]


def test_sandbox_without_an_internet_says_so(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="--internet"):
        sandbox.order("digicert", NAMES, dcv="look")
    with pytest.raises(SandboxError, match="--internet"):
        sandbox.zone("example.org")


def test_reset_forgets_the_zones(looking: Sandbox) -> None:
    before = looking.internet()
    looking.reset()
    with pytest.raises(SandboxError, match="no zone"):
        looking.record("www.example.org", "A", "203.0.113.9")
    assert looking.internet() == before
    assert looking.control("GET", "")["internet"] == before
