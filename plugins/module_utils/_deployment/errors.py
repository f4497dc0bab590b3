# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in a deployment, each with the ``error_kind`` that the module reports."""

from __future__ import annotations

import typing as t


class DeploymentError(Exception):
    """A deployment that was refused or failed.

    Arguments:
        message: one sentence for a person; never holds key material.
        details: further fields for the module's failure result.
    """

    kind: t.ClassVar[str]

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, t.Any] = details

    def __str__(self) -> str:
        return self.message


class InvalidRequest(DeploymentError):
    """An option cannot be used, whatever there is on the target."""

    kind = "invalid_request"


class KeyMismatch(DeploymentError):
    """The private key does not belong to the certificate."""

    kind = "key_mismatch"


class InvalidKey(DeploymentError):
    """The private key is encrypted, unreadable or of no use to a TLS server."""

    kind = "invalid_key"


class NamesNotCovered(DeploymentError):
    """The certificate lacks an expected name."""

    kind = "names_not_covered"


class UntrustedChain(DeploymentError):
    """The chain is broken, or leads to no trusted root."""

    kind = "untrusted_chain"


class NoTrustStore(DeploymentError):
    """There is nothing to verify the chain against."""

    kind = "no_trust_store"


class NotValidNow(DeploymentError):
    """The certificate has expired or is not valid yet."""

    kind = "not_valid_now"


class OlderThanDeployed(DeploymentError):
    """The certificate was issued before the deployed one."""

    kind = "older_than_deployed"


class NotALineage(DeploymentError):
    """The path holds something that this collection did not make."""

    kind = "not_a_lineage"


class UnsafePath(DeploymentError):
    """Everybody may replace a directory on the way to the lineage."""

    kind = "unsafe_path"


class MissingLibrary(DeploymentError):
    """The target's Python lacks a module of the standard library."""

    kind = "missing_library"


class Locked(DeploymentError):
    """Another run is at work on the same lineage."""

    kind = "locked"


class WriteFailed(DeploymentError):
    """Reading, writing or setting attributes failed on the target."""

    kind = "write_failed"


class ValidateFailed(DeploymentError):
    """A validate command failed."""

    kind = "validate_failed"


class ReloadFailed(DeploymentError):
    """A reload command failed."""

    kind = "reload_failed"


class ProbeFailed(DeploymentError):
    """A service did not serve the certificate before the deadline."""

    kind = "probe_failed"


class RollbackFailed(DeploymentError):
    """After a failure the previous certificate could not be put back, or not be verified."""

    kind = "rollback_failed"


def describe_os_error(exc: OSError) -> str:
    """Which file, and what was wrong."""
    return f"{exc.filename}: {exc.strerror}" if exc.filename else str(exc.strerror or exc)


def write_failed(exc: OSError) -> WriteFailed:
    """The error of a deployment for one of the operating system."""
    return WriteFailed(f"Writing or reading on the target failed: {describe_os_error(exc)}")
