# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS server: reads requests, lets the dialects answer, and carries out faults of the connection."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import socket
import ssl
import struct
import time
import typing as t
import urllib.parse
import zlib

from aiohttp import web

from . import control, faults
from .dialects.base import Dialect
from .faults import Fault
from .wire import Answer, Call, Reply
from .world import World

LOOPBACK = ("127.0.0.1", "::1")
MAX_REQUEST = 32 * 1024 * 1024
MAX_LINE = 128 * 1024

LOGIN_PAGE = """<!DOCTYPE html><html><head><title>Login</title></head><body><form action="/login/" method="post">
<input name="user"><input name="pass" type="password"></form></body></html>"""
ERROR_PAGE = "<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Not just now</h1></body></html>"


class Silent(web.StreamResponse):
    """Stands for a reply that was, or was not, written to the connection by hand."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(status=status)
        self.force_close()

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class Server:
    """One application on as many ports as are asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.url = ""
        self.plain_url = ""
        self.bad_tls: dict[str, str] = {}
        application = web.Application(client_max_size=MAX_REQUEST)
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(
            application, access_log=None, handle_signals=False, max_line_size=MAX_LINE, max_field_size=MAX_LINE,
            shutdown_timeout=0.5,
        )  # fmt: skip

    async def start(self, port: int = 0, *, plain: bool = False, bad_tls: bool = False) -> None:
        """Open the ports. Raises ``OSError`` when the wanted one is taken."""
        await self._runner.setup()
        names = ["localhost", "127.0.0.1", "::1"]
        self.url = "https://" + await self._listen(port, self._context("own", names))
        if plain:
            self.plain_url = "http://" + await self._listen(0, None)
        if bad_tls:
            wrong = {
                "expired": self._context("expired", names, age_days=100, life_days=90),
                "wrong_host": self._context("wrong-host", ["wrong.invalid"]),
                "untrusted": self._context("untrusted", names, style="foreign"),
            }
            for name, context in wrong.items():
                self.bad_tls[name] = "https://" + await self._listen(0, context)

    async def stop(self) -> None:
        """Close every port and connection."""
        await self._runner.cleanup()

    def _context(self, file: str, names: t.Sequence[str], **how: t.Any) -> ssl.SSLContext:
        chain, key = self.world.ca.server_files(file, names, **how)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        return context

    async def _listen(self, port: int, context: ssl.SSLContext | None) -> str:
        """Listen on both loopback addresses with one port number; return ``127.0.0.1:port``."""
        for attempt in range(20):
            first = socket.create_server((LOOPBACK[0], port), backlog=1024)
            number = first.getsockname()[1]
            sockets = [first]
            if socket.has_ipv6:
                try:
                    sockets.append(socket.create_server((LOOPBACK[1], number), family=socket.AF_INET6, backlog=1024))
                except OSError as exc:
                    # A machine without IPv6 has no such address; any other trouble is a taken port.
                    if exc.errno == 98 and not port and attempt < 19:
                        first.close()
                        continue
                    if exc.errno == 98:
                        raise
            for item in sockets:
                await web.SockSite(self._runner, item, ssl_context=context).start()
            return f"{LOOPBACK[0]}:{number}"
        raise OSError("no port is free on both loopback addresses")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw_path = request.raw_path.split("?")[0]
        call = Call(
            method=request.method,
            path=urllib.parse.unquote(raw_path),
            query=urllib.parse.parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True),
            headers=request.headers,
            body=await request.read(),
            scheme=request.scheme,
            host=request.headers.get("Host", ""),
        )
        self.world.catch_up()
        if call.path.startswith(control.PREFIX):
            return _respond(control.handle(self, call))
        dialect = self.world.dialect_for(call.path)
        if dialect is None:
            return _respond(Reply.html(ERROR_PAGE, 404))
        call.account = dialect.identify(call)
        entry = self.world.journal.begin(dialect.name, call, self.world.clock.now())
        status = None
        try:
            fault = self.world.faults.for_request(dialect.name, call)
            if fault is not None:
                entry["fault"] = fault.kind
            response = await self._answer(request, call, dialect, fault)
            status = response.status
            return response
        finally:
            self.world.journal.end(entry, call, status)

    async def _answer(
        self, request: web.Request, call: Call, dialect: Dialect, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is None:
            return _respond(await _ask(dialect, call))
        if fault.kind in faults.INSTEAD:
            return await self._instead(request, call, dialect, fault)
        if fault.kind == "slow":
            await asyncio.sleep(float(fault.options.get("seconds", 2)))
        elif fault.kind in faults.ACCOUNT and call.account is not None:
            if fault.kind == "revoked_credentials":
                call.account.revoked = True
            call.account.sessions.clear()
        reply = faults.mangle(await _ask(dialect, call), fault)
        if fault.kind == "truncated":
            return await _raw(request, reply, reply.body[: faults.kept_length(reply, fault)])
        if fault.kind == "drip":
            return await _drip(request, reply, fault)
        if fault.kind == "duplicate_headers":
            wrong = max(len(reply.body) - 7, 0) if fault.options.get("header") == "Content-Length" else len(reply.body)
            extra = f"Content-Length: {wrong}\r\nContent-Type: text/html\r\n"
            return await _raw(request, reply, reply.body, extra)
        if fault.kind == "wrong_date":
            reply.headers["Date"] = email.utils.formatdate(float(fault.options.get("date", 0)), usegmt=True)
        return _respond(reply)

    async def _instead(self, request: web.Request, call: Call, dialect: Dialect, fault: Fault) -> web.StreamResponse:
        options = fault.options
        status = options.get("status")
        if options.get("processed"):
            await _ask(dialect, call)
        if fault.kind == "hang":
            await _until_gone(request, float(options.get("seconds", 3600)))
            return _cut(request)
        if fault.kind == "reset":
            return _cut(request, reset=True)
        if fault.kind == "endless":
            return await _endless(request)
        if fault.kind == "bomb":
            return _respond(_bomb(int(options.get("megabytes", 256))))
        if fault.kind == "redirect":
            return _respond(self._redirect(call, str(options.get("to", "same_host")), int(status or 302)))
        plain = {
            "html": Reply.html(str(options.get("body", ERROR_PAGE)), int(status or 200)),
            "login_page": Reply.html(LOGIN_PAGE, int(status or 200)),
            "not_json": Reply(int(status or 200), b"the answer is forty-two", "application/json"),
            "empty": Reply(int(status or 200), b""),
            "406": Reply(406, b""),
        }
        if fault.kind in plain:
            return _respond(plain[fault.kind])
        status = int(status or (429 if fault.kind == "429" else 503))
        reply = dialect.failure(status, str(options.get("message", "Try later.")))
        if "body" in options:
            reply.body = str(options["body"]).encode()
        after = options.get("retry_after")
        if after is not None:
            reply.headers["Retry-After"] = _retry_after(after)
        return _respond(reply)

    def _redirect(self, call: Call, to: str, status: int) -> Reply:
        query = ("?" + urllib.parse.urlencode(call.query)) if call.query else ""
        port = self.url.rsplit(":", 1)[1]
        target = {
            "same_host": self.url + "/moved" + call.path + query,
            "same_path": self.url + call.path + query,
            "other_host": f"https://localhost:{port}{call.path}{query}",
            "other_scheme": (self.plain_url or f"http://127.0.0.1:{port}") + call.path + query,
            "loop": self.url + call.path + query,
            "login": self.url + "/login/",
            "nowhere": "",
        }.get(to, to)
        return Reply(status, b"", "text/html", {"Location": target} if target else {})


async def _ask(dialect: Dialect, call: Call) -> Reply:
    try:
        dialect.run_due()
        return await dialect.handle(call)
    except Answer as answer:
        return answer.reply


def _respond(reply: Reply) -> web.Response:
    response = web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    if reply.content_type:
        response.headers["Content-Type"] = reply.content_type
    return response


def _retry_after(wanted: t.Any) -> str:
    """Seconds, ``{"date": seconds from now}``, the name of an absurd value, or any other text as it is."""
    if isinstance(wanted, dict):
        return email.utils.formatdate(time.time() + float(wanted["date"]), usegmt=True)
    return faults.ABSURD.get(str(wanted), str(wanted))


def _transport(request: web.Request) -> asyncio.Transport:
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client has gone")
    return transport


def _cut(request: web.Request, reset: bool = False) -> Silent:
    """Close the connection without an answer; with ``reset`` so that the client sees a reset."""
    transport = _transport(request)
    if reset:
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return Silent(0)


def _head(reply: Reply, extra: str = "", length: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} Whatever", f"Content-Type: {reply.content_type}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if length:
        lines.append(f"Content-Length: {len(reply.body)}")
    return ("\r\n".join(lines) + "\r\n" + extra + "Connection: close\r\n\r\n").encode()


async def _raw(request: web.Request, reply: Reply, body: bytes, extra: str = "") -> Silent:
    """Write a reply by hand, whole headers and as much of the body as is given, and close."""
    transport = _transport(request)
    transport.write(_head(reply, extra) + body)
    transport.close()
    return Silent(reply.status)


async def _drip(request: web.Request, reply: Reply, fault: Fault) -> Silent:
    """Write headers or body in crumbs. ``seconds`` lie between them."""
    transport, pause = _transport(request), float(fault.options.get("seconds", 0.5))
    size = int(fault.options.get("bytes", 1))
    head, body = _head(reply), reply.body
    dripped, at_once = (head + body, b"") if fault.options.get("what", "body") == "headers" else (body, head)
    transport.write(at_once)
    for start in range(0, len(dripped), size):
        if transport.is_closing():
            break
        transport.write(dripped[start : start + size])
        await asyncio.sleep(pause)
    transport.close()
    return Silent(reply.status)


async def _until_gone(request: web.Request, seconds: float) -> None:
    """Wait, but no longer than the client does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(0.05)


async def _endless(request: web.Request) -> web.StreamResponse:
    """A body that goes on until the client has had enough."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.enable_chunked_encoding()
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        while True:
            await response.write(b'{"data":[' + b" " * 65536)
            await asyncio.sleep(0)
    return Silent(200)


def _bomb(megabytes: int) -> Reply:
    """A small gzip body that unpacks to very many blanks."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * (1024 * 1024)
    body = b"".join(packer.compress(block) for dummy in range(megabytes)) + packer.flush()
    return Reply(200, body, headers={"Content-Encoding": "gzip"})
