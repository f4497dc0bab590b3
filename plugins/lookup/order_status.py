# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup order_status, the twin of the module order_info."""

from __future__ import annotations

DOCUMENTATION = r"""
name: order_status
author: certops.issuance contributors (@certops)
version_added: 1.0.0
short_description: Where certificate orders stand at their provider
description:
  - Asks the provider where each order stands and returns one neutral order for each order ID given.
  - It runs on the controller, within the same request budget as M(certops.issuance.order_info).
  - If one order cannot be read, the lookup fails. Use M(certops.issuance.order_info) to get the other orders anyway.
options:
  _terms:
    description: IDs of the orders.
    required: true
    type: list
    elements: string
  include_raw:
    description: Return the body of the provider as C(raw) of each order, without credentials and personal data.
    type: bool
    default: false
extends_documentation_fragment:
  - certops.issuance.account
seealso:
  - module: certops.issuance.order_info
  - module: certops.issuance.order_wait
  - ref: ansible_collections.certops.issuance.docsite.guide_credentials
    description: Which credentials each provider needs, and where they come from.
"""

EXAMPLES = r"""
- name: Show where one order stands
  ansible.builtin.debug:
    msg: "{{ lookup('certops.issuance.order_status', '12345', provider='digicert').status }}"

- name: Go on only when the certificate is there
  ansible.builtin.assert:
    that:
      - found is certops.issuance.issued
    fail_msg: "order {{ found.order_id }} is {{ found.status }}"
  vars:
    found: "{{ lookup('certops.issuance.order_status', '830045512', provider='sectigo') }}"
"""

RETURN = r"""
_raw:
  description:
    - The neutral order of each ID, in the order given.
    - The fields are those of the return value RV(certops.issuance.order_info#module:orders).
  type: list
  elements: dict
"""

import os
import typing as t

from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import ACCOUNT_OPTIONS
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import order_info
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform
from ansible_collections.certops.issuance.plugins.plugin_utils._hidden_args import redactor_for

display = Display()


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: list[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        """Return one order for each term. Raises AnsibleLookupError when any of them cannot be had."""
        known = [*ACCOUNT_OPTIONS, "include_raw"]
        unknown = [name for name in kwargs if name not in known]
        if unknown:
            # Ansible would ignore it, and the request might be made with other credentials than intended.
            raise AnsibleLookupError(
                f"certops.issuance.order_status has no option {', '.join(unknown)}; it has {', '.join(known)} "
                "(error_kind: invalid_request)"
            )
        try:
            self.set_options(var_options=variables, direct=kwargs)
        except AnsibleError as exc:
            # It quotes the value of an option of the wrong type.
            raise AnsibleLookupError(redactor_for(kwargs).scrub(str(exc))) from None
        params = {name: self.get_option(name) for name in known}
        params["order_ids"] = [str(term) for term in self._flatten(terms)]
        runtime = Runtime(environment=os.environ)
        try:
            result = perform(order_info, params, runtime)
        except Exception as exc:
            # A defect of ours. Its text may quote an option, so it does not go on as it is.
            raise AnsibleLookupError(runtime.redactor.scrub(f"{type(exc).__name__}: {exc}")) from None
        for warning in result.get("warnings", []):
            display.warning(warning)
        if result.get("failed"):
            raise AnsibleLookupError(f"{result['msg']} (error_kind: {result['error_kind']})")
        # Each order comes once, in the order in which the terms name it first.
        requested = dict.fromkeys(term.strip() for term in params["order_ids"])
        answered = dict(zip(requested, result["orders"], strict=True))
        return [answered[term.strip()] for term in params["order_ids"]]
