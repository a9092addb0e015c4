"""What somebody does to a server who wants it to stop serving others.

python -m tests.faults.attacks, with an `Order` as JSON on standard input, in a process of its own;
prints how often it was done.
"""

from __future__ import annotations

import sys
import time
from typing import Final

from pydantic import BaseModel

from tests.faults.attack_calls import (
    compression_bombs,
    many_health_watches,
    many_watches,
    stalled_calls,
)
from tests.faults.attack_frames import (
    continuations,
    large_metadata,
    pings,
    rapid_resets,
    settings,
    settings_over_several,
)
from tests.faults.attack_handshakes import garbage, prefaces, slow_handshakes, tls_hellos
from tests.faults.attack_means import Attack


class Order(BaseModel):
    """Which attack to make."""

    attack: str
    target: str
    seconds: float
    metadata: tuple[tuple[str, str], ...] = ()


ATTACKS: Final[dict[str, Attack]] = {
    act.__name__: act
    for act in (
        garbage,
        tls_hellos,
        prefaces,
        slow_handshakes,
        rapid_resets,
        continuations,
        large_metadata,
        settings,
        settings_over_several,
        pings,
        stalled_calls,
        compression_bombs,
        many_watches,
        many_health_watches,
    )
}


if __name__ == "__main__":
    ordered = Order.model_validate_json(sys.stdin.read())
    end = time.monotonic() + ordered.seconds
    print(ATTACKS[ordered.attack](ordered.target, end, ordered.metadata))
