"""Canaries: secrets that stand for no other text, and where they are looked for."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.e2e.processes import Server
from tests.server.world import Refusal


def canary() -> str:
    """A text that is nowhere else, of characters that nobody escapes."""
    return "Canary" + secrets.token_hex(12)


@dataclass
class Planted:
    """What was planted, by what it is."""

    credentials: dict[str, str] = field(default_factory=dict)
    """What must not be written down anywhere: tokens, passwords, keys."""
    personal: dict[str, str] = field(default_factory=dict)
    """What is kept where it belongs, and must be nowhere else: addresses, commands."""


def spellings(secret: str) -> Iterator[bytes]:
    """The ways in which a text could be written down: as it is, in hexadecimal, and in base64
    from whichever of three places of what is around it.
    """
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        # Without the characters that also say what stands before and behind.
        whole = encoded[4 if before else 0 : len(encoded) - 4]
        yield whole
        yield whole.replace(b"+", b"-").replace(b"/", b"_")


def found_in(places: Mapping[str, bytes], planted: Mapping[str, str]) -> list[str]:
    """Which secrets are in which places; none is as it should be."""
    return [
        f"{what} in {place}"
        for place, said in places.items()
        for what, secret in planted.items()
        if any(spelling in said for spelling in spellings(secret))
    ]


def told(refusals: list[Refusal]) -> bytes:
    """All that refusals told, with their details and metadata."""
    return "\n".join(map(repr, refusals)).encode() + b"\n".join(
        value if isinstance(value, bytes) else value.encode()
        for refusal in refusals
        for value in refusal.trailing.values()
    )


def log_of(server: Server) -> bytes:
    """Everything that a server wrote to its log."""
    return server.log.encode()


AUDIT_TABLES: Final = ("audit_log", "audit_nodes")
