# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GoGetSSL, API v1: its session key and its calls.

Private to this collection. Sections named here are those of the GoGetSSL fact sheet, docs/providers/gogetssl.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import replace

from ...._common.evidence import NameEvidence
from ...account import Account
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
from ...model import IssuedBundle, Order
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
from ..coerce import certificate_text, flag, identifier, mapping, number, objects, text, word
from ..paging import OrderList, Page, read_pages
from . import DEFAULT_URL, INFO
from .dcv import map_evidence
from .mapping import Body, map_listed, map_order, map_summary
from .reissue import METHODS, make_form, map_snapshot

T = t.TypeVar("T")


class _KeyRefused(AuthenticationError):
    """The session key is not valid, or not any more. It is renewed once then; section 2."""


#: The most that one page of the list call holds; section 1.
_PAGE_SIZE = 1000
#: No session key has more characters; it is part of every URL.
_MAX_KEY_LENGTH = 1024
#: So many texts of one error are shown.
_MAX_REASONS = 4
_UNKNOWN_ORDER = "GoGetSSL does not know it ({0}); check the order id and the account"
_REFUSED = "GoGetSSL refused the request ({0}); "
#: An order that is not there. The words are not published, and other messages of this API say "is not valid".
_ABOUT_ORDER = (
    r"\A(?=.*\border)(?!.*(?:auth|\b(?:api[ _-]?key|csr|domains?|products?|methods?)\b))"
    r"(?=.*(?:(?:not|n't|no|cannot)\b.*(?:found|find|exist|valid\b|belong|known|order)"
    r"|unknown|wrong|incorrect|invalid|missing|no such))"
)
#: An order that has not come so far yet.
_ORDER_NOT_YET = rf"\A(?=.*\b(?:order|domain|certificate|validation|dcv)\b).*{NOT_YET}"
#: Errors by their text; the first pattern that is found decides. Section 6, and what else any API says.
_ERRORS: t.Sequence[tuple[str, type[OrderError], str]] = (
    (_ORDER_NOT_YET, NotIssued, "GoGetSSL does not answer this before the order has come further ({0}); wait for it"),
    (_ABOUT_ORDER, OrderNotFound, _UNKNOWN_ORDER),
    (
        r"\AHTTP 40[13]\b|\bcode 40[13]\b|auth[ _-]?key|\bapi[ _-]?key\b|authenticat|session",
        _KeyRefused,
        "GoGetSSL refused the session key, also a new one ({0}); check the account",
    ),
    ("username|password|credential", AuthenticationError, _REFUSED + "check username and the API password"),
    ("requested method", InvalidRequest, _REFUSED + "check api_url"),
    (rf"too many|limit exceeded|{TOO_MANY_REQUESTS}", RateLimited, _REFUSED + "ask less often"),
    (
        rf"temporar|try again|{SERVER_FAULT}",
        ProviderUnavailable,
        _REFUSED + "try again later",
    ),
    (
        "permission|denied|forbidden|not allowed",
        PermissionDenied,
        _REFUSED + "check that the account may use the API",
    ),
    (r"\bcode 404\b", OrderNotFound, _UNKNOWN_ORDER),
)


class GogetsslProvider(Provider):
    """Orders of one GoGetSSL account."""

    info = INFO
    dcv_methods = METHODS

    def __init__(self, account: Account, transport: Transport) -> None:
        super().__init__(account, transport)
        self._key: str | None = None
        self._refused: str | None = None

    def fetch_order(self, order_id: str) -> Order:
        """The status reply of one order; sections 3 to 5."""
        order_id = self.check_order_id(order_id)
        body = self._fetch_status(order_id)
        return replace(map_order(body, order_id), raw=body)

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        """The batch reply; it has neither certificates nor checks. Section 7."""
        return fetch_summaries_in_batches(order_ids, self.info.bulk_batch, self._fetch_statuses, _summary)

    def fetch_list(self) -> OrderList:
        """See Provider.fetch_list. The list has ids and words, the batch reply ends; none has names.

        Section 5 of the sheet on orders.
        """
        pages = read_pages(self._fetch_page, lambda item: identifier(item.get("order_id")) or "")
        active = [order_id for order_id, item in pages.items.items() if word(item.get("status")) == "active"]
        ends: dict[str, Body] = {}
        step = self.info.bulk_batch or len(active)
        for start in range(0, len(active), step):
            ends.update(self._fetch_statuses(active[start : start + step]))
        orders = [map_listed(order_id, item, ends.get(order_id)) for order_id, item in pages.items.items()]
        return OrderList(orders, pages.truncated)

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """Leaf and chain from the status reply; section 8."""
        if not order.issued:
            raise no_certificate(order)
        body = self._fetch_status(order.order_id)
        found = map_order(body, order.order_id)
        if not found.issued:
            raise no_certificate(found)
        return IssuedBundle(
            leaf=certificate_text(body.get("crt_code")),
            additional=tuple(filter(None, [certificate_text(body.get("ca_code"))])),
            csr=found.csr,
        )

    def fetch_evidence(
        self, order_id: str, csr: str | None = None, unique_value: str | None = None, check_mode: bool = False
    ) -> list[NameEvidence]:
        """See Provider.fetch_evidence. The status reply has all there is; section 2 of the DCV sheet."""
        order_id = self.check_order_id(order_id)
        return map_evidence(self._fetch_status(order_id), order_id)

    def change_dcv_method(self, order_id: str, names: t.Sequence[str], method: str) -> None:
        """See Provider.change_dcv_method. Section 3 of the DCV sheet."""
        path, form = f"/orders/ssl/change_validation_method/{order_id}/", {"domain": names[0], "new_method": method}
        self._send("change_validation_method", "POST", path, _read_json, order_id, form, repeatable=False)

    def look_for_evidence(self, order_id: str, names: t.Sequence[NameEvidence]) -> DcvReply:
        """See Provider.look_for_evidence. It is accepted, and the result shows later; section 3 of the DCV sheet."""
        path, form = f"/orders/ssl/revalidate/{order_id}/", {"domain": names[0].name}
        body = self._send("revalidate", "POST", path, _read_json, order_id, form, repeatable=False)
        return DcvReply(message=text(body.get("message")))

    def fetch_reissue(self, wish: Wish) -> Snapshot:
        """The status reply; section 2 of the sheet on orders."""
        body = self._fetch_status(wish.order_id)
        return map_snapshot(body, map_order(body, wish.order_id), wish)

    def prepare_reissue(self, snapshot: Snapshot, wish: Wish) -> t.Mapping[str, t.Any]:
        """See Provider.prepare_reissue."""
        return make_form(snapshot, wish)

    def request_reissue(self, order_id: str, fields: t.Mapping[str, t.Any]) -> ReissueReply:
        """See Provider.request_reissue."""
        path = f"/orders/ssl/reissue/{order_id}"
        self._send("reissue", "POST", path, _read_json, order_id, form=fields, repeatable=False)
        return ReissueReply()

    # -- calls --------------------------------------------------------------

    def _fetch_status(self, order_id: str) -> Body:
        def parse(response: Response) -> Body:
            body = _read_json(response)
            if not body.get("status") and not body.get("order_id"):
                if text(body.get("message")) or text(body.get("description")):
                    raise _error(response, body)
                raise UnexpectedResponse("there is no order in it")
            answered = identifier(body.get("order_id"))
            if answered is not None and answered.lstrip("0") != order_id.lstrip("0"):
                raise UnexpectedResponse(f"it is about order {answered[:40]}")
            return body

        return self._send("order status", "GET", f"/orders/status/{order_id}", parse, order_id)

    def _fetch_page(self, offset: int) -> Page[Body]:
        def parse(response: Response) -> Page[Body]:
            body = _read_json(response)
            if "orders" not in body:
                raise UnexpectedResponse("it holds no list of orders", retryable=False)
            # count is about this page alone.
            size = number(body.get("limit")) or _PAGE_SIZE
            return Page(objects(body.get("orders")), min(size, _PAGE_SIZE) if size > 0 else _PAGE_SIZE)

        query = {"limit": str(_PAGE_SIZE), "offset": str(offset)}
        return self._send("order list", "GET", "/orders/ssl/all", parse, query=query)

    def _fetch_statuses(self, order_ids: t.Sequence[str]) -> t.Mapping[str, Body]:
        form = {"cids": ",".join(order_ids)}
        items = self._send("batch status", "POST", "/orders/statuses/", _read_batch, form=form)
        return {identifier(item.get("order_id")) or "": item for item in items}

    def _send(
        self,
        call: str,
        method: str,
        path: str,
        parse: t.Callable[[Response], T],
        order_id: str | None = None,
        form: t.Mapping[str, str] | None = None,
        repeatable: bool = True,
        query: t.Mapping[str, str] | None = None,
    ) -> T:
        """Send with the session key, and once more with a new one when the key is refused; section 2."""

        def send() -> T:
            key = self._key or self._authenticate()
            about: t.Any = {"form": form, "order_id": order_id, "repeatable": repeatable}
            request = Request(call=call, method=method, path=path, query={"auth_key": key, **(query or {})}, **about)
            return self.transport.send(request, parse)

        try:
            return send()
        except _KeyRefused:
            self._key = None
        return send()

    def _authenticate(self) -> str:
        """A new session key.

        Raises:
            AuthenticationError: when the credentials are refused. They are not sent again: accounts lock.
        """
        if self._refused is not None:
            raise AuthenticationError(self._refused)

        def parse(response: Response) -> str:
            key = _read_key(response)
            # At once: from here on the key is part of every URL.
            self.transport.redactor.learn(key)
            return key

        form = {"user": self.account.username or "", "pass": self.account.password or ""}
        try:
            self._key = self.transport.send(Request(call="auth", method="POST", path="/auth/", form=form), parse)
        except AuthenticationError as exc:
            self._refused = exc.message
            raise
        return self._key


# -- reading answers --------------------------------------------------------


def _read_key(response: Response) -> str:
    """The key that /auth/ gave; only this field of the answer is certain. Sections 2 and 6."""
    if response.status == 404:
        raise _no_such_url(response)
    try:
        body = mapping(response.json())
    except UnexpectedResponse:
        if response.status < 400:
            raise
        body = {}
    key = text(body.get("key"))
    if key is None or response.status >= 400 or _failed(body):
        error = _error(response, body)
        if isinstance(error, (RateLimited, ProviderUnavailable)):
            raise error
        reason = _reason(response, body)
        raise AuthenticationError(f"GoGetSSL refused to log in ({reason}); check username and the API password")
    if len(key) > _MAX_KEY_LENGTH:
        raise UnexpectedResponse(f"GoGetSSL gave a session key of {len(key)} characters", retryable=False)
    return key


def _read_json(response: Response) -> Body:
    """The JSON object of an answer that is no error. Errors are not tied to the HTTP status; section 6."""
    try:
        body = response.json()
    except UnexpectedResponse:
        if response.status < 400:
            raise
        raise _error(response, {}) from None
    if not isinstance(body, dict):
        if response.status >= 400:
            raise _error(response, {})
        raise UnexpectedResponse("it is no JSON object")
    if response.status >= 400 or _failed(body):
        raise _error(response, body)
    return body


def _read_batch(response: Response) -> list[Body]:
    body = _read_json(response)
    if "certificates" not in body:
        raise UnexpectedResponse("it holds no list of certificates", retryable=False)
    return objects(body.get("certificates"))


def _failed(body: Body) -> bool:
    failed = (
        flag(body.get("error")) is True or flag(body.get("success")) is False or word(body.get("status")) == "error"
    )
    return failed or bool(_error_texts(body))


def _error_texts(body: Body) -> list[str]:
    """What stands in error or errors: texts, and the code where there is one."""
    return [one for name in ("error", "errors") if flag(body.get(name)) is None for one in _texts(body.get(name))]


def _texts(value: t.Any) -> list[str]:
    """Texts from a text, or from an object or a list in PHP's shapes; a code behind the others."""
    if not isinstance(value, (dict, list)):
        return list(filter(None, [text(value)]))
    fields = mapping(value)
    code = text(fields.get("code"))
    items = [item for key, item in fields.items() if key != "code"] if fields else value
    found = [one for item in items for one in _texts(item)]
    return found if code in (None, "0") else [*found, "code " + code.replace("_", " ")]


def _reason(response: Response, body: Body) -> str:
    texts = [*_error_texts(body), text(body.get("message")), text(body.get("description"))]
    reason = ": ".join(list(dict.fromkeys(shortened(one, MAX_QUOTED) for one in texts if one))[:_MAX_REASONS])
    return f"HTTP {response.status}, {reason or 'no reason given'}"


def _error(response: Response, body: Body) -> OrderError:
    """The error that an answer stands for, by its text and then by its HTTP status; section 6."""
    reason = _reason(response, body)
    for pattern, kind, message in _ERRORS:
        if re.search(pattern, reason, re.IGNORECASE | re.DOTALL):
            return kind(message.format(reason))
    if response.status == 404 and not body:
        return _no_such_url(response)
    if response.status == 404:
        return OrderNotFound(_UNKNOWN_ORDER.format(reason))
    return InvalidRequest((_REFUSED + "check the order id and the account").format(reason))


def _no_such_url(response: Response) -> InvalidRequest:
    return InvalidRequest(
        f"GoGetSSL's API is not at this URL (HTTP {response.status}); check api_url, the default is {DEFAULT_URL}"
    )


def _summary(order_id: str, item: Body) -> OrderSummary:
    return map_summary(item, order_id)
