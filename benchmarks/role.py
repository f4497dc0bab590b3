# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role: controller CPU of its wait, of a run with nothing to do, and of the playbook status, beside minimal plays.

The measure is a play of eight set_fact tasks on the same hosts in the same run, so that the figures are ratios: what
Ansible itself spends on a host and task differs from machine to machine. For the whole role the measure is a play of
certificate_info, certificate_deploy and four set_fact.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile
import typing as t

import harness
from sandbox.client import Sandbox

PROVIDER = "digicert"
HOSTS = int(os.environ.get("ROLE_HOSTS", "200"))
GROWTH = tuple(int(count) for count in os.environ.get("ROLE_GROWTH", "100,1000").split(","))
QUIET_HOSTS = 40
FORKS = 10
ROLE = "certops.issuance.certificate"
PLAYBOOKS = harness.TREE / "playbooks"

Task = dict[str, t.Any]

WAIT: list[Task] = [
    {
        "name": "Wait for the orders of the host",
        "ansible.builtin.include_role": {"name": ROLE, "tasks_from": "wait"},
        "vars": {"certificate_order_ids": ["{{ certificate_order_id }}"]},
    }
]
WHOLE: list[Task] = [{"name": "Put the certificate into service", "ansible.builtin.import_role": {"name": ROLE}}]
RENEWING = [{**WHOLE[0], "vars": {"certificate_renewal": "auto", "certificate_names": ["www.example.org"]}}]


def set_facts(count: int) -> list[Task]:
    """As many tasks as a play cannot have cheaper, since each has to reach every host."""
    return [
        {"name": f"Fact {number}", "ansible.builtin.set_fact": {f"fact_{number}": "{{ inventory_hostname }}"}}
        for number in range(count)
    ]


BY_MODULES: list[Task] = [
    {
        "name": "Read what is in service",
        "certops.issuance.certificate_info": {"path": "{{ certificate_path }}"},
        "register": "deployed",
    },
    {
        "name": "Deploy the same",
        "certops.issuance.certificate_deploy": {
            "path": "{{ certificate_path }}",
            "certificate": "{{ deployed.certificate }}",
            "chain": "{{ deployed.chain }}",
            "private_key_path": "{{ certificate_private_key_path }}",
            "ca_path": "{{ certificate_ca_path }}",
        },
    },
    *set_facts(4),
]


class Fleet:
    """Hosts with an order each, all of one account and all issued."""

    def __init__(self, sandbox: Sandbox, folder: pathlib.Path) -> None:
        self.folder = folder
        self.options = sandbox.options(PROVIDER)
        self.ca_file = sandbox.ca_file
        order = sandbox.order(PROVIDER, ["www.example.org"], scenario="issued")
        self.csr = order["csr"]
        self.key = folder / "www.key"
        self.key.touch(mode=0o600)
        self.key.write_text(order["private_key"], encoding="utf-8")
        self.order_ids = sandbox.orders(PROVIDER, max(HOSTS, *GROWTH), scenario="issued", csr=self.csr)

    def inventory(self, count: int) -> pathlib.Path:
        """The inventory file of so many hosts."""
        hosts = {
            f"host{number:04}": {
                "certificate_order_id": order_id,
                "certificate_path": str(self.folder / "lineages" / order_id),
            }
            for number, order_id in enumerate(self.order_ids[:count])
        }
        account = {f"certificate_{name}": value for name, value in self.options.items() if name != "ca_path"}
        shared = {
            **account,
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "certificate_api_ca_path": self.options["ca_path"],
            "certificate_ca_path": self.ca_file,
            "certificate_private_key_path": str(self.key),
        }
        (self.folder / "lineages").mkdir(exist_ok=True)
        file = self.folder / f"{count}.json"
        file.write_text(json.dumps({"all": {"hosts": hosts, "vars": shared}}), encoding="utf-8")
        return file

    def run(self, tasks: list[Task] | pathlib.Path, count: int) -> harness.Usage:
        """Run tasks, or a playbook, on so many hosts."""
        playbook = tasks if isinstance(tasks, pathlib.Path) else self.folder / "play.json"
        if not isinstance(tasks, pathlib.Path):
            play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
            playbook.write_text(json.dumps([play]), encoding="utf-8")
        command = ["ansible-playbook", "-f", str(FORKS), "-i", str(self.inventory(count)), str(playbook)]
        return harness.measure(command, ANSIBLE_NOCOLOR="1")


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name, Sandbox.start(folder=name) as sandbox:
        fleet = Fleet(sandbox, pathlib.Path(name))
        eight = fleet.run(set_facts(8), HOSTS).cpu
        rows = [["8 set_fact", f"{eight / HOSTS:.3f}", "", "1.00", ""]]
        for title, tasks, bound in (("wait", WAIT, "1.0"), ("status", PLAYBOOKS / "status.yml", "1.5")):
            used = fleet.run(tasks, HOSTS).cpu
            rows.append([title, f"{used / HOSTS:.3f}", "8 set_fact", f"{used / eight:.2f}", bound])
        fleet.run(WHOLE, HOSTS)
        floor = fleet.run(BY_MODULES, HOSTS).cpu
        used = fleet.run(WHOLE, HOSTS).cpu
        rows.append(["info, deploy, 4 set_fact", f"{floor / HOSTS:.3f}", "", "1.00", ""])
        rows.append(["whole role, nothing to do", f"{used / HOSTS:.3f}", "line above", f"{used / floor:.2f}", "1.3"])
        sandbox.clear_requests()
        used = fleet.run(RENEWING, HOSTS).cpu
        requests = sandbox.summary()["requests"]
        rows.append([f"renewal auto, nothing due: {requests} requests", f"{used / HOSTS:.3f}", "", "", "0 requests"])
        harness.table(
            f"The role on {HOSTS} hosts of one account, all issued ({FORKS} forks)",
            ["play", "CPU-s a host", "beside", "ratio", "figure to reach"],
            rows,
        )
        lines = fleet.run(PLAYBOOKS / "provision.yml", QUIET_HOSTS).output.count("\n")
        harness.table(
            f"Lines that provision prints on {QUIET_HOSTS} hosts with nothing to do",
            ["lines", "figure to reach"],
            [[lines, "300"]],
        )
        few, many = GROWTH
        growth = []
        for title, tasks in (("8 set_fact", set_facts(8)), ("wait", WAIT), ("status", PLAYBOOKS / "status.yml")):
            small, large = fleet.run(tasks, few).cpu / few, fleet.run(tasks, many).cpu / many
            growth.append([title, f"{small:.3f}", f"{large:.3f}", f"{large / small:.2f}", "1.15"])
        harness.table(
            "CPU-seconds a host as the fleet grows",
            ["play", f"{few} hosts", f"{many} hosts", "ratio", "figure to reach"],
            growth,
        )


if __name__ == "__main__":
    main()
