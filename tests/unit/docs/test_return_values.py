# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is documented of an order is what the model has, and the same wherever it is documented."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.certops.issuance.plugins.module_utils._common.evidence import (
    FileEvidence,
    NameEvidence,
    OrderReference,
    Problem,
    RecordEvidence,
    zone_from,
)
from ansible_collections.certops.issuance.plugins.module_utils._common.evidence_report import report
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderNotFound
from ansible_collections.certops.issuance.plugins.module_utils._orders.model import (
    Blocker,
    Check,
    Domain,
    Order,
    Status,
)
from ansible_collections.certops.issuance.plugins.modules import (
    order_certificate,
    order_dcv,
    order_dcv_info,
    order_info,
    order_reissue,
    order_wait,
)

_STATES = Check.OPEN | Check.CLOSED | {Check.UNKNOWN}
#: What is reported of an order whose every part is there.
_ORDER = Order("digicert", "1", Status.ISSUED, domains=(Domain("a"),), blockers=(Blocker("dcv", "open"),)).to_dict()


def _fields(module: t.Any) -> dict[str, t.Any]:
    """The documented fields of an order."""
    return dict(yaml.safe_load(module.RETURN)["orders"]["contains"])


@pytest.mark.parametrize("module", [order_info, order_wait], ids=["order_info", "order_wait"])
def test_every_field_is_documented_with_the_words_it_can_have(module: t.Any) -> None:
    fields = _fields(module)
    assert set(_ORDER) <= set(fields)
    for name in ("domains", "blockers", "certificate", "coverage", "reissue"):
        reported = _ORDER[name][0] if isinstance(_ORDER[name], list) else _ORDER[name]
        assert set(fields[name]["contains"]) == set(reported), name
    assert set(fields["status"]["choices"]) == Status.ALL
    assert set(fields["domains"]["contains"]["status"]["choices"]) == _STATES
    blockers = {*Check.NAMES, "payment", "approval", "reissue"}
    assert set(fields["blockers"]["contains"]["check"]["choices"]) == blockers


def test_an_order_is_documented_alike_wherever_it_is_returned() -> None:
    waited = _fields(order_wait)
    own = {"outcome", "error_kind", "msg"}
    # A wait never returns the body.
    assert {name: waited[name] for name in waited if name not in own | {"raw"}} == {
        name: field for name, field in _fields(order_info).items() if name != "raw"
    }


def test_a_reissue_documents_the_same_order() -> None:
    order = yaml.safe_load(order_reissue.RETURN)["order"]["contains"]
    assert {name: order[name] for name in order if name != "raw"} == {
        name: field for name, field in _fields(order_info).items() if name != "raw"
    }


@pytest.mark.parametrize(
    "module",
    [order_certificate, order_dcv, order_dcv_info, order_info, order_reissue, order_wait],
    ids=["order_certificate", "order_dcv", "order_dcv_info", "order_info", "order_reissue", "order_wait"],
)
def test_every_field_of_a_failure_is_documented(module: t.Any) -> None:
    documented = yaml.safe_load(module.RETURN)
    failure = OrderNotFound("gone", provider="digicert", order_id="1", http_status=404)
    for name, value in failure.to_result().items():
        assert documented[name]["returned"].startswith("failure"), name
        assert documented[name]["type"] == type(value).__name__, name


def test_every_field_of_what_to_publish_is_documented() -> None:
    documented = yaml.safe_load(order_dcv_info.RETURN)
    order = OrderReference("digicert", "1")
    evidences = [
        NameEvidence(
            "a.example", order, record=RecordEvidence("TXT", "_dnsauth.a.example", "v"), emails=("x@a.example",)
        ),
        NameEvidence("b.example", order, file=FileEvidence("http://b.example/.well-known/pki-validation/f.txt", "v")),
        NameEvidence("c.example", order, problem=Problem.TOKEN_UNKNOWN, message="no value"),
    ]
    result = report(evidences, zone_from(()))
    for name, entries in result.items():
        assert entries, name
        # ansible-test allows no key of this name here; it is in the description.
        assert set(documented[name]["contains"]) == set(entries[0]) - {"values"}, name
    assert "C(values)" in documented["record_sets"]["description"][1]
    problems = {value for name, value in vars(Problem).items() if name.isupper()}
    assert set(documented["names"]["contains"]["problem"]["choices"]) == problems
    assert set(documented["names"]["contains"]["status"]["choices"]) == _STATES
