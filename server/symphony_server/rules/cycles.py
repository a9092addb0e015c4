"""Cycles in a graph given as lists of numbers: finding them, and naming one in a message."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

MAX_CYCLE_BYTES: Final = 512
"""What the name of a cycle may take in UTF-8: all of an error's details stay under 2 KiB."""

_ARROW: Final = " -> "
_ELLIPSIS: Final = "…"
_NAMES_BEFORE_GAP: Final = 10
_NAMES_AFTER_GAP: Final = 2


def depth_first_order(edges: Sequence[Sequence[int]]) -> list[int]:
    """The nodes in the order in which a depth-first search leaves them.

    `edges[i]` are the nodes that node i leads to. Every node comes after all of those, unless
    the graph has a cycle.
    """
    unseen = set(range(len(edges)))
    order = []
    for root in range(len(edges)):
        stack = [root]
        while stack:
            node = stack.pop()
            if node < 0:  # the mark under what it leads to, all of which is now in the order
                order.append(~node)
            elif node in unseen:
                unseen.remove(node)
                stack.append(~node)
                stack.extend(edges[node])
    return order


def find_cycles(edges: Sequence[Sequence[int]]) -> list[list[int]]:
    """One cycle of each group of two or more nodes that all lead to each other.

    It is the shortest through the group's lowest node; it starts there, and its last node leads
    back. The cost is in proportion to the nodes and the edges.
    """
    groups = [group for group in _strongly_connected(edges) if len(group) > 1]
    return [_shortest_cycle(edges, group) for group in sorted(groups, key=min)]


def cycle_text(names: Sequence[str]) -> str:
    """The cycle as `a -> b -> a`, in at most MAX_CYCLE_BYTES bytes.

    Where that is too long, names in the middle are left out and counted; where that is not
    enough, the ends of the remaining names are cut.
    """
    path = [*names, names[0]]
    if _fits(path):
        return _ARROW.join(path)
    left_out = len(path) - _NAMES_BEFORE_GAP - _NAMES_AFTER_GAP
    if left_out > 0:
        path[_NAMES_BEFORE_GAP:-_NAMES_AFTER_GAP] = [f"({left_out} more)"]
    if not _fits(path):
        room = MAX_CYCLE_BYTES // len(path) - len(_ARROW)
        path = [_cut(name, room) for name in path]
    return _ARROW.join(path)


def _strongly_connected(edges: Sequence[Sequence[int]]) -> list[list[int]]:
    """The largest groups of nodes that all lead to each other (Kosaraju's algorithm)."""
    led_from: list[list[int]] = [[] for _ in edges]
    for node, targets in enumerate(edges):
        for target in targets:
            led_from[target].append(node)
    left = set(range(len(edges)))
    groups = []
    for root in reversed(depth_first_order(edges)):
        if root not in left:
            continue
        left.remove(root)
        group = [root]
        for node in group:  # grows as it is walked
            fresh = left.intersection(led_from[node])
            left -= fresh
            group.extend(fresh)
        groups.append(group)
    return groups


def _shortest_cycle(edges: Sequence[Sequence[int]], group: Sequence[int]) -> list[int]:
    """The shortest cycle through the lowest of nodes that all lead to each other."""
    start = min(group)
    inside = set(group)
    reached_from: dict[int, int] = {}
    to_visit = deque([start])
    while start not in reached_from:
        node = to_visit.popleft()
        for target in edges[node]:
            if target in inside and target not in reached_from:
                reached_from[target] = node
                to_visit.append(target)
    backwards = [start]
    while (node := reached_from[backwards[-1]]) != start:
        backwards.append(node)
    return [start, *reversed(backwards[1:])]


def _fits(path: Sequence[str]) -> bool:
    return len(_ARROW.join(path).encode()) <= MAX_CYCLE_BYTES


def _cut(name: str, max_bytes: int) -> str:
    """The name in at most that many bytes, with its end left out where it has more."""
    encoded = name.encode()
    if len(encoded) <= max_bytes:
        return name
    kept = encoded[: max_bytes - len(_ELLIPSIS.encode())]
    return kept.decode(errors="ignore") + _ELLIPSIS
