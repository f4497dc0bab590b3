# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of faults: each kind, at each provider, through each order plugin; and wrong certificates.

What is expected stands in faults.json and certificates.json. A cell runs the operation behind module and action, or
the lookup itself; a sample runs through ansible-playbook. ``once`` is what becomes of one faulty answer, ``always`` of
nothing but faulty answers: ``ok``, ``unknown`` (the status), or an error_kind. Where retrying helps, a wait rides it
out until its deadline.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import sys
import typing as t
import unittest
import unittest.mock
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_PATHS = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep)
_TREES = [Path(path, "ansible_collections/certops/issuance") for path in _PATHS]
# ansible-test runs a copy of this folder that stands elsewhere.
_TREE = next((tree for tree in _TREES if (tree / "galaxy.yml").exists()), Path(__file__).resolve().parents[4])
sys.path.insert(0, str(_TREE / "tests/integration/targets/setup_hostile/files"))

from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import init_plugin_loader, lookup_loader
from cryptography import x509
from harness import PROVIDERS, Sandbox, run_play, scratch

init_plugin_loader([str(_TREE.parents[2])])

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations import operations

HERE = Path(__file__).resolve().parent
PLUGINS = ("order_info", "order_wait", "order_certificate", "order_status")
#: Most cells pause between two tries, so many of them go side by side; but not those that keep a processor busy.
_SIDE_BY_SIDE = 40
_HEAVY_SIDE_BY_SIDE = 3
#: Seconds that a wait of a cell lasts, when nothing ends it before.
_WAIT = 8
_OPTIONS = {
    "order_info": operations.ORDER_INFO_OPTIONS,
    "order_wait": operations.ORDER_WAIT_OPTIONS,
    "order_certificate": operations.ORDER_CERTIFICATE_OPTIONS,
}


@dataclass(frozen=True)
class Cell:
    """One question under one fault. ``wanted`` may name several results, any of which is right."""

    name: str
    provider: str
    plugin: str
    params: dict[str, t.Any]
    wanted: str
    heavy: bool = False

    def run(self) -> str:
        """What became of it: ok, the status of an order that is not issued, or an error_kind."""
        if self.plugin == "order_status":
            return self._look_up()
        params = {name: option.get("default") for name, option in _OPTIONS[self.plugin].items()}
        params.update(self.params)
        result = operations.perform(getattr(operations, self.plugin), params, operations.Runtime(environment={}))
        return _told(json.loads(json.dumps(result, allow_nan=False)))

    def _look_up(self) -> str:
        options = {name: value for name, value in self.params.items() if name != "order_ids"}
        lookup = lookup_loader.get("certops.issuance.order_status")
        try:
            return _told({"orders": lookup.run(self.params["order_ids"], variables={}, **options)})
        except AnsibleLookupError as exc:
            return str(exc).rpartition("(error_kind: ")[2].rstrip(")")


def _told(result: dict[str, t.Any]) -> str:
    if result.get("failed"):
        return str(result["error_kind"])
    orders = result.get("orders", [])
    return next((order["status"] for order in orders if not order["issued"]), "ok")


class Matrix(unittest.TestCase):
    """One sandbox; each cell has an account and an order of its own, so that no cell disturbs another."""

    sandbox: t.ClassVar[Sandbox]

    @classmethod
    def setUpClass(cls) -> None:
        """Start the sandbox."""
        cls.folder = cls.enterClassContext(scratch("faults"))
        (cls.folder / "sandbox").mkdir()
        cls.sandbox = cls.enterClassContext(
            Sandbox.start(folder=cls.folder / "sandbox", plain_http=True, bad_tls=True, rate=0)
        )
        cls.sandbox.limits("sectigo", collect_interval=0)
        # Loading a plugin for the first time is nothing for threads.
        lookup_loader.get("certops.issuance.order_status")
        # Budgets of accounts are kept in files; those of this run are its own.
        cls.enterClassContext(unittest.mock.patch("tempfile.tempdir", str(cls.folder)))

    def place(self, provider: str, **order: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        """A new account's options, and a new order of it."""
        account = self.sandbox.account(provider)
        wanted = {"names": ["www.example.org", "example.org"], "scenario": "issued", **order}
        return dict(account["options"]), self.sandbox.order(provider, account=account["name"], **wanted)

    def cell(self, line: dict[str, t.Any], provider: str, plugin: str, how: str) -> Cell:
        """The cell of a line of faults.json."""
        options, order = self.place(provider)
        expected = {**line, **line.get("but", {}).get(provider, {})}
        wanted = expected[how]
        if "fault" in line:
            times = {"times": 1} if how == "once" else {}
            self.sandbox.fault(provider=provider, order_id=order["order_id"], **times, **line["fault"])
        if "bad_tls" in line:
            url = {**self.sandbox.bad_tls, "plain": "https" + str(self.sandbox.plain_url)[4:]}[line["bad_tls"]]
            options["api_url"] = urlunsplit(urlsplit(options["api_url"])._replace(netloc=urlsplit(url).netloc))
        options.update({"request_timeout": 5, **line.get("options", {})})
        ids = {"order_id": order["order_id"]} if plugin == "order_certificate" else {"order_ids": [order["order_id"]]}
        if plugin == "order_wait":
            options.update(timeout=_WAIT, poll_interval=1)
            # What asking again can mend, a wait asks until its end; what it cannot mend ends the wait at once.
            helps = expected.get("once", "ok") == "ok"
            wanted = "timed_out" if how == "always" and helps and wanted != "ok" else wanted
            wanted = expected.get("wait", {}).get(how, wanted)
        if plugin == "order_certificate" and wanted == "unknown":
            wanted = "not_issued"
        if plugin == "order_wait" and wanted == "unknown":
            wanted = "ok" if how == "once" else "timed_out"
        name, heavy = f"{line['name']}, {how}", line.get("heavy", False)
        return Cell(name, provider, plugin, {**options, **ids}, wanted, heavy)

    def judge(self, title: str, cells: t.Sequence[Cell]) -> None:
        """Run the cells side by side, print the matrix, and fail for each that is wrong."""
        cells = sorted(cells, key=lambda cell: cell.heavy)
        light = [cell for cell in cells if not cell.heavy]
        with concurrent.futures.ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            results = list(pool.map(Cell.run, light))
        with concurrent.futures.ThreadPoolExecutor(_HEAVY_SIDE_BY_SIDE) as pool:
            results += pool.map(Cell.run, cells[len(light) :])
        wrong = [
            f"{cell.name} at {cell.provider} through {cell.plugin}: {result}, not {cell.wanted}"
            for cell, result in zip(cells, results, strict=True)
            if result not in cell.wanted.split()
        ]
        print(f"\n{title}: {len(cells)} tried, {len(cells) - len(wrong)} right, {len(wrong)} wrong", file=sys.stderr)
        for plugin in dict.fromkeys(cell.plugin for cell in cells):
            row = []
            for provider in PROVIDERS:
                own = [pair for pair in zip(cells, results, strict=True) if pair[0].plugin == plugin]
                own = [pair for pair in own if pair[0].provider == provider]
                row.append(f"{provider} {sum(result in cell.wanted.split() for cell, result in own)}/{len(own)}")
            print(f"  {plugin:18} {'  '.join(row)}", file=sys.stderr)
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))

    def test_every_fault_at_every_provider_through_every_plugin(self) -> None:
        lines = json.loads((HERE / "faults.json").read_text(encoding="utf-8"))
        cells = [
            self.cell(line, provider, plugin, how)
            for line in lines
            for provider in PROVIDERS
            if provider not in line.get("not", [])
            for plugin in PLUGINS
            for how in ("once", "always")
            if how in {**line, **line.get("but", {}).get(provider, {})}
        ]
        self.judge("faults", cells)

    def test_wrong_certificates(self) -> None:
        cells, orders = [], []
        for line in json.loads((HERE / "certificates.json").read_text(encoding="utf-8")):
            for provider in PROVIDERS:
                options, order = self.place(provider, **line.get("order", {}))
                for kind in line["faults"]:
                    self.sandbox.fault(kind, provider=provider, order_id=order["order_id"])
                known = {
                    "csr": order["csr"],
                    "names": ["www.example.org", "example.org"],
                    "superseded_serial_number": order.get("previous_serial_number"),
                }
                asked = {name: known[name] for name in line.get("ask", ["csr", "names"])}
                params = {**options, "order_id": order["order_id"], "request_timeout": 5, **asked}
                # What cPanel sends of an issued order names neither its CSR nor its domains.
                wanted = line.get("but", {}).get(provider, line["wanted"])
                cells.append(Cell(line["name"], provider, "order_certificate", params, wanted))
                orders.append(order)
        self.judge("wrong certificates", cells)
        # Once more, for what was handed over.
        for cell, order in zip(cells, orders, strict=True):
            with self.subTest(cell.name, provider=cell.provider):
                self.assert_right_chain(cell, order)

    def assert_right_chain(self, cell: Cell, order: dict[str, t.Any]) -> None:
        """What was handed over, if anything was: leaf, then each issuer, up to a root that is not part of it."""
        params = {**dict.fromkeys(_OPTIONS[cell.plugin]), "id_type": "order", "validate_certs": True, **cell.params}
        result = operations.perform(operations.order_certificate, params, operations.Runtime(environment={}))
        if result.get("failed"):
            self.assertNotIn("certificate", result)
            return
        chain = x509.load_pem_x509_certificates(result["fullchain"].encode())
        self.assertEqual(result["fullchain"], result["certificate"] + result["chain"])
        roots = [x509.load_pem_x509_certificate(Path(file).read_bytes()) for file in self.roots()]
        for one, issuer in zip(chain, chain[1:], strict=False):
            one.verify_directly_issued_by(issuer)
        self.assertTrue(any(chain[-1].issuer == root.subject for root in roots))
        self.assertFalse(any(one.issuer == one.subject for one in chain))
        if "csr" in cell.params:
            wanted = x509.load_pem_x509_csr(order["csr"].encode()).public_key()
            self.assertEqual(chain[0].public_key(), wanted)

    def roots(self) -> list[str]:
        """The files of the roots that orders are signed under."""
        return [self.sandbox.ca_file, self.sandbox.other_ca_file]

    def test_a_sample_through_ansible_playbook(self) -> None:
        kinds = {"reset": "ok", "html": "ok", "endless": "unexpected_response", "5xx": "ok", "429": "ok"}
        hosts: dict[str, t.Any] = {}
        tasks: list[dict[str, t.Any]] = []
        wanted: dict[str, str] = {}
        for kind, expected in kinds.items():
            for plugin in PLUGINS:
                name = f"{plugin} under {kind}"
                wanted[name] = expected
                ids = "order_id" if plugin == "order_certificate" else "order_ids"
                asked = f"{{{{ account | combine({{'{ids}': orders['{name}'], 'request_timeout': 5}}) }}}}"
                task: dict[str, t.Any] = {f"certops.issuance.{plugin}": asked}
                if plugin == "order_status":
                    term = f"{{{{ lookup('certops.issuance.order_status', orders['{name}'], **account) }}}}"
                    task = {"ansible.builtin.set_fact": {"seen": term}}
                tasks.append({"name": name, **task, "ignore_errors": True})
        for provider in PROVIDERS:
            account = self.sandbox.account(provider)
            orders: dict[str, str] = {}
            for task in tasks:
                kind = task["name"].rpartition(" ")[2]
                order = self.sandbox.order(provider, ["www.example.org"], "issued", account=account["name"])
                self.sandbox.fault(kind, provider=provider, order_id=order["order_id"], times=1)
                orders[task["name"]] = order["order_id"]
            here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
            hosts[provider] = {**here, "account": account["options"], "orders": orders}
        play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
        inventory = {"all": {"hosts": hosts}}
        # The options come from a variable as a whole, which Ansible warns of.
        environment = {"ANSIBLE_INJECT_FACT_VARS": "0", "TMPDIR": str(self.folder)}
        run = run_play(play, self.folder / "play", inventory=inventory, environment=environment)
        told = [(event.task, event.host, event.kind, str(event.result.get("msg", ""))) for event in run.events]
        wrong = [
            f"{task} at {host}: {kind} {msg}"
            for task, host, kind, msg in told
            if (kind == "ok") != (wanted[task] == "ok") or (kind == "failed" and "larger than" not in msg)
        ]
        print(f"\nansible-playbook: {len(told)} tried, {len(told) - len(wrong)} right", file=sys.stderr)
        self.assertEqual(len(told), len(tasks) * len(PROVIDERS), run.output[-3000:])
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))


if __name__ == "__main__":
    unittest.main()
