"""An overload: the everyday size of `python -m tests.faults.overload`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.http2_load import OK, RESET
from tests.faults.overload import CANCELLED, UNAVAILABLE, loaded_server


@pytest.mark.timeout(180)
def test_ten_times_the_calls_do_not_keep_a_server_from_answering(tmp_path: Path) -> None:
    with loaded_server(tmp_path, engine="sqlite", wall=False) as overload:
        outcome = overload.run("GetWorkflow", 1.5)
    assert outcome.collapsed == []
    burst = outcome.overloads[0]
    assert burst.report.answered
    assert burst.report.ended.keys() <= {OK, CANCELLED, UNAVAILABLE, RESET}
    assert burst.report.ended[CANCELLED] > burst.report.ended[OK]
