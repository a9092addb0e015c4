"""PostgreSQL: a database on one server or several, and connections to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count, zip_longest
from typing import Any, ClassVar, Final

import psycopg
from peewee import PeeweeException
from playhouse.postgres_ext import Psycopg3Database
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8BinaryDumper

from symphony_server.store.replication import STANDBYS, Standby, read_standby
from symphony_server.store.session import DatabaseUnusable, Session

WRITE_LOCK: Final = 0x53796D70686F6E79
SCHEMA_LOCK: Final = WRITE_LOCK + 1
"""Advisory locks, which hold for one database: "Symphony" in ASCII, and the number after it."""
CHANNEL: Final = "symphony_changes"
"""Who listens is told of each batch that changed something."""

MAX_PARAMETERS: Final = 65_535
"""Of one statement; its protocol counts them in 16 bits."""
ROWS_AT_ONCE: Final = 1000
"""Of many that are read as they are asked for."""
CONNECT_SECONDS: Final = 3
STATEMENT_MS: Final = 30_000
"""Of a batch's statements, which are by key; what reads may take its time."""
LOCK_MS: Final = 10_000
IDLE_MS: Final = 5_000
"""How long a server that was stopped may hold the write lock: it sends no next statement.
Shorter than the others wait for the lock, so that they get it."""
SNAPSHOT_IDLE_MS: Final = 600_000
"""A reader holds nobody up, and may think about what it read."""

_DEFAULTS: Final[dict[str, str | int]] = {
    "application_name": "symphony",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,  # ms
}
"""What a DSN may set otherwise."""


class PostgresqlSession:
    """See `Session`."""

    bounds_parts = True
    failures = (psycopg.Error,)

    def __init__(self, database: Psycopg3Database) -> None:
        """Take a database that is connected."""
        self.database = database
        self.connection: psycopg.Connection[Any] = database.connection()
        # As many as the store has: preparing a statement again costs more than keeping it.
        self.connection.prepared_max = None
        # One width for all whole numbers, so that a statement is prepared once.
        self.connection.adapters.register_dumper(int, Int8BinaryDumper)
        self.execute = partial(self.connection.execute, binary=True)
        self.written = False
        self._streams = count()
        self._warnings: list[str] = []
        self.connection.add_notice_handler(self._note)

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            self._warnings.append(str(notice.message_primary))

    def stream(self, sql: str, parameters: Sequence[Any], /) -> Iterator[Any]:
        """See `Session`. A cursor of the server's, for its own would take all rows at once."""
        with self.connection.cursor(f"rows_{next(self._streams)}") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            yield from cursor.execute(sql, parameters, binary=True)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> None:
        """See `Session`. The rows of an INSERT go in few statements.

        Not as psycopg's own does it, in a pipeline: in one the server waits for its end
        without a bound, and with it everybody for the lock when this process is stopped then.
        """
        head, row = sql.split(" VALUES ")
        a_statement = MAX_PARAMETERS // row.count("%s")
        for start in range(0, len(rows), a_statement):
            some = rows[start : start + a_statement]
            values = ", ".join([row] * len(some))
            # Many are not prepared: they are another statement for each number of rows.
            prepare = None if len(some) == 1 else False
            self.execute(f"{head} VALUES {values}", [*chain(*some)], prepare=prepare)

    def begin_batch(self) -> None:
        """See `Session`. Each statement sees what is committed by then: those after the lock
        see everything that was written by whoever held it before.
        """
        self.connection.execute(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
            f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"
        )

    def prepare_commit(self, *, changed: bool) -> None:
        """See `Session`. A COMMIT is never to be cut off: it may be waiting for a standby, and
        has happened all the same.
        """
        tell = f", pg_notify('{CHANNEL}', '')" if changed else ""
        self.connection.execute(
            "SELECT set_config('statement_timeout', '0', true), "
            f"set_config('lock_timeout', '0', true){tell}"
        )

    def commit(self) -> None:
        """See `Session`. Where an administrator cancels the wait for a standby, PostgreSQL calls
        it a success with a warning; and an ended transaction's COMMIT a ROLLBACK, without one.
        """
        self._warnings.clear()
        done = self.connection.execute("COMMIT").statusmessage
        if done != "COMMIT" or self._warnings:
            raise psycopg.OperationalError("; ".join([f"COMMIT became {done}", *self._warnings]))

    def begin_snapshot(self) -> None:
        """See `Session`."""
        self.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def end_snapshot(self) -> None:
        """See `Session`."""
        self.connection.execute("ROLLBACK")

    def standbys(self) -> list[Standby]:
        """See `Session`. A database that does not say is none that is gone."""
        try:
            rows = self.execute(STANDBYS).fetchall()
        except psycopg.Error as error:
            if self.ended_by(error):
                raise
            return []
        return [read_standby(*row) for row in rows]

    def ended_by(self, error: Exception) -> bool:
        """See `Session`. Operational errors are a lost connection, a full disk, a deadlock, a
        timeout; some others end the connection.
        """
        return self.connection.closed or isinstance(
            error, psycopg.OperationalError | psycopg.InterfaceError
        )

    def close(self) -> None:
        """See `Session`."""
        self.connection.close()


@dataclass(frozen=True, slots=True)
class PostgresqlAddress:
    """A database on a PostgreSQL server, or on several of which one takes writes."""

    dsn: str = field(repr=False)
    """As libpq takes it, with everything that is to be set when a connection is made."""
    shown: str
    attempts: ClassVar[int] = 3
    """A deadlock, a lock not had in time, a connection that is dead by now: the next may do."""

    @classmethod
    def of(cls, url: str) -> PostgresqlAddress:
        """The address of a URL. Raises psycopg.ProgrammingError for one that libpq refuses."""
        given: dict[str, Any] = {**conninfo_to_dict(url)}
        hosts = str(given.get("host") or given.get("hostaddr") or "").split(",")
        if len(hosts) > 1:
            given.setdefault("target_session_attrs", "read-write")
        # As libpq has it, one port is everybody's.
        ports = str(given.get("port") or "").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        named = [f"{h}:{p}" if p else h for h, p in zip_longest(hosts, ports, fillvalue="")]
        return cls(
            make_conninfo(**{**_DEFAULTS, **given}),
            f"postgresql://{','.join(named)}/{given.get('dbname') or ''}",
        )

    def __str__(self) -> str:
        """The URL without credentials."""
        return self.shown

    def open(self, *, read_only: bool) -> PostgresqlSession:
        """See `DatabaseAddress`."""
        database = self._database(
            statement_timeout=0 if read_only else STATEMENT_MS,
            lock_timeout=LOCK_MS,
            idle_in_transaction_session_timeout=SNAPSHOT_IDLE_MS if read_only else IDLE_MS,
        )
        try:
            database.connect()
            session = PostgresqlSession(database)
            encoding = session.connection.info.parameter_status("server_encoding")
            if read_only:
                # Not before: of several hosts libpq would take none that is read-only so.
                session.execute("SET default_transaction_read_only = on")
        except (psycopg.Error, PeeweeException) as error:
            if not database.is_closed():
                database.close()
            raise DatabaseUnusable(
                f"the database {self} does not open: {str(error).strip()}"
            ) from error
        if encoding != "UTF8":
            session.close()
            raise DatabaseUnusable(f"the database {self} is encoded in {encoding}; it must be UTF8")
        return session

    def make(self) -> None:
        """See `DatabaseAddress`. The database itself is its administrator's to make."""

    def require(self) -> None:
        """See `DatabaseAddress`. Opening tells by itself."""

    @contextmanager
    def changing_schema(self, session: Session) -> Iterator[None]:
        """See `DatabaseAddress`."""
        with session.database.atomic():
            # So that what another server has migrated by then is seen once the lock is had.
            session.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE")
            # However long another server's migration takes.
            session.execute("SET LOCAL statement_timeout = 0")
            session.execute("SET LOCAL lock_timeout = 0")
            session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            session.execute(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")
            yield

    def _database(self, **settings: int) -> Psycopg3Database:
        # What the DSN sets comes last and wins.
        ours = " ".join(f"-c {name}={value}" for name, value in settings.items())
        theirs = conninfo_to_dict(self.dsn).get("options") or ""
        return Psycopg3Database(
            "postgresql://",  # Peewee's word for: what to connect to is in `conninfo`
            autoconnect=False,
            conninfo=self.dsn,
            options=f"{ours} {theirs}".strip(),
            client_encoding="UTF8",
            # Texts are compared and sorted byte by byte, as SQLite does, in whichever
            # language the database was made: its columns say so when they are made.
            field_types={"TEXT": 'TEXT COLLATE "C"'},
        )
