# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for ansible.builtin.service where guides are run: hands the request to the service of the stage."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """Run the module."""
    options = {name: {"type": "str", "required": True} for name in ("host", "name", "state")}
    module = AnsibleModule({**options, "enabled": {"type": "bool"}})
    verb = {"started": "start", "restarted": "restart", "reloaded": "reload"}[module.params["state"]]
    module.run_command(["systemctl", module.params["host"], verb, module.params["name"]], check_rc=True)
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
