# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placeholder: a self-signed certificate that lets a service start before issuance."""

from __future__ import annotations

import typing as t

from .._common.names import is_ip_address
from .errors import InvalidKey, WriteFailed
from .host import Host
from .rehearsal import private_path
from .x509 import Certificate, read_certificates

_DAYS = 365
_CONFIGURATION = """\
[req]
prompt = no
distinguished_name = subject
x509_extensions = extensions
[subject]
CN = placeholder
[extensions]
subjectAltName = {names}
"""


def make_placeholder(host: Host, names: t.Sequence[str], private_key: bytes) -> Certificate:
    """Make a self-signed certificate with ``openssl`` on the target; nothing is written there.

    Arguments:
        host: the target.
        names: normalized names.
        private_key: the key as PEM, not encrypted.

    Raises:
        WriteFailed: there is no ``openssl`` command.
        InvalidKey: it could not use the key.
    """
    listed = ", ".join(f"{'IP' if is_ip_address(name) else 'DNS'}:{name}" for name in names)
    configuration = _CONFIGURATION.format(names=listed).encode("ascii")
    with private_path(configuration) as (configuration_path, configuration_fds), private_path(private_key) as (
        key_path,
        key_fds,
    ):
        command = ["openssl", "req", "-x509", "-new", "-sha256", "-days", str(_DAYS)]
        command += ["-config", configuration_path, "-key", key_path, "-passin", "pass:"]
        try:
            code, output, error = host.run(command, descriptors=(*configuration_fds, *key_fds))
        except OSError as exc:
            raise WriteFailed(f"A placeholder needs the command 'openssl' on the target: {exc.strerror}") from exc
    made = read_certificates(output)
    if code or len(made) != 1:
        raise InvalidKey(f"openssl could not make a placeholder with this key: {error.strip()[-500:]}")
    return made[0]
