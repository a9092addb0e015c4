"""How many calls may be in the server at once: many in a burst, few in an overload.

A burst leaves a queue that is gone in a moment. The queue of an overload stands: it makes every
call wait, and serves nobody more (CoDel, RFC 8289, has the same at heart). So `max_calls` are taken
in, until for half a second there were as many as keep the server busy. From then on only so many
are, and gRPC turns away the others, until for a second it had none to turn away.

A moment with fewer does not begin the half second anew, as it would with CoDel: on a machine that
has much else to do, server and callers take turns, and a queue that stands is out of sight between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

BUSY_CALLS: Final = 128
"""So many keep the server busy: one batch of writes (`write_door.MAX_BATCH`)."""
STANDING_NS: Final = 500_000_000
"""A burst of `max_calls` writes is gone by then, at the 2000 a second of one core."""
FORGETTING: Final = 2
"""A moment with fewer outweighs so many with more: a server that is kept busy for less than two
thirds of the time can answer everybody."""
GLANCE_NS: Final = 50_000_000
"""When the last ones of a queue ended is not seen until somebody calls. Where it stands that is
soon; after longer than this they were gone."""
CALM_NS: Final = 1_000_000_000
EXPLAINED_NS: Final = 5_000_000
"""In an overload one call in as long is refused with reason and details, which costs about what an
answer costs, 0.2 ms: so it has 4 % of the time."""


class Admission:
    """The limit; lives on the event loop's thread."""

    def __init__(self, max_calls: int, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Take the most calls at once, and a clock that never goes back."""
        self._most = max_calls
        self._fewest = min(max_calls, BUSY_CALLS)
        self._clock_ns = clock_ns
        self._stood_ns = 0
        """How long there have been as many as a busy server's, less what is forgotten."""
        self._stands = False
        """Whether there are as many now, and..."""
        self._seen_at_ns = 0
        """...when that was looked at last."""
        self._full_at_ns = 0
        self._explained_at_ns = 0
        self.overloaded = False
        """True while fewer are taken in than otherwise."""
        self.limit = max_calls
        """Calls that may be inside now."""

    def room(self, inside: int) -> int:
        """How many more may come in, with so many inside; negative if there are too many. To be
        asked as each call comes.
        """
        if self.overloaded:
            if self._clock_ns() - self._full_at_ns > CALM_NS:
                self.overloaded, self.limit = False, self._most
                self._stood_ns, self._stands = 0, False
        elif inside >= self._fewest or self._stood_ns or self._stands:
            self._look(inside)
        return self.limit - inside

    def _look(self, inside: int) -> None:
        now_ns = self._clock_ns()
        passed_ns, self._seen_at_ns = now_ns - self._seen_at_ns, now_ns
        stood, self._stands = self._stands, inside >= self._fewest
        with_ns = (passed_ns if self._stands else min(passed_ns, GLANCE_NS)) if stood else 0
        without_ns = passed_ns - with_ns
        self._stood_ns = max(0, self._stood_ns + with_ns - FORGETTING * without_ns)
        if self._stands and self._stood_ns > STANDING_NS:
            self.overloaded, self.limit = True, self._fewest
            self._full_at_ns = now_ns

    def is_full(self) -> None:
        """Note that calls came for every place there was, at once."""
        self._full_at_ns = self._clock_ns()

    def is_to_explain(self) -> bool:
        """Whether a call that was taken in is to be refused, for its caller to be told why."""
        if not self.overloaded:
            return False
        now_ns = self._clock_ns()
        if now_ns - self._full_at_ns > STANDING_NS or now_ns < self._explained_at_ns:
            return False
        self._explained_at_ns = now_ns + EXPLAINED_NS
        return True
