# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The event source orders, for Event-Driven Ansible: what happens to certificate orders, as events.

The polling is the wait of the module order_wait: one loop for all orders of an account, within the limits that the
provider publishes. It runs in a thread, and puts its news into the queue of ansible-rulebook.
"""

from __future__ import annotations

DOCUMENTATION = r"""
---
short_description: Changes of certificate orders, and certificates that are due
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Watches the orders of one account in one loop, as M(certops.issuance.order_wait) does, and goes on when they are
    issued or have ended.
  - Sends an event for each order at the start, for each change of an order, and once for each certificate that is due
    for renewal.
  - After a restart each order is reported again, so actions must be such that they can be repeated. The role
    P(certops.issuance.certificate#role) is.
  - Credentials are never part of an event. Leave them in the environment variables of the provider.
options:
  provider:
    description: Where the orders were placed.
    type: str
    required: true
    choices: [cpanel, digicert, gogetssl, sectigo]
  order_ids:
    description: IDs of the orders to watch. All belong to one account.
    type: list
    elements: str
    required: true
    aliases: [order_id]
  refresh_interval:
    description:
      - How often orders that are issued or have ended are read again, and how long one wait lasts for the others.
      - In seconds or as a duration such as V(45s), V(30m) or V(6h).
    type: raw
    default: 6h
  poll_interval:
    description: The time between two polls, instead of the provider's schedule. Written as O(refresh_interval).
    type: raw
  remaining:
    description:
      - How much of the lifetime is left when a certificate becomes due, as days (V(30), V(30d)) or as a share of the
        lifetime (V(25%)).
      - Without it one third of the lifetime, or one half where the lifetime is below ten days. The hosts of the role
        P(certops.issuance.certificate#role) are due a little earlier, so C(certificate_renewal=auto) finds them due.
    type: raw
  api_url:
    description: The URL of the API, where it is not the provider's own.
    type: str
  api_key:
    description: The API key or token of the account.
    type: str
  username:
    description: The user of the account.
    type: str
  password:
    description: The password of the account.
    type: str
  cpanel_provider:
    description: The store of cPanel Market.
    type: str
    default: cPStore
  cpanel_account:
    description: The cPanel account, where the credentials are those of a reseller.
    type: str
  id_type:
    description: What the IDs name, for providers where that is a choice.
    type: str
    default: order
    choices: [order, certificate]
  validate_certs:
    description: Whether the certificate of the API is verified.
    type: bool
    default: true
  ca_path:
    description: A file with CA certificates that the API is trusted by.
    type: path
  proxy:
    description: The URL of a proxy.
    type: str
  request_timeout:
    description: Seconds after which a request is given up.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Certificates
  hosts: all
  sources:
    - name: Orders at DigiCert
      certops.issuance.orders:
        provider: digicert
        order_ids: ["12345", "12346"]
  rules:
    - name: Put into service what is issued
      condition: event.kind == "changed" and event.status == "issued"
      action:
        run_playbook:
          name: certops.issuance.provision
"""

import asyncio
import concurrent.futures
import importlib
import logging
import os
import sys
import threading
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator


def _find_collection() -> None:
    """Let Python find the collection: ansible-rulebook runs this file by its path, without Ansible's loader."""
    try:
        importlib.import_module("ansible_collections.certops.issuance.plugins.module_utils")
    except ModuleNotFoundError:
        sys.path.append(str(Path(__file__).absolute().parents[7]))


_find_collection()

from ansible_collections.certops.issuance.plugins.module_utils._common.names import iso_time
from ansible_collections.certops.issuance.plugins.module_utils._common.renewal import renewal
from ansible_collections.certops.issuance.plugins.module_utils._orders.describe import describe_order
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import Order, Status
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.result import (
    clean_result,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import (
    ORDER_IDS,
    PROVIDER_OPTIONS,
    Params,
    Result,
    Runtime,
    Session,
    check_option_names,
    check_order_ids,
    perform,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.durations import (
    parse_duration,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.loop import (
    PollReport,
    wait_for_orders,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.wait.state import (
    OrderState,
    Outcome,
    WaitOptions,
)

logger = logging.getLogger(__name__)

OPTIONS: dict[str, t.Any] = dict(
    PROVIDER_OPTIONS,
    order_ids=ORDER_IDS,
    refresh_interval={"type": "raw", "default": "6h"},
    poll_interval={"type": "raw"},
    remaining={"type": "raw"},
)
#: The shortest refresh_interval, in seconds.
_MIN_REFRESH = 1
#: A pause between two looks at the dates of certificates is at most so many seconds: a machine may have slept.
_MAX_PAUSE = 900.0
#: Seconds between two looks at whether the source is to end, while the queue is full.
_STOP_CHECK_INTERVAL = 1.0

Event = t.Dict[str, t.Any]


class SourceFailed(Exception):
    """The source cannot go on; the text says why and what to do."""


class _Stopped(Exception):
    """ansible-rulebook has ended the source."""


async def main(queue: asyncio.Queue[Event], args: dict[str, t.Any]) -> None:
    """Put an event into the queue for each change of an order and for each certificate that is due, until canceled.

    Raises:
        SourceFailed: when an option is wrong, or credentials or a library are missing.
    """
    loop = asyncio.get_running_loop()
    stopped = threading.Event()

    def sleep(seconds: float) -> None:
        if stopped.wait(max(0.0, seconds)):
            raise _Stopped

    def emit(event: Event) -> None:
        if stopped.is_set():
            raise _Stopped
        put = asyncio.run_coroutine_threadsafe(queue.put(event), loop)
        while not concurrent.futures.wait([put], _STOP_CHECK_INTERVAL).done:
            if stopped.is_set():
                raise _Stopped
        put.result()

    runtime = Runtime(environment=os.environ, report=logger.info, sleep=sleep)
    watch = _Watch(_check_options(args, runtime), runtime, emit)
    try:
        await asyncio.to_thread(watch.run)
    finally:
        stopped.set()


def _check_options(args: t.Mapping[str, t.Any], runtime: Runtime) -> Params:
    """The options with their types and defaults. Raises SourceFailed."""
    for name in ("api_key", "password"):
        runtime.redactor.learn(str(args.get(name) or ""))
    try:
        check_option_names(args, OPTIONS, "certops.issuance.orders")
    except InvalidRequest as exc:
        raise SourceFailed(runtime.redactor.scrub(exc.message)) from None
    checked = ArgumentSpecValidator(OPTIONS).validate(dict(args))
    if checked.error_messages:
        raise SourceFailed(runtime.redactor.scrub("; ".join(checked.error_messages)))
    return t.cast(Params, checked.validated_parameters)


def _seconds(name: str, value: t.Any, least: int) -> float:
    """A duration. Raises SourceFailed."""
    try:
        seconds = parse_duration(value)
    except ValueError as exc:
        raise SourceFailed(f"{name} {exc}; give seconds, or a duration such as 6h") from None
    if seconds < least:
        raise SourceFailed(f"{name} is {seconds}; it must be at least {least} second")
    return float(seconds)


class _Watch:
    """Watches orders, and remembers of each what was reported."""

    def __init__(self, params: Params, runtime: Runtime, emit: t.Callable[[Event], None]) -> None:
        self._params = params
        self._runtime = runtime
        self._emit = emit
        self._refresh = _seconds("refresh_interval", params["refresh_interval"], _MIN_REFRESH)
        interval = params["poll_interval"]
        self._options = WaitOptions(
            timeout=self._refresh,
            poll_interval=None if interval is None else _seconds("poll_interval", interval, 1),
            stop_on_action_required=False,
        )
        try:
            # A certificate that lives long enough for any value that is one.
            dates = {"not_before": "2000-01-01T00:00:00Z", "not_after": "2100-01-01T00:00:00Z"}
            renewal(dates, datetime.now(timezone.utc), params["remaining"])
        except ValueError as exc:
            raise SourceFailed(str(exc)) from None
        self._reported: dict[str, t.Any] = {}
        self._statuses: dict[str, str] = {}
        self._issued: dict[str, Order] = {}
        self._due: dict[str, t.Any] = {}

    def run(self) -> None:
        """Watch until the source is ended.

        Raises:
            SourceFailed: when no request can be made at all.
        """
        try:
            while True:
                result = perform(self._watch_once, self._params, self._runtime)
                for warning in result.get("warnings", ()):
                    logger.warning("%s", warning)
                if result.get("failed"):
                    raise SourceFailed(result["msg"])
                self._rest(result["pause"])
        except _Stopped:
            logger.info("the orders are not watched any more")

    def _watch_once(self, session: Session, params: Params) -> Result:
        """One wait for all orders. Returns after how many seconds the next one makes sense."""
        order_ids, failures = check_order_ids(session.provider, params["order_ids"])
        if failures:
            raise failures[0]
        runtime = self._runtime
        session.transport.deadline = runtime.clock() + self._refresh
        provider = session.provider
        wait = wait_for_orders(provider, order_ids, self._options, runtime.clock, runtime.sleep, self._hear)
        for note in wait.notes:
            session.warn(note)
        waiting = any(state.outcome == Outcome.TIMED_OUT for state in wait.orders)
        return {"pause": wait.next_poll if waiting else self._refresh}

    def _hear(self, report: PollReport) -> None:
        for state in report.orders:
            if state.changed:
                self._report_change(state)
        self._report_due()

    def _report_change(self, state: OrderState) -> None:
        """Report an order if anything about it differs from what was reported last, by this wait or one before."""
        order, order_id = state.order, state.order_id
        error = state.error if state.outcome == Outcome.FAILED else None
        shown = order and (
            order.status,
            order.issued,
            order.dcv_completed,
            order.domains,
            order.blockers,
            order.reason,
            order.certificate,
        )
        news = (shown, error and error.kind)
        if news in ((None, None), self._reported.get(order_id)):
            return
        self._reported[order_id] = news
        if order is not None and error is None and order.status == Status.ISSUED:
            self._issued[order_id] = order
        else:
            self._issued.pop(order_id, None)
        previous = self._statuses.get(order_id)
        self._statuses[order_id] = order.status if order is not None else Status.UNKNOWN
        standing = describe_order(order) if order is not None else ""
        text = error.message if error is not None else standing
        self._put("changed", order_id, order, text, previous_status=previous, error_kind=error and error.kind)

    def _report_due(self) -> float:
        """Report each certificate that has become due. Returns the seconds until the next one does."""
        now = datetime.now(timezone.utc)
        pause = _MAX_PAUSE
        for order_id, order in self._issued.items():
            certificate = order.certificate
            dates = {"not_before": certificate.not_before, "not_after": certificate.not_after}
            # A reissue often ends when its predecessor does, and is another certificate all the same.
            known_by = (certificate.serial_number or certificate.id, *dates.values())
            if not all(dates.values()) or self._due.get(order_id) == known_by:
                continue
            try:
                found = renewal(dates, now, self._params["remaining"])
            except ValueError as exc:
                self._due[order_id] = known_by
                logger.warning("order %s: nobody can tell when its certificate is due: %s", order_id, exc)
                continue
            if found.at is not None and not found.due:
                pause = min(pause, (found.at - now).total_seconds())
            if found.due:
                self._due[order_id] = known_by
                text = f"its certificate is due for renewal; it is valid until {dates['not_after']}"
                moments = {"at": found.at, "latest": found.latest}
                known = {name: iso_time(moment) for name, moment in moments.items() if moment is not None}
                self._put("due", order_id, order, text, due=dict(known, reason=found.reason))
        return pause

    def _put(self, kind: str, order_id: str, order: Order | None, text: str, **fields: t.Any) -> None:
        provider = self._params["provider"]
        orders = [] if order is None else [order.to_dict()]
        result: Event = {"orders": orders, "msg": f"{provider} order {order_id}: {text}", **fields}
        clean = clean_result(result, self._runtime.redactor)
        found = clean.pop("orders")
        about = {"kind": kind, "provider": provider, "order_id": order_id, "status": self._statuses[order_id]}
        self._emit({**about, **clean, "order": found[0] if found else None})

    def _rest(self, seconds: float) -> None:
        """Pause, and report what becomes due meanwhile."""
        end = self._runtime.clock() + seconds
        while (left := end - self._runtime.clock()) > 0:
            self._runtime.sleep(min(left, max(1.0, self._report_due())))
