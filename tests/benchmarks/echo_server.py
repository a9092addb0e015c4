"""A bare grpcio server to measure against: bytes in, the given bytes out, nothing else.

python -m tests.benchmarks.echo_server RESPONSE_FILE...

Each file is answered by a method of its name: `/echo.Echo/get` by a file `get`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import grpc
import uvloop

SERVICE = "echo.Echo"


async def serve(responses: dict[str, bytes]) -> None:
    server = grpc.aio.server()
    handlers = {name: _handler(response) for name, response in responses.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"serves on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


def _handler(response: bytes) -> Any:
    async def echo(_body: bytes, _context: Any) -> bytes:
        return response

    behaviour: Any = echo
    return grpc.unary_unary_rpc_method_handler(behaviour)


if __name__ == "__main__":
    uvloop.run(serve({file.name: file.read_bytes() for file in map(Path, sys.argv[1:])}))
