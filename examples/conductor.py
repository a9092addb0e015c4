"""The AI conductor: asks what a user can do, plans within that, makes the user's workflow."""

import asyncio
from uuid import uuid4

from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import Role, Tier, User, UserCapabilities
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony_client import DataAccess
from symphony_client.integrations.conductor import (
    CannotCreateWorkflows,
    UserRequest,
    WorkflowConductor,
)


class OneStepAWord:
    """Stands in for the model: makes a chain of steps of what the prompt says."""

    async def generate_workflow(self, prompt: str, capabilities: UserCapabilities) -> WorkflowSpec:
        spec = WorkflowSpec(name=prompt)
        for word in prompt.split()[: capabilities.max_workflow_steps]:
            before = [spec.steps[-1].name] if spec.steps else []
            spec.steps.append(WorkflowStep(name=word, command=f"./{word}.sh", depends_on=before))
        return spec


async def main() -> None:
    async with DataAccess.from_env() as data:
        # People whom the conductor works for; in real life they are there already.
        ada, bob = [
            await data.users.save(
                User(
                    email=f"{name}-{uuid4().hex[:8]}@example.com",
                    name=name,
                    tier=Tier.TIER_PRO,
                    roles=[role],
                )
            )
            for name, role in (("ada", Role.ROLE_DEVELOPER), ("bob", Role.ROLE_VIEWER))
        ]
        project = await data.acting_as(ada.id).projects.save(Project(name="Conducted"))

        conductor = WorkflowConductor(data, OneStepAWord())
        workflow = await conductor.process_user_request(
            UserRequest(user_id=ada.id, project_id=project.id, prompt="fetch compile test")
        )
        print("ada owns it:", workflow.user_id == ada.id)
        print("steps:", [step.name for step in workflow.spec.steps])

        try:
            await conductor.process_user_request(
                UserRequest(user_id=bob.id, project_id=project.id, prompt="fetch")
            )
        except CannotCreateWorkflows as error:
            print("bob cannot:", error)


if __name__ == "__main__":
    asyncio.run(main())
