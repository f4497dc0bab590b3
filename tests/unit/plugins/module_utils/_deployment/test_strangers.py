# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root deploys on a host where others can write: attacks by the user ``nobody``, as they were found."""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import sys
import tempfile
import time
import traceback
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment import deploy as deployment
from ansible_collections.certops.issuance.plugins.module_utils._deployment.commands import run_command
from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.host import AnsibleHost
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.plugins.module_utils._deployment.lineage import Lineage
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import (
    NAME,
    Target,
    in_background,
)

NOBODY = pwd.getpwnam("nobody")

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="not tested: only root can be attacked by somebody else")


class Module:
    """What AnsibleHost uses of a module."""

    check_mode = False

    def __init__(self, **params: t.Any) -> None:
        self.params = {
            "owner": None,
            "group": None,
            "mode": "0644",
            "key_mode": "0600",
            "dir_mode": "0755",
            "command_timeout": 60.0,
            **params,
        }
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def selinux_enabled(self) -> bool:
        return False

    def get_bin_path(self, program: str) -> str | None:
        return shutil.which(program)


class Attacked(Target):
    """A target that is deployed to as Ansible does it, with owner and group."""

    def __init__(self, path: pathlib.Path, world: pki.World) -> None:
        super().__init__(path, world)
        self.params: dict[str, t.Any] = {}
        self.warnings: list[str] = []
        self.during_reload: t.Callable[[], None] = lambda: None

    def deploy(self, certificate: t.Any = None, check_mode: bool = False, **changes: t.Any) -> dict[str, t.Any]:
        module = Module(**self.params)
        host = AnsibleHost(module)
        run = host.run

        def run_and_attack(command: t.Sequence[str], descriptors: t.Sequence[int] = ()) -> tuple[int, str, str]:
            if command[0] in ("true", "false"):
                self.during_reload()
            return run(command, descriptors)

        host.run = run_and_attack  # type: ignore[method-assign]
        try:
            return deployment.deploy(self.options(certificate, **changes), host, check_mode=check_mode)
        finally:
            self.warnings = module.warnings


@pytest.fixture
def folder() -> t.Iterator[pathlib.Path]:
    """A folder below /tmp that everybody can pass, unlike those of pytest."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@pytest.fixture
def target(folder: pathlib.Path, world: pki.World) -> Attacked:
    return Attacked(folder / "lineage", world)


def as_nobody(attack: t.Callable[[], None]) -> bool:
    """Do something as nobody, in a process of its own; returns whether that user could."""
    child = os.fork()
    if child == 0:
        code = 9
        try:
            os.setgroups([])
            os.setgid(NOBODY.pw_gid)
            os.setuid(NOBODY.pw_uid)
            try:
                attack()
                code = 0
            except PermissionError:
                code = 1
            except BaseException:
                traceback.print_exc()
        finally:
            os._exit(code)
    code = os.WEXITSTATUS(os.waitpid(child, 0)[1])
    assert code in (0, 1), "the attack failed otherwise"
    return code == 0


def owner_and_mode(path: pathlib.Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


# -- who owns what ----------------------------------------------------------------------------------------------------


@needs_root
def test_owner_group_and_modes_are_for_the_pem_files(target: Attacked) -> None:
    target.params = {"owner": "nobody", "group": str(NOBODY.pw_gid), "mode": "0664", "key_mode": "0640"}
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    current = target.path / "current"
    for name in ("cert.pem", "chain.pem", "fullchain.pem"):
        assert owner_and_mode(current / name) == (NOBODY.pw_uid, NOBODY.pw_gid, 0o664)
    assert owner_and_mode(current / "privkey.pem") == (NOBODY.pw_uid, NOBODY.pw_gid, 0o640)
    assert owner_and_mode(current / "version.json") == (0, 0, 0o644)
    assert owner_and_mode(target.path / ".lock") == (0, 0, 0o600)
    for path in (target.path, target.path / "versions", current.resolve()):
        assert owner_and_mode(path) == (0, 0, 0o755)
    assert target.deploy(leaf)["changed"] is False


@needs_root
@pytest.mark.parametrize(
    "dir_mode, expected",
    [("0775", (0, 0, 0o775)), ("0750", (0, NOBODY.pw_gid, 0o750)), ("0770", (0, 0, 0o770)), ("0700", (0, 0, 0o700))],
)
def test_group_may_pass_directories_and_never_write_to_them(
    target: Attacked, dir_mode: str, expected: tuple[int, int, int]
) -> None:
    target.params = {"group": str(NOBODY.pw_gid), "dir_mode": dir_mode}
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    for path in (target.path, target.path / "versions", (target.path / "current").resolve()):
        assert owner_and_mode(path) == expected
    assert not as_nobody((target.path / "versions" / "mine").mkdir)
    assert target.deploy(leaf)["changed"] is False


def give_away(path: pathlib.Path) -> None:
    """Own a lineage as earlier releases did with 'owner'."""
    for one in [path, *path.rglob("*")]:
        os.chown(one, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)


@needs_root
@pytest.mark.parametrize("mode", [0o755, 0o775, 0o777])
@pytest.mark.parametrize("user", [0, NOBODY.pw_uid])
def test_what_was_given_away_is_taken_back(target: Attacked, mode: int, user: int) -> None:
    target.params = {"owner": "nobody", "group": str(NOBODY.pw_gid)}
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    give_away(target.path)
    folders = (target.path, target.path / "versions", (target.path / "current").resolve())
    for path in folders:
        os.chown(path, user, NOBODY.pw_gid)
        path.chmod(mode)
    result = target.deploy(leaf)
    assert result["reasons"] == ["attributes_differ"]
    for path in (*folders, (target.path / "current").resolve()):
        assert owner_and_mode(path)[0] == 0 and not path.stat().st_mode & 0o022
    assert target.deploy(leaf)["changed"] is False


@needs_root
def test_what_was_given_away_is_taken_back_though_the_deployment_is_rolled_back(target: Attacked) -> None:
    target.deploy(target.world.issue(NAME))
    give_away(target.path)
    with pytest.raises(DeploymentError):
        target.deploy(target.world.issue(NAME), reload_commands=["false"])
    for path in (target.path, target.path / "versions"):
        assert owner_and_mode(path)[0] == 0
    assert owner_and_mode(target.path / ".lock") == (0, 0, 0o600)


# -- links in the place of directories --------------------------------------------------------------------------------


@needs_root
@pytest.mark.parametrize("way", ["owner", "group", "parent"])
@pytest.mark.parametrize("succeeds", [True, False])
def test_versions_replaced_by_a_link_during_the_reload(target: Attacked, way: str, succeeds: bool) -> None:
    """Going back, root gave a file of its own away; pruning, it removed a version of another lineage."""
    private = target.path.parent / "private"
    private.mkdir(mode=0o700)
    victim = Attacked(private / "victim", target.world)
    old = target.world.issue(NAME)
    if way == "parent":
        home = target.path.parent / "home"
        home.mkdir()
        os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
        target.path = home / "lineage"
    elif way == "owner":
        target.params = {"owner": "nobody"}
    else:
        target.params = {"group": str(NOBODY.pw_gid), "dir_mode": "0775"}
    for one in (victim, target):
        one.deploy(old)
    secret = private / "victim" / "versions" / target.versions()[0] / "privkey.pem"
    before = victim.tree()

    def attack() -> None:
        place = target.path if way == "parent" else target.path / "versions"
        os.rename(place, place.with_name("aside"))
        os.symlink(private / "victim" / ("" if way == "parent" else "versions"), place)

    tried: list[bool] = []

    def once() -> None:
        if not tried:
            tried.append(as_nobody(attack))

    target.during_reload = once
    try:
        target.deploy(target.world.issue(NAME), reload_commands=["true" if succeeds else "false"], keep_versions=1)
    except DeploymentError as exc:
        assert (succeeds, exc.kind) == (False, "rollback_failed")
    assert tried == [way == "parent"]
    assert owner_and_mode(secret) == (0, 0, 0o600)
    assert victim.tree() == before


@needs_root
def test_staged_key_cannot_be_swapped_for_the_key_of_another_lineage(target: Attacked) -> None:
    """While root stages again and again, nobody swaps the staging directory for a link, until root has finished."""
    private = target.path.parent / "private"
    private.mkdir(mode=0o700)
    victim = Attacked(private / "victim", target.world)
    victim.deploy(target.world.issue(NAME))
    before = victim.tree()
    give_to_nobody = {"owner": "nobody", "group": str(NOBODY.pw_gid)}
    target.params = give_to_nobody
    target.deploy(target.world.issue(NAME))
    give_away(target.path)  # by an earlier release; the first run takes it back
    reading, writing = os.pipe()

    def attack() -> None:
        os.close(writing)
        os.setgid(NOBODY.pw_gid)
        os.setuid(NOBODY.pw_uid)
        os.set_blocking(reading, False)
        while True:
            try:
                if os.read(reading, 1) == b"":
                    return
            except BlockingIOError:
                pass
            try:
                for name in os.listdir(target.path / "versions"):
                    if name.startswith("."):
                        staging = target.path / "versions" / name
                        os.rename(staging, f"{staging}.aside")
                        os.symlink(private / "victim" / "current", staging)
            except OSError:
                continue

    attacker = in_background(attack)
    os.close(reading)
    try:
        for _round in range(15):
            target.deploy(target.world.issue(NAME), keep_versions=1)
    finally:
        os.close(writing)
        assert os.waitpid(attacker, 0)[1] == 0
    assert victim.tree() == before
    assert owner_and_mode(target.path / "current" / "privkey.pem") == (NOBODY.pw_uid, NOBODY.pw_gid, 0o600)


@needs_root
def test_version_that_is_a_link_is_nobodys(target: Attacked) -> None:
    victim = Attacked(target.path.parent / "victim", target.world)
    for one in (victim, target):
        one.deploy(target.world.issue(NAME))
    before = victim.tree()
    os.symlink(victim.path / "versions" / victim.versions()[0], target.path / "versions" / "7-AB")
    os.symlink(victim.path / "versions", target.path / "versions" / ".8-CD")
    os.symlink(victim.path / "versions" / victim.versions()[0], target.path / "versions" / ".9-EF.gone")
    target.deploy(target.world.issue(NAME), keep_versions=1)
    assert victim.tree() == before
    assert len(target.versions()) == 2 and os.readlink(target.path / "current").startswith("versions/8-")


@needs_root
def test_versions_replaced_after_they_were_read_are_read_again(
    target: Attacked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lineage that was given away is read, then its versions and its lock are replaced, then it is taken back."""
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    give_away(target.path)

    def attack() -> None:
        for name in ("versions", ".lock"):
            os.rename(target.path / name, target.path / f"{name}.aside")
        os.mkdir(target.path / "versions")

    def attack_before(self: Lineage) -> bool:
        if not (target.path / "versions.aside").exists():
            assert as_nobody(attack)
        return take_back(self)

    take_back = Lineage.take_back
    monkeypatch.setattr(Lineage, "take_back", attack_before)
    assert target.deploy(leaf)["reasons"] == ["absent"]
    assert target.read("privkey.pem") == target.world.key_pem
    assert owner_and_mode(target.path / "versions")[0] == 0
    assert owner_and_mode(target.path / ".lock") == (0, 0, 0o600)
    assert target.deploy(leaf)["changed"] is False


# -- directories above ------------------------------------------------------------------------------------------------


@needs_root
def test_path_below_a_directory_that_everybody_may_write(target: Attacked) -> None:
    shared = target.path.parent / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    target.path = shared / "tls" / "www"
    for check_mode in (True, False):
        with pytest.raises(DeploymentError) as failure:
            target.deploy(target.world.issue(NAME), check_mode=check_mode)
        assert failure.value.kind == "unsafe_path"
        assert f"Everybody may write to {shared}" in failure.value.message
        assert f"chmod o-w {shared}" in failure.value.message
    assert not target.path.exists() and not target.path.parent.exists()
    shared.chmod(0o1777)
    target.deploy(target.world.issue(NAME))
    assert target.warnings == []


@needs_root
@pytest.mark.parametrize("way", ["owner", "group", "link", "owner below sticky"])
def test_somebody_else_who_can_replace_the_lineage_is_named(target: Attacked, way: str) -> None:
    above = target.path.parent / "above"
    above.mkdir()
    if way == "owner below sticky":
        target.path.parent.chmod(0o1777)
    if way == "group":
        above.chmod(0o775)
        os.chown(above, 0, NOBODY.pw_gid)
    elif way == "link":
        link = target.path.parent / "link"
        link.symlink_to(above)
        os.chown(link, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)
        above = link
    else:
        os.chown(above, NOBODY.pw_uid, NOBODY.pw_gid)
    target.path = above / "www"
    target.deploy(target.world.issue(NAME))
    assert len(target.warnings) == 1
    who = f"may be written by the group {NOBODY.pw_gid}" if way == "group" else "belongs to the user nobody"
    assert target.warnings[0].startswith(f"{above} {who}, who can replace the lineage {target.path} below it; ")
    assert f"chown root {above}; chmod go-w {above}" in target.warnings[0]


def test_links_on_the_way_are_followed(target: Attacked) -> None:
    (target.path.parent / "real" / "inner").mkdir(parents=True)
    (target.path.parent / "real" / "up").symlink_to("../real/./inner/..")
    (target.path.parent / "link").symlink_to(target.path.parent / "real" / "up")
    target.path = target.path.parent / "link" / "inner" / "www"
    target.deploy(target.world.issue(NAME))
    assert (target.path.parent.parent.resolve() / "inner" / "www" / "current").is_symlink()
    assert target.warnings == []


def test_links_that_lead_in_a_circle(target: Attacked) -> None:
    (target.path.parent / "a").symlink_to("b")
    (target.path.parent / "b").symlink_to("a")
    target.path = target.path.parent / "a" / "www"
    with pytest.raises(DeploymentError) as failure:
        target.deploy(target.world.issue(NAME))
    assert failure.value.kind == "write_failed"
    assert "Too many levels of symbolic links" in failure.value.message


# -- the lock ---------------------------------------------------------------------------------------------------------


@needs_root
def test_nobody_can_hold_the_lock(target: Attacked) -> None:
    target.lock_timeout = 0.3
    target.deploy(target.world.issue(NAME))
    reading, writing = os.pipe()

    def hold() -> None:
        os.setgid(NOBODY.pw_gid)
        os.setuid(NOBODY.pw_uid)
        for path in (
            target.path,
            target.path / "versions",
            target.path / ".lock",
            target.path / "current" / "cert.pem",
        ):
            try:
                fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX)
            except PermissionError:
                assert path.name == ".lock"
        os.write(writing, b".")
        signal.pause()

    holder = in_background(hold)
    os.close(writing)
    try:
        assert os.read(reading, 1) == b"."
        assert target.deploy(target.world.issue(NAME))["changed"] is True
    finally:
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)
        os.close(reading)


@needs_root
@pytest.mark.parametrize("kind", ["file of nobody", "file for all", "fifo", "link", "directory"])
def test_lock_that_is_not_ours_is_replaced(target: Attacked, kind: str, folder: pathlib.Path) -> None:
    target.lock_timeout = 0.3
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    lock = target.path / ".lock"
    lock.unlink()
    held = None
    if kind == "fifo":
        os.mkfifo(lock, 0o600)
    elif kind == "directory":
        lock.mkdir(0o700)
    elif kind == "link":
        (folder / "elsewhere").touch(0o600)
        lock.symlink_to(folder / "elsewhere")
    else:
        lock.touch(0o600)
        held = os.open(lock, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        if kind == "file of nobody":
            os.chown(lock, NOBODY.pw_uid, NOBODY.pw_gid)
        else:
            lock.chmod(0o644)
    assert target.deploy(leaf)["changed"] is False
    assert target.deploy(target.world.issue(NAME))["changed"] is True
    assert owner_and_mode(lock) == (0, 0, 0o600)
    if held is not None:
        os.close(held)


def start(target: Attacked, certificate: t.Any, reload: str) -> int:
    """Deploy in a process of its own, with a shell script as the reload; returns its id. Its exit code is 0 or 3."""
    child = os.fork()
    if child == 0:
        code = 9
        try:
            target.deploy(certificate, reload_commands=[["sh", "-c", reload]], allow_older=True)
            code = 0
        except DeploymentError as exc:
            code = 3 if exc.kind == "locked" else 4
        finally:
            os._exit(code)
    return child


def wait_for(path: pathlib.Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("stubborn", [False, True])
def test_no_second_run_beside_the_reload_of_a_killed_one(
    target: Attacked, folder: pathlib.Path, number: int, group: bool, stubborn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.lock_timeout = 60.0
    monkeypatch.setattr(f"{run_command.__module__}._ORPHAN_TIME", 0.5)
    monkeypatch.setattr(f"{run_command.__module__}._GRACE", 0.5)
    first, second = target.world.issue(NAME), target.world.issue(NAME)
    trap = "trap '' TERM HUP INT; " if stubborn else ""
    alive = f"while :; do date +%s%N > {folder}/alive; touch {folder}/started; sleep 0.02; done"
    one = os.fork()
    if one == 0:
        try:
            if number != signal.SIGKILL:
                signal.signal(number, signal.SIG_DFL)  # it is ignored under nohup
            os.setpgid(0, 0)
            target.deploy(first, reload_commands=[["sh", "-c", trap + alive]])
        finally:
            os._exit(9)
    wait_for(folder / "started")
    (os.killpg if group else os.kill)(one, number)
    assert os.WTERMSIG(os.waitpid(one, 0)[1]) == number
    seen = f"cp {folder}/alive {folder}/before; sleep 0.3; cmp {folder}/alive {folder}/before"
    other = start(target, second, seen)
    assert os.waitpid(other, 0)[1] == 0
    assert read_lineage(str(target.path))["serial_number"] == pki.serial(second)


@pytest.mark.skipif(sys.platform != "linux", reason="not tested: only Linux kills a process with its parent")
@pytest.mark.parametrize("order", [("module", "supervisor"), ("supervisor", "module")])
def test_no_second_run_beside_the_reload_though_its_supervisor_was_killed_as_well(
    target: Attacked, folder: pathlib.Path, order: tuple[str, str]
) -> None:
    alive = (
        f"echo $PPID > {folder}/id; mv {folder}/id {folder}/supervisor; while :; do date +%s%N > {folder}/alive; done"
    )
    processes = {"module": start(target, target.world.issue(NAME), alive)}
    wait_for(folder / "supervisor")
    wait_for(folder / "alive")
    processes["supervisor"] = int((folder / "supervisor").read_text())
    for process in order:
        os.kill(processes[process], signal.SIGKILL)
    os.waitpid(processes["module"], 0)
    seen = f"cp {folder}/alive {folder}/before; sleep 0.3; cmp {folder}/alive {folder}/before"
    other = start(target, target.world.issue(NAME), seen)
    assert os.waitpid(other, 0)[1] == 0


def test_reload_of_a_killed_run_may_come_to_its_end(target: Attacked, folder: pathlib.Path) -> None:
    script = f"echo {'x' * 100}; touch {folder}/started; sleep 1; echo y >&2; echo z && touch {folder}/ended"
    one = start(target, target.world.issue(NAME), script)
    wait_for(folder / "started")
    os.kill(one, signal.SIGKILL)
    os.waitpid(one, 0)
    other = start(target, target.world.issue(NAME), f"test -e {folder}/ended")
    assert os.waitpid(other, 0)[1] == 0


def test_daemon_that_the_reload_starts_never_holds_the_lock(target: Attacked, folder: pathlib.Path) -> None:
    target.lock_timeout = 0.3
    daemon = f"setsid sh -c 'echo $$ > {folder}/pid; ls -l /proc/$$/fd > {folder}/open; exec sleep 600' & wait_for=1"
    target.deploy(target.world.issue(NAME), reload_commands=[["sh", "-c", daemon]])
    wait_for(folder / "open")
    try:
        assert target.deploy(target.world.issue(NAME))["changed"] is True
        assert str(target.path) not in (folder / "open").read_text()
    finally:
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


# -- what lies in a lineage -------------------------------------------------------------------------------------------


def plant(path: pathlib.Path, kind: str) -> None:
    """Put something into the place of a file that would hang or fill whoever reads it as one."""
    path.unlink(missing_ok=True)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "directory":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as planted:
            planted.bind(str(path))
    elif kind == "huge":
        with open(path, "wb") as stream:
            stream.truncate(1 << 40)
    else:
        os.mknod(path, 0o644 | stat.S_IFCHR, os.stat("/dev/zero").st_rdev)


@pytest.mark.parametrize("kind", ["fifo", "zero", "directory", "socket", "huge", "device"])
@pytest.mark.parametrize("name", ["current/cert.pem", "current/privkey.pem", "current/version.json", ".journal.json"])
def test_what_is_no_file_of_ours_is_damaged(target: Attacked, name: str, kind: str) -> None:
    if kind == "device" and os.geteuid() != 0:
        pytest.skip("not tested: only root can make devices")
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    plant(target.path / name, kind)
    found = read_lineage(str(target.path))
    assert found["serial_number"] == pki.serial(leaf)
    result = target.deploy(leaf)
    assert result["changed"] is True
    assert target.read("cert.pem") == pki.pem(leaf)
    assert target.read("privkey.pem") == target.world.key_pem
    assert target.deploy(leaf)["changed"] is False


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"/dev/zero": "0" * 64}},
        {"files": {"cert.pem\0": "0" * 64}},
        {"not_before": "7"},
        {"names": 7},
    ],
)
def test_record_that_somebody_else_wrote_is_damaged(target: Attacked, change: dict[str, t.Any]) -> None:
    target.deploy(target.world.issue(NAME, not_before=pki.NOW - 9 * pki.DAY))
    path = target.path / "current" / "version.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    leaf = target.world.issue(NAME)
    assert target.deploy(leaf)["changed"] is True
    assert target.deploy(leaf)["changed"] is False


def test_dates_of_another_certificate_do_not_block_renewals(target: Attacked) -> None:
    deployed = target.world.issue(NAME, not_before=pki.NOW - 9 * pki.DAY)
    target.deploy(deployed)
    path = target.path / "current" / "version.json"
    record = dict(json.loads(path.read_text()), not_before="2999-01-01T00:00:00Z")
    path.write_text(json.dumps(record))
    assert target.deploy(target.world.issue(NAME))["changed"] is True
    older = target.world.issue(NAME, not_before=pki.NOW - 20 * pki.DAY)
    path.write_text(json.dumps(dict(json.loads(path.read_text()), not_before="1999-01-01T00:00:00Z")))
    with pytest.raises(DeploymentError) as failure:
        target.deploy(older)
    assert failure.value.kind == "older_than_deployed"


@pytest.mark.parametrize(
    "content", ["[" * 100000, '{"a":' * 100000, "\xff\xfe", '{"state": 1e999}', "7" * 5000, "null"]
)
@pytest.mark.parametrize("name", ["current/version.json", ".journal.json"])
def test_content_that_breaks_readers_is_damaged(target: Attacked, name: str, content: str) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    (target.path / name).write_bytes(content.encode("latin-1"))
    assert read_lineage(str(target.path))["serial_number"] == pki.serial(leaf)
    assert target.deploy(leaf)["changed"] is True
    assert target.deploy(leaf)["changed"] is False


def test_journal_that_somebody_else_wrote_is_damaged(target: Attacked) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    journal = {"state": "staging", "previous": None, "next": "../../victim"}
    (target.path / ".journal.json").write_text(json.dumps(journal))
    result = target.deploy(leaf)
    assert (result["reasons"], result["recovered"]) == (["not_served"], True)
    assert target.deploy(leaf)["changed"] is False


def test_directories_in_one_another_without_end_are_not_removed(target: Attacked) -> None:
    target.deploy(target.world.issue(NAME))
    deep = target.path / "versions" / target.versions()[0]
    for _level in range(100):
        deep = deep / "d"
        deep.mkdir()
    leaf = target.world.issue(NAME)
    target.deploy(leaf, keep_versions=1)
    assert "too many directories in one another" in target.warnings[-1]
    assert len(target.versions()) == 2
    assert target.deploy(leaf, keep_versions=1)["changed"] is False
