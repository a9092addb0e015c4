"""Keeps callers who left out of the log.

Who hangs up in the moment in which the answer is sent makes grpc.aio log an ExecuteBatchError at
ERROR, with a traceback, as if the server were at fault. The call is measured as every other.
"""

from __future__ import annotations

import logging
from typing import Final

_LOGGER: Final = "grpc._cython.cygrpc"
_SAYS: Final = "ExecuteBatchError raised in core by servicer method"
"""What `_handle_exceptions` of `aio/server.pyx.pxi` begins with."""


def keep_departures_out_of_logs() -> None:
    """Have it said no more in this process; once is enough, and again does no harm."""
    logging.getLogger(_LOGGER).addFilter(_says_no_departure)


def _says_no_departure(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_SAYS)
