# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each reason, for itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.drift import (
    ContentHashes,
    Observation,
    reasons,
)

_FILES = {name + ".pem": name for name in ("cert", "chain", "fullchain", "privkey", "combined")}
_HASHES = ContentHashes(certificate="leaf", chain="chain", key="key", files=_FILES)
_AS_DESIRED = Observation(desired=_HASHES, recorded=_HASHES, on_disk=_FILES, served=True)


def damaged(*names: str) -> dict[str, str]:
    return dict(_FILES, **dict.fromkeys(names, "damaged"))


@pytest.mark.parametrize(
    "observation, expected",
    [
        (_AS_DESIRED, []),
        (replace(_AS_DESIRED, served=None), []),
        (Observation(desired=_HASHES), ["absent"]),
        (replace(_AS_DESIRED, desired=replace(_HASHES, certificate="new")), ["certificate_differs"]),
        (replace(_AS_DESIRED, on_disk=damaged("cert.pem")), ["certificate_differs"]),
        (replace(_AS_DESIRED, on_disk=damaged("fullchain.pem")), ["certificate_differs"]),
        (replace(_AS_DESIRED, desired=replace(_HASHES, chain="new")), ["chain_differs"]),
        (replace(_AS_DESIRED, on_disk=damaged("chain.pem")), ["chain_differs"]),
        (replace(_AS_DESIRED, desired=replace(_HASHES, key="new")), ["key_differs"]),
        (replace(_AS_DESIRED, on_disk=damaged("privkey.pem")), ["key_differs"]),
        (replace(_AS_DESIRED, on_disk=damaged("combined.pem")), ["key_differs"]),
        (replace(_AS_DESIRED, on_disk={}), ["certificate_differs", "chain_differs", "key_differs"]),
        (replace(_AS_DESIRED, attributes_differ=True), ["attributes_differ"]),
        (replace(_AS_DESIRED, desired=replace(_HASHES, files={"cert.pem": "cert"})), ["attributes_differ"]),
        (replace(_AS_DESIRED, served=False), ["not_served"]),
        (replace(_AS_DESIRED, unverified=True), ["not_served"]),
    ],
)
def test_reasons(observation: Observation, expected: list[str]) -> None:
    assert reasons(observation) == expected
