"""Files of workflows, as people write them."""

from __future__ import annotations

from pathlib import Path

FLOW = """\
name: Build and test
description: What runs on every push
steps:
  - name: fetch
    command: git pull
    estimated_duration: 20s
  - name: compile
    command: make
    depends_on: [fetch]
    compute_units: 80
  - name: test
    command: make test
    depends_on: [fetch, compile]
"""


def write(directory: Path, text: str = FLOW, name: str = "flow.yaml") -> str:
    """Write the file and return its name."""
    (directory / name).write_text(text)
    return name


def named(name: str) -> str:
    """The flow under another name."""
    return FLOW.replace("Build and test", name)
