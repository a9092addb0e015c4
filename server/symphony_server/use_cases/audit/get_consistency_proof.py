"""Proves that the audit log was only appended to."""

from __future__ import annotations

from symphony.v1.audit_pb2 import ConsistencyProof
from symphony.v1.audit_service_pb2 import GetConsistencyProofRequest
from symphony.v1.error_reason_pb2 import ErrorReason
from symphony_server.refusal import Refused, Violation
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.audit.permission import decide_audit_read
from symphony_server.use_cases.audit.tree_sizes import existing_size
from symphony_server.use_cases.call import Call


def get_consistency_proof(
    snapshot: Snapshot, call: Call, request: GetConsistencyProofRequest
) -> ConsistencyProof:
    """The proof that the tree of one size is the beginning of another, or of that of now."""
    decide_audit_read(call)
    tree = snapshot.audit.tree
    second = existing_size(tree, request.second_size, field="second_size")
    first = existing_size(tree, request.first_size, field="first_size")
    if first > second:
        raise Refused([_BACKWARDS])
    return ConsistencyProof(
        first_size=first, second_size=second, hashes=tree.consistency_proof(first, second)
    )


_BACKWARDS = Violation(
    ErrorReason.ERROR_REASON_FIELD_INVALID,
    "must not be larger than second_size: a log only grows",
    field="first_size",
    rule="consistency_proof.sizes",
)
