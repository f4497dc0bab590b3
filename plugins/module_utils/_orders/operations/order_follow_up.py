# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a provider that cannot be asked for the next certificate has made of an order by itself; for the role.

Private to this collection. The source is section 4 of docs/providers/orders/cpanel-orders.md.
"""

from __future__ import annotations

import re
import typing as t

from ..certificates import chain
from ..errors import InvalidRequest
from .order_certificate import describe_bundle
from .runtime import PROVIDER_OPTIONS, Params, Result, Session

ORDER_FOLLOW_UP_OPTIONS: dict[str, t.Any] = dict(
    PROVIDER_OPTIONS,
    order_id={"type": "str", "required": True},
    certificate={"type": "str", "required": True},
)

_ORGANIZATION = re.compile(r"(?:^|,)O=((?:\\.|[^,\\])*)")


def order_follow_up(session: Session, params: Params) -> Result:
    """Find the next certificate, or the order that it is made for.

    Arguments:
        params: ``order_id``, and ``certificate``, the one in service as PEM.

    Returns:
        ``follow_up``, the order to wait for; ``installed``, the certificate as order_certificate returns one. Both
        may be None.

    Raises:
        OrderError: when the provider cannot be asked, or the certificate in service cannot be read.
    """
    order_id = session.provider.check_order_id(params["order_id"])
    present = chain.describe_certificate(params["certificate"])
    if present is None:
        raise InvalidRequest("the certificate in service cannot be read", order_id=order_id)
    found = session.provider.find_follow_up(order_id, present.names, present.not_before)
    if found.installed is None:
        return {"follow_up": found.order_id, "installed": None}
    bundle = chain.assemble(found.installed.leaf, found.installed.additional)
    before, after = _organization(present.issuer), _organization(bundle.facts.issuer)
    if before != after:
        # Something else than the order may have replaced it, such as AutoSSL.
        session.warn(
            f"the server has a certificate of {after} installed, and the one in service is of {before}; it is not "
            "taken, since it may not be that of the order"
        )
        return {"follow_up": None, "installed": None}
    return {"follow_up": None, "installed": describe_bundle(bundle)}


def _organization(issuer: str) -> str:
    found = _ORGANIZATION.search(issuer)
    return found.group(1) if found else issuer
