# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each reason, for itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment.drift import Facts, Survey, reasons

_FILES = {name + ".pem": name for name in ("cert", "chain", "fullchain", "privkey", "combined")}
_FACTS = Facts(certificate="leaf", chain="chain", key="key", files=_FILES)
_AS_WANTED = Survey(wanted=_FACTS, found=_FACTS, on_disk=_FILES, served=True)


def damaged(*names: str) -> dict[str, str]:
    return dict(_FILES, **dict.fromkeys(names, "damaged"))


@pytest.mark.parametrize(
    "survey, expected",
    [
        (_AS_WANTED, []),
        (replace(_AS_WANTED, served=None), []),
        (Survey(wanted=_FACTS), ["absent"]),
        (replace(_AS_WANTED, wanted=replace(_FACTS, certificate="new")), ["certificate_differs"]),
        (replace(_AS_WANTED, on_disk=damaged("cert.pem")), ["certificate_differs"]),
        (replace(_AS_WANTED, on_disk=damaged("fullchain.pem")), ["certificate_differs"]),
        (replace(_AS_WANTED, wanted=replace(_FACTS, chain="new")), ["chain_differs"]),
        (replace(_AS_WANTED, on_disk=damaged("chain.pem")), ["chain_differs"]),
        (replace(_AS_WANTED, wanted=replace(_FACTS, key="new")), ["key_differs"]),
        (replace(_AS_WANTED, on_disk=damaged("privkey.pem")), ["key_differs"]),
        (replace(_AS_WANTED, on_disk=damaged("combined.pem")), ["key_differs"]),
        (replace(_AS_WANTED, on_disk={}), ["certificate_differs", "chain_differs", "key_differs"]),
        (replace(_AS_WANTED, attributes_differ=True), ["attributes_differ"]),
        (replace(_AS_WANTED, wanted=replace(_FACTS, files={"cert.pem": "cert"})), ["attributes_differ"]),
        (replace(_AS_WANTED, served=False), ["not_served"]),
        (replace(_AS_WANTED, unproven=True), ["not_served"]),
    ],
)
def test_reasons(survey: Survey, expected: list[str]) -> None:
    assert reasons(survey) == expected
