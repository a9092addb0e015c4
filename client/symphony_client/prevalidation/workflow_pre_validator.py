"""Requests about workflows and their executions, before they are sent."""

from __future__ import annotations

from typing import TypeAlias

from google.protobuf.message import Message

from symphony.v1.execution_service_pb2 import (
    CancelExecutionRequest,
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
    UpdateExecutionRequest,
)
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_client.prevalidation.contract_rules import ContractRules
from symphony_client.prevalidation.pre_validator import PreValidator

WorkflowRequest: TypeAlias = (
    CreateWorkflowRequest
    | GetWorkflowRequest
    | UpdateWorkflowRequest
    | DeleteWorkflowRequest
    | ListWorkflowsRequest
    | StartExecutionRequest
    | GetExecutionRequest
    | UpdateExecutionRequest
    | CancelExecutionRequest
    | ListExecutionsRequest
)
"""What WorkflowService and ExecutionService take."""


class WorkflowPreValidator:
    """A `PreValidator` of what is asked of workflows: names, steps, limits and ids are written as
    the contract says. Whether the steps' dependencies make sense is the server's to judge.
    """

    def __init__(self, rules: PreValidator[Message] | None = None) -> None:
        """Judge by `rules`, by default those of the contract."""
        self._rules = rules or ContractRules()

    def should_attempt_request(self, request: WorkflowRequest) -> None:
        """Returns if the request may be sent.

        Raises:
            PreValidationFailed: the server would refuse it; with all that is wrong.
        """
        self._rules.should_attempt_request(request)
