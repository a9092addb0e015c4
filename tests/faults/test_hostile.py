"""Attacks on a server: the everyday size of `python -m tests.faults.hostile`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.harm import Seen
from tests.faults.hostile import attack_plain, attack_tls

SECONDS = 3.0


def others_go_on(attacked: list[Seen]) -> None:
    assert attacked
    assert [line for seen in attacked for line in seen.wrong] == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "attack",
    [
        "garbage",
        "rapid_resets",
        "continuations",
        "large_metadata",
        "settings",
        "settings_over_several",
        "pings",
        "stalled_calls",
        "compression_bombs",
        "many_watches",
        "many_health_watches",
    ],
)
def test_while_a_server_is_attacked_others_are_answered_and_then_nothing_is_left_of_it(
    attack: str, tmp_path: Path
) -> None:
    others_go_on(attack_plain(SECONDS, tmp_path, {attack}))


@pytest.mark.timeout(120)
def test_handshakes_that_are_never_finished_keep_nobody_from_a_server_with_tls(
    tmp_path: Path,
) -> None:
    others_go_on(attack_tls(SECONDS, tmp_path, {"garbage", "tls_hellos", "prefaces"}))
