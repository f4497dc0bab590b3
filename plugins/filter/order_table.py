# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter order_table: orders as a table for people, or for other programs."""

from __future__ import annotations

DOCUMENTATION = r"""
name: order_table
short_description: Show orders as a table
version_added: 1.0.0
author: certops.issuance contributors (@certops)
description:
  - Makes a table of orders. Each line shows where an order stands, how many of its names are validated, what blocks it,
    for how many days its certificate is still valid, and whether something is due.
  - The playbook C(certops.issuance.status) shows it for a whole fleet.
positional: _input
options:
  _input:
    description:
      - Orders, as M(certops.issuance.order_info) and M(certops.issuance.order_wait) return them in C(orders).
      - A key C(host) in an order makes a first column of it.
      - An order without an answer has C(order_id), C(msg) and C(error_kind) alone, as in the C(errors) of a failed
        M(certops.issuance.order_info).
    type: list
    elements: dict
    required: true
  format:
    description:
      - V(lines) is a list of lines with aligned columns, V(csv) text with a heading, V(rows) a list of dictionaries.
      - In V(csv) an apostrophe stands before whatever a spreadsheet would run as a formula.
    type: str
    default: lines
    choices:
      - lines
      - csv
      - rows
seealso:
  - module: certops.issuance.order_info
  - ref: ansible_collections.certops.issuance.docsite.guide_fleet
    description: The table of a whole inventory, and everything else about many servers.
"""

EXAMPLES = r"""
- name: Ask for some orders
  certops.issuance.order_info:
    provider: digicert
    order_ids: ["12345", "12346"]
  register: answer

- name: Show them as a table
  ansible.builtin.debug:
    msg: "{{ answer.orders | certops.issuance.order_table }}"
"""

RETURN = r"""
_value:
  description:
    - The table. In rows the keys are C(host), C(provider), C(order_id), C(status), C(names), C(names_done),
      C(not_after), C(days_left), C(due), C(in_service), C(blocked_by).
    - C(in_service) is there for orders that P(certops.issuance.order_in_service#filter) has added it to.
    - C(status) is the kind of error for an order without an answer, and C(blocked_by) is then what went wrong.
    - C(due) is V(renewal) when the next certificate is due by the rule of P(certops.issuance.renewal#filter), and
      V(new order by 2027-03-01) when the order is paid for until that day, which is before the renewal after the next
      one. It is both, with a comma, or V(null).
    - C(names) and C(names_done) are counts, C(days_left) is rounded down; V(null) stands for what is not known.
  type: raw
"""

import csv
import datetime
import io
import re
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.module_utils._common.renewal import due
from ansible_collections.certops.issuance.plugins.module_utils._common.text import clean_line
from ansible_collections.certops.issuance.plugins.plugin_utils._fleet import moment, read_orders, without_subject
from ansible_collections.certops.issuance.plugins.plugin_utils._tables import align

_COLUMNS = (
    "host",
    "provider",
    "order_id",
    "status",
    "names",
    "names_done",
    "not_after",
    "days_left",
    "due",
    "in_service",
    "blocked_by",
)
#: Columns that are there only where an order has something for them.
_OPTIONAL = ("host", "in_service")
_TITLES = {
    "host": "HOST",
    "provider": "PROVIDER",
    "order_id": "ORDER",
    "status": "STATUS",
    "done": "NAMES DONE",
    "days_left": "DAYS LEFT",
    "due": "DUE",
    "in_service": "IN SERVICE",
    "blocked_by": "BLOCKED BY",
}
_NUMBERS = ("done", "days_left")
#: What a spreadsheet takes for the beginning of a formula, also in full width, and what may stand before it.
_FORMULA = re.compile("(^|;)([\\s\"']*[=+\\-@\uff1d\uff0b\uff0d\uff20])")

Row = dict[str, t.Any]


def order_table(
    orders: t.Any, format: str = "lines", now: datetime.datetime | None = None
) -> list[str] | list[Row] | str:
    """Make the table; see DOCUMENTATION.

    Arguments:
        now: the time to count days from, for tests.

    Raises:
        AnsibleFilterError: when the input is no list of orders, or the format is not known.
    """
    present = now or datetime.datetime.now(datetime.timezone.utc)
    try:
        rows = [_row(order, present) for order in read_orders(orders)]
    except ValueError as exc:
        raise AnsibleFilterError(f"order_table: {exc}") from exc
    if format == "rows":
        return rows
    if format == "csv":
        return _csv(rows)
    if format == "lines":
        return _lines(rows)
    raise AnsibleFilterError(f"order_table knows no format {format!r}; use lines, csv or rows")


def _row(order: t.Mapping[str, t.Any], now: datetime.datetime) -> Row:
    domains = order.get("domains") or []
    done = sum(1 for domain in domains if order.get("issued") or domain["status"] == "completed")
    not_after = (order.get("certificate") or {}).get("not_after")
    values = {
        "host": order.get("host"),
        "provider": order.get("provider"),
        "order_id": str(order["order_id"]),
        "status": order.get("status") or order.get("error_kind"),
        "names": len(domains) or None,
        "names_done": done if domains else None,
        "blocked_by": _blocked_by(order),
        "not_after": not_after,
        "days_left": None,
        "due": due(order, now),
        "in_service": (order.get("in_service") or {}).get("state"),
    }
    end = moment(not_after)
    if end is not None:
        values["days_left"] = (end - now).days
    return {name: values[name] for name in _COLUMNS if name not in _OPTIONAL or values[name] is not None}


def _blocked_by(order: t.Mapping[str, t.Any]) -> str | None:
    if order.get("issued"):
        return None
    blockers = order.get("blockers") or []
    if blockers:
        more = f" (and {len(blockers) - 1} more)" if len(blockers) > 1 else ""
        return str(blockers[0]["message"]) + more
    return order.get("reason") or without_subject(order)


def _csv(rows: t.Sequence[Row]) -> str:
    text = io.StringIO()
    names = [name for name in _COLUMNS if name not in _OPTIONAL or any(name in row for row in rows)]
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _as_text(value) for name, value in row.items()})
    return text.getvalue()


def _as_text(value: t.Any) -> t.Any:
    """The value so that a spreadsheet does not take a provider's words for a formula.

    Where the separator is a semicolon, a cell is split at each one, and each part may be a formula.
    """
    if not isinstance(value, str):
        return value
    return _FORMULA.sub(r"\1'\2", clean_line(value))


def _lines(rows: t.Sequence[Row]) -> list[str]:
    shown = [dict(row, done="" if row["names"] is None else f"{row['names_done']} of {row['names']}") for row in rows]
    names = [name for name in _TITLES if name not in _OPTIONAL or any(name in row for row in rows)]
    return align({name: _TITLES[name] for name in names}, shown, _NUMBERS)


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"order_table": order_table}
