# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every provider offers: its methods, and what it is and can do, as data.

Private to this collection. A provider is one folder beside this file: client.py makes its calls, mapping.py
maps its words to the model, and __init__.py is its ProviderInfo.
What is known of its API is its fact sheet in docs/providers, to whose sections docstrings refer.
It is given an account and a transport, and nothing else: no module, no clock, no options.
"""

from __future__ import annotations

import abc
import re
import typing as t
from dataclasses import dataclass, field

from ..._common.evidence import NameEvidence
from ..account import Account
from ..errors import InvalidRequest, Unsupported
from ..http.messages import Transport
from ..http.rate_limit import RateLimits
from ..http.redaction import shortened
from ..model import Blocker, Check, Domain, IssuedBundle, Order
from ..reissue.methods import choose_dcv_method
from ..reissue.model import ReissueReply, Snapshot, Wish
from .paging import OrderList

#: Words of any API for too many requests, for a server that is not well, and for an order that has not come so far yet:
#: patterns for texts that come instead of the HTTP status that would say so. Case is ignored.
TOO_MANY_REQUESTS = r"too[ _]many[ _]requests|rate[ _-]?limit|request[ _]limit|\b(?:http|code|status|error)\W{0,3}429\b"
SERVER_FAULT = (
    r"internal[ _](?:server[ _])?error|bad[ _]gateway|service[ _](?:temporarily[ _])?unavailable|gateway[ _]time-?out"
    r"|maintenance|temporarily|try again later|\b(?:http|code|status|error)\W{0,3}5[0-9][0-9]\b"
)
NOT_YET = r"(?:\bnot|n't)\b[^.:;]{0,40}\b(?:validated|verified|issued|processed|completed?|ready)\b"

#: What is often given in place of an order id, by how it begins as text.
_SLIPS: t.Mapping[str, str] = {
    "": "an order id is empty; check the variable that order_id or order_ids is made of",
    "{": "this is a whole order; give its id, such as orders | map(attribute='order_id')",
    "[": "this is a list in place of one order id; give the ids themselves",
}

#: What is left open, in words, by check: (message when you must act, actor).
_OPEN_CHECKS: t.Mapping[str, tuple[str, str]] = {
    "csr": ("the CSR is not accepted yet", "you"),
    "dcv": ("domain control validation is open", "you"),
    "organization": ("the organization is not validated yet", "provider"),
    "phone_callback": ("the call-back to the organization is open", "you"),
    "ev_click_through": ("the subscriber agreement is not accepted yet", "you"),
    "caa": ("the CAA record does not allow this CA yet, or is not checked yet", "you"),
    "brand": ("the CA reviews the name by hand (brand validation)", "provider"),
    "dv_upgrade": ("the requirements of the upgrade are not met yet", "provider"),
}


@dataclass(frozen=True)
class DcvPolicy:
    """How a provider may be asked to look for DCV evidence now. Times are in seconds.

    Arguments:
        order_interval: between two requests for one order.
        name_interval: between two requests for one name.
        names_per_interval: how many names of an order may be asked for within order_interval; None for all.
        names_per_request: how many names one request is about, to look or to change the method; None for all.
        change_is_look: a change of the method makes the provider look, and counts as a request to look.
    """

    order_interval: float
    name_interval: float = 0.0
    names_per_interval: int | None = None
    names_per_request: int | None = None
    change_is_look: bool = False


@dataclass(frozen=True)
class DcvReply:
    """What a provider answered when it was asked to look.

    Arguments:
        approved: the names that it approved; all others are still open.
        message: its own words, where it has any.
    """

    approved: frozenset[str] = frozenset()
    message: str | None = None


@dataclass(frozen=True)
class FollowUp:
    """What a provider has made of an order by itself when the certificate came to its end.

    Arguments:
        order_id: the order that was opened for the next certificate; None without one.
        installed: the next certificate, where it is in service at the provider already.
    """

    order_id: str | None = None
    installed: IssuedBundle | None = None


@dataclass(frozen=True)
class ProviderInfo:
    """What a provider is and can do.

    Arguments:
        name: the value of the option provider.
        label: the name as people write it.
        default_url: base URL when none is given; None where every customer has a URL of his own.
        environment: account option to the environment variables that may hold it, the first set one wins.
        credentials: groups of account options; one group must be complete. The first complete one is used, but a group
            whose last option is given in the task goes before one that is complete from the environment alone.
        pace: request budgets and poll schedule.
        options: account options that this provider alone has; see ACCOUNT_OPTIONS.
        id_types: what order ids may name, see the option id_type.
        order_id_hint: what an order id is at this provider, for messages.
        personal: names of fields that hold personal data, as a pattern for the whole name. Never shown.
        bulk_from: the number of orders from which one bulk call is better than a call for each; None without bulk call.
        bulk_batch: how many orders one bulk request can name; None for any number.
        dcv: how it may be asked to look for DCV evidence; None where no call does that.
        publishes_evidence: it publishes DCV evidence by itself where it can.
    """

    name: str
    label: str
    default_url: str | None
    environment: t.Mapping[str, t.Sequence[str]]
    credentials: t.Sequence[t.Sequence[str]]
    rate_limits: RateLimits
    options: t.Sequence[str] = ()
    id_types: t.Sequence[str] = ("order",)
    order_id_hint: str = "digits"
    personal: t.Pattern[str] = field(default_factory=lambda: re.compile(r"(?!)"))
    bulk_from: int | None = None
    bulk_batch: int | None = None
    dcv: DcvPolicy | None = None
    publishes_evidence: bool = False


@dataclass(frozen=True)
class RefreshPolicy:
    """How many orders a wait fetches in detail in one poll, beside those of which the bulk call has news.

    Arguments:
        first_poll: orders without news in the first poll that uses the bulk call.
        each_poll: orders without news in each later poll, so that blockers and names stay true.
        each_poll_for_dcv: the same while waiting for domain control validation, whose end no bulk call reports.
        unsupported: orders whose progress the bulk call cannot report.
        max_detail_lag: detail calls that may show nothing of the bulk call's news before it is no longer urgent.
        max_serial_unknown: looks at an issued certificate without a serial number before it is clear that none comes.
        max_failures: failed calls in a row after which the rest of a poll is left for the next one.
        full_summary_interval: seconds after which all summaries are fetched, not only what changed: a delta call may
            forget an order or list it too late.
        slow_summary: a bulk call that took more seconds may have been sent so late that its window left a gap: the
            next one covers it.
        max_poll_duration: seconds after which a poll with more to fetch gives way to the next one, so that what is
            known is shown and the bulk call is not kept waiting.
    """

    first_poll: int = 20
    each_poll: int = 1
    each_poll_for_dcv: int = 20
    unsupported: int = 20
    max_detail_lag: int = 2
    max_serial_unknown: int = 1
    max_failures: int = 2
    full_summary_interval: float = 900.0
    slow_summary: float = 60.0
    max_poll_duration: float = 30.0


@dataclass(frozen=True)
class OrderSummary:
    """What a bulk call reports of one order.

    Arguments:
        change_token: changes whenever something changed that makes a detail call worth it.
        order: the order as far as the bulk call reports it; None where only the detail call shows where it stands, or
            when it moves on. Some of such orders are fetched in each poll.
    """

    change_token: str
    order: Order | None = None


class Provider(abc.ABC):
    """One API, for one account.

    Every method may raise an OrderError; see the errors that each provider's fact sheet lists in section 6.
    """

    info: t.ClassVar[ProviderInfo]
    #: Our words for DCV methods to those of the calls that set one; None where there is no such call.
    dcv_methods: t.ClassVar[t.Mapping[str, str] | None] = None

    def __init__(self, account: Account, transport: Transport) -> None:
        self.account = account
        self.transport = transport

    def check_order_id(self, order_id: str) -> str:
        """The order id as the provider writes it.

        Raises:
            InvalidRequest: when it cannot be an order id there; nothing is sent then.
        """
        stripped = order_id.strip()
        slip = _SLIPS.get(stripped[:1])
        if slip is not None:
            raise InvalidRequest(slip, provider=self.info.name)
        if not re.fullmatch(r"[0-9]{1,20}", stripped, re.ASCII) or not stripped.strip("0"):
            raise InvalidRequest(
                f"this is no order id of {self.info.label}; give {self.info.order_id_hint}",
                provider=self.info.name,
                order_id=stripped[:64],
            )
        return stripped

    def fetch_evidence(
        self, order_id: str, csr: str | None = None, unique_value: str | None = None, check_mode: bool = False
    ) -> list[NameEvidence]:
        """What must be published for DCV, for each name of an order.

        Arguments:
            csr: the CSR of the order in PEM, where evidence is computed from it and the provider does not send it.
            unique_value: the unique value of the order; the empty text means that none was used, None that it is not
                known.
            check_mode: send only requests that change nothing.

        Raises:
            OrderNotFound: when the provider does not know the order.
        """
        raise NotImplementedError(f"{self.info.name} has no evidence")

    def fetch_dcv_methods(self, order_id: str) -> list[NameEvidence]:
        """The names of an order with their DCV methods, and without what must be published. Only reads."""
        return self.fetch_evidence(order_id, check_mode=True)

    def check_dcv_methods(self, changes: t.Mapping[str, str], names: t.Sequence[NameEvidence]) -> None:
        """See that the methods of these names can be changed together; sends nothing.

        Arguments:
            changes: name to its new method, in the provider's words.
            names: all names of the order.

        Raises:
            InvalidRequest: when the provider cannot do it.
        """
        for name in changes:
            # It would stand among others, in a list or in a form.
            if re.search(r"[\s,;&=]", name):
                raise InvalidRequest(f"{name[:80]!r} is no name whose method can be changed", provider=self.info.name)

    def change_dcv_method(self, order_id: str, names: t.Sequence[str], method: str) -> None:
        """Change the DCV method of some names, at most info.dcv.names_per_request; sent once.

        Raises:
            OrderError: its ``sent`` is whether the request may have arrived.
        """
        raise NotImplementedError(f"{self.info.name} has no call that changes the DCV method")

    def look_for_evidence(self, order_id: str, names: t.Sequence[NameEvidence]) -> DcvReply:
        """Ask the provider to look for the evidence of some names, at most info.dcv.names_per_request; sent once.

        Raises:
            OrderError: its ``sent`` is whether the request may have arrived.
        """
        raise NotImplementedError(f"{self.info.name} has no call that looks for DCV evidence")

    @abc.abstractmethod
    def fetch_order(self, order_id: str) -> Order:
        """Where one order stands, with every check that the provider reports.

        Raises:
            OrderNotFound: when the provider does not know it.
        """

    def fetch_progress(self, order_id: str) -> Order:
        """As fetch_order, for a wait: what adds nothing to an order that is issued is left out, to save requests."""
        return self.fetch_order(order_id)

    def refresh_order(self, order: Order) -> Order:
        """As fetch_order, where a cheaper call can show what a bulk call cannot (validation of names, blockers)."""
        return self.fetch_order(order.order_id)

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        """What a bulk or delta call reports, by order id; an order that is left out has no news.

        The number of requests does not grow with the number of orders, beyond info.bulk_batch.

        Arguments:
            changed_since: seconds that have passed since the last call that succeeded; None when every order must be
                reported: the first time, and now and then. One that is left out then has an OrderSummary without order.
        """
        raise NotImplementedError(f"{self.info.name} has no bulk call")

    def fetch_list(self) -> OrderList:
        """The orders of the account, by the list call alone: no more requests than the list has pages.

        Raises:
            InvalidRequest: when the account options do not go together with the list.
        """
        raise NotImplementedError(f"{self.info.name} has no list")

    def refresh_policy(self, pending: int) -> RefreshPolicy:
        """How many orders are fetched in detail in one poll of a wait.

        Arguments:
            pending: how many orders are still waited for.
        """
        return RefreshPolicy()

    @abc.abstractmethod
    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """Collect the certificate of an order, as fetch_order has just returned it.

        Raises:
            NotIssued, OrderFailed, ActionRequired: when there is none to collect now; see no_certificate.
        """

    def find_follow_up(self, order_id: str, names: t.Sequence[str], after: str) -> FollowUp:
        """What the provider has made of an order by itself.

        Arguments:
            names: those of the certificate in service, as A-labels.
            after: from when that certificate is valid, ISO 8601 UTC.
        """
        raise NotImplementedError(f"{self.info.name} does not renew by itself")

    def check_reissue(self, wish: Wish) -> None:
        """See that a reissue could be requested here, as far as that is known without a request.

        Raises:
            Unsupported: when the API has no reissue.
            InvalidRequest: when it has no such method of domain control validation.
        """
        if self.dcv_methods is None:
            raise Unsupported(f"{self.info.label} has no call that requests the next certificate of an order")
        if wish.dcv_method is not None:
            choose_dcv_method(self.dcv_methods, wish.dcv_method, None, self.info.label)

    def fetch_reissue(self, wish: Wish) -> Snapshot:
        """What the provider reports of an order and of its reissues.

        Raises:
            OrderNotFound: when the provider does not know the order.
        """
        raise NotImplementedError(f"{self.info.name} has no reissue")

    def prepare_reissue(self, snapshot: Snapshot, wish: Wish) -> t.Mapping[str, t.Any]:
        """The fields of the request for a reissue; pure, and done in check mode too.

        Raises:
            InvalidRequest: when something that the provider needs is missing.
        """
        raise NotImplementedError(f"{self.info.name} has no reissue")

    def request_reissue(self, order_id: str, fields: t.Mapping[str, t.Any]) -> ReissueReply:
        """Send these fields, once.

        Raises:
            OrderError: its ``sent`` is whether the request may have arrived.
        """
        raise NotImplementedError(f"{self.info.name} has no reissue")


def unknown_word(provider: str, field_name: str, value: t.Any) -> str:
    """The warning about a word that the provider's fact sheet does not know."""
    reported = shortened(str(value), 80)
    return f"{provider} reported {shortened(field_name, 80)}={reported!r}, which this collection does not know"


def open_blockers(
    checks: t.Mapping[str, str],
    domains: t.Sequence[Domain],
    action_urls: t.Mapping[str, str] | None = None,
    actors: t.Mapping[str, str] | None = None,
) -> tuple[Blocker, ...]:
    """A blocker for every open check; for DCV one for every name that is open, where the names are known.

    Arguments:
        action_urls: links the provider offers, by check.
        actors: who must act ("you" or "provider"), by check, where a provider differs from what is usual.
    """
    urls = action_urls or {}
    blockers: list[Blocker] = []
    for check in Check.NAMES:
        message, actor = _OPEN_CHECKS[check]
        actor = (actors or {}).get(check, actor)
        waiting = [domain for domain in domains if domain.status in Check.OPEN] if check == "dcv" else []
        for domain in waiting:
            blockers.append(Blocker(check, _publish(domain), actor, domain.name, urls.get(check)))
        if not waiting and checks.get(check) in Check.OPEN:
            blockers.append(Blocker(check, message, actor, None, urls.get(check)))
    return tuple(blockers)


def _publish(domain: Domain) -> str:
    """What somebody must do so that a name can be validated, in one sentence."""
    record = domain.record
    if record is None:
        by = f" by {domain.method}" if domain.method else ""
        return f"{domain.name} is not validated yet{by}"
    if record.type == "email":
        return f"answer the mail that was sent to {record.name}"
    if record.type == "http":
        return f"serve the validation file at {record.name}"
    return f"publish the {record.type} record {record.name} with value {record.value}"


def least_advanced(states: t.Sequence[str]) -> str:
    """The least advanced of some states of checks; unknown when there are none."""
    order = (Check.NOT_COMPLETED, Check.IN_PROGRESS, Check.UNKNOWN, Check.COMPLETED)
    return next((state for state in order if state in states), Check.UNKNOWN)
