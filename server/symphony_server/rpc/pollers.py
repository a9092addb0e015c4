"""Lets several threads of gRPC's read connections, so that none keeps the others' from being read.

A thread that reads a connection stays with it for as long as there is something to read. grpc.aio
has one thread, which besides tells the event loop of all that came: so one connection that sends
settings or pings without a pause held everybody else up. Several may wait on the same queue, as
they do in gRPC's servers in C++; grpcio has no option for it, so this builds on how it starts its
own, `PollerCompletionQueue._poll_wrapper`, as it is in 1.85.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from grpc._cython import cygrpc

POLLERS: Final = 8
"""With so many, eight connections that sent settings without a pause held a call up for 41 ms at
most; with four, for as long as they went on. They cost nothing while they wait
(`docs/decisions/0018`)."""
_NAME: Final = "grpc-poller"


def poll_by_several() -> None:
    """Start the others, once a process; grpc.aio must have begun. Raises LookupError if it has not,
    or does not do it so any more.
    """
    running = threading.enumerate()
    if any(thread.name.startswith(_NAME) for thread in running):
        return
    poll = _own_poller(running)
    # What these wait on must outlive every channel and server: grpcio lets go of it with the last.
    cygrpc.init_grpc_aio()
    for number in range(1, POLLERS):
        threading.Thread(target=poll, name=f"{_NAME}-{number}", daemon=True).start()


def _own_poller(threads: list[threading.Thread]) -> Callable[[], None]:
    """What grpcio's own thread runs."""
    for thread in threads:
        target: Callable[[], None] | None = getattr(thread, "_target", None)
        if getattr(target, "__name__", "") == "_poll_wrapper" and target is not None:
            return target
    raise LookupError("grpc.aio has no thread that polls: see rpc/pollers.py")
