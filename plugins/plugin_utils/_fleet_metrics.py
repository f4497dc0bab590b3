# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet as Prometheus text, for the textfile collector of node_exporter.

Each series has the same four labels: provider, order_id, host and name (the first name of the order). Their values are
cut, and no more than so many orders are written, so that no provider and no inventory can flood a Prometheus.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import (
    Data,
    Entry,
    Level,
    Served,
    make_entries,
)

#: So many series a metric at most.
MAX_SERIES = 20_000
#: Characters of the value of a label.
MAX_LABEL = 128

_METRICS = {
    "certops_order_answered": "Whether the provider answered (1) or not (0).",
    "certops_order_issued": "Whether the certificate of the order can be collected (1) or not (0).",
    "certops_order_info": "The status of the order, or the kind of error, as a label; always 1.",
    "certops_order_blockers": "How many things are open, by who must act.",
    "certops_order_coverage_end_timestamp_seconds": "Until when the order is paid for, in seconds since 1970.",
    "certops_certificate_not_before_timestamp_seconds": "Start of the certificate, in seconds since 1970.",
    "certops_certificate_not_after_timestamp_seconds": "End of the certificate, in seconds since 1970.",
    "certops_in_service_info": "What the host has in service: this certificate, another, none, or unknown; always 1.",
    "certops_in_service_not_after_timestamp_seconds": "End of what the host has in service, in seconds since 1970.",
    "certops_report_left_out": "Orders that are not in this file, because there are too many.",
    "certops_report_timestamp_seconds": "When this file was written, in seconds since 1970.",
}

Labels = tuple[tuple[str, str], ...]
Series = dict[str, dict[Labels, float]]


def make_metrics(orders: t.Sequence[Data], now: datetime.datetime) -> str:
    """The text for these orders.

    Arguments:
        now: the present, aware.
    """
    series: Series = {name: {} for name in _METRICS}
    pairs = [(entry, host) for entry in make_entries(orders, now) for host in entry.hosts or ("",)]
    alike: dict[Labels, list[Entry]] = {}
    for entry, host in pairs[:MAX_SERIES]:
        name = entry.names[0] if entry.names else ""
        labels = _labels(provider=entry.provider, order_id=entry.order_id, host=host, name=name)
        alike.setdefault(labels, []).append(replace(entry, served=_served_by(entry, host)))
    for labels, entries in alike.items():
        _add(series, labels, _first_to_end(entries))
    series["certops_report_left_out"][()] = max(0, len(pairs) - MAX_SERIES)
    series["certops_report_timestamp_seconds"][()] = now.timestamp()
    lines: list[str] = []
    for name, described in _METRICS.items():
        if series[name]:
            lines += [f"# HELP {name} {described}", f"# TYPE {name} gauge"]
            lines += [f"{name}{_braces(labels)} {_number(value)}" for labels, value in series[name].items()]
    return "\n".join(lines) + "\n"


def _served_by(entry: Entry, host: str) -> tuple[Served, ...]:
    return tuple(one for one in entry.served if one.host == host)[:1]


def _first_to_end(entries: t.Sequence[Entry]) -> Entry:
    """Of entries with the same labels the one that all their series are of: what ends first counts.

    What a host has in service stands beside one of them only, and is of all.
    """

    def place(entry: Entry) -> tuple[bool, bool, float]:
        closed = Level.of_status(entry.status) is not None
        return closed, entry.end is None, entry.end.timestamp() if entry.end is not None else 0.0

    served = next((entry.served for entry in entries if entry.served), ())
    return replace(min(entries, key=place), served=served)


def _add(series: Series, labels: Labels, entry: Entry) -> None:
    """Add the series of an order of a host.

    The certificate of an order that was canceled, replaced, rejected, revoked or failed has no dates here, so that an
    alert about what ends soon says the same as find_endings.
    """
    series["certops_order_answered"][labels] = entry.answered
    series["certops_order_info"][labels + _labels(status=entry.status)] = 1
    if entry.answered:
        series["certops_order_issued"][labels] = entry.issued
        for actor in ("provider", "you"):
            open_ones = sum(1 for todo in entry.todos if todo.actor == actor)
            series["certops_order_blockers"][labels + _labels(actor=actor)] = open_ones
    served = entry.served[0] if entry.served else None
    if served is not None:
        series["certops_in_service_info"][labels + _labels(state=served.state)] = 1
    counts = Level.of_status(entry.status) is None
    for metric, moment in (
        ("certops_order_coverage_end_timestamp_seconds", entry.coverage_end),
        ("certops_certificate_not_before_timestamp_seconds", entry.start if counts else None),
        ("certops_certificate_not_after_timestamp_seconds", entry.end if counts else None),
        ("certops_in_service_not_after_timestamp_seconds", served.end if served is not None else None),
    ):
        if moment is not None:
            series[metric][labels] = moment.timestamp()


def _labels(**values: str) -> Labels:
    return tuple((name, value[:MAX_LABEL]) for name, value in values.items())


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels) + "}" if labels else ""


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value))
