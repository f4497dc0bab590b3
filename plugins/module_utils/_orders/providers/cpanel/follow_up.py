# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that a cPanel server renews by itself, found in its queue and among those that are installed. Pure.

Private to this collection. The source is section 4 of docs/providers/orders/cpanel-orders.md.
"""

from __future__ import annotations

import typing as t

from ...model import Status
from ..coerce import flag, identifier, mapping, moment_from_text, names, number, text, time_from_epoch
from .mapping import Data, map_summary


def find_item(items: t.Mapping[str | None, Data], order_id: str, wanted: t.Iterable[str], after: str) -> str | None:
    """The newest item of the queue that was opened to renew a certificate; its order_item_id.

    Arguments:
        items: the queue, by order_item_id.
        order_id: the item that the certificate in service came from.
        wanted: the names of that certificate.
        after: from when it is valid, ISO 8601 UTC. An item of an earlier time is not for the next one.
    """
    known = identifier(mapping(items.get(order_id)).get("certificate_id"))
    found: list[tuple[int, str]] = []
    for item_id, item in items.items():
        created = number(item.get("created_time")) or 0
        predecessor = identifier(item.get("originating_certificate_id"))
        same = (known is not None and predecessor == known) or _plain(names(item.get("domains"))) == _plain(wanted)
        if item_id is None or not same or created <= _epoch(after):
            continue
        order = map_summary(item, item_id).order
        if order is None or order.status not in Status.ENDED:
            found.append((created, item_id))
    return max(found, default=(0, None))[1]


def find_installed(hosts: t.Iterable[Data], wanted: t.Iterable[str], after: str) -> str | None:
    """The newest installed certificate for the same names, PEM, if it is a later one; None without one.

    Arguments:
        hosts: as SSL::installed_hosts returns them.
        wanted, after: as for find_item.
    """
    found: list[tuple[str, str]] = []
    for host in hosts:
        record = mapping(host.get("certificate"))
        pem, begins = text(host.get("certificate_text")), time_from_epoch(record.get("not_before"))
        if pem is None or begins is None or flag(record.get("is_self_signed")) is True:
            continue
        if _plain(names(record.get("domains"))) == _plain(wanted) and begins > after:
            found.append((begins, pem))
    return max(found)[1] if found else None


def _plain(listed: t.Iterable[str]) -> frozenset[str]:
    """Names without the twin that a CA adds to each."""
    lowered = (name.lower().rstrip(".") for name in listed)
    return frozenset(name[4:] if name.startswith("www.") else name for name in lowered)


def _epoch(moment: str) -> float:
    found = moment_from_text(moment)
    return 0.0 if found is None else found.timestamp()
