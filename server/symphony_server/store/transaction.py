"""What a query or a command sees of the store: one object with every table's statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from peewee import Database

from symphony_server.clock import now_us
from symphony_server.store.audit_log import AuditLog
from symphony_server.store.change_log import ChangeLog
from symphony_server.store.executions import Executions
from symphony_server.store.extensions import Extensions
from symphony_server.store.lists import Lists
from symphony_server.store.projects import Members, Projects
from symphony_server.store.request_ids import RequestIds
from symphony_server.store.server_keys import ServerKeys
from symphony_server.store.statements import Compiler, Connection
from symphony_server.store.tokens import Tokens
from symphony_server.store.users import Users
from symphony_server.store.workflows import Workflows


class Snapshot:
    """The data as of one moment, to read from. One a connection, used again and again."""

    def __init__(self, database: Database, connection: Connection) -> None:
        """Compile every statement for the connection."""
        compiled = Compiler(database, connection)
        self._connection = connection
        self.users = Users(compiled)
        self.projects = Projects(compiled)
        self.members = Members(compiled)
        self.workflows = Workflows(compiled)
        self.executions = Executions(compiled)
        self.extensions = Extensions(compiled)
        self.tokens = Tokens(compiled)
        self.request_ids = RequestIds(compiled)
        self.audit = AuditLog(compiled)
        self.changes = ChangeLog(compiled)
        self.keys = ServerKeys(compiled)
        self.lists = Lists(compiled)


class Transaction(Snapshot):
    """The data as a command changes it. What it does is all kept, or none of it."""

    def __init__(self, database: Database, connection: Connection) -> None:
        """Compile every statement for the connection."""
        super().__init__(database, connection)
        self.time_us = 0
        """When the command started, in microseconds since 1970: the time of all it writes."""

    def begin(self) -> None:
        """Begin the batch that several commands share."""
        self._connection.execute("BEGIN IMMEDIATE")
        self.audit.start_batch()
        self.changes.start_batch()

    def commit(self) -> None:
        """Make the batch durable, its records sealed in the audit log's tree."""
        self.audit.seal()
        self._connection.execute("COMMIT")

    @contextmanager
    def savepoint(self, *, keep: bool = True) -> Iterator[None]:
        """A part that is undone when its body raises, or at its end unless it is to be kept."""
        size, revision = self.audit.size, self.changes.revision
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._undo(size, revision)
            raise
        if keep:
            self._connection.execute("RELEASE part")
        else:
            self._undo(size, revision)

    def _undo(self, size: int, revision: int) -> None:
        self._connection.execute("ROLLBACK TO part")
        self._connection.execute("RELEASE part")
        self.audit.undo_to(size)
        self.changes.undo_to(revision)

    def start_command(self) -> None:
        """Set the time of what the next command writes."""
        self.time_us = now_us()
