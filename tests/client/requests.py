"""Builders of requests, good ones and bad ones."""

from __future__ import annotations

from symphony.v1 import workflow_pb2, workflow_service_pb2

PROJECT_ID = "project_01h455vb4pex5vsknk084sn02q"
USER_ID = "user_01h455vb4pex5vsknk084sn02q"
WORKFLOW_ID = "workflow_01h455vb4pex5vsknk084sn02q"


def step(name: str = "build", command: str = "make") -> workflow_pb2.WorkflowStep:
    return workflow_pb2.WorkflowStep(name=name, command=command)


def create_workflow(
    *steps: workflow_pb2.WorkflowStep, name: str = "nightly", request_id: str = ""
) -> workflow_service_pb2.CreateWorkflowRequest:
    return workflow_service_pb2.CreateWorkflowRequest(
        project_id=PROJECT_ID,
        spec=workflow_pb2.WorkflowSpec(name=name, steps=steps or [step()]),
        request_id=request_id,
    )


def get_workflow() -> workflow_service_pb2.GetWorkflowRequest:
    return workflow_service_pb2.GetWorkflowRequest(id=WORKFLOW_ID)


def workflow_of_bytes(size: int) -> workflow_service_pb2.CreateWorkflowRequest:
    """Has exactly so many bytes (some 4 MiB), and keeps every other rule of the contract.

    Lengths are counted in characters, sizes in bytes: 4096 characters may have 8192.
    """
    request = create_workflow(*(step(f"step {number}", "\u00e9" * 4096) for number in range(500)))
    missing = size - request.ByteSize()
    request.spec.steps.extend(
        step(f"more {number}", "x" * 4000) for number in range(missing // 4100)
    )
    request.spec.description = "x" * 2000
    request.spec.description += "x" * (size - request.ByteSize())
    return request


def malformed_workflow() -> workflow_service_pb2.CreateWorkflowRequest:
    """Breaks one rule, in its fourth step."""
    return create_workflow(step("a"), step("b"), step("c"), step("d", command=""))
