# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter order_metrics."""

from __future__ import annotations

DOCUMENTATION = r"""
name: order_metrics
short_description: Show orders as Prometheus metrics
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Makes text in the exposition format of Prometheus, for the textfile collector of its node exporter.
  - Each series has the labels C(provider), C(order_id), C(host) and C(name), the first name of the order. The values of
    labels have at most 128 characters, and at most 20000 orders are written.
positional: _input
extends_documentation_fragment: certops.issuance.orders.list
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

- name: Write them for the node exporter
  ansible.builtin.copy:
    content: "{{ answer.orders | certops.issuance.order_metrics }}"
    dest: /var/lib/prometheus/node-exporter/certificates.prom
    mode: "0644"
"""

RETURN = r"""
_value:
  description:
    - The metrics, as text.
    - They are C(certops_order_answered), C(certops_order_issued), C(certops_order_info) with the label C(status),
      C(certops_order_blockers) with the label C(actor), C(certops_order_coverage_end_timestamp_seconds),
      C(certops_certificate_not_before_timestamp_seconds), C(certops_certificate_not_after_timestamp_seconds),
      C(certops_in_service_info) with the label C(state), C(certops_in_service_not_after_timestamp_seconds),
      C(certops_report_left_out) and C(certops_report_timestamp_seconds).
  type: str
"""

import datetime
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import read_orders
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet_metrics import make_metrics


def order_metrics(orders: t.Any, now: datetime.datetime | None = None) -> str:
    """Make the text; see DOCUMENTATION.

    Arguments:
        now: the present, for tests.

    Raises:
        AnsibleFilterError: when the input is no list of orders.
    """
    try:
        return make_metrics(read_orders(orders), now or datetime.datetime.now(datetime.timezone.utc))
    except ValueError as exc:
        raise AnsibleFilterError(f"order_metrics: {exc}") from exc


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"order_metrics": order_metrics}
