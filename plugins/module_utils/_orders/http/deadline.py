# Copyright (c) 2026, certops.issuance contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that end in time, whatever comes or does not come over them. Private to this collection."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import typing as t


class Deadline:
    """Ends a request that takes too long in all: timeouts of sockets only bound the pause between two bytes.

    Used as a context, in which the time runs.

    Arguments:
        seconds: how long the request may take in all, from now on.
    """

    def __init__(self, seconds: float) -> None:
        #: Whether the time was over before the request was.
        self.expired = False
        self._ends = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        # The request has come to its end: its connection may be used again.
        self._timer.cancel()
        with self._lock:
            for duplicate in self._sockets:
                duplicate.close()
            self._sockets.clear()

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._ends - time.monotonic())

    def guard(self, connection: socket.socket) -> None:
        """End this connection when the time is over."""
        with self._lock:
            # A duplicate, since wrapping in TLS takes the original away.
            self._sockets.append(socket.socket(fileno=os.dup(connection.fileno())))
            expired = self.expired
        if expired:
            self._expire()

    def _expire(self) -> None:
        with self._lock:
            self.expired = True
            for duplicate in self._sockets:
                with contextlib.suppress(OSError):
                    duplicate.shutdown(socket.SHUT_RDWR)


class Connecting(threading.Thread):
    """Opens a connection in another thread: neither looking a name up nor trying all of its addresses has a bound.

    Arguments:
        connect: opens it. What it raises is raised by wait().
    """

    def __init__(self, connect: t.Callable[[], socket.socket]) -> None:
        super().__init__(daemon=True)
        self._connect = connect
        self._lock = threading.Lock()
        self._abandoned = False
        self._opened: socket.socket | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        """Open the connection, and close it again when nobody waits for it any more."""
        try:
            opened = self._connect()
        except Exception as exc:
            self._error = exc
            return
        with self._lock:
            if self._abandoned:
                opened.close()
            else:
                self._opened = opened

    def wait(self, seconds: float) -> socket.socket | None:
        """Start, and return the connection; None when it is not there in so many seconds."""
        self.start()
        self.join(seconds)
        with self._lock:
            self._abandoned = self._opened is None
        if self._error is not None:
            raise self._error
        return self._opened
