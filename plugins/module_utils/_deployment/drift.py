# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a lineage has to be deployed: small pure functions over one survey.

The same functions decide, answer check mode, and prove after the switch that nothing is left to do.
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
class Facts:
    """What a version is made of; every value is a SHA-256.

    Arguments:
        certificate: of the leaf as DER.
        chain: of the chain's certificates as PEM.
        key: of the private key as PEM.
        files: of each file, by file name.
    """

    certificate: str
    chain: str
    key: str
    files: t.Mapping[str, str]


@dataclass(frozen=True)
class Survey:
    """A lineage as it was found, beside what is wanted.

    Arguments:
        wanted: what shall be in service.
        found: what the current version's record says; None without a current version.
        on_disk: SHA-256 of each file of the current version, by file name; missing files are left out.
        attributes_differ: whether owner, group or a mode is not as asked for.
        unproven: whether a run ended after its switch without proving the service.
        served: whether every probe found the wanted leaf; None where nobody looked.
    """

    wanted: Facts
    found: Facts | None = None
    on_disk: t.Mapping[str, str] = field(default_factory=dict)
    attributes_differ: bool = False
    unproven: bool = False
    served: bool | None = None


def _damaged(survey: Survey, *file_names: str) -> bool:
    recorded = survey.found.files if survey.found else {}
    return any(name in recorded and survey.on_disk.get(name) != recorded[name] for name in file_names)


def absent(survey: Survey) -> bool:
    """There is no current version."""
    return survey.found is None


def certificate_differs(survey: Survey) -> bool:
    """Another leaf is deployed, or a file that carries it was changed."""
    if survey.found is None:
        return False
    return survey.found.certificate != survey.wanted.certificate or _damaged(survey, "cert.pem", "fullchain.pem")


def chain_differs(survey: Survey) -> bool:
    """Another chain is deployed, or its file was changed."""
    return survey.found is not None and (survey.found.chain != survey.wanted.chain or _damaged(survey, "chain.pem"))


def key_differs(survey: Survey) -> bool:
    """Another key is deployed, or a file that carries it was changed."""
    if survey.found is None:
        return False
    return survey.found.key != survey.wanted.key or _damaged(survey, "privkey.pem", "combined.pem")


def attributes_differ(survey: Survey) -> bool:
    """Owner, group or a mode is not as asked for, or other files are asked for."""
    return survey.found is not None and (
        survey.attributes_differ or set(survey.found.files) != set(survey.wanted.files)
    )


def not_served(survey: Survey) -> bool:
    """The files are current but a service is not known to use them."""
    return survey.unproven or survey.served is False


_REASONS: tuple[tuple[str, t.Callable[[Survey], bool]], ...] = (
    (ABSENT, absent),
    (CERTIFICATE_DIFFERS, certificate_differs),
    (CHAIN_DIFFERS, chain_differs),
    (KEY_DIFFERS, key_differs),
    (ATTRIBUTES_DIFFER, attributes_differ),
    (NOT_SERVED, not_served),
)


def reasons(survey: Survey) -> list[str]:
    """The names of all reasons to deploy, in a fixed order; empty when nothing is to do."""
    return [name for name, applies in _REASONS if applies(survey)]
