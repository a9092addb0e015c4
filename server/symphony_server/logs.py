"""The log: to standard error, for people on a terminal and as JSON elsewhere."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from symphony_server.settings import Settings

QUIET: Final = ("peewee",)
"""Libraries that tell, at DEBUG, what they send to the database: the servers' keys among it."""


def configure_logging(settings: Settings) -> None:
    """Write every line alike, whichever logger it comes from: ours, and those of libraries."""
    people = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    of_all: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_what_is_empty,
    ]
    if settings.worker is not None:
        of_all.append(_worker(settings.worker))
    if people:
        # Not as it is by default, with the variables of each frame: tokens are among them.
        last: list[Processor] = [
            structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        ]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*of_all, structlog.stdlib.ExtraAdder(("request_id",))],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=settings.log_level, handlers=[handler])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*of_all, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def without_what_is_empty(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The event without keys that say nothing, such as the decision of a call that has none."""
    return {key: value for key, value in event.items() if value != ""}


def _worker(number: int) -> Processor:
    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["worker"] = number
        return event

    return add
