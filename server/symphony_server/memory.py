"""The memory of a process that does nothing but serve."""

from __future__ import annotations

import ctypes
import gc
import os
from typing import Final

YOUNG_OBJECTS: Final = 2_000
"""So many more objects made than freed start a collection. Python's own number is 700, which the
calls under way exceed by themselves; with 10,000 what grpc.aio leaves in cycles of large metadata
came to a gibibyte in a flood of it."""
_ARENA_MAX: Final = -8
"""M_ARENA_MAX of glibc's malloc.h."""


def collect_seldom() -> None:
    """Leave out what was made by now, which lasts as long as the process and is most of what there
    is, and look at the rest less often. What is in no cycle is freed at once all the same.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)


def share_one_arena() -> None:
    """Have all threads allocate from one arena; to be called before there are others.

    With glibc each thread keeps what it once needed, 64 MiB and more after a flood of headers, for
    itself. Does nothing with another C library, or where MALLOC_ARENA_MAX says how many there are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_ARENA_MAX, 1)
