# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stored answers of Sectigo, and changes to them."""

from __future__ import annotations

import pathlib
import re
from urllib.parse import quote_plus

BODIES = pathlib.Path(__file__).parent / "bodies"
ORDER = "830045512"


def body(name: str, **changes: str | None) -> str:
    """A stored body; values by key replace those it has, None takes the key out, and new keys are added."""
    text = (BODIES / name).read_text(encoding="utf-8").rstrip("\n")
    for key, value in changes.items():
        name = re.sub(r"^x", "", key)
        text = re.sub(rf"(^|&){re.escape(name)}=[^&]*", "", text)
        if value is not None:
            text += f"&{name}={quote_plus(value)}"
    return text
