# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account options of everything that talks to a provider."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that name an account: provider, URL and credentials."""

    DOCUMENTATION = r"""
options:
  provider:
    description:
      - The provider at which the orders were placed.
    type: str
    required: true
    choices:
      - cpanel
      - digicert
      - gogetssl
      - sectigo
  api_url:
    description:
      - Base URL of the API.
      - If you leave it out, it comes from the environment, from E(CPANEL_URL) or E(CPANEL_API_URL),
        E(DIGICERT_API_URL), E(GOGETSSL_API_URL), E(SECTIGO_API_URL).
      - V(cpanel) has no default. Give scheme, host and port, for example V(https://host.example.com:2083), or port 2087
        together with O(cpanel_account).
      - V(digicert) defaults to V(https://www.digicert.com/services/v2). Accounts of the EU platform use
        V(https://certcentral.digicert.eu/services/v2).
      - V(gogetssl) defaults to V(https://my.gogetssl.com/api).
      - V(sectigo) defaults to V(https://secure.trust-provider.com).
      - Plain HTTP is accepted for loopback addresses only.
    type: str
  api_key:
    description:
      - The API key or token, for V(digicert) (else E(DIGICERT_API_KEY)) and V(cpanel) (else E(CPANEL_API_TOKEN)).
      - Leave it out to use the environment. An empty value is an error, so that a variable that is empty by mistake
        does not select another account.
      - Only the environment variables of the chosen provider are read, so no key goes to another provider.
    type: str
  username:
    description:
      - The name to log in with, for V(cpanel) (else E(CPANEL_USERNAME)), V(gogetssl) (else E(GOGETSSL_USERNAME)) and
        V(sectigo) (else E(SECTIGO_USERNAME)). An empty value is an error, as for O(api_key).
    type: str
  password:
    description:
      - The password, for V(gogetssl) (the API password, else E(GOGETSSL_PASSWORD)), V(sectigo) (else
        E(SECTIGO_PASSWORD)) and V(cpanel) without O(api_key) (else E(CPANEL_PASSWORD)). An empty value is an error, as
        for O(api_key).
    type: str
  cpanel_provider:
    description:
      - The name of the Market provider, for V(cpanel). Any other value than the default is an error at other providers.
    type: str
    default: cPStore
  cpanel_account:
    description:
      - The account to ask for through WHM (port 2087), for V(cpanel). O(username) and O(api_key) are then those of WHM.
      - An error at other providers.
    type: str
  id_type:
    description:
      - What the order IDs name.
      - V(certificate) is for V(sectigo), whose orders also have a certificate ID. It is an error at other providers.
    type: str
    default: order
    choices:
      - order
      - certificate
  validate_certs:
    description:
      - Verify the TLS certificate of the API. Turn this off only on a loopback address.
    type: bool
    default: true
  ca_path:
    description:
      - File with the CA certificates (PEM) to trust for the connection to the provider's API, instead of the usual
        ones.
      - It does not affect the trust in the issued certificate. That is the option C(ca_path) of
        M(certops.issuance.certificate_deploy).
    type: path
  proxy:
    description:
      - URL of an HTTP proxy to reach the API through, as V(http://[user:password@]host:port).
      - If you leave it out, E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY) are used.
    type: str
  request_timeout:
    description:
      - Seconds that one request may take in all.
    type: int
    default: 30
notes:
  - All tasks and forks of one user on a controller share each provider's published request budget.
  - This collection never shows a credential, at any verbosity, from an option or from the environment. When a task is
    over, callbacks find its credentials masked. Ansible itself shows C(environment) of a task with C(async) at
    C(-vvvv), so use vaulted variables as options there.
requirements:
  - requests (Python library, where the task runs)
"""
