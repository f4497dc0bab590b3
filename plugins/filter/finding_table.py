# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter finding_table: what keeps names from being validated, as a table for people."""

from __future__ import annotations

DOCUMENTATION = r"""
name: finding_table
short_description: Show why names are not validated
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Makes a table of the names that are not validated yet, with what keeps the CA from seeing their evidence and what to
    do about it.
  - The playbook C(certops.issuance.diagnose) shows it for a whole fleet.
positional: _input
options:
  _input:
    description:
      - Orders, as M(certops.issuance.order_info) returns them in C(orders). A key C(host) is the host of the order.
      - C(dcv_findings) of an order is a list of dictionaries with C(name), C(method), C(finding) and C(advice), as the
        playbook adds it to each order with open names. Orders without it are left out.
      - An order without an answer has C(order_id), C(msg) and C(error_kind) alone, and is a line with these.
    type: list
    elements: dict
    required: true
seealso:
  - module: certops.issuance.dcv_diagnose
  - plugin: certops.issuance.order_table
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show the open names of all hosts of the play
  ansible.builtin.debug:
    msg: "{{ certificate_orders | certops.issuance.finding_table }}"
"""

RETURN = r"""
_value:
  description: The lines of the table; empty where no name is open.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import read_orders
from ansible_collections.certops.issuance.plugins.plugin_utils._tables import align

_TITLES = {
    "host": "HOST",
    "order": "ORDER",
    "name": "NAME",
    "method": "METHOD",
    "finding": "FINDING",
    "advice": "ADVICE",
}


def finding_table(orders: t.Any) -> list[str]:
    """Make the table; see DOCUMENTATION.

    Raises:
        AnsibleFilterError: when the input is no list of orders.
    """
    try:
        orders = read_orders(orders)
    except ValueError as exc:
        raise AnsibleFilterError(f"finding_table: {exc}") from exc
    rows = []
    for order in orders:
        about = {"host": order.get("host"), "order": f"{order.get('provider')} {order['order_id']}".strip()}
        if "status" not in order:
            rows.append({**about, "finding": order.get("error_kind"), "advice": order.get("msg")})
        rows += [{**about, **finding} for finding in order.get("dcv_findings") or ()]
    titles = {name: title for name, title in _TITLES.items() if name != "host" or any(row["host"] for row in rows)}
    return align(titles, rows, right=()) if rows else []


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"finding_table": finding_table}
