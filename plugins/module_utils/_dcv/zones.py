# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which zone a record has to be published in, as DNS says. A module hands a ZoneLookup to what makes record sets.

Source: docs/providers/dcv/rules-and-diagnosis.md, section 4, "Finding the zone".

Private to this collection.
"""

from __future__ import annotations

import typing as t

from .delegation import DnsBlocked, DnsIntercepted, Walker
from .diagnose import resolver_endpoints
from .dns import DNSPYTHON_IMPORT_ERROR, Client
from .network import AddressMap, Deadline, DeadlinePassed
from .replies import Reply


class ZoneLookup:
    """Finds the zone of an owner name: call it with the name.

    None comes where nobody answers in time, and always where dnspython is not installed.

    Arguments:
        resolvers: asked where authoritative servers cannot be; none: those of this host.
        address_map: endpoint to endpoint.
        timeout: seconds for all names together.

    Raises:
        ValueError: a resolver or the address map cannot be read.
    """

    def __init__(
        self,
        resolvers: t.Sequence[str] = (),
        address_map: t.Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._client = Client(AddressMap(address_map or {}), Deadline(timeout))
        self._walker = Walker(self._client)
        self._usable = DNSPYTHON_IMPORT_ERROR is None
        self._resolvers = resolver_endpoints(resolvers) if self._usable else ()

    def __call__(self, fqdn: str) -> str | None:
        """The zone of an owner name, whether that exists or not."""
        if not self._usable:
            return None
        try:
            return self._by_authority(fqdn)
        except (DnsBlocked, DnsIntercepted):
            pass
        except DeadlinePassed:
            return None
        try:
            return self._by_resolver(fqdn)
        except DeadlinePassed:
            return None

    def _by_authority(self, fqdn: str) -> str | None:
        for name in _upwards(fqdn):
            zone = self._walker.find(name, "SOA")
            reply = self._walker.query_zone(zone, name, "SOA")
            owner = _soa_owner(reply, name)
            if owner is not None:
                return owner
        return None

    def _by_resolver(self, fqdn: str) -> str | None:
        """Asks from the parent on: the absence of the record itself must not get into the resolver's cache."""
        for name in _upwards(fqdn)[1:]:
            for address, port in self._resolvers:
                reply = self._client.query(address, name, "SOA", port, recursion=True)
                owner = _soa_owner(reply, name)
                if owner is not None:
                    return owner
                if reply.answered:
                    break
        return None


def _upwards(name: str) -> list[str]:
    """The name and its parents, down to the top-level domain."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def _soa_owner(reply: Reply | None, name: str) -> str | None:
    """The zone that an answer names; None where a CNAME stands there, whose zone is another one."""
    if reply is None or not reply.answered or any(record.type == "CNAME" for record in reply.answers):
        return None
    owners = [record.name for record in (*reply.answers, *reply.authority) if record.type == "SOA"]
    return next((owner for owner in owners if owner and (name == owner or name.endswith(f".{owner}"))), None)
