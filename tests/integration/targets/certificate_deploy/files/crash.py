# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills deployments at the system calls that change or sync files, or lets a call fail: ``crash.py FOLDER [EVERY]``.

FOLDER is the one that certificates.py made. Every call is tried, or one of EVERY. Each deployment runs under
``strace -e inject`` in a process of its own. After each, the current set has to be the whole old or the whole new one,
and the next run has to heal the rest.
Prints how many points were tried. Needs the standard library and strace.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import typing as t

_PLUGINS = pathlib.Path(__file__).resolve().parents[5] / "plugins"
sys.path.insert(0, str(_PLUGINS))

from module_utils._deployment.deploy import deploy  # noqa: E402
from module_utils._deployment.errors import DeploymentError  # noqa: E402
from module_utils._deployment.info import read_lineage  # noqa: E402

_CALLS = ("renameat", "symlinkat", "mkdirat", "unlinkat", "fsync", "fchmod", "fchown", "write", "flock")
_NEED_SPACE = ("mkdirat", "symlinkat", "write")
_CHANGE_NAMES = ("renameat", "symlinkat", "mkdirat", "unlinkat")
_PASSWORD = "of the keystore"
_MODES = {"file": 0o644, "key": 0o600, "record": 0o644, "directory": 0o755}

Options = t.Dict[str, t.Any]


class Host:
    """The target without Ansible."""

    def differs(self, descriptor: int, kind: str) -> bool:
        return os.fstat(descriptor).st_mode & 0o7777 != _MODES[kind]

    def apply(self, descriptor: int, kind: str, path: str, like: t.Optional[int]) -> None:
        os.fchmod(descriptor, _MODES[kind])

    def warn(self, message: str) -> None:
        raise AssertionError(message)

    def finds(self, program: str) -> bool:
        return True

    def run(self, command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> t.Tuple[int, str, str]:
        if command[0] != "openssl":
            return 0, "", ""
        done = subprocess.run(command, pass_fds=descriptors, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr


class Crashes:
    """A lineage that is renewed again and again, and interrupted each time."""

    def __init__(self, certificates: pathlib.Path, folder: pathlib.Path, every: int) -> None:
        self._certificates = certificates
        self._folder = folder
        self._path = folder / "lineage"
        self._key = (certificates / "key.pem").read_text()
        self._old, self._new = (self._options(name) for name in ("1", "2"))
        self._before: t.Optional[pathlib.Path] = None
        self._every = every
        self._reached = 0
        self.points: t.Counter[str] = collections.Counter()

    def _options(self, leaf: str) -> Options:
        return {
            "path": str(self._path),
            "certificate": (self._certificates / (leaf + ".pem")).read_text(),
            "chain": (self._certificates / "chain.pem").read_text(),
            "private_key": self._key,
            "private_key_path": None,
            "certificate_path": None,
            "chain_path": None,
            "names": [],
            "trust": "system",
            "ca_path": str(self._certificates / "root.pem"),
            "files": ["cert", "chain", "fullchain", "privkey", "combined", "pkcs12"],
            "pkcs12_password": _PASSWORD,
            "key_format": "original",
            "placeholder": False,
            "validate_commands": [["validate"]],
            "reload_commands": [["reload"]],
            "probes": [],
            "probe_timeout": 1.0,
            "keep_versions": 1,
            "allow_older": True,
            "lock_timeout": 10.0,
            "remove_request": False,
        }

    def deploy_old(self) -> None:
        """From now on there is something to renew."""
        self._reset()
        deploy(self._old, Host())
        self._before = self._folder / "before"
        shutil.copytree(self._path, self._before, symlinks=True)

    def _reset(self) -> None:
        shutil.rmtree(self._path, ignore_errors=True)
        if self._before:
            shutil.copytree(self._before, self._path, symlinks=True)

    def _run(self, *strace: str) -> t.Tuple[int, t.List[str]]:
        """Deploy the new certificate under strace; returns the exit code and the calls made."""
        self._reset()
        log = self._folder / "strace"
        command = ["strace", "-qq", "-o", str(log), "-e", "trace=" + ",".join(_CALLS), *strace]
        command += [sys.executable, "-I", "-S", "-B", __file__, "--deploy"]
        done = subprocess.run(command, input=json.dumps(self._new), capture_output=True, text=True, check=False)
        if self._key.splitlines()[1] in done.stdout + done.stderr:
            raise AssertionError("a key was printed")
        return done.returncode, [line.partition("(")[0] for line in log.read_text().splitlines() if "(" in line]

    def try_every_call(self, what: str, injection: str, calls: t.Collection[str]) -> None:
        """Interrupt a deployment at its calls; the number of the call goes into the braces of the injection."""
        code, made = self._run()
        if code:
            raise AssertionError(f"a deployment that nothing interrupts ends with {code}")
        for call, count in collections.Counter(made).items():
            for number in range(1, count + 1) if call in calls else ():
                self._reached += 1
                if self._reached % self._every:
                    continue
                code, _calls = self._run("-e", f"inject={call}:{injection.format(number)}")
                where = f"{what} at {call} number {number}"
                if injection.startswith("signal") and code >= 0:
                    raise AssertionError(f"{where}: the process was not killed")
                self._expect_a_whole_set(where)
                self._expect_to_heal(where)
                self.points[what] += 1

    def _expect_a_whole_set(self, where: str) -> None:
        for path in self._path.rglob("*"):
            if path.name in ("privkey.pem", "combined.pem", "keystore.p12") and path.stat().st_mode & 0o077:
                raise AssertionError(f"{where}: {path} can be read by others")
        found = read_lineage(str(self._path))
        if not found["exists"] and not self._before and not os.path.lexists(self._path / "current"):
            return
        expected = [options for options in (self._old, self._new) if options["certificate"] == found["certificate"]]
        if not expected:
            raise AssertionError(f"{where}: the current certificate is neither the old nor the new one")
        fullchain = expected[0]["certificate"] + expected[0]["chain"]
        for name, content in (
            ("cert", expected[0]["certificate"]),
            ("chain", expected[0]["chain"]),
            ("fullchain", fullchain),
            ("privkey", self._key),
            ("combined", fullchain + self._key),
        ):
            if (self._path / "current" / (name + ".pem")).read_text() != content:
                raise AssertionError(f"{where}: {name}.pem is not of the current set")
        if self._read_keystore() != self._blocks(fullchain + self._key):
            raise AssertionError(f"{where}: keystore.p12 is not of the current set")

    def _read_keystore(self) -> t.List[str]:
        command = ["openssl", "pkcs12", "-in", str(self._path / "current" / "keystore.p12"), "-nodes"]
        done = subprocess.run([*command, "-passin", "pass:" + _PASSWORD], capture_output=True, text=True, check=False)
        return self._blocks(done.stdout)

    @staticmethod
    def _blocks(text: str) -> t.List[str]:
        """The PEM blocks of a text, in any order."""
        return sorted(re.findall("-----BEGIN.*?-----END[^\n]*", text, re.DOTALL))

    def _expect_to_heal(self, where: str) -> None:
        interrupted = read_lineage(str(self._path))["interrupted"]
        result = deploy(self._new, Host())
        if result["recovered"] is not interrupted:
            raise AssertionError("{0}: the next run says recovered: {1}".format(where, result["recovered"]))
        left = sorted(os.listdir(self._path)), len(os.listdir(self._path / "versions"))
        if left != ([".lock", "current", "versions"], 1):
            raise AssertionError(f"{where}: the next run left {left}")
        if deploy(self._new, Host())["changed"] or read_lineage(str(self._path))["interrupted"]:
            raise AssertionError(f"{where}: the run after the next had something to do")


def main() -> int:
    """Try the points for a first deployment and for a renewal."""
    if sys.argv[1] == "--deploy":
        try:
            deploy(json.load(sys.stdin), Host())
        except DeploymentError as exc:
            print(exc.kind, exc.message)
            return 3
        return 0
    if not shutil.which("strace"):
        print("not tested: strace is not installed")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        every = int(sys.argv[2]) if len(sys.argv) > 2 else 1
        crashes = Crashes(pathlib.Path(sys.argv[1]), pathlib.Path(folder), every)
        for renewal in (False, True):
            if renewal:
                crashes.deploy_old()
            crashes.try_every_call("killed", "signal=SIGKILL:when={0}", _CALLS)
            crashes.try_every_call("disk full", "error=ENOSPC:when={0}+", _NEED_SPACE)
            crashes.try_every_call("input/output error", "error=EIO:when={0}", _CALLS)
            crashes.try_every_call("read-only", "error=EROFS:when={0}+", _CHANGE_NAMES)
            crashes.try_every_call("not permitted", "error=EPERM:when={0}", (*_CHANGE_NAMES, "fchmod"))
    print(f"{sum(crashes.points.values())} points tried: {dict(crashes.points)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
