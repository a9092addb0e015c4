"""The audit log: one record a decision, in a gapless sequence."""

from __future__ import annotations

from peewee import fn

from symphony.v1.audit_pb2 import AuditRecord
from symphony_server.store.statements import Compiler, param
from symphony_server.store.tables import AuditEntry as T


class AuditLog:
    """The audit log of one connection. Appending is for the one writer only."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._last = compiled(T.select(fn.MAX(T.sequence)))
        self._insert = compiled.insert(T)
        self._get = compiled(T.select(T.record).where(T.id == param("id")), "id")
        self._sequence = 0

    def start_batch(self) -> None:
        """Read where the log ends; to be called when a write transaction has begun."""
        self._sequence = self._last().fetchone()[0] or 0

    @property
    def size(self) -> int:
        """How many records there are, as of the start of the batch and what was appended since."""
        return self._sequence

    def undo_to(self, size: int) -> None:
        """Forget records that a rollback took away."""
        self._sequence = size

    def append(self, record: AuditRecord) -> None:
        """Give a record the next place and write it."""
        sequence = self._sequence + 1
        record.sequence = sequence
        self._insert(sequence, record.id, record.SerializeToString(deterministic=True))
        self._sequence = sequence

    def get(self, record_id: str) -> AuditRecord | None:
        """The record with an id, or None."""
        row = self._get(record_id).fetchone()
        return None if row is None else AuditRecord.FromString(row[0])
