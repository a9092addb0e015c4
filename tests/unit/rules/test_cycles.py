from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from symphony_server.rules.cycles import (
    MAX_CYCLE_BYTES,
    cycle_text,
    depth_first_order,
    find_cycles,
)


@st.composite
def any_edges(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(1, 10))
    targets = st.lists(st.integers(0, size - 1), max_size=4)
    return [[target for target in draw(targets) if target != node] for node in range(size)]


def reachable(edges: list[list[int]], start: int) -> set[int]:
    """The nodes that at least one edge away from `start` lead to."""
    found: set[int] = set()
    to_visit = [start]
    while to_visit:
        for target in edges[to_visit.pop()]:
            if target not in found:
                found.add(target)
                to_visit.append(target)
    return found


@given(any_edges())
@settings(deadline=None)
def test_every_group_of_nodes_that_lead_to_each_other_gives_one_cycle(
    edges: list[list[int]],
) -> None:
    reach = [reachable(edges, node) for node in range(len(edges))]
    groups = {
        frozenset(other for other in reach[node] if node in reach[other])
        for node in range(len(edges))
        if node in reach[node]
    }
    cycles = find_cycles(edges)
    assert len(cycles) == len(groups)
    for cycle in cycles:
        (group,) = (group for group in groups if cycle[0] in group)
        assert cycle[0] == min(group)
        assert len(set(cycle)) == len(cycle)
        assert all(target in edges[node] for node, target in pairwise([*cycle, cycle[0]]))


@given(any_edges())
@settings(deadline=None)
def test_without_a_cycle_a_node_comes_after_all_it_leads_to(edges: list[list[int]]) -> None:
    order = depth_first_order(edges)
    assert sorted(order) == list(range(len(edges)))
    place = {node: index for index, node in enumerate(order)}
    in_order = all(
        place[target] < place[node] for node, targets in enumerate(edges) for target in targets
    )
    assert in_order == (not find_cycles(edges))


def test_the_shortest_cycle_through_the_lowest_node_is_found() -> None:
    assert find_cycles([[1, 3], [2], [3], [0]]) == [[0, 3]]


def test_a_cycle_of_a_hundred_thousand_nodes_is_found() -> None:
    size = 100_000
    assert find_cycles([[(node + 1) % size] for node in range(size)]) == [list(range(size))]


def test_a_short_cycle_is_named_whole() -> None:
    assert cycle_text(["a", "b"]) == "a -> b -> a"
    assert cycle_text([f"s{n}" for n in range(50)]).count("->") == 50


def test_a_long_cycle_is_named_by_its_beginning_and_its_end() -> None:
    text = cycle_text([f"step-{n}" for n in range(1000)])
    beginning = " -> ".join(f"step-{n}" for n in range(10))
    assert text == f"{beginning} -> (989 more) -> step-999 -> step-0"


def test_long_names_of_a_cycle_are_cut() -> None:
    text = cycle_text(["a" * 128, "ü" * 128, "c" * 128, "d" * 128])
    names = text.split(" -> ")
    assert [name[0] for name in names] == ["a", "ü", "c", "d", "a"]
    assert all(name.endswith("…") for name in names)


def test_a_short_name_among_long_ones_is_not_cut() -> None:
    assert cycle_text(["a" * 600, "short"]).split(" -> ")[1] == "short"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=128), min_size=1))
@settings(deadline=None)
def test_the_name_of_a_cycle_never_exceeds_its_bytes(names: list[str]) -> None:
    assert len(cycle_text(names).encode()) <= MAX_CYCLE_BYTES
    assert len(cycle_text(names * 30).encode()) <= MAX_CYCLE_BYTES
