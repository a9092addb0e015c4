"""The figure of a soak: what the server held, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

from tests.soak.samples import Judgement, Sample

WIDTH_INCHES: Final = 8.0
HEIGHT_INCHES: Final = 5.6
DOTS_PER_INCH: Final = 144
_STYLE: Final[Any] = {
    "svg.hashsalt": "soak",  # else each run names its parts otherwise
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
}


def draw(
    samples: Sequence[Sample], judgement: Judgement, *, warm_up_seconds: float, into: Path
) -> list[Path]:
    """Draw `soak.png` and `soak.svg` into a folder; returns the files."""
    into.mkdir(parents=True, exist_ok=True)
    minutes = [sample.seconds / 60 for sample in samples]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES), layout="constrained")
        memory, handles = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw_memory(memory, minutes, samples, judgement, warm_up_seconds / 60)
        handles.plot(minutes, [s.file_descriptors for s in samples], label="file descriptors")
        handles.plot(minutes, [s.threads for s in samples], label="threads")
        handles.set_ylim(bottom=0)
        handles.set_xlabel("minutes")
        handles.legend(loc="lower right", frameon=False, ncols=2)
        files = [into / "soak.png", into / "soak.svg"]
        figure.savefig(files[0], dpi=DOTS_PER_INCH, metadata={"Software": None})
        figure.savefig(files[1], metadata={"Date": None})
    return files


def _draw_memory(
    axes: Any,
    minutes: Sequence[float],
    samples: Sequence[Sample],
    judgement: Judgement,
    warm_up_minutes: float,
) -> None:
    axes.axvspan(0, warm_up_minutes, color="0.93", label="warm-up")
    axes.plot(minutes, [sample.rss_mib for sample in samples], label="resident memory")
    ends = (warm_up_minutes, minutes[-1])
    axes.plot(
        ends,
        [judgement.intercept_mib + judgement.slope_mib_per_hour * end / 60 for end in ends],
        linestyle="--",
        label=f"least squares: {judgement.slope_mib_per_hour:+.2f} MiB/h",
    )
    axes.set_ylabel("MiB")
    axes.set_ylim(0, max(sample.rss_mib for sample in samples) * 1.15)
    axes.legend(loc="lower right", frameon=False)
    axes.set_title(f"{samples[-1].calls:,} calls and streams to one server", loc="left")
