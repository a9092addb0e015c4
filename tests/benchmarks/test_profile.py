"""A sample counts for the innermost part of the server that it is in."""

from __future__ import annotations

import pytest

from tests.benchmarks.processes import ROOT
from tests.benchmarks.profile import part_of, shares, without_places

_LOOP = "run_forever (asyncio/base_events.py:607)"
_ENTRY = "enter (server/symphony_server/rpc/server.py:160)"


@pytest.mark.parametrize(
    ("inner", "part"),
    [
        ("authenticate (server/symphony_server/access/authentication.py:80)", "who calls"),
        ("decide (server/symphony_server/access/decisions.py:50)", "permissions and rules"),
        (
            "check_graph (server/symphony_server/rules/workflow_graph.py:31)",
            "permissions and rules",
        ),
        (
            "parse (server/symphony_server/rpc/structure.py:57)",
            "structure: parsing and the contract's rules",
        ),
        (
            "append (server/symphony_server/store/audit_log.py:110)",
            "audit record and change, their tree",
        ),
        (
            "workflow_message (server/symphony_server/store/workflows.py:30)",
            "other statements and rows",
        ),
        ("commit (symphony_server/store/transaction.py:80)", "commit: write-ahead log and fsync"),
        (
            "create_workflow (server/symphony_server/use_cases/workflows/create_workflow.py:30)",
            "the use case itself",
        ),
        ("observed (server/symphony_server/rpc/stages/observe.py:22)", "the other stages"),
    ],
)
def test_a_sample_counts_for_its_innermost_part(inner: str, part: str) -> None:
    library = "SerializeToString (google/protobuf/message.py:1)"
    assert part_of([_LOOP, _ENTRY, inner, library]) == part


def test_what_is_in_no_part_of_the_server_is_grpcs() -> None:
    found = shares([f"{_LOOP} 3", f"{_LOOP};{_ENTRY} 1"])
    assert found["gRPC and the event loop"] == 0.75
    assert found["the other stages"] == 0.25
    assert sum(found.values()) == 1


def test_a_picture_does_not_tell_where_the_project_is() -> None:
    assert without_places(f"a ({ROOT}/server/a.py:1)") == "a (server/a.py:1)"
