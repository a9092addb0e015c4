"""`symphony audit`: what was decided, read from a server; the server's own commands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.choices import OutcomeWord, TimeOrderWord
from symphony_command.lazy_commands import LazyGroup, server_is_installed
from symphony_command.listing_options import Limit, TimeOrder
from symphony_command.output import (
    console,
    fields_of,
    json_of,
    print_json,
)
from symphony_command.words import enum_word, moment, span, written_moment

if TYPE_CHECKING:
    from symphony.v1.audit_pb2 import AuditRecord

_OF_THE_SERVER: Final = {
    "verify": "symphony_server.cli:app/audit/verify",
    "head": "symphony_server.cli:app/audit/head",
}


class _Commands(LazyGroup):
    @classmethod
    def places(cls) -> Mapping[str, str]:
        return _OF_THE_SERVER if server_is_installed() else {}


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    help="The audit log: what was decided, of whom, and why; takes the role ADMIN or AUDITOR.",
)

Caller = Annotated[
    str, typer.Option("--caller", metavar="USER", help="Only what this user's credential did.")
]
User = Annotated[
    str, typer.Option("--user", metavar="USER", help="Only what was asked for this user.")
]
Resource = Annotated[
    str, typer.Option("--resource", metavar="ID", help="Only what was about this resource.")
]
Method = Annotated[
    str, typer.Option("--method", metavar="NAME", help="Only this method: CreateWorkflow.")
]
Outcome = Annotated[OutcomeWord | None, typer.Option(help="Only decisions with this outcome.")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="REASON", help="Only refusals for this ErrorReason.")
]


@app.command("list", cls=AskingCommand)
def list_all(
    ctx: typer.Context,
    caller: Caller = "",
    user: User = "",
    resource: Resource = "",
    method: Method = "",
    outcome: Outcome = None,
    reason: Reason = "",
    after: Annotated[
        str | None, typer.Option(metavar="TIME", help="A date, a time, or how long ago: 2h.")
    ] = None,
    before: Annotated[str | None, typer.Option(metavar="TIME", help="The same.")] = None,
    order: TimeOrder = TimeOrderWord.NEWEST,
    limit: Limit = 100,
) -> None:
    """List what was decided."""
    from symphony_command.audit_lines import show_record
    from symphony_command.audit_requests import audit_request
    from symphony_command.connection import connected
    from symphony_command.listing import Listing, show_as_it_comes

    with connected(ctx) as server:
        request = audit_request(
            server,
            caller=caller,
            user=user,
            resource=resource,
            method=method,
            outcome=outcome,
            reason=reason,
            after=written_moment(after),
            before=written_moment(before),
        )
        request.order_by = order.order_by.removeprefix("create_")
        listing = Listing(server.audits.ListAuditRecords, request, "audit_records", limit=limit)
        show_as_it_comes(asked_of(ctx), listing, partial(show_record, console()), "records")


@app.command("tail", cls=AskingCommand)
def tail(
    ctx: typer.Context,
    caller: Caller = "",
    user: User = "",
    resource: Resource = "",
    method: Method = "",
    outcome: Outcome = None,
    reason: Reason = "",
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of those before to begin with.")
    ] = 10,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Go on until Ctrl-C.")
    ] = True,
    interval: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How often to look for new ones.")
    ] = 1.0,
) -> None:
    """Print the last decisions and each new one, until Ctrl-C; as JSON, a line a record."""
    from symphony_command.audit_lines import show_record
    from symphony_command.audit_requests import audit_request, records_as_they_come
    from symphony_command.connection import connected
    from symphony_command.output import print_json_line

    asked, out = asked_of(ctx), console()
    with connected(ctx) as server:
        request = audit_request(
            server,
            caller=caller,
            user=user,
            resource=resource,
            method=method,
            outcome=outcome,
            reason=reason,
        )
        every = interval if follow else None
        for record in records_as_they_come(server, request, first=lines, interval_seconds=every):
            if asked.json:
                print_json_line(json_of(record))
            else:
                show_record(out, record)
                out.file.flush()


@app.command("get", cls=AskingCommand)
def get(
    ctx: typer.Context,
    record: Annotated[str, typer.Argument(metavar="RECORD", help="Its id, audit_….")],
) -> None:
    """Show one record."""
    from symphony.v1.audit_service_pb2 import GetAuditRecordRequest
    from symphony_command.connection import connected

    with connected(ctx) as server:
        found = server.audits.GetAuditRecord(GetAuditRecordRequest(id=record))
    if asked_of(ctx).json:
        print_json(json_of(found))
    else:
        console().print(fields_of(_fields(found)))


def _fields(record: AuditRecord) -> list[tuple[str, Any]]:
    from google.rpc.code_pb2 import Code

    from symphony.v1.audit_pb2 import AuditOutcome

    wrong = [
        f"{one.field}: {one.reason} {one.rule}".removeprefix(": ").rstrip()
        for one in record.violations
    ]
    return [
        ("Record", record.id),
        ("Sequence", str(record.sequence)),
        ("Time", moment(record.time)),
        ("Method", record.method),
        ("Outcome", enum_word(AuditOutcome, record.outcome)),
        ("Code", Code.Name(record.code) if record.code in Code.values() else str(record.code)),
        ("Reason", record.reason),
        ("Wrong", "\n".join(wrong)),
        ("Called by", record.caller_id),
        ("For", record.user_id),
        ("About", record.resource_id),
        ("Revision", str(record.revision or "")),
        ("Took", span(record.duration)),
        ("Stands for", f"{record.count} like events" if record.count > 1 else ""),
        ("Request", record.request_id),
        ("Decision", record.decision_id),
    ]
