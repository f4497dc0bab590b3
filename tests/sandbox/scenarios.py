# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can become of an order, as data.

A scenario is a product and a list of stages with the (virtual) seconds an order stays in each; ``None`` stays for
ever. Dialects put a stage's ``state`` and check values into their own words; they know nothing of scenarios.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Values of a check, as in the neutral model of the provider fact sheets.
NOT_APPLICABLE, NOT_COMPLETED, IN_PROGRESS, COMPLETED = "not_applicable", "not_completed", "in_progress", "completed"

#: The checks each product needs. CSR, DCV and CAA are needed by all.
PRODUCT_CHECKS = {
    "dv": (),
    "ov": ("organization", "phone_callback"),
    "ev": ("organization", "phone_callback", "ev_click_through"),
}


@dataclass(frozen=True)
class Stage:
    """Where an order stands. ``checks`` overrides what follows from the stages already passed."""

    state: str
    dcv: bool = True  # DCV of every name is done
    checks: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    ended: bool = False  # the certificate's life or the order is over


STAGES = {
    "needs_csr": Stage("needs_csr", dcv=False, checks={"csr": NOT_COMPLETED}),
    "unpaid": Stage("unpaid", dcv=False),
    "needs_approval": Stage("needs_approval", dcv=False),
    "fraud_check": Stage("fraud_check", dcv=False),
    "validating": Stage("open", dcv=False),
    "unknown_word": Stage("unknown", dcv=False),
    "organization": Stage("open", checks={"organization": IN_PROGRESS}),
    "callback": Stage("open", checks={"phone_callback": IN_PROGRESS}),
    "click_through": Stage("open", checks={"ev_click_through": IN_PROGRESS}),
    "brand": Stage("open", checks={"brand": IN_PROGRESS}),
    "presign_failed": Stage(
        "presign_failed", checks={"caa": NOT_COMPLETED}, reason="CAA record does not authorise this CA"
    ),
    "issuing": Stage("issuing"),
    "pickup": Stage("pickup"),
    "no_chain": Stage("no_chain"),
    "issued": Stage("issued"),
    "rejected": Stage("rejected", dcv=False, reason="Domain is on a deny list", ended=True),
    "canceled": Stage("canceled", dcv=False, reason="Canceled at the customer's request", ended=True),
    "failed": Stage("failed", reason="Signing failed at the CA", ended=True),
    "expired": Stage("expired", ended=True),
    "revoked": Stage("revoked", reason="Key compromise reported", ended=True),
    "replaced": Stage("replaced", ended=True),
}

#: States in which a certificate exists at the CA.
SIGNED_STATES = frozenset({"issued", "no_chain", "expired", "revoked", "replaced"})


@dataclass(frozen=True)
class Scenario:
    """A product and its stages: ``(stage, seconds)``. ``previous``: an earlier certificate is being reissued."""

    product: str
    steps: tuple[tuple[str, float | None], ...]
    previous: bool = False


_DCV, _SIGN = ("validating", 60.0), (("issuing", 30.0), ("issued", None))

SCENARIOS = {
    "dv": Scenario("dv", (_DCV, *_SIGN)),
    "ov": Scenario("ov", (_DCV, ("organization", 60.0), ("callback", 30.0), *_SIGN)),
    "ev": Scenario("ev", (_DCV, ("organization", 60.0), ("callback", 30.0), ("click_through", 60.0), *_SIGN)),
    "issued": Scenario("dv", (("issued", None),)),
    "issued_ov": Scenario("ov", (("issued", None),)),
    "needs_csr": Scenario("dv", (("needs_csr", None), _DCV, *_SIGN)),
    "unpaid": Scenario("dv", (("unpaid", None), _DCV, *_SIGN)),
    "needs_approval": Scenario("ov", (("needs_approval", None), _DCV, ("organization", 60.0), *_SIGN)),
    "manual_fraud_check": Scenario("dv", (("fraud_check", None), _DCV, *_SIGN)),
    "stuck_dcv": Scenario("dv", (("validating", None), *_SIGN)),
    "stuck_organization": Scenario("ov", (_DCV, ("organization", None), *_SIGN)),
    "brand": Scenario("dv", (_DCV, ("brand", 120.0), *_SIGN)),
    "caa": Scenario("dv", (_DCV, ("presign_failed", None), *_SIGN)),
    "pickup": Scenario("dv", (_DCV, ("pickup", 30.0), ("issued", None))),
    "no_chain_yet": Scenario("dv", (_DCV, ("issuing", 30.0), ("no_chain", 60.0), ("issued", None))),
    "stuck_issuing": Scenario("dv", (_DCV, ("issuing", None), ("issued", None))),
    "rejected": Scenario("dv", (_DCV, ("rejected", None))),
    "canceled": Scenario("dv", (_DCV, ("canceled", None))),
    "failed": Scenario("dv", (_DCV, ("failed", None))),
    "expired": Scenario("dv", (_DCV, *_SIGN[:1], ("issued", 60.0), ("expired", None))),
    "revoked": Scenario("dv", (_DCV, *_SIGN[:1], ("issued", 60.0), ("revoked", None))),
    "replaced": Scenario("dv", (_DCV, *_SIGN[:1], ("issued", 60.0), ("replaced", None))),
    "reissue": Scenario("dv", (_DCV, *_SIGN), previous=True),
    "unknown_word": Scenario("dv", (("unknown_word", None), _DCV, *_SIGN)),
}
