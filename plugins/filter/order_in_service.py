# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter order_in_service."""

from __future__ import annotations

DOCUMENTATION = r"""
name: order_in_service
short_description: Add to the orders of a host what it has in service
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Returns the orders of one host. The order whose certificate the host has in service has C(in_service). Where the
    host has another certificate or none in service, the first issued order has it, or else the first order.
  - P(certops.issuance.order_table#filter), P(certops.issuance.order_page#filter) and
    P(certops.issuance.order_metrics#filter) show it.
positional: _input, info
options:
  info:
    description: The result of M(certops.issuance.certificate_info) on that host, also when it failed or was skipped.
    type: dict
    required: true
seealso:
  - plugin: certops.issuance.order_table
    plugin_type: filter
  - ref: ansible_collections.certops.issuance.docsite.guide_status
    description: The playbook that uses it, and all its variables.
"""

EXAMPLES = r"""
- name: Look at what the host has in service
  certops.issuance.certificate_info:
    path: /etc/pki/issuance/www
  register: in_service

- name: Keep it with the orders of the host
  ansible.builtin.set_fact:
    orders: "{{ certificate_orders | certops.issuance.order_in_service(in_service) }}"
"""

RETURN = r"""
_value:
  description:
    - The orders. C(in_service) has C(state), C(serial_number), C(not_after) and C(msg).
    - C(state) is V(this), V(another), V(none), or V(unknown) when the host could not be asked, or nobody
      can tell which certificate its order has. C(msg) says why.
  type: list
  elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import read_orders, with_in_service


def order_in_service(orders: t.Any, info: t.Any) -> list[dict[str, t.Any]]:
    """Add what the host has in service; see DOCUMENTATION.

    Raises:
        AnsibleFilterError: when the input is no list of orders.
    """
    try:
        return with_in_service(read_orders(orders), info)
    except ValueError as exc:
        raise AnsibleFilterError(f"order_in_service: {exc}") from exc


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"order_in_service": order_in_service}
