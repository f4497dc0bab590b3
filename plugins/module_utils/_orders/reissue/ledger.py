# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger: which requests that change something were sent, for one account and one user of this machine.

Private to this collection. It is written before a request and after its answer, and only ever appended to. It holds no
secrets. It shortens doubt; whoever lacks it reads the order instead; section 4 of docs/providers/orders/contract.md.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import typing as t
from datetime import datetime, timezone

from ..errors import RateLimited
from ..http.rate_limit import Clock, Sleep
from .model import Journal

try:
    import fcntl
except ImportError:  # pragma: no cover - the collection runs on POSIX, but is imported everywhere
    fcntl = None  # type: ignore[assignment]

#: Outcomes: written before the request; it was accepted; it was refused, or never left.
STARTED, ACCEPTED, REFUSED = "started", "accepted", "refused"
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
#: Seconds between two tries to get the lock.
_LOCK_PAUSE = 0.2


class Ledger:
    """The ledger of one account.

    Arguments:
        directory: the private directory of this user.
        fingerprint: names the account; see Account.fingerprint.
    """

    def __init__(self, directory: str, fingerprint: str) -> None:
        self._path = os.path.join(directory, fingerprint)

    @contextlib.contextmanager
    def locked(self, order_id: str, clock: Clock, sleep: Sleep, deadline: float) -> t.Iterator[None]:
        """Keep other processes of this user from requesting something for the same order.

        Raises:
            RateLimited: when another process does not finish before the deadline.
            OSError: when the lock cannot be made.
        """
        descriptor = os.open(f"{self._path}.{order_id}.order", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | _NO_LINK, 0o600)
        try:
            while fcntl is not None:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError as exc:
                    if exc.errno not in (errno.EACCES, errno.EAGAIN):
                        raise
                if clock() >= deadline:
                    raise RateLimited("another process is at work on this order; try again later")
                sleep(_LOCK_PAUSE)
            yield
        finally:
            os.close(descriptor)

    def write(self, now: datetime, order_id: str, reference: str, outcome: str, given: str | None = None) -> None:
        """Append one entry, and see that it is on the disk.

        Arguments:
            given: the reference that the provider has given the request in the place of ours.

        Raises:
            OSError: when it cannot be written; nothing must be sent then.
        """
        entry = {
            "time": now.astimezone(timezone.utc).strftime(_TIME_FORMAT),
            "order_id": order_id,
            "reference": reference,
            "action": "reissue",
            "outcome": outcome,
        }
        if given is not None:
            entry["given_reference"] = given
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | _NO_LINK
        descriptor = os.open(self._path + ".ledger", flags, 0o600)
        try:
            # An entry that was cut short stays on a line of its own.
            line = b"\n" + json.dumps(entry).encode("ascii") + b"\n"
            if os.write(descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._path + ".ledger")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, order_id: str, reference: str) -> Journal:
        """What is known of requests for an order. A line that cannot be read is none.

        Arguments:
            reference: of the request that is wished for.

        Raises:
            OSError: when the ledger is there and cannot be read.
        """
        sent: dict[str, list[tuple[str, datetime]]] = {}
        accepted: list[datetime] = []
        given: dict[str, str] = {}
        for entry in self._entries():
            moment, outcome = _moment(entry.get("time")), entry.get("outcome")
            if entry.get("order_id") != order_id or moment is None:
                continue
            own = str(entry.get("reference"))
            requests = sent.setdefault(own, [])
            if outcome in (ACCEPTED, REFUSED) and requests:
                # It answers the last request; one before that may still have been carried out.
                requests.pop()
            if outcome in (STARTED, ACCEPTED):
                requests.append((outcome, moment))
            if entry.get("given_reference"):
                given[own] = str(entry["given_reference"])
            if outcome == ACCEPTED:
                accepted.append(moment)
        return Journal(
            attempted=bool(sent.get(reference)),
            uncertain_since=max(
                (moment for requests in sent.values() for outcome, moment in requests[-1:] if outcome == STARTED),
                default=None,
            ),
            answered_at=max(accepted, default=None),
            reference=given.get(reference),
        )

    def _entries(self) -> list[t.Mapping[str, t.Any]]:
        try:
            with open(self._path + ".ledger", encoding="utf-8", errors="replace") as opened:
                lines = opened.read().splitlines()
        except FileNotFoundError:
            return []
        found: list[t.Mapping[str, t.Any]] = []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                found.append(entry)
        return found


def _moment(text: t.Any) -> datetime | None:
    try:
        return datetime.strptime(str(text), _TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
