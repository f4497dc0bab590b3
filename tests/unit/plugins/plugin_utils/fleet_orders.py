# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders of a fleet for tests: as order_info returns them, with dates as days from one moment."""

from __future__ import annotations

import datetime
import typing as t

NOW = datetime.datetime(2026, 11, 28, 21, 40, tzinfo=datetime.timezone.utc)

#: Texts that are something else in one of the formats.
HOSTILE = (
    "<script>document.title='broken'</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "--><b>bold</b><!--",
    "]]>&amp;&lt;",
    "{{ 7 * 7 }}{% raw %}",
    'a"b\\c\nd{e="f"} 1\n# TYPE x counter',
    "=cmd|'/c calc'!A1",
    "\u202egpj.exe",
    "\x00\x1b[2J\x07\r\n::error::x",
    "javascript:alert(1)",
    "C:\\new\\",
    "</style><style>*{display:none}",
    "\U0001f512 ümlaut 漢字",
)
#: Links that must not become links.
NO_LINKS: t.Sequence[t.Any] = (
    "javascript:alert(1)",
    " javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//example.com/x",
    "/x",
    "https:",
    "https:///x",
    "https://user@example.com/",
    "https://good.example\\@bad.example/",
    "https://[",
    "https://a.example/\u202e",
    "file:///etc/passwd",
    "javascript://example.com/%0aalert(1)",
    "ftp://example.com/x",
    "https://a.example/" + "a" * 2000,
    "",
    None,
    7,
)


def day(days: float) -> str:
    """A time so many days from NOW, as results have it."""
    return (NOW + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def blocker(message: str, actor: str = "you", url: t.Any = None) -> dict[str, t.Any]:
    return {"check": "dcv", "subject": None, "actor": actor, "message": message, "url": url}


def order(
    order_id: str,
    status: str = "issued",
    names: t.Sequence[str] = (),
    start: float | None = None,
    end: float | None = None,
    **fields: t.Any,
) -> dict[str, t.Any]:
    """An order of host www; start and end of its certificate are days from NOW."""
    done = "completed" if status == "issued" else "in_progress"
    dates = {"not_before": None if start is None else day(start), "not_after": None if end is None else day(end)}
    return {
        "host": "www",
        "provider": "digicert",
        "order_id": order_id,
        "status": status,
        "issued": status == "issued",
        "domains": [{"name": name, "status": done} for name in names],
        "blockers": [],
        "reason": None,
        "action_urls": {},
        "certificate": {"id": None, "serial_number": None, **dates},
        "coverage": {"starts": None, "ends": None},
        **fields,
    }


def unanswered(
    order_id: str, host: str = "www", kind: str = "not_found", msg: str = "it is not there"
) -> dict[str, t.Any]:
    """What stands for an order without an answer."""
    return {"host": host, "provider": "digicert", "order_id": order_id, "error_kind": kind, "msg": msg}
