# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs what makes the next certificate against the sandbox, on its virtual clock, also in a process that dies."""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
import types
import typing as t
import warnings
from pathlib import Path

from ansible_runs import short_for_first
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sandbox.client import Sandbox

from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_certificate import (
    ORDER_CERTIFICATE_OPTIONS,
    order_certificate,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_reissue import (
    ORDER_REISSUE_OPTIONS,
    order_reissue,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.order_wait import (
    ORDER_WAIT_OPTIONS,
    order_wait,
)
from ansible_collections.certops.issuance.plugins.module_utils._orders.operations.runtime import (
    Operation,
    Runtime,
    perform,
)

#: The one call of each provider that requests a reissue, as a part of its path.
WRITES = {"digicert": "/reissue", "gogetssl": "/orders/ssl/reissue/", "sectigo": "/products/!AutoReplaceSSL"}
#: For tests of each provider that can be asked; `make test` takes one of them.
PROVIDER_PARAMS = short_for_first("digicert", "gogetssl", "sectigo")
#: Everything that reads: all other requests change something.
_READS = ("/auth/", "/orders/status", "!GetDetailedOrderStatus", "CollectSSL", "!GetMDCDomainDetails", "!WebHostReport")
METHODS = {"digicert": "dns-txt", "gogetssl": "http", "sectigo": "http"}
NAME = "www.example.org"
HOUR, DAY = 3600.0, 86400.0
#: How a process ends that is killed at a step.
_KILLED = 9


def make_csr(*names: str) -> str:
    """A CSR for a new key."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(alternative, critical=False)
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode("ascii")


def same_key(csr: str, certificate: str) -> bool:
    """Whether a certificate is for the key of a CSR."""
    request, leaf = x509.load_pem_x509_csr(csr.encode()), x509.load_pem_x509_certificate(certificate.encode())
    return bool(request.public_key() == leaf.public_key())


class Desk:
    """Runs operations for one provider, with the sandbox's clock: a pause moves it on."""

    def __init__(self, sandbox: Sandbox, provider: str, folder: Path) -> None:
        self.sandbox, self.provider = sandbox, provider
        self.options = dict(sandbox.options(provider))
        self.folder = folder
        # The client keeps to limits by the virtual clock, and the sandbox counts by the real one.
        sandbox.limits("digicert", per_5s=1_000_000, per_180s=1_000_000)
        sandbox.limits("sectigo", collect_interval=0)
        sandbox.date_certificates_by_clock()
        self._start = sandbox.now()
        self.elapsed = 0.0
        self.csr = make_csr(NAME)
        self.made_at = self.moment()

    def now(self) -> datetime.datetime:
        """The virtual time."""
        return datetime.datetime.fromtimestamp(self._start + self.elapsed, datetime.timezone.utc)

    def moment(self) -> str:
        """The virtual time as an option."""
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def pass_time(self, seconds: float) -> None:
        """Let virtual time pass, here and at the provider."""
        self.elapsed += seconds
        self.sandbox.set_clock(self._start + self.elapsed)

    def new_csr(self, *names: str) -> None:
        """From now on the wish is another certificate."""
        self.csr, self.made_at = make_csr(*(names or (NAME,))), self.moment()

    def order(self, *names: str, scenario: str = "issued", **fields: t.Any) -> str:
        """A new order; of the age of a certificate that is due."""
        fields = {"age": 31 * DAY, **fields}
        order = self.sandbox.order(self.provider, list(names) or [NAME], scenario, **fields)
        return str(order["order_id"])

    def fault(self, kind: str, **fields: t.Any) -> None:
        """A fault of the request for a reissue."""
        self.sandbox.fault(
            kind, **{"provider": self.provider, "path": WRITES[self.provider], "method": "POST", "times": 1, **fields}
        )

    def perform(
        self,
        operation: Operation,
        spec: t.Mapping[str, t.Any],
        check_mode: bool = False,
        real_time: bool = False,
        **params: t.Any,
    ) -> dict[str, t.Any]:
        """The result of an operation."""
        runtime = Runtime(
            environment={"XDG_CACHE_HOME": str(self.folder)},
            check_mode=check_mode,
            clock=time.monotonic if real_time else lambda: self.elapsed,
            sleep=time.sleep if real_time else self.pass_time,
            wall=self.now,
        )
        defaults = {name: option.get("default") for name, option in spec.items()}
        # A machine that is busy with other tests answers late.
        result = perform(operation, {**defaults, "request_timeout": 30, **self.options, **params}, runtime)
        return dict(json.loads(json.dumps(result, allow_nan=False)))

    def reissue(self, order_id: str, **params: t.Any) -> dict[str, t.Any]:
        """Run order_reissue for the present CSR."""
        given = {"csr": self.csr, "requested_after": self.made_at, "dcv_method": METHODS.get(self.provider), **params}
        return self.perform(order_reissue, ORDER_REISSUE_OPTIONS, order_id=order_id, **given)

    def wait(self, order_id: str, superseded: t.Sequence[str] = (), **params: t.Any) -> dict[str, t.Any]:
        """Run order_wait."""
        given = {"superseded_serial_number": list(superseded), "timeout": "1h", **params}
        return self.perform(order_wait, ORDER_WAIT_OPTIONS, order_ids=[order_id], **given)

    def collect(self, order_id: str, **params: t.Any) -> dict[str, t.Any]:
        """Run order_certificate for the present CSR."""
        given = {"csr": self.csr, **params}
        return self.perform(order_certificate, ORDER_CERTIFICATE_OPTIONS, order_id=order_id, **given)

    def renew(self, order_id: str, **params: t.Any) -> dict[str, t.Any]:
        """One nightly run: request, wait, collect. The first failure ends it."""
        result = self.reissue(order_id, **params)
        if not result.get("failed"):
            result = self.wait(
                order_id, [result["superseded_serial_number"]] * bool(result["superseded_serial_number"])
            )
        return result if result.get("failed") else self.collect(order_id)

    def written(self) -> list[dict[str, t.Any]]:
        """The requests that change something; none but those for a reissue."""
        found = []
        for entry in self.sandbox.requests(provider=self.provider):
            path = str(entry["path"])
            if entry["method"] != "GET" and not any(part in path for part in _READS):
                assert WRITES.get(self.provider, "none") in path, path
                found.append(entry)
        return found

    def reissues(self, order_id: str | None = None) -> int:
        """How many reissues the provider has made, all of them for nothing."""
        ledger = self.sandbox.ledger(provider=self.provider, **({"order_id": order_id} if order_id else {}))
        assert ledger["sum"] == "0.00", ledger
        assert {entry["kind"] for entry in ledger["entries"]} <= {"reissue", "replacement"}, ledger
        return len(ledger["entries"])


# -- processes that die ---------------------------------------------------------

#: A step: the qualified name of a function, whether it begins or has ended, and which time.
Step = tuple[str, str, int]
#: The functions between which a run may be killed: all that have an effect, on this machine or at the provider.
STEPS = frozenset(
    {
        "_Task._look", "_Task._act", "_Task._adopt", "_Task._send", "_Task._note", "_Task._look_again", "Ledger.read",
        "Ledger.write", "Session.send",
    }
)  # fmt: skip


class _Steps:
    """Counts the steps of this process; at the chosen one the process ends as if it were killed."""

    def __init__(self, kill_at: Step | None) -> None:
        self.seen: list[Step] = []
        self._kill_at = kill_at

    def __call__(self, frame: types.FrameType, event: str, _argument: t.Any) -> None:
        name = frame.f_code.co_qualname
        if name in STEPS and event in ("call", "return"):
            count = sum(step[:2] == (name, event) for step in self.seen)
            self.seen.append((name, event, count + 1))
            if self.seen[-1] == self._kill_at:
                os._exit(_KILLED)


def run_in_process(work: t.Callable[[], dict[str, t.Any]], kill_at: Step | None = None) -> t.Any:
    """Do some work in a process of its own.

    Returns:
        Its result with the steps in ``steps``; ``None`` when it was killed.
    """
    return start_in_process(work, kill_at)()


def start_in_process(work: t.Callable[[], dict[str, t.Any]], kill_at: Step | None = None) -> t.Callable[[], t.Any]:
    """Begin some work in a process of its own; what is returned waits for its result. See ``run_in_process``."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # The other thread of a pytest worker waits for its next test and holds no lock that the child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reader)
            steps = _Steps(kill_at)
            sys.setprofile(steps)
            result = work()
            sys.setprofile(None)
            with os.fdopen(writer, "w", encoding="utf-8") as stream:
                json.dump({**result, "steps": steps.seen}, stream)
            code = 0
        finally:
            os._exit(code)
    os.close(writer)

    def finish() -> t.Any:
        with os.fdopen(reader, encoding="utf-8") as stream:
            text = stream.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code == (_KILLED if kill_at and not text else 0), (code, text)
        return json.loads(text) if text else None

    return finish
