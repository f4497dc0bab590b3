# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of orders share: asking one field of a neutral order for a real boolean."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError


def order_field(order: t.Any, name: str) -> bool:
    """The field of a neutral order as a real boolean; null, which means not known, is false.

    Raises:
        AnsibleFilterError: when the value is no neutral order.
    """
    if not isinstance(order, Mapping) or not {"order_id", "status", name} <= set(order):
        raise AnsibleFilterError(
            f"the test certops.issuance.{name} is for one order, as order_info and order_wait return in orders, "
            f"and was given {_describe(order, name)}"
        )
    return order[name] is True


def _describe(value: t.Any, name: str) -> str:
    """What a value is, in words of playbooks: its class may be one that is Ansible's own."""
    if isinstance(value, Mapping):
        if "orders" in value:
            return f"a whole result; write select('certops.issuance.{name}') behind its orders"
        return "a mapping without the fields of an order"
    if isinstance(value, (list, tuple)):
        return f"a list; write select('certops.issuance.{name}') to test each of its orders"
    if isinstance(value, str):
        return "a text; the lookup certops.issuance.order_status gives the order for an order id"
    return "nothing" if value is None else f"the value {value}"
