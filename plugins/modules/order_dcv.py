#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module order_dcv."""

from __future__ import annotations

DOCUMENTATION = r"""
module: order_dcv
short_description: Has a provider look for domain control validation evidence now, and changes the method
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Asks the provider to look now for what M(certops.issuance.order_dcv_info) says to publish, and changes the method of
    domain control validation (DCV) where it differs.
  - This module writes at the provider. It costs nothing, and it never orders, buys or cancels anything.
  - Each request is sent once. If no answer comes, nobody knows whether it was carried out. The result of the name is
    then V(unknown), and nothing is sent again.
  - Providers want to be left alone between two requests to look. The time of the last one is kept for each order, for
    all processes of this user on this host. For V(digicert) it is 1 minute. For V(sectigo) it is 10 minutes, and
    changes of the method count. For V(gogetssl) it is 1 minute and one name at a time, and 10 minutes for the same
    name.
  - V(cpanel) has no such calls. The task fails with V(unsupported), and nothing is sent.
  - A method that sends mails is never set, and no mail is sent again.
extends_documentation_fragment:
  - certops.issuance.account
  - certops.issuance.attributes
  - certops.issuance.attributes.order_modules
  - certops.issuance.orders
attributes:
  check_mode:
    support: full
    details:
      - Reads the orders, checks the options, and sends nothing that writes.
  diff_mode:
    support: none
    details:
      - What is changed at the provider is not shown as a difference.
  idempotent:
    support: partial
    details:
      - A method is changed only where it differs. A request to look is sent in each run, once its interval has passed.

options:
  order_ids:
    description:
      - IDs of the orders. All belong to one account.
      - All orders are read and all options are checked before the first request that writes is sent.
      - Give this option or its alias, not both.
    type: list
    elements: str
    required: true
    aliases:
      - order_id
  methods:
    description:
      - The method that names should have. Either one word for all open names, or a dictionary from names to words.
      - The words are V(dns-txt), V(dns-cname), V(http) and V(https), or the provider's as in
        RV(certops.issuance.order_dcv_info#module:names[].methods). Names that are validated already are left as they
        are.
      - A V(digicert) order has one method for all its names.
      - What has to be published changes with the method. Ask M(certops.issuance.order_dcv_info) again afterwards.
    type: raw
  check:
    description:
      - Ask the provider to look now for the open names whose method was not just changed.
      - V(sectigo) looks by itself after a change.
    type: bool
    default: true
seealso:
  - module: certops.issuance.order_dcv_info
  - module: certops.issuance.dcv_diagnose
  - module: certops.issuance.order_wait
  - ref: ansible_collections.certops.issuance.docsite.guide_troubleshooting
    description: What each error kind means, and what to do.
"""

EXAMPLES = r"""
- name: Have the provider look now, once the records are published
  certops.issuance.order_dcv:
    provider: digicert
    order_id: "12345"
  register: look

- name: Show what is still open
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.result }}; ask again at {{ item.next_allowed_at }}"
  loop: "{{ look.names }}"
  loop_control:
    label: "{{ item.name }}"

- name: Validate one name by a file instead
  certops.issuance.order_dcv:
    provider: gogetssl
    order_id: "2204418"
    methods:
      www.example.com: http
    check: false
"""

RETURN = r"""
names:
  description: Every name of the orders, in the order given.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
    order_id:
      description: The order, always as text.
      type: str
    provider:
      description: The provider.
      type: str
    method:
      description: Its method, in the provider's word, after the change; V(null) if it is not known.
      type: str
    method_changed:
      description: Whether the method was changed, may have been changed, or would be changed in check mode.
      type: bool
    asked:
      description: Whether the provider was asked to look for it, or would be asked in check mode.
      type: bool
    result:
      description:
        - V(approved) if the name is validated. V(pending) also after a request that was accepted, because the result
          shows later. V(unknown) if no answer came.
      type: str
      choices:
        - approved
        - pending
        - unknown
    provider_message:
      description: The provider's own words, what went wrong, or why it was not asked for this name; else V(null).
      type: str
    next_allowed_at:
      description: When the provider may be asked again for this name, ISO 8601 UTC; V(null) for now.
      type: str
  sample:
    - name: www.example.com
      order_id: "12345"
      provider: digicert
      method: dns-txt-token
      method_changed: false
      asked: true
      result: pending
      provider_message:
      next_allowed_at: "2026-11-28T10:21:00Z"
msg:
  description: What went wrong and what to do, with the provider and the order.
  returned: failure
  type: str
  sample: "digicert order 12345: DigiCert does not know it (HTTP 404); check the order id, api_key and api_url"
error_kind:
  description: What went wrong, in one word, when the task failed.
  returned: failure
  type: str
  choices:
    - authentication
    - rate_limited
    - not_found
    - unavailable
    - unexpected_response
    - invalid_request
    - unsupported
    - too_soon
  sample: not_found
retryable:
  description: Whether the same task may succeed later, with nothing changed.
  returned: failure, but not when Ansible's own check of the options ended the task
  type: bool
  sample: false
provider:
  description: The provider that was asked.
  returned: failure, but not when Ansible's own check of the options ended the task
  type: str
  sample: digicert
order_id:
  description: The order that the failure is about.
  returned: failure that is about one order
  type: str
  sample: "12345"
http_status:
  description: The status code of the answer that the failure came with.
  returned: failure that came with an answer over HTTP
  type: int
  sample: 404
errors:
  description: Each failure with C(msg), C(error_kind) and, where known, C(order_id), C(http_status) and C(retryable).
  returned: when the questions about more than one order failed
  type: list
  elements: dict
requests_sent:
  description: How many requests were sent to the provider, repetitions included.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: int
  sample: 2
"""

from ansible_collections.certops.issuance.plugins.module_utils._orders.module import run_module
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_dcv import (
    ORDER_DCV_OPTIONS,
    order_dcv,
)


def main() -> None:
    """Run the module."""
    run_module(order_dcv, ORDER_DCV_OPTIONS)


if __name__ == "__main__":
    main()
