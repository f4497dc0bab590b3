# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Durations as people write and read them: 45s, 2m10s, 30m, 3h05m, 2d04h. What is written is also understood.

Private to this collection.
"""

from __future__ import annotations

import re
import typing as t

#: The longest duration that an option takes, in seconds: ten years.
MAX_DURATION = 3650 * 86400
_UNITS: t.Mapping[str, int] = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(r"(?:([0-9]{1,10})d)?(?:([0-9]{1,10})h)?(?:([0-9]{1,10})m)?(?:([0-9]{1,10})s?)?", re.ASCII)


def format_duration(seconds: float) -> str:
    """Seconds as people read them; two units at most."""
    whole = int(round(max(0.0, seconds)))
    if whole < 60:
        return f"{whole}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h{minutes:02d}m" if minutes else f"{hours}h"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours:02d}h" if hours else f"{days}d"


def parse_duration(value: t.Any) -> int:
    """Seconds from a whole number of them, as number or text, or from a duration such as 2h, 30m or 1h30m.

    Raises:
        ValueError: for anything else, and for more than MAX_DURATION; its text continues the name of an option.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip().lower()
    found = _DURATION.fullmatch(text)
    if not text:
        raise ValueError("is empty")
    if isinstance(value, bool) or found is None:
        raise ValueError(f"is {str(value)[:40]}, which is no duration")
    seconds = sum(int(count) * size for count, size in zip(found.groups(default="0"), _UNITS.values()))
    if seconds > MAX_DURATION:
        raise ValueError(f"is {text[:40]}, which is more than ten years")
    return seconds
