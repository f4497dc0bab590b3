#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module dcv_diagnose."""

from __future__ import annotations

DOCUMENTATION = r"""
module: dcv_diagnose
short_description: Why a CA does not see the evidence for domain control validation
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Looks at DNS and web servers as the CA looks, and says in one sentence for each name what keeps the CA from
    seeing the evidence for domain control validation (DCV).
  - It needs no account, and works before anything is ordered.
  - The authoritative name servers are asked first, from the root servers down. A resolver is asked only once they
    have the record, so that the question itself puts no negative answer into its cache.
  - Only a test that was made and shows its cause gives a finding. What could not be tested is in RV(not_tested), and
    is never called missing.
  - Each DNS question is asked once in a look, however many names need its answer.
  - CAs look from several places. Run the module on hosts in other networks, and compare, where a firewall or a split
    DNS may show each place something else.
requirements:
  - dnspython >= 2.3
extends_documentation_fragment:
  - certops.issuance.attributes
attributes:
  check_mode:
    support: full
    details: The module only reads.
  diff_mode:
    support: N/A
    details: The module changes nothing.
  idempotent:
    support: full
    details: The module changes nothing.
  platform:
    support: full
    platforms: posix
options:
  record_sets:
    description:
      - DNS records that must be seen, as the return value of the same name of C(order_dcv_info).
      - Each entry needs C(type), C(fqdn) and C(values); C(names) and C(orders) say for which names, and by the rules
        of which provider's CA.
      - One of O(record_sets), O(files) and O(names) is required. Empty lists are nothing to look for, which is visible.
    type: list
    elements: dict
  files:
    description:
      - Files that must be seen, as the return value of the same name of C(order_dcv_info).
      - Each entry needs C(url) and C(content).
      - A file of a wildcard name, outside the folder where CAs look, or on a host that is not its name is not fetched.
    type: list
    elements: dict
  names:
    description:
      - Names to look at before anything is ordered. Tests CAA records, DNSSEC, name servers, and whether port 80 can be
        reached.
      - Without O(provider) and O(caa_issuers) the CAA records are not judged.
    type: list
    elements: str
  evidence:
    description:
      - RV(certops.issuance.order_dcv_info#module:names) of M(certops.issuance.order_dcv_info), for the findings that
        cannot be seen in DNS or on a web server. These are C(token_unknown), C(token_expired), C(token_stale),
        C(wildcard_needs_dns), C(evidence_refused), C(method_sunset), C(polling_stopped), and C(ok_waiting) for a name
        whose evidence is visible and that the CA has not approved yet.
    type: list
    elements: dict
  provider:
    description: The provider whose CA is meant, for O(names), and for entries that name no order.
    type: str
    choices:
      - cpanel
      - digicert
      - gogetssl
      - sectigo
  resolvers:
    description:
      - Resolvers that are asked after the authoritative servers, as C(address) or C(address:port), IPv6 as
        C([address]:port). The first one that answers counts.
      - Without it those of the host are asked.
    type: list
    elements: str
    default: []
  address_map:
    description:
      - Where to connect instead, as C(address:port) to C(address:port); IPv6 as C([address]:port).
      - Holds for every server that is asked, DNS and web. For hosts behind address translation, and for tests.
    type: dict
    default: {}
  caa_issuers:
    description: Issuer names in CAA records that permit the CA to issue, instead of those of O(provider).
    type: list
    elements: str
    default: []
  wait:
    description:
      - Seconds for which to look again until all is visible. V(0) looks once.
      - Something fatal that time does not mend ends the wait at once.
    type: int
    default: 0
  timeout:
    description: Seconds for one look, whatever hangs. What is not done by then is in RV(not_tested).
    type: int
    default: 60
  fail_on:
    description: The severity from which on a finding makes the task fail. V(none) never fails because of a finding.
    type: str
    choices:
      - none
      - fatal
      - warning
    default: none
seealso:
  - module: certops.issuance.order_info
"""

EXAMPLES = r"""
- name: Look for a record as DigiCert does
  certops.issuance.dcv_diagnose:
    provider: digicert
    record_sets:
      - type: TXT
        fqdn: _dnsauth.www.example.com
        values:
          - rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t
        names:
          - www.example.com
  register: look

- name: Say what to do
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.code }}. {{ item.advice }}"
  loop: "{{ look.findings }}"
  loop_control:
    label: "{{ item.name }}"

- name: Wait up to ten minutes until a file is seen, and fail otherwise
  certops.issuance.dcv_diagnose:
    provider: sectigo
    files:
      - url: http://www.example.com/.well-known/pki-validation/3FA076DC547E7C065DB9C858516C8B7B.txt
        content: "0adb68ad6222e0ec5144808d9dd9a26395b82d26955baa204f1b3d9ff39cc461\nsectigo.com"
    wait: 600
    fail_on: fatal

- name: See before an order whether a CA could issue
  certops.issuance.dcv_diagnose:
    provider: sectigo
    names:
      - www.example.com
      - "*.example.com"
    resolvers:
      - 192.0.2.53
  register: preflight

- name: Stop where it could not
  ansible.builtin.assert:
    that: preflight.visible
    fail_msg: "{{ preflight.findings | map(attribute='advice') | join(' ') }}"
"""

RETURN = r"""
visible:
  description:
    - Whether the CA sees all evidence and may issue, as far as can be seen from one place.
    - For O(names) whether all could be tested and nothing fatal was found.
  returned: always, but not when an option is wrong, or a library is missing
  type: bool
  sample: false
findings:
  description: What keeps the CA from seeing it; causes first, then by severity. What a cause explains is left out.
  returned: always, but not when an option is wrong, or a library is missing
  type: list
  elements: dict
  contains:
    code:
      description: What it is, in one word.
      type: str
      choices:
        - address_differs
        - address_private
        - agent_blocked
        - caa_forbids
        - caa_lookup_failed
        - cname_conflict
        - connect_timeout
        - delegation_differs
        - dnssec_bogus
        - evidence_refused
        - file_wrong_content
        - http_status
        - https_only
        - method_sunset
        - negative_cache
        - no_address
        - ok_waiting
        - order_deadline
        - partial_propagation
        - perspective_differs
        - polling_stopped
        - port_closed
        - record_missing
        - record_wrong_name
        - record_wrong_type
        - record_wrong_value
        - redirect_forbidden
        - redirect_too_many
        - removed_too_early
        - resolver_differs
        - scope_wrong
        - server_unreachable
        - target_suffix_appended
        - token_expired
        - token_stale
        - token_unknown
        - wildcard_needs_dns
    severity:
      description:
        - V(fatal) where the CA cannot succeed, V(warning) where it may fail somewhere, V(note) for information.
      type: str
      choices:
        - fatal
        - warning
        - note
    name:
      description: The name on the order.
      type: str
    subject:
      description: The record, URL or zone that it is about.
      type: str
    where:
      description: The server, owner or address where it was seen.
      type: str
    expected:
      description: What was expected, shortened.
      type: str
    seen:
      description: What was seen, shortened and made printable.
      type: str
    advice:
      description: What to do, in one sentence.
      type: str
    retry_after:
      description: Seconds after which another look makes sense; V(null) where time will not mend it.
      type: int
  sample:
    - code: record_wrong_name
      severity: fatal
      name: www.example.com
      subject: TXT _dnsauth.www.example.com
      where: _dnsauth.www.example.com
      expected: rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t
      seen: _dnsauth.www.example.com.example.com
      advice: >-
        The record stands at _dnsauth.www.example.com.example.com: enter only _dnsauth.www as its name in the form of
        this DNS host.
      retry_after:
not_tested:
  description: What could not be tested.
  returned: always, but not when an option is wrong, or a library is missing
  type: list
  elements: dict
  contains:
    name:
      description: The name on the order.
      type: str
    subject:
      description: What would have been tested.
      type: str
    reason:
      description:
        - V(dns_blocked) where DNS questions do not leave the network, or no resolver answers.
        - V(dns_intercepted) where the network answers DNS questions in place of the servers that are asked. Look from
          another host.
        - V(no_ipv6_here) where the host has no way to IPv6.
        - V(deadline) where O(timeout) was over.
        - V(check_failed) where the module itself failed in this check; please report it.
      type: str
      choices:
        - dns_blocked
        - dns_intercepted
        - no_ipv6_here
        - deadline
        - check_failed
    detail:
      description: One sentence more, or V(null).
      type: str
  sample: []
looked_from:
  description: Where the look was made.
  returned: always, but not when an option is wrong, or a library is missing
  type: dict
  contains:
    host:
      description: The host.
      type: str
    resolvers:
      description: The resolvers that could be asked.
      type: list
      elements: str
    ipv6:
      description: Whether the host has a way to IPv6.
      type: bool
  sample:
    host: control.example.com
    resolvers:
      - 192.0.2.53:53
    ipv6: false
by_name:
  description: The same in short, by name.
  returned: always, but not when an option is wrong, or a library is missing
  type: dict
  contains:
    name:
      description: One entry for each name.
      type: dict
      contains:
        visible:
          description: As RV(visible), for this name.
          type: bool
        codes:
          description: The codes of its findings, causes first.
          type: list
          elements: str
        severity:
          description: The severity of the first one, or V(null).
          type: str
        advice:
          description: The advice of the first one, or V(null).
          type: str
        tested:
          description: Whether all tests could be made.
          type: bool
  sample:
    www.example.com:
      visible: false
      codes:
        - record_missing
      severity: fatal
      advice: Publish TXT _dnsauth.www.example.com with the value rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t.
      tested: true
msg:
  description: What went wrong and what to do.
  returned: failure
  type: str
  sample: "names: 'a b' is no host name in ASCII"
error_kind:
  description: V(not_visible) where O(fail_on) made the task fail, V(invalid_request) where an option cannot be used.
  returned: failure, but not when Ansible's own check of the options ended the task, or a library is missing
  type: str
  choices:
    - invalid_request
    - not_visible
  sample: not_visible
retryable:
  description: Whether the same task may succeed later, with nothing changed.
  returned: failure, but not when Ansible's own check of the options ended the task, or a library is missing
  type: bool
  sample: true
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.certops.issuance.plugins.module_utils._dcv.dns import DNSPYTHON_IMPORT_ERROR
from ansible_collections.certops.issuance.plugins.module_utils._dcv.operation import (
    ARGUMENT_SPEC,
    REQUIRED_ONE_OF,
    dcv_diagnose,
)


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, required_one_of=REQUIRED_ONE_OF, supports_check_mode=True)
    if DNSPYTHON_IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("dnspython"), exception=DNSPYTHON_IMPORT_ERROR)
    result = dcv_diagnose(module.params)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
