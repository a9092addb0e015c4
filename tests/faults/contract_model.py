"""A model of the contract: what a state allows, what a write makes of it, and who sees what.

It knows workflows and memberships of projects, and is written from the contract and the table of
permissions in the design, not from the server: states are dictionaries, and every write is done in
full. What only the server can know of a resource (times, etag, computed cost) is taken from its
answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from symphony.v1.project_pb2 import ProjectMember, ProjectRole
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowStatus
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    UpdateWorkflowRequest,
)
from tests.faults.history import Person

VIEWER: Final = ProjectRole.PROJECT_ROLE_VIEWER
COLLABORATOR: Final = ProjectRole.PROJECT_ROLE_COLLABORATOR
OWNER: Final = ProjectRole.PROJECT_ROLE_OWNER
_OF_THE_SERVER: Final[Mapping[type[Any], Sequence[str]]] = {
    CreateWorkflowRequest: ("estimated_cost", "create_time", "update_time", "etag"),
    UpdateWorkflowRequest: ("update_time", "etag"),
    AddProjectMemberRequest: ("create_time",),
}
"""Request → the fields of the resource that nobody else knows."""


@dataclass(frozen=True)
class Effect:
    """What one write does to one resource."""

    request: Any
    resource_id: str
    resource: Any
    """As it is afterwards, without what only the server knows; None when it is gone."""

    def matches(self, answered: Any, before: Any) -> bool:
        """True when a resource is what the write was to make of it; `before` is what the write
        found, as it was answered, or None.
        """
        if self.resource is None or answered is None:
            return self.resource is answered
        known, expected = type(answered)(), type(answered)()
        known.CopyFrom(answered)
        expected.CopyFrom(self.resource)
        if before is not None and isinstance(self.request, UpdateWorkflowRequest):
            # What a transaction makes and then updates is not known when it is asked for.
            for name in _OF_THE_SERVER[CreateWorkflowRequest]:
                if name not in _OF_THE_SERVER[UpdateWorkflowRequest]:
                    getattr(expected, name).CopyFrom(getattr(before, name))
        for name in _OF_THE_SERVER.get(type(self.request), ()):
            known.ClearField(name)
        return bool(known == expected)


@dataclass(frozen=True)
class State:
    """What there is at a revision."""

    revision: int
    resources: Mapping[str, Any] = field(default_factory=dict)
    """Id → workflow, or `<project_id>/<user_id>` → member."""

    def after(self, resource_id: str, resource: Any) -> State:
        """The next state, in which one resource is another or gone."""
        resources = {**self.resources, resource_id: resource}
        if resource is None:
            del resources[resource_id]
        return State(self.revision + 1, resources)

    def role(self, person: Person, project_id: str) -> int:
        member = self.resources.get(f"{project_id}/{person.user_id}")
        return 0 if member is None else int(member.role)

    def workflows(self) -> Iterator[Workflow]:
        return (each for each in self.resources.values() if isinstance(each, Workflow))

    def sees(self, person: Person, resource: Any) -> bool:
        """Whether a person may read a workflow, or know of a member."""
        role = self.role(person, resource.project_id)
        if isinstance(resource, ProjectMember):
            return person.is_admin or role >= VIEWER
        return self._may_change(person, resource) or (resource.shared and role >= VIEWER)

    def _may_change(self, person: Person, workflow: Workflow) -> bool:
        return (
            person.is_admin
            or workflow.user_id == person.user_id
            or self.role(person, workflow.project_id) >= OWNER
        )

    def read(self, person: Person, request: Any) -> tuple[str, Any]:
        """The reason and the answer of a read."""
        if isinstance(request, GetWorkflowRequest):
            workflow = self.resources.get(request.id)
            if workflow is None or not self.sees(person, workflow):
                return "RESOURCE_NOT_FOUND", None
            return "", workflow
        assert isinstance(request, ListWorkflowsRequest)
        seen = [
            each
            for each in self.workflows()
            if each.project_id == request.project_id and self.sees(person, each)
        ]
        seen.sort(key=lambda each: (each.create_time.ToNanoseconds(), each.id), reverse=True)
        return "", ListWorkflowsResponse(workflows=seen)

    def write(self, person: Person, request: Any) -> tuple[str, list[Effect]]:
        """The reason why a write is refused in this state, or its effects in order."""
        if isinstance(request, ExecuteTransactionRequest):
            return self._transaction(person, request)
        reason, effect = self._one(person, request)
        return reason, [] if effect is None else [effect]

    def _transaction(
        self, person: Person, request: ExecuteTransactionRequest
    ) -> tuple[str, list[Effect]]:
        for precondition in request.preconditions:
            there = self.resources.get(precondition.resource_id)
            if there is not None and not self.sees(person, there):
                there = None
            if precondition.WhichOneof("condition") == "exists":
                holds = precondition.exists == (there is not None)
            else:
                holds = there is not None and there.etag == precondition.etag
            if not holds:
                return "PRECONDITION_FAILED", []
        state, effects = self, []
        for operation in request.operations:
            part = getattr(operation, operation.WhichOneof("operation") or "")
            reason, effect = state._one(person, part)
            if effect is None:
                return reason, []
            effects.append(effect)
            state = state.after(effect.resource_id, effect.resource)
        return "", effects

    def _one(self, person: Person, request: Any) -> tuple[str, Effect | None]:
        if isinstance(request, CreateWorkflowRequest):
            return self._create(person, request)
        if isinstance(request, UpdateWorkflowRequest):
            return self._update(person, request)
        if isinstance(request, DeleteWorkflowRequest):
            return self._delete(person, request)
        return self._member(person, request)

    def _create(self, person: Person, request: CreateWorkflowRequest) -> tuple[str, Effect | None]:
        if not person.is_admin and self.role(person, request.project_id) < COLLABORATOR:
            return "PROJECT_ACCESS_REQUIRED", None
        if self._holder(request.project_id, request.spec.name) is not None:
            return "DUPLICATE_NAME", None
        if request.workflow_id in self.resources:
            return "ID_TAKEN", None
        workflow = Workflow(
            id=request.workflow_id,
            project_id=request.project_id,
            user_id=person.user_id,
            spec=request.spec,
            shared=request.shared,
            status=WorkflowStatus.WORKFLOW_STATUS_CREATED,
        )
        return "", Effect(request, workflow.id, workflow)

    def _update(self, person: Person, request: UpdateWorkflowRequest) -> tuple[str, Effect | None]:
        asked = request.workflow
        reason, current = self._changeable(person, asked.id)
        if current is None:
            return reason, None
        if asked.etag and asked.etag != current.etag:
            return "ETAG_MISMATCH", None
        updated = Workflow()
        updated.CopyFrom(current)
        for path in request.update_mask.paths:
            if path == "shared":
                updated.shared = asked.shared
            elif path == "spec.name":
                updated.spec.name = asked.spec.name
            else:
                assert path == "spec.description"
                updated.spec.description = asked.spec.description
        if self._holder(current.project_id, updated.spec.name) not in (None, current.id):
            return "DUPLICATE_NAME", None
        updated.ClearField("update_time")
        updated.ClearField("etag")
        return "", Effect(request, current.id, updated)

    def _delete(self, person: Person, request: DeleteWorkflowRequest) -> tuple[str, Effect | None]:
        reason, current = self._changeable(person, request.id)
        if current is None:
            return reason, None
        if request.etag and request.etag != current.etag:
            return "ETAG_MISMATCH", None
        return "", Effect(request, current.id, None)

    def _changeable(self, person: Person, workflow_id: str) -> tuple[str, Workflow | None]:
        workflow = self.resources.get(workflow_id)
        if workflow is None or not self.sees(person, workflow):
            return "RESOURCE_NOT_FOUND", None
        return ("", workflow) if self._may_change(person, workflow) else ("OWNER_REQUIRED", None)

    def _holder(self, project_id: str, name: str) -> str | None:
        """The workflow of a project that has a name; a model's names are told apart by case."""
        held = (w.id for w in self.workflows() if (w.project_id, w.spec.name) == (project_id, name))
        return next(held, None)

    def _member(self, person: Person, request: Any) -> tuple[str, Effect | None]:
        of = request
        if isinstance(request, UpdateProjectMemberRequest):
            of = request.project_member
        role = self.role(person, of.project_id)
        if not person.is_admin and role < OWNER:
            return ("OWNER_REQUIRED" if role else "RESOURCE_NOT_FOUND"), None
        member_id = f"{of.project_id}/{of.user_id}"
        current = self.resources.get(member_id)
        if isinstance(request, AddProjectMemberRequest):
            if current is not None:
                return "ALREADY_MEMBER", None
            made = ProjectMember(project_id=of.project_id, user_id=of.user_id, role=of.role)
            return "", Effect(request, member_id, made)
        if current is None:
            return "RESOURCE_NOT_FOUND", None
        if isinstance(request, RemoveProjectMemberRequest):
            return "", Effect(request, member_id, None)
        updated = ProjectMember()
        updated.CopyFrom(current)
        updated.role = of.role
        return "", Effect(request, member_id, updated)
