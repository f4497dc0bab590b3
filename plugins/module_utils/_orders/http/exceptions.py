# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of the layers below (requests, urllib3, sockets, TLS) and HTTP statuses, translated into ours by two tables.

Private to this collection. Types decide, and texts are never shown: they hold the URL, and with it a session key.
"""

from __future__ import annotations

import datetime
import email.utils
import functools
import http
import http.client
import re
import socket
import ssl
import typing as t
from dataclasses import dataclass

from ..errors import (
    AuthenticationError,
    InvalidRequest,
    OrderError,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from .messages import Response

try:
    import requests
    import urllib3
except ImportError:
    # Reported where the session is opened; until then nothing here is called.
    pass

#: A Retry-After of more than a day, in seconds, is a mistake.
_MAX_RETRY_AFTER = 86400.0
#: The largest body that is read, in bytes. A certificate with its chain and every check is below 100 KiB;
#: a report about ten thousand orders is below 8 MiB.
MAX_BODY = 16 * 1024 * 1024

Errors = t.Tuple[t.Type[BaseException], ...]


class BodyTooLarge(http.client.HTTPException):
    """More came over a connection than any answer takes."""


class UnknownEncoding(ValueError):
    """A body is compressed in a way that was not requested."""


class RequestTimeout(Exception):
    """A request took longer in all than it may."""


@dataclass(frozen=True)
class Rule:
    """One line of a table: which fault becomes which error.

    Arguments:
        causes: the line is for a fault with one of these among its causes.
        error: the class to raise.
        message: its text, in which ``{host}``, ``{call}``, ``{timeout}``, ``{fault}``, ``{reason}`` and ``{limit}``
            may stand.
        unless: the line is not for a fault with one of these among its causes.
        retryable: overrides that of the class.
    """

    causes: Errors
    error: type[OrderError]
    message: str
    unless: Errors = ()
    retryable: bool | None = None


@functools.lru_cache(maxsize=None)
def _rules() -> tuple[Rule, ...]:
    """The table. The first line that is for a fault decides."""
    of_requests, of_urllib3 = requests.exceptions, urllib3.exceptions
    # urllib3 before version 2 compares names itself, and has a class of its own for what does not match.
    mismatch = getattr(urllib3.connection, "CertificateError", ssl.SSLCertVerificationError)
    return (
        Rule(
            (of_requests.ProxyError, of_urllib3.ProxyError),
            ProviderUnavailable,
            "the proxy gave no way to {host}; check proxy",
        ),
        Rule(
            (BodyTooLarge,),
            UnexpectedResponse,
            "the answer to {call} is larger than {limit} MiB and was not read",
            retryable=False,
        ),
        Rule(
            (UnknownEncoding,),
            UnexpectedResponse,
            "the answer to {call} is encoded in a way that was not requested",
            retryable=False,
        ),
        Rule(
            (socket.gaierror,), ProviderUnavailable, "the host name in {host} cannot be resolved; check api_url and DNS"
        ),
        Rule(
            (ConnectionRefusedError,),
            ProviderUnavailable,
            "{host} refused the connection; check host and port in api_url",
        ),
        # What ended a TLS connection for taking too long is no TLS fault.
        Rule(
            (of_requests.ReadTimeout, RequestTimeout),
            ProviderUnavailable,
            "{host} did not finish an answer to {call} within {timeout:.3g} s; check api_url and the network",
        ),
        Rule(
            (ssl.SSLCertVerificationError, mismatch),
            ProviderUnavailable,
            "the TLS certificate of {host} is not trusted ({reason}); check api_url, or name its CA in ca_path",
            retryable=False,
        ),
        Rule(
            (ssl.SSLError, of_requests.SSLError, of_urllib3.SSLError),
            ProviderUnavailable,
            "no TLS connection to {host}; check scheme and port in api_url",
            unless=(ssl.SSLEOFError, ssl.SSLZeroReturnError),
        ),
        Rule(
            (socket.timeout, TimeoutError, of_urllib3.TimeoutError),
            ProviderUnavailable,
            "{host} cannot be reached within {timeout:.3g} s; check api_url and the network",
        ),
        Rule(
            (of_requests.ContentDecodingError, of_urllib3.DecodeError),
            UnexpectedResponse,
            "the answer to {call} is wrongly compressed",
        ),
        Rule(
            (of_requests.InvalidHeader, UnicodeError),
            InvalidRequest,
            "a credential holds a character that no header can carry; check the credentials",
            unless=(of_urllib3.HTTPError,),
        ),
        Rule(
            (
                of_requests.InvalidURL,
                of_requests.InvalidSchema,
                of_requests.MissingSchema,
                of_urllib3.LocationValueError,
            ),
            InvalidRequest,
            "api_url or proxy is not a URL that can be asked; check both",
        ),
        Rule(
            (of_requests.ChunkedEncodingError, of_urllib3.IncompleteRead, http.client.IncompleteRead),
            UnexpectedResponse,
            "the answer to {call} was cut off",
        ),
        Rule(
            (BaseException,),
            ProviderUnavailable,
            "the connection to {host} broke during {call} ({fault}); try again later",
        ),
    )


def from_network_error(error: Exception, host: str, call: str, timeout: float) -> OrderError:
    """Our error for one of the layers below.

    Arguments:
        host: whom the request was for, as in api_url.
        call: what the call is named in messages.
        timeout: how long the request might have taken, in seconds.
    """
    causes = _causes(error)
    refused = _status_of_tunnel(causes)
    if refused is not None:
        return proxy_refused(refused)
    rule = next(rule for rule in _rules() if _is_for(rule, causes))
    reasons = [getattr(cause, "verify_message", None) for cause in causes]
    message = rule.message.format(
        host=host,
        call=call,
        timeout=timeout,
        fault=type(error).__name__,
        reason=next(filter(None, reasons), "Hostname mismatch"),
        limit=MAX_BODY // (1024 * 1024),
    )
    return rule.error(message, retryable=rule.retryable)


def _is_for(rule: Rule, causes: t.Sequence[BaseException]) -> bool:
    return any(isinstance(cause, rule.causes) for cause in causes) and not any(
        isinstance(cause, rule.unless) for cause in causes
    )


def _causes(error: BaseException) -> list[BaseException]:
    """An exception and all that caused it."""
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


def _status_of_tunnel(causes: t.Sequence[BaseException]) -> int | None:
    """The status with which a proxy refused its credentials; http.client has it in a text alone."""
    if not any(isinstance(cause, (requests.exceptions.ProxyError, urllib3.exceptions.ProxyError)) for cause in causes):
        return None
    # Some send 401 for credentials that are wrong, and 407 only where there are none.
    found = (re.search("Tunnel connection failed: (401|407)", str(cause)) for cause in causes)
    return next((int(match.group(1)) for match in found if match), None)


# -- statuses -----------------------------------------------------------------


def from_status(response: Response, call: str) -> OrderError | None:
    """Our error for an HTTP status that is no answer of the provider's; None where the provider is to judge it."""
    status = response.status
    retry_after = parse_retry_after(response.headers.get("retry-after"), datetime.datetime.now(datetime.timezone.utc))
    if status == 429:
        return RateLimited(
            f"too many requests (HTTP 429 to {call}); ask less often", http_status=status, retry_after=retry_after
        )
    if status == 407:
        return proxy_refused(status)
    if status >= 500 or status == 408:
        return ProviderUnavailable(
            f"the server failed (HTTP {status} {_phrase(status)} to {call}); try again later",
            http_status=status,
            retry_after=retry_after,
        )
    if status == 206 or not 200 <= status < 300 and status < 400:
        # 1xx announces an answer, 206 is a part of one, and what is left of 3xx is about another one.
        return UnexpectedResponse(
            f"HTTP {status} {_phrase(status)} is no answer to {call}; check api_url and what lies on the way",
            http_status=status,
        )
    return None


def proxy_refused(status: int) -> OrderError:
    """The error for a proxy that wants other credentials."""
    return AuthenticationError(f"the proxy refused its credentials (HTTP {status}); check proxy", http_status=status)


def parse_retry_after(value: str | None, now: datetime.datetime) -> float | None:
    """Seconds from a Retry-After header in either form (a number of seconds, or an HTTP date).

    None for anything else, more than a day included: that is a mistake, and not obeyed.

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
    return seconds if seconds <= _MAX_RETRY_AFTER else None


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "unknown status"
