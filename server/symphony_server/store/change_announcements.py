"""Hears of the changes that other servers commit: PostgreSQL's LISTEN, on a connection of its own.

Nothing depends on it but how soon a change is seen: who follows the change log reads it now
and then all the same.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from typing import Final

import psycopg

from symphony_server.store.postgresql import CHANNEL, PostgresqlAddress
from symphony_server.store.session import DatabaseUnusable, on_a_line

_log = logging.getLogger(__name__)

RECONNECT_SECONDS: Final = 0.5


class ChangeAnnouncements:
    """Calls `heard`, in its own thread, after each batch of changes that anybody commits."""

    def __init__(self, address: PostgresqlAddress, heard: Callable[[], None]) -> None:
        """Prepare; `start` connects."""
        self._address = address
        self._heard = heard
        self._stopped, self._stop = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="store-listen", daemon=True)
        self._hears = True
        """Whether a loss is to be told: once, however often it is tried to connect again."""

    def start(self) -> None:
        """Start the thread; it connects again whenever its connection is lost."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and wait for it."""
        self._stop.close()  # which the thread reads as an end
        self._thread.join()
        self._stopped.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._stopped, selectors.EVENT_READ)
            stopped = False
            while not stopped:
                try:
                    stopped = self._listen(waiting)
                except (psycopg.Error, DatabaseUnusable) as error:
                    if self._hears:
                        self._hears = False
                        _log.warning(
                            "changes of other servers are not heard of: %s", on_a_line(error)
                        )
                    stopped = bool(waiting.select(RECONNECT_SECONDS))

    def _listen(self, waiting: selectors.BaseSelector) -> bool:
        """Returns True once this is to stop. Raises what ends the connection."""
        session = self._address.open(read_only=True)
        connection = session.connection
        socket_number = connection.fileno()  # which a lost connection has no longer
        waiting.register(socket_number, selectors.EVENT_READ)
        try:
            connection.execute(f"LISTEN {CHANNEL}")
            if not self._hears:
                self._hears = True
                _log.info("changes of other servers are heard of again")
            while True:
                # First for what nobody was there to hear.
                self._heard()
                ready = [key.fileobj for key, _ in waiting.select()]
                if self._stopped in ready:
                    return True
                for _ in connection.notifies(timeout=0):
                    pass  # that there was one is all
        finally:
            waiting.unregister(socket_number)
            session.close()
