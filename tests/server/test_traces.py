"""Spans of calls, through a real client and a real server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import symphony_client
from symphony.v1.project_service_pb2 import CreateProjectRequest, GetProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony_client.calls.trace import Trace
from symphony_server.settings import Settings
from symphony_server.tracing import TracesUnavailable, tracer_provider
from tests.server.world import World

CREATE = "symphony.v1.ProjectService/CreateProject"
GET = "symphony.v1.ProjectService/GetProject"
ABSENT = GetProjectRequest(id="project_01jz000000e00000000000000a")


class Spans:
    """What ended so far, of a provider that is the process's own while a test runs."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._kept))

    def named(self, name: str, kind: SpanKind = SpanKind.SERVER) -> ReadableSpan:
        """The only span with a name."""
        (found,) = (s for s in self.all if s.name == name and s.kind is kind)
        return found

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        return self._kept.get_finished_spans()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    made = Spans()
    # It can be set but once a process.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", made.provider)
    yield made
    made.provider.shutdown()


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def is_child(span: ReadableSpan, parent: ReadableSpan) -> bool:
    return span.parent is not None and span.parent.span_id == parent.context.span_id


def test_a_call_of_the_client_and_what_the_server_did_are_one_trace(
    tmp_path: Path, spans: Spans
) -> None:
    with World(tmp_path, tracer_provider=spans.provider) as world:
        token = world.admin.secret
        with (
            symphony_client.connect(world.server.target, token=token) as channel,
            trace.get_tracer("test").start_as_current_span("what the program does"),
        ):
            ProjectServiceStub(channel).CreateProject(CreateProjectRequest(name="traced"))
        (record,) = world.audit(lambda r: r.method == CREATE)
    program = spans.named("what the program does", SpanKind.INTERNAL)
    client, server = spans.named(CREATE, SpanKind.CLIENT), spans.named(CREATE)
    (write,) = (s for s in spans.all if s.name == "store.write" and is_child(s, server))
    assert is_child(client, program)
    assert is_child(server, client)
    assert [event.name for event in write.events] == ["command begun"]
    assert {s.context.trace_id for s in (program, client, server, write)} == {
        program.context.trace_id
    }
    assert attributes_of(server) == {
        "rpc.system": "grpc",
        "rpc.service": "symphony.v1.ProjectService",
        "rpc.method": "CreateProject",
        "rpc.grpc.status_code": 0,
        "symphony.request_id": record.request_id,
        "symphony.decision_id": record.decision_id,
        "symphony.caller_id": world.admin.id,
        "symphony.user_id": world.admin.id,
    }
    assert attributes_of(client)["symphony.decision_id"] == record.decision_id
    assert server.status.status_code is StatusCode.UNSET


def test_a_refused_call_tells_both_spans_its_decision(tmp_path: Path, spans: Spans) -> None:
    with World(tmp_path, tracer_provider=spans.provider) as world:
        with (
            symphony_client.connect(world.server.target, token=world.admin.secret) as channel,
            pytest.raises(grpc.RpcError),
        ):
            ProjectServiceStub(channel).GetProject(ABSENT)
        (record,) = world.audit(lambda r: r.method == GET)
    client, server = spans.named(GET, SpanKind.CLIENT), spans.named(GET)
    for span in (client, server):
        assert attributes_of(span)["symphony.decision_id"] == record.decision_id
        assert attributes_of(span)["rpc.grpc.status_code"] == 5
    assert attributes_of(server)["symphony.reason"] == "RESOURCE_NOT_FOUND"
    # The caller's mistake: an error of the client, none of the server.
    assert client.status.status_code is StatusCode.ERROR
    assert server.status.status_code is StatusCode.UNSET


def test_asyncio_traces_alike(tmp_path: Path, spans: Spans) -> None:
    async def call(target: str, token: str | None) -> None:
        async with symphony_client.aio.connect(target, token=token) as channel:
            stub: Any = ProjectServiceStub(channel)
            with trace.get_tracer("test").start_as_current_span("program"):
                await stub.CreateProject(CreateProjectRequest(name="traced"))
                with pytest.raises(grpc.RpcError):
                    await stub.GetProject(ABSENT)

    with World(tmp_path, tracer_provider=spans.provider) as world:
        asyncio.run(call(world.server.target, world.admin.secret))
    for name in (CREATE, GET):
        client, server = spans.named(name, SpanKind.CLIENT), spans.named(name)
        assert is_child(client, spans.named("program", SpanKind.INTERNAL))
        assert is_child(server, client)
        decision = attributes_of(server)["symphony.decision_id"]
        assert attributes_of(client)["symphony.decision_id"] == decision


def test_a_fault_marks_the_span_and_keeps_its_cause_to_the_log(
    tmp_path: Path, spans: Spans, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr("symphony_server.use_cases.projects.get_project.get_project", fail)
    monkeypatch.setattr("symphony_server.store.projects.Projects.get", fail)
    with World(tmp_path, tracer_provider=spans.provider) as world:
        world.admin.refused(world.admin.projects.GetProject, ABSENT)
    span = spans.named(GET)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "INTERNAL")
    assert not any("secret cause" in s.to_json() for s in spans.all)


def test_bytes_that_do_not_parse_and_strangers_are_traced_without_secrets(
    tmp_path: Path, spans: Spans
) -> None:
    with World(tmp_path, tracer_provider=spans.provider) as world:
        raw: Any = world.admin.channel.unary_unary(f"/{GET}")
        with pytest.raises(grpc.RpcError):
            raw(b"\xff\xff\xff", metadata=world.admin.metadata(), timeout=20)
        world.stranger.refused(world.stranger.projects.CreateProject, CreateProjectRequest())
        secret = str(world.admin.secret)
    assert attributes_of(spans.named(GET))["symphony.reason"] == "FIELD_INVALID"
    assert attributes_of(spans.named(CREATE))["symphony.reason"] == "CREDENTIALS_MISSING"
    assert not any(secret in span.to_json() for span in spans.all)


@pytest.mark.parametrize("said", ["", "garbage", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "é"])
def test_a_traceparent_that_is_none_begins_a_trace(tmp_path: Path, spans: Spans, said: str) -> None:
    header = ("traceparent", said.encode("ascii", "replace").decode())
    with World(tmp_path, tracer_provider=spans.provider) as world:
        world.admin.refused(world.admin.projects.GetProject, ABSENT, header)
    span = spans.named(GET)
    assert span.parent is None
    assert span.context.trace_id


def test_a_call_that_brings_its_traceparent_keeps_it(tmp_path: Path, spans: Spans) -> None:
    brought = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with (
        World(tmp_path, tracer_provider=spans.provider) as world,
        symphony_client.connect(world.server.target, token=world.admin.secret) as channel,
        pytest.raises(grpc.RpcError),
    ):
        ProjectServiceStub(channel).GetProject(ABSENT, metadata=(("traceparent", brought),))
    assert f"{spans.named(GET).context.trace_id:032x}" == brought[3:35]
    assert not [span for span in spans.all if span.kind is SpanKind.CLIENT]


def test_what_serves_no_one_call_is_no_span(tmp_path: Path, spans: Spans) -> None:
    with World(tmp_path, tracer_provider=spans.provider):
        pass
    calls = {span.context.span_id for span in spans.all if span.kind is SpanKind.SERVER}
    others = [span for span in spans.all if span.kind is not SpanKind.SERVER]
    assert calls
    assert all(span.parent is not None and span.parent.span_id in calls for span in others)


def test_a_server_without_opentelemetry_serves_and_says_what_tracing_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    with (
        World(tmp_path) as world,
        symphony_client.connect(world.server.target, token=world.admin.secret) as channel,
    ):
        ProjectServiceStub(channel).CreateProject(CreateProjectRequest(name="untraced"))
    with pytest.raises(TracesUnavailable, match=r"pip install 'symphony-data\[server,otel\]'"):
        World(tmp_path, traces=True).server.__enter__()


def test_a_program_that_does_not_use_opentelemetry_pays_nothing_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    call: Any = object()
    Trace().prepare(call)
    assert "opentelemetry.trace" not in sys.modules


def test_exporters_are_those_that_the_standard_variables_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console, none")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    provider = tracer_provider()
    provider.shutdown()
    assert provider.resource.attributes["service.name"] == "symphony"
    assert provider.resource.attributes["deployment.environment.name"] == "test"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mine")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert tracer_provider().resource.attributes["service.name"] == "mine"
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    with pytest.raises(TracesUnavailable, match="there is no exporter 'carrier-pigeon'"):
        tracer_provider()


def test_traces_are_off_unless_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not Settings().traces
    monkeypatch.setenv("SYMPHONY_TRACES", "on")
    assert Settings().traces
