# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter order_page."""

from __future__ import annotations

DOCUMENTATION = r"""
name: order_page
short_description: Show orders as an HTML page
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Makes one HTML page of orders, with a bar for each certificate on one time axis. What ends first is on top, and what
    needs somebody although it has no end yet is above that.
  - The page is self-contained. It loads nothing, works without JavaScript, and can be printed.
  - All text of providers and inventories is escaped. Only links that begin with C(http) are links.
positional: _input
extends_documentation_fragment: certops.issuance.orders.list
options:
  title:
    description: The heading of the page.
    type: str
    default: Certificates
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

- name: Write them to a page
  ansible.builtin.copy:
    content: "{{ answer.orders | certops.issuance.order_page }}"
    dest: /var/www/internal/certificates.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The page, as text.
  type: str
"""

import datetime
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import read_orders
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_page import make_page


def order_page(orders: t.Any, title: str = "Certificates", now: datetime.datetime | None = None) -> str:
    """Make the page; see DOCUMENTATION.

    Arguments:
        now: the present, for tests.

    Raises:
        AnsibleFilterError: when the input is no list of orders.
    """
    try:
        return make_page(read_orders(orders), now or datetime.datetime.now(datetime.timezone.utc), str(title))
    except ValueError as exc:
        raise AnsibleFilterError(f"order_page: {exc}") from exc


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"order_page": order_page}
