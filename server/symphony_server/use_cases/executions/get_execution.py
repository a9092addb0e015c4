"""Gets an execution."""

from __future__ import annotations

from functools import partial

from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import GetExecutionRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony_server.access.decisions import decide
from symphony_server.refusal import not_found
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.facts import workflow_facts


def get_execution(snapshot: Snapshot, call: Call, request: GetExecutionRequest) -> Execution:
    """The execution with the id."""
    return permitted_execution(snapshot, call, "executions.read", request.id, field="id")[0]


def permitted_execution(
    snapshot: Snapshot, call: Call, permission: str, execution_id: str, *, field: str
) -> tuple[Execution, Workflow]:
    """An execution and its workflow, once it is decided that the caller has a permission.

    Ends the judgement's stage: raises Refused when the caller has not.
    """
    call.resource_id = execution_id
    execution = snapshot.executions.get(execution_id)
    workflow, facts = None, None
    if execution is not None:
        workflow, relation = snapshot.workflows.get(execution.workflow_id, call.caller.user.id)
        if workflow is not None:
            facts = workflow_facts(workflow, relation, started_by=execution.user_id)
    found = None if execution is None or workflow is None else (execution, workflow)
    absent = partial(not_found, "execution", execution_id, field=field)
    decision = decide(permission, call.caller.user, facts)
    existing = call.judgement.existing(decision, found, absent)
    call.judgement.end_stage()
    return existing
