# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""GoGetSSL API v1. Source: GoGetSSL fact sheet."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ..accounts import Account, new_secret
from ..authority import csr_names
from ..clock import utc
from ..dcv import DIGICERT_SCHEDULE, SECTIGO_SCHEDULE, Evidence, csr_evidence, digicert_evidence
from ..orders import Domain, Order, load_csr
from ..scenarios import IN_PROGRESS
from ..wire import Answer, Call, Reply
from .base import Dialect, find

WORDS = {
    "open": "processing",
    "issuing": "processing",
    "presign_failed": "processing",
    "pickup": "processing",
    "fraud_check": "processing",
    "no_chain": "active",
    "issued": "active",
    "unpaid": "unpaid",
    "needs_approval": "new_order",
    "needs_csr": "incomplete",
    "rejected": "rejected",
    "canceled": "cancelled",
    "failed": "failed",
    "expired": "expired",
    "revoked": "revoked",
    "replaced": "expired",
    "unknown": "something_new",
}
METHODS = {"dns-txt": "dns", "dns-cname": "dns", "http": "http", "https": "https", "email": "email"}
NEW_METHODS = {"http": "http", "https": "https", "dns": "dns-cname"}
LISTED = ("active", "processing", "expired", "rejected")
NO_DATE = "0000-00-00"
#: What a slot for a further name costs.
NAME_PRICE, WILDCARD_PRICE = 4, 40
#: Fields only the newer documentation has.
NEWER = (
    "time_stamp", "internal_id", "dcv_status", "base_domain_count", "single_san_count", "wildcard_san_count",
    "begin_date", "end_date", "reissue", "reissue_now", "validation_description", "admin_msg", "org_lei",
)  # fmt: skip


def error(message: str, description: str = "", status: int = 200) -> Answer:
    """GoGetSSL's error body, ready to raise."""
    body: dict[str, t.Any] = {"error": True, "message": message}
    if description:
        body["description"] = description
    return Answer(Reply.json(body, status))


class GoGetSSL(Dialect):
    """Session key, status, lists, reissue, DCV and CAA calls."""

    name = "gogetssl"
    first_order_id = 2204418
    first_certificate_id = 5501000
    default_dialect = "documented"
    #: Virtual seconds between two CAA checks of an order, and, where DCV looks, between two revalidations of an order
    #: and of a name; lifetime of a key in virtual seconds, 0 for ever.
    limits: t.ClassVar[dict[str, float]] = {
        "caa_interval": 600,
        "revalidate_interval": 60,
        "revalidate_name_interval": 600,
        "key_lifetime": 0,
    }

    def matches(self, path: str) -> bool:
        return path.startswith("/api/")

    def base_urls(self, url: str) -> dict[str, str]:
        return {"gogetssl": url + "/api"}

    def new_account(self, name: str, **attributes: t.Any) -> Account:
        attributes = {"username": f"{name}@example.org", "password": new_secret(), **attributes}
        attributes.setdefault("dialect", self.default_dialect)
        return Account(self.name, name, **attributes)

    def options(self, account: Account, url: str) -> dict[str, str]:
        return {
            "provider": self.name,
            "api_url": self.base_urls(url)["gogetssl"],
            "username": account.username,
            "password": account.password,
        }

    def identify(self, call: Call) -> Account | None:
        key = call.query_value("auth_key")
        for account in self.accounts():
            if key and key in account.sessions:
                return account
        form = dict(call.form)
        return find(self.accounts(), username=form.get("user", ""), password=form.get("pass", ""))

    def failure(self, status: int, message: str) -> Reply:
        return error(message, "", status).reply

    async def handle(self, call: Call) -> Reply:
        try:
            path = call.path.removeprefix("/api")
            if path == "/auth/" and call.method == "POST":
                return self._login(call)
            for method, pattern, handler in self._routes():
                # A slash too many does no harm there; one too few does, for a redirect would lose the form.
                match = re.fullmatch(pattern + "/?" * (not pattern.endswith("/")), path)
                if match and method == call.method:
                    return handler(call, self._authenticate(call), *match.groups())
            raise error("The requested method could not be found", "Check the address and the verb", 404)
        except Answer as answer:
            return answer.reply

    def _routes(self) -> list[tuple[str, str, t.Callable[..., Reply]]]:
        return [
            ("GET", r"/orders/status/(\d+)", self._status),
            ("POST", r"/orders/statuses/", self._statuses),
            ("GET", r"/orders/ssl/all", self._all),
            ("GET", r"/orders/", self._list),
            ("POST", r"/orders/ssl/reissue/(\d+)", self._reissue),
            ("POST", r"/orders/add_ssl_san_order/", self._buy_names),
            ("POST", r"/orders/ssl/revalidate/(\d+)", self._revalidate),
            ("GET", r"/orders/ssl/resend_validation_email/(\d+)", self._resend),
            ("POST", r"/orders/ssl/resend/(\d+)", self._resend),
            ("POST", r"/orders/ssl/change_validation_method/(\d+)", self._change_method),
            ("POST", r"/orders/ssl/change_domains_validation_method/(\d+)", self._change_methods),
            ("POST", r"/orders/ssl/change_validation_email/(\d+)", self._change_email),
            ("POST", r"/orders/ssl/change_dcv/(\d+)", self._change_email),
            ("GET", r"/orders/ssl/recheck-caa/(\d+)", self._recheck_caa),
        ]

    # Session

    def _login(self, call: Call) -> Reply:
        form = dict(call.form)
        if not form.get("user") or not form.get("pass"):
            raise error("Username and/or password not supplied", "Credentials are required")
        account = find(self.accounts(), username=form["user"], password=form["pass"])
        if account is None or account.revoked:
            raise error("Wrong username and/or password", "Access denied", 403)
        call.account = account
        self.world.journal.logins[account.name] += 1
        key = new_secret()
        account.sessions[key] = self.now
        return Reply.json({"key": key, "success": True})

    def _authenticate(self, call: Call) -> Account:
        key = call.query_value("auth_key")
        for account in self.accounts():
            if not key or key not in account.sessions:
                continue
            lifetime = self.limit("key_lifetime")
            if account.revoked or (lifetime and self.now - account.sessions[key] > lifetime):
                break
            return account
        raise error("Auth key is not valid", "Authenticate again", 403)

    # Words and shapes

    def _find(self, call: Call, order_id: str, latest: bool = False) -> Order:
        order = self.order(call, order_id, latest)
        if order is None:
            # What the real one sends is not established: the two dialects differ.
            newer = call.account is not None and call.account.dialect == "documented"
            raise error("Order not found", "There is no such order", 404 if newer else 200)
        return order

    def _reissuing(self, order: Order, now: float) -> bool:
        return (
            order.reissue_started is not None
            and order.reissue_started <= now
            and order.stage(now).state in ("open", "issuing", "presign_failed")
        )

    def _word(self, order: Order, now: float) -> str:
        if order.word is not None:
            return order.word
        return "active" if self._reissuing(order, now) else WORDS[order.stage(now).state]

    def _status(self, call: Call, account: Account, order_id: str) -> Reply:
        order, now = self._find(call, order_id), self.now
        body = self._status_body(call, account, order, now)
        if self.shape(account, order) == "observed":
            body = _older(body)
        return Reply.json(order.with_overrides(body))

    def _status_body(self, call: Call, account: Account, order: Order, now: float) -> dict[str, t.Any]:
        state, reissuing = order.stage(now).state, self._reissuing(order, now)
        issuance = order.issuance(now)
        crt = ca = ""
        begin = end = NO_DATE
        if state in ("issued", "no_chain") or reissuing:
            material = self.material(call, order, issuance)
            crt = _crlf(material.text(material.leaf))
            ca = "" if state == "no_chain" else _crlf(material.join(material.ca_bundle()))
            start, stop = self.world.orders.validity(issuance)
            begin, end = start.strftime("%Y-%m-%d"), stop.strftime("%Y-%m-%d")
        reason = order.shown_reason(now)
        brand = order.checks(now)["brand"] == IN_PROGRESS or state == "fraud_check"
        base, *sans = order.domains
        lags = bool(account.features.get("csr_lags"))
        with_csr = state != "needs_csr" and (crt or self.shape(account, order) == "documented")
        body: dict[str, t.Any] = {
            "order_id": int(order.order_id),
            "partner_order_id": str(830000000 + order.number),
            "internal_id": f"X-{order.order_id}",
            "status": self._word(order, now),
            "status_description": f"PRE-SIGN FAILED!!! {reason}" if state == "presign_failed" else reason,
            "dcv_status": 2 if order.validated(base, now) else 1 if state == "open" else 0,
            "product_id": {"dv": 71, "ov": 84, "ev": 92}[order.product],
            "domain": base.name,
            "domains": ",".join(order.names),
            "total_domains": len(order.names),
            "base_domain_count": 1,
            "single_san_count": self._paid(order)[0],
            "wildcard_san_count": self._paid(order)[1],
            "dcv_method": METHODS.get(base.method or order.dcv_method, "email"),
            "approver_method": self._validation(order, base),
            "approver_emails": METHODS.get(base.method or order.dcv_method, base.method or "email"),
            "server_count": "-1",
            "webserver_type": "-1",
            "validity_period": 12,
            "ssl_period": 12,
            "ssl_price": "10.00",
            "valid_from": begin,
            "valid_till": end,
            "begin_date": utc(order.created).strftime("%Y-%m-%d") if crt else "",
            "end_date": utc(order.covered_until()).strftime("%Y-%m-%d") if crt else "",
            "csr_code": self.world.orders.csr_of(order, issuance if lags else None) if with_csr else "",
            "crt_code": crt,
            "ca_code": ca,
            "renew": 0,
            "upgrade": 0,
            "free_ev_upgrade": 0,
            "reissue": int(order.reissue_started is not None),
            "reissue_now": int(reissuing),
            "manual_check": int(brand),
            "pre_signing": int(state in ("issuing", "pickup")),
            "validation_description": "",
            "admin_msg": "",
            "partner_sslid": "",
            "goget_website": "",
            "codesigning_inviteurl": "",
            "admin_firstname": "Pat",
            "admin_lastname": "Contact",
            "admin_email": "pat.contact@example.org",
            "admin_phone": "+44 20 7946 0001",
            "admin_addressline1": "1 Sample Street",
            "org_name": "Example Org Ltd",
            "org_city": "London",
            "org_country": "GB",
            "org_phone": "+44 20 7946 0002",
            "org_lei": "",
            "tech_firstname": "Sam",
            "tech_lastname": "Technician",
            "tech_email": "sam.technician@example.org",
            "tech_phone": "+44 20 7946 0003",
            "san": [self._san(order, domain, now) for domain in sans],
            "success": True,
            "time_stamp": int(now),
        }
        return body

    def _san(self, order: Order, domain: Domain, now: float) -> dict[str, t.Any]:
        done, open_ = order.validated(domain, now), order.stage(now).state == "open"
        return {
            "san_name": domain.name,
            "validation_method": METHODS.get(domain.method or order.dcv_method, "email"),
            "status": "2" if done else "1" if open_ else "0",
            "status_description": "Validated" if done else "Processing" if open_ else "",
            "validation": self._validation(order, domain),
        }

    def _validation(self, order: Order, domain: Domain) -> t.Any:
        method = domain.method or order.dcv_method
        found = self.evidence(order, domain)
        if not found:
            return {"email": method if "@" in method else f"admin@{domain.name.removeprefix('*.')}"}
        evidence = found[0]
        if evidence.kind == "file":
            token, ca_domain, unique = evidence.value.split("\n")
            content = "\r\n".join([token.upper(), ca_domain.upper(), unique])
            # The link is printed with http, whatever the method.
            link = "http" + evidence.where[evidence.where.index(":") :]
            return {method: {"link": link, "filename": link.rpartition("/")[2], "content": content}}
        if evidence.kind == "CNAME":
            label, _dot, rest = evidence.where.partition(".")
            return {"dns": {"record": f"{label.upper()}.{rest} CNAME {evidence.value}"}}
        owner = evidence.where.removeprefix("_dnsauth.")
        return {"dns": {"record": f'{owner}   IN   TXT   "{evidence.value}"'}}

    def schedule(self, order: Order) -> t.Sequence[float]:
        return DIGICERT_SCHEDULE if order.dcv_method == "dns-txt" else SECTIGO_SCHEDULE

    def evidence(self, order: Order, domain: Domain) -> list[Evidence]:
        """A random value of DigiCert's brands (TXT), or hashes of the CSR and a unique value of Sectigo's."""
        method, bare = domain.method or order.dcv_method, domain.name.removeprefix("*.")
        if method == "dns-txt":
            value = hashlib.sha256(f"{order.order_id} {len(order.issuances)} {domain.name}".encode()).hexdigest()[:32]
            found = digicert_evidence(method, bare, bare, value)
        elif method.startswith("http") and bare != domain.name:
            found = None
        else:
            unique = order.unique_value or f"t{order.number:09}{len(order.issuances):09}"
            found = csr_evidence(method, bare, self.world.orders.csr_of(order), unique, "comodoca.com")
        return [] if found is None else [found]

    # Lists

    def _statuses(self, call: Call, account: Account) -> Reply:
        if not account.allows("bulk"):
            raise error("You have no access to this method")
        cids = dict(call.form).get("cids", "")
        if not cids:
            raise error("Parameter cids is required")
        now, found = self.now, []
        for order_id in (part.strip() for part in cids.split(",")):
            call.order_ids.append(order_id)
            order = self.world.orders.get(self.name, order_id)
            if order is None or order.account != account.name:
                continue
            item = {"order_id": order_id, "status": self._word(order, now)}
            if item["status"] == "active":
                item["expires"] = self.world.orders.validity(order.issuance(now))[1].strftime("%Y-%m-%d")
            found.append(item)
        found.reverse()  # the order of the reply is not the order of the question
        return Reply.json({"certificates": found, "success": True, "time_stamp": int(now)})

    def _all(self, call: Call, account: Account) -> Reply:
        numbers = {}
        for name, default in (("limit", 1000), ("offset", 0)):
            text = call.query_value(name) or str(default)
            if not text.isdigit():
                raise error(f"Wrong value of {name}")
            numbers[name] = int(text)
        orders, now = self.orders_of(account), self.now
        limit, offset = min(numbers["limit"], 1000), numbers["offset"]
        page = orders[offset : offset + limit]
        entries = [{"order_id": order.order_id, "status": self._word(order, now)} for order in page]
        body = {"orders": entries, "limit": limit, "offset": offset, "count": len(orders), "success": True}
        return Reply.json(body)

    def _list(self, call: Call, account: Account) -> Reply:
        status = call.query_value("status")
        if status is not None and status not in LISTED:
            raise error("Not supported status")
        return self._listing(account, lambda word: status in (None, word))

    def _listing(self, account: Account, wanted: t.Callable[[str], bool]) -> Reply:
        now = self.now
        entries = []
        for order in self.orders_of(account):
            word = self._word(order, now)
            if not wanted(word):
                continue
            till = NO_DATE
            if word == "active":
                till = self.world.orders.validity(order.issuance(now))[1].strftime("%Y-%m-%d")
            entry = {"order_id": order.order_id, "status": word, "domain": order.names[0], "valid_till": till}
            entries.append({**entry, "date_created": utc(order.created).strftime("%Y-%m-%d")})
        return Reply.json({"orders": entries, "count": len(entries), "success": True})

    # Calls that change something

    def _fields(self, call: Call, *required: str) -> dict[str, str]:
        form = dict(call.form)
        for name in required:
            if not form.get(name):
                raise error(f"Parameter {name} is required")
        return form

    def _revalidate(self, call: Call, account: Account, order_id: str) -> Reply:
        order, form = self._find(call, order_id), self._fields(call, "domain")
        domain = self._name(order, form["domain"])
        if METHODS.get(domain.method or order.dcv_method, "email") == "email":
            raise error("This validation method can not be checked again")
        gaps = {"revalidate": "revalidate_interval", f"revalidate {domain.name}": "revalidate_name_interval"}
        if any(self.too_soon(order, mark, self.limit(name)) for mark, name in gaps.items()):
            raise error("This domain was checked a short time ago, please try again later")
        self.recheck(order, self.now, domain.name)
        return Reply.json({"success": True, "message": "Domain validation has been started"})

    @staticmethod
    def _name(order: Order, name: str) -> Domain:
        domain = next((item for item in order.domains if item.name == name), None)
        if domain is None:
            raise error("Domain is not part of this order")
        return domain

    def _resend(self, call: Call, account: Account, order_id: str) -> Reply:
        order = self._find(call, order_id)
        if call.method == "POST":
            self._name(order, self._fields(call, "domain")["domain"])
        return Reply.json({"success": True, "message": "The e-mail has been sent"})

    def _change_method(self, call: Call, account: Account, order_id: str) -> Reply:
        order, form = self._find(call, order_id), self._fields(call, "domain", "new_method")
        self._set_method(order, form["domain"], form["new_method"])
        return Reply.json({"success": True, "message": "The validation method has been changed"})

    def _change_methods(self, call: Call, account: Account, order_id: str) -> Reply:
        order, form = self._find(call, order_id), self._fields(call, "domains", "new_methods")
        names, methods = form["domains"].split(","), form["new_methods"].split(",")
        if len(names) != len(methods):
            raise error("The number of domains and methods differs")
        for name, method in zip(names, methods, strict=True):
            self._set_method(order, name.strip(), method.strip())
        return Reply.json({"success": True, "message": "The validation methods have been changed"})

    def _set_method(self, order: Order, name: str, method: str) -> None:
        if method not in NEW_METHODS and "@" not in method:
            raise error("Wrong validation method")
        self._name(order, name).method = NEW_METHODS.get(method, method)

    def _change_email(self, call: Call, account: Account, order_id: str) -> Reply:
        order, form = self._find(call, order_id), self._fields(call)
        if form.get("approver_email"):
            order.domains[0].method = form["approver_email"]
        return Reply.json({"success": True, "order_id": int(order_id)})

    def _recheck_caa(self, call: Call, account: Account, order_id: str) -> Reply:
        order, now = self._find(call, order_id), self.now
        last = order.facts.get("caa_retry")
        if last is not None and now - last < self.limit("caa_interval"):
            raise error("CAA can be checked once in 10 minutes")
        order.facts["caa_retry"] = now
        if order.stage(now).state == "presign_failed" and order.facts.get("caa_fixed"):
            order.go_on([("issuing", 30.0), ("issued", None)], now)
        return Reply.json({"success": True, "message": "CAA check has been started"})

    def _reissue(self, call: Call, account: Account, order_id: str) -> Reply:
        order, form = self._find(call, order_id, latest=True), self._fields(call, "csr")
        if not order.signed(self.now):
            raise error("Only an active order can be reissued")
        names = [name.strip() for name in form.get("dns_names", "").split(",") if name.strip()]
        try:
            wanted = csr_names(load_csr(form["csr"]))[:1] or order.names[:1]
        except ValueError:
            raise error("CSR is not valid") from None
        wanted = list(dict.fromkeys(wanted + names))
        if any(count > paid for count, paid in zip(_slots(wanted[1:]), self._paid(order), strict=True)):
            raise error("Not enough SANs are paid for")
        order.paid_names, order.paid_wildcards = self._paid(order)
        self.world.orders.reissue(order, wanted, form["csr"])
        self.enter(order, "reissue")
        if form.get("dcv_method") in NEW_METHODS:
            order.dcv_method = NEW_METHODS[form["dcv_method"]]
        return Reply.json(
            {"order_id": int(order_id), "validation": self._validation(order, order.domains[0]), "success": True}
        )

    @staticmethod
    def _paid(order: Order) -> tuple[int, int]:
        """The names and wildcards beside the first name that are paid for: those of the order, or what a test sets."""
        names, wildcards = _slots(order.names[1:])
        return (
            names if order.paid_names is None else order.paid_names,
            wildcards if order.paid_wildcards is None else order.paid_wildcards,
        )

    def _buy_names(self, call: Call, account: Account) -> Reply:
        form = self._fields(call, "order_id")
        order = self._find(call, form["order_id"], latest=True)
        try:
            names, wildcards = (int(form.get(name) or 0) for name in ("single_san_count", "wildcard_san_count"))
        except ValueError:
            raise error("Wrong number of SANs") from None
        paid = self._paid(order)
        order.paid_names, order.paid_wildcards = paid[0] + names, paid[1] + wildcards
        amount = f"{NAME_PRICE * names + WILDCARD_PRICE * wildcards}.00"
        self.enter(order, "names", amount)
        return Reply.json({"order_id": int(order.order_id), "order_amount": amount, "currency": "USD", "success": True})


def _slots(names: t.Sequence[str]) -> tuple[int, int]:
    """How many of some names are none, and how many are wildcards."""
    wildcards = sum(name.startswith("*.") for name in names)
    return len(names) - wildcards, wildcards


def _crlf(text: str) -> str:
    return text.replace("\r", "").replace("\n", "\r\n")


def _older(body: dict[str, t.Any]) -> dict[str, t.Any]:
    """The shape of 2018: no newer fields, numbers as strings, SAN items without their DCV data."""
    body = {key: value for key, value in body.items() if key not in NEWER}
    for item in body["san"]:
        del item["validation"]
    return {
        key: str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for key, value in body.items()
    }
