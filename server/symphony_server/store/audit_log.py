"""The audit log: one record a decision, in a gapless sequence, each a leaf of a Merkle tree."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import DecodeError
from peewee import fn

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony_server.clock import timestamp_us
from symphony_server.store.audit_tree import AuditTree, reading
from symphony_server.store.merkle import leaf_hash
from symphony_server.store.statements import Compiler, param
from symphony_server.store.tables import AuditEntry as T

COLUMNS = (
    T.sequence,
    T.id,
    T.record,
    T.time,
    T.caller_id,
    T.user_id,
    T.resource_id,
    T.method,
    T.outcome,
    T.reason,
)
COLUMN_NAMES: Final[tuple[str, ...]] = tuple(column.name for column in COLUMNS)
RECORD: Final = COLUMN_NAMES.index("record")
"""Where in a row the canonical bytes are."""
_ALLOWED: Final = int(AuditOutcome.AUDIT_OUTCOME_ALLOWED)


def audit_row(record: AuditRecord, canonical: bytes) -> tuple[Any, ...]:
    """The row with `COLUMNS` of a record whose canonical bytes are known."""
    user_id, outcome = record.user_id, record.outcome
    return (
        record.sequence,
        record.id,
        canonical,
        timestamp_us(record.time),
        None if record.caller_id == user_id else record.caller_id,
        user_id,
        record.resource_id,
        record.method,
        None if outcome == _ALLOWED else outcome,
        record.reason or None,
    )


def row_of(canonical: Any) -> tuple[Any, ...] | None:
    """The row with `COLUMNS` that canonical bytes mean; None for what is no record."""
    try:
        return audit_row(AuditRecord.FromString(canonical), canonical)
    except (DecodeError, TypeError):
        return None


class AuditLog:
    """The audit log of one connection. Appending is for the one writer only.

    What a batch appends is written when it is sealed, all at once: it needs no undoing then,
    and SQLite need not keep every page as it was before each command.
    """

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._session = compiled.session
        self.tree = AuditTree(compiled)
        self._last = compiled(T.select(fn.MAX(T.sequence)))
        self._insert = compiled.insert(T)
        self._get = compiled(T.select(T.record).where(T.id == param("id")), "id")
        self._rows = compiled(
            T.select(*COLUMNS)
            .where(T.sequence > param("after"))
            .order_by(T.sequence)
            .limit(param("limit")),
            "after",
            "limit",
        )
        self._sealed = 0
        self._appended: list[tuple[Any, ...]] = []

    def start_batch(self) -> None:
        """Read where the log ends; to be called when a write transaction has begun.

        Where records were taken from its end, it goes on after them: the gap is evidence.
        """
        self._sealed = self.tree.start_batch(self._last().fetchone()[0] or 0)
        self._appended.clear()

    @property
    def size(self) -> int:
        """How many records there are, as of the start of the batch and what was appended since."""
        return self._sealed + len(self._appended)

    def undo_to(self, size: int) -> None:
        """Forget records that a rollback took away."""
        del self._appended[size - self._sealed :]

    def append(self, record: AuditRecord) -> None:
        """Give a record the next place; it is written with the batch."""
        record.sequence = self.size + 1
        self._appended.append(audit_row(record, record.SerializeToString(deterministic=True)))

    def seal(self) -> None:
        """Write what was appended, and take it into the tree; to be called just before the
        batch commits.
        """
        if self._appended:
            self._insert.many(self._appended)
            self.tree.seal([leaf_hash(row[RECORD]) for row in self._appended])

    def get(self, record_id: str) -> AuditRecord | None:
        """The record with an id, or None."""
        canonical = self.canonical(record_id)
        return None if canonical is None else AuditRecord.FromString(canonical)

    def canonical(self, record_id: str) -> bytes | None:
        """The bytes that a record's leaf is made of, or None."""
        row = self._get(record_id).fetchone()
        return None if row is None else bytes(row[0])

    def rows(self, *, after: int, limit: int) -> list[tuple[Any, ...]]:
        """The rows with `COLUMNS` after a sequence, in order, for verification. Raises
        AuditUnreadable.
        """
        with reading(self._session):
            return self._rows(after, limit).fetchall()
