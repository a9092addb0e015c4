"""`make bench`: what Get and Create cost the server, beside a bare gRPC echo of the same bytes, and
what the client does before a call.

Prints tables and writes `build/bench.json`. Goals are the design's (quality.md).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from rich.console import Console
from rich.table import Table

from symphony.v1.project_service_pb2 import CreateProjectRequest
from symphony.v1.project_service_pb2_grpc import ProjectServiceStub
from symphony.v1.workflow_pb2 import WorkflowSpec, WorkflowStep
from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest, GetWorkflowRequest
from symphony.v1.workflow_service_pb2_grpc import WorkflowServiceStub
from tests.benchmarks import echo_server
from tests.benchmarks.client_rules import measure_acts, show_acts
from tests.benchmarks.load import MARK, Plan
from tests.benchmarks.measure import Subject, measure, spread

ROOT = Path(__file__).parents[2]
GET_GOAL, CREATE_GOAL = 1.25, 1.75


@dataclass(frozen=True)
class Size:
    """How much to measure."""

    rounds: int
    gets: int
    creates: int
    callers: int = 64


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--gets", type=int, default=5000)
    parser.add_argument("--creates", type=int, default=3000)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json")
    given = parser.parse_args()
    size = Size(given.rounds, given.gets, given.creates)
    with tempfile.TemporaryDirectory() as directory:
        results = bench(Path(directory), size)
    results |= bench_client(given.rounds)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(results, indent=2) + "\n")


def bench(directory: Path, size: Size) -> dict[str, dict[str, Any]]:
    """The figures, by name, once they are printed."""
    server = [str(Path(sys.executable).with_name("symphony")), "serve", "--listen", "127.0.0.1:0"]
    # One user makes all the calls, more a second than any tier allows.
    server += ["--bootstrap-admin", "bench@localhost", "--token-file", "token", "--no-rate-limits"]
    with started(server, directory) as (process_id, target):
        bearer = (("authorization", f"Bearer {(directory / 'token').read_text().strip()}"),)
        create, create_answer, get, get_answer = prepare(target, bearer)
        (directory / "get").write_bytes(get_answer)
        (directory / "create").write_bytes(create_answer)
        echo = [sys.executable, "-m", "tests.benchmarks.echo_server"]
        with (
            started([*echo, str(directory / "get")], ROOT) as (get_echo_id, get_echo),
            started([*echo, str(directory / "create")], ROOT) as (create_echo_id, create_echo),
        ):
            service = "/symphony.v1.WorkflowService"
            gets: dict[str, Any] = {"request": get, "calls": size.gets, "callers": size.callers}
            creates: dict[str, Any] = {
                "request": create,
                "calls": size.creates,
                "callers": size.callers,
            }
            echoed: dict[str, Any] = {"method": echo_server.METHOD}
            asked: dict[str, Any] = {"target": target, "metadata": bearer}
            subjects = [
                Subject("echo of Get", get_echo_id, Plan(target=get_echo, **gets, **echoed)),
                Subject(
                    "GetWorkflow",
                    process_id,
                    Plan(method=f"{service}/GetWorkflow", **gets, **asked),
                ),
                Subject(
                    "echo of Create", create_echo_id, Plan(target=create_echo, **creates, **echoed)
                ),
                Subject(
                    "CreateWorkflow",
                    process_id,
                    Plan(method=f"{service}/CreateWorkflow", **creates, **asked),
                ),
            ]
            measure(subjects, size.rounds)
    get_echo_subject, get_subject, create_echo_subject, create_subject = subjects
    ratios = {
        "GetWorkflow": (get_subject.ratios_to(get_echo_subject), GET_GOAL),
        "CreateWorkflow": (create_subject.ratios_to(create_echo_subject), CREATE_GOAL),
    }
    show(subjects, ratios)
    return figures(subjects, ratios)


def bench_client(rounds: int) -> dict[str, dict[str, Any]]:
    """The figures of what the client does, by name, once they are printed."""
    acts = measure_acts(rounds)
    show_acts(acts)
    return {
        f"{act.name.replace('-', '').replace(' ', '_')}_cpu": figure(
            spread(act.us)[0], "us/call", act.goal_us, "lower"
        )
        for act in acts
    }


def prepare(target: str, bearer: Any) -> tuple[bytes, bytes, bytes, bytes]:
    """The bytes of a 10-step create and of a get, with their answers."""
    steps = [
        WorkflowStep(
            name=f"step{n}", command=f"echo step {n}", depends_on=[f"step{n - 1}"] if n else []
        )
        for n in range(10)
    ]
    with grpc.insecure_channel(target) as channel:
        project = ProjectServiceStub(channel).CreateProject(
            CreateProjectRequest(name="Bench"), metadata=bearer
        )
        request = CreateWorkflowRequest(
            project_id=project.id, spec=WorkflowSpec(name=MARK.decode(), steps=steps)
        )
        made = WorkflowServiceStub(channel).CreateWorkflow(request, metadata=bearer)
    answer = made.SerializeToString()
    get = GetWorkflowRequest(id=made.id).SerializeToString()
    return request.SerializeToString(), answer, get, answer


@contextmanager
def started(command: list[str], directory: Path) -> Iterator[tuple[int, str]]:
    """A server's process id and address; it is ended with the block."""
    process = subprocess.Popen(
        command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        if " on 127.0.0.1:" not in line:
            raise RuntimeError(f"{command[0]} did not start: {line}")
        yield process.pid, line.split()[-1]
    finally:
        process.terminate()
        process.communicate()


Ratios = dict[str, tuple[list[float], float]]


def show(subjects: list[Subject], ratios: Ratios) -> None:
    """Print the table."""
    table = Table(title="Server CPU a call, beside a bare grpcio echo of the same bytes")
    for name in ("call", "CPU µs (min-max)", "calls/s", "times echo (min-max)", "goal"):
        table.add_column(name, justify="left" if name == "call" else "right")
    for subject in subjects:
        cpu, least, most = spread(subject.cpu_us)
        rate, _, _ = spread(subject.rates)
        row = [subject.name, f"{cpu:.0f} ({least:.0f}-{most:.0f})", f"{rate:.0f}"]
        if subject.name in ratios:
            values, goal = ratios[subject.name]
            middle, low, high = spread(values)
            row += [f"{middle:.2f} ({low:.2f}-{high:.2f})", f"≤ {goal}"]
        table.add_row(*row)
    Console(width=100).print(table)


def figures(subjects: list[Subject], ratios: Ratios) -> dict[str, dict[str, Any]]:
    """What `build/bench.json` says."""
    found: dict[str, dict[str, Any]] = {}
    for subject in subjects:
        name = subject.name.lower().replace(" ", "_")
        found[f"{name}_cpu"] = figure(spread(subject.cpu_us)[0], "us/call", None, "lower")
        found[f"{name}_rate"] = figure(spread(subject.rates)[0], "calls/s", None, "higher")
    for name, (values, goal) in ratios.items():
        found[f"{name.lower()}_cpu_to_echo"] = figure(spread(values)[0], "ratio", goal, "lower")
    return found


def figure(value: float, unit: str, goal: float | None, better: str) -> dict[str, Any]:
    """One figure, rounded to what the measurement can tell."""
    return {"value": round(value, 3), "unit": unit, "goal": goal, "better": better}


if __name__ == "__main__":
    main()
