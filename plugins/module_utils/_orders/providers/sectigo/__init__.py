# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sectigo, the web-host reseller API: what it is and can do, as data.

Private to this collection. Sections named in this folder are those of the Sectigo fact sheet,
docs/providers/sectigo.md.
"""

from __future__ import annotations

import re

from ...http.rate_limit import PollSchedule, RateLimits
from ..base import DcvPolicy, ProviderInfo

INFO = ProviderInfo(
    name="sectigo",
    label="Sectigo",
    default_url="https://secure.trust-provider.com",
    environment={
        "api_url": ("SECTIGO_API_URL",),
        "username": ("SECTIGO_USERNAME",),
        "password": ("SECTIGO_PASSWORD",),
    },
    credentials=(("username", "password"),),
    options=("id_type",),
    # No numeric limit is published; section 9.
    rate_limits=RateLimits(schedule=PollSchedule(steps=((14400.0, 900.0),), afterwards=1800.0)),
    order_id_hint="the orderNumber, or with id_type=certificate the certificateID (at most 16 digits)",
    personal=re.compile(
        r"(?:[0-9]+_)*(?:shipping.*|ups.*|telephoneNumber|streetAddress.*|postalCode|.*e-?mail.*|.*login_?name)",
        re.IGNORECASE,
    ),
    bulk_from=2,
    bulk_batch=200,
    # Section 3.1 of the DCV sheet: one round an order, and 10 minutes between two of them.
    dcv=DcvPolicy(order_interval=600.0, names_per_request=1, change_is_look=True),
)
