# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of an order before its next certificate is requested, and what is wished for. Pure data.

Private to this collection. Sections named in this folder are those of docs/providers/orders/contract.md.
"""

from __future__ import annotations

import base64
import hashlib
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..._common.renewal import MIN_COVERAGE
from ..certificates.chain import host_names
from ..model import Order, OrderCertificate


@dataclass(frozen=True)
class Wish:
    """The certificate that is wished for.

    Arguments:
        order_id: the order, as the provider writes it.
        csr: the certificate signing request, PEM.
        key: its public key, DER.
        names: its names as A-labels; see names_in_order.
        reference: see reference_of.
        requested_after: when the CSR was made; a certificate or a reissue of an earlier time is not for it.
        dcv_method: dns-txt, dns-cname, http, https or email; None for that of the order.
        skip_approval: have the request approved at once, where the key of the account may do that.
    """

    order_id: str
    csr: str
    key: bytes
    names: tuple[str, ...]
    reference: str
    requested_after: datetime | None = None
    dcv_method: str | None = None
    skip_approval: bool = True


@dataclass(frozen=True)
class Snapshot:
    """What a provider reports of an order that matters for a reissue. What it does not report is None.

    Arguments:
        order: the order as a wait sees it.
        status: a word of Status: where the order as a whole stands, whatever became of one certificate of it.
        open: a certificate of the order is being made.
        open_key: the public key (DER) for which it is being made.
        open_ours: what else than its key shows whose it is.
        open_since: when that began.
        newest_key: the public key (DER) of the newest certificate that was issued.
        newest_since: from when that certificate is valid; it may be the midnight before.
        serial_number: of that certificate.
        names: its names, as A-labels.
        listed_names: all names that the provider reports of the order, as A-labels.
        last_reissue: when the last reissue was made.
        paid_names, paid_wildcards: the names and wildcards beside the first name that were paid for.
        live: the certificates that are in force, as far as they are reported.
        revokes_within: how long after a reissue with fewer names the provider revokes these.
        dcv_method: the method of the order, in the provider's word.
    """

    order: Order
    status: str
    open: bool = False
    open_key: bytes | None = None
    open_ours: bool | None = None
    open_since: datetime | None = None
    newest_key: bytes | None = None
    newest_since: datetime | None = None
    serial_number: str | None = None
    names: frozenset[str] = frozenset()
    listed_names: frozenset[str] = frozenset()
    last_reissue: datetime | None = None
    paid_names: int | None = None
    paid_wildcards: int | None = None
    live: tuple[OrderCertificate, ...] = ()
    revokes_within: timedelta | None = None
    dcv_method: str | None = None


@dataclass(frozen=True)
class ReissueReply:
    """What a provider answers to a request that it accepts.

    Arguments:
        needs_approval: a person must approve it now.
        reference: that of the request from now on; None where the answer has none.
    """

    needs_approval: bool = False
    reference: str | None = None


@dataclass(frozen=True)
class Journal:
    """What this user's ledger knows of an order; without a ledger all is None.

    Arguments:
        attempted: this very request was sent, or may have been.
        uncertain_since: when a request was sent of which nobody knows what became.
        answered_at: when the provider last accepted a request.
        reference: of this very request, where the provider has given it another one.
    """

    attempted: bool = False
    uncertain_since: datetime | None = None
    answered_at: datetime | None = None
    reference: str | None = None


@dataclass(frozen=True)
class Policy:
    """What a task allows; see the options of the module order_reissue."""

    allow_removed_names: bool = False
    min_coverage: timedelta = MIN_COVERAGE
    min_interval: timedelta = timedelta(hours=24)
    settle_time: timedelta = timedelta(seconds=120)
    resend_after: timedelta = timedelta(hours=1)


def names_in_order(snapshot: Snapshot, wish: Wish) -> tuple[str, ...]:
    """The names that are wished for, the first name of the order first where it is one of them."""
    listed = host_names(domain.name for domain in snapshot.order.domains)
    first = next((name for name in listed if name in wish.names), wish.names[0])
    return (first, *(name for name in wish.names if name != first))


def added_domain(name: str) -> str | None:
    """The domain that each CA adds by itself to its www or wildcard name; None for another name."""
    return name.partition(".")[2] if name.startswith(("www.", "*.")) else None


def names_to_pay(snapshot: Snapshot, wish: Wish) -> tuple[str, ...]:
    """The names beside the first one that must be paid for: all but the one that the CA adds to it by itself."""
    first, *others = names_in_order(snapshot, wish)
    free = added_domain(first) or "www." + first
    return tuple(name for name in others if name != free)


def reference_of(provider: str, order_id: str, key: bytes, names: t.Iterable[str]) -> str:
    """The name of a request: 20 characters of a-z and 2-7, the same in each run; section 1.

    Arguments:
        key: the public key, DER.
        names: as A-labels, in any order.
    """
    parts = (provider, order_id, key.hex(), ",".join(sorted(set(names))))
    digest = hashlib.sha256("\0".join(parts).encode("utf-8")).digest()
    return base64.b32encode(digest).decode("ascii")[:20].lower()
