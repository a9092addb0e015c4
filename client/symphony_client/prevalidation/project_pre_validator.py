"""Requests about projects and their members, before they are sent."""

from __future__ import annotations

from typing import TypeAlias

from google.protobuf.message import Message

from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    DeleteProjectRequest,
    GetProjectConstraintsRequest,
    GetProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
    UpdateProjectRequest,
)
from symphony_client.prevalidation.contract_rules import ContractRules
from symphony_client.prevalidation.pre_validator import PreValidator

ProjectRequest: TypeAlias = (
    CreateProjectRequest
    | GetProjectRequest
    | UpdateProjectRequest
    | DeleteProjectRequest
    | ListProjectsRequest
    | GetProjectConstraintsRequest
    | AddProjectMemberRequest
    | UpdateProjectMemberRequest
    | RemoveProjectMemberRequest
    | ListProjectMembersRequest
)
"""What ProjectService takes."""


class ProjectPreValidator:
    """A `PreValidator` of what is asked of projects: names, descriptions, constraints and ids are
    written as the contract says. What the project allows is the server's to judge.
    """

    def __init__(self, rules: PreValidator[Message] | None = None) -> None:
        """Judge by `rules`, by default those of the contract."""
        self._rules = rules or ContractRules()

    def should_attempt_request(self, request: ProjectRequest) -> None:
        """Returns if the request may be sent.

        Raises:
            PreValidationFailed: the server would refuse it; with all that is wrong.
        """
        self._rules.should_attempt_request(request)
