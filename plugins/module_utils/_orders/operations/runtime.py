# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the order modules, their actions and the lookup share: an open account, and one way from options to a result.

Private to this collection. Each operation is a function of a Session and the task's options, in a file of its own;
perform() opens the session, runs the operation, and makes a result of whatever comes. Redaction happens there, once.
"""

from __future__ import annotations

import datetime
import difflib
import re
import time
import typing as t
from dataclasses import dataclass, field

from ..._common.names import normalize_serial, serial_forms
from ..._common.text import clean_line
from ..account import ACCOUNT_OPTIONS, resolve_account, unused_credentials
from ..errors import InvalidRequest, OrderError
from ..http.client import HttpClient
from ..http.rate_limit import Clock, RateLimiter, Sleep
from ..http.redaction import Redactor
from ..http.session import REQUESTS_ERROR
from ..providers.base import Provider
from ..providers.registry import PROVIDERS
from ..wait.durations import format_duration
from .result import clean_result

#: A progress line is cut after so many characters: what a provider wrote can be long.
_MAX_LINE = 500
#: Orders that a message names by their ids.
_MAX_NAMED = 10

PROVIDER_OPTIONS: dict[str, t.Any] = dict(
    ACCOUNT_OPTIONS,
    provider={"type": "str", "required": True, "choices": sorted(PROVIDERS)},
)
ORDER_IDS: dict[str, t.Any] = {"type": "list", "elements": "str", "required": True, "aliases": ["order_id"]}

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

    def show(self, line: str) -> None:
        """Show a progress line, free of secrets and of what would steer a terminal."""
        if self.report is not None:
            # In this order: a secret that is cut in two would not be recognized.
            self.report(clean_line(self.redactor.scrub(line), _MAX_LINE))


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
#: The operations whose failures have fields of their own even if they could not begin; see with_untouched_result.
_UNTOUCHED: dict[Operation, t.Mapping[str, t.Any]] = {}


def with_untouched_result(fields: t.Mapping[str, t.Any]) -> t.Callable[[Operation], Operation]:
    """Decorate an operation whose result has these fields in every failure: here for one that could not begin."""

    def register(operation: Operation) -> Operation:
        _UNTOUCHED[operation] = fields
        return operation

    return register


def untouched_result(operation: Operation, error_kind: str) -> Result:
    """The fields of a failure before the operation began, beside those of every failure."""
    fields = _UNTOUCHED.get(operation)
    return {} if fields is None else {**fields, "reason": error_kind}


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
        if session is None:
            result = {**untouched_result(operation, exc.kind), **result}
    finally:
        if session is not None:
            session.transport.close()
    if session is not None:
        result.setdefault("requests_sent", session.transport.requests_sent)
        if session.warnings:
            result["warnings"] = session.warnings
    # Most operations only read.
    result.setdefault("changed", False)
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
    transport.on_retry = _retry_listener(runtime)
    for option in unused_credentials(provider_class.info, params):
        warnings.append(f"{provider_class.info.label} takes no {option}; it was not used")
    if not account.validate_certs:
        warnings.append(
            "validate_certs is off: anybody on the way can read the credentials and answer in the provider's name"
        )
    return Session(provider_class(account, transport), transport, runtime, warnings)


def _retry_listener(runtime: Runtime) -> t.Callable[[OrderError, float], None]:
    """Shows why nothing seems to happen, each reason once."""
    shown: set[str] = set()

    def listen(error: OrderError, pause: float) -> None:
        if error.message not in shown:
            shown.add(error.message)
            runtime.show(f"{error}; trying again in {format_duration(max(1.0, pause))}")

    return listen


# -- options ------------------------------------------------------------------


def check_option_names(given: t.Collection[str], argument_spec: Params, name: str) -> None:
    """See that every option is known, and given under one of its names only.

    Ansible itself takes one of two names in silence, and does not say which option an unknown one is close to.

    Arguments:
        given: the names that the task gives, as they stand there.
        name: of the module, for the message.

    Raises:
        InvalidRequest
    """
    names = {alias: option for option, spec in argument_spec.items() for alias in (option, *spec.get("aliases", ()))}
    for option, spec in argument_spec.items():
        both = [one for one in (option, *spec.get("aliases", ())) if one in given]
        if len(both) > 1:
            raise InvalidRequest(f"{' and '.join(both)} are one option under two names; give {option} alone")
    for one in sorted(set(given) - set(names)):
        # Ansible's own options, such as _ansible_check_mode, are for Ansible to judge.
        if not one.startswith("_"):
            close = difflib.get_close_matches(one, names, n=1)
            hint = f"did you mean {names[close[0]]}?" if close else f"it has {', '.join(sorted(argument_spec))}"
            raise InvalidRequest(f"{name} has no option {one[:60]}; {hint}")


def check_order_ids(provider: Provider, given: t.Sequence[str]) -> tuple[list[str], list[OrderError]]:
    """The order ids as the provider writes them, each once; and what is wrong with the others.

    Raises:
        InvalidRequest: when no order id is given.
    """
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


def superseded_serials(given: t.Sequence[str]) -> list[str]:
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


# -- text ---------------------------------------------------------------------


def enumerate_ids(order_ids: t.Sequence[str]) -> str:
    """The first of some order ids, and how many more there are."""
    shown = ", ".join(order_ids[:_MAX_NAMED])
    more = len(order_ids) - _MAX_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
