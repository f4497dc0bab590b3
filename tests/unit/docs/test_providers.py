# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every provider in the registry has all that belongs to one: what fails here is what a new provider still lacks."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
import yaml

from ansible_collections.certops.issuance.plugins.doc_fragments.account import ModuleDocFragment
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS

_TREE = pathlib.Path(__file__).resolve().parents[3]
_GUIDES = _TREE / "docs/docsite/rst"
_UNITS = _TREE / "tests/unit/plugins/module_utils/_orders/providers"
_SECTIONS = (
    "Endpoints", "Auth", "Status request", "Response", "Mapping", "Errors", "Bulk", "Certificate", "Polling", "DCV",
    "Reissue", "Sample bodies", "Traps", "Not established",
)  # fmt: skip


@pytest.fixture(params=sorted(PROVIDERS))
def name(request: pytest.FixtureRequest) -> str:
    """The name of a provider."""
    return str(request.param)


def _row(guide: str, name: str) -> str:
    """The row of a guide's table of providers that is about this one."""
    text = (_GUIDES / guide).read_text(encoding="utf-8")
    rows = re.findall(rf"^   \* - ``{name}``\n((?:     .*\n)+)", text, re.MULTILINE)
    assert len(rows) == 1, f"{guide} has {len(rows)} rows about {name}"
    return " ".join(rows[0].split())


def _options(path: str) -> dict[str, t.Any]:
    """The options of the role's main part."""
    found = yaml.safe_load((_TREE / path).read_text(encoding="utf-8"))
    return dict(found["argument_specs"]["main"]["options"])


def test_it_is_registered_under_its_own_name(name: str) -> None:
    assert PROVIDERS[name].info.name == name


def test_it_has_a_fact_sheet_with_every_section(name: str) -> None:
    sheet = (_TREE / f"docs/providers/{name}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\d+) (.+)$", sheet, re.MULTILINE)
    assert [int(number) for number, _heading in headings] == list(range(1, len(_SECTIONS) + 1))
    pairs = zip(headings, _SECTIONS, strict=True)
    assert [wanted for (_number, heading), wanted in pairs if wanted not in heading] == []
    assert f"({name}.md)" in (_TREE / "docs/providers/README.md").read_text(encoding="utf-8")


def test_it_has_a_dialect_in_the_sandbox_and_tests_of_its_own(name: str) -> None:
    assert (_TREE / f"tests/sandbox/dialects/{name}.py").exists()
    assert (_TREE / f"tests/unit/sandbox/test_{name}.py").exists()
    assert list((_UNITS / name).glob("test_*.py"))
    assert list((_UNITS / name / "bodies").iterdir())


def test_users_can_choose_it() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["provider"]["choices"]
    role = _options("roles/certificate/meta/argument_specs.yml")["certificate_provider"]["choices"]
    assert documented == role == sorted(PROVIDERS)


def test_the_guides_tell_its_credentials_and_its_pace(name: str) -> None:
    info = PROVIDERS[name].info
    account = _row("guide_credentials.rst", name)
    wanted = {variable for variables in info.environment.values() for variable in variables}
    wanted |= {option for group in info.credentials for option in group}
    wanted |= {info.default_url} if info.default_url else set()
    assert [one for one in sorted(wanted) if f"``{one}``" not in account] == []
    pace = _row("guide_waiting.rst", name)
    for budget in info.rate_limits.budgets:
        assert re.search(rf"\b{budget.requests}( requests)? in {budget.seconds:g} seconds", pace), budget
    assert (f"- {info.bulk_from} orders" in pace) if info.bulk_from else "- none" in pace


def test_the_readme_names_it(name: str) -> None:
    assert f"**{PROVIDERS[name].info.label}" in (_TREE / "README.md").read_text(encoding="utf-8")


def test_its_environment_variables_are_documented(name: str) -> None:
    page = (_TREE / "docs/docsite/rst/guide_environment.rst").read_text(encoding="utf-8")
    documented = re.findall(r"^\.\. envvar:: (\w+)$", page, re.MULTILINE)
    listed = yaml.safe_load((_TREE / "docs/docsite/config.yml").read_text(encoding="utf-8"))["envvar_directives"]
    assert documented == listed
    own = {variable for variables in PROVIDERS[name].info.environment.values() for variable in variables}
    assert own <= set(documented)
