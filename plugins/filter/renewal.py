# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter renewal: whether the next certificate is due."""

from __future__ import annotations

DOCUMENTATION = r"""
name: renewal
short_description: When the next certificate is due
version_added: 1.1.0
author: certops.issuance contributors (@certops)
description:
  - Computes from the dates of the certificate in service whether the next one is due.
  - A certificate is due when one third of its lifetime is left, or one half where the lifetime is below ten days.
  - No provider is asked. The result depends on the input and the present time alone.
positional: _input
options:
  _input:
    description: The result of M(certops.issuance.certificate_info).
    type: dict
    required: true
  remaining:
    description:
      - How much of the lifetime is left when the certificate becomes due, as days (V(30), V(30d)) or as a share of the
        lifetime (V(25%)).
      - A value as long as the lifetime or longer is refused, since the certificate would always be due.
    type: raw
  spread_by:
    description:
      - The name of the host, so that many hosts do not become due at the same moment.
      - Each host becomes due up to 5% of the lifetime earlier, always by the same time.
    type: str
    default: ""
  validation:
    description: How many days the CA takes from the request to the certificate. It decides RV(ignore:latest).
    type: float
    default: 1
  window:
    description:
      - A window that the CA suggests for the renewal (RFC 9773), with the keys C(start) and C(end) in ISO 8601 UTC.
      - It goes before O(remaining).
    type: dict
  now:
    description: The present time in ISO 8601 UTC, for tests.
    type: str
seealso:
  - module: certops.issuance.certificate_info
"""

EXAMPLES = r"""
- name: Read what is in service
  certops.issuance.certificate_info:
    path: /etc/ssl/certops/www.example.com
  register: deployed

- name: Say when the next certificate is due
  ansible.builtin.debug:
    msg: "due at {{ (deployed | certops.issuance.renewal(spread_by=inventory_hostname)).at }}"
"""

RETURN = r"""
_value:
  description: Whether the certificate is due, and why.
  type: dict
  contains:
    due:
      description: Whether the next certificate should be requested now.
      type: bool
    reason:
      description:
        - V(absent) and V(placeholder) where there is no real certificate, V(remaining) when its time has come, V(late)
          when validation may not end in time any more, V(expired) after its end.
        - V(null) while nothing is due.
      type: str
    at:
      description: The time from which it is due, in ISO 8601 UTC; V(null) where there is no real certificate.
      type: str
    latest:
      description: The latest time for a request that is answered in time, in ISO 8601 UTC; V(null) as for C(at).
      type: str
"""

import typing as t
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from ansible.errors import AnsibleFilterError

from ansible_collections.certops.issuance.plugins.module_utils._common import renewal as rules
from ansible_collections.certops.issuance.plugins.module_utils._common.names import iso_time


def renewal(
    certificate: t.Any,
    remaining: t.Any = None,
    spread_by: str = "",
    validation: float = 1,
    window: t.Any = None,
    now: str | None = None,
) -> dict[str, t.Any]:
    """Compute whether the next certificate is due; see DOCUMENTATION.

    Raises:
        AnsibleFilterError: when the input is no result of certificate_info, or an option cannot be used.
    """
    if not isinstance(certificate, Mapping) or "not_after" not in certificate:
        raise AnsibleFilterError("renewal is for a result of certificate_info, which has not_before and not_after")
    try:
        found = rules.renewal(
            certificate,
            _moment(now, "now") if now else datetime.now(timezone.utc),
            remaining,
            str(spread_by),
            timedelta(days=float(validation)),
            None if window is None else (_moment(window["start"], "window"), _moment(window["end"], "window")),
        )
    except (KeyError, TypeError):
        raise AnsibleFilterError("window needs the keys start and end, and validation a number of days") from None
    except OverflowError:
        raise AnsibleFilterError("renewal: validation, window or now lies beyond all calendars") from None
    except ValueError as exc:
        raise AnsibleFilterError(f"renewal: {exc}") from None
    return {"due": found.due, "reason": found.reason, "at": _text(found.at), "latest": _text(found.latest)}


def _moment(value: t.Any, name: str) -> datetime:
    moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{name} is {value!r}; give it in UTC, as in 2027-01-31T00:00:00Z")
    return moment.astimezone(timezone.utc)


def _text(moment: datetime | None) -> str | None:
    return iso_time(moment) if moment else None


class FilterModule:
    """Filters of this file."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Name the filter."""
        return {"renewal": renewal}
