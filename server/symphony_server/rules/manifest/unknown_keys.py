"""Keys that a manifest does not have: ignored, but perhaps not meant to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from symphony_server.rules.manifest.claims import Claims, Finding
from symphony_server.rules.manifest.model import Manifest

_MEANT: Final = {key.replace("_", ""): key for key in Manifest.model_fields}


def unknown_keys(claims: Claims) -> Iterator[Finding]:
    """A misspelt key would be ignored without a word, `permision` for example."""
    for key in claims.document:
        if key not in Manifest.model_fields:
            meant = _MEANT.get(key.lower().replace("_", "").replace("-", ""))
            hint = f"did you mean {meant}?" if meant else "it is ignored"
            yield Finding((key,), f"is not a manifest's key; {hint}")
