# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running an operation as a module, where the action plugins cannot run it in the controller's process.

Private to this collection.
"""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from .operations.runtime import Operation, Runtime, perform


def run_module(operation: Operation, argument_spec: t.Mapping[str, t.Any]) -> None:
    """Run one operation with the options of the task, and exit. Secrets are kept out of everything Ansible prints."""
    module = AnsibleModule(argument_spec=dict(argument_spec), supports_check_mode=True)
    runtime = Runtime(environment=os.environ, check_mode=module.check_mode)
    result = perform(operation, module.params, runtime)
    module.no_log_values.update(runtime.redactor.secrets)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
