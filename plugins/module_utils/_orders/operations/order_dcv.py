# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing DCV methods and asking the provider to look now: what the module order_dcv does.

Private to this collection. Everything is read and checked for all orders before the first request that changes
something is sent, and none of those is sent twice.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field
from functools import partial

from ..._common.evidence import NameEvidence, plain_name
from ..._common.names import iso_time
from ..errors import InvalidRequest, OrderError, ProviderUnavailable, TooSoon, UnexpectedResponse, Unsupported
from ..model import Check
from ..providers.base import DcvPolicy
from .dcv_times import DcvTimes
from .each_order import fetch_each, first_failure
from .runtime import ORDER_IDS, PROVIDER_OPTIONS, Params, Result, Session, check_order_ids, enumerate_ids

ORDER_DCV_OPTIONS: dict[str, t.Any] = dict(
    PROVIDER_OPTIONS,
    order_ids=ORDER_IDS,
    methods={"type": "raw"},
    check={"type": "bool", "default": True},
)

_T = t.TypeVar("_T")


@dataclass
class _Name:
    """One name of an order, and what becomes of it."""

    evidence: NameEvidence
    method: str | None
    result: str
    asked: bool = False
    changed: bool = False
    message: str | None = None
    next_allowed_at: str | None = None

    @property
    def name(self) -> str:
        return self.evidence.name

    @property
    def is_open(self) -> bool:
        return self.evidence.status not in Check.CLOSED

    @property
    def reason_against_look(self) -> str | None:
        """Why the provider cannot be asked to look for it; None where it can."""
        method = self.evidence.method
        if method is None:
            return "its method is not known"
        if _is_email(method):
            return "the mail has to be answered"
        if method.lower() not in [one.lower() for one in self.evidence.methods]:
            return f"the method {method[:40]} cannot be used for this name"
        return None

    def to_dict(self) -> dict[str, t.Any]:
        return {
            "name": self.name,
            "order_id": self.evidence.order.order_id,
            "provider": self.evidence.order.provider,
            "method": self.method,
            "method_changed": self.changed,
            "asked": self.asked,
            "result": self.result,
            "provider_message": self.message,
            "next_allowed_at": self.next_allowed_at,
        }


@dataclass
class _Work:
    """What is to be done for one order."""

    order_id: str
    names: list[_Name]
    changes: dict[str, str] = field(default_factory=dict)


def order_dcv(session: Session, params: Params) -> Result:
    """Change methods where they differ, and ask the provider to look for what is open.

    Raises:
        Unsupported: the provider has no such calls; nothing was sent.
        TooSoon: all that is open was asked for a short time ago; nothing was changed.
        OrderError: a failure, with ``names`` and ``changed`` in its details.
    """
    provider = session.provider
    policy = provider.info.dcv
    if policy is None:
        raise Unsupported(
            f"{provider.info.label} has no call that changes the DCV method or has the CA look; the CA looks by itself"
        )
    order_ids, failures = check_order_ids(provider, params["order_ids"])
    wanted = _wanted_methods(params.get("methods"))
    found, failures = fetch_each(session, order_ids, provider.fetch_dcv_methods, failures)
    if failures:
        raise first_failure(failures, {"names": []})
    orders = [
        _Work(
            order_id, [_Name(one, one.method, "approved" if one.status in Check.CLOSED else "pending") for one in names]
        )
        for order_id, names in zip(order_ids, found)
    ]
    _plan_changes(orders, wanted, provider.dcv_methods or {})
    for order in orders:
        provider.check_dcv_methods(order.changes, [one.evidence for one in order.names])
    try:
        for order in orders:
            _perform(session, policy, order, bool(params.get("check", True)))
        result = _result(orders)
        held = [one for order in orders for one in order.names if one.next_allowed_at and not one.asked]
        if held and not result["changed"]:
            moment = min(str(one.next_allowed_at) for one in held)
            names = enumerate_ids([one.name for one in held])
            raise TooSoon(f"the provider was asked a short time ago to look for {names}; ask again at {moment}")
    except OrderError as exc:
        exc.details = {**_result(orders), **exc.details}
        raise
    return result


def _result(orders: t.Sequence[_Work]) -> Result:
    names = [one for order in orders for one in order.names]
    return {"changed": any(one.asked or one.changed for one in names), "names": [one.to_dict() for one in names]}


# -- what is to be done -------------------------------------------------------


def _wanted_methods(given: t.Any) -> dict[str, str] | str | None:
    """The option methods: one word for all names, or name to word.

    Raises:
        InvalidRequest: it is neither.
    """
    if given is None or (isinstance(given, str) and given.strip()):
        return given.strip() if isinstance(given, str) else None
    if isinstance(given, dict) and given and all(isinstance(one, str) and one.strip() for one in given.values()):
        return {plain_name(str(name)): method.strip() for name, method in given.items()}
    raise InvalidRequest("methods is neither one method nor a dictionary from names to methods")


def _plan_changes(
    orders: t.Sequence[_Work], wanted: dict[str, str] | str | None, our_words: t.Mapping[str, str]
) -> None:
    """Set the changes of each order.

    Arguments:
        orders: with the names as the provider reported them.
        wanted: one method for all names, or name to method, in our words or the provider's.
        our_words: those for methods, to the provider's.

    Raises:
        InvalidRequest: a name is of none of the orders, or a method cannot be used for a name.
    """
    if isinstance(wanted, dict):
        known = {plain_name(one.name) for order in orders for one in order.names}
        foreign = [name for name in wanted if name not in known]
        if foreign:
            order_ids = enumerate_ids([order.order_id for order in orders])
            raise InvalidRequest(f"methods has names of other orders than {order_ids}: {enumerate_ids(foreign)}")
    for order in orders:
        for one in order.names:
            method = wanted.get(plain_name(one.name)) if isinstance(wanted, dict) else wanted
            if method is not None and one.is_open:
                chosen = _choose(one, method, our_words.get(method.lower(), method), order.order_id)
                if chosen != one.method:
                    order.changes[one.name] = chosen


def _choose(one: _Name, method: str, word: str, order_id: str) -> str:
    """The provider's own spelling of a method, here its word, that a name can use."""
    usable = [known for known in one.evidence.methods if not _is_email(known)]
    chosen = next((known for known in usable if known.lower() == word.lower()), None)
    if chosen is None:
        raise InvalidRequest(
            f"methods: {method[:40]!r} cannot be set for {one.name}; it could be {' or '.join(usable) or 'none'}",
            order_id=order_id,
        )
    return chosen


def _is_email(method: str) -> bool:
    """Whether a method sends mails. It is never set here, nor asked for again."""
    return "@" in method or method.lower() == "email"


# -- doing it -----------------------------------------------------------------


def _perform(session: Session, policy: DcvPolicy, order: _Work, check: bool) -> None:
    """Do what is to be done for one order.

    Raises:
        OrderError: a request was refused, or certainly not sent.
    """
    check_mode = session.runtime.check_mode
    now = session.runtime.wall().timestamp()
    to_change = [one for one in order.names if one.name in order.changes]
    to_look = [one for one in order.names if check and one.is_open and one.name not in order.changes]
    for one in to_look:
        one.message = one.reason_against_look
    to_look = [one for one in to_look if one.message is None]
    counted = [*to_change, *to_look] if policy.change_is_look else to_look
    try:
        times = DcvTimes(session.provider.account, order.order_id, policy)
        allowed = times.reserve([one.name for one in counted], now, check_mode)
        for one in counted:
            moment = times.next_allowed(one.name, now)
            one.next_allowed_at = None if moment is None else _iso(moment)
    except OSError as exc:
        raise InvalidRequest(f"when the provider was asked last cannot be kept on this host: {exc}") from None
    if policy.change_is_look:
        to_change = [one for one in to_change if one.name in allowed]
    by_name = {one.name: one for one in to_look}
    to_look = [by_name[name] for name in allowed if name in by_name]
    if check_mode:
        for one in to_change:
            one.method, one.changed = order.changes[one.name], True
        for one in to_look:
            one.asked = True
        return
    try:
        _change(session, policy, order, to_change)
        _look(session, policy, order, to_look)
    except OrderError as exc:
        exc.locate(order_id=order.order_id)
        if exc.sent is False and not any(one.asked or one.changed for one in counted):
            times.release()
        raise


def _change(session: Session, policy: DcvPolicy, order: _Work, names: t.Sequence[_Name]) -> None:
    for method in dict.fromkeys(order.changes[one.name] for one in names):
        for group in _groups([one for one in names if order.changes[one.name] == method], policy):
            listed = [one.name for one in group]
            _done, doubt = _attempt(partial(session.provider.change_dcv_method, order.order_id, listed, method))
            for one in group:
                # What may have been changed counts as changed.
                one.method, one.changed, one.message = method, True, doubt
                one.result = "pending" if doubt is None else "unknown"
                one.asked = policy.change_is_look


def _look(session: Session, policy: DcvPolicy, order: _Work, names: t.Sequence[_Name]) -> None:
    for group in _groups(names, policy):
        evidences = [one.evidence for one in group]
        reply, doubt = _attempt(partial(session.provider.look_for_evidence, order.order_id, evidences))
        for one in group:
            one.asked = True
            if reply is None:
                one.result, one.message = "unknown", doubt
            else:
                one.result = "approved" if plain_name(one.name) in reply.approved else "pending"
                one.message = reply.message


def _groups(names: t.Sequence[_Name], policy: DcvPolicy) -> t.Iterator[t.Sequence[_Name]]:
    step = policy.names_per_request or max(1, len(names))
    for start in range(0, len(names), step):
        yield names[start : start + step]


def _attempt(call: t.Callable[[], _T]) -> tuple[_T | None, str | None]:
    """What a request returned; or why it is not known whether it was carried out. It is not sent again.

    Raises:
        OrderError: it was refused, or certainly not sent.
    """
    try:
        return call(), None
    except OrderError as exc:
        if exc.sent is False or not isinstance(exc, (ProviderUnavailable, UnexpectedResponse)):
            raise
        return None, exc.message


def _iso(moment: float) -> str:
    return iso_time(datetime.datetime.fromtimestamp(moment, datetime.timezone.utc))
