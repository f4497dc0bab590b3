# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GoGetSSL, API v1: what it is and can do, as data.

Private to this collection. Sections named in this folder are those of the GoGetSSL fact sheet,
docs/providers/gogetssl.md.
"""

from __future__ import annotations

import re

from ...http.rate_limit import PollSchedule, RateLimits, RequestBudget
from ..base import DcvPolicy, ProviderInfo

DEFAULT_URL = "https://my.gogetssl.com/api"

INFO = ProviderInfo(
    name="gogetssl",
    label="GoGetSSL",
    default_url=DEFAULT_URL,
    environment={
        "username": ("GOGETSSL_USERNAME",),
        "password": ("GOGETSSL_PASSWORD",),
        "api_url": ("GOGETSSL_API_URL",),
    },
    credentials=(("username", "password"),),
    # Section 9 knows no general limit.
    rate_limits=RateLimits(
        schedule=PollSchedule(steps=((900, 60), (3600, 120)), afterwards=300),
        budgets=(RequestBudget(20, 5),),
    ),
    order_id_hint="the id that was returned when the order was placed, digits alone",
    # The session key is no personal data, but must not show either where the answer to /auth/ was cut off.
    personal=re.compile(r"(?:admin|org|tech)_\w*|ssl_price|approver_emails?|email|key|auth_key", re.IGNORECASE),
    bulk_from=4,
    # The largest page of the list call, section 1; no maximum of cids is known, section 14.
    bulk_batch=1000,
    # Section 3 of the DCV sheet: one name a minute, and the same name not within 10 minutes.
    dcv=DcvPolicy(order_interval=60.0, name_interval=600.0, names_per_interval=1, names_per_request=1),
)
