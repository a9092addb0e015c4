"""Proves that a record is in the audit log."""

from __future__ import annotations

from symphony.v1.audit_pb2 import AuditRecord, InclusionProof
from symphony.v1.audit_service_pb2 import GetInclusionProofRequest
from symphony_server.refusal import Refused, not_found
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.audit.permission import decide_audit_read
from symphony_server.use_cases.audit.tree_sizes import existing_size
from symphony_server.use_cases.call import Call


def get_inclusion_proof(
    snapshot: Snapshot, call: Call, request: GetInclusionProofRequest
) -> InclusionProof:
    """The proof that a record is in the tree of a size, or in that of now."""
    call.resource_id = request.id
    decide_audit_read(call)
    tree = snapshot.audit.tree
    size = existing_size(tree, request.tree_size, field="tree_size")
    leaf = snapshot.audit.canonical(request.id)
    sequence = 0 if leaf is None else AuditRecord.FromString(leaf).sequence
    if leaf is None or sequence > size:
        raise Refused([not_found("audit record", request.id)])
    index = sequence - 1
    return InclusionProof(
        leaf_index=index, tree_size=size, hashes=tree.inclusion_proof(index, size), leaf=leaf
    )
