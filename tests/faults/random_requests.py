"""What callers with different rights ask of the same few resources, by chance.

They make, change and remove workflows with few names, alone and in transactions, with etags that
are fresh, stale or none, and let memberships come and go.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask

from symphony.v1.project_pb2 import ProjectMember
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.transaction_pb2 import Precondition, TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import Workflow, WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import (
    CreateWorkflowRequest,
    DeleteWorkflowRequest,
    GetWorkflowRequest,
    ListWorkflowsRequest,
    UpdateWorkflowRequest,
)
from symphony_server.ids import new_id
from tests.faults.contract_model import COLLABORATOR, OWNER, VIEWER
from tests.faults.history import Person

NAMES: Final = 12
"""So few, so that callers get in each other's way."""
REMEMBERED: Final = 24
"""Workflows that the callers, all of them, know of."""
PAGE_SIZE: Final = 1000
_MEMBERSHIP: Final = (VIEWER, COLLABORATOR, OWNER)


class RandomRequests:
    """Requests on a project; the first of the people is its OWNER, the next two are its members."""

    def __init__(self, people: Sequence[Person], project_id: str) -> None:
        self._people = people
        self._project_id = project_id
        self._known: deque[Workflow] = deque(maxlen=REMEMBERED)

    def learn(self, response: Any) -> None:
        """Remember workflows, for everybody to use; some are out of date soon."""
        if isinstance(response, Workflow):
            self._known.append(response)
        for result in getattr(response, "results", ()):
            if result.HasField("workflow"):
                self._known.append(result.workflow)

    def next(self, person: Person, dice: random.Random) -> Any:
        """One that a person makes; memberships are for the OWNER and the ADMIN."""
        makers: list[tuple[Callable[[random.Random], Any], float]] = [
            (self._get, 4),
            (self._list, 2),
            (self._create, 2),
            (self._update, 3),
            (self._delete, 1),
            (self._transaction, 1.5),
        ]
        if person.is_admin or person is self._people[0]:
            makers.append((self._membership, 1))
        (make,) = dice.choices([maker for maker, _ in makers], [often for _, often in makers])
        return make(dice)

    def _workflow(self, dice: random.Random) -> Workflow:
        return dice.choice(self._known) if self._known else Workflow(id=new_id("workflow"))

    def _get(self, dice: random.Random) -> GetWorkflowRequest:
        return GetWorkflowRequest(id=self._workflow(dice).id)

    def _list(self, _: random.Random) -> ListWorkflowsRequest:
        return ListWorkflowsRequest(project_id=self._project_id, page_size=PAGE_SIZE)

    def _create(self, dice: random.Random) -> CreateWorkflowRequest:
        taken = dice.random() < 0.1
        return CreateWorkflowRequest(
            project_id=self._project_id,
            workflow_id=self._workflow(dice).id if taken else new_id("workflow"),
            spec=WorkflowSpec(
                name=f"name {dice.randrange(NAMES)}",
                steps=[WorkflowStep(name="only", command="true")],
            ),
            shared=dice.random() < 0.5,
        )

    def _update(self, dice: random.Random) -> UpdateWorkflowRequest:
        known = self._workflow(dice)
        changed = Workflow(id=known.id, etag=known.etag if dice.random() < 0.7 else "")
        path = dice.choice(("shared", "shared", "spec.name", "spec.description"))
        changed.shared = not known.shared
        changed.spec.name = f"name {dice.randrange(NAMES)}"
        changed.spec.description = f"{dice.getrandbits(32)}"
        return UpdateWorkflowRequest(workflow=changed, update_mask=FieldMask(paths=[path]))

    def _delete(self, dice: random.Random) -> DeleteWorkflowRequest:
        known = self._workflow(dice)
        return DeleteWorkflowRequest(id=known.id, etag=known.etag if dice.random() < 0.5 else "")

    def _transaction(self, dice: random.Random) -> ExecuteTransactionRequest:
        request = ExecuteTransactionRequest()
        for _ in range(dice.randint(1, 3)):
            operation = TransactionOperation()
            kind = dice.choice(("create", "update", "delete"))
            if kind == "create":
                operation.create_workflow.CopyFrom(self._create(dice))
            elif kind == "update":
                operation.update_workflow.CopyFrom(self._update(dice))
            else:
                operation.delete_workflow.CopyFrom(self._delete(dice))
            request.operations.append(operation)
        if dice.random() < 0.5:
            known = self._workflow(dice)
            if known.etag and dice.random() < 0.5:
                request.preconditions.append(Precondition(resource_id=known.id, etag=known.etag))
            else:
                exists = Precondition(resource_id=known.id, exists=dice.random() < 0.5)
                request.preconditions.append(exists)
        return request

    def _membership(self, dice: random.Random) -> Any:
        person = dice.choice(self._people[1:3])
        role = dice.choices(_MEMBERSHIP, (3, 3, 1))[0]
        member = ProjectMember(project_id=self._project_id, user_id=person.user_id, role=role)
        kind = dice.choice((AddProjectMemberRequest, UpdateProjectMemberRequest, None))
        if kind is AddProjectMemberRequest:
            return AddProjectMemberRequest(
                project_id=self._project_id, user_id=person.user_id, role=role
            )
        if kind is UpdateProjectMemberRequest:
            return UpdateProjectMemberRequest(
                project_member=member, update_mask=FieldMask(paths=["role"])
            )
        return RemoveProjectMemberRequest(project_id=self._project_id, user_id=person.user_id)
