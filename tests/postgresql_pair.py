"""Two PostgreSQL servers of the tests' own: a primary and its synchronous standby.

What a cluster manager does when the primary is lost is done here by hand: the standby is
promoted, writes go on without a standby, and the lost server comes back as one.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.benchmarks.processes import free_port
from tests.postgresql import Postgresql

STREAMING_SECONDS: Final = 30
_HOST: Final = "127.0.0.1"


class _Node(Postgresql):
    """One of the two; the other finds it by its port."""

    def __init__(self) -> None:
        self.port = free_port()
        super().__init__(
            quick=False,
            listen_addresses=_HOST,
            port=str(self.port),
            # What it may fall behind is bounded by how long a test lasts.
            wal_keep_size="1GB",
            wal_sender_timeout="2s",
            # A promotion right after the primary is lost may wait for its end: 5 s by default.
            wal_retrieve_retry_interval="200ms",
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@{_HOST}:{self.port}/{database}"

    def follow(self, other: _Node) -> None:
        """Begin afresh as a copy of the other, and as its standby."""
        data = self.directory / "data"
        shutil.rmtree(data)
        self._run(
            "pg_basebackup",
            f"--host={_HOST}",
            f"--port={other.port}",
            "--username=postgres",
            "--checkpoint=fast",
            "--write-recovery-conf",
            "--no-sync",
        )
        self.start()

    def set_standbys(self, names: str) -> None:
        """Let each COMMIT wait for one of these standbys, or for none."""
        self.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.execute("SELECT pg_reload_conf()")

    def wait_for_standby(self) -> None:
        """Return once a COMMIT waits for a standby."""
        last = time.monotonic() + STREAMING_SECONDS
        while self.execute("SELECT sync_state FROM pg_stat_replication") != [("sync",)]:
            assert time.monotonic() < last, "no standby streams"
            time.sleep(0.02)  # nothing tells but asking


class PostgresqlPair:
    """A primary and its standby, of which either may be lost."""

    unnoticed_seconds = 0.0
    """Who promotes the standby is who killed the primary."""

    def __init__(self) -> None:
        """Start both."""
        self.primary, self.standby = _Node(), _Node()
        self.primary.start()
        self._attach()

    def make_database(self, name: str) -> str:
        """Returns its URL."""
        self.primary.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self.url(name)

    def url(self, database: str) -> str:
        """The URL by which a server finds whichever of them takes writes."""
        ports = sorted((self.primary.port, self.standby.port))
        hosts = ",".join(f"{_HOST}:{port}" for port in ports)
        return f"postgresql://postgres@{hosts}/{database}"

    def lose_the_primary(self) -> None:
        """Kill the primary as if its machine were gone."""
        self.primary.stop(how=signal.SIGKILL)

    def fail_over(self) -> None:
        """Make the standby the primary; it takes writes, and waits for no standby."""
        lost, self.primary = self.primary, self.standby
        self.standby = lost
        self.primary.execute("SELECT pg_promote()")
        self.primary.set_standbys("")

    def restore_the_standby(self) -> None:
        """Bring the lost server back, as the standby that each COMMIT waits for."""
        self._attach()

    def _attach(self) -> None:
        self.standby.follow(self.primary)
        self.primary.set_standbys("*")
        self.primary.wait_for_standby()

    def remove(self) -> None:
        """Stop both at once and leave nothing behind."""
        self.primary.remove()
        self.standby.remove()


@contextmanager
def running_pair() -> Iterator[PostgresqlPair]:
    """Both, for as long as the block lasts."""
    pair = PostgresqlPair()
    try:
        yield pair
    finally:
        pair.remove()
