#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action role_step."""

from __future__ import annotations

DOCUMENTATION = r"""
module: role_step
short_description: A step of the role certificate
version_added: 1.0.0
author: certops.issuance contributors (@certops)
description:
  - What the role C(certops.issuance.certificate) consists of. Use the role. This action is private to it; its options
    and results change without notice.
  - Every host publishes what it asks for, the first host of each account asks for all of them, and every host takes and
    judges its own orders.
  - The provider is asked from the controller. Only the step V(prepare) looks at the host.
  - The inputs are the variables of the role.
extends_documentation_fragment:
  - certops.issuance.account
  - certops.issuance.attributes

attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: posix
  action_group:
    support: full
    description: Use C(group/certops.issuance.providers) in C(module_defaults) to set the account options once.
    membership:
      - certops.issuance.providers

options:
  step:
    description:
      - V(prepare) reads the inputs and what the host has in service, and makes key and CSR where it renews.
      - V(renew) requests the next certificates of all hosts of the account where this host is the first of it
        that publishes DCV evidence. Otherwise V(lead) does that.
      - V(dcv) does a step of what the host does for domain control validation, see O(dcv).
      - V(lead) requests the next certificates, and asks where the orders stand, for all hosts of the account where this
        host is the first of it.
      - V(take) takes and judges the orders of the host, and has the certificate.
      - V(placeholder) deploys a self-signed certificate where there is none.
      - V(names) refuses variables that are nearly one of O(known), or of the role.
    type: str
    required: true
    choices:
      - names
      - placeholder
      - prepare
      - renew
      - dcv
      - lead
      - take
  dcv:
    description:
      - V(evidence) asks what to publish for all hosts that share a publisher, where this host is the first of them.
      - V(publish) returns what this host publishes, after it has written that to the journal on the controller.
      - V(see) looks until it can be seen, and asks the provider once to look.
      - V(judge) fails where it cannot be seen.
      - V(withdraw) returns what this host withdraws.
      - V(close) takes what was withdrawn from the journal.
    type: str
    choices:
      - evidence
      - publish
      - see
      - judge
      - withdraw
      - close
  entry:
    description: The part of the role that V(prepare) reads the inputs of.
    type: str
    default: main
    choices:
      - main
      - wait
      - status
      - diagnose
  known:
    description: The names that V(names) compares with.
    type: list
    elements: str
seealso:
  - module: certops.issuance.order_wait
  - module: certops.issuance.certificate_deploy
"""

EXAMPLES = r"""
- name: Use the role
  ansible.builtin.include_role:
    name: certops.issuance.certificate
    tasks_from: wait
  vars:
    certificate_provider: digicert
    certificate_order_ids: ["12345"]

- name: Show the orders
  ansible.builtin.debug:
    var: certificate_orders
"""

RETURN = r"""
request:
  description: What the host asks for. The account is a label that is made anew in each run.
  returned: step is V(prepare)
  type: dict
  sample: {host: web1, account: digicert-5f0c6c1f6a0f4b0e9d1c2b3a, order_ids: ["12345"]}
orders:
  description: Orders as M(certops.issuance.order_wait) or M(certops.issuance.order_info) return them.
  returned: step is V(lead) or V(take)
  type: list
  elements: dict
deferred:
  description: Whether an order of the host is not issued yet.
  returned: step is V(take)
  type: bool
"""
