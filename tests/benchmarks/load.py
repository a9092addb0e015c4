"""Makes calls from one process of its own, so that the server's CPU is the server's alone.

python -m tests.benchmarks.load, with a `Plan` as JSON on standard input; prints the seconds taken.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import grpc
import uvloop
from pydantic import BaseModel, ConfigDict

MARK = b"@@NAME@@"
"""Where each request gets a name of its own, of the same length."""


class Plan(BaseModel):
    """What to call, how often and from how many callers."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    target: str
    method: str
    request: bytes
    metadata: tuple[tuple[str, str], ...] = ()
    calls: int
    callers: int
    first_name: int = 0


async def run(plan: Plan) -> float:
    """The seconds that the calls took; raises on the first that fails."""
    async with grpc.aio.insecure_channel(plan.target) as channel:
        method: Any = channel.unary_unary(plan.method)
        numbers = iter(range(plan.first_name, plan.first_name + plan.calls))

        async def caller() -> None:
            for number in numbers:
                await method(plan.request.replace(MARK, b"%08d" % number), metadata=plan.metadata)

        started = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(plan.callers)))
        return time.perf_counter() - started


if __name__ == "__main__":
    print(uvloop.run(run(Plan.model_validate_json(sys.stdin.read()))))
