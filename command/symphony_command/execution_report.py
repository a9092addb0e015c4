"""`symphony executions report`: what whoever runs the steps says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from symphony_command.asking import asked_of
from symphony_command.choices import ExecutionStateWord
from symphony_command.errors import UsageProblem
from symphony_command.output import console, json_of, print_json
from symphony_command.words import enum_value, enum_word

if TYPE_CHECKING:
    from symphony.v1.execution_pb2 import Execution


def report(
    ctx: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="Its id.")],
    state: Annotated[
        ExecutionStateWord | None, typer.Option(help="Where the whole run is now.")
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(metavar="STEP=STATE", help="Where a step is now; again for more."),
    ] = None,
    error: Annotated[
        str | None, typer.Option(help="What went wrong, of a run that failed.")
    ] = None,
) -> None:
    """Report how a run goes; for whoever runs its steps."""
    from symphony.v1.execution_pb2 import ExecutionState
    from symphony.v1.execution_service_pb2 import GetExecutionRequest, UpdateExecutionRequest
    from symphony_command.connection import connected

    given = {"state": state, "steps": step, "error": error}
    paths = [name for name, value in given.items() if value is not None]
    if not paths:
        raise typer.BadParameter("nothing to report: give --state, --step or --error")
    with connected(ctx) as server:
        # With its etag: steps are written as a whole, and nobody else's report may get lost.
        known = server.executions.GetExecution(GetExecutionRequest(id=execution))
        known.state = enum_value(ExecutionState, state) or known.state
        known.error = error or ""
        for one in step or ():
            _set_step(known, one)
        request = UpdateExecutionRequest(execution=known)
        request.update_mask.paths.extend(paths)
        kept = server.executions.UpdateExecution(request)
    if asked_of(ctx).json:
        print_json(json_of(kept))
    else:
        console().print(f"{enum_word(ExecutionState, kept.state)} {kept.id}")


def _set_step(execution: Execution, text: str) -> None:
    """Set the state of the step that `NAME=STATE` names."""
    from symphony.v1.execution_pb2 import ExecutionState

    name, _, word = text.rpartition("=")
    words = [one.value for one in ExecutionStateWord]
    steps = [one for one in execution.steps if one.name == name]
    if word not in words or not steps:
        raise UsageProblem(
            f"{text!r} is no state of a step of this run",
            f"write STEP=STATE, with a step out of symphony executions get, and one of "
            f"{', '.join(words)}",
        )
    steps[0].state = enum_value(ExecutionState, word)
