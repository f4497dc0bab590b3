# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes as certificates: a right chain, or an error of ours."""

from __future__ import annotations

import base64
import functools
import random

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.certops.issuance.plugins.module_utils._orders.certificates import chain
from ansible_collections.certops.issuance.plugins.module_utils._orders.errors import OrderError
from ansible_collections.certops.issuance.tests.unit.fuzz.mutation import spoiled_bytes
from ansible_collections.certops.issuance.tests.unit.fuzz.world import BODIES


@functools.cache
def certificates() -> list[str]:
    """Every certificate in the bodies, as PEM: leaves, intermediates and roots of several chains."""
    found: dict[str, None] = {}
    for file in sorted(BODIES.glob("*/bodies/*")):
        if file.is_file():
            text = file.read_bytes().decode("utf-8", "replace").replace("\\r", "").replace("\\n", "\n")
            for part in text.split("-----BEGIN CERTIFICATE-----")[1:]:
                pem = "-----BEGIN CERTIFICATE-----" + part.partition("-----END CERTIFICATE-----")[0]
                pem = "\n".join(pem.split("\n")) + "-----END CERTIFICATE-----\n"
                try:
                    x509.load_pem_x509_certificate(pem.encode())
                except ValueError:  # an example that was shortened
                    continue
                found[pem] = None
    return list(found)


def _bare(pem: str) -> str:
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


_SHAPES = {
    "pem": lambda pem: pem,
    "crlf": lambda pem: pem.replace("\n", "\r\n"),
    "bare": lambda pem: _bare(pem) + "\n",
    "base64": lambda pem: base64.b64encode(pem.encode()).decode() + "\n",
    "words": lambda pem: "subject=/CN=x\n\n" + pem + "\n\x00",
    "one line": lambda pem: pem.replace("\n", " "),
    "trusted": lambda pem: pem.replace("BEGIN CERTIFICATE", "BEGIN TRUSTED CERTIFICATE"),
    "open": lambda pem: pem.replace("-----END CERTIFICATE-----\n", ""),
}


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[str | None, list[str]]:
    """A leaf, or none, and other texts, in any order and shape, some of them spoiled."""
    texts = []
    for pem in draw(st.lists(st.sampled_from(certificates()), max_size=5)):
        text = _SHAPES[draw(st.sampled_from(sorted(_SHAPES)))](pem)
        if draw(st.integers(0, 5)) == 0:
            text = draw(spoiled_bytes(text.encode())).decode("latin-1")
        texts.append(text)
    if draw(st.booleans()) and len(texts) > 1:
        texts[:2] = [texts[0] + texts[1]]
    leaf = draw(st.one_of(st.none(), st.sampled_from(texts) if texts else st.text(max_size=30)))
    return leaf, texts


@given(deliveries())
def test_a_right_chain_or_a_refusal(delivery: tuple[str | None, list[str]]) -> None:
    leaf, others = delivery
    try:
        bundle = chain.assemble(leaf, others)
    except OrderError as exc:
        str(exc).encode("utf-8")
        return
    served = x509.load_pem_x509_certificates(bundle.fullchain.encode("ascii"))
    assert len({one.public_bytes(Encoding.DER) for one in served}) == len(served)
    for one, issuer in zip(served, served[1:], strict=False):
        one.verify_directly_issued_by(issuer)
    assert not any(one.issuer == one.subject for one in served[1:])
    # Once more, in another order: the same bundle.
    shuffled = list(others)
    random.Random(1).shuffle(shuffled)
    assert chain.assemble(leaf, shuffled) == bundle


@given(
    st.one_of(st.text(), st.binary().map(lambda content: content.decode("latin-1")), st.sampled_from(certificates()))
)
def test_any_text(text: str) -> None:
    try:
        found = chain.split_certificates([text])
    except OrderError:
        found = []
    assert chain.describe_certificate(text) is None or found
    assert isinstance(chain.armored(text), str)
