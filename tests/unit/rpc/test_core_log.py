from __future__ import annotations

import logging

import pytest

from symphony_server.rpc.core_log import keep_core_out_of_logs


@pytest.mark.parametrize(
    "said",
    [
        # A token with a byte that was altered on the way.
        "Invalid encoding on b'Bearer sym_\\xff'",
        # Who hangs up amid an answer is no error of the server's.
        "ExecuteBatchError raised in core by servicer method [/symphony.v1.S/M]",
    ],
)
def test_what_is_not_for_our_log_is_kept_out_and_faults_are_not(
    said: str, caplog: pytest.LogCaptureFixture
) -> None:
    keep_core_out_of_logs()
    grpcs = logging.getLogger("grpc._cython.cygrpc")
    # As grpc.aio says it, and then something that it says of a fault.
    grpcs.error(said)
    grpcs.error("Unexpected [KeyError] raised by servicer method [/symphony.v1.S/M]")
    assert [record.msg.partition(" ")[0] for record in caplog.records] == ["Unexpected"]
