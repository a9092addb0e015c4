"""Buckets that all workers of a server count in: a file that each of them maps into memory.

A fixed table of sets of eight places. A user has a place in one set, found by a hash; a place
whose bucket is full again is free. A set is locked while a request is counted. The operating
system takes the lock from a process that ends; from one that stands still nobody can take it, so
nobody waits: after a few attempts a request is counted without. One that is counted so may be
lost, when another process counts in the same microsecond.

When a set has no free place (more than eight of its users within a burst of each other), who comes
then counts in the place of another, which may refuse a request too early, and never allows one
too many.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from hashlib import blake2b
from typing import Final

SETS: Final = 8192
WAYS: Final = 8
WORD_BYTES: Final = 8
SET_WORDS: Final = 2 * WAYS
"""First whose places they are, then when each is full: one cache line each."""
SIZE: Final = SETS * SET_WORDS * WORD_BYTES
"""1 MiB: 65536 users."""
LOCK_ATTEMPTS: Final = 16
"""Whoever has the lock needs a few microseconds."""


class SharedBuckets:
    """See `Buckets`. For one thread of each process."""

    def __init__(self, descriptor: int) -> None:
        """Take the file, which must stay open, and make it large enough if it is new."""
        self._file = descriptor
        if os.fstat(descriptor).st_size < SIZE:
            os.ftruncate(descriptor, SIZE)
        self._words = memoryview(mmap.mmap(descriptor, SIZE)).cast("Q")
        self._locked = False
        self._set = self._place = 0
        self._tag = 0

    def take_up(self, user_id: str, now_ns: int) -> int:
        """See `Buckets`."""
        tag = int.from_bytes(blake2b(user_id.encode(), digest_size=WORD_BYTES).digest(), "little")
        self._set = tag % SETS
        self._lock()
        first = self._set * SET_WORDS
        words = self._words[first : first + SET_WORDS].tolist()
        try:
            way = words.index(tag, 0, WAYS)
        except ValueError:
            way = min(range(WAYS), key=words[WAYS:].__getitem__)
            if words[WAYS + way] > now_ns:  # it stays another's
                tag = words[way]
        self._tag, self._place = tag, first + way
        return words[WAYS + way]

    def put_down(self, full_at_ns: int) -> None:
        """See `Buckets`."""
        if full_at_ns:
            full_at = self._place + WAYS
            self._words[self._place] = self._tag
            # What others counted meanwhile, without the lock, is not taken back.
            self._words[full_at] = max(full_at_ns, self._words[full_at])
        if self._locked:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._set)

    def _lock(self) -> None:
        """Lock the set's own byte of the file, or not."""
        for _ in range(LOCK_ATTEMPTS):
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._set)
            except OSError:
                os.sched_yield()  # to its holder, if that was put aside
                continue
            self._locked = True
            return
        self._locked = False
