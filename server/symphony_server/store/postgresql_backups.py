"""Backups of a PostgreSQL database: what `pg_dump` writes in its custom format."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from symphony_server.store import postgresql_programs
from symphony_server.store.backup_files import BackupFailed
from symphony_server.store.backups import Begin, Finish, not_empty, not_of
from symphony_server.store.contents import Contents, contents
from symphony_server.store.migrate import pending
from symphony_server.store.postgresql import PostgresqlAddress
from symphony_server.store.postgresql_patience import patient_session


@dataclass(frozen=True, slots=True)
class PostgresqlBackups:
    """See `Backups`."""

    address: PostgresqlAddress
    programs: Path | None
    """Where PostgreSQL's programs are, if not where such things are found."""

    def make(self, draft: Path, begin: Begin) -> Contents | None:
        """See `Backups`. What is told of it is in the very snapshot that is dumped."""
        outdated = pending(self.address)
        begin("running", "pg_dump", 1)
        with closing(patient_session(self.address, read_only=True)) as session:
            session.begin_snapshot()
            postgresql_programs.dump(self.address, session, draft, self.programs)
            return None if outdated else contents(session)

    def restore(self, file: Path, begin: Begin, finish: Finish, *, force: bool) -> None:
        """See `Backups`."""
        if not postgresql_programs.is_dump(file):
            raise not_of(file, "PostgreSQL")
        with closing(patient_session(self.address, read_only=False)) as session:
            if not force and not postgresql_programs.is_empty(session):
                raise not_empty(self.address)
            servers = postgresql_programs.servers(session)
            if servers:
                raise BackupFailed(
                    f"{servers} connections of servers use the database {self.address}; stop "
                    "the servers first"
                )
            begin("running", "pg_restore", 1)
            postgresql_programs.restore(self.address, session, file, self.programs)
        finish(self.address)
