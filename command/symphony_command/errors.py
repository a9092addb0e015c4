"""Errors in words, on standard error: what happened, each thing that is wrong, what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Never

import typer

from symphony_command.credentials import Sent
from symphony_command.exit_codes import ExitCode

if TYPE_CHECKING:
    from symphony_client.errors import DataError


_GRPC_BEFORE_THE_CAUSE: Final = r"^connections to all backends failing; last error: \w+: \S+: "


class CommandProblem(Exception):
    """Something that the command itself finds in the way; `exit_code` says of which kind."""

    exit_code = ExitCode.REFUSED

    def __init__(self, message: str, next_step: str = "", *, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.lines = lines
        """One for each thing that is wrong, or that could have been meant."""


class UsageProblem(CommandProblem):
    """The command, or a file that it reads, is not written right."""

    exit_code = ExitCode.USAGE


class NothingFound(CommandProblem):
    """Nothing has the name that was given."""

    exit_code = ExitCode.NOT_FOUND


class CallFailed(Exception):
    """A call to the server, or the look at its request before, ended in a `DataError`."""

    def __init__(
        self,
        error: DataError,
        *,
        target: str = "",
        credential: Sent = Sent.NOTHING,
        place_of: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.target = target
        """Which server was asked."""
        self.credential = credential
        """What it was asked with."""
        self.place_of = place_of or _nowhere
        """Where a field was written: `flow.yaml:12`; nothing if that is not known."""


def _nowhere(_field: str) -> str:
    return ""


def exit_with_words(error: Exception) -> Never:
    """End the command as the error asks for; what is no answer of ours is raised again."""
    match error:
        case CommandProblem():
            tell(error.message, error.lines, error.next_step)
            raise typer.Exit(error.exit_code) from None
        case CallFailed():
            tell_call_failed(error)
            raise typer.Exit(exit_code_of(error.error)) from None
        case _:
            raise error


def exit_code_of(error: DataError) -> ExitCode:
    """How a command ends whose call ended so."""
    from symphony_client import errors

    if isinstance(error, errors.LimitExceeded):
        # Where the server says when, waiting helps: it was a rate, not a quota.
        return ExitCode.NO_ANSWER if error.retry_after is not None else ExitCode.REFUSED
    codes: dict[type[DataError], ExitCode] = {
        errors.NotFound: ExitCode.NOT_FOUND,
        errors.NotAuthenticated: ExitCode.NOT_ALLOWED,
        errors.AuthorizationFailed: ExitCode.NOT_ALLOWED,
        errors.NetworkError: ExitCode.NO_ANSWER,
        errors.DeadlineExceeded: ExitCode.NO_ANSWER,
        errors.AlreadyExists: ExitCode.CONFLICT,
        errors.Conflict: ExitCode.CONFLICT,
        errors.ServerError: ExitCode.FAULT,
        errors.SerializationError: ExitCode.FAULT,
    }
    return next((code for kind, code in codes.items() if isinstance(error, kind)), ExitCode.REFUSED)


def tell_call_failed(failed: CallFailed) -> None:
    """Say what became of a call, and under which ids the server knows of it."""
    from symphony_client.errors import NetworkError
    from symphony_command.next_steps import next_step

    error = failed.error
    message = error.message
    if isinstance(error, NetworkError) and not error.reason:
        why = re.sub(_GRPC_BEFORE_THE_CAUSE, "", message)
        message = f"nobody answers at {failed.target}: {why}"
    lines = tuple(_violations(failed))
    if lines:
        message = f"{len(lines)} things are wrong" if len(lines) > 1 else _kind(error)
    tell(message, lines, next_step(error, failed.credential), **_ids(error))


def tell(message: str, lines: tuple[str, ...] = (), next_step: str = "", **ids: str) -> None:
    """Say on standard error what happened, then line by line what is wrong, then what to do."""
    from rich.text import Text

    from symphony_command.output import error_console, plain, print_paragraph

    console = error_console()
    paragraphs = [Text.assemble(("symphony: ", "bold red"), plain(message))]
    paragraphs += [Text(f"  {plain(line)}") for line in lines]
    if next_step:
        paragraphs.append(Text.assemble(("Next: ", "bold"), next_step))
    paragraphs += [Text(f"{name}: {plain(value)}", style="dim") for name, value in ids.items()]
    for paragraph in paragraphs:
        print_paragraph(console, paragraph)


def _ids(error: DataError) -> dict[str, str]:
    ids = {"Request": error.request_id} if error.request_id else {}
    if error.decision_id:
        ids["Decision"] = f"{error.decision_id}, told by\n  symphony explain {error.decision_id}"
    return ids


def _violations(failed: CallFailed) -> Iterator[str]:
    from symphony_client.errors import PreValidationFailed
    from symphony_command.rule_words import in_words
    from symphony_command.told_words import with_words

    error = failed.error
    words = in_words if isinstance(error, PreValidationFailed) else str
    of_fields = {violation.description for violation in error.violations if violation.field}
    for violation in with_words(error.violations, error.message):
        if not violation.field and violation.description in of_fields:
            continue  # a precondition or a quota that says of the whole what is said of its field
        place = failed.place_of(violation.field)
        yield f"{place}: {words(violation)}" if place else words(violation)
    more = re.search(r"; (and \d+ more)$", error.message)
    if more and len(error.violations) > 1:
        yield more[1]


def _kind(error: DataError) -> str:
    """What kind of thing went wrong, for the line above the one that says it."""
    from symphony_client import errors

    match error:
        case errors.PreconditionFailed():
            return "something else stands in the way"
        case errors.LimitExceeded():
            return "a limit is reached"
        case errors.AlreadyExists():
            return "it is taken"
        case errors.NotFound() | errors.AuthorizationFailed():
            return error.message
        case _:
            return "something is wrong with the request"
