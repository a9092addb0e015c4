"""Attacks a server, one attack after another, while somebody else goes on calling it.

    python -m tests.faults.hostile --seconds 10

Of each attack: how often it was done, the server's memory at most and how long the bystander's
calls took meanwhile, what the log grew by, and after how long every connection of it was gone.
Two servers are attacked, one without TLS and one with it. Everything is on loopback.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import grpc
from cryptography import x509
from rich.console import Console
from rich.table import Table

from tests.e2e.place import Place, open_place
from tests.e2e.processes import Server
from tests.faults import attacks
from tests.faults.harm import (
    MAX_GROWTH_MIB,
    MAX_LOG_MIB,
    MAX_LONGEST_SECONDS,
    MAX_MEDIAN_SECONDS,
    MAX_RECOVERY_SECONDS,
    MAX_REFUSED,
    Seen,
)
from tests.faults.victim import Victim
from tests.server.test_tls import Authority

WITHOUT_TLS: Final = (
    ("garbage for a handshake", "garbage", False),
    ("TLS hellos", "tls_hellos", False),
    ("slow handshakes", "slow_handshakes", False),
    ("rapid resets", "rapid_resets", False),
    ("headers without an end", "continuations", False),
    ("large metadata", "large_metadata", False),
    ("settings", "settings", False),
    ("settings over several connections", "settings_over_several", False),
    ("pings", "pings", False),
    ("nobody's calls without a message", "stalled_calls", False),
    ("a user's calls without a message", "stalled_calls", True),
    ("nobody's compression bombs", "compression_bombs", False),
    ("a user's compression bombs", "compression_bombs", True),
    ("a user's watches", "many_watches", True),
    ("nobody's watches of health", "many_health_watches", False),
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
