# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module order_reissue, run in the controller's own process where it can be."""

from __future__ import annotations

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_reissue import (
    ORDER_REISSUE_OPTIONS,
    order_reissue,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._order_action import OrderActionBase


class ActionModule(OrderActionBase):
    """See the module order_reissue."""

    operation = staticmethod(order_reissue)
    argument_spec = ORDER_REISSUE_OPTIONS
