# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cPanel, the Market and SSL functions of UAPI: direct, or through WHM for one of its accounts.

Private to this collection. Sections named below are those of the cPanel fact sheet,
docs/providers/cpanel.md.
"""

from __future__ import annotations

import base64
import re
import typing as t
from dataclasses import dataclass, field, replace

from ...account import Account
from ...certificates.chain import armoured, describe_certificate
from ...describe import no_certificate
from ...errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    UnexpectedResponse,
)
from ...http.messages import Request, Response, Transport
from ...http.rate_limit import PollSchedule, RateLimits, RequestBudget
from ...http.redaction import shortened
from ...model import Blocker, Check, Domain, IssuedBundle, Order, OrderCertificate, Status
from ..base import (
    MAX_QUOTED,
    OrderSummary,
    Provider,
    ProviderInfo,
    RefreshPolicy,
    least_advanced,
    open_blockers,
    unknown_word,
)
from ..coerce import certificate_text, entries, flag, identifier, mapping, names, objects, text, time_from_epoch, word

#: Key of status_details to the name of the check (section 4.2). Keys are compared in lower case.
_CHECK_KEYS: t.Mapping[str, str] = {
    "csrstatus": "csr",
    "dcvstatus": "dcv",
    "organizationvalidationstatus": "organization",
    "ovcallbackstatus": "phone_callback",
    "evclickthroughstatus": "ev_click_through",
    "brandvalstatus": "brand",
    "freedvupstatus": "dv_upgrade",
}
_CHECK_STATES: t.Mapping[str, str] = {
    "not-applicable": Check.NOT_APPLICABLE,
    "not-completed": Check.NOT_COMPLETED,
    "in-progress": Check.IN_PROGRESS,
    "completed": Check.COMPLETED,
}
_DOMAIN_STATES: t.Mapping[str, str] = {
    "validated": Check.COMPLETED,
    "notvalidated": Check.NOT_COMPLETED,
    "awaitingbrand": Check.NOT_COMPLETED,
}
#: The codes that end an order or hold it up (sections 4.3 and 5).
_CODES: t.Mapping[str, str] = {
    "ordercanceled": Status.CANCELED,
    "orderitemcanceled": Status.CANCELED,
    "ca:rejected": Status.REJECTED,
    "ca:revoked": Status.REVOKED,
    "requiresapproval": Status.ACTION_REQUIRED,
}
_NOT_FOUND = ("itemnotfound", "item::notfound")
#: This code says nothing yet: it is not final.
_NOT_YET = ("", "certificatenotfound")
#: While at most so many orders are waited for, more of them are fetched in detail in each poll.
_FEW_ORDERS = 20
#: cPanel publishes what DCV needs by itself (section 10).
_ACTORS = {"dcv": "provider"}
_PORTS = "that api_url has port 2083, or with cpanel_account 2087"

T = t.TypeVar("T")
Data = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class _Facts:
    """What the calls told of one order item.

    Arguments:
        available: data of get_ssl_certificate_if_available (section 4.3).
        details: data of get_certificate_status_details (section 4.2); None when the item has left the queue.
        item: the item of the queue (section 4.4), where it was asked for and is there.
    """

    available: Data = field(default_factory=dict)
    details: Data | None = None
    item: Data | None = None

    @property
    def pem(self) -> str | None:
        return _pem(self.available)

    @property
    def code(self) -> str | None:
        return text(self.available.get("status_code"))

    @property
    def status_details(self) -> Data:
        given = mapping(mapping(self.details).get("status_details"))
        return {key.lower(): value for key, value in given.items()}

    @property
    def domain_details(self) -> list[Data]:
        """All that is there: an entry that cannot be read, or has no name, is still one that is not VALIDATED."""
        return entries(mapping(self.details).get("domain_details"))

    @property
    def domain_states(self) -> list[str]:
        return [_domain_state(one) for one in self.domain_details]

    @property
    def unpaid(self) -> bool:
        return word(mapping(self.item).get("status")) == "unconfirmed"

    @property
    def expired(self) -> bool:
        return flag(mapping(self.item).get("expired")) is True


class CpanelProvider(Provider):
    """Order items of one cPanel account."""

    info = ProviderInfo(
        name="cpanel",
        label="cPanel",
        default_url=None,
        environment={
            "api_url": ("CPANEL_URL", "CPANEL_API_URL"),
            "username": ("CPANEL_USERNAME",),
            "api_key": ("CPANEL_API_TOKEN",),
            "password": ("CPANEL_PASSWORD",),
        },
        credentials=(("username", "api_key"), ("username", "password")),
        # No limit is published; calls of one account may wait for each other on the server (section 9).
        rate_limits=RateLimits(
            schedule=PollSchedule(steps=((3600.0, 300.0), (14400.0, 1800.0)), afterwards=3600.0),
            budgets=(RequestBudget(20, 5.0),),
        ),
        order_id_hint="the order_item_id, digits alone",
        personal=re.compile(
            r"identity_verification|rep_\w+|\w*(?:fore|sur|first_?|last_?)name|\w*e?mail\w*|\w*(?:phone|fax)\w*"
            r"|street_?address\w*|postal_?code|duns_?number|\w*_token",
            re.IGNORECASE,
        ),
        bulk_from=4,
        options=("cpanel_provider", "cpanel_account"),
    )

    def __init__(self, account: Account, transport: Transport) -> None:
        super().__init__(account, transport)
        #: The last answer of the queue by order_item_id, what there is to warn of, and the items it still serves.
        self._items: t.Mapping[str | None, Data] = {}
        self._note: str | None = None
        self._unused: set[str | None] = set()
        self._market_provider = account.options.get("cpanel_provider") or "cPStore"
        self._cpanel_account = account.options.get("cpanel_account")
        self._authorization = self._authorize()

    def fetch_order(self, order_id: str) -> Order:
        """Certificate and checks of an item; the queue too, where only that can tell what they leave open.

        Raises:
            OrderNotFound: when the store does not know the item.
            InvalidRequest: when the id is that of an order and not of one of its items.
        """
        available = self._available(order_id)
        if _pem(available) is None and word(available.get("status_code")) in _NOT_FOUND:
            raise self._unknown_item(order_id, available)
        facts = _Facts(available=available, details=self._details(order_id))
        if facts.pem is not None or word(facts.code) in _CODES:
            return self._finished(order_id, facts)
        # Only the queue can tell that the item is unpaid or has expired, or that this is the number of a whole order.
        items, note = self._try_queue(order_id)
        self._refuse_order_number(order_id, items)
        facts = replace(facts, item=items.get(order_id))
        if facts.item is None and facts.details is None and word(facts.code) in _NOT_YET:
            note = (
                note or "the item is not in the account's queue, and the store tells nothing of it; it may be too old"
            )
        order = self._finished(order_id, facts)
        return replace(order, warnings=order.warnings + ((note,) if note else ()))

    def refresh_order(self, order: Order) -> Order:
        """The checks alone, while validation goes on; all of it, when there may be a certificate or an end."""
        if order.status not in (Status.VALIDATING, Status.ISSUING):
            return self.fetch_order(order.order_id)
        facts = _Facts(details=self._details(order.order_id))
        if not facts.status_details:
            return self.fetch_order(order.order_id)
        fresh = self._finished(order.order_id, facts)
        if fresh.status != Status.VALIDATING:
            return self.fetch_order(order.order_id)
        methods = {domain.name: domain.method for domain in order.domains}
        return replace(
            fresh,
            domains=tuple(replace(domain, method=methods.get(domain.name)) for domain in fresh.domains),
            certificate=order.certificate,
            ordered_at=order.ordered_at,
        )

    def refresh_policy(self, pending: int) -> RefreshPolicy:
        """The queue shows what cPanel itself saw when it last asked the store (section 9); a detail call asks anew."""
        return RefreshPolicy(each_poll=5) if pending <= _FEW_ORDERS else RefreshPolicy()

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        """The account's queue, in one request whatever its length (section 7)."""
        self._items, self._note, self._unused = self._queue(None), None, set(order_ids)
        return {order_id: self._sketch(order_id, self._items.get(order_id)) for order_id in order_ids}

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """The certificate from the store, its chain from the server (section 8).

        The other calls that know a chain are not used: they send the private key along, which has to stay where it is.

        Raises:
            NotIssued: certificate or chain are not there yet.
            OrderNotFound, OrderFailed, ActionRequired: when the store says that there will be none.
        """
        if not order.issued:
            raise no_certificate(order)
        order_id = order.order_id
        available = self._available(order_id)
        pem = _pem(available)
        code = word(available.get("status_code"))
        if pem is None or code == "ca:revoked":
            if code in _NOT_FOUND:
                raise self._not_found(order_id, available)
            answers = filter(None, [text(available.get("status_code")), text(available.get("status_message"))])
            status = _CODES.get(code, Status.ISSUING)
            refused = replace(order, status=status, issued=False, reason=None, blockers=())
            raise no_certificate(
                refused,
                "the store answered " + shortened(", ".join(answers) or "that it is still processing", MAX_QUOTED),
            )
        try:
            bundle = self._ask("SSL", "get_cabundle", {"cert": armoured(pem)}, order_id, _an_object, method="POST")
        except InvalidRequest as exc:
            raise self._no_chain(order_id, exc.message) from exc
        chain = text(bundle.get("cab")) or text(bundle.get("bundle"))
        if chain is None:
            raise self._no_chain(order_id, "SSL::get_cabundle answered without one")
        return IssuedBundle(leaf=pem, additional=(chain,))

    # -- calls --------------------------------------------------------------

    def _authorize(self) -> str:
        """The value of the Authorization header (section 2). What is secret in it is made known to the redactor."""
        user = self.account.username or ""
        if self.account.api_key:
            value = "{0} {1}:{2}".format("whm" if self._cpanel_account else "cpanel", user, self.account.api_key)
            # Headers carry bytes; http.client takes each character for one.
            return value.encode("utf-8").decode("latin-1")
        pair = "{0}:{1}".format(user, self.account.password or "")
        self.transport.redactor.learn(pair)
        return "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")

    def _ask(
        self,
        module: str,
        function: str,
        params: t.Mapping[str, str],
        order_id: str | None,
        read: t.Callable[[t.Any], T],
        method: str = "GET",
    ) -> T:
        """Call a function of UAPI; what ``read`` makes of its data."""
        call = f"{module}::{function}"
        if self._cpanel_account:
            path = "/json-api/uapi_cpanel"
            target = {"cpanel.user": self._cpanel_account, "cpanel.module": module, "cpanel.function": function}
            params = dict({"api.version": "1"}, **target, **params)
        else:
            path = f"/execute/{module}/{function}"
        request = Request(
            call=call,
            method=method,
            path=path,
            query=params if method == "GET" else {},
            form=params if method == "POST" else None,
            headers={"Authorization": self._authorization},
            order_id=order_id,
        )
        return self.transport.send(request, lambda response: read(_read(response, call, self._market_provider)))

    def _about(self, order_id: str) -> dict[str, str]:
        return {"provider": self._market_provider, "order_item_id": order_id}

    def _available(self, order_id: str) -> Data:
        function = "get_ssl_certificate_if_available"
        return self._ask("Market", function, self._about(order_id), order_id, _an_object)

    def _details(self, order_id: str) -> Data | None:
        """The checks; None for an item that has left the queue, as it does when its certificate is installed."""
        try:
            return self._ask("Market", "get_certificate_status_details", self._about(order_id), order_id, _an_object)
        except OrderNotFound:
            return None

    def _queue(self, order_id: str | None) -> dict[str | None, Data]:
        """The items of this Market provider by order_item_id; the server sends those of all (section 1)."""
        provider = self._market_provider
        data = self._ask("Market", "get_pending_ssl_certificates", {"provider": provider}, order_id, objects)
        return {identifier(item.get("order_item_id")): item for item in data if text(item.get("provider")) == provider}

    # -- the queue ----------------------------------------------------------

    def _try_queue(self, order_id: str) -> tuple[t.Mapping[str | None, Data], str | None]:
        """The queue, or what to warn of when the account may not see it: most is known without it.

        One answer of the queue serves each item once, so that a look at many items asks for it once.
        """
        if order_id not in self._unused:
            try:
                self._items, self._note = self._queue(order_id), None
            except PermissionDenied as exc:
                self._items = {}
                self._note = f"whether the item is paid or has expired is not known: {exc.message}"
            self._unused = set(self._items)
        self._unused.discard(order_id)
        return self._items, self._note

    def _refuse_order_number(self, order_id: str, items: t.Mapping[str | None, Data]) -> None:
        """Raises InvalidRequest when the number is that of an order, naming its items."""
        if order_id in items:
            return
        owned = [item for item in items.values() if identifier(item.get("order_id")) == order_id]
        if owned:
            told = ", ".join(
                "{0} ({1})".format(text(item.get("order_item_id")), ", ".join(names(item.get("domains"))))
                for item in owned
            )
            raise InvalidRequest(
                f"this is an order_id of the queue; give the order_item_id instead: {shortened(told, 5 * MAX_QUOTED)}",
                provider=self.info.name,
                order_id=order_id,
            )

    def _unknown_item(self, order_id: str, available: Data) -> OrderError:
        self._refuse_order_number(order_id, self._try_queue(order_id)[0])
        return self._not_found(order_id, available)

    def _not_found(self, order_id: str, available: Data) -> OrderNotFound:
        return OrderNotFound(
            "the store {0} does not know this order item ({1}); check the order_item_id and the account".format(
                self._market_provider, text(available.get("status_code"))
            ),
            provider=self.info.name,
            order_id=order_id,
        )

    def _sketch(self, order_id: str, item: Data | None) -> OrderSummary:
        """What the queue tells of an item. One that has left it is installed, canceled or expired: ask for it."""
        if item is None:
            return OrderSummary(change_token="left")
        # Not the time of the last poll: it moves without news, and by our own detail calls too.
        seen = ("status", "last_status_code", "last_status_message", "expired", "certificate_id")
        mark = repr([str(item.get(name)) for name in seen])
        if word(item.get("last_status_code")) in _NOT_FOUND:
            return OrderSummary(change_token=mark)
        available = {"status_code": item.get("last_status_code"), "status_message": item.get("last_status_message")}
        return OrderSummary(change_token=mark, order=self._describe(order_id, _Facts(available=available, item=item)))

    # -- one order ----------------------------------------------------------

    def _describe(self, order_id: str, facts: _Facts) -> Order:
        """The order in neutral words (section 5)."""
        warnings: list[str] = []
        checks = self._checks(facts, warnings)
        domains = self._domains(facts, warnings)
        status = self._judge(facts, checks, warnings)
        names_done = least_advanced(facts.domain_states)
        if checks["dcv"] not in Check.OPEN and facts.domain_states and names_done != Check.COMPLETED:
            # The provider calls DCV completed while a name still is not.
            checks["dcv"] = names_done
        dcv = checks["dcv"]
        if not facts.status_details and (status == Status.ISSUED or status in Status.ENDED):
            # The store has forgotten them; before that, what is not told of is not known.
            checks = {}
        if status == Status.ISSUED and checks.get("dcv", Check.UNKNOWN) == Check.UNKNOWN:
            checks["dcv"] = Check.COMPLETED
        dcv_completed: bool | None = None
        if status == Status.ISSUED or dcv in Check.CLOSED:
            dcv_completed = True
        elif dcv in Check.OPEN:
            dcv_completed = False
        order = Order(
            provider=self.info.name,
            order_id=order_id,
            status=status,
            provider_status=self._own_word(facts),
            issued=status == Status.ISSUED,
            dcv_completed=dcv_completed,
            checks=checks,
            domains=domains,
            reason=text(facts.available.get("status_message")) or text(mapping(facts.item).get("last_status_message")),
            action_urls=_action_urls(facts),
            certificate=self._certificate(facts, warnings),
            ordered_at=time_from_epoch(mapping(facts.item).get("created_time")),
            warnings=tuple(warnings),
        )
        return replace(order, blockers=_blockers(order, facts))

    def _finished(self, order_id: str, facts: _Facts) -> Order:
        raw = {"status_details": facts.details, "certificate": facts.available}
        if facts.item is not None:
            raw["queue_item"] = facts.item
        return replace(self._describe(order_id, facts), raw=raw)

    def _checks(self, facts: _Facts, warnings: list[str]) -> dict[str, str]:
        checks: dict[str, str] = {}
        for key, check in _CHECK_KEYS.items():
            given = facts.status_details.get(key)
            checks[check] = _check_state(given)
            if checks[check] == Check.UNKNOWN and text(given):
                warnings.append(unknown_word(self.info.label, key, given))
        if any(word(one.get("status")) == "awaitingbrand" for one in facts.domain_details):
            checks["brand"] = Check.IN_PROGRESS
        return checks

    def _domains(self, facts: _Facts, warnings: list[str]) -> tuple[Domain, ...]:
        """The names with their states; where those were not told, the names of the queue."""
        methods = mapping(mapping(facts.item).get("domain_dcv_method"))
        found: dict[str, Domain] = {}
        for one in facts.domain_details:
            name, state = text(one.get("domain")), _domain_state(one)
            if name is None:
                warnings.append("cpanel told of the validation of a name, but not which name")
                continue
            if state == Check.UNKNOWN:
                warnings.append(unknown_word(self.info.label, "status of " + name, one.get("status")))
            if name in found:
                state = least_advanced([state, found[name].status])
            found[name] = Domain(name=name, status=state, method=text(methods.get(name)))
        if not found:
            for name in names(mapping(facts.item).get("domains")):
                found[name] = Domain(name=name, method=text(methods.get(name)))
        return tuple(found.values())

    def _judge(self, facts: _Facts, checks: t.Mapping[str, str], warnings: list[str]) -> str:
        """The status: the first line of section 5 that fits. Adds a warning for what is not known."""
        code = word(facts.code)
        if facts.pem is not None and code != "ca:revoked":
            return Status.ISSUED
        if code in _CODES:
            return _CODES[code]
        if facts.unpaid:
            return Status.ACTION_REQUIRED
        if facts.expired:
            return Status.EXPIRED
        if code not in _NOT_YET:
            warnings.append(unknown_word(self.info.label, "status_code", facts.code))
            return Status.UNKNOWN
        certificate = facts.status_details.get("certificatestatus")
        if text(certificate) and _check_state(certificate) == Check.UNKNOWN:
            warnings.append(unknown_word(self.info.label, "certificateStatus", certificate))
            return Status.UNKNOWN
        states = set(checks.values()) | {_check_state(facts.status_details.get("validationstatus"))}
        known = states - {Check.UNKNOWN}
        if _check_state(certificate) == Check.COMPLETED:
            known.add(Check.COMPLETED)
        if not known or known & Check.OPEN or set(facts.domain_states) - {Check.COMPLETED}:
            return Status.VALIDATING
        return Status.ISSUING

    @staticmethod
    def _own_word(facts: _Facts) -> str | None:
        if facts.code:
            return facts.code
        if facts.unpaid:
            return text(mapping(facts.item).get("status"))
        return text(facts.status_details.get("certificatestatus"))

    @staticmethod
    def _certificate(facts: _Facts, warnings: list[str]) -> OrderCertificate:
        own_id = text(mapping(facts.item).get("certificate_id"))
        if facts.pem is None:
            return OrderCertificate(id=own_id)
        described = describe_certificate(facts.pem)
        if described is None:
            warnings.append("the certificate came, but its serial number and dates cannot be read")
            return OrderCertificate(id=own_id)
        return OrderCertificate(
            id=own_id,
            serial_number=described.serial_number,
            not_before=described.not_before,
            not_after=described.not_after,
        )

    # -- collecting ---------------------------------------------------------

    def _no_chain(self, order_id: str, why: str) -> NotIssued:
        return NotIssued(
            f"the certificate is there, but the server has no CA bundle for it ({why}); collect it later",
            provider=self.info.name,
            order_id=order_id,
        )


# -- answers ------------------------------------------------------------------


def _read(response: Response, call: str, market_provider: str) -> t.Any:
    """The data of a function that succeeded, whatever the envelope (section 2).

    Raises:
        OrderError: for every failure of section 6.
    """
    if response.status in (401, 403):
        raise AuthenticationError(
            f"{call} was refused (HTTP {response.status}{_said(response)}); check username, api_key or password, and {_PORTS}"
        )
    if response.status >= 400:
        raise UnexpectedResponse(
            "there is no such address; check scheme, host and port of api_url, and give no path in it", retryable=False
        )
    body = response.json()
    if not isinstance(body, dict):
        raise UnexpectedResponse("an object was expected")
    metadata = mapping(body.get("metadata"))
    uapi = mapping(body.get("data")).get("uapi")
    if isinstance(uapi, dict):
        result: Data = uapi
    elif isinstance(body.get("result"), dict):
        result = body["result"]
    elif "cpanelresult" in body:
        raise _failure(text(mapping(body["cpanelresult"]).get("error")) or "no text", call, market_provider)
    elif flag(metadata.get("result")) is False:
        raise _failure(text(metadata.get("reason")) or "no reason", call, market_provider)
    else:
        result = body
    if "status" not in result:
        raise UnexpectedResponse("it has no status")
    if flag(result["status"]) is True:
        return result.get("data")
    if flag(result["status"]) is None and result["status"]:
        raise UnexpectedResponse("its status is neither 1 nor 0")
    errors = [text(one) for one in _texts(result.get("errors"))]
    raise _failure("; ".join(filter(None, errors)) or "no text", call, market_provider)


def _said(response: Response) -> str:
    """What a refusal in JSON says, for a message; nothing for a page."""
    try:
        body = mapping(response.json())
    except UnexpectedResponse:
        return ""
    said = text(mapping(body.get("cpanelresult")).get("error")) or text(mapping(body.get("metadata")).get("reason"))
    return ": " + shortened(said, MAX_QUOTED) if said else ""


def _texts(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else [value]


def _failure(said: str, call: str, market_provider: str) -> OrderError:
    """The error for an application error, by its words: quotes differ between versions (section 6)."""
    lowered = said.lower()
    message = f"{call} failed: {shortened(said, MAX_QUOTED)}"
    if "no entry exists" in lowered:
        return OrderNotFound(message + "; the item is not in the account's queue")
    if re.search(r"access denied|authenticat|invalid (?:api )?token", lowered):
        return AuthenticationError(message + "; check username, api_key or password, and " + _PORTS)
    if re.search(r"permission|feature|not (?:have access|allowed|authorized)", lowered):
        return PermissionDenied(message + "; the account needs the features market and tls_wizard; check " + _PORTS)
    if market_provider.lower() in lowered and re.search(r"load|locate", lowered):
        return InvalidRequest(message + "; check cpanel_provider, Market::get_providers_list names those enabled")
    if re.search(r"find the function|find function|function not found|load module", lowered):
        return InvalidRequest(message + "; check " + _PORTS)
    if re.search(r"timed? ?out|temporar|try again|unavailable|connect", lowered):
        return ProviderUnavailable(message + "; try again later")
    return InvalidRequest(message)


def _an_object(data: t.Any) -> Data:
    """The data of a call that answers with an object. What it holds comes from the store, so it may be anything."""
    return mapping(data)


# -- words --------------------------------------------------------------------


def _check_state(given: t.Any) -> str:
    return _CHECK_STATES.get(re.sub(r"[\s_]+", "-", word(given)), Check.UNKNOWN)


def _pem(available: Data) -> str | None:
    return certificate_text(available.get("certificate_pem"))


def _domain_state(given: Data) -> str:
    return _DOMAIN_STATES.get(word(given.get("status")), Check.UNKNOWN)


def _action_urls(facts: _Facts) -> dict[str, str]:
    """The links that a person can open, by check. The names are those of checks, the values are not (section 4.2)."""
    details, item = mapping(facts.details), mapping(facts.item)
    found: dict[str, str] = {}
    for given in (
        details.get("actionUrls"),
        details.get("action_urls"),
        facts.available.get("encrypted_action_urls"),
        item.get("last_action_urls"),
    ):
        for key, value in mapping(given).items():
            check = _CHECK_KEYS.get(key.lower())
            url = _link(value)
            if check is not None and url is not None:
                found.setdefault(check, url)
    return found


def _link(value: t.Any) -> str | None:
    url = text(value)
    return url if url is not None and re.fullmatch(r"https?://[^\s\"'<>]+", url, re.IGNORECASE) else None


def _blockers(order: Order, facts: _Facts) -> tuple[Blocker, ...]:
    if order.final:
        return ()
    found = open_blockers(order.checks, order.domains, order.action_urls, _ACTORS)
    if facts.unpaid:
        url = _link(mapping(facts.item).get("checkout_url"))
        return (Blocker("payment", "the order is not paid; check out at the store", url=url), *found)
    if order.status == Status.ACTION_REQUIRED:
        url = _link(mapping(facts.item).get("support_uri"))
        return (Blocker("approval", "the store holds the order for a review by hand; ask its support", url=url), *found)
    return found
