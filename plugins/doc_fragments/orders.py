# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What plugins that are about orders say in the same words."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the order modules run, and the list of orders that filters take."""

    DOCUMENTATION = r"""
options: {}
notes:
  - >-
    On a local connection (C(connection: local), C(delegate_to: localhost), C(ansible localhost)) this runs in Ansible's
    own process. It uses Ansible's Python and its C(requests) library there, and C(become) has no effect. With C(async),
    or delegated to another host such as a bastion, it runs as a module where the task points. It needs C(requests) on
    that host and shows no progress lines.
"""

    LIST = r"""
options:
  _input:
    description:
      - Orders, as M(certops.issuance.order_info) returns them in C(orders). A key C(host) is the host of the order.
      - An order without an answer has C(order_id), C(msg) and C(error_kind) alone.
    type: list
    elements: dict
    required: true
"""
