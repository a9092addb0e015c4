"""The identity provider's public keys: a JWKS file or URL, read again as it changes."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jwt import PyJWK, PyJWKSet

_log = logging.getLogger(__name__)

MAX_BYTES: Final = 1024 * 1024
FETCH_TIMEOUT_SECONDS: Final = 5.0
REFRESH_SECONDS: Final = 60.0
"""How old a key set may get: a key that was withdrawn is refused after this at the latest."""
RETRY_SECONDS: Final = 5.0
"""How soon the document may be fetched again, so that neither garbage nor a provider that is away
can cause a flood."""


class KeySet:
    """The keys of one JWKS document by key id; lives on the event loop's thread."""

    def __init__(self, location: str) -> None:
        """Take a path or an http(s) URL; nothing is read yet."""
        self._location = location
        self._keys: Mapping[str, PyJWK] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._reading = asyncio.Lock()

    async def find(self, key_id: str) -> PyJWK | None:
        """The key with an id, or None. Reads the document when it is old, or the id unknown.

        A document that cannot be read leaves the keys as they were until they are too old.
        """
        now = time.monotonic()
        is_wanting = now - self._read_at > REFRESH_SECONDS or key_id not in self._keys
        if is_wanting and now - self._tried_at > RETRY_SECONDS:
            await self._read(now)
        return self._keys.get(key_id)

    async def _read(self, asked_at: float) -> None:
        async with self._reading:
            if self._tried_at >= asked_at:
                return  # another call has read it meanwhile
            began_at = time.monotonic()
            try:
                self._keys = await asyncio.to_thread(_load, self._location)
                self._read_at = began_at
            except Exception:
                # Whatever is wrong with a document of another house, PyJWT and urllib raise as they
                # meet it (AttributeError, RecursionError, HTTPException), and no caller is to
                # blame.
                _log.warning("the key set %s could not be read", self._location, exc_info=True)
                if began_at - self._read_at > 2 * REFRESH_SECONDS:
                    self._keys = {}
            # Only now: who asks while it is read must wait for it, and not be told what was.
            self._tried_at = time.monotonic()


def _load(location: str) -> Mapping[str, PyJWK]:
    if location.startswith(("https://", "http://")):
        with urllib.request.urlopen(location, timeout=FETCH_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the scheme is checked
            raw = answer.read(MAX_BYTES + 1)
    else:
        raw = Path(location).read_bytes()
    if len(raw) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    keys = PyJWKSet.from_dict(json.loads(raw)).keys
    return {key.key_id: key for key in keys if key.key_id}
