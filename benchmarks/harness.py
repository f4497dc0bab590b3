# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks share: the collection on the path, processes that are measured from outside, tables."""

from __future__ import annotations

import functools
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import typing as t

TREE = pathlib.Path(__file__).resolve().parent.parent

sys.path.insert(0, str(TREE / "tests"))


@functools.cache
def load_collection() -> None:
    """Make the collection importable in this process, under its own name."""
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([str(collections_path())])


def pace(provider: str) -> t.Any:
    """The rate limits of a provider: budgets and schedule."""
    load_collection()
    from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS

    return PROVIDERS[provider].info.rate_limits


def long_enough(provider: str, least: int) -> int:
    """Virtual seconds of a wait with five waves, and polls between them and after, at the provider's own schedule."""
    return max(least, 40 * int(pace(provider).schedule.pause(0)))


def collections_path() -> pathlib.Path:
    """A folder with ansible_collections/certops/issuance in it."""
    for entry in os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep):
        if entry and (pathlib.Path(entry) / "ansible_collections/certops/issuance").exists():
            return pathlib.Path(entry)
    sys.exit("run this by 'make bench', which puts the collection on its path")


class Usage(t.NamedTuple):
    """What a finished process used. Seconds; MiB."""

    cpu: float
    wall: float
    peak: float
    output: str


def measure(command: t.Sequence[str], runs: int = 1, **environment: str) -> Usage:
    """Run a command several times; medians of what it and its children used.

    Raises:
        RuntimeError: when it fails.
    """
    measured: list[Usage] = []
    for _run in range(runs):
        with tempfile.TemporaryFile("w+") as output:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            started = os.times().elapsed
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
            )
            _pid, status, _usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            output.seek(0)
            text = output.read()
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text[-3000:]}")
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        measured.append(Usage(cpu, os.times().elapsed - started, _usage.ru_maxrss / 1024, text))
    return Usage(
        statistics.median(usage.cpu for usage in measured),
        statistics.median(usage.wall for usage in measured),
        max(usage.peak for usage in measured),
        measured[-1].output,
    )


def apart(script: str, *arguments: str) -> t.Any:
    """Run a script of this folder in a process of its own; the JSON that it prints last."""
    usage = measure([sys.executable, str(TREE / "benchmarks" / script), *arguments])
    return json.loads(usage.output.strip().splitlines()[-1])


def table(title: str, head: t.Sequence[str], rows: t.Iterable[t.Sequence[t.Any]]) -> None:
    """Print a table."""
    lines = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    print(f"\n{title}\n")
    for number, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])] + [
            cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)
        ]
        print("  " + "  ".join(cells))
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))
    sys.stdout.flush()
