# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A request that is not repeatable reaches the provider once at most, and its error has whether it may have.

Over real sockets and real TLS, with faults before, within and after the request.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import pathlib
import socket
import tempfile
import typing as t

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.client import HttpClient
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Request, Response
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.http.raw_server import (
    Relay,
    Server,
    hang,
    reply,
    reset,
    tunnel,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._orders.http.test_client import (
    Bench,
    Tls,
    tls,
)

__all__ = ["tls"]

#: How long what hangs is waited for, in seconds.
SHORT = 0.3
READ = Request("status", "GET", "/orders")
WRITE = Request("reissue", "POST", "/orders/7/reissue", form={"csr": "x" * 300}, repeatable=False)
#: What becomes of a request that has arrived.
ANSWERS: dict[str, t.Any] = {
    "good": reply("[1]"),
    "good and closed": reply("[1]", 200, "Connection: close"),
    "reset": reset,
    "no answer": hang,
    "server error": reply("", 500),
    "too many": reply("", 429, "Retry-After: 1"),
    "unavailable": reply("", 503, "Retry-After: 1"),
    "timeout": reply("", 408),
    "redirect": reply("", 307, "Location: /elsewhere"),
    "seen elsewhere": reply("", 303, "Location: /elsewhere"),
    "announced": reply("", 103),
    "part": reply("[1]", 206),
    "proxy": reply("", 407),
    "no JSON": reply("<html>"),
    "half": reply("[1", length=500),
    "no gzip": reply(b"no gzip", 200, "Content-Encoding: gzip"),
    "odd encoding": reply(gzip.compress(b"[1]"), 200, "Content-Encoding: br"),
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n[1]",
    "no HTTP": b"junk\r\n\r\n",
}


#: Names the request in the property test: a client has an error before a slow server has the request.
NUMBER = "X-Number"


def send(transport: HttpClient, request: Request) -> str:
    """Send it. Returns a word for what is reported of it."""
    try:
        transport.send(request, Response.json)
    except OrderError as exc:
        return {False: "not sent", True: "sent", None: "unknown"}[exc.sent]
    return "answered"


bytes_until_cut = st.one_of(st.none(), st.integers(0, 900), st.integers(0, 6000))


@settings(
    deadline=None,
    max_examples=120,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    answers=st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=4),
    cuts=st.lists(st.tuples(bytes_until_cut, bytes_until_cut), min_size=1, max_size=4),
    hard=st.booleans(),
    secure=st.booleans(),
    through_proxy=st.booleans(),
    requests=st.lists(st.sampled_from([READ, WRITE]), min_size=1, max_size=3).map(lambda some: [*some, WRITE]),
)
def test_no_write_arrives_twice_and_none_is_called_unsent_that_has_arrived(
    tls: Tls,
    answers: list[str],
    cuts: list[tuple[int | None, int | None]],
    hard: bool,
    secure: bool,
    through_proxy: bool,
    requests: list[Request],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(pathlib.Path(folder))
        script = [ANSWERS[name] for name in answers]
        over_proxy = secure and through_proxy
        with contextlib.ExitStack() as opened:
            opened.enter_context(bench.opened)
            server = opened.enter_context(Server(script, tls.good if secure else None))
            proxy = opened.enter_context(Server([tunnel]))
            # Where there is a proxy, what is cut is the way to it.
            relay = opened.enter_context(Relay(proxy.port if over_proxy else server.port, cuts, hard))
            scheme, way = server.url.partition(":")[0], f"localhost:{relay.own_port}"
            transport = bench.transport(
                server.url if over_proxy else f"{scheme}://{way}",
                ca_path=tls.ca_file,
                request_timeout=SHORT,
                proxy=f"http://{way}" if over_proxy else None,
            )
            outcomes = [
                send(transport, dataclasses.replace(request, headers={NUMBER: str(number)}))
                for number, request in enumerate(requests)
            ]
        # The server has ended, and has read all that was sent.
        for number, (request, outcome) in enumerate(zip(requests, outcomes)):
            arrived = sum(got.headers[NUMBER.lower()] == str(number) for got in server.received)
            assert request.repeatable or arrived <= 1, f"{request.call} arrived {arrived} times"
            assert outcome != "not sent" or arrived == 0, "not sent, and arrived"
            assert outcome not in ("sent", "answered") or arrived >= 1, f"{outcome}, and never arrived"


@pytest.mark.parametrize("answer", sorted(ANSWERS))
def test_a_write_that_has_arrived_is_never_called_unsent(tmp_path: pathlib.Path, answer: str) -> None:
    bench = Bench(tmp_path)
    with bench.opened, Server([ANSWERS[answer], reply("[1]")]) as server:
        outcome = send(bench.transport(server.url, request_timeout=SHORT), WRITE)
    assert len(server.received) == 1
    unknown = ("reset", "no answer", "half", "no gzip", "odd encoding", "bad chunk", "no HTTP")
    good = ("good", "good and closed")
    assert outcome == ("unknown" if answer in unknown else "answered" if answer in good else "sent")


def test_a_write_that_nobody_can_have_got_is_called_unsent(tmp_path: pathlib.Path, tls: Tls) -> None:
    bench = Bench(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with bench.opened, Server([reply("[1]")], tls.good) as server, Server([reply("", 403)]) as proxy:
        refused = bench.transport(f"http://127.0.0.1:{port}")
        assert send(refused, WRITE) == "not sent"
        # Tried again, since nobody was there to get it.
        assert refused.requests_sent == 6
        assert send(bench.transport(server.url), WRITE) == "not sent"
        over_proxy = bench.transport(server.url, ca_path=tls.ca_file, proxy=proxy.url)
        assert send(over_proxy, WRITE) == "not sent"
        late = bench.transport(server.url, ca_path=tls.ca_file)
        late.deadline = bench.time.clock() - 1
        assert send(late, WRITE) == "not sent"
    assert server.received == []


def test_a_write_goes_out_on_a_connection_of_its_own(tmp_path: pathlib.Path) -> None:
    """A connection that was used before may be closed at any moment, whether the write has arrived or not."""

    bench = Bench(tmp_path)
    with bench.opened, Server([reply("[1]")]) as server:
        transport = bench.transport(server.url)
        assert [send(transport, request) for request in (READ, WRITE, READ)] == ["answered"] * 3
    assert [got.connection for got in server.received] == [1, 2, 2]
