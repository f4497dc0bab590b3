#!/usr/bin/python
# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: put a certificate into service on the target as one transaction."""

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_deploy
short_description: Put a certificate into service, verified or undone
version_added: 1.0.0
author: certops.issuance contributors (@certops)
description:
  - Puts certificate, chain and private key into service on the target as one transaction.
  - Before anything is written, the new files are rehearsed in a TLS handshake in memory for every expected name. A key
    that does not match, a missing name, a broken or untrusted chain, or a certificate that is not valid now is refused.
  - The files are written to a version of their own below O(path), and the symbolic link C(current) is switched to it in
    one step. Services point at the files below C(current).
  - Afterwards the service's configuration is validated, the service is reloaded, and each probe connects to it until it
    serves the new certificate and its chain. If any of this fails, the previous version is put back, the service is
    reloaded again, and it is verified that it serves the previous certificate.
  - A run that was interrupted is finished or undone by the next one.
  - A lineage is the directory of one certificate with all its versions. The one at O(path) holds
    C(versions/NUMBER-SERIAL/) with C(cert.pem), C(chain.pem), C(fullchain.pem), C(privkey.pem), and on request
    C(combined.pem) and C(keystore.p12), besides the link C(current) and the empty file C(.lock). Nothing else on the
    target is touched.
extends_documentation_fragment:
  - certops.issuance.attributes
  - certops.issuance.attributes.deployment
attributes:
  check_mode:
    support: full
    details:
      - The certificate is rehearsed, and the reasons are the same; nothing is written, no command is run.
      - It fails as well where the files could not be written, or, unless it is the first deployment, where there is no
        such program for a command.
      - An owner, a group, a file of O(certificate_path), O(chain_path), O(private_key_path) or O(ca_path) that is
        missing is a warning, since an earlier task may make it. The task passes and reports a change. Without a
        certificate and a private key nothing is rehearsed.
  diff_mode:
    support: full
    details: Shows serial number, names, dates and reasons; never a private key.
  idempotent:
    support: full
    details: When the files are as requested and every probe finds the certificate, nothing is written or reloaded.
  platform:
    support: full
options:
  path:
    description:
      - The lineage directory of this certificate, as an absolute path. It is created if it is missing.
      - A directory that is no lineage yet and is not empty is refused, and one that lies in another lineage. Files that
        others have put into a lineage are left alone.
      - It has to be on a local file system.
      - Who can replace a directory on the way to it can replace the certificate. A directory there that everybody may
        write to, and that has no sticky bit, is refused. One that belongs to somebody else, or that a group may write
        to, is a warning that names it.
    type: path
    required: true
  certificate:
    description:
      - The certificate as PEM.
      - The chain may follow in the same text.
      - Either this or O(certificate_path) is required, unless O(placeholder=true).
    type: str
  certificate_path:
    description:
      - A file on the target with the certificate as PEM. The chain may follow in it, as in the C(fullchain.pem) of
        certbot. It is never changed.
      - It may be a link. It is opened once, and has to be a regular file of at most 1 MiB.
    type: path
    version_added: 1.1.0
  chain:
    description:
      - The intermediate certificates as PEM, the issuer of O(certificate) first. A root at the end is accepted.
    type: str
  chain_path:
    description:
      - A file on the target with the intermediate certificates, as O(chain) has them. It is read like
        O(certificate_path).
    type: path
    version_added: 1.1.0
  private_key:
    description:
      - The private key as PEM, without a password.
      - Where you can, use O(private_key_path) instead, so that the key never leaves the target. As content it passes
        through Ansible's own temporary folder there.
    type: str
  private_key_path:
    description:
      - A file on the target with the private key as PEM, without a password. It is never changed.
      - For a renewal with the same key this may be C(current/privkey.pem) of the lineage itself. With a key that
        M(certops.issuance.certificate_request) has made it is C(pending/privkey.pem).
    type: path
  names:
    description:
      - The names that clients will use. Each must be covered by the certificate.
      - DNS names, wildcards as in V(*.example.com), and IP addresses.
      - Internationalized names may be given as people write them. They become A-labels on the controller, by IDNA 2008
        where the Python library C(idna) is there, as it is with C(requests).
      - Without this option, the names in the certificate are rehearsed.
    type: list
    elements: str
    default: []
  trust:
    description:
      - What the chain has to lead to. It is not looked at while the certificate is in service already.
      - V(system) is the trust store of the target.
      - V(ca_path) are the certificates at O(ca_path).
      - V(chain_only) verifies only that certificate and chain belong together. Use it for private authorities that the
        target does not know.
    type: str
    choices: [system, ca_path, chain_only]
    default: system
  ca_path:
    description:
      - A file on the target with trusted CA certificates as PEM, or a directory of such files.
      - It is not looked at while the certificate is in service already.
      - Giving it means O(trust=ca_path).
    type: path
  files:
    description:
      - The files to write.
      - One of V(cert), V(fullchain) and V(combined) has to be among them, since it can be read without a password.
      - V(combined) is certificate, chain and key in one file, as HAProxy wants it.
      - V(pkcs12), since 1.1.0, is the file C(keystore.p12) with certificate, chain and key, as Java, Tomcat and Windows
        want it. It is made with C(openssl) on the target, and only when certificate, chain, key or
        O(pkcs12_password) differ. Its entry, which Java calls alias, has the first of O(names), or of the
        certificate's names.
    type: list
    elements: str
    choices: [cert, chain, fullchain, privkey, combined, pkcs12]
    default: [cert, chain, fullchain, privkey]
  pkcs12_password:
    description:
      - The password of the file V(pkcs12) in O(files), which needs one. One line of printable characters; Java
        and Windows read those of ASCII without trouble.
      - When it differs from the one in use, the files are written again, with RV(reasons) V(attributes_differ).
        Whether it differs is known by an HMAC in C(version.json), with the private key as its key.
      - It is handed to C(openssl) in memory, and stands on no command line.
    type: str
    version_added: 1.1.0
  key_format:
    description:
      - V(original) writes the private key in the format in which it is given.
      - V(pkcs8) converts a key in PKCS#1 (C(BEGIN RSA PRIVATE KEY)) or SEC1 (C(BEGIN EC PRIVATE KEY)) to PKCS#8
        (C(BEGIN PRIVATE KEY)), which Java and Logstash need.
    type: str
    choices: [original, pkcs8]
    default: original
    version_added: 1.1.0
  placeholder:
    description:
      - Deploy a self-signed certificate for O(names), so that a server can start, and answer HTTP validation, before
        issuance. It is made with C(openssl) on the target.
      - A placeholder never replaces a real certificate, and a real certificate always replaces a placeholder.
      - O(certificate), O(chain) and their files are ignored.
    type: bool
    default: false
  owner:
    description:
      - The owner of the C(.pem) files and of C(keystore.p12), a name or a number.
      - Directories and C(version.json) belong to the user that the module runs as, usually root, so that nobody else
        can replace what lies in them.
    type: str
  group:
    description:
      - The group of the C(.pem) files and of C(keystore.p12), a name or a number.
      - Directories get this group only where O(dir_mode) lets the group pass and others not, as V('0750') does. It
        never gets permission to write to them.
    type: str
  mode:
    description:
      - The mode of files without a private key, as an octal number or a symbolic mode.
      - Put octal numbers in quotes, as in V('0644'), so that they are not taken for decimal ones.
    type: raw
    default: "0644"
  key_mode:
    description:
      - The mode of files with a private key, as an octal number or a symbolic mode. Only the owner may have more than
        read permission.
      - Put octal numbers in quotes, as in V('0640'), so that they are not taken for decimal ones.
      - A key is readable for its owner alone until it is complete.
      - A POSIX access control list that lets further users or groups read a file, directories included, is kept, and
        is handed on to the next version. One that lets them write is not.
    type: raw
    default: "0600"
  dir_mode:
    description:
      - The mode of the directories, as an octal number or a symbolic mode.
      - It has to let a group reach the files that it may read. One that lets everybody write is refused.
      - Put octal numbers in quotes, as in V('0750'), so that they are not taken for decimal ones.
    type: raw
    default: "0755"
  validate_commands:
    description:
      - Commands that check the service's configuration, for example C(nginx -t). They run before the switch, except on
        a first deployment, and after it.
      - Each is a string, which is split as a shell splits words, or a list of words. A single string is one command.
      - No shell is used. A string with what only a shell would understand is refused, such as C(&&), C(;), C($HOME),
        C(~/x) or C(*) in a path, unless it stands in quotes. A list of words is taken as it is.
    type: list
    elements: raw
    default: []
  reload_commands:
    description:
      - Commands that let the service read the new files, for example C(systemctl reload nginx).
      - Each is a string, which is split as a shell splits words, or a list of words. A single string is one command.
      - No shell is used. A string with what only a shell would understand is refused, such as C(&&), C(;), C($HOME),
        C(~/x) or C(*) in a path, unless it stands in quotes. A list of words is taken as it is.
    type: list
    elements: raw
    default: []
  command_timeout:
    description:
      - Seconds after which a command that has not ended is ended, and counts as failed.
      - Otherwise a reload that hangs would keep the deployment, and its lock, for ever. The default is longer than
        C(systemctl) waits for a service.
    type: float
    default: 120
  probes:
    description:
      - Services that have to serve the certificate afterwards. They are also looked at when the files are current, and
        reloaded if one does not serve them.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: A name or address, no URL, as seen from the target. Each of its addresses that listens is probed.
        type: str
        default: localhost
      port:
        description: The TCP port.
        type: int
        default: 443
      server_name:
        description: The name to ask for. By default the first of O(names), or of the certificate's names.
        type: str
      starttls:
        description:
          - The protocol in which to ask for TLS. Without it, TLS is spoken from the first byte.
          - V(lmtp), V(sieve), V(ldap), V(ftp), V(xmpp) and V(mysql) since 1.1.0. V(xmpp) is what clients speak, on port
            5222; V(mysql) is for MariaDB, too.
        type: str
        choices: [smtp, lmtp, imap, pop3, sieve, ldap, ftp, xmpp, mysql, postgres]
      proxy_protocol:
        description:
          - The version of the PROXY protocol that the service expects from the proxy or load balancer in front of it.
            Such a service ends a connection that does not begin with this header.
          - The probe names its own address as the client's. The service has to trust the target as a proxy.
        type: str
        choices: [v1, v2]
        version_added: 1.1.0
  probe_timeout:
    description: Seconds after which a probe fails if the service does not serve the certificate.
    type: float
    default: 10
  keep_versions:
    description: How many versions to keep, the current one included. At least one is kept.
    type: int
    default: 3
  allow_older:
    description: Whether a certificate may replace one that was issued after it.
    type: bool
    default: false
  lock_timeout:
    description:
      - Seconds to wait for another run that is at work on the same lineage. Then the task fails with
        RV(error_kind=locked).
    type: float
    default: 10
  remove_request:
    description:
      - Whether the certificate request in C(pending/) is removed once its certificate is in service, as
        M(certops.issuance.certificate_request) does with C(state=absent). O(private_key_path) must be its key.
      - It stays when the task fails, and in check mode.
    type: bool
    default: false
    version_added: 1.1.0
seealso:
  - module: certops.issuance.certificate_request
  - module: certops.issuance.certificate_info
  - module: certops.issuance.order_certificate
  - ref: ansible_collections.certops.issuance.docsite.guide_deployment
    description: The lineage, the steps, and what is promised.
"""

EXAMPLES = r"""
- name: Collect the issued certificate
  certops.issuance.order_certificate:
    provider: digicert
    order_id: "12345"
    names: [www.example.com, example.com]
  delegate_to: localhost
  register: issued

- name: Put it into service in nginx
  certops.issuance.certificate_deploy:
    path: /etc/ssl/certops/www.example.com
    certificate: "{{ issued.certificate }}"
    chain: "{{ issued.chain }}"
    private_key_path: /etc/ssl/private/www.example.com.key
    names: [www.example.com, example.com]
    validate_commands:
      - nginx -t
    reload_commands:
      - systemctl reload nginx
    probes:
      - port: 443
  register: deployed

- name: Show what was done, and why
  ansible.builtin.debug:
    msg: "{{ deployed.serial_number }}, valid until {{ deployed.not_after }}: {{ deployed.reasons | join(', ') }}"

- name: Let a mail server start before its certificate is issued
  certops.issuance.certificate_deploy:
    path: /etc/ssl/certops/mail.example.com
    placeholder: true
    private_key_path: /etc/ssl/private/mail.example.com.key
    names: [mail.example.com]

- name: Put the issued certificate into service in HAProxy and Postfix
  certops.issuance.certificate_deploy:
    path: /etc/ssl/certops/mail.example.com
    certificate: "{{ issued.certificate }}"
    chain: "{{ issued.chain }}"
    private_key_path: /etc/ssl/private/mail.example.com.key
    names: [mail.example.com]
    files: [cert, chain, fullchain, privkey, combined]
    group: ssl-cert
    key_mode: "0640"
    validate_commands:
      - haproxy -c -f /etc/haproxy/haproxy.cfg
      - postfix check
    reload_commands:
      - [systemctl, reload, haproxy, postfix]
    probes:
      - port: 443
      - port: 25
        starttls: smtp

- name: Put it into service in Tomcat
  certops.issuance.certificate_deploy:
    path: /etc/ssl/certops/app.example.com
    certificate: "{{ issued.certificate }}"
    chain: "{{ issued.chain }}"
    private_key_path: /etc/ssl/private/app.example.com.key
    names: [app.example.com]
    files: [cert, chain, fullchain, privkey, pkcs12]
    pkcs12_password: "{{ vault_keystore_password }}"
    group: tomcat
    key_mode: "0640"
    reload_commands:
      - systemctl restart tomcat10
    probes:
      - port: 8443

- name: Put into service what certbot has left on the host
  certops.issuance.certificate_deploy:
    path: /etc/ssl/certops/blog.example.com
    certificate_path: /etc/letsencrypt/live/blog.example.com/fullchain.pem
    private_key_path: /etc/letsencrypt/live/blog.example.com/privkey.pem
    reload_commands:
      - systemctl reload nginx
    probes:
      - port: 443
        server_name: blog.example.com
"""

RETURN = r"""
reasons:
  description: Why the certificate was deployed, or would be in check mode. Empty when there was nothing to do.
  type: list
  elements: str
  returned: success, and failures after the lineage was read
  choices: [absent, certificate_differs, chain_differs, key_differs, attributes_differ, not_served]
  sample: [certificate_differs]
path:
  description: The lineage directory.
  type: str
  returned: success, and failures unless RV(error_kind=invalid_request)
  sample: /etc/ssl/certops/www.example.com
current:
  description: The link that services point at. It stays the same for every version.
  type: str
  returned: success
  sample: /etc/ssl/certops/www.example.com/current
serial_number:
  description: Serial number of the certificate in service, in upper-case hexadecimal.
  type: str
  returned: success
  sample: 0A1B2C3D4E5F
fingerprint_sha256:
  description: SHA-256 of the certificate in service, in upper-case hexadecimal with colons.
  type: str
  returned: success
  sample: "AA:53:44:9A:0C:5E:2F:7B:61:D8:13:BE:44:FD:07:9E:A5:7A:2A:31:CB:98:6C:F5:1E:4D:77:02:B9:88:13:FA"
not_before:
  description: Start of its validity, ISO 8601, UTC.
  type: str
  returned: success, and of the given certificate when RV(error_kind=not_valid_now)
  sample: "2026-11-01T00:00:00Z"
not_after:
  description: End of its validity, ISO 8601, UTC.
  type: str
  returned: success, and of the given certificate when RV(error_kind=not_valid_now)
  sample: "2026-12-18T00:00:00Z"
names:
  description: The names it covers.
  type: list
  elements: str
  returned: success
  sample: [www.example.com, example.com]
placeholder:
  description: Whether it is a placeholder.
  type: bool
  returned: success
  sample: false
previous:
  description: The version that was current when the run began; V(null) when there was none.
  type: dict
  returned: success, and failures after the lineage was read
  contains:
    version:
      description: Name of its directory.
      type: str
      sample: 1-0A1B2C
    serial_number:
      description: Its serial number.
      type: str
      sample: 0A1B2C
    not_before:
      description: Start of its validity.
      type: str
      sample: "2026-09-20T00:00:00Z"
    not_after:
      description: End of its validity.
      type: str
      sample: "2026-11-06T00:00:00Z"
    names:
      description: The names it covers.
      type: list
      elements: str
      sample: [www.example.com]
    placeholder:
      description: Whether it is a placeholder.
      type: bool
      sample: false
probes:
  description:
    - What each probe found last, in the order of O(probes).
    - Empty where nobody looked, as in check mode when something is to be deployed, or when the run failed before.
  type: list
  elements: dict
  returned: success, and failures unless RV(error_kind=invalid_request)
  contains:
    host:
      description: As in O(probes[].host).
      type: str
      sample: localhost
    port:
      description: As in O(probes[].port).
      type: int
      sample: 443
    server_name:
      description: The name that the probe requests.
      type: str
      sample: www.example.com
    starttls:
      description: As in O(probes[].starttls).
      type: str
      sample: null
    proxy_protocol:
      description: As in O(probes[].proxy_protocol).
      type: str
      sample: null
      version_added: 1.1.0
    served:
      description: Whether the service serves the certificate.
      type: bool
      sample: true
    serial_number:
      description: Serial number of the certificate that was seen last.
      type: str
      sample: 0A1B2C3D4E5F
    problem:
      description: Why it is not served; V(null) when it is.
      type: str
      sample: null
    attempts:
      description: How many connections were made.
      type: int
      sample: 2
rolled_back:
  description: Whether the previous state was put back after a failure. Always V(false) on success.
  type: bool
  returned: always
  sample: false
recovered:
  description: Whether this run finished or undid what an interrupted one left, or would in check mode.
  type: bool
  returned: always
  sample: false
error_kind:
  description: Why the deployment was refused or failed; V(invalid_request) where the options cannot be used.
  type: str
  returned: failure
  choices:
    - invalid_request
    - key_mismatch
    - invalid_key
    - names_not_covered
    - untrusted_chain
    - no_trust_store
    - not_valid_now
    - older_than_deployed
    - not_a_lineage
    - unsafe_path
    - missing_library
    - locked
    - write_failed
    - validate_failed
    - reload_failed
    - probe_failed
    - rollback_failed
  sample: key_mismatch
missing_names:
  description: The expected names that the certificate does not cover.
  type: list
  elements: str
  returned: when RV(error_kind=names_not_covered) for that reason
  sample: [shop.example.com]
missing_issuer:
  description: The issuer whose certificate is missing.
  type: str
  returned: when RV(error_kind=untrusted_chain) for that reason
  sample: C=US, O=Example, CN=Example Issuing CA
command:
  description: The command that failed.
  type: list
  elements: str
  returned: when RV(error_kind=validate_failed) or RV(error_kind=reload_failed), also as RV(cause)
  sample: [nginx, -t]
rc:
  description: Its exit code.
  type: int
  returned: with RV(command), where it ran and ended by itself
  sample: 1
cause:
  description: The failure that made going back necessary.
  type: dict
  returned: when RV(error_kind=rollback_failed)
  contains:
    error_kind:
      description: Its kind.
      type: str
      sample: probe_failed
    msg:
      description: Its message.
      type: str
      sample: After 10 s the certificate with serial 0A1B2C is not served.
"""

import typing as t

from ansible_collections.certops.issuance.plugins.module_utils._deployment.deploy import deploy
from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.host import AnsibleHost
from ansible_collections.certops.issuance.plugins.module_utils._deployment.module import Module


class DeployModule(Module):
    """Its failures always say whether anything was undone or finished: nothing, where they do not know of it."""

    def fail_json(self, msg: str, **kwargs: t.Any) -> t.NoReturn:
        """Fail; see Module."""
        super().fail_json(msg, **dict({"rolled_back": False, "recovered": False}, **kwargs))


def main() -> None:
    """Run the module."""
    module = DeployModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "certificate": {"type": "str"},
            "certificate_path": {"type": "path"},
            "chain": {"type": "str"},
            "chain_path": {"type": "path"},
            "private_key": {"type": "str", "no_log": True},
            "private_key_path": {"type": "path", "no_log": False},
            "names": {"type": "list", "elements": "str", "default": []},
            "trust": {"type": "str", "choices": ["system", "ca_path", "chain_only"], "default": "system"},
            "ca_path": {"type": "path"},
            "files": {
                "type": "list",
                "elements": "str",
                "choices": ["cert", "chain", "fullchain", "privkey", "combined", "pkcs12"],
                "default": ["cert", "chain", "fullchain", "privkey"],
            },
            "pkcs12_password": {"type": "str", "no_log": True},
            "key_format": {"type": "str", "choices": ["original", "pkcs8"], "default": "original", "no_log": False},
            "placeholder": {"type": "bool", "default": False},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "raw", "default": "0644"},
            "key_mode": {"type": "raw", "default": "0600", "no_log": False},
            "dir_mode": {"type": "raw", "default": "0755"},
            "validate_commands": {"type": "list", "elements": "raw", "default": []},
            "reload_commands": {"type": "list", "elements": "raw", "default": []},
            "command_timeout": {"type": "float", "default": 120},
            "probes": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "host": {"type": "str", "default": "localhost"},
                    "port": {"type": "int", "default": 443},
                    "server_name": {"type": "str"},
                    "starttls": {
                        "type": "str",
                        "choices": [
                            "smtp",
                            "lmtp",
                            "imap",
                            "pop3",
                            "sieve",
                            "ldap",
                            "ftp",
                            "xmpp",
                            "mysql",
                            "postgres",
                        ],
                    },
                    "proxy_protocol": {"type": "str", "choices": ["v1", "v2"]},
                },
            },
            "probe_timeout": {"type": "float", "default": 10},
            "keep_versions": {"type": "int", "default": 3},
            "allow_older": {"type": "bool", "default": False},
            "lock_timeout": {"type": "float", "default": 10},
            "remove_request": {"type": "bool", "default": False},
        },
        required_one_of=[("private_key", "private_key_path")],
        mutually_exclusive=[
            ("private_key", "private_key_path"),
            ("certificate", "certificate_path"),
            ("chain", "chain_path"),
        ],
        required_if=[
            ("placeholder", False, ["certificate", "certificate_path"], True),
            ("placeholder", True, ["names"]),
            ("trust", "ca_path", ["ca_path"]),
        ],
        supports_check_mode=True,
    )
    if not {"cert", "fullchain", "combined"} & set(module.params["files"]):
        module.fail_json(msg="'files' needs one that holds the certificate: cert, fullchain or combined")
    if not 0 < module.params["command_timeout"] < float("inf"):
        module.fail_json(msg="'command_timeout' has to be a number of seconds above 0")
    try:
        result = deploy(module.params, AnsibleHost(module), check_mode=module.check_mode)
    except DeploymentError as exc:
        module.fail_json(msg=exc.message, error_kind=exc.kind, **exc.details)
    if not module._diff:
        del result["diff"]
    if result["recovered"] and not module.check_mode:
        module.warn(f"An earlier deployment to {result['path']} was interrupted; it was finished or undone.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
