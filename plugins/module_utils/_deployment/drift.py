# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a lineage has to be deployed: small pure functions over one observation.

The same functions decide, answer check mode, and verify after the switch that nothing is left to do.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

ABSENT = "absent"
CERTIFICATE_DIFFERS = "certificate_differs"
CHAIN_DIFFERS = "chain_differs"
KEY_DIFFERS = "key_differs"
ATTRIBUTES_DIFFER = "attributes_differ"
NOT_SERVED = "not_served"


@dataclass(frozen=True)
class ContentHashes:
    """What a version is made of; every value is a SHA-256.

    Arguments:
        certificate: of the leaf as DER.
        chain: of the chain's certificates as PEM.
        key: of the private key as PEM.
        files: of each file, by file name.
        keystore: of the password of the PKCS#12 file, as an HMAC with the private key; empty without such a file.
    """

    certificate: str
    chain: str
    key: str
    files: t.Mapping[str, str]
    keystore: str = ""


@dataclass(frozen=True)
class Observation:
    """A lineage as it was found, beside what is desired.

    Arguments:
        desired: what shall be in service.
        recorded: what the current version's record says; None without a current version.
        on_disk: SHA-256 of each file of the current version, by file name; missing files are left out.
        attributes_differ: whether owner, group or a mode is not as requested.
        unverified: whether a run ended after its switch before the service was verified.
        served: whether every probe found the desired leaf; None where nobody looked.
    """

    desired: ContentHashes
    recorded: ContentHashes | None = None
    on_disk: t.Mapping[str, str] = field(default_factory=dict)
    attributes_differ: bool = False
    unverified: bool = False
    served: bool | None = None


def _damaged(observation: Observation, *file_names: str) -> bool:
    recorded = observation.recorded.files if observation.recorded else {}
    return any(name in recorded and observation.on_disk.get(name) != recorded[name] for name in file_names)


def absent(observation: Observation) -> bool:
    """There is no current version."""
    return observation.recorded is None


def certificate_differs(observation: Observation) -> bool:
    """Another leaf is deployed, or a file that carries it was changed."""
    if observation.recorded is None:
        return False
    return observation.recorded.certificate != observation.desired.certificate or _damaged(
        observation, "cert.pem", "fullchain.pem"
    )


def chain_differs(observation: Observation) -> bool:
    """Another chain is deployed, or its file was changed."""
    return observation.recorded is not None and (
        observation.recorded.chain != observation.desired.chain or _damaged(observation, "chain.pem")
    )


def key_differs(observation: Observation) -> bool:
    """Another key is deployed, or a file that carries it was changed."""
    if observation.recorded is None:
        return False
    return observation.recorded.key != observation.desired.key or _damaged(
        observation, "privkey.pem", "combined.pem", "keystore.p12"
    )


def attributes_differ(observation: Observation) -> bool:
    """Owner, group or a mode is not as requested, or other files or another password are requested."""
    return observation.recorded is not None and (
        observation.attributes_differ
        or set(observation.recorded.files) != set(observation.desired.files)
        or observation.recorded.keystore != observation.desired.keystore
    )


def not_served(observation: Observation) -> bool:
    """The files are current but a service is not known to use them."""
    return observation.unverified or observation.served is False


_REASONS: tuple[tuple[str, t.Callable[[Observation], bool]], ...] = (
    (ABSENT, absent),
    (CERTIFICATE_DIFFERS, certificate_differs),
    (CHAIN_DIFFERS, chain_differs),
    (KEY_DIFFERS, key_differs),
    (ATTRIBUTES_DIFFER, attributes_differ),
    (NOT_SERVED, not_served),
)


def reasons(observation: Observation) -> list[str]:
    """The names of all reasons to deploy, in a fixed order; empty when nothing is to do."""
    return [name for name, applies in _REASONS if applies(observation)]
