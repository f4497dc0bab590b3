# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test final."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.issuance.plugins.plugin_utils._order_tests import order_field


def final(order: t.Any) -> bool:
    """Whether waiting longer cannot change an order."""
    return order_field(order, "final")


class TestModule:
    """See final.yml."""

    def tests(self) -> dict[str, t.Callable[[t.Any], bool]]:
        """The tests of this file by name."""
        return {"final": final}
