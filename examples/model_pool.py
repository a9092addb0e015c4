"""The model pool: allocates a model for a workflow, which it reads through the cache."""

import asyncio
from uuid import uuid4

from symphony.v1.project_pb2 import Project
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_client import DataAccess
from symphony_client.adapters.cached import CachedDataSource
from symphony_client.integrations.model_pool import (
    ModelHandle,
    ModelSpec,
    PoolManager,
    WorkflowNotFound,
)


class SmallAndLarge:
    """Stands in for what runs models: one for little work, one for much."""

    async def allocate(self, spec: ModelSpec) -> ModelHandle:
        return ModelHandle("large" if spec.concurrent_steps > 2 else "small", spec)


async def main() -> None:
    # Any data source can be wrapped: here, whichever the environment names.
    async with DataAccess.from_env() as plain:
        data = DataAccess(CachedDataSource(plain.source))
        project = await data.projects.save(Project(name=f"Pool {uuid4().hex[:8]}"))
        fan = [
            WorkflowStep(name=f"train {n}", command="train", depends_on=["split"]) for n in "abc"
        ]
        workflow = await data.workflows.create_workflow(
            CreateWorkflowRequest(
                project_id=project.id,
                spec=WorkflowSpec(
                    name="Train", steps=[WorkflowStep(name="split", command="split"), *fan]
                ),
            )
        )

        pool = PoolManager(data.workflows, SmallAndLarge())
        handle = await pool.allocate_model_for_workflow(workflow.id)
        print(handle.model, "for", handle.spec.concurrent_steps, "steps at once")
        print(handle.spec.compute_units, "units in", handle.spec.estimated_duration)
        try:
            await pool.allocate_model_for_workflow(workflow.id[:-4] + "zzzz")
        except WorkflowNotFound as error:
            print("nothing to allocate:", str(error).startswith("there is no workflow"))
        await data.close()


if __name__ == "__main__":
    asyncio.run(main())
