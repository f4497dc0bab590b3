# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking a provider: when a request is sent again, which redirects are followed, and how an error describes a body.

Private to this collection. One try is session.py, errors are exceptions.py, and the budget is rate_limit.py.
"""

from __future__ import annotations

import random
import re
import typing as t
from urllib.parse import urljoin, urlsplit

from ..._common.text import clean_line
from ..account import Account
from ..errors import AuthenticationError, OrderError, ProviderUnavailable, RateLimited, UnexpectedResponse
from .exceptions import from_status
from .messages import Request, Response
from .redaction import Redactor, drop_personal_text
from .session import Session

if t.TYPE_CHECKING:
    from .rate_limit import Clock, RateLimiter, Sleep

T = t.TypeVar("T")

#: One request is retried for at most so many seconds in all, time for its turn not counted.
RETRY_TIMEOUT = 30.0
#: Pauses before each of the retries, in seconds, before a jitter of a quarter either way.
_RETRY_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_MAX_REDIRECTS = 3
#: Where a page is that asks a person to log in: as a path, and as the beginning of a host name.
_LOGIN_PATH = re.compile(r"log_?-?in|sign_?-?in|logout|/sso|saml|/auth", re.IGNORECASE)
_LOGIN_HOST = re.compile(r"(log-?in|sign-?in|sso|auth|accounts?)\.", re.IGNORECASE)
#: How much of a body an error message shows, in characters, and how much is looked at for that.
_MAX_PREVIEW = 200
_MAX_PREVIEW_SOURCE = 4000


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
        #: Called before a request is sent again, with what went wrong and the pause in seconds.
        self.on_retry: t.Callable[[OrderError, float], None] = lambda error, pause: None
        self._rate_limiter = rate_limiter
        self._clock = clock
        self._sleep = sleep
        self._personal = personal
        #: Whether the present request was sent: False, True, or None where nobody knows.
        self._sent: bool | None = False
        self._session = Session(account, environment, redactor)

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    # -- retries ------------------------------------------------------------

    def send(self, request: Request, parse: t.Callable[[Response], T]) -> T:
        """See Transport.send. The rule for retries:

        A retryable error is retried up to five times, after growing pauses or the pause of Retry-After, within
        RETRY_TIMEOUT and the deadline. A request that is not repeatable is never sent again once it may have arrived;
        the error's ``sent`` is whether it has.
        """
        last = self._clock() + RETRY_TIMEOUT
        self._sent = False
        for pause in (*_RETRY_PAUSES, None):
            started = self._clock()
            try:
                self._rate_limiter.acquire(self.deadline)
                # The time that the rate limit takes is no fault of the provider.
                last += self._clock() - started
                response = self._send(request, self._until(last))
                return self._parse(request, response, parse)
            except OrderError as exc:
                exc.locate(self.account.provider, request.order_id)
                exc.sent = self._sent
                self._cool_down(request, exc)
                may_repeat = request.repeatable or self._sent is False
                if pause is None or not exc.retryable or not may_repeat:
                    raise
                pause = max(pause * (0.75 + random.random() / 2), exc.retry_after or 0.0)
                if self._clock() + pause >= self._until(last):
                    raise
                self.on_retry(exc, pause)
            self._sleep(pause)
        raise AssertionError("unreachable")  # pragma: no cover

    def exclusive(self) -> t.ContextManager[None]:
        """See Transport.exclusive."""
        return self._rate_limiter.exclusive(self.deadline)

    def _until(self, last: float) -> float:
        return last if self.deadline is None else min(last, self.deadline)

    def _cool_down(self, request: Request, error: OrderError) -> None:
        """Do as the provider asked with Retry-After, for all who use this account."""
        if error.http_status is None or error.retry_after is None:
            return
        # What is counted for one order alone is no reason to keep the others waiting for long, and a server that is
        # down may be back sooner than it promises.
        is_limit = isinstance(error, RateLimited) and request.repeatable
        self._rate_limiter.cool_down(error.retry_after if is_limit else min(error.retry_after, RETRY_TIMEOUT))

    def _parse(self, request: Request, response: Response, parse: t.Callable[[Response], T]) -> T:
        try:
            return parse(response)
        except UnexpectedResponse as exc:
            exc.message = self._describe(request, response, exc.message)
            exc.locate(http_status=response.status)
            raise
        except OrderError as exc:
            exc.locate(http_status=response.status)
            raise

    # -- redirects ----------------------------------------------------------

    def _send(self, request: Request, last: float) -> Response:
        url, query = self.account.api_url + request.path, request.query
        for hop in range(_MAX_REDIRECTS + 1):
            if hop:
                self._rate_limiter.acquire(self.deadline)
            response = self._send_once(request, url, query, last)
            if response.status not in (301, 302, 303, 307, 308):
                error = from_status(response, request.call)
                if error is not None:
                    raise error
                return response
            url = _redirect_target(request, response, url)
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
        self.requests_sent += 1
        try:
            response = self._session.send(request, url, query, min(float(self.account.request_timeout), left))
        except OrderError:
            if self._session.sent and self._sent is False:
                self._sent = None
            raise
        self._sent = True
        return response

    def _describe(self, request: Request, response: Response, message: str) -> str:
        """The message with the beginning of the body that it is about, free of secrets and personal data."""
        # What came in two bytes a character is not to be pulled apart by blanks.
        begun = response.text()[: 2 * _MAX_PREVIEW_SOURCE].replace("\0", "")
        # Secrets first: wherever a text ends, one may have been cut in two.
        preview = self.redactor.scrub_part(begun)[:_MAX_PREVIEW_SOURCE]
        preview = clean_line(drop_personal_text(preview, self._personal), _MAX_PREVIEW)
        shown = f"; it begins: {preview}" if preview else ""
        return f"the answer to {request.call} (HTTP {response.status}) cannot be used: {message}{shown}"


def _redirect_target(request: Request, response: Response, url: str) -> str:
    """Where a redirect leads, when it may be followed: a GET within the same scheme, host and port.

    Raises:
        AuthenticationError: when it leads to a login page.
        UnexpectedResponse: when it may not be followed.
    """
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
    if request.method != "GET" or not request.repeatable or not same or there.path == here.path:
        why = "" if same else " to another host or scheme, since the credentials would go there"
        raise UnexpectedResponse(
            f"{request.call} was redirected (HTTP {response.status}), which is not followed{why}; check api_url",
            http_status=response.status,
            retryable=False,
        )
    return target


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a server. Raises ValueError for what is no URL."""
    parts = urlsplit(url)
    # Where a user or a backslash stands before the host, libraries do not agree on which host it is.
    if "\\" in url or "@" in parts.netloc:
        raise ValueError("which host it is depends on who reads it")
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
