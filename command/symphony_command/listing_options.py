"""The options that lists have in common."""

from __future__ import annotations

from typing import Annotated

import typer

Limit = Annotated[
    int, typer.Option("--limit", min=0, help="How many at most; 0 for all there are.")
]
NamePrefix = Annotated[
    str, typer.Option("--name-prefix", metavar="TEXT", help="Only those whose name begins so.")
]
CreatedAfter = Annotated[
    str | None,
    typer.Option("--created-after", metavar="TIME", help="A date, a time, or how long ago: 2h."),
]
CreatedBefore = Annotated[
    str | None, typer.Option("--created-before", metavar="TIME", help="The same.")
]
