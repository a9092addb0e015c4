"""Calls to a path that is no text: grpcio's own loop ends with one, the server goes on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from symphony.v1.project_pb2 import Project
from symphony.v1.project_service_pb2 import CreateProjectRequest
from tests.fuzz.raw_frames import DATA, END_STREAM, frame, message, opening, say
from tests.server.follower import begun, until, watching
from tests.server.world import World

PATHS = (b"/\xff", b"/symphony.v1.ProjectService/Get\x91Project", b"\xc3\x28", b"/\xed\xa0\x80")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Its end is part of each test: a server that does not stop would keep it waiting."""
    with World(tmp_path) as made:
        yield made


def call(world: World, path: bytes) -> None:
    port = int(world.server.target.rpartition(":")[2])
    say(port, opening(path) + frame(DATA, END_STREAM, 1, message(b"")))


def is_served(world: World) -> None:
    made = world.project(world.admin)
    assert isinstance(made, Project)
    health: Any = health_pb2_grpc.HealthStub(world.admin.channel)
    status = health.Check(health_pb2.HealthCheckRequest(), timeout=10).status
    assert status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("path", PATHS)
def test_the_server_goes_on_after_a_path_that_is_no_text(world: World, path: bytes) -> None:
    call(world, path)
    is_served(world)


def test_it_goes_on_after_any_number_of_them(world: World) -> None:
    is_served(world)
    for _ in range(5):
        for path in PATHS:
            call(world, path)
        is_served(world)


def test_who_is_being_served_does_not_notice(world: World) -> None:
    admin, made = world.admin, None
    with watching(admin) as changes:
        last = begun(changes)
        for number in range(3):
            call(world, PATHS[0])
            request = CreateProjectRequest(name=f"p{number}")
            made = admin.ask(admin.projects.CreateProject, request)
        assert made is not None
        seen = [change.revision for change in until(changes, made.revision)]
    assert seen == list(range(last + 1, made.revision + 1))


def test_nothing_is_kept_of_them(world: World) -> None:
    """Before, what waited for the next call of each registered method, in each loop that ended."""

    def kept() -> int:
        gc.collect()
        return sum(isinstance(left, asyncio.Future) for left in gc.get_objects())

    call(world, PATHS[0])
    is_served(world)
    before = kept()
    for _ in range(20):
        call(world, PATHS[0])
    is_served(world)
    assert kept() < before + 20
