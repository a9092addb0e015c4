"""Attacks a server, one attack after another, while somebody else goes on calling it.

    python -m tests.faults.hostile --seconds 10

Of each attack: how often it was done, the server's memory at most and how long the bystander's
calls took meanwhile, what the log grew by, and after how long every connection of it was gone.
Two servers are attacked, one without TLS and one with it. Everything is on loopback.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import grpc
from cryptography import x509
from rich.console import Console
from rich.table import Table

from symphony.v1.access_service_pb2 import WhoAmIRequest
from symphony.v1.user_pb2 import Tier
from tests.e2e.place import Place, open_place
from tests.e2e.processes import Server
from tests.faults import attacks
from tests.faults.attacks import Order
from tests.server.test_tls import Authority

MAX_GROWTH_MIB: Final = 384.0
"""Most of it is what the allocator keeps for the next time."""
MAX_GROWTH_OF: Final = {"large_metadata": 1536.0}
"""grpc.aio 1.85 leaves the metadata of every call to the garbage collector (`_find_method_handler`
refers to itself), and a flood makes gigabytes of calls between its rounds."""
MAX_MEDIAN_SECONDS: Final = 0.25
MAX_LONGEST_SECONDS: Final = 10.0
"""The machine is the attacker's too, who takes a core of it; and gRPC's core, which has two threads
for the connections of a small machine, may leave one for seconds while it parses for another."""
MAX_REFUSED: Final = 0.3
"""The part of the bystander's calls that is turned away: none, but when 2500 come at once."""
CALM_SECONDS: Final = 1.5
"""An overloaded server is as before when nobody was turned away for a second."""
FLOODS: Final = ("rapid_resets", "large_metadata", "stalled_calls")
"""So many calls that most of all are turned away, the bystander's as well. That it ends with the
flood is what can be asked of a server; to tell floods from callers is for what stands before it."""
MAX_LOG_MIB: Final = 1.0
MAX_RECOVERY_SECONDS: Final = 30.0
"""A handshake may take 10 s, and a connection is probed for 20 s before it is given up."""
HANDSHAKE_SECONDS: Final = 10
SLOW: Final = ("slow_handshakes",)
SPARE_FILES: Final = 8
"""Files that the server itself may have opened meanwhile."""
_PERIOD_SECONDS: Final = 0.02
_MIB: Final = 1024 * 1024


@dataclass
class Seen:
    """What one attack did."""

    name: str
    flood: bool = False
    max_growth_mib: float = MAX_GROWTH_MIB
    times: int = 0
    growth_mib: float = 0
    """The server's memory at most, beyond what it was before."""
    took: list[float] = field(default_factory=list)
    """Seconds of each of the bystander's calls."""
    refused: int = 0
    """Of the bystander's calls."""
    log_mib: float = 0
    recovery_seconds: float = float("inf")
    """Until the files that the server has open were those from before."""

    def latency(self, part: float) -> float:
        """The seconds that this part of the bystander's calls took at most."""
        took = sorted(self.took)
        return took[min(int(len(took) * part), len(took) - 1)] if took else float("inf")

    @property
    def wrong(self) -> list[str]:
        """Which bounds it broke."""
        found = {
            f"memory grew by {self.growth_mib:.0f} MiB": self.growth_mib > self.max_growth_mib,
            f"the bystander's p50 was {self.latency(0.5):.2f} s": (
                not self.flood and self.latency(0.5) > MAX_MEDIAN_SECONDS
            ),
            f"one of the bystander's calls took {self.latency(1):.1f} s": (
                not self.flood and self.latency(1) > MAX_LONGEST_SECONDS
            ),
            f"{self.refused} of the bystander's calls were turned away": (
                not self.flood and self.refused > MAX_REFUSED * (self.refused + len(self.took))
            ),
            f"the log grew by {self.log_mib:.1f} MiB": self.log_mib > MAX_LOG_MIB,
            "not all connections are gone": self.recovery_seconds > MAX_RECOVERY_SECONDS,
            "it did nothing": not self.times,
        }
        return [f"{self.name}: {said}" for said, holds in found.items() if holds]


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
        seen = Seen(said, attack in FLOODS, MAX_GROWTH_OF.get(attack, MAX_GROWTH_MIB))
        order = Order(
            attack=attack,
            target=self._place.server.target,
            # Slow ones are to see the server's patience end.
            seconds=max(seconds, HANDSHAKE_SECONDS + 2) if attack in SLOW else seconds,
            metadata=self._user if as_user else (),
        )
        log = self._place.server.directory / "server.log"
        memory, logged = resident_mib(self._process_id), log.stat().st_size
        with self._watched(seen, memory):
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
    def _watched(self, seen: Seen, memory: float) -> Iterator[None]:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_PERIOD_SECONDS):
                began = time.monotonic()
                try:
                    self._ask()
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


WITHOUT_TLS: Final = (
    ("garbage for a handshake", "garbage", False),
    ("TLS hellos", "tls_hellos", False),
    ("slow handshakes", "slow_handshakes", False),
    ("rapid resets", "rapid_resets", False),
    ("headers without an end", "continuations", False),
    ("large metadata", "large_metadata", False),
    ("settings", "settings", False),
    ("pings", "pings", False),
    ("nobody's calls without a message", "stalled_calls", False),
    ("a user's calls without a message", "stalled_calls", True),
    ("nobody's compression bombs", "compression_bombs", False),
    ("a user's compression bombs", "compression_bombs", True),
    ("a user's watches", "many_watches", True),
)
WITH_TLS: Final = (
    ("garbage, with TLS", "garbage", False),
    ("unfinished TLS handshakes", "tls_hellos", False),
    ("plain HTTP/2, with TLS", "prefaces", False),
    ("slow handshakes, with TLS", "slow_handshakes", False),
)
"""What it is called, what it is, and whether a user does it."""


def attack_plain(
    seconds: float, directory: Path, wanted: Collection[str] = attacks.ATTACKS
) -> list[Seen]:
    """Every attack that is wanted, on a server without TLS."""
    with open_place(directory) as place:
        victim = Victim(place)
        return [
            victim.suffer(said, name, seconds, as_user=as_user)
            for said, name, as_user in WITHOUT_TLS
            if name in wanted
        ]


def attack_tls(
    seconds: float, directory: Path, wanted: Collection[str] = attacks.ATTACKS
) -> list[Seen]:
    """Every attack that is wanted, on a server with TLS."""
    authority = Authority(directory)
    cert, key = authority.issue("server", x509.DNSName("localhost"))
    credentials = grpc.ssl_channel_credentials(authority.pem.read_bytes())
    with (
        Server(directory, "--dev", "--tls-cert", str(cert), "--tls-key", str(key)) as server,
        grpc.secure_channel(
            server.target, credentials, (("grpc.ssl_target_name_override", "localhost"),)
        ) as channel,
    ):
        victim = Victim(Place(server, channel))
        return [
            victim.suffer(said, name, seconds, as_user=as_user)
            for said, name, as_user in WITH_TLS
            if name in wanted
        ]


def show(attacked: Sequence[Seen]) -> None:
    """Print the table."""
    table = Table(title="What each attack did")
    for name in (
        "attack",
        "times",
        "memory",
        "p50",
        "p99",
        "longest",
        "refused",
        "log",
        "gone after",
    ):
        table.add_column(name, justify="left" if name == "attack" else "right")
    table.add_row(
        "bound",
        "",
        f"+{MAX_GROWTH_MIB:.0f} MiB",
        f"{MAX_MEDIAN_SECONDS * 1000:.0f} ms",
        "",
        f"{MAX_LONGEST_SECONDS * 1000:.0f} ms",
        f"{MAX_REFUSED:.0%}",
        f"{MAX_LOG_MIB:.1f} MiB",
        f"{MAX_RECOVERY_SECONDS:.0f} s",
        end_section=True,
    )
    for seen in attacked:
        table.add_row(
            seen.name,
            str(seen.times),
            f"+{seen.growth_mib:.0f} MiB",
            *(f"{seen.latency(part) * 1000:.0f} ms" for part in (0.5, 0.99, 1)),
            f"{seen.refused} of {seen.refused + len(seen.took)}",
            f"{seen.log_mib:.2f} MiB",
            f"{seen.recovery_seconds:.1f} s",
        )
    Console(width=130).print(table)


def main(arguments: Sequence[str]) -> int:
    """Print what was seen; returns 1 if a bound was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10, help="of each attack")
    seconds = parser.parse_args(arguments).seconds
    with tempfile.TemporaryDirectory() as directory:
        places = [Path(directory, name) for name in ("plain", "tls")]
        for place in places:
            place.mkdir()
        attacked = attack_plain(seconds, places[0]) + attack_tls(seconds, places[1])
    show(attacked)
    wrong = [line for seen in attacked for line in seen.wrong]
    for line in wrong:
        print(line)
    failed = sum(bool(seen.wrong) for seen in attacked)
    print(f"{len(attacked) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
