"""Metrics as Prometheus reads them from a real server."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.project_service_pb2 import CreateProjectRequest, GetProjectRequest
from symphony_server.rpc.methods import read_methods
from symphony_server.store.replication import STAGES, Lag, Standby
from symphony_server.store.sqlite_file import SqliteSession
from tests.server.scraping import Scrape, eventually
from tests.server.world import World

DOCS = Path(__file__).parents[2] / "docs"
SERVICE = "symphony.v1.ProjectService"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(tmp_path, metrics="127.0.0.1:0") as made:
        yield made


@pytest.fixture
def replicated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A server whose database tells of a standby, so that every metric has a sample."""
    lags = {stage: Lag(10, 0.5) for stage in STAGES}
    standbys = [Standby("elsewhere", "async", lags)]
    monkeypatch.setattr(SqliteSession, "standbys", lambda _: standbys)
    with World(tmp_path, metrics="127.0.0.1:0") as made:
        yield made


def address_of(world: World) -> str:
    address = world.server.running.metrics_address
    assert address is not None
    return address


def call_a_little(world: World) -> None:
    """Two creates, one only checked, three gets, one of them refused, and a stranger."""
    project = world.project(world.admin)
    world.project(world.admin)
    world.admin.get(
        world.admin.projects.CreateProject, CreateProjectRequest(name="no", validate_only=True)
    )
    for _ in range(2):
        world.admin.get(world.admin.projects.GetProject, GetProjectRequest(id=project.id))
    absent = GetProjectRequest(id="project_01jz000000e00000000000000a")
    world.admin.refused(world.admin.projects.GetProject, absent)
    world.stranger.refused(world.stranger.projects.GetProject, absent)


def all_counted(scrape: Scrape) -> bool:
    return sum(scrape.by("reason", "symphony_refusals_total").values()) == 2


def test_calls_are_counted_by_method_and_how_they_ended(world: World) -> None:
    call_a_little(world)
    scrape = eventually(address_of(world), all_counted)

    def counted(method: str) -> dict[str, float]:
        return scrape.by("code", "symphony_calls_total", method=f"{SERVICE}/{method}")

    assert counted("CreateProject") == {"OK": 3}
    assert counted("GetProject") == {"OK": 2, "NOT_FOUND": 1, "UNAUTHENTICATED": 1}
    assert scrape.by("reason", "symphony_refusals_total") == {
        "RESOURCE_NOT_FOUND": 1,
        "CREDENTIALS_MISSING": 1,
    }
    assert scrape.by("outcome", "symphony_decisions_total") == {
        "allowed": 2,
        "validated": 1,
        "denied": 2,
    }
    assert scrape.value("symphony_calls_in_flight") == 0


def test_durations_are_those_of_the_calls(world: World) -> None:
    began = time.monotonic()
    call_a_little(world)
    scrape = eventually(address_of(world), all_counted)
    passed = time.monotonic() - began

    name, method = "symphony_call_duration_seconds", f"{SERVICE}/GetProject"
    assert scrape.value(f"{name}_count", method=method) == 4
    assert 0 < scrape.value(f"{name}_sum", method=method) < passed
    buckets = [
        s.value
        for s in scrape.samples
        if s.name == f"{name}_bucket" and s.labels["method"] == method
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 4


def test_writes_are_counted_with_the_transactions_that_they_shared(world: World) -> None:
    before = Scrape(address_of(world))
    call_a_little(world)
    after = eventually(address_of(world), all_counted)

    # Three writes and two refusals, each with its record; and what the server does by itself.
    commands = risen(before, after, "symphony_store_commands_total")
    batches = risen(before, after, "symphony_store_batches_total")
    assert 5 <= commands < 10
    assert 1 <= batches <= commands
    assert risen(before, after, "symphony_store_batch_size_count") == batches
    assert risen(before, after, "symphony_store_batch_size_sum") == commands
    assert risen(before, after, "symphony_store_batch_duration_seconds_count") == batches
    assert risen(before, after, "symphony_store_batch_duration_seconds_sum") > 0
    assert risen(before, after, "symphony_audit_tree_size") == 5
    assert risen(before, after, "symphony_store_revision") == 4  # projects, and their owners
    assert after.value("symphony_store_queue_length") == 0
    assert after.value("symphony_store_failed_batches_total") == 0


def risen(before: Scrape, after: Scrape, name: str) -> float:
    return after.value(name) - before.value(name)


def test_watches_are_counted_and_how_far_they_are(world: World) -> None:
    watch: Any = world.admin.changes.Watch
    call = watch(WatchRequest(), metadata=world.admin.metadata())
    next(call)
    world.project(world.admin)
    scrape = eventually(
        address_of(world),
        lambda s: s.value("symphony_feed_revision") == s.value("symphony_store_revision") > 1,
    )
    assert scrape.value("symphony_watches_open") == 1
    call.cancel()
    eventually(address_of(world), lambda s: s.value("symphony_watches_open") == 0)


def test_callers_choose_no_label(world: World) -> None:
    channel = world.admin.channel
    for path in ("/symphony.v1.Nothing/Here", f"/{SERVICE}/Nothing", "/made.up.Service/Method"):
        raw: Any = channel.unary_unary(path)
        with pytest.raises(grpc.RpcError):
            raw(b"", metadata=world.admin.metadata(), timeout=20)
    call_a_little(world)
    scrape = eventually(address_of(world), all_counted)
    named = {s.labels["method"] for s in scrape.samples if "method" in s.labels}
    assert named <= set(read_methods())
    codes = {s.labels["code"] for s in scrape.samples if "code" in s.labels}
    assert codes <= {code.name for code in grpc.StatusCode}


def test_the_last_call_refused_for_a_reason_is_its_exemplar(world: World) -> None:
    project = GetProjectRequest(id="project_01jz000000e00000000000000a")
    refusal = world.admin.refused(world.admin.projects.GetProject, project)
    eventually(address_of(world), lambda s: bool(s.by("reason", "symphony_refusals_total")))
    exemplars = {
        s.labels["reason"]: s.exemplar.labels
        for s in Scrape(address_of(world), open_metrics=True).samples
        if s.exemplar is not None
    }
    assert exemplars == {
        "RESOURCE_NOT_FOUND": {"decision_id": refusal.trailing["x-symphony-decision-id"]}
    }


def test_the_documentation_has_a_row_for_each_metric_and_no_other(replicated: World) -> None:
    call_a_little(replicated)
    scrape = eventually(address_of(replicated), all_counted)
    exported = {}
    for family in scrape.families:
        if family.name.startswith("process_"):
            continue
        labels = {label for s in family.samples for label in s.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        said = ", ".join(f"`{label}`" for label in sorted(labels))
        exported[name] = f"| `{name}` | {family.type} | {said} | {family.documentation} |"
    documented = re.findall(
        r"^\| `symphony_\w+` .*$", (DOCS / "observability.md").read_text(), re.M
    )
    assert documented == list(exported.values())


def test_the_dashboard_names_all_that_is_exported_and_nothing_else(replicated: World) -> None:
    call_a_little(replicated)
    scrape = eventually(address_of(replicated), all_counted)
    exported = {sample.name for sample in scrape.samples}
    dashboard = json.loads((DOCS / "grafana" / "symphony.json").read_text())
    said = [
        query["expr"] for panel in dashboard["panels"] for query in panel.get("targets", ())
    ] + [v["query"]["query"] for v in dashboard["templating"]["list"] if v["type"] == "query"]
    named = {name for query in said for name in re.findall(r"\b(?:symphony|process)_\w+", query)}
    assert named <= exported
    shown = {family.name for family in scrape.families if named & {s.name for s in family.samples}}
    assert shown >= {f.name for f in scrape.families if f.name.startswith("symphony_")}
    identifiers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(identifiers)) == len(identifiers)


def test_nothing_is_served_unless_it_is_asked_for_nor_when_the_server_has_stopped(
    tmp_path: Path,
) -> None:
    with World(tmp_path) as quiet:
        assert quiet.server.running.metrics_address is None
    with World(tmp_path, metrics="127.0.0.1:0") as world:
        host, _, port = address_of(world).rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_a_port_that_is_taken_keeps_the_server_from_starting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(OSError, match=f"metrics cannot be served on {address}"),
            World(tmp_path, metrics=address),
        ):
            pass


def test_a_worker_takes_the_port_while_the_one_before_it_still_answers(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with World(tmp_path, metrics="127.0.0.1:0", worker=1) as before:
        port = int(address_of(before).rpartition(":")[2])
        with World(tmp_path / "other", metrics=f"127.0.0.1:{port - 1}", worker=1) as after:
            assert address_of(after) == address_of(before)
            assert Scrape(address_of(after)).value("symphony_store_up") == 1
