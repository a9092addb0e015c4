"""Serves the peer on loopback: `python -m tests.benchmarks.peer_fastapi DATABASE SECRET`.

Makes the database with a user whose token is SECRET and writes the ids of what it made to
`peer.json`; prints where it serves.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Final

import anyio.to_thread
import uvicorn

from tests.benchmarks.peer_fastapi.app import make_app, seed
from tests.benchmarks.peer_fastapi.tables import open_database

THREADS: Final = 8
"""As many requests at once as do well: 64 callers' gets cost it twice as much with the 40 of the
default, which wait for the interpreter's lock."""


class Server(uvicorn.Server):
    """Says when and where it serves."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        await super().startup(sockets)
        host, port = sockets[0].getsockname() if sockets else ("", 0)
        print(f"serves on {host}:{port}", flush=True)


def main() -> None:
    """Serve until a signal."""
    database, secret = sys.argv[1:]
    engine = open_database(Path(database))
    Path("peer.json").write_text(json.dumps(seed(engine, secret)))
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = uvicorn.Config(
        make_app(engine), loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
