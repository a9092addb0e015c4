"""What somebody who holds the database can do to the audit log, each as one small function that
says which record is the first that is wrong.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from symphony.v1.audit_pb2 import AuditRecord
from symphony_server.store.audit_log import COLUMN_NAMES, RECORD, audit_row
from symphony_server.store.merkle import Frontier, leaf_hash, node_count, position
from symphony_server.store.session import Session
from symphony_server.store.sqlite_file import SqliteSession

_INTEGERS: Final = ("time", "outcome")
_BESIDE: Final = tuple(name for name in COLUMN_NAMES if name not in ("sequence", "record"))
_COLUMNS: Final = ", ".join(COLUMN_NAMES)
_COPIED: Final = ", ".join(COLUMN_NAMES[2:])
REWRITTEN: Final = 30
"""As many of the last records are written anew: of more it takes long."""


@dataclass(frozen=True)
class Wrong:
    """What is wrong now."""

    first: int
    """The first record that is not as it was, or not there, or that a changed hash covers."""
    needs_head: bool = False
    """True where only a head that was kept elsewhere can tell."""


class Hands:
    """A connection to the database, past the server."""

    def __init__(self, session: Session, chance: random.Random, size: int) -> None:
        self.session, self.chance, self.size = session, chance, size

    def any_record(self, *, last: int = 0) -> int:
        """The sequence of one of all the records, or of so many last ones."""
        return self.chance.randint(self.size - last + 1 if last else 1, self.size)

    def do(self, statement: str, **values: Any) -> None:
        """Run a statement, which must change something."""
        assert self._run(statement, values).rowcount != 0, statement

    def one(self, statement: str, **values: Any) -> Any:
        """The first column of the one row."""
        return self._run(statement, values).fetchone()[0]

    def _run(self, statement: str, values: dict[str, Any]) -> Any:
        execute: Any = self.session.execute
        if isinstance(self.session, SqliteSession):
            return execute(statement, values)
        return execute(re.sub(r":(\w+)", r"%(\1)s", statement), values)

    def record(self, sequence: int) -> bytes:
        return bytes(self.one("SELECT record FROM audit_log WHERE sequence = :n", n=sequence))


Mutate = Callable[[Hands], Wrong]


def alter_a_byte(hands: Hands) -> Wrong:
    at = hands.any_record()
    hands.do(
        "UPDATE audit_log SET record = :r WHERE sequence = :n",
        r=_altered(hands, hands.record(at)),
        n=at,
    )
    return Wrong(at)


def alter_a_column(hands: Hands) -> Wrong:
    at, name = hands.any_record(), hands.chance.choice(_BESIDE)
    value = 3 if name in _INTEGERS else "other"
    hands.do(f"UPDATE audit_log SET {name} = :v WHERE sequence = :n", v=value, n=at)  # noqa: S608
    return Wrong(at)


def delete(hands: Hands) -> Wrong:
    at = hands.any_record()
    hands.do("DELETE FROM audit_log WHERE sequence = :n", n=at)
    return Wrong(at)


def delete_and_close_up(hands: Hands) -> Wrong:
    wrong = delete(hands)
    if wrong.first < hands.size:
        _shift(hands, after=wrong.first, by=-1)
    return wrong


def exchange(hands: Hands) -> Wrong:
    """Two records, with all their columns but the sequence."""
    one, other = sorted(hands.chance.sample(range(1, hands.size + 1), 2))
    for old, new in ((one, -1), (other, one), (-1, other)):
        hands.do("UPDATE audit_log SET sequence = :new WHERE sequence = :old", new=new, old=old)
    return Wrong(one)


def cut_off(hands: Hands) -> Wrong:
    """The last records, and not their hashes."""
    first = hands.any_record()
    hands.do("DELETE FROM audit_log WHERE sequence >= :n", n=first)
    return Wrong(first)


def insert(hands: Hands) -> Wrong:
    """A copy of a record in another's place, and all from there on one further."""
    copied, at = hands.chance.sample(range(1, hands.size + 1), 2)
    _shift(hands, after=at - 1, by=1)
    hands.do(
        f"INSERT INTO audit_log ({_COLUMNS}) SELECT :at, 'audit_new', "  # noqa: S608
        f"{_COPIED} FROM audit_log WHERE sequence = :n",
        at=at,
        n=copied + (copied >= at),
    )
    return Wrong(at)


def append(hands: Hands) -> Wrong:
    """A copy of a record behind the last."""
    hands.do(
        f"INSERT INTO audit_log ({_COLUMNS}) SELECT :at, 'audit_new', "  # noqa: S608
        f"{_COPIED} FROM audit_log WHERE sequence = :n",
        at=hands.size + 1,
        n=hands.any_record(),
    )
    return Wrong(hands.size + 1)


def alter_a_hash(hands: Hands) -> Wrong:
    """Of a record or of any subtree."""
    place, first = _any_hash(hands)
    stored = bytes(hands.one("SELECT hash FROM audit_nodes WHERE position = :p", p=place))
    hands.do(
        "UPDATE audit_nodes SET hash = :h WHERE position = :p", h=_altered(hands, stored), p=place
    )
    return Wrong(first)


def delete_a_hash(hands: Hands) -> Wrong:
    place, first = _any_hash(hands)
    hands.do("DELETE FROM audit_nodes WHERE position = :p", p=place)
    return Wrong(first)


def alter_with_its_own_hash(hands: Hands) -> Wrong:
    """A record and its leaf, but not what is above: told of both records below that."""
    at = hands.any_record(last=REWRITTEN) - 1
    record = _altered_time(hands, at)
    hands.do(
        "UPDATE audit_nodes SET hash = :h WHERE position = :p",
        h=leaf_hash(record),
        p=position(0, at - 1),
    )
    return Wrong((at - 1) // 2 * 2 + 1)


def cut_off_with_the_tree(hands: Hands) -> Wrong:
    """The last records and all that tells of them: found by a head alone."""
    first = hands.any_record(last=REWRITTEN)
    hands.do("DELETE FROM audit_log WHERE sequence >= :n", n=first)
    hands.do("DELETE FROM audit_nodes WHERE position >= :p", p=node_count(first - 1))
    return Wrong(first, needs_head=True)


def write_anew(hands: Hands) -> Wrong:
    """A record, and every hash that depends on it: found by a head alone."""
    at = hands.any_record(last=REWRITTEN)
    _altered_time(hands, at)
    frontier = Frontier.at(
        lambda level, index: bytes(
            hands.one("SELECT hash FROM audit_nodes WHERE position = :p", p=position(level, index))
        ),
        at - 1,
    )
    hands.do("DELETE FROM audit_nodes WHERE position >= :p", p=node_count(at - 1))
    for sequence in range(at, hands.size + 1):
        place = node_count(frontier.size)
        for node in frontier.append(leaf_hash(hands.record(sequence))):
            hands.do("INSERT INTO audit_nodes (position, hash) VALUES (:p, :h)", p=place, h=node)
            place += 1
    # Between the two heads that were kept.
    return Wrong(101, needs_head=True)


ALL: Final[tuple[Mutate, ...]] = (
    *(alter_a_byte, alter_a_column, delete, delete_and_close_up, exchange, cut_off, insert),
    *(append, alter_a_hash, delete_a_hash, alter_with_its_own_hash),
    *(cut_off_with_the_tree, write_anew),
)


def _altered(hands: Hands, value: bytes) -> bytes:
    changed = bytearray(value)
    changed[hands.chance.randrange(len(changed))] ^= 1 << hands.chance.randrange(8)
    return bytes(changed)


def _altered_time(hands: Hands, sequence: int) -> bytes:
    """A record that says another time, in its bytes and in its column; returns the bytes."""
    record = AuditRecord.FromString(hands.record(sequence))
    record.time.seconds += 1
    row = audit_row(record, record.SerializeToString(deterministic=True))
    hands.do(
        "UPDATE audit_log SET record = :r, time = :t WHERE sequence = :n",
        r=row[RECORD],
        t=row[COLUMN_NAMES.index("time")],
        n=sequence,
    )
    return bytes(row[RECORD])


def _shift(hands: Hands, *, after: int, by: int) -> None:
    """Give the records after one other places, in two steps, for no two may have the same."""
    hands.do("UPDATE audit_log SET sequence = -(sequence + :d) WHERE sequence > :n", d=by, n=after)
    hands.do("UPDATE audit_log SET sequence = -sequence WHERE sequence < 0")


def _any_hash(hands: Hands) -> tuple[int, int]:
    """A stored hash's place, and the first record that it covers."""
    level = hands.chance.randrange(hands.size.bit_length())
    index = hands.chance.randrange(hands.size >> level)
    return position(level, index), (index << level) + 1
