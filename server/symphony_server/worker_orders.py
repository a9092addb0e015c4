"""What a supervisor and its workers say to each other, a line of JSON at a time.

They share a socket pair; the worker's end is its standard input. Either end closes when its
process ends, however it does, and the other notices.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

ALIVE: Final = b"\n"
"""An empty line now and then, from the worker's event loop, after its report."""
ALIVE_SECONDS: Final = 1.0


class Orders(BaseModel):
    """The supervisor's only line: what the worker is to be."""

    settings: dict[str, Any]
    """What was said on the command line, the port that is shared, and the worker's number, from
    1 on; the worker reads the environment itself.
    """
    buckets: int
    """The inherited file descriptor of the users' buckets, which all workers count in."""


class Report(BaseModel):
    """The worker's first line: it serves."""

    port: int
    made_admin: bool
    """True when this start made the first ADMIN."""
