"""One user's Watch: whether it would be heard if something that is kept changed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Callable
from typing import Final

from symphony.v1.change_service_pb2 import WatchRequest, WatchResponse
from symphony_client.cache.keys import WATCHED_KINDS
from symphony_client.data_source import DataSource
from symphony_client.errors import (
    AuthorizationFailed,
    DataError,
    NotAuthenticated,
    OperationNotSupported,
)

_log = logging.getLogger(__name__)

SILENCE_SECONDS: Final = 7.0
"""After so long without a word a Watch is lost. `ChangeService.Watch` promises a checkpoint at
least every 5 s; the rest is for its way here."""
FIRST_PAUSE_SECONDS: Final = 0.1
LONGEST_PAUSE_SECONDS: Final = 5.0
"""As long as gRPC pauses at most before it connects again (`channel_options`)."""
REFUSED_PAUSE_SECONDS: Final = 60.0
"""Who may not watch is asked again rarely: the server records each refusal."""
_MOST_DOUBLINGS: Final = 16

_REFUSED: Final = (AuthorizationFailed, NotAuthenticated)


class Watching:
    """Watches from now on, and again from now whenever a Watch ends, until it is stopped.

    What changed between two Watches is not told: whoever keeps something starts afresh with each,
    and no revision need be resumed from (nor can it be REVISION_COMPACTED).
    """

    def __init__(
        self,
        source: DataSource,
        *,
        changed: Callable[[str], None],
        lost: Callable[[], None],
        timer: Callable[[], float],
    ) -> None:
        """Watch with a source's eyes. `changed` is called with the id of what changed, or went
        out of sight; `lost` when a Watch that was live is no more.
        """
        self.opened_at = timer()
        """When it was begun, by the timer."""
        self._source = source
        self._changed = changed
        self._lost = lost
        self._timer = timer
        self._is_live = False
        self._heard_at = timer()
        self.task = asyncio.create_task(self._follow())

    @property
    def live(self) -> bool:
        """Whether changes are heard now: since a first checkpoint, and without too long a
        silence. It is asked at each read, for a loop that was held up has not noticed a silence.
        """
        return self._is_live and not self._is_silent()

    def stop(self) -> None:
        """Hear no more; the task ends soon after."""
        self._lose()
        self.task.cancel()

    async def _follow(self) -> None:
        failures = 0
        while True:
            refused = False
            began_at = self._timer()
            try:
                await self._listen()
            except OperationNotSupported:
                # Without a feed nothing can be kept: the TTL alone would serve what was taken
                # from a user's sight.
                return
            except Exception as error:  # a Watch must not take the reads with it
                expected = isinstance(error, (DataError, TimeoutError))
                level = logging.INFO if expected else logging.WARNING
                _log.log(level, "a watch ended, nothing is kept until the next: %r", error)
                refused = isinstance(error, _REFUSED)
            finally:
                self._lose()
            lasted = self._timer() - began_at >= LONGEST_PAUSE_SECONDS
            failures = 0 if lasted else failures + 1
            await asyncio.sleep(pause_seconds(failures, refused=refused))

    async def _listen(self) -> None:
        self._heard_at = self._timer()
        stream = self._source.watch(WatchRequest(kinds=WATCHED_KINDS))
        try:
            async with asyncio.timeout(SILENCE_SECONDS) as silence:
                async for response in stream:
                    silence.reschedule(asyncio.get_running_loop().time() + SILENCE_SECONDS)
                    self._hear(response)
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    def _hear(self, response: WatchResponse) -> None:
        if self._is_silent():
            raise TimeoutError("the watch was silent for too long")
        self._heard_at = self._timer()
        if response.HasField("change"):
            self._changed(response.change.resource_id)
        else:
            self._is_live = True

    def _is_silent(self) -> bool:
        return self._timer() - self._heard_at > SILENCE_SECONDS

    def _lose(self) -> None:
        if self._is_live:
            self._is_live = False
            self._lost()


def pause_seconds(failures: int, *, refused: bool) -> float:
    """How long to wait before watching again: half of a bound that doubles, and a random part of
    the other half, so that what ended many Watches at once does not so begin them at once.
    """
    doubled = FIRST_PAUSE_SECONDS * 2.0 ** min(failures, _MOST_DOUBLINGS)
    longest = REFUSED_PAUSE_SECONDS if refused else min(doubled, LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311 # no secret
