# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wait knows of one order, and how an answer of the provider changes it.

Private to this collection. Pure: no provider, no clock, no text for people.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ..errors import OrderError, UnexpectedResponse
from ..model import Order, OrderCertificate, Status, without_superseded
from ..providers.base import OrderSummary

_IN_VALIDATION = (Status.VALIDATING, Status.ISSUING)


class Outcome:
    """How a wait ended for an order."""

    REACHED = "reached"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True)
class WaitOptions:
    """What to wait for.

    Arguments:
        until: issued or dcv_completed.
        timeout: seconds for the whole wait; 0 polls once.
        poll_interval: seconds between polls, instead of the provider's schedule.
        stop_on_action_required: end the wait for an order for which a person must act.
        superseded_serial_numbers: certificates with these serials are the previous ones and never count.
    """

    until: str = "issued"
    timeout: float = 1800.0
    poll_interval: float | None = None
    stop_on_action_required: bool = True
    superseded_serial_numbers: t.Sequence[str] = ()


@dataclass(eq=False)
class OrderState:
    """One order of a wait.

    Arguments:
        order: as last seen; None while no answer came.
        outcome: one of Outcome, None while the wait goes on.
        error: what kept the last answer from coming, or ended the wait for this order.
        changed: something changed since the last poll.
        change_token: the last one of the summary; see OrderSummary.
        needs_detail: only the detail call shows what is new: it has not been answered yet, or not since the summary
            changed.
        summary_unsupported: the summary does not show where the order stands: only the detail call does.
        detail_lags: detail calls since the summary changed.
        fetched_at: when the detail call was made last, in seconds of the clock.
        last_call_failed: that call was not answered.
        was_pending: the order was seen before its certificate was there, so the certificate is a new one.
        serial_unknown: calls in a row that showed a certificate without the serial number, so that it may be the
            superseded one.
        replaced: the certificate that the order had while its reissue was open.
    """

    order_id: str
    order: Order | None = None
    outcome: str | None = None
    error: OrderError | None = None
    changed: bool = False
    change_token: str | None = None
    needs_detail: bool = True
    summary_unsupported: bool = False
    detail_lags: int = 0
    fetched_at: float | None = None
    last_call_failed: bool = False
    was_pending: bool = False
    serial_unknown: int = 0
    replaced: OrderCertificate | None = None

    @property
    def chain_missing(self) -> bool:
        """The order is issued, and there is nothing to collect yet: no summary reports when there is."""
        return self.order is not None and self.order.status == Status.ISSUED

    def apply_summary(self, summary: OrderSummary | None, first: bool, superseded: t.Sequence[str]) -> None:
        """Take what the bulk call reports; None where it has no news of the order.

        Arguments:
            first: no summary was fetched before in this wait.
            superseded: serial numbers of certificates that do not count.
        """
        self.error = None
        if summary is None:
            return
        self.summary_unsupported = summary.order is None
        if summary.change_token == self.change_token:
            return
        self.change_token, self.detail_lags = summary.change_token, 0
        self.needs_detail = True
        if first and summary.order is not None and summary.order.status in _IN_VALIDATION:
            # The detail call has shown more already, where it was made.
            self.needs_detail = self.order is not None and self.order.status not in _IN_VALIDATION
            if self.order is None:
                self._observe(summary.order, superseded)

    def apply_order(self, order: Order, superseded: t.Sequence[str], max_detail_lag: int) -> None:
        """Take the answer of the detail call.

        Arguments:
            superseded: serial numbers of certificates that do not count.
            max_detail_lag: see RefreshPolicy.
        """
        before = self.order
        self._observe(order, superseded)
        self.error = None
        self.needs_detail = self.needs_detail and self.detail_lags < max_detail_lag and self._lags_summary(before)
        self.detail_lags += 1

    def judge(self, options: WaitOptions, max_serial_unknown: int) -> None:
        """Set the outcome, if there is one by now."""
        order = self.order
        if order is None or self.outcome is not None:
            return
        if is_reached(order, options.until):
            self.outcome = Outcome.REACHED
        elif order.final:
            self.outcome = Outcome.FAILED
        elif self.serial_unknown > max_serial_unknown:
            self.fail(_serial_unknown(order))
        elif order.status == Status.ACTION_REQUIRED and options.stop_on_action_required:
            self.outcome = Outcome.ACTION_REQUIRED
        self.changed = self.changed or self.outcome is not None

    def fail(self, error: OrderError) -> None:
        """End the wait for this order."""
        self.error, self.outcome, self.changed = error, Outcome.FAILED, True

    def _observe(self, order: Order, superseded: t.Sequence[str]) -> None:
        # The body is not kept: a wait for ten thousand orders would hold ten thousand of them.
        order = replace(order, raw=None)
        self.was_pending = self.was_pending or order.status in Status.OPEN
        if not order.issued and any(blocker.check == "reissue" for blocker in order.blockers):
            self.replaced = _first_reported(self.replaced, order.certificate)
        nameless = order.certificate.serial_number is None
        # A certificate that was not there at first is a new one, whatever its serial number is.
        serials = () if nameless and self.was_pending else superseded
        counted = without_superseded(order, serials, self.replaced)
        unknown = nameless and bool(serials) and order.issued and not counted.issued
        self.serial_unknown = self.serial_unknown + 1 if unknown else 0
        self.changed = self.changed or _visible(counted) != _visible(self.order)
        self.order = counted

    def _lags_summary(self, before: Order | None) -> bool:
        """Whether the detail call seems not to know yet what the summary reported: a provider's parts may lag."""
        order = self.order
        if order is None or self.change_token is None:
            return False
        if before is None:
            # Of orders in validation the summary is enough, so it had reported something else.
            return order.status == Status.VALIDATING
        return (order.provider_status, order.certificate.id) == (before.provider_status, before.certificate.id)


def is_reached(order: Order, until: str) -> bool:
    """Whether an order is where the wait is to end: issued or dcv_completed."""
    if until == "dcv_completed" and order.status not in Status.ENDED:
        return order.issued or order.status == Status.ISSUING or order.dcv_completed is True
    return order.issued


def _serial_unknown(order: Order) -> OrderError:
    return UnexpectedResponse(
        "the certificate is issued, but the provider does not report its serial number, so it cannot be distinguished "
        "from the superseded one; run this without superseded_serial_number and give that to order_certificate, which "
        "reads the certificate itself",
        provider=order.provider,
        order_id=order.order_id,
        retryable=False,
    )


def _first_reported(known: OrderCertificate | None, reported: OrderCertificate) -> OrderCertificate:
    """The certificate that was reported first: the new one may be reported before the reissue is called done."""
    if known is None or (known.id, known.serial_number) in ((None, None), (reported.id, None)):
        return reported
    return known


def _visible(order: Order | None) -> t.Any:
    """What makes a change worth a line."""
    return order and (order.status, order.issued, order.dcv_completed, order.domains, order.blockers, order.reason)
