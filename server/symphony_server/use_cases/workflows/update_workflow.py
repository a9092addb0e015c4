"""Updates a workflow: its spec, its estimate, whether it is shared, whether it is archived."""

from __future__ import annotations

from functools import partial

from symphony.v1.change_pb2 import ChangeOperation, ResourceKind
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import UpdateWorkflowRequest
from symphony_server.clock import timestamp_us
from symphony_server.rules.estimates import duration_us
from symphony_server.rules.names import name_key
from symphony_server.store.change_log import Standing
from symphony_server.store.stamps import stamp
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Call
from symphony_server.use_cases.etags import next_time, stale
from symphony_server.use_cases.recording import record_change
from symphony_server.use_cases.taken import name_taken
from symphony_server.use_cases.update_masks import apply_update, touches
from symphony_server.use_cases.workflows.get_workflow import permitted_workflow
from symphony_server.use_cases.workflows.judge_spec import judge_spec


def update_workflow(
    transaction: Transaction, call: Call, request: UpdateWorkflowRequest
) -> Workflow:
    """The workflow as changed.

    A changed spec or estimate is judged as a new one's. When the steps change and the
    estimate is not given with them, it is computed again.
    """
    judgement = call.judgement
    paths = call.update_paths
    asked = request.workflow
    current = permitted_workflow(
        transaction, call, "workflows.update", asked.id, field="workflow.id"
    )
    updated: Workflow = apply_update(current, asked, paths)

    extension_ids = None
    if touches(paths, "spec") or touches(paths, "estimated_cost"):
        steps_changed = "spec" in paths or "spec.steps" in paths
        if steps_changed and not touches(paths, "estimated_cost"):
            updated.ClearField("estimated_cost")
        constraints = transaction.projects.constraints(current.project_id)
        before = len(judgement.violations)
        cost, extension_ids = judge_spec(
            call,
            updated.spec,
            updated.estimated_cost,
            constraints,
            partial(transaction.extensions.enabled, current.project_id),
        )
        judgement.violations[before:] = [
            violation.under("workflow") if violation.field else violation
            for violation in judgement.violations[before:]
        ]
        updated.estimated_cost.CopyFrom(cost)
    judgement.end_stage()

    judgement.ask("etag", stale(asked.etag, current.etag, field="workflow.etag"))
    key = name_key(updated.spec.name)
    holder = transaction.workflows.id_of_name(current.project_id, key)
    taken = holder not in (None, current.id)
    name = name_taken(updated.spec.name, field="workflow.spec.name") if taken else None
    judgement.ask_if_permitted("workflow.name_free", name)
    judgement.conclude()

    time_us = next_time(transaction.time_us, current.update_time)
    stamp(updated, create_time_us=timestamp_us(current.create_time), update_time_us=time_us)
    transaction.workflows.update(
        updated,
        name_key=key,
        duration_us=duration_us(updated.estimated_cost.estimated_duration),
        time_us=time_us,
    )
    if extension_ids is not None:
        transaction.extensions.set_uses(current.id, extension_ids, new=False)
    record_change(
        transaction,
        call,
        ResourceKind.RESOURCE_KIND_WORKFLOW,
        ChangeOperation.CHANGE_OPERATION_UPDATED,
        current.id,
        project_id=current.project_id,
        resource=updated,
        standing=Standing(current.user_id, before=current.shared, after=updated.shared),
    )
    return updated
