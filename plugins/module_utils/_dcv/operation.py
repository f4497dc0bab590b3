# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module dcv_diagnose without Ansible: options in, a plain result out.

Private to this collection.
"""

from __future__ import annotations

import contextlib
import socket
import typing as t

from .diagnose import Diagnosis, Request, diagnose_until_visible, resolver_endpoints
from .evidence import read_file, read_name, read_record_set
from .findings import Finding, at_least
from .network import AddressMap, show_endpoint
from .reported import read_reported
from .rules import PROVIDERS

ARGUMENT_SPEC: dict[str, t.Any] = {
    "record_sets": {"type": "list", "elements": "dict"},
    "files": {"type": "list", "elements": "dict"},
    "names": {"type": "list", "elements": "str"},
    "evidence": {"type": "list", "elements": "dict"},
    "provider": {"type": "str", "choices": sorted(PROVIDERS)},
    "resolvers": {"type": "list", "elements": "str", "default": []},
    "address_map": {"type": "dict", "default": {}},
    "caa_issuers": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "int", "default": 0},
    "timeout": {"type": "int", "default": 60},
    "fail_on": {"type": "str", "choices": ["none", "fatal", "warning"], "default": "none"},
}
REQUIRED_ONE_OF = [["record_sets", "files", "names"]]
#: An address of the Internet, to see whether this host has a way to IPv6. Nothing is sent to it.
_IPV6_ADDRESS = "2001:500:2::c"


def dcv_diagnose(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Look as the options say. A result with `failed` has `msg`, `error_kind` and `retryable` as well.

    Arguments:
        options: the options of the module, with the types of ARGUMENT_SPEC.
    """
    try:
        request = read_request(options)
    except ValueError as exc:
        return {"failed": True, "msg": str(exc), "error_kind": "invalid_request", "retryable": False}
    diagnosis = diagnose_until_visible(request, options["wait"])
    result = {**diagnosis.to_dict(), "looked_from": looked_from(request)}
    if options["fail_on"] != "none":
        result.update(_failure(diagnosis, at_least(diagnosis.findings, options["fail_on"])))
    return result


def read_request(options: t.Mapping[str, t.Any]) -> Request:
    """What the options ask for.

    Raises:
        ValueError: an option cannot be used; the text names it.
    """
    provider = options["provider"]
    if options["timeout"] < 1:
        raise ValueError("timeout must be at least 1 s")
    if options["wait"] < 0:
        raise ValueError("wait must not be below 0 s")
    AddressMap(options["address_map"])
    resolver_endpoints(options["resolvers"])
    return Request(
        records=tuple(read_record_set(item, provider) for item in options["record_sets"] or ()),
        files=tuple(read_file(item, provider) for item in options["files"] or ()),
        names=tuple(dict.fromkeys(read_name(name) for name in options["names"] or ())),
        reported=tuple(read_reported(item) for item in options.get("evidence") or ()),
        provider=provider,
        resolvers=tuple(options["resolvers"]),
        address_map=options["address_map"],
        caa_issuers=tuple(issuer.strip().rstrip(".").lower() for issuer in options["caa_issuers"]),
        timeout=options["timeout"],
    )


def looked_from(request: Request) -> dict[str, t.Any]:
    """The place of the look: this host, its resolvers, and whether it has a way to IPv6."""
    return {
        "host": socket.gethostname(),
        "resolvers": [show_endpoint(*endpoint) for endpoint in resolver_endpoints(request.resolvers)],
        "ipv6": _has_ipv6(),
    }


def _has_ipv6() -> bool:
    """Whether a packet to the Internet would have a way; a datagram socket that is connected sends none."""
    try:
        with contextlib.closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as channel:
            channel.connect((_IPV6_ADDRESS, 53))
    except OSError:
        return False
    return True


def _failure(diagnosis: Diagnosis, found: t.Sequence[Finding]) -> dict[str, t.Any]:
    """What makes the task fail; nothing where nothing is bad enough."""
    if not found:
        return {}
    first = found[0]
    more = f" ({len(found) - 1} more in findings)" if len(found) > 1 else ""
    seen = f", seen: {first.seen}" if first.seen else ""
    return {
        "failed": True,
        "msg": f"{first.name}: {first.code} ({first.subject}{seen}). {first.advice}{more}",
        "error_kind": "not_visible",
        "retryable": diagnosis.may_heal,
    }
