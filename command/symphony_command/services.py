"""A server's services, as the commands call them."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from symphony.v1.audit_service_pb2_grpc import AuditServiceStub
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.execution_service_pb2_grpc import ExecutionServiceStub
from symphony.v1.extension_service_pb2_grpc import ExtensionServiceStub
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.server_info_service_pb2_grpc import ServerInfoServiceStub
from symphony.v1.user_service_pb2_grpc import UserServiceStub
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub


@dataclass(frozen=True, slots=True)
class Server:
    """A server's services, each a generated stub on one channel."""

    target: str
    access: AccessServiceStub
    audits: AuditServiceStub
    changes: ChangeServiceStub
    executions: ExecutionServiceStub
    extensions: ExtensionServiceStub
    info: ServerInfoServiceStub
    projects: ProjectServiceStub
    users: UserServiceStub
    workflows: WorkflowServiceStub


def services_on(target: str, channel: grpc.Channel) -> Server:
    """The services of the server that a channel leads to."""
    return Server(
        target=target,
        access=AccessServiceStub(channel),
        audits=AuditServiceStub(channel),
        changes=ChangeServiceStub(channel),
        executions=ExecutionServiceStub(channel),
        extensions=ExtensionServiceStub(channel),
        info=ServerInfoServiceStub(channel),
        projects=ProjectServiceStub(channel),
        users=UserServiceStub(channel),
        workflows=WorkflowServiceStub(channel),
    )
