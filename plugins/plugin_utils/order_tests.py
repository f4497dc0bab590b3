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
            f"and was given a value of type {type(order).__name__}"
        )
    return order[name] is True
