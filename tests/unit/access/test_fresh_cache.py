"""What was read a moment ago is believed for that moment only."""

from __future__ import annotations

from symphony_server.access.fresh_cache import SECOND_NS, FreshCache


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 5 * SECOND_NS

    def __call__(self) -> int:
        return self.now_ns


def cache_of(entries: int = 10) -> tuple[FreshCache[str, int], Clock]:
    clock = Clock()
    return FreshCache(entries, 0.5, clock), clock


def test_a_value_is_had_until_its_time_is_over() -> None:
    cache, clock = cache_of()
    cache.add("a", 1, epoch=cache.epoch)
    clock.now_ns += SECOND_NS // 2 - 1
    assert cache.get("a") == 1
    clock.now_ns += 1
    assert cache.get("a") is None
    assert cache.get("b") is None


def test_what_was_being_read_when_all_was_forgotten_is_not_kept() -> None:
    cache, _ = cache_of()
    cache.add("a", 1, epoch=cache.epoch)
    epoch = cache.epoch
    cache.clear()
    cache.add("b", 2, epoch=epoch)
    assert cache.get("a") is None
    assert cache.get("b") is None


def test_stale_values_go_when_others_come() -> None:
    cache, clock = cache_of()
    cache.add("a", 1, epoch=cache.epoch)
    clock.now_ns += SECOND_NS
    cache.add("b", 2, epoch=cache.epoch)
    assert len(cache) == 1


def test_no_more_are_kept_than_allowed() -> None:
    cache, _ = cache_of(entries=3)
    for number in range(100):
        cache.add(str(number), number, epoch=cache.epoch)
        assert len(cache) <= 3
    assert cache.get("99") == 99
