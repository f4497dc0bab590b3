# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of faults: each kind, at each provider, through each order plugin; and wrong certificates.

What is expected stands in ``data/faults.json`` and ``data/certificates.json``. A cell runs the operation behind module
and action, or the lookup itself, on a clock that skips pauses: only what really hangs takes real seconds. A sample
runs through ansible-playbook. ``once`` is what becomes of one faulty answer, ``always`` of nothing but faulty answers:
``ok``, ``unknown`` (the status), or an error_kind. Where asking again helps, a wait goes on until its deadline.
"""

from __future__ import annotations

import concurrent.futures
import json
import sys
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from ansible.errors import AnsibleLookupError
from ansible.plugins.loader import lookup_loader
from ansible_runs import LOCAL, run_playbook
from cryptography import x509
from sandbox.client import PROVIDERS, Sandbox

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_certificate import (
    ORDER_CERTIFICATE_OPTIONS,
    order_certificate,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_info import (
    ORDER_INFO_OPTIONS,
    order_info,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_wait import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import Runtime, perform

DATA = Path(__file__).with_name("data")
FAULTS: list[dict[str, t.Any]] = json.loads((DATA / "faults.json").read_text(encoding="utf-8"))
CERTIFICATES: list[dict[str, t.Any]] = json.loads((DATA / "certificates.json").read_text(encoding="utf-8"))
PLUGINS = ("order_info", "order_wait", "order_certificate", "order_status")
#: How many cells run at a time; fewer of those that keep a processor busy.
_THREADS = 16
_THREADS_IF_HEAVY = 3
#: Seconds that a wait of a cell lasts, when nothing ends it before.
_TIMEOUT = 8
_OPTIONS = {
    "order_info": ORDER_INFO_OPTIONS,
    "order_wait": ORDER_WAIT_OPTIONS,
    "order_certificate": ORDER_CERTIFICATE_OPTIONS,
}
_OPERATIONS = {"order_info": order_info, "order_wait": order_wait, "order_certificate": order_certificate}


class SkippingClock:
    """A monotonic clock on which a pause takes no time."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def time(self) -> float:
        """Seconds, those that were skipped included."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Skip so many seconds."""
        self._skipped += seconds


def _runtime(environment: t.Mapping[str, str]) -> Runtime:
    clock = SkippingClock()
    return Runtime(environment=environment, clock=clock.time, sleep=clock.sleep)


@pytest.fixture(autouse=True)
def _own_state(folder: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Request budgets, shared by the processes of a user, are those of the test; the lookup skips pauses too."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    lookup = lookup_loader.get("certops.issuance.order_status")
    monkeypatch.setattr(sys.modules[type(lookup).__module__], "Runtime", _runtime)
    sandbox.limits("sectigo", collect_interval=0)


@dataclass(frozen=True)
class Cell:
    """One request under one fault. ``expected`` may name several results, any of which is right."""

    provider: str
    plugin: str
    params: dict[str, t.Any]
    expected: str

    def run(self) -> str:
        """The result: ok, the status of an order that is not issued, or an error_kind."""
        if self.plugin == "order_status":
            return self._look_up()
        result = self.perform()
        return _outcome(json.loads(json.dumps(result, allow_nan=False)))

    def perform(self) -> dict[str, t.Any]:
        """What the operation of the plugin returns."""
        params = {name: option.get("default") for name, option in _OPTIONS[self.plugin].items()}
        params.update(self.params)
        return perform(_OPERATIONS[self.plugin], params, _runtime({}))

    def _look_up(self) -> str:
        options = {name: value for name, value in self.params.items() if name != "order_ids"}
        lookup = lookup_loader.get("certops.issuance.order_status")
        try:
            return _outcome({"orders": lookup.run(self.params["order_ids"], variables={}, **options)})
        except AnsibleLookupError as exc:
            return str(exc).rpartition("(error_kind: ")[2].rstrip(")")


def _outcome(result: dict[str, t.Any]) -> str:
    if result.get("failed"):
        return str(result["error_kind"])
    orders = result.get("orders", [])
    return next((order["status"] for order in orders if not order["issued"]), "ok")


def _place(sandbox: Sandbox, provider: str, **order: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The options of a new account, and a new order of it."""
    account = sandbox.account(provider)
    fields = {"names": ["www.example.org", "example.org"], "scenario": "issued", **order}
    return dict(account["options"]), sandbox.order(provider, account=account["name"], **fields)


def _cases(line: dict[str, t.Any]) -> list[tuple[str, str, str]]:
    """Provider, plugin and how often the fault comes, for a line of faults.json."""
    return [
        (provider, plugin, how)
        for provider in PROVIDERS
        if provider not in line.get("not", [])
        for plugin in PLUGINS
        for how in ("once", "always")
        if how in {**line, **line.get("but", {}).get(provider, {})}
    ]


def _cell(sandbox: Sandbox, line: dict[str, t.Any], provider: str, plugin: str, how: str) -> Cell:
    """The cell of a line of faults.json. Each has an account and an order of its own, so no cell disturbs another."""
    options, order = _place(sandbox, provider)
    row = {**line, **line.get("but", {}).get(provider, {})}
    expected = row[how]
    if "fault" in line:
        times = {"times": 1} if how == "once" else {}
        sandbox.fault(provider=provider, order_id=order["order_id"], **times, **line["fault"])
    if "bad_tls" in line:
        url = {**sandbox.bad_tls, "plain": "https" + str(sandbox.plain_url)[4:]}[line["bad_tls"]]
        options["api_url"] = urlunsplit(urlsplit(options["api_url"])._replace(netloc=urlsplit(url).netloc))
    options.update({"request_timeout": 5, **line.get("options", {})})
    ids = {"order_id": order["order_id"]} if plugin == "order_certificate" else {"order_ids": [order["order_id"]]}
    if plugin == "order_wait":
        options.update(timeout=_TIMEOUT, poll_interval=1)
        # Where asking again helps, a wait asks until its deadline; what it cannot mend ends the wait at once.
        helps = row.get("once", "ok") == "ok"
        expected = "timed_out" if how == "always" and helps and expected != "ok" else expected
        expected = row.get("wait", {}).get(how, expected)
    if plugin == "order_certificate" and expected == "unknown":
        expected = "not_issued"
    if plugin == "order_wait" and expected == "unknown":
        expected = "ok" if how == "once" else "timed_out"
    return Cell(provider, plugin, {**options, **ids}, expected)


def _assert_expected(names: t.Sequence[str], cells: t.Sequence[Cell], threads: int = _THREADS) -> None:
    """Run the cells side by side. Fails with each that is wrong."""
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(Cell.run, cells))
    wrong = [
        f"{name} at {cell.provider} through {cell.plugin}: {result}, not {cell.expected}"
        for name, cell, result in zip(names, cells, results, strict=True)
        if result not in cell.expected.split()
    ]
    assert wrong == [], "\n" + "\n".join(wrong)


def test_no_row_was_lost() -> None:
    assert sum(len(_cases(line)) for line in FAULTS) >= 1392
    assert len(CERTIFICATES) * len(PROVIDERS) >= 84


@pytest.mark.parametrize(
    "line",
    # `make test` takes every fifth, without those that end by a limit of real seconds, whatever the clock.
    [
        pytest.param(line, id=line["name"], marks=[pytest.mark.slow] * ("slow" in line or number % 5 != 0))
        for number, line in enumerate(FAULTS)
    ],
)
def test_every_fault_at_every_provider_through_every_plugin(sandbox: Sandbox, line: dict[str, t.Any]) -> None:
    cases = _cases(line)
    assert cases
    cells = [_cell(sandbox, line, *case) for case in cases]
    names = [f"{line['name']}, {how}" for _provider, _plugin, how in cases]
    _assert_expected(names, cells, _THREADS_IF_HEAVY if line.get("heavy") else _THREADS)


@pytest.mark.parametrize("line", CERTIFICATES, ids=lambda line: line["name"])
def test_wrong_certificates(sandbox: Sandbox, line: dict[str, t.Any]) -> None:
    cells, orders = [], []
    for provider in PROVIDERS:
        options, order = _place(sandbox, provider, **line.get("order", {}))
        for kind in line["faults"]:
            sandbox.fault(kind, provider=provider, order_id=order["order_id"])
        known = {
            "csr": order["csr"],
            "names": ["www.example.org", "example.org"],
            "superseded_serial_number": order.get("previous_serial_number"),
        }
        given = {name: known[name] for name in line.get("ask", ["csr", "names"])}
        params = {**options, "order_id": order["order_id"], "request_timeout": 5, **given}
        # What cPanel sends of an issued order names neither its CSR nor its domains.
        expected = line.get("but", {}).get(provider, line["wanted"])
        cells.append(Cell(provider, "order_certificate", params, expected))
        orders.append(order)
    _assert_expected([line["name"]] * len(cells), cells)
    # Once more, for what was handed over.
    for cell, order in zip(cells, orders, strict=True):
        _assert_right_chain(cell, order, [sandbox.ca_file, sandbox.other_ca_file])


def _assert_right_chain(cell: Cell, order: dict[str, t.Any], root_files: t.Sequence[str]) -> None:
    """What was handed over, if anything was: leaf, then each issuer, up to a root that is not part of it."""
    result = cell.perform()
    if result.get("failed"):
        assert "certificate" not in result
        return
    chain = x509.load_pem_x509_certificates(result["fullchain"].encode())
    assert result["fullchain"] == result["certificate"] + result["chain"]
    roots = [x509.load_pem_x509_certificate(Path(file).read_bytes()) for file in root_files]
    for one, issuer in zip(chain, chain[1:], strict=False):
        one.verify_directly_issued_by(issuer)
    assert any(chain[-1].issuer == root.subject for root in roots)
    assert not any(one.issuer == one.subject for one in chain)
    if "csr" in cell.params:
        assert chain[0].public_key() == x509.load_pem_x509_csr(order["csr"].encode()).public_key()


@pytest.mark.slow
def test_a_sample_through_ansible_playbook(sandbox: Sandbox, folder: Path) -> None:
    kinds = {"reset": "ok", "html": "ok", "endless": "unexpected_response", "5xx": "ok", "429": "ok"}
    hosts: dict[str, t.Any] = {}
    tasks: list[dict[str, t.Any]] = []
    expected: dict[str, str] = {}
    for kind, outcome in kinds.items():
        for plugin in PLUGINS:
            name = f"{plugin} under {kind}"
            expected[name] = outcome
            ids = "order_id" if plugin == "order_certificate" else "order_ids"
            options = f"{{{{ account | combine({{'{ids}': orders['{name}'], 'request_timeout': 5}}) }}}}"
            task: dict[str, t.Any] = {f"certops.issuance.{plugin}": options}
            if plugin == "order_status":
                term = f"{{{{ lookup('certops.issuance.order_status', orders['{name}'], **account) }}}}"
                task = {"ansible.builtin.set_fact": {"seen": term}}
            tasks.append({"name": name, **task, "ignore_errors": True})
    for provider in PROVIDERS:
        account = sandbox.account(provider)
        orders: dict[str, str] = {}
        for task in tasks:
            kind = task["name"].rpartition(" ")[2]
            order = sandbox.order(provider, ["www.example.org"], "issued", account=account["name"])
            sandbox.fault(kind, provider=provider, order_id=order["order_id"], times=1)
            orders[task["name"]] = order["order_id"]
        hosts[provider] = {**LOCAL, "account": account["options"], "orders": orders}
    play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    # The options come from a variable as a whole, which Ansible warns of.
    environment = {"ANSIBLE_INJECT_FACT_VARS": "0"}
    run = run_playbook(play, folder, inventory={"all": {"hosts": hosts}}, environment=environment)
    assert len(run.events) == len(tasks) * len(PROVIDERS), run.output[-3000:]
    wrong = [
        f"{event.task} at {event.host}: {event.kind} {event.msg}"
        for event in run.events
        if (event.kind == "ok") != (expected[event.task] == "ok")
        or (event.kind == "failed" and "larger than" not in event.msg)
    ]
    assert wrong == [], "\n" + "\n".join(wrong)
