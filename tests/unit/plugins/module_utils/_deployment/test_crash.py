# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment is killed, or its file system fails, at every single step; the next run has to heal what is left.

Steps are the calls that change or sync the file system, and the commands. The integration target of the module does the
same at the level of system calls.
"""

from __future__ import annotations

import errno
import os
import pathlib
import pickle
import shutil
import signal
import stat
import tempfile
import traceback
import typing as t

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target

_STEPS = ("mkdir", "replace", "symlink", "unlink", "rmdir", "fsync", "open", "fchmod", "fchown", "write")
_NEED_SPACE = ("mkdir", "symlink", "open", "write")
_FILES = ["cert", "chain", "fullchain", "privkey", "combined"]
_PASSWORD = "of the keystore"

Interruption = t.Callable[[int, str], None]


def instrument(interrupt: Interruption, target: Target) -> list[str]:
    """Call interrupt(number, name) before each step; returns the list that the steps' names are put into."""
    taken: list[str] = []

    def wrapped(name: str, original: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def step(*args: t.Any, **options: t.Any) -> t.Any:
            if name != "open" or args[1] & os.O_CREAT:
                taken.append(name)
                interrupt(len(taken), name)
            return original(*args, **options)

        return step

    for name in _STEPS:
        setattr(os, name, wrapped(name, getattr(os, name)))
    target.host.run = wrapped("run", target.host.run)  # type: ignore[method-assign]
    return taken


def in_child(target: Target, interrupt: Interruption, deploy: t.Callable[[], t.Any]) -> t.Any:
    """Run a deployment in a process of its own; returns what became of it, its result or error, and its steps.

    A child that is killed gives None. The end counts as a step, too.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            steps = instrument(interrupt, target)
            try:
                outcome: t.Any = ("done", deploy())
            except DeploymentError as exc:
                outcome = ("failed", (exc.kind, exc.message, exc.details))
            steps.append("end")
            interrupt(len(steps), "end")
            with os.fdopen(writing, "wb") as stream:
                pickle.dump((*outcome, steps), stream)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(9)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        received = stream.read()
    _pid, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    assert os.WEXITSTATUS(status) == 0, "the child failed otherwise"
    return pickle.loads(received)


def take_steps(target: Target, deploy: t.Callable[[], t.Any]) -> list[str]:
    """The names of the steps of a deployment that nothing interrupts."""
    outcome, _result, steps = in_child(target, lambda *_args: None, deploy)
    assert outcome == "done"
    return t.cast(t.List[str], steps)


class Scenario:
    """What is deployed, what shall be deployed, and how often this was tried."""

    def __init__(self, target: Target, old: t.Any, has_keystore: bool = False) -> None:
        self.target = target
        self.has_keystore = has_keystore
        self.old = old
        self.new = target.world.issue(NAME)
        self._before = target.path.with_name("before")
        if old:
            target.deploy(old, **self.options())
            shutil.copytree(target.path, self._before, symlinks=True)

    def reset(self) -> None:
        """Put the lineage back to how it was before the deployment."""
        if self.target.path.exists():
            shutil.rmtree(self.target.path)
        if self.old:
            shutil.copytree(self._before, self.target.path, symlinks=True)

    def options(self) -> dict[str, t.Any]:
        options = {"files": _FILES, "validate_commands": ["true"], "reload_commands": ["true"], "keep_versions": 1}
        return dict(options, files=[*_FILES, "pkcs12"], pkcs12_password=_PASSWORD) if self.has_keystore else options

    def deploy(self) -> t.Any:
        return self.target.deploy(self.new, **self.options())

    def expect_a_whole_set(self) -> None:
        """The current set is the old one or the new one, and no key is readable that should not be."""
        for folder, _folders, names in os.walk(self.target.path):
            for name in {"privkey.pem", "combined.pem", "keystore.p12"} & set(names):
                assert stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) == 0o600
        found = read_lineage(str(self.target.path))
        if not found["exists"]:
            assert self.old is None
            assert not os.path.lexists(self.target.path / "current")
            return
        leaf = {pki.serial(leaf): leaf for leaf in (self.old, self.new) if leaf}[found["serial_number"]]
        chain = self.target.world.intermediate.pem
        fullchain = pki.pem(leaf) + chain
        assert self.target.read("cert.pem") == pki.pem(leaf)
        assert self.target.read("chain.pem") == chain
        assert self.target.read("fullchain.pem") == fullchain
        assert self.target.read("privkey.pem") == self.target.world.key_pem
        assert self.target.read("combined.pem") == fullchain + self.target.world.key_pem
        if self.has_keystore:
            content = (self.target.path / "current" / "keystore.p12").read_bytes()
            keystore = pkcs12.load_pkcs12(content, _PASSWORD.encode())
            assert keystore.cert is not None and keystore.cert.certificate == leaf

    def expect_to_heal(self, certificate: t.Any) -> None:
        """The next run succeeds, says so if there was anything to heal, and leaves no residue."""
        interrupted = read_lineage(str(self.target.path))["interrupted"]
        result = self.target.deploy(certificate, allow_older=True, **self.options())
        assert result["recovered"] is interrupted
        assert result["changed"] or not interrupted
        assert self.target.read("cert.pem") == pki.pem(certificate)
        assert sorted(os.listdir(self.target.path)) == [".lock", "current", "versions"]
        assert self.target.versions() == [os.path.basename(os.readlink(self.target.path / "current"))]
        assert read_lineage(str(self.target.path))["interrupted"] is False
        before = self.target.tree()
        assert self.target.deploy(certificate, **self.options())["changed"] is False
        assert self.target.tree() == before


@pytest.fixture
def target(world: pki.World, tmp_path: pathlib.Path) -> t.Iterator[Target]:
    """A target in memory where that can be had: thousands of fsyncs are slow on a disk."""
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Target(pathlib.Path(folder) / "lineage", world)


@pytest.fixture(params=["first deployment", "renewal"])
def scenario(request: pytest.FixtureRequest, target: Target) -> Scenario:
    old = target.world.issue(NAME) if request.param == "renewal" else None
    return Scenario(target, old)


@pytest.fixture
def tried(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> t.Iterator[list[int]]:
    points: list[int] = []
    yield points
    with capsys.disabled():
        print(f"\n{request.node.name}: {len(points)} points tried")


def kill_at(at: int) -> Interruption:
    """Kill the process before its step of this number."""

    def interrupt(number: int, _name: str) -> None:
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return interrupt


@pytest.mark.parametrize("then", ["the same", "another"])
def test_killed_at_every_step(scenario: Scenario, then: str, tried: list[int]) -> None:
    steps = take_steps(scenario.target, scenario.deploy)
    assert len(steps) > 20
    other = scenario.old or scenario.target.world.issue(NAME)
    for number in range(1, len(steps) + 1):
        scenario.reset()
        assert in_child(scenario.target, kill_at(number), scenario.deploy) is None
        scenario.expect_a_whole_set()
        scenario.expect_to_heal(scenario.new if then == "the same" else other)
        tried.append(number)


def test_killed_at_every_step_with_a_keystore(target: Target, tried: list[int]) -> None:
    scenario = Scenario(target, target.world.issue(NAME), has_keystore=True)
    for number in range(1, len(take_steps(target, scenario.deploy)) + 1):
        scenario.reset()
        assert in_child(target, kill_at(number), scenario.deploy) is None
        scenario.expect_a_whole_set()
        scenario.expect_to_heal(scenario.new)
        tried.append(number)


def test_killed_while_going_back(scenario: Scenario, tried: list[int]) -> None:
    """The reload fails with the new files, and the run is killed on its way back."""
    only_old = "test {0}/current/cert.pem -ef {0}/versions/1-{1}/cert.pem".format(
        scenario.target.path, pki.serial(scenario.old) if scenario.old else "none"
    )

    def deploy() -> t.Any:
        return scenario.target.deploy(scenario.new, **dict(scenario.options(), reload_commands=[only_old]))

    outcome, error, steps = in_child(scenario.target, lambda *_args: None, deploy)
    assert (outcome, error[0], error[2]["rolled_back"]) == ("failed", "reload_failed", True)
    for number in range(1, len(steps) + 1):
        scenario.reset()
        assert in_child(scenario.target, kill_at(number), deploy) is None
        scenario.expect_a_whole_set()
        scenario.expect_to_heal(scenario.new if number % 2 or not scenario.old else scenario.old)
        tried.append(number)


def test_killed_while_recovering(scenario: Scenario, tried: list[int]) -> None:
    """The first run is killed after its switch, the second one at each of its steps, the third one heals."""
    steps = take_steps(scenario.target, scenario.deploy)
    link = len(steps) - steps[::-1].index("symlink")  # the last one, counted from 1; the rename of it is the switch
    after_switch = link + 2
    assert steps[link] == "replace"

    def interrupted() -> None:
        scenario.reset()
        assert in_child(scenario.target, kill_at(after_switch), scenario.deploy) is None
        assert read_lineage(str(scenario.target.path))["serial_number"] == pki.serial(scenario.new)

    interrupted()
    for number in range(1, len(take_steps(scenario.target, scenario.deploy)) + 1):
        interrupted()
        assert in_child(scenario.target, kill_at(number), scenario.deploy) is None
        scenario.expect_a_whole_set()
        scenario.expect_to_heal(scenario.new)
        tried.append(number)


@pytest.mark.parametrize(
    "code, lasting",
    [(errno.ENOSPC, True), (errno.EIO, False), (errno.EROFS, True)],
    ids=["full from then on", "broken once", "read-only from then on"],
)
def test_file_system_that_fails_at_every_step(scenario: Scenario, code: int, lasting: bool, tried: list[int]) -> None:
    may_fail = _NEED_SPACE if code == errno.ENOSPC else _STEPS

    def fail_at(at: int) -> Interruption:
        def interrupt(number: int, name: str) -> None:
            if name in may_fail and (number == at or (lasting and number > at)):
                raise OSError(code, os.strerror(code))

        return interrupt

    for number, name in enumerate(take_steps(scenario.target, scenario.deploy), 1):
        if name not in may_fail:
            continue
        scenario.reset()
        outcome, result, _steps = in_child(scenario.target, fail_at(number), scenario.deploy)
        scenario.expect_a_whole_set()
        current = read_lineage(str(scenario.target.path))["serial_number"]
        if outcome == "failed":
            kind, message, details = result
            assert kind in ("write_failed", "rollback_failed")
            assert os.strerror(code) in message
            if kind == "write_failed" and not details.get("changed"):
                assert current == (pki.serial(scenario.old) if scenario.old else None)
            if code == errno.ENOSPC:  # what going back needs was made before the switch
                assert kind == "write_failed"
        else:
            assert current == pki.serial(scenario.new)
        scenario.expect_to_heal(scenario.new)
        tried.append(number)
