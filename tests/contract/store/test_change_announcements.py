"""What is said in the log of a database that cannot be listened to."""

from __future__ import annotations

import logging
import threading
from contextlib import closing
from typing import Any

import psycopg
import pytest

from symphony_server.store import change_announcements
from symphony_server.store.change_announcements import ChangeAnnouncements
from symphony_server.store.database import parse_url
from tests.postgresql import Postgresql

WAIT_SECONDS = 10
FAILURES = 3


class Failing:
    """An address that does not open the first few times."""

    def __init__(self, url: str) -> None:
        self._address = parse_url(url)
        self.failures_left = FAILURES

    def open(self, *, read_only: bool) -> Any:
        if self.failures_left:
            self.failures_left -= 1
            raise psycopg.OperationalError("connection refused\n\tIs the server running?")
        return self._address.open(read_only=read_only)


def test_an_outage_is_told_once_on_a_line_and_so_is_its_end(
    postgresql: Postgresql, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_announcements, "RECONNECT_SECONDS", 0)
    caplog.set_level(logging.INFO, logger=change_announcements.__name__)
    heard = threading.Event()
    with postgresql.migrated() as url:
        address: Any = Failing(url)
        with closing(ChangeAnnouncements(address, heard.set)) as announcements:
            announcements.start()
            assert heard.wait(WAIT_SECONDS)
    assert address.failures_left == 0
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "changes of other servers are not heard of: connection refused; Is the server running?",
        ),
        ("INFO", "changes of other servers are heard of again"),
    ]
