# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The providers this collection knows. A new one is one line here and one file beside it.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from .base import Provider
from .cpanel.client import CpanelProvider
from .digicert.client import DigicertProvider
from .gogetssl.client import GogetsslProvider
from .sectigo.client import SectigoProvider

PROVIDERS: t.Mapping[str, type[Provider]] = {
    "cpanel": CpanelProvider,
    "digicert": DigicertProvider,
    "gogetssl": GogetsslProvider,
    "sectigo": SectigoProvider,
}
