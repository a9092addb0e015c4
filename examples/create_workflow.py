"""Makes a workflow: pre-validated, optimised and estimated here, decided and kept by the server."""

import asyncio
from uuid import uuid4

from symphony.v1.project_pb2 import Project
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client import DataAccess, DataError, PreValidationFailed
from symphony_client.use_cases import CreateWorkflowUseCase


async def main() -> None:
    async with DataAccess.from_env() as data:
        project = await data.projects.save(Project(name=f"Example {uuid4().hex[:8]}"))
        create_workflow = CreateWorkflowUseCase(data.workflows)
        request = CreateWorkflowRequest(
            project_id=project.id,
            spec=WorkflowSpec(
                name="Build",
                steps=[
                    # Written last step first, and `test` names more than it need.
                    WorkflowStep(name="test", command="make test", depends_on=["compile", "fetch"]),
                    WorkflowStep(name="compile", command="make", depends_on=["fetch"]),
                    WorkflowStep(name="fetch", command="git pull"),
                ],
            ),
        )
        workflow = await create_workflow.execute(request)
        for step in workflow.spec.steps:
            print(step.name, "after", ", ".join(step.depends_on) or "nothing")
        cost = workflow.estimated_cost
        print(cost.compute_units, "units,", cost.estimated_duration.ToTimedelta())

        try:
            await create_workflow.execute(request)
        except DataError as error:
            print(f"{error.reason}: {error.violations[0].field} {error.violations[0].description}")

        request.spec.name = " "
        try:
            await create_workflow.execute(request)
        except PreValidationFailed as error:
            print(f"not even sent: {error}")


if __name__ == "__main__":
    asyncio.run(main())
