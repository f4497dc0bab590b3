# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DigiCert CertCentral, Services API v2: its calls.

Private to this collection. Sections named here are those of the DigiCert fact sheet, docs/providers/digicert.md.
"""

from __future__ import annotations

import contextlib
import math
import re
import typing as t
from dataclasses import replace

from ...._common.evidence import NameEvidence
from ...describe import no_certificate
from ...errors import (
    InvalidRequest,
    NotIssued,
    OrderNotFound,
    PermissionDenied,
    UnexpectedResponse,
)
from ...http.messages import Request, Response
from ...model import IssuedBundle, Order, Status
from ...reissue.model import ReissueReply, Snapshot, Wish
from ..base import DcvReply, OrderSummary, Provider
from ..coerce import flag, identifier, mapping, number, objects, text, word
from ..paging import MAX_PAGES, OrderList, Page, Pages, read_pages
from . import INFO
from .archive import unzip
from .dcv import RandomValue, check_one_method, domain_ids, map_evidence, map_random_value, map_reply
from .envelope import error_of, read_about, read_json
from .mapping import STATUSES, Body, listed_id, map_order, map_summary, with_validation
from .reissue import METHODS, make_body, map_snapshot, needs_approval

#: The most that one page of the list call holds; section 1.
_PAGE_SIZE = 1000
#: The longest window of status-changes, in minutes; section 1.
_MAX_WINDOW = 7 * 24 * 60
#: How far windows overlap, in minutes: the provider's clock is not ours; section 7.
_OVERLAP = 2

#: Base64 without its armor, of a certificate or of a whole PEM text.
_BARE = re.compile(r"\s*(?:MI|LS0t)[A-Za-z0-9+/=\s]{200,}", re.ASCII)

T = t.TypeVar("T")


class DigicertProvider(Provider):
    """Orders of one CertCentral account."""

    info = INFO
    dcv_methods = METHODS

    def fetch_order(self, order_id: str) -> Order:
        """Order info and validation of one order; sections 3 to 5."""
        order_id = self.check_order_id(order_id)
        return self._add_validation(order_id, self._fetch_info(order_id))

    def fetch_progress(self, order_id: str) -> Order:
        """Order info alone where the order is issued: validation would only add when each name was validated."""
        order_id = self.check_order_id(order_id)
        info = self._fetch_info(order_id)
        order = self._map(order_id, info, None)
        return order if order.issued else self._add_validation(order_id, info)

    def refresh_order(self, order: Order) -> Order:
        """Validation alone, while the order's word stays the same; else all of it."""
        if STATUSES.get(word(order.provider_status)) == Status.ISSUED:
            return self.fetch_progress(order.order_id)
        try:
            validation = self._fetch_validation(order.order_id)
        except OrderNotFound:
            return self.fetch_progress(order.order_id)
        now = word(validation.get("order_status"))
        if now != word(order.provider_status) or STATUSES.get(now) == Status.ISSUED:
            return self.fetch_progress(order.order_id)
        return replace(with_validation(order, validation), raw={"order": None, "validation": validation})

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        """What status-changes reports or, at first and after a long pause, the order list; section 7."""
        wanted = frozenset(order_ids)
        minutes = _MAX_WINDOW + 1 if changed_since is None else math.ceil(changed_since / 60) + _OVERLAP
        whole = minutes > _MAX_WINDOW
        if whole:
            # Single calls cost two requests each.
            pages = self._list_orders(lambda found: all(one in found for one in wanted), max(1, 2 * len(wanted)))
            items = list(pages.items.values())
        else:
            path = "/order/certificate/status-changes"
            items = self._send("status-changes", path, _read_orders, {"minutes": str(minutes)})
        found: dict[str, dict[str, OrderSummary]] = {}
        for item in items:
            order_id = listed_id(item)
            if order_id in wanted:
                summary = map_summary(item)
                found.setdefault(order_id, {})[summary.change_token] = summary
        # The same order with two states: nothing says which is the newer one.
        reported = {
            order_id: next(iter(summaries.values()))
            if len(summaries) == 1
            else OrderSummary(change_token="+".join(sorted(summaries)))
            for order_id, summaries in found.items()
        }
        # An order that the list does not show may be missing from status-changes as well.
        return {
            **dict.fromkeys(wanted - reported.keys() if whole else (), OrderSummary(change_token="unlisted")),
            **reported,
        }

    def fetch_list(self) -> OrderList:
        """See Provider.fetch_list. An item is order info, shortened; section 5 of the sheet on orders."""
        pages = self._list_orders()
        orders = [replace(map_order(item, None, order_id), raw=item) for order_id, item in pages.items.items()]
        renewed = frozenset(order_id for order_id, item in pages.items.items() if flag(item.get("is_renewed")))
        return OrderList(orders, pages.truncated, names_complete=True, renewed=renewed)

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """The certificate with its intermediates, by certificate id; section 8.

        Clients disagree whether waiting_pickup means that it is ready, so that is tried; section 5.
        """
        if not (order.issued or word(order.provider_status) == "waiting_pickup"):
            raise no_certificate(order)
        certificate_id, csr = order.certificate.id, order.csr
        if certificate_id is None:
            info = mapping(self._fetch_info(order.order_id).get("certificate"))
            certificate_id, csr = identifier(info.get("id")), text(info.get("csr"))
        if certificate_id is None:
            raise no_certificate(order)
        path = f"/certificate/{certificate_id}/download/format/pem_noroot"
        try:
            texts = self._send("certificate download", path, _read_certificate, order_id=order.order_id, accept="*/*")
        except OrderNotFound:
            if order.issued:
                raise
            raise no_certificate(order) from None
        # Another certificate than the requested one has been seen to come: its key shows it. Section 8.
        return IssuedBundle(leaf=None, additional=texts, csr=csr)

    def fetch_evidence(
        self, order_id: str, csr: str | None = None, unique_value: str | None = None, check_mode: bool = False
    ) -> list[NameEvidence]:
        """See Provider.fetch_evidence. Sections 2 and 3 of the DCV sheet.

        The value of the order is read by a PUT that changes nothing while it is valid; in check mode, and with a key
        that may only read, the values of the domains are.
        """
        order_id = self.check_order_id(order_id)
        info, validation = self._fetch_info(order_id), self._fetch_validation_if_any(order_id)
        evidence = map_evidence(info, validation, order_id=order_id)
        wanted = [one.name for one in evidence if one.problem is not None]
        if not wanted:
            return evidence
        value = None if check_mode else self._fetch_random_value(order_id)
        domain_values = {} if value else self._fetch_domain_values(order_id, domain_ids(validation, wanted))
        return map_evidence(info, validation, value, domain_values, order_id)

    def fetch_dcv_methods(self, order_id: str) -> list[NameEvidence]:
        """See Provider.fetch_dcv_methods. Order info and validation, without random values."""
        order_id = self.check_order_id(order_id)
        return map_evidence(self._fetch_info(order_id), self._fetch_validation_if_any(order_id), order_id=order_id)

    def check_dcv_methods(self, changes: t.Mapping[str, str], names: t.Sequence[NameEvidence]) -> None:
        """See Provider.check_dcv_methods. An order has one method; section 1 of the DCV sheet."""
        super().check_dcv_methods(changes, names)
        check_one_method(changes, names)

    def change_dcv_method(self, order_id: str, names: t.Sequence[str], method: str) -> None:
        """See Provider.change_dcv_method. The method of the whole order; section 2 of the DCV sheet."""
        path, content = f"/order/certificate/{order_id}/dcv-method", {"dcv_method": method}
        self._send("dcv-method", path, read_json, None, order_id, method="PUT", content=content, repeatable=False)

    def look_for_evidence(self, order_id: str, names: t.Sequence[NameEvidence]) -> DcvReply:
        """See Provider.look_for_evidence. "Not found yet" comes as an error for some methods; section 4."""
        path = f"/order/certificate/{order_id}/check-dcv"
        try:
            body = self._send("check-dcv", path, read_json, None, order_id, method="PUT", repeatable=False)
        except NotIssued as exc:
            return DcvReply(message=exc.message)
        return map_reply(mapping(body))

    def fetch_reissue(self, wish: Wish) -> Snapshot:
        """Order info, validation while it is open, and the list of reissues; section 2 of the sheet on orders."""
        info = self._fetch_info(wish.order_id)
        order = self._map(wish.order_id, info, None)
        if not order.final:
            order = self._add_validation(wish.order_id, info)
        listed: list[Body] = []
        # The order exists, as order info has shown: one that was never reissued may have no list.
        with contextlib.suppress(OrderNotFound):
            path = f"/order/certificate/{wish.order_id}/reissue"
            listed = self._send("reissue list", path, _read_reissues, order_id=wish.order_id)
        return map_snapshot(info, listed, order)

    def prepare_reissue(self, snapshot: Snapshot, wish: Wish) -> t.Mapping[str, t.Any]:
        """See Provider.prepare_reissue."""
        return make_body(snapshot, wish)

    def request_reissue(self, order_id: str, fields: t.Mapping[str, t.Any]) -> ReissueReply:
        """See Provider.request_reissue."""
        path = f"/order/certificate/{order_id}/reissue"
        return self._send(
            "reissue", path, _read_reissue, order_id=order_id, method="POST", content=fields, repeatable=False
        )

    def _add_validation(self, order_id: str, info: Body) -> Order:
        return self._map(order_id, info, self._fetch_validation_if_any(order_id))

    def _map(self, order_id: str, info: Body, validation: Body | None) -> Order:
        return replace(map_order(info, validation, order_id), raw={"order": info, "validation": validation})

    # -- calls --------------------------------------------------------------

    def _send(
        self,
        call: str,
        path: str,
        parse: t.Callable[[Response], T],
        query: t.Mapping[str, str] | None = None,
        order_id: str | None = None,
        accept: str = "application/json",
        method: str = "GET",
        content: t.Mapping[str, t.Any] | None = None,
        repeatable: bool = True,
    ) -> T:
        headers = {
            "X-DC-DEVKEY": self.account.api_key or "",
            "Content-Type": "application/json",
            "Accept": accept,
        }
        about: t.Any = {"headers": headers, "order_id": order_id, "content": content, "repeatable": repeatable}
        request = Request(call=call, method=method, path=path, query=query or {}, **about)
        return self.transport.send(request, parse)

    def _fetch_info(self, order_id: str) -> Body:
        def parse(response: Response) -> Body:
            return read_about(response, order_id, "id", ("id", "status"))

        path = f"/order/certificate/{order_id}"
        return self._send("order info", path, parse, {"include_caa_status": "true"}, order_id)

    def _fetch_validation(self, order_id: str) -> Body:
        def parse(response: Response) -> Body:
            return read_about(response, order_id, "order_id", ())

        path = f"/order/certificate/{order_id}/validation"
        return self._send("order validation", path, parse, order_id=order_id)

    def _fetch_validation_if_any(self, order_id: str) -> Body | None:
        try:
            return self._fetch_validation(order_id)
        except OrderNotFound:
            # The order exists, as order info has shown: there is nothing to validate before approval or any more.
            return None

    def _fetch_random_value(self, order_id: str) -> RandomValue | None:
        """The random value of an order; None where the order has none, or the key may not ask for it."""
        path = f"/order/certificate/{order_id}/dcv-random-value"
        try:
            return self._send("dcv-random-value", path, _read_random_value, order_id=order_id, method="PUT")
        except (PermissionDenied, InvalidRequest, OrderNotFound):
            return None

    def _fetch_domain_values(self, order_id: str, ids: t.Mapping[str, t.Sequence[str]]) -> dict[str, RandomValue]:
        """Name to the random value of its domain object, where there is one."""
        found: dict[str, RandomValue] = {}
        for domain_id, listed in ids.items():
            query = {"include_dcv": "true"}
            with contextlib.suppress(PermissionDenied, InvalidRequest, OrderNotFound):
                value = self._send("domain info", f"/domain/{domain_id}", _read_random_value, query, order_id)
                found.update(dict.fromkeys(listed, value) if value else {})
        return found

    def _list_orders(
        self,
        is_enough: t.Callable[[t.Container[str]], bool] = lambda found: False,
        max_pages: int = MAX_PAGES,
    ) -> Pages[Body]:
        def fetch(offset: int) -> Page[Body]:
            query = {"limit": str(_PAGE_SIZE), "offset": str(offset)}
            return self._send("order list", "/order/certificate", _read_page, query)

        return read_pages(fetch, listed_id, is_enough, max_pages)


# -- reading answers --------------------------------------------------------


def _read_reissues(response: Response) -> list[Body]:
    body = read_json(response)
    return objects(body.get("certificates") if isinstance(body, dict) else body)


def _read_reissue(response: Response) -> ReissueReply:
    """An empty body is an answer as well; section 8 of the sheet on orders."""
    if not response.body.strip() and response.status < 400:
        return ReissueReply()
    return ReissueReply(needs_approval(mapping(read_json(response))))


def _read_random_value(response: Response) -> RandomValue | None:
    return map_random_value(mapping(read_json(response)))


def _read_orders(response: Response) -> list[Body]:
    """The orders of a list or of status-changes: below orders, or a bare list; {} is none at all. Section 7."""
    body = read_json(response)
    if isinstance(body, dict) and (not body or "orders" in body):
        body = body.get("orders") or []
    if not isinstance(body, list):
        raise UnexpectedResponse("it holds no list of orders", retryable=False)
    return objects(body)


def _read_page(response: Response) -> Page[Body]:
    orders = _read_orders(response)
    return Page(orders, _PAGE_SIZE, number(mapping(mapping(response.json()).get("page")).get("total")))


def _read_certificate(response: Response) -> tuple[str, ...]:
    """Certificates in PEM. Which of them is the leaf is not relied upon; section 8."""
    if response.status >= 400:
        raise error_of(response)
    texts = unzip(response.body) if response.body[:4] == b"PK\x03\x04" else (response.text(),)
    whole = "\n".join(texts)
    begun = whole.count("-----BEGIN CERTIFICATE-----")
    if not begun and _BARE.fullmatch(whole):
        return texts
    if not begun:
        if whole.lstrip()[:1] == "{":
            read_json(response)
        if "PKCS7" in whole or response.body[:1] == b"\x30":
            raise UnexpectedResponse("it is PKCS #7 or DER where PEM was requested; check api_url", retryable=False)
        raise UnexpectedResponse("there is no certificate in it")
    if begun != whole.count("-----END CERTIFICATE-----"):
        raise UnexpectedResponse("a certificate in it is cut off")
    return texts
