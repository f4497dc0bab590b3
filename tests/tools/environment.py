# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the virtual environments of this tree and runs commands in them: ``run.sh [--with NAME] COMMAND...``.

Without ``--with`` the environment is ``.venv``, from ``tests/requirements.txt``. ``--with NAME`` takes the one of
``tests/requirements-NAME.txt`` under ``.cache/venvs``. An environment is made anew or brought up to date when its
requirement files change. Commands run with a home, temporary folder and Ansible folders under ``.cache``, so that
nothing is written outside the tree (but temporary files, where the tree's own path is long), and without the caller's
Ansible settings and provider credentials.
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing as t

TREE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TREE / "tests/tools"), str(TREE / "tests")]

import interpreters
import supervise
from sandbox.client import PROVIDERS

CACHE = TREE / ".cache"
COLLECTIONS = CACHE / "collections"
HOME = CACHE / "home"

#: The longest path of a temporary folder that Ansible's sockets still fit into: theirs end 32 bytes on, at most at 107,
#: and some tests keep a folder of their own in between.
_LONGEST_TEMPORARY = 50
TEMPORARY = CACHE / "tmp"
if len(os.fsencode(TEMPORARY)) > _LONGEST_TEMPORARY:
    TEMPORARY = pathlib.Path(tempfile.gettempdir())

#: What a run must not inherit: settings that bend Ansible or Python, and credentials for a real provider.
_DROPPED = (
    "ANSIBLE_", "XDG_", "PYTHONHOME", "PYTHONPATH", *(f"{provider.upper()}_" for provider in PROVIDERS),
)  # fmt: skip

#: Controller Pythons for new environments, the best known first.
_PREFERRED = ("3.13", "3.12", "3.14", "3.11", "3.15")


class Unusable(Exception):
    """The machine lacks something; the text says what, and how to get it."""


def choose_python(version: str | None = None) -> interpreters.Interpreter:
    """The real interpreter to make an environment with. Raises Unusable when there is none that can."""
    wanted = [version] if version else list(_PREFERRED)
    found = [each for each in map(interpreters.find_version, wanted) if each]
    for each in found:
        if each.makes_venvs:
            return each
    if found:
        raise Unusable(
            f"{found[0].path} cannot make virtual environments: its module venv or ensurepip is missing.\n"
            f"Install it (Debian, Ubuntu: apt install python{found[0].name}-venv) and try again."
        )
    wanted_version = version or "3.11 or newer"
    raise Unusable(f"Python {wanted_version} was not found on PATH, nor where pyenv, asdf, mise or uv keep it.")


def _fingerprint(requirements: t.Sequence[pathlib.Path], packages: t.Sequence[str]) -> str:
    """A hash of all that decides what is installed, files included by other files too, and of the way we set it up."""
    digest = hashlib.sha256("\n".join(["1", *packages]).encode())
    queue = list(requirements)
    while queue:
        path = queue.pop(0)
        text = path.read_text(encoding="utf-8")
        digest.update(text.encode())
        queue += [path.parent / line.split()[1] for line in text.splitlines() if line.startswith("-r ")]
    return digest.hexdigest()


def _works(python: pathlib.Path, version: str | None) -> bool:
    """Whether an environment's interpreter runs and is one that we can use."""
    expected = f"== ({version.replace('.', ', ')})" if version else ">= (3, 11)"
    test = f"import pip, sys; sys.exit(not sys.version_info[:2] {expected})"
    try:
        return subprocess.run([python, "-c", test], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def ensure_venv(
    path: pathlib.Path,
    requirements: t.Sequence[pathlib.Path],
    packages: t.Sequence[str] = (),
    version: str | None = None,
) -> pathlib.Path:
    """Make the virtual environment at ``path``, or bring it up to date, and return ``path``.

    It holds what the requirement files and ``packages`` (pip specifiers) name, on the Python ``version`` if given.
    Raises Unusable when the machine cannot make it.
    """
    stamp = path / ".requirements.sha256"
    wanted = _fingerprint(requirements, packages)
    locks = CACHE / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / path.name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # gates run side by side
        usable = _works(path / "bin/python", version)
        if usable and stamp.is_file() and stamp.read_text() == wanted:
            return path
        label = os.path.relpath(path, TREE)
        if not usable:
            if path.exists() and not (path / "pyvenv.cfg").is_file():
                raise Unusable(f"{label} is in the way: it is not a virtual environment. Move it and try again.")
            python = choose_python(version)
            print(f"Making {label} with Python {python.name} ({python.path})", file=sys.stderr, flush=True)
            shutil.rmtree(path, ignore_errors=True)
            _call([str(python.path), "-m", "venv", str(path)], f"{label} could not be made")
        names = [os.path.relpath(each, TREE) for each in requirements]
        print(f"Installing {', '.join([*packages, *names])} into {label}", file=sys.stderr, flush=True)
        command = [str(path / "bin/python"), "-m", "pip", "install"]
        command += ["-qq", "--no-input", "--disable-pip-version-check"]
        command += [*packages, *(word for each in requirements for word in ("-r", str(each)))]
        _call(
            command,
            f"The packages for {label} could not be installed. The Python package index must be reachable, directly or "
            "as pip is configured on this machine; pip's own words stand above",
        )
        _name_temporary_folder(path)
        stamp.write_text(wanted)
    return path


def _name_temporary_folder(venv: pathlib.Path) -> None:
    """Have the environment's Python set TMPDIR when it is not set: ansible-test does not hand it to what it starts."""
    (site_packages,) = venv.glob("lib/python3*/site-packages")
    line = f"import os; os.environ.setdefault('TMPDIR', {str(TEMPORARY)!r})\n"
    (site_packages / "temporary_folder.pth").write_text(line)


def _call(command: t.Sequence[str], failure: str) -> None:
    """Run one step of the set-up, its output on standard error."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    environment["PIP_CACHE_DIR"] = str(CACHE / "pip")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment, check=False)
    if done.returncode != 0:
        raise Unusable(f"{failure}.")


def named_venv(name: str | None = None) -> pathlib.Path:
    """The environment of ``tests/requirements-NAME.txt``, or ``.venv`` without a name."""
    if name is None:
        return ensure_venv(TREE / ".venv", [TREE / "tests/requirements.txt"])
    return ensure_venv(CACHE / "venvs" / name, [TREE / f"tests/requirements-{name}.txt"])


def _carry_pip_settings() -> None:
    """Put pip's settings of the caller into our home: ansible-test drops PIP_* variables and reads only the file."""
    caller = pathlib.Path.home()
    if caller == HOME:
        return
    settings = configparser.RawConfigParser()
    configuration = pathlib.Path(os.environ.get("XDG_CONFIG_HOME") or caller / ".config")
    files = [caller / ".pip/pip.conf", configuration / "pip/pip.conf"]
    if os.environ.get("PIP_CONFIG_FILE", os.devnull) != os.devnull:
        files.append(pathlib.Path(os.environ["PIP_CONFIG_FILE"]))
    settings.read(files, encoding="utf-8")
    if not settings.has_section("global"):
        settings.add_section("global")
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name not in ("PIP_CONFIG_FILE", "PIP_CACHE_DIR"):
            settings.set("global", name[len("PIP_") :].lower().replace("_", "-"), value)
    settings.set("global", "cache-dir", str(CACHE / "pip"))
    settings.set("global", "quiet", "2")
    target = HOME / ".config/pip/pip.conf"
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f"pip.conf.{os.getpid()}")
    with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        settings.write(file)  # an index address may hold a password
    new.replace(target)


def link_collection() -> pathlib.Path:
    """Link the tree to where Ansible looks for a collection, and return the collections path."""
    link = COLLECTIONS / "ansible_collections/certops/issuance"
    link.parent.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(TREE, link.parent)
    if not link.is_symlink() or os.readlink(link) != target:
        new = link.with_name(f"issuance.{os.getpid()}")
        new.symlink_to(target)
        new.replace(link)
    return COLLECTIONS


def prepare(venv: pathlib.Path) -> dict[str, str]:
    """Make the folders that commands of ``venv`` write to, and return the environment variables to run them with."""
    for folder in (HOME, TEMPORARY):
        folder.mkdir(parents=True, exist_ok=True)
    _carry_pip_settings()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
    outer = str(pathlib.Path(os.environ.get("VIRTUAL_ENV") or os.devnull, "bin"))
    path = [entry for entry in interpreters.search_path().split(os.pathsep) if entry != outer]
    environment.update(
        ANSIBLE_COLLECTIONS_PATH=str(link_collection()),
        ANSIBLE_HOME=str(HOME / ".ansible"),
        ANSIBLE_REMOTE_TEMP=str(HOME / ".ansible/tmp"),  # its default ignores HOME on a local connection
        HOME=str(HOME),
        PATH=os.pathsep.join([str(venv / "bin"), *path]),
        PIP_CACHE_DIR=str(CACHE / "pip"),
        TMPDIR=str(TEMPORARY),
        VIRTUAL_ENV=str(venv),
    )
    return environment


def main() -> int:
    """Run a command in an environment of the tree."""
    parser = argparse.ArgumentParser(prog="run.sh", description="Run a command in a virtual environment of this tree.")
    parser.add_argument("--with", dest="name", metavar="NAME", help="the environment of tests/requirements-NAME.txt")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        venv = named_venv(options.name)
    except Unusable as missing:
        print(missing, file=sys.stderr)
        return 1
    environment = prepare(venv)
    if not options.command:
        return 0
    program = shutil.which(options.command[0], path=environment["PATH"])
    if program is None:
        print(f"{options.command[0]}: no such command", file=sys.stderr)
        return 127
    with contextlib.suppress(supervise.Stopped):
        return supervise.run([program, *options.command[1:]], environment)
    return 1


if __name__ == "__main__":
    sys.exit(main())
