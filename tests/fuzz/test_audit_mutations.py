"""Audit logs that were tampered with, each way once: the everyday size of what `make fuzz` does."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests import engines
from tests.contract.store.audit_world import AuditWorld
from tests.engines import NewDatabase
from tests.fuzz.audit_mutations import MutatedLog, altered_heads
from tests.fuzz.audit_tampering import ALL, Mutate

SEED = 7


@pytest.fixture(scope="module", params=engines.ALL)
def log(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_database: NewDatabase,
) -> Iterator[MutatedLog]:
    world = AuditWorld(new_database(request.param, tmp_path_factory.mktemp("mutated")))
    made = MutatedLog(world, random.Random(SEED))  # noqa: S311 - the same mutations every time
    yield made
    made.check_unharmed()
    world.close()


@pytest.mark.parametrize("mutate", ALL, ids=lambda mutate: mutate.__name__)
def test_a_mutation_is_found_where_it_is(log: MutatedLog, mutate: Mutate) -> None:
    log.try_one(mutate)


def test_an_altered_head_is_not_taken_for_signed() -> None:
    assert altered_heads(random.Random(SEED), 200) == 200  # noqa: S311
