"""The same workflow with fewer dependencies, its steps in an order that they can run in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from heapq import heappop, heappush
from operator import or_
from typing import Final

from symphony.v1.workflow_pb2 import WorkflowSpec

MAX_STEPS: Final = 1000
"""The contract's `max_items` of a workflow's steps; all sets of them take the square in bits."""
_FEW_MEMBERS: Final = 8
"""So many are sooner taken out of a set than the set is asked for each that is written."""
_FEW_CHAINS: Final = 3
"""If so many do not imply the rest, all are sooner looked at than the right ones found."""


def optimize_workflow_steps(spec: WorkflowSpec) -> WorkflowSpec:
    """Returns a copy that runs in the same order with as few dependencies as that can be said in.

    A dependency goes that others imply (the transitive reduction), and what is named twice stays
    once; the rest stay as they are written. Each step stands after those that it depends on, and
    apart from that before those that are written after it. So what is reached from a step is what
    was reached before, and optimizing once more changes nothing.

    A spec is copied as it is if it has a circle, names a step that is not there, or a name twice,
    or has more than MAX_STEPS steps: the server tells what is wrong with it.
    """
    optimized = WorkflowSpec()
    optimized.CopyFrom(spec)
    steps = optimized.steps[:]
    if len(steps) > MAX_STEPS:
        return optimized
    # A step is told by the place where it is written.
    names = [step.name for step in steps]
    places = {name: place for place, name in enumerate(names)}
    if len(places) < len(steps):
        return optimized
    try:
        # What is done for each of up to 64,000 dependencies is left to loops of C, here and below.
        written = [list(map(places.__getitem__, step.depends_on[:])) for step in steps]
    except KeyError:
        return optimized
    order, essential = _reduced(written)
    if len(order) < len(steps):
        return optimized

    for step, needs, kept in zip(steps, written, essential, strict=True):
        if kept.bit_count() < len(needs):
            step.ClearField("depends_on")
            step.depends_on.extend([names[needed] for needed in _members(kept, needs)])
    if order != list(range(len(steps))):
        ranks = {names[place]: rank for rank, place in enumerate(order)}
        optimized.steps.sort(key=lambda step: ranks[step.name])
    return optimized


def _reduced(written: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Returns the steps, always the first written of those that can come next, and of each the set
    of what it needs and does not get by way of another that it needs. The first list has none of a
    circle, nor those behind it.

    A set of steps is an integer, its bit i the step in place i. Each step waits at one of those
    that it still needs, so that it is looked at again only when that one is there, and not each
    time that any is.
    """
    bits = [1 << place for place in range(len(written))]
    needs = [reduce(or_, map(bits.__getitem__, needed), 0) for needed in written]
    before, essential, last = [0] * len(needs), [0] * len(needs), [0] * len(needs)
    ready = [place for place, needed in enumerate(needs) if not needed]
    waiting: list[list[int]] = [[] for _ in needs]
    for place, needed in enumerate(needs):
        if needed:
            waiting[needed.bit_length() - 1].append(place)
    order: list[int] = []
    missing = (1 << len(needs)) - 1
    while ready:
        place = heappop(ready)
        order.append(place)
        missing ^= bits[place]
        if needed := needs[place]:
            implied = _implied(needed, last[place], written[place], before)
            before[place], essential[place] = needed | implied, needed & ~implied
        for other in waiting[place]:
            still = needs[other] & missing
            if still:
                # The other end: in a list that is written backwards the lowest comes last.
                waiting[(still & -still).bit_length() - 1].append(other)
            else:
                last[other] = place
                heappush(ready, other)
    return order, essential


def _implied(needed: int, last: int, written: Sequence[int], before: Sequence[int]) -> int:
    """Returns the set of what comes before those that a step needs.

    The one of them that came last is most often enough: the others come before it.
    """
    implied = before[last]
    left = needed & ~(implied | 1 << last)
    for _ in range(_FEW_CHAINS):
        if not left:
            return implied
        one = left.bit_length() - 1
        implied |= before[one]
        left &= ~(before[one] | 1 << one)
    return reduce(or_, map(before.__getitem__, written))


def _members(steps: int, written: Sequence[int]) -> list[int]:
    """Returns the members of a set, each once, as they are written in a list that has them all."""
    if steps.bit_count() > _FEW_MEMBERS:
        return list(dict.fromkeys([place for place in written if steps >> place & 1]))
    members = []
    while steps:
        members.append(steps.bit_length() - 1)
        steps ^= 1 << members[-1]
    members.sort(key=written.index)
    return members
