# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test dcv_completed."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.issuance.plugins.plugin_utils._order_tests import order_field


def dcv_completed(order: t.Any) -> bool:
    """Whether domain control validation of an order is done."""
    return order_field(order, "dcv_completed")


class TestModule:
    """See dcv_completed.yml."""

    def tests(self) -> dict[str, t.Callable[[t.Any], bool]]:
        """The tests of this file by name."""
        return {"dcv_completed": dcv_completed}
