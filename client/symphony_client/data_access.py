"""The way in for applications: everything that the data layer has, typed, over any adapter."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from symphony.v1.transaction_service_pb2 import (
    ExecuteTransactionRequest,
    ExecuteTransactionResponse,
)
from symphony_client.accesses.executions import Executions
from symphony_client.accesses.extensions import Extensions
from symphony_client.accesses.projects import Projects
from symphony_client.accesses.users import Users
from symphony_client.accesses.workflows import Workflows
from symphony_client.contracts import (
    ExecutionDataAccess,
    ExtensionDataAccess,
    ProjectDataAccess,
    UserDataAccess,
    WorkflowDataAccess,
)
from symphony_client.data_source import DataSource
from symphony_client.factory import open_data_source
from symphony_client.settings import ClientSettings


class DataAccess:
    """Users, projects, workflows, extensions and executions, as one user may have them.

    >>> async with DataAccess.from_env() as data:
    ...     workflow = await data.workflows.find_by_id(workflow_id)

    It is a `TransactionalStore`; its attributes are the data access of one domain each. Use it
    on one event loop, and close it.
    """

    users: UserDataAccess
    projects: ProjectDataAccess
    workflows: WorkflowDataAccess
    extensions: ExtensionDataAccess
    executions: ExecutionDataAccess

    def __init__(self, source: DataSource) -> None:
        """Ask `source`, and close it with this."""
        self.source = source
        self.users = Users(source)
        self.projects = Projects(source)
        self.workflows = Workflows(source)
        self.extensions = Extensions(source)
        self.executions = Executions(source)

    @classmethod
    def from_env(cls) -> Self:
        """The data access that the environment describes; `ClientSettings` lists the variables.

        Nothing is opened before the first call. Raises SettingsInvalid (a ValueError), naming
        each variable with a bad value and what it takes.
        """
        return cls(open_data_source(ClientSettings.from_env()))

    @classmethod
    def for_testing(cls) -> Self:
        """The data access for tests that `SYMPHONY_TEST_MODE` names: `mock` by default."""
        return cls(open_data_source(ClientSettings.for_testing()))

    def acting_as(self, user_id: str) -> Self:
        """The same data access as another user has it; takes the role SERVICE or ADMIN.

        It is closed with this one.
        """
        return type(self)(self.source.acting_as(user_id))

    async def execute_transaction(
        self, request: ExecuteTransactionRequest
    ) -> ExecuteTransactionResponse:
        """See `TransactionalStore.execute_transaction`."""
        response: ExecuteTransactionResponse = (await self.source.call(request)).message
        return response

    async def close(self) -> None:
        """Give up connections and what else is open."""
        await self.source.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
