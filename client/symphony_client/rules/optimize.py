"""The same workflow with fewer dependencies, its steps in an order that they can run in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import Final

from symphony.v1.workflow_pb2 import WorkflowSpec

MAX_STEPS: Final = 1000
"""The contract's `max_items` of a workflow's steps; all sets of them take the square in bits."""


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
    # A set of steps is an integer, its bit i the step that is written in place i.
    bits = {step.name: 1 << place for place, step in enumerate(steps)}
    if len(bits) < len(steps):
        return optimized
    written = [step.depends_on[:] for step in steps]
    try:
        needs = [_set_of(names, bits) for names in written]
    except KeyError:
        return optimized
    order = _stable_order(needs)
    if len(order) < len(steps):
        return optimized

    names = list(bits)
    for place, needed in enumerate(_essential(needs, order)):
        if needed.bit_count() < len(written[place]):
            kept = [names[one] for one in _members(needed)]
            kept.sort(key=written[place].index)
            del steps[place].depends_on[:]
            steps[place].depends_on.extend(kept)
    ranks = {names[place]: rank for rank, place in enumerate(order)}
    optimized.steps.sort(key=lambda step: ranks[step.name])
    return optimized


def _set_of(names: Sequence[str], bits: Mapping[str, int]) -> int:
    """Returns the steps of those names. Raises KeyError for one that no step has."""
    steps = sum(map(bits.__getitem__, names))
    # A sum of bits is their union, unless one is there twice; then bits are carried and lost.
    return steps if steps.bit_count() == len(names) else _set_of(list(set(names)), bits)


def _stable_order(needs: Sequence[int]) -> list[int]:
    """Returns the steps, always the first written of those that can come next; not those of a
    circle, nor those behind it.

    Each step waits at one of those that it still needs, so that it is looked at again only when
    that one is there, and not each time that any is.
    """
    order: list[int] = []
    missing = (1 << len(needs)) - 1
    ready = [place for place, needed in enumerate(needs) if not needed]
    waiting: list[list[int]] = [[] for _ in needs]
    for place, needed in enumerate(needs):
        if needed:
            waiting[needed.bit_length() - 1].append(place)
    while ready:
        place = heappop(ready)
        order.append(place)
        missing ^= 1 << place
        for other in waiting[place]:
            still = needs[other] & missing
            if still:
                # The other end: in a list that is written backwards the lowest comes last.
                waiting[(still & -still).bit_length() - 1].append(other)
            else:
                heappush(ready, other)
    return order


def _essential(needs: Sequence[int], order: Sequence[int]) -> list[int]:
    """Returns what each step needs and does not get by way of another that it needs."""
    ranks = [0] * len(needs)
    before = [0] * len(needs)
    essential = [0] * len(needs)
    known: dict[int, tuple[int, int]] = {0: (0, 0)}
    for rank, place in enumerate(order):
        ranks[place] = rank
        needed = needs[place]
        if needed not in known:
            left, implied = needed, 0
            # What is not looked at comes before one that is, and all before it does so too.
            while left:
                one = left.bit_length() - 1
                lowest = (left & -left).bit_length() - 1
                if ranks[lowest] > ranks[one]:
                    one = lowest
                implied |= before[one]
                left &= ~(before[one] | 1 << one)
            known[needed] = implied | needed, needed & ~implied
        before[place], essential[place] = known[needed]
    return essential


def _members(steps: int) -> list[int]:
    members = []
    while steps:
        lowest = steps & -steps
        members.append(lowest.bit_length() - 1)
        steps ^= lowest
    return members
