# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stored answers of cPanel, and changes to them."""

from __future__ import annotations

import json
import pathlib
import typing as t

BODIES = pathlib.Path(__file__).parent / "bodies"
ITEM = "40017"
#: Key of status_details and the check it is.
CHECKS = [
    ("csrStatus", "csr"),
    ("dcvStatus", "dcv"),
    ("organizationValidationStatus", "organization"),
    ("ovCallbackStatus", "phone_callback"),
    ("evClickThroughStatus", "ev_click_through"),
    ("brandValStatus", "brand"),
    ("freeDVUPStatus", "dv_upgrade"),
]
Body = t.Dict[str, t.Any]


def body(name: str, **data: t.Any) -> Body:
    """A stored body; values by key replace those in its data."""
    stored = t.cast(Body, json.loads((BODIES / (name + ".json")).read_text(encoding="utf-8")))
    if data:
        stored["data"].update(data)
    return stored


def details(name: str = "details_complete", *statuses: str, **checks: t.Any) -> Body:
    """A stored answer about checks; the states of its names and its checks replaced, None takes a check out."""
    stored = body(name)
    words = stored["data"]["status_details"]
    words.update(checks)
    stored["data"]["status_details"] = {key: value for key, value in words.items() if value is not None}
    if statuses:
        for entry, status in zip(stored["data"]["domain_details"], statuses):
            entry["status"] = status
    return stored


def queue_of(**changes: t.Any) -> Body:
    """A queue that holds the item alone."""
    stored = body("queue")
    stored["data"] = [dict(stored["data"][1], **changes)]
    return stored


EMPTY_QUEUE: Body = {"status": 1, "data": [], "errors": None}
PROCESSING = body("available_processing")
