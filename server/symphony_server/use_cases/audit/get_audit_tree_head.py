"""Gets the head of the audit log's tree."""

from __future__ import annotations

from symphony.v1.audit_pb2 import AuditTreeHead
from symphony.v1.audit_service_pb2 import GetAuditTreeHeadRequest
from symphony_server.clock import now_us
from symphony_server.store.transaction import Snapshot
from symphony_server.use_cases.audit.permission import decide_audit_read
from symphony_server.use_cases.audit.signing import HeadSigner
from symphony_server.use_cases.call import Call


def get_audit_tree_head(
    snapshot: Snapshot, call: Call, request: GetAuditTreeHeadRequest
) -> AuditTreeHead:
    """The signed head of the tree as it is now."""
    decide_audit_read(call)
    return tree_head(snapshot, call.deployment.head_signer)


def tree_head(snapshot: Snapshot, signer: HeadSigner) -> AuditTreeHead:
    """The signed head of a snapshot's tree."""
    tree = snapshot.audit.tree
    size = tree.size()
    return signer.sign(size, tree.root(size), now_us())
