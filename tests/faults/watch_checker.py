"""Holds what a watcher was told against the model's states, revision by revision.

The change of a revision shows as CREATED, UPDATED or DELETED by whether the watcher saw the
resource before and sees it after. Where a membership of the watcher's own gives or takes sight of
other resources, these come just before it, with the revision before, in any order. Of what came
into sight nothing needs to be told that changed again, or went out of sight again, before it could
be read: the later change tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from symphony.v1.project_pb2 import ProjectRole
from tests.faults.contract_model import State
from tests.faults.history import Person, Told, Watched


def faults_of_watch(watched: Watched, states: Sequence[State]) -> list[str]:
    """What a watcher was told that it should not have been, or was not told; the first of it."""
    left = list(reversed(watched.changes))
    for number in range(1, len(states)):
        before, after = states[number - 1], states[number]
        resource_id = _changed(before, after)
        turned = dict(_turned(watched.person, before, after, resource_id))
        while left and left[-1].resource_id in turned and left[-1].revision == before.revision:
            told = left.pop()
            expected = turned.pop(told.resource_id)
            if not _is(told, expected, before.revision):
                return [f"{watched.person.name} was told {told} instead of {expected}"]
        for lost_id, expected in turned.items():
            if expected[0] == "DELETED" or not _changes_later(
                watched.person, lost_id, expected[1], states[number:]
            ):
                return [f"{watched.person.name} was not told {expected} before {after.revision}"]
        direct = _direct(watched.person, before, after, resource_id)
        if direct is None:
            continue
        if not left or not _is(left[-1], direct, after.revision, resource_id):
            said = left[-1] if left else "nothing more"
            found = f"{watched.person.name} was told {said} instead of {direct} at {after.revision}"
            return [f"{found}\n{_story(watched, states, left[-1].resource_id)}" if left else found]
        left.pop()
    return [f"{watched.person.name} was told {left[-1]} besides"] if left else []


def _story(watched: Watched, states: Sequence[State], resource_id: str) -> str:
    """All that the watcher was told of a resource, and how the model has it: its versions and the
    watcher's role in its project, revision by revision.
    """
    told = [
        f"told at {each.revision}: {each.operation} by {each.request_id}"
        for each in watched.changes
        if each.resource_id == resource_id
    ]
    lived = [
        f"from {after.revision} on: {_said(after.resources.get(resource_id))}"
        for before, after in pairwise(states)
        if before.resources.get(resource_id) is not after.resources.get(resource_id)
    ]
    of = {r.project_id for s in states for r in [s.resources.get(resource_id)] if r is not None}
    roles = [
        f"from {after.revision} on: {_role(after.role(watched.person, project_id))}"
        for project_id in of
        for before, after in pairwise(states)
        if before.role(watched.person, project_id) != after.role(watched.person, project_id)
    ]
    return "\n".join(f"  {line}" for line in (*told, *lived, *roles))


def _role(number: int) -> str:
    return ProjectRole.DESCRIPTOR.values_by_number[number].name


def _said(resource: Any) -> str:
    return "gone" if resource is None else " ".join(str(resource).split())


Expected = tuple[str, Any]
"""The operation, and the resource after it."""


def _is(told: Told, expected: Expected, revision: int, resource_id: str | None = None) -> bool:
    return (
        (told.operation, told.resource) == expected
        and told.revision == revision
        and resource_id in (None, told.resource_id)
    )


def _changed(before: State, after: State) -> str:
    """The id of the one resource that differs."""
    for resource_id in before.resources.keys() | after.resources.keys():
        if before.resources.get(resource_id) is not after.resources.get(resource_id):
            return resource_id
    raise AssertionError("a revision without a change")


def _direct(person: Person, before: State, after: State, resource_id: str) -> Expected | None:
    """What a person is told of the resource that changed, if anything."""
    was, now = before.resources.get(resource_id), after.resources.get(resource_id)
    saw = was is not None and before.sees(person, was)
    sees = now is not None and after.sees(person, now)
    if sees:
        return ("UPDATED" if saw else "CREATED"), now
    return ("DELETED", None) if saw else None


def _turned(
    person: Person, before: State, after: State, changed_id: str
) -> Iterator[tuple[str, Expected]]:
    """What came into a person's sight, or went out of it, besides the resource that changed."""
    for resource_id, resource in after.resources.items():
        if resource_id == changed_id:
            continue
        saw, sees = before.sees(person, resource), after.sees(person, resource)
        if sees and not saw:
            yield resource_id, ("CREATED", resource)
        elif saw and not sees:
            yield resource_id, ("DELETED", None)


def _changes_later(
    person: Person, resource_id: str, resource: Any, states: Sequence[State]
) -> bool:
    """Whether a resource that came into sight changes, or goes out of sight, in a later state."""
    return any(
        state.resources.get(resource_id) is not resource or not state.sees(person, resource)
        for state in states
    )
