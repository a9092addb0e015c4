"""A server that is attacked, and a bystander who goes on calling it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.user_pb2 import Tier
from tests.e2e.place import Place
from tests.faults.attacks import Order
from tests.faults.harm import MAX_RECOVERY_SECONDS, Seen
from tests.server.follower import begun, watching

CALM_SECONDS: Final = 1.5
"""An overloaded server is as before when nobody was turned away for a second."""
HANDSHAKE_SECONDS: Final = 10
SLOW: Final = ("slow_handshakes",)
WATCHES: Final = ("many_watches",)
"""What is to leave watches to the bystander, not only calls."""
SPARE_FILES: Final = 8
"""Files that the server itself may have opened meanwhile."""
_PERIOD_SECONDS: Final = 0.02
_MIB: Final = 1024 * 1024


def resident_mib(process_id: int) -> float:
    """The memory of a process that is in RAM."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def open_files(process_id: int) -> int:
    """How many files a process has open, connections among them."""
    return len(list(Path(f"/proc/{process_id}/fd").iterdir()))


class Victim:
    """A server, and a bystander who calls it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._user = tuple(place.user(Tier.TIER_FREE).metadata())
        self._process_id = place.server.process.pid
        self._bystander = place.user()
        # So that what is opened once and kept is not taken for the attack's.
        self._ask()
        self._files = open_files(self._process_id)

    def suffer(self, said: str, attack: str, seconds: float, *, as_user: bool) -> Seen:
        """What an attack, which is said so, did to both."""
        seen = Seen(said)
        order = Order(
            attack=attack,
            target=self._place.server.target,
            # Slow ones are to see the server's patience end.
            seconds=max(seconds, HANDSHAKE_SECONDS + 2) if attack in SLOW else seconds,
            metadata=self._user if as_user else (),
        )
        log = self._place.server.directory / "server.log"
        memory, logged = resident_mib(self._process_id), log.stat().st_size
        ask = self._watch if attack in WATCHES else self._ask
        with self._watched(seen, memory, ask):
            done = subprocess.run(
                [sys.executable, "-m", "tests.faults.attacks"],
                input=order.model_dump_json(),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        seen.times = int(done.stdout)
        seen.recovery_seconds = self._recover()
        seen.log_mib = (log.stat().st_size - logged) / _MIB
        return seen

    @contextmanager
    def _watched(self, seen: Seen, memory: float, ask: Callable[[], Any]) -> Iterator[None]:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_PERIOD_SECONDS):
                began = time.monotonic()
                try:
                    ask()
                    seen.took.append(time.monotonic() - began)
                except grpc.RpcError:
                    seen.refused += 1
                seen.growth_mib = max(seen.growth_mib, resident_mib(self._process_id) - memory)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()

    def _ask(self) -> Any:
        return self._bystander.get(self._bystander.access.WhoAmI, WhoAmIRequest())

    def _watch(self) -> Any:
        with watching(self._bystander) as call:
            return begun(call)

    def _recover(self) -> float:
        """Seconds until the bystander is answered again and the attack's connections are gone."""
        began = calm = time.monotonic()
        while (now := time.monotonic()) - calm < CALM_SECONDS:
            if not self._is_answered() or open_files(self._process_id) > self._files + SPARE_FILES:
                calm = now
            if now - began > 2 * MAX_RECOVERY_SECONDS:
                return float("inf")
            time.sleep(_PERIOD_SECONDS)
        return calm - began

    def _is_answered(self) -> bool:
        try:
            self._ask()
        except grpc.RpcError:
            return False
        return True
