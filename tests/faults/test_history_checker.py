"""The checker explains what a server really did, and finds each kind of fault planted in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from symphony.v1.transaction_pb2 import TransactionOperation, TransactionResult
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from tests.engines import SQLITE
from tests.faults.histories import database, record
from tests.faults.history import UNKNOWN, Call, History, Watched
from tests.faults.history_checker import check

SECONDS = 2.5
ENOUGH_REVISIONS = 100
ATTEMPTS = 8

Plant = Callable[[History], None]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> History:
    """What happened on a real server, long enough that everything did."""
    for _ in range(ATTEMPTS):
        directory = tmp_path_factory.mktemp("history")
        with database(SQLITE, directory) as url:
            history, _ = record(SECONDS, SQLITE, url, directory)
        if history.end_revision - history.start_revision >= ENOUGH_REVISIONS:
            return history
    raise AssertionError("this machine is too slow for a history")


def allowed(history: History, kind: type[Any]) -> Iterator[Call]:
    return (call for call in history.calls if isinstance(call.request, kind) and not call.reason)


def versions(history: History, workflow_id: str) -> list[Call]:
    """The lone updates of a workflow, in order."""
    made = [
        call
        for call in allowed(history, UpdateWorkflowRequest)
        if call.request.workflow.id == workflow_id
    ]
    return sorted(made, key=lambda call: call.revision or 0)


def watcher(history: History) -> Watched:
    return next(watched for watched in history.watches if watched.person.name == "owner")


def stale_read(history: History) -> None:
    for call in allowed(history, GetWorkflowRequest):
        older = [
            made for made in versions(history, call.request.id) if made.responded < call.invoked
        ]
        if len(older) >= 2:
            call.response = older[-2].response
            return
    raise AssertionError("nobody read what was changed twice")


def read_from_the_future(history: History) -> None:
    for call in allowed(history, GetWorkflowRequest):
        later = [
            made for made in versions(history, call.request.id) if made.invoked > call.responded
        ]
        if later:
            call.response = later[0].response
            return
    raise AssertionError("nobody read what was changed later")


def hidden_read(history: History) -> None:
    seen = next(allowed(history, GetWorkflowRequest))
    stranger = next(call for call in history.calls if call.person.name == "stranger")
    seen.person = stranger.person


def visible_read_refused(history: History) -> None:
    for call in allowed(history, GetWorkflowRequest):
        if call.person.is_admin and call.request.id in lasting(history, call):
            call.reason, call.response = "RESOURCE_NOT_FOUND", None
            return
    raise AssertionError("the ADMIN read nothing that stayed")


def one_left_out_of_a_list(history: History) -> None:
    for call in allowed(history, ListWorkflowsRequest):
        there = lasting(history, call)
        for number, workflow in enumerate(call.response.workflows):
            if call.person.is_admin and workflow.id in there:
                del call.response.workflows[number]
                return
    raise AssertionError("the ADMIN listed nothing that stayed")


def lasting(history: History, during: Call) -> set[str]:
    """The workflows that were there all the time while a call was made."""
    made = {
        call.response.id
        for call in allowed(history, CreateWorkflowRequest)
        if call.responded < during.invoked
    }
    for call in history.calls:
        if call.is_read or call.reason not in ("", UNKNOWN) or call.invoked > during.responded:
            continue
        if isinstance(call.request, DeleteWorkflowRequest):
            made.discard(call.request.id)
        if isinstance(call.request, ExecuteTransactionRequest):
            made -= {operation.delete_workflow.id for operation in call.request.operations}
    return made


def lost_update(history: History) -> None:
    """Somebody changed what somebody else had changed meanwhile, and their etag was taken."""
    for call in allowed(history, UpdateWorkflowRequest):
        before = [made for made in versions(history, call.request.workflow.id) if made is not call]
        if call.request.workflow.etag and before:
            stale = {made.response.etag for made in before} - {call.request.workflow.etag}
            if stale:
                call.request.workflow.etag = min(stale)
                return
    raise AssertionError("nothing was changed twice with an etag")


def change_undone(history: History) -> None:
    call = next(allowed(history, UpdateWorkflowRequest))
    call.response.spec.steps[0].command = "echo something else"


def etag_again(history: History) -> None:
    for call in allowed(history, UpdateWorkflowRequest):
        older = [m for m in versions(history, call.response.id) if m.responded < call.invoked]
        if older:
            call.response.etag = older[0].response.etag
            return
    raise AssertionError("nothing was changed twice")


def forbidden_write(history: History) -> None:
    stranger = next(call for call in history.calls if call.person.name == "stranger")
    next(allowed(history, UpdateWorkflowRequest)).person = stranger.person


def refused_without_a_reason(history: History) -> None:
    call = next(c for c in history.calls if c.reason == "DUPLICATE_NAME" and c.person.is_admin)
    call.reason = "OWNER_REQUIRED"


def half_a_transaction(history: History) -> None:
    """An operation that was answered, and not done."""
    call = next(allowed(history, ExecuteTransactionRequest))
    gone = DeleteWorkflowRequest(id=_last(history).id)
    call.request.operations.append(TransactionOperation(delete_workflow=gone))
    result = TransactionResult()
    result.empty.SetInParent()
    call.response.results.append(result)


def _last(history: History) -> Workflow:
    made: Workflow = list(allowed(history, UpdateWorkflowRequest))[-1].response
    return made


def lost_write(history: History) -> None:
    """A revision that nobody was told of."""
    history.calls.remove(next(allowed(history, UpdateWorkflowRequest)))


def two_of_one_revision(history: History) -> None:
    one, other, *_ = allowed(history, UpdateWorkflowRequest)
    one.revision = other.revision


def order_turned(history: History) -> None:
    """A write that ended before another began, and has its revision."""
    writes = [c for c in allowed(history, UpdateWorkflowRequest) if c.revision]
    writes.sort(key=lambda call: call.revision or 0)
    first, last = writes[0], writes[-1]
    assert first.responded < last.invoked
    first.invoked, last.invoked = last.invoked, first.invoked
    first.responded, last.responded = last.responded, first.responded


def missed_change(history: History) -> None:
    changes = watcher(history).changes
    del changes[len(changes) // 2]


def missed_last_change(history: History) -> None:
    del watcher(history).changes[-1]


def repeated_change(history: History) -> None:
    changes = watcher(history).changes
    changes.insert(len(changes) // 2, changes[len(changes) // 2])


def changes_out_of_order(history: History) -> None:
    changes = watcher(history).changes
    middle = len(changes) // 2
    changes[middle : middle + 2] = reversed(changes[middle : middle + 2])


def change_of_something_hidden(history: History) -> None:
    stranger = next(each for each in history.watches if each.person.name == "stranger")
    stranger.changes.append(watcher(history).changes[-1])


PLANTS: tuple[Plant, ...] = (
    stale_read,
    read_from_the_future,
    hidden_read,
    visible_read_refused,
    one_left_out_of_a_list,
    lost_update,
    change_undone,
    etag_again,
    forbidden_write,
    refused_without_a_reason,
    half_a_transaction,
    lost_write,
    two_of_one_revision,
    order_turned,
    missed_change,
    missed_last_change,
    repeated_change,
    changes_out_of_order,
    change_of_something_hidden,
)


@pytest.mark.timeout(120)
def test_what_really_happened_is_explained(recorded: History) -> None:
    assert check(recorded) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found(recorded: History, plant: Plant) -> None:
    history = deepcopy(recorded)
    plant(history)
    assert check(history)
