"""Makes a project and its workflows all together, or not at all."""

import asyncio

from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.transaction_pb2 import TransactionOperation
from symphony.v1.transaction_service_pb2 import ExecuteTransactionRequest
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client import DataAccess, DataError, new_id


async def main() -> None:
    async with DataAccess.from_env() as data:
        # An id that the client chooses lets later operations refer to what an earlier one makes.
        project_id = new_id("project")

        def workflow(name: str) -> TransactionOperation:
            spec = WorkflowSpec(name=name, steps=[WorkflowStep(name="run", command="make")])
            return TransactionOperation(
                create_workflow=CreateWorkflowRequest(project_id=project_id, spec=spec)
            )

        project = TransactionOperation(
            create_project=CreateProjectRequest(project_id=project_id, name="All or nothing")
        )
        try:
            await data.execute_transaction(
                ExecuteTransactionRequest(
                    operations=[project, workflow("Build"), workflow("BUILD")]
                )
            )
        except DataError as error:
            print(error.reason, "at", error.violations[0].field)
        print("made nothing:", await data.projects.find_by_id(project_id) is None)

        response = await data.execute_transaction(
            ExecuteTransactionRequest(operations=[project, workflow("Build"), workflow("Test")])
        )
        print("made", [result.WhichOneof("result") for result in response.results])


if __name__ == "__main__":
    asyncio.run(main())
