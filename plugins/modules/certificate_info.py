#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what a lineage on the target holds now."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_info
short_description: Read what a lineage holds
version_added: 1.0.0
author: certops.issuance contributors (@certops)
description:
  - Reads the certificate that M(certops.issuance.certificate_deploy) put into service on the target. A lineage is the
    directory of one certificate with all its versions.
  - It never reads a private key, and it reads a lineage that a crash interrupted as well.
extends_documentation_fragment:
  - certops.issuance.attributes
  - certops.issuance.attributes.deployment
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
options:
  path:
    description: The lineage directory, as an absolute path.
    type: path
    required: true
seealso:
  - module: certops.issuance.certificate_deploy
"""

EXAMPLES = r"""
- name: Read what is in service
  certops.issuance.certificate_info:
    path: /etc/ssl/certops/www.example.com
  register: deployed

- name: Say that the certificate has to be renewed
  ansible.builtin.debug:
    msg: "{{ deployed.names | join(', ') }} is valid until {{ deployed.not_after }}"
  when:
    - deployed.exists
    - deployed.not_after < '%Y-%m-%dT%H:%M:%SZ' | strftime(now().timestamp() + 14 * 86400, utc=true)
"""

RETURN = r"""
exists:
  description: Whether a certificate is deployed.
  type: bool
  returned: success
  sample: true
placeholder:
  description: Whether it is a placeholder.
  type: bool
  returned: success
  sample: false
serial_number:
  description: Its serial number in upper-case hexadecimal; V(null) without a certificate.
  type: str
  returned: success
  sample: 0A1B2C3D4E5F
fingerprint_sha256:
  description: Its SHA-256 in upper-case hexadecimal with colons; V(null) without a certificate.
  type: str
  returned: success
  sample: "AA:53:44:9A:0C:5E:2F:7B:61:D8:13:BE:44:FD:07:9E:A5:7A:2A:31:CB:98:6C:F5:1E:4D:77:02:B9:88:13:FA"
not_before:
  description: Start of its validity, ISO 8601, UTC; V(null) without a certificate.
  type: str
  returned: success
  sample: "2026-11-01T00:00:00Z"
not_after:
  description: End of its validity, ISO 8601, UTC; V(null) without a certificate.
  type: str
  returned: success
  sample: "2026-12-18T00:00:00Z"
names:
  description: The names it covers.
  type: list
  elements: str
  returned: success
  sample: [www.example.com, example.com]
certificate:
  description: The certificate as PEM; V(null) without a certificate.
  type: str
  returned: success
  sample: |
    -----BEGIN CERTIFICATE-----
    MIIB...
    -----END CERTIFICATE-----
chain:
  description: The certificates that follow it, as PEM; V(null) without a certificate.
  type: str
  returned: success
  sample: |
    -----BEGIN CERTIFICATE-----
    MIIC...
    -----END CERTIFICATE-----
interrupted:
  description: Whether a deployment is under way or was interrupted; the next deployment finishes or undoes it.
  type: bool
  returned: success
  sample: false
verified:
  description:
    - The certificate that the last deployment to come to its end has put into service; V(null) without one.
    - It is the current one, but not where a deployment has switched to the current one and was interrupted then.
  type: dict
  returned: success
  contains:
    serial_number:
      description: Upper-case hex without leading zeros.
      type: str
    not_before:
      description: ISO 8601 UTC.
      type: str
  sample:
    serial_number: 5A3D6B
    not_before: "2026-11-01T00:00:00Z"
pending:
  description:
    - The request for the next certificate that M(certops.issuance.certificate_request) has made; V(null) without one.
    - If the request is damaged, its fields are V(null).
  returned: success
  type: dict
  version_added: 1.1.0
  contains:
    csr:
      description: The CSR as PEM.
      type: str
    names:
      description: The names in the CSR.
      type: list
      elements: str
    public_key_sha256:
      description: SHA-256 of the public key, in lower-case hexadecimal.
      type: str
    order_id:
      description: The order that the CSR may have been sent for; V(null) where it was not sent.
      type: str
    created_at:
      description: When the CSR was made, ISO 8601 UTC.
      type: str
    predecessor_serial_number:
      description: The serial number of the certificate that was in service then; V(null) without one.
      type: str
  sample: null
error_kind:
  description: Why the lineage could not be read; V(invalid_request) where the options cannot be used.
  type: str
  returned: failure
  choices: [invalid_request, not_a_lineage, write_failed]
  sample: not_a_lineage
"""

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.plugins.module_utils._deployment.module import Module


def main() -> None:
    """Run the module."""
    module = Module(argument_spec={"path": {"type": "path", "required": True}}, supports_check_mode=True)
    try:
        result = read_lineage(module.params["path"])
    except DeploymentError as exc:
        module.fail_json(msg=exc.message, error_kind=exc.kind, **exc.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
