"""The order of the stages, and what each sees of calls that are refused further in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.trace import NoOpTracer

from symphony.v1.audit_pb2 import AuditOutcome
from symphony.v1.project_service_pb2 import ListProjectsRequest, ListProjectsResponse
from symphony_server.rpc.methods import PolicyMissing, _read
from symphony_server.rpc.pipeline import STAGES, stages
from tests.server.world import World, read_refusal


def test_the_stages_stand_in_this_order() -> None:
    assert [stage.__name__ for stage in STAGES] == [
        "observe",
        "answer",
        "deadline",
        "shed_load",
        "record_refusals",
        "authenticate",
        "rate_limit",
        "share_streams",
        "check_structure",
    ]


def test_with_tracing_the_span_is_around_all_of_them(tmp_path: Path) -> None:
    with World(tmp_path) as plain:
        services = plain.server.running.services
    assert stages(services) == STAGES
    traced = replace(services, tracer=NoOpTracer())
    assert [stage.__name__ for stage in stages(traced)] == [
        "trace",
        *(stage.__name__ for stage in STAGES),
    ]


def test_refused_calls_and_bytes_that_do_not_parse_are_counted_and_recorded(
    tmp_path: Path,
) -> None:
    method = "symphony.v1.ProjectService/ListProjects"
    with World(tmp_path) as world:
        raw: Any = world.admin.channel.unary_unary(f"/{method}")
        with pytest.raises(grpc.RpcError) as caught:
            raw(b"\xff\xff\xff", metadata=world.admin.metadata(), timeout=20)
        world.stranger.refused(world.stranger.projects.ListProjects, ListProjectsRequest())
        world.admin.get(world.admin.projects.ListProjects, ListProjectsRequest())
        seen = world.server.running.services.observations
        calls = {key: count for key, count in seen.calls.items() if key[0] == method}

    refusal = read_refusal(caught.value)
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert calls == {
        (method, "INVALID_ARGUMENT"): 1,
        (method, "UNAUTHENTICATED"): 1,
        (method, "OK"): 1,
    }
    assert seen.refusals == {"FIELD_INVALID": 1, "CREDENTIALS_MISSING": 1}
    recorded = world.audit(lambda r: r.method == method)
    assert [r.reason for r in recorded] == ["FIELD_INVALID", "CREDENTIALS_MISSING"]
    assert recorded[0].caller_id == world.admin.id


def test_a_fault_of_the_server_tells_its_request_id_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with World(tmp_path) as world:

        def fail(*_: object) -> None:
            raise RuntimeError("the secret cause")

        monkeypatch.setattr("symphony_server.use_cases.projects.list_projects.read_page", fail)
        refusal = world.admin.refused(world.admin.projects.ListProjects, ListProjectsRequest())
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert refusal.metadata == {"request_id": refusal.trailing["x-request-id"]}
    assert "secret cause" not in refusal.message
    failed = world.audit(lambda r: r.outcome == AuditOutcome.AUDIT_OUTCOME_FAILED)
    assert [r.request_id for r in failed] == [refusal.trailing["x-request-id"]]


def test_more_calls_than_may_be_under_way_are_shed_with_a_time_to_retry(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        load = world.server.running.services.load
        load.calls = load.max_calls
        refusal = world.admin.refused(world.admin.projects.ListProjects, ListProjectsRequest())
        load.calls = 0
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
    assert refusal.details["RetryInfo"].retry_delay.ToMilliseconds() == 500
    assert refusal.trailing["grpc-retry-pushback-ms"] == "500"


def test_a_stopping_server_answers_new_calls_once_clients_know_where_else_to_go(
    tmp_path: Path,
) -> None:
    with World(tmp_path) as world:
        load = world.server.running.services.load
        load.stopping = True
        call = world.admin.projects.ListProjects.future(
            ListProjectsRequest(), metadata=tuple(world.admin.metadata()), timeout=20
        )
        with pytest.raises(grpc.FutureTimeoutError):
            call.result(timeout=0.3)
        assert load.calls == 1
        world.server.run(_set(load.going))
        assert call.result() == ListProjectsResponse()


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_a_request_id_in_the_metadata_comes_back(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        answer = world.admin.ask(
            world.admin.projects.ListProjects, ListProjectsRequest(), ("x-request-id", "mine")
        )
        odd = world.admin.ask(
            world.admin.projects.ListProjects, ListProjectsRequest(), ("x-request-id", "x" * 65)
        )
    assert answer.trailing["x-request-id"] == "mine"
    assert len(odd.trailing["x-request-id"]) == 32


def test_an_rpc_without_a_policy_keeps_the_server_from_starting() -> None:
    from grpc_health.v1 import health_pb2

    check: Any = health_pb2.DESCRIPTOR.services_by_name["Health"].methods_by_name["Check"]
    with pytest.raises(PolicyMissing, match=r"grpc\.health\.v1\.Health/Check"):
        _read(check)
