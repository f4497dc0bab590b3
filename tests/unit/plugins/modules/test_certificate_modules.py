# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules certificate_deploy and certificate_info, run as Ansible runs them."""

from __future__ import annotations

import contextlib
import errno
import grp
import json
import os
import pathlib
import stat
import struct
import typing as t
from unittest import mock

import pytest
import yaml
from ansible.module_utils import basic
from cryptography.hazmat.primitives import serialization

from ansible_collections.certops.issuance.plugins.module_utils._deployment import private_key
from ansible_collections.certops.issuance.plugins.module_utils._deployment.errors import WriteFailed
from ansible_collections.certops.issuance.plugins.module_utils._deployment.host import AnsibleHost
from ansible_collections.certops.issuance.plugins.modules import (
    certificate_deploy,
    certificate_info,
    certificate_request,
)
from ansible_collections.certops.issuance.tests.unit.plugins.module_utils._deployment import pki

NAME = "www.example.com"
PEM = "-----BEGIN CERTIFICATE-----\n{0}\n-----END CERTIFICATE-----\n"


@contextlib.contextmanager
def arguments(given: dict[str, t.Any]) -> t.Iterator[None]:
    """Hand arguments to modules, also on an ansible-core that has no helper for that."""
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:
        payload = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
        with mock.patch.object(basic, "_ANSIBLE_ARGS", payload):
            yield
    else:
        with patch_module_args(given):
            yield


@pytest.fixture(scope="module")
def world() -> pki.World:
    return pki.World()


@pytest.fixture
def options(tmp_path: pathlib.Path, world: pki.World) -> dict[str, t.Any]:
    (tmp_path / "root.pem").write_text(world.root.pem)
    return {
        "path": str(tmp_path / "lineage"),
        "certificate": pki.pem(world.issue(NAME)),
        "chain": world.intermediate.pem,
        "private_key": world.key_pem,
        "ca_path": str(tmp_path / "root.pem"),
        "names": [NAME],
    }


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> t.Callable[..., dict[str, t.Any]]:
    def run_module(module: t.Any, given: dict[str, t.Any], **internal: t.Any) -> dict[str, t.Any]:
        capsys.readouterr()
        all_given = dict(given, **{"_ansible_" + key: value for key, value in internal.items()})
        with arguments(all_given), pytest.raises(SystemExit):
            module.main()
        printed = capsys.readouterr().out
        result: dict[str, t.Any] = json.loads(printed)
        assert "PRIVATE KEY" not in printed
        for line in given.get("private_key", "").splitlines()[1:2]:
            assert line not in printed
        return result

    return run_module


def test_deploy_and_read_back(run: t.Any, options: dict[str, t.Any]) -> None:
    result = run(certificate_deploy, options, diff=True, verbosity=4)
    assert (result["changed"], result["reasons"]) == (True, ["absent"])
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["serial_number"] == result["serial_number"]
    assert result["diff"]["after"]["reasons"] == ["absent"]
    again = run(certificate_deploy, options, diff=True, verbosity=4)
    assert (again["changed"], again["reasons"]) == (False, [])
    found = run(certificate_info, {"path": options["path"]})
    assert found["serial_number"] == result["serial_number"]
    assert found["certificate"] == options["certificate"]
    assert found["changed"] is False


def test_password_of_the_keystore_is_shown_nowhere(
    run: t.Any, options: dict[str, t.Any], tmp_path: pathlib.Path
) -> None:
    configuration = tmp_path / "server.xml"
    configuration.write_text('certificateKeystorePassword="correct horse"')
    options.update(files=["fullchain", "pkcs12"], pkcs12_password="correct horse")
    prints_it = [["sh", "-c", f"cat {configuration} {options['path']}/current/version.json; exit 3"]]
    failed = run(certificate_deploy, dict(options, reload_commands=prints_it), diff=True, verbosity=4)
    assert "certificateKeystorePassword" in failed["msg"]
    done = run(certificate_deploy, options, diff=True, verbosity=4)
    refused = run(certificate_deploy, dict(options, pkcs12_password="correct horse\nbattery"), diff=True, verbosity=4)
    assert (done["reasons"], refused["error_kind"]) == (["absent"], "invalid_request")
    assert "correct horse" not in json.dumps([failed, done, refused])


@pytest.mark.parametrize(
    "case", ["changed", "unchanged", "refused", "check mode", "not valid", "other name", "no rollback", "bad option"]
)
def test_nothing_is_returned_that_is_not_documented(
    run: t.Any, options: dict[str, t.Any], world: pki.World, case: str
) -> None:
    documented = set(yaml.safe_load(certificate_deploy.RETURN)) | {"changed", "failed", "msg", "invocation"}
    if case != "changed":
        run(certificate_deploy, options)
    if case == "refused":
        options["private_key"] = pki.key_pem(pki.make_key())
    elif case == "not valid":
        options["certificate"] = pki.pem(world.issue(NAME, not_before=pki.NOW + pki.DAY))
    elif case == "other name":
        options["names"] = ["shop.example.com"]
    elif case == "no rollback":
        options.update(certificate=pki.pem(world.issue(NAME)), reload_commands=["false"])
    elif case == "bad option":
        options["trust"] = "nobody"
    result = run(certificate_deploy, options, check_mode=case == "check mode")
    assert set(result) <= documented
    assert {"rolled_back", "recovered"} <= set(result)
    assert result.get("rc") == (1 if case == "no rollback" else None)
    assert "path" in result or case == "bad option"


def test_interrupted_deployment(run: t.Any, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _module, text: warnings.append(text))
    result = run(certificate_deploy, options)
    assert "diff" not in result
    journal = {"state": "switching", "previous": None, "next": "1-" + result["serial_number"]}
    pathlib.Path(options["path"], ".journal.json").write_text(json.dumps(journal))
    assert run(certificate_info, {"path": options["path"]})["interrupted"] is True
    assert run(certificate_deploy, options, check_mode=True)["recovered"] is True
    assert warnings == []
    result = run(certificate_deploy, options)
    assert (result["recovered"], result["reasons"]) == (True, ["not_served"])
    assert len(warnings) == 1 and "interrupted" in warnings[0]
    assert run(certificate_info, {"path": options["path"]})["interrupted"] is False


def test_what_an_interrupted_deployment_has_switched_to_is_not_verified(
    run: t.Any, options: dict[str, t.Any], world: pki.World
) -> None:
    def verified() -> t.Any:
        return run(certificate_info, {"path": options["path"]})["verified"]

    assert verified() is None
    first = run(certificate_deploy, options)
    described = {name: first[name] for name in ("serial_number", "not_before")}
    assert verified() == described
    second = run(certificate_deploy, dict(options, certificate=pki.pem(world.issue(NAME)), allow_older=True))
    assert verified()["serial_number"] == second["serial_number"] != first["serial_number"]
    current = os.path.basename(os.readlink(os.path.join(options["path"], "current")))
    previous = next(path.name for path in pathlib.Path(options["path"], "versions").iterdir() if path.name != current)
    for state, before, expected in [
        ("switching", previous, first["serial_number"]),
        ("committing", previous, second["serial_number"]),
        ("switching", None, None),
    ]:
        journal = {"state": state, "previous": before, "next": current}
        pathlib.Path(options["path"], ".journal.json").write_text(json.dumps(journal))
        assert (verified() or {"serial_number": None})["serial_number"] == expected


def test_check_mode(run: t.Any, options: dict[str, t.Any]) -> None:
    result = run(certificate_deploy, options, check_mode=True)
    assert (result["changed"], result["reasons"]) == (True, ["absent"])
    assert not os.path.exists(options["path"])
    assert run(certificate_info, {"path": options["path"]}, check_mode=True)["exists"] is False


def test_refusal(run: t.Any, options: dict[str, t.Any]) -> None:
    result = run(certificate_deploy, dict(options, private_key=pki.key_pem(pki.make_key())))
    assert result["failed"] is True
    assert result["error_kind"] == "key_mismatch"
    assert result["rolled_back"] is False
    assert NAME in result["msg"]


def test_modes_and_group(run: t.Any, options: dict[str, t.Any]) -> None:
    group = grp.getgrgid(os.getgroups()[0] if os.getgroups() else os.getgid())
    requested = dict(options, mode="u=rw,g=r,o=", key_mode="0640", dir_mode="0750", group=group.gr_name)
    run(certificate_deploy, requested)
    found = {
        name: stat.S_IMODE(os.stat(os.path.join(options["path"], name)).st_mode)
        for name in ("", "versions", "current/", "current/cert.pem", "current/privkey.pem", "current/version.json")
    }
    assert found == {
        "": 0o750,
        "versions": 0o750,
        "current/": 0o750,
        "current/cert.pem": 0o640,
        "current/privkey.pem": 0o640,
        "current/version.json": 0o640,
    }
    assert os.stat(os.path.join(options["path"], "current/privkey.pem")).st_gid == group.gr_gid
    assert run(certificate_deploy, requested)["changed"] is False
    result = run(certificate_deploy, dict(requested, key_mode="0600"))
    assert result["reasons"] == ["attributes_differ"]
    assert stat.S_IMODE(os.stat(os.path.join(options["path"], "current/privkey.pem")).st_mode) == 0o600


@pytest.mark.parametrize(
    "option, given, message",
    [
        ("key_mode", 600, "'key_mode' is 600, that is --x-wx--T, and nobody but its owner may write or execute"),
        ("key_mode", 600, "; write it in quotes, '0600'"),
        ("key_mode", "4600", "that is rwS------, which cannot be meant"),
        ("key_mode", 640, "in quotes, '0640'"),
        ("key_mode", 400, "in quotes, '0400'"),
        ("key_mode", "0660", "nobody but its owner may write or execute a private key"),
        ("key_mode", "u=rw,g=rx", "nobody but its owner"),
        ("key_mode", "0666", "nobody but its owner"),
        ("key_mode", "rw", "'key_mode' is 'rw'; give an octal number in quotes"),
        ("mode", 644, "'mode' is 644, that is -w----r-T, which cannot be meant; write it in quotes, '0644'"),
        ("mode", 640, "in quotes, '0640'"),
        ("mode", 444, "in quotes, '0444'"),
        ("mode", "1644", "that is rw-r--r-T, which cannot be meant"),
        ("mode", "0999", "give an octal number"),
        ("mode", "100644", "give an octal number"),
        ("mode", ["0644"], "give an octal number"),
        ("dir_mode", 755, "in quotes, '0755'"),
        ("dir_mode", 750, "in quotes, '0750'"),
        ("dir_mode", 700, "in quotes, '0700'"),
        ("dir_mode", "0777", "rwxrwxrwx, which lets every user of the target replace the private key"),
        ("owner", "-1", "no such user"),
        ("group", "4294967295", "no such group"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_attributes_that_cannot_be_meant(
    run: t.Any, options: dict[str, t.Any], option: str, given: t.Any, message: str, check_mode: bool
) -> None:
    result = run(certificate_deploy, dict(options, **{option: given}), check_mode=check_mode)
    assert (result["failed"], result["error_kind"]) == (True, "invalid_request")
    assert message in result["msg"]
    assert not os.path.exists(options["path"])


@pytest.mark.parametrize("deployed", [False, True])
@pytest.mark.parametrize("option, what", [("owner", "user"), ("group", "group")])
def test_owner_and_group_that_are_not_there(
    run: t.Any, options: dict[str, t.Any], option: str, what: str, deployed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier task may make them, so that check mode passes."""
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _module, text: warnings.append(text))
    options = dict(options, reload_commands=["true"])
    if deployed:
        run(certificate_deploy, options)
    requested = dict(options, **{option: "nobody-yet"})
    result = run(certificate_deploy, requested, check_mode=True)
    assert (result["changed"], result["reasons"]) == (True, ["attributes_differ" if deployed else "absent"])
    assert warnings == [
        f"'{option}' is 'nobody-yet', and the target has no such {what} yet; the deployment would need it"
    ]
    result = run(certificate_deploy, requested)
    assert (result["failed"], result["error_kind"]) == (True, "invalid_request")
    assert result["msg"] == f"'{option}' is 'nobody-yet', and the target has no such {what}"


@pytest.mark.parametrize(
    "option, given, expected",
    [
        ("key_mode", 0o600, 0o600),
        ("key_mode", "600", 0o600),
        ("key_mode", "u=r", 0o400),
        ("key_mode", "g+r", 0o640),
        ("key_mode", "u=rw,g=r,o=", 0o640),
        ("key_mode", None, 0o600),
        ("mode", 0o640, 0o640),
        ("mode", "0444", 0o444),
        ("mode", "a=r,u+w", 0o644),
        ("dir_mode", 0o750, 0o750),
        ("dir_mode", "2750", 0o2750),
        ("dir_mode", "u=rwx,g=rx,o=", 0o750),
        ("owner", str(os.geteuid()), None),
        ("group", str(os.getegid()), None),
    ],
)
def test_attributes_as_ansible_takes_them(
    run: t.Any, options: dict[str, t.Any], option: str, given: t.Any, expected: int | None
) -> None:
    requested = dict(options, **{option: given})
    assert run(certificate_deploy, requested)["changed"] is True
    name = {"mode": "current/cert.pem", "key_mode": "current/privkey.pem"}.get(option, "versions")
    found = stat.S_IMODE(os.stat(os.path.join(options["path"], name)).st_mode)
    assert expected in (None, found)
    assert run(certificate_deploy, requested)["changed"] is False


def access_list(mode: int, named: int, mask: int) -> bytes:
    """The extended attribute of a list that gives the user 12345 the permissions."""
    owner, group, others = mode >> 6, mode >> 3 & 7, mode & 7
    entries = [(0x01, owner, -1), (0x02, named, 12345), (0x04, group, -1), (0x10, mask, -1), (0x20, others, -1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)


ACL = "system.posix_acl_access"


@pytest.fixture
def lists(options: dict[str, t.Any]) -> None:
    """Skips where the file system knows no access control lists."""
    folder = os.path.dirname(options["path"])
    try:
        os.setxattr(folder, ACL, access_list(0o700, 0, 0))
        os.removexattr(folder, ACL)
    except (AttributeError, OSError) as exc:
        pytest.skip(f"no access control lists here: {exc}")


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize("key_mode", ["0600", "0640"])
def test_access_control_list_is_kept(run: t.Any, options: dict[str, t.Any], world: pki.World, key_mode: str) -> None:
    options = dict(options, key_mode=key_mode)
    run(certificate_deploy, options)
    given = {
        "current/privkey.pem": access_list(int(key_mode, 8), 0o4, 0o4),
        "current": access_list(0o755, 0o5, 0o5),
        "versions": access_list(0o755, 0o5, 0o5),
    }
    for name, content in given.items():
        os.setxattr(os.path.join(options["path"], name), ACL, content)
    assert run(certificate_deploy, options)["changed"] is False
    renewal = dict(options, certificate=pki.pem(world.issue(NAME)))
    assert run(certificate_deploy, renewal)["reasons"] == ["certificate_differs"]
    for name, content in given.items():
        assert os.getxattr(os.path.join(options["path"], name), ACL) == content
    assert run(certificate_deploy, renewal)["changed"] is False
    other_mode = {"0600": "0640", "0640": "0600"}[key_mode]
    assert run(certificate_deploy, dict(renewal, key_mode=other_mode))["reasons"] == ["attributes_differ"]
    found = os.getxattr(os.path.join(options["path"], "current/privkey.pem"), ACL)
    assert found == access_list(int(other_mode, 8), 0o4, 0o4)
    assert run(certificate_deploy, dict(renewal, key_mode=other_mode))["changed"] is False


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize("name, mode", [("current/privkey.pem", 0o600), ("versions", 0o755), ("", 0o755)])
def test_access_control_list_that_lets_others_write_is_not_kept(
    run: t.Any, options: dict[str, t.Any], name: str, mode: int
) -> None:
    run(certificate_deploy, options)
    path = os.path.join(options["path"], name)
    os.setxattr(path, ACL, access_list(mode, 0o7, 0o7))
    assert run(certificate_deploy, options)["reasons"] == ["attributes_differ"]
    assert not os.stat(path).st_mode & 0o020
    assert run(certificate_deploy, options)["changed"] is False


@pytest.mark.usefixtures("lists")
def test_default_access_control_list_of_a_directory(run: t.Any, options: dict[str, t.Any]) -> None:
    """New files and directories inherit it; they have the requested modes all the same."""
    os.setxattr(os.path.dirname(options["path"]), "system.posix_acl_default", access_list(0o744, 0o4, 0o7))
    options = dict(options, key_mode="0640")
    assert run(certificate_deploy, options)["changed"] is True
    assert stat.S_IMODE(os.stat(os.path.join(options["path"], "current/privkey.pem")).st_mode) == 0o640
    assert stat.S_IMODE(os.stat(os.path.join(options["path"], "versions")).st_mode) == 0o755
    assert run(certificate_deploy, options)["changed"] is False


def test_key_for_everybody(run: t.Any, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _module, text: warnings.append(text))
    run(certificate_deploy, dict(options, key_mode="0640"))
    assert warnings == []
    assert run(certificate_deploy, dict(options, key_mode="0644"))["changed"] is True
    assert warnings == ["'key_mode' '0644' lets every user of the target read the private key"]


def test_attributes_that_cannot_be_set_are_undone(
    run: t.Any, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    result = run(certificate_deploy, dict(options, owner="12345"))
    assert result["error_kind"] == "write_failed"
    assert "Setting 'owner' '12345', 'mode' '0644' of " in result["msg"]
    assert "failed: Operation not permitted" in result["msg"]
    assert not os.path.exists(options["path"])
    run(certificate_deploy, options)
    result = run(certificate_deploy, dict(options, group="12345"))
    assert result["error_kind"] == "write_failed"
    assert "Setting 'group' '12345', 'mode' '0644' of " in result["msg"]
    assert sorted(os.listdir(options["path"])) == [".lock", "current", "versions"]
    assert run(certificate_deploy, options)["changed"] is False


@pytest.mark.parametrize(
    "change, message",
    [
        ({"path": None}, "path"),
        ({"private_key": None}, "private_key"),
        ({"private_key_path": "/etc/hosts"}, "mutually exclusive"),
        ({"certificate": None}, "certificate"),
        ({"placeholder": True, "names": None}, "names"),
        ({"trust": "ca_path", "ca_path": None}, "ca_path"),
        ({"files": ["key"]}, "files"),
        ({"probes": [{"port": 25, "starttls": "gopher"}]}, "starttls"),
        ({"files": []}, "'files' needs"),
        ({"files": ["chain", "privkey"]}, "'files' needs"),
        ({"command_timeout": 0}, "command_timeout"),
        ({"command_timeout": "nan"}, "command_timeout"),
        ({"certificate": " "}, "'certificate' is empty"),
        (
            {"certificate": "/etc/ssl/www.pem"},
            "'certificate' looks like a path; give the path of a file on the target as 'certificate_path'",
        ),
        ({"certificate": "files/www.crt\n"}, "'certificate' looks like a path"),
        ({"certificate": "MIIB"}, "'certificate' holds no certificate in PEM"),
        ({"certificate": PEM.format("!")}, "'certificate' cannot be read: "),
        ({"certificate": PEM.format("MAA=")}, "'certificate' cannot be read: "),
        ({"certificate": [PEM.format("MAA=")]}, "'certificate' is a list; give one text"),
        ({"chain": [PEM.format("MAA="), PEM.format("MAA=")]}, "'chain' is a list; give one text"),
        ({"chain": "~/chain.pem"}, "'chain' looks like a path"),
        ({"chain": PEM.format("MAA=")}, "'chain' cannot be read: "),
        ({"private_key": "/etc/ssl/www.key"}, "'private_key' looks like a path; "),
        ({"names": ["fe80::1%eth0\nDNS:evil.example"]}, "is expected, but is no DNS name and no IP address"),
        ({"names": ["https://www.example.com"]}, "'https://www.example.com' is expected, but is no DNS name"),
        ({"probes": [{"host": "https://localhost"}]}, "'https://localhost' in 'probes' is no host name and no address"),
        ({"probes": [{"host": "localhost:443"}]}, "'localhost:443' in 'probes' is no host name"),
        ({"probes": [{"host": "[::1]"}]}, "'[::1]' in 'probes' is no host name"),
        ({"probes": [{"host": ""}]}, "'' in 'probes' is no host name"),
        ({"probes": [{"host": "*.example.com"}]}, "'*.example.com' in 'probes' is no host name"),
        ({"probes": [{"port": 0}]}, "The port 0 in 'probes' is no TCP port"),
        ({"probes": [{"port": 65536}]}, "The port 65536"),
        ({"probes": [{"server_name": "https://www.example.com"}]}, "is no DNS name"),
        ({"probe_timeout": "inf"}, "'probe_timeout' is inf"),
        ({"validate_commands": ["systemctl 'reload"]}, "An item of 'validate_commands' is no command"),
        ({"reload_commands": [""]}, "An item of 'reload_commands' is empty"),
    ],
)
def test_arguments_that_do_not_fit(run: t.Any, options: dict[str, t.Any], change: t.Any, message: str) -> None:
    given = {key: value for key, value in dict(options, **change).items() if value is not None}
    result = run(certificate_deploy, given)
    assert (result["failed"], result["error_kind"]) == (True, "invalid_request")
    assert message in result["msg"]


@pytest.mark.parametrize("option", ["path", "private_key_path", "ca_path"])
@pytest.mark.parametrize("path", ["", "here/www.example.com", "./x", "~no-such-user/x"])
def test_paths_are_absolute(
    run: t.Any, options: dict[str, t.Any], option: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pathlib.Path(options["ca_path"]).parent
    monkeypatch.chdir(folder)
    given = {key: value for key, value in options.items() if key != "private_key"}
    given = dict(given, **{"private_key_path": str(folder / "key.pem"), option: path})
    (folder / "key.pem").write_text(options["private_key"])
    before = sorted(folder.rglob("*"))
    for module in [certificate_deploy] + [certificate_info] * (option == "path"):
        result = run(module, given if module is certificate_deploy else {"path": path})
        assert result["error_kind"] == "invalid_request"
        assert f"'{option}' is {path!r}; give an absolute path" in result["msg"]
    assert sorted(folder.rglob("*")) == before


def test_path_below_the_home_of_the_user(
    run: t.Any, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(certificate_deploy, dict(options, path="~/lineage/"))["path"] == options["path"]


def test_line_breaks_that_yaml_has_taken(run: t.Any, options: dict[str, t.Any]) -> None:
    for option, kind in [
        ("certificate", "invalid_request"),
        ("chain", "invalid_request"),
        ("private_key", "invalid_key"),
    ]:
        folded = yaml.safe_load("key: >\n" + "".join("  " + line + "\n" for line in options[option].splitlines()))[
            "key"
        ]
        result = run(certificate_deploy, dict(options, **{option: folded}))
        assert (result["error_kind"], option in result["msg"]) == (kind, True)
        assert "its line breaks are missing; write it with | in YAML" in result["msg"]
        assert options[option].splitlines()[1] not in result["msg"]


def test_certificate_that_is_cut_off(run: t.Any, options: dict[str, t.Any]) -> None:
    result = run(certificate_deploy, dict(options, certificate=PEM.format("")))
    assert (result["error_kind"], result["msg"]) == (
        "invalid_request",
        "'certificate' cannot be read: this is no X.509 certificate: it ends too early",
    )


def test_key_that_cannot_be_read(run: t.Any, options: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given = {key: value for key, value in options.items() if key != "private_key"}
    given["private_key_path"] = options["path"] + "/none.pem"
    message = "The private key {0} cannot be read: ".format(given["private_key_path"])
    result = run(certificate_deploy, given)
    assert result["error_kind"] == "invalid_key"
    assert result["msg"] == message + "No such file or directory. It is looked for on the target"

    folder = dict(given, private_key_path=str(pathlib.Path(options["ca_path"]).parent))
    assert run(certificate_deploy, folder)["msg"].endswith(" cannot be read: Is a directory")

    os.mkfifo(pathlib.Path(options["ca_path"]).with_name("fifo"))
    for path in (pathlib.Path(options["ca_path"]).with_name("fifo"), "/dev/zero"):
        found = run(certificate_deploy, dict(given, private_key_path=str(path)))
        assert (found["error_kind"], found["msg"].endswith("it is no regular file, or too large")) == (
            "invalid_key",
            True,
        )

    def refuse(path: t.Any) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(private_key, "read_file", refuse)
    assert run(certificate_deploy, given)["msg"] == message + "Permission denied; is 'become' needed?"


def test_a_lineage_must_be_named(run: t.Any) -> None:
    result = run(certificate_info, {})
    assert (result["error_kind"], result["msg"]) == ("invalid_request", "missing required arguments: path")


def test_reload_that_hangs_is_undone(run: t.Any, options: dict[str, t.Any], world: pki.World) -> None:
    deployed = run(certificate_deploy, options)
    hangs = "case $(readlink {0}/current) in */2-*) sleep 600;; esac".format(options["path"])
    renewal = dict(options, certificate=pki.pem(world.issue(NAME)), reload_commands=[["sh", "-c", hangs]])
    result = run(certificate_deploy, dict(renewal, command_timeout=1))
    assert (result["error_kind"], result["rolled_back"]) == ("reload_failed", True)
    assert "did not end within 'command_timeout'" in result["msg"]
    assert run(certificate_info, {"path": options["path"]})["serial_number"] == deployed["serial_number"]
    missing = dict(options, certificate=pki.pem(world.issue(NAME)), reload_commands=["sytsemctl reload nginx"])
    assert "there is no program" in run(certificate_deploy, missing)["msg"]


def test_information_about_what_is_no_lineage(run: t.Any, tmp_path: pathlib.Path) -> None:
    (tmp_path / "cert.pem").write_text("mine")
    result = run(certificate_info, {"path": str(tmp_path)})
    assert result["error_kind"] == "not_a_lineage"


class SELinuxModule:
    """What AnsibleHost uses of a module, on a host with SELinux."""

    params: t.ClassVar[dict[str, t.Any]] = {
        "owner": None,
        "group": None,
        "mode": "0644",
        "key_mode": "0600",
        "dir_mode": "0755",
    }

    def selinux_enabled(self) -> bool:
        return True

    def selinux_default_context(self, path: str) -> list[str | None]:
        if path == "/final/unknown.pem":
            return [None, None, None]
        return ["system_u", "object_r", "policy_for_" + os.path.basename(path), "s0"]


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> dict[int, bytes]:
    """The SELinux contexts of what is open, by inode; the kernel of this machine may keep none."""
    found: dict[int, bytes] = {}

    original = os.getxattr

    def read(descriptor: int, name: str) -> bytes:
        if name == ACL:
            return original(descriptor, name)
        assert name == "security.selinux"
        try:
            return found[os.fstat(descriptor).st_ino]
        except KeyError:
            raise OSError(errno.ENODATA, "No data available") from None

    def write(descriptor: int, name: str, value: bytes) -> None:
        assert name == "security.selinux"
        found[os.fstat(descriptor).st_ino] = value

    monkeypatch.setattr(os, "getxattr", read)
    monkeypatch.setattr(os, "setxattr", write)
    return found


@pytest.mark.parametrize(
    "kind, path, like, expected",
    [
        ("file", "/final/cert.pem", "chosen by hand", b"system_u:object_r:chosen_by_hand_t:s0\0"),
        ("file", "/final/cert.pem", "without a context", None),
        ("file", "/final/cert.pem", None, b"system_u:object_r:policy_for_cert.pem:s0\0"),
        ("key", "/final/privkey.pem", None, b"system_u:object_r:policy_for_privkey.pem:s0\0"),
        ("file", "/final/unknown.pem", None, None),
    ],
)
def test_selinux_context_is_kept(
    tmp_path: pathlib.Path, contexts: dict[int, bytes], kind: str, path: str, like: str | None, expected: bytes | None
) -> None:
    host = AnsibleHost(SELinuxModule())
    with open(tmp_path / "deployed", "w") as deployed, open(tmp_path / "staged", "w") as staged:
        if like == "chosen by hand":
            contexts[os.fstat(deployed.fileno()).st_ino] = b"system_u:object_r:chosen_by_hand_t:s0\0"
        host.apply(staged.fileno(), kind, path, deployed.fileno() if like else None)
        assert contexts.get(os.fstat(staged.fileno()).st_ino) == expected
        assert stat.S_IMODE(os.fstat(staged.fileno()).st_mode) == (0o600 if kind == "key" else 0o644)
        before = dict(contexts)
        assert host.differs(staged.fileno(), kind) is False
        assert contexts == before


def test_selinux_context_that_cannot_be_set(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, name: str, value: bytes) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "setxattr", refuse)
    message = "^Setting 'mode' '0644' of /final/cert.pem failed: Invalid argument$"
    with open(tmp_path / "staged", "w") as staged, pytest.raises(WriteFailed, match=message):
        AnsibleHost(SELinuxModule()).apply(staged.fileno(), "file", "/final/cert.pem", None)


@pytest.fixture
def request_options(tmp_path: pathlib.Path) -> dict[str, t.Any]:
    return {"path": str(tmp_path / "lineage"), "names": [NAME, "example.com"], "subject": {"O": "Example"}}


def key_lines(path: str) -> list[str]:
    """The lines of the pending key; none without one."""
    key = pathlib.Path(path, "pending", "privkey.pem")
    return key.read_text().splitlines()[1:-1] if key.exists() else []


@pytest.mark.parametrize("case", ["made", "unchanged", "check mode", "absent", "refused", "bad option"])
def test_request(run: t.Any, request_options: dict[str, t.Any], case: str) -> None:
    # ansible-core 2.18 adds the exception to a failure at -vvv.
    documented = {"changed", "failed", "msg", "invocation", "diff", "exception"}
    documented |= set(yaml.safe_load(certificate_request.RETURN))
    if case in ("unchanged", "absent"):
        first = run(certificate_request, request_options)
    if case == "absent":
        request_options = {"path": request_options["path"], "state": "absent"}
    elif case == "refused":
        request_options["names"] = ["fe80::1%eth0"]
    elif case == "bad option":
        request_options["key_type"] = "dsa-1024"
    result = run(certificate_request, request_options, check_mode=case == "check mode", diff=True, verbosity=4)
    assert set(result) <= documented
    lines = key_lines(request_options["path"])
    assert bool(lines) is (case in ("made", "unchanged"))
    assert not any(line in json.dumps(result) for line in lines)
    if case in ("refused", "bad option"):
        assert (result["failed"], result["error_kind"]) == (True, "invalid_request")
        return
    assert result["changed"] is (case != "unchanged")
    assert bool(result["csr"]) is (case in ("made", "unchanged"))
    assert result["reasons"] == (["absent"] if case in ("made", "check mode") else [])
    if case == "unchanged":
        assert result["csr"] == first["csr"]
        assert result["diff"]["before"] == result["diff"]["after"]
    elif case == "absent":
        assert (result["diff"]["before"]["names"], result["diff"]["after"]) == ([NAME, "example.com"], {})
    else:
        assert (result["diff"]["before"], result["diff"]["after"]["names"]) == ({}, [NAME, "example.com"])


def test_request_sets_attributes(run: t.Any, request_options: dict[str, t.Any]) -> None:
    group = grp.getgrgid(os.getegid()).gr_name
    run(certificate_request, dict(request_options, group=group, mode="0640"))
    folder = pathlib.Path(request_options["path"], "pending")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"privkey.pem": 0o600, "request.csr": 0o640, "request.json": 0o640}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    changed = run(certificate_request, dict(request_options, mode="0644"))
    assert (changed["changed"], changed["reasons"]) == (True, [])
    assert run(certificate_request, dict(request_options, mode="0644"))["changed"] is False
    assert run(certificate_request, dict(request_options, mode=644))["error_kind"] == "invalid_request"


def test_request_and_deploy(run: t.Any, options: dict[str, t.Any], world: pki.World) -> None:
    run(certificate_request, {"path": options["path"], "names": [NAME]})
    key_path = pathlib.Path(options["path"], "pending", "privkey.pem")
    key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    del options["private_key"]
    options.update(certificate=pki.pem(world.issue(NAME, key=key)), private_key_path=str(key_path))
    assert run(certificate_deploy, options)["changed"] is True
    assert run(certificate_deploy, options)["changed"] is False
    assert run(certificate_request, {"path": options["path"], "state": "absent"})["changed"] is True
    options["private_key_path"] = str(pathlib.Path(options["path"], "current", "privkey.pem"))
    assert run(certificate_deploy, options)["changed"] is False
    for elsewhere in ("versions", "pending/.."):
        options["private_key_path"] = str(pathlib.Path(options["path"], elsewhere, "privkey.pem"))
        assert run(certificate_deploy, options)["error_kind"] == "invalid_key"
