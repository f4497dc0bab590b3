# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at many names in a DNS world on loopback: wall, CPU, and questions a name.

Half of the zones are signed. With each name alone in a zone of its own, which is the dear case, no two names share an
answer below the top-level domain; in zones of ten names they share what is asked once a zone. The servers of the world
run in a process of their own, so that their CPU is not counted.
"""

from __future__ import annotations

import collections
import json
import multiprocessing
import multiprocessing.connection
import resource
import time

import harness
from sandbox.internet import DnsService, Internet
from sandbox.internet.zones import RESOLVER_ADDRESS

COUNTS = (10, 100, 1000)
#: Names in a zone.
WIDTHS = (1, 10)
TOKEN = "rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t"
SERVERS = {"ns1.dns-host.net": "192.0.2.101", "ns2.dns-host.net": "192.0.2.102"}


def name_of(number: int, width: int) -> str:
    """One of the names; `width` of them share a zone."""
    return f"h{number % width}.d{number // width}.org"


def serve(count: int, width: int, published: bool, channel: multiprocessing.connection.Connection) -> None:
    """Serve a world with this many names until it is ended."""
    internet = Internet(time.time)
    internet.add_zone("dns-host.net", SERVERS)
    for first in range(0, count, width):
        zone = internet.add_zone(f"d{first // width}.org", SERVERS, signed=first // width % 2 == 0)
        for number in range(first, min(first + width, count)):
            zone.set(name_of(number, width), "A", "203.0.113.5")
            if published:
                zone.set(f"_dnsauth.{name_of(number, width)}", "TXT", TOKEN)
    with DnsService(internet) as service:
        channel.send(service.address_map())
        channel.recv()


def measure(count: int, width: int, published: bool) -> list[object]:
    """One row of the table."""
    harness.load_collection()
    from ansible_collections.certops.issuance.plugins.module_utils._dcv import diagnose
    from ansible_collections.certops.issuance.plugins.module_utils._dcv.evidence import read_record_set

    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    world = fork.Process(target=serve, args=(count, width, published, there), daemon=True)
    world.start()
    entries = [
        {
            "type": "TXT",
            "fqdn": f"_dnsauth.{name_of(number, width)}",
            "values": [TOKEN],
            "names": [name_of(number, width)],
        }
        for number in range(count)
    ]
    request = diagnose.Request(
        records=tuple(read_record_set(entry, "digicert") for entry in entries),
        resolvers=(RESOLVER_ADDRESS,),
        address_map=here.recv(),
        timeout=600,
    )
    questions: collections.Counter[tuple[str, str, str]] = collections.Counter()
    cpu, started = _cpu(), time.monotonic()
    found = diagnose.diagnose(request, record=lambda *question: questions.update([question]))
    elapsed = time.monotonic() - started
    used = _cpu() - cpu
    here.send("end")
    world.join()
    assert found.visible is published, json.dumps(found.to_dict())[:2000]
    total = sum(questions.values())
    kind = "published" if published else "missing"
    return [kind, count, width, f"{elapsed:.1f}", f"{used:.1f}", total, f"{total / count:.1f}", max(questions.values())]


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the table."""
    harness.table(
        "dcv_diagnose of names, half of them in signed zones",
        ["records", "names", "a zone", "seconds", "CPU seconds", "questions", "a name", "most often asked"],
        [measure(count, width, published) for published in (True, False) for width in WIDTHS for count in COUNTS],
    )
