"""The contracts of the data access: what an application may rely on, whatever adapter serves it.

The messages of `symphony.v1` are the data. `T` is a resource, and criteria are the contract's
List requests, of which pages are no concern: an iterator goes on to the next page by itself.

Every method may raise any `DataError`; what is said of one below is particular to it. What an
adapter does not offer raises `OperationNotSupported`, whose message names what to call instead.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, TypeVar

from symphony.v1.execution_pb2 import Execution
from symphony.v1.execution_service_pb2 import ListExecutionsRequest, StartExecutionRequest
from symphony.v1.extension_pb2 import Extension
from symphony.v1.extension_service_pb2 import InstallExtensionRequest, ListExtensionsRequest
from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectMember
from symphony.v1.project_service_pb2 import (
    AddProjectMemberRequest,
    CreateProjectRequest,
    ListProjectMembersRequest,
    ListProjectsRequest,
    RemoveProjectMemberRequest,
    UpdateProjectMemberRequest,
)
from symphony.v1.transaction_service_pb2 import (
    ExecuteTransactionRequest,
    ExecuteTransactionResponse,
)
from symphony.v1.user_pb2 import User, UserCapabilities
from symphony.v1.user_service_pb2 import CreateUserRequest, ListUsersRequest
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, ListWorkflowsRequest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
CriteriaT_contra = TypeVar("CriteriaT_contra", contravariant=True)


class DataStore(Protocol[T]):
    """Resources of one kind, found and kept by id."""

    async def find_by_id(self, resource_id: str) -> T | None:
        """Return the resource, or None if there is none that the user may read."""

    async def save(self, entity: T, *, paths: Sequence[str] = (), request_id: str = "") -> T:
        """Write a resource and return it as it is kept.

        One with an id is changed: in the fields that `paths` names, by default in all that may
        be changed. If it carries the etag with which it was read, a change by somebody else
        meanwhile raises Conflict. One without an id is made, where the kind can be made of
        nothing but itself.
        """

    async def delete(self, resource_id: str, *, etag: str = "", request_id: str = "") -> None:
        """Remove a resource; with an etag only while it is as it was read.

        Raises:
            NotFound: there is none that the user may read.
        """


class QueryableStore(Protocol[T_co, CriteriaT_contra]):
    """Resources of one kind, found by what they are like."""

    def find_by_criteria(self, criteria: CriteriaT_contra) -> AsyncIterator[T_co]:
        """Iterate over the resources that meet all filters set and that the user may read, in the
        criteria's order, newest first by default.

        `page_size` is how many are fetched at a time. Nothing is asked before the first is
        wanted, and no page before the one before it is used up.
        """


class TransactionalStore(Protocol):
    """Several writes as one."""

    async def execute_transaction(
        self, request: ExecuteTransactionRequest
    ) -> ExecuteTransactionResponse:
        """Do all operations in order, or none, and return a result for each.

        Raises:
            PreconditionFailed: a precondition does not hold; and what each operation alone would
                raise, its fields named `operations[2].create_workflow.spec.name`.
        """


class UserDataAccess(DataStore[User], QueryableStore[User, ListUsersRequest], Protocol):
    """Users."""

    async def create_user(self, request: CreateUserRequest) -> User:
        """Make a user and return it."""

    async def find_by_email(self, email: str) -> User | None:
        """Return the user with an e-mail address, in whatever case, or None."""

    async def get_user_capabilities(self, user_id: str) -> UserCapabilities:
        """Return what a user can do now, and why not the rest.

        Raises:
            NotFound: there is no such user.
        """


class ProjectDataAccess(DataStore[Project], QueryableStore[Project, ListProjectsRequest], Protocol):
    """Projects and their members."""

    async def create_project(self, request: CreateProjectRequest) -> Project:
        """Make a project, whose owner is the user, and return it."""

    def find_by_owner(self, owner_id: str) -> AsyncIterator[Project]:
        """Iterate over the projects that a user made, newest first."""

    async def get_project_constraints(self, project_id: str) -> ProjectConstraints:
        """Return what a project asks of its workflows.

        Raises:
            NotFound: there is no such project.
        """

    def find_members(self, criteria: ListProjectMembersRequest) -> AsyncIterator[ProjectMember]:
        """Iterate over a project's members."""

    async def add_member(self, request: AddProjectMemberRequest) -> ProjectMember:
        """Add a user to a project and return the membership."""

    async def update_member(self, request: UpdateProjectMemberRequest) -> ProjectMember:
        """Change a member's role and return the membership."""

    async def remove_member(self, request: RemoveProjectMemberRequest) -> None:
        """End a membership."""


class WorkflowDataAccess(
    DataStore[Workflow], QueryableStore[Workflow, ListWorkflowsRequest], Protocol
):
    """Workflows. `save` changes one; `create_workflow` makes one."""

    async def create_workflow(self, request: CreateWorkflowRequest) -> Workflow:
        """Make a workflow and return it, its estimate completed."""

    def find_by_user(self, user_id: str) -> AsyncIterator[Workflow]:
        """Iterate over the workflows that a user owns, newest first."""


class ExtensionDataAccess(
    DataStore[Extension], QueryableStore[Extension, ListExtensionsRequest], Protocol
):
    """Extensions. `save` changes one; `install` makes one."""

    async def install(self, request: InstallExtensionRequest) -> Extension:
        """Scan and install an extension and return it.

        Raises:
            PreconditionFailed: the scan rejects the manifest (SCAN_REJECTED).
        """


class ExecutionDataAccess(
    DataStore[Execution], QueryableStore[Execution, ListExecutionsRequest], Protocol
):
    """Runs of workflows. `save` reports on one; `start` makes one, and none is ever deleted."""

    async def start(self, request: StartExecutionRequest) -> Execution:
        """Start a workflow and return its execution, PENDING."""

    async def cancel(self, execution_id: str, *, etag: str = "", request_id: str = "") -> Execution:
        """Give up an execution that has not ended, and return it."""
