"""What others wrote cannot move the reader's cursor, nor break a program's JSON."""

from __future__ import annotations

import json

from google.protobuf.duration_pb2 import Duration

from symphony_command.output import one_line, plain
from symphony_command.words import span, written_span
from tests.command.terminal import Terminal
from tests.server.world import World, spec, step


def test_control_characters_are_spelled_out() -> None:
    assert plain("a\x1b[31mb\x07\u202ec\n") == "a\\x1b[31mb\\x07\\x202ec\n"


def test_json_says_the_same_without_them() -> None:
    text = "a\x1b\x7f\x9b\u202e é"
    assert json.loads(one_line({"name": text})) == {"name": text}
    assert all(character.isprintable() for character in one_line({"name": text}))


def test_a_step_that_would_clear_the_screen_does_not(world: World, terminal: Terminal) -> None:
    project = world.project(world.admin)
    nasty = spec("[red]Nasty[/red]", step("a", command="\x1b[2J\x1b]0;owned\x07"))
    made = world.workflow(world.admin, project, spec=nasty)
    for how in ((), ("-o", "json")):
        shown = terminal.run("workflows", "get", made.id, *how).out
        assert "\x1b" not in shown
        assert "[red]Nasty[/red]" in shown
    for drawing in ("mermaid", "dot", "text"):
        assert "\x1b" not in terminal.run("workflows", "graph", made.id, "--as", drawing).out


def test_durations_are_written_and_read_as_people_do() -> None:
    for seconds, words in ((0, "0 s"), (90, "1 min 30 s"), (86_400 * 3 + 3600, "3 d 1 h")):
        assert span(Duration(seconds=seconds)) == words
    assert span(Duration(nanos=250_000_000)) == "0.25 s"
    for words, seconds in (("90s", 90), ("30m", 1800), ("2 h", 7200), ("7d", 604_800), ("5", 5)):
        assert written_span(words).total_seconds() == seconds
