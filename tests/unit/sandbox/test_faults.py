# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault is seen on the wire as what it is called, and only where and as often as it was asked for."""

from __future__ import annotations

import email.utils
import http.client
import json
import ssl
import time
import typing as t
import urllib.parse
import zlib

import pytest
import requests
from cryptography import x509

PROVIDERS = ("cpanel", "digicert", "gogetssl", "sectigo")


def raw(sandbox: t.Any, path: str) -> http.client.HTTPResponse:
    """A reply that no client library has tidied up."""
    host = urllib.parse.urlsplit(sandbox.url)
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    connection = http.client.HTTPSConnection(host.hostname or "", host.port, context=context, timeout=10)
    connection.request("GET", path, headers={"X-DC-DEVKEY": sandbox.options("digicert")["api_key"]})
    return connection.getresponse()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    ("kind", "options", "status"),
    [("5xx", {}, 503), ("5xx", {"status": 500}, 500), ("429", {}, 429), ("406", {}, 406), ("html", {}, 200),
     ("html", {"status": 502}, 502), ("login_page", {}, 200), ("not_json", {}, 200), ("empty", {}, 200)],
)  # fmt: skip
def test_wrong_answers(sandbox: t.Any, wire: t.Any, provider: str, kind: str, options: t.Any, status: int) -> None:
    order = sandbox.order(provider)["order_id"]
    path = None if provider != "gogetssl" else "/orders/status/"
    sandbox.fault(kind, provider=provider, path=path, times=1, **options)
    reply = wire.status(provider, order)
    assert reply.status_code == status
    assert ("<html" in reply.text) is (kind in ("html", "login_page"))
    assert (reply.content == b"") is (kind in ("406", "empty"))
    assert wire.status(provider, order).status_code == 200  # once only
    assert [entry["fault"] for entry in sandbox.requests(fault=kind)] == [kind]


def test_faults_choose_their_requests(sandbox: t.Any, wire: t.Any) -> None:
    first, second = sandbox.orders("digicert", 2)
    sandbox.fault("5xx", provider="digicert", path="/validation$", order_id=second, after=1, times=2)
    path = "/order/certificate/{}/validation"
    assert wire.digicert("GET", path.format(first)).status_code == 200
    seen = [wire.digicert("GET", path.format(second)).status_code for dummy in range(4)]
    assert seen == [200, 503, 503, 200]
    assert wire.digicert("GET", f"/order/certificate/{second}").status_code == 200
    assert sandbox.faults()[0]["seen"] == 2
    sandbox.clear_faults()
    assert sandbox.faults() == []


def test_fault_for_one_account(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.fault("5xx", account="digicert_eu")
    assert wire.digicert("GET", "/order/certificate").status_code == 200
    assert wire.digicert("GET", "/order/certificate", "digicert_eu").status_code == 503


def test_slow_and_hang(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.fault("slow", seconds=0.3, times=1)
    before = time.monotonic()
    assert wire.digicert("GET", "/order/certificate").status_code == 200
    assert time.monotonic() - before >= 0.3
    sandbox.fault("hang", times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        wire.http.get(wire.url("digicert", "/order/certificate"), timeout=(10, 0.5))
    assert wire.digicert("GET", "/order/certificate").status_code == 200


@pytest.mark.parametrize("kind", ["reset", "truncated"])
def test_cut_connections(sandbox: t.Any, wire: t.Any, kind: str) -> None:
    sandbox.order("digicert")
    sandbox.fault(kind, times=1)
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        wire.digicert("GET", "/order/certificate")
    assert wire.digicert("GET", "/order/certificate").status_code == 200


def test_cut_body_is_a_whole_reply_of_half_a_document(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.order("digicert")
    sandbox.fault("cut_body", at=10)
    reply = wire.digicert("GET", "/order/certificate")
    assert len(reply.content) == 10
    with pytest.raises(ValueError):
        reply.json()


@pytest.mark.parametrize("what", ["headers", "body"])
def test_drip(sandbox: t.Any, wire: t.Any, what: str) -> None:
    whole = wire.digicert("GET", "/order/certificate").content
    sandbox.fault("drip", what=what, seconds=0.02, bytes=20, times=1)
    assert wire.digicert("GET", "/order/certificate").content == whole


def test_endless_body(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.fault("endless", times=1)
    got = 0
    reply = wire.digicert("GET", "/order/certificate", stream=True)
    for chunk in reply.iter_content(1 << 16):
        got += len(chunk)
        if got > 5_000_000:
            break
    reply.close()
    assert got > 5_000_000
    assert wire.digicert("GET", "/order/certificate").status_code == 200


def test_bomb_is_small_and_unpacks_large(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.fault("bomb", megabytes=20, times=1)
    reply = wire.digicert("GET", "/order/certificate", stream=True)
    packed = reply.raw.read(decode_content=False)
    assert reply.headers["Content-Encoding"] == "gzip" and len(packed) < 100_000
    assert len(zlib.decompress(packed, 31)) == 20 * 1024 * 1024


def test_retry_after(sandbox: t.Any, wire: t.Any) -> None:
    def header(**options: t.Any) -> str | None:
        sandbox.fault("429", times=1, **options)
        return wire.digicert("GET", "/order/certificate").headers.get("Retry-After")

    assert header() is None
    assert header(retry_after=7) == "7"
    moment = email.utils.parsedate_to_datetime(header(retry_after={"date": 60}) or "").timestamp()
    assert 50 <= moment - time.time() <= 61
    assert header(retry_after="huge") == "99999999999"
    assert header(retry_after="negative") == "-5"
    assert header(retry_after="soon") == "soon"


@pytest.mark.parametrize(
    ("to", "scheme", "host"),
    [("same_host", "https", "127.0.0.1"), ("other_host", "https", "localhost"), ("other_scheme", "http", "127.0.0.1"),
     ("loop", "https", "127.0.0.1"), ("login", "https", "127.0.0.1"), ("https://a.invalid/", "https", "a.invalid")],
)  # fmt: skip
def test_redirects(sandbox: t.Any, wire: t.Any, to: str, scheme: str, host: str) -> None:
    sandbox.fault("redirect", to=to, status=307, times=1)
    reply = wire.digicert("GET", "/order/certificate", allow_redirects=False)
    target = urllib.parse.urlsplit(reply.headers["Location"])
    assert (reply.status_code, target.scheme, target.hostname) == (307, scheme, host)


@pytest.mark.parametrize(
    ("to", "field", "value"), [("other_host", "host", "localhost"), ("other_scheme", "scheme", "http")]
)
def test_a_followed_redirect_is_seen_in_the_log(sandbox: t.Any, wire: t.Any, to: str, field: str, value: str) -> None:
    sandbox.fault("redirect", to=to, times=1)
    wire.digicert("GET", "/order/certificate")  # requests follows, and sends the key along
    assert sandbox.requests()[-1][field].split(":")[0] == value


def test_wrong_types(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("digicert")["order_id"]
    sandbox.fault("wrong_types")
    body = wire.status("digicert", order).json()
    assert isinstance(body["order_id"], int) and isinstance(body["dns_name_validations"], str)
    order = sandbox.order("sectigo")["order_id"]
    assert dict(urllib.parse.parse_qsl(wire.status("sectigo", order).text))["errorCode"] == "[]"


def test_wrong_encoding(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.fault("wrong_encoding", times=1)
    with pytest.raises(UnicodeDecodeError):
        wire.digicert("GET", "/order/certificate").content.decode("utf-8")


def test_duplicate_headers(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.fault("duplicate_headers", header="Content-Length", times=1)
    reply = raw(sandbox, "/services/v2/order/certificate")
    lengths = reply.headers.get_all("Content-Length") or []
    assert len(lengths) == 2 and len(set(lengths)) == 2
    assert len(reply.headers.get_all("Content-Type") or []) == 2


def test_wrong_date(sandbox: t.Any, wire: t.Any) -> None:
    sandbox.fault("wrong_date", times=1)
    assert raw(sandbox, "/services/v2/order/certificate").headers.get_all("Date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]


def test_account_faults(sandbox: t.Any, wire: t.Any) -> None:
    order = sandbox.order("gogetssl")["order_id"]
    key = wire.gogetssl_key()
    sandbox.fault("expired_key", provider="gogetssl", path="/orders/", after=1, times=1)
    seen = [wire.gogetssl("GET", f"/orders/status/{order}", key).status_code for dummy in range(2)]
    assert seen == [200, 403]
    assert wire.gogetssl("GET", f"/orders/status/{order}").status_code == 200  # a new login helps
    sandbox.fault("revoked_credentials", provider="digicert", times=1)
    assert [wire.digicert("GET", "/order/certificate").status_code for dummy in range(2)] == [403, 403]
    assert sandbox.patch_account("digicert", revoked=False)["revoked"] is False
    assert wire.digicert("GET", "/order/certificate").status_code == 200


def delivered(wire: t.Any, provider: str, order: t.Any) -> tuple[str, list[str]]:
    """Leaf and chain texts as a provider hands them out."""
    if provider == "sectigo":
        reply = wire.sectigo(
            "download/CollectSSL", orderNumber=order["order_id"], queryType=1, responseType=3, responseFormat=1
        )
        pairs = urllib.parse.parse_qsl(reply.text, keep_blank_values=True)
        return dict(pairs)["certificate"], [value for key, value in pairs if key == "caCertificate"]
    if provider == "gogetssl":
        body = wire.gogetssl("GET", f"/orders/status/{order['order_id']}").json()
        return body["crt_code"], [body["ca_code"]]
    if provider == "digicert":
        path = f"/certificate/{order['certificate_id']}/download/format/"
        leaf = wire.digicert("GET", path + "pem_nointermediate").text
        return leaf, [wire.digicert("GET", path + "pem_noroot").text]
    leaf = wire.status("cpanel", order["order_id"]).json()["data"]["certificate_pem"]
    reply = wire.cpanel("get_cabundle", "SSL", "POST", cert=leaf).json()
    return leaf, [(reply["data"] or {}).get("cab", "")]


def certificates(texts: list[str]) -> list[x509.Certificate]:
    joined = "".join(texts)
    return x509.load_pem_x509_certificates(joined.encode()) if "BEGIN" in joined else []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("how", ["fault", "order"])
def test_wrong_certificates(sandbox: t.Any, wire: t.Any, provider: str, how: str) -> None:
    sandbox.limits("sectigo", collect_interval=0)
    order = sandbox.order(provider, ["a.example.org", "b.example.org"], "issued")
    right_leaf, right_chain = delivered(wire, provider, order)
    right = certificates([right_leaf])[0]

    def with_fault(kind: str) -> tuple[str, list[str]]:
        if how == "order":
            sandbox.patch_order(provider, order["order_id"], certificate_faults=[kind])
        else:
            sandbox.clear_faults()
            sandbox.fault(kind, provider=provider, order_id=order["order_id"])
        return delivered(wire, provider, order)

    def names(leaf: str) -> list[str]:
        san = certificates([leaf])[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return san.get_values_for_type(x509.DNSName)

    assert names(right_leaf) == ["a.example.org", "b.example.org"]
    assert names(with_fault("dropped_san")[0]) == ["a.example.org"]
    assert names(with_fault("other_name")[0]) == ["other.invalid"]
    assert certificates([with_fault("other_key")[0]])[0].public_key() != right.public_key()
    previous = certificates([with_fault("previous_certificate")[0]])[0]
    assert previous.serial_number != right.serial_number and previous.public_key() == right.public_key()
    assert "BEGIN" not in with_fault("missing_pem_header")[0]
    assert "\r\n" in with_fault("crlf")[0]
    assert "not part of the certificate" in with_fault("trailing_data")[0]
    if provider != "cpanel":  # its chain is asked for by the leaf, in a call of its own
        assert certificates([with_fault("expired_certificate")[0]])[0].not_valid_after_utc < right.not_valid_after_utc
    plain = len(certificates(right_chain))
    assert len(certificates(with_fault("repeated_chain")[1])) > plain
    foreign = certificates(with_fault("foreign_intermediate")[1])
    assert any("Foreign" in item.subject.rfc4514_string() for item in foreign)
    assert len(certificates(with_fault("empty_chain")[1])) < plain
    with_root = certificates(with_fault("chain_with_root")[1])
    assert any(item.issuer == item.subject for item in with_root)
    turned = certificates(with_fault("reversed_chain")[1])
    assert len(turned) >= 2
    issuers = [item.subject for item in turned]
    order_is_right = all(issuers[place + 1] == item.issuer for place, item in enumerate(turned[:-1]))
    # Sectigo's usual order is root first, so that its reversal is leaf side first.
    assert order_is_right is (provider == "sectigo")


def test_unknown_kinds_are_refused(sandbox: t.Any) -> None:
    reply = requests.Session()
    reply.trust_env = False
    answer = reply.post(
        sandbox.control_url + "/faults", data=json.dumps({"kind": "gremlin"}), verify=sandbox.ca_file, timeout=5
    )
    assert answer.status_code == 400 and "no such fault: gremlin" in answer.json()["error"]
