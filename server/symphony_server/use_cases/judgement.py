"""The judgement on one request: every rule that was asked, and everything that is wrong.

A request stops at the end of the first stage that found something wrong, with all that the
stage found. With `validate_only` it goes on through the later stages and stops at the end,
with everything; but whom the permission table refused is told no more of what is stored than a
refusal without `validate_only` would tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from symphony_server.access.decisions import Answer, Decision, held
from symphony_server.refusal import Refused, Violation

T = TypeVar("T")


class Judgement:
    """Collects answers and violations, stage by stage."""

    __slots__ = ("_all_stages", "_permitted", "answers", "violations")

    def __init__(self, *, all_stages: bool = False) -> None:
        """Start a judgement; `all_stages` is what `validate_only` asks for."""
        self._all_stages = all_stages
        self._permitted = True
        self.answers: list[Answer] = []
        self.violations: list[Violation] = []

    def decided(self, decision: Decision) -> None:
        """Take a decision of the permission table on something that is yet to be."""
        self._permitted = self._permitted and decision.allowed
        self.answers += decision.answers
        self.violations += decision.violations

    def existing(
        self, decision: Decision, resource: T | None, absent: Callable[[], Violation]
    ) -> T:
        """Take a decision on an existing resource and return the resource.

        Raises Refused with what `absent` returns when it is not there, and in the same words
        when the user may not know of it.
        """
        self.decided(decision)
        if resource is None or decision.hidden:
            raise Refused([absent()])
        return resource

    def ask(self, rule: str, violation: Violation | None, detail: str = "") -> None:
        """Take one rule's answer: None when it held."""
        if violation is None:
            self.answers.append(Answer(rule, passed=True, detail=detail) if detail else held(rule))
        else:
            self.answers.append(
                Answer(rule, passed=False, reason=violation.reason_name, detail=detail)
            )
            self.violations.append(violation)

    @property
    def permitted(self) -> bool:
        """False once the permission table said no: by role or resource, whatever the tier."""
        return self._permitted

    def ask_if_permitted(self, rule: str, violation: Violation | None, detail: str = "") -> None:
        """Take the answer of a rule about what not everybody may know: names, ids and addresses
        in use, what a project asks. It is not asked for those who may not do this.
        """
        if self._permitted:
            self.ask(rule, violation, detail)

    def ask_all(self, rule: str, violations: tuple[Violation, ...] | list[Violation]) -> None:
        """Take the answer of a rule that may find several things wrong."""
        if not violations:
            self.answers.append(held(rule))
        for violation in violations:
            self.ask(rule, violation, _where(violation))

    def stop(self, rule: str, violation: Violation) -> NoReturn:
        """Take a violation after which nothing further can be judged."""
        self.ask(rule, violation)
        raise Refused(self.violations)

    def end_stage(self) -> None:
        """Raise Refused with what the stage found, unless every stage is wanted."""
        if self.violations and not self._all_stages:
            raise Refused(self.violations)

    def conclude(self) -> None:
        """Raise Refused with everything found; past this, the request is allowed."""
        if self.violations:
            raise Refused(self.violations)


def _where(violation: Violation) -> str:
    """Which part of the request it is about, and which of several checks found it."""
    parts = (f"at {violation.field}" if violation.field else "", violation.rule)
    return ": ".join(part for part in parts if part)
