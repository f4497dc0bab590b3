# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that were once misunderstood. One file in ``corpus`` for each defect that was found."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
from ansible_collections.certops.issuance.tests.unit.fuzz.invariants import ask_everything
from ansible_collections.certops.issuance.tests.unit.fuzz.world import (
    API_KEY,
    BODIES,
    ORDER_IDS,
    PASSWORD,
    QUESTIONS,
    Answers,
    originals,
    provider_with,
)

CASES = sorted((Path(__file__).parent / "corpus").glob("*.json"))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_once_misunderstood(file: Path) -> None:
    case = json.loads(file.read_text(encoding="utf-8"))
    provider = case["provider"]
    usual = {name: originals(provider, pattern)[0] for name, _part, pattern in QUESTIONS[provider]}
    answers = Answers(provider, {**usual, **{name: body.encode() for name, body in case["bodies"].items()}})
    ask_everything(answers)
    asked = provider_with(answers)
    try:
        order = asked.fetch_order(ORDER_IDS[provider])
        found, result = order.status, order.to_dict()
    except OrderError as exc:
        found, result = exc.kind, exc.to_result()
    assert found == case["expected"], case["why"]
    # Every result passes this on its way out, see operations.perform.
    shown = json.dumps(asked.transport.redactor.scrub_data(result)).lower()
    assert len(shown) < 2000, case["why"]
    assert API_KEY[:12].lower() not in shown and PASSWORD[:12].lower() not in shown, case["why"]


def _bare(certificate: x509.Certificate) -> str:
    return base64.encodebytes(certificate.public_bytes(Encoding.DER)).decode()


def test_bare_certificates_in_a_row_each_with_its_padding() -> None:
    served = x509.load_pem_x509_certificates((BODIES / "digicert/bodies/pem_all_4.pem").read_bytes())
    texts = [_bare(one) for one in served]
    assert any("=" in text for text in texts[:-1]), "nothing is tested without padding in the middle"
    assert chain.split_certificates(["".join(texts)]) == served
    inner = [base64.encodebytes(one.public_bytes(Encoding.PEM)).decode() for one in served]
    assert chain.split_certificates(["".join(inner)]) == served


def test_a_bare_certificate_gets_its_armor() -> None:
    leaf = x509.load_pem_x509_certificates((BODIES / "digicert/bodies/pem_all_4.pem").read_bytes())[0]
    assert chain.armored(_bare(leaf)) == leaf.public_bytes(Encoding.PEM).decode()
    assert chain.armored("no certificate") == "no certificate"
