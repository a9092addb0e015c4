"""How an application tests its own code: with the mock, without a server or a network."""

import asyncio

from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import Role, Tier, User, UserCapabilities
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client import DataAccess, NetworkError
from symphony_client.adapters.mock import MockDataSource
from symphony_client.use_cases import CreateWorkflowUseCase

ADA = User(email="ada@example.com", name="Ada", tier=Tier.TIER_PRO, roles=[Role.ROLE_DEVELOPER])


async def test_a_workflow_of_two_steps_is_made() -> None:
    mock = MockDataSource().with_user(
        ADA, UserCapabilities(can_create_workflows=True, max_workflow_steps=100)
    )
    async with DataAccess(mock) as data:
        project = await data.projects.save(Project(name="Test"))
        workflow = await CreateWorkflowUseCase(data.workflows).execute(
            CreateWorkflowRequest(
                project_id=project.id,
                spec=WorkflowSpec(
                    name="Test Workflow",
                    steps=[
                        WorkflowStep(name="step1", command="echo hello"),
                        WorkflowStep(name="step2", command="echo world"),
                    ],
                ),
            )
        )
        assert workflow.spec.name == "Test Workflow"
        assert len(workflow.spec.steps) == 2


async def test_an_outage_is_told_as_one() -> None:
    async with DataAccess(MockDataSource().with_error(NetworkError("nobody answers"))) as data:
        try:
            await data.projects.save(Project(name="Test"))
        except NetworkError as error:
            assert "nobody" in str(error)
        else:
            raise AssertionError("the error was not raised")


async def main() -> None:
    await test_a_workflow_of_two_steps_is_made()
    await test_an_outage_is_told_as_one()
    print("2 passed")


if __name__ == "__main__":
    asyncio.run(main())
