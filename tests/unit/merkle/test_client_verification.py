"""What the server proves, the client verifies with the published key; and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony.v1.audit_pb2 import AuditRecord, AuditTreeHead, ConsistencyProof, InclusionProof
from symphony_client.audit import (
    NotProven,
    verify_consistency,
    verify_inclusion,
    verify_tree_head,
)
from symphony_server.use_cases.audit.signing import HeadSigner, is_signed
from tests.unit.merkle import naive

SIGNER = HeadSigner(bytes(range(32)))
RECORDS = [AuditRecord(id=f"audit_{n}", sequence=n + 1, method="m") for n in range(130)]
LEAVES = [record.SerializeToString(deterministic=True) for record in RECORDS]


def head(size: int) -> AuditTreeHead:
    return SIGNER.sign(size, naive.root(LEAVES[:size]), 1_700_000_000_123_456 + size)


def inclusion(index: int, size: int) -> InclusionProof:
    hashes = naive.path(index, LEAVES[:size])
    return InclusionProof(leaf_index=index, tree_size=size, hashes=hashes, leaf=LEAVES[index])


def consistency(first: int, second: int) -> ConsistencyProof:
    hashes = naive.proof(first, LEAVES[:second])
    return ConsistencyProof(first_size=first, second_size=second, hashes=hashes)


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def test_every_record_of_every_tree_is_proven() -> None:
    for size in (*range(1, 35), 63, 64, 65, 127, 128, 130):
        for index in range(size):
            verify_inclusion(head(size), inclusion(index, size), RECORDS[index])


def test_every_pair_of_trees_is_proven() -> None:
    for second in (*range(1, 35), 63, 64, 65, 127, 128, 130):
        for first in range(1, second + 1):
            verify_consistency(head(first), head(second), consistency(first, second))


def test_an_empty_log_is_the_beginning_of_any() -> None:
    nothing = ConsistencyProof(first_size=0, second_size=5)
    verify_consistency(head(0), head(5), nothing)
    with pytest.raises(NotProven):
        verify_consistency(SIGNER.sign(0, bytes(32), 1), head(5), nothing)


def test_a_signed_head_is_proven() -> None:
    verify_tree_head(head(7), SIGNER.public_key)
    assert is_signed(head(7))


@pytest.mark.parametrize(
    "change",
    [
        {"tree_size": 8},
        {"tree_size": -1},
        {"root_hash": bytes(32)},
        {"signature": b""},
        {"signature": bytes(64)},
    ],
)
def test_a_changed_head_is_not(change: dict[str, Any]) -> None:
    changed = head(7)
    changed.MergeFrom(AuditTreeHead(**change))
    if change == {"signature": b""}:
        changed.ClearField("signature")
    with pytest.raises(NotProven, match="published key"):
        verify_tree_head(changed, SIGNER.public_key)
    assert not is_signed(changed)


def test_a_head_at_another_time_or_of_another_key_is_not_proven() -> None:
    later = head(7)
    later.time.seconds += 1
    other = HeadSigner(bytes(32)).sign(7, naive.root(LEAVES[:7]), 1)
    for wrong in (later, other):
        with pytest.raises(NotProven):
            verify_tree_head(wrong, SIGNER.public_key)
    with pytest.raises(NotProven):
        verify_tree_head(head(7), b"no key")


INCLUSION_CHANGES: dict[str, Callable[[InclusionProof], object]] = {
    "another index": lambda p: setattr(p, "leaf_index", p.leaf_index ^ 1),
    "an index beyond": lambda p: setattr(p, "leaf_index", p.tree_size),
    "a negative index": lambda p: setattr(p, "leaf_index", -1),
    "another size": lambda p: setattr(p, "tree_size", p.tree_size + 1),
    "another leaf": lambda p: setattr(p, "leaf", LEAVES[3]),
    "no record": lambda p: setattr(p, "leaf", b"\xff"),
    "a hash less": lambda p: p.hashes.pop(),
    "a hash more": lambda p: p.hashes.append(bytes(32)),
    "another hash": lambda p: p.hashes.append(flipped(p.hashes.pop())),
}


@pytest.mark.parametrize("change", INCLUSION_CHANGES)
@pytest.mark.parametrize(("index", "size"), [(0, 2), (4, 5), (10, 33), (64, 100)])
def test_a_changed_inclusion_proof_is_refused(change: str, index: int, size: int) -> None:
    proof = inclusion(index, size)
    INCLUSION_CHANGES[change](proof)
    with pytest.raises(NotProven):
        verify_inclusion(head(size), proof, RECORDS[index])


def test_a_changed_record_is_not_proven() -> None:
    altered = AuditRecord()
    altered.CopyFrom(RECORDS[4])
    altered.reason = "ROLE_REQUIRED"
    with pytest.raises(NotProven, match="another record"):
        verify_inclusion(head(9), inclusion(4, 9), altered)
    proof = inclusion(4, 9)
    proof.leaf = altered.SerializeToString(deterministic=True)
    with pytest.raises(NotProven, match="not in the log"):
        verify_inclusion(head(9), proof, altered)


def test_a_record_in_another_ones_place_is_not_proven() -> None:
    swapped = [LEAVES[1], LEAVES[0]]
    proof = InclusionProof(
        leaf_index=0, tree_size=2, hashes=naive.path(0, swapped), leaf=swapped[0]
    )
    signed = SIGNER.sign(2, naive.root(swapped), 1)
    with pytest.raises(NotProven, match="record 2 stands in the place of record 1"):
        verify_inclusion(signed, proof, RECORDS[1])


@given(st.integers(2, 130), st.data())
def test_a_log_that_was_written_anew_is_not_consistent(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, size - 1))
    altered = data.draw(st.integers(0, first - 1))
    leaves = list(LEAVES[:size])
    leaves[altered] = b"something else"
    anew = SIGNER.sign(size, naive.root(leaves), 1)
    proof = ConsistencyProof(first_size=first, second_size=size, hashes=naive.proof(first, leaves))
    with pytest.raises(NotProven, match=f"the first {first} records"):
        verify_consistency(head(first), anew, proof)


@pytest.mark.parametrize(("first", "second"), [(1, 2), (4, 7), (6, 8), (33, 100), (64, 130)])
def test_a_changed_consistency_proof_is_refused(first: int, second: int) -> None:
    def refused(proof: ConsistencyProof) -> None:
        with pytest.raises(NotProven):
            verify_consistency(head(first), head(second), proof)

    whole = consistency(first, second)
    for n in range(len(whole.hashes)):
        changed = consistency(first, second)
        changed.hashes[n] = flipped(changed.hashes[n])
        refused(changed)
        shorter = consistency(first, second)
        del shorter.hashes[n]
        refused(shorter)
        longer = consistency(first, second)
        longer.hashes.insert(n, bytes(32))
        refused(longer)
    whole.hashes.append(bytes(32))
    refused(whole)
    refused(ConsistencyProof(first_size=first, second_size=second))
    refused(ConsistencyProof(first_size=second, second_size=first))


def test_a_later_head_of_a_shorter_log_is_refused() -> None:
    with pytest.raises(NotProven, match="shorter"):
        verify_consistency(head(9), head(5), ConsistencyProof(first_size=9, second_size=5))
