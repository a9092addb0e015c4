"""The option that names a workflow's file; apart from the reading, which needs the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

FlowPath = Annotated[
    Path,
    typer.Option(
        "--file", "-f", metavar="FILE", help="The workflow, as YAML or JSON; - for standard input."
    ),
]
