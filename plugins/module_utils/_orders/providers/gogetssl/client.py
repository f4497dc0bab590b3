# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GoGetSSL, API v1: its session key, its calls, and its words in neutral ones.

Private to this collection. Sections named below are those of the GoGetSSL fact sheet,
docs/providers/gogetssl.md.
"""

from __future__ import annotations

import re
import typing as t

from ...account import Account
from ...certificates.chain import describe_certificate
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
from ...http.rate_limit import PollSchedule, RateLimits, RequestBudget
from ...http.redaction import shortened
from ...model import Blocker, Certificate, Check, Domain, Order, Record, Status
from ..base import (
    MOST_QUOTED,
    IssuedBundle,
    OrderSummary,
    Provider,
    ProviderInfo,
    fetch_summaries_in_batches,
    least_advanced,
    open_blockers,
    unknown_word,
)
from ..coerce import (
    certificate_text,
    entries,
    flag,
    identifier,
    listing,
    mapping,
    names,
    objects,
    text,
    time_from_text,
    word,
)

_URL = "https://my.gogetssl.com/api"
#: Words under which the CA is at work, and with them active while reissue_now is 1; section 5.
_PENDING = frozenset(["processing", "pending", "reissue"])
#: Section 5, for the words that need no other field.
_STATUSES: t.Mapping[str, str] = {
    "cancelled": Status.CANCELED,
    "canceled": Status.CANCELED,
    "rejected": Status.REJECTED,
    "expired": Status.EXPIRED,
    "revoked": Status.REVOKED,
    "failed": Status.FAILED,
    "filed": Status.FAILED,
    "new_order": Status.ACTION_REQUIRED,
    "incomplete": Status.ACTION_REQUIRED,
    "unpaid": Status.ACTION_REQUIRED,
    "payment needed": Status.ACTION_REQUIRED,
}
_ACTIONS: t.Mapping[str, Blocker] = {
    "new_order": Blocker("csr", "the order is not complete: submit the CSR and a DCV method"),
    "incomplete": Blocker("csr", "the order is not complete: submit the CSR and a DCV method"),
    "unpaid": Blocker("payment", "the order is not paid yet"),
    "payment needed": Blocker("payment", "the order is not paid yet"),
}
#: dcv_status and san[].status; sections 4 and 5.
_DCV_STATES: t.Mapping[str, str] = {"0": Check.NOT_COMPLETED, "1": Check.IN_PROGRESS, "2": Check.COMPLETED}
#: manual_check: the CA looks at the order by hand; section 5.
_BRAND: t.Mapping[bool | None, str] = {True: Check.IN_PROGRESS, False: Check.NOT_APPLICABLE}
_METHODS = ("http", "https", "dns", "email")

#: A message about the session key; it is renewed once then. Sections 2 and 6.
_ABOUT_KEY = re.compile(r"auth[ _-]?key|authenticat|session", re.IGNORECASE)
#: A message about an order that is not known. Its words are not published; section 6. Other messages of this API say
#: "is not valid".
_ABOUT_ORDER = re.compile(
    r"\A(?=.*\border)(?!.*auth)(?=.*(?:(?:not|n't|no|cannot)\b.*(?:found|find|exist|valid|belong|order)"
    r"|unknown|wrong|incorrect|invalid|missing|no such))",
    re.IGNORECASE | re.DOTALL,
)
#: Other messages, the first match wins: section 6, and what else any API says.
_MESSAGES: t.Sequence[tuple[str, type[OrderError], str]] = (
    ("username|password|credential", AuthenticationError, "check username and the API password"),
    ("requested method", InvalidRequest, "check api_url"),
    ("too many|rate limit|limit exceeded", RateLimited, "ask less often"),
    ("maintenance|temporar|try again|internal error", ProviderUnavailable, "try again later"),
    ("permission|denied|forbidden|not allowed", PermissionDenied, "check that the account may use the API"),
)

T = t.TypeVar("T")


class _KeyRefused(AuthenticationError):
    """The session key is not valid, or not any more."""


class GogetsslProvider(Provider):
    """Orders of one GoGetSSL account."""

    info = ProviderInfo(
        name="gogetssl",
        label="GoGetSSL",
        default_url=_URL,
        environment={
            "username": ("GOGETSSL_USERNAME",),
            "password": ("GOGETSSL_PASSWORD",),
            "api_url": ("GOGETSSL_API_URL",),
        },
        credentials=(("username", "password"),),
        # Section 9 knows no general limit.
        rate_limits=RateLimits(
            schedule=PollSchedule(steps=((900, 60), (3600, 120)), afterwards=300),
            budgets=(RequestBudget(20, 5),),
        ),
        order_id_hint="the id that was returned when the order was placed, digits alone",
        # The session key is no personal data, but must not show either where the answer to /auth/ was cut off.
        personal=re.compile(r"(?:admin|org|tech)_\w*|ssl_price|approver_emails?|email|key|auth_key", re.IGNORECASE),
        bulk_from=4,
        # The largest page of the list call, section 1; no maximum of cids is known, section 14.
        bulk_batch=1000,
    )

    def __init__(self, account: Account, transport: Transport) -> None:
        super().__init__(account, transport)
        self._key: str | None = None
        self._refused: str | None = None

    def fetch_order(self, order_id: str) -> Order:
        """The status reply of one order; sections 3 to 5."""
        order_id = self.check_order_id(order_id)
        body = self._fetch_status(order_id)
        return self.finish(_order(order_id, body), body)

    def fetch_summaries(self, order_ids: t.Sequence[str], since: float | None) -> t.Mapping[str, OrderSummary]:
        """The batch reply; it has neither certificates nor checks. Section 7."""
        return fetch_summaries_in_batches(order_ids, self.info.bulk_batch, self._fetch_statuses, _sketch)

    def fetch_certificate(self, order: Order) -> IssuedBundle:
        """Leaf and chain from the status reply; section 8."""
        body = self._fetch_status(order.order_id)
        found = _order(order.order_id, body)
        if not found.issued:
            raise NotIssued(
                _why_not(found),
                provider="gogetssl",
                order_id=order.order_id,
                retryable=found.status not in Status.ENDED,
            )
        return IssuedBundle(
            leaf=certificate_text(body.get("crt_code")),
            others=tuple(filter(None, [certificate_text(body.get("ca_code"))])),
            csr=text(body.get("csr_code")),
        )

    # -- calls --------------------------------------------------------------

    def _fetch_status(self, order_id: str) -> t.Mapping[str, t.Any]:
        def read(response: Response) -> t.Mapping[str, t.Any]:
            body = _read_json(response)
            if not body.get("status") and not body.get("order_id"):
                raise UnexpectedResponse("there is no order in it")
            told = identifier(body.get("order_id"))
            if told is not None and told.lstrip("0") != order_id.lstrip("0"):
                raise UnexpectedResponse(f"it is about order {told[:40]}")
            return body

        return self._ask("order status", "GET", f"/orders/status/{order_id}", read, order_id)

    def _fetch_statuses(self, order_ids: t.Sequence[str]) -> t.Mapping[str, t.Mapping[str, t.Any]]:
        form = {"cids": ",".join(order_ids)}
        items = self._ask("batch status", "POST", "/orders/statuses/", _read_batch, form=form)
        return {identifier(item.get("order_id")) or "": item for item in items}

    def _ask(
        self,
        call: str,
        method: str,
        path: str,
        read: t.Callable[[Response], T],
        order_id: str | None = None,
        form: t.Mapping[str, str] | None = None,
    ) -> T:
        """Ask with the session key, and once more with a new one when the key is refused; section 2."""

        def ask() -> T:
            key = self._key or self._authenticate()
            query = {"auth_key": key}
            request = Request(call=call, method=method, path=path, query=query, form=form, order_id=order_id)
            return self.transport.ask(request, read)

        try:
            return ask()
        except _KeyRefused:
            self._key = None
        return ask()

    def _authenticate(self) -> str:
        """A new session key.

        Raises:
            AuthenticationError: when the credentials are refused. They are not sent again: accounts lock.
        """
        if self._refused is not None:
            raise AuthenticationError(self._refused)

        def read(response: Response) -> str:
            key = _read_key(response)
            # At once: from here on the key is part of every URL.
            self.transport.redactor.learn(key)
            return key

        form = {"user": self.account.username or "", "pass": self.account.password or ""}
        try:
            self._key = self.transport.ask(Request(call="auth", method="POST", path="/auth/", form=form), read)
        except AuthenticationError as exc:
            self._refused = exc.message
            raise
        return self._key


# -- reading answers --------------------------------------------------------


def _read_key(response: Response) -> str:
    """The key that /auth/ gave; only this field of the answer is certain. Sections 2 and 6."""
    if response.status == 404:
        raise _no_such_url(response)
    try:
        body = mapping(response.json())
    except UnexpectedResponse:
        if response.status < 400:
            raise
        body = {}
    key = text(body.get("key"))
    if key is None or response.status >= 400 or _failed(body):
        said = _said(response, body)
        raise AuthenticationError(f"GoGetSSL refused to log in ({said}); check username and the API password")
    return key


def _read_json(response: Response) -> t.Mapping[str, t.Any]:
    """The JSON object of an answer that is no error. Errors are not tied to the HTTP status; section 6."""
    try:
        body = response.json()
    except UnexpectedResponse:
        if response.status < 400:
            raise
        raise _error(response, {}) from None
    if not isinstance(body, dict):
        if response.status >= 400:
            raise _error(response, {})
        raise UnexpectedResponse("it is no JSON object")
    if response.status >= 400 or _failed(body):
        raise _error(response, body)
    return body


def _read_batch(response: Response) -> list[t.Mapping[str, t.Any]]:
    body = _read_json(response)
    if "certificates" not in body:
        raise UnexpectedResponse("it holds no list of certificates", retryable=False)
    return objects(body.get("certificates"))


def _failed(body: t.Mapping[str, t.Any]) -> bool:
    error = body.get("error")
    if flag(error) is None and text(error) is not None:
        return True
    return flag(error) is True or flag(body.get("success")) is False


def _said(response: Response, body: t.Mapping[str, t.Any]) -> str:
    error = text(body.get("error"))
    texts = [error if flag(error) is None else None, text(body.get("message")), text(body.get("description"))]
    said = ": ".join(dict.fromkeys(shortened(one, MOST_QUOTED) for one in texts if one))
    return "HTTP {0}, {1}".format(response.status, said or "no reason given")


def _error(response: Response, body: t.Mapping[str, t.Any]) -> OrderError:
    """The error that an answer stands for, by its text; section 6."""
    said = _said(response, body)
    if _ABOUT_ORDER.search(said):
        return OrderNotFound(f"GoGetSSL does not know it ({said}); check the order id and the account")
    if response.status in (401, 403) or _ABOUT_KEY.search(said):
        return _KeyRefused(f"GoGetSSL refused the session key, also a new one ({said}); check the account")
    for pattern, kind, advice in _MESSAGES:
        if re.search(pattern, said, re.IGNORECASE):
            return kind(f"GoGetSSL refused the request ({said}); {advice}")
    if response.status == 404 and not body:
        return _no_such_url(response)
    if response.status == 404:
        return OrderNotFound(f"GoGetSSL does not know it ({said}); check the order id and the account")
    return InvalidRequest(f"GoGetSSL refused the request ({said}); check the order id and the account")


def _no_such_url(response: Response) -> InvalidRequest:
    return InvalidRequest(
        f"GoGetSSL's API is not at this URL (HTTP {response.status}); check api_url, the default is {_URL}"
    )


# -- words to neutral words -------------------------------------------------


def _order(order_id: str, body: t.Mapping[str, t.Any]) -> Order:
    """The order as the status reply tells it; sections 4 and 5."""
    said = word(body.get("status"))
    reissuing = said == "reissue" or flag(body.get("reissue_now")) is True
    active = said == "active" and not reissuing
    leaf, chain = certificate_text(body.get("crt_code")), certificate_text(body.get("ca_code"))
    warnings: list[str] = []

    base = _dcv_state("dcv_status", body.get("dcv_status"), warnings)
    sans = [(san, _dcv_state("san.status", san.get("status"), warnings)) for san in entries(body.get("san"))]
    states = [state for san, state in sans]
    domains = _domains(body, base, sans, active, warnings)
    dcv_completed = True if active else _dcv_completed(base, states)
    checks = {
        "dcv": Check.COMPLETED if active else least_advanced([base] + states),
        "brand": _BRAND.get(flag(body.get("manual_check")), Check.UNKNOWN),
    }
    presign_failed = "PRE-SIGN FAILED" in (text(body.get("status_description")) or "").upper()

    status = _STATUSES.get(said, Status.UNKNOWN)
    if active:
        status = Status.ISSUED if leaf else Status.ISSUING
    elif said == "active" or said in _PENDING:
        status = Status.VALIDATING
        if presign_failed:
            checks["caa"] = Check.NOT_COMPLETED
        elif dcv_completed and checks["brand"] != Check.IN_PROGRESS:
            status = Status.ISSUING

    if status == Status.UNKNOWN:
        warnings.append(unknown_word("gogetssl", "status", text(body.get("status")) or ""))
    if status == Status.ISSUED and not chain:
        warnings.append("the certificate is issued, but its chain (ca_code) is not there yet")
    if status == Status.EXPIRED:
        warnings.append("an order also ends as expired when it was renewed; the renewal has an order id of its own")
    held = presign_failed or checks["brand"] == Check.IN_PROGRESS or flag(body.get("pre_signing")) is True
    held = status in Status.ENDED or status == Status.ACTION_REQUIRED or (held and not active)
    blockers: list[Blocker] = []
    if not active and status not in Status.ENDED:
        blockers.extend([_ACTIONS[said]] if said in _ACTIONS else [])
        blockers.extend(open_blockers(checks, domains))
        if reissuing:
            message = "the reissue is not there yet; what is served is the previous certificate"
            blockers.append(Blocker("reissue", message, actor="provider"))
    return Order(
        provider="gogetssl",
        order_id=order_id,
        status=status,
        provider_status=text(body.get("status")),
        issued=status == Status.ISSUED and chain is not None,
        dcv_completed=dcv_completed,
        checks=checks,
        domains=domains,
        blockers=tuple(blockers),
        reason=_reason(body) if held else None,
        certificate=_certificate(body, leaf),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _dcv_state(field_name: str, value: t.Any, warnings: list[str]) -> str:
    said = word(value)
    if said and said not in _DCV_STATES:
        warnings.append(unknown_word("gogetssl", field_name, value))
    return _DCV_STATES.get(said, Check.UNKNOWN)


def _dcv_completed(base: str, sans: t.Sequence[str]) -> bool | None:
    """Whether all names are validated; dcv_status is about the base domain alone. Section 5."""
    if base in Check.OPEN or any(state != Check.COMPLETED for state in sans):
        return False
    return True if base == Check.COMPLETED else None


def _domains(
    body: t.Mapping[str, t.Any],
    base: str,
    sans: t.Sequence[tuple[t.Mapping[str, t.Any], str]],
    active: bool,
    warnings: list[str],
) -> tuple[Domain, ...]:
    """The base domain, the names in san, and those that are only listed."""
    found: dict[str, Domain] = {}
    listed = [name.lower() for name in names(body.get("domain")) + names(body.get("domains"))]
    in_san = {word(san.get("san_name")) for san, state in sans}
    base_name = next((name for name in listed if name not in in_san), None)
    if base_name is not None:
        state = Check.COMPLETED if active and base == Check.UNKNOWN else base
        method, record = _validation(body.get("dcv_method"), body.get("approver_method"), warnings)
        if method == "email" and record is None:
            addresses = names(body.get("approver_emails")) or names(body.get("approver_email"))
            record = next((Record("email", address) for address in addresses if "@" in address), None)
        found[base_name] = Domain(base_name, state, method, record=record)
    for san, state in sans:
        name = word(san.get("san_name"))
        if name:
            method, record = _validation(san.get("validation_method"), san.get("validation"), warnings)
            found.setdefault(name, Domain(name, state, method, record=record))
    for name in listed:
        found.setdefault(name, Domain(name, Check.COMPLETED if active else Check.UNKNOWN))
    return tuple(found.values())


def _validation(method: t.Any, shape: t.Any, warnings: list[str]) -> tuple[str | None, Record | None]:
    """The DCV method of one name and what to publish, from any of the shapes of section 10."""
    chosen = word(method) or None
    if not isinstance(shape, str):
        blocks = {word(name): block for item in listing(shape) for name, block in mapping(item).items()}
        name = chosen if chosen in blocks else next((known for known in _METHODS if known in blocks), None)
        if name is None:
            return chosen, None
        return chosen or name, _record(name, blocks[name], warnings)
    # A bare string: an address, the name of a method, a link or a record.
    said = shape.strip()
    if "@" in said:
        return chosen or "email", Record("email", said)
    if said.lower() in _METHODS:
        return chosen or said.lower(), None
    if re.match(r"https?://", said, re.IGNORECASE):
        return chosen or "http", Record("http", said)
    return chosen, _record("dns", said, warnings) if re.search(r"\s", said) else None


def _record(method: str, block: t.Any, warnings: list[str]) -> Record | None:
    fields = mapping(block)
    if method == "email":
        address = text(fields.get("email")) or text(block)
        return Record("email", address) if address else None
    if method == "dns":
        said = text(fields.get("record")) or text(block)
        # name [TTL] [IN] CNAME target, or name [TTL] [IN] TXT "token"
        parts = re.fullmatch(
            r"(\S+)\s+(?:[0-9]+\s+)?(?:IN\s+)?(CNAME|TXT)\s+(\S.*)", said or "", re.IGNORECASE | re.DOTALL
        )
        if parts:
            quoted = re.findall(r'"([^"]*)"', parts.group(3))
            return Record(parts.group(2).upper(), parts.group(1), "".join(quoted) or parts.group(3).strip())
        if said:
            warnings.append("gogetssl gave a DNS record for validation that cannot be read; see raw")
        return None
    link = text(fields.get("link")) or text(fields.get("filename")) or text(block)
    return Record("http", link, text(fields.get("content"))) if link else None


def _reason(body: t.Mapping[str, t.Any]) -> str | None:
    """GoGetSSL's own words for what ended the order or holds it up."""
    return text(body.get("status_description")) or text(body.get("validation_description"))


def _certificate(body: t.Mapping[str, t.Any], leaf: str | None) -> Certificate:
    facts = describe_certificate(leaf) if leaf else None
    return Certificate(
        serial_number=facts.serial_number if facts else None,
        not_before=facts.not_before if facts else time_from_text(body.get("valid_from")),
        not_after=facts.not_after if facts else time_from_text(body.get("valid_till")),
    )


def _sketch(order_id: str, item: t.Mapping[str, t.Any]) -> OrderSummary:
    """What one line of the batch reply tells: while the CA is at work, all there is to know; section 5."""
    said = word(item.get("status"))
    order = None
    if said in _PENDING:
        order = Order("gogetssl", order_id, Status.VALIDATING, provider_status=text(item.get("status")))
    return OrderSummary(mark="{0}:{1}".format(said, text(item.get("expires")) or ""), order=order)


def _why_not(order: Order) -> str:
    """Why there is nothing to collect, in one sentence."""
    why = next((blocker.message for blocker in order.blockers if blocker.check == "reissue"), None)
    if why is None and order.status == Status.ISSUED:
        why = "the certificate is issued, but its chain (ca_code) is not there yet"
    if why is None and order.status == Status.ISSUING:
        why = "the order is issued, but its certificate (crt_code) is not there yet"
    if why is None:
        why = "there is no certificate to collect (status {0})".format(order.provider_status or "not told")
    return why if order.status in Status.ENDED else f"{why}; wait for it"
