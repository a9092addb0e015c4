"""Which trees there are to prove something in."""

from __future__ import annotations

from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.audit_tree import AuditTree


def existing_size(tree: AuditTree, asked: int, *, field: str) -> int:
    """The size asked for, or that of now for 0. Raises Refused when the log is not that long."""
    size = tree.size()
    if asked > size:
        raise Refused(
            [
                Violation(
                    ErrorReason.ERROR_REASON_RESOURCE_NOT_FOUND,
                    f"the audit log has no tree of {asked} records, but of {size}",
                    field=field,
                    subject=str(asked),
                    metadata={"resource_type": "audit tree"},
                )
            ]
        )
    return asked or size
