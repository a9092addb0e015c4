"""Keeps metadata out of the log.

grpcio logs the whole value of metadata that is not UTF-8, at ERROR and with a traceback: a token
with one byte altered on the way would stand there, and anybody could fill the disk.
"""

from __future__ import annotations

import logging
from typing import Final

_LOGGER: Final = "grpc._cython.cygrpc"
_SAYS: Final = "Invalid encoding on "
"""What `grpc_string.pyx.pxi` begins with; the call itself goes on, and is logged as every other."""


def keep_out_of_logs() -> None:
    """Have it said no more in this process; once is enough, and again does no harm."""
    logging.getLogger(_LOGGER).addFilter(_says_no_metadata)


def _says_no_metadata(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_SAYS)
