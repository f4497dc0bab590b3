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
  - Waits for one or many certificate orders of one account in one loop.
  - Each poll makes the provider's bulk call, and fetches details only of orders that have changed. Before the deadline
    the details of every order have been fetched once, as far as the provider's request budget allows. The pauses follow
    the provider's published rules.
  - If an order ends without a certificate, the wait for it ends at once, and the wait for the others continues. Refused
    credentials end the whole wait in the first poll. Faults of the network or the provider do not end the wait.
  - At the deadline the result holds the last state of every order. Run the same task again to continue. This module
    never orders or buys anything.
  - In check mode it polls once. An order that it would wait for gets the outcome V(timed_out) and does not fail the
    task. Orders that have ended, wrong order IDs and refused credentials fail it, as they do without check mode.
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
      - Give this option or its alias, not both.
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
    description:
      - How long to wait in all, in seconds or as a duration such as V(45s), V(30m), V(2h) or V(1h30m).
      - V(0) polls once.
    type: raw
    default: 1800
  poll_interval:
    description:
      - The time between two polls, instead of the provider's schedule. Written as O(timeout).
      - A schedule starts at one minute or more, depending on the provider, and slows down during the wait. See
        R(How waiting works,ansible_collections.certops.issuance.docsite.guide_waiting).
    type: raw
  on_timeout:
    description: What to do if an order is not there at the deadline.
    type: str
    default: fail
    choices:
      - fail
      - return
  on_failure:
    description: What to do if an order has ended in another way, or cannot be read.
    type: str
    default: fail
    choices:
      - fail
      - return
  on_action_required:
    description:
      - What to do if a person must do something other than domain control validation.
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
      - During a reissue providers continue to deliver the previous certificate. A certificate with such a serial number
        never counts as issued.
      - If a provider does not report the serial number, a certificate counts only if this wait saw the order before the
        certificate was there. Otherwise nothing distinguishes it from the previous one, and the order fails with that
        reason.
    type: list
    elements: str
notes:
  - On a local connection it writes progress lines to stderr while it waits, one by one, also through a pipe and with
    any callback.
  - If you kill Ansible, polling stops at the next poll.
  - With C(serial), in a loop, and under the C(free) strategy, each task waits only for its own orders. The role
    P(certops.issuance.certificate#role) waits once for all hosts of a batch.
seealso:
  - module: certops.issuance.order_info
  - module: certops.issuance.order_certificate
  - ref: ansible_collections.certops.issuance.docsite.guide_waiting
    description: Schedules, budgets, and what ends a wait.
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
    timeout: 1h
    on_timeout: return
  register: wait

- name: Show what the other orders wait for
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
  description: Every order of the task, in the order given, with its outcome; also if the task failed.
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
      description: Always V(null), since a wait keeps no bodies; M(certops.issuance.order_info) returns them.
      type: raw
    outcome:
      description:
        - How the wait ended for the order.
        - V(failed) means that the order has ended in another way, or cannot be read. In check mode V(timed_out) means
          that the module would wait for it.
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
      outcome: timed_out
      error_kind: timed_out
      msg: >-
        not there after 30m: validating: 0 of 1 domains, www.example.com waits for dns-txt-token; order_dcv_info says
        what to publish; run this again in 5m to continue
polls:
  description: How often the provider was polled.
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
    - After how many seconds it makes sense to run the task again, for orders that timed out.
    - V(null) if no order timed out.
  returned: always, but not when an option is wrong, or a credential or library is missing
  type: int
  sample: 300
msg:
  description: What went wrong and what to do, with the provider and the order.
  returned: failure
  type: str
  sample: >-
    digicert order 12345: not there after 30m: validating: 0 of 1 domains, www.example.com waits for dns-txt-token;
    order_dcv_info says what to publish; run this again in 5m to continue
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
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_wait import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)


def main() -> None:
    """Run the module."""
    run_module(order_wait, ORDER_WAIT_OPTIONS)


if __name__ == "__main__":
    main()
