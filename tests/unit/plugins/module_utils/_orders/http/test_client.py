# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The transport, over real sockets and real TLS, against servers that answer however a test wants them to.

Retries are paused for by a clock that jumps, so they cost no time; only what must hang really hangs, for fractions of
a second.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
import gzip
import json
import os
import pathlib
import re
import resource
import socket
import ssl
import threading
import time
import typing as t
import zlib

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.client import RETRY_TIMEOUT, HttpClient
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.exceptions import parse_retry_after
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Request, Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.rate_limit import (
    PollSchedule,
    RateLimiter,
    RateLimits,
    RequestBudget,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import Redactor
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.http.raw_server import (
    Received,
    Server,
    drip,
    hang,
    reply,
    reset,
    tunnel,
)

#: A key with everything in it that looks different inside a URL.
KEY = "s3cr3t/+&=%key"
IN_URL = "s3cr3t%2F%2B%26%3D%25key"
#: How long what hangs is waited for, in seconds.
SHORT = 0.4


class Time:
    """The real clock, and sleeping that takes no time but is counted as if it did."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def clock(self) -> float:
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Bench:
    """Opens transports and closes them after the test."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.time = Time()
        self.redactor = Redactor()
        self.opened = contextlib.ExitStack()

    def transport(
        self,
        url: str,
        environment: t.Mapping[str, str] | None = None,
        rate_limits: RateLimits | None = None,
        personal: t.Pattern[str] | None = None,
        **account: t.Any,
    ) -> HttpClient:
        account.setdefault("api_key", KEY)
        rate_limits = rate_limits or RateLimits(PollSchedule((), 60.0))
        rate_limiter = RateLimiter("account", rate_limits, self.time.clock, self.time.sleep, str(self.directory))
        transport = HttpClient(
            Account(provider="fake", api_url=url, **account),
            rate_limiter,
            self.time.clock,
            self.time.sleep,
            environment or {},
            self.redactor,
            personal,
        )
        self.opened.callback(transport.close)
        return transport


@pytest.fixture
def bench(tmp_path: pathlib.Path) -> t.Iterator[Bench]:
    made = Bench(tmp_path)
    with made.opened:
        yield made


class Tls(t.NamedTuple):
    """A CA file, and contexts for servers whose certificates it has issued."""

    ca_file: str
    good: ssl.SSLContext
    expired: ssl.SSLContext
    other_name: ssl.SSLContext


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    directory = tmp_path_factory.mktemp("tls")
    authority = pki.Authority("Wire")
    (directory / "ca.pem").write_text(authority.pem, encoding="ascii")

    def context(name: str, **dates: t.Any) -> ssl.SSLContext:
        key = pki.make_key()
        path = directory / (name + ".pem")
        path.write_text(pki.pem(authority.issue(name, key=key, **dates)) + pki.key_pem(key), encoding="ascii")
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(str(path))
        return made

    return Tls(
        str(directory / "ca.pem"),
        context("localhost"),
        context("localhost", not_before=pki.NOW - 30 * pki.DAY, not_after=pki.NOW - pki.DAY),
        context("elsewhere.example"),
    )


def ask(transport: HttpClient, **fields: t.Any) -> t.Any:
    """Ask a question that carries the key in its URL, as one of the providers wants it."""
    fields.setdefault("call", "status")
    fields.setdefault("method", "GET")
    fields.setdefault("path", "/orders")
    fields.setdefault("query", {"auth_key": KEY})
    return transport.send(Request(order_id="7", **fields), lambda response: response.json())


Wanted = t.TypeVar("Wanted", bound=OrderError)


def failure(transport: HttpClient, kind: type[Wanted] = OrderError, **fields: t.Any) -> Wanted:  # type: ignore
    """The error of a request that fails; without the key, wherever it may have come up."""
    with pytest.raises(kind) as caught:
        ask(transport, **fields)
    error = caught.value
    assert error.__class__ is kind or kind is OrderError
    shown = f"{error} {error!r} {json.dumps(error.to_result())}"
    for secret in (KEY, IN_URL, "auth_key"):
        assert secret not in shown
    assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)
    assert (error.provider, error.order_id) == ("fake", "7")
    return error


def open_descriptors() -> int:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    return len(os.listdir("/proc/self/fd"))


# -- a good answer ------------------------------------------------------------


def test_a_question_and_its_answer(bench: Bench) -> None:
    with Server([reply('{"status": "pending"}')]) as server:
        transport = bench.transport(server.url + "/api")
        answer = ask(transport, method="POST", form={"cids": "1,2"}, headers={"X-Key": "abc"})
    assert answer == {"status": "pending"}
    assert transport.requests_sent == 1
    (got,) = server.received
    assert (got.method, got.target, got.body) == ("POST", "/api/orders?auth_key=" + IN_URL, b"cids=1%2C2")
    assert got.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (got.headers["x-key"], got.headers["user-agent"].split("/")[0]) == ("abc", "certops.issuance")
    assert bench.time.slept == []


def test_content_is_a_json_body(bench: Bench) -> None:
    with Server([reply("{}")]) as server:
        headers = {"Content-Type": "application/json"}
        ask(bench.transport(server.url), method="PUT", content={"name": "ä"}, headers=headers)
    (got,) = server.received
    assert (got.method, got.body) == ("PUT", b'{"name": "\\u00e4"}')
    assert got.headers["content-type"] == "application/json"


def test_header_names_of_an_answer_are_in_lower_case(bench: Bench) -> None:
    with Server([reply("{}", 200, "X-Odd-NAME: 5")]) as server:
        response = bench.transport(server.url).send(Request("status", "GET", "/"), lambda response: response)
    assert response.headers["x-odd-name"] == "5"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer_is_read(bench: Bench, encoding: str) -> None:
    body = b'{"status": "issued"}'
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    with Server([reply(packed, 200, "Content-Encoding: " + encoding)]) as server:
        assert ask(bench.transport(server.url)) == {"status": "issued"}


def test_a_connection_is_used_again_and_no_descriptor_is_lost(bench: Bench, tls: Tls) -> None:
    with Server([reply()], tls.good) as server:
        transport = bench.transport(server.url, ca_path=tls.ca_file)
        ask(transport)
        before = open_descriptors()
        for _question in range(20):
            ask(transport)
        assert open_descriptors() == before
    assert server.connections == 1
    assert len(server.received) == 21


def test_no_descriptor_is_lost_by_failures(bench: Bench) -> None:
    before = open_descriptors()
    with Server([reset, reply(length=5000), hang]) as server:
        transport = bench.transport(server.url)
        for _question in range(3):
            transport.deadline = bench.time.clock() + SHORT
            failure(transport)
        transport.close()
    assert open_descriptors() == before


def test_a_session_of_the_provider_s_own_is_not_carried_on(bench: Bench) -> None:
    with Server([reply("{}", 200, "Set-Cookie: session=abc; Path=/")]) as server:
        transport = bench.transport(server.url)
        ask(transport)
        ask(transport)
    assert "cookie" not in server.received[1].headers


def test_a_netrc_does_not_replace_our_credentials(
    bench: Bench, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n", encoding="ascii")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Server([reply()]) as server:
        transport = bench.transport(server.url)
        ask(transport, headers={"Authorization": "cpanel user:token"})
        ask(transport)
    assert server.received[0].headers["authorization"] == "cpanel user:token"
    assert "authorization" not in server.received[1].headers


# -- what is not JSON ---------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<!DOCTYPE html><html>Maintenance</html>", "an HTML or XML page came where JSON was expected"),
        ('{"status": "pen', "the body is not JSON, or not all of it came"),
        ("", "the body is empty where JSON was expected"),
        ("[" * 100000, "the JSON is nested too deeply"),
    ],
)
def test_a_body_that_cannot_be_read_is_requested_again_and_then_reported(
    bench: Bench, body: str, expected: str
) -> None:
    with Server([reply(body)]) as server:
        transport = bench.transport(server.url)
        error = failure(transport, UnexpectedResponse)
    assert expected in error.message
    assert error.message.startswith("the answer to status (HTTP 200) cannot be used: ")
    assert error.http_status == 200
    assert len(error.message) < 400
    assert transport.requests_sent == len(server.received) == 6


def test_half_a_body_often_comes_whole_the_next_time(bench: Bench) -> None:
    with Server([reply('{"status"'), reply("<html>"), reply('{"status": "issued"}')]) as server:
        assert ask(bench.transport(server.url)) == {"status": "issued"}
    assert len(bench.time.slept) == 2


def test_the_beginning_of_a_body_is_shown_without_secrets_and_personal_data(bench: Bench) -> None:
    body = '{{"auth": "{0}", "url": "?k={1}", "phone": "+1 555 0100", "contact": {{"name": "Ada", "age": 36}}'
    with Server([reply(body.format(KEY, IN_URL))]) as server:
        transport = bench.transport(server.url, personal=re.compile("phone|contact"))
        error = failure(transport, UnexpectedResponse, query={})
    assert '"auth": "********"' in error.message
    for private in ("555", "Ada", "36"):
        assert private not in error.message


def test_a_secret_is_not_shown_in_part_either(bench: Bench) -> None:
    bodies = [" " * (3980 + shift) + KEY + " " for shift in range(1, 21, 3)]
    bodies += ["x" * (184 + shift) + KEY for shift in range(1, 17, 3)]
    for body in bodies:
        response = Response(200, body.encode("ascii"))
        with pytest.raises(UnexpectedResponse) as caught:
            bench.transport("https://localhost")._parse(Request("status", "GET", "/"), response, Response.json)
        assert "s3c" not in caught.value.message
        assert "it begins: " in caught.value.message


def test_a_secret_in_two_bytes_a_character_is_not_shown_either(bench: Bench) -> None:
    body = json.dumps({"k": KEY + "é"})[:-1].encode("utf-16")
    with Server([reply(body)]) as server:
        transport = bench.transport(server.url, api_key=KEY + "é")
        assert '{"k": "********' in failure(transport, UnexpectedResponse).message


def test_control_characters_of_a_body_do_not_reach_the_terminal(bench: Bench) -> None:
    with Server([reply("\x1b[2Jgone\x07\r\n\x00away\u202eback")]) as server:
        error = failure(bench.transport(server.url), UnexpectedResponse)
    assert error.message.isprintable()
    assert error.message.endswith("it begins: [2Jgone away back")


def test_a_long_odd_body_is_described_at_once(bench: Bench) -> None:
    """Would take hours if a pattern went through it again from every character."""
    with Server([reply("a" * 3000000)]) as server:
        transport = bench.transport(server.url, personal=re.compile("b"))
        transport.deadline = bench.time.clock() + 20
        assert len(failure(transport, UnexpectedResponse).message) < 400


# -- TLS ----------------------------------------------------------------------


def test_a_certificate_of_the_named_ca_is_trusted(bench: Bench, tls: Tls) -> None:
    with Server([reply()], tls.good) as server:
        assert ask(bench.transport(server.url, ca_path=tls.ca_file)) == {}
        assert ask(bench.transport(server.url, {"REQUESTS_CA_BUNDLE": tls.ca_file})) == {}
        assert ask(bench.transport(server.url, validate_certs=False)) == {}


@pytest.mark.parametrize(
    ("which", "why"),
    [("good", "unable to get local issuer|self.signed"), ("expired", "expired"), ("other_name", "ostname mismatch")],
)
def test_an_untrusted_certificate_is_refused_at_once_and_nothing_is_sent(
    bench: Bench, tls: Tls, which: str, why: str
) -> None:
    with Server([reply()], getattr(tls, which)) as server:
        transport = bench.transport(server.url, ca_path=None if which == "good" else tls.ca_file)
        error = failure(transport, ProviderUnavailable)
    assert f"the TLS certificate of localhost:{server.port} is not trusted" in error.message
    assert re.search(why, error.message)
    assert not error.retryable
    assert transport.requests_sent == 1
    assert server.received == []


def test_a_server_without_tls_is_reported_as_such(bench: Bench) -> None:
    with Server([reply()]) as server:
        error = failure(bench.transport(server.url.replace("http:", "https:")), ProviderUnavailable)
    assert "no TLS connection" in error.message


@pytest.mark.parametrize("content", [None, "no certificate at all", ""])
@pytest.mark.parametrize("named_by", ["ca_path", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_ca_file_that_cannot_be_used_is_reported_by_its_name(
    bench: Bench, tmp_path: pathlib.Path, content: str | None, named_by: str
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content, encoding="ascii")
    with pytest.raises(InvalidRequest) as caught:
        if named_by == "ca_path":
            bench.transport("https://localhost:1", ca_path=str(path))
        else:
            bench.transport("https://localhost:1", {named_by: str(path)})
    assert str(path) in caught.value.message
    assert caught.value.message.endswith("check " + named_by)


# -- slow and endless ---------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
SLOW: t.Mapping[str, t.Any] = {
    "no answer": hang,
    "drip of the status line": drip(b"", b"H", b""),
    "drip of headers": drip(b"HTTP/1.1 200 OK\r\nX: ", b"y", b"\r\nContent-Length: 2\r\n\r\n{}"),
    "drip of whole headers": drip(
        b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", b"Content-Length: 2\r\n\r\n{}", max_pieces=90, pause=0.03
    ),
    "drip of a body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 152\r\n\r\n", b" ", b"{}"),
    "drip of chunks": drip(CHUNKED, b"1\r\n \r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    "drip of a body without a length": drip(b"HTTP/1.1 200 OK\r\n\r\n{}", b" ", b""),
    "drip of 100 Continue": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", reply()),
}


@pytest.mark.parametrize("which", sorted(SLOW))
@pytest.mark.parametrize("secure", [False, True])
def test_a_request_ends_when_its_time_is_over_however_steadily_bytes_come(
    bench: Bench, tls: Tls, which: str, secure: bool
) -> None:
    """Each of them is a good answer after three seconds; a client without a deadline would wait for it."""
    with Server([SLOW[which]], tls.good if secure else None) as server:
        transport = bench.transport(server.url, ca_path=tls.ca_file)
        transport.deadline = bench.time.clock() + SHORT
        error = failure(transport, ProviderUnavailable)
    assert re.search(r"did not finish an answer to status within 0\.\d+ s", error.message)
    assert transport.requests_sent == 1
    assert not server.received[0].finished


def test_a_deadline_holds_for_a_connection_that_is_used_again(bench: Bench, tls: Tls) -> None:
    with Server([reply(), SLOW["drip of a body"]], tls.good) as server:
        transport = bench.transport(server.url, ca_path=tls.ca_file)
        ask(transport)
        transport.deadline = bench.time.clock() + SHORT
        assert "did not finish" in failure(transport, ProviderUnavailable).message
    assert server.connections == 1
    assert not server.received[1].finished


def test_a_server_that_never_greets_is_left(bench: Bench, tls: Tls) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        transport = bench.transport(f"https://localhost:{listening.getsockname()[1]}", ca_path=tls.ca_file)
        transport.deadline = bench.time.clock() + SHORT
        assert re.search(r"within 0\.\d+ s", failure(transport, ProviderUnavailable).message)


def test_a_server_that_was_slow_once_is_asked_again(bench: Bench) -> None:
    with Server([hang, reply('{"status": "issued"}')]) as server:
        transport = bench.transport(server.url, request_timeout=SHORT)
        assert ask(transport) == {"status": "issued"}


def test_after_the_deadline_nothing_is_sent(bench: Bench) -> None:
    with Server([reply()]) as server:
        transport = bench.transport(server.url)
        transport.deadline = bench.time.clock() - 0.001
        with pytest.raises(OrderError):
            ask(transport)
    assert server.received == []


def test_retries_end_before_the_deadline(bench: Bench) -> None:
    with Server([reply("", 503)]) as server:
        transport = bench.transport(server.url)
        transport.deadline = bench.time.clock() + 5.0
        failure(transport, ProviderUnavailable)
    assert sum(bench.time.slept) < 5.0
    assert 2 <= transport.requests_sent <= 4


def endless(received: Received) -> None:
    """A body without an end."""
    received.wire.sendall(CHUNKED)
    with contextlib.suppress(OSError):
        while not received.stopping.is_set():
            received.wire.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")


def endless_chunk(first: bytes, repeated: bytes) -> t.Callable[[Received], None]:
    """What comes after the size of a chunk, or in the place of one, without an end."""

    def handler(received: Received) -> None:
        with contextlib.suppress(OSError):
            received.wire.sendall(CHUNKED + first)
            while not received.stopping.is_set():
                received.wire.sendall(repeated * (0x100000 // len(repeated)))

    return handler


@pytest.mark.parametrize(
    ("first", "repeated"),
    [
        (b"-1\r\n", b" "),
        (b"-ffffffff\r\n", b" "),
        (b"7fffffffffffffff\r\n", b" "),
        (b"1;", b"x"),
        (b"0\r\nX: ", b"y"),
        (b"", b"0"),
    ],
    ids=["-1", "negative", "huge", "extension", "trailer", "zeros"],
)
def test_whatever_a_chunk_says_of_its_size_no_more_is_read_than_an_answer_may_have(
    bench: Bench, first: bytes, repeated: bytes
) -> None:
    """A size of -1 once was taken for "all there is": 2 GiB in two seconds."""
    with Server([endless_chunk(first, repeated)]) as server:
        transport = bench.transport(server.url)
        transport.deadline = bench.time.clock() + 20
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        error = failure(transport, UnexpectedResponse)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert "larger than 16 MiB" in error.message or "was cut off" in error.message
    assert grown < 150 * 1024


def test_a_small_bomb_in_a_chunk_of_negative_size_is_not_unpacked(bench: Bench) -> None:
    head, _separator, packed = bomb(1024).partition(b"\r\n\r\n")
    answer = CHUNKED[:-2] + b"Content-Encoding: gzip\r\n\r\n-1\r\n" + packed

    def send(received: Received) -> None:
        received.wire.sendall(answer)

    with Server([send]) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        failure(bench.transport(server.url), UnexpectedResponse)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024


def bomb(times: int) -> bytes:
    """A small body that becomes a large one, of spaces."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(b" " * 0x100000) for _megabyte in range(times)) + packer.flush()
    return reply(packed, 200, "Content-Encoding: gzip")


@pytest.mark.parametrize("which", ["endless", "bomb"])
def test_a_body_that_is_too_large_is_not_read(bench: Bench, which: str) -> None:
    script = {"endless": endless, "bomb": bomb(64)}
    with Server([script[which]]) as server:
        error = failure(bench.transport(server.url), UnexpectedResponse)
    assert "larger than 16 MiB" in error.message
    assert not error.retryable
    assert len(server.received) == 1


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
def test_an_encoding_that_was_not_asked_for_is_not_unpacked(bench: Bench, encoding: str) -> None:
    with Server([reply(gzip.compress(b"{}"), 200, "Content-Encoding: " + encoding)]) as server:
        error = failure(bench.transport(server.url), UnexpectedResponse)
    assert "encoded in a way that was not requested" in error.message
    assert server.received[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply("{}", length=500), "was cut off"),
        (CHUNKED + b"ff\r\n{}", "was cut off"),
        # The last on its connection: else the next try might meet the closing of this one.
        (reply(b"no gzip", 200, "Content-Encoding: gzip", "Connection: close"), "wrongly compressed"),
    ],
)
def test_an_answer_that_is_cut_off_or_garbled_is_requested_again(bench: Bench, answer: bytes, expected: str) -> None:
    def cut(received: Received) -> None:
        received.wire.sendall(answer)

    with Server([cut, reply("[1]")]) as server:
        assert ask(bench.transport(server.url)) == [1]
    with Server([cut]) as server:
        assert expected in failure(bench.transport(server.url), UnexpectedResponse).message


@pytest.mark.parametrize("junk", [b"", b"junk\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x16\x03\x01\x00\x05"])
def test_what_is_no_http_is_reported_as_a_broken_connection(bench: Bench, junk: bytes) -> None:
    def send(received: Received) -> None:
        received.wire.sendall(junk)

    with Server([send]) as server:
        error = failure(bench.transport(server.url), ProviderUnavailable)
    assert "broke during status" in error.message
    assert error.retryable


def test_a_reset_connection_is_opened_again(bench: Bench) -> None:
    with Server([reset, reply("[1]")]) as server:
        assert ask(bench.transport(server.url)) == [1]
    with Server([reset]) as server:
        assert "broke during status" in failure(bench.transport(server.url), ProviderUnavailable).message


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(bench: Bench) -> None:
    def close_after(received: Received) -> None:
        received.wire.sendall(reply("[1]"))

    with Server([close_after]) as server:
        transport = bench.transport(server.url)
        assert [ask(transport), ask(transport), ask(transport)] == [[1], [1], [1]]


# -- status codes -------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 599, 408])
def test_a_server_error_is_retried_and_then_reported(bench: Bench, status: int) -> None:
    with Server([reply("", status), reply("", status), reply("[1]")]) as server:
        assert ask(bench.transport(server.url)) == [1]
    with Server([reply("<html>" + KEY, status)]) as server:
        transport = bench.transport(server.url)
        error = failure(transport, ProviderUnavailable)
    assert error.http_status == status
    assert f"HTTP {status}" in error.message
    assert transport.requests_sent == 6


def test_pauses_between_retries_grow_and_stay_within_the_retry_timeout(bench: Bench) -> None:
    with Server([reply("", 500)]) as server:
        failure(bench.transport(server.url))
    assert len(bench.time.slept) == 5
    assert all(0.75 * base <= pause <= 1.25 * base for base, pause in zip((0.5, 1, 2, 4, 8), bench.time.slept))
    assert sum(bench.time.slept) < RETRY_TIMEOUT


def test_a_slow_provider_is_not_asked_beyond_the_retry_timeout(bench: Bench) -> None:
    def slow(received: Received) -> bytes:
        bench.time.sleep(9.5)
        return reply("", 500)

    with Server([slow]) as server:
        transport = bench.transport(server.url)
        failure(transport)
    assert transport.requests_sent == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 204, 207])
def test_other_statuses_are_the_provider_s_to_judge(bench: Bench, status: int) -> None:
    with Server([reply("", status)]) as server:
        response = bench.transport(server.url).send(Request("status", "GET", "/"), lambda response: response)
    assert response.status == status


@pytest.mark.parametrize("error", [AuthenticationError("no"), OrderNotFound("no"), InvalidRequest("no")])
def test_a_refusal_is_never_asked_again(bench: Bench, error: OrderError) -> None:
    def refuse(response: Response) -> t.Any:
        raise error

    with Server([reply("", 403)]) as server:
        transport = bench.transport(server.url)
        with pytest.raises(type(error)) as caught:
            transport.send(Request("status", "GET", "/", order_id="7"), refuse)
    assert transport.requests_sent == len(server.received) == 1
    assert (caught.value.provider, caught.value.order_id, caught.value.http_status) == ("fake", "7", 403)


@pytest.mark.parametrize(
    "answer", [reply("", 503), reply("", 429), reset, reply("{}", length=9), reply("no JSON"), reply("", 103)]
)
def test_what_is_not_repeatable_is_not_sent_again_once_it_may_have_arrived(bench: Bench, answer: t.Any) -> None:
    with Server([answer, reply("[1]")]) as server:
        transport = bench.transport(server.url, request_timeout=2)
        with pytest.raises(OrderError) as caught:
            transport.send(Request("collect", "POST", "/", form={}, repeatable=False), Response.json)
    assert caught.value.retryable
    assert transport.requests_sent == len(server.received) == 1


def test_what_is_not_repeatable_is_sent_again_where_nobody_was_there_to_get_it(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    transport = bench.transport(f"http://127.0.0.1:{port}")
    with pytest.raises(ProviderUnavailable):
        transport.send(Request("collect", "POST", "/", form={}, repeatable=False), Response.json)
    assert transport.requests_sent == 6


@pytest.mark.parametrize("status", [101, 103, 206, 300, 304, 305, 399])
def test_what_is_no_answer_is_not_read_as_one(bench: Bench, status: int) -> None:
    with Server([reply("[1]", status)]) as server:
        error = failure(bench.transport(server.url), UnexpectedResponse)
    assert f"HTTP {status} " in error.message and error.http_status == status
    assert error.retryable


def test_more_than_the_answer_is_not_taken_for_the_next_one(bench: Bench, tls: Tls) -> None:
    """Both in one piece of TLS: what of it is not read yet cannot be seen in the socket."""
    # http.client reads so much at once, so that the next answer would begin right there.
    room = 8192 - len(reply("[1]" + " " * 8000)) + 8000
    answer = reply("[1]" + " " * room)
    assert len(answer) == 8192
    with Server([answer + reply('["forged"]'), reply("[2]")], tls.good) as server:
        transport = bench.transport(server.url, ca_path=tls.ca_file)
        assert [ask(transport), ask(transport)] == [[1], [2]]
    assert server.connections == 2


def test_what_a_provider_calls_retryable_is_asked_again(bench: Bench) -> None:
    answers = iter([NotIssued("not yet"), RateLimited("slow"), None])

    def read(response: Response) -> str:
        error = next(answers)
        if error is not None:
            raise error
        return "there"

    with Server([reply()]) as server:
        assert bench.transport(server.url).send(Request("collect", "GET", "/"), read) == "there"


def http_date(seconds: float) -> str:
    return email.utils.format_datetime(
        datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds), usegmt=True
    )


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_respected_in_both_forms(bench: Bench, status: int) -> None:
    for value in ("12", http_date(12)):
        bench.time.slept.clear()
        with Server([reply("", status, "Retry-After: " + value), reply("[1]")]) as server:
            assert ask(bench.transport(server.url)) == [1]
        assert 10.0 <= bench.time.slept[0] <= 12.0


@pytest.mark.parametrize("value", ["3600", "86400"])
def test_a_long_retry_after_is_reported_and_not_slept_through(bench: Bench, value: str) -> None:
    with Server([reply("", 429, "Retry-After: " + value)]) as server:
        error = failure(bench.transport(server.url), RateLimited)
    assert (error.http_status, error.retry_after) == (429, float(value))
    assert sum(bench.time.slept) == 0.0
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "value", ["-5", "soon", "", "1e9", "999999999999999999999", "Fri, 99 Foo 2026", "86401", "\u0663"]
)
def test_an_absurd_retry_after_is_no_answer(bench: Bench, value: str) -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    assert parse_retry_after(value, now) is None


def test_retry_after_forms() -> None:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    assert parse_retry_after(None, now) is None
    assert parse_retry_after(" 0 ", now) == 0.0
    assert parse_retry_after("Thu, 01 Jan 2026 00:01:00 GMT", now) == 60.0
    assert parse_retry_after("Thu, 01 Jan 2026 00:01:00", now) == 60.0
    assert parse_retry_after("Thu, 01 Jan 2026 01:01:00 +0100", now) == 60.0
    # A clock of theirs that is behind, or a date long gone.
    assert parse_retry_after("Thu, 01 Jan 2015 00:00:00 GMT", now) == 0.0
    assert parse_retry_after("Thu, 01 Jan 9999 00:00:00 GMT", now) is None


def test_a_rate_limit_keeps_everybody_who_uses_the_account_away(bench: Bench) -> None:
    with Server([reply("", 429, "Retry-After: 25"), reply(), reply()]) as server:
        first, second = bench.transport(server.url), bench.transport(server.url)
        first.deadline = bench.time.clock() + 20
        failure(first, RateLimited)
        ask(second)
    assert bench.time.slept == [pytest.approx(25, abs=1.0)]


def test_no_request_is_sent_during_a_long_cool_down(bench: Bench) -> None:
    with Server([reply("", 429, "Retry-After: 1000"), reply()]) as server:
        first, second = bench.transport(server.url), bench.transport(server.url)
        failure(first, RateLimited)
        error = failure(second, RateLimited)
        assert error.retry_after == pytest.approx(1000, abs=1.0)
        assert "another 1000 s" in error.message or "another 999 s" in error.message
        assert second.requests_sent == 0
        bench.time.sleep(1000)
        ask(second)


@pytest.mark.parametrize(("status", "once"), [(429, True), (503, False)])
def test_what_is_no_limit_of_the_account_holds_the_others_up_for_a_moment_only(
    bench: Bench, status: int, once: bool
) -> None:
    """What is counted for one order alone, or a server that is down and may be back sooner than it promises."""
    with Server([reply("", status, "Retry-After: 1000"), reply()]) as server:
        first, second = bench.transport(server.url), bench.transport(server.url)
        failure(first, OrderError, repeatable=not once)
        ask(second)
    assert bench.time.slept == [pytest.approx(RETRY_TIMEOUT, abs=1.0)]


def test_a_budget_that_is_used_up_is_nobody_else_s_hold(bench: Bench) -> None:
    rate_limits = RateLimits(PollSchedule((), 60.0), (RequestBudget(1, 300.0),))
    with Server([reply()]) as server:
        first = bench.transport(server.url, rate_limits=rate_limits)
        ask(first)
        first.deadline = bench.time.clock() + 60.0
        assert "budget" in failure(first, RateLimited).message
        assert first.requests_sent == 1
        ask(bench.transport(server.url, rate_limits=RateLimits(PollSchedule((), 60.0))))
    assert bench.time.slept == []


def test_waiting_for_a_turn_is_not_taken_from_the_retry_timeout(bench: Bench) -> None:
    rate_limits = RateLimits(PollSchedule((), 60.0), (RequestBudget(1, 300.0),))
    with Server([reply()]) as server:
        transport = bench.transport(server.url, rate_limits=rate_limits)
        ask(transport)
        ask(transport)
    assert bench.time.slept == [pytest.approx(300.0, abs=1.0)]


# -- redirects ----------------------------------------------------------------


def moved(location: str, status: int = 302) -> bytes:
    return reply("", status, "Location: " + location)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_within_the_server_is_followed_with_the_query_once(bench: Bench, status: int) -> None:
    for target in ("/orders/", "/orders/?auth_key=" + IN_URL):
        with Server([moved(target, status), reply("[1]")]) as server:
            assert ask(bench.transport(server.url), headers={"X-Key": "k"}) == [1]
        assert [got.target for got in server.received] == ["/orders?auth_key=" + IN_URL, "/orders/?auth_key=" + IN_URL]
        assert server.received[1].headers["x-key"] == "k"


def test_a_redirect_that_names_the_server_itself_is_followed(bench: Bench) -> None:
    with Server([]) as server:
        server.script = [moved(server.url.replace("localhost", "LOCALHOST") + "/v2"), reply("[1]")]
        assert ask(bench.transport(server.url)) == [1]


def test_no_redirect_of_a_post_is_followed(bench: Bench) -> None:
    with Server([moved("/orders/", 307), reply("[1]")]) as server:
        error = failure(bench.transport(server.url), UnexpectedResponse, method="POST", form={"key": KEY})
    assert "is not followed" in error.message and not error.retryable
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "form", ["http://127.0.0.1:{0}/", "//127.0.0.1:{0}/x", "https://localhost:{0}/", "ftp://localhost/"]
)
def test_no_redirect_to_another_host_or_scheme_is_followed(bench: Bench, form: str) -> None:
    with Server([reply("[1]")]) as other, Server([]) as server:
        server.script = [moved(form.format(other.port))]
        transport = bench.transport(server.url)
        error = failure(transport, UnexpectedResponse, headers={"X-Key": KEY})
    assert "to another host or scheme" in error.message
    assert other.connections == 0
    assert transport.requests_sent == 1


def test_no_redirect_to_another_port_is_followed(bench: Bench) -> None:
    with Server([reply("[1]")]) as other, Server([]) as server:
        server.script = [moved(other.url + "/x")]
        failure(bench.transport(server.url), UnexpectedResponse)
    assert other.connections == 0


@pytest.mark.parametrize(
    "form",
    [
        # Which of the two is the host depends on who reads it.
        "http://127.0.0.1:{other}\\@localhost:{own}/x",
        "http://localhost:{other}\\@localhost:{own}/x",
        "http://user:word@localhost:{own}/x",
        "\\\\127.0.0.1:{other}/x",
        "/\\127.0.0.1:{other}/x",
        "http:/\\127.0.0.1:{other}/x",
    ],
)
def test_no_redirect_is_followed_where_the_host_is_ambiguous(bench: Bench, form: str) -> None:
    with Server([reply("[1]")]) as other, Server([]) as server:
        server.script = [moved(form.format(other=other.port, own=server.port)), reply("[1]")]
        failure(bench.transport(server.url), UnexpectedResponse, headers={"X-Key": KEY})
    assert other.connections == 0
    assert len(server.received) == 1


@pytest.mark.parametrize("location", ["", "/orders", "?again=1", "http://[", "http://localhost:99999/"])
def test_a_redirect_that_leads_nowhere_is_reported(bench: Bench, location: str) -> None:
    with Server([moved(location)]) as server:
        error = failure(bench.transport(server.url), UnexpectedResponse)
    assert error.http_status == 302
    assert len(server.received) == 1


def test_a_loop_of_redirects_ends(bench: Bench) -> None:
    with Server([moved("/a"), moved("/b"), moved("/a"), moved("/b"), moved("/a")]) as server:
        error = failure(bench.transport(server.url), UnexpectedResponse)
    assert "in a loop" in error.message
    assert len(server.received) == 4


def test_the_body_of_a_redirect_is_not_read_without_bounds_either(bench: Bench) -> None:
    def endless_redirect(received: Received) -> None:
        received.wire.sendall(b"HTTP/1.1 302 Found\r\nLocation: /a\r\n\r\n")
        with contextlib.suppress(OSError):
            while not received.stopping.is_set():
                received.wire.sendall(b" " * 0x100000)

    with Server([endless_redirect]) as server:
        assert "larger than 16 MiB" in failure(bench.transport(server.url), UnexpectedResponse).message


def test_each_hop_of_a_redirect_counts_in_the_budget(bench: Bench) -> None:
    rate_limits = RateLimits(PollSchedule((), 60.0), (RequestBudget(1, 2.0),))
    with Server([moved("/a"), reply("[1]")]) as server:
        assert ask(bench.transport(server.url, rate_limits=rate_limits)) == [1]
    assert bench.time.slept == [pytest.approx(2.0, abs=0.5)]


@pytest.mark.parametrize(
    "location",
    [
        "/login",
        "/cpsess1/login/?x",
        "/account/sign-in",
        "/sso/saml",
        "https://login.example.com/",
        "https://auth.example/x",
    ],
)
def test_a_redirect_to_a_login_page_means_that_the_credentials_were_not_accepted(bench: Bench, location: str) -> None:
    with Server([moved(location)]) as server:
        error = failure(bench.transport(server.url), AuthenticationError)
    assert error.http_status == 302
    assert len(server.received) == 1


def test_the_provider_s_own_auth_call_is_no_login_page(bench: Bench) -> None:
    with Server([moved("/auth/")]) as server:
        failure(bench.transport(server.url), UnexpectedResponse, method="POST", path="/auth", form={})


# -- no way -------------------------------------------------------------------


def test_a_refused_connection_is_reported_with_host_and_port(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    transport = bench.transport(f"http://127.0.0.1:{port}")
    error = failure(transport, ProviderUnavailable)
    assert error.message == f"127.0.0.1:{port} refused the connection; check host and port in api_url"
    assert error.retryable and transport.requests_sent == 6


def test_a_name_that_cannot_be_resolved_is_reported(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: t.Any, **_options: t.Any) -> t.Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failure(bench.transport("https://provider.invalid"), ProviderUnavailable)
    assert error.message == "the host name in provider.invalid cannot be resolved; check api_url and DNS"


def test_looking_a_name_up_has_an_end_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slow(*_arguments: t.Any, **_options: t.Any) -> t.Any:
        # Without a bound it fails in the end, and with another message.
        over.wait(20)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    transport = bench.transport("https://provider.invalid")
    transport.deadline = bench.time.clock() + SHORT
    error = failure(transport, ProviderUnavailable)
    over.set()
    assert error.message.startswith("provider.invalid cannot be reached within 0.")


def test_a_connection_that_comes_too_late_is_closed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    over, look_up = threading.Event(), socket.getaddrinfo

    def slow(*arguments: t.Any, **options: t.Any) -> t.Any:
        over.wait(20)
        return look_up(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with Server([reply("[1]")]) as server:
        transport = bench.transport(server.url)
        transport.deadline = bench.time.clock() + SHORT
        failure(transport, ProviderUnavailable)
        before = set(threading.enumerate())
        over.set()
        for thread in before:
            if type(thread).__name__ == "Connecting":
                thread.join(20)
    assert server.received == []


def test_words_in_a_url_are_not_taken_for_the_fault(bench: Bench) -> None:
    """Paths such as CollectSSL, and order ids such as 407, stand in the texts of the library's exceptions."""
    with Server([reset]) as server:
        error = failure(bench.transport(server.url), path="/SSL/match/refused/407/timed out")
    assert "broke during status" in error.message


@pytest.mark.parametrize("url", ["https://*", "https://a..b"])
def test_a_url_that_nobody_can_ask_is_an_invalid_request(bench: Bench, url: str) -> None:
    transport = bench.transport(url)
    failure(transport, InvalidRequest)
    assert transport.requests_sent == 1


def test_a_credential_that_no_header_can_carry_is_reported_without_it(bench: Bench) -> None:
    with Server([reply()]) as server:
        transport = bench.transport(server.url, api_key="\u5bc6\u7801\u5bc6\u7801")
        error = failure(transport, InvalidRequest, headers={"X-Key": "\u5bc6\u7801\u5bc6\u7801"})
    assert "a credential holds a character" in error.message
    assert "\u5bc6" not in error.message


# -- proxies ------------------------------------------------------------------


def test_tls_goes_through_the_proxy_named(bench: Bench, tls: Tls) -> None:
    with Server([reply("[1]")], tls.good) as server, Server([tunnel]) as proxy:
        url = f"http://user:p%40ss-word@localhost:{proxy.port}"
        transport = bench.transport(server.url, ca_path=tls.ca_file, proxy=url)
        assert [ask(transport), ask(transport)] == [[1], [1]]
    assert [got.target for got in proxy.received] == [f"localhost:{server.port}"]
    assert "proxy-authorization" in proxy.received[0].headers
    # CONNECT does not carry the key, and the provider does not get the password of the proxy.
    assert KEY not in str(proxy.received) and IN_URL not in str(proxy.received)
    assert "proxy-authorization" not in server.received[0].headers
    assert {"p%40ss-word", "p@ss-word"} <= bench.redactor.secrets


def test_the_deadline_holds_through_a_proxy(bench: Bench, tls: Tls) -> None:
    with Server([SLOW["drip of a body"]], tls.good) as server, Server([tunnel]) as proxy:
        transport = bench.transport(server.url, ca_path=tls.ca_file, proxy=proxy.url)
        transport.deadline = bench.time.clock() + SHORT
        assert "did not finish" in failure(transport, ProviderUnavailable).message
    assert not server.received[0].finished


@pytest.mark.parametrize(
    ("environment", "through_proxy"),
    [
        ({"https_proxy": "PROXY"}, True),
        ({"HTTPS_PROXY": "PROXY"}, True),
        ({"ALL_PROXY": "PROXY"}, True),
        ({"HTTPS_PROXY": "http://localhost:1", "https_proxy": "PROXY"}, True),
        ({"https_proxy": "PROXY", "HTTPS_PROXY": "http://localhost:1"}, True),
        ({"http_proxy": "PROXY"}, False),
        ({"https_proxy": "PROXY", "no_proxy": "localhost"}, False),
        ({"https_proxy": "PROXY", "NO_PROXY": "example.com,localhost"}, False),
        ({"https_proxy": "PROXY", "NO_PROXY": "*"}, False),
        ({"https_proxy": "PROXY", "NO_PROXY": "example.com"}, True),
        ({"https_proxy": ""}, False),
    ],
)
def test_proxies_of_the_environment_are_used_as_other_tools_use_them(
    bench: Bench, tls: Tls, environment: dict[str, str], through_proxy: bool
) -> None:
    with Server([reply("[1]")], tls.good) as server, Server([tunnel]) as proxy:
        filled = {name: value.replace("PROXY", proxy.url) for name, value in environment.items()}
        assert ask(bench.transport(server.url, filled, ca_path=tls.ca_file)) == [1]
    assert bool(proxy.received) is through_proxy


def test_only_the_environment_of_the_task_counts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://localhost:1")
    with Server([reply("[1]")]) as server:
        assert ask(bench.transport(server.url)) == [1]


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_that_refuses_its_credentials_is_no_fault_of_the_provider(bench: Bench, tls: Tls, secure: bool) -> None:
    refusal = reply("", 407, 'Proxy-Authenticate: Basic realm="p"')
    with Server([refusal]) as proxy:
        url = "https://localhost:1" if secure else "http://localhost:1"
        transport = bench.transport(url, proxy=f"http://user:p4ssw0rd@localhost:{proxy.port}")
        error = failure(transport, AuthenticationError)
    assert error.message == "the proxy refused its credentials (HTTP 407); check proxy"
    assert error.http_status == 407
    assert transport.requests_sent == 1


@pytest.mark.parametrize("answer", [reply("", 403), reply("", 502), b"junk"])
def test_a_proxy_that_gives_no_way_is_reported(bench: Bench, answer: bytes) -> None:
    def send(received: Received) -> None:
        received.wire.sendall(answer)

    with Server([send]) as proxy:
        transport = bench.transport("https://provider.example", proxy=proxy.url)
        error = failure(transport, ProviderUnavailable)
    assert "the proxy gave no way to provider.example" in error.message or "broke" in error.message


def test_what_travels_in_the_clear_goes_to_no_proxy_of_the_environment(bench: Bench) -> None:
    with Server([reply("[1]")]) as server, Server([reply("[2]")]) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            assert ask(bench.transport(server.url, {name: proxy.url})) == [1]
    assert proxy.received == []


def test_a_proxy_that_shows_what_it_was_sent_gives_no_password_away(bench: Bench) -> None:
    def echo(received: Received) -> bytes:
        return reply("<html>{0}</html>".format(received.headers["proxy-authorization"]))

    with Server([echo]) as proxy:
        transport = bench.transport("http://localhost:1", proxy=f"http://joe:p4ssw0rd@localhost:{proxy.port}")
        error = failure(transport, UnexpectedResponse)
    assert "<html>Basic " in error.message
    assert base64.b64encode(b"joe:p4ssw0rd")[6:12].decode("ascii") not in error.message


def test_a_proxy_that_is_not_there_is_reported(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    proxy = f"http://user:p4ssw0rd@127.0.0.1:{port}"
    error = failure(bench.transport("https://provider.example", proxy=proxy), ProviderUnavailable)
    assert "the proxy gave no way to provider.example" in error.message
    assert "p4ssw0rd" not in str(error)


def test_a_password_of_a_proxy_in_the_environment_is_learned(bench: Bench) -> None:
    environment = {"https_proxy": "http://user:p4ss%2Fw0rd@127.0.0.1:1"}
    failure(bench.transport("https://provider.example", environment), ProviderUnavailable)
    assert {"p4ss%2Fw0rd", "p4ss/w0rd"} <= bench.redactor.secrets


def test_a_proxy_of_the_environment_that_is_no_url_is_reported(bench: Bench) -> None:
    failure(bench.transport("https://provider.example", {"https_proxy": "http://["}), InvalidRequest)
