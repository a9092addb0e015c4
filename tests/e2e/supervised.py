"""`symphony serve --workers N` as a test sees it: a server that is several processes."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import grpc

from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, GetWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client.calls.concerns import concerns
from symphony_client.calls.sync_interceptor import SyncInterceptor
from symphony_client.channel_options import channel_options
from symphony_client.channel_settings import ChannelSettings
from tests.e2e.processes import WAIT_SECONDS, Server

POLL_SECONDS: Final = 0.02
_HOST: Final = "127.0.0.1"


def wait_until(holds: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Return when something holds that nothing tells of."""
    last = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < last, "it never came to be"
        time.sleep(POLL_SECONDS)


def children(pid: int) -> set[int]:
    """The processes that a process has started and that are there."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= {int(child) for child in (task / "children").read_text().split()}
    return {child for child in found if _runs(child)}


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


class Supervised(Server):
    """A server with workers."""

    @property
    def workers(self) -> set[int]:
        """Their process ids."""
        return children(self.process.pid)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What the log says of an event."""
        lines = [line for line in self.log.splitlines() if line.startswith("{")]
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def wait_for(self, event: str, times: int = 1) -> None:
        """Return when the log has told an event so many times."""
        wait_until(lambda: len(self.events(event)) >= times)

    def start_again(self) -> None:
        """Start it where it was before."""
        self._arguments += ["--listen", self.target]
        self.start()

    def reload(self) -> None:
        """Exchange all workers; returns when that is done."""
        done = len(self.events("reload done"))
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("reload done", done + 1)

    def connections(self, pid: int) -> int:
        """How many connections a worker has accepted and still holds."""
        inodes = {
            link.readlink().name
            for link in Path(f"/proc/{pid}/fd").iterdir()
            if link.is_symlink() and link.readlink().name.startswith("socket:")
        }
        rows = [
            row.split()
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            for row in Path(table).read_text().splitlines()
        ]
        own, established = f":{self.port:04X}", "01"
        return sum(
            row[1].endswith(own) and row[3] == established and f"socket:[{row[9]}]" in inodes
            for row in rows
        )


def own_connection(targets: list[str], token: str) -> grpc.Channel:
    """A channel of our client, to the first server that answers, over a connection of its own:
    gRPC gives equal channels of a process the same one.
    """
    settings = ChannelSettings(
        target=f"ipv4:{','.join(targets)}", token=token, timeout_seconds=WAIT_SECONDS
    )
    options = [
        *channel_options(retry_attempts=settings.retry_attempts),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    channel = grpc.insecure_channel(settings.target, options)
    return grpc.intercept_channel(channel, SyncInterceptor(concerns(settings)))


class Callers:
    """Callers with our client, who make workflows and read them, each over a connection of its
    own unless there are fewer, and note what failed.
    """

    def __init__(
        self, targets: list[str], token: str, callers: int, *, connections: int | None = None
    ) -> None:
        self.failed: list[str] = []
        self.made: dict[str, str] = {}
        """Name → id."""
        self._over = threading.Event()
        self._answers = [0] * callers
        self._token = token
        self._channels = [
            own_connection([*targets[n % len(targets) :], *targets[: n % len(targets)]], token)
            for n in range(connections or callers)
        ]
        self.project = ProjectServiceStub(self._channels[0]).CreateProject(
            CreateProjectRequest(name="Load")
        )

    def wait_for_answers(self) -> None:
        """Return when every caller has been answered from now on, or has failed."""
        before = list(self._answers)
        wait_until(
            lambda: (
                bool(self.failed)
                or all(now > then for now, then in zip(self._answers, before, strict=True))
            )
        )

    @contextmanager
    def calling(self) -> Iterator[None]:
        """All of them, for as long as the block lasts."""
        with ThreadPoolExecutor(len(self._answers)) as pool:
            calls = [pool.submit(self._call, number) for number in range(len(self._answers))]
            try:
                yield
            finally:
                self._over.set()
        for call in calls:
            call.result()
        for channel in self._channels:
            channel.close()

    def _call(self, caller: int) -> None:
        workflows = WorkflowServiceStub(self._channels[caller % len(self._channels)])
        for number in count():
            if self._over.is_set():
                return
            name = f"c{caller}n{number}"
            try:
                made = workflows.CreateWorkflow(self.request(name))
                self.made[name] = made.id
                workflows.GetWorkflow(GetWorkflowRequest(id=made.id))
            except grpc.RpcError as error:
                self.failed.append(f"{error.code()}: {error.details()}")
            else:
                self._answers[caller] += 1

    def request(self, name: str) -> CreateWorkflowRequest:
        return CreateWorkflowRequest(
            project_id=self.project.id,
            spec=WorkflowSpec(name=name, steps=[WorkflowStep(name="only", command="true")]),
            request_id=name,
        )
