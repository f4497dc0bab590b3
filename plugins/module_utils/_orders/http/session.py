# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One account's connections: TLS, proxies, and bounds of time and size. Sends one request once.

Private to this collection. Together with exceptions.py the only file that uses requests.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import http.cookiejar
import io
import json
import os
import re
import ssl
import typing as t
from urllib.parse import urlsplit

from ..account import Account, proxy_secrets
from ..errors import InvalidRequest
from .deadline import Connecting, Deadline
from .exceptions import MAX_BODY, BodyTooLarge, RequestTimeout, UnknownEncoding, from_network_error
from .messages import Request, Response
from .redaction import Redactor

try:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3

    REQUESTS_ERROR: ImportError | None = None
except ImportError as exc:
    REQUESTS_ERROR = exc

#: So much is read at once, in bytes. Decompression makes at most a thousand times of it.
_CHUNK = 16 * 1024
#: The most that may come over a connection for one answer, in bytes: headers, and a body with whatever frames it.
_MAX_RECEIVED = MAX_BODY + MAX_BODY // 2
_HEADERS = {
    "User-Agent": "certops.issuance/1.1.0 (Ansible collection)",
    "Accept": "application/json, text/plain, */*;q=0.5",
    "Accept-Encoding": "gzip, deflate",
}


class Session:
    """Sends requests of one account.

    Arguments:
        account: where and how.
        environment: where proxies and a CA bundle may be named, as for other tools.
        redactor: learns the passwords of proxies.

    Raises:
        InvalidRequest: when the CA file cannot be used.
    """

    def __init__(self, account: Account, environment: t.Mapping[str, str], redactor: Redactor) -> None:
        #: Whether a part of the last request may have reached the provider, or a proxy.
        self.sent = False
        self._account = account
        self._environment = environment
        self._redactor = redactor
        self._deadline = Deadline(0.0)
        #: The connection on which the last request was sent.
        self._connection: t.Any = None
        self._requests = self._open()

    def close(self) -> None:
        """Close all connections."""
        self._requests.close()

    def send(self, request: Request, url: str, query: t.Mapping[str, str], timeout: float) -> Response:
        """Send a request once and read its answer, all within so many seconds.

        Raises:
            OrderError: when there is no whole answer; ``sent`` is whether the request may have arrived.
        """
        self.sent, self._connection = False, None
        if not request.repeatable:
            # On a connection that the provider has closed meanwhile, nobody could know whether it arrived.
            self.close()
        try:
            with Deadline(timeout) as self._deadline:
                return self._send(request, url, query, timeout)
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            http.client.HTTPException,
            RequestTimeout,
            OSError,
            ValueError,
        ) as exc:
            # "from None": the texts of these exceptions hold the URL, and with it a session key.
            raise from_network_error(exc, urlsplit(self._account.api_url).netloc, request.call, timeout) from None

    def _send(self, request: Request, url: str, query: t.Mapping[str, str], timeout: float) -> Response:
        try:
            answer = self._requests.request(
                request.method,
                url,
                params=dict(query) or None,
                data=_body(request),
                headers=dict(_HEADERS, **request.headers),
                # Where a host has two addresses and one of them is dead, there is time for the other.
                timeout=(timeout / 2, timeout),
                allow_redirects=False,
                stream=True,
                proxies=self._proxies(url),
            )
            with contextlib.closing(answer):
                body = _read_body(answer)
        except requests.exceptions.ConnectTimeout:
            raise
        except Exception:
            # A connection that is ended under their hands confuses the libraries in many ways.
            if self._deadline.expired:
                raise RequestTimeout from None
            raise
        if self._deadline.expired:
            # A body without a length ends when the deadline ends the connection.
            raise RequestTimeout
        if self._has_surplus():
            self.close()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status_code, body=body, headers=headers)

    def _has_surplus(self) -> bool:
        """Whether more came than the answer: it must not be taken for the next one, and TLS hides it."""
        pending = getattr(getattr(self._connection, "sock", None), "pending", None)
        return pending is not None and pending() > 0

    # -- opening it ---------------------------------------------------------

    def _open(self) -> t.Any:
        session: t.Any = requests.Session()
        # Redirects are ours to judge; requests would read the whole body of one before it asks anybody.
        session.get_redirect_target = lambda response: None
        # Else a .netrc would replace our Authorization header, and redirects would carry it along.
        session.trust_env = False
        # Each request carries its credentials; a session of the provider's own would only get in the way.
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        session.verify = self._trust()
        adapter: t.Any = requests.adapters.HTTPAdapter()
        self._bound_connections(adapter.poolmanager)
        make_proxy_manager = adapter.proxy_manager_for

        def proxy_manager_for(proxy: str, **options: t.Any) -> t.Any:
            is_new = proxy not in adapter.proxy_manager
            manager = make_proxy_manager(proxy, **options)
            if is_new:
                self._bound_connections(manager)
            return manager

        adapter.proxy_manager_for = proxy_manager_for
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        if not self._account.validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return session

    def _bound_connections(self, manager: t.Any) -> None:
        """Have every connection that this pool manager of urllib3 opens bounded in time and size."""
        manager.pool_classes_by_scheme = {
            scheme: functools.partial(self._make_pool, pool_class)
            for scheme, pool_class in manager.pool_classes_by_scheme.items()
        }

    def _make_pool(self, pool_class: t.Any, *args: t.Any, **options: t.Any) -> t.Any:
        pool = pool_class(*args, **options)
        pool.ConnectionCls = functools.partial(self._make_connection, pool.ConnectionCls)
        return pool

    def _make_connection(self, connection_class: t.Any, *args: t.Any, **options: t.Any) -> t.Any:
        connection = connection_class(*args, **options)
        connection.response_class = _BoundedResponse
        open_socket, send = connection._new_conn, connection.request

        def open_in_time() -> t.Any:
            opened = Connecting(open_socket).wait(self._deadline.left)
            if opened is None:
                raise urllib3.exceptions.ConnectTimeoutError(connection, "no connection")
            self._deadline.guard(opened)
            return opened

        def send_in_time(*args: t.Any, **options: t.Any) -> t.Any:
            if connection.sock is None:
                connection.connect()
            else:
                # A connection that is used again has been opened before an earlier deadline.
                self._deadline.guard(connection.sock)
            self.sent, self._connection = True, connection
            return send(*args, **options)

        connection._new_conn, connection.request = open_in_time, send_in_time
        return connection

    def _trust(self) -> bool | str:
        if not self._account.validate_certs:
            return False
        option, bundle = "ca_path", self._account.ca_path
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            if bundle is None and self._environment.get(name):
                option, bundle = name, self._environment[name]
        if bundle is None:
            return True
        try:
            # Only to see whether it can be used; requests would end in a traceback.
            if not os.path.isdir(bundle):
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle)
        except ssl.SSLError:
            why = "holds no certificate in PEM"
        except OSError as exc:
            why = f"cannot be read ({exc.strerror})"
        else:
            return bundle
        raise InvalidRequest(f"the CA file {bundle} {why}; check {option}", provider=self._account.provider)

    def _proxies(self, url: str) -> dict[str, str]:
        if self._account.proxy:
            return {"http": self._account.proxy, "https": self._account.proxy}
        environment = {name.lower(): value for name, value in self._environment.items() if value}
        # As for other tools, the name in lower case goes first.
        environment.update((name, value) for name, value in self._environment.items() if value and name.islower())
        scheme = urlsplit(url).scheme
        proxy = environment.get(scheme + "_proxy") or environment.get("all_proxy")
        # Plain HTTP is for loopback: on the way to a proxy that nobody named for it, credentials would be in the clear.
        if (
            scheme != "https"
            or proxy is None
            or requests.utils.should_bypass_proxies(url, environment.get("no_proxy", ""))
        ):
            return {}
        for secret in proxy_secrets(proxy):
            self._redactor.learn(secret)
        return {scheme: proxy}


# -- the body -----------------------------------------------------------------


def _body(request: Request) -> dict[str, str] | bytes | None:
    if request.content is not None:
        return json.dumps(request.content).encode("ascii")
    return dict(request.form) if request.form is not None else None


def _read_body(answer: t.Any) -> bytes:
    """The whole body of an answer of requests, decompressed."""
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise UnknownEncoding
    body = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            raise BodyTooLarge
    length = answer.headers.get("Content-Length", "").strip()
    bodiless = answer.status_code < 200 or answer.status_code in (204, 304)
    if not bodiless and re.fullmatch("[0-9]{1,18}", length) and answer.raw.tell() < int(length):
        # Not every version of urllib3 looks at this.
        raise requests.exceptions.ChunkedEncodingError
    return bytes(body)


class _BoundedResponse(http.client.HTTPResponse):
    """Reads no more from its connection than an answer may have, whatever length the answer claims."""

    def __init__(self, sock: t.Any, *args: t.Any, **options: t.Any) -> None:
        super().__init__(sock, *args, **options)
        # What http.client has opened is a BufferedReader, of which nothing has been read yet.
        self.fp: t.Any = _BoundedReader(_CountedSocket(t.cast(io.BufferedReader, self.fp).detach()))


class _BoundedReader(io.BufferedReader):
    def read(self, size: int | None = -1) -> bytes:
        """Like that of files, but never all there is: urllib3 would do that for a chunk of length -1."""
        if size is None or size < 0:
            raise http.client.IncompleteRead(b"")
        return super().read(size)


class _CountedSocket(io.RawIOBase):
    def __init__(self, raw: t.Any) -> None:
        self._raw = raw
        self._left = _MAX_RECEIVED

    def readable(self) -> bool:
        """As io wants it."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """Read on, as long as it is not too much.

        Raises:
            BodyTooLarge: when it is.
        """
        count: int | None = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise BodyTooLarge
        return count

    def fileno(self) -> int:
        """The descriptor of the socket."""
        return int(self._raw.fileno())

    def close(self) -> None:
        """Let the socket go."""
        self._raw.close()
        super().close()
