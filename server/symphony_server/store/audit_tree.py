"""The audit log's Merkle tree: the stored hashes of its complete subtrees, and proofs of them.

Each hash is written once, when its subtree is complete: about two a record, always at the
end of the table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from peewee import fn

from symphony_server.store import merkle
from symphony_server.store.session import Session
from symphony_server.store.statements import Compiler, param
from symphony_server.store.tables import AuditNode as T


class AuditTreeDamaged(RuntimeError):
    """The stored hashes are not those of any tree: somebody changed them."""


class AuditUnreadable(RuntimeError):
    """The database does not give what it holds: the file is damaged, or a text is none."""


@contextmanager
def reading(session: Session) -> Iterator[None]:
    """Raises AuditUnreadable where the database fails."""
    try:
        yield
    except session.failures as error:
        raise AuditUnreadable(str(error)) from error


class AuditTree:
    """The tree of one connection. Sealing is for the one writer only."""

    def __init__(self, compiled: Compiler) -> None:
        """Compile the statements."""
        self._session = compiled.session
        self._last = compiled(T.select(fn.MAX(T.position)))
        self._hash = compiled(T.select(T.hash).where(T.position == param("position")), "position")
        self._hashes = compiled(
            T.select(T.position, T.hash)
            .where(T.position > param("after"))
            .order_by(T.position)
            .limit(param("limit")),
            "after",
            "limit",
        )
        self._insert = compiled.insert(T)
        self._frontier: merkle.Frontier | None = None

    def start_batch(self, records: int) -> int:
        """Read the right edge unless it is known, and return the tree's size.

        `records` is where the log ends. Raises AuditTreeDamaged when it is longer than the
        tree, or when hashes that are needed are gone.
        """
        frontier = self._frontier
        if frontier is None or frontier.size != records:
            frontier = self._frontier = merkle.Frontier.at(self.node, self.size())
            if frontier.size < records:
                raise AuditTreeDamaged(
                    f"the audit log has {records} records, its tree {frontier.size}; "
                    "see 'symphony audit verify'"
                )
        return frontier.size

    def seal(self, leaves: Sequence[bytes]) -> None:
        """Append leaves, by their hashes, in the transaction that `start_batch` was told of."""
        frontier = self._frontier
        if frontier is None:
            raise RuntimeError("no batch was started")
        first = merkle.node_count(frontier.size)
        completed = [node for leaf in leaves for node in frontier.append(leaf)]
        self._insert.many(list(enumerate(completed, first)))

    def size(self) -> int:
        """How many records the tree covers."""
        last = self._last().fetchone()[0]
        try:
            return 0 if last is None else merkle.size_with(last + 1)
        except ValueError as error:
            raise AuditTreeDamaged(f"{error}; see 'symphony audit verify'") from error

    def node(self, level: int, index: int) -> bytes:
        """The hash of a complete subtree. Raises AuditTreeDamaged when it is not there."""
        row = self._hash(merkle.position(level, index)).fetchone()
        if row is None:
            raise AuditTreeDamaged(
                f"the hash of subtree {index} of level {level} of the audit log is gone; "
                "see 'symphony audit verify'"
            )
        return bytes(row[0])

    def root(self, size: int) -> bytes:
        """The root of the tree as it was at a size."""
        return merkle.Frontier.at(self.node, size).root()

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Proves the leaf with an index, from 0, to be in the tree of a size."""
        return merkle.inclusion_proof(self.node, index, size)

    def consistency_proof(self, first: int, second: int) -> list[bytes]:
        """Proves the tree of one size, above 0, to be the beginning of that of another."""
        return merkle.consistency_proof(self.node, first, second)

    def hashes(self, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        """The stored (position, hash) after a position, in order, for verification. Raises
        AuditUnreadable.
        """
        with reading(self._session):
            return self._hashes(after, limit).fetchall()
