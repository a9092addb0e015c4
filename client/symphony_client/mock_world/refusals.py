"""What is wrong with a request, and the error that a client of the server would get for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import grpc

from symphony.v1 import error_reason_pb2, policy_pb2
from symphony_client.errors import ERROR_CLASSES_BY_REASON, DataError, StatusDetails, Violation

_TO_CHANGE_FIRST: Final = (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One thing that is wrong with a request."""

    reason: str
    """The `ErrorReason` without its prefix."""
    description: str
    """What to change, in plain words."""
    field: str = ""
    """The field's path in the request."""
    rule: str = ""
    """The contract's rule that was broken, if it was one."""
    subject: str = ""
    """What it is about besides a field."""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The keys that the contract names with the reason."""

    def under(self, prefix: str) -> Wrong:
        """The same with its field named from one level further out."""
        return dataclasses.replace(self, field=f"{prefix}.{self.field}" if self.field else prefix)


class Refused(Exception):
    """A request that cannot be done, with all that was found wrong; the first is the reason."""

    def __init__(self, *wrongs: Wrong) -> None:
        """Take at least one."""
        super().__init__(wrongs[0].reason)
        self.wrongs = wrongs

    def error(self) -> DataError:
        """The error as `raising_data_errors` makes it of the server's status."""
        first = self.wrongs[0]
        code = _status_code(first.reason)
        missing = code is grpc.StatusCode.NOT_FOUND
        status = StatusDetails(
            status_code=code,
            reason=first.reason,
            metadata=first.metadata,
            violations=tuple(_violations(self.wrongs)),
            resource_type=first.metadata.get("resource_type", "") if missing else "",
            resource_name=(first.subject or first.field) if missing else "",
        )
        return ERROR_CLASSES_BY_REASON[first.reason](self._sentence(), status)

    def _sentence(self) -> str:
        said = "; ".join(f"{w.field}: {w.description}".removeprefix(": ") for w in self.wrongs)
        return f"{len(self.wrongs)} things are wrong: {said}" if len(self.wrongs) > 1 else said


def refuse(*wrongs: Wrong | None) -> None:
    """Raise Refused with what is wrong, if anything is."""
    found = [wrong for wrong in wrongs if wrong is not None]
    if found:
        raise Refused(*found)


def _status_code(reason: str) -> grpc.StatusCode:
    reasons = error_reason_pb2.DESCRIPTOR.enum_types_by_name["ErrorReason"].values_by_name
    number = reasons[f"ERROR_REASON_{reason}"].GetOptions().Extensions[policy_pb2.code]
    return next(code for code in grpc.StatusCode if code.value[0] == number)


def _violations(wrongs: tuple[Wrong, ...]) -> Iterator[Violation]:
    """As in the server's details: those of fields first, then what must change beforehand."""
    codes = [_status_code(wrong.reason) for wrong in wrongs]
    for wrong, code in zip(wrongs, codes, strict=True):
        if code is not grpc.StatusCode.NOT_FOUND and (wrong.field or wrong.rule):
            yield Violation(
                field=wrong.field, rule=wrong.rule or wrong.reason, description=wrong.description
            )
    for wrong, code in zip(wrongs, codes, strict=True):
        if code in _TO_CHANGE_FIRST:
            subject = wrong.subject or wrong.field
            yield Violation(rule=wrong.reason, subject=subject, description=wrong.description)
