"""An audit log to which something was done, and its verification.

Every four bytes are one change: which, two numbers for where, and with what. What is different
afterwards is found, and nothing is found in what is the same.
"""

from __future__ import annotations

from typing import Final

from symphony_server.audit_verification import verify_log
from symphony_server.store.audit_log import COLUMN_NAMES, RECORD
from tests.fuzz.log_in_memory import Log, written_log

MAX_BYTES: Final = 16
SIZE: Final = 13
_LOG: Final = written_log(SIZE)
_HEADS: Final = [_LOG.head(size) for size in (5, SIZE)]


def try_one(data: bytes) -> None:
    """Change the log as the bytes say, and verify it."""
    log = _LOG.copy()
    for at in range(0, len(data) - 3, 4):
        _change(log, *data[at : at + 4])
    # Before the first row that is not as it was nothing can be wrong.
    same = next((n for n in range(SIZE) if log.rows(after=n, limit=1) != [_LOG.table[n]]), SIZE)
    verdict = verify_log(log.readable, _HEADS)
    if log.rows(after=-1000, limit=1000) == _LOG.table and log.tree == _LOG.tree:
        assert verdict.fault is None
        assert verdict.root == _HEADS[-1].root_hash
        return
    assert verdict.fault is not None
    if log.tree == _LOG.tree:
        first = min((row[0] for row in log.table), default=1)
        assert verdict.fault.sequence == (first if first < 1 else same + 1)


def _change(log: Log, what: int, where: int, other: int, byte: int) -> None:
    """One change; none where there is nothing to change."""
    if not log.table or not log.tree.nodes:
        return
    row, place = (
        log.table[where % len(log.table)],
        list(log.tree.nodes)[where % len(log.tree.nodes)],
    )
    match what % 7:
        case 0:  # alter a byte of a record
            record = bytearray(row[RECORD])
            record[other % len(record)] ^= byte
            log.table[where % len(log.table)] = (*row[:RECORD], bytes(record), *row[RECORD + 1 :])
        case 1:  # delete
            log.table.remove(row)
        case 2:  # exchange two
            a, b = where % len(log.table), other % len(log.table)
            one, two = log.table[a], log.table[b]
            log.table[a], log.table[b] = (one[0], *two[1:]), (two[0], *one[1:])
        case 3:  # cut off
            del log.table[other % (len(log.table) + 1) :]
        case 4:  # put in
            log.table.append((max(r[0] for r in log.table) + 1 + byte % 2, *row[1:]))
        case 5:  # change a column beside the record
            column = other % len(COLUMN_NAMES)
            if column not in (0, RECORD):
                log.table[where % len(log.table)] = (*row[:column], f"x{byte}", *row[column + 1 :])
        case _:  # alter a stored hash
            stored = bytearray(log.tree.nodes[place])
            stored[other % len(stored)] ^= byte
            log.tree.nodes[place] = bytes(stored)
