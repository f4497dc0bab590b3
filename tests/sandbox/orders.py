# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders and where they stand on the virtual clock.

Nothing moves by itself: an order keeps a timeline of stages, and every answer is computed from it and the time. Keys,
certificate requests and certificates are made when somebody asks for them, so that ten thousand orders are cheap.
"""

from __future__ import annotations

import bisect
import copy
import datetime
import itertools
import secrets
import typing as t
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from . import authority
from .authority import Authority, Material
from .clock import Clock, utc
from .scenarios import (
    COMPLETED,
    IN_PROGRESS,
    NOT_APPLICABLE,
    NOT_COMPLETED,
    PRODUCT_CHECKS,
    SCENARIOS,
    SIGNED_STATES,
    STAGES,
    Stage,
)

#: The life of a certificate and the time that an order is paid for, in seconds.
LIFETIME, COVERAGE = 47 * 86400.0, 365 * 86400.0
#: So long after a reissue without a name of the earlier certificates DigiCert revokes these, in seconds.
REVOKED_AFTER = 72 * 3600.0

#: Faults of the delivered certificate; an order may carry them, or they are injected for some requests.
CERTIFICATE_FAULTS = frozenset(
    {
        "dropped_san", "reversed_chain", "repeated_chain", "chain_with_root", "foreign_intermediate", "base64_pem",
        "missing_pem_header", "crlf", "trailing_data", "other_key", "other_name", "empty_chain", "expired_certificate",
        "not_yet_valid", "previous_certificate",
    }
)  # fmt: skip


@dataclass
class Domain:
    """One name of an order. It is validated from ``validated_at`` on."""

    name: str
    validated_at: float | None = None
    published: bool = False  # a re-check would find the record
    method: str | None = None  # when it differs from the order's
    objections: list[str] = field(default_factory=list)  # what the CA had against it when it looked last


@dataclass
class Issuance:
    """One certificate of an order, from the moment the provider gives it an id."""

    certificate_id: str
    names: list[str]
    order: Order = field(repr=False)
    started: float
    removes_names: bool = False  # it lacks names of the one before
    serial: int = field(default_factory=lambda: secrets.randbits(120) | 1 << 119)
    csr: str = ""  # empty: the order's own key is used
    not_before: datetime.datetime | None = None
    not_after: datetime.datetime | None = None
    signed: dict[t.Any, x509.Certificate] = field(default_factory=dict, repr=False)


@dataclass
class Order:
    """One order. ``timeline`` holds ``(start, stage name)`` in order of time."""

    provider: str
    order_id: str
    number: int  # position among the provider's orders
    account: str
    product: str
    names: list[str]
    created: float
    domains: list[Domain]
    timeline: list[tuple[float, str]]
    issuances: list[Issuance]
    dcv_method: str = "dns-txt"
    dcv: str = "timed"  # or "look": names are validated when the CA sees their evidence
    unique_value: str = ""  # part of the evidence where it is made from the CSR
    following: list[tuple[str, float | None]] = field(default_factory=list)  # what comes after a DCV that looks
    looked_at: float | None = None  # until when the CA has looked on schedule
    dialect: str | None = None
    chain_style: str = "normal"
    checked: frozenset[str] = frozenset()
    certificate_faults: set[str] = field(default_factory=set)
    key_type: str = "ecdsa"
    shared_key: bool = False
    private_key: str = field(default="", repr=False)
    # What a test forces, whatever the timeline says.
    word: str | None = None
    reason: str | None = None
    fields: dict[str, t.Any] = field(default_factory=dict)
    drop: list[str] = field(default_factory=list)
    raw: dict[str, t.Any] | None = None
    personal: dict[str, str] = field(default_factory=dict)
    # Used by one dialect or another.
    queue_lag: float | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    reissue_started: float | None = None
    previous_serial: int | None = None  # of a certificate that is no issuance of this order
    facts: dict[str, float] = field(default_factory=dict)

    # The next certificates; times in virtual seconds.
    coverage: float = COVERAGE
    lifetime: float = LIFETIME
    auto_reissue: t.Any = None  # as DigiCert shows it
    follow_up: float | None = None  # so long before the end of a certificate cPanel opens the next item
    follow_up_key: str = "same"  # or new
    paid_names: int | None = None
    paid_wildcards: int | None = None
    reissue_lag: float = 0.0
    pending_request: dict[str, t.Any] | None = None  # a reissue that a person must approve
    rejected: list[Issuance] = field(default_factory=list)
    former: tuple[float, Order] | None = None  # what is shown until then

    def shown(self, now: float) -> Order:
        """The order as answers show it: after a reissue for a while still as it was before."""
        return self.former[1] if self.former is not None and now < self.former[0] else self

    def keep_former(self, now: float) -> None:
        """Before a reissue: go on showing the order as it is now, as long as its reissues take to appear."""
        if self.reissue_lag:
            former = copy.copy(self)
            former.issuances, former.timeline = list(self.issuances), list(self.timeline)
            former.domains = [copy.copy(domain) for domain in self.domains]
            self.former = (now + self.reissue_lag, former)

    def covered_until(self) -> float:
        """The end of what was paid for."""
        return self.created + self.coverage

    def issued_at(self, issuance: Issuance, now: float) -> float | None:
        """When a certificate of this order was signed, if it has been."""
        for start, name in self.timeline:
            if issuance.started <= start <= now and STAGES[name].state in SIGNED_STATES:
                return start
        return None

    def ends(self, issuance: Issuance, now: float) -> float:
        """When a certificate of this order ends: its life is over, or what was paid for."""
        begins = self.issued_at(issuance, now)
        return min((now if begins is None else begins) + self.lifetime, self.covered_until())

    def revoked(self, issuance: Issuance, now: float) -> bool:
        """A later certificate with fewer names has had this one revoked."""
        later = self.issuances[self.issuances.index(issuance) + 1 :] if issuance in self.issuances else []
        moments = [self.issued_at(one, now) for one in later if one.removes_names]
        return any(moment is not None and now >= moment + REVOKED_AFTER for moment in moments)

    def stage_name(self, now: float) -> str:
        """The name of the stage the order is in."""
        index = bisect.bisect_right(self.timeline, now, key=lambda entry: entry[0])
        return self.timeline[max(index - 1, 0)][1]

    def stage(self, now: float) -> Stage:
        """The stage the order is in."""
        return STAGES[self.stage_name(now)]

    def stage_began(self, now: float) -> float:
        """When the order entered its present stage."""
        return max((start for start, _stage in self.timeline if start <= now), default=self.timeline[0][0])

    def entered(self, now: float, states: t.Container[str]) -> float | None:
        """When the order first came into one of these states, if it has by now."""
        return next((start for start, name in self.timeline if start <= now and STAGES[name].state in states), None)

    def signed(self, now: float) -> bool:
        """A certificate exists for the latest issuance."""
        return self.stage(now).state in SIGNED_STATES

    def validated(self, domain: Domain, now: float) -> bool:
        """DCV of one name is done."""
        return domain.validated_at is not None and domain.validated_at <= now

    def all_validated(self, now: float) -> bool:
        """DCV of every name is done."""
        return all(self.validated(domain, now) for domain in self.domains)

    def checks(self, now: float) -> dict[str, str]:
        """Every check's value, in the neutral words."""
        stage = self.stage(now)
        past = {check for start, name in self.timeline if start <= now for check in STAGES[name].checks}
        done = stage.state in ("issuing", "pickup", *SIGNED_STATES)
        values = {"csr": COMPLETED, "caa": COMPLETED if done else NOT_COMPLETED}
        started = IN_PROGRESS if stage.state == "open" else NOT_COMPLETED
        values["dcv"] = COMPLETED if self.all_validated(now) else started
        for check in ("organization", "phone_callback", "ev_click_through", "brand"):
            if check not in self.checked:
                values[check] = NOT_APPLICABLE
            else:
                values[check] = COMPLETED if done or check in past else NOT_COMPLETED
        values.update(stage.checks)
        return values

    def issuance(self, now: float) -> Issuance:
        """The certificate the provider would name now: during a reissue still the previous one."""
        if len(self.issuances) > 1 and (not self.signed(now) or "previous_certificate" in self.certificate_faults):
            return self.issuances[-2]
        return self.issuances[-1]

    def shown_reason(self, now: float) -> str:
        """The provider's words about the present stage."""
        return self.stage(now).reason if self.reason is None else self.reason

    def go_to(self, stage: str, now: float) -> None:
        """Enter a stage now and stay there."""
        self.go_on([(stage, None)], now)

    def go_on(self, stages: t.Sequence[tuple[str, float | None]], now: float) -> None:
        """Enter these stages one after the other, beginning now. Raises ``ValueError`` for an unknown one."""
        for name, _seconds in stages:
            if name not in STAGES:
                raise ValueError(f"no such stage: {name}; there are {', '.join(STAGES)}")
        self.timeline = [entry for entry in self.timeline if entry[0] < now]
        start = now
        for name, seconds in stages:
            self.timeline.append((start, name))
            if seconds is None:
                break
            start += seconds
        self.settle(now)

    def settle(self, since: float = 0.0) -> None:
        """A stage with all names validated implies that they are, from then on at the latest.

        Stages that began before ``since`` belong to an earlier certificate.
        """
        for start, name in self.timeline:
            if STAGES[name].dcv and start >= since:
                for domain in self.domains:
                    if domain.validated_at is None or domain.validated_at > start:
                        domain.validated_at = start
                return

    def recheck(self, now: float, name: str | None = None) -> bool:
        """Look for the published records now; ``True`` when all (or the named) names are validated."""
        wanted = [domain for domain in self.domains if name in (None, domain.name)]
        for domain in wanted:
            if domain.published and not self.validated(domain, now):
                domain.validated_at = now
        if self.all_validated(now) and self.stage_name(now) == "validating":
            following = [entry for entry in self.timeline if entry[0] > now]
            earlier = [entry for entry in self.timeline if entry[0] <= now]
            if following:
                gain = following[0][0] - now
                self.timeline = earlier + [(start - gain, stage) for start, stage in following]
            else:
                self.timeline = [*earlier, (now, "issuing"), (now + 30, "issued")]
        return bool(wanted) and all(self.validated(domain, now) for domain in wanted)

    def proceed(self, now: float) -> None:
        """Leave the stage of a DCV that looks once every name is validated."""
        if self.dcv == "look" and self.stage_name(now) == "validating" and self.all_validated(now):
            self.go_on(self.following, now)

    def with_overrides(self, body: dict[str, t.Any]) -> dict[str, t.Any]:
        """Apply the fields a test forces upon, or takes from, this order's own body."""
        body.update(self.fields)
        for key in self.drop:
            body.pop(key, None)
        return body


class OrderBook:
    """All orders of all providers."""

    def __init__(self, clock: Clock, ca: Authority) -> None:
        self.clock = clock
        self.ca = ca
        self._shared_keys: dict[str, str] = {}
        #: Whether there is a small Internet, in which orders may be validated.
        self.can_look = False
        self.clear()

    def clear(self) -> None:
        """Forget every order and begin the numbers anew."""
        self._orders: dict[tuple[str, str], Order] = {}
        self._by_provider: dict[str, list[Order]] = {}
        self._by_certificate: dict[tuple[str, str], tuple[Order, Issuance]] = {}
        self._certificate_ids: dict[str, t.Iterator[int]] = {}
        #: Certificates have dates of the virtual clock instead of the real one.
        self.virtual_dates = False
        #: Orders of which the provider makes the next certificate by itself.
        self.automatic: list[Order] = []
        self._order_ids: dict[str, t.Iterator[int]] = {}
        #: The orders that are validated by looking.
        self.looking: list[Order] = []

    def of(self, provider: str, account: str | None = None) -> list[Order]:
        """The orders at a provider (of one account), oldest first."""
        orders = self._by_provider.get(provider, [])
        return orders if account is None else [order for order in orders if order.account == account]

    def get(self, provider: str, order_id: str) -> Order | None:
        """One order by its id."""
        return self._orders.get((provider, order_id))

    def numbered(self, provider: str, number: int) -> Order | None:
        """One order by its position."""
        orders = self._by_provider.get(provider, [])
        return orders[number] if 0 <= number < len(orders) else None

    def by_certificate(self, provider: str, certificate_id: str) -> tuple[Order, Issuance] | None:
        """Order and issuance of a certificate id."""
        return self._by_certificate.get((provider, certificate_id))

    def by_serial(self, provider: str, serial: int) -> tuple[Order, Issuance] | None:
        """Order and issuance of a serial number."""
        for order in self.of(provider):
            for issuance in order.issuances:
                if issuance.serial == serial:
                    return order, issuance
        return None

    def create(
        self,
        provider: str,
        account: str,
        names: t.Sequence[str],
        *,
        first_order_id: int,
        first_certificate_id: int,
        scenario: str = "dv",
        csr: str = "",
        order_id: str | None = None,
        after: t.Mapping[str, float | None] | None = None,
        age: float = 0.0,
        product: str | None = None,
        serial: int | None = None,
        previous: bool | None = None,
        dcv: str = "timed",
        **attributes: t.Any,
    ) -> Order:
        """Add an order. Raises ``ValueError`` for an unknown scenario or a taken id, and for a bad CSR."""
        if scenario not in SCENARIOS:
            raise ValueError(f"no such scenario: {scenario}; there are {', '.join(sorted(SCENARIOS))}")
        if dcv not in ("timed", "look") or (dcv == "look" and not self.can_look):
            raise ValueError("dcv is timed, or look in a sandbox that was started with --internet")
        plan = SCENARIOS[scenario]
        if csr:
            names = names or authority.csr_names(load_csr(csr))
        names = list(dict.fromkeys(names)) or ["www.example.org"]
        orders = self._by_provider.setdefault(provider, [])
        if order_id is None:
            ids = self._order_ids.setdefault(provider, itertools.count(first_order_id))
            order_id = next(str(number) for number in ids if (provider, str(number)) not in self._orders)
        if (provider, order_id) in self._orders:
            raise ValueError(f"there is an order {order_id} at {provider} already")
        self._certificate_ids.setdefault(provider, itertools.count(first_certificate_id))

        created = self.clock.now() - age
        after = after or {}
        unknown = set(after) - {name for name, _seconds in plan.steps}
        if unknown:
            raise ValueError(f"scenario {scenario} has no stage {', '.join(sorted(unknown))}")
        domains = [Domain(name) for name in names]
        timeline: list[tuple[float, str]] = []
        following: list[tuple[str, float | None]] = []
        start = created
        for passed, (name, seconds) in enumerate(plan.steps, 1):
            timeline.append((start, name))
            seconds = after.get(name, seconds)
            if name == "validating" and dcv == "look":
                following = [(later, after.get(later, length)) for later, length in plan.steps[passed:]]
                break
            if name == "validating":
                # One name after the other; in a stage without an end the last one never.
                for position, domain in enumerate(domains, 1):
                    if seconds is not None:
                        domain.validated_at = start + seconds * position / len(domains)
                    elif position < len(domains):
                        domain.validated_at = start + 20.0 * position
            if seconds is None:
                break
            start += seconds
        kind = product or plan.product
        checked = set(PRODUCT_CHECKS[kind]) | {check for name, _s in plan.steps for check in STAGES[name].checks}
        order = Order(
            provider=provider, order_id=order_id, number=len(orders), account=account, product=kind, names=names,
            created=created, domains=domains, timeline=timeline, issuances=[], checked=frozenset(checked), dcv=dcv,
            following=following, **attributes,
        )  # fmt: skip
        order.settle()
        if plan.previous if previous is None else previous:
            self.add_previous(order)
            order.reissue_started = created
        issuance = self.add_issuance(order, names, csr)
        if serial is not None:
            issuance.serial = serial
        if timeline[-1][1] == "expired":
            issuance.not_after = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=3)
            issuance.not_before = issuance.not_after - datetime.timedelta(days=47)
        orders.append(order)
        self._orders[provider, order_id] = order
        if order.auto_reissue or order.follow_up is not None:
            self.automatic.append(order)
        if dcv == "look":
            self.looking.append(order)
        return order

    def add_previous(self, order: Order) -> Issuance:
        """Give an order the certificate of an earlier issuance, forty days old and still valid."""
        start = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(days=40)
        csr = order.issuances[-1].csr if order.issuances else ""
        began = order.created - 40 * 86400
        issuance = Issuance(self._next_certificate_id(order.provider), list(order.names), order, began, csr=csr)
        issuance.not_before, issuance.not_after = start, start + datetime.timedelta(days=47)
        order.issuances.insert(max(len(order.issuances) - 1, 0), issuance)
        self._by_certificate[order.provider, issuance.certificate_id] = (order, issuance)
        return issuance

    def add_issuance(
        self, order: Order, names: t.Sequence[str], csr: str = "", started: float | None = None
    ) -> Issuance:
        """Begin a new certificate of an order. An empty ``csr`` uses the order's own key."""
        if csr:
            load_csr(csr)
        began = order.created if started is None else started
        issuance = Issuance(self._next_certificate_id(order.provider), list(names), order, began, csr=csr)
        order.issuances.append(issuance)
        self._by_certificate[order.provider, issuance.certificate_id] = (order, issuance)
        return issuance

    def _next_certificate_id(self, provider: str) -> str:
        return str(next(self._certificate_ids[provider]))

    def key_of(self, order: Order) -> authority.PrivateKey:
        """The private key the sandbox made for an order that came without a CSR."""
        if not order.private_key:
            if order.shared_key:
                if order.key_type not in self._shared_keys:
                    self._shared_keys[order.key_type] = authority.key_pem(authority.new_key(order.key_type))
                order.private_key = self._shared_keys[order.key_type]
            else:
                order.private_key = authority.key_pem(authority.new_key(order.key_type))
        return t.cast(authority.PrivateKey, load_pem_private_key(order.private_key.encode(), None))

    def csr_of(self, order: Order, issuance: Issuance | None = None) -> str:
        """The PEM certificate request of an issuance (the latest)."""
        issuance = issuance or order.issuances[-1]
        if not issuance.csr:
            issuance.csr = authority.new_csr(self.key_of(order), issuance.names)
            order.facts["own_key"] = 1
        return issuance.csr

    def made_key(self, order: Order, issuance: Issuance) -> bool:
        """The sandbox itself made the key of this issuance."""
        return not issuance.csr or "own_key" in order.facts

    def validity(self, issuance: Issuance) -> tuple[datetime.datetime, datetime.datetime]:
        """The certificate's validity, fixed when first asked for.

        It is real time, as TLS clients have no other clock, unless a test wants it in virtual time.
        """
        if issuance.not_before is None and self.virtual_dates:
            order, moment = issuance.order, self.clock.now()
            begins = order.issued_at(issuance, moment)
            issuance.not_before = utc(moment if begins is None else begins)
            issuance.not_after = utc(order.ends(issuance, moment))
        if issuance.not_before is None:
            now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
            issuance.not_before = now - datetime.timedelta(minutes=5)
        if issuance.not_after is None:
            issuance.not_after = issuance.not_before + datetime.timedelta(seconds=issuance.order.lifetime)
        return issuance.not_before, issuance.not_after

    def material(self, order: Order, issuance: Issuance, faults: t.AbstractSet[str] = frozenset()) -> Material:
        """Certificate and chain as the provider hands them out, with the order's and the given faults."""
        faults = frozenset(order.certificate_faults | faults)
        if "previous_certificate" in faults and issuance is order.issuances[-1]:
            issuance = order.issuances[-2] if len(order.issuances) > 1 else self.add_previous(order)
        style = "deep" if "reversed_chain" in faults and order.chain_style == "normal" else order.chain_style
        leaf = self._leaf(order, issuance, style, faults)
        chain = self.ca.chain(leaf, style)
        root = self.ca.root_of(style)
        if "foreign_intermediate" in faults:
            chain = self.ca.chain(leaf, "foreign")
        if "empty_chain" in faults:
            chain = []
        if "repeated_chain" in faults:
            chain = chain + chain
        if "chain_with_root" in faults:
            chain = [*chain, root]
        return Material(leaf, tuple(chain), root, faults)

    def _leaf(self, order: Order, issuance: Issuance, style: str, faults: frozenset[str]) -> x509.Certificate:
        shaping = faults & {"dropped_san", "other_key", "other_name", "expired_certificate", "not_yet_valid"}
        start, end = self.validity(issuance)
        key = (style, shaping, issuance.serial, start, end)
        if key not in issuance.signed:
            names = issuance.names
            if "dropped_san" in shaping:
                names = names[:-1] or names
            if "other_name" in shaping:
                names = ["other.invalid"]
            public_key = load_csr(self.csr_of(order, issuance)).public_key()
            if "other_key" in shaping:
                public_key = authority.new_key("rsa" if style == "rsa" else "ecdsa").public_key()
            if "expired_certificate" in shaping:
                start, end = start - datetime.timedelta(days=90), start - datetime.timedelta(days=1)
            if "not_yet_valid" in shaping:
                start, end = start + datetime.timedelta(days=30), end + datetime.timedelta(days=30)
            issuance.signed[key] = self.ca.issue(public_key, names, issuance.serial, start, end, style_of_issuer(style))
        return issuance.signed[key]

    def reissue(
        self, order: Order, names: t.Sequence[str], csr: str, seconds: float = 60.0, now: float | None = None
    ) -> Issuance:
        """Start a reissue: DCV of every name again, then a new certificate. Raises ``ValueError`` for a bad CSR."""
        now = self.clock.now() if now is None else now
        if csr:
            load_csr(csr)
        order.keep_former(now)
        before = set(order.issuances[-1].names)
        issuance = self.add_issuance(order, names or order.names, csr, now)
        issuance.removes_names = not before <= set(issuance.names)
        order.names = list(issuance.names)
        order.domains = [
            Domain(name, now + seconds * position / len(order.names)) for position, name in enumerate(order.names, 1)
        ]
        order.reissue_started = now
        stages: list[tuple[str, float | None]] = [("validating", seconds), ("issuing", 30.0), ("issued", None)]
        if order.dcv == "look":
            order.domains = [Domain(name) for name in order.names]
            order.following, order.looked_at = stages[1:], None
            stages = [("validating", None)]
        order.go_on(stages, now)
        return issuance

    def reject_reissue(self, order: Order) -> None:
        """End an open reissue; the certificate before it stays."""
        issuance = order.issuances.pop()
        order.rejected.append(issuance)
        order.names = list(order.issuances[-1].names)
        order.go_to("issued", self.clock.now())


def style_of_issuer(style: str) -> str:
    """Cross-signed chains lead from the same intermediate: only the served chain differs."""
    return style if style in ("deep", "foreign") else "normal"


def load_csr(csr: str) -> x509.CertificateSigningRequest:
    """Read a PEM certificate request whose signature is right. Raises ``ValueError``."""
    request = x509.load_pem_x509_csr(csr.strip().encode())
    if not request.is_signature_valid:
        raise ValueError("the CSR's signature is wrong")
    return request


def stamp(moment: float) -> str:
    """ISO 8601 with the offset written out, as DigiCert prints it."""
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%S+00:00")
