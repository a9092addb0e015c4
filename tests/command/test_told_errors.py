"""What is said when something goes wrong, and how the command ends then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_client import errors
from symphony_client.errors import ERROR_CLASSES_BY_REASON, StatusDetails, Violation
from symphony_command import choices
from symphony_command.errors import CallFailed, exit_code_of, tell_call_failed
from symphony_command.exit_codes import MEANINGS, ExitCode
from symphony_command.main import app
from symphony_command.next_steps import NEXT_STEPS
from tests.command.terminal import Terminal
from tests.server.world import World

REASONS = [name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()][1:]  # noqa: SIM118


def test_every_reason_of_the_contract_has_its_next_step() -> None:
    assert set(NEXT_STEPS) == set(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_ends_the_command_with_a_documented_code(reason: str) -> None:
    error = ERROR_CLASSES_BY_REASON[reason]("", StatusDetails(reason=reason))
    assert exit_code_of(error) in MEANINGS
    assert exit_code_of(error) not in (ExitCode.DONE, ExitCode.USAGE)


def test_every_code_has_its_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


def test_a_rate_is_to_be_waited_for_and_a_quota_is_not() -> None:
    wait = StatusDetails(reason="RATE_LIMITED", retry_after=timedelta(seconds=1))
    assert exit_code_of(errors.LimitExceeded("", wait)) == ExitCode.NO_ANSWER
    quota = StatusDetails(reason="TIER_WORKFLOW_LIMIT")
    assert exit_code_of(errors.LimitExceeded("", quota)) == ExitCode.REFUSED


def test_all_that_an_error_knows_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    status = StatusDetails(
        reason="TIER_STEP_LIMIT",
        violations=(
            Violation(field="spec.steps", description="has 20 steps, at most 10"),
            Violation(subject="user_1", description="\x1b[2Jhas the tier FREE"),
        ),
        request_id="request-7",
        decision_id="audit_7",
    )
    error = errors.PreconditionFailed("2 things are wrong: …; …; and 3 more", status)
    tell_call_failed(CallFailed(error, place_of=lambda field: "flow.yaml:3" if field else ""))
    assert capsys.readouterr().err.splitlines() == [
        "symphony: 3 things are wrong",
        "  flow.yaml:3: spec.steps: has 20 steps, at most 10",
        "  user_1: \\x1b[2Jhas the tier FREE",
        "  and 3 more",
        "Next: make it smaller, or ask an ADMIN for another tier; symphony users capabilities",
        "Request: request-7",
        "Decision: audit_7, told by",
        "  symphony explain audit_7",
    ]


def test_a_token_that_lies_beside_is_pointed_at(world: World, tmp_path: Path) -> None:
    nobody = Terminal(tmp_path, world.server.target)
    assert "--token-file FILE" in nobody.run("whoami").err
    (tmp_path / "symphony.token").write_text("x")
    assert "--token-file symphony.token" in nobody.run("whoami").err


def test_no_server_and_no_credentials_are_told_apart(world: World, tmp_path: Path) -> None:
    away = Terminal(tmp_path, "127.0.0.1:1").run("whoami")
    assert away.code == 5
    assert "nobody answers at 127.0.0.1:1: Failed to connect" in away.err
    wrong = Terminal(tmp_path, world.server.target, "sym_wrong").run("whoami")
    assert wrong.code == 4
    assert "sym_wrong" not in wrong.err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"SYMPHONY_TIMEOUT_SECONDS": "soon"}, "SYMPHONY_TIMEOUT_SECONDS"),
        ({"SYMPHONY_TOKEN": "two words"}, "visible ASCII"),
        ({"SYMPHONY_TLS_CA": "nowhere.pem"}, "nowhere.pem"),
    ],
)
def test_what_is_set_wrong_is_named(tmp_path: Path, variables: dict[str, str], words: str) -> None:
    shown = Terminal(tmp_path, "127.0.0.1:1", variables=variables).run("whoami")
    assert shown.code == 2
    assert words in shown.err
    assert "two words" not in shown.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("executions", "get", "nonsense"), "id: takes an id: execution_…"),
        (("users", "create", "nobody", "--name", "N"), "email: takes an address with one @"),
        (("projects", "create", " "), "name: must not be blank"),
        (("can", "me", "Everything"), "takes a permission such as workflows.update"),
    ],
)
def test_what_the_contract_refuses_is_told_in_words(
    terminal: Terminal, arguments: tuple[str, ...], words: str
) -> None:
    shown = terminal.run(*arguments)
    assert shown.code == 1
    assert words in shown.err


def test_a_command_that_is_almost_one_is_recognised(terminal: Terminal) -> None:
    shown = terminal.run("workflow", "list")
    assert shown.code == 2
    assert "Did you mean 'workflows'?" in shown.err


@pytest.mark.parametrize(
    ("words", "enum"),
    [
        (choices.TierWord, "user_pb2.Tier"),
        (choices.RoleWord, "user_pb2.Role"),
        (choices.UserStateWord, "user_pb2.UserState"),
        (choices.ProjectRoleWord, "project_pb2.ProjectRole"),
        (choices.WorkflowStatusWord, "workflow_pb2.WorkflowStatus"),
        (choices.ExecutionStateWord, "execution_pb2.ExecutionState"),
        (choices.ExtensionTypeWord, "extension_pb2.ExtensionType"),
        (choices.ExtensionStateWord, "extension_pb2.ExtensionState"),
        (choices.KindWord, "change_pb2.ResourceKind"),
        (choices.OutcomeWord, "audit_pb2.AuditOutcome"),
    ],
)
def test_the_words_that_options_take_are_the_contracts(words: Any, enum: str) -> None:
    import importlib

    from symphony_command.words import enum_value

    module, name = enum.split(".")
    kind = getattr(importlib.import_module(f"symphony.v1.{module}"), name)
    assert sorted(enum_value(kind, one.value) for one in words) == sorted(kind.values())[1:]


def test_every_command_says_what_it_does(terminal: Terminal) -> None:
    for names in all_commands():
        shown = terminal.run(*names, "--help")
        assert shown.code == 0, names
        assert max(map(len, shown.out.splitlines())) <= 80


def all_commands() -> list[tuple[str, ...]]:
    """The names of every command, groups among them."""
    import typer.main

    def below(command: Any, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        inner = getattr(command, "commands", {})
        return [names, *(one for name in inner for one in below(inner[name], (*names, name)))]

    return below(typer.main.get_command(app), ())
