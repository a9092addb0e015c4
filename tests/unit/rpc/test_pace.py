from __future__ import annotations

from symphony_server.rpc.pace import WINDOW_NS, Pace

MS = 1_000_000


def test_nothing_is_known_before_a_call_was_answered() -> None:
    assert Pace().fastest_ns(5 * WINDOW_NS) == 0


def test_the_fastest_of_this_second_and_the_last_counts() -> None:
    pace = Pace()
    pace.answered(7 * MS, 10 * WINDOW_NS)
    pace.answered(9 * MS, 10 * WINDOW_NS + MS)
    assert pace.fastest_ns(10 * WINDOW_NS + MS) == 7 * MS
    pace.answered(8 * MS, 11 * WINDOW_NS + MS)
    assert pace.fastest_ns(11 * WINDOW_NS + 2 * MS) == 7 * MS
    pace.answered(8 * MS, 12 * WINDOW_NS + 2 * MS)
    assert pace.fastest_ns(12 * WINDOW_NS + 3 * MS) == 8 * MS


def test_a_slow_call_bars_nobody_for_long() -> None:
    pace = Pace()
    pace.answered(900 * MS, 10 * WINDOW_NS)
    assert pace.fastest_ns(10 * WINDOW_NS + WINDOW_NS // 2) == 900 * MS
    assert pace.fastest_ns(11 * WINDOW_NS) == 900 * MS
    assert pace.fastest_ns(12 * WINDOW_NS) == 0


def test_what_was_long_ago_is_forgotten_at_once() -> None:
    pace = Pace()
    pace.answered(900 * MS, 10 * WINDOW_NS)
    assert pace.fastest_ns(15 * WINDOW_NS) == 0
