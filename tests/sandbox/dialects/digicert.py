# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigiCert CertCentral Services API v2. Source: DigiCert fact sheet."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from ..accounts import Account, new_secret
from ..authority import serial_hex
from ..clock import utc
from ..dcv import DIGICERT_SCHEDULE, Evidence, digicert_evidence
from ..limits import RollingLimit
from ..orders import Domain, Issuance, Order, load_csr, stamp
from ..scenarios import COMPLETED, NOT_APPLICABLE
from ..wire import Answer, Call, Reply
from .base import Dialect, find

US, EU = "/services/v2", "/eu/services/v2"

WORDS = {
    "open": "pending",
    "issuing": "pending",
    "presign_failed": "pending",
    "pickup": "waiting_pickup",
    "no_chain": "issued",
    "issued": "issued",
    "unpaid": "pending",
    "needs_approval": "needs_approval",
    "fraud_check": "needs_approval",
    "needs_csr": "needs_csr",
    "rejected": "rejected",
    "canceled": "canceled",
    "failed": "rejected",
    "expired": "expired",
    "revoked": "revoked",
    "replaced": "revoked",
    "unknown": "cosmic_review",
}
#: Seconds that a random value is valid.
_TOKEN_LIFETIME = 30 * 86400
METHODS = {"dns-txt": "dns-txt-token", "dns-cname": "dns-cname-token", "http": "http-token", "email": "email"}
ACCEPTED = ("*/*", "application/*", "application/json", "application/zip", "application/octet-stream")
ACCEPTED_FILES = ("application/x-pem-file", "text/*")
DOMAINS_PER_ORDER = 256
FIRST_DOMAIN_ID = 50000
#: What a name costs that a reissue adds, and how long before the end of a certificate auto-reissue comes, in seconds.
NAME_PRICE = 25
AUTO_REISSUE_BEFORE = 30 * 86400.0
#: Mountain Daylight Time, in which the status-changes filter is written.
MDT = datetime.timezone(datetime.timedelta(hours=-6))
WEEK = 7 * 24 * 3600

Handler = t.Callable[..., Reply]


def error(status: int, code: str, message: str) -> Answer:
    """DigiCert's error body, ready to raise."""
    return Answer(Reply.json({"errors": [{"code": code, "message": message}]}, status))


class DigiCert(Dialect):
    """Status, validation, re-check, reissue and download."""

    name = "digicert"
    first_order_id = 88120034
    first_certificate_id = 77300981
    limits: t.ClassVar[dict[str, float]] = {"per_5s": 100, "per_180s": 1000}

    def reset(self) -> None:
        """Start both rolling windows anew."""
        self._limit = RollingLimit([(int(self.limit("per_5s")), 5.0), (int(self.limit("per_180s")), 180.0)])

    def matches(self, path: str) -> bool:
        return path.startswith((US + "/", EU + "/"))

    def base_urls(self, url: str) -> dict[str, str]:
        return {"digicert": url + US, "digicert_eu": url + EU}

    def new_account(self, name: str, **attributes: t.Any) -> Account:
        attributes = {"api_key": new_secret(), "region": "us", **attributes}
        return Account(self.name, name, **attributes)

    def default_accounts(self) -> list[Account]:
        return [self.new_account("digicert"), self.new_account("digicert_eu", region="eu")]

    def options(self, account: Account, url: str) -> dict[str, str]:
        base = self.base_urls(url)["digicert_eu" if account.region == "eu" else "digicert"]
        return {"provider": self.name, "api_url": base, "api_key": account.api_key}

    def identify(self, call: Call) -> Account | None:
        return find(self.accounts(), api_key=call.headers.get("X-DC-DEVKEY", ""))

    def failure(self, status: int, message: str) -> Reply:
        code = {429: "request_limit_exceeded", 403: "access_denied", 404: "not_found"}.get(status, "server_error")
        return error(status, code, message).reply

    async def handle(self, call: Call) -> Reply:
        region, path = ("eu", call.path[len(EU) :]) if call.path.startswith(EU) else ("us", call.path[len(US) :])
        try:
            account = self._authenticate(call, region)
            self._accept(call, path)
            for method, pattern, handler in self._routes():
                match = re.fullmatch(pattern, path)
                if match and method == call.method:
                    return handler(call, account, *match.groups())
            raise error(404, "not_found|route", f"No route for {call.method} {path}.")
        except Answer as answer:
            if answer.reply.status >= 400 and call.account and call.account.features.get("errors_as_object"):
                return _errors_as_object(answer.reply)
            return answer.reply

    def _authenticate(self, call: Call, region: str) -> Account:
        if not call.headers.get("X-DC-DEVKEY"):
            raise error(401, "unauthorized", "Authentication is required.")
        account = self.identify(call)
        if account is None or account.revoked or account.region != region:
            raise error(
                403, "access_denied|access_denied_invalid_key", "Access denied due to access_denied_invalid_key."
            )
        if not self._limit.admit(account.api_key):
            raise error(429, "request_limit_exceeded", "Service unavailable, please limit request volume.")
        if account.role == "view_only" and call.method != "GET":
            raise error(403, "access_denied|missing_permission", "The API key is restricted to view only.")
        return account

    @staticmethod
    def _accept(call: Call, path: str) -> None:
        wanted = [part.split(";")[0].strip().lower() for part in call.headers.get("Accept", "*/*").split(",")]
        allowed = ACCEPTED + (ACCEPTED_FILES if "/download/" in path else ())
        if not any(part in allowed for part in wanted):
            raise Answer(Reply(406, b""))

    def _routes(self) -> list[tuple[str, str, Handler]]:
        order = "/order/certificate"
        one = order + r"/(\d+)"
        return [
            ("GET", order, self._list),
            ("GET", order + "/status-changes", self._status_changes),
            ("GET", one + "/validation", self._validation),
            ("GET", one + "/reissue", self._reissues),
            ("POST", one + "/reissue", self._reissue),
            ("PUT", one + "/check-dcv", self._check_dcv),
            ("PUT", one + "/dcv-method", self._dcv_method),
            ("PUT", one + "/dcv-random-value", self._random_value),
            ("GET", one, self._info),
            ("GET", r"/domain/(\d+)", self._domain),
            ("PUT", r"/domain/(\d+)/dcv/validate-token", self._domain_check),
            ("PUT", r"/domain/(\d+)/dcv/method", self._domain_method),
            ("GET", r"/certificate/(\d+)/download/format/([a-z0-9_]+)", self._download),
        ]

    # Lookups and words

    def _find(self, call: Call, order_id: str, latest: bool = False) -> Order:
        order = self.order(call, order_id, latest)
        if order is None:
            raise error(404, "not_found|order", f"Order {order_id} was not found.")
        return order

    def _word(self, order: Order, now: float) -> str:
        if order.word is not None:
            return order.word
        state = order.stage(now).state
        if order.reissue_started is not None and order.reissue_started <= now and state in ("open", "issuing"):
            return "reissue_pending"
        return WORDS[state]

    def _domain_entry(
        self, account: Account, order: Order, position: int, domain: Domain, now: float
    ) -> dict[str, t.Any]:
        done = order.validated(domain, now)
        documented = self.shape(account, order) == "documented"
        entry: dict[str, t.Any] = {
            "domain_id": str(self._domain_id(order, position)),
            "name_scope": _base_domain(domain.name),
            "status": "approved" if done else "pending",
            "method": METHODS.get(domain.method or order.dcv_method, domain.method or order.dcv_method),
            "dns_name" if documented else "dns_names": [domain.name],
        }
        if documented:
            entry["approval_scope"] = "subdomains"
        if done and domain.validated_at is not None:
            entry["approval_expiration_date"] = stamp(domain.validated_at + 199 * 86400)
        return entry

    @staticmethod
    def _domain_id(order: Order, position: int) -> int:
        return FIRST_DOMAIN_ID + order.number * DOMAINS_PER_ORDER + position

    def _by_domain_id(self, call: Call, text: str) -> tuple[Order, Domain]:
        number, position = divmod(int(text) - FIRST_DOMAIN_ID, DOMAINS_PER_ORDER)
        order = self.world.orders.numbered(self.name, number)
        own = order is not None and call.account is not None and order.account == call.account.name
        if order is None or not own or position >= len(order.domains):
            raise error(404, "not_found", f"Domain {text} was not found.")
        call.order_ids.append(order.order_id)
        return order, order.domains[position]

    # Status

    def _validation(self, call: Call, account: Account, order_id: str) -> Reply:
        order, now = self._find(call, order_id), self.now
        documented = self.shape(account, order) == "documented"
        body: dict[str, t.Any] = {
            "order_id": int(order_id) if documented else order_id,
            "order_status": self._word(order, now),
        }
        if not documented:
            body["order_name_scope"] = "base_domain"
            body["order_dcv_method"] = METHODS.get(order.dcv_method, order.dcv_method)
        if order.product != "dv":
            checks = order.checks(now)
            done = checks["organization"] == checks["phone_callback"] == COMPLETED
            done = done and checks["ev_click_through"] in (COMPLETED, NOT_APPLICABLE)
            body["organization_id"], body["organization_name"] = "4401", "Example Org Ltd"
            entry: dict[str, t.Any] = {
                "type": order.product,
                "name": order.product.upper(),
                "description": {"ov": "Normal Organization Validation", "ev": "Extended Organization Validation (EV)"}[
                    order.product
                ],
                "status": ("active" if documented else "complete") if done else "pending",
            }
            if done:
                entry["date_created"] = stamp(order.created)
                entry["validated_until"] = stamp(order.created + 397 * 86400)
            else:
                entry["verification_details"] = {
                    "organization_type": "complete",
                    "organization_status": _detail(checks["organization"]),
                    "address_verification": _detail(checks["organization"]),
                    "blacklist_fraud": "complete",
                    "request_authenticity": _detail(checks["phone_callback"]),
                }
            entry["verified_contacts"] = [
                {
                    "user_id": 9021,
                    "name": "Pat Contact",
                    "first_name": "Pat",
                    "last_name": "Contact",
                    "job_title": "Administrator",
                    "telephone": "+44 20 7946 0001",
                    "email": "pat.contact@example.org",
                    "status": "pending" if not done else "valid",
                }
            ]
            body["organization_validations"] = [entry]
        if order.stage(now).state not in ("needs_approval", "needs_csr"):
            body["dns_name_validations"] = [
                self._domain_entry(account, order, position, domain, now)
                for position, domain in enumerate(order.domains)
            ]
        if call.query_value("include_risk_check") == "true":
            body["risk_check"] = {"status": "approved"}
        return Reply.json(order.with_overrides(body))

    def _info(self, call: Call, account: Account, key: str) -> Reply:
        order, now = self._find(call, key), self.now
        return Reply.json(order.with_overrides(self._info_body(call, account, order, now)))

    def _info_body(self, call: Call, account: Account, order: Order, now: float) -> dict[str, t.Any]:
        word, state = self._word(order, now), order.stage(now).state
        issuance = order.issuance(now)
        certificate: dict[str, t.Any] = {
            "common_name": order.names[0],
            "dns_names": issuance.names,
            "date_created": stamp(order.created),
            "csr": self.world.orders.csr_of(order, issuance).replace("\n", "\r\n") if state != "needs_csr" else "",
            "signature_hash": "sha256",
            "cert_validity": {"days": 47},
            "server_platform": {"id": 45, "name": "nginx"},
        }
        if certificate["csr"]:
            certificate["key_size"] = load_csr(certificate["csr"]).public_key().key_size  # type: ignore[union-attr]
        if state not in ("needs_approval", "fraud_check", "needs_csr"):
            certificate["id"] = int(issuance.certificate_id)
        reissuing = issuance is not order.issuances[-1]
        if order.signed(now) or reissuing:
            start, end = self.world.orders.validity(issuance)
            issued = order.issued_at(issuance, now)
            certificate.update(
                serial_number=serial_hex(issuance.serial),
                thumbprint=_thumbprint(self.material(call, order, issuance).leaf),
                date_issued=stamp(issued if issued is not None else start.timestamp()),
                valid_from=start.strftime("%Y-%m-%d"),
                valid_till=end.strftime("%Y-%m-%d"),
                days_remaining=max((end - utc(now)).days, 0),
                ca_cert={"id": "DF3689F672CCB90C", "name": "Certops Sandbox Issuing CA"},
            )
            if reissuing:
                certificate["status"] = "issued"
            elif state in ("revoked", "replaced") or order.revoked(issuance, now):
                certificate["status"] = "revoked"
        body: dict[str, t.Any] = {
            "id": int(order.order_id),
            "status": word,
            "certificate": certificate,
            "is_renewal": False,
            "date_created": stamp(order.created),
            "order_valid_till": utc(order.covered_until()).strftime("%Y-%m-%d"),
            "product": {
                "name_id": {"dv": "ssl_dv_geotrust", "ov": "ssl_plus", "ev": "ssl_ev_plus"}[order.product],
                "name": {"dv": "DV SSL", "ov": "Standard SSL", "ev": "EV SSL"}[order.product],
                "type": f"{order.product}_ssl_certificate",
                "validation_type": order.product,
            },
            "dcv_method": METHODS.get(order.dcv_method, order.dcv_method),
            "payment_method": "balance",
            "price": 0,
            "user": {"id": 153208, "firstname": "Pat", "lastname": "Contact", "email": "pat.contact@example.org"},
        }
        if order.product != "dv":
            body["organization"] = {"id": 4401, "name": "Example Org Ltd", "telephone": "+44 20 7946 0001"}
        if state in ("needs_approval", "fraud_check"):
            body["requests"] = [{"id": 700000 + order.number, "type": "new_request", "status": "pending"}]
        if order.auto_reissue is not None:
            body["auto_reissue"] = order.auto_reissue
        if order.pending_request is not None:
            shown = {name: order.pending_request[name] for name in ("id", "type", "status", "date")}
            body.update(has_pending_request=True, requests=[shown])
        if state == "presign_failed" and call.query_value("include_caa_status") == "true":
            body["caa_status_message"] = {name: order.shown_reason(now) for name in order.names}
        return body

    def _list(self, call: Call, account: Account) -> Reply:
        limit, offset = self._number(call, "limit", 1000), self._number(call, "offset", 0)
        if not 0 < limit <= 1000:
            raise error(400, "bad_request_format", "The limit must be between 1 and 1000.")
        now = self.now
        wanted = call.query_value("filters[status]") if account.allows("list_filter") else None
        name, serial = call.query_value("filters[common_name]"), call.query_value("filters[serial_number]")
        orders = [
            order
            for order in self.orders_of(account)
            if wanted in (None, self._word(order, now))
            and name in (None, order.names[0])
            and (serial is None or (order.signed(now) and serial.upper() == serial_hex(order.issuance(now).serial)))
        ]
        if (call.query_value("sort") or "").startswith("-"):
            orders.reverse()
        page = orders[offset : offset + limit]
        body = {
            "orders": [
                {
                    "id": int(order.order_id),
                    "status": self._word(order, now),
                    "certificate": self._listed(order, now),
                    "date_created": stamp(order.created),
                    "product": {"name_id": "ssl_plus", "validation_type": order.product},
                }
                for order in page
            ],
            "page": {"total": len(orders), "limit": limit, "offset": offset},
        }
        return Reply.json(body)

    def _listed(self, order: Order, now: float) -> dict[str, t.Any]:
        issuance = order.issuance(now)
        entry: dict[str, t.Any] = {
            "id": int(issuance.certificate_id),
            "common_name": order.names[0],
            "dns_names": issuance.names,
        }
        if order.signed(now):
            start, end = self.world.orders.validity(issuance)
            entry.update(valid_from=start.strftime("%Y-%m-%d"), valid_till=end.strftime("%Y-%m-%d"))
            entry["serial_number"] = serial_hex(issuance.serial)
        return entry

    @staticmethod
    def _number(call: Call, name: str, default: int) -> int:
        text = call.query_value(name)
        if text is None:
            return default
        if not re.fullmatch(r"\d+", text):
            raise error(400, "bad_request_format", f"The value of {name} is not a number.")
        return int(text)

    def _status_changes(self, call: Call, account: Account) -> Reply:
        if not account.allows("bulk"):
            raise error(403, "access_denied|missing_permission", "The API key may not list orders.")
        now = self.now
        window = self._number(call, "minutes", 0) * 60.0 + self._number(call, "seconds", 0)
        begin, end = now - window, now
        between = call.query_value("filters[status_last_updated]")
        if between is not None:
            begin, end = _moments(between)
        elif not window:
            raise error(400, "bad_request_format", "Give minutes, seconds or filters[status_last_updated].")
        if end - begin > WEEK:
            raise error(400, "time_frame_too_long", "The time frame may not be longer than seven days.")
        changed = []
        for order in self.orders_of(account):
            moment = self._changed(order, now)
            if begin <= moment <= end:
                changed.append(
                    {
                        "order_id": int(order.order_id),
                        "certificate_id": int(order.issuance(now).certificate_id),
                        "status": self._word(order, now),
                    }
                )
        if not changed:
            return Reply.json({})
        return Reply.json(changed if account.dialect == "documented" else {"orders": changed})

    def _changed(self, order: Order, now: float) -> float:
        """When DigiCert's own word last changed (an order's first word counts as a change)."""
        moment, last = order.created, None
        for start, _stage in order.timeline:
            if start > now:
                break
            word = self._word(order, start)
            if word != last:
                moment, last = start, word
        return max(moment, order.facts.get("changed", moment))

    def forced(self, order: Order) -> None:
        """A word forced upon an order is a change of its status."""
        order.facts["changed"] = self.now

    # Validation

    @staticmethod
    def _json(call: Call) -> dict[str, t.Any]:
        if not call.body.strip():
            return {}
        if call.content_type not in ("application/json", ""):
            raise error(400, "bad_request_format", "The request body must be JSON.")
        try:
            body = json.loads(call.body)
        except ValueError:
            raise error(400, "bad_request_format", "The request body is not valid JSON.") from None
        if not isinstance(body, dict):
            raise error(400, "bad_request_format", "The request body must be an object.")
        return body

    def _check_dcv(self, call: Call, account: Account, order_id: str) -> Reply:
        order, body, now = self._find(call, order_id), self._json(call), self.now
        wanted = body.get("dns_names_validations") or body.get("dns_name_validations") or []
        names = [item.get("dns_name") for item in wanted if isinstance(item, dict)] or [None]
        if order.dcv == "look" and order.dcv_method == "email":
            raise error(400, "invalid_dcv_method", "The DCV method 'email' cannot be checked.")
        found = [self.recheck(order, now, name) for name in names]
        # With a method of DNS the answer is the same to a name that is not seen, which is pending.
        quiet = order.dcv == "look" and order.dcv_method.startswith("dns")
        if not all(found) and not quiet:
            missing = next(d for d in order.domains if not order.validated(d, now) and names[0] in (None, d.name))
            code = "file_random_value_not_found" if order.dcv_method == "http" else "invalid_dns_txt"
            raise error(400, code, f"Random value not found for {missing.name}.")
        reply: dict[str, t.Any] = {
            "order_status": self._word(order, now),
            "certificate_id": int(order.issuances[-1].certificate_id),
            "dcv_status": "valid" if all(found) else "pending",
        }
        if account.dialect == "observed":
            reply["dns_name_validations"] = [
                {"dns_name": d.name, "status": "approved" if order.validated(d, now) else "pending"}
                for d in order.domains
            ]
        return Reply.json(reply)

    def _dcv_method(self, call: Call, account: Account, order_id: str) -> Reply:
        order = self._find(call, order_id)
        order.dcv_method = self._wanted_method(self._json(call), order.names)
        return Reply.json(self._value(order))

    def _value(self, order: Order) -> dict[str, str]:
        return {"dcv_random_value": self._order_value(order), "expiration_date": self._expiry()}

    def _random_value(self, call: Call, account: Account, order_id: str) -> Reply:
        order, now = self._find(call, order_id), self.now
        if order.dcv_method == "email":
            raise error(400, "invalid_dcv_method", "The DCV method 'email' has no random value.")
        # The present value while it is valid, and a new one once it has expired.
        begin = _values_begin(order)
        expires = stamp(begin + (_age(order, now) + 1) * _TOKEN_LIFETIME)
        return Reply.json({"dcv_random_value": self._order_value(order), "expiration_date": expires})

    def _order_value(self, order: Order) -> str:
        """The order's own value, which shows control of all its names."""
        return _token(order, order.domains[0], _age(order, self.now))

    def schedule(self, order: Order) -> t.Sequence[float]:
        return DIGICERT_SCHEDULE

    def evidence(self, order: Order, domain: Domain) -> list[Evidence]:
        """With the order's value or the domain's, at the domain that is validated; a file at each name itself."""
        method, scope = domain.method or order.dcv_method, _base_domain(domain.name)
        if method == "http" and domain.name.startswith("*."):
            return []
        values = dict.fromkeys([self._order_value(order), _token(order, domain)])
        found = [digicert_evidence(method, domain.name, scope, value) for value in values]
        return [item for item in found if item is not None]

    @staticmethod
    def _wanted_method(body: dict[str, t.Any], names: t.Sequence[str]) -> str:
        method = str(body.get("dcv_method", ""))
        neutral = {value: key for key, value in METHODS.items()} | {"http-token-dynamic": "http-token-dynamic"}
        if method not in neutral:
            raise error(400, "invalid_dcv_method", f"The DCV method '{method}' is not valid.")
        if method.startswith("http") and any(name.startswith("*.") for name in names):
            raise error(400, "invalid_dcv_method", "http-token cannot validate a wildcard.")
        return neutral[method]

    def _domain(self, call: Call, account: Account, domain_id: str) -> Reply:
        order, domain = self._by_domain_id(call, domain_id)
        body: dict[str, t.Any] = {
            "id": int(domain_id),
            "is_active": True,
            "status": "active" if order.validated(domain, self.now) else "pending",
            "name": domain.name,
            "date_created": stamp(order.created),
            "organization": {"id": 4401, "name": "Example Org Ltd"},
        }
        if call.query_value("include_dcv") == "true":
            method = METHODS.get(domain.method or order.dcv_method, order.dcv_method)
            body["dcv_method"] = method
            if method != "email":
                token = {"token": _token(order, domain), "status": body["status"], "expiration_date": self._expiry()}
                body["dcv_token"] = token
            if method == "dns-cname-token":
                token["verification_value"] = "dcv.digicert.com"
            if order.validated(domain, self.now) and domain.validated_at is not None:
                end = domain.validated_at + 199 * 86400
                body["dcv_expiration"] = {order.product: utc(end).strftime("%Y-%m-%d")}
                body["dcv_expiration_datetime"] = stamp(end)
        if call.query_value("include_validation") == "true":
            body["validations"] = [{"type": order.product, "status": body["status"]}]
        return Reply.json(body)

    def _domain_check(self, call: Call, account: Account, domain_id: str) -> Reply:
        order, domain = self._by_domain_id(call, domain_id)
        if not self.recheck(order, self.now, domain.name):
            raise error(400, "invalid_dns_txt", f"Random value not found for {domain.name}.")
        return Reply.json({"token": _token(order, domain), "status": "active"})

    def _domain_method(self, call: Call, account: Account, domain_id: str) -> Reply:
        order, domain = self._by_domain_id(call, domain_id)
        domain.method = self._wanted_method(self._json(call), [domain.name])
        return Reply.json({"dcv_token": {"token": _token(order, domain), "expiration_date": self._expiry()}})

    def _expiry(self) -> str:
        """When a random value made now expires."""
        return stamp(self.now + _TOKEN_LIFETIME)

    # Reissues

    def _entry(self, call: Call, order: Order, issuance: Issuance, status: str) -> dict[str, t.Any]:
        entry: dict[str, t.Any] = {
            "id": int(issuance.certificate_id),
            "common_name": order.names[0],
            "dns_names": issuance.names,
            "status": status,
            "csr": self.world.orders.csr_of(order, issuance),
        }
        if status == "issued":
            start, end = self.world.orders.validity(issuance)
            entry.update(
                serial_number=serial_hex(issuance.serial),
                valid_from=start.strftime("%Y-%m-%d"),
                valid_till=end.strftime("%Y-%m-%d"),
            )
        return entry

    def _reissues(self, call: Call, account: Account, order_id: str) -> Reply:
        order, now = self._find(call, order_id), self.now
        if len(order.issuances) < 2:
            return Reply.json({"certificates": []})
        last = order.issuances[-1]
        state = "issued" if order.signed(now) else "rejected" if order.stage(now).ended else "pending"
        entries = [
            self._entry(call, order, one, state if one is last else "revoked" if order.revoked(one, now) else "issued")
            for one in order.issuances[::-1]
        ]
        entries += [self._entry(call, order, one, "rejected") for one in order.rejected]
        return Reply.json({"certificates": entries if call.query_value("show_archived") else entries[:1]})

    def _reissue(self, call: Call, account: Account, order_id: str) -> Reply:
        order, now = self._find(call, order_id, latest=True), self.now
        names, csr = self._wanted_certificate(call)
        try:
            load_csr(csr)
        except ValueError:
            raise error(400, "csr_invalid_cannot_parse", "The CSR cannot be parsed.") from None
        body, replaces_open = self._json(call), self._word(order, now) == "reissue_pending"
        if order.pending_request or not (
            order.signed(now) or (replaces_open and account.features.get("reissue_over_reissue"))
        ):
            raise error(400, "order_not_issued", "Only an issued order can be reissued.")
        if "dcv_method" in body:
            order.dcv_method = self._wanted_method(body, names)
        request: dict[str, t.Any] = {"id": 710000 + order.number, "type": "reissue", "status": "pending"}
        if account.features.get("approval") and body.get("skip_approval") is not True:
            order.pending_request = {**request, "date": stamp(now), "names": names, "csr": csr}
            return Reply.json({"id": int(order_id), "requests": [{"id": request["id"], "status": "pending"}]}, 201)
        if replaces_open:
            self.world.orders.reject_reissue(order)
        issuance = self._begin(order, names, csr)
        reply: dict[str, t.Any] = {"id": int(order_id), "requests": [{"id": request["id"]}]}
        if account.dialect == "observed" and order.product == "dv":
            reply["certificate_id"] = int(issuance.certificate_id)
            reply["dcv_random_value"] = self._order_value(order)
        return Reply.json(reply, 201)

    def _begin(self, order: Order, names: t.Sequence[str], csr: str) -> Issuance:
        """Start a reissue. Names that the order does not have cost money."""
        added = len(set(names) - set(order.names))
        issuance = self.world.orders.reissue(order, names, csr)
        self.enter(order, "reissue")
        if added:
            self.enter(order, "names", f"{NAME_PRICE * added}.00")
        return issuance

    def approve(self, order: Order, approved: bool) -> None:
        """A person approves, or rejects, a reissue that waits for it."""
        request, order.pending_request = order.pending_request, None
        if request is None:
            return super().approve(order, approved)
        if approved:
            self._begin(order, request["names"], request["csr"])
        return None

    def run_due(self) -> None:
        """Auto-reissue: when the newest certificate has 30 days left, one for the same CSR."""
        now = self.now
        for order in self.world.orders.automatic:
            if order.provider != self.name or order.auto_reissue not in (1, "1", True) or not order.signed(now):
                continue
            newest = order.issuances[-1]
            due = order.ends(newest, now) - AUTO_REISSUE_BEFORE
            if now >= due and order.ends(newest, now) < order.covered_until():
                self.world.orders.reissue(order, order.names, self.world.orders.csr_of(order))
                self.enter(order, "auto_reissue")

    def _wanted_certificate(self, call: Call) -> tuple[list[str], str]:
        wanted = self._json(call).get("certificate")
        if not isinstance(wanted, dict) or not wanted.get("csr"):
            raise error(400, "bad_request_format", "certificate.csr is required.")
        names = [wanted.get("common_name"), *(wanted.get("dns_names") or [])]
        return list(dict.fromkeys(str(name) for name in names if name)), str(wanted["csr"])

    # Certificates

    def _certificate(self, call: Call, certificate_id: str) -> tuple[Order, Issuance]:
        found = self.order_by_certificate(call, certificate_id)
        if found is None:
            raise error(404, "not_found|certificate", f"Certificate {certificate_id} was not found.")
        return found

    def _issued(self, order: Order, issuance: Issuance) -> None:
        """Raise unless this certificate exists: the latest one only once it is signed, an earlier one always."""
        latest = issuance is order.issuances[-1]
        if latest and not order.signed(self.now):
            raise error(404, "not_found", "The certificate has not been issued.")

    def _download(self, call: Call, account: Account, certificate_id: str, kind: str) -> Reply:
        order, issuance = self._certificate(call, certificate_id)
        self._issued(order, issuance)
        return self._file(call, order, issuance, kind)

    def _file(self, call: Call, order: Order, issuance: Issuance, kind: str) -> Reply:
        material = self.material(call, order, issuance)
        if order.stage(self.now).state == "no_chain":
            material = dataclasses.replace(material, chain=())
        if call.account and self.shape(call.account, order) == "observed":
            material = dataclasses.replace(material, faults=material.faults | {"crlf"})
        file = re.sub(r"\W", "_", issuance.names[0])
        wanted = {
            "pem_all": material.bundle(root=True),
            "pem_noroot": material.bundle(),
            "pem_nointermediate": [material.leaf],
        }.get(kind)
        if wanted is None:
            raise error(400, "invalid_format", f"There is no format '{kind}'.")
        text = material.join(wanted)
        disposition = {"Content-Disposition": f'attachment; filename="{file}.pem"'}
        return Reply(200, text.encode(), "application/x-pem-file", disposition)


def _detail(check: str) -> str:
    return "complete" if check in (COMPLETED, NOT_APPLICABLE) else "pending"


def _base_domain(name: str) -> str:
    labels = name.removeprefix("*.").split(".")
    return ".".join(labels[-2:])


def _values_begin(order: Order) -> float:
    """When the first random value of the order, or of its present reissue, was made."""
    return order.created if order.reissue_started is None else order.reissue_started


def _age(order: Order, now: float) -> int:
    """How many random values of the order, or of its present reissue, have expired."""
    return int((now - _values_begin(order)) // _TOKEN_LIFETIME)


def _token(order: Order, domain: Domain, age: int = 0) -> str:
    """A random value; ``age`` counts those that have expired. Each reissue has its own."""
    made_for = f"{order.order_id} {len(order.issuances)} {domain.name} {domain.method} {age}"
    return hashlib.sha256(made_for.encode()).hexdigest()[:32]


def _thumbprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA1()).hex().upper()


def _moments(text: str) -> tuple[float, float]:
    """Both ends of ``a...b``, written in MDT. Raises the error reply when it cannot be read."""
    parts = text.split("...")
    try:
        begin, end = (datetime.datetime.fromisoformat(part.strip().replace("+", " ")) for part in parts)
    except ValueError:
        raise error(400, "bad_request_format", "status_last_updated must be two moments with three dots.") from None
    if begin.tzinfo is None or end.tzinfo is None:
        begin, end = begin.replace(tzinfo=MDT), end.replace(tzinfo=MDT)
    if end < begin:
        raise error(400, "bad_request_format", "The end is before the begin.")
    return begin.timestamp(), end.timestamp()


def _errors_as_object(reply: Reply) -> Reply:
    """The shape of an old recording: one error as an object instead of a list."""
    body = json.loads(reply.body) if reply.body else {}
    if isinstance(body.get("errors"), list) and body["errors"]:
        body["errors"] = body["errors"][0]
    return Reply.json(body, reply.status)
