"""Gets a workflow."""

from __future__ import annotations

from functools import partial

from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import GetWorkflowRequest
from symphony_server.access.decisions import decide
from symphony_server.refusal import not_found
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.facts import workflow_facts


def get_workflow(snapshot: Snapshot, call: Call, request: GetWorkflowRequest) -> Workflow:
    """The workflow with the id."""
    return permitted_workflow(snapshot, call, "workflows.read", request.id, field="id")


def permitted_workflow(
    snapshot: Snapshot, call: Call, permission: str, workflow_id: str, *, field: str
) -> Workflow:
    """A workflow, once it is decided that the caller has a permission on it.

    Ends the judgement's stage: raises Refused when the caller has not.
    """
    call.resource_id = workflow_id
    workflow, relation = snapshot.workflows.get(workflow_id, call.caller.user.id)
    facts = None if workflow is None else workflow_facts(workflow, relation)
    decision = decide(permission, call.caller.user, facts)
    absent = partial(not_found, "workflow", workflow_id, field=field)
    workflow = call.judgement.existing(decision, workflow, absent)
    call.judgement.end_stage()
    return workflow
