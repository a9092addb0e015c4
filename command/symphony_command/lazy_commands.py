"""Commands that are imported when they are called: none waits for what another imports."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import typer
import typer.core
import typer.main


class LazyCommands(Mapping[str, Any]):
    """Commands by name, each made when it is first asked for.

    The table says where each is: `module:app` is the command of a Typer app, `module:app/a/b` the
    one that the app has under `a b`.
    """

    def __init__(self, places: Mapping[str, str], present: Mapping[str, Any] | None = None) -> None:
        self._places = dict(places)
        self._made: dict[str, Any] = dict(present or {})
        self._names = [*self._made, *(name for name in self._places if name not in self._made)]

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made(self._places[name], name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class LazyGroup(typer.core.TyperGroup):
    """A group of which some commands are named in a table only."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: Any = LazyCommands(self.places(), self.commands)

    @classmethod
    def places(cls) -> Mapping[str, str]:
        """The table: names of commands, and where they are."""
        return {}


def _made(place: str, name: str) -> Any:
    where, *below = place.split("/")
    module, _, attribute = where.partition(":")
    app = getattr(importlib.import_module(module), attribute)
    command: Any = typer.main.get_command(app)
    for one in below:
        command = command.commands[one]
    command.name = name
    return command


def server_is_installed() -> bool:
    """Whether the server's own commands can be offered."""
    return find_spec("symphony_server") is not None
