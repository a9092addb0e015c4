"""What a query or a command sees of the store: one object with every table's statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from symphony_server.clock import now_us
from symphony_server.store.audit_log import AuditLog
from symphony_server.store.change_log import ChangeLog
from symphony_server.store.executions import Executions
from symphony_server.store.extensions import Extensions
from symphony_server.store.lists import Lists
from symphony_server.store.projects import Members, Projects
from symphony_server.store.replication import Standby
from symphony_server.store.request_ids import RequestIds
from symphony_server.store.server_keys import ServerKeys
from symphony_server.store.session import Session
from symphony_server.store.statements import Compiler
from symphony_server.store.tokens import Tokens
from symphony_server.store.users import Users
from symphony_server.store.workflows import Workflows

T = TypeVar("T")


class HalfDone(Exception):
    """A command failed when it had written something, which is to be undone."""


class Snapshot:
    """The data as of one moment, to read from. One a session, used again and again."""

    def __init__(self, session: Session) -> None:
        """Compile every statement for the session."""
        compiled = Compiler(session)
        self._session = session
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

    def standbys(self) -> list[Standby]:
        """See `Session.standbys`."""
        return self._session.standbys()


class Transaction(Snapshot):
    """The data as a command changes it. What it does is all kept, or none of it."""

    def __init__(self, session: Session) -> None:
        """Compile every statement for the session."""
        super().__init__(session)
        self.time_us = 0
        """When the command started, in microseconds since 1970: the time of all it writes."""

    def begin(self) -> None:
        """Begin the batch that several commands share; nobody else writes until it ends."""
        self._session.begin_batch()
        self.audit.start_batch()
        self.changes.start_batch()

    def seal(self) -> None:
        """Write the batch's changes and records; only COMMIT is left to do."""
        self.audit.seal()
        self._session.prepare_commit(changed=self.changes.seal())

    def roll_back(self) -> None:
        """Undo the batch as far as it came."""
        self._session.execute("ROLLBACK")

    def commit(self) -> None:
        """Make the sealed batch durable. Where this raises, the outcome is unknown."""
        self._session.commit()

    @contextmanager
    def savepoint(self, *, keep: bool = True) -> Iterator[None]:
        """A part that is undone when its body raises, or at its end unless it is to be kept."""
        written = self._session.written
        undo = self._records_undone()
        self._session.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            keep = False
            raise
        finally:
            if not keep:
                self._session.execute("ROLLBACK TO part")
                undo()
                self._session.written = written
            self._session.execute("RELEASE part")

    def unguarded(self, command: Callable[[Transaction], T]) -> T:
        """What the command returns or raises, run without a savepoint: most that raise have written
        nothing by then. Raises HalfDone instead when it had.
        """
        session = self._session
        session.written = False
        undo = self._records_undone()
        try:
            return command(self)
        except session.failures as error:
            if session.ended_by(error):
                raise
            raise HalfDone from error  # PostgreSQL ends a transaction for a failed read too
        except Exception as error:
            if session.written:
                raise HalfDone from error
            undo()
            raise

    def _records_undone(self) -> Callable[[], None]:
        """What forgets the records and changes that are appended from now on."""
        size, revision = self.audit.size, self.changes.revision

        def undo() -> None:
            self.audit.undo_to(size)
            self.changes.undo_to(revision)

        return undo

    def start_command(self) -> None:
        """Set the time of what the next command writes."""
        self.time_us = now_us()
