"""How a run goes, as it goes: a progress bar on a terminal, a line a change elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from symphony_command.exit_codes import ExitCode
from symphony_command.output import console, error_console, json_of, plain, print_json
from symphony_command.words import enum_word

if TYPE_CHECKING:
    from symphony.v1.execution_pb2 import Execution
    from symphony_command.services import Server


def follow(server: Server, execution_id: str) -> Execution:
    """The execution, once it has ended; meanwhile standard error shows how it goes."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    states = _states(server, execution_id)
    execution = next(states)
    people = sys.stderr.isatty()
    with Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeElapsedColumn(),
        console=error_console(),
        disable=not people,
    ) as progress:
        task = progress.add_task("", total=len(execution.steps))
        while True:
            state, done = _state(execution), _ended_steps(execution)
            progress.update(task, description=state, completed=done)
            if not people:
                typer.echo(f"{state} {done}/{len(execution.steps)}", err=True)
            if _has_ended(execution):
                return execution
            execution = next(states)


def show_end(execution: Execution, *, as_json: bool) -> None:
    """Say how a run ended, and end the command so."""
    from symphony.v1.execution_pb2 import ExecutionState

    if as_json:
        print_json(json_of(execution))
    else:
        why = f": {plain(execution.error)}" if execution.error else ""
        console().print(f"{_state(execution)} {execution.id}{why}")
    if execution.state != ExecutionState.EXECUTION_STATE_SUCCEEDED:
        raise typer.Exit(ExitCode.REFUSED)


def _states(server: Server, execution_id: str) -> Iterator[Execution]:
    """The execution as it is, then as it is after each change of it."""
    from symphony.v1.change_pb2 import ResourceKind
    from symphony.v1.change_service_pb2 import WatchRequest
    from symphony.v1.execution_service_pb2 import GetExecutionRequest
    from symphony_command.change_feed import feed

    request = WatchRequest(kinds=[ResourceKind.RESOURCE_KIND_EXECUTION])
    changes = feed(server, request)
    # From the first checkpoint on no change is missed; so it is read after that.
    next(changes)
    yield server.executions.GetExecution(GetExecutionRequest(id=execution_id))
    for response in changes:
        if response.change.resource_id == execution_id:
            # Read anew: it may have gone on, or be gone, which is an error that says so.
            yield server.executions.GetExecution(GetExecutionRequest(id=execution_id))


def _state(execution: Execution) -> str:
    from symphony.v1.execution_pb2 import ExecutionState

    return enum_word(ExecutionState, execution.state)


def _ended_steps(execution: Execution) -> int:
    return sum(_is_over(step.state) for step in execution.steps)


def _has_ended(execution: Execution) -> bool:
    return _is_over(execution.state)


def _is_over(state: int) -> bool:
    from symphony.v1.execution_pb2 import ExecutionState

    return state in (
        ExecutionState.EXECUTION_STATE_SUCCEEDED,
        ExecutionState.EXECUTION_STATE_FAILED,
        ExecutionState.EXECUTION_STATE_CANCELLED,
    )
