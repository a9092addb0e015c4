"""How soon a started server answers health, and how much memory it has before any other call."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from tests.benchmarks.processes import SYMPHONY, DidNotStart, cpu_seconds, free_port, memory_kib
from tests.e2e.processes import bare_environment

WAIT_SECONDS: Final = 120
POLL_SECONDS: Final = 0.005


@dataclass
class Starts:
    """A server that is started over and over on a database that it knows."""

    where: str
    url: str
    workers: int
    directory: Path
    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    """What starting took of the CPU: on a busy machine it says more."""
    mib: list[float] = field(default_factory=list)
    """Memory, of all its processes, when it had answered."""

    def run_round(self) -> None:
        """Start it once, and end it."""
        port = free_port()
        command = [SYMPHONY, "serve", "--database", self.url, "--workers", str(self.workers)]
        said = self.directory / "starts.log"
        with said.open("ab") as log:
            began = time.perf_counter()
            process = subprocess.Popen(
                [*command, "--listen", f"127.0.0.1:{port}"],
                cwd=self.directory,
                env=bare_environment(),
                stdout=log,
                stderr=log,
            )
            try:
                if not _answers_health(port, process):
                    raise DidNotStart(f"{' '.join(command)}: {said.read_text()[-2000:]}")
                self.seconds.append(time.perf_counter() - began)
                self.cpu_seconds.append(cpu_seconds(process.pid))
                self.mib.append(memory_kib(process.pid) / 1024)
            finally:
                process.terminate()
                process.wait()


def _answers_health(port: int, process: subprocess.Popen[bytes]) -> bool:
    """True once it does; False when it has ended, or is not there in time."""
    last = time.monotonic() + WAIT_SECONDS
    while process.poll() is None and time.monotonic() < last:
        try:
            # Not by the channel itself, which waits a second before it tries again.
            socket.create_connection(("127.0.0.1", port)).close()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub: Any = HealthStub(channel)
                answer = stub.Check(HealthCheckRequest(), timeout=WAIT_SECONDS)
                if answer.status == HealthCheckResponse.SERVING:
                    return True
        except (OSError, grpc.RpcError):
            pass
        time.sleep(POLL_SECONDS)
    return False
