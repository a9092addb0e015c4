"""One refused call, found in the error, the log, the trace and the metrics by its decision id."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import symphony_client
from symphony.v1.access_service_pb2 import CreateTokenRequest, WhoAmIRequest
from symphony.v1.access_service_pb2_grpc import AccessServiceStub
from symphony.v1.audit_service_pb2 import GetAuditRecordRequest
from symphony.v1.audit_service_pb2_grpc import AuditServiceStub
from symphony.v1.project_service_pb2 import CreateProjectRequest, GetProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony_client import NotFound, raising_data_errors
from tests.e2e.processes import Server
from tests.server.scraping import Scrape, eventually

GET = "symphony.v1.ProjectService/GetProject"
CANARY = "canary-3f9c1d"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A real process that logs everything, counts and traces."""
    arguments = ["--dev", "--listen", "127.0.0.1:0", "--traces", "--metrics", "127.0.0.1:0"]
    variables = {
        "OTEL_TRACES_EXPORTER": "console",
        "SYMPHONY_LOG_LEVEL": "DEBUG",
        "SYMPHONY_WORKER": "3",
    }
    with Server(tmp_path, *arguments, variables=variables) as started:
        yield started


def spans_printed(server: Server) -> tuple[str, list[Any]]:
    """What the server printed until its end, and the spans in it."""
    server.process.send_signal(signal.SIGTERM)
    assert server.process.stdout is not None
    printed = server.process.stdout.read()
    decoder = json.JSONDecoder()
    starts = [found.start() for found in re.finditer(r"^\{", printed, re.M)]
    return printed, [decoder.raw_decode(printed[start:])[0] for start in starts]


def lines_of(server: Server) -> list[dict[str, Any]]:
    """The log, each line of which is an object."""
    return [json.loads(line) for line in server.log.splitlines()]


def test_a_refused_call_is_found_everywhere_by_its_decision_id(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider(shutdown_on_exit=False))
    with (
        symphony_client.connect(server.target, token=server.token) as channel,
        trace.get_tracer("test").start_as_current_span("program") as program,
        pytest.raises(NotFound) as caught,
        raising_data_errors(),
    ):
        ProjectServiceStub(channel).GetProject(
            GetProjectRequest(id="project_01jz000000e00000000000000a")
        )
    decision_id = caught.value.decision_id
    assert decision_id.startswith("audit_")

    with symphony_client.connect(server.target, token=server.token) as channel:
        record = AuditServiceStub(channel).GetAuditRecord(GetAuditRecordRequest(id=decision_id))
    assert record.reason == "RESOURCE_NOT_FOUND"

    counted = eventually(
        server.metrics_address, lambda s: bool(s.by("reason", "symphony_refusals_total"))
    )
    assert counted.by("reason", "symphony_refusals_total") == {record.reason: 1}
    assert counted.value("symphony_calls_total", method=GET, code="NOT_FOUND") == 1
    (exemplar,) = (
        s.exemplar for s in Scrape(server.metrics_address, open_metrics=True).samples if s.exemplar
    )

    _, spans = spans_printed(server)
    (span,) = (s for s in spans if s["attributes"].get("symphony.decision_id") == decision_id)
    (line,) = (e for e in lines_of(server) if e.get("decision_id") == decision_id)
    trace_id = f"{program.get_span_context().trace_id:032x}"
    assert span["name"] == line["method"] == GET
    assert span["context"]["trace_id"] == f"0x{trace_id}"
    assert line["trace_id"] == trace_id
    assert exemplar.labels == {"decision_id": decision_id, "trace_id": trace_id}
    assert line["request_id"] == span["attributes"]["symphony.request_id"] == record.request_id
    assert line["reason"] == span["attributes"]["symphony.reason"] == record.reason


def test_every_line_is_an_object_with_its_worker_and_every_call_has_its_ids(
    server: Server,
) -> None:
    with symphony_client.connect(server.target, token=server.token) as channel:
        AccessServiceStub(channel).WhoAmI(WhoAmIRequest())
    spans_printed(server)
    lines = lines_of(server)
    assert {line["worker"] for line in lines} == {3}
    calls = [line for line in lines if line["event"] == "call"]
    assert calls
    for call in calls:
        assert re.fullmatch(r"[0-9a-f]{32}", call["trace_id"])
        assert call["request_id"]
        assert "decision_id" not in call  # a read that is allowed is no decision on record


def test_no_secret_is_in_logs_spans_or_metrics(server: Server) -> None:
    with symphony_client.connect(server.target, token=server.token) as channel:
        user = AccessServiceStub(channel).WhoAmI(WhoAmIRequest()).user
        made = AccessServiceStub(channel).CreateToken(
            CreateTokenRequest(user_id=user.id, name="made", scopes=["*"])
        )
        ProjectServiceStub(channel).CreateProject(
            CreateProjectRequest(name="p", description=CANARY)
        )
    with (
        symphony_client.connect(server.target, token=f"sym_{CANARY}") as channel,
        pytest.raises(symphony_client.NotAuthenticated),
        raising_data_errors(),
    ):
        AccessServiceStub(channel).WhoAmI(WhoAmIRequest())
    scraped = Scrape(server.metrics_address, open_metrics=True).text
    printed, spans = spans_printed(server)
    assert len(spans) > 5
    for secret in (server.token, made.secret, CANARY):
        for told in (server.log, printed, scraped):
            assert secret not in told


def test_each_worker_has_metrics_and_log_lines_of_its_own(tmp_path: Path) -> None:
    arguments = ["--dev", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
    with Server(tmp_path, *arguments, "--workers", "2", variables={}) as server:
        # What the command says to people stands between the lines.
        lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
        served = [line for line in lines if "metrics are served" in line["event"]]
        addresses = [re.sub(r".*http://(\S+)/metrics", r"\1", line["event"]) for line in served]
        assert {line["worker"] for line in served} == {1, 2}
        assert all(Scrape(address).value("symphony_store_up") == 1 for address in addresses)
