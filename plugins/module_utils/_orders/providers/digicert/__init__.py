# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DigiCert CertCentral, Services API v2: what it is and can do, as data.

Private to this collection. Sections named in this folder are those of the DigiCert fact sheet,
docs/providers/digicert.md.
"""

from __future__ import annotations

import re

from ...http.rate_limit import PollSchedule, RateLimits, RequestBudget
from ..base import DcvPolicy, ProviderInfo

DEFAULT_URL = "https://www.digicert.com/services/v2"

INFO = ProviderInfo(
    name="digicert",
    label="DigiCert",
    default_url=DEFAULT_URL,
    environment={"api_key": ("DIGICERT_API_KEY",), "api_url": ("DIGICERT_API_URL",)},
    credentials=(("api_key",),),
    # Section 9: 1000 requests in 3 minutes and 100 in 5 seconds, less a margin: requests may arrive closer to one
    # another than they were sent.
    rate_limits=RateLimits(
        schedule=PollSchedule(steps=((900, 60), (3600, 120)), afterwards=300),
        budgets=(RequestBudget(90, 5.5), RequestBudget(900, 185)),
    ),
    order_id_hint="the order number, digits alone",
    personal=re.compile(
        r"(?:\w+_)?(?:contacts?|e?mails?|phones?|telephone|fax)|telephone_\w+|(?:first|last)_name|job_title"
        r"|users?|user_\w+|username|requester|processor|approvers?|(?:\w+_)?(?:comments?|notes?)",
        re.IGNORECASE,
    ),
    bulk_from=4,
    # Section 4 of the DCV sheet.
    dcv=DcvPolicy(order_interval=60.0),
)
