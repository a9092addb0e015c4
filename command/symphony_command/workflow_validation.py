"""`symphony workflows validate`: what can be said of a workflow before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.errors import CallFailed
from symphony_command.exit_codes import ExitCode
from symphony_command.flow_options import FlowPath

if TYPE_CHECKING:
    from symphony_command.flow_file import FlowFile

_ASK = "--server"


class ValidateCommand(AskingCommand):
    """Here `--server` may stand alone: then it is the profile's server that is asked."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments, `--server` without an address among them."""
        found: list[str] = []
        for place, argument in enumerate(args):
            following = args[place + 1 : place + 2]
            alone = argument == _ASK and (not following or following[0].startswith("-"))
            found.append(f"{_ASK}=" if alone else argument)
        rest: list[str] = super().parse_args(ctx, found)
        return rest


def validate(
    ctx: typer.Context,
    file: FlowPath,
    project: Annotated[
        str,
        typer.Option(metavar="PROJECT", help="With --server: the project that it is meant for."),
    ] = "",
) -> None:
    """Say what is wrong with a workflow's file, and show its shape and estimate.

    Without --server nothing is asked: the rules of the contract are checked here. With --server
    (alone, or with HOST:PORT) the server says what it would say to the real thing, and makes
    nothing.
    """
    from symphony_command.flow_drawing import remarks
    from symphony_command.flow_file import read_flow
    from symphony_command.flow_shape import shape
    from symphony_command.output import console, json_of, print_json

    flow = read_flow(file)
    asked = asked_of(ctx)
    ask_server = asked.server is not None
    if not ask_server:
        _pre_validate(flow)
    answer = _ask(ctx, flow, project) if ask_server else flow.request
    not_drawn = not ask_server and bool(remarks(flow.request.spec))
    if asked.json:
        print_json(json_of(answer))
    else:
        out = console()
        out.print(shape(flow.request.spec))
        if ask_server:
            verdict = "The server would take it."
        elif not_drawn:
            verdict = "A server would refuse it: the steps do not make a graph."
        else:
            verdict = "It keeps the contract's rules; --server asks a server for the rest."
        out.print(f"\n{verdict}")
    if not_drawn:
        raise typer.Exit(ExitCode.REFUSED)


def _pre_validate(flow: FlowFile) -> None:
    """Look at the request alone; which project it is for may be said later."""
    from symphony.v1.workflow_service_pb2 import CreateWorkflowRequest
    from symphony_client.errors import PreValidationFailed
    from symphony_client.ids import new_id
    from symphony_client.prevalidation import WorkflowPreValidator

    request = CreateWorkflowRequest()
    request.CopyFrom(flow.request)
    request.project_id = request.project_id or new_id("project")
    try:
        WorkflowPreValidator().should_attempt_request(request)
    except PreValidationFailed as error:
        raise CallFailed(error, place_of=flow.place_of) from None


def _ask(ctx: typer.Context, flow: FlowFile, project: str) -> Any:
    from symphony_command.connection import connected
    from symphony_command.names import project_id

    with connected(ctx, place_of=flow.place_of) as server:
        if project:
            flow.request.project_id = project_id(server, project)
        flow.request.validate_only = True
        return server.workflows.CreateWorkflow(flow.with_a_project())
