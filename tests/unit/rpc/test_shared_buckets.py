"""Buckets that several processes count in."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import pytest

from symphony_server.rpc.request_rates import RequestRates
from symphony_server.rpc.shared_buckets import SETS, SIZE, WAYS, SharedBuckets
from symphony_server.rules.tiers import TierTable

NOW_NS = 10**15
BURST = 3000
WORKERS = 4
COUNT = """
import sys
from symphony_server.rpc.request_rates import RequestRates
from symphony_server.rpc.shared_buckets import SharedBuckets
from symphony_server.rules.tiers import TierTable

class Buckets(SharedBuckets):
    unlocked = 0

    def take_up(self, user_id, now_ns):
        full_at_ns = super().take_up(user_id, now_ns)
        self.unlocked += not self._locked
        return full_at_ns

table = TierTable.model_validate({"free": {"requests_per_second": 1, "request_burst": BURST}})
buckets = Buckets(int(sys.argv[1]))
rates = RequestRates(table, buckets, clock_ns=lambda: 10**15)
print("ready", flush=True)
sys.stdin.readline()
print(sum(not rates.take("user", 1) for _ in range(BURST)), buckets.unlocked, flush=True)
""".replace("BURST", str(BURST))


@pytest.fixture
def file() -> Iterator[int]:
    with tempfile.TemporaryFile() as made:
        yield made.fileno()


def count(buckets: SharedBuckets, user: str, adds: int, now_ns: int = NOW_NS) -> int:
    """Add to a bucket; returns what is in it then."""
    full_at_ns = max(buckets.take_up(user, now_ns), now_ns) + adds
    buckets.put_down(full_at_ns)
    return full_at_ns - now_ns


def test_what_one_counts_the_other_sees(file: int) -> None:
    one, other = SharedBuckets(file), SharedBuckets(file)
    assert count(one, "a", 5) == 5
    assert count(other, "a", 5) == 10
    assert count(other, "b", 5) == 5
    assert count(one, "a", 5) == 15


def test_what_is_put_down_unchanged_is_as_it_was(file: int) -> None:
    buckets = SharedBuckets(file)
    count(buckets, "a", 5)
    buckets.take_up("a", NOW_NS)
    buckets.put_down(0)
    assert buckets.take_up("a", NOW_NS) == NOW_NS + 5


def test_processes_that_count_at_once_allow_one_burst_in_all(file: int) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", COUNT, str(file)],
            pass_fds=(file,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(WORKERS)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("\n")
        worker.stdin.flush()
    told = [map(int, worker.communicate()[0].split()) for worker in workers]
    allowed, unlocked = map(sum, zip(*told, strict=True))
    # One more for each time that a lock was not to be had: its holder was put aside meanwhile.
    assert BURST <= allowed <= BURST + unlocked
    assert allowed <= BURST * 1.01


def test_a_lock_that_another_process_keeps_holds_up_nobody(file: int) -> None:
    buckets = SharedBuckets(file)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import fcntl; fcntl.lockf({file}, fcntl.LOCK_EX, {SETS}); print(flush=True); input()",
        ],
        pass_fds=(file,),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(BlockingIOError):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
    assert [count(buckets, "a", 1) for _ in range(3)] == [1, 2, 3]
    holder.communicate(b"\n")
    assert count(buckets, "a", 1) == 4


def test_users_without_a_place_count_in_anothers_and_never_get_more(file: int) -> None:
    buckets = SharedBuckets(file)
    users = [f"user {number}" for number in range(SETS * WAYS * 2)]
    assert all(count(buckets, user, 10**9) >= 10**9 for user in users)
    assert all(count(buckets, user, 10**9) >= 10**9 for user in users)


def test_places_of_full_buckets_are_taken_again(file: int) -> None:
    buckets = SharedBuckets(file)
    for number in range(SETS * WAYS):
        count(buckets, f"user {number}", 5)
    later = NOW_NS + SETS * WAYS * 5
    for number in range(1000):
        count(buckets, f"other {number}", 5, later)
    assert buckets.take_up("other 0", later) > later
    buckets.put_down(0)
    assert count(buckets, "the last", 5, later + SETS * WAYS * 5) == 5


def test_a_file_is_of_the_size_of_the_table_whoever_makes_it(file: int) -> None:
    SharedBuckets(file)
    SharedBuckets(file)
    with tempfile.TemporaryFile() as other:
        SharedBuckets(other.fileno())
        assert other.seek(0, 2) == SIZE


def test_a_request_costs_microseconds(file: int) -> None:
    rates = RequestRates(TierTable(), SharedBuckets(file))
    users = [f"user_{number:026}" for number in range(20_000)]
    started = time.perf_counter()
    for user in users:
        rates.take(user, 2)
    assert (time.perf_counter() - started) / len(users) < 100e-6
