"""The violations of ids and names that are in use."""

from __future__ import annotations

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Violation
from symphony_server.rules.names import quoted


def id_taken(field: str) -> Violation:
    """The violation of an id chosen by the client that is in use."""
    return Violation(
        ErrorReason.ERROR_REASON_ID_TAKEN,
        "is in use; choose another id, or leave it out to have one made",
        field=field,
    )


def name_taken(name: str, *, field: str) -> Violation:
    """The violation of a name that is in use in its place."""
    return Violation(
        ErrorReason.ERROR_REASON_DUPLICATE_NAME,
        f"is taken: the project has a workflow named {quoted(name)} already "
        "(compared without regard to case); choose another name",
        field=field,
    )
