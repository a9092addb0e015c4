"""What a process holds, sampled while it serves, and whether that grows."""

from __future__ import annotations

import csv
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Final

SLOPE_MIB_PER_HOUR: Final = 1.0
"""The goal of quality.md."""
JUDGED_MINUTES: Final = 30.0
"""A slope over less is told but says little: a page or two that an allocator takes is 1 MiB/h."""
SHORT_GROWTH_MIB: Final = 64.0
"""What a run shorter than that may grow after its warm-up, which is too short for all caches to
fill: SQLite's of 16 MB a connection, and the last changes of the change feed."""
WARM_UP: Final = 1 / 4
"""The part of a run in which caches fill, and is not measured."""
LATE_FILES: Final = 4
"""Two for the connection of each of the two reader threads (`sqlite_store.READ_THREADS`), which are
opened when they are first needed; a short warm-up may need none."""
THREADS_MORE: Final = 4
"""gRPC's own pool has a few threads more or fewer from moment to moment."""
_KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process held at a moment."""

    seconds: float
    """Since the run began."""
    rss_mib: float
    anonymous_mib: float
    """The part of it that is no file's."""
    file_descriptors: int
    threads: int
    calls: int
    """How many it had been sent."""


def take(process_id: int, seconds: float, calls: int) -> Sample:
    """What the process holds now. Raises OSError when it has ended."""
    process = Path(f"/proc/{process_id}")
    said = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Sample(
        seconds=round(seconds, 1),
        rss_mib=_mib(said["VmRSS"]),
        anonymous_mib=_mib(said["RssAnon"]),
        file_descriptors=sum(1 for _ in (process / "fd").iterdir()),
        threads=int(said["Threads"]),
        calls=calls,
    )


def _mib(said: str) -> float:
    kibibytes, unit = said.split()
    assert unit == "kB"
    return round(int(kibibytes) / _KIB, 3)


@dataclass
class Judgement:
    """What a run's samples say."""

    minutes: float
    """How long was measured, after the warm-up."""
    slope_mib_per_hour: float
    """Of the straight line through the samples after the warm-up, by least squares."""
    intercept_mib: float
    faults: list[str]
    """What grew that must not, in sentences."""


def judge(samples: Sequence[Sample], rest: Sample, last_rest: Sample) -> Judgement:
    """Judge the samples after the warm-up, and what was held at rest after it and at the end."""
    hours = [sample.seconds / 3600 for sample in samples]
    line = statistics.linear_regression(hours, [sample.rss_mib for sample in samples])
    measured = hours[-1] - hours[0]
    judgement = Judgement(measured * 60, line.slope, line.intercept, [])
    judgement.faults += _grown(judgement, rest, last_rest)
    return judgement


def _grown(judgement: Judgement, rest: Sample, last_rest: Sample) -> Iterator[str]:
    slope, grown = judgement.slope_mib_per_hour, judgement.slope_mib_per_hour * judgement.minutes
    if judgement.minutes >= JUDGED_MINUTES and slope > SLOPE_MIB_PER_HOUR:
        yield f"memory grows by {slope:.2f} MiB/h (goal {SLOPE_MIB_PER_HOUR:.0f})"
    if judgement.minutes < JUDGED_MINUTES and grown / 60 > SHORT_GROWTH_MIB:
        yield f"memory grew by {grown / 60:.1f} MiB in {judgement.minutes:.1f} minutes"
    late = 0 if judgement.minutes >= JUDGED_MINUTES else LATE_FILES
    if last_rest.file_descriptors > rest.file_descriptors + late:
        yield (
            f"at rest {last_rest.file_descriptors} file descriptors are open, "
            f"{rest.file_descriptors} were after the warm-up"
        )
    if last_rest.threads > rest.threads + THREADS_MORE:
        yield f"at rest there are {last_rest.threads} threads, {rest.threads} after the warm-up"


class Table:
    """Samples in a file as they are taken: comma-separated, the first line names the columns."""

    def __init__(self, path: Path) -> None:
        """Begin the file anew."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        with path.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(field.name for field in fields(Sample))

    def add(self, sample: Sample) -> None:
        with self._path.open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerow(astuple(sample))
