"""Records what concurrent callers do and are told, and holds it against a model of the contract.

    python -m tests.faults.histories --seconds 30 --engine sqlite|postgresql

On PostgreSQL the callers are spread over two servers. `history_checker.py` says what is checked.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc

from symphony.v1.project_service_pb2 import AddProjectMemberRequest, ListProjectMembersRequest
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
from tests.e2e.place import Place
from tests.e2e.processes import Server
from tests.engines import ALL, POSTGRESQL, SQLITE
from tests.faults.contract_model import COLLABORATOR, VIEWER
from tests.faults.history import History, Person
from tests.faults.history_checker import check
from tests.faults.recording import Recorder
from tests.postgresql import running

SERVERS = 2
"""On PostgreSQL."""


@contextmanager
def database(engine: str, directory: Path) -> Iterator[str]:
    """The URL of a new database."""
    if engine == SQLITE:
        yield f"sqlite:///{directory / 'histories.db'}"
        return
    with running() as postgresql:
        yield postgresql.migrated_database()


def record(seconds: float, engine: str, url: str, directory: Path) -> tuple[History, Counter[str]]:
    """Start servers on a database and record; returns the history, and how its calls ended."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Server(directory, "--dev", "--no-rate-limits", "--database", url))
            for _ in range(SERVERS if engine == POSTGRESQL else 1)
        ]
        channel = stack.enter_context(grpc.insecure_channel(servers[0].target))
        place = Place(servers[0], channel)
        owner = place.user()
        project = place.project(owner)
        secrets = {Person("owner", owner.id): owner.secret or ""}
        for name, role in (("collaborator", COLLABORATOR), ("viewer", VIEWER), ("stranger", 0)):
            user = place.user()
            secrets[Person(name, user.id)] = user.secret or ""
            if role:
                member = AddProjectMemberRequest(
                    project_id=project.id,
                    user_id=user.id,
                    role=role,  # type: ignore[arg-type]
                )
                owner.get(owner.projects.AddProjectMember, member)
        secrets[Person("admin", place.admin.id, is_admin=True)] = place.admin.secret or ""
        first: CreateWorkflowRequest = place.new_workflow(project)
        made = owner.ask(owner.workflows.CreateWorkflow, first)
        start: dict[str, Any] = {made.response.id: made.response}
        members = ListProjectMembersRequest(project_id=project.id)
        for each in owner.get(owner.projects.ListProjectMembers, members).members:
            start[f"{each.project_id}/{each.user_id}"] = each
        recorder = Recorder([server.target for server in servers], secrets, project.id)
        history = asyncio.run(recorder.record(seconds, start, made.revision))
        for server in servers:
            assert server.terminate() == 0
        return history, recorder.ended


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if the model cannot explain it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--engine", choices=ALL, default=SQLITE)
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as directory,
        database(options.engine, Path(directory)) as url,
    ):
        history, ended = record(options.seconds, options.engine, url, Path(directory))
    faults = check(history)
    told = sum(len(watched.changes) for watched in history.watches)
    print(
        f"{options.engine}: {len(history.calls)} calls "
        f"({', '.join(f'{count} {how}' for how, count in ended.most_common())}), "
        f"{history.end_revision - history.start_revision} revisions, {told} changes told to "
        f"{len(history.watches)} watchers"
    )
    for fault in faults:
        print(f"FAILED: {fault}")
    print("the model explains all of it" if not faults else f"{len(faults)} are not explained")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
