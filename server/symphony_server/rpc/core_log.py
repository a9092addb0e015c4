"""What grpcio says that is not for our log.

- The whole value of metadata that is not UTF-8, at ERROR and with a traceback: a token with one
  byte altered on the way would stand there, and anybody could fill the disk.
- An ExecuteBatchError, in the same way, when a caller hangs up in the moment in which the answer
  is sent, as if the server were at fault.

The calls themselves go on, and are logged and measured as every other.
"""

from __future__ import annotations

import logging
from typing import Final

_LOGGER: Final = "grpc._cython.cygrpc"
_NOT_FOR_OUR_LOG: Final = (
    "Invalid encoding on ",  # `grpc_string.pyx.pxi`
    "ExecuteBatchError raised in core by servicer method",  # `aio/server.pyx.pxi`
)
"""How it begins, and where grpcio has it."""


def keep_core_out_of_logs() -> None:
    """Have it said no more in this process; once is enough, and again does no harm."""
    logging.getLogger(_LOGGER).addFilter(_is_for_our_log)


def _is_for_our_log(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_NOT_FOR_OUR_LOG)
