# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Sectigo dialect is as strict, and as odd, as its fact sheet says."""

from __future__ import annotations

import concurrent.futures
import time
import typing as t
import urllib.parse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

STATUS, COLLECT = "!GetDetailedOrderStatus", "download/CollectSSL"


def fields(reply: t.Any) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(reply.text, keep_blank_values=True))


def error(reply: t.Any) -> tuple[str, str]:
    body = fields(reply)
    return body["errorCode"], body["errorMessage"]


def test_get_is_refused(sandbox: t.Any, wire: t.Any) -> None:
    reply = wire.http.get(sandbox.url + "/products/" + STATUS)
    assert error(reply) == ("-17", "Request used GET rather than POST!")
    assert wire.http.get(sandbox.url + "/products/" + COLLECT).text.splitlines()[0] == "-17"


def test_plain_http_is_refused(sandbox: t.Any, wire: t.Any) -> None:
    assert error(wire.http.post(sandbox.plain_url + "/products/" + STATUS))[0] == "-1"


def test_arguments(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo")["order_id"]
    assert error(wire.sectigo(STATUS, orderNumber=order)) == ("-3", "The 'queryType' argument is missing!")
    assert error(wire.sectigo(STATUS, queryType=1)) == ("-3", "The 'orderNumber' argument is missing!")
    unknown = wire.sectigo(STATUS, orderNumber=order, queryType=1, color="red")
    assert error(unknown) == ("-2", "'color' is an unrecognised argument!")
    assert error(wire.sectigo(STATUS, orderNumber=order, queryType=7))[0] == "-4"
    assert error(wire.sectigo(STATUS, orderNumber="abc", queryType=1))[0] == "-4"
    assert error(wire.sectigo(STATUS, orderNumber="1", queryType=1))[0] == "-4"
    assert error(wire.sectigo(STATUS, orderNumber=order, queryType=1, showValidityPeriod="yes"))[0] == "-4"
    assert fields(wire.sectigo(STATUS, ordernumber=order, QUERYTYPE=1))["errorCode"] == "0"  # names without case


def test_login(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo")["order_id"]
    assert error(wire.sectigo(STATUS, loginPassword="wrong", orderNumber=order, queryType=1))[0] == "-16"
    sandbox.patch_account("sectigo", revoked=True)
    assert error(wire.sectigo(STATUS, orderNumber=order, queryType=1))[0] == "-16"


@pytest.mark.parametrize("how", ["json", "params"])
def test_only_form_bodies_count(sandbox: t.Any, wire: t.Any, how: str) -> None:
    options = sandbox.options("sectigo")
    given = {"loginName": options["username"], "loginPassword": options["password"], "orderNumber": "1", "queryType": 1}
    reply = wire.http.post(sandbox.url + "/products/" + STATUS, **{how: given})
    assert error(reply) == ("-3", "The 'loginName' argument is missing!")


def test_the_misprinted_path_does_not_exist(sandbox: t.Any, wire: t.Any) -> None:
    assert wire.http.post(sandbox.url + "/products!/GetDetailedOrderStatus").status_code == 404


def test_response_format_is_news_to_an_older_server(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo")["order_id"]
    assert error(wire.sectigo(STATUS, orderNumber=order, queryType=1, responseFormat=1))[0] == "-2"
    sandbox.patch_account("sectigo", dialect="documented")
    reply = wire.sectigo(STATUS, orderNumber=order, queryType=1, responseFormat=2)
    assert reply.json()["1_orderNumber"] == order and reply.json()["errorCode"] == 0


@pytest.mark.parametrize(("dialect", "known"), [("observed", True), ("documented", False)])
def test_the_newer_table_has_no_csr_and_dcv_rows(sandbox: t.Any, wire: t.Any, dialect: str, known: bool) -> None:
    order = sandbox.order("sectigo", dialect=dialect)["order_id"]
    body = fields(wire.sectigo(STATUS, orderNumber=order, queryType=1))
    assert ("1_1_dcvStatus" in body, "1_1_csrStatus" in body) == (known, known)
    assert body["1_1_caaStatus"] == "0"


def test_query_types_and_validity(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo")
    bare = fields(wire.sectigo(STATUS, orderNumber=order["order_id"], queryType=0))
    assert "1_1_dcvStatus" not in bare and bare["1_1_serialNumber"] == ""
    sandbox.patch_order("sectigo", order["order_id"], stage="issued")
    body = fields(wire.sectigo(STATUS, certificateID=order["certificate_id"], queryType=1, showValidityPeriod="Y"))
    assert int(body["1_1_notAfter"]) > int(body["1_1_notBefore"]) and body["1_1_certificateDuration"] == "47"
    assert int(body["1_1_serialNumber"], 16) == int(order["serial_number"], 16)
    assert "1_1_evClickThroughStatus" not in body  # left out for DV


def test_replacement_orders_need_query_type_2(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", ["www.example.org"], "reissue")
    one = fields(wire.sectigo(STATUS, orderNumber=order["order_id"], queryType=1))
    both = fields(wire.sectigo(STATUS, orderNumber=order["order_id"], queryType=2))
    assert "2_orderNumber" not in one
    assert (both["1_1_certificateStatus"], both["2_1_certificateStatus"]) == ("Replaced", "Awaiting Validation")
    assert both["2_orderNumber"] == order["replaced_by"]
    assert both["1_orderDateTime"] < both["2_orderDateTime"]
    sandbox.advance(120)
    old, new = (x509.load_pem_x509_certificates(collect(wire, number).content)[-1] for number in
                (order["order_id"], order["replaced_by"]))  # fmt: skip
    assert [f"{leaf.serial_number:X}" for leaf in (old, new)] == [
        order["previous_serial_number"],
        order["serial_number"],
    ]
    key = load_pem_private_key(order["private_key"].encode(), None)
    assert key.public_key() == new.public_key()


def collect(wire: t.Any, order_id: str, **how: t.Any) -> t.Any:
    return wire.sectigo(COLLECT, **{"orderNumber": order_id, "queryType": 1, "responseType": 3, **how})


def test_collecting_before_during_and_after(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.limits("sectigo", collect_interval=0)
    order = sandbox.order("sectigo", ["www.example.org"])["order_id"]
    expected = [("validating", "0"), ("issuing", "-26"), ("issued", "2"), ("revoked", "-21"), ("rejected", "-20")]
    for stage, code in [*expected, ("unpaid", "-22")]:
        sandbox.patch_order("sectigo", order, stage=stage)
        assert collect(wire, order).text.splitlines()[0] == code, stage


def test_newline_format(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", ["www.example.org"], "issued")
    reply = collect(wire, order["order_id"], showValidityPeriod="Y", showFQDN="Y", showExtStatus="Y")
    lines = reply.text.splitlines()
    assert lines[0] == "2" and int(lines[1]) < int(lines[2]) and lines[3] == "www.example.org"
    assert lines[-2:] == ["", "Valid"]
    certificates = x509.load_pem_x509_certificates(reply.content)
    assert certificates[0].issuer == certificates[0].subject  # root first
    assert f"{certificates[-1].serial_number:X}" == order["serial_number"]  # leaf last


def test_url_encoded_format_repeats_a_key(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", scenario="issued")["order_id"]
    pairs = urllib.parse.parse_qsl(collect(wire, order, responseFormat=1, showStatusDetails="Y").text)
    assert [key for key, _value in pairs].count("caCertificate") == 2
    assert dict(pairs)["dcvStatus"] == "1"


def test_collecting_is_limited_to_once_in_three_hours(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", scenario="issued")["order_id"]
    assert collect(wire, order).text.startswith("2")
    assert collect(wire, order).text.splitlines() == ["-42", "Call limit reached, please try again later"]
    sandbox.advance(3 * 3600 + 1)
    assert collect(wire, order).text.startswith("2")


def test_concurrent_collecting_is_refused(sandbox: t.Any, wire: t.Any) -> None:
    orders = sandbox.orders("sectigo", 2, "issued")
    sandbox.limits("sectigo", collect_seconds=5)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(collect, wire, orders[0])
        deadline = time.monotonic() + 20
        while not sandbox.requests(path="/products/" + COLLECT):
            assert time.monotonic() < deadline, "the first collection did not begin"
        assert collect(wire, orders[1]).text.splitlines()[0] == "-42"
        assert first.result().text.splitlines()[0] == "2"
    assert sandbox.summary()["accounts"]["sectigo"]["most_in_flight"] == 2


def test_report(sandbox: t.Any, wire: t.Any) -> None:
    orders = sandbox.orders("sectigo", 30, "issued")
    sandbox.order("sectigo", ["other.example.net"])
    body = fields(wire.sectigo("!WebHostReport", orderNumber=",".join(orders[:25]), showStatusesOnly="Y"))
    assert body["noOfResults"] == "25" and body["25_1_status"] == "Issued but not yet collected"
    assert "1_1_serialNumber" not in body
    page = fields(wire.sectigo("!WebHostReport", orderNumber=",".join(orders), firstResultNo=11, lastResultNo=20))
    assert page["noOfResults"] == "30" and page["1_orderNumber"] == orders[10] and "11_orderNumber" not in page
    assert fields(wire.sectigo("!WebHostReport", fqdn="%.example.net"))["noOfResults"] == "1"
    later = int(sandbox.now()) + 60
    assert fields(wire.sectigo("!WebHostReport", notBefore=later))["noOfResults"] == "0"
    assert error(wire.sectigo("!WebHostReport", orderNumber="x"))[0] == "-4"
    sandbox.patch_account("sectigo", features={"bulk": False})
    assert error(wire.sectigo("!WebHostReport"))[0] == "-91"


def test_dcv_calls(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", ["a.example.org", "b.example.org"], "stuck_dcv")["order_id"]
    sandbox.advance(30)
    body = fields(wire.sectigo("!GetMDCDomainDetails", orderNumber=order, showStatusDetails="Y"))
    assert (body["1_dcvStatus"], body["2_dcvStatus"]) == ("Validated", "Not Validated")
    update = {"orderNumber": order, "domainName": "b.example.org", "newMethod": "CNAME_CSR_HASH"}
    assert error(wire.sectigo("!AutoUpdateDCV", **update, responseFormat=1))[0] == "-2"
    assert error(wire.sectigo("!AutoUpdateDCV", orderNumber=order, newMethod="PIGEON"))[0] == "-4"
    sandbox.patch_order("sectigo", order, published=True)
    assert fields(wire.sectigo("!AutoUpdateDCV", **update))["errorCode"] == "0"
    assert fields(wire.sectigo(STATUS, orderNumber=order, queryType=1))["1_1_dcvStatus"] == "1"
    addresses = wire.sectigo("!GetDCVEmailAddressList", domainName="b.example.org").text.splitlines()
    assert addresses[0] == "0" and any(line.endswith("admin@example.org") for line in addresses)


def test_caa_retry(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", scenario="caa", after={"validating": 0})["order_id"]
    body = fields(wire.sectigo(STATUS, orderNumber=order, queryType=1))
    assert body["1_1_certificateStatus"].startswith("PRE-SIGN FAILED: CAA")
    sandbox.patch_order("sectigo", order, caa_fixed=True)
    assert fields(wire.sectigo("!RetryCAACheck", orderNumber=order))["errorCode"] == "0"
    assert error(wire.sectigo("!RetryCAACheck", orderNumber=order))[1] == "Wrong certificate state!"
    again = sandbox.order("sectigo", scenario="caa", after={"validating": 0})["order_id"]
    assert fields(wire.sectigo("!RetryCAACheck", orderNumber=again))["errorCode"] == "0"
    assert error(wire.sectigo("!RetryCAACheck", orderNumber=again))[0] == "-42"


def test_replacing(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("sectigo", ["www.example.org"], "issued")
    body = fields(wire.sectigo("!AutoReplaceSSL", orderNumber=order["order_id"], csr=order["csr"], responseFormat=1))
    assert body["errorCode"] == "0" and body["orderNumber"] != order["order_id"]
    assert body["certificateID"] and body["uniqueValue"]
    status = fields(wire.sectigo(STATUS, orderNumber=body["orderNumber"], queryType=1))["1_1_certificateStatus"]
    assert status == "Awaiting Validation"
