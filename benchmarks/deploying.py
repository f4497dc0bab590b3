# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deploying: certificate_deploy beside the play that people write by hand, at 1, 10 and 50 hosts, in the same run.

The play by hand makes the directory, copies four files, reads certificate and key back, and asserts that they match.
It needs community.crypto, which comes with the ansible package; where that is missing the reading is left out.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t

import harness
from sandbox.client import Sandbox

HOSTS = (1, 10, 50)
FORKS = 10
DEPLOY = "certops.issuance.certificate_deploy"


def _by_hand(crypto: bool) -> list[dict[str, t.Any]]:
    tasks: list[dict[str, t.Any]] = [
        {
            "name": "Directory",
            "ansible.builtin.file": {"path": "{{ folder }}/hand", "state": "directory", "mode": "0755"},
        }
    ]
    for name, content, mode in (
        ("cert", "certificate", "0644"),
        ("chain", "chain", "0644"),
        ("fullchain", "fullchain", "0644"),
        ("privkey", "private_key", "0600"),
    ):
        tasks.append(
            {
                "name": f"Copy {name}",
                "ansible.builtin.copy": {
                    "content": "{{ sets[set]." + content + " }}",
                    "dest": "{{ folder }}/hand/" + name + ".pem",
                    "mode": mode,
                },
                "diff": False,
            }
        )
    if crypto:
        tasks += [
            {
                "name": "Read the certificate back",
                "community.crypto.x509_certificate_info": {"path": "{{ folder }}/hand/cert.pem"},
                "register": "certificate",
            },
            {
                "name": "Read the key back",
                "community.crypto.openssl_privatekey_info": {"path": "{{ folder }}/hand/privkey.pem"},
                "register": "key",
            },
            {
                "name": "Do they match",
                "ansible.builtin.assert": {
                    "that": "certificate.public_key_fingerprints == key.public_key_fingerprints"
                },
            },
        ]
    return tasks


def _ours() -> list[dict[str, t.Any]]:
    return [
        {
            "name": "Deploy",
            DEPLOY: {
                "path": "{{ folder }}/ours",
                "certificate": "{{ sets[set].certificate }}",
                "chain": "{{ sets[set].chain }}",
                "private_key": "{{ sets[set].private_key }}",
                "names": ["www.example.org"],
                "ca_path": "{{ ca_file }}",
            },
        }
    ]


def _empty() -> list[dict[str, t.Any]]:
    return [{"name": "Nothing", "ansible.builtin.ping": {}}]


def _has_crypto() -> bool:
    found = subprocess.run(["ansible-galaxy", "collection", "list"], capture_output=True, text=True, check=False)
    return "community.crypto " in found.stdout


def _certificates(sandbox: Sandbox, folder: pathlib.Path) -> list[dict[str, str]]:
    """Two certificates for the same name, collected as a user would."""
    sets = []
    for _number in range(2):
        order = sandbox.order("digicert", ["www.example.org"], scenario="issued")
        options = dict(sandbox.options("digicert"), order_id=order["order_id"])
        arguments = " ".join(f"{name}={value}" for name, value in options.items())
        tree = folder / "tree"
        subprocess.run(
            ["ansible", "localhost", "-m", "certops.issuance.order_certificate", "-a", arguments, "-t", str(tree)],
            check=True, capture_output=True, env={**os.environ, "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.tree"},
        )  # fmt: skip
        found = json.loads((tree / "localhost").read_text(encoding="utf-8"))
        pems = {name: found[name] for name in ("certificate", "chain", "fullchain")}
        sets.append(dict(pems, private_key=order["private_key"]))
    return sets


def main() -> None:
    """Print the table."""
    crypto = _has_crypto()
    rows = []
    with tempfile.TemporaryDirectory() as name, Sandbox.start(folder=name) as sandbox:
        folder = pathlib.Path(name)
        sets = _certificates(sandbox, folder)
        for hosts in HOSTS:
            used: dict[tuple[str, str], harness.Usage] = {}
            inventory = folder / f"{hosts}.json"
            names = {f"host{number}": {"folder": str(folder / f"{hosts}-{number}")} for number in range(hosts)}
            for host in names.values():
                pathlib.Path(host["folder"]).mkdir()
            shared = {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "sets": sets,
                "ca_file": sandbox.ca_file,
            }
            inventory.write_text(json.dumps({"all": {"hosts": names, "vars": shared}}), encoding="utf-8")

            def run(kind: str, tasks: list[dict[str, t.Any]], which: int) -> harness.Usage:
                playbook = folder / f"{kind}.json"
                play = {"hosts": "all", "gather_facts": False, "vars": {"set": which}, "tasks": tasks}
                playbook.write_text(json.dumps([play]), encoding="utf-8")
                return harness.measure(["ansible-playbook", "-f", str(FORKS), "-i", str(inventory), str(playbook)])  # noqa: B023

            for kind, tasks in (("hand", _by_hand(crypto)), ("ours", _ours())):
                used[kind, "first"] = run(kind, tasks, 0)
                used[kind, "renewal"] = run(kind, tasks, 1)
                used[kind, "no change"] = run(kind, tasks, 1)
            start = run("start", [{"name": "Nothing at all", "ansible.builtin.meta": "noop"}], 0).cpu
            empty = (run("empty", _empty(), 0).cpu - start) / hosts
            for act in ("first", "renewal", "no change"):
                hand, ours = used["hand", act], used["ours", act]
                hand_cpu, our_cpu = (hand.cpu - start) / hosts, (ours.cpu - start) / hosts
                rows.append(
                    [act, hosts, f"{hand_cpu:.2f}", f"{our_cpu:.2f}", f"1/{hand_cpu / our_cpu:.1f}"]
                    + [f"{our_cpu / empty:.2f}", f"{hand.wall:.1f}", f"{ours.wall:.1f}"]
                )
    how = "" if crypto else "; community.crypto is not installed, so the play by hand does not even check"
    harness.table(
        f"Deploying (CPU seconds a host, less the start of ansible-playbook{how})",
        ["act", "hosts", "by hand", "certificate_deploy", "ratio", "x empty module", "wall by hand", "wall"],
        rows,
    )


if __name__ == "__main__":
    main()
