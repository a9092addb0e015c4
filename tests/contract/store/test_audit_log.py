"""What the audit log promises: a gapless sequence, sealed in its tree with the batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from symphony.v1.audit_pb2 import AuditOutcome, AuditRecord
from symphony_server.audit_verification import verify_log
from symphony_server.store.audit_listing import AUDIT_RECORDS
from symphony_server.store.audit_log import AuditLog
from symphony_server.store.audit_tree import AuditTreeDamaged
from tests import engines
from tests.contract.store.audit_world import AuditWorld, new_record
from tests.unit.merkle import naive

ENGINES = engines.ALL


@pytest.fixture
def world(database_url: str) -> Iterator[AuditWorld]:
    made = AuditWorld(database_url)
    yield made
    made.close()


def roots(log: AuditLog) -> tuple[bytes, bytes]:
    """The root as it is stored, and as it follows from the records."""
    leaves = [row[2] for row in log.rows(after=0, limit=10_000)]
    assert log.tree.size() == len(leaves)
    return log.tree.root(len(leaves)), naive.root(leaves)


def test_an_empty_log_has_the_root_of_the_empty_tree(world: AuditWorld) -> None:
    stored, computed = roots(world.log())
    assert stored == computed


def test_records_are_sealed_in_order_whatever_the_batches(world: AuditWorld) -> None:
    writer = world.writer()
    records = [r for count in (1, 2, 1, 7, 64, 3) for r in writer.write(count)]
    assert [r.sequence for r in records] == list(range(1, 79))
    log = world.log()
    assert [log.get(r.id) for r in records] == records
    stored, computed = roots(log)
    assert stored == computed
    leaves = [r.SerializeToString(deterministic=True) for r in records]
    assert log.tree.inclusion_proof(41, 60) == naive.path(41, leaves[:60])
    assert log.tree.consistency_proof(12, 60) == naive.proof(12, leaves[:60])


def test_what_is_rolled_back_is_neither_in_the_log_nor_in_the_tree(world: AuditWorld) -> None:
    writer = world.writer()
    transaction = writer.transaction
    kept = writer.write(3)
    transaction.begin()
    with transaction.savepoint():
        transaction.audit.append(kept_here := new_record())
    with suppress(ZeroDivisionError), transaction.savepoint():
        transaction.audit.append(new_record())
        with transaction.savepoint(keep=False):
            transaction.audit.append(new_record())
        raise ZeroDivisionError
    transaction.audit.append(after := new_record())
    transaction.seal()
    transaction.commit()
    assert [kept_here.sequence, after.sequence] == [4, 5]
    log = world.log()
    assert [row[1] for row in log.rows(after=0, limit=9)] == [
        r.id for r in (*kept, kept_here, after)
    ]
    stored, computed = roots(log)
    assert stored == computed


def test_a_batch_without_records_seals_nothing(world: AuditWorld) -> None:
    writer = world.writer()
    writer.write(0)
    assert world.log().tree.size() == 0


def test_writers_take_turns(world: AuditWorld) -> None:
    one, other = world.writer(), world.writer()
    records = [r for _ in range(6) for writer in (one, other, other) for r in writer.write(2)]
    assert [r.sequence for r in records] == list(range(1, 37))
    stored, computed = roots(world.log())
    assert stored == computed


def test_a_log_that_was_cut_off_goes_on_after_the_gap(world: AuditWorld) -> None:
    writer = world.writer()
    writer.write(5)
    world.tamper("DELETE FROM audit_log WHERE sequence > 3")
    for next_writer in (writer, world.writer()):
        next_writer.write(1)
    assert [row[0] for row in world.log().rows(after=0, limit=9)] == [1, 2, 3, 6, 7]
    verdict = verify_log(world.log())
    assert verdict.fault is not None
    assert verdict.fault.sequence == 4


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM audit_nodes WHERE position > 4",  # ends before the log
        "DELETE FROM audit_nodes WHERE position = 6",  # ends between two sizes
        "DELETE FROM audit_nodes WHERE position = 2",  # an inner one is gone
    ],
)
def test_nothing_is_written_to_a_log_whose_tree_lost_hashes(world: AuditWorld, damage: str) -> None:
    world.writer().write(4)
    world.tamper(damage)
    if damage.endswith("= 2"):
        world.writer().write(0)  # not of the right edge: only its proofs fail
        with pytest.raises(AuditTreeDamaged, match="symphony audit verify"):
            world.log().tree.inclusion_proof(2, 4)
    else:
        with pytest.raises(AuditTreeDamaged, match="symphony audit verify"):
            world.writer().write(1)


def test_columns_say_what_the_record_says(world: AuditWorld) -> None:
    world.writer().write(1)
    denied = AuditOutcome.AUDIT_OUTCOME_DENIED
    other = {"caller_id": "user_2", "resource_id": "r", "reason": "X", "outcome": denied}
    world.writer().write(1, lambda: new_record(**other))
    rows = world.log().rows(after=0, limit=9)
    time = 1_700_000_000_000_000
    assert [row[3:] for row in rows] == [
        (time, None, "user_1", "", "symphony.v1.S/M", None, None),
        (time, "user_2", "user_1", "r", "symphony.v1.S/M", denied, "X"),
    ]


def test_a_record_is_listed_under_both_who_called_and_for_whom(world: AuditWorld) -> None:
    writer = world.writer()
    own, acted, others = (
        writer.write(1, lambda fields=fields: new_record(**fields))[0]  # type: ignore[misc]
        for fields in (
            {"caller_id": "user_7", "user_id": "user_7"},
            {"caller_id": "user_7", "user_id": "user_8"},
            {"caller_id": "user_8", "user_id": "user_8"},
        )
    )

    def listed(**filters: str) -> list[AuditRecord]:
        page = writer.transaction.lists.page(
            AUDIT_RECORDS, filters, order="time", size=9, start=None, visible_to=None
        )
        return [AuditRecord.FromString(row[0]) for row in page.rows]

    assert listed(caller_id="user_7") == [own, acted]
    assert listed(user_id="user_8") == [acted, others]
    assert listed(caller_id="user_8") == [others]
    assert listed(caller_id="user_7", user_id="user_8") == [acted]
