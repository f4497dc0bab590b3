#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: key and CSR for the next certificate, made on the target."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_request
short_description: Make key and CSR for the next certificate
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Makes a private key and a certificate signing request (CSR) on the target, with the command C(openssl) there. The
    key never leaves the target, and is in no output.
  - They are kept in C(pending/) below the lineage, which is the directory of one certificate with all its versions. The
    next run finds them there, and returns the same CSR.
  - Both are on the disk, and survive a power cut, before the module returns. A run that was interrupted leaves a whole
    request or none.
  - Nothing is sent to a provider. Give RV(csr) to whoever requests the certificate, and deploy the certificate with
    M(certops.issuance.certificate_deploy) and C(pending/privkey.pem) as its C(private_key_path).
extends_documentation_fragment:
  - certops.issuance.attributes
  - certops.issuance.attributes.deployment
attributes:
  check_mode:
    support: full
    details:
      - Reports RV(reasons) and changes nothing. A CSR that is not made yet is V(null).
      - It fails as well where the files could not be written, or where there is no C(openssl).
  diff_mode:
    support: full
    details: Shows names, subject, order, time and the hash of the public key; never a private key.
  idempotent:
    support: full
    details: While key and CSR are as requested, they stay, and the same CSR is returned.
  platform:
    support: full
options:
  path:
    description:
      - The lineage directory of this certificate, as an absolute path. It is created if it is missing.
      - The same directories are refused as by M(certops.issuance.certificate_deploy).
    type: path
    required: true
  names:
    description:
      - The names that the certificate shall have, in the order in which the CSR lists them. Their order alone is no
        difference.
      - DNS names, wildcards as in V(*.example.com), and IP addresses.
      - Internationalized names may be given as people write them. They become A-labels on the controller, by IDNA 2008
        where the Python library C(idna) is there, as it is with C(requests).
      - Required if O(state=present).
    type: list
    elements: str
    default: []
  key_type:
    description:
      - The type of the private key.
      - It does not count where O(reuse_key) takes the key that is in service.
    type: str
    choices: [ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096]
    default: ecdsa-p256
  subject:
    description:
      - Fields of the subject and their values, as text.
      - Known are C(CN), C(C), C(ST), C(L), C(O), C(OU), C(street), C(postalCode), C(serialNumber), C(businessCategory)
        and C(emailAddress), also by their long names, such as C(organizationName).
      - Without C(CN) it is the first of O(names) that has 64 characters or less.
    type: dict
    default: {}
  reuse_key:
    description:
      - Make the CSR of the key that is in service in this lineage. Where none is in service, a new one is made.
      - A new key for each certificate is safer. Use this where something pins the key.
    type: bool
    default: false
  order_id:
    description:
      - The order that the CSR is going to be sent for. Give it before the CSR is sent.
      - It is written down with the request. From then on the CSR counts as one that may have been sent, so that other
        O(names) get a new key as well.
      - Without it, what was written down stays.
    type: str
  state:
    description:
      - V(present) makes key and CSR where they are missing or differ.
      - V(absent) removes C(pending/) with its key, and nothing else. Do this when the certificate is in service.
    type: str
    choices: [present, absent]
    default: present
  owner:
    description:
      - The owner of the key and the CSR, a name or a number.
      - Directories and C(request.json) belong to the user that the module runs as, usually root, so that nobody else
        can replace what lies in them.
    type: str
  group:
    description: The group of the key and the CSR, a name or a number.
    type: str
  mode:
    description:
      - The mode of the CSR, as an octal number or a symbolic mode. The mode of the key is always V('0600').
      - Put octal numbers in quotes, as in V('0644'), so that they are not taken for decimal ones.
    type: raw
    default: "0644"
seealso:
  - module: certops.issuance.certificate_deploy
  - module: certops.issuance.certificate_info
"""

EXAMPLES = r"""
- name: Make key and CSR for the next certificate
  certops.issuance.certificate_request:
    path: /etc/ssl/certops/www.example.com
    names: [www.example.com, example.com]
  register: request

- name: Show the CSR
  ansible.builtin.debug:
    msg: "{{ request.csr }}"

- name: Write down which order the CSR is sent for, before it is sent
  certops.issuance.certificate_request:
    path: /etc/ssl/certops/www.example.com
    names: [www.example.com, example.com]
    order_id: "12345"

- name: Put the issued certificate into service with that key
  certops.issuance.certificate_deploy:
    path: /etc/ssl/certops/www.example.com
    certificate: "{{ issued.certificate }}"
    chain: "{{ issued.chain }}"
    private_key_path: /etc/ssl/certops/www.example.com/pending/privkey.pem
    names: [www.example.com, example.com]
    reload_commands:
      - systemctl reload nginx

- name: Remove the request, which has been answered
  certops.issuance.certificate_request:
    path: /etc/ssl/certops/www.example.com
    state: absent
"""

RETURN = r"""
path:
  description: The lineage directory.
  type: str
  returned: success
  sample: /etc/ssl/certops/www.example.com
csr:
  description: The CSR as PEM; V(null) where there is none, and in check mode where it is not made yet.
  type: str
  returned: success
  sample: |
    -----BEGIN CERTIFICATE REQUEST-----
    MIIB...
    -----END CERTIFICATE REQUEST-----
public_key_sha256:
  description:
    - SHA-256 of the public key (C(SubjectPublicKeyInfo) in DER), in lower-case hexadecimal. The issued certificate has
      the same public key.
    - V(null) where there is none, and in check mode where the key is not made yet.
  type: str
  returned: success
  sample: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
names:
  description: The names in the CSR, in its order, or those that it would have. Empty where there is none.
  type: list
  elements: str
  returned: success
  sample: [www.example.com, example.com]
created_at:
  description: When the CSR was made, ISO 8601, UTC; V(null) where there is none.
  type: str
  returned: success
  sample: "2026-11-28T18:00:00Z"
order_id:
  description: The order that is written down, for which the CSR may have been sent; V(null) without one.
  type: str
  returned: success
  sample: "12345"
reasons:
  description:
    - Why a new CSR was made, or would be in check mode. Empty where the same one is kept.
    - V(absent) is none, or a damaged one; V(spent) is one whose certificate is in service; V(key_differs) is one whose
      key is not the one that O(reuse_key) requests.
    - Where V(names_differ) is the only reason, and no order is written down, the key stays. Else the key is new, too.
    - Without reasons, RV(ignore:changed) is V(true) where only the order, the owner, the group or the mode was changed,
      or where something that an interrupted run had left was put right.
  type: list
  elements: str
  returned: success
  choices: [absent, spent, names_differ, key_differs, key_type_differs, subject_differs]
  sample: [absent]
error_kind:
  description: Why it was refused or failed; V(invalid_request) where the options cannot be used.
  type: str
  returned: failure
  choices: [invalid_request, invalid_key, not_a_lineage, unsafe_path, locked, write_failed]
  sample: write_failed
"""

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.host import AnsibleHost
from ansible_collections.certops.issuance.plugins.module_utils._deployment.module import Module
from ansible_collections.certops.issuance.plugins.module_utils._deployment.request import request_certificate

#: What the host needs to know beside the options: nobody but its owner reads a key that is not in service.
_HOST_SETTINGS = {"key_mode": "0600", "dir_mode": "0755", "command_timeout": 120.0}


def main() -> None:
    """Run the module."""
    module = Module(
        argument_spec={
            "path": {"type": "path", "required": True},
            "names": {"type": "list", "elements": "str", "default": []},
            "key_type": {
                "type": "str",
                "choices": ["ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096"],
                "default": "ecdsa-p256",
                "no_log": False,
            },
            "subject": {"type": "dict", "default": {}},
            "reuse_key": {"type": "bool", "default": False, "no_log": False},
            "order_id": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "raw", "default": "0644"},
        },
        required_if=[("state", "present", ["names"])],
        supports_check_mode=True,
    )
    module.params.update(_HOST_SETTINGS)
    try:
        result = request_certificate(module.params, AnsibleHost(module), check_mode=module.check_mode)
    except DeploymentError as exc:
        module.fail_json(msg=exc.message, error_kind=exc.kind, **exc.details)
    if not module._diff:
        del result["diff"]
    module.exit_json(**result)


if __name__ == "__main__":
    main()
