#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module order_reissue."""

from __future__ import annotations

DOCUMENTATION = r"""
module: order_reissue
short_description: Request the next certificate of an order, once
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Requests a reissue of an order for a new CSR. A reissue is part of what was paid for and costs nothing.
  - The public key of the CSR identifies the request. If a reissue for this key is open or issued already, the module
    adopts it and sends nothing, so a task can be run as often as you like.
  - Before it sends anything it checks the order, its coverage, its names, and who else works on it. The first check
    that objects ends the task with its own RV(error_kind).
  - A request is sent once in a run. If no answer comes, the module reads the order until O(settle_time) has passed.
    If the reissue appears, the module adopts it; otherwise the task fails with RV(error_kind=request_uncertain), and
    a run after O(resend_after) sends the same CSR again.
  - This module never orders, pays, cancels, revokes or approves anything, never adds names that cost money, and never
    switches auto-renewal on.
  - It supports V(digicert), V(gogetssl) and V(sectigo). cPanel has no such call, and the task fails with
    RV(error_kind=unsupported) before a request is sent.
  - In check mode only requests that read are sent, and RV(action) is V(would_send) where the real run would send.
extends_documentation_fragment:
  - certops.issuance.account
  - certops.issuance.attributes
  - certops.issuance.attributes.order_modules
  - certops.issuance.orders

attributes:
  diff_mode:
    support: none
    details:
      - What changes is at the provider.

options:
  order_id:
    description: ID of the order.
    type: str
    required: true
  csr:
    description:
      - The certificate signing request (PEM) for the next certificate.
      - Keep its private key before you run this task. Whoever makes a new key for each run requests a new certificate
        for each run.
    type: str
    required: true
  names:
    description:
      - The names of the CSR. If they are not those of O(csr), the task fails.
      - Their order, upper or lower case, a final dot, and the form of internationalized names make no difference.
    type: list
    elements: str
  dcv_method:
    description:
      - How the names are validated.
      - If you leave it out, the method of the order is used. V(sectigo) does not report it, so the option is required
        there.
      - V(gogetssl) has no V(email) here, V(sectigo) neither V(email) nor V(dns-txt), V(digicert) no V(https).
    type: str
    choices:
      - dns-txt
      - dns-cname
      - http
      - https
      - email
  allow_removed_names:
    description:
      - Whether the next certificate may lack names of the present one.
      - DigiCert then revokes all earlier certificates of the order within 72 hours of the reissue. See RV(revokes).
    type: bool
    default: false
  min_coverage:
    description:
      - How long the order must still be paid for, in seconds or as a duration such as V(30d).
      - A certificate never lasts longer than what was paid for.
    type: raw
    default: 30d
  min_interval:
    description: How long ago the last reissue must be. Written as O(min_coverage).
    type: raw
    default: 24h
  requested_after:
    description:
      - When the CSR was made, in ISO 8601, UTC unless it has a zone.
      - An open reissue that began earlier is not this one. Sectigo does not report the key of an open reissue, so it
        is adopted there only if this option shows that it began later, or if this user has requested it before.
      - With Sectigo the present certificate is collected to learn its key unless it is more than a day older than this.
    type: str
  settle_time:
    description:
      - How long to look for the reissue after a request without an answer. Written as O(min_coverage).
    type: raw
    default: 120s
  resend_after:
    description:
      - After which time a request without an answer is sent again, if the reissue has not appeared. Written as
        O(min_coverage). A value below O(settle_time) counts as O(settle_time).
    type: raw
    default: 1h
  on_foreign:
    description:
      - What to do while a reissue for another key is open.
      - V(wait) waits until it has ended, up to O(timeout).
    type: str
    default: fail
    choices:
      - fail
      - wait
  timeout:
    description: How long O(on_foreign=wait) waits. Written as O(min_coverage).
    type: raw
    default: 1800
  skip_approval:
    description:
      - Whether DigiCert does not ask a person to approve the request. The key of the account must be allowed that.
      - If a person has to approve, the task fails with RV(error_kind=action_required) and RV(action=sent).
    type: bool
    default: true
requirements:
  - cryptography (Python library, where the task runs; Ansible itself needs it)
notes:
  - On the machine where the task runs, a ledger in the private directory of the user (below E(XDG_CACHE_HOME) or
    C(~/.cache)) notes each request before it is sent. It holds no secrets. The module works without it, for example on
    a CI runner that is thrown away; then a request without an answer may be sent again earlier.
  - Where the provider reports no reference, RV(order.reference) is that of the request. It is made of the order, the
    key and the names, and so is the same in each run. Where Sectigo answers with another one, that one counts, and this
    machine keeps it for later runs.
  - V(sectigo) gets it as the unique value of the reissue. It is part of what must be published, and no call returns it.
    Give it to M(certops.issuance.order_dcv_info) as one of its C(unique_values).
seealso:
  - module: certops.issuance.order_wait
  - module: certops.issuance.order_certificate
  - ref: ansible_collections.certops.issuance.docsite.guide_reissue
    description: How a reissued certificate is distinguished from the one before it.
"""

EXAMPLES = r"""
- name: Request the next certificate of the order
  certops.issuance.order_reissue:
    provider: digicert
    order_id: "12345"
    csr: "{{ lookup('ansible.builtin.file', 'www.example.com.csr') }}"
    dcv_method: dns-txt
  delegate_to: localhost
  register: reissue

- name: Wait until it is issued
  certops.issuance.order_wait:
    provider: digicert
    order_id: "12345"
    superseded_serial_number: "{{ [reissue.superseded_serial_number] | select | list }}"
    timeout: 1h
  delegate_to: localhost
"""

RETURN = r"""
action:
  description:
    - What was done. V(sent) means that a reissue was requested, V(adopted) that one for this key is open and goes
      on, V(none) that its certificate is issued, or that the task failed before anything was sent.
    - In check mode V(would_send) takes the place of V(sent).
  returned: always; on another machine than the controller not when Ansible's own check of the options ended the task
  type: str
  choices:
    - sent
    - adopted
    - none
    - would_send
  sample: sent
reason:
  description:
    - Why, in one word. When it was sent V(nothing_open), or V(lost) where an earlier request had no answer. When it was
      adopted V(same_key), V(same_code), V(began_later), V(no_time) or V(in_ledger). V(issued) when the certificate is
      there.
    - For a failure, for example V(foreign_key), V(unknown_owner), V(names_removed), V(names_added),
      V(method_unsupported), V(refused) or V(no_answer).
  returned: as RV(action)
  type: str
  sample: nothing_open
order:
  description: The order as M(certops.issuance.order_info) returns it; V(null) if it was not read.
  returned: as RV(action)
  type: dict
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
      description: Always V(null); M(certops.issuance.order_info) returns the provider's body.
      type: raw
superseded_serial_number:
  description:
    - The serial number of the certificate that the reissue takes the place of, upper-case hex. Give it to
      M(certops.issuance.order_wait).
    - V(null) if the certificate for this key is issued already, or the provider does not report it.
  returned: as RV(action)
  type: str
  sample: AB12CD34
revokes:
  description: The certificates that the provider revokes because names are removed, as far as it lists them.
  returned: as RV(action)
  type: list
  elements: dict
  contains:
    serial_number:
      description: Upper-case hex.
      type: str
    id:
      description: The provider's number of the certificate.
      type: str
    by:
      description: Until when, ISO 8601 UTC; V(null) if the provider does not say whether and when.
      type: str
  sample: []
sent:
  description:
    - Whether this run has sent a request for a reissue. V(unknown) means that it may have arrived, or that an earlier
      one may have.
  returned: as RV(action)
  type: str
  choices:
    - "false"
    - "true"
    - unknown
  sample: "true"
msg:
  description: What went wrong and what to do, with the provider and the order.
  returned: failure
  type: str
  sample: >-
    digicert order 12345: a certificate of the order is being issued already, for another key; wait until it is issued,
    or have it canceled at the provider, then run this again
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
    - order_failed
    - action_required
    - unsupported
    - names_changed
    - coverage_ended
    - price_exceeded
    - reissue_in_progress
    - auto_reissue_enabled
    - too_soon
    - request_uncertain
    - untrusted_chain
  sample: reissue_in_progress
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
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_reissue import (
    ORDER_REISSUE_OPTIONS,
    order_reissue,
)


def main() -> None:
    """Run the module."""
    run_module(order_reissue, ORDER_REISSUE_OPTIONS)


if __name__ == "__main__":
    main()
