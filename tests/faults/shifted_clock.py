"""A wall clock that can be set while a server runs; the monotonic clock goes on as it was.

For a server in this process its own reading of the clock is shifted, and those of the libraries
that read it for it: PyJWT for times in tokens, typeid for ids. For one in a process of its own
libfaketime shifts everything that reads the clock by way of the C library.
"""

from __future__ import annotations

import os
import secrets
import time
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import pytest

NS_PER_SECOND: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
LIBRARIES: Final = (
    "/usr/lib/*/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
)
"""Where Debian and others put it. `LIBFAKETIME` in the environment names another place."""


class ShiftedClock:
    """The wall clock of what is served in this process."""

    def __init__(self) -> None:
        self.shift_seconds = 0

    def time_ns(self) -> int:
        return time.time_ns() + self.shift_seconds * NS_PER_SECOND

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the server and its libraries read this clock."""
        clock = self

        class Shifted(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Shifted:
                shifted = datetime.now(tz) + timedelta(seconds=clock.shift_seconds)
                return cls.fromtimestamp(shifted.timestamp(), tz)

        def uuid7() -> uuid.UUID:
            # As RFC 9562 lays it out: 48 bits of milliseconds, version, random bits, variant.
            milliseconds, chance = clock.time_ns() // NS_PER_MS, secrets.randbits(74)
            high = milliseconds << 16 | 0x7000 | chance >> 62
            return uuid.UUID(int=high << 64 | 0b10 << 62 | chance & (1 << 62) - 1)

        monkeypatch.setattr("symphony_server.clock.time", SimpleNamespace(time_ns=clock.time_ns))
        monkeypatch.setattr("jwt.api_jwt.datetime", Shifted)
        monkeypatch.setattr("typeid.core.typeid.uuid_utils", SimpleNamespace(uuid7=uuid7))


class FakedClock:
    """The wall clock of a program that is started with `environment`."""

    def __init__(self, library: str, directory: Path) -> None:
        self._shift = directory / "clock"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self._shift),
            "FAKETIME_NO_CACHE": "1",  # so that a change is seen at once
            "DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, shift_seconds: int) -> None:
        """Shift it from the true time by so much."""
        draft = self._shift.with_suffix(".new")
        draft.write_text(f"{shift_seconds:+d}")
        draft.replace(self._shift)


def faketime_library(places: Sequence[str] = LIBRARIES) -> str | None:
    """The file of libfaketime, or None where it is not installed."""
    named = os.environ.get("LIBFAKETIME")
    if named:
        return named
    found = [file for place in places for file in Path("/").glob(place.lstrip("/"))]
    return str(found[0]) if found else None
