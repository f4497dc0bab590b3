# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The providers with everything real but the network and the clock.

A provider has its entry in QUESTIONS, ORDER_IDS, PENDING and PERSONAL here, and in MAY_BE_ISSUED of oracle.py.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.certops.issuance.plugins.module_utils._orders.account import Account
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.client import HttpClient
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.messages import Request, Response
from ansible_collections.certops.issuance.plugins.module_utils._orders.http.redaction import Redactor
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.base import Provider
from ansible_collections.certops.issuance.plugins.module_utils._orders.providers.registry import PROVIDERS

BODIES = Path(__file__).resolve().parents[1] / "plugins/module_utils/_orders/providers"
#: Which question a path belongs to: a part of the path, and the bodies that usually answer it.
QUESTIONS: dict[str, list[tuple[str, str, str]]] = {
    "cpanel": [
        ("available", "get_ssl_certificate_if_available", "available_*"),
        ("details", "get_certificate_status_details", "details_*"),
        ("queue", "get_pending_ssl_certificates", "queue*"),
        ("chain", "get_cabundle", "cabundle*"),
    ],
    "digicert": [
        ("validation", "/validation", "validation_*"),
        ("download", "/download/", "pem_*"),
        ("changes", "status-changes", "status_changes*"),
        ("info", "/order/certificate/", "info_*"),
        ("list", "/order/certificate", "list*"),
    ],
    "gogetssl": [
        ("auth", "/auth/", "auth*"),
        ("batch", "/orders/statuses/", "batch*"),
        ("status", "/orders/status/", "[apu]*[!h].json"),
    ],
    "sectigo": [
        ("domains", "!GetMDCDomainDetails", "domains*"),
        ("report", "!WebHostReport", "report*"),
        ("collect", "CollectSSL", "collect_*"),
        ("status", "!GetDetailedOrderStatus", "[imoprs]*"),
    ],
}
#: The order that the bodies are about.
ORDER_IDS = {"cpanel": "40017", "digicert": "88120034", "gogetssl": "2204418", "sectigo": "830045512"}
#: A body of an order that nobody will issue, by provider.
PENDING = {
    "cpanel": {"available": "available_processing.json", "details": "details_pending.json"},
    "digicert": {"info": "info_pending.json", "validation": "validation_dv_pending.json"},
    "gogetssl": {"status": "processing.json"},
    "sectigo": {"status": "pending.txt"},
}
#: Fields that hold personal data, from sections 4 and 6 of each sheet.
PERSONAL = {
    "cpanel": ["identity_verification"],
    "digicert": ["first_name", "last_name", "telephone", "email", "job_title"],
    "gogetssl": ["admin_addressline1", "admin_email", "org_phone", "tech_firstname", "tech_email", "ssl_price"],
    "sectigo": [
        "1_telephoneNumber",
        "1_1_shippingForename",
        "1_1_shippingEmail",
        "1_streetAddress",
        "1_1_upsTrackingID",
    ],
}
#: Credentials that stand out wherever they come to the surface.
API_KEY, PASSWORD = "api-key-CREDENTIAL-0123456789", "pass word/CREDENTIAL+&é"


def originals(provider: str, pattern: str) -> list[bytes]:
    """The bodies of a provider's sheet that answer a question."""
    return [
        body for body in map(Path.read_bytes, sorted((BODIES / provider / "bodies").glob(pattern))) if _is_text(body)
    ]


def refusals(provider: str) -> list[bytes]:
    """The bodies of a provider's sheet that refuse, which may answer any question."""
    beginnings = ("denied", "error", "failed", "gone", "missing", "unknown", "whm_failure")
    files = sorted(file for file in (BODIES / provider / "bodies").iterdir() if file.name.startswith(beginnings))
    return [body for body in map(Path.read_bytes, files) if _is_text(body)]


def _is_text(body: bytes) -> bool:
    try:
        return bool(body.decode("utf-8").strip())
    except UnicodeDecodeError:
        return False


@dataclass
class Clock:
    """Seconds that pass only in sleep."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class FreeRateLimiter:
    """Lets everybody ask whenever they want."""

    @contextlib.contextmanager
    def exclusive(self, deadline: float | None = None) -> t.Iterator[None]:
        """Nobody else asks."""
        yield

    def acquire(self, deadline: float | None = None) -> None:
        """It is always somebody's turn."""

    def cool_down(self, seconds: float) -> None:
        """Nobody is kept away."""


@dataclass
class Answers:
    """What each question is answered with: a body, and the status of HTTP."""

    provider: str
    bodies: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def to(self, request: Request) -> Response:
        """The answer to a request."""
        asked = request.path + " " + request.query.get("cpanel.function", "")
        for question, part, _pattern in QUESTIONS[self.provider]:
            if part in asked:
                status = 200 if question == "auth" and self.status < 500 else self.status
                return Response(status, self.bodies[question], self.headers)
        raise LookupError(request.path)


class AnsweringTransport(HttpClient):
    """The real transport, with the answers in the place of the network."""

    def __init__(self, account: Account, answers: Answers, personal: t.Any) -> None:
        clock = Clock()
        super().__init__(account, FreeRateLimiter(), clock, clock.sleep, {}, Redactor(), personal)  # type: ignore[arg-type]
        self.answers = answers

    def _send_once(self, request: Request, url: str, query: t.Mapping[str, str], last: float) -> Response:
        self.requests_sent += 1
        return self.answers.to(request)


def credentials_of(provider: str) -> dict[str, str]:
    """The credentials that an account is asked about with: the first that the provider takes."""
    known = {"api_key": API_KEY, "username": "user", "password": PASSWORD}
    return {option: known[option] for option in PROVIDERS[provider].info.credentials[0]}


def provider_with(answers: Answers) -> Provider:
    """A provider that gets these answers."""
    account = Account(
        provider=answers.provider,
        api_url="http://localhost",
        **credentials_of(answers.provider),
        validate_certs=False,
    )
    provider_class = PROVIDERS[answers.provider]
    return provider_class(account, AnsweringTransport(account, answers, provider_class.info.personal))
