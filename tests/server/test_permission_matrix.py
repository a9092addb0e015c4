"""Every RPC by role, relation, ownership, sharing, tier and account state, over the wire, held
against the table of `permission_matrix`.

Of each RPC all cells are walked that its request can tell apart. Left out are: sharing, and who
started it, where no workflow or execution is addressed; ownership where nothing is; being at a
limit of the tier where no limit concerns the RPC (a sample of those is among the calls that are
made for others).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc
import pytest

from symphony.v1 import policy_pb2
from tests.server.permission_lists import LISTS
from tests.server.permission_matrix import CODES, READS_EVERYTHING, TABLE, Cell, rpc_of
from tests.server.permission_requests import PAGE_SIZE, REQUESTS, Met, ask_of, request_of
from tests.server.permission_wire import METHODS, Ask, Told
from tests.server.permission_world import MatrixWorld
from tests.server.world import Person

SHOWN = 20
SAMPLE = 13
"""Every so manieth cell is also asked for by somebody who acts for its caller."""
ACT_AS = "x-symphony-act-as"
WRITES = [
    key
    for key in TABLE
    if METHODS[rpc_of(key)].GetOptions().Extensions[policy_pb2.policy].access
    == policy_pb2.ACCESS_WRITE
]


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixWorld]:
    with MatrixWorld(tmp_path_factory.mktemp("matrix")) as made:
        yield made


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

    code: str
    reasons: tuple[str, ...]

    @staticmethod
    def of(reasons: Sequence[str]) -> Outcome:
        code = CODES[reasons[0]] if reasons else grpc.StatusCode.OK
        return Outcome(code.name, tuple(reasons))

    def __str__(self) -> str:
        return f"{self.code} {' '.join(self.reasons)}".strip()


def outcomes(matrix: MatrixWorld, rpc: str, told: Sequence[Told]) -> list[Outcome]:
    """The code and every reason of each answer: the first as the caller was told it, the rest
    as they stand in the audit record that the answer names. The message tells how many.
    """
    records = matrix.wire.records(rpc, (answer.decision_id for answer in told))
    found = []
    for answer in told:
        reasons = [answer.reason] if answer.reason else []
        if answer.decision_id:
            recorded = [v.reason for v in records[answer.decision_id].violations]
            assert recorded[0] == answer.reason, "the answer and its record differ"
            reasons = recorded
        if len(reasons) > 1:
            assert answer.message.startswith(f"{len(reasons)} things are wrong"), answer.message
        found.append(Outcome(answer.code.name, tuple(reasons)))
    return found


def compare(
    matrix: MatrixWorld, key: str, cells: Sequence[Cell], told: Sequence[Told], wanted: Any
) -> None:
    """Fails with every cell whose outcome is not what `wanted` says of it."""
    found = outcomes(matrix, rpc_of(key), told)
    differ = [
        f"  {cell}: should be {should}, is {did}"
        for cell, should, did in zip(cells, map(Outcome.of, map(wanted, cells)), found, strict=True)
        if should != did
    ]
    assert not differ, f"{len(differ)} of {len(cells)} cells:\n" + "\n".join(differ[:SHOWN])


def test_the_table_has_every_rpc_of_the_contract_and_no_other() -> None:
    assert {rpc_of(key) for key in TABLE} == set(METHODS)


@pytest.mark.parametrize("rpc", METHODS)
def test_every_rpc_has_a_policy(rpc: str) -> None:
    options = METHODS[rpc].GetOptions()
    assert options.HasExtension(policy_pb2.policy)
    policy = options.Extensions[policy_pb2.policy]
    assert bool(policy.permission) != policy.anonymous
    assert policy.anonymous == all(row.anonymous for k, row in TABLE.items() if rpc_of(k) == rpc)
    assert policy.access != policy_pb2.ACCESS_UNSPECIFIED
    assert policy.audit != policy_pb2.AUDIT_UNSPECIFIED


@pytest.mark.parametrize("key", TABLE)
def test_every_cell_is_as_the_design_says(matrix: MatrixWorld, key: str) -> None:
    cells = list(TABLE[key].cells())
    asks = [ask_of(key, matrix, cell) for cell in cells]
    told = matrix.wire.ask(asks)
    compare(matrix, key, cells, told, TABLE[key].reasons)
    for cell, ask, answer in zip(cells, asks, told, strict=True):
        if answer.code == grpc.StatusCode.OK:
            tells_what_was_asked_for(key, Met(matrix, cell), ask.request, answer.response)


def tells_what_was_asked_for(key: str, met: Met, request: Any, response: Any) -> None:
    """Fails when a read tells of another resource, or a list of more or less than may be read."""
    if key in LISTS:
        listed = LISTS[key](met)
        ids = [resource.id for resource in getattr(response, listed.field)]
        if listed.everywhere and met.cell.holds(READS_EVERYTHING):
            assert len(ids) == PAGE_SIZE, met.cell
        else:
            assert len(ids) == len(listed.ids), met.cell
            assert set(ids) == listed.ids, met.cell
    elif rpc_of(key).partition("/")[2].startswith("Get") and hasattr(request, "id"):
        assert getattr(response, "id", request.id) == request.id, met.cell


@pytest.mark.parametrize("key", WRITES)
def test_a_write_that_is_meant_is_refused_for_the_same_reasons(
    matrix: MatrixWorld, key: str
) -> None:
    row = TABLE[key]
    cells = [
        cell
        for cell in row.cells()
        if (cell.tier, cell.state) == ("FREE", "ACTIVE") and row.lacking(cell)
    ]
    told = matrix.wire.ask(ask_of(key, matrix, cell, validate_only=False) for cell in cells)
    compare(matrix, key, cells, told, row.lacking)


@pytest.mark.parametrize("key", TABLE)
def test_who_acts_for_another_may_what_the_other_may(matrix: MatrixWorld, key: str) -> None:
    actors = [matrix.service.person, matrix.world.admin]
    cells = [replace(cell, full=True) for cell in TABLE[key].cells()]
    for actor, sample in zip(actors, (cells[::SAMPLE], cells[3::SAMPLE]), strict=True):
        asks = [ask_of(key, matrix, cell) for cell in sample]
        told = matrix.wire.ask(replace(ask, person=actor.acting_as(ask.person.id)) for ask in asks)
        compare(matrix, key, sample, told, TABLE[key].reasons)
        records = matrix.wire.records(rpc_of(key), (answer.decision_id for answer in told))
        for ask, cell, answer in zip(asks, sample, told, strict=True):
            if answer.decision_id and cell.state == "ACTIVE":
                record = records[answer.decision_id]
                assert (record.caller_id, record.user_id) == (actor.id, ask.person.id)


ABLE = Cell("ADMIN", "OWNER", "ENTERPRISE", "ACTIVE", False, False, False, False)
"""A caller who may do everything by itself."""


@pytest.mark.parametrize("key", TABLE)
def test_only_service_and_admin_act_for_another(matrix: MatrixWorld, key: str) -> None:
    refused = () if TABLE[key].anonymous else ("ACT_AS_NOT_ALLOWED",)
    cells = [replace(ABLE, role=role) for role in ("VIEWER", "DEVELOPER", "AUDITOR")]
    asks = [ask_of(key, matrix, cell) for cell in cells]
    for other in (matrix.world.admin.id, matrix.newcomer.person.id, matrix.service.person.id):
        told = matrix.wire.ask(replace(ask, extra=((ACT_AS, other),)) for ask in asks)
        compare(matrix, key, cells, told, lambda _: refused)


@pytest.mark.parametrize("role", ["SERVICE", "ADMIN"])
@pytest.mark.parametrize("key", TABLE)
def test_who_is_suspended_does_not_act_for_another(
    matrix: MatrixWorld, key: str, role: str
) -> None:
    refused = () if TABLE[key].anonymous else ("USER_SUSPENDED",)
    suspended = matrix.holdings(replace(ABLE, role=role, state="SUSPENDED")).person
    ask = ask_of(key, matrix, ABLE)
    told = matrix.wire.ask([replace(ask, person=suspended.acting_as(ask.person.id))])
    compare(matrix, key, [ABLE], told, lambda _: refused)


@pytest.mark.parametrize("key", TABLE)
def test_no_other_header_names_a_user(matrix: MatrixWorld, key: str) -> None:
    refused = () if TABLE[key].anonymous else ("ACT_AS_NOT_ALLOWED",)
    ask = ask_of(key, matrix, ABLE)
    told = matrix.wire.ask([replace(ask, extra=(("x-symphony-user-id", ask.person.id),))])
    compare(matrix, key, [ABLE], told, lambda _: refused)


@pytest.mark.parametrize("key", TABLE)
def test_without_credentials_there_is_nothing_but_what_needs_none(
    matrix: MatrixWorld, key: str
) -> None:
    (told,) = matrix.wire.ask([replace(ask_of(key, matrix, ABLE), person=matrix.world.stranger)])
    refused = () if TABLE[key].anonymous else ("CREDENTIALS_MISSING",)
    assert Outcome(told.code.name, (told.reason,) if told.reason else ()) == Outcome.of(refused)


def permissions() -> dict[str, str]:
    """RPC → the permission that its policy names."""
    policies = {rpc: m.GetOptions().Extensions[policy_pb2.policy] for rpc, m in METHODS.items()}
    return {rpc: policy.permission for rpc, policy in policies.items() if not policy.anonymous}


def covers(scope: str, permission: str) -> bool:
    """Whether a token with a scope may be used for a permission."""
    return scope in ("*", permission) or (scope.endswith(".") and permission.startswith(scope))


def test_a_token_may_be_used_for_what_its_scopes_cover(matrix: MatrixWorld) -> None:
    named = permissions()
    kinds = sorted({f"{permission.partition('.')[0]}." for permission in named.values()})
    owner = matrix.holdings(ABLE).person
    scoped = {
        scope: Person(owner.channel, matrix.world.token(owner.id, [scope]), owner.user)
        for scope in (*kinds, *sorted(set(named.values())))
    }
    wrong = []
    for rpc, key in {rpc_of(key): key for key in REQUESTS}.items():
        permission = named.get(rpc, "")
        kind = f"{permission.partition('.')[0]}."
        scopes = [scope for scope in scoped if scope in kinds or scope.startswith(kind)]
        request = request_of(key, Met(matrix, ABLE))
        told = matrix.wire.ask(
            Ask(rpc, with_scope(rpc, request, scope), scoped[scope]) for scope in scopes
        )
        for scope, answer in zip(scopes, told, strict=True):
            refused = answer.reason == "TOKEN_SCOPE_REQUIRED"
            if refused == (not permission or covers(scope, permission)):
                wrong.append(f"{rpc} with {scope}: {answer.code.name} {answer.reason}")
    assert not wrong, "\n".join(wrong[:SHOWN])


def with_scope(rpc: str, request: Any, scope: str) -> Any:
    """The request; that for a token asks for no more than the token it is asked with has."""
    if rpc != "AccessService/CreateToken":
        return request
    asked = type(request)()
    asked.CopyFrom(request)
    asked.scopes.append(scope)
    return asked


@pytest.mark.parametrize("key", [k for k in TABLE if k.startswith("TransactionService/")])
def test_a_transaction_needs_the_scopes_of_its_operations(matrix: MatrixWorld, key: str) -> None:
    ask = ask_of(key, matrix, ABLE)
    secret = matrix.world.token(ask.person.id, ["transactions."])
    told = matrix.wire.ask([replace(ask, person=Person(ask.person.channel, secret))])
    compare(matrix, key, [ABLE], told, lambda _: ("TOKEN_SCOPE_REQUIRED",))
