# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading values from bodies whose types cannot be relied upon. Nothing here raises on odd input.

Private to this collection. Rules common to all providers: numbers may be strings, flags may be numbers, an empty
string, null, {} and [] all mean "nothing there" (provider fact sheets, rules for all four providers).
"""

from __future__ import annotations

import datetime
import re
import typing as t

from ..._common.names import is_ip_address, iso_time, normalize_name

_DIGITS = re.compile(r"[0-9]{1,64}", re.ASCII)
#: Texts that stand for no value where a long text is expected.
_NOTHING = ("0", "false", "n/a", "none", "null")
#: Years that a certificate or an order can have; anything else is a sentinel such as 0000-00-00 or noise.
_YEARS = range(1990, 2200)


def text(value: t.Any) -> str | None:
    """A value as trimmed text; None for nothing, and for what is no text or number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        # A number that a program in between wrote with a decimal point.
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return value.strip() or None
    return None


def word(value: t.Any) -> str:
    """A status word for comparing: trimmed and in lower case; empty for nothing."""
    return (text(value) or "").lower()


def flag(value: t.Any) -> bool | None:
    """A flag as true, 1, "1", "true", "yes" or their opposites; None for anything else."""
    if isinstance(value, bool):
        return value
    lowered = word(value)
    if lowered in ("1", "true", "yes", "y"):
        return True
    if lowered in ("0", "false", "no", "n"):
        return False
    return None


def number(value: t.Any) -> int | None:
    """A whole number given as a number or as its digits; None for anything else."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    stripped = text(value)
    if stripped is not None and re.fullmatch(r"[+-]?[0-9]{1,18}", stripped, re.ASCII):
        return int(stripped)
    return None


def certificate_text(value: t.Any) -> str | None:
    """A certificate as text, in whatever form; None for nothing, in all the ways in which a field can say so."""
    stripped = text(value) if isinstance(value, str) else None
    return None if stripped is None or stripped.lower() in _NOTHING else stripped


def identifier(value: t.Any) -> str | None:
    """An id as text of digits; None for anything else. Ids are compared as they are and never counted with."""
    stripped = text(value)
    return stripped if stripped is not None and _DIGITS.fullmatch(stripped) else None


def texts(value: t.Any) -> list[str]:
    """The texts in a text, in a list, or in an object with a text or a list for each thing that is wrong."""
    if isinstance(value, dict):
        return [one for item in value.values() for one in texts(item)]
    items = value if isinstance(value, list) else [value]
    return [one for item in items for one in (texts(item) if isinstance(item, dict) else [text(item)]) if one]


def mapping(value: t.Any) -> t.Mapping[str, t.Any]:
    """A JSON object, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def squeezed(value: t.Any) -> str:
    """A status text for comparing: in lower case, with single blanks."""
    return " ".join(word(value).split())


def listing(value: t.Any) -> list[t.Any]:
    """An array, also where PHP numbered it by keys; a lone object as an array of one; empty for anything else."""
    items = _array(value)
    if items is None:
        return [value] if isinstance(value, dict) and value else []
    return items


def single(value: t.Any) -> t.Any:
    """The item of an array that has one alone; else the value as it is."""
    items = listing(value)
    return items[0] if len(items) == 1 else value


def _array(value: t.Any) -> list[t.Any] | None:
    """The items of a list, or of an object numbered by its keys; None for anything else."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or not value or not all(_DIGITS.fullmatch(str(key)) for key in value):
        return None
    return [value[key] for key in sorted(value, key=lambda key: int(str(key)))]


def objects(value: t.Any) -> list[t.Mapping[str, t.Any]]:
    """The objects in a JSON array (or a lone object); whatever else stands in it is left out."""
    return [item for item in listing(value) if isinstance(item, dict)]


def entries(value: t.Any) -> list[t.Mapping[str, t.Any]]:
    """As objects, but with an empty one for whatever else is in the array: it is there, but cannot be read."""
    return [mapping(item) for item in listing(value)]


def php_items(value: t.Any) -> list[tuple[str | None, t.Any]]:
    """What stands in an array of PHP, with its key where that is a name.

    PHP writes one array as a list, as an object numbered by keys, or as an object with a name for each item. An object
    whose values are not all objects is one item by itself. What stands in arrays inside of it is taken for its own.
    """
    items = _flat(listing(value))
    lone = isinstance(value, dict) and items == [value]
    if lone and all(isinstance(item, (dict, list)) for item in value.values()):
        return [(name, single(item)) for name, item in value.items()]
    return [(None, item) for item in items]


def _flat(items: list[t.Any]) -> list[t.Any]:
    found: list[t.Any] = []
    for item in items:
        inner = _array(item)
        found += _flat(inner) if inner else [item]
    return found


def names(value: t.Any) -> list[str]:
    """The names in an array or in one text, separated by commas, blanks or line ends; each once, in the order given.

    Of an object they are the keys that can be names. An IP address may stand in brackets, as in a URL.
    """
    parts: list[str] = []
    for item in listing(value) or [value]:
        if isinstance(item, dict):
            parts.extend(str(key) for key in item if "." in str(key) or ":" in str(key))
        parts.extend(re.split(r"[,;\s]+", text(item) or ""))
    return list(dict.fromkeys(_without_brackets(part) for part in parts if part))


def _without_brackets(name: str) -> str:
    return name[1:-1] if name[:1] == "[" and name[-1:] == "]" and is_ip_address(name[1:-1]) else name


def is_host_name(name: str) -> bool:
    """Whether it is a host name or an address, rather than a mail address or a word of a company's name."""
    try:
        normalized = normalize_name(name)
    except ValueError:
        # It may have been damaged on the way, such as by a wrong escape; it is still one of the order's names.
        return "." in name.strip(".") and not re.search(r"[\s@/\\:&()\"'<>]", name)
    return "." in normalized or ":" in normalized or not name.strip().endswith(".")


def host_names(value: t.Any, single_labels: bool = False) -> list[str]:
    """The host names and addresses in a field that may hold a company, a person or a mail address instead.

    One part that is no name, such as the end of "Example, Inc.", shows that the whole field is no list of names.

    Arguments:
        single_labels: several parts without a dot are names as well, because the product is for servers.
    """
    found = names(value)
    if not all(is_host_name(name) for name in found):
        return []
    certain = single_labels or len(found) == 1 or all("." in name or ":" in name for name in found)
    return found if certain else []


def time_from_epoch(value: t.Any) -> str | None:
    """Seconds since 1970 as ISO 8601 UTC; None for nothing and for a time no certificate can have."""
    seconds = number(value)
    if seconds is None or not 0 < seconds < 7_258_118_400:
        return None
    return iso_time(datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc))


def time_from_text(value: t.Any) -> str | None:
    """A date or time in ISO 8601 as ISO 8601 UTC; None for nothing, for 0000-00-00, and for what is no time.

    A time without a zone is taken as UTC, a date as its first second.
    """
    moment = moment_from_text(value)
    return iso_time(moment) if moment else None


def moment_from_text(value: t.Any) -> datetime.datetime | None:
    """As time_from_text, as an aware datetime."""
    stripped = text(value)
    if stripped is None or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", stripped, re.ASCII):
        return None
    # Python before 3.11 knows neither the Z nor a zone without its colon.
    stripped = re.sub(r"[zZ]$", "+00:00", stripped.replace(" ", "T", 1))
    stripped = re.sub(r"([+-][0-9]{2})([0-9]{2})$", r"\1:\2", stripped) if "T" in stripped else stripped
    stripped = re.sub(r"\.[0-9]+", "", stripped)
    try:
        moment = datetime.datetime.fromisoformat(stripped)
        moment = moment.replace(tzinfo=datetime.timezone.utc) if moment.tzinfo is None else moment
        moment = moment.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None
