# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflows of CI test what noxfile.py names, by sessions that exist."""

from __future__ import annotations

import ast
import re
import typing as t
from pathlib import Path

import pytest
import yaml

_TREE = Path(__file__).resolve().parents[3]
_WORKFLOWS = sorted(_TREE.glob(".github/workflows/*.yml"))


def _nox(name: str) -> t.Any:
    """A literal of noxfile.py; nox itself is not installed where ansible-test runs this."""
    for statement in ast.parse((_TREE / "noxfile.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == name:
            return ast.literal_eval(statement.value)
    raise AssertionError(f"noxfile.py has no {name}")


def _jobs(name: str) -> dict[str, t.Any]:
    text = (_TREE / ".github/workflows" / name).read_text(encoding="utf-8")
    return t.cast("dict[str, t.Any]", yaml.safe_load(text)["jobs"])


@pytest.mark.parametrize(("job", "controllers"), [("versions", "CONTROLLERS"), ("devel", "DEVEL")])
def test_each_supported_version_has_a_job(job: str, controllers: str) -> None:
    found = [(entry["core"], entry["python"]) for entry in _jobs("ci.yml")[job]["strategy"]["matrix"]["include"]]
    wanted = _nox(controllers)
    assert found == (list(wanted) if job == "versions" else [wanted])


def test_devel_does_not_bar_a_pull_request() -> None:
    jobs = _jobs("ci.yml")
    assert "schedule" in jobs["devel"]["if"]
    assert "if" not in jobs["versions"]


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.name)
def test_commands_are_there(path: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (_TREE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    sessions = re.findall(r"^def ([a-z_]+)\(session", (_TREE / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE)
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"(?:run: |^ +)make ([a-z-]+)", text, re.MULTILINE):
        assert target in targets
    for names in re.findall(r"nox\.sh -s ([a-z ]+)$", text, re.MULTILINE):
        assert set(names.split()) <= set(sessions)
    for file in re.findall(r"(?:bash|sh) (\S+/\S+)", text):
        assert (_TREE / file).is_file()


@pytest.mark.parametrize("path", _WORKFLOWS, ids=lambda path: path.name)
def test_a_job_can_do_no_more_than_it_must(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 300
