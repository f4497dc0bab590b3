# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sectigo, the web-host reseller API: its calls, all of them form posts.

Private to this collection. Sections named here are those of the Sectigo fact sheet, docs/providers/sectigo.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from ...._common.evidence import NameEvidence
from ...account import Account
from ...certificates.cache import CertificateCache
from ...certificates.chain import assemble, is_serial
from ...describe import MAX_QUOTED, no_certificate
from ...errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ...http.messages import Request, Response, Transport
from ...http.redaction import shortened
from ...model import Check, IssuedBundle, Order
from ...reissue.methods import choose_dcv_method
from ...reissue.model import ReissueReply, Snapshot, Wish
from ..base import (
    NOT_YET,
    SERVER_FAULT,
    TOO_MANY_REQUESTS,
    DcvReply,
    OrderSummary,
    Provider,
)
from ..bulk import fetch_summaries_in_batches
from ..coerce import number, text
from ..paging import OrderList, Page, read_pages
from . import INFO
from .body import Entry, Reply, read_reply
from .dcv import map_evidence
from .mapping import STATUS_CODES, map_listed, map_order, map_summary, newest, with_names
from .reissue import METHODS, make_form, map_reissue, map_snapshot

_STATUS = "/products/!GetDetailedOrderStatus"
_COLLECT = "/products/download/CollectSSL"
_DOMAINS = "/products/!GetMDCDomainDetails"
_REPORT = "/products/!WebHostReport"
_UPDATE_DCV = "/products/!AutoUpdateDCV"
_REPLACE = "/products/!AutoReplaceSSL"

#: Seconds to stay away after error -42: the published pause between collect calls, and the interval of status calls.
_COLLECT_PAUSE = 10800.0
_STATUS_PAUSE = 900.0
#: Rows on one page of the report; section 5 of the sheet on orders.
_PAGE_SIZE = 500
#: A certificateID has at most so many digits; section 3.
_MAX_CERTIFICATE_ID_LENGTH = 16

_LOGIN = "the login is wrong, locked, expired or blocked; check username and password"
#: A refused login in words, under a code that is not published.
_SECRET = "(?:api[ _-]?key|login|password|credentials?)"
_REFUSED = "(?:invalid|wrong|unknown|expired|locked|disabled)"
_ARGUMENT = frozenset([-3, -4])
#: Errors: (codes, or all; what the texts say; error; what to do). The first that fits decides; section 6.
_ERRORS: t.Sequence[tuple[t.Container[int] | None, str, type[OrderError], str]] = (
    ((-16,), "", AuthenticationError, _LOGIN),
    (_ARGUMENT, "loginname|loginpassword", AuthenticationError, _LOGIN),
    (
        None,
        NOT_YET,
        NotIssued,
        "the order has not come so far yet; wait for it",
    ),
    (
        _ARGUMENT,
        "ordernumber|certificateid",
        OrderNotFound,
        "the account has no such order; check order id, id_type and account",
    ),
    ((-91,), "", PermissionDenied, "the login may not use this call; ask for the permission"),
    ((-14,), "", ProviderUnavailable, "try again later"),
    ((-42,), "", RateLimited, "ask less often"),
    ((-1, -17), "", InvalidRequest, "something on the way changed the request; check api_url and proxy"),
    (
        None,
        rf"\b{_SECRET}\b.*\b(?:not valid|{_REFUSED})|\b{_REFUSED} {_SECRET}\b",
        AuthenticationError,
        _LOGIN,
    ),
    (None, TOO_MANY_REQUESTS, RateLimited, "ask less often"),
    (None, SERVER_FAULT, ProviderUnavailable, "try again later"),
    (None, "", InvalidRequest, "look the code up at Sectigo, or ask its support"),
)

T = t.TypeVar("T")


class SectigoProvider(Provider):
    """The web-host reseller API of Sectigo, for one reseller account."""

    info = INFO
    dcv_methods = METHODS

    def __init__(self, account: Account, transport: Transport) -> None:
        super().__init__(account, transport)
        self._cache = CertificateCache(account.fingerprint, _COLLECT_PAUSE)
        self._by_certificate = account.options.get("id_type") == "certificate"
        #: What to warn of where !GetMDCDomainDetails is not called any more.
        self._no_names: str | None = None
        #: The orderNumber of the latest replacement, by order id, as the status call has reported it.
        self._numbers: dict[str, str] = {}

    def check_order_id(self, order_id: str) -> str:
        """See Provider.check_order_id. A certificateID has at most 16 digits; section 3."""
        checked = super().check_order_id(order_id)
        if self._by_certificate and len(checked) > _MAX_CERTIFICATE_ID_LENGTH:
            raise InvalidRequest(
                f"this is no certificateID of {self.info.label}: it has more than {_MAX_CERTIFICATE_ID_LENGTH} digits",
                provider=self.info.name,
                order_id=checked,
            )
        return checked

    def fetch_order(self, order_id: str) -> Order:
        """One !GetDetailedOrderStatus, and one !GetMDCDomainDetails while several names are not all validated."""
        order, order_number = self._fetch_status(order_id)
        if order.checks.get("dcv") in Check.OPEN and not order.final and len(order.domains) > 1:
            order = self._add_names(order, order_number)
        return order

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        """!WebHostReport for up to info.bulk_batch orders a request; section 7. It knows no check values.

        Raises:
            InvalidRequest: for certificate ids, and when the report refuses an order; each must then be fetched alone.
        """
        self._refuse_certificate_ids()
        return fetch_summaries_in_batches(order_ids, self.info.bulk_batch, self._report, _summary)

    def fetch_list(self) -> OrderList:
        """See Provider.fetch_list. !WebHostReport with paging; section 5 of the sheet on orders.

        Raises:
            InvalidRequest: for certificate ids, which the report does not have.
        """
        self._refuse_certificate_ids()
        pages = read_pages(self._fetch_page, lambda row: row.order_number or "")
        orders = [map_listed(row) for row in pages.items.values()]
        return OrderList(orders, pages.truncated)

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """The certificate from CollectSSL, or what was collected within the pause that it demands; sections 8 and 9.

        Raises:
            NotIssued: the certificate is being made, or nothing was attached.
            ActionRequired: the order is not paid.
            OrderFailed: the order was rejected, or the certificate revoked.
        """
        if not order.issued:
            raise no_certificate(order)
        cached = self._cache.get(order)
        if cached is not None:
            return cached
        bundle = self._collect(order)
        if not _is_complete(bundle, order):
            return bundle
        try:
            self._cache.put(order, bundle)
        except OSError as exc:
            return replace(bundle, warnings=(f"the certificate could not be kept for another run: {exc}",))
        return bundle

    def fetch_evidence(
        self, order_id: str, csr: str | None = None, unique_value: str | None = None, check_mode: bool = False
    ) -> list[NameEvidence]:
        """See Provider.fetch_evidence. Computed from the CSR, which no call returns; section 2 of the DCV sheet.

        Raises:
            InvalidRequest: when the CSR or the unique value is none.
        """
        order_id = self.check_order_id(order_id)
        order, order_number = self._fetch_status(order_id)
        if not order.final and order.checks.get("dcv") not in Check.CLOSED and order_number is not None:
            order = self._add_methods(order, order_number)
        try:
            return map_evidence(order, csr, unique_value)
        except ValueError as exc:
            raise InvalidRequest(str(exc), provider=self.info.name, order_id=order_id) from None

    def check_dcv_methods(self, changes: t.Mapping[str, str], names: t.Sequence[NameEvidence]) -> None:
        """See Provider.check_dcv_methods. The call knows no certificateID; section 3.1 of the DCV sheet."""
        super().check_dcv_methods(changes, names)
        if self._by_certificate:
            raise InvalidRequest("AutoUpdateDCV knows no certificateID; give the order number", provider=self.info.name)

    def change_dcv_method(self, order_id: str, names: t.Sequence[str], method: str) -> None:
        """See Provider.change_dcv_method. Sectigo looks at once after it; section 3.1 of the DCV sheet."""
        form = {"orderNumber": self._numbers.get(order_id, order_id), "domainName": names[0], "newMethod": method}
        reply = self._send(_UPDATE_DCV, form, order_id, lambda reply: reply, repeatable=False)
        if reply.code < 0:
            raise InvalidRequest(f"!AutoUpdateDCV answered {reply.code} ({_quote(reply)}); look at the order")

    def look_for_evidence(self, order_id: str, names: t.Sequence[NameEvidence]) -> DcvReply:
        """See Provider.look_for_evidence. The same method again is the request to look; it has no result."""
        self.change_dcv_method(order_id, [names[0].name], names[0].method or "")
        return DcvReply()

    def check_reissue(self, wish: Wish) -> None:
        """See Provider.check_reissue. The method must be given: the status call does not report that of the order."""
        choose_dcv_method(METHODS, wish.dcv_method, None, self.info.label)
        if self._by_certificate:
            raise InvalidRequest("a replacement is requested by order number, not with id_type=certificate")

    def fetch_reissue(self, wish: Wish) -> Snapshot:
        """The status reply; section 2 of the sheet on orders."""
        reply = self._fetch_reply(wish.order_id)
        return map_snapshot(reply, map_order(reply, wish.order_id))

    def prepare_reissue(self, snapshot: Snapshot, wish: Wish) -> t.Mapping[str, t.Any]:
        """See Provider.prepare_reissue."""
        return make_form(snapshot, wish, self._identify(wish.order_id))

    def request_reissue(self, order_id: str, fields: t.Mapping[str, t.Any]) -> ReissueReply:
        """See Provider.request_reissue. The reply has no order number; section 2 of the sheet on orders."""
        reply = self._send(_REPLACE, fields, order_id, lambda reply: reply, repeatable=False)
        if reply.code < 0:
            raise InvalidRequest(f"AutoReplaceSSL answered {reply.code} ({_quote(reply)}); look at the order")
        return map_reissue(reply)

    # -- calls --------------------------------------------------------------

    def _fetch_status(self, order_id: str) -> tuple[Order, str | None]:
        """The order, and the orderNumber under which its names are known; None where that is not reported."""
        reply = self._fetch_reply(order_id)
        reported = newest(reply.entries).order_number if reply.entries else None
        if reported:
            self._numbers[order_id] = reported
        return map_order(reply, order_id), reported or (None if self._by_certificate else order_id)

    def _fetch_reply(self, order_id: str) -> Reply:
        def parse(reply: Reply) -> Reply:
            if reply.code >= 0 and not reply.entries:
                raise UnexpectedResponse("it describes no order")
            return reply

        form = {**self._identify(order_id), "queryType": "2", "showValidityPeriod": "Y"}
        return self._send(_STATUS, form, order_id, parse)

    def _add_methods(self, order: Order, order_number: str) -> Order:
        """The order with the method of each name. An order with one name may be none that the call knows."""
        try:
            reply = self._send(_DOMAINS, {"orderNumber": order_number}, order.order_id, lambda reply: reply)
        except (InvalidRequest, OrderNotFound):
            if len(order.domains) > 1:
                raise
            return order
        return with_names(order, reply)

    def _collect(self, order: Order) -> IssuedBundle:
        """One CollectSSL; section 8. It is never sent twice.

        Not even after a server error, which section 6 calls transient: nothing says that such a call is not counted.
        """
        form = {
            **({"orderNumber": order.collect_id} if order.collect_id else self._identify(order.order_id)),
            "queryType": "1",
            "responseType": "3",
            "responseFormat": "1",
            "responseEncoding": "0",
        }
        # Judged here and not while it is parsed: "not yet" would be sent again within seconds.
        reply = self._send(_COLLECT, form, order.order_id, lambda reply: reply, collecting=True)
        if reply.code < 0:
            held = replace(order, status=STATUS_CODES[reply.code], issued=False, reason=None, blockers=())
            raise no_certificate(held, f"CollectSSL answered {reply.code} ({_quote(reply)})")
        leaf = text(reply.fields.get("certificate"))
        additional = tuple(filter(None, [text(value) for key, value in reply.pairs if key == "caCertificate"]))
        if reply.rest:
            additional += (reply.rest,)
        if reply.code == 0 or not (leaf or additional):
            raise no_certificate(
                order, f"CollectSSL answered {reply.code} without a certificate, and may be called again in three hours"
            )
        return IssuedBundle(leaf=leaf, additional=additional)

    def _add_names(self, order: Order, number: str | None) -> Order:
        """The order with the state of each name, where !GetMDCDomainDetails can be had; section 10."""
        if number is None:
            return order
        if self._no_names is not None:
            return replace(order, warnings=(*order.warnings, self._no_names))
        try:
            reply = self._send(_DOMAINS, {"orderNumber": number}, order.order_id, lambda reply: reply)
        except OrderError as exc:
            # A wrong login must not be sent again; section 6.
            if isinstance(exc, AuthenticationError) and not isinstance(exc, PermissionDenied):
                raise
            # A courtesy: the account may not have this call, and what is known already holds without it.
            warning = f"which of the names are validated is not known: {exc.message}"
            if not exc.retryable and not isinstance(exc, OrderNotFound):
                self._no_names = warning
            return replace(order, warnings=(*order.warnings, warning))
        return with_names(order, reply)

    def _report(self, wanted: t.Sequence[str]) -> dict[str, Entry]:
        """The rows of the report about these orders, by order number; fetched page by page where it comes in pages."""
        rows: dict[str, Entry] = {}
        form = {"orderNumber": ",".join(wanted), "showStatusesOnly": "Y"}
        while True:
            reply = self._fetch_report(form)
            known = len(rows)
            rows.update((entry.order_number, entry) for entry in reply.entries if entry.order_number)
            total = number(reply.fields.get("noOfResults")) or 0
            if len(rows) in (total, known) or len(rows) > total or rows.keys() >= set(wanted):
                return {order_id: rows[order_id] for order_id in wanted if order_id in rows}
            # Whether results are counted from 0 or from 1 is not published: one may come twice, none is missed.
            form = {**form, "firstResultNo": str(len(rows)), "lastResultNo": str(total)}

    def _fetch_report(self, form: t.Mapping[str, str]) -> Reply:
        try:
            reply = self._send(_REPORT, form, None, lambda reply: reply)
        except OrderNotFound as exc:
            raise InvalidRequest(exc.message, provider=self.info.name, http_status=exc.http_status) from exc
        if reply.code < 0:
            raise InvalidRequest(
                f"the report of many orders answered {reply.code} ({_quote(reply)})", provider=self.info.name
            )
        return reply

    def _fetch_page(self, offset: int) -> Page[Entry]:
        # Whether results are counted from 0 or from 1 is not published: one may come twice, none is missed.
        form = {"firstResultNo": str(offset), "lastResultNo": str(offset + _PAGE_SIZE)}
        try:
            reply = self._fetch_report(form)
        except InvalidRequest:
            if offset > 0:
                raise
            reply = self._fetch_report({**form, "firstResultNo": "1"})
        return Page(reply.entries, _PAGE_SIZE, number(reply.fields.get("noOfResults")))

    def _refuse_certificate_ids(self) -> None:
        if self._by_certificate:
            raise InvalidRequest(
                "the report of many orders knows no certificateID; give order numbers to have it used",
                provider=self.info.name,
            )

    def _identify(self, order_id: str) -> dict[str, str]:
        return {"certificateID" if self._by_certificate else "orderNumber": order_id}

    def _send(
        self,
        path: str,
        form: t.Mapping[str, str],
        order_id: str | None,
        parse: t.Callable[[Reply], T],
        collecting: bool = False,
        repeatable: bool = True,
    ) -> T:
        credentials = {"loginName": self.account.username or "", "loginPassword": self.account.password or ""}
        call = path.rsplit("/", 1)[-1]
        request = Request(
            call=call,
            method="POST",
            path=path,
            form={**credentials, **form},
            order_id=order_id,
            repeatable=repeatable and not collecting,
        )
        # Requests of an account must not overlap; section 9.
        with self.transport.exclusive():
            return self.transport.send(request, lambda response: parse(_read(response, call, collecting)))


def _summary(order_id: str, row: Entry) -> OrderSummary:
    return map_summary(row, order_id)


def _is_complete(bundle: IssuedBundle, order: Order) -> bool:
    """Whether it is the order's own certificate with its chain, rather than the previous one of a reissue."""
    serial = order.certificate.serial_number
    try:
        assembled = assemble(bundle.leaf, bundle.additional)
    except OrderError:
        return False
    return serial is not None and is_serial(assembled, serial)


# -- reading answers ----------------------------------------------------------


def _quote(reply: Reply) -> str:
    return shortened(reply.message or "no text", MAX_QUOTED)


def _read(response: Response, call: str, collecting: bool) -> Reply:
    """A reply that was understood: its code is not negative, or one of STATUS_CODES.

    Raises:
        OrderError: for every error of section 6 that does not show where an order stands; and UnexpectedResponse or
            AuthenticationError for what is no answer of this API.
    """
    reply = read_reply(response)
    if reply is None or (reply.code >= 0 and response.status >= 400):
        raise _no_answer(response, call)
    if reply.code >= 0 or reply.code in STATUS_CODES:
        return reply
    raise _error(reply, call, collecting)


def _no_answer(response: Response, call: str) -> OrderError:
    if response.status in (401, 403):
        return AuthenticationError(f"{call} was refused (HTTP {response.status}); check username, password and api_url")
    if response.status >= 400:
        return UnexpectedResponse("this is no address of the API; check api_url", retryable=False)
    return UnexpectedResponse("it has no errorCode")


def _error(reply: Reply, call: str, collecting: bool) -> OrderError:
    """The error for a negative errorCode; section 6."""
    subject = [text(reply.fields.get(name)) for name in ("errorItem", "errorDetail")]
    reason = ": ".join(
        dict.fromkeys(filter(None, [_quote(reply), *(shortened(one, MAX_QUOTED) for one in subject if one)]))
    )
    searched = " ".join(filter(None, [reply.message, *subject])).lower()
    kind, advice = next(
        (kind, advice)
        for codes, pattern, kind, advice in _ERRORS
        if (codes is None or reply.code in codes) and re.search(pattern, searched, re.DOTALL)
    )
    retry_after = None
    if kind is RateLimited:
        retry_after = _COLLECT_PAUSE if collecting else _STATUS_PAUSE
        if collecting:
            advice = "a certificate may be collected once in three hours, so try again in three hours"
    return kind(f"{call} answered {reply.code} ({reason}); {advice}", retry_after=retry_after)
