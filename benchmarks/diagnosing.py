# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at many names in a DNS world on loopback: wall, CPU, and questions a name.

Each name is alone in a zone of its own, half of them signed, which is the dear case: no two names share an answer below
the top-level domain. The servers of the world run in a process of their own, so that their CPU is not counted.
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
TOKEN = "rqv6p02n7b9fwn2w1g0kx0p6lz8m3c5t"
SERVERS = {"ns1.dns-host.net": "192.0.2.101", "ns2.dns-host.net": "192.0.2.102"}


def serve(count: int, published: bool, channel: multiprocessing.connection.Connection) -> None:
    """Serve a world with this many names until it is ended."""
    internet = Internet(time.time)
    internet.add_zone("dns-host.net", SERVERS)
    for number in range(count):
        zone = internet.add_zone(f"d{number}.org", SERVERS, signed=number % 2 == 0)
        if published:
            zone.set(f"_dnsauth.www.d{number}.org", "TXT", TOKEN)
    with DnsService(internet) as service:
        channel.send(service.address_map())
        channel.recv()


def measure(count: int, published: bool) -> list[object]:
    """One row of the table."""
    harness.load_collection()
    from ansible_collections.certops.issuance.plugins.module_utils._dcv import diagnose
    from ansible_collections.certops.issuance.plugins.module_utils._dcv.evidence import read_record_set

    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe()
    world = fork.Process(target=serve, args=(count, published, there), daemon=True)
    world.start()
    entries = [
        {
            "type": "TXT",
            "fqdn": f"_dnsauth.www.d{number}.org",
            "values": [TOKEN],
            "names": [f"www.d{number}.org"],
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
    return [kind, count, f"{elapsed:.1f}", f"{used:.1f}", total, f"{total / count:.1f}", max(questions.values())]


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the table."""
    harness.table(
        "dcv_diagnose of names in zones of their own, half of them signed",
        ["records", "names", "seconds", "CPU seconds", "questions", "a name", "most often asked"],
        [measure(count, published) for published in (True, False) for count in COUNTS],
    )
