# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox says what the sample bodies of the fact sheets say, and has a word for each stage."""

from __future__ import annotations

import json
import typing as t
import urllib.parse
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SAMPLES = json.loads((HERE / "samples.json").read_text(encoding="utf-8"))["samples"]
WORDS = json.loads((HERE / "words.json").read_text(encoding="utf-8"))["words"]
#: Sample values that must come back as they are; others are examples of their type.
EXACT = ("status", "order_status", "certificateStatus", "dcvStatus", "errorCode", "status_code", "code")


def compare(sample: t.Any, got: t.Any, where: str = "") -> None:
    """Every key of the sample is there, with a value of its type."""
    if isinstance(sample, dict):
        assert isinstance(got, dict), where
        for key, value in sample.items():
            assert key in got, f"{where}.{key} is missing"
            compare(value, got[key], f"{where}.{key}")
            if (
                key.removeprefix("1_1_") in EXACT
                and not isinstance(value, (dict, list))
                and "organization" not in where
            ):
                assert got[key] == value, f"{where}.{key}"
    elif isinstance(sample, list):
        assert isinstance(got, list), where
        if sample:
            assert got, f"{where} is empty"
            compare(sample[0], got[0], where + "[0]")
    else:
        assert type(got) is type(sample), f"{where}: {got!r}"


def ask(wire: t.Any, sample: t.Any, order_id: str) -> t.Any:
    provider, call = sample["provider"], sample["call"].format(id=order_id)
    if provider == "digicert":
        return wire.digicert("GET", call).json()
    if provider == "gogetssl":
        return wire.gogetssl("GET", call).json()
    if provider == "cpanel":
        return wire.cpanel(call, provider="cPStore", order_item_id=order_id).json()
    return dict(
        urllib.parse.parse_qsl(
            wire.sectigo(call, orderNumber=order_id, **sample["fields"]).text, keep_blank_values=True
        )
    )


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample["name"] for sample in SAMPLES])
def test_sample_shapes(sandbox: t.Any, wire: t.Any, sample: t.Any) -> None:
    names = ["shop.example.org"]
    if "san" in sample["body"] and sample["body"]["san"]:
        names.append("www.example.org")
    sandbox.patch_account(sample["provider"], dialect=sample["dialect"])
    order = sandbox.order(sample["provider"], names, sample["scenario"])["order_id"]
    if "stage" in sample:
        sandbox.patch_order(sample["provider"], order, stage=sample["stage"])
    expected = sample["body"]
    if isinstance(expected, str):
        expected = dict(urllib.parse.parse_qsl(expected, keep_blank_values=True))
    compare(expected, ask(wire, sample, order))


@pytest.mark.parametrize("row", WORDS, ids=[f"{row['scenario']}-{row['stage']}" for row in WORDS])
def test_words(sandbox: t.Any, wire: t.Any, row: dict[str, str]) -> None:
    """Each scenario reaches its stage by the clock alone, and every provider names it with its own word."""
    for provider in ("digicert", "sectigo", "gogetssl"):
        order = sandbox.order(provider, ["a.example.org"], row["scenario"])
        start = next(start for start, stage in order["timeline"] if stage == row["stage"])
        sandbox.set_clock(start + 1)
        reply = wire.status(provider, order["order_id"])
        if provider == "sectigo":
            word = dict(urllib.parse.parse_qsl(reply.text))["1_1_certificateStatus"]
        else:
            word = reply.json()["order_status" if provider == "digicert" else "status"]
        assert word == row[provider], provider


@pytest.mark.parametrize("provider", ["digicert", "sectigo", "gogetssl"])
def test_forced_words_and_fields(sandbox: t.Any, wire: t.Any, provider: str) -> None:
    order = sandbox.order(provider)["order_id"]
    sandbox.patch_order(provider, order, word="Contemplating", fields={"extra": "1"}, drop=["success", "1_1_dcvStatus"])
    text = wire.status(provider, order).text
    assert "Contemplating" in text and "extra" in text
    assert "success" not in text and "1_1_dcvStatus" not in text


@pytest.mark.parametrize("provider", ["cpanel", "digicert", "sectigo", "gogetssl"])
def test_forced_raw_body(sandbox: t.Any, wire: t.Any, provider: str) -> None:
    order = sandbox.order(provider)["order_id"]
    sandbox.patch_order(provider, order, raw={"status": 418, "body": {"tea": "pot"}})
    reply = wire.status(provider, order)
    assert (reply.status_code, reply.json()) == (418, {"tea": "pot"})
    sandbox.patch_order(provider, order, raw=None)
    assert wire.status(provider, order).status_code == 200


def test_names_are_validated_one_after_the_other(sandbox: t.Any, wire: t.Any) -> None:
    names = [f"n{number}.example.org" for number in range(4)]
    sandbox.set_rate(0)
    order = sandbox.order("digicert", names, after={"validating": 40})["order_id"]
    sandbox.advance(1)
    seen = []
    for _round in range(5):
        body = wire.status("digicert", order).json()
        seen.append(sum(entry["status"] == "approved" for entry in body["dns_name_validations"]))
        sandbox.advance(10)
    assert seen == [0, 1, 2, 3, 4]
