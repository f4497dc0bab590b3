# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible's own part of a deployment makes of its options."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import InvalidRequest
from ansible_collections.certops.issuance.plugins.module_utils._deployment.host import AnsibleHost


class Module:
    """As much of a module as reads modes."""

    check_mode = False
    _symbolic_mode_to_octal = AnsibleModule._symbolic_mode_to_octal

    def __init__(self, **given: t.Any) -> None:
        modes = {"mode": "0644", "key_mode": "0600", "dir_mode": "0755"}
        self.params = {"owner": None, "group": None, **modes, **given}

    def warn(self, message: str) -> None:
        raise AssertionError(message)


@pytest.mark.parametrize("option", ["mode", "key_mode", "dir_mode"])
@pytest.mark.parametrize("given", [True, False])
def test_a_boolean_is_no_mode(option: str, given: bool) -> None:
    with pytest.raises(InvalidRequest) as refused:
        AnsibleHost(Module(**{option: given}))
    assert refused.value.message.startswith(f"'{option}' is {given}; give an octal number in quotes, such as '0640'")
    assert f"0{given}" not in refused.value.message


def test_a_number_without_quotes() -> None:
    with pytest.raises(InvalidRequest, match="write it in quotes, '0600'"):
        AnsibleHost(Module(key_mode=600))
