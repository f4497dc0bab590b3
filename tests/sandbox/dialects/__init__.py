# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry: one line for each provider the sandbox speaks for."""

from __future__ import annotations

from .base import Dialect
from .cpanel import CPanel
from .digicert import DigiCert
from .gogetssl import GoGetSSL
from .sectigo import Sectigo

DIALECTS: tuple[type[Dialect], ...] = (CPanel, DigiCert, GoGetSSL, Sectigo)
