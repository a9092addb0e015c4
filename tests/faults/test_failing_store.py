"""Each operation of the store fails, one after the other, under each kind of write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import grpc
import pytest

from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony_server import main
from symphony_server.identities import StoredIdentities
from symphony_server.store.database import parse_url
from tests import engines
from tests.faults.failing_store import COMMIT, OPEN, Plan, When, let_fail
from tests.server.world import Person, World, read_refusal, spec

ENGINES = engines.ALL


class Asking:
    """Somebody who writes to a server whose store fails by a plan."""

    def __init__(self, world: World, plan: Plan) -> None:
        self.world = world
        self.plan = plan
        self.owner: Person = world.user()
        self.project = world.project(self.owner)
        self._count = count()

    def create(self, name: str) -> tuple[Any, Any]:
        request = self.world.new_workflow(self.project.id, spec=spec(name), request_id=name)
        return self.owner.workflows.CreateWorkflow, request

    def transaction(self, name: str) -> tuple[Any, Any]:
        # Of two: half of it would be seen.
        operations = [
            TransactionOperation(
                create_workflow=self.world.new_workflow(self.project.id, spec=spec(f"{name}{part}"))
            )
            for part in ("", " and more")
        ]
        request = ExecuteTransactionRequest(operations=operations, request_id=name)
        return self.owner.transactions.ExecuteTransaction, request

    def kept(self, name: str) -> list[int]:
        """How many workflows of a name there are, and changes and records by its request."""
        return [
            *(
                len(self.world.query(f"SELECT 1 FROM workflows WHERE name_key = '{each}'"))  # noqa: S608
                for each in (name, f"{name} and more")
            ),
            len(self.world.query(f"SELECT 1 FROM changes WHERE request_id = '{name}'")),  # noqa: S608
            len(self.world.audit(lambda record: record.request_id == name)),
        ]


@pytest.fixture
def asking(
    engine: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Asking]:
    # Nobody else writes meanwhile, so that operations can be counted.
    monkeypatch.setattr(StoredIdentities, "used", lambda *_: None)
    monkeypatch.setattr(main, "_keep_house", AsyncMock())
    plan = let_fail(monkeypatch, parse_url(database_url), engine)
    with World(tmp_path, database_url, rate_limits=False) as world:
        yield Asking(world, plan)


WRITES: dict[str, tuple[Callable[..., tuple[Any, Any]], list[int]]] = {
    "create": (Asking.create, [1, 0, 1, 1]),
    # A record of the whole, and one of each part.
    "transaction": (Asking.transaction, [1, 1, 2, 3]),
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("kind", WRITES)
def test_whichever_operation_fails_a_write_is_done_once_or_told_as_unknown(
    asking: Asking, engine: str, kind: str, when: When, lasting: bool
) -> None:
    prepared, done_once = WRITES[kind]
    plan = asking.plan
    method, request = prepared(asking, "first")
    plan.clear()
    asking.owner.get(method, request)
    operations = plan.done
    fired = []
    for number in count(1):
        name = f"n{number}"
        method, request = prepared(asking, name)
        plan.fail_at(number, when, lasting=lasting)
        refused = None
        try:
            asking.owner.get(method, request)
        except grpc.RpcError as error:
            refused = read_refusal(error)
        failed = plan.fired
        plan.clear()
        if not failed:
            assert refused is None
            break
        fired.append(failed[0])
        if refused is None:
            # It was tried again by itself, which only PostgreSQL's failures call for.
            assert engine == engines.POSTGRESQL
            assert failed[0] != COMMIT
            assert not lasting
        else:
            assert (refused.code, refused.reason) == (
                grpc.StatusCode.UNAVAILABLE,
                "STORE_UNAVAILABLE",
            )
            assert "told to fail" not in f"{refused.message}{refused.metadata}"
            there = failed[0] == COMMIT and when is When.AFTER
            assert asking.kept(name) == (done_once if there else [0, 0, 0, 0])
            # Asked for again, with what failed mended: at once, and the same if it was done.
            asking.owner.get(method, request)
        assert asking.kept(name) == done_once
    # Each operation of the write was made to fail, in its place.
    assert fired == operations


def test_a_database_that_does_not_open_is_told_and_opened_later(asking: Asking) -> None:
    # A first failure drops the session, so that the next write opens one.
    method, request = asking.create("again")
    asking.plan.fail_at(1, When.BEFORE, lasting=True)
    for _ in range(2):
        assert asking.owner.refused(method, request).reason == "STORE_UNAVAILABLE"
    assert OPEN in asking.plan.fired
    asking.plan.clear()
    asking.owner.get(method, request)
    assert asking.kept("again") == [1, 0, 1, 1]
