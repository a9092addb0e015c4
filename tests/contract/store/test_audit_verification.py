"""Whatever is done to the audit log behind the server's back is found, and the record named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from symphony.v1.audit_pb2 import AuditRecord, AuditTreeHead
from symphony_server import audit_blocks
from symphony_server.audit_blocks import BLOCK, block_roots
from symphony_server.audit_verification import Verdict, verify_log
from symphony_server.store import merkle
from symphony_server.store.sqlite_file import SqliteFile
from tests import engines
from tests.contract.store.audit_world import AuditWorld
from tests.engines import NewDatabase

ENGINES = engines.ALL
SIZE = 21


@pytest.fixture
def world(database_url: str) -> Iterator[AuditWorld]:
    made = AuditWorld(database_url)
    made.writer().write(SIZE)
    yield made
    made.close()


@pytest.fixture(scope="module", params=ENGINES)
def large(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: NewDatabase,
) -> Iterator[AuditWorld]:
    """A log of two whole blocks and a part of one; tests put back what they change."""
    made = AuditWorld(new_database(request.param, tmp_path_factory.mktemp("large")))
    made.writer().write(2 * BLOCK + 5)
    yield made
    made.close()


def head_of(world: AuditWorld, size: int) -> AuditTreeHead:
    return AuditTreeHead(tree_size=size, root_hash=world.log().tree.root(size))


def fault(verdict: Verdict) -> tuple[int, str]:
    assert verdict.fault is not None
    assert verdict.size == max(verdict.fault.sequence - 1, 0)
    assert verdict.root == b""
    return verdict.fault.sequence, verdict.fault.problem


def test_a_log_as_it_was_written_has_no_fault(world: AuditWorld) -> None:
    heads = [head_of(world, size) for size in (0, 1, 13, SIZE)]
    verdict = verify_log(world.log(), heads)
    assert verdict == Verdict(SIZE, world.log().tree.root(SIZE), None)


def test_an_empty_log_has_no_fault(database_url: str) -> None:
    empty = AuditWorld(database_url)
    assert verify_log(empty.log()) == Verdict(0, merkle.EMPTY_ROOT, None)
    empty.close()


@pytest.mark.parametrize(
    ("statements", "sequence", "words"),
    [
        # altered
        (["UPDATE audit_log SET record = flipped(record) WHERE sequence = 7"], 7, "altered"),
        (["UPDATE audit_log SET record = flipped(record) WHERE sequence = 21"], 21, "altered"),
        (["UPDATE audit_log SET record = x'ff' WHERE sequence = 7"], 7, "altered"),
        (["UPDATE audit_log SET id = 'audit_x' WHERE sequence = 7"], 7, "(id)"),
        (["UPDATE audit_log SET user_id = 'user_9', time = 0 WHERE sequence = 7"], 7, "user_id"),
        (["UPDATE audit_log SET reason = 'X' WHERE sequence = 7"], 7, "(reason)"),
        # deleted
        (["DELETE FROM audit_log WHERE sequence = 7"], 7, "the next is 8"),
        (["DELETE FROM audit_log WHERE sequence = 1"], 1, "the next is 2"),
        (["DELETE FROM audit_log"], 1, "the log's tree has its hash"),
        # truncated, the tree not
        (["DELETE FROM audit_log WHERE sequence > 18"], 19, "the log's tree has its hash"),
        (["DELETE FROM audit_log WHERE sequence = 21"], 21, "the log's tree has its hash"),
        # put in
        (["UPDATE audit_log SET sequence = 0 WHERE sequence = 7"], 0, "before the first"),
        # reordered
        (
            [
                "UPDATE audit_log SET sequence = -7 WHERE sequence = 7",
                "UPDATE audit_log SET sequence = 7 WHERE sequence = 15",
                "UPDATE audit_log SET sequence = 15 WHERE sequence = -7",
            ],
            7,
            "has the bytes of record 15",
        ),
        # closed up after a deletion
        (
            [
                "DELETE FROM audit_log WHERE sequence = 7",
                "UPDATE audit_log SET sequence = sequence - 1 WHERE sequence > 7",
            ],
            7,
            "has the bytes of record 8",
        ),
        # altered with its own hash: of the two below the first hash that is wrong, the first
        (
            [
                "UPDATE audit_log SET record = flipped(record) WHERE sequence = 8",
                "UPDATE audit_nodes SET hash = (SELECT leaf_hash(record) FROM audit_log "
                "WHERE sequence = 8) WHERE position = place(0, 7)",
            ],
            7,
            "up to 8",
        ),
        # stored hashes: of a leaf, of inner nodes, gone, too many
        (["UPDATE audit_nodes SET hash = x'00' WHERE position = place(0, 6)"], 7, "altered"),
        (["UPDATE audit_nodes SET hash = x'00' WHERE position = place(2, 1)"], 5, "up to 8"),
        (["DELETE FROM audit_nodes WHERE position = place(3, 0)"], 1, "up to 8"),
        (["DELETE FROM audit_nodes"], 1, "altered"),
        (
            ["INSERT INTO audit_nodes SELECT max(position) + 1, x'00' FROM audit_nodes"],
            22,
            "the log's tree",
        ),
    ],
)
def test_what_was_done_to_the_log_is_found(
    world: AuditWorld, statements: list[str], sequence: int, words: str
) -> None:
    world.tamper(*statements)
    found, problem = fault(verify_log(world.log()))
    assert found == sequence
    assert words in problem


@pytest.mark.parametrize(
    ("statement", "sequence", "words"),
    [
        ("UPDATE audit_log SET record = record || x'ff' WHERE sequence = 7", 7, "be read"),
        ("UPDATE audit_log SET id = CAST(x'ff' AS TEXT) WHERE sequence = 7", 7, "be read"),
        ("UPDATE audit_log SET record = 'text' WHERE sequence = 1", 1, "no bytes"),
        (
            "UPDATE audit_nodes SET hash = CAST(x'ff' AS TEXT) "
            "WHERE position IN (place(0, 6), place(2, 3))",
            7,
            "altered",
        ),
    ],
)
def test_what_was_made_unreadable_is_found(
    tmp_path: Path, statement: str, sequence: int, words: str
) -> None:
    """Only in SQLite: PostgreSQL keeps no text that is none, nor a value of another kind."""
    world = AuditWorld(f"sqlite:///{tmp_path / 'x.db'}")
    world.writer().write(SIZE)
    world.tamper(statement)
    found, problem = fault(verify_log(world.log()))
    assert found == sequence
    assert words in problem
    world.close()


def rewrite(world: AuditWorld, size: int, altered: int | None = None) -> None:
    """Write the log anew, tree and all, cut off and with one record altered: what somebody does
    who has the database and knows how it is made.
    """
    records = [AuditRecord.FromString(row[2]) for row in world.log().rows(after=0, limit=size)]
    world.tamper("DELETE FROM audit_log", "DELETE FROM audit_nodes")
    if altered is not None:
        records[altered - 1].method = "symphony.v1.S/Other"
    remaining = iter(records)
    world.writer().write(size, lambda: next(remaining))


def test_a_log_cut_off_with_its_tree_is_found_by_a_kept_head(world: AuditWorld) -> None:
    heads = [head_of(world, 9), head_of(world, SIZE)]
    rewrite(world, SIZE - 4)
    assert verify_log(world.log()).fault is None
    assert verify_log(world.log(), heads[:1]).fault is None
    found, problem = fault(verify_log(world.log(), heads))
    assert found == SIZE - 3
    assert "a kept head covers 21 records" in problem


def test_a_log_written_anew_is_found_by_kept_heads_that_tell_where(world: AuditWorld) -> None:
    heads = [head_of(world, size) for size in (SIZE, 5, 12)]
    rewrite(world, SIZE, altered=8)
    assert verify_log(world.log()).fault is None
    assert fault(verify_log(world.log(), heads[:1]))[0] == 1
    found, problem = fault(verify_log(world.log(), heads))
    assert found == 6
    assert "up to 12" in problem


def test_a_kept_head_names_an_earlier_fault_than_the_rows_do(world: AuditWorld) -> None:
    heads = [head_of(world, 5), head_of(world, SIZE)]
    rewrite(world, SIZE, altered=2)
    world.tamper("DELETE FROM audit_log WHERE sequence = 12")
    assert fault(verify_log(world.log()))[0] == 12
    assert fault(verify_log(world.log(), heads))[0] == 1
    assert fault(verify_log(world.log(), heads[1:]))[0] == 12


@pytest.mark.parametrize("processes", [1, 2])
def test_blocks_are_verified_by_one_process_or_several(
    large: AuditWorld, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_blocks, "BLOCKS_A_TASK", 1)
    log = large.log()
    with block_roots(large.address, log, processes) as blocks:
        roots = list(blocks)
    assert roots == [log.tree.node(audit_blocks.BLOCK_LEVEL, index) for index in range(2)]
    with block_roots(large.address, log) as blocks:
        verdict = verify_log(log, [head_of(large, BLOCK + 1)], blocks)
    assert verdict == Verdict(2 * BLOCK + 5, log.tree.root(2 * BLOCK + 5), None)


@contextmanager
def tampered(world: AuditWorld, change: str, undo: str, **values: int) -> Iterator[None]:
    world.tamper(change, **values)
    try:
        yield
    finally:
        world.tamper(undo, **values)


FLIP = "UPDATE audit_log SET record = flipped(record) WHERE sequence = :n"
RENAME = "UPDATE audit_log SET method = 'other' WHERE sequence = :n"
RENAME_BACK = "UPDATE audit_log SET method = 'symphony.v1.S/M' WHERE sequence = :n"
UNREADABLE = "UPDATE audit_log SET method = CAST(x'ff' AS TEXT) WHERE sequence = :n"
LOSE = "UPDATE audit_log SET sequence = 1000000 WHERE sequence = :n"
FIND = "UPDATE audit_log SET sequence = :n WHERE sequence = 1000000"
LOSE_HASH = "UPDATE audit_nodes SET position = 1000000 WHERE position = place(0, :n - 1)"
FIND_HASH = "UPDATE audit_nodes SET position = place(0, :n - 1) WHERE position = 1000000"


@pytest.mark.parametrize("sequence", [1, 7, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
@pytest.mark.parametrize(
    ("change", "undo"),
    [
        (FLIP, FLIP),
        (RENAME, RENAME_BACK),
        (UNREADABLE, RENAME_BACK),
        (LOSE, FIND),
        (LOSE_HASH, FIND_HASH),
    ],
)
def test_a_fault_in_a_block_is_found_in_its_row(
    large: AuditWorld, sequence: int, change: str, undo: str
) -> None:
    if change == UNREADABLE and not isinstance(large.address, SqliteFile):
        change = RENAME  # what PostgreSQL keeps can be read
    with tampered(large, change, undo, n=sequence):
        log = large.log()
        with block_roots(large.address, log, processes=1) as blocks:
            assert fault(verify_log(log, (), blocks))[0] == sequence


@pytest.mark.parametrize(
    ("level", "index", "found"),
    [(0, BLOCK, BLOCK + 1), (3, 1, 9), (12, 0, 1), (12, 1, BLOCK + 1), (13, 0, 1)],
)
def test_an_altered_hash_of_a_block_is_found(
    large: AuditWorld, level: int, index: int, found: int
) -> None:
    alter = "UPDATE audit_nodes SET hash = flipped(hash) WHERE position = place(:level, :index)"
    with tampered(large, alter, alter, level=level, index=index):
        log = large.log()
        with block_roots(large.address, log, processes=1) as blocks:
            assert fault(verify_log(log, (), blocks))[0] == found
