"""Audit logs in databases of both engines, to which one thing was done behind the server's back:
what `symphony audit verify` does finds it, and names the first record that is wrong.

The log has one whole block of 4096 records and more, so that what verifies blocks and what
verifies rows are both meant. Each mutation is undone by a rollback.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Final

from symphony.v1.audit_pb2 import AuditTreeHead
from symphony_server.audit_blocks import BLOCK
from symphony_server.operator_audit import verify_whole
from symphony_server.store.sqlite_file import SqliteFile
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.audit.signing import HeadSigner, is_signed
from tests.contract.store.audit_world import AuditWorld
from tests.fuzz.audit_tampering import ALL, Hands, Mutate

SIZE: Final = BLOCK + 37
KEPT: Final = (100, SIZE)
"""Sizes of the heads that were kept elsewhere."""


class MutatedLog:
    """A log, what was done to it, and how often."""

    def __init__(self, world: AuditWorld, chance: random.Random) -> None:
        """Write the log."""
        self._world, self._chance = world, chance
        self.done: Counter[str] = Counter()
        """Kind of mutation → how often it was made, and found where it is."""
        world.writer().write(SIZE)
        tree = world.log().tree
        self.heads = [AuditTreeHead(tree_size=size, root_hash=tree.root(size)) for size in KEPT]

    def try_any(self) -> None:
        """Make any mutation."""
        self.try_one(self._chance.choice(ALL))

    def try_one(self, mutate: Mutate) -> None:
        """Make a mutation; fails unless it is found, and the first record named."""
        with self._undone() as hands:
            wrong = mutate(hands)
            log = Snapshot(hands.session).audit
            without = verify_whole(self._world.address, log)
            found = verify_whole(self._world.address, log, self.heads)
        assert found.fault is not None, (mutate.__name__, wrong)
        assert found.fault.sequence == wrong.first, (mutate.__name__, wrong, found)
        # Without a head a log that was written anew is like one that nobody touched.
        assert (without.fault is None) == wrong.needs_head, (mutate.__name__, wrong, without)
        self.done[mutate.__name__] += 1

    def check_unharmed(self) -> None:
        """The log is as it was written."""
        with self._undone() as hands:
            log = Snapshot(hands.session).audit
            assert verify_whole(self._world.address, log, self.heads).fault is None

    @contextmanager
    def _undone(self) -> Iterator[Hands]:
        with closing(self._world.address.open(read_only=False)) as session:
            session.begin_batch()
            if not isinstance(self._world.address, SqliteFile):
                # Verifying holds the lock for as long as it takes; nobody else wants it.
                session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield Hands(session, self._chance, SIZE)
            session.execute("ROLLBACK")


def altered_heads(chance: random.Random, count: int) -> int:
    """Alter so many signed heads by a byte; fails when one of them is taken for signed. Returns
    how many were told from what was signed.
    """
    signer = HeadSigner(chance.randbytes(32))
    signed = signer.sign(SIZE, chance.randbytes(32), 1_700_000_000_000_000)
    assert is_signed(signed)
    for _ in range(count):
        altered = AuditTreeHead()
        altered.CopyFrom(signed)
        match chance.choice(["signature", "root_hash", "public_key", "tree_size", "time"]):
            case "tree_size":
                altered.tree_size ^= 1 << chance.randrange(40)
            case "time":
                altered.time.seconds ^= 1 << chance.randrange(30)
            case name:
                changed = bytearray(getattr(altered, name))
                changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
                setattr(altered, name, bytes(changed))
        assert not (is_signed(altered) and altered.public_key == signer.public_key), altered
    return count
