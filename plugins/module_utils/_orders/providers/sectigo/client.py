# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sectigo, the web-host reseller API: form posts, form-encoded answers with keys such as 2_1_dcvStatus.

Private to this collection. Sections named below are those of the Sectigo fact sheet,
docs/providers/sectigo.md.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from ...._common.names import normalize_serial, serial_forms
from ...account import Account
from ...certificates.cache import CertificateCache
from ...certificates.chain import assemble
from ...describe import no_certificate
from ...errors import (
    AuthenticationError,
    InvalidRequest,
    NotIssued,
    OrderError,
    OrderNotFound,
    PermissionDenied,
    ProviderUnavailable,
    RateLimited,
    UnexpectedResponse,
)
from ...http.messages import Request, Response, Transport
from ...http.rate_limit import PollSchedule, RateLimits
from ...http.redaction import shortened
from ...model import Blocker, Check, Domain, IssuedBundle, Order, OrderCertificate, Status
from .. import coerce
from ..base import (
    MAX_QUOTED,
    OrderSummary,
    Provider,
    ProviderInfo,
    fetch_summaries_in_batches,
    open_blockers,
    unknown_word,
)

_STATUS = "/products/!GetDetailedOrderStatus"
_COLLECT = "/products/download/CollectSSL"
_DOMAINS = "/products/!GetMDCDomainDetails"
_REPORT = "/products/!WebHostReport"

#: Seconds to stay away after error -42: the published pause between collect calls, and the interval of status calls.
_COLLECT_PAUSE = 10800.0
_STATUS_PAUSE = 900.0
#: An answer about a hundred orders has a few thousand fields, and each takes memory.
_MOST_FIELDS = 100_000
#: A certificateID has at most so many digits (section 3).
_LONGEST_CERTIFICATE_ID = 16

#: Field of a certificate to the name of the check (section 4). The fields are compared in lower case.
_CHECK_FIELDS = {
    "csrstatus": "csr",
    "dcvstatus": "dcv",
    "organizationvalidationstatus": "organization",
    "ovcallbackstatus": "phone_callback",
    "evclickthroughstatus": "ev_click_through",
    "caastatus": "caa",
    "brandvalstatus": "brand",
    "freedvupstatus": "dv_upgrade",
}
_CHECK_STATES: t.Mapping[int | None, str] = {
    -1: Check.NOT_APPLICABLE,
    0: Check.NOT_COMPLETED,
    1: Check.COMPLETED,
    2: Check.IN_PROGRESS,
}
#: The states of several certificates of one order, the one that decides first.
_LEAST_ADVANCED = (Check.NOT_COMPLETED, Check.IN_PROGRESS, Check.UNKNOWN, Check.COMPLETED, Check.NOT_APPLICABLE)
#: Two checks are left out where they do not apply; any other that is missing is not known (section 5).
_MISSING = {
    check: Check.NOT_APPLICABLE if check in ("ev_click_through", "brand") else Check.UNKNOWN
    for check in _CHECK_FIELDS.values()
}

#: Whole status texts, then those that only begin so because a reason may follow (section 5).
_BRAND_REVIEW = "awaiting validation (brand)"
_WORDS = {
    _BRAND_REVIEW: Status.VALIDATING,
    "awaiting validation": Status.VALIDATING,
    "pending": Status.VALIDATING,
    "valid": Status.ISSUED,
    "issued": Status.ISSUED,
    "issued but not yet collected": Status.ISSUED,
    "revoked": Status.REVOKED,
    "replaced": Status.REPLACED,
    "expired": Status.EXPIRED,
}
_AWAITING = ("awaiting validation", "pending")
_GONE = ("replaced", "revoked")
_BEGINNINGS = {
    "pre-sign failed": Status.FAILED,
    "post-sign failed": Status.FAILED,
    "rejected": Status.REJECTED,
}
#: Errors that say where the order stands rather than that the call went wrong (sections 5 and 6).
_CODES = {
    -20: Status.REJECTED,
    -21: Status.REVOKED,
    -22: Status.ACTION_REQUIRED,
    -26: Status.ISSUING,
}
#: The per-name DCV texts without anything but letters (section 10).
_DCV_TEXTS = {"validated": Check.COMPLETED, "notvalidated": Check.NOT_COMPLETED}

T = t.TypeVar("T")
Fields = t.Dict[str, t.Any]


@dataclass(frozen=True)
class _Reply:
    """One answer that was understood.

    Arguments:
        code: errorCode; not negative, or one of _CODES.
        pairs: keys and values in the order in which they came, keys repeated.
        rest: what follows the code in the newline format.
    """

    code: int
    pairs: t.Sequence[tuple[str, t.Any]] = ()
    rest: str = ""

    @property
    def fields(self) -> Fields:
        return dict(self.pairs)

    @property
    def message(self) -> str | None:
        return coerce.text(self.fields.get("errorMessage")) or coerce.text(self.rest)

    @property
    def said(self) -> str:
        """The message as it is quoted in one of ours."""
        return shortened(self.message or "no text", MAX_QUOTED)


@dataclass
class _Entry:
    """One of the orders in an answer: the fields X_… and its certificates X_Y_…, names in lower case."""

    position: int
    fields: Fields = field(default_factory=dict)
    parts: dict[int, Fields] = field(default_factory=dict)

    @property
    def order_number(self) -> str | None:
        return coerce.identifier(self.fields.get("ordernumber"))

    @property
    def certificates(self) -> list[Fields]:
        return [self.parts[part] for part in sorted(self.parts)] or [{}]

    @property
    def current(self) -> Fields:
        """The certificate that counts: the last one that is neither replaced nor revoked, else the last one."""
        live = [part for part in self.certificates if _squeeze(part.get("certificatestatus")) not in _GONE]
        return (live or self.certificates)[-1]


class SectigoProvider(Provider):
    """The web-host reseller API of Sectigo, for one reseller account."""

    info = ProviderInfo(
        name="sectigo",
        label="Sectigo",
        default_url="https://secure.trust-provider.com",
        environment={
            "api_url": ("SECTIGO_API_URL",),
            "username": ("SECTIGO_USERNAME",),
            "password": ("SECTIGO_PASSWORD",),
        },
        credentials=(("username", "password"),),
        # No numeric limit is published. Collect calls must never overlap (section 9).
        rate_limits=RateLimits(schedule=PollSchedule(steps=((14400.0, 900.0),), afterwards=1800.0)),
        options=("id_type",),
        id_types=("order", "certificate"),
        order_id_hint="the orderNumber, or with id_type=certificate the certificateID (at most 16 digits)",
        personal=re.compile(
            r"(?:[0-9]+_)*(?:shipping.*|ups.*|telephoneNumber|streetAddress.*|postalCode|.*e-?mail.*|.*login_?name)",
            re.IGNORECASE,
        ),
        bulk_from=2,
        bulk_batch=200,
    )

    def __init__(self, account: Account, transport: Transport) -> None:
        super().__init__(account, transport)
        self._by_certificate = account.options.get("id_type") == "certificate"
        #: What to warn of where !GetMDCDomainDetails is not asked any more.
        self._no_names: str | None = None

    def check_order_id(self, order_id: str) -> str:
        """See Provider.check_order_id. A certificateID has at most 16 digits (section 3)."""
        checked = super().check_order_id(order_id)
        if self._by_certificate and len(checked) > _LONGEST_CERTIFICATE_ID:
            raise InvalidRequest(
                f"this is no certificateID of {self.info.label}: it has more than {_LONGEST_CERTIFICATE_ID} digits",
                provider=self.info.name,
                order_id=checked,
            )
        return checked

    def fetch_order(self, order_id: str) -> Order:
        """One !GetDetailedOrderStatus, and one !GetMDCDomainDetails while several names are not all validated."""

        def read(reply: _Reply) -> tuple[_Reply, list[_Entry]]:
            entries = _entries(reply)
            if reply.code >= 0 and not entries:
                raise UnexpectedResponse("it describes no order")
            return reply, entries

        options = {"queryType": "2", "showValidityPeriod": "Y"}
        reply, entries = self._ask(_STATUS, dict(self._identify(order_id), **options), order_id, read)
        if reply.code < 0:
            return self._order_from_code(order_id, reply)
        entry = _newest(entries)
        order = self._describe(order_id, entry)
        if len(entries) > 1:
            order = replace(order, warnings=order.warnings + (_tell_replacements(entries, entry),))
        if order.checks["dcv"] in Check.OPEN and not order.final and len(order.domains) > 1:
            order = self._with_names(order, entry)
        number = entry.order_number if len(entries) > 1 else None
        return replace(order, collect_id=number, raw=reply.fields)

    def fetch_summaries(self, order_ids: t.Sequence[str], changed_since: float | None) -> t.Mapping[str, OrderSummary]:
        """!WebHostReport for up to info.bulk_batch orders a request (section 7). It knows no check values.

        Raises:
            InvalidRequest: for certificate ids, and when the report refuses an order; each must then be asked for.
        """
        if self._by_certificate:
            raise InvalidRequest(
                "the report of many orders knows no certificateID; give order numbers to have it used",
                provider=self.info.name,
            )
        return fetch_summaries_in_batches(order_ids, self.info.bulk_batch, self._report, self._sketch)

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """What CollectSSL hands out, at most once in three hours (section 9): until then from the cache."""
        if not order.issued:
            raise no_certificate(order)
        cache = CertificateCache(self.account.fingerprint, _COLLECT_PAUSE)
        cached = cache.get(order)
        if cached is not None:
            return cached
        bundle = self._collect(order)
        try:
            if _is_of(order, bundle):
                cache.put(order, bundle)
        except OSError as exc:
            return replace(bundle, warnings=(f"the certificate could not be kept for another run: {exc}",))
        return bundle

    def _collect(self, order: Order) -> IssuedBundle:
        """One CollectSSL (section 8). It is never sent twice.

        Not even after a server error, which section 6 calls transient: nothing says that such a call is not counted.
        """
        form = dict(
            self._identify_for_collection(order),
            queryType="1",
            responseType="3",
            responseFormat="1",
            responseEncoding="0",
        )
        # Judged outside of the question: "not yet" would be asked again within seconds.
        reply = self._ask(_COLLECT, form, order.order_id, lambda reply: reply)
        if reply.code < 0:
            refused = replace(order, status=_CODES[reply.code], issued=False, reason=None, blockers=())
            raise no_certificate(refused, f"CollectSSL answered {reply.code} ({reply.said})")
        leaf = coerce.text(reply.fields.get("certificate"))
        others = tuple(filter(None, [coerce.text(value) for key, value in reply.pairs if key == "caCertificate"]))
        if reply.rest:
            others += (reply.rest,)
        if reply.code == 0 or not (leaf or others):
            raise NotIssued(
                f"CollectSSL answered {reply.code} without a certificate: it is not ready; collect it again in three hours at "
                "the earliest",
                provider=self.info.name,
                order_id=order.order_id,
            )
        return IssuedBundle(leaf=leaf, additional=others)

    # -- asking -----------------------------------------------------------------

    def _identify(self, order_id: str) -> dict[str, str]:
        return {"certificateID" if self._by_certificate else "orderNumber": order_id}

    def _identify_for_collection(self, order: Order) -> dict[str, str]:
        """The number of the newest replacement, where there is one: the old number can yield the old certificate.

        Source: Sectigo fact sheet, section 11.
        """
        return {"orderNumber": order.collect_id} if order.collect_id else self._identify(order.order_id)

    def _ask(self, path: str, form: t.Mapping[str, str], order_id: str | None, read: t.Callable[[_Reply], T]) -> T:
        credentials = {"loginName": self.account.username or "", "loginPassword": self.account.password or ""}
        call = path.rsplit("/", 1)[-1]
        collecting = path == _COLLECT
        request = Request(
            call=call,
            method="POST",
            path=path,
            form=dict(credentials, **form),
            order_id=order_id,
            repeatable=not collecting,
        )
        pause = _COLLECT_PAUSE if collecting else _STATUS_PAUSE
        # Requests of an account must not overlap (section 9).
        with self.transport.exclusive():
            return self.transport.send(request, lambda response: read(_read(response, call, pause)))

    # -- one order --------------------------------------------------------------

    def _describe(self, order_id: str, entry: _Entry) -> Order:
        """The order that an entry of an answer describes (section 5)."""
        current = entry.current
        reported, warnings = self._checks(entry.certificates)
        spoken = coerce.text(current.get("certificatestatus")) or coerce.text(entry.fields.get("orderstatus"))
        serial = normalize_serial(coerce.text(current.get("serialnumber")))
        status, said_why = _judge(spoken, serial, reported.values())
        if status == Status.UNKNOWN:
            warnings.append(unknown_word(self.info.label, "certificateStatus", spoken or ""))
        checks = dict(_MISSING, **reported)
        if _squeeze(spoken) == _BRAND_REVIEW:
            checks["brand"] = Check.IN_PROGRESS
        names = coerce.names([part.get("fqdn") for part in entry.certificates])
        # Which of several names it is that holds the others up is not told here.
        told = len(names) == 1 or checks["dcv"] not in Check.OPEN
        issued = status == Status.ISSUED
        order = Order(
            provider=self.info.name,
            order_id=order_id,
            status=status,
            provider_status=spoken,
            issued=issued,
            dcv_completed=True if issued else _dcv_completed(entry.certificates),
            checks=checks,
            domains=tuple(Domain(name=name, status=checks["dcv"] if told else Check.UNKNOWN) for name in names),
            reason=coerce.text(current.get("certificatestatusreason"))
            or said_why
            or coerce.text(entry.fields.get("orderstatusreason")),
            certificate=OrderCertificate(
                serial_number=serial,
                not_before=coerce.time_from_epoch(current.get("notbefore")),
                not_after=coerce.time_from_epoch(current.get("notafter")),
            ),
            ordered_at=coerce.time_from_text(entry.fields.get("orderdatetime"))
            or coerce.time_from_epoch(entry.fields.get("datetime")),
            warnings=tuple(warnings),
        )
        return replace(order, blockers=_blockers(order))

    def _checks(self, certificates: t.Sequence[Fields]) -> tuple[dict[str, str], list[str]]:
        """The checks that are reported, the least advanced state of each; and what was not understood."""
        checks: dict[str, str] = {}
        warnings: list[str] = []
        for name, check in _CHECK_FIELDS.items():
            for given in (part[name] for part in certificates if coerce.text(part.get(name))):
                state = _CHECK_STATES.get(coerce.number(given), Check.UNKNOWN)
                if state == Check.UNKNOWN:
                    warnings.append(unknown_word(self.info.label, name, given))
                checks[check] = min(checks.get(check, state), state, key=_LEAST_ADVANCED.index)
        return checks, warnings

    def _order_from_code(self, order_id: str, reply: _Reply) -> Order:
        """The order of which only an error code tells where it stands (section 5)."""
        status = _CODES[reply.code]
        order = Order(
            provider=self.info.name,
            order_id=order_id,
            status=status,
            provider_status=str(reply.code),
            reason=reply.message,
        )
        return replace(order, blockers=_blockers(order), raw=reply.fields or {"errorCode": str(reply.code)})

    def _with_names(self, order: Order, entry: _Entry) -> Order:
        """The order with the state of each name, as far as !GetMDCDomainDetails tells it (section 10)."""
        number = entry.order_number or (None if self._by_certificate else order.order_id)
        if number is None:
            return order
        if self._no_names is not None:
            return replace(order, warnings=(*order.warnings, self._no_names))
        try:
            reply = self._ask(_DOMAINS, {"orderNumber": number}, order.order_id, lambda reply: reply)
        except OrderError as exc:
            # A wrong login must not be sent again (section 6).
            if isinstance(exc, AuthenticationError) and not isinstance(exc, PermissionDenied):
                raise
            # A courtesy: the account may not have this call, and what is known already holds without it.
            warning = f"which of the names are validated is not known: {exc.message}"
            if not exc.retryable and not isinstance(exc, OrderNotFound):
                self._no_names = warning
            return replace(order, warnings=(*order.warnings, warning))
        found = {}
        warnings: list[str] = []
        for row in _entries(reply):
            name = coerce.text(row.fields.get("domainname"))
            if name is None:
                continue
            given = coerce.text(row.fields.get("dcvstatus"))
            status = _DCV_TEXTS.get(re.sub(r"[^a-z]", "", (given or "").lower()), Check.UNKNOWN)
            if given and status == Check.UNKNOWN:
                warnings.append(unknown_word(self.info.label, "dcvStatus of " + name, given))
            found[name.lower()] = Domain(name=name, status=status, method=coerce.text(row.fields.get("dcvmethod")))
        listed = [found.pop(domain.name.lower(), domain) for domain in order.domains]
        order = replace(order, domains=tuple(listed) + tuple(found.values()), warnings=order.warnings + tuple(warnings))
        return replace(order, blockers=_blockers(order))

    # -- many orders ------------------------------------------------------------

    def _report(self, wanted: t.Sequence[str]) -> dict[str, _Entry]:
        """The rows of the report about these orders, by order number; asked page by page where it comes in pages."""
        rows: dict[str, _Entry] = {}
        form = {"orderNumber": ",".join(wanted), "showStatusesOnly": "Y"}
        while True:
            try:
                reply = self._ask(_REPORT, form, None, lambda reply: reply)
            except OrderNotFound as exc:
                raise InvalidRequest(exc.message, provider=self.info.name, http_status=exc.http_status) from exc
            if reply.code < 0:
                raise InvalidRequest(
                    f"the report of many orders answered {reply.code} ({reply.said})",
                    provider=self.info.name,
                )
            known = len(rows)
            rows.update((entry.order_number, entry) for entry in _entries(reply) if entry.order_number)
            total = coerce.number(reply.fields.get("noOfResults")) or 0
            if len(rows) in (total, known) or len(rows) > total or rows.keys() >= set(wanted):
                return {number: rows[number] for number in wanted if number in rows}
            # Whether results are counted from 0 or from 1 is not published: one may come twice, none is missed.
            form = dict(form, firstResultNo=str(len(rows)), lastResultNo=str(total))

    def _sketch(self, number: str, row: _Entry) -> OrderSummary:
        """What the report tells of an order. It has names of its own for two fields of the status call."""
        seen = ("status", "laststatuschange", "serialnumber")
        told = [[part.get(name) for name in seen] for part in row.certificates]
        for part in row.parts.values():
            part.update(certificatestatus=part.get("status"), fqdn=part.get("domain"))
        order = self._describe(number, row)
        # What has ended, or is issued, may have been replaced by a newer order: only the status call knows.
        return OrderSummary(
            change_token=repr((row.fields.get("orderstatus"), told)),
            order=order if order.status == Status.VALIDATING else None,
        )


# -- answers ----------------------------------------------------------------------


def _read(response: Response, call: str, pause: float) -> _Reply:
    """What an answer says.

    Arguments:
        pause: seconds to stay away when the answer is that the limit is reached.

    Raises:
        OrderError: for every error of section 6 that does not tell where an order stands; and UnexpectedResponse or
            AuthenticationError for what is no answer of this API.
    """
    reply = _parse(response)
    if reply is None or (reply.code >= 0 and response.status >= 400):
        raise _no_answer(response, call)
    if reply.code >= 0 or reply.code in _CODES:
        return reply
    fields = reply.fields
    subject = " ".join(coerce.text(fields.get(name)) or "" for name in ("errorItem", "errorDetail"))
    raise _error(reply.code, reply.message or "no text", subject, call, pause)


def _parse(response: Response) -> _Reply | None:
    """An answer in one of three formats: form-encoded, newline, or JSON with the same flat keys; None for any other."""
    text = response.text().strip()
    if text[:1] in ("{", "["):
        body = response.json()
        if not isinstance(body, dict):
            raise UnexpectedResponse("this JSON format is not supported, an object was expected", retryable=False)
        pairs = [(key, one) for key, value in body.items() for one in (value if isinstance(value, list) else [value])]
        rest = ""
    elif re.match(r"[+-]?[0-9]+(\s|$)", text, re.ASCII):
        code, _separator, rest = (text + "\n").partition("\n")
        pairs = [("errorCode", code)]
    else:
        if text.count("&") > _MOST_FIELDS:
            raise UnexpectedResponse("the form has more fields than any answer", retryable=False)
        # Decoded once: a second time would make blanks of each + in base64.
        pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
        rest = ""
    found = coerce.number(dict(pairs).get("errorCode"))
    return None if found is None else _Reply(code=found, pairs=pairs, rest=rest.strip())


def _no_answer(response: Response, call: str) -> OrderError:
    if response.status in (401, 403):
        return AuthenticationError(f"{call} was refused (HTTP {response.status}); check username, password and api_url")
    if response.status >= 400:
        return UnexpectedResponse("this is no address of the API; check api_url", retryable=False)
    return UnexpectedResponse("it has no errorCode")


def _error(code: int, text: str, subject: str, call: str, pause: float) -> OrderError:
    """The error for a negative errorCode (section 6).

    Arguments:
        subject: what else the answer says about the argument in question.
    """
    said = f"{call} answered {code} ({shortened(text, MAX_QUOTED)})"
    argument = (text + " " + subject).lower()
    if code == -16 or (code in (-3, -4) and ("loginname" in argument or "loginpassword" in argument)):
        return AuthenticationError(
            f"{said}: the login is wrong, locked, expired or blocked; check username and password"
        )
    if code in (-3, -4) and ("ordernumber" in argument or "certificateid" in argument):
        return OrderNotFound(f"{said}: the account has no such order; check order id, id_type and account")
    if code == -91:
        return PermissionDenied(f"{said}: the login may not use this call; ask for the permission")
    if code == -14:
        return ProviderUnavailable(f"{said}; try again later")
    if code == -42 and pause == _COLLECT_PAUSE:
        return RateLimited(
            f"{said}; a certificate may be collected once in three hours, so try again in three hours",
            retry_after=pause,
        )
    if code == -42:
        return RateLimited(f"{said}; ask less often", retry_after=pause)
    if code in (-1, -17):
        return InvalidRequest(f"{said}: something on the way changed the request; check api_url and proxy")
    return InvalidRequest(f"{said}; look the code up at Sectigo, or ask its support")


def _entries(reply: _Reply) -> list[_Entry]:
    """The orders in an answer, in the order of their numbers X, whatever the order of the keys."""
    entries: dict[int, _Entry] = {}
    for key, value in reply.pairs:
        match = re.fullmatch(r"([0-9]{1,6})_(?:([0-9]{1,6})_)?(.+)", key, re.ASCII)
        if match is None:
            continue
        position, part, name = match.groups()
        entry = entries.setdefault(int(position), _Entry(int(position)))
        target = entry.fields if part is None else entry.parts.setdefault(int(part), {})
        target[name.lower()] = value
    return [entries[position] for position in sorted(entries)]


def _newest(entries: t.Sequence[_Entry]) -> _Entry:
    """The order that counts: the newest whose certificate is neither replaced nor revoked, else the newest."""
    live = [entry for entry in entries if _squeeze(entry.current.get("certificatestatus")) not in _GONE]
    dates = {entry.position: coerce.time_from_text(entry.fields.get("orderdatetime")) for entry in live or entries}
    if None in dates.values():
        # Replacements come one after the other; an order without a date may well be the newest.
        dates = dict.fromkeys(dates)
    return max(live or entries, key=lambda entry: (dates[entry.position] or "", entry.position))


def _tell_replacements(entries: t.Sequence[_Entry], chosen: _Entry) -> str:
    parts = ", ".join(
        "{0} ({1})".format(
            entry.order_number or "one without a number",
            coerce.text(entry.current.get("certificatestatus")) or "no status",
        )
        for entry in entries
    )
    return f"the order has been replaced: it consists of {shortened(parts, 5 * MAX_QUOTED)}; what is shown is {chosen.order_number}"


# -- words --------------------------------------------------------------------------


def _squeeze(given: t.Any) -> str:
    """A status text for comparing: in lower case, with single blanks."""
    return " ".join(coerce.word(given).split())


def _judge(spoken: str | None, serial: str | None, reported: t.Iterable[str]) -> tuple[str, str | None]:
    """The status for a status text, and the reason that may stand in the text itself (section 5)."""
    squeezed = _squeeze(spoken)
    if not squeezed:
        return (Status.ISSUED if serial else Status.UNKNOWN), None
    for beginning, status in _BEGINNINGS.items():
        if squeezed.startswith(beginning):
            tail = " ".join((spoken or "").split())[len(beginning) :].strip(" :!-,.")
            return status, tail or None
    known = [state for state in reported if state != Check.UNKNOWN]
    if squeezed in _AWAITING and known and not Check.OPEN.intersection(known):
        return Status.ISSUING, None
    return _WORDS.get(squeezed, Status.UNKNOWN), None


def _dcv_completed(certificates: t.Sequence[Fields]) -> bool | None:
    states = [_CHECK_STATES.get(coerce.number(part.get("dcvstatus")), Check.UNKNOWN) for part in certificates]
    if Check.OPEN.intersection(states):
        return False
    return True if Check.CLOSED.issuperset(states) else None


def _is_of(order: Order, bundle: IssuedBundle) -> bool:
    """Whether a bundle is whole and has the serial number of the order: else it may be that of an earlier certificate."""
    try:
        serial = assemble(bundle.leaf, bundle.additional).facts.serial_number
    except OrderError:
        return False
    return serial in serial_forms(order.certificate.serial_number or "")


def _blockers(order: Order) -> tuple[Blocker, ...]:
    if order.status == Status.FAILED and "caa" in (order.reason or "").lower():
        repair = (
            "allow sectigo.com in the CAA records of the names, then have the check repeated (!RetryCAACheck, at most "
            "once in 10 minutes)"
        )
        return (Blocker(check="caa", message=repair),)
    if order.final:
        return ()
    if order.status == Status.ACTION_REQUIRED:
        return (Blocker(check="payment", message="the order is not paid; pay it in the Sectigo account"),)
    return open_blockers(order.checks, order.domains)
