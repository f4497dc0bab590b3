# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The small Internet of the sandbox for the tests of this folder, and a look at it."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest

_TESTS = str(Path(__file__).resolve().parents[4])
if _TESTS not in sys.path:
    sys.path.append(_TESTS)

from sandbox.internet import DnsService, Internet, Web  # noqa: E402
from sandbox.internet.scenes import NOW, Scene  # noqa: E402
from sandbox.internet.validator import Validator  # noqa: E402

from ansible_collections.certops.issuance.plugins.module_utils._dcv import diagnose  # noqa: E402
from ansible_collections.certops.issuance.plugins.module_utils._dcv.evidence import (  # noqa: E402
    read_file,
    read_record_set,
)


class Lab:
    """One Internet on loopback, and looks at scenes in it."""

    def __init__(self, dns: DnsService, web: Web) -> None:
        self.dns = dns
        self.web = web
        self.questions: list[tuple[str, str, str]] = []

    def scene(self, provider: str = "digicert", method: str = "txt", **how: t.Any) -> Scene:
        """A clean world, which is served from now on."""
        scene = Scene(self.web, provider, method, **how)
        self.dns.load(scene.internet)
        return scene

    def look(self, scene: Scene, **others: t.Any) -> diagnose.Diagnosis:
        """Look at the evidence of a scene, or at what the options say."""
        options = scene.options(**others)
        provider = options.pop("provider", None)
        request = diagnose.Request(
            records=tuple(read_record_set(item, provider) for item in options.pop("record_sets", ())),
            files=tuple(read_file(item, provider) for item in options.pop("files", ())),
            names=tuple(options.pop("names", ())),
            provider=provider,
            resolvers=tuple(options.pop("resolvers")),
            address_map={**self.web.address_map(), **self.dns.address_map(), **options.pop("address_map", {})},
            **{"timeout": 30.0, **options},
        )
        self.questions = []
        return diagnose.diagnose(
            request, now=lambda: scene.now, record=lambda *question: self.questions.append(question)
        )

    def objections(self, scene: Scene) -> list[str]:
        """What the sandbox's own CA says to the scene."""
        validator = Validator(scene.internet, self.web, scene.provider)
        return validator.objections("www.example.org", scene.evidence)


@pytest.fixture(scope="session")
def lab() -> t.Iterator[Lab]:
    """The lab of this test run; each test loads a scene of its own."""
    with Web() as web, DnsService(Internet(lambda: NOW)) as dns:
        yield Lab(dns, web)


def codes(diagnosis: diagnose.Diagnosis) -> list[str]:
    """The codes of all findings, in their order."""
    return [item.code for item in diagnosis.findings]
