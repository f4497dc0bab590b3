# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The providers this collection knows. A new one is one line here and one file beside it.

Private to this collection.
"""

from __future__ import annotations

import typing as t

from .base import Provider
from .cpanel import CpanelProvider
from .digicert import DigicertProvider
from .gogetssl import GogetsslProvider
from .sectigo import SectigoProvider

PROVIDERS: t.Mapping[str, t.Type[Provider]] = {
    "cpanel": CpanelProvider,
    "digicert": DigicertProvider,
    "gogetssl": GogetsslProvider,
    "sectigo": SectigoProvider,
}
