"""The Merkle tree of RFC 9162, section 2.1: hashes, roots and proofs over stored hashes.

A tree of n leaves is made of complete subtrees, each with a power of two of leaves. Once
complete, a subtree never changes, so its hash can be stored for good; every root and every
proof is made of a logarithmic number of them. Nothing here knows where they are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self

Nodes = Callable[[int, int], bytes]
"""(level, index) → the hash of the complete subtree over the leaves from index · 2^level to
before (index + 1) · 2^level. Level 0 has the hashes of the leaves themselves."""

EMPTY_ROOT: Final = hashlib.sha256().digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the tree with these two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def node_count(size: int) -> int:
    """How many complete subtrees a tree of this size has, its leaves included."""
    return 2 * size - size.bit_count()


def position(level: int, index: int) -> int:
    """A complete subtree's place, from 0, in the order in which they become complete.

    Leaves stand in their order, each followed by the subtrees that it completes, smallest
    first. So a log that grows only ever appends hashes.
    """
    last_leaf = ((index + 1) << level) - 1
    return node_count(last_leaf) + level


def size_with(nodes: int) -> int:
    """The size of the tree that has so many complete subtrees. Raises ValueError for none."""
    size = nodes >> 1
    while node_count(size) < nodes:
        size += 1
    if node_count(size) != nodes:
        raise ValueError(f"no tree has {nodes} complete subtrees")
    return size


class Frontier:
    """The right edge of a growing tree: what is needed to append and to know the root."""

    __slots__ = ("_peaks", "size")

    def __init__(self, peaks: Sequence[bytes] = (), size: int = 0) -> None:
        """Take the size and the hashes of its complete subtrees of different sizes, the
        largest first; none and 0 for an empty tree.
        """
        self._peaks = list(peaks)
        self.size = size
        """How many leaves there are."""

    @classmethod
    def at(cls, nodes: Nodes, size: int) -> Self:
        """The right edge that a stored tree had at a size."""
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        # What stands before a level's subtree are the larger ones.
        return cls([nodes(level, (size >> level) - 1) for level in levels], size)

    def append(self, node: bytes, level: int = 0) -> list[bytes]:
        """Add a leaf's hash, or that of a complete subtree where one of its level may begin.
        Returns it and those of the subtrees that it completes, in the order of their positions.
        """
        completed = [node]
        peaks, rest = self._peaks, self.size >> level
        while rest & 1:
            node = node_hash(peaks.pop(), node)
            completed.append(node)
            rest >>= 1
        peaks.append(node)
        self.size += 1 << level
        return completed

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self._peaks:
            return EMPTY_ROOT
        *left, root = self._peaks
        for peak in reversed(left):
            root = node_hash(peak, root)
        return root


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of section 2.1.3.1: the hashes from a leaf to the root."""
    return list(_path(nodes, index, 0, size))


def consistency_proof(nodes: Nodes, first: int, second: int) -> list[bytes]:
    """PROOF(first, D[second]) of section 2.1.4.1, for 0 < first <= second."""
    return list(_subproof(nodes, first, 0, second, known=True))


def _path(nodes: Nodes, index: int, start: int, end: int) -> Iterator[bytes]:
    if end - start == 1:
        return
    middle = start + _left_leaves(end - start)
    if index < middle:
        yield from _path(nodes, index, start, middle)
        yield _subtree(nodes, middle, end)
    else:
        yield from _path(nodes, index, middle, end)
        yield _subtree(nodes, start, middle)


def _subproof(nodes: Nodes, first: int, start: int, end: int, *, known: bool) -> Iterator[bytes]:
    """`first` is where the earlier tree ends; `known` says whether this subtree's hash is one
    that a verifier has already, being the whole earlier tree.
    """
    if first == end:
        if not known:
            yield _subtree(nodes, start, end)
        return
    middle = start + _left_leaves(end - start)
    if first <= middle:
        yield from _subproof(nodes, first, start, middle, known=known)
        yield _subtree(nodes, middle, end)
    else:
        yield from _subproof(nodes, first, middle, end, known=False)
        yield _subtree(nodes, start, middle)


def _subtree(nodes: Nodes, start: int, end: int) -> bytes:
    """The root over some leaves, where `start` is where a subtree of that many may begin."""
    leaves = end - start
    level = (leaves - 1).bit_length()
    if leaves == 1 << level:
        return nodes(level, start >> level)
    middle = start + _left_leaves(leaves)
    return node_hash(nodes(level - 1, start >> (level - 1)), _subtree(nodes, middle, end))


def _left_leaves(leaves: int) -> int:
    """The largest power of two below a number of at least 2: how the RFC splits a tree."""
    return 1 << ((leaves - 1).bit_length() - 1)
