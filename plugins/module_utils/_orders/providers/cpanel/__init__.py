# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""cPanel, the Market and SSL functions of UAPI: what it is and can do, as data.

Private to this collection. Sections named in this folder are those of the cPanel fact sheet, docs/providers/cpanel.md.
"""

from __future__ import annotations

import re

from ...http.rate_limit import PollSchedule, RateLimits, RequestBudget
from ..base import ProviderInfo

INFO = ProviderInfo(
    name="cpanel",
    label="cPanel",
    default_url=None,
    environment={
        "api_url": ("CPANEL_URL", "CPANEL_API_URL"),
        "username": ("CPANEL_USERNAME",),
        "api_key": ("CPANEL_API_TOKEN",),
        "password": ("CPANEL_PASSWORD",),
    },
    credentials=(("username", "api_key"), ("username", "password")),
    options=("cpanel_provider", "cpanel_account"),
    # No limit is published; calls of one account may wait for each other on the server. Section 9.
    rate_limits=RateLimits(
        schedule=PollSchedule(steps=((3600.0, 300.0), (14400.0, 1800.0)), afterwards=3600.0),
        budgets=(RequestBudget(20, 5.0),),
    ),
    order_id_hint="the order_item_id, digits alone",
    # Section 2 of the DCV sheet.
    publishes_evidence=True,
    personal=re.compile(
        r"identity_verification|rep_\w+|\w*(?:fore|sur|first_?|last_?)name|\w*e?mail\w*|\w*(?:phone|fax)\w*"
        r"|street_?address\w*|postal_?code|duns_?number|\w*_token",
        re.IGNORECASE,
    ),
    bulk_from=4,
)
