"""What the server is measured beside, each in a process of its own and with the same callers.

What is not installed is left out, in one line that says so.
"""

from __future__ import annotations

import http.client
import json
import secrets
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.benchmarks import etcd
from tests.benchmarks.asked import CALLS, PAGE, Asked, ten_steps
from tests.benchmarks.load import MARK, Plan
from tests.benchmarks.measure import Subject
from tests.benchmarks.processes import started

ECHO, FASTAPI, ETCD = "grpcio echo", "FastAPI", "etcd put"
FASTAPI_NEEDS: Final = ("fastapi", "uvicorn", "httptools", "sqlalchemy")


@contextmanager
def echo(
    directory: Path, asked: Asked, calls: Sequence[str], **size: Any
) -> Iterator[list[Subject]]:
    """A bare grpcio server that sends the same bytes."""
    files = []
    for name in calls:
        files.append(directory / name)
        files[-1].write_bytes(asked.answers[name])
    command = [sys.executable, "-m", "tests.benchmarks.echo_server", *map(str, files)]
    with started(command, directory) as (process_id, target):
        yield [
            Subject(
                CALLS[name].name,
                ECHO,
                process_id,
                asked.echo_plan(name, target, **size),
                units=CALLS[name].units,
            )
            for name in calls
        ]


@contextmanager
def fastapi(directory: Path, calls: Sequence[str], **size: Any) -> Iterator[list[Subject]]:
    """FastAPI, pydantic and SQLAlchemy on SQLite: see `peer_fastapi`."""
    wanted = [name for name in calls if name in ("get", "list", "create")]
    missing = [name for name in FASTAPI_NEEDS if not find_spec(name)]
    if missing or not wanted:
        if missing:
            print(f"FastAPI is left out: {', '.join(missing)} not installed (`make bench` does)")
        yield []
        return
    secret = secrets.token_urlsafe()
    command = [sys.executable, "-m", "tests.benchmarks.peer_fastapi"]
    with started([*command, str(directory / "peer.db"), secret], directory) as (process_id, target):
        steps = [
            {"name": step.name, "command": step.command, "depends_on": list(step.depends_on)}
            for step in ten_steps()
        ]
        project_id = json.loads((directory / "peer.json").read_text())["project_id"]
        create = {"project_id": project_id, "spec": {"name": MARK.decode(), "steps": steps}}
        headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
        first, *_ = [_create(target, create, f"first {n:06}", headers) for n in range(PAGE + 1)]
        asked = {
            "get": (f"GET /workflows/{first}", b""),
            "list": (f"GET /workflows?page_size={PAGE}", b""),
            "create": ("POST /workflows", json.dumps(create).encode()),
        }
        yield [
            Subject(
                CALLS[name].name,
                FASTAPI,
                process_id,
                Plan(
                    kind="http",
                    target=target,
                    method=asked[name][0],
                    request=asked[name][1],
                    metadata=tuple(headers.items()),
                    callers=CALLS[name].callers,
                    **size,
                ),
            )
            for name in wanted
        ]


def _create(target: str, create: dict[str, Any], name: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(target)
    body = json.dumps(create).replace(MARK.decode(), name)
    connection.request("POST", "/workflows", body, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return str(answer["id"])


@contextmanager
def etcd_put(
    directory: Path, asked: Asked, calls: Sequence[str], **size: Any
) -> Iterator[list[Subject]]:
    """etcd's `put` of the bytes of a create, by a user with a token."""
    if "create" not in calls:
        yield []
        return
    if etcd.installed() is None:
        print("etcd is left out: it is not on PATH (Debian has it as etcd-server)")
        yield []
        return
    with etcd.running(directory) as (process_id, target, token):
        yield [
            Subject(
                CALLS["create"].name,
                ETCD,
                process_id,
                Plan(
                    target=target,
                    method=etcd.PUT,
                    request=etcd.put_request(MARK, asked.requests["create"]),
                    metadata=(("token", token),),
                    callers=CALLS["create"].callers,
                    **size,
                ),
            )
        ]
