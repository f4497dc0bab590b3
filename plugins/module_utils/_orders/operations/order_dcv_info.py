# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What to publish so that the names of some orders pass DCV: what the module order_dcv_info does.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from ..._common.csr_hash import check_unique_value, csr_hashes
from ..._common.evidence import ZoneFinder, base_name, is_dns_name, plain_name, zone_from
from ..._common.evidence_report import report
from ..certificates import chain
from ..errors import AuthenticationError, InvalidRequest, ProviderUnavailable, RateLimited
from ..model import Order
from .each_order import fetch_each, first_failure
from .runtime import ORDER_IDS, PROVIDER_OPTIONS, Params, Result, Session, check_order_ids, enumerate_ids

ORDER_DCV_INFO_OPTIONS: dict[str, t.Any] = dict(
    PROVIDER_OPTIONS,
    order_ids=ORDER_IDS,
    csr={"type": "list", "elements": "str"},
    unique_values={"type": "dict"},
    zones={"type": "list", "elements": "str"},
)


def order_dcv_info(session: Session, params: Params, zone_lookup: t.Callable[[], ZoneFinder] | None = None) -> Result:
    """What to publish for each name of each order. An order that cannot be had does not keep the others back.

    Arguments:
        zone_lookup: makes what finds the zone of a record in DNS; it is not called where zones are given. None where
            DNS cannot be asked: the zones are null then.

    Raises:
        OrderError: the first failure, with what is known of the other orders in its details.
    """
    provider = session.provider
    order_ids, failures = check_order_ids(provider, params["order_ids"])
    unique_values = _unique_values(session, params.get("unique_values") or {}, order_ids)
    zones = _zones(params.get("zones") or ())
    csrs: dict[str, str] = {}
    requests = [_Csr(position, pem) for position, pem in enumerate(params.get("csr") or (), 1)]
    if requests:
        orders, failures = fetch_each(session, order_ids, provider.fetch_order, failures)
        csrs = match_csrs(requests, orders, complete=not failures)
        # Who answers nobody now is not asked a second time.
        stopped = any(isinstance(one, (AuthenticationError, RateLimited, ProviderUnavailable)) for one in failures)
        order_ids = [] if stopped else [order.order_id for order in orders]
    found, failures = fetch_each(
        session,
        order_ids,
        lambda order_id: provider.fetch_evidence(
            order_id, csrs.get(order_id), unique_values.get(order_id), session.runtime.check_mode
        ),
        failures,
    )
    evidences = [evidence for one in found for evidence in one]
    result = report(evidences, _zone_finder(zones, zone_lookup))
    if failures:
        raise first_failure(failures, result)
    return result


def _zone_finder(zones: t.Sequence[str], zone_lookup: t.Callable[[], ZoneFinder] | None) -> ZoneFinder:
    return zone_lookup() if zone_lookup is not None and not zones else zone_from(zones)


def _zones(given: t.Sequence[str]) -> list[str]:
    for zone in given:
        # A top-level domain may be a zone of one's own, too.
        if not is_dns_name(f"a.{plain_name(zone)}"):
            raise InvalidRequest(f"zones: {zone[:80]!r} is no name of a zone")
    return list(given)


def _unique_values(session: Session, given: t.Mapping[t.Any, t.Any], order_ids: t.Sequence[str]) -> dict[str, str]:
    """The unique values by order id.

    Raises:
        InvalidRequest: one cannot be used, or is for no order of the task.
    """
    found: dict[str, str] = {}
    for key, value in given.items():
        order_id = session.provider.check_order_id(str(key))
        if order_id not in order_ids:
            raise InvalidRequest(
                f"unique_values has an order that order_ids does not name; it names {enumerate_ids(order_ids)}",
                order_id=order_id,
            )
        try:
            if value is None:
                raise ValueError("a unique value is null; give an empty text where none was used")
            found[order_id] = check_unique_value(str(value))
        except ValueError as exc:
            raise InvalidRequest(f"unique_values: {exc}", order_id=order_id) from None
    return found


# -- which CSR belongs to which order -----------------------------------------


class _Csr:
    """One of the CSRs of the task, read.

    Raises:
        InvalidRequest: it cannot be read, or cryptography is missing.
    """

    def __init__(self, position: int, pem: str) -> None:
        if chain.CRYPTOGRAPHY_ERROR is not None:
            raise InvalidRequest(
                "the Python library cryptography is missing where this task runs, and csr cannot be read without it; "
                "install it there with 'python3 -m pip install cryptography'"
            )
        self.pem = pem.replace("\\n", "\n")
        try:
            csr_hashes(self.pem)
        except ValueError as exc:
            raise InvalidRequest(f"entry {position} of csr cannot be used: {exc}") from None
        self.key = chain.key_of_csr(self.pem)
        self.names = [plain_name(name) for name in chain.names_of_csr(self.pem)]
        self.label = f"entry {position} of csr ({enumerate_ids(self.names) or 'without a name'})"

    def belongs_to(self, order: Order) -> bool:
        """Whether the order was placed with this CSR: by the key of the order's CSR, else by its names."""
        if order.csr is not None:
            try:
                return chain.key_of_csr(order.csr) == self.key
            except InvalidRequest:
                # The provider's; a name is all that is left to go by.
                pass
        return _essential(self.names) == _essential(plain_name(domain.name) for domain in order.domains)


def match_csrs(csrs: t.Sequence[_Csr], orders: t.Sequence[Order], complete: bool = True) -> dict[str, str]:
    """Order id to the CSR (PEM) with which the order was placed.

    Arguments:
        complete: whether these are all orders of the task; else a CSR may be of an order that could not be had.

    Raises:
        InvalidRequest: a CSR belongs to none of the orders, or it is not clear to which one it belongs.
    """
    found: dict[str, _Csr] = {}
    for csr in csrs:
        owners = [order.order_id for order in orders if csr.belongs_to(order)]
        if not owners and complete:
            orders_text = enumerate_ids([order.order_id for order in orders])
            raise InvalidRequest(
                f"{csr.label} belongs to none of the orders {orders_text}: it has another key or other names"
            )
        if len(owners) > 1:
            raise InvalidRequest(
                f"{csr.label} may belong to the orders {enumerate_ids(owners)}; ask for one of them at a time"
            )
        for order_id in owners:
            if order_id in found and found[order_id].pem.split() != csr.pem.split():
                raise InvalidRequest(
                    f"{found[order_id].label} and {csr.label} may both belong to the order; give the right one alone",
                    order_id=order_id,
                )
            found[order_id] = csr
    return {order_id: csr.pem for order_id, csr in found.items()}


def _essential(names: t.Iterable[str]) -> set[str]:
    """The names without those that CAs add for nothing, or leave out: www. beside its parent, and the base of a
    wildcard."""
    given = set(names)
    return {
        name
        for name in given
        if not (name.startswith("www.") and name[4:] in given)
        and not (f"*.{name}" in given and name == base_name(name))
    }
