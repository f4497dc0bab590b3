# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module order_dcv_info, run in the controller's own process where it can be."""

from __future__ import annotations

import functools

from ansible_collections.certops.issuance.plugins.module_utils._dcv.zones import ZoneLookup
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_dcv_info import (
    ORDER_DCV_INFO_OPTIONS,
    order_dcv_info,
)
from ansible_collections.certops.issuance.plugins.plugin_utils._order_action import OrderActionBase


class ActionModule(OrderActionBase):
    """See the module order_dcv_info."""

    operation = staticmethod(functools.partial(order_dcv_info, zone_lookup=ZoneLookup))
    argument_spec = ORDER_DCV_INFO_OPTIONS
