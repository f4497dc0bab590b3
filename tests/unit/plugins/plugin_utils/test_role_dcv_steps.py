# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the role for DCV, and what it says of those that cannot be used."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.plugin_utils._role_dcv_steps import read_look_settings


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"visible_timeout": "soon"}, "certificate_dcv_visible_timeout is soon, which is no duration; give seconds"),
        ({"visible_timeout": ""}, "certificate_dcv_visible_timeout is empty; give seconds"),
        ({"resolvers": ["resolver.example"]}, "certificate_dcv_resolver"),
        ({"address_map": {"192.0.2.1": "127.0.0.1:53"}}, "certificate_dcv_address_map"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_look_settings(given, "digicert")
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message


def test_a_duration_becomes_seconds() -> None:
    assert read_look_settings({"visible_timeout": "2m"}, "digicert")["visible_timeout"] == 120
