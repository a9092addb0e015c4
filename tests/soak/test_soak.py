"""The soak's judgement, and its everyday size: `python -m tests.soak`."""

from __future__ import annotations

import asyncio
import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.__main__ import soak
from tests.soak.drawing import draw
from tests.soak.samples import JUDGED_MINUTES, Sample, Table, judge, take

REST = Sample(0, 100, 80, file_descriptors=20, threads=12, calls=0)


def line(slope_mib_per_hour: float, minutes: float) -> list[Sample]:
    """A sample every five seconds of a memory that grows evenly, with the noise of an allocator."""
    return [
        replace(
            REST,
            seconds=float(seconds),
            rss_mib=100 + slope_mib_per_hour * seconds / 3600 + (seconds % 15 - 5) / 50,
        )
        for seconds in range(0, round(minutes * 60), 5)
    ]


@pytest.mark.parametrize(("slope", "fails"), [(0.0, False), (0.9, False), (1.1, True), (30, True)])
def test_a_long_run_fails_above_one_mebibyte_an_hour(slope: float, fails: bool) -> None:
    judgement = judge(line(slope, JUDGED_MINUTES + 15), REST, REST)
    assert judgement.slope_mib_per_hour == pytest.approx(slope, abs=0.05)
    assert bool(judgement.faults) is fails


def test_a_short_run_fails_only_for_what_no_cache_explains() -> None:
    assert judge(line(600, 2), REST, REST).faults == []
    assert judge(line(6000, 2), REST, REST).faults


def test_files_and_threads_that_are_left_open_fail() -> None:
    samples = line(0, 45)
    assert judge(samples, REST, replace(REST, file_descriptors=21)).faults
    assert judge(samples, REST, replace(REST, threads=17)).faults
    assert judge(samples, REST, replace(REST, file_descriptors=19, threads=13)).faults == []


@pytest.mark.timeout(180)
def test_a_server_serves_mixed_traffic_and_is_back_at_rest_after_it(tmp_path: Path) -> None:
    found = asyncio.run(soak(tmp_path, 0.4, Table(tmp_path / "soak.csv")))
    assert found.faults == []
    assert found.traffic.changes
    for code in ("OK", "NOT_FOUND", "ABORTED", "INVALID_ARGUMENT", "UNAUTHENTICATED"):
        assert found.traffic.told[code]
    with (tmp_path / "soak.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["rss_mib"]) for row in rows] == [s.rss_mib for s in found.samples]
    for drawn in draw(found.samples, found.judgement, warm_up_seconds=5, into=tmp_path / "figure"):
        assert drawn.stat().st_size > 1000


def test_a_sample_is_what_the_operating_system_says() -> None:
    with Path(os.devnull).open() as one_more:
        held = take(os.getpid(), 1.0, 7)
        assert one_more.readable()
    assert (held.seconds, held.calls) == (1.0, 7)
    assert held.file_descriptors == take(os.getpid(), 0, 0).file_descriptors + 1
    assert held.rss_mib > held.anonymous_mib > 0
