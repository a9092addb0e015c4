"""RFC 9162, section 2.1, written down as it stands there, recursive and slow."""

from __future__ import annotations

from hashlib import sha256


def leaves_of(size: int) -> list[bytes]:
    return [f"record {n}".encode() for n in range(size)]


def root(leaves: list[bytes]) -> bytes:
    """MTH(D_n), section 2.1.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D_n), section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), root(leaves[k:])]
    return [*path(m - k, leaves[k:]), root(leaves[:k])]


def proof(m: int, leaves: list[bytes]) -> list[bytes]:
    """PROOF(m, D_n), section 2.1.4.1."""
    return subproof(m, leaves, b=True)


def subproof(m: int, leaves: list[bytes], *, b: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if b else [root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], b=b), root(leaves[k:])]
    return [*subproof(m - k, leaves[k:], b=False), root(leaves[:k])]


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k
