# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes A-labels of internationalized names on the controller: targets have no more than an older codec for that."""

from __future__ import annotations

from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import InvalidRequest


def ascii_names(names: object) -> object:
    """A list of names in A-labels; text is split as Ansible splits it. Anything else is left for the module."""
    if isinstance(names, str):
        names = names.split(",")
    return [ascii_or_same(name) for name in names] if isinstance(names, list) else names


def ascii_or_same(name: object) -> object:
    """The name in A-labels; what is no name is left for the module to refuse."""
    if not isinstance(name, str) or name.isascii():
        return name
    # It brings all of cryptography along, which a fork for each host would load in vain.
    from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates.chain import ascii_name

    try:
        return ascii_name(name)
    except InvalidRequest:
        return name
