# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong while talking to a provider, as one small exception tree.

Private to this collection. Modules and plugins turn these into failures; nothing below them does.

* ``OrderError``

  * ``InvalidRequest``: the question itself is wrong
  * ``AuthenticationError``: the credentials were refused

    * ``PermissionDenied``: they are good, but not for this call

  * ``RateLimited``: too many requests
  * ``OrderNotFound``: the provider does not know the order
  * ``ProviderUnavailable``: no answer came
  * ``UnexpectedResponse``: an answer came that is none to this call
  * ``NotIssued``: there is no certificate yet
  * ``OrderFailed``: the order ended without a certificate
  * ``ActionRequired``: a person must act
  * ``WaitTimedOut``: the deadline of a wait passed
  * ``CertificateRefused``: the certificate is not the one that was ordered
  * ``Unsupported``: the provider has no such call
  * ``TooSoon``: it was done a short time ago
  * ``NamesChanged``, ``CoverageEnded``, ``PriceExceeded``, ``ReissueInProgress``, ``AutoReissueEnabled``: why a
    reissue is not requested
  * ``RequestUncertain``: it is not known whether a request was carried out
"""

from __future__ import annotations

import typing as t


class OrderError(Exception):
    """The base of all that can go wrong. Raised as it is by nobody.

    Arguments:
        message: one sentence: what was tried or expected, what came, what to do. Free of secrets.
        provider: name of the provider asked.
        order_id: the order that the request was about, where it was about one.
        http_status: status code of the answer, when there was one.
        retry_after: seconds that the provider asked us to wait, where it did.
        retryable: overrides whether asking the same thing again later can help.
    """

    kind = "unexpected_response"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        order_id: str | None = None,
        http_status: int | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.order_id = order_id
        self.http_status = http_status
        self.retry_after = retry_after
        if retryable is not None:
            self.retryable = retryable
        #: Whether the request reached the network: False (certainly not), True (it was answered), or None where it may
        #: have. A request that changes something is sent again only after False.
        self.sent: bool | None = None
        #: What is known all the same (for example the orders that did answer); part of the task's result.
        self.details: dict[str, t.Any] = {}

    def __str__(self) -> str:
        subject = " ".join(filter(None, [self.provider, f"order {self.order_id}" if self.order_id else ""]))
        return f"{subject}: {self.message}" if subject else self.message

    def locate(
        self,
        provider: str | None = None,
        order_id: str | None = None,
        http_status: int | None = None,
    ) -> OrderError:
        """Fill in where it happened, keeping what is known already. Returns the error itself."""
        self.provider = self.provider or provider
        self.order_id = self.order_id or order_id
        self.http_status = self.http_status if self.http_status is not None else http_status
        return self

    def to_result(self) -> dict[str, t.Any]:
        """The fields of a failed task: msg, error_kind, retryable and, where known, provider, order_id, http_status."""
        result: dict[str, t.Any] = {"msg": str(self), "error_kind": self.kind, "retryable": self.retryable}
        for name in ("provider", "order_id", "http_status"):
            value = getattr(self, name)
            if value is not None:
                result[name] = value
        result.update(self.details)
        return result


class InvalidRequest(OrderError):
    """The question itself is wrong: an option, an order id, or a request the provider refuses to understand."""

    kind = "invalid_request"


class AuthenticationError(OrderError):
    """The credentials were refused. Never retried: accounts lock."""

    kind = "authentication"


class PermissionDenied(AuthenticationError):
    """The credentials are good, but their role or the account's features do not allow this call."""


class RateLimited(OrderError):
    """The provider asked us to slow down."""

    kind = "rate_limited"
    retryable = True


class OrderNotFound(OrderError):
    """The provider does not know this order."""

    kind = "not_found"


class ProviderUnavailable(OrderError):
    """No answer: the network, TLS, or a server error."""

    kind = "unavailable"
    retryable = True


class UnexpectedResponse(OrderError):
    """An answer that is not what this call should answer. Retried, since half a body often comes whole next time."""

    kind = "unexpected_response"
    retryable = True


class NotIssued(OrderError):
    """There is no certificate to collect now."""

    kind = "not_issued"
    retryable = True


class OrderFailed(OrderError):
    """The order ended without a certificate."""

    kind = "order_failed"


class ActionRequired(OrderError):
    """A person must act before the order can go on."""

    kind = "action_required"


class WaitTimedOut(OrderError):
    """The deadline of a wait passed."""

    kind = "timed_out"
    retryable = True


class CertificateRefused(OrderError):
    """What was collected is not the certificate that was ordered, or its chain is not whole.

    ``kind`` is one of the certificate kinds: key_mismatch, names_not_covered, untrusted_chain, not_valid_now.
    """

    def __init__(self, kind: str, message: str, **where: t.Any) -> None:
        super().__init__(message, **where)
        self.kind = kind


class Unsupported(OrderError):
    """The provider has no such call. Nothing was sent."""

    kind = "unsupported"


class TooSoon(OrderError):
    """The same was done a short time ago."""

    kind = "too_soon"
    retryable = True


class NamesChanged(OrderError):
    """The names of the next certificate are not those of the present one."""

    kind = "names_changed"


class CoverageEnded(OrderError):
    """What was paid for has ended, or ends so soon that a reissue is of no use."""

    kind = "coverage_ended"


class PriceExceeded(OrderError):
    """What is wished for would cost more than may be spent."""

    kind = "price_exceeded"


class ReissueInProgress(OrderError):
    """Somebody else's reissue of the order is open."""

    kind = "reissue_in_progress"
    retryable = True


class AutoReissueEnabled(OrderError):
    """The provider makes reissues of the order by itself."""

    kind = "auto_reissue_enabled"


class RequestUncertain(OrderError):
    """A request was sent, no answer that can be read came, and nothing shows whether it was carried out."""

    kind = "request_uncertain"
    retryable = True
