#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module order_dcv_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: order_dcv_info
short_description: What to publish so that the names of orders pass domain control validation
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Returns what must be published for each name of one or many orders, so that the CA can validate it (domain control
    validation, DCV). DNS records come as record sets with all their values, files with URL and content.
  - V(digicert) and V(gogetssl) report it. For V(sectigo) it is computed from O(csr) and O(unique_values), because no
    call returns it. For V(cpanel) it is computed from the CSR in the queue; the cPanel server publishes it by itself,
    unless DNS or the web root of the name is elsewhere.
  - What is not known is never guessed. Such a name has a problem in RV(names[].problem) and RV(unresolved).
  - The random value of a V(digicert) order is read by a call that makes a new one if the old one has expired. Check
    mode uses reading calls alone, and then knows values of domains only.
  - This module changes neither an order nor DNS. Publish with any DNS module, then look with
    M(certops.issuance.dcv_diagnose).
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
    type: list
    elements: str
    required: true
    aliases:
      - order_id
  csr:
    description:
      - CSRs of the orders, in PEM. V(sectigo) needs them; the other providers report what is needed.
      - Each is matched to its order by its key if the provider reports the CSR of the order, otherwise by its names. A
        CSR that belongs to none of the orders, or may belong to several, is an error.
      - Needs the Python library cryptography where the task runs.
    type: list
    elements: str
  unique_values:
    description:
      - The unique value of each V(sectigo) order, by order ID, as it was given or returned when the order was placed.
      - An empty text says that none was used. Without an entry the value is unknown, and so is what to publish.
    type: dict
  zones:
    description:
      - DNS zones in which records are published. The longest one that contains a record is its zone.
      - If you give this option, DNS is not queried. If you leave it out, zones are found in DNS, which needs dnspython
        where the task runs; without it RV(record_sets[].zone) is V(null).
    type: list
    elements: str
seealso:
  - module: certops.issuance.order_dcv
  - module: certops.issuance.dcv_diagnose
  - module: certops.issuance.order_info
  - ref: ansible_collections.certops.issuance.docsite.guide_troubleshooting
    description: What each error kind means, and what to do.
"""

EXAMPLES = r"""
- name: Get what to publish for an order
  certops.issuance.order_dcv_info:
    provider: digicert
    order_id: "12345"
    zones:
      - example.com
  register: dcv

- name: Publish the TXT records
  community.general.nsupdate:
    server: 192.0.2.53
    zone: "{{ item.zone }}"
    record: "{{ item.label }}"
    type: "{{ item.type }}"
    ttl: "{{ item.ttl }}"
    value: "{{ item['values'] }}"
  loop: "{{ dcv.record_sets }}"
  loop_control:
    label: "{{ item.fqdn }}"

- name: Get what to publish for a Sectigo order
  certops.issuance.order_dcv_info:
    provider: sectigo
    order_id: "830045512"
    csr:
      - "{{ lookup('ansible.builtin.file', 'www.example.com.csr') }}"
    unique_values:
      "830045512": t0827792001533920169
  register: dcv

- name: Show the names for which nothing can be published
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.message }}"
  loop: "{{ dcv.unresolved }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
names:
  description: Every name of the orders that were answered, in the order given.
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
      description: How it is validated, in the provider's word; V(null) if it is not known.
      type: str
    status:
      description: How far its validation is, in the words of the checks of M(certops.issuance.order_info).
      type: str
      choices:
        - not_applicable
        - not_completed
        - in_progress
        - completed
        - unknown
    methods:
      description: The methods that this name could use, in the provider's words.
      type: list
      elements: str
    evidence:
      description:
        - Where what to publish comes from. V(none) means that nothing has to be published, or that it is not known.
      type: str
      choices:
        - provider
        - computed
        - none
    expires_at:
      description: Until when the value can be used, ISO 8601 UTC; V(null) if it has no end, or nobody knows.
      type: str
    polled_until:
      description:
        - Until when the provider looks by itself, ISO 8601 UTC; V(null) if it is not known. Later it looks only when it
          is asked to, with M(certops.issuance.order_dcv). Known of V(digicert) alone.
      type: str
    record_set:
      description: The entry of RV(record_sets) for this name, or V(null).
      type: dict
    file:
      description: The entry of RV(files) for this name, or V(null).
      type: dict
    problem:
      description:
        - Why there is nothing to publish, in one word, or V(null).
        - V(token_unknown), V(token_expired) and V(token_stale) mean that the value is not known, has expired, or
          belongs to a former CSR. V(wildcard_needs_dns) means that no CA accepts a file for a wildcard name.
        - V(evidence_refused) means that what came must not be published, for example on another host.
        - V(cname_conflict) means that two orders need different records at one owner, where a CNAME stands alone.
        - V(unsupported) means that this collection does not know the method.
      type: str
      choices:
        - token_unknown
        - token_expired
        - token_stale
        - wildcard_needs_dns
        - evidence_refused
        - cname_conflict
        - unsupported
record_sets:
  description:
    - The DNS records to publish, merged over all orders.
    - The key C(values) holds all values, without quotes and without a final dot. Many DNS modules replace the whole
      set. Write C(record_set['values']), since C(record_set.values) is a function in Jinja.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: list
  elements: dict
  contains:
    type:
      description: The type of the records.
      type: str
      choices:
        - TXT
        - CNAME
    fqdn:
      description: The full name of the record, without a final dot.
      type: str
    zone:
      description: The zone that the record belongs to; V(null) if it is not known.
      type: str
    label:
      description: The name relative to the zone, C(@) for the zone itself; V(null) if the zone is not known.
      type: str
    ttl:
      description: Seconds.
      type: int
    values_quoted:
      description: The values of a TXT record in quotes, in strings of at most 255 octets; empty for others.
      type: list
      elements: str
    values_dot:
      description: The targets of a CNAME record with a final dot; empty for others.
      type: list
      elements: str
    shared:
      description: Whether other data may stand at this name, which must be kept.
      type: bool
    names:
      description: The names that this record set validates.
      type: list
      elements: str
    orders:
      description: The orders that need it, each with C(provider) and C(order_id).
      type: list
      elements: dict
  sample:
    - type: TXT
      fqdn: _dnsauth.example.com
      zone: example.com
      label: _dnsauth
      ttl: 300
      values:
        - rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t
      values_quoted:
        - '"rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t"'
      values_dot: []
      shared: true
      names:
        - www.example.com
      orders:
        - provider: digicert
          order_id: "12345"
files:
  description: The files to publish, merged over all orders.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: list
  elements: dict
  contains:
    url:
      description: Where the CA looks.
      type: str
    host:
      description: The host in the URL.
      type: str
    path:
      description: The path in the URL; it begins with a slash.
      type: str
    content:
      description: The whole content, byte for byte.
      type: str
    names:
      description: The names that this file validates.
      type: list
      elements: str
    orders:
      description: The orders that need it, each with C(provider) and C(order_id).
      type: list
      elements: dict
emails:
  description: The mails that must be answered.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: list
  elements: dict
  contains:
    address:
      description: Who gets the mail.
      type: str
    names:
      description: The names that it validates.
      type: list
      elements: str
    orders:
      description: The orders that need it, each with C(provider) and C(order_id).
      type: list
      elements: dict
unresolved:
  description: The names with a problem.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: list
  elements: dict
  contains:
    name:
      description: The name.
      type: str
    provider:
      description: The provider.
      type: str
    order_id:
      description: The order, always as text.
      type: str
    problem:
      description: The problem, as in RV(names[].problem).
      type: str
    message:
      description: The problem in one sentence.
      type: str
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

import functools

from ansible_collections.certops.issuance.plugins.module_utils._dcv.zones import ZoneLookup
from ansible_collections.certops.issuance.plugins.module_utils._orders.module import run_module
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_dcv_info import (
    ORDER_DCV_INFO_OPTIONS,
    order_dcv_info,
)


def main() -> None:
    """Run the module."""
    run_module(functools.partial(order_dcv_info, zone_lookup=ZoneLookup), ORDER_DCV_INFO_OPTIONS)


if __name__ == "__main__":
    main()
