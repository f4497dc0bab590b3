# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a provider over HTTPS: TLS, timeouts, proxies, retries, redirects, bounded bodies, redaction, counting.

Private to this collection. The only file that uses requests.
"""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import http
import http.client
import http.cookiejar
import os
import random
import re
import socket
import ssl
import typing as t
from urllib.parse import urljoin, urlsplit

from ..account import Account, proxy_secrets
from ..errors import (
    AuthenticationError,
    InvalidRequest,
    OrderError,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from .deadline import Opening, Watch
from .messages import Request, Response
from .redaction import Redactor, drop_personal_text

try:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3

    REQUESTS_ERROR: ImportError | None = None
except ImportError as exc:
    REQUESTS_ERROR = exc

if t.TYPE_CHECKING:
    from .rate_limit import Clock, RateLimiter, Sleep

T = t.TypeVar("T")

#: One question is retried for at most so many seconds in all.
RETRY_TIMEOUT = 30.0
#: Pauses between the tries of one question, in seconds, before jitter.
_BACKOFF = (0.5, 1.0, 2.0, 4.0, 8.0)
#: The largest body that is read, in bytes. A certificate with its chain and every check is below 100 KiB;
#: a report about ten thousand orders is below 8 MiB.
_LARGEST_BODY = 16 * 1024 * 1024
#: So much is read at once, in bytes. Decompression makes at most a thousand times of it.
_CHUNK = 16 * 1024
_MOST_REDIRECTS = 3
#: Where a page is that asks a person to log in: as a path, and as the beginning of a host name.
_LOGIN_PATH = re.compile(r"log_?-?in|sign_?-?in|logout|/sso|saml|/auth", re.IGNORECASE)
_LOGIN_HOST = re.compile(r"(log-?in|sign-?in|sso|auth|accounts?)\.", re.IGNORECASE)
#: A Retry-After of more than a day, in seconds, is a mistake.
_LONGEST_RETRY_AFTER = 86400.0
#: How much of a body an error message shows, in characters.
_PREVIEW = 200
#: So much of it is looked at for that, in characters.
_PREVIEW_SOURCE = 4000
USER_AGENT = "certops.issuance/1.0.0 (Ansible collection)"


def parse_retry_after(value: str | None, now: datetime.datetime) -> float | None:
    """Seconds from a Retry-After header in either form (a number of seconds, or an HTTP date).

    None for anything else, more than a day included: that is no answer to be taken at its word.

    Arguments:
        now: the present time, aware.
    """
    stripped = (value or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", stripped, re.ASCII):
        seconds = float(stripped)
    else:
        try:
            moment = email.utils.parsedate_to_datetime(stripped)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=datetime.timezone.utc)
            seconds = max(0.0, (moment - now).total_seconds())
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
    return seconds if seconds <= _LONGEST_RETRY_AFTER else None


class HttpClient:
    """Talks to one account's API.

    Arguments:
        account: where and how.
        rate_limiter: keeps to the provider's request budget.
        clock: monotonic seconds.
        sleep: pauses for a number of seconds.
        environment: where proxies and a CA bundle may be named, as for other tools.
        redactor: learns the secrets of the account and those that come up on the way.
        personal: names of fields whose values are personal data and not shown in messages.
    """

    def __init__(
        self,
        account: Account,
        rate_limiter: RateLimiter,
        clock: Clock,
        sleep: Sleep,
        environment: t.Mapping[str, str],
        redactor: Redactor,
        personal: t.Pattern[str] | None = None,
    ) -> None:
        self.account = account
        self.redactor = redactor
        for secret in account.secrets:
            redactor.learn(secret)
        self.requests_sent = 0
        #: No request is started, and none goes on, after this time (in seconds of the clock).
        self.deadline: float | None = None
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._sleep = sleep
        self._personal = personal
        self._environment = environment
        self._adapter: t.Any = None
        self._session = self._open_session()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def ask(self, request: Request, read: t.Callable[[Response], T]) -> T:
        """See Transport.ask."""
        last = self._clock() + RETRY_TIMEOUT
        for pause in _BACKOFF + (None,):
            asked_at = self._clock()
            try:
                with self._turn():
                    # Waiting for one's turn is not impatience with the provider.
                    last += self._clock() - asked_at
                    response = self._send(request, self._bound(last))
                return self._read(request, response, read)
            except OrderError as exc:
                exc.locate(self.account.provider, request.order_id)
                exc.message = self.redactor.scrub(exc.message)
                exc.args = (exc.message,)
                if exc.http_status is not None and exc.retry_after is not None:
                    # The provider's own word, which holds for all who use this account. But what is counted for one
                    # order alone is no reason to leave the others alone for long, and who is down may be back sooner.
                    whole = isinstance(exc, RateLimited) and not request.once
                    self._rate_limiter.hold(exc.retry_after if whole else min(exc.retry_after, RETRY_TIMEOUT))
                if pause is None or not exc.retryable or (request.once and self._adapter.asked is not None):
                    raise
                pause = max(pause * (0.75 + random.random() / 2), exc.retry_after or 0.0)
                if self._clock() + pause >= self._bound(last):
                    raise
            self._sleep(pause)
        raise AssertionError("unreachable")  # pragma: no cover

    def _read(self, request: Request, response: Response, read: t.Callable[[Response], T]) -> T:
        try:
            return read(response)
        except UnexpectedResponse as exc:
            exc.message = self._describe(request, response, exc.message)
            exc.locate(http_status=response.status)
            raise
        except OrderError as exc:
            exc.locate(http_status=response.status)
            raise

    # -- pace ---------------------------------------------------------------

    @contextlib.contextmanager
    def _turn(self) -> t.Iterator[None]:
        with self._rate_limiter.exclusive(self.deadline):
            self._rate_limiter.acquire(self.deadline)
            yield

    def _bound(self, last: float) -> float:
        return last if self.deadline is None else min(last, self.deadline)

    # -- one try ------------------------------------------------------------

    def _send(self, request: Request, last: float) -> Response:
        url, query = self.account.api_url + request.path, request.query
        for hop in range(_MOST_REDIRECTS + 1):
            if hop:
                self._rate_limiter.acquire(self.deadline)
            response = self._send_once(request, url, query, last)
            if response.status not in (301, 302, 303, 307, 308):
                return self._check_status(request, response)
            url = self._follow(request, response, url)
            # A server that moves a page sends the query along, as a rule.
            query = {} if urlsplit(url).query else request.query
        raise UnexpectedResponse(
            f"{request.call} is redirected in a loop; check api_url",
            http_status=response.status,
            retryable=False,
        )

    def _send_once(self, request: Request, url: str, query: t.Mapping[str, str], last: float) -> Response:
        left = last - self._clock()
        if left <= 0:
            raise ProviderUnavailable(f"there was no time left to send {request.call}")
        timeout = min(float(self.account.request_timeout), left)
        self.requests_sent += 1
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json, text/plain, */*;q=0.5",
            "Accept-Encoding": "gzip, deflate",
        }
        headers.update(request.headers)
        try:
            with self._adapter.watch(timeout) as watch:
                try:
                    answer = self._session.request(
                        request.method,
                        url,
                        params=dict(query) or None,
                        data=dict(request.form) if request.form is not None else None,
                        headers=headers,
                        # Where a host has two addresses and one of them is dead, there is time for the other.
                        timeout=(timeout / 2, timeout),
                        allow_redirects=False,
                        stream=True,
                        proxies=self._proxies(url),
                    )
                    with contextlib.closing(answer):
                        body = self._read_body(request, answer)
                        if watch.expired:
                            # A body whose length was not told ends when the watch ends the connection.
                            raise requests.exceptions.Timeout()
                    if self._adapter.has_surplus():
                        self._session.close()
                    return Response(
                        status=answer.status_code,
                        body=body,
                        headers={name.lower(): value for name, value in answer.headers.items()},
                    )
                except requests.exceptions.ConnectTimeout:
                    raise
                except Exception:
                    # A connection that is ended under their hands confuses the libraries in many ways.
                    if watch.expired:
                        raise requests.exceptions.Timeout() from None
                    raise
        except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            # "from None": the texts of these exceptions hold the URL, and with it a session key.
            raise self._network_error(request, exc, timeout) from None

    def _read_body(self, request: Request, answer: t.Any) -> bytes:
        encoding = answer.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise UnexpectedResponse(
                f"the answer to {request.call} is encoded in a way that was not asked for",
                http_status=answer.status_code,
                retryable=False,
            )
        body = bytearray()
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > _LARGEST_BODY:
                raise UnexpectedResponse(
                    f"the answer to {request.call} is larger than {_LARGEST_BODY // (1024 * 1024)} MiB and was not read",
                    http_status=answer.status_code,
                    retryable=False,
                )
        length = answer.headers.get("Content-Length", "").strip()
        bodiless = answer.status_code < 200 or answer.status_code in (204, 304)
        if not bodiless and re.fullmatch("[0-9]{1,18}", length) and answer.raw.tell() < int(length):
            # Not every version of urllib3 looks at this.
            raise requests.exceptions.ChunkedEncodingError()
        return bytes(body)

    def _check_status(self, request: Request, response: Response) -> Response:
        retry_after = parse_retry_after(
            response.headers.get("retry-after"), datetime.datetime.now(datetime.timezone.utc)
        )
        if response.status == 429:
            raise RateLimited(
                f"too many requests (HTTP 429 to {request.call}); ask less often",
                http_status=response.status,
                retry_after=retry_after,
            )
        if response.status == 407:
            raise _proxy_refused()
        if response.status >= 500 or response.status == 408:
            raise ProviderUnavailable(
                f"the server failed (HTTP {response.status} {_phrase(response.status)} to {request.call}); try again later",
                http_status=response.status,
                retry_after=retry_after,
            )
        if not 200 <= response.status < 300 and response.status < 400 or response.status == 206:
            # 1xx announces an answer, 206 is a part of one, and what is left of 3xx is about another one.
            raise UnexpectedResponse(
                f"HTTP {response.status} {_phrase(response.status)} is no answer to {request.call}; check api_url and what lies on the way",
                http_status=response.status,
            )
        return response

    def _follow(self, request: Request, response: Response, url: str) -> str:
        """Where a redirect leads, when it may be followed: a GET within the same scheme, host and port."""
        try:
            target = urljoin(url, response.headers.get("location", ""))
            here, there = urlsplit(url), urlsplit(target)
            same = _origin(url) == _origin(target)
        except ValueError:
            target, here, there, same = url, urlsplit(""), urlsplit(""), False
        if (_LOGIN_PATH.search(there.path) and not _LOGIN_PATH.search(here.path)) or (
            not same and _LOGIN_HOST.match(there.hostname or "")
        ):
            raise AuthenticationError(
                f"{request.call} was redirected to a login page: the credentials were not accepted; check them and api_url",
                http_status=response.status,
            )
        if request.method != "GET" or not same or there.path == here.path:
            raise UnexpectedResponse(
                "{0} was redirected (HTTP {1}), which is not followed{2}; check api_url".format(
                    request.call,
                    response.status,
                    "" if same else " to another host or scheme, since the credentials would go there",
                ),
                http_status=response.status,
                retryable=False,
            )
        return target

    # -- what to say --------------------------------------------------------

    def _describe(self, request: Request, response: Response, message: str) -> str:
        # Wherever it ends, a secret may have been cut in two.
        # And what came in two bytes a character is not to be pulled apart by blanks.
        begun = response.text()[: 2 * _PREVIEW_SOURCE].replace("\0", "")
        preview = self.redactor.scrub_part(begun)[:_PREVIEW_SOURCE]
        preview = drop_personal_text(preview, self._personal)
        preview = " ".join("".join(character if character.isprintable() else " " for character in preview).split())
        if len(preview) > _PREVIEW:
            preview = preview[:_PREVIEW] + "…"
        shown = f"; it begins: {preview}" if preview else ""
        return f"the answer to {request.call} (HTTP {response.status}) cannot be used: {message}{shown}"

    def _network_error(self, request: Request, error: Exception, timeout: float) -> OrderError:
        host = urlsplit(self.account.api_url).netloc
        causes = _causes(error)

        def caused_by(*types: type[BaseException]) -> bool:
            return any(isinstance(cause, types) for cause in causes)

        if caused_by(requests.exceptions.ProxyError, urllib3.exceptions.ProxyError):
            # Some say 401 of credentials that are wrong, and 407 only where there are none.
            refused = (re.search("Tunnel connection failed: (401|407)", str(cause)) for cause in causes)
            status = next((found.group(1) for found in refused if found), None)
            if status is not None:
                return _proxy_refused(int(status))
            return ProviderUnavailable(f"the proxy gave no way to {host}; check proxy")
        if caused_by(socket.gaierror):
            return ProviderUnavailable(f"the host name in {host} cannot be resolved; check api_url and DNS")
        if caused_by(ConnectionRefusedError):
            return ProviderUnavailable(f"{host} refused the connection; check host and port in api_url")
        # What ended a TLS connection for taking too long is no TLS fault.
        if isinstance(error, requests.exceptions.Timeout) and not isinstance(error, requests.exceptions.ConnectTimeout):
            return ProviderUnavailable(
                f"{host} did not finish an answer to {request.call} within {timeout:.3g} s; check api_url and the network"
            )
        if caused_by(ssl.SSLError, requests.exceptions.SSLError, urllib3.exceptions.SSLError) and not caused_by(
            ssl.SSLEOFError, ssl.SSLZeroReturnError
        ):
            return _tls_error(host, causes)
        if caused_by(socket.timeout, TimeoutError, urllib3.exceptions.TimeoutError):
            return ProviderUnavailable(
                f"{host} cannot be reached within {timeout:.3g} s; check api_url and the network"
            )
        if caused_by(requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError):
            return UnexpectedResponse(f"the answer to {request.call} is wrongly compressed")
        if caused_by(requests.exceptions.InvalidHeader, UnicodeError) and not caused_by(urllib3.exceptions.HTTPError):
            return InvalidRequest("a credential holds a character that no header can carry; check the credentials")
        if caused_by(
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
            urllib3.exceptions.LocationValueError,
        ):
            return InvalidRequest("api_url or proxy is not a URL that can be asked; check both")
        if caused_by(
            requests.exceptions.ChunkedEncodingError, urllib3.exceptions.IncompleteRead, http.client.IncompleteRead
        ):
            return UnexpectedResponse(f"the answer to {request.call} was cut off")
        return ProviderUnavailable(
            f"the connection to {host} broke during {request.call} ({type(error).__name__}); try again later"
        )

    # -- the session --------------------------------------------------------

    def _open_session(self) -> t.Any:
        session: t.Any = requests.Session()
        # Redirects are ours to judge; requests would read the whole body of one before it asks anybody.
        session.get_redirect_target = lambda response: None
        # Else a .netrc would replace our Authorization header, and redirects would carry it along.
        session.trust_env = False
        # Each question carries its credentials; a session of the provider's own would only get in the way.
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        session.verify = self._trust()
        self._adapter = _watching_adapter()
        session.mount("https://", self._adapter)
        session.mount("http://", self._adapter)
        if not self.account.validate_certs:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return session

    def _trust(self) -> bool | str:
        if not self.account.validate_certs:
            return False
        option, bundle = "ca_path", self.account.ca_path
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            if bundle is None and self._environment.get(name):
                option, bundle = name, self._environment[name]
        if bundle is None:
            return True
        try:
            # Only to see whether it can be used; what requests says of it is a traceback.
            if not os.path.isdir(bundle):
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(bundle)
        except ssl.SSLError:
            why = "holds no certificate in PEM"
        except OSError as exc:
            why = f"cannot be read ({exc.strerror})"
        else:
            return bundle
        raise InvalidRequest(f"the CA file {bundle} {why}; check {option}", provider=self.account.provider)

    def _proxies(self, url: str) -> dict[str, str]:
        if self.account.proxy:
            return {"http": self.account.proxy, "https": self.account.proxy}
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
            self.redactor.learn(secret)
        return {scheme: proxy}


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and all that caused it. Their texts hold the URL, and are not for showing."""
    found: list[BaseException] = []
    queue = [error]
    while queue:
        cause = queue.pop(0)
        if any(cause is known for known in found):
            continue
        found.append(cause)
        context = None if cause.__suppress_context__ else cause.__context__
        linked = (*cause.args, getattr(cause, "reason", None), cause.__cause__, context)
        queue += [inner for inner in linked if isinstance(inner, BaseException)]
    return found


def _tls_error(host: str, causes: t.Sequence[BaseException]) -> OrderError:
    for cause in causes:
        # urllib3 before version 2 compares names itself, and has a class of its own for what does not match.
        if isinstance(cause, ssl.SSLCertVerificationError) or type(cause).__name__ == "CertificateError":
            return ProviderUnavailable(
                "the TLS certificate of {0} is not trusted ({1}); check api_url, or name its CA in ca_path".format(
                    host, getattr(cause, "verify_message", "Hostname mismatch")
                ),
                retryable=False,
            )
    return ProviderUnavailable(f"no TLS connection to {host}; check scheme and port in api_url")


def _proxy_refused(status: int = 407) -> OrderError:
    return AuthenticationError(f"the proxy refused its credentials (HTTP {status}); check proxy", http_status=status)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port, by which one server is told from another. Raises ValueError for what is no URL."""
    parts = urlsplit(url)
    # Where a user or a backslash stands before the host, libraries do not agree on which host it is.
    if "\\" in url or "@" in parts.netloc:
        raise ValueError("the host cannot be told")
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def _watching_adapter() -> t.Any:
    """An adapter of requests whose connections are watched; made in a function, since requests may be missing."""

    class Adapter(requests.adapters.HTTPAdapter):
        watching: Watch | None = None
        #: The connection on which the last request was sent; None while there is none yet.
        asked: t.Any = None

        def has_surplus(self) -> bool:
            """Whether more came than the answer: it must not be taken for the next one, and TLS keeps it unseen."""
            pending = getattr(getattr(self.asked, "sock", None), "pending", None)
            return pending is not None and pending() > 0

        @contextlib.contextmanager
        def watch(self, seconds: float) -> t.Iterator[Watch]:
            self.asked = None
            self.watching = watch = Watch(seconds)
            watch.start()
            try:
                yield watch
            finally:
                self.watching = None
                watch.stop()

        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self._watch_pools(self.poolmanager)

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            self._watch_pools(manager)
            return manager

        def _watch_pools(self, manager: t.Any) -> None:
            # requests keeps the managers of proxies and asks for them at each request.
            if getattr(manager, "watched", False):
                return
            manager.watched = True
            adapter = self

            def watched(connection_class: t.Any) -> t.Any:
                class Connection(connection_class):  # type: ignore[misc]
                    def _new_conn(self) -> t.Any:
                        watch = adapter.watching
                        if watch is None:
                            return super()._new_conn()
                        connection = Opening(super()._new_conn).wait(watch.left)
                        if connection is None:
                            raise urllib3.exceptions.ConnectTimeoutError(self, "no connection")
                        watch.follow(connection)
                        return connection

                    def request(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
                        if self.sock is None:
                            self.connect()
                        elif adapter.watching is not None:
                            # A connection that is used again has been opened under an earlier watch.
                            adapter.watching.follow(self.sock)
                        adapter.asked = self
                        return super().request(*args, **kwargs)

                return Connection

            def pool(pool_class: t.Any) -> t.Any:
                connection_class = watched(pool_class.ConnectionCls)
                return type(pool_class.__name__, (pool_class,), {"ConnectionCls": connection_class})

            manager.pool_classes_by_scheme = {
                scheme: pool(pool_class) for scheme, pool_class in manager.pool_classes_by_scheme.items()
            }

    return Adapter()
