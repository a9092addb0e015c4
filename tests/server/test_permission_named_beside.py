"""What a request names besides what it addresses, or in vain, tells nothing of what is hidden:
the answers for what exists and for what does not are the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from buf.validate import validate_pb2
from symphony_server.ids import KINDS, new_id
from tests.server.permission_matrix import CODES, ROLES, TABLE, Cell, rpc_of
from tests.server.permission_named import NAMED, WATCHED, Naming
from tests.server.permission_pairs import (
    Asked,
    ask_for_both,
    explain_apart,
    report,
    tell_apart,
)
from tests.server.permission_requests import ADDRESSED, Met, request_of
from tests.server.permission_wire import METHODS, Ask
from tests.server.permission_world import BOTH, MatrixWorld


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixWorld]:
    with MatrixWorld(tmp_path_factory.mktemp("matrix")) as made:
        yield made


def naming_requests(naming: Naming, matrix: MatrixWorld) -> Iterator[Asked]:
    for cell in naming.cells():
        met = Met(matrix, cell)
        request = naming.request(met)
        if not naming.allowed:
            yield Asked(str(cell), met.holdings.person, request)
        if "validate_only" in request.DESCRIPTOR.fields_by_name:
            validated = type(request)()
            validated.CopyFrom(request)
            validated.validate_only = True
            yield Asked(f"{cell}, validated", met.holdings.person, validated)


@pytest.mark.parametrize("key", NAMED)
def test_what_is_named_beside_tells_nothing_of_what_is_hidden(
    matrix: MatrixWorld, key: str
) -> None:
    naming = NAMED[key]
    pairs = ask_for_both(matrix, rpc_of(key), naming.path, naming_requests(naming, matrix))
    explained = [p for p in pairs if p.of_hidden.decision_id and p.of_absent.decision_id]
    found = tell_apart(pairs) or explain_apart(matrix, explained)
    assert not found, report(found)


def test_a_watch_of_a_hidden_project_is_one_of_an_absent_project(matrix: MatrixWorld) -> None:
    requests = naming_requests(WATCHED, matrix)
    for pair in ask_for_both(matrix, "ChangeService/Watch", WATCHED.path, requests):
        assert pair.of_hidden.code == grpc.StatusCode.OK
        for answer in (pair.of_hidden, pair.of_absent):
            answer.response.checkpoint.ClearField("time")
        assert pair.of_hidden == pair.of_absent


@pytest.mark.parametrize("validate_only", BOTH, ids=["meant", "validated"])
@pytest.mark.parametrize(
    "key", ["WorkflowService/CreateWorkflow", "ExtensionService/InstallExtension"]
)
def test_a_project_that_is_not_there_is_not_found_by_admin_and_closed_to_all_others(
    matrix: MatrixWorld, key: str, validate_only: bool
) -> None:
    for role in ROLES:
        cell = Cell(role, "", "PRO", "ACTIVE", False, False, False, False)
        met = Met(matrix, cell)
        request = request_of(key, met, validate_only=validate_only)
        request.project_id = new_id("project")
        (told,) = matrix.wire.ask([Ask(key, request, met.holdings.person)])
        lacking = ("RESOURCE_NOT_FOUND",) if role == "ADMIN" else TABLE[key].lacking(cell)
        record = matrix.wire.records(key, [told.decision_id])[told.decision_id]
        assert told.code == CODES[lacking[0]]
        assert tuple(v.reason for v in record.violations) == lacking


def id_fields(message: Descriptor, prefix: str = "") -> Iterator[str]:
    """The paths of all fields that the contract says hold an id."""
    for field in message.fields:
        path = f"{prefix}{field.name}"
        if field.type == FieldDescriptor.TYPE_STRING:
            rules = field.GetOptions().Extensions[validate_pb2.field]
            pattern = rules.repeated.items.string.pattern or rules.string.pattern
            if any(kind in pattern.partition("_[")[0] for kind in KINDS):
                yield path
        elif field.message_type is not None and field.message_type.file.package == "symphony.v1":
            yield from id_fields(field.message_type, f"{path}.")


def test_every_id_that_a_request_may_name_is_tried() -> None:
    tried = set(ADDRESSED.items())
    tried |= {(rpc_of(key), naming.path) for key, naming in NAMED.items()}
    tried |= {("ChangeService/Watch", WATCHED.path)}
    named = {
        (rpc, path)
        for rpc, method in METHODS.items()
        for path in id_fields(method.input_type)
        if not path.startswith("operations.")  # each is the request of another RPC
    }
    assert named - tried == set()
