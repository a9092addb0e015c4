"""Calls a server as README.md of this folder says; with a folder of vectors, runs those instead."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path
from typing import cast

import grpc
import protovalidate
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from symphony.v1.change_pb2 import ChangeOperation
from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, DeleteWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.polyglot.python import vectors


def connect() -> grpc.Channel:
    """A channel to SYMPHONY_SERVER, over TLS if SYMPHONY_TLS_CA says whom to trust."""
    server = os.environ.get("SYMPHONY_SERVER", "localhost:50051")
    ca = os.environ.get("SYMPHONY_TLS_CA")
    if not ca:
        return grpc.insecure_channel(server)
    return grpc.secure_channel(server, grpc.ssl_channel_credentials(Path(ca).read_bytes()))


def quick_start(channel: grpc.Channel) -> None:
    credentials = (("authorization", f"Bearer {os.environ['SYMPHONY_TOKEN']}"),)

    # A call has a deadline: 5 s from now.
    project = ProjectServiceStub(channel).CreateProject(
        CreateProjectRequest(name=f"From Python {uuid.uuid4()}"), metadata=credentials, timeout=5
    )
    request = CreateWorkflowRequest(
        project_id=project.id,
        spec=WorkflowSpec(
            name="Build",
            steps=[
                WorkflowStep(name="fetch", command="git pull"),
                WorkflowStep(name="compile", command="make", depends_on=["fetch"]),
            ],
        ),
    )
    workflows = WorkflowServiceStub(channel)
    workflow = workflows.CreateWorkflow(request, metadata=credentials, timeout=5)
    print(workflow.id, workflow.estimated_cost.compute_units, "compute units")

    # A refusal has a code, a reason for programs, and the fields that are wrong.
    request.spec.name = "Circle"
    request.spec.steps[0].depends_on.append("compile")
    try:
        workflows.CreateWorkflow(request, metadata=credentials, timeout=5)
    except grpc.RpcError as error:
        # Every error of a call is a grpc.Call too, which the stubs do not say.
        status = rpc_status.from_call(cast(grpc.Call, error))
        for detail in status.details if status else ():
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                print("refused:", cast(grpc.Call, error).code(), info.reason)
            elif detail.Unpack(bad):
                for broken in bad.field_violations:
                    print(" ", broken.field, broken.description)

    # The contract's rules can be asked without a call.
    request.spec.name = " "
    for violation in protovalidate.collect_violations(request):
        print(f"not even sent: {violation.proto.message}")

    # The change feed tells of what happens once its first checkpoint has come.
    feed = ChangeServiceStub(channel).Watch(
        WatchRequest(project_ids=[project.id]), metadata=credentials, timeout=30
    )
    next(feed)
    workflows.DeleteWorkflow(DeleteWorkflowRequest(id=workflow.id), metadata=credentials, timeout=5)
    change = next(event.change for event in feed if event.HasField("change"))
    print("saw", ChangeOperation.Name(change.operation), change.resource_id)
    feed.cancel()


if __name__ == "__main__":
    with connect() as opened:
        if len(sys.argv) > 1:
            sys.exit(vectors.run(opened, Path(sys.argv[1])))
        quick_start(opened)
