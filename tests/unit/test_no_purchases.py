# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No code of the plugins can order, pay, cancel, revoke, approve, or switch a renewal that costs money on.

The calls of the providers that do so are in no text of the code; docstrings may name them.
"""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest

TREE = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("module_utils", "plugin_utils", "action", "lookup")
    for path in TREE.glob(f"plugins/{folder}/**/*.py")
)
#: Parts of calls and fields of docs/providers/orders/*.md that this collection must not send.
FORBIDDEN = re.compile(
    # GoGetSSL
    r"add_ssl_(?:san_|renew_)?order|cancel_ssl_order|orders/ssl/activate"
    # Sectigo
    r"|!?Auto(?:Authorize|Reject|Apply\w*|Revoke\w*|Refund)|autoRevokeCertificate"
    # DigiCert
    r"|auto_renew\b|/auto-reissue|/revoke\b|order-pricing|renewal_of_order_id|payment_method|/request/"
    # cPanel
    r"|request_ssl_certificates|create_shopping_cart|set_status_of_pending_queue_items|get_login_url"
    r"|validate_login_token|cancel_pending_ssl_certificate",
    re.IGNORECASE,
)


def texts(tree: ast.AST) -> t.Iterator[str]:
    """All texts of a module but its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(TREE / "plugins").as_posix())
def test_no_call_that_spends_or_ends_something(path: Path) -> None:
    found = [text for text in texts(ast.parse(path.read_text(encoding="utf-8"))) if FORBIDDEN.search(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    ["/orders/add_ssl_san_order/", "/products/!AutoAuthorize", "auto_renew", "/request/{}/status", "!AutoApplySSL"],
)
def test_such_a_call_would_be_found(text: str) -> None:
    assert [one for one in texts(ast.parse(f"send({text!r})")) if FORBIDDEN.search(one)]
    assert not [one for one in texts(ast.parse(f'"""It never calls {text}."""')) if FORBIDDEN.search(one)]
