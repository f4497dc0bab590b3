# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutation testing with mutmut: ``mutation.py [--sample N] [--survivors] MODULE...``, under nox.

MODULE is a file of ``plugins/module_utils`` without its suffix. Each of its mutants (one small change of the code, in
a function) is tested with the unit tests of that module which reach the changed function. mutmut wants the sources at
the path by which they are imported, so it works on a copy of the tree under ``.cache/mutation/MODULE``.
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import dataclasses
import importlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import typing as t

TREE = pathlib.Path(__file__).resolve().parents[2]
CACHE = TREE / ".cache"
_MODULE_UTILS = pathlib.Path("plugins/module_utils")
_COLLECTION = pathlib.Path("ansible_collections/certops/issuance")

#: Tests of a module beside the one that mirrors it. Those that deploy hundreds of times take too long.
_MORE_TESTS = {"apply": ("module_utils/_deployment/test_probe.py", "modules/test_certificate_modules.py")}

#: Each worker is a fork that has imported the tests already. These plugins of pytest cost time and find nothing.
_PYTEST = ("-pno:cacheprovider", "-pno:xdist", "-pno:cov", "-pno:hypothesispytest")

_SEED = 6


class Failed(Exception):
    """The mutants could not be tested; the text says why."""


@dataclasses.dataclass(frozen=True)
class Score:
    """What became of the mutants of a module.

    Arguments:
        mutants: all there are.
        tested: as many of them were tested.
        killed: a test failed.
        timed_out: the tests did not come to an end; that is noticed too.
        survivors: names of the mutants that no test noticed.
    """

    mutants: int
    tested: int
    killed: int
    timed_out: int
    survivors: t.Sequence[str]

    @property
    def share(self) -> float:
        """The share of noticed mutants, in per cent."""
        return 100.0 * (self.killed + self.timed_out) / self.tested


@dataclasses.dataclass(frozen=True)
class Module:
    """A module and the place where it is mutated."""

    name: str
    path: pathlib.Path

    @classmethod
    def find(cls, name: str) -> Module:
        """The module of that name. Raises Failed when there is none, or no test for it."""
        found = sorted((TREE / _MODULE_UTILS).rglob(f"{name}.py"))
        if len(found) != 1:
            raise Failed(f"{_MODULE_UTILS} has {len(found)} files of the name {name}.py, not one")
        return cls(name, found[0].relative_to(TREE))

    @property
    def stage(self) -> pathlib.Path:
        """The copy of the tree."""
        return CACHE / "mutation" / self.name

    @property
    def source(self) -> pathlib.Path:
        """The module in the copy, relative to it."""
        return _COLLECTION / self.path

    @property
    def tests(self) -> list[str]:
        """The tests to run, relative to the tree."""
        unit = pathlib.Path("tests/unit")
        more = [unit / "plugins" / each for each in _MORE_TESTS.get(self.name, ())]
        tests = [str(each) for each in (unit / self.path.with_name(f"test_{self.name}.py"), *more)]
        missing = [each for each in tests if not (TREE / each).is_file()]
        if missing:
            raise Failed(f"{self.name} has no tests of its own: {', '.join(missing)} is not there")
        return tests

    def prepare(self) -> None:
        """Make the copy: the sources for mutmut, and beside its mutants what the tests need."""
        shutil.rmtree(self.stage, ignore_errors=True)
        mutants = self.stage / "mutants"
        unwanted = shutil.ignore_patterns("__pycache__", "output", ".*")
        shutil.copytree(TREE / "plugins", self.stage / _COLLECTION / "plugins", ignore=unwanted)
        for folder in ("meta", "tests"):
            shutil.copytree(TREE / folder, mutants / folder, ignore=unwanted)
        # The tests link their tree, this folder, as the collection.
        (mutants / "plugins").symlink_to(_COLLECTION / "plugins")
        settings = configparser.ConfigParser()
        settings["mutmut"] = {
            "source_paths": str(_COLLECTION / "plugins"),
            "only_mutate": str(self.source),
            "pytest_add_cli_args": "\n".join(("", *_PYTEST)),
            "pytest_add_cli_args_test_selection": "\n".join(("", *self.tests)),
            "track_dependencies": "false",
            "use_git_change_detection": "false",
        }
        with (self.stage / "setup.cfg").open("w", encoding="utf-8") as file:
            settings.write(file)

    def mutmut(self, *arguments: str, quiet: bool = True) -> str:
        """Run mutmut in the copy; what it says goes to standard error unless ``quiet``, when it is returned."""
        environment = {name: value for name, value in os.environ.items() if name != "ANSIBLE_COLLECTIONS_PATH"}
        done = subprocess.run(
            ["mutmut", *arguments],
            cwd=self.stage,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if quiet else sys.stderr,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise Failed(f"mutmut {arguments[0]} ended with exit code {done.returncode}\n{done.stdout or ''}")
        return done.stdout or ""

    def choose(self, sample: int) -> list[str]:
        """Names of as many mutants, the same ones each time as long as the code is the same."""
        # The command line of mutmut names mutants only after it has tested them.
        mutate: t.Any = importlib.import_module("mutmut.mutation.file_mutation").mutate_file_contents
        prefix = ".".join(self.source.with_suffix("").parts)
        with contextlib.chdir(self.stage):  # where its settings are
            mutated = mutate(str(self.source), self.source.read_text(encoding="utf-8"))
        names = [f"{prefix}.{name}" for name in mutated.mutant_names]
        return sorted(random.Random(_SEED).sample(names, min(sample, len(names))))

    def difference(self, mutant: str) -> str:
        """Where a mutant is, and the lines that it changes."""
        lines = self.mutmut("show", mutant).splitlines()
        changed = [line for line in lines if line[:1] in ("-", "+") and line[:3] not in ("---", "+++")]
        return "\n".join([mutant.rpartition(".")[2], *changed, ""])

    def test(self, sample: int | None) -> Score:
        """Test the mutants, or so many of them."""
        self.prepare()
        self.mutmut("run", "--max-children", "1", *([] if sample is None else self.choose(sample)), quiet=False)
        self.mutmut("export-cicd-stats")
        figures: dict[str, int] = json.loads((self.stage / "mutants/mutmut-cicd-stats.json").read_text())
        results = [line.strip().rpartition(": ") for line in self.mutmut("results").splitlines()]
        survivors = [name for name, _colon, result in results if result in ("survived", "no tests", "suspicious")]
        killed, timed_out = figures["killed"], figures["timeout"] + figures["segfault"]
        return Score(figures["total"], killed + timed_out + len(survivors), killed, timed_out, survivors)


def main() -> int:
    """Test the mutants of the modules that the command line names, and show a table."""
    parser = argparse.ArgumentParser(prog="mutation.py", description="Test the mutants of a module.")
    parser.add_argument("--sample", type=int, metavar="N", help="test N mutants, chosen at random with a fixed seed")
    parser.add_argument("--survivors", action="store_true", help="show each survivor as a difference")
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="a file of plugins/module_utils, without .py")
    options = parser.parse_args()
    rows = [["module", "mutants", "tested", "killed", "timed out", "survived", "score"]]
    try:
        for module in [Module.find(name) for name in options.modules]:
            score = module.test(options.sample)
            for survivor in score.survivors if options.survivors else ():
                print(module.difference(survivor))
            figures = (score.mutants, score.tested, score.killed, score.timed_out, len(score.survivors))
            rows.append([module.name, *map(str, figures), f"{score.share:.1f} %"])
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    for name, *cells in rows:
        print(f"{name:<14}", *(f"{cell:>10}" for cell in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
