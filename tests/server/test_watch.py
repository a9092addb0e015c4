"""A watch tells every change that its user may read, once and in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from symphony.v1.change_pb2 import ResourceKind
from symphony.v1.execution_service_pb2 import StartExecutionRequest
from symphony.v1.workflow_service_pb2 import DeleteWorkflowRequest
from tests import engines
from tests.server.follower import begun, last_revision, told, until, watching
from tests.server.rights import share
from tests.server.world import World

ENGINES = engines.ALL


def test_a_watch_from_now_tells_what_comes_and_checkpoints_it(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    with watching(owner) as call:
        start = begun(call)
        made = owner.ask(owner.workflows.CreateWorkflow, world.new_workflow(project.id))
        workflow = made.response
        changes = until(call, made.revision)
    assert told(changes) == [("CREATED", workflow.id)]
    assert changes[0].revision == made.revision > start
    assert changes[0].kind == ResourceKind.RESOURCE_KIND_WORKFLOW
    assert changes[0].workflow == workflow


def test_a_watch_from_a_revision_tells_every_later_change_in_order(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    start = last_revision(world)
    workflow = world.workflow(owner, project)
    share(owner, workflow)
    gone = owner.ask(owner.workflows.DeleteWorkflow, DeleteWorkflowRequest(id=workflow.id))
    with watching(owner, start) as call:
        changes = until(call, gone.revision)
    assert told(changes) == [
        ("CREATED", workflow.id),
        ("UPDATED", workflow.id),
        ("DELETED", workflow.id),
    ]
    assert [c.revision for c in changes] == [start + 1, start + 2, start + 3]
    assert changes[1].workflow.shared
    assert changes[2].WhichOneof("resource") is None


def test_a_change_names_the_request_that_made_it(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    with watching(owner) as call:
        begun(call)
        request = world.new_workflow(project.id, request_id="mine")
        made = owner.ask(owner.workflows.CreateWorkflow, request)
        (change,) = until(call, made.revision)
    assert change.request_id == "mine"


def test_filters_by_kind_and_project(world: World) -> None:
    owner = world.user()
    here, there = world.project(owner), world.project(owner)
    start = last_revision(world)
    wanted = world.workflow(owner, here)
    world.workflow(owner, there)
    owner.get(owner.executions.StartExecution, StartExecutionRequest(workflow_id=wanted.id))
    end = last_revision(world)
    kinds = [ResourceKind.RESOURCE_KIND_WORKFLOW]
    with watching(owner, start, kinds=kinds, project_ids=[here.id]) as call:
        assert told(until(call, end)) == [("CREATED", wanted.id)]
    with watching(owner, start, project_ids=[there.id]) as call:
        assert len(until(call, end)) == 1
    with watching(owner, start, kinds=kinds) as call:
        assert len(until(call, end)) == 2


def test_many_writers_and_watchers_see_every_change_once_and_in_order(world: World) -> None:
    owner = world.user()
    project = world.project(owner)
    start = last_revision(world)
    writers, writes, watchers = 8, 25, 6

    def write(_: int) -> list[str]:
        return [world.workflow(owner, project).id for _ in range(writes)]

    def follow(_: int) -> list[tuple[int, str]]:
        with watching(owner, start) as call:
            changes = until(call, start + writers * writes)
        return [(c.revision, c.resource_id) for c in changes]

    with ThreadPoolExecutor(writers + watchers) as pool:
        followed = [pool.submit(follow, n) for n in range(watchers)]
        made = {name for names in pool.map(write, range(writers)) for name in names}
        seen = [future.result() for future in followed]
    assert [revision for revision, _ in seen[0]] == list(
        range(start + 1, start + writers * writes + 1)
    )
    assert {name for _, name in seen[0]} == made
    assert all(other == seen[0] for other in seen)
