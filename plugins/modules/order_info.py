#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module order_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: order_info
short_description: Where certificate orders stand at their provider
version_added: 1.0.0
author: certops.issuance contributors (@certops)
description:
  - Asks the provider where one or many certificate orders stand. Returns each order in the same neutral form, with
    every check that is open, who must act, and what to publish.
  - For 100 orders or more it makes the provider's bulk call first, and fetches details only of orders of which that
    call reports too little. Orders in validation then come without checks and names, and a warning says so.
  - Without O(order_ids) it lists the orders of the account. O(expires_within), O(statuses) and O(names) narrow the
    list. An order must fit all of them.
  - The list is read page by page by the provider's own call, and for at most 100 orders that are still open the details
    are fetched. The list ends at 10000 orders or 100 pages, and then RV(truncated) is true.
  - This module never orders, buys or changes anything.
  - If an order cannot be read, the task fails, and still returns the orders that were answered.
extends_documentation_fragment:
  - certops.issuance.account
  - certops.issuance.attributes
  - certops.issuance.attributes.order_modules
  - certops.issuance.orders

options:
  order_ids:
    description:
      - IDs of the orders. All belong to one account.
      - For V(cpanel) this is the order item ID.
      - Give this option or its alias, not both.
      - Without it, all orders of the account are listed. An empty list is an error.
    type: list
    elements: str
    aliases:
      - order_id
  expires_within:
    description:
      - List only orders whose certificate ends within so many days, or has ended and was not replaced.
      - Only without O(order_ids).
    type: int
    version_added: 1.1.0
  statuses:
    description:
      - List only orders with one of these statuses.
      - Only without O(order_ids).
    type: list
    elements: str
    choices:
      - action_required
      - canceled
      - expired
      - failed
      - issued
      - issuing
      - rejected
      - replaced
      - revoked
      - unknown
      - validating
    version_added: 1.1.0
  names:
    description:
      - List only orders that are for one of these names, exactly. A name with a leading C(*.) also stands for each
        name one label below.
      - DigiCert alone lists all names. Elsewhere the orders in question are asked for one by one, at most 100 of them.
      - Only without O(order_ids).
    type: list
    elements: str
    version_added: 1.1.0
  include_raw:
    description:
      - Return the provider's body as RV(orders[].raw), without credentials and personal data.
      - Names of fields that begin with C(__ansible) lose their underscores, because Ansible would not read them back.
    type: bool
    default: false
seealso:
  - module: certops.issuance.order_wait
  - module: certops.issuance.order_certificate
  - plugin: certops.issuance.order_status
    plugin_type: lookup
  - ref: ansible_collections.certops.issuance.docsite.guide_troubleshooting
    description: What each blocker, status and error kind means, and what to do.
"""

EXAMPLES = r"""
- name: Get the status of two orders
  certops.issuance.order_info:
    provider: digicert
    order_ids:
      - "12345"
      - "12346"
  register: answer

- name: Show what is still open, and who must act
  ansible.builtin.debug:
    msg: "{{ item.order_id }} is {{ item.status }}; open: {{ item.blockers | map(attribute='message') | join('; ') }}"
  loop: "{{ answer.orders }}"
  loop_control:
    label: "{{ item.order_id }}"

- name: List what ends within 30 days, in the whole account
  certops.issuance.order_info:
    provider: gogetssl
    expires_within: 30
    statuses:
      - issued
      - expired
  register: ending

- name: Show the orders, and whether any are missing
  ansible.builtin.debug:
    msg: "{{ ending.orders | certops.issuance.order_table }}{{ ' (not all)' if ending.truncated else '' }}"

- name: Set the account once for all order modules
  module_defaults:
    group/certops.issuance.providers:
      provider: sectigo
      username: example-reseller
      password: "{{ vault_sectigo_password }}"
  block:
    - name: Ask for an order by its certificate ID
      certops.issuance.order_info:
        order_id: "40017"
        id_type: certificate

- name: Ask a cPanel account through WHM
  certops.issuance.order_info:
    provider: cpanel
    api_url: https://host.example.com:2087
    username: root
    api_key: "{{ vault_whm_token }}"
    cpanel_account: shop
    order_id: "1234567890"
"""

RETURN = r"""
orders:
  description:
    - The orders that were answered, in the order given, or in the order of the provider's list.
    - In a list, orders that are no longer open come without checks, because no provider lists them. C(order_id) is
      empty for a certificate that V(cpanel) lists as installed, because it does not report of which order it is.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: list
  elements: dict
  contains:
    provider:
      description: The provider.
      type: str
    order_id:
      description: The order, always as text.
      type: str
    status:
      description:
        - Where the order stands, in words that are the same for all providers.
        - V(action_required) means that a person must do something other than domain control validation, for example pay
          or approve. V(validating) means that a validation is open, V(issuing) that all are done and the CA is at work.
        - V(unknown) means that the provider reported an unrecognized status. It is neither success nor final.
      type: str
      choices:
        - action_required
        - validating
        - issuing
        - issued
        - rejected
        - canceled
        - expired
        - revoked
        - replaced
        - failed
        - unknown
    provider_status:
      description: The provider's own word for it.
      type: str
    issued:
      description: Whether the certificate can be collected now.
      type: bool
    final:
      description: Whether waiting longer cannot change the order.
      type: bool
    dcv_completed:
      description: Whether domain control validation is done; V(null) where the provider does not say.
      type: bool
    checks:
      description:
        - What must hold before issuance, and how far it is. Only checks that the provider reports.
        - Keys are V(csr), V(dcv), V(organization), V(phone_callback), V(ev_click_through), V(caa), V(brand),
          V(dv_upgrade). Values are V(not_applicable), V(not_completed), V(in_progress), V(completed), V(unknown).
      type: dict
    domains:
      description: Every name on the order that the provider lists.
      type: list
      elements: dict
      contains:
        name:
          description: The name.
          type: str
        status:
          description: How far its validation is, in the words of the checks.
          type: str
          choices:
            - not_applicable
            - not_completed
            - in_progress
            - completed
            - unknown
        method:
          description: How it is validated, in the provider's word.
          type: str
        validated_until:
          description: Until when the validation can be used again, ISO 8601 UTC.
          type: str
        record:
          description:
            - What to publish, with C(type) (TXT, CNAME, http or email), C(name) and C(value), where the provider says
              it.
          type: dict
    blockers:
      description: What is still open.
      type: list
      elements: dict
      contains:
        check:
          description: The check that is open, or what else somebody must do or wait for.
          type: str
          choices:
            - csr
            - dcv
            - organization
            - phone_callback
            - ev_click_through
            - caa
            - brand
            - dv_upgrade
            - payment
            - approval
            - reissue
        subject:
          description: The name it is about; V(null) for the whole order.
          type: str
        actor:
          description: Who must act.
          type: str
          choices:
            - you
            - provider
        message:
          description: What is missing, in one sentence.
          type: str
        url:
          description: A link that helps, where the provider offers one.
          type: str
    reason:
      description: The provider's own words for a rejection, failure or hold.
      type: str
    action_urls:
      description: Links that the provider offers a person, by check.
      type: dict
    certificate:
      description: What the provider reports about the certificate; each field is V(null) if it does not.
      type: dict
      contains:
        id:
          description: The provider's number of the certificate.
          type: str
        serial_number:
          description: Upper-case hex without leading zeros.
          type: str
        not_before:
          description: ISO 8601 UTC; midnight if the provider reports only the day.
          type: str
        not_after:
          description: ISO 8601 UTC; midnight if the provider reports only the day.
          type: str
    ordered_at:
      description: When the order was placed, ISO 8601 UTC.
      type: str
    coverage:
      description:
        - The time that was paid for. Reissues are possible until its end, so it may go on after the certificate ends.
        - Each field is V(null) if the provider does not report it in this state of the order.
      type: dict
      contains:
        starts:
          description: ISO 8601 UTC; midnight if the provider reports only the day.
          type: str
        ends:
          description: ISO 8601 UTC; midnight if the provider reports only the day.
          type: str
    reissue:
      description: The next certificate of the order, while it is being made; each field is V(null) if it is not known.
      type: dict
      contains:
        open:
          description: Whether a further certificate of the order is being made; V(false) for its first one.
          type: bool
        ours:
          description:
            - Whether it is for the key of the CSR that M(certops.issuance.order_reissue) was given.
            - V(null) from the other modules, and where nothing shows it.
          type: bool
        certificate_id:
          description: The provider's number of the certificate that is being made.
          type: str
        requested_at:
          description: When the reissue was requested, ISO 8601 UTC.
          type: str
    reference:
      description: The reference of your own that was given with the order, where the provider reports it (DigiCert).
      type: str
    auto_reissue:
      description: Whether the provider makes reissues of the order by itself; V(null) if it does not say.
      type: bool
    warnings:
      description: Unrecognized values, and fields in an unexpected shape.
      type: list
      elements: str
    raw:
      description: The provider's body when asked for, without credentials and personal data; else V(null).
      type: raw
  sample:
    - provider: digicert
      order_id: "12345"
      status: validating
      provider_status: pending
      issued: false
      final: false
      dcv_completed: false
      checks:
        dcv: in_progress
        organization: not_applicable
      domains:
        - name: www.example.com
          status: in_progress
          method: dns-txt-token
          validated_until:
          record:
      blockers:
        - check: dcv
          subject: www.example.com
          actor: you
          message: www.example.com is not validated yet by dns-txt-token
          url:
      reason:
      action_urls: {}
      certificate:
        id:
        serial_number:
        not_before:
        not_after:
      ordered_at: "2026-03-01T10:20:00Z"
      coverage:
        starts:
        ends: "2027-03-01T00:00:00Z"
      reissue:
        open: false
        ours:
        certificate_id:
        requested_at:
      reference:
      auto_reissue: false
      warnings: []
      raw:
truncated:
  description: Whether orders of the account may be missing from the list; a warning then says why.
  returned: success, when O(order_ids) is not given
  type: bool
  sample: false
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
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import (
    ORDER_INFO_OPTIONS,
    order_info,
)


def main() -> None:
    """Run the module."""
    run_module(order_info, ORDER_INFO_OPTIONS)


if __name__ == "__main__":
    main()
