#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module order_certificate."""

from __future__ import annotations

DOCUMENTATION = r"""
module: order_certificate
short_description: Collect the certificate of an order, with its chain in the right order
version_added: 1.0.0
author: certops.issuance contributors (@certops)
description:
  - Collects the certificate of an issued order and puts its chain in the order in which a server must send it.
  - It follows issuers and signatures to build the chain. It leaves out roots, duplicates and certificates that do not
    belong to the chain, and repairs line ends and missing PEM headers. A chain that lacks the issuer of the certificate
    is refused.
  - The certificate is refused if it is not for the key of O(csr), does not cover O(names), or has expired.
  - Sectigo lets a certificate be collected once in three hours. For that time the certificate is cached for this user
    on the machine where the task runs, so that a dry run or a failed deployment does not use up the one collection.
  - This module never orders, buys or changes anything.
extends_documentation_fragment:
  - certops.issuance.account
  - certops.issuance.attributes
  - certops.issuance.attributes.order_modules
  - certops.issuance.orders

options:
  order_id:
    description:
      - ID of the order. A list with one ID is accepted as well. For several orders use a loop.
      - For V(cpanel) this is the order item ID.
    type: list
    elements: str
    required: true
    aliases:
      - order_ids
  csr:
    description:
      - The certificate signing request (PEM) with which the order was placed. The certificate must be for its key.
      - If you leave it out, the CSR that the provider reports for the order is used, if there is one.
    type: str
  names:
    description:
      - Names that the certificate must cover, all of them. Wildcards, IP addresses and internationalized names are
        allowed.
      - If you leave it out, the certificate must cover the names that the provider lists on the order.
    type: list
    elements: str
  superseded_serial_number:
    description:
      - Serial number of the certificate that is being replaced, which is never returned.
      - In hex, with or without colons, also as C(0x...), as C(serial=...) of C(openssl x509 -serial), or as the decimal
        number of M(community.crypto.x509_certificate_info). Anything else is refused with the RV(error_kind)
        V(invalid_request).
    type: str
requirements:
  - cryptography (Python library, where the task runs; Ansible itself needs it)
seealso:
  - module: certops.issuance.order_wait
  - module: certops.issuance.certificate_deploy
  - ref: ansible_collections.certops.issuance.docsite.guide_reissue
    description: How a reissued certificate is distinguished from the one before it.
"""

EXAMPLES = r"""
- name: Collect the certificate
  certops.issuance.order_certificate:
    provider: sectigo
    username: "{{ sectigo_username }}"
    password: "{{ vault_sectigo_password }}"
    order_id: "830045512"
    csr: "{{ lookup('ansible.builtin.file', 'www.example.com.csr') }}"
    names:
      - www.example.com
  delegate_to: localhost
  register: issued

- name: Put it into service
  certops.issuance.certificate_deploy:
    path: /etc/ssl/certops/www.example.com
    certificate: "{{ issued.certificate }}"
    chain: "{{ issued.chain }}"
    private_key_path: /etc/ssl/private/www.example.com.key
    names:
      - www.example.com
    reload_commands:
      - systemctl reload nginx
"""

RETURN = r"""
certificate:
  description: The certificate, PEM.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"
chain:
  description: The certificates between it and the root, PEM, the issuer of the certificate first, without the root.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"
fullchain:
  description: The certificate followed by its chain, PEM.
  returned: success
  type: str
  sample: "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n"
serial_number:
  description: Upper-case hex, without leading zeros or separators.
  returned: success
  type: str
  sample: AB12CD34
not_before:
  description: From when it is valid, ISO 8601 UTC.
  returned: success
  type: str
  sample: "2026-03-01T00:00:00Z"
not_after:
  description: Until when it is valid, ISO 8601 UTC.
  returned: success
  type: str
  sample: "2026-04-16T23:59:59Z"
names:
  description: The DNS names and IP addresses it is valid for.
  returned: success
  type: list
  elements: str
  sample: [www.example.com, example.com]
issuer:
  description: Who issued it, as RFC 4514 text.
  returned: success
  type: str
  sample: CN=Example Issuing CA,O=Example,C=US
fingerprint_sha256:
  description: SHA-256 fingerprint, upper-case hex with colons.
  returned: success
  type: str
  sample: "0A:1B:2C"
msg:
  description: What went wrong and what to do, with the provider and the order.
  returned: failure
  type: str
  sample: >-
    digicert order 12345: there is no certificate to collect yet: validating: 0 of 1 domains, www.example.com waits for
    dns-txt-token; wait for it with order_wait
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
    - not_issued
    - order_failed
    - action_required
    - key_mismatch
    - names_not_covered
    - untrusted_chain
    - not_valid_now
  sample: not_issued
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
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_certificate import (
    ORDER_CERTIFICATE_OPTIONS,
    order_certificate,
)


def main() -> None:
    """Run the module."""
    run_module(order_certificate, ORDER_CERTIFICATE_OPTIONS)


if __name__ == "__main__":
    main()
