from __future__ import annotations

import logging

import pytest

from symphony_server.rpc.departed_clients import keep_departures_out_of_logs


def test_who_hangs_up_amid_an_answer_is_no_error_of_the_servers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keep_departures_out_of_logs()
    grpcs = logging.getLogger("grpc._cython.cygrpc")
    # As grpc.aio says it, and then something that it says of a fault.
    grpcs.error("ExecuteBatchError raised in core by servicer method [/symphony.v1.S/M]")
    grpcs.error("Unexpected [KeyError] raised by servicer method [/symphony.v1.S/M]")
    assert [record.msg.partition(" ")[0] for record in caplog.records] == ["Unexpected"]
