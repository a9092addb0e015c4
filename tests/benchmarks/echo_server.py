"""A bare grpcio server to measure against: bytes in, the given bytes out, nothing else.

python -m tests.benchmarks.echo_server RESPONSE_FILE
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import grpc
import uvloop

METHOD = "/echo.Echo/Call"


async def serve(response: bytes) -> None:
    async def echo(_body: bytes, _context: Any) -> bytes:
        return response

    handler: Any = grpc.unary_unary_rpc_method_handler(echo)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("echo.Echo", {"Call": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"serves on 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]).read_bytes()))
