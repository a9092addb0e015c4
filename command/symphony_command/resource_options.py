"""The options that name a resource, in more than one group of commands."""

from __future__ import annotations

from typing import Annotated

import typer

InProject = Annotated[
    str, typer.Option("--project", metavar="PROJECT", help="The project, by id or name.")
]
