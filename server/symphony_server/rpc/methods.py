"""The method table, read off the contract: each RPC with its policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import MethodDescriptor

from symphony.v1 import (
    access_service_pb2,
    audit_service_pb2,
    change_service_pb2,
    execution_service_pb2,
    extension_service_pb2,
    policy_pb2,
    project_service_pb2,
    server_info_service_pb2,
    transaction_service_pb2,
    user_service_pb2,
    workflow_service_pb2,
)

SERVICE_FILES: Final[tuple[ModuleType, ...]] = (
    user_service_pb2,
    project_service_pb2,
    workflow_service_pb2,
    execution_service_pb2,
    extension_service_pb2,
    transaction_service_pb2,
    change_service_pb2,
    access_service_pb2,
    audit_service_pb2,
    server_info_service_pb2,
)


class PolicyMissing(RuntimeError):
    """An RPC of the contract lacks its policy or idempotency level."""


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC of the contract and its policy."""

    name: str
    """For example `symphony.v1.WorkflowService/CreateWorkflow`."""
    service: str
    permission: str
    writes: bool
    anonymous: bool
    streams: bool
    request_class: Any


def read_methods() -> Mapping[str, Method]:
    """Every RPC of the contract by name. Raises PolicyMissing."""
    methods = {}
    for file in SERVICE_FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            for descriptor in service.methods:
                method = _read(descriptor)
                methods[method.name] = method
    return methods


def _read(descriptor: MethodDescriptor) -> Method:
    service = descriptor.containing_service.full_name
    name = f"{service}/{descriptor.name}"
    options = descriptor.GetOptions()
    policy = options.Extensions[policy_pb2.policy]
    idempotency = descriptor_pb2.MethodOptions.IdempotencyLevel
    if not options.HasExtension(policy_pb2.policy):
        raise PolicyMissing(f"{name} has no (symphony.v1.policy)")
    if (
        policy.access == policy_pb2.ACCESS_UNSPECIFIED
        or policy.audit == policy_pb2.AUDIT_UNSPECIFIED
    ):
        raise PolicyMissing(f"the policy of {name} does not say what it reads, writes or records")
    if bool(policy.permission) == policy.anonymous:
        raise PolicyMissing(f"{name} must either need a permission or be anonymous")
    if options.idempotency_level == idempotency.IDEMPOTENCY_UNKNOWN:
        raise PolicyMissing(f"{name} has no idempotency_level")
    return Method(
        name=name,
        service=service,
        permission=policy.permission,
        writes=policy.access == policy_pb2.ACCESS_WRITE,
        anonymous=policy.anonymous,
        streams=descriptor.server_streaming,
        request_class=message_factory.GetMessageClass(descriptor.input_type),
    )
