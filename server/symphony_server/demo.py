"""The demo world of `symphony serve --dev`: users of each role and tier, two projects, and
the example workflow of the document this project comes from.
"""

from __future__ import annotations

from typing import Final

from symphony.v1.project_pb2 import Project, ProjectConstraints, ProjectRole
from symphony.v1.project_service_pb2 import AddProjectMemberRequest, CreateProjectRequest
from symphony.v1.user_pb2 import Role, Tier, User
from symphony.v1.user_service_pb2 import CreateUserRequest
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony_server.access.caller import Subject
from symphony_server.store.transaction import Transaction
from symphony_server.use_cases.call import Deployment
from symphony_server.use_cases.operator import perform_as_operator
from symphony_server.use_cases.projects.add_project_member import add_project_member
from symphony_server.use_cases.projects.create_project import create_project
from symphony_server.use_cases.users.create_user import create_user
from symphony_server.use_cases.workflows.create_workflow import create_workflow

DEVELOPER: Final = "developer@localhost"
USERS: Final = (
    (DEVELOPER, "Dora Developer", Tier.TIER_PRO, Role.ROLE_DEVELOPER),
    ("free@localhost", "Fred Free", Tier.TIER_FREE, Role.ROLE_DEVELOPER),
    ("viewer@localhost", "Vera Viewer", Tier.TIER_FREE, Role.ROLE_VIEWER),
    ("auditor@localhost", "Otto Auditor", Tier.TIER_FREE, Role.ROLE_AUDITOR),
    ("conductor@localhost", "AI Conductor", Tier.TIER_ENTERPRISE, Role.ROLE_SERVICE),
)


def create_demo_world(transaction: Transaction, deployment: Deployment) -> None:
    """Add the demo world to a database that has only its first ADMIN."""
    users = {
        email: perform_as_operator(
            transaction,
            deployment,
            create_user,
            CreateUserRequest(email=email, name=name, tier=tier, roles=[role]),
        )
        for email, name, tier, role in USERS
    }
    developer = Subject.of(users[DEVELOPER])
    playground = _project(
        transaction,
        deployment,
        developer,
        CreateProjectRequest(name="Playground", description="A place to try things out."),
    )
    _project(
        transaction,
        deployment,
        developer,
        CreateProjectRequest(
            name="Release",
            description="Small workflows only: at most 5 steps.",
            constraints=ProjectConstraints(max_steps_per_workflow=5),
        ),
    )
    _member(transaction, deployment, playground, users["free@localhost"], "COLLABORATOR")
    _member(transaction, deployment, playground, users["viewer@localhost"], "VIEWER")
    perform_as_operator(
        transaction,
        deployment,
        create_workflow,
        CreateWorkflowRequest(
            project_id=playground.id,
            spec=WorkflowSpec(
                name="Test Workflow",
                steps=[
                    WorkflowStep(name="step1", command="echo hello"),
                    WorkflowStep(name="step2", command="echo world", depends_on=["step1"]),
                ],
            ),
            shared=True,
        ),
        user=developer,
    )


def _project(
    transaction: Transaction,
    deployment: Deployment,
    owner: Subject,
    request: CreateProjectRequest,
) -> Project:
    project: Project = perform_as_operator(
        transaction, deployment, create_project, request, user=owner
    )
    return project


def _member(
    transaction: Transaction, deployment: Deployment, project: Project, user: User, role: str
) -> None:
    perform_as_operator(
        transaction,
        deployment,
        add_project_member,
        AddProjectMemberRequest(
            project_id=project.id,
            user_id=user.id,
            role=ProjectRole.Value(f"PROJECT_ROLE_{role}"),
        ),
    )
