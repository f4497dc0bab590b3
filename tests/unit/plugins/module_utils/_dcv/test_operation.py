# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module dcv_diagnose: options that cannot be used, waiting, and when it fails."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import typing as t

import pytest
from sandbox.internet.scenes import HOST, TOKEN, ZONE
from sandbox.internet.zones import RESOLVER_ADDRESS

from ansible_collections.certops.issuance.plugins.module_utils._common.csr_hash import (
    CsrHashes,
    cname_record,
    file_evidence,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    NameEvidence,
    OrderReference,
    zone_from,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence_report import report
from ansible_collections.certops.issuance.plugins.module_utils._dcv import diagnose, operation
from ansible_collections.certops.issuance.plugins.modules import dcv_diagnose as module_file

from .conftest import Lab

RECORD = {"type": "TXT", "fqdn": f"_dnsauth.{HOST}", "values": [TOKEN]}
FILE = {"url": f"http://{HOST}/.well-known/pki-validation/fileauth.txt", "content": TOKEN}


def options(**given: t.Any) -> dict[str, t.Any]:
    """All options of the module, with their defaults."""
    return {name: given.get(name, option.get("default")) for name, option in operation.ARGUMENT_SPEC.items()}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"record_sets": [{**RECORD, "type": "A"}]}, "must be TXT or CNAME"),
        ({"record_sets": [{**RECORD, "fqdn": "a b"}]}, "no name of a record"),
        ({"record_sets": [{**RECORD, "fqdn": "x" * 64 + ".example"}]}, "no name of a record"),
        ({"record_sets": [{**RECORD, "values": []}]}, "at least one"),
        ({"record_sets": [{**RECORD, "values": TOKEN}]}, "list of texts"),
        ({"record_sets": [{**RECORD, "names": HOST}]}, "names must be a list"),
        ({"record_sets": [{"fqdn": "a.example"}]}, "no type"),
        ({"record_sets": ["text"]}, "must be a dictionary"),
        ({"files": [{**FILE, "url": "nothing"}]}, "no host name"),
        ({"files": [{**FILE, "url": "http://[::1/x"}]}, "no URL"),
        ({"files": [{**FILE, "url": "http://10.0.0.1/x"}]}, "evidence_refused"),
        ({"files": [{"url": FILE["url"]}]}, "no content"),
        ({"names": ["bücher.example"]}, "no host name in ASCII"),
        ({"names": ["localhost"]}, "no host name"),
        ({"names": [HOST], "resolvers": ["resolver.example"]}, "no IP address"),
        ({"names": [HOST], "resolvers": ["192.0.2.1:99999"]}, "has no port"),
        ({"names": [HOST], "address_map": {"192.0.2.1": "127.0.0.1:53"}}, "has no port"),
        ({"names": [HOST], "address_map": {"192.0.2.1:53": "[::1]x"}}, "no address and port"),
        ({"names": [HOST], "timeout": 0}, "timeout must be"),
        ({"names": [HOST], "wait": -1}, "wait must not"),
    ],
)
def test_option_that_cannot_be_used_is_said_in_one_sentence(given: dict[str, t.Any], message: str) -> None:
    result = operation.dcv_diagnose(options(**given))
    if message == "evidence_refused":
        assert [item["code"] for item in result["findings"]] == [message]
        return
    assert (result["failed"], result["error_kind"], result["retryable"]) == (True, "invalid_request", False)
    assert message in result["msg"]
    assert "\n" not in result["msg"]


def test_nothing_to_look_for_is_visible() -> None:
    result = operation.dcv_diagnose(options(record_sets=[], files=[], resolvers=["192.0.2.1"]))
    assert (result["visible"], result["findings"], result["by_name"]) == (True, [], {})


def run(lab: Lab, **given: t.Any) -> dict[str, t.Any]:
    """The module's result for the scene that is served."""
    given.setdefault("record_sets", [RECORD])
    return operation.dcv_diagnose(
        options(address_map=lab.dns.address_map(), resolvers=[RESOLVER_ADDRESS], provider="digicert", **given)
    )


def test_result_of_a_clean_world(lab: Lab) -> None:
    lab.scene(now=time.time())
    result = run(lab)
    assert result["visible"] is True
    assert result["looked_from"]["resolvers"] == [f"{RESOLVER_ADDRESS}:53"]
    assert set(result) == {"visible", "findings", "not_tested", "by_name", "looked_from"}
    json.dumps(result)


@pytest.mark.parametrize(
    ("fail_on", "missing", "failed"),
    [
        ("none", True, False),
        ("fatal", True, True),
        ("warning", True, True),
        ("fatal", False, False),
        ("warning", False, True),
    ],
)
def test_when_it_fails(lab: Lab, fail_on: str, missing: bool, failed: bool) -> None:
    """Without the record it is fatal; with one dead server it is a warning."""
    scene = lab.scene(now=time.time())
    if missing:
        scene.withdraw()
    else:
        scene.internet.servers["ns2.example.org"].mode = "dead"
    result = run(lab, fail_on=fail_on)
    assert result.get("failed", False) is failed
    assert result["findings"]
    if failed:
        assert result["error_kind"] == "not_visible"
        assert result["msg"].startswith(f"{HOST}: {result['findings'][0]['code']}")
        assert result["findings"][0]["advice"] in result["msg"]


class Waiting:
    """A clock that moves only when the wait sleeps, and looks that are scripted."""

    def __init__(self, lab: Lab, actions: list[t.Callable[[], object]]) -> None:
        self.lab = lab
        self.actions = actions
        self.time = 0.0
        self.looks = 0

    def look(self, request: diagnose.Request) -> diagnose.Diagnosis:
        """Something happens before each look."""
        if self.looks < len(self.actions):
            self.actions[self.looks]()
        self.looks += 1
        return diagnose.diagnose(request)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.time += seconds

    def run(self, wait: float) -> diagnose.Diagnosis:
        """Wait for the record."""
        given = options(
            address_map=self.lab.dns.address_map(),
            resolvers=[RESOLVER_ADDRESS],
            record_sets=[RECORD],
            provider="digicert",
        )
        request = operation.read_request(given)
        return diagnose.diagnose_until_visible(request, wait, self.look, lambda: self.time, self.sleep)


def test_wait_ends_once_the_record_is_seen(lab: Lab) -> None:
    scene = lab.scene(now=time.time())
    waiting = Waiting(lab, [scene.withdraw, lambda: None, scene.publish])
    assert waiting.run(600).visible
    assert (waiting.looks, waiting.time) == (3, 20.0)


def test_wait_ends_at_its_time(lab: Lab) -> None:
    scene = lab.scene(now=time.time())
    scene.withdraw()
    waiting = Waiting(lab, [])
    assert not waiting.run(25).visible
    assert (waiting.looks, waiting.time) == (4, 25.0)


def test_wait_of_zero_looks_once(lab: Lab) -> None:
    lab.scene(now=time.time()).withdraw()
    waiting = Waiting(lab, [])
    waiting.run(0)
    assert waiting.looks == 1


def test_wait_ends_where_time_does_not_help(lab: Lab) -> None:
    scene = lab.scene(now=time.time())
    scene.zone.set(ZONE, "CAA", '0 issue ";"')
    waiting = Waiting(lab, [])
    assert not waiting.run(600).visible
    assert waiting.looks == 1


def run_module(path: str, given: dict[str, t.Any], hidden: str = "") -> tuple[int, dict[str, t.Any]]:
    """Run the module in a process of its own, where one library can be missing."""
    script = [
        "import sys, json",
        f"sys.modules.update({{name: None for name in {hidden.split()!r}}})",
        f"sys.path.insert(0, {path!r})",
        "from ansible.module_utils import basic",
        f"basic._ANSIBLE_ARGS = json.dumps(dict(ANSIBLE_MODULE_ARGS={given!r})).encode()",
        "basic._ANSIBLE_PROFILE = 'legacy'",
        "from ansible_collections.certops.issuance.plugins.modules import dcv_diagnose",
        "dcv_diagnose.main()",
    ]
    done = subprocess.run([sys.executable, "-c", "\n".join(script)], capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def path() -> str:
    """The folder with ansible_collections that this process uses."""
    return module_file.__file__.split("/ansible_collections/", maxsplit=1)[0]


def test_missing_dnspython_is_named(path: str) -> None:
    code, result = run_module(path, {"names": [HOST]}, hidden="dns dns.dnssec")
    assert code == 1
    assert "Failed to import the required Python library (dnspython)" in result["msg"]


def test_module_runs_and_changes_nothing(path: str, lab: Lab) -> None:
    lab.scene(now=time.time())
    given = {
        "record_sets": [RECORD],
        "provider": "digicert",
        "address_map": lab.dns.address_map(),
        "resolvers": [RESOLVER_ADDRESS],
        "fail_on": "warning",
    }
    code, result = run_module(path, given)
    assert (code, result["changed"], result["visible"]) == (0, False, True)


def test_one_of_three_options_is_required(path: str) -> None:
    code, result = run_module(path, {"provider": "digicert"})
    assert code == 1
    assert "one of the following is required: record_sets, files, names" in result["msg"]


def test_what_orders_report_is_read_back_with_its_provider() -> None:
    """The results of order_dcv_info go into the options as they are."""
    order = OrderReference("sectigo", "7")
    hashes = CsrHashes("0" * 32, "a" * 64)
    evidences = [
        NameEvidence("*.example.org", order, record=cname_record("*.example.org", hashes, "u1", "sectigo.com")),
        NameEvidence(HOST, order, file=file_evidence("http", HOST, hashes, "", "sectigo.com")),
    ]
    reported = report(evidences, zone_from([ZONE]))
    request = operation.read_request(options(record_sets=reported["record_sets"], files=reported["files"]))
    (record,), (file,) = request.records, request.files
    assert (record.fqdn, record.provider, record.names, record.problem) == (
        f"_{'0' * 32}.example.org", "sectigo", ("*.example.org",), None
    )  # fmt: skip
    assert (file.host, file.file_name, file.provider, file.problem) == (HOST, f"{'0' * 32}.txt", "sectigo", None)
