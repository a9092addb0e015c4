"""An audit record in two lines, for lists and for `tail`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from symphony.v1.audit_pb2 import AuditOutcome
from symphony_command.output import plain
from symphony_command.words import enum_word, moment

if TYPE_CHECKING:
    from rich.console import Console

    from symphony.v1.audit_pb2 import AuditRecord

_STYLES: Final = {"allowed": "green", "denied": "bold red", "failed": "red", "validated": "cyan"}

_WIDTH: Final = 80
"""Of a line that has the reason beside the rest; where it does not fit it gets its own."""


def show_record(out: Console, record: AuditRecord) -> None:
    """Print a record: what was decided, and beneath it by which id it can be explained."""
    outcome = enum_word(AuditOutcome, record.outcome)
    said = Text.assemble(
        (f"{record.sequence:>6}  ", "dim"),
        f"{moment(record.time)[:19]}  ",
        (f"{outcome:<9}", _STYLES.get(outcome, "")),
        f"  {plain(record.method.rpartition('/')[2])}",
        f" {record.count} times" if record.count > 1 else "",
    )
    who = f" by {plain(record.caller_id)}" if record.caller_id else " by nobody known"
    details = [f"{record.decision_id or record.id}{who}"]
    if record.reason:
        reason = f"  {plain(record.reason)}"
        if said.cell_len + len(reason) <= _WIDTH:
            said.append(reason)
        else:
            details.insert(0, reason.strip())
    if record.resource_id:
        details.append(f"on {plain(record.resource_id)}")
    lines = [said, *(Text(f"        {detail}", style="dim") for detail in details)]
    for line in lines:
        out.print(line, soft_wrap=not out.is_terminal)
