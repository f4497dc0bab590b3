# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the order modules, their actions and the lookup do: options in, a plain result out.

Private to this collection. Each operation is one function of a Session and the task's options; perform() opens the
session, runs it and makes a result of whatever comes, free of secrets.
"""

from __future__ import annotations

import datetime
import re
import time
import typing as t
from dataclasses import dataclass, field

from ..._common.names import normalize_serial, serial_forms
from ..account import ACCOUNT_OPTIONS, resolve_account, unused_credentials
from ..certificates import chain
from ..describe import describe_order
from ..errors import (
    ActionRequired,
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderFailed,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
    WaitTimedOut,
)
from ..http.client import HttpClient
from ..http.rate_limit import Clock, RateLimiter, Sleep
from ..http.redaction import Redactor, drop_personal
from ..http.session import REQUESTS_ERROR
from ..model import IssuedBundle, Order, Status, without_superseded
from ..providers.base import Provider
from ..providers.registry import PROVIDERS
from ..wait.loop import MOST_FAULTS, Outcome, Waiting, WaitOptions, WaitResult, wait_for_orders
from ..wait.progress import Progress, duration, plain_line
from .result import clean_result

#: From so many orders on order_info asks the bulk call first, and in detail only for those it cannot tell enough of.
BULK_INFO_FROM = 100

_ORDER_IDS: dict[str, t.Any] = {"type": "list", "elements": "str", "required": True, "aliases": ["order_id"]}
_ACCOUNT: dict[str, t.Any] = dict(
    ACCOUNT_OPTIONS,
    provider={"type": "str", "required": True, "choices": sorted(PROVIDERS)},
)

ORDER_INFO_OPTIONS: dict[str, t.Any] = dict(
    _ACCOUNT,
    order_ids=_ORDER_IDS,
    include_raw={"type": "bool", "default": False},
)
ORDER_WAIT_OPTIONS: dict[str, t.Any] = dict(
    _ACCOUNT,
    order_ids=_ORDER_IDS,
    until={"type": "str", "default": "issued", "choices": ["issued", "dcv_completed"]},
    timeout={"type": "int", "default": 1800},
    poll_interval={"type": "int"},
    on_timeout={"type": "str", "default": "fail", "choices": ["fail", "return"]},
    on_failure={"type": "str", "default": "fail", "choices": ["fail", "return"]},
    on_action_required={"type": "str", "default": "stop", "choices": ["stop", "wait"]},
    superseded_serial_number={"type": "list", "elements": "str"},
)
ORDER_CERTIFICATE_OPTIONS: dict[str, t.Any] = dict(
    _ACCOUNT,
    order_id={"type": "str", "required": True},
    csr={"type": "str"},
    names={"type": "list", "elements": "str"},
    superseded_serial_number={"type": "str"},
)

Params = t.Mapping[str, t.Any]
Result = t.Dict[str, t.Any]


@dataclass
class Runtime:
    """What surrounds an operation.

    Arguments:
        environment: the environment variables of the task.
        check_mode: nothing may be waited for.
        report: takes progress lines; None where nobody would see them in time.
        verbosity: of the run, for progress.
        clock: monotonic seconds.
        sleep: pauses for a number of seconds.
        wall: the local time.
        redactor: learns every secret that the operation comes to know, for whoever prints something later.
    """

    environment: t.Mapping[str, str]
    check_mode: bool = False
    report: t.Callable[[str], None] | None = None
    verbosity: int = 0
    clock: Clock = time.monotonic
    sleep: Sleep = time.sleep
    wall: t.Callable[[], datetime.datetime] = datetime.datetime.now
    redactor: Redactor = field(default_factory=Redactor)


@dataclass
class Session:
    """An open account: the provider, its transport, and what surrounds them."""

    provider: Provider
    transport: HttpClient
    runtime: Runtime
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        """Add a warning to the result; each shows once there."""
        self.warnings.append(message)


Operation = t.Callable[[Session, Params], Result]


def perform(operation: Operation, params: Params, runtime: Runtime) -> Result:
    """Run an operation and make a result of what comes, failed or not. Raises nothing that an operation may raise.

    Arguments:
        params: validated options of the module or plugin.

    Returns:
        The fields of the result; ``failed`` is true in it when the operation failed, with ``msg`` and ``error_kind``.
    """
    session: Session | None = None
    try:
        session = open_session(params, runtime)
        result = operation(session, params)
    except OrderError as exc:
        result = dict(exc.locate(provider=params["provider"]).to_result(), failed=True)
    finally:
        if session is not None:
            session.transport.close()
    if session is not None:
        result.setdefault("requests_sent", session.transport.requests_sent)
        if session.warnings:
            result["warnings"] = session.warnings
    result["changed"] = False
    return clean_result(result, runtime.redactor)


def open_session(params: Params, runtime: Runtime) -> Session:
    """Open the account that the options name; nothing is sent yet.

    Raises:
        InvalidRequest: when an option or a library is missing or cannot be used.
    """
    for secret in (params.get("api_key"), params.get("password")):
        runtime.redactor.learn(secret or "")
    if REQUESTS_ERROR is not None:
        raise InvalidRequest(
            "the Python library requests is missing where this task runs; install it there with "
            "'python3 -m pip install requests'"
        )
    provider_class = PROVIDERS[params["provider"]]
    account = resolve_account(provider_class.info, params, runtime.environment)
    warnings: list[str] = []
    rate_limiter = RateLimiter(
        fingerprint=account.fingerprint,
        rate_limits=provider_class.info.rate_limits,
        clock=runtime.clock,
        sleep=runtime.sleep,
        warn=warnings.append,
    )
    transport = HttpClient(
        account,
        rate_limiter,
        runtime.clock,
        runtime.sleep,
        runtime.environment,
        redactor=runtime.redactor,
        personal=provider_class.info.personal,
    )
    for option in unused_credentials(provider_class.info, params):
        warnings.append(f"{provider_class.info.label} takes no {option}; it was not used")
    if not account.validate_certs:
        warnings.append(
            "validate_certs is off: anybody on the way can read the credentials and answer in the provider's name"
        )
    return Session(provider_class(account, transport), transport, runtime, warnings)


# -- order_info ---------------------------------------------------------------


def order_info(session: Session, params: Params) -> Result:
    """Where each order stands. Orders that cannot be had do not keep the others from being returned.

    Raises:
        OrderError: the first failure, with ``orders`` (those that were answered) and, beside others, ``errors`` in its
            details.
    """
    order_ids, failures = _check_order_ids(session.provider, params["order_ids"])
    include_raw = bool(params.get("include_raw"))
    sketches = {} if include_raw or len(order_ids) < BULK_INFO_FROM else _sketch_orders(session, order_ids)
    orders: list[Order] = []
    faults = 0
    for position, order_id in enumerate(order_ids):
        try:
            orders.append(sketches.get(order_id) or session.provider.fetch_order(order_id))
            faults = 0
        except OrderError as exc:
            failures.append(exc.locate(session.provider.info.name, order_id))
            faults += 1 if isinstance(exc, ProviderUnavailable) else 0
            unanswered = order_ids[position + 1 :]
            if (
                isinstance(exc, (AuthenticationError, RateLimited))
                or faults >= MOST_FAULTS
                or (isinstance(exc, ProviderUnavailable) and not exc.retryable)
            ):
                # No other order can do better now; asking on would lock the account, or last for ever.
                if unanswered:
                    session.warn(f"not asked after this failure: {_enumerate(unanswered)}")
                break
    concerned: dict[str, list[str]] = {}
    for order in orders:
        for warning in order.warnings:
            concerned.setdefault(warning, []).append(order.order_id)
    for warning, concerned_ids in concerned.items():
        session.warn(f"order {_enumerate(concerned_ids)}: {warning}")
    result: Result = {"orders": [_order_to_dict(session, order, include_raw) for order in orders]}
    if failures:
        raise _first(failures, result)
    return result


def _order_to_dict(session: Session, order: Order, include_raw: bool) -> Result:
    entry = order.to_dict()
    if include_raw:
        clean, left_out = drop_personal(order.raw, session.provider.info.personal)
        entry["raw"] = clean
        if left_out:
            entry["warnings"].append("left out of raw as personal data: {0}".format(", ".join(left_out)))
    return entry


def _sketch_orders(session: Session, order_ids: t.Sequence[str]) -> dict[str, Order]:
    """What one bulk call tells of orders that are not there yet; of all others the detail call has more to say.

    Raises:
        AuthenticationError, RateLimited, ProviderUnavailable: when the provider answers nobody now.
    """
    provider = session.provider
    if provider.info.bulk_from is None:
        return {}
    try:
        found = provider.fetch_summaries(order_ids, None)
    except OrderError as exc:
        not_well = (AuthenticationError, RateLimited, ProviderUnavailable)
        if isinstance(exc, not_well) and not isinstance(exc, PermissionDenied):
            # A hundred single calls would only make it worse.
            exc.details = {"orders": []}
            raise
        session.warn(f"bulk call refused, asking for each order instead: {exc}")
        return {}
    sketches = {
        order_id: sketch.order
        for order_id, sketch in found.items()
        if sketch.order is not None and sketch.order.status in (Status.VALIDATING, Status.ISSUING)
    }
    if sketches:
        session.warn(
            f"{len(sketches)} of {len(order_ids)} orders were asked for by the bulk call alone, so their checks and names are not told; ask for "
            f"fewer than {BULK_INFO_FROM} orders at once to see them"
        )
    return sketches


def _check_order_ids(provider: Provider, given: t.Sequence[str]) -> tuple[list[str], list[OrderError]]:
    """The order ids as the provider writes them, each once; and what is wrong with the others."""
    good: list[str] = []
    failures: list[OrderError] = []
    for order_id in given:
        try:
            good.append(provider.check_order_id(str(order_id)))
        except InvalidRequest as exc:
            failures.append(exc)
    if not given:
        raise InvalidRequest("order_ids is empty; give at least one order id")
    return list(dict.fromkeys(good)), failures


def _first(failures: t.Sequence[OrderError], result: Result) -> OrderError:
    """The failure that a task reports, with all others beside it: the first, unless one concerns the whole account."""
    first = next((failure for failure in failures if isinstance(failure, AuthenticationError)), failures[0])
    first.details = result
    if len(failures) > 1:
        first.details = dict(result, errors=[_strip(failure) for failure in failures])
        first.message += f" (and {len(failures) - 1} more, see errors)"
    return first


def _strip(failure: OrderError) -> Result:
    return {name: value for name, value in failure.to_result().items() if name not in failure.details}


def _enumerate(items: t.Sequence[str], most: int = 10) -> str:
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown


# -- order_wait ---------------------------------------------------------------


def order_wait(session: Session, params: Params) -> Result:
    """Wait for orders in one loop. In check mode look once, and do not fail for what would be waited for.

    Raises:
        OrderError: when an order did not reach what was waited for and the options say that this is a failure; with
            ``orders`` (every one asked for, with its outcome) in its details.
    """
    runtime = session.runtime
    timeout = params.get("timeout", 1800)
    interval = params.get("poll_interval")
    if timeout < 0:
        raise InvalidRequest(f"timeout is {timeout}; it must not be negative, and 0 looks once")
    if interval is not None and interval < 1:
        raise InvalidRequest(f"poll_interval is {interval}; it must be at least 1 second")
    superseded = _serial_numbers(params.get("superseded_serial_number") or ())
    order_ids, failures = _check_order_ids(session.provider, params["order_ids"])
    if runtime.check_mode:
        timeout = 0
    if timeout > 0:
        session.transport.deadline = runtime.clock() + timeout
    wait = wait_for_orders(
        session.provider,
        order_ids,
        WaitOptions(
            until=params.get("until", "issued"),
            timeout=float(timeout),
            poll_interval=float(interval) if interval is not None else None,
            stop_on_action_required=params.get("on_action_required", "stop") == "stop",
            superseded_serial_numbers=superseded,
        ),
        runtime.clock,
        runtime.sleep,
        _listener(session),
    )
    waits = list(wait.waits) + [
        Waiting(order_id=failure.order_id or "", outcome=Outcome.FAILED, error=failure) for failure in failures
    ]
    for note in wait.notes:
        session.warn(note)
    result: Result = {
        "orders": [_wait_to_dict(session.provider.info.name, one, wait) for one in waits],
        "polls": wait.polls,
        "elapsed": round(wait.elapsed, 1),
        "next_poll_in": round(wait.next_poll),
    }
    _raise_for_outcomes(waits, wait, dict(params, on_timeout="return") if runtime.check_mode else params, result)
    return result


def _listener(session: Session) -> t.Callable[..., None]:
    runtime = session.runtime
    if runtime.report is None:
        return lambda tick: None
    report = runtime.report
    return Progress(
        provider=session.provider.info.name,
        # In this order: a secret that is cut in two would not be known again.
        emit=lambda line: report(plain_line(runtime.redactor.scrub(line))),
        wall=runtime.wall,
        verbosity=runtime.verbosity,
    )


def _wait_to_dict(provider: str, one: Waiting, wait: WaitResult) -> Result:
    order = one.order or Order(provider=provider, order_id=one.order_id, status=Status.UNKNOWN)
    entry = order.to_dict()
    entry["outcome"] = one.outcome
    if one.outcome != Outcome.REACHED:
        error = _outcome_error(one, wait)
        entry["error_kind"] = error.kind
        entry["msg"] = error.message
    if one.error is not None and one.outcome == Outcome.TIMED_OUT:
        entry["warnings"].append(f"the last question was not answered: {one.error.message}")
    return entry


def _raise_for_outcomes(waits: t.Sequence[Waiting], wait: WaitResult, params: Params, result: Result) -> None:
    bad: list[Waiting] = []
    if params.get("on_failure", "fail") == "fail":
        bad += [one for one in waits if one.outcome in (Outcome.FAILED, Outcome.ACTION_REQUIRED)]
    if params.get("on_timeout", "fail") == "fail":
        bad += [one for one in waits if one.outcome == Outcome.TIMED_OUT]
    if not bad:
        return
    # What no waiting can mend comes first.
    ranks = {Outcome.FAILED: 0, Outcome.ACTION_REQUIRED: 1, Outcome.TIMED_OUT: 2}
    bad.sort(key=lambda one: ranks[one.outcome or Outcome.TIMED_OUT])
    error = _outcome_error(bad[0], wait)
    if len(bad) > 1:
        more = "1 more order" if len(bad) == 2 else f"{len(bad) - 1} more orders"
        error.message += f" (and {more} of {len(waits)}, see orders)"
    error.details = result
    raise error


def _outcome_error(one: Waiting, wait: WaitResult) -> OrderError:
    state = describe_order(one.order) if one.order is not None else "no answer"
    if one.outcome == Outcome.FAILED:
        if one.error is not None:
            return one.error
        return OrderFailed(f"the order has ended: {state}; place a new one", order_id=one.order_id)
    if one.outcome == Outcome.ACTION_REQUIRED:
        return ActionRequired(f"{state}; somebody must act, then run this again", order_id=one.order_id)
    if one.error is not None:
        state += f" ({one.error.message})"
    return WaitTimedOut(
        f"not there after {duration(wait.elapsed)}: {state}; nothing is lost, run this again in {duration(wait.next_poll)}",
        order_id=one.order_id,
    )


# -- order_certificate --------------------------------------------------------


def order_certificate(session: Session, params: Params) -> Result:
    """The certificate of an issued order with its chain in the right order, checked against what was asked for.

    Raises:
        NotIssued, OrderFailed, ActionRequired: when there is nothing to collect now.
        CertificateRefused: when what was collected is not what was ordered, or its chain is not whole.
    """
    if chain.CRYPTOGRAPHY_ERROR is not None:
        raise InvalidRequest(
            "the Python library cryptography is missing where this task runs; install it there with "
            "'python3 -m pip install cryptography'"
        )
    order_id = session.provider.check_order_id(params["order_id"])
    given = params.get("superseded_serial_number")
    superseded = _serial_numbers([] if given is None else [given])
    # Before anything is collected: some providers let a certificate be collected only now and then.
    key = chain.key_of_csr(params["csr"]) if params.get("csr") else None
    names = [chain.ascii_name(name) for name in params.get("names") or ()]
    try:
        bundle = _collect(session, order_id, superseded, key, names)
    except OrderError as exc:
        exc.locate(session.provider.info.name, order_id)
        raise
    facts = bundle.facts
    return {
        "certificate": bundle.certificate,
        "chain": bundle.chain,
        "fullchain": bundle.fullchain,
        "serial_number": facts.serial_number,
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "names": list(facts.names),
        "issuer": facts.issuer,
        "fingerprint_sha256": facts.fingerprint_sha256,
    }


def _collect(
    session: Session,
    order_id: str,
    superseded: t.Sequence[str],
    key: bytes | None,
    names: t.Sequence[str],
) -> chain.Bundle:
    order = session.provider.fetch_order(order_id)
    for warning in order.warnings:
        session.warn(warning)
    if order.certificate.serial_number is not None:
        order = without_superseded(order, superseded)
    collected = session.provider.fetch_certificate(order)
    for warning in collected.warnings:
        session.warn(warning)
    if collected.leaf is not None and not collected.additional:
        raise NotIssued("the provider has not delivered the chain of the certificate yet; wait for it and try again")
    bundle = chain.assemble(collected.leaf, collected.additional)
    if bundle.facts.serial_number in superseded:
        raise NotIssued(
            f"the certificate with serial number {bundle.facts.serial_number} is the previous one; the reissue is not there yet"
        )
    told = order.certificate.serial_number
    if told is not None and not chain.is_serial(bundle, told):
        raise UnexpectedResponse(
            f"the provider delivered the certificate with serial number {bundle.facts.serial_number}, but the order's is {told}; "
            "try again later"
        )
    key = key or _csr_key(session, collected)
    if key is not None:
        chain.check_key(bundle, key)
    # What the order lists was asked for as well, unless the task says otherwise.
    chain.check_names(bundle, names or chain.host_names(domain.name for domain in order.domains))
    chain.check_validity(bundle, datetime.datetime.now(datetime.timezone.utc))
    return bundle


def _csr_key(session: Session, collected: IssuedBundle) -> bytes | None:
    """The key in the CSR that the provider has of the order; None where it tells none that can be read."""
    if not collected.csr:
        return None
    try:
        return chain.key_of_csr(collected.csr)
    except InvalidRequest:
        session.warn("the CSR that the provider reports cannot be read, so the key was not compared with it; give csr")
        return None


def _serial_numbers(given: t.Sequence[str]) -> list[str]:
    """Serial numbers of superseded certificates, as tools write them, in all forms that they may mean.

    Raises:
        InvalidRequest: for what is no serial number: the previous certificate would be taken for a new one.
    """
    found: list[str] = []
    for one in given:
        serial = normalize_serial(re.sub(r"^\s*(?:serial(?:number)?\s*[=:])?\s*(?:0x)?", "", one, flags=re.IGNORECASE))
        if serial is None or not re.fullmatch("[0-9A-F]{1,50}", serial):
            raise InvalidRequest(
                f"superseded_serial_number {one[:60]!r} is no serial number of a certificate; give it in hex, as "
                "certificate_info returns it, or leave the option out"
            )
        found += sorted(serial_forms(serial))
    return found
