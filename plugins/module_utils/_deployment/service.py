# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service that uses the certificate: commands that validate and reload it, and probes of what it serves."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .desired_state import Command
from .errors import DeploymentError, ProbeFailed, ReloadFailed, ValidateFailed
from .host import Host
from .x509 import Certificate

if t.TYPE_CHECKING:
    from .probe import Endpoint, ProbeResult

_MAX_SHOWN_OUTPUT = 2000  # characters of a command's output in a message; the last ones are shown
_HIDDEN_KEY = "(a private key)"
_MIN_SECRET_LINE = 16  # characters of a key's line that are worth hiding; the last line can be short
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)


@dataclass(frozen=True)
class ServiceOptions:
    """How to validate, reload and probe.

    Arguments:
        validate_commands: run before the switch and after it.
        reload_commands: run after the switch.
        probes: mappings with ``host``, ``port``, ``server_name`` (normalized), ``starttls`` and ``proxy_protocol``.
        probe_timeout: seconds until each probe's deadline.
    """

    validate_commands: t.Sequence[Command]
    reload_commands: t.Sequence[Command]
    probes: t.Sequence[t.Mapping[str, t.Any]]
    probe_timeout: float


class Service:
    """Runs the commands and the probes of one deployment.

    Arguments:
        options: which ones.
        host: the target.
        key: the new private key as PEM; no message shows a line of it.
    """

    def __init__(self, options: ServiceOptions, host: Host, key: bytes) -> None:
        self._options = options
        self._host = host
        self._key = key
        #: What the last probes for the certificate that shall be in service found.
        self.results: list[ProbeResult] = []

    # -- commands -----------------------------------------------------------------------------------------------------

    def require_programs(self) -> None:
        """Look for the programs of all commands: a misspelt one must not be found only after the switch.

        Raises:
            ValidateFailed, ReloadFailed: there is no such program.
        """
        groups = ((self._options.validate_commands, ValidateFailed), (self._options.reload_commands, ReloadFailed))
        for commands, error in groups:
            for command in commands:
                if not self._host.finds(command[0]):
                    raise error(
                        f"The command {' '.join(command)!r} cannot be run: there is no program '{command[0]}'. Nothing "
                        "was changed",
                        command=list(command),
                    )

    def validate(self, when: str) -> None:
        """Check the service's configuration.

        Arguments:
            when: for messages, such as ``with the new files``.

        Raises:
            ValidateFailed: a command failed.
        """
        self._run(self._options.validate_commands, ValidateFailed, when)

    def reload(self, when: str) -> None:
        """Let the service read the files.

        Arguments:
            when: as for validate().

        Raises:
            ReloadFailed: a command failed.
        """
        self._run(self._options.reload_commands, ReloadFailed, when)

    def _run(self, commands: t.Sequence[Command], error: type[DeploymentError], when: str) -> None:
        for command in commands:
            shown = repr(" ".join(command))
            try:
                code, output, errors = self._host.run(command)
            except TimeoutError as exc:
                raise error(
                    f"The command {shown} did not end within 'command_timeout' and was ended ({when})",
                    command=list(command),
                ) from exc
            except OSError as exc:
                raise error(
                    f"The command {shown} cannot be run ({when}): {exc.strerror}", command=list(command)
                ) from exc
            if code:
                message = self._without_key(errors.strip() or output.strip())[-_MAX_SHOWN_OUTPUT:]
                raise error(
                    f"The command {shown} failed with code {code} ({when}): {message or 'it printed nothing'}",
                    command=list(command),
                    rc=code,
                )

    def _without_key(self, output: str) -> str:
        """A command's output without private keys, also where it shows lines from the middle of the new one."""
        output = _PRIVATE_KEY.sub(_HIDDEN_KEY, output)
        for line in self._key.decode("ascii", "replace").splitlines():
            if len(line) >= _MIN_SECRET_LINE:
                output = output.replace(line, _HIDDEN_KEY)
        return output

    # -- probes -------------------------------------------------------------------------------------------------------

    @property
    def is_known(self) -> bool:
        """Whether anything reloads the service, or looks what it serves."""
        return bool(self._options.reload_commands or self._options.probes)

    @property
    def has_probes(self) -> bool:
        """Whether anybody looks what the service serves."""
        return bool(self._options.probes)

    def is_served(self, leaf: Certificate) -> bool:
        """Look once whether every probe finds the leaf; keeps the results."""
        self.results = self._probe(leaf, (), 0)
        return all(result.served for result in self.results)

    def require_served(self, leaf: Certificate, anchors: t.Sequence[bytes]) -> None:
        """Wait until every probe finds the leaf, with its chain; keeps the results.

        Arguments:
            leaf: the certificate that has to be served.
            anchors: what a verifying handshake trusts, as DER.

        Raises:
            ProbeFailed: the deadline passed.
        """
        self.results = self._probe(leaf, anchors, self._options.probe_timeout)
        self._require(self.results, leaf)

    def endpoints_serving(self, leaf: Certificate) -> dict[Endpoint, bool]:
        """Look once which endpoints serve the leaf."""
        return {result.endpoint: result.served for result in self._probe(leaf, (), 0)}

    def require_served_again(self, leaf: Certificate, before: t.Mapping[Endpoint, bool]) -> None:
        """Wait until every endpoint that served the leaf before serves it again.

        Arguments:
            leaf: the previous certificate.
            before: a result of endpoints_serving(); an endpoint that is not in it counts as one that served the leaf.

        Raises:
            ProbeFailed: the deadline passed.
        """
        chosen = [endpoint for endpoint in self._endpoints() if before.get(endpoint, True)]
        self._require(self._probe(leaf, (), self._options.probe_timeout, chosen), leaf)

    def _probe(
        self,
        leaf: Certificate,
        anchors: t.Sequence[bytes],
        timeout: float,
        endpoints: t.Sequence[Endpoint] | None = None,
    ) -> list[ProbeResult]:
        from .probe import probe

        chosen = self._endpoints() if endpoints is None else endpoints
        return [probe(endpoint, leaf.der, anchors, timeout, self._options.probe_timeout) for endpoint in chosen]

    def _endpoints(self) -> list[Endpoint]:
        from .probe import Endpoint

        return [
            Endpoint(item["host"], item["port"], item["server_name"], item.get("starttls"), item.get("proxy_protocol"))
            for item in self._options.probes
        ]

    def _require(self, results: t.Sequence[ProbeResult], leaf: Certificate) -> None:
        problems = [f"{result.endpoint}: {result.problem}" for result in results if not result.served]
        if problems:
            raise ProbeFailed(
                f"After {self._options.probe_timeout:g} s the certificate with serial {leaf.serial_number} is not "
                f"served. {'; '.join(problems)}"
            )
