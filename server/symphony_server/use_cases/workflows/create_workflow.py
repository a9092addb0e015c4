"""Creates a workflow."""

from __future__ import annotations

from functools import partial

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.project_pb2 import ProjectConstraints
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_server.access.decisions import decide
from symphony_server.access.permissions import Facts
from symphony_server.ids import new_id
from symphony_server.refusal import Violation, not_found
from symphony_server.rules import project_constraints, tiers
from symphony_server.rules.estimates import duration_us
from symphony_server.rules.names import name_key
from symphony_server.store.change_log import Standing
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.taken import id_taken, name_taken
from symphony_server.use_cases.workflows.judge_spec import judge_spec


def create_workflow(
    transaction: Transaction, call: Call, request: CreateWorkflowRequest
) -> Workflow:
    """The new workflow, owned by the caller, with what its estimate left out computed."""
    judgement = call.judgement
    user = call.caller.user
    project_id = request.project_id
    workflow_id = call.resource_id = request.workflow_id or new_id("workflow")

    # Who may: role, then project, then tier.
    key = name_key(request.spec.name)
    place = transaction.projects.place(project_id, user.id, key)
    judgement.decided(decide("workflows.create", user, Facts(relation=place.relation)))
    judgement.ask("workflow.owner_is_caller", _owner_is_another(request.user_id, user.id))
    judgement.ask(
        "tier.workflow_limit",
        tiers.workflow_limit(
            call.deployment.tiers, user.tier, place.owned, subject=f"user:{user.id}"
        ),
        f"{place.owned} owned",
    )
    judgement.end_stage()
    constraints = place.constraints
    if constraints is None:
        if judgement.permitted:
            judgement.stop("project.exists", not_found("project", project_id, field="project_id"))
        constraints = ProjectConstraints()

    # Business rules: the graph of steps, the tier's limits, the project's.
    cost, extension_ids = judge_spec(
        call,
        request.spec,
        request.estimated_cost,
        constraints,
        partial(transaction.extensions.enabled, project_id),
    )
    judgement.ask_if_permitted(
        "project.workflow_limit",
        project_constraints.workflow_limit(constraints, place.held, subject=project_id),
        f"{place.held} held",
    )
    judgement.end_stage()

    # Data constraints.
    name = name_taken(request.spec.name, field="spec.name") if place.name_taken else None
    judgement.ask_if_permitted("workflow.name_free", name)
    if request.workflow_id:
        used = transaction.workflows.exists(workflow_id)
        judgement.ask_if_permitted("workflow.id_free", id_taken("workflow_id") if used else None)
    judgement.conclude()

    # Write.
    time_us = transaction.time_us
    workflow = Workflow(
        id=workflow_id,
        project_id=project_id,
        user_id=user.id,
        spec=request.spec,
        estimated_cost=cost,
        shared=request.shared,
        status=WorkflowStatus.WORKFLOW_STATUS_CREATED,
    )
    stamp(workflow, create_time_us=time_us, update_time_us=time_us)
    transaction.workflows.insert(
        workflow,
        name_key=key,
        duration_us=duration_us(cost.estimated_duration),
        time_us=time_us,
    )
    if extension_ids:
        transaction.extensions.set_uses(workflow_id, extension_ids, new=True)
    transaction.users.add_workflows_owned(user.id, 1)
    transaction.projects.add_workflows(project_id, 1)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_WORKFLOW,
        ChangeOperation.CHANGE_OPERATION_CREATED,
        workflow_id,
        project_id=project_id,
        resource=workflow,
        standing=Standing(user.id, after=workflow.shared),
    )
    return workflow


def _owner_is_another(asked: str, user_id: str) -> Violation | None:
    if asked in ("", user_id):
        return None
    return Violation(
        ErrorReason.ERROR_REASON_ACT_AS_NOT_ALLOWED,
        "must be empty or the user the call is made for; a SERVICE or an ADMIN makes a call for "
        "another user with the metadata x-symphony-act-as",
        field="user_id",
    )
