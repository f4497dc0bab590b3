# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sectigo's web-host reseller API. Source: Sectigo fact sheet."""

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
import json
import re
import typing as t
import urllib.parse

from ..accounts import Account, new_secret
from ..authority import Material, serial_hex
from ..clock import utc
from ..dcv import SECTIGO_SCHEDULE, Evidence, csr_evidence
from ..orders import Domain, Issuance, Order, load_csr
from ..scenarios import COMPLETED, IN_PROGRESS, NOT_APPLICABLE, NOT_COMPLETED
from ..wire import FORM, Call, Pairs, Reply
from .base import Dialect, find

INTEGERS = {NOT_APPLICABLE: "-1", NOT_COMPLETED: "0", COMPLETED: "1", IN_PROGRESS: "2"}
#: Check of the neutral model -> field, in the order of the published tables.
CHECK_FIELDS = {
    "csr": "csrStatus",
    "dcv": "dcvStatus",
    "phone_callback": "ovCallBackStatus",
    "organization": "organizationValidationStatus",
    "dv_upgrade": "freeDVUPStatus",
    "ev_click_through": "evClickThroughStatus",
    "caa": "caaStatus",
}
#: State -> certificateStatus. ``{}`` takes the reason.
TEXTS = {
    "open": "Awaiting Validation",
    "unpaid": "Awaiting Validation",
    "needs_csr": "Awaiting Validation",
    "needs_approval": "Awaiting Validation",
    "fraud_check": "Awaiting Validation",
    "issuing": "Awaiting Validation",
    "pickup": "Awaiting Validation",
    "presign_failed": "PRE-SIGN FAILED: {}",
    "failed": "POST-SIGN FAILED: {}",
    "rejected": "Rejected: {}",
    "canceled": "Rejected: {}",
    "revoked": "Revoked",
    "replaced": "Replaced",
    "expired": "Expired",
    "unknown": "Under Cosmic Review",
}
MESSAGES = {
    -1: "Request was not made over https!",
    -2: "'{}' is an unrecognised argument!",
    -3: "The '{}' argument is missing!",
    -4: "The value of the '{}' argument is invalid!",
    -14: "An unknown error occurred!",
    -16: "Permission denied!",
    -17: "Request used GET rather than POST!",
    -20: "The order has been rejected!",
    -21: "The certificate has been revoked!",
    -22: "The order is still awaiting payment!",
    -26: "The certificate is currently being issued!",
    -40: "Wrong certificate state!",
    -42: "Call limit reached, please try again later",
    -91: "Permission denied for this context!",
}
LOGIN = frozenset({"loginName", "loginPassword"})
#: What a name costs that a replacement adds.
NAME_PRICE = 12
METHODS = {"dns-txt": "CNAME", "dns-cname": "CNAME", "http": "HTTP", "https": "HTTPS", "email": "EMAIL"}
NEW_METHODS = {"EMAIL": "email", "HTTP_CSR_HASH": "http", "HTTPS_CSR_HASH": "https", "CNAME_CSR_HASH": "dns-cname"}


class Refused(Exception):
    """A negative error code."""

    def __init__(self, code: int, item: str = "", message: str | None = None) -> None:
        super().__init__(code)
        self.code, self.item = code, item
        self.message = message or MESSAGES[code].format(item)


class Arguments:
    """The form fields of a call: names without regard to case, unknown ones refused."""

    def __init__(self, pairs: Pairs, known: t.Container[str] | None) -> None:
        names = {name.lower(): name for name in known} if isinstance(known, (set, frozenset)) else {}
        self._values: dict[str, str] = {}
        for key, value in pairs:
            name = names.get(key.lower(), key)
            if known is not None and name not in known:
                raise Refused(-2, key)
            if name in self._values and name in ("orderNumber", "certificateID"):
                value = self._values[name] + "," + value
            self._values[name] = value
        self._lower = {key.lower(): value for key, value in self._values.items()}

    def get(self, name: str, default: str = "") -> str:
        """The value of an argument."""
        return self._lower.get(name.lower(), default)

    def required(self, name: str) -> str:
        """The value of an argument that must be there and not empty."""
        value = self.get(name)
        if not value:
            raise Refused(-3, name)
        return value

    def choice(self, name: str, allowed: str, default: str | None = None) -> str:
        """The value of an argument, one character each in ``allowed``."""
        value = self.get(name, default or "") if default is not None else self.required(name)
        if len(value) != 1 or value.upper() not in allowed:
            raise Refused(-4, name)
        return value.upper()

    def yes(self, name: str) -> bool:
        """A Y/N argument, N by default."""
        return self.choice(name, "YN", "N") == "Y"

    def number(self, name: str) -> int | None:
        """A whole number, or ``None`` when the argument is not there."""
        value = self.get(name)
        if not value:
            return None
        if not re.fullmatch(r"\d{1,16}", value):
            raise Refused(-4, name)
        return int(value)


def encoded(pairs: Pairs) -> Reply:
    """A URL-encoded reply. Keys may repeat."""
    return Reply(200, urllib.parse.urlencode(pairs).encode(), FORM)


def newline(*lines: str) -> Reply:
    """A newline-separated reply."""
    return Reply.text("\n".join(lines) + "\n", content_type="text/plain")


class Sectigo(Dialect):
    """Status, collection, DCV, CAA, report and replacement."""

    name = "sectigo"
    first_order_id = 830045512
    first_certificate_id = 91200345
    #: Virtual seconds between two collections of an order, between two CAA retries, and, where DCV looks, between two
    #: requests to look for a name; real seconds a collection takes.
    limits: t.ClassVar[dict[str, float]] = {
        "collect_interval": 3 * 3600,
        "caa_interval": 600,
        "dcv_interval": 600,
        "concurrent_collects": 1,
        "collect_seconds": 0.05,
    }

    #: Path -> arguments it knows; ``None`` is any.
    CALLS: t.ClassVar[dict[str, frozenset[str] | None]] = {
        "/products/!GetDetailedOrderStatus": frozenset(
            {"orderNumber", "certificateID", "queryType", "showValidityPeriod", "responseFormat", "SID"}
        ),
        "/products/download/CollectSSL": frozenset(
            {
                "orderNumber", "certificateID", "baseOrderNumber", "queryType", "responseType", "responseEncoding",
                "showValidityPeriod", "showFQDN", "showExtStatus", "showStatusDetails", "showMDCDomainDetails",
                "showMDCDomainDetails2", "responseFormat",
            }
        ),
        "/products/!GetMDCDomainDetails": frozenset({"orderNumber", "showStatusDetails", "responseFormat"}),
        "/products/!AutoUpdateDCV": frozenset(
            {
                "orderNumber", "baseOrderNumber", "domainName", "domainNames", "newMethod", "newMethods",
                "newDCVEmailAddress", "newDCVEmailAddresses", "dcvTemplateID",
            }
        ),
        "/products/!ResendDCVEmail": frozenset({"orderNumber", "dcvEmailAddress", "responseFormat"}),
        "/products/!GetDCVEmailAddressList": frozenset({"domainName"}),
        "/products/!RetryCAACheck": frozenset({"orderNumber", "certificateID"}),
        "/products/!WebHostReport": frozenset(
            {
                "orderNumber", "certificateID", "foreignOrderNumber", "showStatusesOnly", "showStatusDetails",
                "notBefore", "notAfter", "organizationName", "fqdn", "firstResultNo", "lastResultNo",
            }
        ),
        "/products/!AutoReplaceSSL": None,
    }  # fmt: skip

    def reset(self) -> None:
        """No collection is under way."""
        self._collecting: dict[str, int] = {}

    def matches(self, path: str) -> bool:
        return path.startswith(("/products/", "/products!"))

    def base_urls(self, url: str) -> dict[str, str]:
        return {"sectigo": url}

    def new_account(self, name: str, **attributes: t.Any) -> Account:
        attributes = {"username": f"{name}-user", "password": new_secret(), **attributes}
        return Account(self.name, name, **attributes)

    def options(self, account: Account, url: str) -> dict[str, str]:
        return {
            "provider": self.name,
            "api_url": url,
            "username": account.username,
            "password": account.password,
        }

    def identify(self, call: Call) -> Account | None:
        fields = {key.lower(): value for key, value in call.form}
        return find(self.accounts(), username=fields.get("loginname", ""), password=fields.get("loginpassword", ""))

    def failure(self, status: int, message: str) -> Reply:
        reply = encoded([("errorCode", "-14"), ("errorMessage", message)])
        reply.status = status
        return reply

    async def handle(self, call: Call) -> Reply:
        if call.path not in self.CALLS:
            return Reply.html("<html><body><h1>Not Found</h1></body></html>", 404)
        style = _newline_refusal if call.path.endswith(("CollectSSL", "AddressList")) else _encoded_refusal
        try:
            if call.scheme != "https":
                raise Refused(-1)
            if call.method != "POST":
                raise Refused(-17)
            known = self.CALLS[call.path]
            arguments = Arguments(call.form, None if known is None else known | LOGIN)
            if call.path.endswith("CollectSSL") and arguments.get("responseFormat") == "1":
                style = _encoded_refusal
            if call.path.endswith("GetDetailedOrderStatus") and arguments.get("responseFormat") == "2":
                style = _json_refusal
            for name in ("loginName", "loginPassword"):
                arguments.required(name)
            account = self.identify(call)
            if account is None or account.revoked:
                raise Refused(-16)
            method = "_" + call.path.rsplit("/", 1)[1].lstrip("!").lower()
            reply: Reply | t.Awaitable[Reply] = getattr(self, method)(call, account, arguments)
            return reply if isinstance(reply, Reply) else await reply
        except Refused as refused:
            return style(refused)

    # Orders

    def _one(self, call: Call, arguments: Arguments, *names: str, latest: bool = False) -> Order:
        """The order that one of the named arguments points to."""
        for name in names or ("orderNumber", "certificateID"):
            value = arguments.get(name)
            if not value:
                continue
            if not re.fullmatch(r"\d{1,16}", value):
                raise Refused(-4, name)
            if name == "certificateID":
                found = self.order_by_certificate(call, value)
                order = found[0] if found else None
            else:
                order = self.order(call, value, latest)
            if order is None:
                raise Refused(-4, name)
            return order
        raise Refused(-3, (names or ("orderNumber",))[0])

    def _text(self, order: Order, now: float) -> str:
        """The certificateStatus text."""
        if order.word is not None:
            return order.word
        state = order.stage(now).state
        if state in ("issued", "no_chain"):
            return "Valid" if "collected" in order.facts else "Issued but not yet collected"
        if order.checks(now)["brand"] == IN_PROGRESS:
            return "Awaiting Validation (Brand)"
        return TEXTS[state].format(order.shown_reason(now))

    def _checks(self, order: Order, now: float) -> dict[str, str]:
        values = {"dv_upgrade": NOT_APPLICABLE, **order.checks(now)}
        fields = {field: INTEGERS[values[check]] for check, field in CHECK_FIELDS.items()}
        if order.product == "dv":
            del fields["evClickThroughStatus"]
        if "brand" in order.checked:
            fields["brandValStatus"] = INTEGERS[values["brand"]]
        return fields

    # Status

    def _getdetailedorderstatus(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        documented = account.dialect == "documented"
        if not documented:
            for name in ("responseFormat", "SID"):
                if arguments.get(name):
                    raise Refused(-2, name)
        query = arguments.choice("queryType", "012")
        as_json = documented and arguments.choice("responseFormat", "12", "1") == "2"
        validity = arguments.yes("showValidityPeriod")
        order, now = self._one(call, arguments), self.now
        family = [order]
        while query == "2" and family[-1].replaced_by:
            following = self.world.orders.get(self.name, family[-1].replaced_by)
            if following is None:
                break
            family.append(following)
        pairs: Pairs = [("errorCode", "0")]
        for number, member in enumerate(family, 1):
            pairs += self._status_pairs(account, member, number, query, validity, now)
        pairs = list(order.with_overrides(dict(pairs)).items()) if order.fields or order.drop else pairs
        if as_json:
            return Reply.json({key: int(value) if key == "errorCode" else value for key, value in pairs})
        return encoded(pairs)

    def _status_pairs(
        self, account: Account, order: Order, number: int, query: str, validity: bool, now: float
    ) -> Pairs:
        issuance, reason = order.issuances[-1], order.shown_reason(now)
        x, y = f"{number}_", f"{number}_{len(order.issuances)}_"
        signed = order.signed(now)
        state = order.stage(now).state
        pairs = [
            (x + "orderNumber", order.order_id),
            (x + "orderDateTime", utc(order.created).strftime("%Y-%m-%d %H:%M")),
            (x + "orderStatus", "Pending" if not signed and not order.stage(now).ended else ""),
            (x + "orderStatusReason", reason if state in ("rejected", "canceled") else ""),
        ]
        if order.product != "dv" and order.checks(now)["organization"] == IN_PROGRESS:
            pairs += [
                (x + "suggestedOrgDetails", "Found"),
                (x + "organizationName", "Example Org Ltd"),
                (x + "streetAddress", "1 Sample Street"),
                (x + "localityName", "London"),
                (x + "postalCode", "EC1A 1BB"),
                (x + "countryName", "GB"),
                (x + "telephoneNumber", "+44 20 7946 0001"),
            ]
        for position, earlier in enumerate(order.issuances[:-1], 1):
            pairs += [
                (f"{x}{position}_serialNumber", serial_hex(earlier.serial)),
                (f"{x}{position}_FQDN", ",".join(earlier.names)),
                (f"{x}{position}_certificateStatus", "Replaced"),
            ]
            if validity:
                start, end = self.world.orders.validity(earlier)
                pairs += [
                    (f"{x}{position}_notBefore", str(int(start.timestamp()))),
                    (f"{x}{position}_notAfter", str(int(end.timestamp()))),
                ]
        pairs += [
            (y + "serialNumber", serial_hex(issuance.serial) if signed else ""),
            (y + "objectType", {"dv": "PositiveSSL", "ov": "InstantSSL", "ev": "EV SSL"}[order.product]),
            (y + "FQDN", ",".join(order.names)),
            (y + "certificateStatus", self._text(order, now)),
            (y + "certificateStatusReason", reason if state in ("rejected", "revoked", "presign_failed") else ""),
        ]
        if query != "0":
            checks = self._checks(order, now)
            if self.shape(account, order) == "documented":
                del checks["csrStatus"], checks["dcvStatus"]
            pairs += [(y + name, value) for name, value in checks.items()]
        if validity:
            if signed:
                start, end = self.world.orders.validity(issuance)
                pairs += [(y + "notBefore", str(int(start.timestamp()))), (y + "notAfter", str(int(end.timestamp())))]
            pairs += [
                (y + "certificateDuration", str(int(order.lifetime // 86400))),
                (y + "productTermDuration", str(int(order.coverage // 86400))),
                (y + "productTermEndDate", str(int(order.covered_until()))),
            ]
        return pairs

    def _webhostreport(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        if not account.allows("bulk"):
            raise Refused(-91)
        arguments.yes("showStatusesOnly")
        wanted = [part.strip() for part in arguments.get("orderNumber").split(",") if part.strip()]
        for value in wanted:
            if not value.isdigit():
                raise Refused(-4, "orderNumber")
        call.order_ids.extend(wanted)
        ids = set(wanted)
        certificate_ids = {part.strip() for part in arguments.get("certificateID").split(",") if part.strip()}
        begin, end, now = arguments.number("notBefore"), arguments.number("notAfter"), self.now
        fqdn, organization = arguments.get("fqdn"), arguments.get("organizationName")
        orders = [
            order
            for order in self.orders_of(account)
            if (not ids or order.order_id in ids)
            and (not certificate_ids or order.issuances[-1].certificate_id in certificate_ids)
            and (begin is None or order.created >= begin)
            and (end is None or order.created <= end)
            and (not fqdn or any(_like(name, fqdn) for name in order.names))
            and (not organization or (order.product != "dv" and _like("Example Org Ltd", organization)))
        ]
        first, last = arguments.number("firstResultNo"), arguments.number("lastResultNo")
        if first is not None and last is not None and last < first:
            raise Refused(-4, "lastResultNo")
        page = orders[max(first or 1, 1) - 1 : last]
        pairs: Pairs = [("errorCode", "0"), ("noOfResults", str(len(orders)))]
        for number, order in enumerate(page, 1):
            pairs += self._report_pairs(order, number, arguments.yes("showStatusesOnly"), now)
        return encoded(pairs)

    def _report_pairs(self, order: Order, number: int, brief: bool, now: float) -> Pairs:
        x, y = f"{number}_", f"{number}_1_"
        issuance = order.issuances[-1]
        pairs = [
            (x + "orderNumber", order.order_id),
            (x + "orderStatus", "Pending" if not order.signed(now) and not order.stage(now).ended else ""),
            (x + "dateTime", str(int(order.created))),
            (y + "type", {"dv": "PositiveSSL", "ov": "InstantSSL", "ev": "EV SSL"}[order.product]),
            (y + "domain", order.names[0]),
            (y + "status", self._text(order, now)),
            (y + "lastStatusChange", str(int(order.stage_began(now)))),
        ]
        if not brief:
            signed = order.signed(now)
            pairs.append((y + "serialNumber", serial_hex(issuance.serial) if signed else ""))
            if signed:
                start, end = self.world.orders.validity(issuance)
                pairs += [(y + "notBefore", str(int(start.timestamp()))), (y + "notAfter", str(int(end.timestamp())))]
        return pairs

    # Collecting

    async def _collectssl(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        query = arguments.choice("queryType", "0123")
        arguments.choice("responseType", "3", "3")  # bundles have other numbers; the collection takes single texts
        form = arguments.choice("responseFormat", "01", "0")
        arguments.choice("responseEncoding", "01", "0")
        for name in self.CALLS[call.path] or ():
            if name.startswith("show"):
                arguments.yes(name)
        order = self._one(call, arguments, "orderNumber", "certificateID", "baseOrderNumber")
        if self._collecting.get(account.name, 0) >= self.limit("concurrent_collects"):
            raise Refused(-42)
        last = order.facts.get("collect_call")
        if last is not None and self.now - last < self.limit("collect_interval"):
            raise Refused(-42)
        order.facts["collect_call"] = self.now
        self._collecting[account.name] = self._collecting.get(account.name, 0) + 1
        try:
            # The real call takes its time, too; without it no two calls could ever be seen to overlap.
            await asyncio.sleep(self.limit("collect_seconds"))
            return self._collected(call, order, arguments, query, form)
        finally:
            self._collecting[account.name] -= 1

    def _collected(self, call: Call, order: Order, arguments: Arguments, query: str, form: str) -> Reply:
        now = self.now
        state = order.stage(now).state
        refusals = {"unpaid": -22, "rejected": -20, "canceled": -20, "revoked": -21, "issuing": -26, "pickup": -26}
        if state in refusals:
            raise Refused(refusals[state])
        issuance = self._collectable(order, now)
        code = "0" if issuance is None else "1" if query == "0" else "2"
        pairs: Pairs = [("errorCode", code), ("orderNumber", order.order_id)]
        lines = [code]
        material = self.material(call, order, issuance) if issuance else None
        if state == "no_chain" and material is not None:
            material = Material(material.leaf, (), material.root, material.faults)
        if issuance is not None and arguments.yes("showValidityPeriod"):
            start, end = self.world.orders.validity(issuance)
            dates = [str(int(start.timestamp())), str(int(end.timestamp()))]
            pairs += [("notBefore", dates[0]), ("notAfter", dates[1])]
            lines += dates
        if arguments.yes("showFQDN"):
            pairs.append(("fqdn", order.names[0]))
            lines.append(order.names[0])
        if material is not None and query != "0":
            order.facts["collected"] = now
            content = _content(material, query)
            pairs += content
            # Newline format: chain first (root first), leaf last.
            lines += [value.rstrip("\n") for key, value in content if key != "certificate"]
            lines += [value.rstrip("\n") for key, value in content if key == "certificate"]
        if arguments.yes("showExtStatus"):
            pairs.append(("certificateStatus", self._text(order, now)))
            lines += ["", self._text(order, now)]
        if arguments.yes("showStatusDetails"):
            pairs += [*self._checks(order, now).items(), ("validationStatus", INTEGERS[order.checks(now)["dcv"]])]
        details = "; ".join(
            f"{d.name}: {'Validated' if order.validated(d, now) else 'Not Validated'}" for d in order.domains
        )
        for name in ("mdcDomainDetails", "mdcDomainDetails2"):
            if arguments.yes("show" + name[0].upper() + name[1:]):
                pairs.append((name, details))
        return encoded(pairs) if form == "1" else newline(*lines)

    @staticmethod
    def _collectable(order: Order, now: float) -> Issuance | None:
        """What can be collected: the order's certificate, which a replaced order keeps, or the one before it."""
        return order.issuance(now) if order.signed(now) or len(order.issuances) > 1 else None

    # DCV and CAA

    def _getmdcdomaindetails(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        arguments.choice("responseFormat", "12", "1")
        arguments.yes("showStatusDetails")
        order, now = self._one(call, arguments, "orderNumber"), self.now
        pairs: Pairs = [("errorCode", "0")]
        for number, domain in enumerate(order.domains, 1):
            pairs += [
                (f"{number}_domainName", domain.name),
                (f"{number}_dcvMethod", METHODS.get(domain.method or order.dcv_method, "CNAME")),
                (f"{number}_dcvStatus", "Validated" if order.validated(domain, now) else "Not Validated"),
            ]
        if arguments.get("responseFormat") == "2":
            return Reply.json(dict(pairs))
        return encoded(pairs)

    def _autoupdatedcv(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        order = self._one(call, arguments, "orderNumber", "baseOrderNumber")
        if arguments.get("domainNames"):
            names = [part.strip() for part in re.split(r"[,\s]+", arguments.get("domainNames")) if part.strip()]
            methods = [part.strip() for part in arguments.required("newMethods").split(",")]
            label = "newMethods"
        else:
            names = [arguments.get("domainName") or order.names[0]]
            methods, label = [arguments.required("newMethod")], "newMethod"
        if len(methods) == 1:
            methods *= len(names)
        if len(methods) != len(names) or any(method not in NEW_METHODS for method in methods):
            raise Refused(-4, label)
        if "EMAIL" in methods and not (arguments.get("newDCVEmailAddress") or arguments.get("newDCVEmailAddresses")):
            raise Refused(-3, "newDCVEmailAddress")
        for name, method in zip(names, methods, strict=True):
            domain = next((item for item in order.domains if item.name == name), None)
            if domain is None:
                raise Refused(-4, "domainNames" if arguments.get("domainNames") else "domainName")
            present = METHODS.get(domain.method or order.dcv_method)
            # The method that it has already: a request to look again, which has to wait.
            interval = self.limit("dcv_interval") if METHODS[NEW_METHODS[method]] == present else 0.0
            if self.too_soon(order, f"dcv {name}", interval):
                raise Refused(-42)
            domain.method = NEW_METHODS[method]
            self.recheck(order, self.now, name)
        return encoded([("errorCode", "0")])

    def schedule(self, order: Order) -> t.Sequence[float]:
        return SECTIGO_SCHEDULE

    def evidence(self, order: Order, domain: Domain) -> list[Evidence]:
        """The hashes of the CSR, and the unique value where one was used."""
        method = domain.method or order.dcv_method
        if method.startswith("http") and domain.name.startswith("*."):
            return []
        found = csr_evidence(method, domain.name, self.world.orders.csr_of(order), order.unique_value, "sectigo.com")
        return [] if found is None else [found]

    def _resenddcvemail(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        self._one(call, arguments, "orderNumber")
        return encoded([("errorCode", "0")])

    def _getdcvemailaddresslist(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        name = arguments.required("domainName")
        base = ".".join(name.removeprefix("*.").split(".")[-2:])
        mailboxes = ("admin", "administrator", "hostmaster", "postmaster", "webmaster")
        return newline("0", f"domain_name\t{base}", *[f"level2_email\t{box}@{base}" for box in mailboxes])

    def _retrycaacheck(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        order, now = self._one(call, arguments), self.now
        if order.stage(now).state != "presign_failed":
            raise Refused(-40)
        last = order.facts.get("caa_retry")
        if last is not None and now - last < self.limit("caa_interval"):
            raise Refused(-42)
        order.facts["caa_retry"] = now
        if order.facts.get("caa_fixed"):
            order.go_on([("issuing", 30.0), ("issued", None)], now)
        return encoded([("errorCode", "0")])

    # Orders that change something

    def _placed(self, order: Order, arguments: Arguments) -> Reply:
        pairs: Pairs = [
            ("errorCode", "0"),
            ("orderNumber", order.order_id),
            ("certificateID", order.issuances[-1].certificate_id),
            ("expectedDeliveryTime", "0"),
            ("totalCost", "0.00"),
            ("uniqueValue", order.unique_value),
        ]
        if arguments.get("responseFormat") == "1":
            return encoded(pairs)
        return newline(*[value for _key, value in pairs])

    def _autoreplacessl(self, call: Call, account: Account, arguments: Arguments) -> Reply:
        csr = arguments.required("csr")
        base = self._one(call, arguments, "orderNumber", "certificateID", "baseOrderNumber", latest=True)
        if arguments.get("exactOrder") != "Y":
            while base.replaced_by:
                base = self.world.orders.get(self.name, base.replaced_by) or base
        if not base.signed(self.now):
            raise Refused(-40)
        names = [part for part in re.split(r"[,\s]+", arguments.get("domainNames")) if part] or base.names
        try:
            load_csr(csr)
        except ValueError:
            raise Refused(-4, "csr") from None
        added = len(set(names) - set(base.names))
        if account.features.get("replace_in_order"):
            self.world.orders.reissue(base, names, csr)
            # The server counts the new certificate as another one: it may be collected at once.
            base.facts.pop("collected", None)
            replacement = base
            self.enter(base, "reissue")
        else:
            base.keep_former(self.now)
            left = base.covered_until() - self.now
            replacement = self.create(
                account,
                names,
                csr=csr,
                coverage=left,
                lifetime=base.lifetime,
                reissue_lag=base.reissue_lag,
                dcv=base.dcv,
            )
            self._tie(base, replacement)
            self.enter(base, "replacement")
        generated = hashlib.sha256(f"{replacement.order_id} {csr}".encode()).hexdigest()[:20]
        given = "" if account.features.get("own_unique_value") else arguments.get("uniqueValue")
        replacement.unique_value = given or generated
        if added:
            self.enter(base, "names", f"{NAME_PRICE * added}.00")
        return self._placed(replacement, arguments)

    def _tie(self, base: Order, replacement: Order) -> None:
        base.replaced_by, replacement.replaces = replacement.order_id, base.order_id
        base.go_to("replaced", self.now)

    def create(self, account: Account, names: t.Sequence[str], **attributes: t.Any) -> Order:
        """A reissue is a second order here: the first, with its certificate, and its replacement."""
        if attributes.get("scenario") != "reissue":
            return super().create(account, names, **attributes)
        common = ("order_id", "dialect", "key_type", "shared_key", "chain_style")
        shared = {key: value for key, value in attributes.items() if key in common}
        base = super().create(account, names, scenario="issued", **shared)
        base.created -= 40 * 86400
        base.timeline = [(base.created, "issued")]
        start = utc(base.created)
        base.issuances[-1].not_before = start
        fresh = {key: value for key, value in attributes.items() if key not in ("scenario", "order_id", "serial")}
        replacement = super().create(account, names or base.names, scenario="dv", **fresh)
        if not attributes.get("csr"):  # the new certificate is for the same key, unless a CSR says otherwise
            self.world.orders.key_of(base)
            replacement.private_key = base.private_key
        self._tie(base, replacement)
        return base


def _encoded_refusal(refused: Refused) -> Reply:
    pairs = [("errorCode", str(refused.code)), ("errorMessage", refused.message)]
    if refused.item and refused.code != -3:
        pairs.append(("errorItem", refused.item))
    return encoded(pairs)


def _newline_refusal(refused: Refused) -> Reply:
    return newline(str(refused.code), refused.message)


def _json_refusal(refused: Refused) -> Reply:
    return Reply(200, json.dumps({"errorCode": refused.code, "errorMessage": refused.message}).encode())


def _content(material: Material, query: str) -> Pairs:
    """Certificate data as pairs in the order of the URL-encoded reply: the chain's root first."""
    issuers = list(material.chain)
    if material.root not in issuers and "empty_chain" not in material.faults and issuers:
        issuers.append(material.root)
    if "reversed_chain" not in material.faults:
        issuers.reverse()
    pairs = []
    if query in "12":
        pairs.append(("certificate", material.text(material.leaf)))
    if query in "13":
        pairs += [("caCertificate", material.text(item)) for item in issuers]
    return pairs


def _like(text: str, pattern: str) -> bool:
    """``_`` stands for one character, ``%`` for any number."""
    return fnmatch.fnmatchcase(text.lower(), pattern.lower().replace("_", "?").replace("%", "*"))
