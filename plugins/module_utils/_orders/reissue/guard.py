# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the next certificate of an order may be requested: one list of pure functions, the first that speaks decides.

Private to this collection. The list is section 3 of docs/providers/orders/contract.md, in its order. Check mode and
the real run use the same list. The first guard there, a provider without reissues, is Provider.check_reissue.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..._common.names import iso_time, parse_time
from ..describe import describe_order
from ..errors import (
    ActionRequired,
    AutoReissueEnabled,
    CoverageEnded,
    NamesChanged,
    OrderError,
    OrderFailed,
    PriceExceeded,
    ReissueInProgress,
    RequestUncertain,
    TooSoon,
)
from ..model import Status
from .model import Journal, Policy, Snapshot, Wish, added_domain, names_in_order, names_to_pay

#: How much earlier than a reissue its certificate may begin to be valid: some begin at midnight, in any zone.
_MAX_BACKDATING = timedelta(hours=25)
#: How far a provider's time may lie before ours: some have minutes only; section 10.
_CLOCK_MARGIN = timedelta(minutes=2)


@dataclass(frozen=True)
class Verdict:
    """What to do about a wish.

    Arguments:
        action: send, adopted or none; empty where it is refused.
        reason: why, in one word of a fixed list.
        error: what to raise where it is refused.
    """

    action: str
    reason: str
    error: OrderError | None = None


@dataclass(frozen=True)
class Case:
    """All that the guards look at."""

    snapshot: Snapshot
    wish: Wish
    journal: Journal
    now: datetime
    policy: Policy


Guard = t.Callable[[Case], t.Optional[Verdict]]


def decide(case: Case) -> Verdict:
    """The verdict of the first guard that speaks."""
    return next(verdict for verdict in (guard(case) for guard in GUARDS) if verdict is not None)


def may_be_ours(snapshot: Snapshot, wish: Wish) -> bool:
    """Whether the newest certificate may have been made for the wish, by its time alone."""
    if wish.requested_after is None or snapshot.newest_since is None:
        return True
    return snapshot.newest_since >= wish.requested_after - _MAX_BACKDATING


def is_ours(snapshot: Snapshot, wish: Wish) -> bool | None:
    """Whether the certificate that is being made is the one that is wished for; None where nothing shows it."""
    if snapshot.open_key is not None:
        return snapshot.open_key == wish.key
    return snapshot.open_ours


def removed_names(snapshot: Snapshot, wish: Wish) -> list[str]:
    """The names that the newest certificate has and the next one would not have.

    A name that the CA adds by itself is not one of them; section 8. Each CA adds the domain of a www or wildcard name.
    Where fewer names revoke what is in service (DigiCert), nothing else counts as added.
    """
    wanted = set(wish.names)
    added = set(map(added_domain, wanted))
    if snapshot.revokes_within is None:
        added |= {"www." + name for name in wanted}
    return sorted(snapshot.names - wanted - added)


def _added_names(snapshot: Snapshot, wish: Wish) -> list[str]:
    return sorted(set(wish.names) - snapshot.names - snapshot.listed_names)


def _is_open(snapshot: Snapshot) -> bool:
    """Whether a certificate is on its way; also the first one, which some providers report as issued but not there."""
    return snapshot.open or snapshot.status != Status.ISSUED


def _refuse(reason: str, error: OrderError) -> Verdict:
    return Verdict("", reason, error)


# -- the guards ---------------------------------------------------------------


def _order_ended(case: Case) -> Verdict | None:
    order, status = case.snapshot.order, case.snapshot.status
    if status in Status.ENDED:
        return _refuse("order_ended", OrderFailed(f"the order has ended ({status}); place a new one"))
    if status == Status.ACTION_REQUIRED:
        what = "a request of the order waits for approval" if order.issued else describe_order(order)
        message = f"a person must act first: {what}; then run this again"
        return _refuse("action_required", ActionRequired(message))
    if status == Status.UNKNOWN:
        message = f"nothing is requested while the status of the order is {describe_order(order)}; look at the order"
        return _refuse("unknown_status", ActionRequired(message))
    return None


def _newest_is_ours(case: Case) -> Verdict | None:
    if case.snapshot.newest_key == case.wish.key and may_be_ours(case.snapshot, case.wish):
        return Verdict("none", "issued")
    return None


def _open_is_ours(case: Case) -> Verdict | None:
    snapshot, wish = case.snapshot, case.wish
    if not _is_open(snapshot):
        return None
    ours = is_ours(snapshot, wish)
    if ours is not None:
        return Verdict("adopted", "same_key" if snapshot.open_key else "same_code") if ours else None
    if case.journal.attempted:
        # Nothing is sent while something is open, so this one began later. The clock that made the CSR may be wrong.
        return Verdict("adopted", "in_ledger")
    if wish.requested_after is None:
        return None
    if snapshot.open_since is None:
        # The ledger may be gone with its controller, and nothing shows when it began: the key decides at collection.
        return Verdict("adopted", "no_time")
    began_later = snapshot.open_since >= wish.requested_after - _CLOCK_MARGIN
    return Verdict("adopted", "began_later") if began_later else None


def _open_is_foreign(case: Case) -> Verdict | None:
    snapshot = case.snapshot
    if not _is_open(snapshot):
        return None
    foreign = is_ours(snapshot, case.wish) is False
    whose = "for another key" if foreign else "and nothing shows that it is this one"
    message = (
        f"a certificate of the order is being issued already, {whose}; wait until it is issued, or have it canceled "
        "at the provider, then run this again"
    )
    return _refuse("foreign_key" if foreign else "unknown_owner", ReissueInProgress(message))


def _coverage_ends(case: Case) -> Verdict | None:
    reported = case.snapshot.order.coverage.ends
    if reported is None:
        return None
    ends = parse_time(reported)
    if ends - case.now >= case.policy.min_coverage:
        return None
    message = (
        f"what was paid for ends at {iso_time(ends)}, so a reissue gives little or nothing; buy a new order (this "
        "module buys nothing), or lower min_coverage"
    )
    return _refuse("coverage_ended", CoverageEnded(message))


def _names_removed(case: Case) -> Verdict | None:
    removed = removed_names(case.snapshot, case.wish)
    if not removed or case.policy.allow_removed_names:
        return None
    message = (
        f"the CSR lacks names of the present certificate: {', '.join(removed)}; the provider may revoke the "
        "certificates that are in service; add the names to the CSR, or set allow_removed_names"
    )
    return _refuse("names_removed", NamesChanged(message))


def _names_added(case: Case) -> Verdict | None:
    added = _added_names(case.snapshot, case.wish)
    if not added:
        return None
    message = (
        f"the CSR has names that the order does not have: {', '.join(added)}; they may cost money, which this module "
        "does not spend; leave them out, or have them added at the provider"
    )
    return _refuse("names_added", NamesChanged(message))


def _names_not_paid(case: Case) -> Verdict | None:
    snapshot = case.snapshot
    first, *_others = names_in_order(snapshot, case.wish)
    others = names_to_pay(snapshot, case.wish)
    wildcards = sum(name.startswith("*.") for name in others)
    for count, paid, what in (
        (len(others) - wildcards, snapshot.paid_names, "names"),
        (wildcards, snapshot.paid_wildcards, "wildcards"),
    ):
        if paid is not None and count > paid:
            message = f"the CSR has {count} {what} beside {first}, and {paid} are paid for; this module buys nothing"
            return _refuse("names_not_paid", PriceExceeded(message))
    return None


def _reissued_by_provider(case: Case) -> Verdict | None:
    if not case.snapshot.order.auto_reissue:
        return None
    message = (
        "the provider makes reissues of this order by itself (auto-reissue), which would compete with this one; "
        "switch that off in the account, or leave the reissues to the provider"
    )
    return _refuse("auto_reissue", AutoReissueEnabled(message))


def _too_soon(case: Case) -> Verdict | None:
    moments = [moment for moment in (case.snapshot.last_reissue, case.journal.answered_at) if moment is not None]
    last = max(moments, default=None)
    if last is None or case.now - last >= case.policy.min_interval:
        return None
    again = iso_time(last + case.policy.min_interval)
    message = f"the last reissue is of {iso_time(last)}; run this again after {again}, or lower min_interval"
    return _refuse("too_soon", TooSoon(message))


def _uncertain(case: Case) -> Verdict | None:
    since = case.journal.uncertain_since
    if since is None or case.now - since >= case.policy.resend_after:
        return None
    again = iso_time(since + case.policy.resend_after)
    message = (
        f"a request was sent at {iso_time(since)} and nothing shows what became of it; run this again: it adopts "
        f"the reissue if it appears, and sends the same CSR again after {again}"
    )
    return _refuse("no_answer", RequestUncertain(message))


def _send(case: Case) -> Verdict | None:
    if case.journal.uncertain_since is not None and case.journal.attempted:
        return Verdict("send", "lost")
    return Verdict("send", "nothing_open")


GUARDS: t.Sequence[Guard] = (
    _order_ended,
    _newest_is_ours,
    _open_is_ours,
    _open_is_foreign,
    _coverage_ends,
    _names_removed,
    _names_added,
    _names_not_paid,
    _reissued_by_provider,
    _too_soon,
    _uncertain,
    _send,
)
