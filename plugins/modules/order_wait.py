#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module order_wait."""

from __future__ import annotations

DOCUMENTATION = r"""
module: order_wait
short_description: Wait until certificate orders are issued
version_added: 1.0.0
author: certops.issuance contributors (@certops)
description:
  - Waits for one or many certificate orders of one account in one poll loop, however many they are.
  - Each poll asks the provider's bulk or delta call, and for detail only where something has changed. The pauses follow
    the provider's published rules.
  - An order that has ended without a certificate ends the wait for that order at once, the others go on. Refused
    credentials end the whole wait with the first poll. Faults of the network and the provider are ridden out.
  - Nothing is lost at the deadline, the failure carries every order with its last state. Run the same task again, and
    it goes on where it was. Nothing is ordered or bought by this module.
  - In check mode it looks once. An order that it would wait for has the outcome V(timed_out) and does not fail the
    task; orders that have ended, wrong order IDs and refused credentials do, as without check mode.
extends_documentation_fragment:
  - certops.issuance.account
  - certops.issuance.attributes
  - certops.issuance.attributes.order_modules
  - certops.issuance.orders

options:
  order_ids:
    description:
      - IDs of the orders to wait for. All belong to one account.
      - For V(cpanel) this is the order item ID.
    type: list
    elements: str
    required: true
    aliases:
      - order_id
  until:
    description:
      - What to wait for.
      - V(dcv_completed) is also reached by orders that are being issued or are issued.
    type: str
    default: issued
    choices:
      - issued
      - dcv_completed
  timeout:
    description: Seconds for the whole wait. V(0) looks once.
    type: int
    default: 1800
  poll_interval:
    description:
      - Seconds between two polls, instead of the provider's schedule.
      - The schedules start at one minute or more, as the provider wishes, and slow down as the wait goes on. They are
        in R(How waiting works,ansible_collections.certops.issuance.docsite.guide_waiting).
    type: int
  on_timeout:
    description: What to do with orders that are not there at the deadline.
    type: str
    default: fail
    choices:
      - fail
      - return
  on_failure:
    description: What to do when an order has ended otherwise, or cannot be had.
    type: str
    default: fail
    choices:
      - fail
      - return
  on_action_required:
    description:
      - What to do when a person must do something other than domain control validation.
      - V(stop) ends the wait for that order only, and counts as a failure under O(on_failure).
    type: str
    default: stop
    choices:
      - stop
      - wait
  superseded_serial_number:
    description:
      - Serial number of the certificate that is being replaced; one for each order where several are reissued.
      - In hex, with or without colons, also as C(0x...), as C(serial=...) of C(openssl x509 -serial), or as the decimal
        number of M(community.crypto.x509_certificate_info). Anything else is refused with the RV(error_kind)
        V(invalid_request).
      - During a reissue providers go on serving the previous certificate. One with such a serial number never counts as
        issued.
      - Where a provider does not tell the serial number, a certificate counts if this wait has seen the order before it
        was there. Otherwise it cannot be told from the previous one, and the order fails with that reason.
    type: list
    elements: str
notes:
  - On a local connection it shows progress lines while it waits. Where Ansible is killed, nobody asks any more from the
    next poll on.
  - With C(serial), in a loop and under the C(free) strategy each task waits by itself, for the orders that it is given.
    The role P(certops.issuance.certificate#role) joins the waits of the hosts of a batch.
seealso:
  - module: certops.issuance.order_info
  - module: certops.issuance.order_certificate
  - name: How waiting works
    description: Schedules, budgets, and what ends a wait.
    link: https://github.com/certops/issuance/blob/main/docs/docsite/rst/guide_waiting.rst
"""

EXAMPLES = r"""
- name: Wait up to an hour until both orders are issued
  certops.issuance.order_wait:
    provider: gogetssl
    username: "{{ gogetssl_username }}"
    password: "{{ vault_gogetssl_password }}"
    order_ids:
      - "2204418"
      - "2204419"
    timeout: 3600
    on_timeout: return
  register: wait

- name: Say what the orders that are not there yet are waiting for
  ansible.builtin.debug:
    msg: "{{ item.order_id }}: {{ item.blockers | map(attribute='message') | join('; ') }}"
  loop: "{{ wait.orders | rejectattr('outcome', 'equalto', 'reached') }}"
  loop_control:
    label: "{{ item.order_id }}"

- name: Wait for the reissue of a certificate that is in service
  certops.issuance.order_wait:
    provider: digicert
    order_id: "12345"
    superseded_serial_number: "{{ deployed.serial_number }}"
"""

RETURN = r"""
orders:
  description: Every order asked for, in the order asked for, with what became of it; also when the task failed.
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
        - V(unknown) means that the provider said a word that is not known. It is neither success nor final.
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
      description: What the provider tells of the certificate, each field V(null) where it does not.
      type: dict
      contains:
        id:
          description: The provider's number of the certificate.
          type: str
        serial_number:
          description: Upper-case hex without leading zeros.
          type: str
        not_before:
          description: ISO 8601 UTC; midnight where the provider tells the day alone.
          type: str
        not_after:
          description: ISO 8601 UTC; midnight where the provider tells the day alone.
          type: str
    ordered_at:
      description: When the order was placed, ISO 8601 UTC.
      type: str
    warnings:
      description: Unknown values met, fields in an unexpected shape.
      type: list
      elements: str
    raw:
      description: Always V(null), since a wait keeps no bodies; M(certops.issuance.order_info) returns them.
      type: raw
    outcome:
      description:
        - What became of the order in this wait.
        - V(failed) means that it has ended otherwise, or cannot be had. In check mode V(timed_out) means that the
          module would wait for it.
      type: str
      choices:
        - reached
        - failed
        - timed_out
        - action_required
    error_kind:
      description: Why the order did not reach what was waited for, as for the task.
      type: str
      returned: when RV(orders[].outcome) is not V(reached)
    msg:
      description: The same in one sentence, with what blocks the order.
      type: str
      returned: when RV(orders[].outcome) is not V(reached)
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
      warnings: []
      raw:
      outcome: timed_out
      error_kind: timed_out
      msg: >-
        not there after 30m: validating: 0 of 1 domains, www.example.com waits for dns-txt-token; nothing is lost, run
        this again in 5m
polls:
  description: How often the provider was looked at.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: int
  sample: 12
elapsed:
  description: How long the wait took, in seconds.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: float
  sample: 1800.2
next_poll_in:
  description:
    - After how many seconds it makes sense to look again, for orders that timed out.
    - Also returned, and of no use then, when no order is left to be waited for.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: int
  sample: 300
msg:
  description: What went wrong and what to do, with the provider and the order.
  returned: failure
  type: str
  sample: >-
    digicert order 12345: not there after 30m: validating: 0 of 1 domains, www.example.com waits for dns-txt-token;
    nothing is lost, run this again in 5m
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
    - timed_out
    - order_failed
    - action_required
  sample: timed_out
retryable:
  description: Whether the same task may succeed later, with nothing changed.
  returned: failure, but not when Ansible's own check of the options ended the task
  type: bool
  sample: true
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
requests_sent:
  description: How many requests were sent to the provider, repetitions included.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: int
  sample: 2
"""

from ansible_collections.certops.issuance.plugins.module_utils._orders.module import run_module
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.operations import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)


def main() -> None:
    """Run the module."""
    run_module(order_wait, ORDER_WAIT_OPTIONS)


if __name__ == "__main__":
    main()
