"""`symphony backup` and `symphony restore`, on the database itself."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from symphony_server.audit_blocks import block_roots
from symphony_server.audit_verification import Verdict, verify_log
from symphony_server.operator_progress import Progress
from symphony_server.settings import Settings
from symphony_server.store.audit_tree import AuditTreeDamaged
from symphony_server.store.contents import Contents, contents
from symphony_server.store.copying import WholeTables
from symphony_server.store.database import parse_url
from symphony_server.store.engines import backups_of, patient_session
from symphony_server.store.migrate import applied, migrate
from symphony_server.store.new_history import begin_new_history
from symphony_server.store.session import DatabaseAddress, Session
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.sqlite_replacing import draft_beside, move_into_place


class FileExists(RuntimeError):
    """A file that would be overwritten."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup has in it."""

    schema: str
    """The last migration that was applied to the database."""
    contents: Contents | None
    """None where the schema is not this version's."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restored database has in it."""

    schema: str
    migrated: list[str]
    """The migrations that the backup lacked, and that were applied."""
    contents: Contents
    verdict: Verdict
    """What the verification of the audit log came to."""


def backup(settings: Settings, file: Path, progress: Progress, *, force: bool) -> BackedUp:
    """Write a backup of the database into a file, whole or not at all.

    Raises FileExists unless it is forced, FileNotFoundError, BackupFailed, DatabaseUnusable.
    """
    if file.exists() and not force:
        raise FileExists(f"{file} is there already; --force overwrites it")
    address = parse_url(settings.database_url)
    address.require()
    if isinstance(address, SqliteFile) and file.exists() and file.samefile(address.path):
        raise FileExists(f"{file} is the database itself")
    schema = _schema(address)
    with draft_beside(file) as draft:
        made = backups_of(address, settings.pg_bin).make(draft, progress.begin)
        move_into_place(draft, file)
    return BackedUp(schema, made)


def restore(
    settings: Settings, file: Path, progress: Progress, *, force: bool, same_history: bool
) -> Restored:
    """Put a backup in the place of the database, and verify its audit log.

    With `same_history` nothing was written since the backup, and watchers go on where they
    were. Raises FileNotFoundError, NoBackup, SchemaNewer, FileInUse, TargetNotEmpty,
    BackupFailed, DatabaseUnusable.
    """
    address = parse_url(settings.database_url)
    address.make()
    migrated: list[str] = []

    def finish(restored: DatabaseAddress) -> None:
        migrated.extend(migrate(restored))
        if not same_history:
            with closing(patient_session(restored, read_only=False)) as session:
                begin_new_history(session)

    backups_of(address, settings.pg_bin).restore(file, progress.begin, finish, force=force)
    progress.say("verifying the audit log")
    schema = _schema(address)
    with closing(patient_session(address, read_only=True)) as session:
        session.begin_snapshot()
        return Restored(schema, migrated, contents(session), _verified(address, session))


def _verified(address: DatabaseAddress, session: Session) -> Verdict:
    log = WholeTables(session).audit
    try:
        with block_roots(address, log) as blocks:
            return verify_log(log, blocks=blocks)
    except AuditTreeDamaged:
        return verify_log(log)


def _schema(address: DatabaseAddress) -> str:
    return next(reversed(applied(address)), "none")
