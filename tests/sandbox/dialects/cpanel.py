# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""cPanel UAPI ``Market`` and ``SSL``, directly and through WHM. Source: cPanel fact sheet."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .. import authority
from ..accounts import Account, new_secret
from ..dcv import SECTIGO_SCHEDULE, Evidence, csr_evidence
from ..orders import Domain, Order
from ..scenarios import COMPLETED, IN_PROGRESS, NOT_APPLICABLE, NOT_COMPLETED
from ..wire import Answer, Call, Reply
from .base import Dialect

STORE = "cPStore"
#: cPanel's own queue is polled every five minutes in the first hour; an order that failed leaves it then.
QUEUE_INTERVAL = 300.0
STATUS_CODES = {
    "canceled": "OrderCanceled",
    "rejected": "CA:rejected",
    "failed": "CA:rejected",
    "revoked": "CA:revoked",
    "fraud_check": "RequiresApproval",
    "needs_approval": "RequiresApproval",
    "unknown": "CA:pondering",
}
#: States in which the store has nothing to say about the checks.
SILENT = frozenset({"canceled", "fraud_check", "needs_approval", "unknown"})
CHECKS = {
    "csrStatus": "csr",
    "dcvStatus": "dcv",
    "ovCallbackStatus": "phone_callback",
    "organizationValidationStatus": "organization",
    "evClickThroughStatus": "ev_click_through",
    "brandValStatus": "brand",
}
#: Modules and the feature each needs. The functions are the methods ``_module_function``.
FEATURES = {"Market": "market", "SSL": "sslinstall"}
MAX_QUERY = 2048
LOGIN_PAGE = "<html><head><title>Login</title></head><body><form><input name='user'></form></body></html>"
NOTHING = "There is no such domain on this account."


def _typographic(message: str) -> str:
    """The message with the quotation marks and apostrophes that cPanel writes; our sources hold plain ones."""
    return re.sub('"([^"]*)"', "\u201c\\1\u201d", message).replace("'", "\u2019")


class Failed(Exception):
    """A UAPI call with status 0. The message may be written with plain quotation marks."""

    def __init__(self, message: str, data: t.Any = None) -> None:
        super().__init__(message)
        self.message, self.data = _typographic(message), data


Arguments = dict[str, str]


class CPanel(Dialect):
    """Envelopes and functions. A cPanel account has a password and a token; WHM has a token."""

    name = "cpanel"
    first_order_id = 1234567890
    first_certificate_id = 600100

    def matches(self, path: str) -> bool:
        return path.startswith(("/execute/", "/json-api/", "/login", "/cpsess"))

    def base_urls(self, url: str) -> dict[str, str]:
        return {"cpanel": url}

    def new_account(self, name: str, **attributes: t.Any) -> Account:
        user = re.sub(r"\W", "", name).lower()
        attributes = {"username": user, "password": new_secret(), "api_key": new_secret(), **attributes}
        return Account(self.name, name, **attributes)

    def default_accounts(self) -> list[Account]:
        return [self.new_account("cpanel"), self.new_account("cpanel_whm", username="root", role="whm")]

    def options(self, account: Account, url: str) -> dict[str, str]:
        options = {"provider": self.name, "api_url": url, "username": account.username, "api_key": account.api_key}
        if account.role == "whm":
            users = [other.username for other in self.accounts() if other.role != "whm"]
            options["cpanel_account"] = users[0] if users else ""
        return options

    def identify(self, call: Call) -> Account | None:
        scheme, dummy, rest = call.headers.get("Authorization", "").partition(" ")
        scheme = scheme.lower()
        if scheme == "basic":
            try:
                user, dummy, secret = base64.b64decode(rest, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        else:
            user, dummy, secret = rest.partition(":")
        for account in self.accounts():
            wanted = account.password if scheme == "basic" else account.api_key
            if secret and account.username == user and wanted == secret:
                right = {"basic": "", "cpanel": "", "whm": "whm"}.get(scheme)
                return account if right == account.role else None
        return None

    def failure(self, status: int, message: str) -> Reply:
        return Reply.json(_result(0, None, [message]), status)

    async def handle(self, call: Call) -> Reply:
        try:
            if call.path.startswith("/execute/"):
                return self._execute(call)
            if call.path == "/json-api/cpanel":
                return self._json_api(call)
            if call.path == "/json-api/uapi_cpanel":
                return self._uapi_cpanel(call)
            if call.path.startswith("/login"):
                return Reply.html(LOGIN_PAGE)
            return Reply.html("<html><body>Forbidden</body></html>", 403)
        except Answer as answer:
            return answer.reply

    # Envelopes

    def _login(self, call: Call, role: str) -> Account:
        """The calling account. Raises the refusal that belongs to the path."""
        account = self.identify(call)
        basic = call.headers.get("Authorization", "").lower().startswith("basic")
        blocked = account is not None and (account.revoked or (basic and account.features.get("two_factor")))
        if account is None or blocked or account.role != role:
            if call.path.startswith("/execute/"):
                raise Answer(Reply.html(LOGIN_PAGE, 401))
            denied = {"reason": "Access denied", "result": "0"}
            result = {"apiversion": "2", "error": "Access denied", "data": denied, "type": "text"}
            raise Answer(Reply.json({"cpanelresult": result}, 403))
        return account

    @staticmethod
    def _arguments(call: Call) -> Arguments:
        query = sum(len(key) + len(value) for key, value in call.query)
        if call.method not in ("GET", "POST"):
            raise Answer(Reply.html("<html><body>Method not allowed</body></html>", 405))
        if query > MAX_QUERY:
            raise Answer(Reply.html("<html><body>Request-URI Too Large</body></html>", 414))
        return dict(call.query + call.form)

    def _execute(self, call: Call) -> Reply:
        account = self._login(call, "")
        call.account = account
        parts = call.path.split("/")[2:]
        if len(parts) != 2:
            return Reply.html("<html><body>Not Found</body></html>", 404)
        result = self._run(call, account, parts[0], parts[1], self._arguments(call))
        if account.dialect == "documented":
            return Reply.json({"apiversion": 3, "func": parts[1], "module": parts[0], "result": result})
        return Reply.json(result)

    def _json_api(self, call: Call) -> Reply:
        through_whm = call.headers.get("Authorization", "").lower().startswith("whm ")
        account = self._login(call, "whm" if through_whm else "")
        arguments = self._arguments(call)
        prefix = "cpanel_jsonapi_"
        module, function = arguments.pop(prefix + "module", ""), arguments.pop(prefix + "func", "")
        version, user = arguments.pop(prefix + "apiversion", "2"), arguments.pop(prefix + "user", "")
        if version != "3":
            message = f"Could not find function '{function}' in module '{module}'"
            return Reply.json(
                {"cpanelresult": {"apiversion": 2, "func": function, "module": module, "data": [], "error": message}}
            )
        if through_whm:
            owner = self._user(user)
            if owner is None:
                return Reply.json({"data": None, "metadata": _whm("cpanel", 0, f'User "{user}" does not exist.')})
            account = owner
        call.account = account
        result = self._run(call, account, module, function, arguments)
        return Reply.json({"apiversion": 3, "func": function, "module": module, "result": result})

    def _uapi_cpanel(self, call: Call) -> Reply:
        self._login(call, "whm")
        arguments = self._arguments(call)
        if arguments.pop("api.version", "") != "1":
            return Reply.json({"metadata": _whm("uapi_cpanel", 0, "This call needs api.version=1."), "data": None})
        user = arguments.pop("cpanel.user", "")
        module, function = arguments.pop("cpanel.module", ""), arguments.pop("cpanel.function", "")
        account = self._user(user)
        if account is None:
            return Reply.json({"data": None, "metadata": _whm("uapi_cpanel", 0, f'User "{user}" does not exist.')})
        call.account = account
        result = self._run(call, account, module, function, arguments)
        return Reply.json({"data": {"uapi": result}, "metadata": _whm("uapi_cpanel", 1, "OK")})

    def _user(self, name: str) -> Account | None:
        return next((item for item in self.accounts() if item.role != "whm" and item.username == name), None)

    def _run(self, call: Call, account: Account, module: str, function: str, arguments: Arguments) -> dict[str, t.Any]:
        """One UAPI function: its result without an envelope."""
        try:
            if module not in FEATURES:
                raise Failed(f'Failed to load module "{module}": Can\'t locate Cpanel/API/{module}.pm')
            handler = getattr(self, f"_{module}_{function}".lower(), None)
            if handler is None or not re.fullmatch(r"[a-z_]+", function):
                raise Failed(f'The system could not find the function "{function}" in the module "{module}".')
            feature = FEATURES[module]
            if not account.allows(feature):
                raise Failed(f'You do not have the feature "{feature}".')
            data = handler(call, account, arguments)
            messages = None
            if isinstance(data, tuple):
                data, messages = data
            return _result(1, data, None, messages)
        except Failed as failed:
            return _result(0, failed.data, [failed.message])

    # Market: the queue

    def _provider(self, arguments: Arguments) -> str:
        provider = _need(arguments, "provider")
        if provider != STORE:
            raise Failed(
                f'Failed to load module "Cpanel::Market::Provider::{provider}": '
                f'Can\'t locate the provider "{provider}".'
            )
        return provider

    def _item(self, call: Call, arguments: Arguments) -> tuple[str, Order | None]:
        """The checked ``order_item_id`` and the order, wherever it stands."""
        self._provider(arguments)
        item = _need(arguments, "order_item_id")
        if not re.fullmatch(r"[1-9]\d*", item):
            raise Failed(f'"{item}" is not a valid order item ID.')
        return item, self.order(call, item)

    def _left_queue(self, order: Order, now: float) -> bool:
        """cPanel has installed the certificate, or dropped the failed item, when it polled the store last."""
        left = order.entered(now, ("issued", "revoked", "canceled", "rejected", "failed", "replaced"))
        if left is None:
            return False
        if order.queue_lag is not None:
            return now >= left + order.queue_lag
        return self._polled(order, now) >= left

    @staticmethod
    def _polled(order: Order, now: float) -> float:
        """When cPanel itself asked the store last (section 9)."""
        return order.created + (now - order.created) // QUEUE_INTERVAL * QUEUE_INTERVAL

    def schedule(self, order: Order) -> t.Sequence[float]:
        """The CA behind the store is Sectigo's, and nobody can ask it to look."""
        return SECTIGO_SCHEDULE

    def evidence(self, order: Order, domain: Domain) -> list[Evidence]:
        """The hashes of the CSR alone. The server publishes nothing here: the names are hosted elsewhere."""
        if order.dcv_method == "http" and domain.name.startswith("*."):
            return []
        method = "http" if order.dcv_method == "http" else "dns-cname"
        found = csr_evidence(method, domain.name, self.world.orders.csr_of(order), "", "comodoca.com")
        return [] if found is None else [found]

    def _market_get_certificate_status_details(self, call: Call, account: Account, arguments: Arguments) -> t.Any:
        item, order = self._item(call, arguments)
        now = self.now
        if order is None or self._left_queue(order, now):
            raise Failed(f'No entry exists for provider "{STORE}" and order item ID "{item}".')
        documented = self.shape(account, order) == "documented"
        urls_key = "actionUrls" if documented else "action_urls"
        state = order.stage(now).state
        if state in SILENT:
            return order.with_overrides({urls_key: {}, "domain_details": [], "status_details": {}})
        checks = order.checks(now)
        words = {
            NOT_APPLICABLE: "not applicable" if documented else "not-applicable",
            NOT_COMPLETED: "not-completed",
            IN_PROGRESS: "in-progress",
            COMPLETED: "completed",
        }
        if checks["dcv"] == IN_PROGRESS:
            checks["dcv"] = NOT_COMPLETED  # the word the store uses for it
        details = {field: words[checks[check]] for field, check in CHECKS.items()}
        details["freeDVUPStatus"] = words[NOT_APPLICABLE]
        still_open = {checks[check] for check in CHECKS.values()} & {NOT_COMPLETED, IN_PROGRESS}
        whole = COMPLETED if not still_open else IN_PROGRESS if IN_PROGRESS in still_open else NOT_COMPLETED
        certificate = COMPLETED if order.signed(now) else IN_PROGRESS if checks["dcv"] == COMPLETED else NOT_COMPLETED
        details["validationStatus"] = words[whole]
        details["certificateStatus"] = order.word or words[certificate]
        brand = checks["brand"] == IN_PROGRESS
        entries = [
            {
                "domain": domain.name,
                "status": "AWAITINGBRAND" if brand else "VALIDATED" if order.validated(domain, now) else "NOTVALIDATED",
            }
            for domain in order.domains
        ]
        first_open = next((entry for entry in entries if entry["status"] != "VALIDATED"), entries[0])
        body = {
            urls_key: self._action_urls(order, checks),
            "domain_details": first_open if documented else entries,
            "status_details": details,
        }
        return order.with_overrides(body), ["Certificate request is still being processed."] if documented else None

    @staticmethod
    def _action_urls(order: Order, checks: dict[str, str]) -> dict[str, str]:
        base = "https://store.example.org/action/" + hashlib.sha256(order.order_id.encode()).hexdigest()[:24]
        urls = {}
        if checks["ev_click_through"] in (IN_PROGRESS, NOT_COMPLETED):
            urls["evClickThroughStatus"] = base + "/agreement"
        if checks["phone_callback"] in (IN_PROGRESS, NOT_COMPLETED):
            urls["ovCallbackStatus"] = base + "/callback"
        return urls

    def _market_get_ssl_certificate_if_available(self, call: Call, account: Account, arguments: Arguments) -> t.Any:
        _item, order = self._item(call, arguments)
        now = self.now
        body: dict[str, t.Any] = {
            "certificate_pem": None,
            "status_code": None,
            "status_message": None,
            "encrypted_action_urls": None,
        }
        if order is None:
            body["status_code"] = "ItemNotFound"
            return body
        state = order.stage(now).state
        if order.product == "ev" and not order.signed(now):
            secret = hashlib.sha256(order.order_id.encode()).hexdigest()
            body["encrypted_action_urls"] = {"evClickThroughStatus": secret, "ovCallbackStatus": None}
        if state in ("issued", "no_chain", "replaced"):
            material = self.material(call, order)
            body["certificate_pem"] = material.text(material.leaf)
        elif state in STATUS_CODES:
            body["status_code"] = STATUS_CODES[state]
            if body["status_code"].startswith("CA:"):
                body["status_message"] = order.shown_reason(now) or "Refused by the CA"
        elif state in ("expired", "needs_csr"):
            body["status_code"] = "CertificateNotFound"
        return order.with_overrides(body)

    def _market_get_pending_ssl_certificates(self, call: Call, account: Account, arguments: Arguments) -> t.Any:
        if not account.allows("bulk"):
            raise Failed('You do not have the feature "tls_wizard".')
        now = self.now
        # The provider is asked for, and ignored: everything comes back.
        _need(arguments, "provider")
        return [self._queue_item(account, o, now) for o in self.orders_of(account) if not self._left_queue(o, now)]

    def _queue_item(self, account: Account, order: Order, now: float) -> dict[str, t.Any]:
        polled = self._polled(order, now)
        polled_yet = polled > order.created
        state = order.stage(polled).state
        code = STATUS_CODES.get(state) if polled_yet else None
        observed = self.shape(account, order) == "observed"
        item: dict[str, t.Any] = {
            "provider": STORE,
            "order_id": str(9000000 + order.number) if observed else 9000000 + order.number,
            "order_item_id": order.order_id if observed else int(order.order_id),
            "product_id": {"dv": "comodo_ssl_dv", "ov": "comodo_ssl_ov", "ev": "comodo_ssl_ev"}[order.product],
            "status": "unconfirmed" if order.stage(now).state == "unpaid" else "confirmed",
            "created_time": int(order.created),
            "first_poll_time": int(order.created + QUEUE_INTERVAL) if polled_yet else None,
            "last_poll_time": int(polled) if polled_yet else None,
            "last_status_code": code,
            "last_status_message": order.shown_reason(now) if code and code.startswith("CA:") else None,
            "last_action_urls": self._action_urls(order, order.checks(polled)),
            "csr": self.world.orders.csr_of(order) if not order.shared_key else "",
            "domains": [name for name in order.names if not (name.startswith("www.") and name[4:] in order.names)],
            "domain_dcv_method": {d.name: "http" if order.dcv_method == "http" else "dns" for d in order.domains},
            "validation_type": order.product,
            "vhost_names": [order.names[0]],
            "support_uri": "https://store.example.org/support",
            "checkout_url": f"https://store.example.org/checkout/{order.number}",
        }
        if order.product != "dv":
            item["identity_verification"] = {
                "rep_forename": "Pat", "rep_surname": "Contact", "rep_email_address": "pat.contact@example.org",
                "rep_telephone_number": "+44 20 7946 0001", "street_address": "1 Sample Street",
            }  # fmt: skip
        if not observed or order.replaces or order.stage(now).state == "expired":
            item["certificate_id"] = order.issuances[-1].certificate_id
            item["originating_certificate_id"] = order.facts.get("originating_certificate_id")
            item["parent_cert_expiry"] = int(order.covered_until()) if order.follow_up is not None else None
            item["expired"] = int(order.stage(now).state == "expired")
        return order.with_overrides(item) if order.fields.get("order_item_id") else item

    def run_due(self) -> None:
        """The server's own renewals: the next item before a certificate ends, installed when it leaves the queue."""
        now = self.now
        for order in list(self.world.orders.automatic):
            if order.provider != self.name or order.follow_up is None or not self._left_queue(order, now):
                continue
            if not order.signed(now):
                continue
            account = self.world.accounts.get(order.account)
            if "installed" not in order.facts:
                order.facts["installed"] = now
                material = self.world.orders.material(order, order.issuances[-1])
                pem, cab = material.text(material.leaf), material.join(material.ca_bundle())
                self._install(account, order.names[0], pem, cab, order.private_key)
            end = order.ends(order.issuances[-1], now)
            if order.replaced_by is None and end - order.follow_up <= now and end < order.covered_until():
                self._follow_up(account, order, now)

    def _follow_up(self, account: Account, order: Order, now: float) -> None:
        """Open the item for the next certificate."""
        same = order.follow_up_key == "same"
        following = self.create(
            account, order.names, csr=self.world.orders.csr_of(order) if same else "", dcv_method=order.dcv_method,
            coverage=order.covered_until() - now, lifetime=order.lifetime, follow_up=order.follow_up,
            follow_up_key=order.follow_up_key, queue_lag=order.queue_lag, product=order.product,
            dcv=order.dcv,
        )  # fmt: skip
        if same:
            following.private_key = order.private_key
        following.replaces, order.replaced_by = order.order_id, following.order_id
        first = order.facts.get("originating_certificate_id", int(order.issuances[-1].certificate_id))
        following.facts["originating_certificate_id"] = first
        self.enter(following, "follow_up")

    def create(self, account: Account, names: t.Sequence[str], **attributes: t.Any) -> Order:
        """A reissue is a new queue item: the order itself, which names the certificate it came from."""
        order = super().create(account, names, **attributes)
        if attributes.get("scenario") == "reissue":
            order.replaces = "an earlier item"
            order.facts["originating_certificate_id"] = int(order.issuances[0].certificate_id)
            earlier = order.issuances.pop(0)  # the new item knows nothing of the earlier certificate
            order.previous_serial = earlier.serial
            if not order.shared_key:  # and the earlier one is still installed
                material = self.world.orders.material(order, earlier)
                pem, cab = material.text(material.leaf), material.join(material.chain)
                self._install(account, order.names[0], pem, cab, order.private_key)
        return order

    # SSL: what is installed and stored

    def _installed(self, account: Account) -> dict[str, dict[str, str]]:
        return t.cast("dict[str, dict[str, str]]", account.store.setdefault("installed", {}))

    def _install(self, account: Account, domain: str, crt: str, cab: str, key: str) -> dict[str, str]:
        record = {"crt": crt, "cab": cab, "key": key, "domain": domain}
        for name in authority_names(_certificate(crt)):
            self._installed(account)[name] = record
        self._installed(account)[domain] = record
        return record

    def _chain_for(self, call: Call, certificate: x509.Certificate) -> tuple[str, Order | None]:
        """The CA bundle for a certificate of the sandbox, and the order it came from."""
        found = self.world.orders.by_serial(self.name, certificate.serial_number)
        if found is not None:
            call.order_ids.append(found[0].order_id)
            if found[0].stage(self.now).state == "no_chain":
                return "", found[0]
            material = self.material(call, found[0], found[1])
            return material.join(material.ca_bundle()), found[0]
        for issuer in self.world.ca.intermediates():
            if issuer.subject == certificate.issuer:
                style = "deep" if "Second Level" in authority.common_name(issuer) else "normal"
                return "".join(authority.pem(item) for item in self.world.ca.chain(certificate, style)), None
        raise Failed("The system could not find the certificate authority bundle for this certificate.")

    def _ssl_get_cabundle(self, call: Call, account: Account, arguments: Arguments) -> t.Any:
        certificate = _certificate(_need(arguments, "cert"))
        cab, _order = self._chain_for(call, certificate)
        return {"cab": cab, "bundle": cab, "domain": authority.common_name(certificate)}

    @staticmethod
    def _fetched(account: Account, crt: str, key: str, cab: str, domain: str) -> dict[str, t.Any]:
        return {
            "crt": crt,
            "key": key or None,
            "cab": cab,
            "domain": domain,
            "ip": "127.0.0.1",
            "user": account.username,
            "crt_origin": account.username,
            "key_origin": account.username if key else None,
            "searched_users": [account.username],
            "status": 1,
            "statusmsg": "ok",
        }

    def _ssl_fetch_best_for_domain(self, call: Call, account: Account, arguments: Arguments) -> t.Any:
        domain = _need(arguments, "domain")
        record = self._installed(account).get(domain)
        if record is None:
            # After issuance the server's own queue run installs; a sandbox without one does it when asked.
            for order in reversed(self.orders_of(account)):
                if domain in order.names and order.stage(self.now).state in ("issued", "no_chain"):
                    call.order_ids.append(order.order_id)
                    material = self.material(call, order)
                    pem, cab = material.text(material.leaf), material.join(material.ca_bundle())
                    return self._fetched(account, pem, order.private_key, cab, domain)
            nothing: dict[str, t.Any] = dict.fromkeys(("crt", "key", "cab", "ip", "crt_origin", "key_origin"))
            user = {"user": account.username, "searched_users": [account.username]}
            return {**nothing, **user, "domain": domain, "status": 0, "statusmsg": NOTHING}
        return self._fetched(account, record["crt"], record["key"], record["cab"], domain)

    def _ssl_installed_hosts(self, call: Call, account: Account, arguments: Arguments) -> t.Any:
        records = {record["domain"]: record for record in self._installed(account).values()}
        return [_host(domain, record) for domain, record in records.items()]

    def _ssl_list_certs(self, call: Call, account: Account, arguments: Arguments) -> t.Any:
        records = {record["domain"]: record for record in self._installed(account).values()}
        return [_details(_certificate(record["crt"]), domain) for domain, record in records.items()]


def _result(status: int, data: t.Any, errors: list[str] | None, messages: list[str] | None = None) -> dict[str, t.Any]:
    metadata = {"transformed": 1} if isinstance(data, list) else {}
    return {
        "status": status,
        "data": data,
        "errors": errors,
        "messages": messages,
        "metadata": metadata,
        "warnings": None,
    }


def _whm(command: str, result: int, reason: str) -> dict[str, t.Any]:
    return {"command": command, "reason": _typographic(reason), "result": result, "version": 1}


def _need(arguments: Arguments, name: str) -> str:
    value = arguments.get(name, "")
    if not value:
        raise Failed(f'Provide the "{name}" argument.')
    return value


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise Failed("The certificate is not valid.") from None


def authority_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names of a certificate."""
    san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return san.get_values_for_type(x509.DNSName)


def _identity(certificate: x509.Certificate) -> str:
    names = authority.common_name(certificate).replace(".", "_").replace("*", "_wildcard_")
    return f"{names}_{authority.serial_hex(certificate.serial_number).lower()[:10]}"


def _algorithm(public_key: t.Any) -> dict[str, t.Any]:
    if isinstance(public_key, rsa.RSAPublicKey):
        modulus = f"{public_key.public_numbers().n:x}"
        return {"key_algorithm": "rsaEncryption", "modulus": modulus, "ecdsa_curve_name": None}
    curve = "secp384r1" if isinstance(public_key.curve, ec.SECP384R1) else "prime256v1"
    return {"key_algorithm": "id-ecPublicKey", "modulus": None, "ecdsa_curve_name": curve}


def _details(certificate: x509.Certificate, name: str) -> dict[str, t.Any]:
    names = authority_names(certificate)
    issuer = certificate.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return {
        "id": _identity(certificate),
        "friendly_name": name,
        "domains": names,
        "domain_is_configured": 1,
        "not_before": int(certificate.not_valid_before_utc.timestamp()),
        "not_after": int(certificate.not_valid_after_utc.timestamp()),
        "issuer.commonName": str(issuer[0].value) if issuer else "",
        "serial": authority.serial_hex(certificate.serial_number),
        "is_self_signed": int(certificate.issuer == certificate.subject),
        "validation_type": "dv",
        **_algorithm(certificate.public_key()),
    }


def _host(domain: str, record: dict[str, str]) -> dict[str, t.Any]:
    certificate = _certificate(record["crt"])
    return {
        "servername": domain,
        "fqdns": authority_names(certificate),
        "certificate_text": record["crt"],
        "certificate": _details(certificate, domain),
    }
