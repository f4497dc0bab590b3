# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host names, times and serial numbers in the one form in which they can be compared.

Private to this collection. Standard library only: it runs on controllers and on targets.
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timezone
from ipaddress import ip_address

_LABEL = r"[a-z0-9_-]{1,63}"
_HOST_NAME = re.compile(rf"(?!-){_LABEL}(\.{_LABEL})*(?<!-)")
#: Longest host name without its trailing dot, in characters (RFC 1035, section 2.3.4).
MAX_NAME_LENGTH = 253
#: Longest serial number that is looked at, in characters: 20 octets (RFC 5280, section 4.1.2.2) are 49 decimal digits.
MAX_SERIAL_LENGTH = 50


def encode_idna2003(name: str) -> str:
    """A name as A-labels by Python's own codec, which knows IDNA 2003 only.

    Raises:
        UnicodeError: when it cannot be encoded.
    """
    return name.encode("idna").decode("ascii")


def normalize_name(name: str, encode: t.Callable[[str], str] = encode_idna2003) -> str:
    """A host name as certificates carry it: A-labels, lower case, no trailing dot; an IP address in its short form.

    Arguments:
        name: a DNS name, which may begin with ``*.``, or an IP address without a zone.
        encode: makes A-labels of a name that is not ASCII; raises UnicodeError when it cannot.

    Raises:
        ValueError: the text is no DNS name and no IP address.
    """
    text = name.strip().rstrip(".")
    if is_ip_address(text):
        return str(ip_address(text))
    wildcard, bare = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    try:
        encoded = (bare if bare.isascii() else encode(bare)).lower()
    except UnicodeError:
        encoded = ""
    if len(encoded) > MAX_NAME_LENGTH or not _HOST_NAME.fullmatch(encoded):
        raise ValueError(f"{name!r} is neither a DNS name nor an IP address")
    return wildcard + encoded


def is_ip_address(name: str) -> bool:
    """Whether the name is an IPv4 or IPv6 address; one with a zone (``%eth0``) cannot stand in a certificate."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return "%" not in name


def show_host(host: str) -> str:
    """A host as it stands in URLs and before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def covers(names: t.Container[str], name: str) -> bool:
    """Whether certificate names cover a normalized name; a wildcard covers one label (RFC 6125, section 6.4.3)."""
    if name in names:
        return True
    _host, dot, domain = name.partition(".")
    return bool(dot) and not is_ip_address(name) and "*." + domain in names


def iso_time(moment: datetime) -> str:
    """A time as ISO 8601 UTC, to the second; one without a zone is taken as UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc)
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def parse_time(text: str) -> datetime:
    """The time that iso_time has written, aware.

    Raises:
        ValueError: for anything else.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def normalize_serial(serial: str | None) -> str | None:
    """A certificate serial number as upper-case hex without leading zeros or separators; None for nothing.

    Providers print serials with colons, spaces, leading zeros or in lower case; only this form can be compared.
    """
    if serial is None:
        return None
    digits = "".join(character for character in serial if character not in ": -\t\n").upper()
    return digits.lstrip("0") or None


def serial_forms(serial: str) -> frozenset[str]:
    """What a normalized serial number may mean in hex: digits alone may be decimal ones."""
    if len(serial) <= MAX_SERIAL_LENGTH and serial.isascii() and serial.isdigit():
        return frozenset([serial, f"{int(serial):X}"])
    return frozenset([serial])
