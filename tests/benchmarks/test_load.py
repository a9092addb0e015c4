from __future__ import annotations

import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
import pytest

from tests.benchmarks import generator as load
from tests.benchmarks.load import MARK, Plan

CHECKPOINT, CHANGE = b"\x12\x00", b"\x0a\x00"
STREAMS = 3


class Fake:
    """A server that keeps what it was sent, and tells all watchers of each call."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.metadata: set[str] = set()
        self.watchers: list[queue.Queue[bytes]] = []

    def call(self, request: bytes, context: Any) -> bytes:
        self.requests.append(request)
        self.metadata.update(value for key, value in context.invocation_metadata() if key == "who")
        if request == b"refused":
            context.abort(grpc.StatusCode.NOT_FOUND, "not here")
        for watcher in self.watchers:
            watcher.put(CHANGE)
        return b"answer"

    def watch(self, _request: bytes, _context: Any) -> Iterator[bytes]:
        told: queue.Queue[bytes] = queue.Queue()
        self.watchers.append(told)
        yield CHECKPOINT
        while True:
            yield told.get()
            yield CHECKPOINT


class Web(BaseHTTPRequestHandler):
    """Answers what it is sent, if that is allowed."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        allowed = self.path == "/things" and self.headers["who"] == "me"
        self.send_response(201 if allowed else 403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.__dict__.setdefault("bodies", []).append(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(params=["go", "python"])
def made_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "go" and load.go() is None:
        pytest.skip("Go is not installed here; where it is, this is tried")
    monkeypatch.setenv("BENCH_LOAD", request.param)
    load.generator.cache_clear()
    assert (load.generator() == load.PYTHON) == (request.param == "python")
    yield
    load.generator.cache_clear()


@pytest.fixture
def fake() -> Iterator[tuple[Fake, str]]:
    one = Fake()
    with ThreadPoolExecutor(STREAMS + 4) as pool:
        server = grpc.server(pool)
        handlers: Any = {
            "Call": grpc.unary_unary_rpc_method_handler(one.call),
            "Watch": grpc.unary_stream_rpc_method_handler(one.watch),
        }
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("fake", handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        yield one, f"127.0.0.1:{port}"
        for watcher in one.watchers:
            watcher.put(CHECKPOINT)  # wakes those who left
        server.stop(None).wait()


@pytest.mark.timeout(300)  # the program may have to be built
@pytest.mark.usefixtures("made_by")
class TestLoad:
    def test_calls_have_names_of_their_own(self, fake: tuple[Fake, str]) -> None:
        server, target = fake

        outcome = load.make_calls(
            Plan(
                target=target,
                method="/fake/Call",
                request=b"a " + MARK + b" b",
                metadata=(("who", "me"),),
                calls=7,
                callers=3,
                connections=2,
                first_name=95,
                name_step=10,
                names=100,
            )
        )

        assert sorted(server.requests) == [
            b"a %08d b" % name for name in (5, 15, 25, 35, 45, 55, 95)
        ]
        assert server.metadata == {"me"}
        assert outcome.calls == 7
        assert 0 < outcome.p50_us <= outcome.p99_us <= outcome.max_us <= outcome.seconds * 1e6

    def test_they_end_when_the_time_is_up(self, fake: tuple[Fake, str]) -> None:
        server, target = fake
        plan = Plan(target=target, method="/fake/Call", request=b"", seconds=0.2, callers=2)

        outcome = load.make_calls(plan)

        assert outcome.calls == len(server.requests) > 2
        assert 0.2 <= outcome.seconds < 5

    def test_a_refusal_is_no_measurement(self, fake: tuple[Fake, str]) -> None:
        _, target = fake
        plan = Plan(target=target, method="/fake/Call", request=b"refused", calls=1)

        with pytest.raises(RuntimeError, match="not here"):
            load.make_calls(plan)

    def test_streams_are_open_before_anything_changes(self, fake: tuple[Fake, str]) -> None:
        server, target = fake
        plan = Plan(
            kind="watch",
            target=target,
            method="/fake/Call",
            request=MARK,
            calls=2,
            streams=STREAMS,
            stream_method="/fake/Watch",
        )

        with load.watching(plan) as streams:
            assert len(server.watchers) == STREAMS
            assert server.requests == []
            outcome = streams.make_changes()

        assert server.requests == [b"00000000", b"00000001"]
        assert outcome.calls == 2
        assert 0 < outcome.p50_us <= outcome.max_us

    def test_http_is_spoken_too(self) -> None:
        with ThreadingHTTPServer(("127.0.0.1", 0), Web) as server, ThreadPoolExecutor(1) as pool:
            pool.submit(server.serve_forever, 0.01)
            plan = Plan(
                kind="http",
                target=f"127.0.0.1:{server.server_port}",
                method="POST /things",
                request=b"a " + MARK,
                metadata=(("who", "me"),),
                calls=5,
                callers=2,
            )
            outcome = load.make_calls(plan)
            with pytest.raises(RuntimeError, match="403"):
                load.make_calls(plan.model_copy(update={"method": "POST /other"}))
            server.shutdown()

        assert outcome.calls == 5
        assert {b"a %08d" % name for name in range(5)} <= set(server.__dict__["bodies"])
