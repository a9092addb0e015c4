"""What is acknowledged is kept, once, with one record, whatever happens to the server."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import grpc
import pytest

from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.user_pb2 import Tier
from symphony.v1.workflow_service_pb2 import ListWorkflowsRequest
from tests.e2e.ledger import Ledger
from tests.e2e.place import Place
from tests.e2e.processes import WAIT_SECONDS, Server
from tests.server.world import read_refusal

CREATES = 10_000
KILLS = 8
LONGEST_ROUND_SECONDS = 0.5
AS_FAST_AS_IT_CAN = ("--dev", "--no-rate-limits")


def new_project(server: Server) -> str:
    with grpc.insecure_channel(server.target) as channel:
        made = ProjectServiceStub(channel).CreateProject(
            CreateProjectRequest(name="Load"),
            metadata=(("authorization", f"Bearer {server.token}"),),
            timeout=WAIT_SECONDS,
        )
    return made.id


@pytest.mark.timeout(180)
async def test_ten_thousand_creates_from_sixteen_callers_are_all_kept(tmp_path: Path) -> None:
    with Server(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        ledger = Ledger(new_project(server))
        await ledger.create(server, [f"w{n}" for n in range(CREATES)])
        assert server.terminate() == 0
    assert len(ledger.acknowledged) == CREATES
    ledger.check(server)


@pytest.mark.timeout(180)
async def test_a_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with Server(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        ledger = Ledger(new_project(server))
        for number in range(KILLS):
            # Some of what the last kill left open is tried again while the next comes, and so
            # is some of what was answered.
            names = [
                *sorted(ledger.unknown)[::2],
                *random.sample(sorted(ledger.acknowledged), min(8, len(ledger.acknowledged))),
                *(f"r{number}w{n}" for n in range(20_000)),
            ]
            ledger.first_answer.clear()
            working = asyncio.ensure_future(ledger.create(server, names))
            await asyncio.wait_for(ledger.first_answer.wait(), WAIT_SECONDS)
            moment = random.uniform(0, LONGEST_ROUND_SECONDS)  # noqa: S311 - any will do
            await asyncio.wait({working}, timeout=moment)
            server.kill()
            await working
            assert ledger.unknown
            ledger.check(server)
            server.start()

        open_names = sorted(ledger.unknown)
        await ledger.create(server, [*open_names, *open_names])
        assert not ledger.unknown
        assert server.terminate() == 0
    ledger.check(server)


async def test_a_server_that_is_told_to_end_first_answers_what_it_took(tmp_path: Path) -> None:
    with Server(tmp_path, *AS_FAST_AS_IT_CAN) as server:
        ledger = Ledger(new_project(server))
        working = asyncio.ensure_future(ledger.create(server, (f"w{n}" for n in range(100_000))))
        await asyncio.wait_for(ledger.first_answer.wait(), WAIT_SECONDS)
        assert await asyncio.to_thread(server.terminate) == 0
        await working
        ledger.check(server)


def test_fifty_racers_for_the_last_place_of_a_tier_get_one_success(place: Place) -> None:
    user = place.user(Tier.TIER_FREE)
    project = place.project(user)
    for _ in range(9):
        place.workflow(user, project)
    racers = [
        user.workflows.CreateWorkflow.future(
            place.new_workflow(project), metadata=tuple(user.metadata()), timeout=WAIT_SECONDS
        )
        for _ in range(50)
    ]
    errors = [racer.exception() for racer in racers]
    reasons = Counter(
        read_refusal(error).reason if isinstance(error, grpc.RpcError) else str(error)
        for error in errors
    )
    assert reasons == {"None": 1, "TIER_WORKFLOW_LIMIT": 49}
    kept = user.get(user.workflows.ListWorkflows, ListWorkflowsRequest(project_id=project.id))
    assert len(kept.workflows) == 10


def test_a_request_that_is_repeated_a_hundred_times_at_once_is_done_once(place: Place) -> None:
    user = place.user()
    project = place.project(user)
    request = place.new_workflow(project)
    request.request_id = "again"
    calls = [
        user.workflows.CreateWorkflow.future(
            request, metadata=tuple(user.metadata()), timeout=WAIT_SECONDS
        )
        for _ in range(100)
    ]
    answers = {call.result().SerializeToString(deterministic=True) for call in calls}
    told = {
        tuple(sorted((key, value) for key, value in call.trailing_metadata() or ()))
        for call in calls
    }
    assert len(answers) == 1
    assert len(told) == 1
    assert {"x-symphony-decision-id", "x-symphony-revision", "x-request-id"} <= dict(*told).keys()
    kept = user.get(user.workflows.ListWorkflows, ListWorkflowsRequest(project_id=project.id))
    assert len(kept.workflows) == 1
