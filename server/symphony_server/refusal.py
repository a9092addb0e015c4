"""Refusals: what every layer raises when a request cannot be done, with typed fields.

The sentence a person reads and the status a program reads are made from these in
`rpc/errors.py` and nowhere else. Reasons and their codes come from the contract's
`ErrorReason`; nothing here repeats them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from symphony.v1 import error_reason_pb2, policy_pb2
from symphony.v1.error_reason_pb2 import ErrorReason

_PREFIX: Final = "ERROR_REASON_"

REASON_NAMES: Final[Mapping[int, str]] = {
    value.number: value.name.removeprefix(_PREFIX)
    for value in error_reason_pb2.DESCRIPTOR.enum_types_by_name["ErrorReason"].values
}
"""ErrorReason → the name sent on the wire, without the enum's prefix."""

REASON_CODES: Final[Mapping[int, int]] = {
    value.number: value.GetOptions().Extensions[policy_pb2.code]
    for value in error_reason_pb2.DESCRIPTOR.enum_types_by_name["ErrorReason"].values
}
"""ErrorReason → `google.rpc.Code`, as the contract's `code` option says."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a request."""

    reason: ErrorReason.ValueType
    description: str
    """What to change, in plain words; a full clause without a closing stop."""
    field: str = ""
    """The field's path in the request, for example `spec.steps[3].name`."""
    rule: str = ""
    """The contract's rule that was broken (protovalidate's rule id), if it was one."""
    subject: str = ""
    """What it is about besides a field: a resource id, or whose quota."""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """What a program needs: the keys are those of the reason's comment in the contract."""

    @property
    def reason_name(self) -> str:
        """The reason as it is sent: `FIELD_INVALID`."""
        return REASON_NAMES[self.reason]

    @property
    def code(self) -> int:
        """The `google.rpc.Code` of the reason."""
        return REASON_CODES[self.reason]

    def under(self, prefix: str) -> Violation:
        """The same violation with its field named from one level further out."""
        return dataclasses.replace(self, field=f"{prefix}.{self.field}" if self.field else prefix)


class Refused(Exception):
    """A request that was refused, with everything that is wrong with it.

    The first violation gives the status code and the reason.
    """

    def __init__(
        self, violations: Sequence[Violation], *, retry_after_seconds: float | None = None
    ) -> None:
        """Take at least one violation, and after how long a retry makes sense, if it does."""
        if not violations:
            raise ValueError("a refusal needs at least one violation")
        super().__init__(violations[0].reason_name)
        self.violations = tuple(violations)
        self.retry_after_seconds = retry_after_seconds

    @property
    def first(self) -> Violation:
        """The violation that gives the status its code and reason."""
        return self.violations[0]


def not_found(kind: str, resource_id: str, *, field: str = "id") -> Violation:
    """The one answer for a resource that is absent and for one that must not be known of.

    `kind` is the resource's name in lower case, for example `workflow`.
    """
    return Violation(
        ErrorReason.ERROR_REASON_RESOURCE_NOT_FOUND,
        f"there is no {kind} {resource_id} that you may read",
        field=field,
        subject=resource_id,
        metadata={"resource_type": kind},
    )
