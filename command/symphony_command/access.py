"""`symphony can`, `explain` and `whoami`: who may do what, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from symphony_command.asking import AskingCommand, asked_of
from symphony_command.exit_codes import ExitCode
from symphony_command.output import (
    Column,
    console,
    fields_of,
    json_of,
    plain,
    print_json,
    print_paragraph,
    table_of,
)
from symphony_command.words import enum_word, moment

if TYPE_CHECKING:
    from symphony.v1.access_pb2 import DecisionExplanation, RuleEvaluation
    from symphony_command.services import Server

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

_ABOUT_ANOTHER: Final = {
    "workflows.create": "project",
    "extensions.install": "project",
    "executions.start": "workflow",
}
"""Where the resource is not of the kind that the permission is named for: of a create it is what
the new one is to belong to."""


@app.command("can", cls=AskingCommand)
def can(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="An id, an e-mail address, or me.")],
    permission: Annotated[str, typer.Argument(help="For example workflows.update.")],
    resource: Annotated[
        str,
        typer.Argument(
            metavar="[RESOURCE]", help="An id or a name; of a create, where to.", show_default=False
        ),
    ] = "",
) -> None:
    """Say whether a user may do something, and why; the exit code is 0 if it may, else 1."""
    from symphony.v1.access_service_pb2 import AccessCheck, CheckAccessRequest
    from symphony_command.connection import connected
    from symphony_command.names import ME, user_id

    with connected(ctx) as server:
        check = AccessCheck(
            permission=permission, resource_id=_resource(server, permission, resource)
        )
        request = CheckAccessRequest(user_id=user_id(server, user), checks=[check])
        decision = server.access.CheckAccess(request).decisions[0]
    if asked_of(ctx).json:
        print_json(json_of(decision))
    else:
        from rich.text import Text

        verdict = ("yes", "bold green") if decision.allowed else ("no", "bold red")
        reason = f" ({decision.reason})" if decision.reason else ""
        # What is said is said to whoever it is about.
        told = "" if user == ME else f"{user} would be told: "
        said = f": {told}{plain(decision.description)}" if decision.description else ""
        print_paragraph(console(), Text.assemble(verdict, plain(f"{said}{reason}")))
    if not decision.allowed:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("explain", cls=AskingCommand)
def explain(
    ctx: typer.Context,
    decision_id: Annotated[
        str, typer.Argument(help="audit_…, as an error or the audit log has it.")
    ],
) -> None:
    """Show how a decision came about: each rule asked, its answer, what would have to change."""
    from symphony.v1.access_service_pb2 import ExplainDecisionRequest
    from symphony_command.connection import connected

    with connected(ctx) as server:
        found = server.access.ExplainDecision(ExplainDecisionRequest(decision_id=decision_id))
    if asked_of(ctx).json:
        print_json(json_of(found))
    else:
        _show(found)


@app.command("whoami", cls=AskingCommand)
def whoami(ctx: typer.Context) -> None:
    """Show who the server takes you for."""
    from symphony.v1.access_pb2 import CredentialKind
    from symphony.v1.access_service_pb2 import WhoAmIRequest
    from symphony_command.connection import connected
    from symphony_command.users import user_fields

    with connected(ctx) as server:
        found = server.access.WhoAmI(WhoAmIRequest())
    if asked_of(ctx).json:
        print_json(json_of(found))
        return
    acting = found.caller.id and found.caller.id != found.user.id
    token = found.token
    pairs = [
        *(one for one in user_fields(found.user) if one[0] != "Etag"),
        ("Called by", f"{found.caller.email}, acting for this user" if acting else ""),
        ("Credential", enum_word(CredentialKind, found.credential_kind)),
        ("Token", f"{token.id} {token.name}".strip()),
        ("Scopes", " ".join(token.scopes)),
        ("Expires", moment(token.expire_time)),
        ("Server", server.target),
    ]
    console().print(fields_of(pairs))


def _resource(server: Server, permission: str, text: str) -> str:
    """The id of what is asked about; a name is looked up among the permission's kind."""
    from symphony_command import names

    noun = permission.partition(".")[0].removesuffix("s")
    kind = _ABOUT_ANOTHER.get(permission, noun)
    known = ("user", "project", "workflow", "execution", "extension", "token")
    if not text or any(names.is_id(one, text) for one in known):
        return text
    match kind:
        case "project":
            return names.project_id(server, text)
        case "workflow":
            return names.workflow_id(server, text)
        case "extension":
            return names.extension_id(server, text)
        case "user":
            return names.user_id(server, text)
        case _:
            return text


def _show(found: DecisionExplanation) -> None:
    from rich.text import Text

    verdict = Text("allowed", "bold green") if found.allowed else Text("refused", "bold red")
    acting = found.caller_id if found.caller_id != found.user_id else ""
    out = console()
    out.print(
        fields_of(
            (
                ("Decision", found.decision_id),
                ("It was", verdict),
                ("Method", found.method.removeprefix("symphony.v1.")),
                ("For", found.user_id),
                ("Called by", acting),
                ("About", found.resource_id),
                ("When", moment(found.time)),
            )
        )
    )
    columns: list[Column[RuleEvaluation]] = [
        Column("HELD", lambda one: _answer(one.passed), fold=False),
        Column("RULE", lambda one: one.rule),
        Column("WHAT IT SAW", _saw),
    ]
    out.print()
    out.print(table_of(found.rules, columns))
    remedies = dict.fromkeys(rule.remedy for rule in found.rules if rule.remedy)
    if remedies:
        out.print()
        out.print(Text("What would have to change:", "bold"))
        for remedy in remedies:
            out.print(Text(f"  {plain(remedy)}"))


def _answer(held: bool) -> Any:
    from rich.text import Text

    return Text("yes", "green") if held else Text("no", "bold red")


def _saw(rule: RuleEvaluation) -> str:
    return (
        f"{rule.detail} ({rule.reason})"
        if rule.reason and rule.detail
        else rule.detail or rule.reason
    )
