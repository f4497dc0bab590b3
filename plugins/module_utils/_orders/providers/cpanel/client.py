# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cPanel, the Market and SSL functions of UAPI: its calls, direct or through WHM for one of its accounts.

Private to this collection. Sections named here are those of the cPanel fact sheet, docs/providers/cpanel.md.
"""

from __future__ import annotations

import base64
import typing as t
from dataclasses import replace

from ...._common.evidence import NameEvidence
from ...account import Account
from ...certificates.chain import armored
from ...describe import MAX_QUOTED, no_certificate
from ...errors import InvalidRequest, OrderError, OrderNotFound
from ...http.messages import Request, Response, Transport
from ...http.redaction import shortened
from ...model import IssuedBundle, Order, Status
from ..base import FollowUp, OrderSummary, Provider, RefreshPolicy
from ..coerce import identifier, mapping, names, objects, text
from ..paging import OrderList
from . import INFO
from .dcv import map_evidence, with_records
from .envelope import Reply, parse_reply
from .follow_up import find_installed, find_item
from .mapping import (
    Data,
    certificate,
    is_decided,
    is_silent,
    is_unknown_item,
    map_installed,
    map_order,
    map_summary,
    status_without_certificate,
)

#: While at most so many orders are waited for, more of them are fetched in detail in each poll.
_MAX_ORDERS_TO_REFRESH = 20


class CpanelProvider(Provider):
    """Order items of one cPanel account."""

    info = INFO

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
        """Certificate and checks of an item; the queue too, where only that shows what they leave open.

        Raises:
            OrderNotFound: when the store does not know the item.
            InvalidRequest: when the id is that of an order and not of one of its items.
        """
        available = self._fetch_known(order_id)
        data = mapping(available.data)
        if not is_decided(data):
            return self._fetch_undecided(order_id, available)
        details, note = None, None
        try:
            details = self._fetch_details(order_id).data
        except OrderError as exc:
            # The checks are a courtesy here: where the order stands is known without them.
            note = f"the checks of the order are not known: {exc.message}"
        return _with_note(map_order(data, details, None, order_id, available.messages), note)

    def fetch_progress(self, order_id: str) -> Order:
        """As fetch_order; the certificate decides alone."""
        available = self._fetch_known(order_id)
        data = mapping(available.data)
        if is_decided(data):
            return map_order(data, None, None, order_id, available.messages)
        return self._fetch_undecided(order_id, available)

    def refresh_order(self, order: Order) -> Order:
        """The checks alone, while validation goes on; all of it, when there may be a certificate or an end."""
        order_id = order.order_id
        if order.status not in (Status.VALIDATING, Status.ISSUING):
            return self.fetch_progress(order_id)
        details = self._fetch_details(order_id).data
        if not mapping(mapping(details).get("status_details")):
            return self.fetch_progress(order_id)
        fresh = map_order({}, mapping(details), None, order_id)
        if fresh.status != Status.VALIDATING:
            return self.fetch_progress(order_id)
        known = {domain.name: domain for domain in order.domains}
        return replace(
            fresh,
            domains=tuple(replace(known.get(one.name, one), status=one.status) for one in fresh.domains),
            certificate=order.certificate,
            ordered_at=order.ordered_at,
        )

    def refresh_policy(self, pending: int) -> RefreshPolicy:
        """The queue shows what cPanel saw when it last polled the store (section 9); a detail call polls anew."""
        return RefreshPolicy(each_poll=5) if pending <= _MAX_ORDERS_TO_REFRESH else RefreshPolicy()

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        """The account's queue, in one request whatever its length; section 7."""
        self._items, self._note, self._unused = self._read_queue(self._fetch_queue(None).read()), None, set(order_ids)
        return {order_id: map_summary(self._items.get(order_id), order_id) for order_id in order_ids}

    def fetch_list(self) -> OrderList:
        """See Provider.fetch_list. The queue, and what is installed, without pages; section 6 of the sheet on orders.

        An order leaves the queue when its certificate is installed, and no call says which order that was.
        """
        self._items, self._note = self._read_queue(self._fetch_queue(None).read()), None
        self._unused = set(self._items)
        orders = [
            replace(map_summary(item, order_id).order or map_order({}, None, item, order_id), raw=item)
            for order_id, item in self._items.items()
            if order_id is not None
        ]
        hosts = self._call("SSL", "installed_hosts", {}, None)
        if hosts.refusal is not None:
            return OrderList(orders, f"the installed certificates are not known: {hosts.refusal.message}")
        return OrderList([*orders, *map_installed(objects(hosts.read()))])

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """The certificate from the store, its chain from the server; section 8.

        The other calls that know a chain are not used: they send the private key along, which has to stay where it is.

        Raises:
            NotIssued: certificate or chain are not there yet.
            OrderNotFound, OrderFailed, ActionRequired: when the store says that there will be none.
        """
        if not order.issued:
            raise no_certificate(order)
        order_id = order.order_id
        available = mapping(self._fetch_available(order_id).data)
        if is_unknown_item(available):
            raise self._not_found(order_id, available)
        status = status_without_certificate(available)
        if status is not None:
            answers = filter(None, [text(available.get("status_code")), text(available.get("status_message"))])
            answer = shortened(", ".join(answers) or "still processing", MAX_QUOTED)
            held = replace(order, status=status, issued=False, reason=None, blockers=())
            raise no_certificate(held, f"the store answered: {answer}")
        return self._with_chain(order, certificate(available) or "")

    def _with_chain(self, order: Order, pem: str) -> IssuedBundle:
        reply = self._call("SSL", "get_cabundle", {"cert": armored(pem)}, order.order_id, method="POST")
        if isinstance(reply.refusal, InvalidRequest):
            raise no_certificate(order, f"the server has no CA bundle for it ({reply.refusal.message})")
        bundle = mapping(reply.read())
        chain = text(bundle.get("cab")) or text(bundle.get("bundle"))
        if chain is None:
            raise no_certificate(order, "the server has no CA bundle for it (SSL::get_cabundle answered without one)")
        return IssuedBundle(leaf=pem, additional=(chain,))

    def find_follow_up(self, order_id: str, names: t.Sequence[str], after: str) -> FollowUp:
        """See Provider.find_follow_up. An item leaves the queue when its certificate is installed."""
        item = find_item(self._read_queue(self._fetch_queue(order_id).read()), order_id, names, after)
        if item is not None:
            return FollowUp(order_id=item)
        hosts = self._call("SSL", "installed_hosts", {}, order_id).read()
        pem = find_installed(objects(hosts), names, after)
        installed = Order(self.info.name, order_id, Status.ISSUED, issued=True)
        return FollowUp() if pem is None else FollowUp(installed=self._with_chain(installed, pem))

    def fetch_evidence(
        self, order_id: str, csr: str | None = None, unique_value: str | None = None, check_mode: bool = False
    ) -> list[NameEvidence]:
        """See Provider.fetch_evidence. Computed from the CSR in the queue; the server publishes it where it can."""
        order_id = self.check_order_id(order_id)
        order = self.fetch_order(order_id)
        if not order.final and order_id not in self._items:
            self._try_queue(order_id)
        return map_evidence(order, None if order.final else self._items.get(order_id), self._market_provider)

    # -- calls --------------------------------------------------------------

    def _authorize(self) -> str:
        """The value of the Authorization header; section 2. What is secret in it is made known to the redactor."""
        user = self.account.username or ""
        if self.account.api_key:
            value = f"{'whm' if self._cpanel_account else 'cpanel'} {user}:{self.account.api_key}"
            # Headers carry bytes; http.client takes each character for one.
            return value.encode("utf-8").decode("latin-1")
        pair = f"{user}:{self.account.password or ''}"
        self.transport.redactor.learn(pair)
        return "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")

    def _call(
        self,
        module: str,
        function: str,
        params: t.Mapping[str, str],
        order_id: str | None,
        method: str = "GET",
    ) -> Reply:
        """Call a function of UAPI."""
        call = f"{module}::{function}"
        if self._cpanel_account:
            path = "/json-api/uapi_cpanel"
            target = {"cpanel.user": self._cpanel_account, "cpanel.module": module, "cpanel.function": function}
            params = {"api.version": "1", **target, **params}
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

        def parse(response: Response) -> Reply:
            reply = parse_reply(response, call, self._market_provider, order_id)
            if reply.refusal is not None:
                reply.refusal.locate(self.info.name, order_id, response.status)
                if reply.refusal.retryable:
                    raise reply.refusal
            return reply

        return self.transport.send(request, parse)

    def _fetch_available(self, order_id: str) -> Reply:
        """The certificate, or the code of the store."""
        reply = self._call("Market", "get_ssl_certificate_if_available", self._name_item(order_id), order_id)
        reply.read()
        return reply

    def _fetch_known(self, order_id: str) -> Reply:
        """As _fetch_available, of an item that the store knows.

        Raises:
            OrderNotFound: when the store does not know it.
            InvalidRequest: when the number is that of an order.
        """
        reply = self._fetch_available(order_id)
        if is_unknown_item(mapping(reply.data)):
            self._refuse_order_number(order_id, self._try_queue(order_id)[0])
            raise self._not_found(order_id, mapping(reply.data))
        return reply

    def _fetch_details(self, order_id: str) -> Reply:
        """The checks; refused for an item that has left the queue, as it does when its certificate is installed."""
        return self._call("Market", "get_certificate_status_details", self._name_item(order_id), order_id)

    def _fetch_queue(self, order_id: str | None) -> Reply:
        return self._call("Market", "get_pending_ssl_certificates", {"provider": self._market_provider}, order_id)

    def _name_item(self, order_id: str) -> dict[str, str]:
        return {"provider": self._market_provider, "order_item_id": order_id}

    def _fetch_undecided(self, order_id: str, available: Reply) -> Order:
        """The order from the checks and the queue.

        Only the queue shows that the item is unpaid or has expired, or that this is the number of a whole order.
        A call that is refused leaves open what it alone reports: the store knows the item, as the first call has shown.
        """
        details = self._fetch_details(order_id)
        items, note = self._try_queue(order_id)
        self._refuse_order_number(order_id, items)
        item = items.get(order_id)
        data = mapping(available.data)
        order = map_order(
            data,
            None if details.refusal is not None else mapping(details.data),
            item,
            order_id,
            available.messages,
        )
        order = with_records(order, item, self._market_provider)
        if item is None and details.refusal is not None and is_silent(data):
            note = note or (
                "the item is not in the account's queue, and the store reports nothing of it; it may be too old"
            )
        elif details.refusal is not None and not isinstance(details.refusal, OrderNotFound):
            order = _with_note(order, f"the checks of the order are not known: {details.refusal.message}")
        return _with_note(order, note)

    # -- the queue ----------------------------------------------------------

    def _read_queue(self, data: t.Any) -> dict[str | None, Data]:
        """The items of this Market provider by order_item_id; the server sends those of all. Section 1."""
        return {
            identifier(item.get("order_item_id")): item
            for item in objects(data)
            if text(item.get("provider")) == self._market_provider
        }

    def _try_queue(self, order_id: str) -> tuple[t.Mapping[str | None, Data], str | None]:
        """The queue, or what to warn of when the account may not see it: most is known without it.

        One answer of the queue serves each item once, so that a look at many items fetches it once.
        """
        if order_id not in self._unused:
            reply = self._fetch_queue(order_id)
            self._items = self._read_queue(reply.data)
            self._note = None
            if reply.refusal is not None:
                self._note = f"whether the item is paid or has expired is not known: {reply.refusal.message}"
            self._unused = set(self._items)
        self._unused.discard(order_id)
        return self._items, self._note

    def _refuse_order_number(self, order_id: str, items: t.Mapping[str | None, Data]) -> None:
        """Raises InvalidRequest when the number is that of an order, naming its items."""
        if order_id in items:
            return
        owned = [item for item in items.values() if identifier(item.get("order_id")) == order_id]
        if owned:
            listed = ", ".join(
                f"{text(item.get('order_item_id'))} ({', '.join(names(item.get('domains')))})" for item in owned
            )
            shown = shortened(listed, 5 * MAX_QUOTED)
            raise InvalidRequest(
                f"this is an order_id of the queue; give the order_item_id instead: {shown}",
                provider=self.info.name,
                order_id=order_id,
            )

    def _not_found(self, order_id: str, available: Data) -> OrderNotFound:
        code = text(available.get("status_code"))
        return OrderNotFound(
            f"the store {self._market_provider} does not know this order item ({code}); check the order_item_id and "
            "the account",
            provider=self.info.name,
            order_id=order_id,
        )


def _with_note(order: Order, note: str | None) -> Order:
    return replace(order, warnings=(*order.warnings, note)) if note else order
