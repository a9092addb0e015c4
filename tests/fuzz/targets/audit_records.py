"""The bytes of an audit record, and its evaluation, as a database may hold them."""

from __future__ import annotations

from typing import Final

from symphony.v1.audit_pb2 import AuditRecord
from symphony_server.store.audit_log import COLUMN_NAMES, RECORD, row_of

MAX_BYTES: Final = 4096


def try_one(data: bytes) -> None:
    """Read the record; what is none is told as such, and what is one says the same again."""
    row = row_of(data)
    if row is None:
        return
    assert len(row) == len(COLUMN_NAMES)
    assert row[RECORD] == data
    record = AuditRecord.FromString(data)
    again = row_of(record.SerializeToString(deterministic=True))
    assert again is not None
    assert again[:RECORD] + again[RECORD + 1 :] == row[:RECORD] + row[RECORD + 1 :]
