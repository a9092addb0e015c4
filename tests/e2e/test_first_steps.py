"""What a newcomer does and sees, with the real server and the tools that people have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from symphony.v1.access_service_pb2 import CreateTokenResponse
from symphony.v1.project_pb2 import Project
from symphony.v1.user_pb2 import User
from symphony.v1.workflow_pb2 import Workflow
from symphony.v1.workflow_service_pb2 import ListWorkflowsResponse
from symphony_server.ids import new_id
from tests.e2e.processes import Failure, Server, Shown, Tool

STEPS = [
    {"name": "fetch", "command": "git pull"},
    {"name": "build", "command": "make", "depends_on": ["fetch"]},
    {"name": "test", "command": "make test", "depends_on": ["build"]},
]


def step(name: str, *depends_on: str) -> dict[str, Any]:
    return {"name": name, "command": "true", "depends_on": depends_on}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("serve")) as started:
        yield started


@pytest.fixture(params=["grpcurl", "buf"])
def tool(request: pytest.FixtureRequest, server: Server) -> Tool:
    return Tool(request.param, server, server.token)


@pytest.fixture
def project_id(tool: Tool) -> str:
    return tool.call("ProjectService/CreateProject", name="First steps").read(Project).id


def create(tool: Tool, project_id: str, **spec: Any) -> Shown:
    spec = {"name": "Build", "steps": STEPS, **spec}
    return tool.call("WorkflowService/CreateWorkflow", project_id=project_id, spec=spec)


def newcomer(tool: Tool, tier: str = "TIER_ENTERPRISE") -> tuple[User, Tool]:
    """A new DEVELOPER, and the tool in its hands."""
    user = tool.call(
        "UserService/CreateUser",
        email=f"{new_id('user')}@example.com",
        name="Nora",
        tier=tier,
        roles=["ROLE_DEVELOPER"],
    ).read(User)
    made = tool.call("AccessService/CreateToken", user_id=user.id, name="first")
    return user, Tool(tool.name, tool.server, made.read(CreateTokenResponse).secret)


def test_a_person_makes_reads_and_lists_a_workflow(tool: Tool, project_id: str) -> None:
    made = create(tool, project_id).read(Workflow)
    got = tool.call("WorkflowService/GetWorkflow", id=made.id).read(Workflow)
    listed = tool.call("WorkflowService/ListWorkflows", project_id=project_id)

    assert made.id.startswith("workflow_")
    assert [step.name for step in made.spec.steps] == ["fetch", "build", "test"]
    assert made.estimated_cost.estimated_duration.seconds == 15
    assert made.estimated_cost.compute_units == 30
    assert got == made
    assert list(listed.read(ListWorkflowsResponse).workflows) == [made]


@dataclass
class Mistake:
    """A wrong spec, and what is said of it."""

    spec: dict[str, Any]
    code: str
    reason: str
    field: str
    words: str
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)


MISTAKES = {
    "a blank name": Mistake(
        {"name": "  "}, "INVALID_ARGUMENT", "FIELD_INVALID", "spec.name", "must not be blank"
    ),
    "1001 steps": Mistake(
        {"steps": [step(f"s{n}") for n in range(1001)]},
        "INVALID_ARGUMENT",
        "FIELD_INVALID",
        "spec.steps",
        "must have at most 1000 items; it has 1001",
    ),
    "a cycle": Mistake(
        {"steps": [step("a", "c"), step("b", "a"), step("c", "b")]},
        "INVALID_ARGUMENT",
        "STEP_DEPENDENCY_CYCLE",
        "spec.steps[0].depends_on[0]",
        "a -> c -> b -> a",
        {"cycle": "a -> c -> b -> a"},
    ),
    "an unknown dependency": Mistake(
        {"steps": [step("a"), step("b", "missing")]},
        "INVALID_ARGUMENT",
        "STEP_DEPENDENCY_UNKNOWN",
        "spec.steps[1].depends_on[0]",
        '"missing", which is not a step of this workflow',
        {"step": "b", "dependency": "missing"},
    ),
    "a duplicate name": Mistake(
        {"name": "TAKEN"}, "ALREADY_EXISTS", "DUPLICATE_NAME", "spec.name", "is taken"
    ),
}


def told(failure: Failure, code: str, reason: str, words: str, field: str = "") -> None:
    """The failure says what is wrong to a person, and the same to a program."""
    assert (failure.code, failure.reason) == (code, reason)
    assert failure.details["ErrorInfo"]["domain"] == "symphony.v1"
    assert words in failure.message
    assert failure.metadata["request_id"]
    assert failure.metadata["decision_id"].startswith("audit_")
    if field:
        assert words in failure.fields[field]
        assert f"{field}: " in failure.message


@pytest.mark.parametrize("what", list(MISTAKES))
def test_a_mistake_is_told_in_plain_words_and_decodable_details(
    tool: Tool, project_id: str, what: str
) -> None:
    mistake = MISTAKES[what]
    assert create(tool, project_id, name="Taken").code == 0
    failure = create(tool, project_id, **mistake.spec).failure
    told(failure, mistake.code, mistake.reason, mistake.words, mistake.field)
    assert mistake.metadata.items() <= failure.metadata.items()


def test_what_is_missing_is_told_once_and_not_by_each_rule_that_it_breaks(
    tool: Tool, project_id: str
) -> None:
    failure = create(tool, project_id, name="").failure
    assert failure.message == "spec.name: must not be empty"


def test_an_id_of_something_else_is_told_apart(tool: Tool, project_id: str) -> None:
    failure = create(tool, project_id.replace("project_", "workflow_")).failure
    words = "must begin with project_, but this is the id of a workflow"
    told(failure, "INVALID_ARGUMENT", "FIELD_INVALID", words, "project_id")


def test_all_mistakes_are_told_together(tool: Tool) -> None:
    failure = create(tool, "x", name="", steps=[{"name": "a"}]).failure
    assert set(failure.fields) == {"project_id", "spec.name", "spec.steps[0].command"}


def test_a_missing_token_is_told_with_what_to_send(tool: Tool, project_id: str) -> None:
    failure = create(Tool(tool.name, tool.server), project_id).failure
    assert (failure.code, failure.reason) == ("UNAUTHENTICATED", "CREDENTIALS_MISSING")
    assert "authorization: Bearer <token>" in failure.message
    assert failure.details["ErrorInfo"]["domain"] == "symphony.v1"


def test_a_free_users_eleventh_workflow_is_refused(tool: Tool, project_id: str) -> None:
    user, fred = newcomer(tool, "TIER_FREE")
    joined = tool.call(
        "ProjectService/AddProjectMember",
        project_id=project_id,
        user_id=user.id,
        role="PROJECT_ROLE_COLLABORATOR",
    )
    assert joined.code == 0, joined.err
    for n in range(10):
        assert create(fred, project_id, name=f"w{n}").read(Workflow).user_id == user.id

    failure = create(fred, project_id, name="w10").failure

    told(failure, "RESOURCE_EXHAUSTED", "TIER_WORKFLOW_LIMIT", "10 workflows")
    assert failure.metadata["limit"] == "10"
    assert failure.metadata["tier"].endswith("FREE")
    (quota,) = failure.details["QuotaFailure"]["violations"]
    assert "10 workflows" in quota["description"]


def test_a_strangers_project_looks_as_if_it_were_not_there(tool: Tool, project_id: str) -> None:
    _, stranger = newcomer(tool)
    nowhere = new_id("project")
    seen, absent = (
        stranger.call("ProjectService/GetProject", id=which).failure
        for which in (project_id, nowhere)
    )
    told(seen, "NOT_FOUND", "RESOURCE_NOT_FOUND", f"no project {project_id} that you may read")
    assert seen.details["ResourceInfo"]["resource_name"] == project_id
    assert seen.message.replace(project_id, nowhere) == absent.message

    refused, as_absent = (create(stranger, which).failure for which in (project_id, nowhere))
    told(refused, "PERMISSION_DENIED", "PROJECT_ACCESS_REQUIRED", "COLLABORATOR")
    assert refused.message.replace(project_id, nowhere) == as_absent.message
    assert refused.reason == as_absent.reason


def test_a_stale_etag_is_told_with_the_current_one(tool: Tool, project_id: str) -> None:
    made = create(tool, project_id).read(Workflow)
    change = {"workflow": {"id": made.id, "shared": True, "etag": made.etag}}
    current = tool.call("WorkflowService/UpdateWorkflow", **change).read(Workflow)

    failure = tool.call("WorkflowService/UpdateWorkflow", **change).failure

    told(failure, "ABORTED", "ETAG_MISMATCH", "has changed since it was read")
    assert failure.metadata["etag"] == current.etag != made.etag
