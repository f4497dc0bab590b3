# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test issued."""

from __future__ import annotations

import typing as t

from ansible_collections.certops.issuance.plugins.plugin_utils._order_tests import order_field


def issued(order: t.Any) -> bool:
    """Whether the certificate of an order can be collected now."""
    return order_field(order, "issued")


class TestModule:
    """See issued.yml."""

    def tests(self) -> dict[str, t.Callable[[t.Any], bool]]:
        """The tests of this file by name."""
        return {"issued": issued}
