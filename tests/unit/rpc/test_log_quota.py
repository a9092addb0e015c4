from __future__ import annotations

from symphony_server.rpc.log_quota import LINES_A_SECOND, LogQuota


def test_so_many_lines_are_written_in_a_second_and_the_next_says_how_many_were_not() -> None:
    now_ns = 1
    quota = LogQuota(lambda: now_ns)
    assert [quota.take() for _ in range(LINES_A_SECOND)] == [0] * LINES_A_SECOND
    assert [quota.take() for _ in range(7)] == [None] * 7
    now_ns += 10**9
    assert quota.take() == 7
    assert quota.take() == 0
