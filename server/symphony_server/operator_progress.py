"""How far a long command is: a bar on a terminal, a line an act elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich import progress as rich_progress
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeRemainingColumn,
)


class Progress(Protocol):
    """Is told how far a command is."""

    def begin(self, act: str, what: str, total: int, /) -> Callable[[int], None]:
        """An act on so many parts begins; returns what is told of parts done."""

    def say(self, words: str, /) -> None:
        """What begins now cannot be counted."""


class Silent:
    """Says nothing."""

    def begin(self, _act: str, _what: str, _total: int, /) -> Callable[[int], None]:
        """See `Progress`."""
        return lambda _done: None

    def say(self, words: str, /) -> None:
        """See `Progress`."""


class Lines(Silent):
    """A line when an act begins, to standard error."""

    def __init__(self, console: Console) -> None:
        """Take where they go."""
        self._console = console

    def begin(self, act: str, what: str, total: int, /) -> Callable[[int], None]:
        """See `Progress`."""
        self.say(f"{act} {what}: {total}")
        return super().begin(act, what, total)

    def say(self, words: str, /) -> None:
        """See `Progress`."""
        self._console.print(words, markup=False, highlight=False, soft_wrap=True)


class Bars(Lines):
    """A bar that is the act's that was begun last."""

    def __init__(self, console: Console, progress: rich_progress.Progress) -> None:
        """Take where they go, and the bars, shown by the caller."""
        super().__init__(console)
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def begin(self, act: str, what: str, total: int, /) -> Callable[[int], None]:
        """See `Progress`."""
        self._progress.remove_task(self._task)
        task = self._task = self._progress.add_task(f"{act} {what}", total=total)
        return lambda done: self._progress.update(task, advance=done)


@contextmanager
def shown(*, wanted: bool) -> Iterator[Progress]:
    """Shows progress on standard error for as long as the block lasts, if it is wanted."""
    console = Console(stderr=True)
    if not wanted:
        yield Silent()
    elif not console.is_terminal:
        yield Lines(console)
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with rich_progress.Progress(
            *columns, TimeRemainingColumn(), console=console, transient=True
        ) as bars:
            yield Bars(console, bars)
