"""An audit log in lists, with the readers that `verify_log` asks: thousands a second, where a
database makes a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from symphony.v1.audit_pb2 import AuditTreeHead
from symphony_server.store import merkle
from symphony_server.store.audit_log import AuditLog, audit_row
from symphony_server.store.audit_tree import AuditTreeDamaged
from tests.contract.store.audit_world import new_record

Row = tuple[Any, ...]


@dataclass
class Tree:
    """Stored hashes by position."""

    nodes: dict[int, bytes] = field(default_factory=dict)

    def hashes(self, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        found = sorted(item for item in self.nodes.items() if item[0] > after)
        return found[:limit]

    def node(self, level: int, index: int) -> bytes:
        try:
            return self.nodes[merkle.position(level, index)]
        except KeyError:
            raise AuditTreeDamaged("a hash is gone") from None

    def root(self, size: int) -> bytes:
        return merkle.Frontier.at(self.node, size).root()


@dataclass
class Log:
    """Rows in any order, with their sequence first."""

    table: list[Row] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)

    def rows(self, *, after: int, limit: int) -> list[Row]:
        return sorted((row for row in self.table if row[0] > after), key=lambda row: row[0])[:limit]

    def copy(self) -> Log:
        return Log(list(self.table), Tree(dict(self.tree.nodes)))

    def head(self, size: int) -> AuditTreeHead:
        return AuditTreeHead(tree_size=size, root_hash=self.tree.root(size))

    @property
    def readable(self) -> AuditLog:
        return cast(AuditLog, self)


def written_log(size: int) -> Log:
    """A log of so many records as the server writes it."""
    log, frontier = Log(), merkle.Frontier()
    for sequence in range(1, size + 1):
        record = new_record(sequence=sequence)
        canonical = record.SerializeToString(deterministic=True)
        log.table.append(audit_row(record, canonical))
        place = merkle.node_count(frontier.size)
        completed: Sequence[bytes] = frontier.append(merkle.leaf_hash(canonical))
        log.tree.nodes.update(enumerate(completed, place))
    return log
