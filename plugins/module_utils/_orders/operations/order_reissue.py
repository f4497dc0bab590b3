# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requesting the next certificate of an order: what the module order_reissue does.

Private to this collection. Rules and states are docs/providers/orders/contract.md, sections 3 and 4. It asks for a
reissue and nothing else: no order, payment, cancellation, revocation or approval.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ..._common.names import iso_time
from ..._common.private_directory import lasting_directory
from ..certificates import chain
from ..errors import (
    ActionRequired,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    ProviderUnavailable,
    ReissueInProgress,
    RequestUncertain,
    UnexpectedResponse,
)
from ..model import Status
from ..providers.coerce import moment_from_text
from ..reissue.guard import Case, Verdict, decide, is_ours, may_be_ours, removed_names
from ..reissue.ledger import ACCEPTED, REFUSED, STARTED, Ledger
from ..reissue.model import Journal, Policy, Snapshot, Wish, reference_of
from ..wait.durations import parse_duration
from .runtime import PROVIDER_OPTIONS, Params, Result, Session, with_untouched_result

#: Our words for DCV methods, as everywhere in this collection.
DCV_METHODS = ["dns-txt", "dns-cname", "http", "https", "email"]

ORDER_REISSUE_OPTIONS: dict[str, t.Any] = dict(
    PROVIDER_OPTIONS,
    order_id={"type": "str", "required": True},
    csr={"type": "str", "required": True},
    names={"type": "list", "elements": "str"},
    dcv_method={"type": "str", "choices": DCV_METHODS},
    allow_removed_names={"type": "bool", "default": False},
    min_coverage={"type": "raw", "default": "30d"},
    min_interval={"type": "raw", "default": "24h"},
    requested_after={"type": "str"},
    settle_time={"type": "raw", "default": "120s"},
    resend_after={"type": "raw", "default": "1h"},
    on_foreign={"type": "str", "default": "fail", "choices": ["fail", "wait"]},
    timeout={"type": "raw", "default": 1800},
    skip_approval={"type": "bool", "default": True},
)

#: Seconds between two looks at an order after a request without an answer, and while somebody else's reissue is open.
_SETTLE_PAUSE = 15.0
_FOREIGN_PAUSE = 60.0
#: Seconds for which another process may be at work on the same order: a request with its retries takes less.
_LOCK_TIMEOUT = 300.0
#: The fields of every result, as they are before anything is done.
_UNTOUCHED: t.Mapping[str, t.Any] = {
    "action": "none",
    "reason": None,
    "order": None,
    "superseded_serial_number": None,
    "revokes": [],
    "sent": "false",
}
#: Errors after which nobody knows whether a request that was sent was carried out.
_UNCERTAIN = (ProviderUnavailable, UnexpectedResponse)


@with_untouched_result(_UNTOUCHED)
def order_reissue(session: Session, params: Params) -> Result:
    """Request the next certificate of an order, once.

    Raises:
        OrderError: when nothing may be requested, or it is not known whether the request was carried out; with the
            fields of the result in its details.
    """
    task = _Task(session, params)
    try:
        return task.run()
    except OrderError as exc:
        # Where no guard has spoken, the kind of the error is all there is to say.
        reason = task.report["reason"] or exc.kind
        exc.details = {**task.report, "reason": reason, **exc.details}
        raise


class _Task:
    """One run of the module.

    Arguments:
        session: the open account.
        params: the options of the task.
    """

    def __init__(self, session: Session, params: Params) -> None:
        self._session = session
        self._params = params
        #: What is known of the result so far; also part of a failure.
        self.report: Result = dict(_UNTOUCHED)
        #: The error of our request, where nobody knows whether it was carried out.
        self._doubt: OrderError | None = None
        #: Until when what became of a request is looked for, by the clock that never jumps.
        self._settled_by: float | None = None

    def run(self) -> Result:
        """Look at the order until there is a verdict, and do what it says."""
        session, runtime = self._session, self._session.runtime
        wish, policy = self._read_options()
        session.provider.check_reissue(wish)
        deadline = runtime.clock() + _seconds("timeout", self._params.get("timeout", 1800))
        if runtime.check_mode:
            deadline = runtime.clock()
        try:
            self._ledger = Ledger(lasting_directory(runtime.environment), session.provider.account.fingerprint)
            while True:
                # Between two looks nobody else is kept waiting.
                with self._ledger.locked(wish.order_id, runtime.clock, runtime.sleep, runtime.clock() + _LOCK_TIMEOUT):
                    journal = self._ledger.read(wish.order_id, wish.reference)
                    case = Case(self._look(wish, journal), wish, journal, self._now(), policy)
                    verdict = decide(case)
                    done = self._act(case, verdict)
                if done is not None:
                    return done
                pause = self._pause(wish, verdict, policy, deadline)
                if pause is None:
                    raise self._refusal(verdict)
                runtime.sleep(pause)
        except OSError as exc:
            raise InvalidRequest(f"the ledger of requests cannot be used, so none is sent: {exc}") from exc

    # -- options ------------------------------------------------------------

    def _read_options(self) -> tuple[Wish, Policy]:
        if chain.CRYPTOGRAPHY_ERROR is not None:
            raise InvalidRequest(
                "the Python library cryptography is missing where this task runs; install it there with "
                "'python3 -m pip install cryptography'"
            )
        params, provider = self._params, self._session.provider
        order_id = provider.check_order_id(str(params["order_id"]))
        key = chain.key_of_csr(params["csr"])
        names = tuple(dict.fromkeys(chain.ascii_name(name) for name in chain.names_of_csr(params["csr"])))
        if not names:
            raise InvalidRequest("csr has no host name in it")
        given = {chain.ascii_name(name) for name in params.get("names") or ()}
        if given and given != set(names):
            differing = ", ".join(sorted(given ^ set(names)))
            raise InvalidRequest(f"names are not those of the CSR; they differ in {differing}; make a new CSR")
        after = params.get("requested_after")
        wish = Wish(
            order_id=order_id,
            csr=params["csr"],
            key=key,
            names=names,
            reference=reference_of(provider.info.name, order_id, key, names),
            requested_after=None if after in (None, "") else _moment(str(after)),
            dcv_method=params.get("dcv_method"),
            skip_approval=bool(params.get("skip_approval", True)),
        )
        settle = _duration("settle_time", params.get("settle_time", "120s"))
        return wish, Policy(
            allow_removed_names=bool(params.get("allow_removed_names")),
            min_coverage=_duration("min_coverage", params.get("min_coverage", "30d")),
            min_interval=_duration("min_interval", params.get("min_interval", "24h")),
            settle_time=settle,
            # Nothing is sent again while the first request is still looked for.
            resend_after=max(settle, _duration("resend_after", params.get("resend_after", "1h"))),
        )

    def _now(self) -> datetime.datetime:
        return self._session.runtime.wall().astimezone(datetime.timezone.utc)

    # -- looking ------------------------------------------------------------

    def _look(self, wish: Wish, journal: Journal) -> Snapshot:
        """What the provider reports now; into the report as well."""
        session = self._session
        try:
            snapshot = session.provider.fetch_reissue(wish)
        except OrderError as exc:
            if self._doubt is not None and not isinstance(exc, OrderNotFound):
                raise self._uncertain(exc) from exc
            raise
        for warning in snapshot.order.warnings:
            session.warn(warning)
        issued = snapshot.status == Status.ISSUED and not snapshot.open
        if issued and snapshot.newest_key is None and may_be_ours(snapshot, wish):
            snapshot = self._with_key(snapshot)
        self.report["order"] = _describe(snapshot, wish, journal.reference)
        self.report["superseded_serial_number"] = snapshot.serial_number
        return snapshot

    def _with_key(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the key of the newest certificate, which has to be collected for that."""
        try:
            bundle = self._session.provider.fetch_certificate(snapshot.order)
        except NotIssued:
            return snapshot
        collected = chain.assemble(bundle.leaf, bundle.additional)
        return replace(snapshot, newest_key=chain.key_of_certificate(collected.certificate))

    # -- acting -------------------------------------------------------------

    def _act(self, case: Case, verdict: Verdict) -> Result | None:
        """Do what the verdict says. None where the order has to be looked at again, or the task fails."""
        self.report["reason"] = verdict.reason
        if verdict.action in ("adopted", "none"):
            return self._adopt(case, verdict)
        if verdict.error is not None or self._doubt is not None:
            return None
        fields = self._session.provider.prepare_reissue(case.snapshot, case.wish)
        self.report["revokes"] = _revokes(case)
        if case.snapshot.order.coverage.ends is None:
            self._session.warn("the provider does not report until when the order is paid for")
        if self._session.runtime.check_mode:
            return dict(self.report, changed=True, action="would_send")
        return self._send(case, fields)

    def _adopt(self, case: Case, verdict: Verdict) -> Result:
        """The certificate is there or being made."""
        in_doubt = case.journal.attempted and case.journal.uncertain_since is not None
        if in_doubt and not self._session.runtime.check_mode:
            self._note(case.wish, ACCEPTED)
        if verdict.action == "none":
            self.report["superseded_serial_number"] = None
        if self._doubt is not None:
            # It was our request of this run that did it.
            self.report["sent"] = "true"
            return dict(self.report, changed=True, action="adopted")
        return dict(self.report, changed=False, action=verdict.action)

    def _send(self, case: Case, fields: t.Mapping[str, t.Any]) -> Result | None:
        wish = case.wish
        self._note(wish, STARTED)
        try:
            reply = self._session.provider.request_reissue(wish.order_id, fields)
        except OrderError as exc:
            self.report["sent"] = {False: "false", True: "true", None: "unknown"}[exc.sent]
            if exc.sent is None or (exc.sent and isinstance(exc, _UNCERTAIN)):
                self.report["sent"] = "unknown"
                self._doubt = exc
                return None
            # Nothing was done: it never left, or was refused.
            self._note(wish, REFUSED)
            self.report["reason"] = exc.details.get("reason", "refused")
            raise
        self.report["sent"] = "true"
        given = reply.reference if reply.reference != wish.reference else None
        self._note(wish, ACCEPTED, given)
        self._look_again(wish, given)
        if reply.needs_approval:
            error = ActionRequired("the request was accepted and waits for approval; a person must approve it")
            error.details = {"changed": True, "action": "sent"}
            raise error
        return dict(self.report, changed=True, action="sent")

    def _look_again(self, wish: Wish, reference: str | None) -> None:
        """The order as it is after the request, for the result; it is sent whatever comes of this look."""
        superseded = self.report["superseded_serial_number"]
        try:
            self.report["order"] = _describe(self._session.provider.fetch_reissue(wish), wish, reference)
        except OrderError as exc:
            self._session.warn(f"the reissue was requested, but the order could not be read afterwards: {exc}")
        self.report["superseded_serial_number"] = superseded

    def _note(self, wish: Wish, outcome: str, given: str | None = None) -> None:
        try:
            self._ledger.write(self._now(), wish.order_id, wish.reference, outcome, given)
        except OSError as exc:
            if outcome == STARTED:
                raise
            self._session.warn(f"the ledger could not be written: {exc}")

    # -- waiting ------------------------------------------------------------

    def _pause(self, wish: Wish, verdict: Verdict, policy: Policy, deadline: float) -> float | None:
        """Seconds until the next look; None where there is none."""
        runtime = self._session.runtime
        if runtime.check_mode:
            return None
        if self._doubt is not None or isinstance(verdict.error, RequestUncertain):
            if self._settled_by is None:
                self._settled_by = runtime.clock() + policy.settle_time.total_seconds()
            since = self._ledger.read(wish.order_id, wish.reference).uncertain_since
            left = (since + policy.settle_time - self._now()).total_seconds() if since is not None else 0.0
            left = min(left, self._settled_by - runtime.clock())
            return min(_SETTLE_PAUSE, left) if left > 0 else None
        if isinstance(verdict.error, ReissueInProgress) and self._params.get("on_foreign") == "wait":
            left = deadline - runtime.clock()
            return min(_FOREIGN_PAUSE, left) if left > 0 else None
        return None

    def _refusal(self, verdict: Verdict) -> OrderError:
        """The failure of the task."""
        if self._doubt is not None:
            self.report["reason"] = "no_answer"
            error = self._uncertain(self._doubt)
            error.__cause__ = self._doubt
            return error
        if isinstance(verdict.error, RequestUncertain):
            self.report["sent"] = "unknown"
        if verdict.error is None:  # pragma: no cover - every refusal has one
            return UnexpectedResponse("there is no verdict")
        return verdict.error

    def _uncertain(self, cause: OrderError) -> RequestUncertain:
        self.report["reason"] = "no_answer"
        return RequestUncertain(
            f"nobody knows whether the reissue was requested: {cause.message}; run this again: it adopts the reissue "
            "if it appears, and sends the same CSR again once resend_after has passed"
        )


def _describe(snapshot: Snapshot, wish: Wish, reference: str | None) -> Result:
    """The order as plain data, with what the CSR shows of its reissue.

    Arguments:
        reference: that the provider has given the request in the place of ours.
    """
    reissue = snapshot.order.reissue
    ours = is_ours(snapshot, wish) if reissue.open else None
    reference = reference or snapshot.order.reference or wish.reference
    return replace(snapshot.order, reissue=replace(reissue, ours=ours), reference=reference).to_dict()


def _revokes(case: Case) -> list[Result]:
    """The certificates that the provider revokes, or may revoke, because names are removed."""
    if not removed_names(case.snapshot, case.wish):
        return []
    within = case.snapshot.revokes_within
    by = None if within is None else iso_time(case.now + within)
    return [{"serial_number": one.serial_number, "id": one.id, "by": by} for one in case.snapshot.live]


def _moment(text: str) -> datetime.datetime:
    moment = moment_from_text(text)
    if moment is None:
        raise InvalidRequest(
            f"requested_after is {text[:40]!r}, which is no time; give created_at of certificate_request, as in "
            "2026-03-01T10:20:00Z"
        )
    return moment


def _duration(option: str, value: t.Any) -> datetime.timedelta:
    return datetime.timedelta(seconds=_seconds(option, value))


def _seconds(option: str, value: t.Any) -> int:
    try:
        return parse_duration(value)
    except ValueError as exc:
        raise InvalidRequest(f"{option} {exc}; give seconds, or a duration such as 2m, 24h or 30d") from None
