# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DigiCert CertCentral, Services API v2: its calls, and its words in neutral ones.

Private to this collection. Sections named below are those of the DigiCert fact sheet,
docs/providers/digicert.md.
"""

from __future__ import annotations

import datetime
import io
import math
import re
import typing as t
import zipfile
import zlib
from dataclasses import replace

from ...._common.names import normalize_serial
from ...errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    RateLimited,
    UnexpectedResponse,
)
from ...http.messages import Request, Response
from ...http.rate_limit import PollSchedule, RateLimits, RequestBudget
from ...http.redaction import shortened
from ...model import Blocker, Certificate, Check, Domain, Order, Status
from ..base import (
    MOST_QUOTED,
    IssuedBundle,
    OrderSummary,
    Provider,
    ProviderInfo,
    least_advanced,
    open_blockers,
    unknown_word,
)
from ..coerce import entries, identifier, mapping, moment_from_text, names, objects, text, time_from_text, word

_URL = "https://www.digicert.com/services/v2"
#: Words under which validation goes on; section 5.
_PENDING = frozenset(["pending", "processing", "reissue_pending"])
#: Words of old recordings that may stand for an issued order; section 5.
_PERHAPS_ISSUED = frozenset(["approved", "reissue"])
#: Section 5, before validation is looked at.
_STATUSES: t.Mapping[str, str] = {
    "issued": Status.ISSUED,
    "pending": Status.VALIDATING,
    "processing": Status.VALIDATING,
    "reissue_pending": Status.VALIDATING,
    "waiting_pickup": Status.ISSUING,
    "approved": Status.ISSUING,
    "reissue": Status.ISSUING,
    "needs_approval": Status.ACTION_REQUIRED,
    "needs_csr": Status.ACTION_REQUIRED,
    "rejected": Status.REJECTED,
    "denied": Status.REJECTED,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
    "revoked": Status.REVOKED,
    "expired": Status.EXPIRED,
}
_DNS_NAME_STATES: t.Mapping[str, str] = {"approved": Check.COMPLETED, "pending": Check.IN_PROGRESS}
_ORGANIZATION_STATES: t.Mapping[str, str] = {
    "active": Check.COMPLETED,
    "complete": Check.COMPLETED,
    "approved": Check.COMPLETED,
    "pending": Check.IN_PROGRESS,
}
#: Codes that mean "not yet, publish the record"; section 6.
_NOT_YET = ("file_random_value_not_found", "invalid_dns_txt", "caa_check_failed", "caa_not_found")

#: While an order is reissue_pending; sections 5 and 11.
_REISSUE = Blocker(
    "reissue", "the reissue is not there yet; what can be downloaded is the previous certificate", actor="provider"
)

#: The most that one page of the list call holds; section 1.
_PAGE = 1000
#: The longest window of status-changes, in minutes; section 1.
_LONGEST_WINDOW = 7 * 24 * 60
#: How far windows overlap, in minutes: the provider's clock is not ours; section 7.
_OVERLAP = 2
#: DigiCert's own DCV checks end so long after the order; section 9.
_OWN_CHECKS = datetime.timedelta(days=10)
#: Bounds for archives: a certificate with its chain and root is four small files.
_MOST_MEMBERS = 20
_LARGEST_MEMBER = 256 * 1024

#: Base64 without its armour, of a certificate or of a whole PEM text.
_BARE = re.compile(r"\s*(?:MI|LS0t)[A-Za-z0-9+/=\s]{200,}", re.ASCII)

T = t.TypeVar("T")


class DigicertProvider(Provider):
    """Orders of one CertCentral account."""

    info = ProviderInfo(
        name="digicert",
        label="DigiCert",
        default_url=_URL,
        environment={"api_key": ("DIGICERT_API_KEY",), "api_url": ("DIGICERT_API_URL",)},
        credentials=(("api_key",),),
        # Section 9: 1000 requests in 3 minutes and 100 in 5 seconds, less a margin: requests may arrive closer to one
        # another than they were sent.
        rate_limits=RateLimits(
            schedule=PollSchedule(steps=((900, 60), (3600, 120)), afterwards=300),
            budgets=(RequestBudget(90, 5.5), RequestBudget(900, 185)),
        ),
        order_id_hint="the order number, digits alone",
        personal=re.compile(
            r"(?:\w+_)?(?:contacts?|e?mails?|phones?|telephone|fax)|telephone_\w+|(?:first|last)_name|job_title"
            r"|users?|user_\w+|username|requester|processor|approvers?|(?:\w+_)?(?:comments?|notes?)",
            re.IGNORECASE,
        ),
        bulk_from=4,
    )

    def fetch_order(self, order_id: str) -> Order:
        """Order info and validation of one order; sections 3 to 5."""
        order_id = self.check_order_id(order_id)
        info = self._fetch_info(order_id)
        try:
            validation: t.Mapping[str, t.Any] | None = self._fetch_validation(order_id)
        except OrderNotFound:
            # The order exists, as order info has shown: there is nothing to validate before approval or any more.
            validation = None
        provider_status = text(info.get("status")) or text(mapping(validation).get("order_status"))
        order = _with_validation(_order_from_info(order_id, info, provider_status), validation)
        return self.finish(order, {"order": info, "validation": validation})

    def refresh_order(self, order: Order) -> Order:
        """Validation alone, while the order's word stays the same; else all of it."""
        try:
            validation = self._fetch_validation(order.order_id)
        except OrderNotFound:
            return self.fetch_order(order.order_id)
        now = word(validation.get("order_status"))
        if now != word(order.provider_status) or _STATUSES.get(now) == Status.ISSUED:
            return self.fetch_order(order.order_id)
        body = {"order": mapping(order.raw).get("order"), "validation": validation}
        fresh = self.finish(_with_validation(order, validation), body)
        return replace(fresh, left_out=tuple(sorted({*order.left_out, *fresh.left_out})))

    def fetch_summaries(self, order_ids: t.Sequence[str], since: float | None) -> t.Mapping[str, OrderSummary]:
        """What status-changes or, when all is to be told or after a long pause, the order list tells; section 7."""
        wanted = frozenset(order_ids)
        minutes = _LONGEST_WINDOW + 1 if since is None else math.ceil(since / 60) + _OVERLAP
        whole = minutes > _LONGEST_WINDOW
        if not whole:
            path = "/order/certificate/status-changes"
            items = self._ask("status-changes", path, _read_orders, {"minutes": str(minutes)})
        else:
            items = self._list_orders(wanted)
        found: dict[str, dict[str, OrderSummary]] = {}
        for item in items:
            order_id = _listed_id(item)
            if order_id in wanted:
                sketch = _sketch(order_id, item)
                found.setdefault(order_id, {})[sketch.mark] = sketch
        # The same order with two states: nothing says which is the newer one.
        told = {
            order_id: next(iter(sketches.values()))
            if len(sketches) == 1
            else OrderSummary(mark="+".join(sorted(sketches)))
            for order_id, sketches in found.items()
        }
        # What the list does not show, status-changes may not tell of either.
        return dict(dict.fromkeys(wanted - told.keys() if whole else (), OrderSummary(mark="unlisted")), **told)

    def may_collect(self, order: Order) -> bool:
        """See Provider.may_collect. Clients disagree whether waiting_pickup means that it is ready; section 5."""
        return order.issued or word(order.provider_status) == "waiting_pickup"

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """The certificate with its intermediates, by certificate id; section 8."""
        if not self.may_collect(order):
            raise _not_issued(order)
        certificate_id = order.certificate.id
        facts = mapping(mapping(mapping(order.raw).get("order")).get("certificate"))
        if certificate_id is None:
            facts = mapping(self._fetch_info(order.order_id).get("certificate"))
            certificate_id = identifier(facts.get("id"))
        if certificate_id is None:
            raise _not_issued(order)
        path = f"/certificate/{certificate_id}/download/format/pem_noroot"
        try:
            texts = self._ask("certificate download", path, _read_certificate, order_id=order.order_id, accept="*/*")
        except OrderNotFound:
            if order.issued:
                raise
            raise _not_issued(order) from None
        # Another certificate than the one asked for has been seen to come: its key shows it. Section 8.
        return IssuedBundle(leaf=None, others=texts, csr=text(facts.get("csr")))

    # -- calls --------------------------------------------------------------

    def _ask(
        self,
        call: str,
        path: str,
        read: t.Callable[[Response], T],
        query: t.Mapping[str, str] | None = None,
        order_id: str | None = None,
        accept: str = "application/json",
    ) -> T:
        headers = {
            "X-DC-DEVKEY": self.account.api_key or "",
            "Content-Type": "application/json",
            "Accept": accept,
        }
        request = Request(call=call, method="GET", path=path, query=query or {}, headers=headers, order_id=order_id)
        return self.transport.ask(request, read)

    def _fetch_info(self, order_id: str) -> t.Mapping[str, t.Any]:
        def read(response: Response) -> t.Mapping[str, t.Any]:
            return _read_about(response, order_id, "id", ("id", "status"))

        path = f"/order/certificate/{order_id}"
        return self._ask("order info", path, read, {"include_caa_status": "true"}, order_id)

    def _fetch_validation(self, order_id: str) -> t.Mapping[str, t.Any]:
        def read(response: Response) -> t.Mapping[str, t.Any]:
            return _read_about(response, order_id, "order_id", ())

        path = f"/order/certificate/{order_id}/validation"
        return self._ask("order validation", path, read, order_id=order_id)

    def _list_orders(self, wanted: frozenset[str]) -> list[t.Mapping[str, t.Any]]:
        """Pages of the list, until all orders are found or asking for them one by one has become cheaper."""
        items: dict[str | None, t.Mapping[str, t.Any]] = {}
        # A single look costs two requests.
        for page in range(max(1, 2 * len(wanted))):
            query = {"limit": str(_PAGE), "offset": str(page * _PAGE)}
            listed = self._ask("order list", "/order/certificate", _read_orders, query)
            before = len(items)
            items.update((_listed_id(item), item) for item in listed)
            # A server that does not know offset would answer the first page for ever.
            if len(listed) < _PAGE or len(items) == before or wanted <= items.keys():
                break
        return list(items.values())


# -- reading answers --------------------------------------------------------


def _read_json(response: Response) -> t.Any:
    """The JSON of an answer that is no error; section 6."""
    if response.status >= 400:
        raise _error(response.status, *_errors(response))
    if response.status == 204:
        return {}
    body = response.json()
    if isinstance(body, dict) and body.get("errors") and "status" not in body and "order_status" not in body:
        raise _error(response.status, *_errors(response))
    return body


def _read_about(response: Response, order_id: str, id_field: str, needed: t.Sequence[str]) -> t.Mapping[str, t.Any]:
    """An object about this order, with at least one of the fields needed."""
    body = _read_json(response)
    if not isinstance(body, dict):
        raise UnexpectedResponse("it is no JSON object")
    if needed and not any(body.get(name) for name in needed):
        raise UnexpectedResponse("it has none of the fields {0}".format(", ".join(needed)))
    told = identifier(body.get(id_field))
    if told is not None and told.lstrip("0") != order_id.lstrip("0"):
        raise UnexpectedResponse(f"it is about order {told[:40]}")
    return body


def _read_orders(response: Response) -> list[t.Mapping[str, t.Any]]:
    """The orders of a list or of status-changes: below orders, or a bare list; {} is none at all. Section 7."""
    body = _read_json(response)
    if isinstance(body, dict) and (not body or "orders" in body):
        body = body.get("orders") or []
    if not isinstance(body, list):
        raise UnexpectedResponse("it holds no list of orders", retryable=False)
    return objects(body)


def _read_certificate(response: Response) -> tuple[str, ...]:
    """Certificates in PEM. Which of them is the leaf is not relied upon; section 8."""
    if response.status >= 400:
        raise _error(response.status, *_errors(response))
    texts = _unzip(response.body) if response.body[:4] == b"PK\x03\x04" else (response.text(),)
    whole = "\n".join(texts)
    begun = whole.count("-----BEGIN CERTIFICATE-----")
    if not begun and _BARE.fullmatch(whole):
        return texts
    if not begun:
        if whole.lstrip()[:1] == "{":
            _read_json(response)
        if "PKCS7" in whole or response.body[:1] == b"\x30":
            raise UnexpectedResponse("it is PKCS #7 or DER where PEM was asked for; check api_url", retryable=False)
        raise UnexpectedResponse("there is no certificate in it")
    if begun != whole.count("-----END CERTIFICATE-----"):
        raise UnexpectedResponse("a certificate in it is cut off")
    return texts


def _unzip(content: bytes) -> tuple[str, ...]:
    """The certificate files of an archive, each read up to a bound."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [item for item in archive.infolist() if item.filename.lower().endswith((".crt", ".cer", ".pem"))]
            texts = []
            for member in members[:_MOST_MEMBERS]:
                with archive.open(member) as opened:
                    texts.append(opened.read(_LARGEST_MEMBER).decode("latin-1"))
            return tuple(texts)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as exc:
        raise UnexpectedResponse(f"the archive in it cannot be read ({type(exc).__name__})") from exc


def _errors(response: Response) -> tuple[bool, list[tuple[str, str]]]:
    """Whether the body is JSON or empty, and the pairs of code and message in it: a list, or a lone object."""
    if not response.text().strip():
        return True, []
    try:
        body = mapping(response.json())
    except UnexpectedResponse:
        return False, []
    return True, [
        (shortened(word(item.get("code")), MOST_QUOTED), shortened(text(item.get("message")) or "", MOST_QUOTED))
        for item in objects(body.get("errors"))
    ]


def _error(status: int, readable: bool, errors: t.Sequence[tuple[str, str]]) -> OrderError:
    """The error that an answer stands for; section 6."""
    parts = {part.strip() for code, message in errors for part in code.split("|")}
    said = "; ".join(filter(None, (": ".join(filter(None, pair)) for pair in errors[:3]))) or "no reason given"
    said = f"HTTP {status}, {said}"
    if "request_limit_exceeded" in parts:
        return RateLimited(f"too many requests ({said}); ask less often")
    if any(part.startswith(_NOT_YET) for part in parts):
        return NotIssued(f"the record that DigiCert looks for is not found yet ({said}); publish it")
    if parts & {"missing_permission", "invalid_approver"}:
        return PermissionDenied(f"the role of api_key does not allow this call ({said}); use a key that may")
    if status in (401, 403) or "access_denied" in parts or "access_denied_invalid_key" in parts:
        return AuthenticationError(f"DigiCert refused api_key ({said}); check the key, and api_url's region")
    if status == 404 and (not readable or "route" in parts):
        return InvalidRequest(f"DigiCert's API is not at this URL ({said}); check api_url, the default is {_URL}")
    if status == 404 or "not_found" in parts:
        return OrderNotFound(f"DigiCert does not know it ({said}); check the order id, api_key and api_url")
    if status == 406:
        return UnexpectedResponse(f"DigiCert did not accept the request ({said}); try again later")
    return InvalidRequest(f"DigiCert refused the request ({said}); check order_id and api_url")


# -- words to neutral words -------------------------------------------------


def _order_from_info(order_id: str, info: t.Mapping[str, t.Any], provider_status: str | None) -> Order:
    """The order as order info tells it; section 4.2."""
    facts = mapping(info.get("certificate"))
    certificate = Certificate(
        id=identifier(facts.get("id")),
        serial_number=_serial(facts.get("serial_number")),
        not_before=time_from_text(facts.get("valid_from")),
        not_after=time_from_text(facts.get("valid_till")),
    )
    said = word(provider_status)
    status = _STATUSES.get(said, Status.UNKNOWN)
    if said in _PERHAPS_ISSUED and certificate.id and moment_from_text(facts.get("date_issued")):
        status = Status.ISSUED
    reason = None
    if status == Status.ISSUED and word(facts.get("status")) == "revoked":
        # The order goes on, but this certificate of it has ended.
        status, reason = Status.REVOKED, "the certificate of the order is revoked"

    warnings = []
    if status == Status.UNKNOWN:
        warnings.append(unknown_word("digicert", "status", provider_status or ""))
    if status == Status.ISSUED and certificate.id is None:
        warnings.append("digicert said that the order is issued, but gave no certificate id to collect it by")

    checks: dict[str, str] = {}
    if said == "needs_csr":
        checks["csr"] = Check.NOT_COMPLETED
    elif text(facts.get("csr")):
        checks["csr"] = Check.COMPLETED
    caa = _caa_messages(info.get("caa_status_message"))
    checks["caa"] = Check.COMPLETED if status == Status.ISSUED else Check.IN_PROGRESS if caa else Check.UNKNOWN

    listed = names(facts.get("common_name")) + names(facts.get("dns_names"))
    # The common name of what is no server certificate is a person or a company.
    hosts = dict.fromkeys(name.lower() for name in listed if "." in name and not re.search(r"[\s@]", name))
    return Order(
        provider="digicert",
        order_id=order_id,
        status=status,
        provider_status=provider_status,
        issued=status == Status.ISSUED and certificate.id is not None,
        checks=checks,
        domains=tuple(Domain(name) for name in hosts),
        reason=reason or caa,
        certificate=certificate,
        ordered_at=time_from_text(info.get("date_created")),
        warnings=tuple(warnings),
    )


def _with_validation(order: Order, validation: t.Mapping[str, t.Any] | None) -> Order:
    """The order with what the validation call tells, in place of what an earlier one told; sections 4.1 and 5."""
    said = word(order.provider_status)
    issued = order.status == Status.ISSUED
    warnings = list(order.warnings)
    listed = entries(mapping(validation).get("dns_name_validations"))
    states = [_dns_name_state(entry, issued, warnings) for entry in listed]
    domains = _domains(order, listed, states, warnings)

    checks = dict(order.checks)
    checks["dcv"] = Check.COMPLETED if issued else least_advanced(states)
    organizations = entries(mapping(validation).get("organization_validations"))
    if organizations:
        checks["organization"] = least_advanced([_organization_state(entry, warnings) for entry in organizations])
    elif validation is not None:
        checks["organization"] = Check.NOT_APPLICABLE

    status = order.status
    if said in _PENDING:
        done = all(checks.get(name) in Check.CLOSED for name in ("dcv", "organization"))
        status = Status.ISSUING if done and checks.get("caa") not in Check.OPEN else Status.VALIDATING
        if checks["dcv"] != Check.COMPLETED and said != "reissue_pending" and _own_checks_over(order.ordered_at):
            warnings.append(
                "the order is older than ten days, so DigiCert does not check DCV by itself any more; "
                "start a check in CertCentral, or by the API call check-dcv"
            )
    blockers: tuple[Blocker, ...] = ()
    if not issued and status not in Status.ENDED:
        blockers = _blockers(said, checks, domains, organizations)
    return replace(
        order,
        status=status,
        dcv_completed=_dcv_completed(checks["dcv"]),
        checks=checks,
        domains=domains,
        blockers=blockers,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _dns_name_state(entry: t.Mapping[str, t.Any], issued: bool, warnings: list[str]) -> str:
    state = _known(_DNS_NAME_STATES, "dns_name_validations.status", entry.get("status"), warnings)
    until = moment_from_text(entry.get("approval_expiration_date"))
    if state == Check.COMPLETED and not issued and until is not None and until < _now():
        return Check.NOT_COMPLETED
    return state


def _organization_state(entry: t.Mapping[str, t.Any], warnings: list[str]) -> str:
    return _known(_ORGANIZATION_STATES, "organization_validations.status", entry.get("status"), warnings)


def _known(states: t.Mapping[str, str], field_name: str, value: t.Any, warnings: list[str]) -> str:
    said = word(value)
    if said and said not in states:
        warnings.append(unknown_word("digicert", field_name, value))
    return states.get(said, Check.UNKNOWN)


def _domains(
    order: Order,
    listed: t.Sequence[t.Mapping[str, t.Any]],
    states: t.Sequence[str],
    warnings: list[str],
) -> tuple[Domain, ...]:
    """Every name of the order: those that order info lists, and those whose validation is told."""
    told: dict[str, list[Domain]] = {domain.name: [] for domain in order.domains}
    for entry, state in zip(listed, states):
        hosts = names(entry.get("dns_names")) + names(entry.get("dns_name"))
        if not hosts:
            # A scope need not be a name of the order: it stands for the names at and below it.
            scope = word(entry.get("name_scope"))
            hosts = [domain.name for domain in order.domains if scope and ("." + domain.name).endswith("." + scope)]
        if not hosts:
            warnings.append("digicert told of the validation of a name, but not which name")
        for host in hosts:
            told.setdefault(host.lower(), []).append(
                Domain(
                    name=host.lower(),
                    status=state,
                    method=text(entry.get("method")),
                    validated_until=time_from_text(entry.get("approval_expiration_date")),
                )
            )
    silent = Check.COMPLETED if order.status == Status.ISSUED else Check.UNKNOWN
    domains = []
    for name, found in told.items():
        least = least_advanced([domain.status for domain in found])
        domains.append(next((domain for domain in found if domain.status == least), Domain(name, silent)))
    return tuple(domains)


def _dcv_completed(state: str) -> bool | None:
    if state == Check.UNKNOWN:
        return None
    return state == Check.COMPLETED


def _blockers(
    said: str,
    checks: t.Mapping[str, str],
    domains: t.Sequence[Domain],
    organizations: t.Sequence[t.Mapping[str, t.Any]],
) -> tuple[Blocker, ...]:
    blockers: list[Blocker] = []
    if said == "needs_approval":
        blockers.append(Blocker("approval", "somebody must approve the request in CertCentral"))
    for blocker in open_blockers(checks, domains):
        if blocker.check == "organization":
            parts = [
                name
                for entry in organizations
                for name, state in mapping(entry.get("verification_details")).items()
                if word(state) == "pending"
            ]
            if parts:
                blocker = replace(blocker, message="{0} (open: {1})".format(blocker.message, ", ".join(parts)))
        blockers.append(blocker)
    contacts = [contact for entry in organizations for contact in objects(entry.get("verified_contacts"))]
    if any(word(contact.get("status")) == "pending" for contact in contacts):
        blockers.append(Blocker("approval", "a contact of the organisation is not confirmed yet", actor="provider"))
    if said == "reissue_pending":
        blockers.append(_REISSUE)
    return tuple(blockers)


def _sketch(order_id: str, item: t.Mapping[str, t.Any]) -> OrderSummary:
    """What one line of a list or of status-changes tells: of an order that is pending, all there is to know."""
    said = word(item.get("status"))
    certificate_id = identifier(item.get("certificate_id")) or identifier(mapping(item.get("certificate")).get("id"))
    order = None
    if said in _PENDING:
        order = Order(
            provider="digicert",
            order_id=order_id,
            status=Status.VALIDATING,
            provider_status=text(item.get("status")),
            certificate=Certificate(id=certificate_id),
            ordered_at=time_from_text(item.get("date_created")),
            blockers=(_REISSUE,) if said == "reissue_pending" else (),
        )
    return OrderSummary(mark="{0}:{1}".format(said, certificate_id or ""), order=order)


def _listed_id(item: t.Mapping[str, t.Any]) -> str:
    # The list call says id, status-changes says order_id.
    return identifier(item.get("order_id")) or identifier(item.get("id")) or ""


def _caa_messages(value: t.Any) -> str | None:
    """CA host to text, as one text."""
    if not isinstance(value, dict):
        return text(value)
    found = [f"{host}: {text(said)}" for host, said in value.items() if text(said)]
    return "CAA: " + "; ".join(found) if found else None


def _serial(value: t.Any) -> str | None:
    serial = normalize_serial(text(value))
    return serial if serial and re.fullmatch(r"[0-9A-F]+", serial) else None


def _not_issued(order: Order) -> NotIssued:
    return NotIssued(
        "there is no certificate to collect yet (status {0}); wait for it".format(order.provider_status or "not told"),
        provider="digicert",
        order_id=order.order_id,
        retryable=order.status not in Status.ENDED,
    )


def _own_checks_over(ordered_at: str | None) -> bool:
    moment = moment_from_text(ordered_at)
    return moment is not None and _now() - moment > _OWN_CHECKS


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
