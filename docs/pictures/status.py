# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes docs/images/status.png: the page of the playbook status, with the hosts of the demo and their orders.

The orders are those of the sandbox, asked for as the playbook does, some of them weeks old. It needs Chromium, and
Pillow to make the picture small.
"""

from __future__ import annotations

import datetime
import pathlib
import sys
import tempfile
import typing as t

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "tests"), str(TREE / "tests/e2e"), str(TREE.parents[2])]

from browser import Browser, find_browser
from PIL import Image
from sandbox.client import Sandbox

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import order_info
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_page import make_page

WIDTH = 1100
COLORS = 128
DAY = 86400
#: Host to provider, the age of the order in days, and what is placed there.
ORDERS: t.Mapping[str, tuple[str, int, dict[str, t.Any]]] = {
    "mail.example.org": ("gogetssl", 43, {"coverage": 365 * DAY}),
    "wiki.example.org": ("sectigo", 36, {}),
    "docs.example.org": ("digicert", 9, {"coverage": 70 * DAY}),
    "api.example.org": ("gogetssl", 2, {"coverage": 365 * DAY}),
    "shop.example.org": ("cpanel", 0, {"scenario": "unpaid"}),
    "news.example.org": ("digicert", 0, {"scenario": "stuck_organization", "after": {"validating": 0}}),
}


def place(sandbox: Sandbox, host: str, provider: str, fields: dict[str, t.Any]) -> str:
    """Place an order. Its certificate is signed when it is first asked for."""
    order_id = sandbox.order(provider, [host], **{"scenario": "issued", **fields})["order_id"]
    fetch(sandbox, host, provider, order_id)
    return str(order_id)


def fetch(sandbox: Sandbox, host: str, provider: str, order_id: str) -> dict[str, t.Any]:
    """An order as its provider reports it, with its host."""
    account = dict.fromkeys(
        ("username", "password", "api_key", "proxy", "id_type", "cpanel_provider", "cpanel_account")
    )
    account.update(validate_certs=True, request_timeout=30, **sandbox.options(provider))
    result = perform(order_info, {**account, "order_ids": [order_id]}, Runtime(environment={}))
    return dict(result["orders"][0], host=host.partition(".")[0])


def main(target: pathlib.Path) -> None:
    """Write the picture."""
    program = find_browser()
    if program is None:
        sys.exit("there is no Chromium on this machine: apt-get install chromium")
    with tempfile.TemporaryDirectory() as name, Sandbox.start(rate=0.0) as sandbox:
        sandbox.date_certificates_by_clock()
        today, placed = sandbox.now(), {}
        for host, (provider, age, fields) in ORDERS.items():
            sandbox.set_clock(today - age * DAY)
            placed[host] = provider, place(sandbox, host, provider, fields)
        orders = [fetch(sandbox, host, *about) for host, about in placed.items()]
        now = datetime.datetime.fromtimestamp(today, datetime.timezone.utc)
        page = pathlib.Path(name) / "certificates.html"
        page.write_text(make_page(orders, now), encoding="utf-8")
        with Browser(program, pathlib.Path(name) / "profile") as browser:
            browser.open(page, WIDTH, prefers_color_scheme="light")
            browser.picture(target)
    with Image.open(target) as picture:
        picture.convert("RGB").quantize(COLORS, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(TREE / "docs/images/status.png")
