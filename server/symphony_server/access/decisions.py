"""Decisions: the permission table asked about one user and one resource."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from symphony_server.access.caller import Subject
from symphony_server.access.permissions import NO_FACTS, PERMISSIONS, Facts, Requirement
from symphony_server.refusal import REASON_NAMES, Violation


class Answer(NamedTuple):
    """One rule that was asked, and what it said."""

    rule: str
    passed: bool
    reason: str = ""
    """The ErrorReason without its prefix; empty when the rule held."""
    detail: str = ""
    """What the rule saw, when that says more than its name."""


class Decision(NamedTuple):
    """What the permission table says."""

    answers: tuple[Answer, ...]
    violations: tuple[Violation, ...]
    hidden: bool
    """True when the user may not know of the resource: it is answered as if it were absent."""

    @property
    def allowed(self) -> bool:
        """True when every requirement holds."""
        return not self.hidden and not self.violations


@cache
def held(rule: str) -> Answer:
    """The answer of a rule that held and has no more to say; most do, on every call."""
    return Answer(rule, passed=True)


def decide(permission: str, subject: Subject, facts: Facts | None) -> Decision:
    """Ask the table. `facts` is None for a resource that is not there, which nobody may do
    anything with. Raises KeyError for a permission that is not in the table.
    """
    entry = PERMISSIONS[permission]
    answers: list[Answer] = []
    if entry.visible is not None:
        if facts is None:
            answers.append(Answer("exists", passed=False, reason="RESOURCE_NOT_FOUND"))
            return Decision(tuple(answers), (), hidden=True)
        if not _ask(entry.visible, subject, facts, answers):
            return Decision(tuple(answers), (), hidden=True)
    known = facts or NO_FACTS
    violations = tuple(
        Violation(
            requirement.reason,
            requirement.remedy,
            metadata={"permission": permission, **requirement.metadata},
        )
        for requirement in entry.requirements
        if not _ask(requirement, subject, known, answers)
    )
    return Decision(tuple(answers), violations, hidden=False)


def _ask(requirement: Requirement, subject: Subject, facts: Facts, answers: list[Answer]) -> bool:
    for rule in requirement.any_of:
        if rule.holds(subject, facts):
            answers.append(held(rule.name))
            return True
    answers.append(Answer(requirement.name, passed=False, reason=REASON_NAMES[requirement.reason]))
    return False
