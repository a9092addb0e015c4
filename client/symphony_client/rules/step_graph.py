"""The graph that `depends_on` makes of a workflow's steps, read so that any spec has one.

A sound spec is read as it is written. For any other the reading is still one and the same: where
several steps share a name it means the first of them; nobody waits for itself, nor for a name
that no step has; and a dependency that leads a depth-first walk, begun at each step in turn, back
to where it is coming from (it closes a circle) is not waited for. What is wrong the server tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from symphony.v1.workflow_pb2 import WorkflowStep


def dependencies(steps: Sequence[WorkflowStep]) -> list[list[int]]:
    """Returns for each step the positions of those that it depends on, as they are written."""
    positions: dict[str, int] = {}
    for position, step in enumerate(steps):
        positions.setdefault(step.name, position)
    found = []
    for step in steps:
        names = step.depends_on[:]  # a list: twice as fast to walk as the field
        try:
            needed = list(map(positions.__getitem__, names))
        except KeyError:
            needed = [positions[name] for name in names if name in positions]
        found.append(needed)
    return found


def in_order(needs: Sequence[Sequence[int]]) -> Iterator[tuple[int, Sequence[int]]]:
    """Yields each step after those that it waits for, with them; nothing is recursive.

    `needs[i]` are the steps that step i depends on. In a graph without circles it waits for all
    of them.
    """
    if all(not needed or max(needed) < step for step, needed in enumerate(needs)):
        yield from enumerate(needs)  # most workflows are written in such an order
        return
    begun, ended = set[int](), set[int]()
    for first in range(len(needs)):
        ahead = [first]
        while ahead:
            step = ahead[-1]
            if step not in begun:
                begun.add(step)
                ahead.extend([needed for needed in needs[step] if needed not in begun])
                continue
            ahead.pop()
            if step not in ended:
                waits_for = [needed for needed in needs[step] if needed in ended]
                ended.add(step)
                yield step, waits_for
