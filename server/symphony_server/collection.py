"""The garbage collector of a process that does nothing but serve."""

from __future__ import annotations

import gc
from typing import Final

YOUNG_OBJECTS: Final = 2_000
"""So many more objects made than freed start a collection. Python's own number is 700, which the
calls under way exceed by themselves; with 10,000 what grpc.aio leaves in cycles of large metadata
came to a gibibyte in a flood of it."""


def collect_seldom() -> None:
    """Leave out what was made by now, which lasts as long as the process and is most of what there
    is, and look at the rest less often. What is in no cycle is freed at once all the same.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
