# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that were collected a short while ago, where the provider lets each be collected only now and then.

Private to this collection. Without it a dry run, or a deployment that failed, would use up the one collection there is.
What is kept is public: a certificate and its chain, no key and no credentials.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import typing as t
from dataclasses import dataclass

from ..._common.private_directory import private_directory
from ..model import IssuedBundle, Order

_SUFFIX = ".collected"
#: More than any certificate with its chain, in bytes.
_MAX_SIZE = 1024 * 1024


@dataclass(frozen=True)
class CertificateCache:
    """What was collected for the orders of one account, kept for all processes of this user on this machine.

    Arguments:
        fingerprint: names the account; see Account.fingerprint.
        pause: how long the provider wants to be left alone after a collection, in seconds; 0 keeps nothing.
        directory: where the files are; None for the private directory of this user.
        wall: seconds since 1970.
    """

    fingerprint: str
    pause: float
    directory: str | None = None
    wall: t.Callable[[], float] = time.time

    def get(self, order: Order) -> IssuedBundle | None:
        """What was collected for this certificate of the order within the pause; None where there is nothing.

        A certificate whose serial number the order does not report may be a new one, so it is not looked up.
        """
        if not self._cacheable(order):
            return None
        # What cannot be read is collected anew: the provider is the one to say that this is too early.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            with open(self._path(order), "rb") as file:
                found = json.loads(file.read(_MAX_SIZE).decode("utf-8"))
            if 0 <= self.wall() - float(found["collected_at"]) < self.pause:
                return IssuedBundle(leaf=_text(found["leaf"]), additional=tuple(map(_text, found["additional"])))
        return None

    def put(self, order: Order, bundle: IssuedBundle) -> None:
        """Store what was collected.

        Raises:
            OSError: when it cannot be written.
        """
        if not self._cacheable(order) or bundle.leaf is None:
            return
        path, now = self._path(order), self.wall()
        content = json.dumps({"collected_at": now, "leaf": bundle.leaf, "additional": list(bundle.additional)})
        # With the same ending: where we are killed in between, it is evicted with the others.
        temporary = f"{path}.{os.getpid()}{_SUFFIX}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        os.utime(temporary, (now, now))
        os.replace(temporary, path)
        self._evict_old()

    def _cacheable(self, order: Order) -> bool:
        return self.pause > 0 and order.certificate.serial_number is not None

    def _path(self, order: Order) -> str:
        about = f"{order.order_id} {order.certificate.serial_number}"
        name = hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        return os.path.join(self.directory or private_directory(), self.fingerprint + "." + name + _SUFFIX)

    def _evict_old(self) -> None:
        directory = self.directory or private_directory()
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            # Another process may have evicted it already.
            with contextlib.suppress(FileNotFoundError):
                if name.endswith(_SUFFIX) and self.wall() - os.stat(path).st_mtime > self.pause:
                    os.unlink(path)


def _text(value: t.Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
