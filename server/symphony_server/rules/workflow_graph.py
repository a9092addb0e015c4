"""The graph that `depends_on` makes of a workflow's steps: is it sound, how long does it take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony.v1.workflow_pb2 import WorkflowStep
from symphony_server.refusal import Violation
from symphony_server.rules.cycles import cycle_text, depth_first_order, find_cycles
from symphony_server.rules.estimates import critical_path_us, step_duration_us
from symphony_server.rules.names import quoted

MAX_VIOLATIONS: Final = 1000
"""More are not made: 64000 are possible, and only in a request that is meant to be costly."""


@dataclass(frozen=True, slots=True)
class GraphCheck:
    """What there is to say about the graph of a workflow's steps."""

    violations: tuple[Violation, ...]
    """Everything that is wrong with it, up to MAX_VIOLATIONS; empty when it is sound."""
    critical_path_us: int
    """How long it takes from start to end, in microseconds; 0 if anything is wrong."""


def check_graph(steps: Sequence[WorkflowStep]) -> GraphCheck:
    """Everything that is wrong with the graph, or else how long it takes from start to end.

    Names are compared exactly as they are written. Where several steps share a name it means the
    first of them, so that the rest is judged all the same. The cost is in proportion to the steps
    and their dependencies, and nothing is recursive.
    """
    steps = steps[:]  # a list: of a message's field, twice as fast to walk
    listed_us = _critical_path_as_listed(steps)
    if listed_us is not None:
        return GraphCheck((), listed_us)

    names, dependencies, durations_us = [], [], []
    for step in steps:
        names.append(step.name)
        dependencies.append(step.depends_on[:])
        durations_us.append(step_duration_us(step))
    positions: dict[str, int] = {}
    for position, name in enumerate(names):
        positions.setdefault(name, position)
    needs = [
        [needed for wanted in of_step if (needed := positions.get(wanted, position)) != position]
        for position, of_step in enumerate(dependencies)
    ]

    duration_us = critical_path_us(durations_us, needs, depth_first_order(needs))
    found = chain(
        _duplicates(names, positions),
        _useless_dependencies(names, dependencies, needs),
        _cycles(names, dependencies, needs) if duration_us is None else (),
    )
    violations = tuple(islice(found, MAX_VIOLATIONS))
    if violations or duration_us is None:
        return GraphCheck(violations, 0)
    return GraphCheck((), duration_us)


def _critical_path_as_listed(steps: Sequence[WorkflowStep]) -> int | None:
    """The critical path if every step stands after those it depends on; None says nothing.

    Most workflows are written in such an order, and the order alone proves the graph sound. Then
    each field is read once: reading is what takes the time.
    """
    ends_us: dict[str, int] = {}
    for step in steps:
        name = step.name
        if name in ends_us:
            return None
        start_us = 0
        depends_on = step.depends_on
        if depends_on:
            for wanted in depends_on[:]:
                end_us = ends_us.get(wanted)
                if end_us is None:
                    return None
                if end_us > start_us:
                    start_us = end_us
        ends_us[name] = start_us + step_duration_us(step)
    return max(ends_us.values(), default=0)


def _duplicates(names: Sequence[str], positions: Mapping[str, int]) -> Iterator[Violation]:
    for position, name in enumerate(names):
        first = positions[name]
        if first != position:
            yield Violation(
                ErrorReason.ERROR_REASON_STEP_NAME_DUPLICATE,
                f"step {quoted(name)} has the name of spec.steps[{first}]; rename one of them",
                field=f"spec.steps[{position}].name",
                metadata={"step": name},
            )


def _useless_dependencies(
    names: Sequence[str], dependencies: Sequence[Sequence[str]], needs: Sequence[Sequence[int]]
) -> Iterator[Violation]:
    """The dependencies of steps on themselves and on steps that are not there."""
    present = frozenset(names)
    for position, name in enumerate(names):
        if len(needs[position]) == len(dependencies[position]):
            continue
        for index, wanted in enumerate(dependencies[position]):
            if wanted not in present:
                yield Violation(
                    ErrorReason.ERROR_REASON_STEP_DEPENDENCY_UNKNOWN,
                    f"step {quoted(name)} depends on {quoted(wanted)}, which is not a step of this"
                    " workflow; add that step or remove the dependency",
                    field=f"spec.steps[{position}].depends_on[{index}]",
                    metadata={"step": name, "dependency": wanted},
                )
            elif wanted == name:
                yield Violation(
                    ErrorReason.ERROR_REASON_STEP_DEPENDENCY_SELF,
                    f"step {quoted(name)} depends on itself; remove that dependency",
                    field=f"spec.steps[{position}].depends_on[{index}]",
                    metadata={"step": name},
                )


def _cycles(
    names: Sequence[str],
    dependencies: Sequence[Sequence[str]],
    needs: Sequence[Sequence[int]],
) -> Iterator[Violation]:
    """One cycle of each group of steps that all depend on each other."""
    for cycle in find_cycles(needs):
        text = cycle_text([names[step] for step in cycle])
        index = dependencies[cycle[0]].index(names[cycle[1]])
        yield Violation(
            ErrorReason.ERROR_REASON_STEP_DEPENDENCY_CYCLE,
            f"the steps {text} depend on each other in a circle, so that none of them can start;"
            " remove one of these dependencies",
            field=f"spec.steps[{cycle[0]}].depends_on[{index}]",
            metadata={"cycle": text},
        )
