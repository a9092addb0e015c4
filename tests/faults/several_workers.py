"""Writes through several servers of several workers while watchers come and go.

    python -m tests.faults.several_workers --seconds 60

Two servers of two workers each share a PostgreSQL database. Meanwhile all workers of both are
exchanged, and then each server is stopped and started, one after the other. Every watcher sees
every change that it may see once and in order, and no write by our client fails.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc

from symphony.v1.change_service_pb2 import WatchRequest
from symphony.v1.change_service_pb2_grpc import ChangeServiceStub
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from symphony_client import aio
from tests.e2e.place import Place
from tests.e2e.supervised import Supervised
from tests.postgresql import running

SERVERS: Final = 2
WORKERS: Final = 2
WRITERS: Final = 16
WATCHERS: Final = 100
PAUSE_SECONDS: Final = 0.2
"""What a writer waits between two writes: each is told to the watchers, and this machine's own
time is theirs too."""
STAY_SECONDS: Final = (0.05, 3.0)
"""How long a watcher stays before it leaves and comes back elsewhere."""
_OWN_CONNECTION: Final = (("grpc.use_local_subchannel_pool", 1),)

Seen = list[tuple[int, str]]
"""Revision and resource id of each change."""


@dataclass
class Viewer:
    """A user: somebody who sees some of the changes."""

    token: str
    project_id: str = ""
    made: list[str] = field(default_factory=list)
    """Ids of the workflows made in its project."""

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)


@dataclass
class Outcome:
    """What happened, to be judged."""

    writes: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    watches: int = 0
    changes: int = 0
    wrong: list[str] = field(default_factory=list)
    """What each watcher that saw something else than it should saw amiss."""


class Run:
    """Servers, the users who call them, and what they saw."""

    def __init__(self, servers: Sequence[Supervised]) -> None:
        self._servers = servers
        self._targets = [server.target for server in servers]
        self._admin = Viewer(servers[0].token)
        self.outcome = Outcome()
        self._over = asyncio.Event()
        self._end: int | None = None
        """The last revision, once nobody writes."""

    async def run(self, seconds: float) -> Outcome:
        owners = await asyncio.to_thread(self._owners)
        start = await self._revision()
        viewers = [self._admin, *owners]
        watched = [viewers[n % len(viewers)] for n in range(WATCHERS)]
        seen: list[Seen] = [[] for _ in watched]
        async with asyncio.TaskGroup() as group:
            for viewer, into in zip(watched, seen, strict=True):
                group.create_task(self._watch(viewer, start, into))
            async with asyncio.TaskGroup() as writing:
                for number in range(WRITERS):
                    writing.create_task(self._write(owners[number % len(owners)], number))
                await self._disturb(seconds)
                self._over.set()
            self._end = await self._revision()
        for viewer in viewers:
            expected: Seen = []
            await self._watch(viewer, start, expected, leaves=False)
            self._judge(
                viewer, expected, [s for v, s in zip(watched, seen, strict=True) if v is viewer]
            )
        self.outcome.changes = sum(map(len, seen))
        return self.outcome

    def _owners(self) -> list[Viewer]:
        with grpc.insecure_channel(self._targets[0], _OWN_CONNECTION) as channel:
            place = Place(self._servers[0], channel)
            owners = [place.user() for _ in range(2)]
            return [Viewer(owner.secret or "", place.project(owner).id) for owner in owners]

    async def _disturb(self, seconds: float) -> None:
        """Exchange all workers, then restart each server, spread over the time that there is."""
        for server in self._servers:
            await asyncio.sleep(seconds / 6)
            await asyncio.to_thread(server.reload)
        for server in self._servers:
            await asyncio.sleep(seconds / 6)
            if await asyncio.to_thread(server.terminate):
                self.outcome.wrong.append("a server did not end with 0")
            await asyncio.to_thread(server.start_again)
        await asyncio.sleep(seconds / 3)

    async def _write(self, owner: Viewer, number: int) -> None:
        turned = self._targets[number % SERVERS :] + self._targets[: number % SERVERS]
        async with aio.connect(f"ipv4:{','.join(turned)}", token=owner.token) as channel:
            create: Any = WorkflowServiceStub(channel).CreateWorkflow
            while not self._over.is_set():
                name = f"w{number}n{self.outcome.writes}"
                request = CreateWorkflowRequest(
                    project_id=owner.project_id,
                    spec=WorkflowSpec(name=name, steps=[WorkflowStep(name="a", command="true")]),
                    request_id=name,
                )
                self.outcome.writes += 1
                try:
                    owner.made.append((await create(request)).id)
                except Exception as error:
                    self.outcome.failed[f"{type(error).__name__}: {error}"[:200]] += 1
                await asyncio.sleep(PAUSE_SECONDS)

    async def _watch(self, viewer: Viewer, start: int, seen: Seen, *, leaves: bool = True) -> None:
        """Follow the changes until the last, over many connections, each to any worker."""
        at = start
        while self._end is None or at < self._end:
            self.outcome.watches += 1
            stay = random.uniform(*STAY_SECONDS) if leaves else None  # noqa: S311 - any will do
            target = random.choice(self._targets)  # noqa: S311
            async with grpc.aio.insecure_channel(target, _OWN_CONNECTION) as channel:
                call: Any = ChangeServiceStub(channel).Watch(
                    WatchRequest(start_revision=at), metadata=viewer.metadata
                )
                try:
                    async with asyncio.timeout(stay):
                        async for message in call:
                            if message.WhichOneof("event") == "change":
                                at = message.change.revision
                                seen.append((at, message.change.resource_id))
                            else:
                                at = max(at, message.checkpoint.revision)
                            if self._end is not None and at >= self._end:
                                break
                except (TimeoutError, grpc.aio.AioRpcError):
                    pass  # and comes back
                finally:
                    call.cancel()

    async def _revision(self) -> int:
        async with grpc.aio.insecure_channel(self._targets[-1], _OWN_CONNECTION) as channel:
            call: Any = ChangeServiceStub(channel).Watch(
                WatchRequest(), metadata=self._admin.metadata
            )
            message = await call.read()
            call.cancel()
            return int(message.checkpoint.revision)

    def _judge(self, viewer: Viewer, expected: Seen, seen: list[Seen]) -> None:
        """Hold what watchers saw against what one who never left sees, and that against what was
        acknowledged.
        """
        revisions = [revision for revision, _ in expected]
        missing = set(viewer.made) - {name for _, name in expected}
        if revisions != sorted(set(revisions)) or missing:
            self.outcome.wrong.append(f"the log itself is wrong: {len(missing)} are missing")
        for one in seen:
            if one != expected:
                lost, more = Counter(expected) - Counter(one), Counter(one) - Counter(expected)
                self.outcome.wrong.append(f"{len(lost)} lost, {len(more)} repeated or not its own")


def run(seconds: float, directory: Path) -> Outcome:
    """Start everything, and return what happened."""
    with running() as postgresql, ExitStack() as stack:
        url = postgresql.empty_database()
        servers = []
        for number in range(SERVERS):
            place = directory / str(number)
            place.mkdir()
            arguments = ("--dev", "--no-rate-limits", "--database", url, "--workers", str(WORKERS))
            servers.append(stack.enter_context(Supervised(place, *arguments)))
        return asyncio.run(Run(servers).run(seconds))


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if anything was amiss."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    seconds = parser.parse_args(arguments).seconds
    with tempfile.TemporaryDirectory() as directory:
        outcome = run(seconds, Path(directory))
    print(
        f"{SERVERS} servers of {WORKERS} workers, exchanged and restarted: {outcome.writes} writes "
        f"by {WRITERS} writers, {outcome.failed.total()} failed; {outcome.changes} changes seen by "
        f"{WATCHERS} watchers over {outcome.watches} connections"
    )
    for said in (*outcome.failed, *outcome.wrong):
        print(said)
    failed = outcome.failed.total() + len(outcome.wrong)
    print(f"{outcome.writes + WATCHERS - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
