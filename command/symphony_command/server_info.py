"""`symphony info`."""

from __future__ import annotations

from typing import Any

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.output import Column, console, fields_of, json_of, print_json, table_of
from symphony_command.words import enum_word, span

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command("info", cls=AskingCommand)
def info(ctx: typer.Context) -> None:
    """Show which server answers, and what it takes; needs no token."""
    from symphony.v1.server_info_service_pb2 import GetServerInfoRequest
    from symphony.v1.user_pb2 import Tier
    from symphony_command.connection import connected

    with connected(ctx) as server:
        found = server.info.GetServerInfo(GetServerInfoRequest())
    if asked_of(ctx).json:
        print_json(json_of(found))
        return
    limits = found.limits
    out = console()
    out.print(
        fields_of(
            (
                ("Server", server.target),
                ("Version", found.version),
                ("Contract", found.contract_version),
                ("Request", f"at most {limits.max_request_bytes} bytes"),
                ("Manifest", f"at most {limits.max_manifest_bytes} bytes"),
                ("Workflow", f"at most {limits.max_workflow_steps} steps"),
                ("Transaction", f"at most {limits.max_transaction_operations} operations"),
            )
        )
    )
    columns: list[Column[Any]] = [
        Column("TIER", lambda one: enum_word(Tier, one.tier), fold=False),
        Column("WORKFLOWS", lambda one: _most(one.max_workflows), justify="right"),
        Column("STEPS", lambda one: _most(one.max_workflow_steps), justify="right"),
        Column("DURATION", _longest, justify="right"),
        Column("EXTENSIONS", lambda one: _most(one.max_extensions), justify="right"),
        Column("CALLS/S", lambda one: _most(one.requests_per_second), justify="right"),
    ]
    out.print()
    out.print(table_of(limits.tiers, columns))


def _most(limit: int) -> str:
    return str(limit) if limit else "no limit"


def _longest(tier: Any) -> str:
    longest = tier.max_estimated_duration
    return span(longest) if longest.ByteSize() else "no limit"
