# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control API under ``/_sandbox/``: for tests and people, never for the collection. See README.md."""

from __future__ import annotations

import json
import os
import typing as t

from .accounts import Account
from .orders import CERTIFICATE_FAULTS, Domain, Order
from .scenarios import SCENARIOS, STAGES
from .wire import Call, Reply

if t.TYPE_CHECKING:
    from .server import Server
    from .world import World

PREFIX = "/_sandbox"
#: Orders created in one go above this number share one key and report only their ids.
BULK = 20

Data = dict[str, t.Any]
_ORDER_ATTRIBUTES = frozenset(
    {
        "scenario", "order_id", "after", "age", "product", "serial", "previous", "csr", "dcv_method", "dialect",
        "chain_style", "key_type", "queue_lag", "word", "reason", "fields", "drop", "raw", "shared_key",
        "coverage", "lifetime", "auto_reissue", "follow_up", "follow_up_key", "paid_names", "paid_wildcards",
        "reissue_lag", "dcv", "unique_value",
    }
)  # fmt: skip


def handle(server: Server, call: Call) -> Reply:
    """Answer a control request; mistakes give 400 with one sentence, unknown things 404."""
    parts = [part for part in call.path[len(PREFIX) :].split("/") if part]
    try:
        body = json.loads(call.body) if call.body.strip() else {}
        return Reply.json(_route(server, call, parts, body))
    except LookupError as exc:
        return Reply.json({"error": f"not found: {exc}"}, 404)
    except (ValueError, TypeError) as exc:
        return Reply.json({"error": str(exc)}, 400)


def _route(server: Server, call: Call, parts: list[str], body: t.Any) -> t.Any:
    world = server.world
    if parts[:1] == ["orders"] and call.method == "GET":
        for dialect in world.dialects.values():
            dialect.run_due()
    match (call.method, *parts):
        case ("GET",):
            return info(server)
        case ("POST", "reset"):
            world.reset()
            return info(server)
        case ("POST", "orders"):
            return {"orders": _create(world, body)}
        case ("GET", "orders", provider):
            return {"orders": [_brief(world, order) for order in world.orders.of(_provider(world, provider))]}
        case ("GET", "orders", provider, order_id):
            return _describe(world, _order(world, provider, order_id))
        case ("PATCH", "orders", provider, order_id):
            order = _order(world, provider, order_id)
            _change(world, order, body)
            return _describe(world, order)
        case ("GET", "clock"):
            return _clock(world)
        case ("POST", "clock"):
            if "set" in body:
                world.clock.set(float(body["set"]))
            if "rate" in body:
                world.clock.set_rate(float(body["rate"]))
            if "certificates" in body:
                world.orders.virtual_dates = bool(body["certificates"])
            world.clock.advance(float(body.get("advance", 0)))
            return _clock(world)
        case (_, "internet", *rest):
            return _internet(world, call, rest, body)
        case ("GET", "faults"):
            return {"faults": [fault.as_data() for fault in world.faults]}
        case ("POST", "faults"):
            wanted = body if isinstance(body, list) else [body]
            return {"faults": [world.faults.add(item).as_data() for item in wanted]}
        case ("DELETE", "faults"):
            world.faults.clear()
            return {"faults": []}
        case ("DELETE", "faults", fault_id):
            world.faults.clear(int(fault_id))
            return {"faults": [fault.as_data() for fault in world.faults]}
        case ("GET", "accounts"):
            return {"accounts": describe_accounts(server)}
        case ("POST", "accounts"):
            return _describe_account(server, _new_account(world, body))
        case ("PATCH", "accounts", name):
            return _describe_account(server, _change_account(world.accounts.get(name), body))
        case ("GET", "limits"):
            return world.limits
        case ("PATCH", "limits"):
            return _limits(world, body)
        case ("GET", "ledger"):
            return world.ledger.listing(**dict(call.query))
        case ("GET", "requests"):
            return {"requests": world.journal.listing(**dict(call.query))}
        case ("GET", "requests", "summary"):
            return world.journal.summary()
        case ("DELETE", "requests"):
            world.journal.clear()
            return {}
    raise LookupError(f"{call.method} {call.path}")


def info(server: Server) -> Data:
    """What the ready file says, too."""
    world = server.world
    urls = {}
    for dialect in world.dialects.values():
        urls.update(dialect.base_urls(server.url))
    return {
        "url": server.url,
        "control_url": server.url + PREFIX,
        "ca_file": str(world.ca.ca_file),
        "other_ca_file": str(world.ca.other_ca_file),
        "base_urls": urls,
        "plain_url": server.plain_url or None,
        "bad_tls": server.bad_tls,
        "internet": world.internet.describe() if world.internet else None,
        "accounts": describe_accounts(server),
        "scenarios": sorted(SCENARIOS),
        "stages": sorted(STAGES),
        "pid": os.getpid(),
        "clock": _clock(world),
    }


def _clock(world: World) -> Data:
    return {"now": world.clock.now(), "rate": world.clock.rate, "certificates": world.orders.virtual_dates}


def _internet(world: World, call: Call, parts: list[str], body: Data) -> Data:
    internet = world.internet
    if internet is None:
        raise LookupError("a small Internet; start the sandbox with --internet")
    match (call.method, *parts):
        case ("GET",):
            return internet.describe()
        case ("POST", "zones"):
            internet.add_zone(body["name"], body.get("hosts", []), bool(body.get("signed")))
        case ("GET", "records"):
            return {"values": internet.record(str(call.query_value("fqdn")), str(call.query_value("type")))}
        case ("POST", "records"):
            internet.set_record(body["fqdn"], body["type"], body["values"])
        case ("POST", "pages"):
            internet.set_page(body["url"], body["content"], int(body.get("status", 200)))
        case ("POST", "webroots"):
            internet.set_webroot(body["host"], body["folder"])
        case _:
            raise LookupError(f"{call.method} {call.path}")
    return internet.describe()


def _provider(world: World, name: str) -> str:
    if name not in world.dialects:
        raise LookupError(f"provider {name}; there are {', '.join(sorted(world.dialects))}")
    return name


def _order(world: World, provider: str, order_id: str) -> Order:
    order = world.orders.get(_provider(world, provider), order_id)
    if order is None:
        raise LookupError(f"order {order_id} at {provider}")
    return order


# Accounts


def describe_accounts(server: Server) -> list[Data]:
    """Every account with its credentials and the collection's options for it."""
    return [_describe_account(server, account) for account in server.world.accounts]


def _describe_account(server: Server, account: Account) -> Data:
    world = server.world
    options = world.dialects[account.provider].options(account, server.url)
    return {
        "name": account.name,
        "provider": account.provider,
        "username": account.username,
        "password": account.password,
        "api_key": account.api_key,
        "role": account.role,
        "region": account.region,
        "dialect": account.dialect,
        "revoked": account.revoked,
        "features": account.features,
        "sessions": list(account.sessions),
        "options": {**options, "ca_path": str(world.ca.ca_file)},
    }


def _new_account(world: World, body: Data) -> Account:
    provider = _provider(world, str(body.get("provider")))
    dialect = world.dialects[provider]
    wanted = {
        key: value
        for key, value in body.items()
        if key in ("username", "password", "api_key", "role", "region", "dialect", "features")
    }
    wanted.setdefault("dialect", dialect.default_dialect)
    name = str(body.get("name") or f"{provider}-{len(world.accounts.of(provider)) + 1}")
    return world.accounts.add(dialect.new_account(name, **wanted))


def _change_account(account: Account, body: Data) -> Account:
    for name in ("revoked", "role", "region", "dialect"):
        if name in body:
            setattr(account, name, body[name])
    if "view_only" in body:
        account.role = "view_only" if body["view_only"] else ""
    account.features.update(body.get("features", {}))
    if body.get("rotate"):
        account.rotate()
    if body.get("expire_sessions"):
        account.sessions.clear()
    return account


def _limits(world: World, body: Data) -> t.Any:
    for provider, values in body.items():
        known = world.limits[_provider(world, provider)]
        unknown = set(values) - set(known)
        if unknown:
            raise ValueError(f"{provider} has no limit {', '.join(sorted(unknown))}")
        known.update({name: float(value) for name, value in values.items()})
        world.dialects[provider].reset()
    return world.limits


# Orders


def _create(world: World, body: Data) -> list[Data]:
    provider = _provider(world, str(body.get("provider")))
    dialect = world.dialects[provider]
    accounts = world.accounts.of(provider)
    account = world.accounts.get(body["account"]) if body.get("account") else accounts[0]
    count, width = int(body.get("count", 1)), int(body.get("names_each", 1))
    unknown = set(body) - _ORDER_ATTRIBUTES - {
        "provider", "account", "names", "count", "names_each", "stagger", "wave_size", "full", "certificate_faults"
    }  # fmt: skip
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    attributes = {key: value for key, value in body.items() if key in _ORDER_ATTRIBUTES and value is not None}
    if "order_id" in attributes:
        attributes["order_id"] = str(attributes["order_id"])
    if count > 1:
        attributes.setdefault("shared_key", True)
    names = body.get("names")
    names = [names] if isinstance(names, str) else names
    after, first = dict(body.get("after") or {}), _first_stage(str(body.get("scenario", "dv")))
    created: list[Order] = []
    for position in range(count):
        if body.get("stagger") and first is not None:
            stage, seconds = first
            wave = position // int(body.get("wave_size", 1))
            after[stage] = float((body.get("after") or {}).get(stage, seconds) or 0) + wave * float(body["stagger"])
            attributes["after"] = after
        # Without names those of the CSR count, and without both the sandbox makes some up.
        made_up = [] if body.get("csr") else _names(provider, len(world.orders.of(provider)), width)
        order = dialect.create(account, names or made_up, **attributes)
        order.certificate_faults = _certificate_faults(body.get("certificate_faults", []))
        dialect.forced(order)
        created.append(order)
    full = body.get("full", count <= BULK)
    return [_describe(world, order, keys=True) if full else {"order_id": order.order_id} for order in created]


def _first_stage(scenario: str) -> tuple[str, float | None] | None:
    return SCENARIOS[scenario].steps[0] if scenario in SCENARIOS else None


def _names(provider: str, number: int, width: int) -> list[str]:
    return [f"{'www' if not position else f'n{position}'}.{provider}-{number}.example.org" for position in range(width)]


def _certificate_faults(wanted: t.Iterable[str]) -> set[str]:
    wanted = set(wanted)
    if wanted - CERTIFICATE_FAULTS:
        raise ValueError(f"no such certificate fault: {', '.join(sorted(wanted - CERTIFICATE_FAULTS))}")
    return wanted


def _change(world: World, order: Order, body: Data) -> None:
    now = world.clock.now()
    if "stage" in body:
        order.go_to(body["stage"], now)
    if "go_on" in body:
        order.go_on(list(body["go_on"]), now)
    for name, state in (body.get("domains") or {}).items():
        domain = next((item for item in order.domains if item.name == name), None)
        if domain is None:
            raise LookupError(f"name {name} on order {order.order_id}")
        domain.validated_at = now if state in (True, "completed") else None
    if "published" in body:
        published = body["published"]
        for domain in order.domains:
            domain.published = published if isinstance(published, bool) else domain.name in published
    for name in ("word", "reason", "drop", "raw", "dialect", "chain_style", "dcv_method", "queue_lag"):
        if name in body:
            setattr(order, name, body[name])
    if "reissue_lag" in body:
        order.reissue_lag = float(body["reissue_lag"])
    if "approve" in body:
        world.dialects[order.provider].approve(order, bool(body["approve"]))
    order.fields.update(body.get("fields") or {})
    if "serial" in body:
        order.issuances[-1].serial = int(str(body["serial"]), 16)
    if "certificate_faults" in body:
        order.certificate_faults = _certificate_faults(body["certificate_faults"])
    if "caa_fixed" in body:
        order.facts["caa_fixed"] = float(bool(body["caa_fixed"]))
    if body.get("reissue"):
        wanted = body["reissue"] if isinstance(body["reissue"], dict) else {}
        seconds = float(wanted.get("seconds", 60))
        world.orders.reissue(order, wanted.get("names") or [], wanted.get("csr") or "", seconds)
    world.dialects[order.provider].forced(order)


def _brief(world: World, order: Order) -> Data:
    return {
        "order_id": order.order_id,
        "account": order.account,
        "stage": order.stage_name(world.clock.now()),
        "names": order.names,
    }


def _describe(world: World, order: Order, keys: bool = False) -> Data:
    now = world.clock.now()
    # Of a replaced order the certificate that matters is the replacement's.
    latest = order
    while latest.replaced_by:
        latest = world.orders.get(order.provider, latest.replaced_by) or latest
    issuance = latest.issuances[-1]
    if latest is not order:
        previous: int | None = order.issuances[-1].serial
    else:
        previous = order.issuances[-2].serial if len(order.issuances) > 1 else order.previous_serial
    data = {
        **_brief(world, order),
        "provider": order.provider,
        "state": order.stage(now).state,
        "timeline": [[start, name] for start, name in order.timeline],
        "certificate_id": issuance.certificate_id,
        "serial_number": f"{issuance.serial:X}",
        "checks": order.checks(now),
        "domains": [_describe_domain(world, order, item, now) for item in order.domains],
        "previous_serial_number": None if previous is None else f"{previous:X}",
        "certificates": [
            {
                "certificate_id": one.certificate_id,
                "serial_number": f"{one.serial:X}",
                "names": one.names,
                "issued": order.issued_at(one, now) is not None or one is not order.issuances[-1],
                "revoked": order.revoked(one, now),
            }
            for one in order.issuances
        ],
        "replaced_by": order.replaced_by,
        "replaces": order.replaces,
    }
    if keys or order.private_key:
        data["csr"] = world.orders.csr_of(latest)
        data["unique_value"] = latest.unique_value
        if world.orders.made_key(latest, issuance):
            data["private_key"] = latest.private_key
    return data


def _describe_domain(world: World, order: Order, domain: Domain, now: float) -> Data:
    data: Data = {"name": domain.name, "validated": order.validated(domain, now)}
    if order.dcv == "look":
        evidence = world.dialects[order.provider].evidence(order, domain)
        data["evidence"] = [item._asdict() for item in evidence]
        data["objections"] = domain.objections
    return data
