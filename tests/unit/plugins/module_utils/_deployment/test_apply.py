# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user sees of a deployment, on real files."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import typing as t

import pytest

from ansible_collections.certops.issuance.plugins.module_utils._deployment import deploy as deployment
from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import DeploymentError
from ansible_collections.certops.issuance.plugins.module_utils._deployment.info import read_lineage
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment.target import NAME, Target


def refused(target: Target, *args: t.Any, **options: t.Any) -> DeploymentError:
    """Deploy, expect a failure, and expect that no key is in its words."""
    with pytest.raises(DeploymentError) as failure:
        target.deploy(*args, **options)
    assert "PRIVATE" not in repr((failure.value.message, failure.value.details))
    return failure.value


def test_first_deployment(target: Target) -> None:
    leaf = target.world.issue(NAME)
    result = target.deploy(leaf)
    assert result["changed"] is True
    assert result["reasons"] == ["absent"]
    assert result["serial_number"] == pki.serial(leaf)
    assert result["names"] == [NAME]
    assert result["previous"] is None
    assert result["rolled_back"] is False
    assert result["recovered"] is False
    assert result["current"] == str(target.path / "current")
    assert os.readlink(target.path / "current") == "versions/1-" + pki.serial(leaf)
    assert target.read("cert.pem") == pki.pem(leaf)
    assert target.read("chain.pem") == target.world.intermediate.pem
    assert target.read("fullchain.pem") == pki.pem(leaf) + target.world.intermediate.pem
    assert target.read("privkey.pem") == target.world.key_pem
    assert sorted(os.listdir(target.path)) == [".lock", "current", "versions"]
    assert stat.S_IMODE(os.stat(target.path / "current" / "cert.pem").st_mode) == 0o644
    assert stat.S_IMODE(os.stat(target.path / "current" / "privkey.pem").st_mode) == 0o600


def test_second_run_writes_nothing(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, reload_commands=["true"])
    before = target.tree()
    del target.host.commands[:]
    result = target.deploy(leaf, reload_commands=["true"], validate_commands=["true"])
    assert result["changed"] is False
    assert result["reasons"] == []
    assert result["serial_number"] == pki.serial(leaf)
    assert result["previous"]["serial_number"] == pki.serial(leaf)
    assert result["diff"]["before"] == result["diff"]["after"]
    assert target.tree() == before
    assert target.host.commands == []


def test_second_run_needs_no_trust_store(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    target.ca_path.unlink()
    assert target.deploy(leaf)["changed"] is False


def test_renewal_switches_and_prunes(target: Target) -> None:
    leaves = [target.world.issue(NAME, not_before=pki.NOW - (9 - day) * pki.DAY) for day in range(5)]
    for leaf in leaves:
        result = target.deploy(leaf, keep_versions=2)
    assert result["reasons"] == ["certificate_differs"]
    assert result["previous"]["serial_number"] == pki.serial(leaves[3])
    assert target.versions() == [f"{n + 1}-{pki.serial(leaves[n])}" for n in (3, 4)]
    assert target.read("cert.pem") == pki.pem(leaves[4])


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    "change, reason",
    [
        ("leaf", "certificate_differs"),
        ("chain", "chain_differs"),
        ("key", "key_differs"),
        ("files", "attributes_differ"),
        ("mode", "attributes_differ"),
        ("cert.pem", "certificate_differs"),
        ("chain.pem", "chain_differs"),
        ("privkey.pem", "key_differs"),
    ],
)
def test_reasons(target: Target, change: str, reason: str, check_mode: bool) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    options: dict[str, t.Any] = {}
    if change == "leaf":
        leaf = target.world.issue(NAME)
    elif change == "chain":
        options["chain"] = target.world.intermediate.pem + target.world.root.pem
    elif change == "key":
        options["private_key"] = pki.key_pem(target.world.key, traditional=True)
    elif change == "files":
        options["files"] = ["cert", "chain", "fullchain", "privkey", "combined"]
    elif change == "mode":
        target.host.modes["file"] = 0o640
    else:
        with open(target.path / "current" / change, "a") as stream:
            stream.write("damaged")
    before = target.tree()
    result = target.deploy(leaf, check_mode=check_mode, **options)
    assert result["reasons"] == [reason]
    assert result["changed"] is True
    if check_mode:
        assert target.tree() == before
    else:
        assert target.deploy(leaf, **options)["changed"] is False


def test_check_mode_writes_nothing_before_the_first_deployment(target: Target) -> None:
    result = target.deploy(target.world.issue(NAME), check_mode=True, validate_commands=["false"])
    assert result["reasons"] == ["absent"]
    assert result["changed"] is True
    assert not target.path.exists()
    assert target.host.commands == []


@pytest.mark.parametrize("deployed", [False, True])
@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    "case, kind, message",
    [
        ("other key", "key_mismatch", "does not belong"),
        ("encrypted key", "invalid_key", "encrypted"),
        ("no key", "invalid_key", "no private keys"),
        ("missing name", "names_not_covered", "shop.example.com"),
        ("no chain", "untrusted_chain", "Intermediate"),
        ("foreign root", "untrusted_chain", "Root"),
        ("expired", "not_valid_now", "expired at"),
        ("not yet valid", "not_valid_now", "not valid before"),
        ("older", "older_than_deployed", "allow_older"),
        ("empty trust store", "no_trust_store", "no CA certificates"),
    ],
)
def test_refusals_touch_nothing(
    target: Target, case: str, kind: str, message: str, check_mode: bool, deployed: bool
) -> None:
    world = target.world
    if deployed or case == "older":
        target.deploy(world.issue(NAME))
    before = target.tree()
    leaf = world.issue(NAME)
    options: dict[str, t.Any] = {}
    if case == "other key":
        options["private_key"] = pki.key_pem(pki.make_key())
    elif case == "encrypted key":
        options["private_key"] = pki.key_pem(world.key, password="secret")
    elif case == "no key":
        options["private_key"] = "not a key"
    elif case == "missing name":
        options["names"] = [NAME, "shop.example.com"]
    elif case == "no chain":
        options["chain"] = ""
    elif case == "foreign root":
        target.ca_path.write_text(pki.Authority("Elsewhere").pem)
    elif case == "expired":
        leaf = world.issue(NAME, not_before=pki.NOW - 9 * pki.DAY, not_after=pki.NOW - pki.DAY)
    elif case == "not yet valid":
        leaf = world.issue(NAME, not_before=pki.NOW + pki.DAY)
    elif case == "older":
        leaf = world.issue(NAME, not_before=pki.NOW - 3 * pki.DAY)
    else:
        target.ca_path.write_text("")
    error = refused(target, leaf, check_mode=check_mode, **options)
    assert error.kind == kind
    assert message in error.message
    assert error.details["path"] == str(target.path)
    assert (error.details["rolled_back"], error.details["recovered"]) == (False, False)
    assert target.tree() == before


@pytest.mark.parametrize("in_a_file", [True, False])
def test_key_of_another_certificate_is_named(target: Target, in_a_file: bool) -> None:
    other = pki.key_pem(pki.make_key())
    path = target.path.parent / "www.key"
    path.write_text(other)
    given = {"private_key": None, "private_key_path": str(path)} if in_a_file else {"private_key": other}
    message = refused(target, target.world.issue(NAME), **given).message
    assert "The private key in {0} does not belong".format(path if in_a_file else "'private_key'") in message
    assert message.endswith("with which the CSR of this order, or of its last reissue, was made")


def test_older_certificate_names_both(target: Target) -> None:
    deployed = target.world.issue(NAME)
    target.deploy(deployed)
    older = target.world.issue(NAME, not_before=pki.NOW - 3 * pki.DAY)
    message = refused(target, older).message
    assert message.index(pki.serial(older)) < message.index(pki.serial(deployed))


def test_older_certificate_on_purpose(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    older = target.world.issue(NAME, not_before=pki.NOW - 3 * pki.DAY)
    assert target.deploy(older, allow_older=True)["changed"] is True
    assert target.read("cert.pem") == pki.pem(older)


def test_combined_file_for_haproxy(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, files=["combined"])
    assert sorted(os.listdir(target.path / "current")) == ["combined.pem", "version.json"]
    assert target.read("combined.pem") == pki.pem(leaf) + target.world.intermediate.pem + target.world.key_pem
    assert stat.S_IMODE(os.stat(target.path / "current" / "combined.pem").st_mode) == 0o600
    assert target.deploy(leaf, files=["combined"])["changed"] is False


def test_key_file_on_the_target_is_never_changed(target: Target) -> None:
    key = target.path.parent / "server.key"
    key.write_text("# made by hand\n" + target.world.key_pem)
    key.chmod(0o440)
    before = (key.stat(), key.read_bytes())
    leaf = target.world.issue(NAME)
    target.deploy(leaf, private_key=None, private_key_path=str(key))
    assert target.read("privkey.pem") == target.world.key_pem
    assert (key.stat().st_mtime_ns, key.stat().st_mode) == (before[0].st_mtime_ns, before[0].st_mode)
    assert key.read_bytes() == before[1]
    assert target.deploy(leaf, private_key=None, private_key_path=str(key))["changed"] is False
    key.unlink()
    assert refused(target, leaf, private_key=None, private_key_path=str(key)).kind == "invalid_key"


@pytest.mark.parametrize("case", ["file", "files", "current", "link", "elsewhere"])
def test_path_of_somebody_else(target: Target, case: str) -> None:
    if case == "file":
        target.path.write_text("mine")
    elif case == "link":
        target.path.symlink_to(target.path.parent)
    else:
        target.path.mkdir()
        if case == "files":
            (target.path / "cert.pem").write_text("mine")
        elif case == "current":
            (target.path / "current").mkdir()
        else:
            (target.path / "current").symlink_to("/etc")
    before = target.tree()
    assert refused(target, target.world.issue(NAME)).kind == "not_a_lineage"
    assert target.tree() == before


@pytest.mark.parametrize("below", ["foo", "versions/foo", "current/foo", "current/foo/bar"])
def test_path_in_another_lineage(target: Target, below: str) -> None:
    target.deploy(target.world.issue(NAME))
    before = target.tree()
    error = refused(target, target.world.issue(NAME), path=str(target.path / below))
    assert error.kind == "not_a_lineage"
    assert f"{target.path / below} lies in the lineage {target.path};" in error.message
    assert target.tree() == before


def test_files_of_somebody_else_in_a_lineage_are_left_alone(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    (target.path / "README").write_text("mine")
    (target.path / "folder").mkdir()
    target.deploy(target.world.issue(NAME), keep_versions=1)
    assert sorted(os.listdir(target.path)) == [".lock", "README", "current", "folder", "versions"]


def test_path_of_the_link_to_the_current_version(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    for path in (target.path.parent / "link", target.path / "current"):
        if path.name == "link":
            path.symlink_to(target.path)
        error = refused(target, target.world.issue(NAME), path=str(path))
        assert error.kind == "not_a_lineage"
        assert f"{path} is a symbolic link; give the lineage directory itself" in error.message


def test_broken_configuration_before_the_switch(target: Target) -> None:
    target.deploy(target.world.issue(NAME), validate_commands=["true"])
    before = target.tree()
    error = refused(target, target.world.issue(NAME), validate_commands=["sh -c 'echo line 7 >&2; exit 3'"])
    assert error.kind == "validate_failed"
    assert error.details["rc"] == 3
    assert error.details["rolled_back"] is False
    assert "'sh -c echo line 7" in error.message
    assert "before the switch" in error.message and error.message.endswith("line 7")
    assert target.tree() == before


def only_if(target: Target, certificate: t.Any) -> str:
    """A command that succeeds only while the certificate is the current one."""
    return f"grep -q {pki.serial(certificate)} {target.path}/current/version.json"


@pytest.mark.parametrize("step", ["validate", "reload"])
def test_failure_after_the_switch_rolls_back(target: Target, step: str) -> None:
    old, new = target.world.issue(NAME), target.world.issue(NAME)
    target.deploy(old)
    before = target.versions()
    error = refused(target, new, **{step + "_commands": [only_if(target, old)]})
    assert error.kind == step + "_failed"
    assert "(with the new files): it printed nothing" in error.message
    assert (error.details["rolled_back"], error.details["reasons"]) == (True, ["certificate_differs"])
    assert error.details["previous"]["serial_number"] == pki.serial(old)
    assert error.message.endswith(f"Rolled back to version 1-{pki.serial(old)}")
    assert target.read("cert.pem") == pki.pem(old)
    assert target.versions() == before
    assert sorted(os.listdir(target.path)) == [".lock", "current", "versions"]
    assert target.deploy(new)["recovered"] is False


def test_directories_of_all_versions_get_their_group_and_mode_back(target: Target) -> None:
    groups = [12345] if os.geteuid() == 0 else sorted({*os.getgroups()} - {os.getegid()})
    if not groups:
        pytest.skip("not tested: this user can give files to no other group")
    old, new = target.world.issue(NAME), target.world.issue(NAME)
    target.deploy(old)
    shared = [target.path, target.path / "versions"]
    before = [(os.stat(path).st_gid, os.stat(path).st_mode) for path in shared]
    apply = target.host.apply

    def regroup(descriptor: int, kind: str, path: str, like: int | None) -> None:
        apply(descriptor, kind, path, like)
        os.fchown(descriptor, -1, groups[0])

    target.host.apply = regroup  # type: ignore[method-assign]
    target.host.modes["directory"] = 0o750
    error = refused(target, new, reload_commands=[only_if(target, old)])
    assert (error.kind, error.details["rolled_back"]) == ("reload_failed", True)
    assert [(os.stat(path).st_gid, os.stat(path).st_mode) for path in shared] == before


def test_failure_on_the_first_deployment_leaves_nothing(target: Target) -> None:
    error = refused(target, target.world.issue(NAME), reload_commands=[["false"]])
    assert error.kind == "reload_failed"
    assert error.details["rolled_back"] is True
    assert "there was no previous version" in error.message
    assert target.host.commands == [("false",)]  # the service is left alone
    assert not target.path.exists()


def test_rollback_that_fails(target: Target) -> None:
    old = target.world.issue(NAME)
    target.deploy(old)
    error = refused(target, target.world.issue(NAME), reload_commands=["false"])
    assert error.kind == "rollback_failed"
    assert error.details["cause"]["error_kind"] == "reload_failed"
    assert error.message.startswith(error.details["cause"]["msg"])
    assert f"Going back to 1-{pki.serial(old)} failed, too: " in error.message
    assert error.details["rolled_back"] is False
    assert target.read("cert.pem") == pki.pem(old)
    assert read_lineage(str(target.path))["interrupted"] is True
    result = target.deploy(old, reload_commands=["true"])  # the reload is owed
    assert result["reasons"] == ["not_served"]
    assert result["recovered"] is True
    assert read_lineage(str(target.path))["interrupted"] is False


def test_nothing_is_called_recovered_before_it_is(target: Target) -> None:
    old = target.world.issue(NAME)
    target.deploy(old)
    journal = {"state": "switching", "previous": target.versions()[0], "next": target.versions()[0]}
    (target.path / ".journal.json").write_text(json.dumps(journal))
    for check_mode in (True, False):
        error = refused(target, old, private_key=pki.key_pem(pki.make_key()), check_mode=check_mode)
        assert (error.kind, error.details["recovered"]) == ("key_mismatch", False)
    error = refused(target, old, reload_commands=["false"])
    assert (error.kind, error.details["recovered"]) == ("reload_failed", False)
    assert read_lineage(str(target.path))["interrupted"] is True
    assert target.deploy(old, check_mode=True)["recovered"] is True
    assert target.deploy(old)["recovered"] is True


def test_what_was_interrupted_is_recovered_though_the_deployment_fails(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    journal = {"state": "staging", "previous": target.versions()[0], "next": "2-AB"}
    (target.path / ".journal.json").write_text(json.dumps(journal))
    error = refused(target, target.world.issue(NAME), validate_commands=["false"])
    assert (error.kind, error.details["recovered"]) == ("validate_failed", True)
    assert read_lineage(str(target.path))["interrupted"] is False


@pytest.mark.parametrize("lost", [False, True])
def test_current_version_that_cannot_be_verified_gives_way_to_the_last_verified_one(target: Target, lost: bool) -> None:
    """A run was killed after its switch; the next one finds that the service does not take the new files."""
    old, new = target.world.issue(NAME), target.world.issue(NAME)
    target.deploy(old)
    target.deploy(new)
    previous, current = target.versions()
    journal = {"state": "switching", "previous": previous, "next": current}
    (target.path / ".journal.json").write_text(json.dumps(journal))
    if lost:
        shutil.rmtree(target.path / "versions" / previous)
    command = only_if(target, old)
    error = refused(target, new, reload_commands=[command])
    assert (error.kind, error.details["rolled_back"]) == ("reload_failed", True)
    if lost:
        assert "there was no previous version" in error.message
        assert len(target.host.commands) == 1  # the service is left alone
        assert not os.path.lexists(target.path / "current")
        assert (target.versions(), read_lineage(str(target.path))["interrupted"]) == ([], False)
        return
    assert error.message.endswith("Rolled back to version " + previous)
    assert len(target.host.commands) == 2  # the service has read the new files
    assert target.read("cert.pem") == pki.pem(old)
    assert (target.versions(), read_lineage(str(target.path))["interrupted"]) == ([previous], False)


@pytest.mark.parametrize("check_mode", [True, False])
def test_directory_that_cannot_be_made_is_named(target: Target, check_mode: bool) -> None:
    path = target.path.parent / "file" / "lineage"
    path.parent.write_text("mine")
    error = refused(target, target.world.issue(NAME), path=str(path), check_mode=check_mode)
    assert error.kind == "write_failed"
    assert f"{path}: Not a directory" in error.message


@pytest.mark.parametrize("case", ["first", "lineage", "versions"])
def test_check_mode_fails_for_a_directory_that_cannot_be_written(
    target: Target, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case != "first":
        target.deploy(target.world.issue(NAME))
    path = target.path / "below" / "it" if case == "first" else target.path
    locked = {"first": target.path, "lineage": target.path, "versions": target.path / "versions"}[case]
    locked.mkdir(exist_ok=True)
    locked.chmod(0o555)
    if os.geteuid() == 0:  # who may write everywhere; answer as for somebody else
        monkeypatch.setattr(os, "access", lambda path, _mode: str(path) != str(locked))
    error = refused(target, target.world.issue(NAME), path=str(path), check_mode=True)
    locked.chmod(0o755)
    assert error.kind == "write_failed"
    assert f"{locked}: Permission denied" in error.message


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    "option, kind", [("validate_commands", "validate_failed"), ("reload_commands", "reload_failed")]
)
def test_command_that_is_not_there(target: Target, option: str, kind: str, check_mode: bool) -> None:
    commands = {option: [["/nonexistent/reload", "now"]]}
    if check_mode:  # before a first deployment, the task that installs the service was left out as well
        assert target.deploy(target.world.issue(NAME), check_mode=True, **commands)["changed"]
        target.deploy(target.world.issue(NAME))
    error = refused(target, target.world.issue(NAME), check_mode=check_mode, **commands)
    assert error.kind == kind
    assert "/nonexistent/reload now" in error.message
    assert target.path.exists() is check_mode


def test_check_mode_looks_for_nothing_where_nothing_is_to_do(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    result = target.deploy(leaf, check_mode=True, reload_commands=[["/nonexistent/reload"]])
    assert result["changed"] is False


@pytest.mark.parametrize("command", ["systemctl 'reload", "", []])
def test_command_that_is_none(target: Target, command: t.Any) -> None:
    assert refused(target, target.world.issue(NAME), validate_commands=[command]).kind == "invalid_request"
    assert not target.path.exists()


def test_commands_are_run_without_a_shell(target: Target) -> None:
    marker = target.path.parent / "made by a shell"
    target.deploy(target.world.issue(NAME), reload_commands=["echo 'one two' '$HOME'", ["echo", ">", str(marker)]])
    assert target.host.commands == [("echo", "one two", "$HOME"), ("echo", ">", str(marker))]
    assert not marker.exists()


@pytest.mark.parametrize(
    "command",
    [
        "nginx -t && true",
        "a || b",
        "a | b",
        "a ; b",
        "a &",
        "a > b",
        "a >> b",
        "a < b",
        "a 2>&1",
        "a >/b",
        "a &>/dev/null",
        "nginx -s reload; echo hi",
        "a;b",
        "a|b",
        "a& b",
        "a>/b",
        "a 'b'>c",
        "(a)",
        "$HOME/x",
        'a "$HOME/x"',
        "a ${HOME}",
        "a $(b)",
        "a `b`",
        'a "`b`"',
        "~/x",
        "a ~root/x",
        "a /etc/*.conf",
        "a /etc/?.conf",
        "a /etc/[ab].conf",
        "a /etc/{b,c}",
        "a # because",
        "a\nb",
        "a \\\n b",
        "A=b c",
    ],
)
@pytest.mark.parametrize("option", ["validate_commands", "reload_commands"])
def test_commands_that_need_a_shell(target: Target, option: str, command: str) -> None:
    error = refused(target, target.world.issue(NAME), **{option: ["true", command]})
    assert error.kind == "invalid_request"
    assert f"in an item of '{option}' would be a word like any other, since no shell is used" in error.message
    assert not target.path.exists()


def test_commands_with_signs_inside_words(target: Target) -> None:
    target.deploy(target.world.issue(NAME), reload_commands=["true 'a && b' 'x?a=1&b=2' 'a;b' '->' '<a>'"])
    assert target.host.commands == [("true", "a && b", "x?a=1&b=2", "a;b", "->", "<a>")]


@pytest.mark.parametrize(
    "command, words",
    [
        ("true ';' \"a|b\" a\\;b", ["true", ";", "a|b", "a;b"]),
        ("true '$HOME/x' '~/x' '`a`' '*'", ["true", "$HOME/x", "~/x", "`a`", "*"]),
        ("true a~ b#c foo$ a$/b 100%", ["true", "a~", "b#c", "foo$", "a$/b", "100%"]),
        ("true php*-fpm nginx@[1] https://localhost/?a=1", ["true", "php*-fpm", "nginx@[1]", "https://localhost/?a=1"]),
        ("true {} --a=b {a}", ["true", "{}", "--a=b", "{a}"]),
        ("true a\n", ["true", "a"]),
        (["true", "a;b", "$HOME", "~/x", "/*"], ["true", "a;b", "$HOME", "~/x", "/*"]),
    ],
)
def test_commands_that_need_no_shell(target: Target, command: t.Any, words: list[str]) -> None:
    target.deploy(target.world.issue(NAME), reload_commands=[command])
    assert target.host.commands == [tuple(words)]


def test_private_key_in_the_output_of_a_command(target: Target) -> None:
    script = f"cat {target.path}/current/privkey.pem; exit 1"
    error = refused(target, target.world.issue(NAME), validate_commands=[["sh", "-c", script]])
    assert "(a private key)" in error.message
    assert target.world.key_pem.splitlines()[2] not in repr((error.message, error.details))


def test_placeholder_and_its_replacement(target: Target) -> None:
    options = {"placeholder": True, "names": [NAME, "192.0.2.7", "*.example.org"]}
    result = target.deploy(**options)
    assert result["reasons"] == ["absent"]
    assert result["placeholder"] is True
    assert sorted(result["names"]) == sorted(options["names"])
    found = read_lineage(str(target.path))
    assert found["placeholder"] is True
    assert found["serial_number"] == result["serial_number"]
    before = target.tree()
    assert target.deploy(**options)["changed"] is False
    assert target.tree() == before
    assert target.deploy(placeholder=True, names=[NAME])["reasons"] == ["certificate_differs"]

    leaf = target.world.issue(NAME, not_before=pki.NOW - 30 * pki.DAY)
    result = target.deploy(leaf)
    assert result["changed"] is True
    assert result["previous"]["placeholder"] is True
    assert read_lineage(str(target.path))["placeholder"] is False
    before = target.tree()
    result = target.deploy(**options)
    assert result["changed"] is False
    assert result["serial_number"] == pki.serial(leaf)
    assert target.tree() == before


@pytest.mark.parametrize("files", [["fullchain", "privkey"], ["combined"]])
def test_placeholder_finds_the_real_certificate_in_whatever_file_has_it(target: Target, files: list[str]) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf, files=files)
    kept = target.deploy(placeholder=True, files=files)
    assert (kept["changed"], kept["serial_number"], kept["placeholder"]) == (False, pki.serial(leaf), False)


@pytest.mark.parametrize("damaged", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_placeholder_finds_the_real_certificate_beside_a_damaged_file(target: Target, damaged: str) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    (target.path / "current" / "cert.pem").write_text(damaged)
    kept = target.deploy(placeholder=True)
    assert (kept["changed"], kept["serial_number"]) == (False, pki.serial(leaf))


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_placeholder_for_other_kinds_of_keys(target: Target, kind: str) -> None:
    key = pki.key_pem(pki.make_key(kind))
    assert target.deploy(placeholder=True, private_key=key)["placeholder"] is True
    assert refused(target, placeholder=True, private_key=pki.key_pem(pki.make_key(kind), "x")).kind == "invalid_key"


def test_placeholder_without_openssl(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(target.path.parent))
    error = refused(target, placeholder=True)
    assert error.kind == "write_failed"
    assert "openssl" in error.message
    assert not target.path.exists()


@pytest.mark.parametrize("record", [None, "", "[]", '{"format": 1}'])
def test_damaged_record(target: Target, record: str | None) -> None:
    """It is written anew; until then nothing is known, so a placeholder does not take the place either."""
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    path = target.path / "current" / "version.json"
    path.unlink()
    if record is not None:
        path.write_text(record)
    assert read_lineage(str(target.path))["serial_number"] == pki.serial(leaf)
    kept = target.deploy(placeholder=True)
    assert (kept["changed"], kept["serial_number"]) == (False, pki.serial(leaf))
    result = target.deploy(leaf)
    assert "certificate_differs" in result["reasons"]
    assert target.deploy(leaf)["changed"] is False


@pytest.mark.parametrize("journal", ["", "{}", '{"state": "switching"}'])
def test_damaged_journal(target: Target, journal: str) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    (target.path / ".journal.json").write_text(journal)
    assert read_lineage(str(target.path))["interrupted"] is True
    result = target.deploy(leaf, reload_commands=["true"])
    assert (result["reasons"], result["recovered"]) == (["not_served"], True)
    assert target.host.commands == [("true",)]
    assert target.deploy(leaf)["changed"] is False


def test_link_to_a_version_that_is_gone(target: Target) -> None:
    leaf = target.world.issue(NAME)
    target.deploy(leaf)
    shutil.rmtree(target.path / "versions" / ("1-" + pki.serial(leaf)))
    assert read_lineage(str(target.path))["exists"] is False
    assert target.deploy(leaf)["reasons"] == ["absent"]
    assert target.read("cert.pem") == pki.pem(leaf)


def test_versions_that_somebody_else_put_there_are_left_alone(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    notes = target.path / "versions" / "notes.txt"
    notes.write_text("mine")
    (target.path / "README").write_text("mine")
    target.deploy(target.world.issue(NAME), keep_versions=1)
    assert notes.read_text() == (target.path / "README").read_text() == "mine"
    assert len(target.versions()) == 2


def test_certificate_with_its_chain_in_one_text(target: Target) -> None:
    leaf = target.world.issue(NAME)
    both = pki.pem(leaf) + target.world.intermediate.pem
    assert deployment.deploy(target.options(leaf), target.host)["changed"] is True
    options = dict(target.options(leaf), certificate=both)
    for chain in (None, both):
        assert deployment.deploy(dict(options, chain=chain), target.host)["changed"] is False


def test_lineage_of_another_run(target: Target) -> None:
    target.deploy(target.world.issue(NAME))
    held = os.open(target.path / ".lock", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        error = refused(target, target.world.issue(NAME), lock_timeout=0.2)
    finally:
        os.close(held)
    assert error.kind == "locked"
    assert "for 0.2 s" in error.message


@pytest.mark.parametrize("timeout", [-1, float("nan"), float("inf")])
def test_lock_timeout_that_is_none(target: Target, timeout: float) -> None:
    error = refused(target, target.world.issue(NAME), lock_timeout=timeout)
    assert error.kind == "invalid_request"
    assert "'lock_timeout'" in error.message


def test_information(target: Target) -> None:
    assert read_lineage(str(target.path)) == {
        "exists": False,
        "placeholder": False,
        "serial_number": None,
        "fingerprint_sha256": None,
        "not_before": None,
        "not_after": None,
        "names": [],
        "certificate": None,
        "chain": None,
        "interrupted": False,
        "verified": None,
        "pending": None,
    }
    leaf = target.world.issue(NAME, "example.com")
    target.deploy(leaf)
    found = read_lineage(str(target.path))
    assert found["exists"] is True
    assert found["serial_number"] == pki.serial(leaf)
    assert found["not_after"] == (pki.NOW + 90 * pki.DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found["names"] == [NAME, "example.com"]
    assert found["certificate"] == pki.pem(leaf)
    assert found["chain"] == target.world.intermediate.pem
    assert found["interrupted"] is False
    assert found["verified"] == {"serial_number": found["serial_number"], "not_before": found["not_before"]}
