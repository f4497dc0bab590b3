# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter order_endings."""

from __future__ import annotations

DOCUMENTATION = r"""
name: order_endings
short_description: Find certificates that end soon
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Returns a line for each certificate that ends within so many days or has ended, for each host that has such a
    certificate in service, and for each order without an answer.
  - Orders that were canceled, replaced, rejected or revoked, and those that failed, do not count.
positional: _input, days
options:
  days:
    description: A number of days, 0 or more.
    type: float
    required: true
seealso:
  - plugin: certops.issuance.order_table
    plugin_type: filter
  - ref: ansible_collections.certops.issuance.docsite.guide_status
    description: The playbook that uses it, and all its variables.
"""

EXAMPLES = r"""
- name: List the orders of an account
  certops.issuance.order_info:
    provider: digicert
  register: answer

- name: Fail where a certificate ends within two weeks
  ansible.builtin.assert:
    that: answer.orders | certops.issuance.order_endings(14) | length == 0
    fail_msg: "{{ answer.orders | certops.issuance.order_endings(14) }}"
"""

RETURN = r"""
_value:
  description: The lines, what ends first on top; empty when nothing ends.
  type: list
  elements: str
"""

import datetime
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import (
    find_endings,
    make_entries,
    read_days,
    read_orders,
)


def order_endings(orders: t.Any, days: t.Any, now: datetime.datetime | None = None) -> list[str]:
    """Find what ends soon; see DOCUMENTATION.

    Arguments:
        now: the present, for tests.

    Raises:
        AnsibleFilterError: when the input is no list of orders, or the days are no number.
    """
    moment = now or datetime.datetime.now(datetime.timezone.utc)
    try:
        return find_endings(make_entries(read_orders(orders), moment), read_days(days), moment)
    except ValueError as exc:
        raise AnsibleFilterError(f"order_endings: {exc}") from exc


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"order_endings": order_endings}
