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
      - Taken from the environment where it is not given, from E(CPANEL_URL) or E(CPANEL_API_URL), E(DIGICERT_API_URL),
        E(GOGETSSL_API_URL), E(SECTIGO_API_URL).
      - V(cpanel) has no default, give scheme, host and port, for example V(https://host.example.com:2083), or port 2087
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
      - The provider's environment variables are read only once the provider is known, so no key goes to another one.
    type: str
  username:
    description:
      - The name to log in with, for V(cpanel) (else E(CPANEL_USERNAME)), V(gogetssl) (else E(GOGETSSL_USERNAME)) and
        V(sectigo) (else E(SECTIGO_USERNAME)).
    type: str
  password:
    description:
      - The password, for V(gogetssl) (the API password, else E(GOGETSSL_PASSWORD)), V(sectigo) (else
        E(SECTIGO_PASSWORD)) and V(cpanel) without O(api_key) (else E(CPANEL_PASSWORD)).
    type: str
  cpanel_provider:
    description:
      - V(cpanel) only. The name of the Market provider.
    type: str
    default: cPStore
  cpanel_account:
    description:
      - V(cpanel) only. Ask through WHM (port 2087) for this account; O(username) and O(api_key) are then those of WHM.
    type: str
  id_type:
    description:
      - What the order IDs name.
      - V(certificate) is for V(sectigo) only, whose orders can also be named by their certificate ID.
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
      - File with the CA certificates (PEM) to trust for the API, instead of the usual ones.
    type: path
  proxy:
    description:
      - URL of an HTTP proxy to reach the API through, as V(http://[user:password@]host:port).
      - Where it is not given, E(HTTPS_PROXY), E(ALL_PROXY) and E(NO_PROXY) are followed.
    type: str
  request_timeout:
    description:
      - Seconds that one request may take in all.
    type: int
    default: 30
notes:
  - Each provider's published request budget is kept, across all tasks of all forks of one user on a controller.
  - No option that holds a credential, and no credential from the environment, is shown by this collection, at any
    verbosity. Ansible itself shows C(environment) of a task with C(async) at C(-vvvv), so take options from vaulted
    variables there.
requirements:
  - requests (Python library, where the task runs)
"""
