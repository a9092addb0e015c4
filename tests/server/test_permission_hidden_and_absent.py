"""What exists but must not be known of is answered, byte for byte, like what does not exist."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from symphony_server.ids import new_id
from tests.server.permission_matrix import OPERATIONS, TABLE, Cell, hidden_cells, rpc_of
from tests.server.permission_pairs import (
    SAME_REQUEST_ID,
    Asked,
    ask_for_both,
    explain_apart,
    face,
    report,
    tell_apart,
)
from tests.server.permission_requests import ADDRESSED, REQUESTS, Met, request_of
from tests.server.permission_wire import Ask
from tests.server.permission_world import MatrixWorld

SAMPLE = 3
"""Every so manieth decision is explained."""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixWorld]:
    with MatrixWorld(tmp_path_factory.mktemp("matrix")) as made:
        yield made


def addressed_path(key: str) -> str:
    operation = key.partition("ExecuteTransaction: ")[2]
    if operation:
        return f"operations.{operation}.{ADDRESSED[rpc_of(OPERATIONS[operation])]}"
    return ADDRESSED[rpc_of(key)]


def hidden_requests(key: str, matrix: MatrixWorld, *, validate_only: bool) -> Iterator[Asked]:
    for cell in hidden_cells(key):
        met = Met(matrix, cell)
        request = request_of(key, met, validate_only=validate_only)
        name = f"{cell}{', validated' if validate_only else ''}"
        yield Asked(name, met.holdings.person, request)


@pytest.mark.parametrize("key", [key for key in TABLE if hidden_cells(key)])
def test_what_is_hidden_is_answered_as_if_it_were_absent(matrix: MatrixWorld, key: str) -> None:
    requests = [
        *hidden_requests(key, matrix, validate_only=False),
        *hidden_requests(key, matrix, validate_only=True),
    ]
    found = tell_apart(ask_for_both(matrix, rpc_of(key), addressed_path(key), requests))
    assert not found, report(found)


@pytest.mark.parametrize("key", [key for key in TABLE if hidden_cells(key)])
def test_what_is_hidden_is_explained_as_if_it_were_absent(matrix: MatrixWorld, key: str) -> None:
    requests = list(hidden_requests(key, matrix, validate_only=False))[::SAMPLE]
    pairs = ask_for_both(matrix, rpc_of(key), addressed_path(key), requests)
    found = explain_apart(matrix, pairs)
    assert not found, report(found)


@pytest.mark.parametrize("role", ["VIEWER", "DEVELOPER", "AUDITOR"])
def test_who_may_not_act_for_others_does_not_learn_who_there_is(
    matrix: MatrixWorld, role: str
) -> None:
    met = Met(matrix, Cell(role, "", "PRO", "ACTIVE", False, False, False, False))
    request = REQUESTS["AccessService/WhoAmI"](met)
    faces = []
    for other in (matrix.newcomer.person.id, new_id("user")):
        extra = (*SAME_REQUEST_ID, ("x-symphony-act-as", other))
        ask = Ask("AccessService/WhoAmI", request, met.holdings.person, extra)
        faces.append(face(matrix.wire.ask([ask])[0], other))
    assert faces[0] == faces[1]
