# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module that Ansible runs on a target, as certificate_deploy and certificate_info need it."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule


class Module(AnsibleModule):
    """Without facts about a file that nobody requested, and with a kind for every failure."""

    def add_path_info(self, kwargs: dict[str, t.Any]) -> dict[str, t.Any]:
        """Add nothing to a result with a ``path``: owner and mode of the directory are not those of the files."""
        return kwargs

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """Fail; where no kind is given, it is the options that cannot be used."""
        kwargs.setdefault("error_kind", "invalid_request")
        super().fail_json(msg, **kwargs)
