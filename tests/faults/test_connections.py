"""Broken connections: the everyday size of `python -m tests.faults.connections`."""

from __future__ import annotations

from pathlib import Path

import pytest

from symphony_server.rpc.server import OPTIONS
from tests.faults.broken_calls import KINDS
from tests.faults.connections import judge, run
from tests.faults.faulty_proxy import Way


@pytest.mark.timeout(180)
def test_a_call_whose_connection_breaks_anywhere_ends_and_has_one_effect(tmp_path: Path) -> None:
    outcome = run(61, tmp_path)
    assert judge(outcome) == []
    assert set(outcome.tried) == {(kind.name, way) for kind in KINDS for way in Way}
    assert outcome.others


def test_the_server_gives_up_silent_clients_when_its_probes_are_not_answered() -> None:
    # gRPC waits a minute for the answer of a probe whatever the second says, unless told the third.
    assert OPTIONS["grpc.http2.ping_timeout_ms"] == OPTIONS["grpc.keepalive_timeout_ms"]
