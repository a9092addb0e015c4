"""`symphony audit verify`: recomputes the audit log's tree from its records.

Nothing is trusted but heads that were kept elsewhere. Blocks of records are verified whole;
from the first that is not as it was written, and from where the last whole block ends, it
goes on row by row, so that what is wrong can be named. Memory does not grow with the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from symphony.v1.audit_pb2 import AuditTreeHead
from symphony_server.audit_blocks import BLOCK_LEVEL
from symphony_server.store.audit_log import COLUMN_NAMES, RECORD, AuditLog, row_of
from symphony_server.store.audit_tree import AuditTree, AuditUnreadable
from symphony_server.store.merkle import Frontier, leaf_hash, node_count, position

CHUNK_ROWS: Final = 1000
_BEFORE_ALL: Final = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with the log."""

    sequence: int
    """The first record that is not as it was written, or not there; where that can only be told
    of several together, the first of them."""
    problem: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification came to."""

    size: int
    """How many records from the first on are as they were written."""
    root: bytes
    """The root of their tree; empty when there is a fault."""
    fault: Fault | None


def verify_log(
    log: AuditLog, heads: Sequence[AuditTreeHead] = (), blocks: Iterable[bytes | None] = ()
) -> Verdict:
    """Verify every record against its columns, the stored tree, and heads that are trusted.

    `blocks` are the roots of the log's first whole blocks (see `audit_blocks`); what is not
    among them is verified row by row.
    """
    frontier = Frontier()
    fault = (
        _before_the_first(log)
        or _verify_blocks(log.tree, frontier, blocks)
        or _verify_rows(log, frontier)
    )
    size = frontier.size if fault is None else max(fault.sequence - 1, 0)
    fault = _verify_heads(log.tree, size, heads, whole=fault is None) or fault
    if fault is None:
        return Verdict(size, frontier.root(), None)
    return Verdict(max(fault.sequence - 1, 0), b"", fault)


def _before_the_first(log: AuditLog) -> Fault | None:
    first = next(_readable(log.rows, after=_BEFORE_ALL), None)
    if first is not None and first[0] < 1:
        return Fault(first[0], "stands before the first record")
    return None


def _verify_blocks(
    tree: AuditTree, frontier: Frontier, blocks: Iterable[bytes | None]
) -> Fault | None:
    """Take whole blocks into the frontier up to the first with a fault, and compare the hashes
    above them.
    """
    for root in blocks:
        if root is None:
            break
        place = position(BLOCK_LEVEL, frontier.size >> BLOCK_LEVEL)
        completed = list(enumerate(frontier.append(root, BLOCK_LEVEL), place))
        stored = list(islice(_readable(tree.hashes, after=place - 1), len(completed)))
        for level, computed in enumerate(completed, BLOCK_LEVEL):
            above = level - BLOCK_LEVEL
            if stored[above : above + 1] != [computed]:
                return _not_theirs(frontier.size, level)
    return None


def _verify_rows(log: AuditLog, frontier: Frontier) -> Fault | None:
    """Take rows into the frontier up to the first with a fault."""
    place = node_count(frontier.size)
    stored = _readable(log.tree.hashes, after=place - 1)
    for row in _readable(log.rows, after=frontier.size):
        sequence = frontier.size + 1
        if row is None:
            return Fault(sequence, "cannot be read")
        if row[0] != sequence:
            return Fault(sequence, f"is not there; the next is {row[0]}")
        if not isinstance(row[RECORD], bytes):
            return Fault(sequence, "has no bytes")
        for level, computed in enumerate(frontier.append(leaf_hash(row[RECORD]))):
            if next(stored, None) != (place, computed):
                return _altered(row) if level == 0 else _not_theirs(sequence, level)
            place += 1
        if row != row_of(row[RECORD]):
            return _disagrees(row)
    if next(stored, frontier) is not frontier:
        return Fault(frontier.size + 1, "is not there, though the log's tree has its hash")
    return None


def _verify_heads(
    tree: AuditTree, size: int, heads: Sequence[AuditTreeHead], *, whole: bool
) -> Fault | None:
    """Compare the heads of the first `size` records, which agree with the stored tree. `whole`
    says that these are all there are.
    """
    agreed = 0
    for head in sorted(heads, key=lambda head: head.tree_size):
        if head.tree_size > size:
            missing = f"is not there, though a kept head covers {head.tree_size} records"
            return Fault(size + 1, missing) if whole else None
        if tree.root(head.tree_size) != head.root_hash:
            return Fault(
                agreed + 1,
                f"or one after it, up to {head.tree_size}, was altered and the tree with it: "
                "its root is not that of a kept head",
            )
        agreed = head.tree_size
    return None


def _altered(row: Sequence[Any]) -> Fault:
    sequence = row[0]
    said = row_of(row[RECORD])
    if said is not None and said[0] != sequence:
        return Fault(sequence, f"has the bytes of record {said[0]}: they were put in its place")
    return Fault(sequence, "or its stored hash was altered: the one is not that of the other")


def _not_theirs(last: int, level: int) -> Fault:
    """The stored hash of a level over the records up to one is not that of their hashes."""
    first = last + 1 - (1 << level)
    return Fault(first, f"or one after it, up to {last}, or their stored hash was altered")


def _disagrees(row: Sequence[Any]) -> Fault:
    said = row_of(row[RECORD])
    if said is None:
        return Fault(row[0], "has bytes that are no record")
    names = [
        name for name, stored, meant in zip(COLUMN_NAMES, row, said, strict=True) if stored != meant
    ]
    return Fault(row[0], f"is in columns ({', '.join(names)}) that do not say what it says")


def _readable(
    read: Callable[..., list[tuple[Any, ...]]], *, after: int
) -> Iterator[tuple[Any, ...] | None]:
    """Everything after a number that `read` gives, in order; ends with None at the first that
    it cannot.
    """
    limit = CHUNK_ROWS
    while True:
        try:
            rows = read(after=after, limit=limit)
        except AuditUnreadable:
            if limit == 1:
                yield None
                return
            limit = 1
            continue
        if not rows:
            return
        yield from rows
        after = rows[-1][0]
