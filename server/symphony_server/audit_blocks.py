"""The audit log in blocks of 4096 records, each verified at once and by any process.

A block is a complete subtree of the log's tree, so its records and the hashes below its root
need nothing from outside. Whole levels are compared at a time; that a block has a fault is
all that is found.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from operator import itemgetter
from typing import Any, Final

from symphony_server.store.audit_log import RECORD, AuditLog, row_of
from symphony_server.store.audit_tree import AuditUnreadable
from symphony_server.store.merkle import leaf_hash, node_count, node_hash, position
from symphony_server.store.session import DatabaseAddress
from symphony_server.store.transaction import Snapshot

BLOCK_LEVEL: Final = 12
BLOCK: Final = 1 << BLOCK_LEVEL
BLOCKS_A_TASK: Final = 16
"""Half a second's work."""
BLOCKS_FOR_PROCESSES: Final = 256
"""A million records: with fewer, processes are hardly started before one would be done."""


@contextmanager
def block_roots(
    address: DatabaseAddress, log: AuditLog, processes: int | None = None
) -> Iterator[Iterator[bytes | None]]:
    """The root of each whole block that the log has now, or None for one with a fault; found
    by so many processes, or by as many as are fastest.
    """
    count = log.tree.size() >> BLOCK_LEVEL
    if processes is None:
        processes = os.cpu_count() or 1 if count >= BLOCKS_FOR_PROCESSES else 1
    if processes == 1:
        yield (block_root(log, index) for index in range(count))
        return
    # Spawned: a process that has threads, as this one, is not to be forked.
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    try:
        firsts = range(0, count, BLOCKS_A_TASK)
        tasks = [range(first, min(first + BLOCKS_A_TASK, count)) for first in firsts]
        done = pool.map(partial(_roots_of, address), tasks)
        yield (root for roots in done for root in roots)
    finally:
        pool.shutdown(cancel_futures=True)


def _roots_of(address: DatabaseAddress, indexes: range) -> list[bytes | None]:
    """The roots of one task's blocks."""
    session = address.open(read_only=True)
    try:
        log = Snapshot(session).audit
        return [block_root(log, index) for index in indexes]
    finally:
        session.close()


def block_root(log: AuditLog, index: int) -> bytes | None:
    """The root of a whole block; None when its records, their columns and the stored hashes do
    not agree, or cannot be read.
    """
    start = index << BLOCK_LEVEL
    first, nodes = node_count(start), 2 * BLOCK - 1
    try:
        rows = log.rows(after=start, limit=BLOCK)
        hashes = log.tree.hashes(after=first - 1, limit=nodes)
    except AuditUnreadable:
        return None
    # Both come in order and without repeats, so their ends tell that nothing is missing.
    if len(rows) < BLOCK or rows[-1][0] != start + BLOCK:
        return None
    if len(hashes) < nodes or hashes[-1][0] != first + nodes - 1:
        return None
    if any(row != row_of(row[RECORD]) for row in rows):
        return None
    stored = [each for _, each in hashes]
    level = [leaf_hash(row[RECORD]) for row in rows]
    for places in _places():
        if places(stored) != tuple(level):
            return None
        pairs = iter(level)
        level = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
    [root] = level
    return root if root == stored[-1] else None


@cache
def _places() -> list[itemgetter[Any]]:
    """For each level below a block's root: picks its hashes from those of the block."""
    return [
        itemgetter(*(position(level, index) for index in range(BLOCK >> level)))
        for level in range(BLOCK_LEVEL)
    ]
