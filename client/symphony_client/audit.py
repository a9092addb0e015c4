"""Verifies what the audit log proves of itself, with nothing but the server's published key.

    from symphony_client.audit import verify_consistency, verify_inclusion, verify_tree_head

    head = audit.GetAuditTreeHead(GetAuditTreeHeadRequest())
    verify_tree_head(head, public_key)
    proof = audit.GetInclusionProof(
        GetInclusionProofRequest(id=record.id, tree_size=head.tree_size)
    )
    verify_inclusion(head, proof, record)

Keep the key (`symphony audit head` prints it, and `AuditTreeHead.public_key` is it) and, now
and then, a head: a later head that is consistent with a kept one has every record that the
kept one had, unaltered and in its place. The tree is that of RFC 9162, section 2.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.message import DecodeError

from symphony.v1.audit_pb2 import AuditRecord, AuditTreeHead, ConsistencyProof, InclusionProof

_SIGNED: Final = b"symphony.v1.AuditTreeHead\x00"
_EMPTY_ROOT: Final = hashlib.sha256().digest()


class NotProven(Exception):
    """Something is not as a head or a proof says; `str()` of it tells what."""


def verify_tree_head(head: AuditTreeHead, public_key: bytes) -> None:
    """Verify that a head was signed with the key whose public half is `public_key`, 32 bytes.

    The head's own `public_key` is not trusted. Raises NotProven.
    """
    time_us = head.time.seconds * 1_000_000 + head.time.nanos // 1000
    try:
        said = _SIGNED + head.tree_size.to_bytes(8) + time_us.to_bytes(8) + head.root_hash
        Ed25519PublicKey.from_public_bytes(public_key).verify(head.signature, said)
    except (InvalidSignature, ValueError, OverflowError):
        raise NotProven("the tree head was not signed with the published key") from None


def verify_inclusion(head: AuditTreeHead, proof: InclusionProof, record: AuditRecord) -> None:
    """Verify that a record is in the log that a head stands for, whose signature is known to be
    good (`verify_tree_head`). Raises NotProven.
    """
    index, size = proof.leaf_index, proof.tree_size
    if size != head.tree_size:
        raise NotProven(f"the proof is for a tree of {size} records, the head of {head.tree_size}")
    if not 0 <= index < size:
        raise NotProven(f"there is no record {index + 1} in a tree of {size}")
    if _parsed(proof.leaf) != record:
        raise NotProven("the proof is for another record")
    if record.sequence != index + 1:
        raise NotProven(f"record {record.sequence} stands in the place of record {index + 1}")
    root = hashlib.sha256(b"\x00" + proof.leaf).digest()
    # Section 2.1.3.2: where the path is in the tree, and where the tree ends at that level.
    at, end = index, size - 1
    for sibling in proof.hashes:
        if end == 0:
            raise NotProven("the inclusion proof is too long")
        if at & 1 or at == end:
            root = _node(sibling, root)
            at, end = _past_right_edge(at, end)
        else:
            root = _node(root, sibling)
        at, end = at >> 1, end >> 1
    if end != 0 or root != head.root_hash:
        raise NotProven(f"record {record.sequence} is not in the log that the head stands for")


def verify_consistency(
    first_head: AuditTreeHead, second_head: AuditTreeHead, proof: ConsistencyProof
) -> None:
    """Verify that the log of a later head begins with all that is in that of an earlier one. The
    signatures of both are known to be good (`verify_tree_head`). Raises NotProven.
    """
    first, second = proof.first_size, proof.second_size
    if (first, second) != (first_head.tree_size, second_head.tree_size):
        raise NotProven("the proof is for trees of other sizes than the heads")
    if not 0 <= first <= second:
        raise NotProven("the log of the later head is shorter")
    consistent = (
        _same_or_empty(first_head, second_head, proof.hashes)
        if first in (0, second)
        else _consistent(first_head, second_head, proof.hashes)
    )
    if not consistent:
        raise NotProven(f"the first {first} records are not those that the earlier head covered")


def _parsed(leaf: bytes) -> AuditRecord | None:
    try:
        return AuditRecord.FromString(leaf)
    except DecodeError:
        return None


def _same_or_empty(first: AuditTreeHead, second: AuditTreeHead, hashes: Sequence[bytes]) -> bool:
    earlier = second.root_hash if first.tree_size else _EMPTY_ROOT
    return not hashes and first.root_hash == earlier


def _consistent(first: AuditTreeHead, second: AuditTreeHead, hashes: Sequence[bytes]) -> bool:
    """Section 2.1.4.2, for sizes of which the first is above 0 and below the second."""
    size = first.tree_size
    whole = size & (size - 1) == 0
    path = [first.root_hash, *hashes] if whole else list(hashes)
    if not path or (whole and not hashes):
        return False
    at, end = size - 1, second.tree_size - 1
    while at & 1:
        at, end = at >> 1, end >> 1
    earlier = later = path[0]
    for node in path[1:]:
        if end == 0:
            return False
        if at & 1 or at == end:
            earlier, later = _node(node, earlier), _node(node, later)
            at, end = _past_right_edge(at, end)
        else:
            later = _node(later, node)
        at, end = at >> 1, end >> 1
    return end == 0 and earlier == first.root_hash and later == second.root_hash


def _past_right_edge(at: int, end: int) -> tuple[int, int]:
    """Skip the levels where the last subtree has no sibling and is passed on as it is."""
    while at and not at & 1:
        at, end = at >> 1, end >> 1
    return at, end


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
