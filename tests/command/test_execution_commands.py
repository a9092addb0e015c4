"""`symphony executions` against a real server."""

from __future__ import annotations

import threading

import pytest

from symphony.v1.execution_pb2 import Execution, ExecutionState
from symphony.v1.execution_service_pb2 import (
    GetExecutionRequest,
    ListExecutionsRequest,
    StartExecutionRequest,
)
from symphony.v1.project_pb2 import Project
from symphony.v1.workflow_pb2 import Workflow
from tests.command.terminal import COLUMNS, Terminal, contract_json
from tests.server.world import World, spec, step


@pytest.fixture
def project(world: World) -> Project:
    return world.project(world.admin)


@pytest.fixture
def workflow(world: World, project: Project) -> Workflow:
    return world.workflow(world.admin, project, spec=spec("Run", step("a"), step("b", "a")))


def started(world: World, workflow: Workflow) -> Execution:
    request = StartExecutionRequest(workflow_id=workflow.id)
    made: Execution = world.admin.get(world.admin.executions.StartExecution, request)
    return made


def read(world: World, execution_id: str) -> Execution:
    request = GetExecutionRequest(id=execution_id)
    found: Execution = world.admin.get(world.admin.executions.GetExecution, request)
    return found


def test_a_run_is_started_by_the_workflows_name(
    world: World, terminal: Terminal, workflow: Workflow, project: Project
) -> None:
    made = terminal.run("executions", "start", "Run", "--project", project.id, "-o", "json").json
    assert made == contract_json(read(world, made["id"]))
    assert made["workflowId"] == workflow.id


def test_a_run_is_reported_on_step_by_step(
    world: World, terminal: Terminal, workflow: Workflow
) -> None:
    run = started(world, workflow)
    for report in (
        ("--state", "running", "--step", "a=running"),
        ("--step", "a=succeeded"),
        ("--step", "b=failed", "--state", "failed", "--error", "no space left"),
    ):
        assert terminal.run("executions", "report", run.id, *report).code == 0
    kept = read(world, run.id)
    assert kept.state == ExecutionState.EXECUTION_STATE_FAILED
    assert [one.state for one in kept.steps] == [
        ExecutionState.EXECUTION_STATE_SUCCEEDED,
        ExecutionState.EXECUTION_STATE_FAILED,
    ]
    shown = terminal.run("executions", "get", run.id)
    assert "Error no space left" in shown.text
    assert max(map(len, shown.out.splitlines())) <= COLUMNS
    assert terminal.run("executions", "report", run.id, "--step", "c=failed").code == 2
    assert terminal.run("executions", "report", run.id).code == 2


def test_a_run_is_given_up(world: World, terminal: Terminal, workflow: Workflow) -> None:
    run = started(world, workflow)
    assert terminal.run("executions", "cancel", run.id).text == f"cancelled {run.id}"
    again = terminal.run("executions", "cancel", run.id)
    assert again.code == 1
    assert "Next: look at the state" in again.err


def test_runs_are_listed_with_their_workflow(
    world: World, terminal: Terminal, workflow: Workflow, project: Project
) -> None:
    run = started(world, workflow)
    table = terminal.run("executions", "list", "--limit", "0").out
    assert run.id in table
    assert run.workflow_id in table
    assert max(map(len, table.splitlines())) <= COLUMNS
    where = ("--workflow", "Run", "--project", project.id, "--state", "pending", "--user", "me")
    answer = world.admin.get(
        world.admin.executions.ListExecutions, ListExecutionsRequest(workflow_id=workflow.id)
    )
    listed = terminal.run("executions", "list", *where, "-o", "json").json
    assert listed == [contract_json(one) for one in answer.executions]


@pytest.mark.parametrize(("end", "code"), [("succeeded", 0), ("failed", 1)])
def test_following_a_run_ends_as_the_run_does(
    world: World, terminal: Terminal, workflow: Workflow, end: str, code: int
) -> None:
    run = started(world, workflow)
    with terminal.running("executions", "follow", run.id) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "pending 0/2\n"
        for report in (("--state", "running", "--step", f"a={end}"), ("--state", end)):
            assert terminal.run("executions", "report", run.id, *report).code == 0
        out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert out == f"{end} {run.id}\n"
    assert err.splitlines()[-1] == f"{end} 1/2"


def test_a_run_can_be_followed_from_its_start(terminal: Terminal, workflow: Workflow) -> None:
    with terminal.running("executions", "start", workflow.id, "--follow", "-o", "json") as process:
        assert process.stderr is not None
        run = process.stderr.readline().split()[1]
        assert process.stderr.readline() == "pending 0/2\n"
        canceller = threading.Thread(target=terminal.run, args=("executions", "cancel", run))
        canceller.start()
        out, _ = process.communicate(timeout=30)
        canceller.join()
    assert process.returncode == 1
    assert '"EXECUTION_STATE_CANCELLED"' in out
