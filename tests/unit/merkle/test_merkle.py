"""The tree's mathematics against the RFC's own recursive definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symphony_server.store import merkle
from tests.unit.merkle import naive

KNOWN_LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The roots over the first 0 to 8 leaves, as Certificate Transparency's implementations test
them (google/certificate-transparency, merkle_tree_test.cc)."""

SIZES = st.integers(min_value=1, max_value=400)


class Grown:
    """A tree grown leaf by leaf, with its hashes in the order in which they were completed."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.frontier = merkle.Frontier()
        self.stored: list[bytes] = []
        for leaf in leaves:
            self.stored += self.frontier.append(merkle.leaf_hash(leaf))

    def node(self, level: int, index: int) -> bytes:
        return self.stored[merkle.position(level, index)]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_that_other_implementations_find(size: int) -> None:
    leaves = KNOWN_LEAVES[:size]
    assert Grown(leaves).frontier.root().hex() == KNOWN_ROOTS[size]
    assert naive.root(leaves).hex() == KNOWN_ROOTS[size]


@given(SIZES)
def test_a_grown_tree_has_the_root_of_the_definition(size: int) -> None:
    leaves = naive.leaves_of(size)
    assert Grown(leaves).frontier.root() == naive.root(leaves)


@given(SIZES, st.data())
def test_the_right_edge_of_any_earlier_size_is_found_again(size: int, data: st.DataObject) -> None:
    leaves = naive.leaves_of(size)
    earlier = data.draw(st.integers(0, size))
    tree = Grown(leaves)
    frontier = merkle.Frontier.at(tree.node, earlier)
    assert frontier.root() == naive.root(leaves[:earlier])
    for leaf in leaves[earlier:]:
        frontier.append(merkle.leaf_hash(leaf))
    assert (frontier.size, frontier.root()) == (size, tree.frontier.root())


@given(SIZES, st.data())
def test_an_inclusion_proof_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    leaves = naive.leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    found = merkle.inclusion_proof(Grown(leaves).node, index, size)
    assert found == naive.path(index, leaves)


@given(SIZES, st.data())
def test_a_consistency_proof_is_that_of_the_definition(size: int, data: st.DataObject) -> None:
    leaves = naive.leaves_of(size)
    first = data.draw(st.integers(1, size))
    found = merkle.consistency_proof(Grown(leaves).node, first, size)
    assert found == naive.proof(first, leaves)


def test_every_proof_of_every_small_tree_is_that_of_the_definition() -> None:
    leaves = naive.leaves_of(70)
    tree = Grown(leaves)
    for size in range(1, 71):
        for n in range(size):
            assert merkle.inclusion_proof(tree.node, n, size) == naive.path(n, leaves[:size])
            proof = merkle.consistency_proof(tree.node, n + 1, size)
            assert proof == naive.proof(n + 1, leaves[:size])


def test_positions_are_gapless_and_in_the_order_of_completion() -> None:
    leaves = naive.leaves_of(300)
    tree = Grown(leaves)
    places = {
        merkle.position(level, index): naive.root(leaves[index << level : (index + 1) << level])
        for level in range(9)
        for index in range(300 >> level)
    }
    assert [places[n] for n in range(len(places))] == tree.stored


@given(st.integers(0, 1 << 62))
def test_a_size_follows_from_the_number_of_complete_subtrees(size: int) -> None:
    assert merkle.size_with(merkle.node_count(size)) == size


def test_a_number_of_subtrees_that_no_tree_has_is_refused() -> None:
    with pytest.raises(ValueError, match="no tree has 2"):
        merkle.size_with(2)


def test_proofs_of_a_huge_tree_need_few_hashes() -> None:
    asked = 0

    def node(level: int, index: int) -> bytes:
        nonlocal asked
        asked += 1
        return b"%d/%d" % (level, index)

    size = 10_000_019
    assert len(merkle.inclusion_proof(node, 7_654_321, size)) <= 24
    assert len(merkle.consistency_proof(node, 7_654_321, size)) <= 25
    assert asked < 100
