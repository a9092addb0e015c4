"""Refused calls of several workers, found in log, metrics and trace of the worker that refused."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

import symphony_client
from symphony.v1.project_service_pb2 import GetProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony_client import NotFound, raising_data_errors
from tests.e2e.processes import WAIT_SECONDS, Server
from tests.server.scraping import Scrape, eventually

ABSENT = GetProjectRequest(id="project_01jz000000e00000000000000a")
WORKERS = {1, 2}
MOST_CALLS = 200
"""Each on a connection of its own, which the system gives to either worker."""


class Collector:
    """Where spans are sent: what an OpenTelemetry collector would be told."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.requests: list[ExportTraceServiceRequest] = []

    def decisions(self) -> dict[str, tuple[int, str]]:
        """Decision id → the worker whose span has it, and the span's trace."""
        return {
            attribute.value.string_value: (_worker(resource), span.trace_id.hex())
            for request in list(self.requests)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
            for attribute in span.attributes
            if attribute.key == "symphony.decision_id"
        }


def _worker(spans: ResourceSpans) -> int:
    (number,) = (
        one.value.int_value for one in spans.resource.attributes if one.key == "symphony.worker"
    )
    return int(number)


@contextmanager
def collecting() -> Iterator[Collector]:
    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Take) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


def refused_once(server: Server) -> str:
    """Call on a new connection; returns the decision that the refusal names."""
    with (
        symphony_client.connect(server.target, token=server.token) as channel,
        pytest.raises(NotFound) as caught,
        raising_data_errors(),
    ):
        ProjectServiceStub(channel).GetProject(ABSENT)
    return str(caught.value.decision_id)


def logged(server: Server) -> list[dict[str, Any]]:
    """The log, without what the command says to people between its lines."""
    whole = [line for line in server.log.splitlines(keepends=True) if line.endswith("\n")]
    return [json.loads(line) for line in whole if line.startswith("{")]


def refusals(server: Server, decisions: set[str]) -> list[dict[str, Any]]:
    """The log's lines of these refusals, once it has them all: one is written after its answer."""
    last = time.monotonic() + WAIT_SECONDS
    while True:
        lines = [line for line in logged(server) if line.get("decision_id") in decisions]
        if {line["decision_id"] for line in lines} == decisions:
            return lines
        assert time.monotonic() < last, "lines are missing"
        time.sleep(0.02)


def refusals_of_both(server: Server) -> dict[int, list[dict[str, Any]]]:
    """The log's lines of refusals by worker, once each has refused some."""
    decisions = set()
    for _ in range(MOST_CALLS):
        decisions.add(refused_once(server))
        if {line["worker"] for line in refusals(server, decisions)} == WORKERS:
            break
    by_worker: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for line in refusals(server, decisions):
        by_worker[line["worker"]].append(line)
    return dict(by_worker)


def addresses(server: Server) -> dict[int, str]:
    """Worker → where its metrics are."""
    return {
        line["worker"]: re.sub(r".*http://(\S+)/metrics", r"\1", line["event"])
        for line in logged(server)
        if "metrics are served" in line["event"]
    }


@pytest.mark.timeout(180)
def test_a_refusal_is_joined_in_the_worker_that_refused(tmp_path: Path) -> None:
    arguments = ["--dev", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--traces"]
    with collecting() as collector:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
        }
        with Server(tmp_path, *arguments, "--workers", "2", variables=variables) as server:
            by_worker = refusals_of_both(server)
            decisions = {one["decision_id"] for lines in by_worker.values() for one in lines}
            last = time.monotonic() + WAIT_SECONDS
            while not decisions <= set(collector.decisions()):
                assert time.monotonic() < last, "spans are missing"
                time.sleep(0.02)  # they are sent behind the call

            for worker, address in addresses(server).items():
                lines = by_worker[worker]
                counted = {"RESOURCE_NOT_FOUND": float(len(lines))}
                eventually(address, partial(has_counted, counted))
                (exemplar,) = (
                    s.exemplar for s in Scrape(address, open_metrics=True).samples if s.exemplar
                )
                last_ids = {key: lines[-1][key] for key in ("decision_id", "trace_id")}
                assert exemplar.labels == last_ids
            assert collector.decisions() == {
                line["decision_id"]: (worker, line["trace_id"])
                for worker, lines in by_worker.items()
                for line in lines
            }


def has_counted(refusals: dict[str, float], scrape: Scrape) -> bool:
    return scrape.by("reason", "symphony_refusals_total") == refusals
