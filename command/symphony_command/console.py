"""The terminal, or the pipe, that the command prints to."""

from __future__ import annotations

from typing import Never

import rich.console


class Console(rich.console.Console):
    """In colour on a terminal only, and never with NO_COLOR set; texts are not read as markup."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self) -> Never:
        """Leave it to whoever runs the command; rich would end it with 1, as if it were refused."""
        raise BrokenPipeError
